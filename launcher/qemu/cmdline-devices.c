/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of a VM on QEMU's command line.
 *
 * QEMU deals the slots of the machine's root bus out from slot 1 in the order of the command line,
 * so nets come first: a guest names its interfaces after their slots, and a disk more must not
 * rename them. Root ports are packed eight to a slot from the machine's slot for them on, so one
 * more card moves nothing else, until a VM has so many devices that they go on behind the ports.
 *
 * The node names are the program's own: QEMU limits them to 31 characters, and no profile name
 * can begin like them.
 */
#include "launcher/qemu/cmdline-devices.h"

#include <json-glib/json-glib.h>

#include "launcher/parts/ports.h"
#include "launcher/parts/seed.h"
#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline-json.h"

/* The id of the character device behind the serial port. */
#define CONSOLE "hvr-console"

typedef struct {
	const char *node; /* name of the node of what is in it */
	const char *file_node;
	const char *path;
	const char *format;
	gboolean readonly;
	gboolean block_device;
} Image;

/* QEMU opens files and block devices by different drivers (block/file-posix.c), and neither takes
 * the other's. */
static const char *protocol_of(const Image *image)
{
	return image->block_device ? "host_device" : "file";
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
	json_object_set_string_member(storage, "discard", "unmap");
	hvr_cmdline_add_json(argv, "-blockdev", storage);

	json_object_set_string_member(format, "driver", image->format);
	json_object_set_string_member(format, "node-name", image->node);
	json_object_set_string_member(format, "file", image->file_node);
	json_object_set_boolean_member(format, "read-only", image->readonly);
	json_object_set_string_member(format, "discard", "unmap");
	hvr_cmdline_add_json(argv, "-blockdev", format);
}

/*
 * -blockdev cannot make an overlay, and one made beforehand would have to be cleaned up after a
 * crash. -drive's snapshot=on creates it, opens the image read-only behind it, and unlinks it at
 * once; the sandbox and an unprivileged user are no obstacle.
 */
static void add_throw_away(GPtrArray *argv, const Image *image)
{
	g_autofree char *path = hvr_cmdline_escape(image->path);

	hvr_cmdline_add(argv, "-drive",
			"if=none,id=%s,driver=%s,snapshot=on,discard=unmap,"
			"file.driver=%s,file.filename=%s",
			image->node, image->format, protocol_of(image), path);
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

static void add_disk(GPtrArray *argv, const HvrProfileDisk *disk, guint index,
		     gboolean block_device)
{
	g_autofree char *node = g_strdup_printf("hvr-disk%u", index);
	g_autofree char *file_node = g_strdup_printf("hvr-file%u", index);
	g_autofree char *nvme_id = g_strconcat("hvr-nvme-", disk->id, NULL);
	Image image = { .node = node,
			.file_node = file_node,
			.path = disk->file,
			.format = "qcow2",
			.readonly = disk->readonly,
			.block_device = block_device };
	JsonObject *device = json_object_new();

	if (disk->format == HVR_DISK_RAW)
		image.format = "raw";
	if (disk->snapshot)
		add_throw_away(argv, &image);
	else
		add_image(argv, &image);
	if (disk->bus == HVR_DISK_NVME) {
		json_object_set_string_member(device, "driver", "nvme");
		/* its bus has the same name and is a property next to "serial", "addr" and such */
		json_object_set_string_member(device, "id", nvme_id);
	} else {
		json_object_set_string_member(device, "driver", "virtio-blk-pci");
		json_object_set_string_member(device, "id", disk->id);
	}
	json_object_set_string_member(device, "drive", node);
	json_object_set_string_member(device, "serial", disk->id);
	/* 0 is taken by the option ROM that QEMU makes of [boot] kernel. */
	json_object_set_int_member(device, "bootindex", index + 1);
	hvr_cmdline_add_json(argv, "-device", device);
}

void hvr_cmdline_add_disks(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->disks->len; i++)
		add_disk(argv, profile->disks->pdata[i], i,
			 (channels->block_devices >> i & 1) != 0);
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
		hvr_cmdline_add(argv, "-add-fd", "fd=%d,set=2", channels->seed);
		image.path = "/dev/fdset/2";
	}
	add_image(argv, &image);
	device = json_object_new();
	json_object_set_string_member(device, "driver", "virtio-blk-pci");
	json_object_set_string_member(device, "id", "hvr-seed");
	json_object_set_string_member(device, "drive", "hvr-seed-disk");
	json_object_set_string_member(device, "serial", "cloud-init");
	hvr_cmdline_add_json(argv, "-device", device);
}

