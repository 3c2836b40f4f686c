/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM reads and writes: its disks, cloud-init's, the firmware's flash.
 *
 * The node names are the program's own: QEMU limits them to 31 characters, and no profile name
 * can begin like them.
 */
#include "launcher/qemu/cmdline-disks.h"

#include <json-glib/json-glib.h>

#include "launcher/parts/seed.h"
#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline-json.h"

/* The controller of the SCSI disks. */
#define SCSI "hvr-scsi"

typedef struct {
	const char *node; /* name of the node of what is in it */
	const char *file_node;
	const char *path;
	const char *format;
	gboolean readonly;
	gboolean block_device;
	const HvrProfileDisk *disk; /* what it says of how; NULL: QEMU's defaults */
} Image;

static const char *const zeroes_words[] = { NULL, "on", "unmap" };

/* QEMU opens files and block devices by different drivers (block/file-posix.c), and neither takes
 * the other's. */
static const char *protocol_of(const Image *image)
{
	return image->block_device ? "host_device" : "file";
}

static const char *discard_of(const Image *image)
{
	if (image->disk && !image->disk->discard)
		return "ignore";
	return "unmap";
}

/* Of a cache mode that is what concerns the host; set_write_cache() has the rest. */
static void set_cache(JsonObject *node, const HvrProfileDisk *disk)
{
	gboolean direct = disk && hvr_profile_disk_is_direct(disk);
	gboolean unsafe = disk && disk->cache == HVR_CACHE_UNSAFE;
	JsonObject *cache;

	if (!direct && !unsafe)
		return;
	cache = json_object_new();
	json_object_set_boolean_member(cache, "direct", direct);
	json_object_set_boolean_member(cache, "no-flush", unsafe);
	json_object_set_object_member(node, "cache", cache);
}

static void set_aio(JsonObject *storage, const HvrProfileDisk *disk)
{
	if (disk && disk->aio != HVR_AIO_THREADS)
		json_object_set_string_member(storage, "aio", hvr_profile_aio_word(disk->aio));
}

static void set_zeroes(JsonObject *format, const HvrProfileDisk *disk)
{
	if (disk && disk->zeroes != HVR_ZEROES_OFF)
		json_object_set_string_member(format, "detect-zeroes", zeroes_words[disk->zeroes]);
}

/* An image, and its file, each under a node name of its own. QEMU probes nothing. */
static void add_image(GPtrArray *argv, const Image *image)
{
	JsonObject *storage = json_object_new();
	JsonObject *format = json_object_new();

	json_object_set_string_member(storage, "driver", protocol_of(image));
	json_object_set_string_member(storage, "node-name", image->file_node);
	json_object_set_string_member(storage, "filename", image->path);
	json_object_set_boolean_member(storage, "read-only", image->readonly);
	json_object_set_string_member(storage, "discard", discard_of(image));
	set_cache(storage, image->disk);
	set_aio(storage, image->disk);
	hvr_cmdline_add_json(argv, "-blockdev", storage);

	json_object_set_string_member(format, "driver", image->format);
	json_object_set_string_member(format, "node-name", image->node);
	json_object_set_string_member(format, "file", image->file_node);
	json_object_set_boolean_member(format, "read-only", image->readonly);
	json_object_set_string_member(format, "discard", discard_of(image));
	set_cache(format, image->disk);
	set_zeroes(format, image->disk);
	hvr_cmdline_add_json(argv, "-blockdev", format);
}

/* The same for what is not JSON. The cache is that of the image, which is only read: of the
 * throw-away file's own nothing is ever flushed (bdrv_temp_snapshot_options() in QEMU's block.c).
 */
static void add_how(GString *how, const HvrProfileDisk *disk)
{
	if (disk && hvr_profile_disk_is_direct(disk))
		g_string_append(how, ",cache.direct=on");
	if (disk && disk->zeroes != HVR_ZEROES_OFF)
		g_string_append_printf(how, ",detect-zeroes=%s", zeroes_words[disk->zeroes]);
	if (disk && disk->aio != HVR_AIO_THREADS)
		g_string_append_printf(how, ",file.aio=%s", hvr_profile_aio_word(disk->aio));
}

/*
 * -blockdev cannot make an overlay, and one made beforehand would have to be cleaned up after a
 * crash. -drive's snapshot=on creates it, opens the image read-only behind it, and unlinks it at
 * once; the sandbox and an unprivileged user are no obstacle.
 */
