/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On QEMU's command line a disk is two things, the device that the guest sees and what is behind
 * it, and so is a network card. Here each pair becomes one part, as a profile has it.
 */
#include "launcher/import/disk-ways.h"
#include "launcher/import/formats.h"

#include <string.h>

typedef struct {
	HvrImport *import;
	guint first; /* of this command line */
	guint n;     /* parts in front of those that are made here */
	HvrImportPart *machine;
} Line;

const char *hvr_import_disk_bus(const char *driver)
{
	static const struct {
		const char *begins, *bus;
	} buses[] = {
		{ "virtio-blk", "virtio" }, { "virtio", "virtio" }, { "nvme", "nvme" },
		{ "ide-cd", "sata" },	    { "ide-hd", "sata" },   { "ide-drive", "sata" },
		{ "ide", "ide" },	    { "sata", "sata" },	    { "scsi", "scsi" },
		{ "usb-storage", "usb" },   { "usb", "usb" },	    { "fdc", "floppy" },
		{ "sd-card", "sd" },	    { "sd", "sd" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(buses); i++)
		if (g_str_has_prefix(driver, buses[i].begins))
			return buses[i].bus;
	return NULL;
}

static HvrImportPart *part_at(const Line *line, guint i)
{
	return g_ptr_array_index(line->import->parts, i);
}

/* The part of that kind whose field @name is @value; NULL: there is none */
static HvrImportPart *find_part(const Line *line, const char *kind, const char *name,
				const char *value)
{
	for (guint i = line->first; *value && i < line->n; i++) {
		HvrImportPart *part = part_at(line, i);
		if (!part->gone && g_strcmp0(part->section, kind) == 0 &&
		    g_str_equal(hvr_import_get(part, name), value))
			return part;
	}
	return NULL;
}

static void rename_field(HvrImportPart *part, const char *from, const char *to)
{
	HvrImportField *field = hvr_import_find(part, from);

	if (!field)
		return;
	g_free(field->name);
	field->name = g_strdup(to);
}

/* A node that only filters what is behind it */
static gboolean is_filter(const HvrImportPart *storage)
{
	static const char *const filters[] = { "throttle", "copy-on-read", "preallocate", NULL };

	return g_strv_contains(filters, hvr_import_get(storage, "driver"));
}

static void tell_limits(Line *line, HvrImportPart *storage)
{
	HvrImportField *field = hvr_import_find(storage, "throttle-group");

	if (field)
		hvr_import_note_field(line->import, storage, field,
				      "a profile has no limits for a disk", FALSE);
}

/* Only what is behind it counts: each of its own fields stands there, too. */
static void peel(Line *line, HvrImportPart *storage)
{
	static const char *const kept[] = { "node-name", "id", "if", NULL };

	tell_limits(line, storage);
	for (guint i = 0; i < storage->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(storage->fields, i);
		gboolean behind = g_str_has_prefix(field->name, "file.");
		if (field->told || g_strv_contains(kept, field->name))
			continue;
		field->told = !behind || g_str_equal(field->name, "file.node-name");
		if (!behind)
			continue;
		char *name = g_strdup(field->name + strlen("file."));
		g_free(field->name);
		field->name = name;
	}
}

/* The file is a node of its own: of a format and what it is of the format counts, of a filter and
 * what is behind it the latter. Each that is merged is gone, so this ends. */
static void merge_below(Line *line, HvrImportPart *storage)
{
	HvrImportPart *below;

	while (g_str_equal(storage->section, "-blockdev") &&
	       (below = find_part(line, "-blockdev", "node-name",
				  hvr_import_get(storage, "file"))) &&
	       below != storage) {
		tell_limits(line, is_filter(below) ? below : storage);
		hvr_import_take(storage, "file");
		hvr_import_take(below, "node-name");
		hvr_import_take(is_filter(storage) ? storage : below, "driver");
		hvr_import_merge(line->import, storage, below);
	}
}

/* "driver" of a -drive and a -blockdev is the format; the file may be a node of its own. */
static void settle_storage(Line *line, HvrImportPart *storage)
{
	while (is_filter(storage) && hvr_import_find(storage, "file.driver"))
		peel(line, storage);
	merge_below(line, storage);
	gboolean is_file = g_strv_contains((const char *const[]){ "file", "host_device", NULL },
					   hvr_import_get(storage, "driver"));
	hvr_import_take(storage, "node-name");
	hvr_import_take(storage, "file.driver");
	rename_field(storage, "filename", "file");
	rename_field(storage, "file.filename", "file");
	rename_field(storage, "file.aio", "aio");
	rename_field(storage, "read-only", "readonly");
	while (hvr_import_find(storage, "read-only")) /* of the nodes below: it is the same */
		hvr_import_take(storage, "read-only");
	if (is_file) {
		hvr_import_take(storage, "driver");
		hvr_import_add(line->import, storage, storage->line, "format", "raw");
	}
	rename_field(storage, "driver", "format");
}

const char *hvr_import_format_by_name(const char *file)
{
	static const char *const others[] = { "qcow2", "vmdk", "vdi", "vhd", "vhdx", "qed", NULL };
	const char *dot = strrchr(file, '.');

	return dot && g_strv_contains(others, dot + 1) ? dot + 1 : "raw";
}

/* What QEMU looks into the image for. */
static void guess_format(Line *line, HvrImportPart *disk)
{
	const char *file = hvr_import_get(disk, "file");
	const char *format = hvr_import_format_by_name(file);
	g_autofree char *what = g_strconcat(disk->shown, " format = ", NULL);

	if (!*file || hvr_import_find(disk, "format") ||
	    g_str_equal(hvr_import_get(disk, "media"), "cdrom"))
		return;
	g_autofree char *why =
		g_strdup_printf("its format is not said: %s, by its name%s", format,
				g_str_equal(format, "raw") ? "; qemu-img info tells" : "");
	hvr_import_add(line->import, disk, disk->line, "format", format);
	hvr_import_note(line->import, disk->line, what, why, FALSE);
}

static void become_disk(Line *line, HvrImportPart *disk, HvrImportPart *storage)
{
	const char *rank = hvr_import_get(disk, "bootindex");
	guint64 number = 0;

	if (g_ascii_string_to_unsigned(rank, 10, 0, G_MAXINT, &number, NULL)) {
		hvr_import_take(disk, "bootindex");
		disk->rank = (int)number;
	}
	disk->id = g_strdup(hvr_import_take(disk, "id"));
	if (storage) {
		const char *id = hvr_import_take(storage, "id");
		if (!*disk->id) {
			g_free(disk->id);
			disk->id = g_strdup(id);
		}
		hvr_import_take(storage, "if");
		settle_storage(line, storage);
		hvr_import_merge(line->import, disk, storage);
	}
	disk->section = "disk";
	hvr_import_settle_cache(line->import, disk);
	guess_format(line, disk);
}

/* A disk on SCSI has its controller's thread. */
static void take_thread(Line *line, HvrImportPart *disk)
{
	const char *bus = hvr_import_get(disk, "bus");
	g_autofree char *id = g_strndup(bus, strcspn(bus, "."));
	const HvrImportPart *controller = find_part(line, "-device", "id", id);
	const HvrImportField *thread = controller ? hvr_import_find(controller, "iothread") : NULL;

	if (thread)
		hvr_import_add(line->import, disk, thread->line, "iothread", thread->value);
}

static void disk_device(Line *line, HvrImportPart *device, const char *bus)
{
	const char *drive = hvr_import_take(device, "drive");
	const char *driver = hvr_import_take(device, "driver");
	HvrImportPart *storage = find_part(line, "-drive", "id", drive);
	gboolean cdrom = g_str_has_suffix(driver, "-cd");

	if (!storage)
		storage = find_part(line, "-blockdev", "node-name", drive);
	hvr_import_add(line->import, device, device->line, "disk-bus", bus);
	if (g_str_equal(bus, "scsi"))
		take_thread(line, device);
	if (cdrom && (!storage || !hvr_import_find(storage, "media")))
		hvr_import_add(line->import, device, device->line, "media", "cdrom");
	become_disk(line, device, storage);
}

/* A tap of the helper's is one on a bridge: br0 where none is said (DEFAULT_BRIDGE_INTERFACE of
 * QEMU's include/net/net.h). */
static void settle_bridge(Line *line, HvrImportPart *net)
{
	HvrImportField *type = hvr_import_find(net, "type");
	gboolean helped = hvr_import_find(net, "br") || hvr_import_find(net, "helper");

	if (!type)
		return;
	if (g_str_equal(type->value, "tap") && helped && !hvr_import_find(net, "ifname")) {
		g_free(type->value);
		type->value = g_strdup("bridge");
	}
	if (g_str_equal(type->value, "bridge") && !hvr_import_find(net, "br"))
		hvr_import_add(line->import, net, type->line, "br", "br0");
}

static void become_net(Line *line, HvrImportPart *net, HvrImportPart *backend)
{
	g_autoptr(GString) forwards = g_string_new(NULL);
	HvrImportField *forward;

	net->id = g_strdup(hvr_import_take(net, "id"));
	if (backend) {
		hvr_import_take(backend, "id");
		hvr_import_merge(line->import, net, backend);
	}
	while ((forward = hvr_import_find(net, "hostfwd"))) {
		g_string_append_printf(forwards, "%s%s", forwards->len ? " " : "", forward->value);
		forward->told = TRUE;
	}
	if (forwards->len)
		hvr_import_add(line->import, net, net->line, "forward", forwards->str);
	settle_bridge(line, net);
	net->section = "net";
}

static void net_device(Line *line, HvrImportPart *device)
{
	const char *id = hvr_import_take(device, "netdev");

	rename_field(device, "driver", "model");
	become_net(line, device, find_part(line, "-netdev", "id", id));
}

static void share_device(Line *line, HvrImportPart *device)
{
	HvrImportPart *folder = find_part(line, "-fsdev", "id", hvr_import_take(device, "fsdev"));

	hvr_import_take(device, "driver");
	device->id = g_strdup(hvr_import_take(device, "id"));
	if (folder) {
		hvr_import_take(folder, "id");
		hvr_import_merge(line->import, device, folder);
	}
	device->section = "share";
}

/* The last name of "/sys/bus/pci/devices/0000:01:00.0" is the address as well. */
static void card_device(Line *line, HvrImportPart *device)
{
	const char *path = hvr_import_get(device, "sysfsdev");

	if (*path) {
		g_autofree char *name = g_path_get_basename(path);
		hvr_import_take(device, "sysfsdev");
		hvr_import_add(line->import, device, device->line, "host", name);
	}
	hvr_import_take(device, "driver");
	device->id = g_strdup(hvr_import_take(device, "id"));
	device->section = "device";
}

/* A device, what is behind it, and how that is reached: only swtpm is ours. */
static void tpm_device(Line *line, HvrImportPart *device)
{
	HvrImportPart *backend = find_part(line, "-tpmdev", "id", hvr_import_get(device, "tpmdev"));
	const char *type = backend ? hvr_import_get(backend, "type") : "";

	if (!g_str_equal(type, "emulator") || hvr_import_find(line->machine, "tpm.driver"))
		return;
	HvrImportPart *socket =
		find_part(line, "-chardev", "id", hvr_import_get(backend, "chardev"));
	hvr_import_add(line->import, line->machine, device->line, "tpm.driver",
		       hvr_import_get(device, "driver"));
	HvrImportPart *const all[] = { device, backend, socket };
	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		if (!all[i])
			continue;
		hvr_import_tell_all(all[i]);
		all[i]->gone = TRUE;
	}
}

