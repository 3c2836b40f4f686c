/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration of Proxmox VE's, as /etc/pve/qemu-server/100.conf has it (qm.conf(5)).
 *
 * A disk is STORAGE:VOLUME, and where a storage is only that host knows (/etc/pve/storage.cfg),
 * whose files are not opened. The two that its installer makes are where the installer has them; of
 * all others the volume's name alone is written, and a note says how its path is had.
 */
#include "launcher/import/disk-ways.h"
#include "launcher/import/formats.h"

#include <string.h>

#include "launcher/import/options.h"
#include "launcher/import/words.h"

typedef struct {
	HvrImport *import;
	HvrImportPart *machine;
	HvrImportPart *args; /* fields of `args`, which are QEMU's words; NULL: none */
} Reader;

typedef void (*Handler)(Reader *reader, guint line, const char *key, const char *value);

static HvrImportPart *add_part(Reader *reader, const char *section, guint line, const char *key,
			       const char *implied, const char *value)
{
	HvrImportPart *part =
		hvr_import_add_part(reader->import, HVR_IMPORT_PROXMOX, section, line, key);

	part->id = g_strdup(key);
	hvr_import_options(reader->import, part,
			   &(HvrImportOptions){
				   .line = line, .prefix = "", .implied = implied, .text = value });
	return part;
}

/* The path of "STORAGE:VOLUME", as far as it can be known; a note where it cannot. [transfer full]
 */
static char *volume_path(Reader *reader, guint line, const char *key, const char *volume)
{
	const char *colon = strchr(volume, ':');
	g_autofree char *tells = g_strdup_printf("where that storage is only its host knows: "
						 "pvesm path %s",
						 volume);

	if (*volume == '/' || !colon)
		return g_strdup(volume);
	g_autofree char *name = g_path_get_basename(colon + 1);
	const char *ending = strchr(name, '.') ? "" : ".raw";
	hvr_import_note(reader->import, line, key, tells, FALSE);
	if (g_str_has_prefix(volume, "local:iso/"))
		return g_strconcat("/var/lib/vz/template/iso/", name, NULL);
	if (g_str_has_prefix(volume, "local:"))
		return g_strconcat("/var/lib/vz/images/", colon + 1, NULL);
	if (g_str_has_prefix(volume, "local-lvm:"))
		return g_strconcat("/dev/pve/", name, NULL);
	return g_strconcat(name, ending, NULL);
}

static void on_disk(Reader *reader, guint line, const char *key, const char *value)
{
	HvrImportPart *part = add_part(reader, "disk", line, key, "file", value);
	g_autofree char *volume = g_strdup(hvr_import_take(part, "file"));

	if (strstr(volume, "cloudinit")) {
		hvr_import_note_part(reader->import, part,
				     "cloud-init's disk is made from [cloud-init]", TRUE);
		part->gone = TRUE;
		return;
	}
	hvr_import_add(reader->import, part, line, "disk-bus", hvr_import_disk_bus(key));
	if (g_str_equal(volume, "none")) {
		hvr_import_note_part(reader->import, part, "nothing is in that drive", TRUE);
		part->gone = TRUE;
		return;
	}
	if (g_str_equal(volume, "cdrom")) {
		hvr_import_note_part(reader->import, part, "a drive of the host's is no image",
				     FALSE);
		part->gone = TRUE;
		return;
	}
	g_autofree char *path = volume_path(reader, line, key, volume);
	hvr_import_add(reader->import, part, line, "file", path);
	/* none is what Proxmox takes where nothing is said */
	if (g_str_equal(hvr_import_get(part, "aio"), "native") && !hvr_import_find(part, "cache"))
		hvr_import_add(reader->import, part, line, "cache", "none");
	if (!hvr_import_find(part, "format"))
		hvr_import_add(reader->import, part, line, "format",
			       hvr_import_format_by_name(volume));
}

