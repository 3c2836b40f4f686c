/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's domain XML (libvirt.org/formatdomain.html). Each element of <devices> is a part, all
 * else fields of the machine, named by the way to them: "os.type.machine". GMarkup knows no entity
 * beside XML's five, no DTD, and goes to no file.
 */
#include "launcher/import/disk-ways.h"
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/import/words.h"
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

static void start_element(GMarkupParseContext *context, const char *element, const char **names,
			  const char **values, gpointer data, GError **error)
{
	Reader *reader = data;
	guint line = line_of(context);

	if (hvr_import_is_full(reader->import) ||
	    (reader->names->len == 0 && g_str_equal(element, AROUND)) ||
	    !check_names(context, element, names, reader->names->len, error))
		return;
	if (reader->names->len)
		reader->bare[reader->names->len] = FALSE;
	g_ptr_array_add(reader->names, g_strdup(element));
	reader->bare[reader->names->len] = !names[0];
	if (reader->names->len == 1 && g_str_equal(element, "domain"))
		reader->found = TRUE;
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

	if (depth == 0)
		return;
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

/* ------------------------------------------------------------ what is said in two places */

static void set_field(Reader *reader, HvrImportPart *part, const char *from, const char *name,
		      const char *value)
{
	const HvrImportField *field = hvr_import_find(part, from);
	guint line = field ? field->line : part->line;

	hvr_import_add(reader->import, part, line, name, value);
}

/* "8" of "GiB" as "8192M", rounded up; as libvirt reads it (virScaleInteger). NULL: it is no size
 */
static char *scale(const char *number, const char *unit)
{
	static const struct {
		const char *units;
		guint64 bytes;
	} units[] = {
		{ " b bytes ", 1 },
		{ " KB ", 1000 },
		{ " k K KiB ", G_GUINT64_CONSTANT(1) << 10 },
		{ " MB ", 1000000 },
		{ " m M MiB ", G_GUINT64_CONSTANT(1) << 20 },
		{ " GB ", 1000000000 },
		{ " g G GiB ", G_GUINT64_CONSTANT(1) << 30 },
		{ " TB ", G_GUINT64_CONSTANT(1000000000000) },
		{ " t T TiB ", G_GUINT64_CONSTANT(1) << 40 },
	};
	const guint64 mib = G_GUINT64_CONSTANT(1) << 20;
	g_autofree char *word = g_strdup_printf(" %s ", *unit ? unit : "KiB");
	guint64 value;

	for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
		if (!strstr(units[i].units, word))
			continue;
		if (!g_ascii_string_to_unsigned(number, 10, 0, (G_MAXINT64 - mib) / units[i].bytes,
						&value, NULL))
			return NULL;
		return g_strdup_printf("%" G_GUINT64_FORMAT "M",
				       (value * units[i].bytes + mib - 1) / mib);
	}
	return NULL;
}

static void settle_size(Reader *reader, const char *number, const char *unit, const char *name)
{
	HvrImportPart *machine = reader->machine;
	g_autofree char *size =
		scale(hvr_import_get(machine, number), hvr_import_get(machine, unit));

	if (!size)
		return;
	set_field(reader, machine, number, name, size);
	hvr_import_take(machine, number);
	hvr_import_take(machine, unit);
}

/* What libvirt says to QEMU of the processor, and has elsewhere (qemuBuildCpuCommandLine() of its
 * qemu/qemu_command.c) */
static void settle_hidden(HvrImportPart *machine, GString *cpu)
{
	const char *vendor = hvr_import_get(machine, "features.hyperv.vendor_id.value");

	if (g_str_equal(hvr_import_take(machine, "features.kvm.hidden.state"), "on"))
		g_string_append(cpu, ",kvm=off");
	if (!*vendor ||
	    !g_str_equal(hvr_import_get(machine, "features.hyperv.vendor_id.state"), "on"))
		return;
	g_string_append_printf(cpu, ",hv-vendor-id=%s", vendor);
	hvr_import_take(machine, "features.hyperv.vendor_id.state");
	hvr_import_take(machine, "features.hyperv.vendor_id.value");
}