static const char *share_tag(const HvrProfileShare *share)
{
	if (share->tag)
		return share->tag;
	return share->id;
}

static gboolean has_server(const HvrCmdlineChannels *channels, guint index)
{
	if (!channels->shares)
		return FALSE;
	return channels->shares[index].fd >= 0 || channels->shares[index].path;
}

gboolean hvr_cmdline_shares_memory(const HvrProfile *profile, const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->shares->len; i++)
		if (has_server(channels, i))
			return TRUE;
	return FALSE;
}

/* By virtiofs: QEMU only introduces the guest to a virtiofsd, which does the rest. */
static void add_served_share(GPtrArray *argv, const HvrProfileShare *share,
			     const HvrCmdlineShare *server, const char *id)
{
	JsonObject *device = json_object_new();

	if (server->fd >= 0) {
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,fd=%d", id, server->fd);
	} else {
		g_autofree char *path = hvr_cmdline_escape(server->path);
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,path=%s", id, path);
	}
	json_object_set_string_member(device, "driver", "vhost-user-fs-pci");
	json_object_set_string_member(device, "id", share->id);
	json_object_set_string_member(device, "chardev", id);
	json_object_set_string_member(device, "tag", share_tag(share));
	hvr_cmdline_add_json(argv, "-device", device);
}

/*
 * By 9p. QEMU's user owns what the guest makes, whoever it is there: security_model=none
 * ignores that it cannot give files away. multidevs=remap: mounts below the folder keep apart.
 */
static void add_own_share(GPtrArray *argv, const HvrProfileShare *share, const char *id)
{
	g_autofree char *path = hvr_cmdline_escape(share->path);
	JsonObject *device = json_object_new();
	const char *readonly = "off";

	if (share->readonly)
		readonly = "on";
	hvr_cmdline_add(argv, "-fsdev",
			"local,id=%s,path=%s,security_model=none,multidevs=remap,readonly=%s", id,
			path, readonly);
	json_object_set_string_member(device, "driver", "virtio-9p-pci");
	json_object_set_string_member(device, "id", share->id);
	json_object_set_string_member(device, "fsdev", id);
	json_object_set_string_member(device, "mount_tag", share_tag(share));
	hvr_cmdline_add_json(argv, "-device", device);
}

void hvr_cmdline_add_shares(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->shares->len; i++) {
		g_autofree char *id = g_strdup_printf("hvr-share%u", i);

		if (has_server(channels, i))
			add_served_share(argv, profile->shares->pdata[i], &channels->shares[i], id);
		else
			add_own_share(argv, profile->shares->pdata[i], id);
	}
}

static void add_plain(GPtrArray *argv, const char *driver, const char *id, const char *bus)
{
	JsonObject *device = json_object_new();

	json_object_set_string_member(device, "driver", driver);
	json_object_set_string_member(device, "id", id);
	if (bus)
		json_object_set_string_member(device, "bus", bus);
	hvr_cmdline_add_json(argv, "-device", device);
}

/* Without a port and a path QEMU listens nowhere, but has a screen that viewers can be added to. */
static void add_vnc(GPtrArray *argv, guint port, const char *path)
{
	g_autofree char *escaped = hvr_cmdline_escape(path ? path : "");

	if (port == HVR_GRAPHICS_PORT_AUTO)
		hvr_cmdline_add(argv, "-vnc", "127.0.0.1:0,to=999");
	else if (port)
		hvr_cmdline_add(argv, "-vnc", "127.0.0.1:%u", port - 5900);
	else if (path)
		hvr_cmdline_add(argv, "-vnc", "unix:%s", escaped);
	else
		hvr_cmdline_add(argv, "-vnc", "none");
}