static void add_throw_away(GPtrArray *argv, const Image *image)
{
	g_autofree char *path = hvr_cmdline_escape(image->path);
	g_autoptr(GString) how = g_string_new(NULL);

	add_how(how, image->disk);
	hvr_cmdline_add(argv, "-drive",
			"if=none,id=%s,driver=%s,snapshot=on,discard=%s%s,"
			"file.driver=%s,file.filename=%s",
			image->node, image->format, discard_of(image), how->str, protocol_of(image),
			path);
}

/*
 * With SMM, only the firmware may write the variables, from System Management Mode; a guest that
 * goes to sleep (S3) would come back with that open.
 */
void hvr_cmdline_add_firmware(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels)
{
	const HvrFirmware *firmware = channels->firmware;
	const char *path = channels->vars_path;

	if (!firmware)
		return;
	if (!path)
		path = profile->firmware.vars;
	const Image code = { .node = "hvr-code",
			     .file_node = "hvr-code-file",
			     .path = firmware->code,
			     .format = firmware->code_format,
			     .readonly = TRUE };
	const Image vars = { .node = "hvr-vars",
			     .file_node = "hvr-vars-file",
			     .path = path,
			     .format = firmware->vars_format };
	add_image(argv, &code);
	if (profile->firmware.throw_away)
		add_throw_away(argv, &vars);
	else
		add_image(argv, &vars);
	if (!firmware->needs_smm)
		return;
	hvr_cmdline_add(argv, "-global", "driver=cfi.pflash01,property=secure,value=on");
	hvr_cmdline_add(argv, "-global", "%s", hvr_machine_find(profile->machine)->no_s3);
}

/* A controller's thread is all its disks': one that wants its own has a controller of its own. */
static gboolean is_alone(const HvrProfileDisk *disk)
{
	return disk->bus == HVR_DISK_SCSI && disk->iothread;
}

/* How a guest finds the disk at @index in the profile: what of its bus comes before it. */
static guint count_before(const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *this = profile->disks->pdata[index];
	guint n = 0;

	for (guint i = 0; i < index; i++) {
		const HvrProfileDisk *disk = profile->disks->pdata[i];
		n += disk->bus == this->bus && !is_alone(disk);
	}
	return n;
}

static char *iothread_id(guint index)
{
	return g_strdup_printf("hvr-iothread%u", index);
}

/* The controller of the @n-th SATA disk; NULL: the machine's own. [transfer full] */
static char *sata_controller(const HvrMachine *machine, guint n)
{
	if (n < machine->sata_ports)
		return NULL;
	return g_strdup_printf("hvr-sata%u", n / HVR_AHCI_PORTS);
}

static void set_sata(JsonObject *device, const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	guint n = count_before(profile, index);
	g_autofree char *controller = sata_controller(machine, n);
	g_autofree char *more = g_strconcat(controller ? controller : "", ".", NULL);
	g_autofree char *bus = g_strdup_printf("%s%u", controller ? more : machine->sata_bus,
					       n % machine->sata_ports);

	json_object_set_string_member(device, "driver", disk->cdrom ? "ide-cd" : "ide-hd");
	json_object_set_string_member(device, "id", disk->id);
	json_object_set_string_member(device, "bus", bus);
}

static void set_scsi(JsonObject *device, const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	g_autofree char *own = g_strdup_printf(SCSI "%u.0", index);
	const char *bus = SCSI ".0";
	guint id = count_before(profile, index);

	if (is_alone(disk)) {
		bus = own;
		id = 0;
	}
	json_object_set_string_member(device, "driver", disk->cdrom ? "scsi-cd" : "scsi-hd");
	json_object_set_string_member(device, "id", disk->id);
	json_object_set_string_member(device, "bus", bus);
	json_object_set_int_member(device, "scsi-id", id);
}

/* Where it is, and as what. */
static void set_bus(JsonObject *device, const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	g_autofree char *nvme_id = g_strconcat("hvr-nvme-", disk->id, NULL);

	switch (disk->bus) {
	case HVR_DISK_VIRTIO:
		json_object_set_string_member(device, "driver", "virtio-blk-pci");
		json_object_set_string_member(device, "id", disk->id);
		break;
	case HVR_DISK_NVME:
		json_object_set_string_member(device, "driver", "nvme");
		/* its bus has the same name and is a property next to "serial", "addr" and such */
		json_object_set_string_member(device, "id", nvme_id);
		break;
	case HVR_DISK_SATA:
		set_sata(device, profile, index);
		break;
	case HVR_DISK_SCSI:
		set_scsi(device, profile, index);
		break;
	}
}