/* Those that [cpu] hyperv = yes has, too. */
static void settle_hyperv(Reader *reader)
{
	static const char *const parts[] = { "relaxed", "vapic", "spinlocks", "vpindex",
					     "runtime", "synic", "stimer",    "frequencies" };
	HvrImportPart *machine = reader->machine;
	const HvrImportField *first = hvr_import_find(machine, "features.hyperv.relaxed.state");

	if (!first || !g_str_equal(first->value, "on"))
		return;
	hvr_import_add(reader->import, machine, first->line, "hyperv", "yes");
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *name = g_strconcat("features.hyperv.", parts[i], ".state", NULL);
		if (g_str_equal(hvr_import_get(machine, name), "on"))
			hvr_import_take(machine, name);
	}
	if (g_str_equal(hvr_import_get(machine, "features.hyperv.spinlocks.retries"), "8191"))
		hvr_import_take(machine, "features.hyperv.spinlocks.retries");
}

/* <feature enabled='yes' name='secure-boot'/> of <os firmware='efi'>, in pairs */
static void settle_firmware(Reader *reader)
{
	HvrImportPart *machine = reader->machine;
	HvrImportField *name = NULL, *enabled = NULL;

	for (guint i = 0; i < machine->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(machine->fields, i);
		if (g_str_equal(field->name, "os.firmware.feature.enabled"))
			enabled = field;
		else if (g_str_equal(field->name, "os.firmware.feature.name"))
			name = field;
		if (!name || !enabled)
			continue;
		if (g_str_equal(name->value, "secure-boot")) {
			if (!hvr_import_find(machine, "os.loader.secure"))
				hvr_import_add(reader->import, machine, name->line,
					       "os.loader.secure", enabled->value);
			name->told = TRUE;
			enabled->told = TRUE;
		}
		name = NULL;
		enabled = NULL;
	}
}

/* <boot dev='cdrom'/> and its like, in their order, as letters of a BIOS */
static void settle_boot(Reader *reader)
{
	g_autoptr(GString) letters = g_string_new(NULL);
	HvrImportPart *machine = reader->machine;

	for (guint i = 0; i < machine->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(machine->fields, i);
		if (!g_str_equal(field->name, "os.boot.dev"))
			continue;
		if (g_str_equal(field->value, "hd"))
			g_string_append_c(letters, 'c');
		else if (g_str_equal(field->value, "cdrom"))
			g_string_append_c(letters, 'd');
		else
			g_string_append_c(letters, 'n');
	}
	if (!hvr_import_boot_order(reader->import, letters->str))
		return;
	while (hvr_import_find(machine, "os.boot.dev"))
		hvr_import_take(machine, "os.boot.dev");
}

/* A model, and what is added to it or taken away: "host,+vmx,-hypervisor" */
static void settle_cpu(Reader *reader)
{
	HvrImportPart *machine = reader->machine;
	gboolean host = g_str_equal(hvr_import_get(machine, "cpu.mode"), "host-passthrough");
	const char *model = host ? "host" : hvr_import_get(machine, "cpu.model");
	g_autoptr(GString) cpu = g_string_new(model);
	HvrImportField *name;

	if (!*model)
		return;
	while ((name = hvr_import_find(machine, "cpu.feature.name"))) {
		const char *policy = hvr_import_take(machine, "cpu.feature.policy");
		gboolean less = g_str_equal(policy, "disable") || g_str_equal(policy, "forbid");
		g_string_append_printf(cpu, ",%c%s", less ? '-' : '+', name->value);
		name->told = TRUE;
	}
	settle_hidden(machine, cpu);
	set_field(reader, machine, host ? "cpu.mode" : "cpu.model", "cpu", cpu->str);
	hvr_import_take(machine, "cpu.mode");
	if (!host)
		hvr_import_take(machine, "cpu.model");
}

/* "0:2, 1:3-4" */
static void settle_pins(Reader *reader)
{
	g_autoptr(GString) pins = g_string_new(NULL);
	const HvrImportField *first = hvr_import_find(reader->machine, "cputune.vcpupin.cpuset");
	HvrImportField *set;

	if (!first)
		return;
	while ((set = hvr_import_find(reader->machine, "cputune.vcpupin.cpuset"))) {
		const char *vcpu = hvr_import_take(reader->machine, "cputune.vcpupin.vcpu");

		set->told = TRUE;
		g_string_append_printf(pins, "%s%s:%s", pins->len ? ", " : "", vcpu, set->value);
	}
	hvr_import_add(reader->import, reader->machine, first->line, "pin", pins->str);
}