/* The machine's own in a profile; what it is told beside is not all in there (reasons.c). */
static void iommu_device(Line *line, HvrImportPart *device)
{
	static const char *const chips[] = { "machine.kernel_irqchip", "machine.kernel-irqchip" };

	hvr_import_add(line->import, line->machine, device->line, "iommu",
		       hvr_import_take(device, "driver"));
	hvr_import_take(device, "id");
	for (guint i = 0; i < device->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(device->fields, i);
		g_autofree char *name = g_strconcat("iommu.", field->name, NULL);

		if (!field->told)
			hvr_import_add(line->import, line->machine, field->line, name,
				       field->value);
		field->told = TRUE;
	}
	device->gone = TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(chips); i++)
		if (g_str_equal(hvr_import_get(line->machine, chips[i]), "split"))
			hvr_import_take(line->machine, chips[i]);
}

/* As QEMU reads a number: 1133, or 0x46d (qobject_input_type_uint64_keyval() in its
 * qapi/qobject-input-visitor.c). Returns: FALSE: it is no device's */
static gboolean read_usb_id(const HvrImportPart *device, const char *name, guint *out_id)
{
	const char *value = hvr_import_get(device, name);
	char *end = NULL;
	guint64 id = g_ascii_strtoull(value, &end, 0);

	if (!*value || *end || id > G_MAXUINT16)
		return FALSE;
	*out_id = (guint)id;
	return TRUE;
}

