/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile as lines: "[section]", "key = value", comments, blank lines, and nothing else.
 *
 * GKeyFile is not used. It names no line, merges a section that comes twice, lets the last of two
 * equal keys win, takes "4G # x" as a value, decodes backslashes (which a kernel command line and
 * QEMU's arguments need as they are) and does not know ";" as a comment. To find all that, the
 * lines must be split here anyway, and a second reader that splits them by other rules would only
 * make the line numbers doubtful. What a value means is left to values.c and its neighbours.
 *
 * The whole text is checked for characters first, so everything behind that check, error messages
 * included, handles printable UTF-8 only.
 */
#include "launcher/profile/lines.h"

#include <string.h>

#include "launcher/report/error.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Characters of a hostile text that a message keeps at each end. */
#define SHOWN 100

/* Where the reader is: what it needs to find duplicates and to name a place. */
typedef struct {
	const char *file;
	char *name; /* the same, as lines share it */
	guint line;
	const char *section; /* of the newest header; NULL before the first */
	GHashTable *seen;    /* "section" or "section\nkey" -> its line */
	GPtrArray *lines;
} Reader;

void hvr_profile_line_free(HvrProfileLine *line)
{
	if (!line)
		return;
	g_clear_pointer(&line->file, g_ref_string_release);
	g_free(line->section);
	g_free(line->key);
	g_free(line->value);
	g_free(line);
}

typedef char RefString;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefString, g_ref_string_release)

static char *place_of(const char *file, const HvrProfileLine *line)
{
	g_autoptr(GString) place = g_string_new(NULL);

	if (line && line->from_set) {
		g_string_printf(place, "--set %s.%s", line->section, line->key);
		g_string_replace(place, " ", ".", 0);
		g_string_replace(place, "--set.", "--set ", 1);
		return g_string_free(g_steal_pointer(&place), FALSE);
	}
	if (line && line->file)
		file = line->file;
	g_string_append(place, file);
	if (line && line->line > 0)
		g_string_append_printf(place, ":%u", line->line);
	if (line && line->section)
		g_string_append_printf(place, ": [%s]", line->section);
	if (line && line->section && line->key)
		g_string_append_printf(place, " %s", line->key);
	return g_string_free(g_steal_pointer(&place), FALSE);
}

/* Takes ownership of @text. */
static char *shorten(char *text)
{
	g_autofree char *whole = text;
	glong length = g_utf8_strlen(text, -1);
	g_autofree char *head = NULL;
	g_autofree char *tail = NULL;

	if (length <= 3 * SHOWN)
		return g_steal_pointer(&whole);
	head = g_utf8_substring(text, 0, SHOWN);
	tail = g_utf8_substring(text, length - SHOWN, length);
	return g_strconcat(head, " ... ", tail, NULL);
}

gboolean hvr_profile_prefix(GError **error, const char *file, const HvrProfileLine *line)
{
	g_autofree char *place = shorten(place_of(file, line));

	g_prefix_error(error, "%s: ", place);
	return FALSE;
}

gboolean hvr_profile_fail(GError **error, const char *file, const HvrProfileLine *line,
			  const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = shorten(g_strdup_vprintf(format, args));
	va_end(args);
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, what);
	if (file)
		hvr_profile_prefix(error, file, line);
	return FALSE;
}