static const char *without_0x(const char *number)
{
	return number + (g_str_has_prefix(number, "0x") ? 2 : 0);
}

/* By its number it is another one after each plugging in: that is left out. */
static gboolean settle_usb(Reader *reader, HvrImportPart *part)
{
	const char *vendor = without_0x(hvr_import_get(part, "source.vendor.id"));
	const char *product = without_0x(hvr_import_get(part, "source.product.id"));
	g_autofree char *ids = g_strconcat(vendor, ":", product, NULL);

	if (!g_str_equal(hvr_import_get(part, "type"), "usb") || !*vendor || !*product)
		return FALSE;
	set_field(reader, part, "source.vendor.id", "match", ids);
	hvr_import_take(part, "type");
	hvr_import_take(part, "source.vendor.id");
	hvr_import_take(part, "source.product.id");
	part->section = "usb";
	return TRUE;
}

/* "0000:0b:10.0": numbers as C has them, so that '11' is 0x0b
 * (virPCIDeviceAddressParseXML() of libvirt's conf/device_conf.c). What is no number stays, to be
 * refused. [transfer full] */
static char *card_address(const HvrImportPart *part)
{
	static const char *const names[] = { "domain", "bus", "slot", "function" };
	guint64 numbers[G_N_ELEMENTS(names)];

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_strconcat("source.address.", names[i], NULL);
		const char *value = hvr_import_get(part, name);
		char *end = NULL;

		numbers[i] = g_ascii_strtoull(value, &end, 0);
		if (*end)
			return g_strdup(value);
	}
	return g_strdup_printf("%04x:%02x:%02x.%x", (guint)numbers[0], (guint)numbers[1],
			       (guint)numbers[2], (guint)numbers[3]);
}

static void settle_card(Reader *reader, HvrImportPart *part)
{
	if (settle_usb(reader, part))
		return;
	if (!g_str_equal(hvr_import_get(part, "type"), "pci") ||
	    !hvr_import_find(part, "source.address.bus")) {
		part->section = "<>";
		return;
	}
	g_autofree char *address = card_address(part);
	set_field(reader, part, "source.address.bus", "address", address);
	for (const char *const *name =
		     (const char *const[]){ "type", "source.address.domain", "source.address.bus",
					    "source.address.slot", "source.address.function",
					    NULL };
	     *name; name++)
		hvr_import_take(part, *name);
}

/* A network card of the host's, mostly a virtual function, which QEMU gets as any other card. */
static void settle_interface(Reader *reader, HvrImportPart *part)
{
	HvrImportField *type = hvr_import_find(part, "type");
	const char *of = hvr_import_get(part, "source.address.type");

	if (!type || !g_str_equal(type->value, "hostdev") || !g_str_equal(of, "pci"))
		return;
	hvr_import_take(part, "source.address.type");
	g_free(type->value);
	type->value = g_strdup("pci");
	part->section = "device";
	settle_card(reader, part);
}

static gboolean has_source(const HvrImportPart *part)
{
	for (guint i = 0; i < part->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(part->fields, i);
		if (g_str_has_prefix(field->name, "source."))
			return TRUE;
	}
	return FALSE;
}

/* raw is what libvirt takes where nothing is said. */
static void settle_disk(Reader *reader, HvrImportPart *part)
{
	guint64 order;
	gboolean removable = g_strv_contains((const char *const[]){ "cdrom", "floppy", NULL },
					     hvr_import_get(part, "device"));

	if (removable && !has_source(part)) {
		hvr_import_note_part(reader->import, part, "nothing is in that drive", TRUE);
		part->gone = TRUE;
		return;
	}
	if (!hvr_import_find(part, "driver.type"))
		hvr_import_add(reader->import, part, part->line, "driver.type", "raw");
	part->id = g_strdup(hvr_import_take(part, "target.dev"));
	if (g_ascii_string_to_unsigned(hvr_import_get(part, "boot.order"), 10, 0, G_MAXINT, &order,
				       NULL)) {
		hvr_import_take(part, "boot.order");
		part->rank = (int)order;
	}
}

/* What is a device there, and said of the machine in a profile. */
static void move(Reader *reader, HvrImportPart *part, const char *prefix)
{
	for (guint i = 0; i < part->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(part->fields, i);
		g_autofree char *name =
			g_strconcat(prefix, *field->name ? "." : "", field->name, NULL);
		hvr_import_add(reader->import, reader->machine, field->line, name, field->value);
		field->told = TRUE;
	}
	part->gone = TRUE;
}

