/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's words say of the machine itself in another way than a profile does: its CPUs, its
 * first disk, its serial port and its screen.
 */
#include <string.h>

#include "launcher/import/disk-ways.h"
#include "launcher/import/formats.h"

typedef struct {
	HvrImport *import;
	HvrImportPart *machine;
} Line;

/* A number of the machine's; 0: it is not said, or is none */
static guint64 smp_number(const Line *line, const char *name)
{
	g_autofree char *field = g_strconcat("smp.", name, NULL);
	guint64 number = 0;

	g_ascii_string_to_unsigned(hvr_import_get(line->machine, field), 10, 1, 4096, &number,
				   NULL);
	return number;
}

static void add_smp(Line *line, const char *name, guint64 number)
{
	g_autofree char *field = g_strconcat("smp.", name, NULL);
	g_autofree char *value = g_strdup_printf("%" G_GUINT64_FORMAT, number);
	const HvrImportField *said = NULL;

	for (guint i = 0; !said && i < line->machine->fields->len; i++) {
		const HvrImportField *other = g_ptr_array_index(line->machine->fields, i);
		if (g_str_has_prefix(other->name, "smp."))
			said = other;
	}
	if (said && !hvr_import_find(line->machine, field))
		hvr_import_add(line->import, line->machine, said->line, field, value);
}

/* What of sockets, cores, threads and CPUs is not said, as QEMU counts it since 6.2: cores before
 * sockets, threads last (machine_parse_smp_config() in its hw/core/machine-smp.c). */
static void read_smp(Line *line)
{
	guint64 cpus = smp_number(line, "cpus"), sockets = smp_number(line, "sockets");
	guint64 cores = smp_number(line, "cores"), threads = smp_number(line, "threads");
	gboolean unknown = FALSE;

	for (guint i = 0; i < line->machine->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(line->machine->fields, i);
		unknown = unknown || (g_str_has_prefix(field->name, "smp.") && field->told);
	}
	if (unknown || (!sockets && !cores && !threads) || smp_number(line, "maxcpus"))
		return;
	if (!cpus) {
		add_smp(line, "cpus", MAX(sockets, 1) * MAX(cores, 1) * MAX(threads, 1));
		return;
	}
	if (!cores)
		cores = cpus / (MAX(sockets, 1) * MAX(threads, 1));
	else if (!sockets)
		sockets = cpus / (cores * MAX(threads, 1));
	sockets = MAX(sockets, 1);
	if (cores && !threads)
		threads = cpus / (sockets * cores);
	add_smp(line, "sockets", sockets);
	add_smp(line, "cores", MAX(cores, 1));
	add_smp(line, "threads", MAX(threads, 1));
}

/* -global driver=cfi.pflash01,property=secure,value=on, or cfi.pflash01.secure=on: UEFI's variables
 * are written by its own code alone, as Secure Boot wants it. */
static void read_secure(Line *line)
{
	for (guint i = 0; i < line->machine->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(line->machine->fields, i);
		const char *value = field->value;

		if (field->told || !g_str_equal(field->name, "global") ||
		    !strstr(value, "cfi.pflash01") || !strstr(value, "secure") ||
		    !(g_str_has_suffix(value, "=on") || g_str_has_suffix(value, "=true")))
			continue;
		field->told = TRUE;
		hvr_import_add(line->import, line->machine, field->line, "firmware.secure", "on");
		return;
	}
}

/* "d" or "order=cd": letters of disk, CD-ROM and network. */
static void read_boot(Line *line)
{
	HvrImportField *order = hvr_import_find(line->machine, "boot.order");

	if (!order)
		return;
	if (hvr_import_boot_order(line->import, order->value))
		order->told = TRUE;
}

/* The value of an option that is one text for two keys: "file:PATH", ":1" */
static void read_serial(Line *line)
{
	HvrImportField *field = hvr_import_find(line->machine, "serial");
	const char *value = field ? field->value : "";

	if (hvr_import_find(line->machine, "nographic") && !field)
		hvr_import_add(line->import, line->machine,
			       hvr_import_find(line->machine, "nographic")->line, "serial",
			       "stdio");
	for (guint i = 0; field && i < line->machine->fields->len; i++) {
		HvrImportField *other = g_ptr_array_index(line->machine->fields, i);
		if (other != field && !other->told && g_str_equal(other->name, "serial"))
			hvr_import_note_field(line->import, line->machine, other,
					      "a profile has one serial port", FALSE);
	}
	if (field && g_str_has_prefix(value, "file:")) {
		hvr_import_add(line->import, line->machine, field->line, "serial.file", value + 5);
		g_free(field->value);
		field->value = g_strdup("file");
	}
}

static void add_screen(Line *line, guint number, const char *mode, const char *port)
{
	hvr_import_add(line->import, line->machine, number, "graphics.mode", mode);
	if (*port)
		hvr_import_add(line->import, line->machine, number, "graphics.port", port);
}

/* To QEMU ":1" is a display of all the host's addresses. */
static void tell_open(Line *line, HvrImportField *vnc)
{
	static const char *const near[] = { "127.0.0.1:", "localhost:", "[::1]:" };
	gboolean own = FALSE;

	for (guint i = 0; i < G_N_ELEMENTS(near); i++)
		own = own || g_str_has_prefix(vnc->value, near[i]);
	if (!own)
		hvr_import_note_field(line->import, line->machine, vnc,
				      "a screen is at 127.0.0.1 or a socket, and has no password",
				      FALSE);
	else if (strchr(vnc->value, ','))
		hvr_import_note_field(line->import, line->machine, vnc,
				      "of this the address is kept, and nothing behind it", FALSE);
	vnc->told = TRUE;
}

/* -vnc HOST:DISPLAY, which is a port of 5900 and more; -spice port=; a window of QEMU's own. */
static void read_screen(Line *line)
{
	HvrImportPart *machine = line->machine;
	HvrImportField *vnc = hvr_import_find(machine, "vnc");
	const HvrImportField *spice = hvr_import_find(machine, "spice.port");
	const HvrImportField *display = hvr_import_find(machine, "display.type");
	g_autofree char *port = g_strdup("");
	guint64 number;

	if (vnc && !g_str_equal(vnc->value, "none")) {
		const char *colon = strrchr(vnc->value, ':');
		g_autofree char *text =
			colon ? g_strndup(colon + 1, strcspn(colon + 1, ",")) : g_strdup("");
		if (g_ascii_string_to_unsigned(text, 10, 0, 999, &number, NULL)) {
			g_free(port);
			port = g_strdup_printf("%u", 5900 + (guint)number);
		}
		add_screen(line, vnc->line, "vnc", port);
		tell_open(line, vnc);
	} else if (spice) {
		add_screen(line, spice->line, "spice", spice->value);
		hvr_import_take(machine, "spice.port");
	} else if (display && !g_str_equal(display->value, "none")) {
		add_screen(line, display->line, "vnc", "");
	}
}

void hvr_import_qemu_machine(HvrImport *import, HvrImportPart *machine)
{
	Line line = { .import = import, .machine = machine };

	read_smp(&line);
	read_boot(&line);
	read_secure(&line);
	read_serial(&line);
	read_screen(&line);
}