/* "virtio=BC:24:11:00:00:01,bridge=vmbr0": the first is the model, with the address. */
static void on_net(Reader *reader, guint line, const char *key, const char *value)
{
	HvrImportPart *part = add_part(reader, "net", line, key, "model", value);
	HvrImportField *model = part->fields->len ? g_ptr_array_index(part->fields, 0) : NULL;

	if (model && strchr(model->value, ':')) {
		hvr_import_add(reader->import, part, line, "macaddr", model->value);
		g_free(model->value);
		model->value = model->name;
		model->name = g_strdup("model");
	}
	hvr_import_add(reader->import, part, line, "mode",
		       hvr_import_find(part, "bridge") ? "bridge" : "user");
}

/* @first: (nullable): what is said of function 0 alone, in print_hostpci_devices() */
static HvrImportPart *add_card(Reader *reader, guint line, const char *key, const char *address,
			       const HvrImportPart *first)
{
	HvrImportPart *card =
		hvr_import_add_part(reader->import, HVR_IMPORT_PROXMOX, "device", line, key);
	gboolean whole = !strchr(address, '.');
	g_autofree char *function = g_strconcat(address, whole ? ".0" : "", NULL);

	card->id = g_strdup(key);
	hvr_import_add(reader->import, card, line, "address", function);
	if (whole)
		hvr_import_note(
			reader->import, line, key,
			"it means all functions of that slot, and a section is for one: here is "
			"the first; a section for another, with = the first's, puts it there, too",
			FALSE);
	for (guint i = 1; first && i < first->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(first->fields, i);
		gboolean rom = g_str_equal(field->name, "romfile") && *field->value != '/';
		/* where print_hostpci_devices() of PCI.pm looks for it */
		g_autofree char *value =
			g_strconcat(rom ? "/usr/share/kvm/" : "", field->value, NULL);
		hvr_import_add(reader->import, card, line, field->name, value);
	}
	return card;
}

/* "0000:01:00.0;0000:02:00.0,pcie=1", or mapping=NAME. Of several each is a function of one slot:
 * print_hostpci_devices() in qemu-server's PVE/QemuServer/PCI.pm. */
static void on_card(Reader *reader, guint line, const char *key, const char *value)
{
	HvrImportPart *part = add_part(reader, "hostpci", line, key, "host", value);
	g_auto(GStrv) addresses = g_strsplit(hvr_import_get(part, "host"), ";", 8);
	HvrImportPart *first = NULL;

	if (hvr_import_find(part, "mdev")) {
		hvr_import_note_part(reader->import, part,
				     "a mediated device is no card of its own: a profile passes "
				     "whole functions",
				     FALSE);
		part->gone = TRUE;
	}
	if (!hvr_import_find(part, "host"))
		return;
	for (guint i = 0; addresses[i]; i++) {
		g_autofree char *name = i ? g_strdup_printf("%s-%u", key, i) : g_strdup(key);
		HvrImportPart *card = add_card(reader, line, name, addresses[i], i ? NULL : part);
		card->with = first;
		card->with_field = hvr_import_find(card, "address");
		if (!first)
			first = card;
	}
	hvr_import_tell_all(part);
	part->gone = TRUE;
}

static void on_options(Reader *reader, guint line, const char *key, const char *value)
{
	/* the name of what may stand first without one: qm.conf(5) */
	static const struct {
		const char *key, *named;
	} firsts[] = {
		{ "agent", "agent.enabled" },
		{ "cpu", "cpu.cputype" },
		{ "machine", "machine.type" },
		{ "vga", "vga.type" },
	};
	g_autofree char *prefix = g_strconcat(key, ".", NULL);

	hvr_import_options(reader->import, reader->machine,
			   &(HvrImportOptions){
				   .line = line, .prefix = prefix, .implied = key, .text = value });
	for (guint i = 0; i < G_N_ELEMENTS(firsts); i++) {
		HvrImportField *field = hvr_import_find(reader->machine, firsts[i].named);
		if (!field || !g_str_equal(key, firsts[i].key))
			continue;
		g_free(field->name);
		field->name = g_strconcat(prefix, key, NULL);
	}
}

static void on_args(Reader *reader, guint line, const char *key, const char *value)
{
	g_autoptr(GPtrArray) words = hvr_import_words_new();

	if (!hvr_import_words_split(words, line, value)) {
		hvr_import_note(reader->import, line, key, "it cannot be split into words", FALSE);
		return;
	}
	hvr_import_qemu_words(reader->import, words);
}