static guint line_at(const char *text, gsize offset)
{
	guint line = 1;

	for (gsize i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* A character that no line of a profile may hold; a CR only ends a line. */
static gboolean is_refused(const char *c, const char *end)
{
	if (*c == '\t' || *c == '\n')
		return FALSE;
	if (*c == '\r')
		return c + 1 < end && c[1] != '\n';
	return g_unichar_iscntrl(g_utf8_get_char(c));
}

static gboolean check_text(const char *file, const char *text, gsize length, GError **error)
{
	HvrProfileLine at = { 0 };
	const char *end;

	if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
		at.line = 1;
		hvr_profile_fail(error, file, &at, "starts with a byte order mark");
		hvr_error_hint(error, "save it as UTF-8 without one");
		return FALSE;
	}
	end = memchr(text, '\0', length);
	if (end) {
		at.line = line_at(text, end - text);
		return hvr_profile_fail(error, file, &at, "holds a NUL byte: this is no text");
	}
	if (!g_utf8_validate_len(text, length, &end)) {
		at.line = line_at(text, end - text);
		hvr_profile_fail(error, file, &at, "is not UTF-8");
		hvr_error_hint(error, "convert it with iconv -t UTF-8");
		return FALSE;
	}
	for (const char *c = text; c < text + length; c = g_utf8_next_char(c)) {
		if (!is_refused(c, text + length))
			continue;
		at.line = line_at(text, c - text);
		return hvr_profile_fail(error, file, &at, "holds the control character U+%04X",
					g_utf8_get_char(c));
	}
	return TRUE;
}

/* "4G # x", "4G ; x": such a text would become a part of the value. */
static gboolean check_comment(const char *file, const HvrProfileLine *line, const char *text,
			      GError **error)
{
	for (const char *c = text; *c; c++) {
		/* "forward" is a list that ";" may separate */
		if (*c != '#' && (*c != ';' || g_strcmp0(line->key, "forward") == 0))
			continue;
		if (c > text && !g_ascii_isspace(c[-1]))
			continue;
		if (line->key) {
			hvr_profile_fail(error, file, line, "\"%s\" stands behind the value", c);
			hvr_error_hint(error, "a comment needs a line of its own; --set takes such "
					      "a value as it is");
		} else {
			hvr_profile_fail(error, file, line, "\"%s\" stands behind the section", c);
			hvr_error_hint(error, "a comment needs a line of its own");
		}
		return FALSE;
	}
	return TRUE;
}

static HvrProfileLine *line_new(const Reader *reader)
{
	HvrProfileLine *line = g_new0(HvrProfileLine, 1);

	line->file = g_ref_string_acquire(reader->name);
	line->line = reader->line;
	return line;
}

/* Takes ownership of @line. FALSE when there is one like it. */
static gboolean add(Reader *reader, HvrProfileLine *line, GError **error)
{
	g_autofree char *id = g_strjoin("\n", line->section, line->key, NULL);
	guint first = GPOINTER_TO_UINT(g_hash_table_lookup(reader->seen, id));

	g_ptr_array_add(reader->lines, line);
	if (first != 0)
		return hvr_profile_fail(error, reader->file, line, "comes twice, first in line %u",
					first);
	g_hash_table_insert(reader->seen, g_steal_pointer(&id), GUINT_TO_POINTER(line->line));
	return TRUE;
}

/* "device   npu" as "device npu". */
static char *one_blank(char *text)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GPtrArray) kept = g_ptr_array_new();

	words = g_strsplit_set(text, " \t", -1);
	for (gsize i = 0; words[i]; i++)
		if (words[i][0] != '\0')
			g_ptr_array_add(kept, words[i]);
	g_ptr_array_add(kept, NULL);
	return g_strjoinv(" ", (char **)kept->pdata);
}

static gboolean read_header(Reader *reader, char *text, GError **error)
{
	HvrProfileLine at = { .line = reader->line };
	HvrProfileLine *line;
	char *end = strchr(text, ']');

	if (!end)
		return hvr_profile_fail(error, reader->file, &at,
					"\"%s\" is a section without its ]", text);
	*end = '\0';
	line = line_new(reader);
	line->section = one_blank(text + 1);
	reader->section = line->section;
	if (!add(reader, line, error) || !check_comment(reader->file, line, end + 1, error))
		return FALSE;
	if (end[1] != '\0')
		return hvr_profile_fail(error, reader->file, line,
					"\"%s\" stands behind the section", end + 1);
	return TRUE;
}