/* "vendorid=0x046d,productid=0xc52b", or "hostbus=1,hostport=2.3" */
static void usb_device(Line *line, HvrImportPart *device)
{
	guint vendor, product;
	g_autofree char *value = NULL;
	const char *name = "match", *first = "vendorid", *second = "productid";

	if (hvr_import_find(device, "hostport")) {
		name = "port";
		first = "hostbus";
		second = "hostport";
		value = g_strconcat(hvr_import_get(device, first), "-",
				    hvr_import_get(device, second), NULL);
	} else if (read_usb_id(device, first, &vendor) && vendor &&
		   read_usb_id(device, second, &product)) {
		value = g_strdup_printf("%04x:%04x", vendor, product);
	}
	if (!value)
		return;
	hvr_import_add(line->import, device, device->line, name, value);
	hvr_import_take(device, first);
	hvr_import_take(device, second);
	hvr_import_take(device, "driver");
	device->id = g_strdup(hvr_import_take(device, "id"));
	device->section = "usb";
}

static void sound_device(Line *line, HvrImportPart *device)
{
	hvr_import_add(line->import, line->machine, device->line, "sound",
		       hvr_import_get(device, "driver"));
	hvr_import_tell_all(device);
	device->gone = TRUE;
}

/* With the socket that it is reached by, which is the program's own in a profile. */
static void agent_device(Line *line, HvrImportPart *device)
{
	HvrImportPart *socket =
		find_part(line, "-chardev", "id", hvr_import_get(device, "chardev"));

	hvr_import_add(line->import, line->machine, device->line, "agent", "on");
	hvr_import_tell_all(device);
	device->gone = TRUE;
	if (!socket)
		return;
	hvr_import_tell_all(socket);
	socket->gone = TRUE;
}

