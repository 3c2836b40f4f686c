/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's domain XML (libvirt.org/formatdomain.html). Each element of <devices> is a part, all
 * else fields of the machine, named by the way to them: "os.type.machine". GMarkup knows no entity
 * beside XML's five, no DTD, and goes to no file.
 */
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/report/error.h"

/* Around what may be more than one element */
#define AROUND "hailo-vm-run"

#define MOST_DEPTH 16
#define MOST_NAME  64 /* of an element or attribute */

typedef struct {
	HvrImport *import;
	HvrImportPart *machine;
	HvrImportPart *part; /* the device that we are in; NULL: none */
	guint part_depth;
	GPtrArray *names;	       /* of the elements that we are in, without what is around */
	gboolean bare[MOST_DEPTH + 1]; /* nothing has been said of it yet */
	char *id;		       /* of the next card, from a comment */
	gboolean found;
	gboolean domain; /* one has begun; whatever stands behind it is skipped */
	guint skipped;	 /* elements that are skipped, and not at their end yet */
} Reader;

static const struct {
	const char *element, *section;
} sections[] = {
	{ "disk", "disk" },
	{ "interface", "net" },
	{ "hostdev", "device" },
	{ "filesystem", "share" },
};

static guint line_of(GMarkupParseContext *context)
{
	int line = 1;

	g_markup_parse_context_get_position(context, &line, NULL);
	return (guint)line;
}

/* The names from @first on, and @last. [transfer full] */
static char *join_names(const Reader *reader, guint first, const char *last)
{
	g_autoptr(GString) path = g_string_new(NULL);

	for (guint i = first; i < reader->names->len; i++)
		g_string_append_printf(path, "%s%s", path->len ? "." : "",
				       (char *)g_ptr_array_index(reader->names, i));
	if (last)
		g_string_append_printf(path, "%s%s", path->len ? "." : "", last);
	return g_strdup(path->str);
}

/* @name: (nullable): an attribute; NULL: the element's own text */
static void add(Reader *reader, guint line, const char *name, const char *value)
{
	HvrImportPart *part = reader->part ? reader->part : reader->machine;
	gboolean domain =
		reader->names->len && g_str_equal(g_ptr_array_index(reader->names, 0), "domain");
	guint first = domain ? 1 : 0;
	g_autofree char *path = join_names(reader, reader->part ? reader->part_depth : first, name);

	hvr_import_add(reader->import, part, line, path, value);
}

/* Is the innermost element one of <devices>, or alone? */
static gboolean is_device(const Reader *reader)
{
	guint n = reader->names->len;
	const char *last = g_ptr_array_index(reader->names, n - 1);

	if (n == 1)
		return !g_str_equal(last, "domain") && !g_str_equal(last, "devices");
	return n <= 3 && g_str_equal(g_ptr_array_index(reader->names, n - 2), "devices");
}

static void begin_device(Reader *reader, guint line, const char *name)
{
	g_autofree char *shown = g_strconcat("<", name, ">", NULL);
	const char *section = "<>";

	for (guint i = 0; i < G_N_ELEMENTS(sections); i++)
		if (g_str_equal(name, sections[i].element))
			section = sections[i].section;
	reader->part =
		hvr_import_add_part(reader->import, HVR_IMPORT_LIBVIRT, section, line, shown);
	reader->part_depth = reader->names->len;
	if (g_str_equal(section, "device"))
		reader->part->id = g_steal_pointer(&reader->id);
	reader->found = reader->found || *section != '<';
}

static gboolean check_names(GMarkupParseContext *context, const char *element, const char **names,
			    guint depth, GError **error)
{
	gboolean bounded = strlen(element) <= MOST_NAME && depth < MOST_DEPTH;

	for (guint i = 0; names[i]; i++)
		bounded = bounded && strlen(names[i]) <= MOST_NAME;
	if (bounded)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "line %u: no domain has elements that deep, or names that long",
		    line_of(context));
	return FALSE;
}

/* Whatever is around a domain, such as a snapshot of it, goes. */
static void begin_domain(Reader *reader, guint line)
{
	reader->domain = TRUE;
	reader->found = TRUE;
	if (!reader->names->len)
		return;
	g_autofree char *around =
		g_strconcat("<", (char *)g_ptr_array_index(reader->names, 0), ">", NULL);
	for (guint i = 0; i < reader->import->parts->len; i++) {
		HvrImportPart *part = g_ptr_array_index(reader->import->parts, i);
		hvr_import_tell_all(part);
		part->gone = part != reader->machine;
	}
	hvr_import_note(reader->import, line, around, "of it the first domain is taken", FALSE);
	reader->part = NULL;
	g_ptr_array_set_size(reader->names, 0);
}