static gboolean read_pair(Reader *reader, char *text, GError **error)
{
	HvrProfileLine at = { .line = reader->line };
	HvrProfileLine *line;
	char *equals = strchr(text, '=');

	if (!equals || equals == text) {
		hvr_profile_fail(error, reader->file, &at, "\"%s\" is nothing that a profile has",
				 text);
		hvr_error_hint(error, "expected [section], key = value, or a # comment");
		return FALSE;
	}
	*equals = '\0';
	if (!reader->section)
		return hvr_profile_fail(error, reader->file, &at,
					"\"%s\" stands before the first [section]",
					g_strchomp(text));
	line = line_new(reader);
	line->section = g_strdup(reader->section);
	line->key = g_strdup(g_strchomp(text));
	line->value = g_strdup(g_strchug(equals + 1));
	if (!add(reader, line, error))
		return FALSE;
	if (strchr(line->value, '\t'))
		return hvr_profile_fail(error, reader->file, line, "holds a tab; use blanks");
	return check_comment(reader->file, line, line->value, error);
}

/* Up to the value, which may not hold one, a tab is as good as a blank. */
static void blank_tabs(char *text)
{
	gboolean pair = text[0] != '[' && text[0] != '=';

	for (char *c = text; *c && !(pair && *c == '='); c++)
		if (*c == '\t')
			*c = ' ';
}

static gboolean read_line(Reader *reader, char *text, GError **error)
{
	g_strstrip(text);
	if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
		return TRUE;
	blank_tabs(text);
	if (text[0] == '[')
		return read_header(reader, text, error);
	return read_pair(reader, text, error);
}

GPtrArray *hvr_profile_lines_read(const char *file, const char *text, gsize length, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) lines =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_profile_line_free);
	g_autoptr(RefString) name = g_ref_string_new(file);
	g_autofree char *copy = NULL;
	Reader reader = { .file = file, .name = name, .seen = seen, .lines = lines };

	if (!check_text(file, text, length, error))
		return NULL;
	copy = g_strndup(text, length);
	for (char *row = copy, *next; row; row = next) {
		next = memchr(row, '\n', length - (row - copy));
		if (next)
			*next++ = '\0';
		reader.line++;
		if (!read_line(&reader, row, error))
			return NULL;
	}
	return g_steal_pointer(&lines);
}

/* A word of the command line reaches no line reader, so its characters are checked here. */
static gboolean check_word(const char *option, const char *word, GError **error)
{
	gboolean printable = g_utf8_validate(word, -1, NULL);

	for (const char *c = word; printable && *c; c = g_utf8_next_char(c))
		printable = !g_unichar_iscntrl(g_utf8_get_char(c));
	if (printable)
		return TRUE;
	g_autofree char *shown = g_strescape(word, NULL);
	return hvr_profile_fail(error, option, NULL,
				"\"%s\" holds a control character or is not UTF-8", shown);
}

char *hvr_profile_section_from_word(const char *option, const char *word, GError **error)
{
	g_autofree char *blanks = NULL;

	if (!check_word(option, word, error))
		return NULL;
	blanks = g_strdelimit(g_strdup(word), ".", ' ');
	return one_blank(blanks);
}

HvrProfileLine *hvr_profile_line_from_set(const char *word, GError **error)
{
	g_autoptr(HvrProfileLine) line = g_new0(HvrProfileLine, 1);
	g_autofree char *name = NULL;
	const char *equals = strchr(word, '=');
	char *dot;

	if (!check_word("--set", word, error))
		return NULL;
	name = g_strndup(word, strcspn(word, "="));
	dot = strrchr(name, '.');
	if (!equals || !dot || dot == name || dot[1] == '\0') {
		hvr_profile_fail(error, "--set", NULL, "\"%s\" is not SECTION.KEY=VALUE", word);
		return NULL;
	}
	line->from_set = TRUE;
	*dot = '\0';
	line->section = hvr_profile_section_from_word("--set", name, error);
	line->key = g_strdup(g_strstrip(dot + 1));
	line->value = g_strstrip(g_strdup(equals + 1));
	return g_steal_pointer(&line);
}