static void on_efidisk(Reader *reader, guint line, const char *key, const char *value)
{
	if (strstr(value, "pre-enrolled-keys=1"))
		hvr_import_add(reader->import, reader->machine, line, "secure", "yes");
	hvr_import_note(reader->import, line, key,
			"UEFI's variables are made anew: the guest's boot entries are not kept",
			FALSE);
}

/* "local-lvm:vm-102-disk-2,size=4M,version=v2.0": without a version it is 1.2. */
static void on_tpm(Reader *reader, guint line, const char *key, const char *value)
{
	const char *version = "v1.2";

	if (strstr(value, "version=v2.0"))
		version = "v2.0";
	hvr_import_add(reader->import, reader->machine, line, "tpmstate0.version", version);
}

/* "host=046d:c52b", or "host=1-2.3" */
static void on_usb(Reader *reader, guint line, const char *key, const char *value)
{
	HvrImportPart *part = add_part(reader, "usb", line, key, "host", value);
	g_autofree char *host = g_strdup(hvr_import_take(part, "host"));
	const char *name = "port";

	if (hvr_import_find(part, "mapping")) {
		hvr_import_note_part(reader->import, part,
				     "which device a mapping means only its host knows: [usb NAME] "
				     "match or port",
				     FALSE);
		part->gone = TRUE;
		return;
	}
	if (!strchr(host, ':') && !strchr(host, '-')) {
		hvr_import_note_part(reader->import, part,
				     "it is no device on a USB port of the host", FALSE);
		part->gone = TRUE;
		return;
	}
	if (strchr(host, ':'))
		name = "match";
	hvr_import_add(reader->import, part, line, name, host);
}

/* Keys are "scsi0", or "memory". */
static const struct {
	const char *key;
	gboolean numbered;
	Handler handler;
} handlers[] = {
	{ "scsi", TRUE, on_disk },	 { "virtio", TRUE, on_disk },
	{ "sata", TRUE, on_disk },	 { "ide", TRUE, on_disk },
	{ "net", TRUE, on_net },	 { "hostpci", TRUE, on_card },
	{ "efidisk", TRUE, on_efidisk }, { "args", FALSE, on_args },
	{ "cpu", FALSE, on_options },	 { "machine", FALSE, on_options },
	{ "agent", FALSE, on_options },	 { "vga", FALSE, on_options },
	{ "tpmstate", TRUE, on_tpm },	 { "usb", TRUE, on_usb },
	{ "audio", TRUE, on_options },	 { "memory", FALSE, on_options },
};

static void read_pair(Reader *reader, guint line, const char *key, const char *value)
{
	gsize letters = strspn(key, G_CSET_a_2_z);
	gboolean numbered = key[letters] && !key[letters + strspn(key + letters, G_CSET_DIGITS)];

	for (guint i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (strlen(handlers[i].key) != letters ||
		    strncmp(key, handlers[i].key, letters) != 0 ||
		    handlers[i].numbered != numbered || (!numbered && key[letters]))
			continue;
		handlers[i].handler(reader, line, key, value);
		return;
	}
	hvr_import_add(reader->import, reader->machine, line, key, value);
}

/* "a=b;c" as QEMU has it: "host,+aes,-pcid" */
static void settle_cpu(Reader *reader)
{
	HvrImportField *flags = hvr_import_find(reader->machine, "cpu.flags");
	HvrImportField *model = hvr_import_find(reader->machine, "cpu.cpu");

	if (model && g_str_equal(hvr_import_get(reader->machine, "cpu.hidden"), "1")) {
		char *hidden = g_strconcat(model->value, ",kvm=off", NULL);
		g_free(model->value);
		model->value = hidden;
		hvr_import_take(reader->machine, "cpu.hidden");
	}
	if (!flags || !model)
		return;
	g_autofree char *list = g_strdelimit(g_strdup(flags->value), ";", ',');
	char *whole = g_strconcat(model->value, ",", list, NULL);
	g_free(model->value);
	model->value = whole;
	flags->told = TRUE;
}

/* sockets and cores make the CPUs; memory and a screen are there without a word, and so is what a
 * Windows is told by Hyper-V's ways (get_cpu_options() of qemu-server's CPUConfig.pm). */