static void read_device(Line *line, HvrImportPart *device)
{
	const char *driver = hvr_import_get(device, "driver");
	const char *bus = hvr_import_disk_bus(driver);

	if (g_str_has_prefix(driver, "vfio-pci"))
		card_device(line, device);
	else if (g_str_equal(driver, "intel-iommu") || g_str_equal(driver, "virtio-iommu-pci"))
		iommu_device(line, device);
	else if (bus && hvr_import_find(device, "drive"))
		disk_device(line, device, bus);
	else if ((g_str_has_suffix(driver, "intel-hda") ||
		  g_str_has_prefix(driver, "virtio-sound")) &&
		 !hvr_import_find(line->machine, "sound"))
		sound_device(line, device);
	else if (g_str_equal(driver, "usb-host"))
		usb_device(line, device);
	else if (hvr_import_find(device, "tpmdev"))
		tpm_device(line, device);
	else if (hvr_import_find(device, "netdev"))
		net_device(line, device);
	else if (g_str_has_prefix(driver, "virtio-9p") && hvr_import_find(device, "fsdev"))
		share_device(line, device);
	else if (g_str_equal(hvr_import_get(device, "name"), "org.qemu.guest_agent.0"))
		agent_device(line, device);
}

/* Code that nobody writes, and the variables. */
static void flash(Line *line, HvrImportPart *storage, gboolean is_code)
{
	const char *file;

	settle_storage(line, storage);
	file = hvr_import_take(storage, "file");
	if (is_code) {
		/* whatever it is called, what is in flash is a UEFI */
		hvr_import_add(line->import, line->machine, storage->line, "firmware.code",
			       "pflash");
		g_autofree char *what = g_strconcat("firmware.code = ", file, NULL);
		hvr_import_note(
			line->import, storage->line, what,
			"which file it is comes from QEMU's firmware descriptors: [firmware] "
			"code names one's own",
			FALSE);
	} else if (*file) {
		hvr_import_add(line->import, line->machine, storage->line, "firmware.vars", file);
	}
	hvr_import_tell_all(storage);
	storage->gone = TRUE;
}

/* A -drive that no -device has. */
static void lone_drive(Line *line, HvrImportPart *drive)
{
	const char *interface = hvr_import_take(drive, "if");
	const char *readonly = hvr_import_get(drive, "readonly");

	if (g_str_equal(interface, "pflash")) {
		const char *unit = hvr_import_get(drive, "unit");
		/* the first where no unit is said: drive_new() in QEMU's blockdev.c */
		gboolean first = !*unit && !hvr_import_find(line->machine, "firmware.code");
		gboolean code = g_str_equal(readonly, "on") || g_str_equal(readonly, "true") ||
				g_str_equal(unit, "0") ||
				strstr(hvr_import_get(drive, "file"), "CODE");
		flash(line, drive, code || first);
		return;
	}
	if (g_str_equal(interface, "none"))
		return;
	const char *bus = hvr_import_disk_bus(*interface ? interface : "ide");
	settle_storage(line, drive);
	hvr_import_add(line->import, drive, drive->line, "disk-bus", bus ? bus : interface);
	become_disk(line, drive, NULL);
}