static void add_spice(GPtrArray *argv, guint port, const char *path)
{
	g_autofree char *escaped = hvr_cmdline_escape(path ? path : "");

	/* it takes no range, as -vnc does */
	if (port == HVR_GRAPHICS_PORT_AUTO)
		port = 5900;
	if (port)
		hvr_cmdline_add(argv, "-spice", "addr=127.0.0.1,port=%u,disable-ticketing=on",
				port);
	else if (path)
		hvr_cmdline_add(argv, "-spice", "unix=on,addr=%s,disable-ticketing=on", escaped);
	else
		hvr_cmdline_add(argv, "-spice", "port=0,disable-ticketing=on");
}

/* On the host's loopback at most. A tablet, so that the pointer is where the viewer shows it. */
void hvr_cmdline_add_graphics(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels)
{
	guint taken = hvr_ports_number(channels->ports, HVR_PORTS_SCREEN);
	guint port = channels->viewers_given ? 0 : profile->graphics_port;
	const char *path = channels->viewers_given ? NULL : channels->graphics_path;

	if (profile->graphics == HVR_GRAPHICS_NONE)
		return;
	if (port && taken)
		port = taken;
	if (profile->graphics == HVR_GRAPHICS_VNC)
		add_vnc(argv, port, path);
	else
		add_spice(argv, port, path);
	add_plain(argv, hvr_machine_find(profile->machine)->screen, "hvr-screen", NULL);
	add_plain(argv, "qemu-xhci", "hvr-usb", NULL);
	add_plain(argv, "usb-tablet", "hvr-pointer", "hvr-usb.0");
}

int hvr_cmdline_tap(const HvrCmdlineChannels *channels, guint index)
{
	if (!channels->taps)
		return -1;
	return channels->taps[index];
}

/* Every value here was read by launcher/profile/values-net.c and holds no comma.
 * @place: of its first forward, in HvrPorts.numbers */
static char *user_options(const HvrProfileNet *net, const GArray *ports, guint place)
{
	g_autoptr(GString) options = g_string_new(NULL);

	for (guint i = 0; i < net->forwards->len; i++) {
		const HvrForward *forward = net->forwards->pdata[i];
		guint16 port = hvr_ports_number(ports, place + i);
		const char *protocol = "tcp";

		if (forward->udp)
			protocol = "udp";
		if (!port)
			port = forward->host_port;
		g_string_append_printf(options, ",hostfwd=%s:%s:%u-:%u", protocol,
				       forward->host_address, port, forward->guest_port);
	}
	return g_string_free(g_steal_pointer(&options), FALSE);
}

static guint find_place(const HvrProfile *profile, guint index)
{
	guint place = HVR_PORTS_SCREEN + 1;

	for (guint i = 0; i < index; i++)
		place += ((const HvrProfileNet *)profile->nets->pdata[i])->forwards->len;
	return place;
}

static void add_net(GPtrArray *argv, const HvrProfile *profile, guint index,
		    const HvrCmdlineChannels *channels)
{
	const HvrProfileNet *net = profile->nets->pdata[index];
	int tap = hvr_cmdline_tap(channels, index);
	g_autofree char *id = g_strdup_printf("hvr-net%u", index);
	g_autofree char *forwards = NULL;
	JsonObject *device;

	if (net->mode == HVR_NET_NONE)
		return;
	if (net->mode == HVR_NET_USER) {
		forwards = user_options(net, channels->ports, find_place(profile, index));
		hvr_cmdline_add(argv, "-netdev", "user,id=%s%s", id, forwards);
	} else if (tap >= 0) {
		hvr_cmdline_add(argv, "-netdev", "tap,id=%s,fd=%d", id, tap);
	} else if (net->mode == HVR_NET_BRIDGE) {
		hvr_cmdline_add(argv, "-netdev", "bridge,id=%s,br=%s", id, net->bridge);
	} else {
		hvr_cmdline_add(argv, "-netdev", "tap,id=%s,ifname=%s,script=no,downscript=no", id,
				net->tap);
	}
	device = json_object_new();
	json_object_set_string_member(device, "driver", "virtio-net-pci");
	json_object_set_string_member(device, "id", net->id);
	json_object_set_string_member(device, "netdev", id);
	json_object_set_string_member(device, "mac", net->mac);
	/* no network boot: its ROM is a file that a minimal QEMU does not have */
	json_object_set_string_member(device, "romfile", "");
	hvr_cmdline_add_json(argv, "-device", device);
}