/* TIS is what libvirt takes where nothing is said; 1.2 there was once. */
static void settle_tpm(Reader *reader, HvrImportPart *part)
{
	gboolean old = g_str_equal(hvr_import_get(part, "backend.version"), "1.2");

	if (!g_str_equal(hvr_import_get(part, "backend.type"), "emulator") || old)
		return;
	if (!hvr_import_find(part, "model"))
		hvr_import_add(reader->import, part, part->line, "model", "tpm-tis");
	move(reader, part, "tpm");
}

static void settle_other(Reader *reader, HvrImportPart *part)
{
	gboolean agent = g_str_equal(hvr_import_get(part, "target.name"), "org.qemu.guest_agent.0");
	const HvrImportPart *machine = reader->machine;

	if (g_str_equal(part->shown, "<controller>"))
		hvr_import_share_thread(reader->import, part);
	if (g_str_equal(part->shown, "<input>") &&
	    g_str_equal(hvr_import_get(part, "type"), "evdev")) {
		hvr_import_take(part, "type");
		part->section = "input";
	} else if (g_str_equal(part->shown, "<channel>") && agent) {
		hvr_import_add(reader->import, reader->machine, part->line, "agent", "yes");
		part->gone = TRUE;
	} else if (g_str_equal(part->shown, "<sound>") &&
		   !hvr_import_find(machine, "sound.model")) {
		move(reader, part, "sound");
	} else if (g_str_equal(part->shown, "<tpm>")) {
		settle_tpm(reader, part);
	} else if (g_str_equal(part->shown, "<iommu>")) {
		move(reader, part, "iommu");
		hvr_import_take(reader->machine, "features.ioapic.driver");
	} else if (g_str_equal(part->shown, "<emulator>")) {
		move(reader, part, "emulator");
	} else if (g_str_equal(part->shown, "<graphics>") &&
		   !hvr_import_find(machine, "graphics.type")) {
		move(reader, part, "graphics");
	} else if (g_str_equal(part->shown, "<serial>") &&
		   !hvr_import_find(machine, "serial.type")) {
		move(reader, part, "serial");
	}
}

/* <qemu:commandline> is QEMU's own words. */
static void settle_words(Reader *reader)
{
	g_autoptr(GPtrArray) words = hvr_import_words_new();
	HvrImportField *word;

	while ((word = hvr_import_find(reader->machine, "qemu:commandline.qemu:arg.value"))) {
		hvr_import_words_add(words, word->line, word->value);
		word->told = TRUE;
	}
	if (words->len)
		hvr_import_qemu_words(reader->import, words);
}

/* All of the memory is there from the start: so says who has no balloon, too. */
static void settle_balloon(Reader *reader)
{
	HvrImportPart *machine = reader->machine;

	if (!g_str_equal(hvr_import_get(machine, "memory"),
			 hvr_import_get(machine, "currentMemory")) ||
	    !g_str_equal(hvr_import_get(machine, "memory.unit"),
			 hvr_import_get(machine, "currentMemory.unit")))
		return;
	hvr_import_take(machine, "currentMemory");
	hvr_import_take(machine, "currentMemory.unit");
}

static void settle(Reader *reader)
{
	guint n = reader->import->parts->len;

	settle_balloon(reader);
	settle_size(reader, "memory", "memory.unit", "memory.size");
	settle_size(reader, "memoryBacking.hugepages.page.size",
		    "memoryBacking.hugepages.page.unit", "hugepages");
	settle_firmware(reader);
	settle_hyperv(reader);
	settle_cpu(reader);
	settle_pins(reader);
	for (guint i = 0; i < n; i++) {
		HvrImportPart *part = g_ptr_array_index(reader->import->parts, i);
		if (g_strcmp0(part->section, "device") == 0)
			settle_card(reader, part);
		else if (g_strcmp0(part->section, "net") == 0)
			settle_interface(reader, part);
		else if (g_strcmp0(part->section, "disk") == 0)
			settle_disk(reader, part);
		else if (g_strcmp0(part->section, "<>") == 0)
			settle_other(reader, part);
	}
	settle_boot(reader);
	settle_words(reader);
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
	settle(&reader);
	return TRUE;
}