/* Whether the guest has to flush what it writes. Where nothing is said it is so. */
static void set_write_cache(JsonObject *device, const HvrProfileDisk *disk)
{
	if (disk->cache == HVR_CACHE_WRITETHROUGH || disk->cache == HVR_CACHE_DIRECTSYNC)
		json_object_set_string_member(device, "write-cache", "off");
	else if (disk->cache != HVR_CACHE_WRITEBACK)
		json_object_set_string_member(device, "write-cache", "on");
}

/* One for all disks on SCSI, and one for each six of SATA's beyond the machine's own. */
static void add_shared(GPtrArray *argv, const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	guint n = count_before(profile, index);
	g_autofree char *sata = sata_controller(machine, n);

	if (disk->bus == HVR_DISK_SCSI && n == 0)
		hvr_cmdline_add_plain(argv, "virtio-scsi-pci", SCSI, NULL);
	else if (disk->bus == HVR_DISK_SATA && sata && n % machine->sata_ports == 0)
		hvr_cmdline_add_plain(argv, machine->sata_device, sata, NULL);
}

/* What is there before the disk: its thread, and its controller. */
static void add_before(GPtrArray *argv, const HvrProfile *profile, guint index)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	g_autofree char *thread = iothread_id(index);
	g_autofree char *controller = g_strdup_printf(SCSI "%u", index);
	JsonObject *properties;

	if (disk->iothread) {
		properties = json_object_new();
		json_object_set_string_member(properties, "qom-type", "iothread");
		json_object_set_string_member(properties, "id", thread);
		hvr_cmdline_add_json(argv, "-object", properties);
	}
	if (is_alone(disk)) {
		properties = json_object_new();
		json_object_set_string_member(properties, "driver", "virtio-scsi-pci");
		json_object_set_string_member(properties, "id", controller);
		json_object_set_string_member(properties, "iothread", thread);
		hvr_cmdline_add_json(argv, "-device", properties);
	} else {
		add_shared(argv, profile, index);
	}
}

static void add_disk(GPtrArray *argv, const HvrProfile *profile, guint index, gboolean block_device)
{
	const HvrProfileDisk *disk = profile->disks->pdata[index];
	g_autofree char *node = g_strdup_printf("hvr-disk%u", index);
	g_autofree char *file_node = g_strdup_printf("hvr-file%u", index);
	Image image = { .node = node,
			.file_node = file_node,
			.path = disk->file,
			.format = "qcow2",
			.readonly = disk->readonly,
			.block_device = block_device,
			.disk = disk };
	g_autofree char *thread = iothread_id(index);
	JsonObject *device = json_object_new();

	if (disk->format == HVR_DISK_RAW)
		image.format = "raw";
	if (disk->snapshot)
		add_throw_away(argv, &image);
	else
		add_image(argv, &image);
	set_bus(device, profile, index);
	json_object_set_string_member(device, "drive", node);
	json_object_set_string_member(device, "serial", disk->id);
	/* 0 is taken by the option ROM that QEMU makes of [boot] kernel. */
	json_object_set_int_member(device, "bootindex", index + 1);
	set_write_cache(device, disk);
	if (disk->iothread && disk->bus == HVR_DISK_VIRTIO)
		json_object_set_string_member(device, "iothread", thread);
	hvr_cmdline_add_json(argv, "-device", device);
}

void hvr_cmdline_add_disks(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		add_before(argv, profile, i);
		add_disk(argv, profile, i, (channels->block_devices >> i & 1) != 0);
	}
}

/* cloud-init finds it by its label, among all disks. */
void hvr_cmdline_add_seed(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels)
{
	Image image = { .node = "hvr-seed-disk",
			.file_node = "hvr-seed-file",
			.path = channels->seed_path,
			.format = "raw",
			.readonly = TRUE };
	JsonObject *device;

	if (!hvr_seed_is_wanted(profile) || (channels->seed < 0 && !channels->seed_path))
		return;
	if (channels->seed >= 0) {
		hvr_cmdline_add(argv, "-add-fd", "fd=%d,set=%d", channels->seed, HVR_FDSET_SEED);
		image.path = HVR_FDSET G_STRINGIFY(HVR_FDSET_SEED);
	}
	add_image(argv, &image);
	device = json_object_new();
	json_object_set_string_member(device, "driver", "virtio-blk-pci");
	json_object_set_string_member(device, "id", "hvr-seed");
	json_object_set_string_member(device, "drive", "hvr-seed-disk");
	json_object_set_string_member(device, "serial", "cloud-init");
	hvr_cmdline_add_json(argv, "-device", device);
}