void hvr_cmdline_add_nets(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->nets->len; i++)
		add_net(argv, profile, i, channels);
}

/*
 * QEMU takes an open file as a path in a name space of its own, fdset: nothing in the file system
 * has that name. [transfer full]
 */
static char *add_open_file(GPtrArray *argv, int fd)
{
	hvr_cmdline_add(argv, "-add-fd", "fd=%d,set=1", fd);
	return g_strdup("/dev/fdset/1");
}

/* append=on keeps it from truncating the file. */
static void add_console_file(GPtrArray *argv, const HvrProfile *profile, int fd)
{
	g_autofree char *path = NULL;

	if (fd >= 0)
		path = add_open_file(argv, fd);
	else
		path = hvr_cmdline_escape(profile->serial_file);
	hvr_cmdline_add(argv, "-chardev", "file,id=" CONSOLE ",path=%s,append=on", path);
}

/*
 * wait=on: the supervisor is connected already, and is let in before the guest says a word.
 * A file that the user wants is QEMU's to write: it is on a file system of theirs, which may never
 * answer, and it goes on without a supervisor.
 */
static void add_console_port(GPtrArray *argv, const HvrCmdlineChannels *channels)
{
	g_autofree char *path = NULL;

	if (channels->serial >= 0)
		path = add_open_file(argv, channels->serial);
	if (path)
		hvr_cmdline_add(argv, "-chardev",
				"socket,id=" CONSOLE ",fd=%d,server=on,wait=on,logfile=%s,"
				"logappend=on",
				channels->serial_port, path);
	else
		hvr_cmdline_add(argv, "-chardev", "socket,id=" CONSOLE ",fd=%d,server=on,wait=on",
				channels->serial_port);
}

/* Where nobody stays, as the profile says. */
static void add_console_alone(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels)
{
	switch (profile->serial) {
	case HVR_SERIAL_NONE:
		break;
	case HVR_SERIAL_STDIO:
		/* signal=off: Ctrl-C is the guest's. */
		hvr_cmdline_add(argv, "-chardev", "stdio,id=" CONSOLE ",mux=off,signal=off");
		break;
	case HVR_SERIAL_FILE:
		add_console_file(argv, profile, channels->serial);
		break;
	case HVR_SERIAL_SOCKET:
		if (!hvr_cmdline_add_listener(argv, CONSOLE, channels->serial,
					      channels->serial_path))
			hvr_cmdline_add(argv, "-chardev", "null,id=" CONSOLE);
		break;
	}
}

void hvr_cmdline_add_serial(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels)
{
	JsonObject *device;

	if (profile->serial == HVR_SERIAL_NONE)
		return;
	if (channels->serial_port >= 0)
		add_console_port(argv, channels);
	else
		add_console_alone(argv, profile, channels);
	device = json_object_new();
	json_object_set_string_member(device, "driver", hvr_machine_find(profile->machine)->serial);
	json_object_set_string_member(device, "id", "hvr-serial");
	json_object_set_string_member(device, "chardev", CONSOLE);
	hvr_cmdline_add_json(argv, "-device", device);
}

/* So that a guest which no longer answers tells of it, if its kernel has the driver. It goes on: it
 * may have to dump its memory, or to restart itself. */
static void add_panic(GPtrArray *argv, const HvrProfile *profile)
{
	const char *driver = hvr_machine_find(profile->machine)->panic;

	/* There is one port for it: whoever has their own has it as they want it. */
	for (guint i = 0; i < profile->qemu_args->len; i++)
		if (strstr(g_ptr_array_index(profile->qemu_args, i), driver))
			return;
	JsonObject *device = json_object_new();
	json_object_set_string_member(device, "driver", driver);
	json_object_set_string_member(device, "id", "hvr-panic");
	hvr_cmdline_add_json(argv, "-device", device);
	hvr_cmdline_add(argv, "-action", "panic=none");
}