static void settle_defaults(Reader *reader)
{
	HvrImportPart *machine = reader->machine;
	const HvrImportField *guest = hvr_import_find(machine, "ostype");
	const HvrImportField *cores = hvr_import_find(machine, "cores");
	const HvrImportField *sockets = hvr_import_find(machine, "sockets");
	guint64 n_cores = 1, n_sockets = 1;

	if (cores)
		g_ascii_string_to_unsigned(cores->value, 10, 1, 512, &n_cores, NULL);
	if (sockets)
		g_ascii_string_to_unsigned(sockets->value, 10, 1, 512, &n_sockets, NULL);
	g_autofree char *cpus = g_strdup_printf("%" G_GUINT64_FORMAT, n_cores * n_sockets);
	hvr_import_add(reader->import, machine, cores ? cores->line : 1, "cpus", cpus);
	if (!hvr_import_find(machine, "memory.memory") &&
	    !hvr_import_find(machine, "memory.current"))
		hvr_import_add(reader->import, machine, 1, "memory", "512");
	if (guest && g_str_has_prefix(guest->value, "win"))
		hvr_import_add(reader->import, machine, guest->line, "hyperv", "yes");
	if (!hvr_import_find(machine, "vga.vga"))
		hvr_import_add(reader->import, machine, 1, "vga.vga", "std");
	if (!hvr_import_find(machine, "machine.machine"))
		hvr_import_note(reader->import, 0, "machine",
				"Proxmox' is an i440fx where none is said, a profile's a q35: the "
				"guest finds its devices elsewhere",
				FALSE);
}

/* "boot: order=scsi0;ide2", or of old "bootdisk: scsi0" */
static void settle_order(Reader *reader)
{
	HvrImportField *boot = hvr_import_find(reader->machine, "boot");
	HvrImportField *disk = hvr_import_find(reader->machine, "bootdisk");
	const char *order = disk ? disk->value : "";

	if (boot && g_str_has_prefix(boot->value, "order=")) {
		order = boot->value + strlen("order=");
		boot->told = TRUE;
	}
	/* of old, "cdn": letters of a BIOS */
	if (boot && hvr_import_boot_order(reader->import, boot->value))
		boot->told = TRUE;
	if (!*order)
		return;
	g_auto(GStrv) names = g_strsplit(order, ";", 32);
	gboolean disk_first = FALSE;
	for (guint i = 0; i < reader->import->parts->len; i++) {
		HvrImportPart *part = g_ptr_array_index(reader->import->parts, i);
		for (guint k = 0; names[k]; k++)
			if (g_str_equal(part->shown, names[k]))
				part->rank = (int)k;
		disk_first =
			disk_first || (part->rank == 0 && g_strcmp0(part->section, "disk") == 0);
	}
	if (!disk_first)
		hvr_import_note(reader->import, boot ? boot->line : disk->line, order,
				"the first disk is booted", FALSE);
	if (disk)
		disk->told = TRUE;
}

/* Of what stands below the machine as it is. */
static const char *why_not_read(const char *section)
{
	if (g_ascii_strcasecmp(section, "[PENDING]") == 0)
		return "from here on it is what waits for the next start there: it is not looked "
		       "at";
	if (g_str_has_prefix(section, "[special:"))
		return "from here on it is Proxmox' own";
	return "from here on it is a snapshot, which is not looked at";
}

void hvr_import_proxmox(HvrImport *import, const char *text)
{
	Reader reader = { .import = import };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	reader.machine = hvr_import_add_part(import, HVR_IMPORT_PROXMOX, NULL, 0, "");
	for (guint i = 0; lines[i] && !hvr_import_is_full(import); i++) {
		char *line = g_strstrip(lines[i]);
		char *colon = strchr(line, ':');
		if (!*line || *line == '#')
			continue;
		if (*line == '[') {
			hvr_import_note(import, i + 1, line, why_not_read(line), FALSE);
			break;
		}
		if (!colon) {
			hvr_import_note(import, i + 1, line, "it is no key: value", FALSE);
			continue;
		}
		*colon = '\0';
		read_pair(&reader, i + 1, line, g_strstrip(colon + 1));
	}
	settle_cpu(&reader);
	settle_defaults(&reader);
	settle_order(&reader);
}