/* Behind the domain, or in what is there. */
static gboolean skip(Reader *reader, guint line, const char *element)
{
	if (!reader->domain || reader->names->len)
		return FALSE;
	if (!reader->skipped++ && g_str_equal(element, "domain"))
		hvr_import_note(reader->import, line, "<domain>",
				"a profile is one VM: the first is taken", FALSE);
	return TRUE;
}

static void start_element(GMarkupParseContext *context, const char *element, const char **names,
			  const char **values, gpointer data, GError **error)
{
	Reader *reader = data;
	guint line = line_of(context);

	if (hvr_import_is_full(reader->import) ||
	    (reader->names->len == 0 && g_str_equal(element, AROUND)) ||
	    !check_names(context, element, names, reader->names->len, error) ||
	    skip(reader, line, element))
		return;
	if (!reader->domain && g_str_equal(element, "domain"))
		begin_domain(reader, line);
	if (reader->names->len)
		reader->bare[reader->names->len] = FALSE;
	g_ptr_array_add(reader->names, g_strdup(element));
	reader->bare[reader->names->len] = !names[0];
	if (!reader->part && is_device(reader))
		begin_device(reader, line, element);
	for (guint i = 0; names[i]; i++)
		add(reader, line, names[i], values[i]);
}

static void end_element(GMarkupParseContext *context, const char *element, gpointer data,
			GError **error)
{
	Reader *reader = data;
	guint depth = reader->names->len;

	if (depth == 0) {
		reader->skipped -= reader->skipped > 0;
		return;
	}
	if (reader->bare[depth] && !(reader->part && reader->part_depth == depth))
		add(reader, line_of(context), NULL, "");
	if (reader->part && reader->part_depth == depth)
		reader->part = NULL;
	g_ptr_array_set_size(reader->names, (int)depth - 1);
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length, gpointer data,
		    GError **error)
{
	Reader *reader = data;
	g_autofree char *own = g_strstrip(g_strndup(text, length));

	if (!*own || !reader->names->len || hvr_import_is_full(reader->import))
		return;
	reader->bare[reader->names->len] = FALSE;
	add(reader, line_of(context), NULL, own);
}

/* `print --format libvirt` puts "<!-- npu: 0000:02:00.0 ... -->" in front of a card. */
static void on_other(GMarkupParseContext *context, const char *text, gsize length, gpointer data,
		     GError **error)
{
	static const char begin[] = "<!-- ";
	Reader *reader = data;
	g_autofree char *own = g_strndup(text, length);

	g_clear_pointer(&reader->id, g_free);
	if (!g_str_has_prefix(own, begin))
		return;
	const char *name = own + strlen(begin);
	gsize n = strspn(name, G_CSET_a_2_z G_CSET_DIGITS "-");
	if (n && n < MOST_NAME && g_str_has_prefix(name + n, ": "))
		reader->id = g_strndup(name, n);
}

static gboolean parse(Reader *reader, const char *text, GError **error)
{
	static const GMarkupParser parser = { start_element, end_element, on_text, on_other, NULL };
	g_autoptr(GMarkupParseContext) context =
		g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, reader, NULL);
	g_autoptr(GError) why = NULL;

	if (g_markup_parse_context_parse(context, "<" AROUND ">", -1, &why) &&
	    g_markup_parse_context_parse(context, text, (gssize)strlen(text), &why) &&
	    g_markup_parse_context_parse(context, "</" AROUND ">", -1, &why) &&
	    g_markup_parse_context_end_parse(context, &why))
		return TRUE;
	if (why->domain == HVR_LAUNCH_ERROR)
		g_propagate_error(error, g_steal_pointer(&why));
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "line %u: it is no XML: %s", line_of(context), why->message);
	return FALSE;
}

gboolean hvr_import_libvirt(HvrImport *import, const char *text, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	Reader reader = { .import = import, .names = names };

	reader.machine = hvr_import_add_part(import, HVR_IMPORT_LIBVIRT, NULL, 0, "");
	gboolean done = parse(&reader, text, error);
	g_free(reader.id);
	if (!done)
		return FALSE;
	if (!reader.found) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "it is no libvirt domain");
		return FALSE;
	}
	hvr_import_libvirt_settle(import, reader.machine);
	return TRUE;
}