void hvr_cmdline_add_agent(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels)
{
	JsonObject *bus, *port;

	if (!profile->guest.agent ||
	    !hvr_cmdline_add_listener(argv, "hvr-agent", channels->agent, channels->agent_path))
		return;
	bus = json_object_new();
	json_object_set_string_member(bus, "driver", "virtio-serial-pci");
	json_object_set_string_member(bus, "id", "hvr-ports");
	hvr_cmdline_add_json(argv, "-device", bus);

	port = json_object_new();
	json_object_set_string_member(port, "driver", "virtserialport");
	json_object_set_string_member(port, "id", "hvr-agent-port");
	json_object_set_string_member(port, "bus", "hvr-ports.0");
	json_object_set_string_member(port, "chardev", "hvr-agent");
	/* The name is the one that qemu-guest-agent looks for in the guest. */
	json_object_set_string_member(port, "name", "org.qemu.guest_agent.0");
	hvr_cmdline_add_json(argv, "-device", port);
	add_panic(argv, profile);
}

char *hvr_cmdline_card_port(guint index)
{
	return g_strdup_printf("hvr-port%u", index);
}

char *hvr_cmdline_spare_port(guint index)
{
	return g_strdup_printf("hvr-spare%u", index);
}

/* @properties: (transfer full): of a card or a port */
static void add_hotplug(GPtrArray *argv, JsonObject *properties, const HvrDialect *dialect)
{
	if (dialect->plain_cards)
		hvr_cmdline_add_keys(argv, "-device", properties);
	else
		hvr_cmdline_add_json(argv, "-device", properties);
}

/* @place counts all ports: it is the port's place on the root bus and its chassis. */
static JsonObject *port_properties(const HvrMachine *machine, const char *id, guint place)
{
	g_autofree char *address =
		g_strdup_printf("0x%x.%u", machine->ports_slot + place / 8, place % 8);
	JsonObject *port = json_object_new();

	json_object_set_string_member(port, "driver", "pcie-root-port");
	json_object_set_string_member(port, "id", id);
	json_object_set_string_member(port, "bus", machine->root_bus);
	json_object_set_string_member(port, "addr", address);
	/* a guest looks for functions 1 to 7 only where function 0 says so */
	if (place % 8 == 0)
		json_object_set_boolean_member(port, "multifunction", TRUE);
	json_object_set_int_member(port, "chassis", place + 1);
	json_object_set_int_member(port, "slot", place + 1);
	return port;
}

JsonObject *hvr_cmdline_card_properties(const HvrPlanCard *card, const char *port)
{
	char address[HVR_PCI_ADDRESS_SIZE];
	JsonObject *device;

	g_return_val_if_fail(card->access.kind == HVR_ACCESS_GROUP, NULL);
	device = json_object_new();
	json_object_set_string_member(device, "driver", "vfio-pci");
	json_object_set_string_member(device, "id", card->id);
	json_object_set_string_member(device, "host",
				      hvr_pci_address_format(&card->address, address));
	json_object_set_string_member(device, "bus", port);
	return device;
}

static guint count(const GPtrArray *cards)
{
	if (!cards)
		return 0;
	return cards->len;
}

void hvr_cmdline_add_ports(GPtrArray *argv, const HvrProfile *profile, const GPtrArray *cards,
			   const HvrDialect *dialect)
{
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	guint n_cards = profile->cards_later ? profile->devices->len : count(cards);

	for (guint i = 0; i < n_cards; i++) {
		g_autofree char *port = hvr_cmdline_card_port(i);

		add_hotplug(argv, port_properties(machine, port, i), dialect);
	}
	for (guint i = 0; i < HVR_MACHINE_SPARE_PORTS; i++) {
		g_autofree char *port = hvr_cmdline_spare_port(i);

		add_hotplug(argv, port_properties(machine, port, n_cards + i), dialect);
	}
}

void hvr_cmdline_add_cards(GPtrArray *argv, const GPtrArray *cards, const HvrDialect *dialect)
{
	for (guint i = 0; i < count(cards); i++) {
		g_autofree char *port = hvr_cmdline_card_port(i);

		add_hotplug(argv, hvr_cmdline_card_properties(cards->pdata[i], port), dialect);
	}
}