/* -machine pflash0=NODE */
static void machine_flash(Line *line, const char *name, gboolean is_code)
{
	HvrImportPart *storage =
		find_part(line, "-blockdev", "node-name", hvr_import_get(line->machine, name));

	if (!storage)
		return;
	hvr_import_take(line->machine, name);
	flash(line, storage, is_code);
}

/* -net nic and -net user are one card. */
static void old_nets(Line *line)
{
	HvrImportPart *net = NULL;

	for (guint i = line->first; i < line->n; i++) {
		HvrImportPart *part = part_at(line, i);
		if (g_strcmp0(part->section, "-net") != 0)
			continue;
		if (g_str_equal(hvr_import_get(part, "type"), "nic"))
			hvr_import_take(part, "type");
		if (net) {
			hvr_import_merge(line->import, net, part);
		} else {
			net = part;
		}
	}
	if (net)
		become_net(line, net, NULL);
}

/* The guest's memory, in a folder of huge pages or by memfd. */
static gboolean is_huge(const HvrImportPart *object)
{
	const char *memfd = hvr_import_get(object, "hugetlb");

	return strstr(hvr_import_get(object, "mem-path"), "hugepages") ||
	       g_str_equal(memfd, "on") || g_str_equal(memfd, "true");
}

/* Those that are whole by themselves. */
static void read_alone(Line *line, HvrImportPart *part)
{
	if (g_strcmp0(part->section, "-drive") == 0)
		lone_drive(line, part);
	else if (g_strcmp0(part->section, "-nic") == 0)
		become_net(line, part, NULL);
	else if (g_strcmp0(part->section, "-virtfs") == 0)
		part->section = "share";
	else if (g_strcmp0(part->section, "-object") == 0 &&
		 g_str_equal(hvr_import_get(part, "qom-type"), "input-linux")) {
		hvr_import_take(part, "qom-type");
		part->id = g_strdup(hvr_import_take(part, "id"));
		part->section = "input";
	} else if (g_strcmp0(part->section, "-object") == 0 && is_huge(part)) {
		const char *pages = hvr_import_get(part, "mem-path");
		if (!*pages) /* or none: the host's own size */
			pages = hvr_import_get(part, "hugetlbsize");
		hvr_import_add(line->import, line->machine, part->line, "mem-path", pages);
		hvr_import_tell_all(part);
		part->gone = TRUE;
	}
}

/* "none" only keeps a card away that nobody has asked for: beside one that is, it means nothing. */
static void drop_none(Line *line)
{
	guint n = 0;

	for (guint i = line->first; i < line->n; i++)
		n += g_strcmp0(part_at(line, i)->section, "net") == 0;
	for (guint i = line->first; n > 1 && i < line->n; i++) {
		HvrImportPart *part = part_at(line, i);
		if (g_strcmp0(part->section, "net") != 0 ||
		    !g_str_equal(hvr_import_get(part, "type"), "none"))
			continue;
		hvr_import_note_part(line->import, part, "there is another", TRUE);
		part->gone = TRUE;
	}
}

static void throw_away(Line *line)
{
	const HvrImportField *field = hvr_import_find(line->machine, "snapshot");

	for (guint i = line->first; field && i < line->n; i++) {
		HvrImportPart *part = part_at(line, i);
		if (g_strcmp0(part->section, "disk") == 0)
			hvr_import_add(line->import, part, field->line, "snapshot", "on");
	}
	hvr_import_take(line->machine, "snapshot");
}

void hvr_import_qemu_devices(HvrImport *import, guint first, HvrImportPart *machine)
{
	Line line = {
		.import = import, .first = first, .n = import->parts->len, .machine = machine
	};

	machine_flash(&line, "machine.pflash0", TRUE);
	machine_flash(&line, "machine.pflash1", FALSE);
	old_nets(&line);
	for (guint i = first; i < line.n; i++)
		if (g_strcmp0(part_at(&line, i)->section, "-device") == 0)
			read_device(&line, part_at(&line, i));
	for (guint i = first; i < line.n; i++)
		read_alone(&line, part_at(&line, i));
	drop_none(&line);
	throw_away(&line);
}
