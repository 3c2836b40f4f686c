/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of a VM on QEMU's command line.
 *
 * QEMU deals the slots of the machine's root bus out from slot 1 in the order of the command line,
 * so nets come first: a guest names its interfaces after their slots, and a disk more must not
 * rename them. Root ports are packed eight to a slot from the machine's slot for them on, so one
 * more card moves nothing else, until a VM has so many devices that they go on behind the ports.
 *
 * Disks are in cmdline-disks.c, the serial port and the guest agent's in cmdline-serial.c.
 */
#include "launcher/qemu/cmdline-devices.h"

#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/host/windows.h"
#include "launcher/parts/ports.h"
#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline-json.h"

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

/* A character device @id that is connected to @server. */
static void add_connection(GPtrArray *argv, const HvrCmdlineShare *server, const char *id)
{
	if (server->fd >= 0) {
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,fd=%d", id, server->fd);
	} else {
		g_autofree char *path = hvr_cmdline_escape(server->path);
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,path=%s", id, path);
	}
}

/* By virtiofs: QEMU only introduces the guest to a virtiofsd, which does the rest. */
static void add_served_share(GPtrArray *argv, const HvrProfileShare *share,
			     const HvrCmdlineShare *server, const char *id)
{
	JsonObject *device = json_object_new();

	add_connection(argv, server, id);
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

/* No slot of a bus is taken: both are where a PC has its TPM, at 0xfed40000. */
void hvr_cmdline_add_tpm(GPtrArray *argv, const HvrProfile *profile,
			 const HvrCmdlineChannels *channels)
{
	if (!channels->tpm)
		return;
	JsonObject *device = json_object_new();
	add_connection(argv, channels->tpm, "hvr-tpm");
	hvr_cmdline_add(argv, "-tpmdev", "emulator,id=hvr-tpm0,chardev=hvr-tpm");
	json_object_set_string_member(device, "driver", hvr_profile_tpm_driver(profile->tpm.model));
	json_object_set_string_member(device, "tpmdev", "hvr-tpm0");
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

/* On the host's loopback at most. */
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
	hvr_cmdline_add_plain(argv, hvr_machine_find(profile->machine)->screen, "hvr-screen", NULL);
}

/* @fd: its open node; -1: QEMU finds the device itself */
static void add_usb(GPtrArray *argv, const HvrProfileUsb *usb, guint index, int fd)
{
	JsonObject *device = json_object_new();
	g_autofree char *path = g_strdup_printf(HVR_FDSET "%u", HVR_FDSET_USBS + index);

	json_object_set_string_member(device, "driver", "usb-host");
	json_object_set_string_member(device, "id", usb->id);
	json_object_set_string_member(device, "bus", "hvr-usb.0");
	if (fd >= 0) {
		hvr_cmdline_add(argv, "-add-fd", "fd=%d,set=%u", fd, HVR_FDSET_USBS + index);
		json_object_set_string_member(device, "hostdevice", path);
	} else if (usb->port) {
		json_object_set_int_member(device, "hostbus", (gint64)strtol(usb->port, NULL, 10));
		json_object_set_string_member(device, "hostport", strchr(usb->port, '-') + 1);
	} else {
		json_object_set_int_member(device, "vendorid", usb->vendor);
		json_object_set_int_member(device, "productid", usb->product);
	}
	hvr_cmdline_add_json(argv, "-device", device);
}

/* Both Ctrl keys at once move it between host and guest: it begins with the guest, for
 * input_linux_complete() grabs it. QEMU opens it by open(2), which knows no fdset
 * (ui/input-linux.c): so it gets its own descriptor's name, behind which is the node that was
 * looked at. */
static void add_input(GPtrArray *argv, const HvrProfileInput *input, guint index, int fd)
{
	JsonObject *object = json_object_new();
	g_autofree char *id = g_strdup_printf("hvr-input%u", index);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

	json_object_set_string_member(object, "qom-type", "input-linux");
	json_object_set_string_member(object, "id", id);
	json_object_set_string_member(object, "evdev", fd >= 0 ? path : input->evdev);
	json_object_set_boolean_member(object, "grab_all", input->leads);
	json_object_set_boolean_member(object, "repeat", input->repeat);
	hvr_cmdline_add_json(argv, "-object", object);
}

void hvr_cmdline_add_inputs(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels)
{
	for (guint i = 0; i < profile->inputs->len; i++)
		add_input(argv, profile->inputs->pdata[i], i,
			  channels->inputs ? channels->inputs[i] : -1);
}

void hvr_cmdline_add_usb(GPtrArray *argv, const HvrProfile *profile,
			 const HvrCmdlineChannels *channels)
{
	if (!hvr_profile_has_usb(profile))
		return;
	hvr_cmdline_add_plain(argv, "qemu-xhci", "hvr-usb", NULL);
	/* so that the pointer is where the viewer shows it */
	if (profile->graphics != HVR_GRAPHICS_NONE)
		hvr_cmdline_add_plain(argv, "usb-tablet", "hvr-pointer", "hvr-usb.0");
	for (guint i = 0; i < profile->usbs->len; i++)
		add_usb(argv, profile->usbs->pdata[i], i, channels->usbs ? channels->usbs[i] : -1);
}

/* SPICE takes the sound along with the screen. Whoever else plays sounds on a host is a user's own
 * session, where a VM's user is not. */
void hvr_cmdline_add_sound(GPtrArray *argv, const HvrProfile *profile)
{
	gboolean heard =
		profile->graphics == HVR_GRAPHICS_SPICE && profile->sound_to != HVR_SOUND_TO_NOBODY;
	const char *backend = "none";

	if (profile->sound == HVR_SOUND_NONE)
		return;
	if (heard)
		backend = "spice";
	JsonObject *card = json_object_new();
	hvr_cmdline_add(argv, "-audiodev", "%s,id=hvr-audio", backend);
	json_object_set_string_member(card, "driver", hvr_profile_sound_driver(profile->sound));
	json_object_set_string_member(card, "id", "hvr-sound");
	if (profile->sound == HVR_SOUND_VIRTIO) {
		json_object_set_string_member(card, "audiodev", "hvr-audio");
		hvr_cmdline_add_json(argv, "-device", card);
		return;
	}
	hvr_cmdline_add_json(argv, "-device", card);
	card = json_object_new();
	json_object_set_string_member(card, "driver", "hda-duplex");
	json_object_set_string_member(card, "bus", "hvr-sound.0");
	json_object_set_string_member(card, "audiodev", "hvr-audio");
	hvr_cmdline_add_json(argv, "-device", card);
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

/* The card on whose port it is: itself, mostly. */
static guint port_index(const GPtrArray *cards, guint index)
{
	const HvrPlanCard *card = cards->pdata[index];
	guint first = index;

	while (card->device && card->device->with && first > 0)
		if (g_str_equal(((HvrPlanCard *)cards->pdata[--first])->id, card->device->with))
			return first;
	return index;
}

char *hvr_cmdline_card_port(const GPtrArray *cards, guint index)
{
	return g_strdup_printf("hvr-port%u", port_index(cards, index));
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

/* @packed: (inout): how many ports share slots so far
 * @fixed: the slot that this one has for itself; 0: it is one of those
 * Returns: its place on the root bus. [transfer full] */
static char *place_port(const HvrMachine *machine, guint fixed, guint *packed)
{
	guint place = *packed;

	if (fixed)
		return g_strdup_printf("0x%x.0", fixed);
	(*packed)++;
	return g_strdup_printf("0x%x.%u", machine->ports_slot + place / 8, place % 8);
}

/* @number counts all ports: it is the port's chassis.
 * @windows: (nullable): what it asks the firmware for */
static JsonObject *port_properties(const HvrMachine *machine, const char *id, const char *address,
				   guint number, const HvrWindows *windows)
{
	JsonObject *port = json_object_new();

	json_object_set_string_member(port, "driver", "pcie-root-port");
	json_object_set_string_member(port, "id", id);
	json_object_set_string_member(port, "bus", machine->root_bus);
	json_object_set_string_member(port, "addr", address);
	/* a guest looks for functions 1 to 7 only where function 0 says so */
	if (g_str_has_suffix(address, ".0"))
		json_object_set_boolean_member(port, "multifunction", TRUE);
	json_object_set_int_member(port, "chassis", number);
	json_object_set_int_member(port, "slot", number);
	if (windows && windows->memory)
		json_object_set_int_member(port, "mem-reserve", (gint64)windows->memory);
	if (windows && windows->prefetchable)
		json_object_set_int_member(port, "pref64-reserve", (gint64)windows->prefetchable);
	return port;
}

static void set_property(JsonObject *card, const HvrCardProperty *property)
{
	switch (property->kind) {
	case HVR_PROPERTY_SWITCH:
		json_object_set_boolean_member(card, property->name, property->number != 0);
		break;
	case HVR_PROPERTY_NUMBER:
		json_object_set_int_member(card, property->name, property->number);
		break;
	case HVR_PROPERTY_WORD:
		json_object_set_string_member(card, property->name, property->word);
		break;
	}
}

/* Behind a port is one slot. A guest looks for more of its functions where function 0 says so. */
static void set_place(JsonObject *card, const HvrProfileDevice *device)
{
	g_autofree char *address = g_strdup_printf("0x0.%u", device->function);

	if (device->with)
		json_object_set_string_member(card, "addr", address);
	if (device->shared)
		json_object_set_boolean_member(card, "multifunction", TRUE);
}

/* What the profile says of it. */
static void set_own(JsonObject *card, const HvrProfileDevice *device)
{
	if (device->romfile)
		json_object_set_string_member(card, "romfile", device->romfile);
	if (!device->rombar)
		json_object_set_int_member(card, "rombar", 0);
	if (device->has_subs) {
		json_object_set_int_member(card, "x-pci-sub-vendor-id", device->sub_vendor);
		json_object_set_int_member(card, "x-pci-sub-device-id", device->sub_device);
	}
	for (guint i = 0; device->properties && i < device->properties->len; i++)
		set_property(card, &g_array_index(device->properties, HvrCardProperty, i));
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
	if (card->device)
		set_place(device, card->device);
	if (card->device)
		set_own(device, card->device);
	return device;
}

static guint count(const GPtrArray *cards)
{
	if (!cards)
		return 0;
	return cards->len;
}

/* As they will be, but for what they take of their ports' windows, which nobody knows yet.
 * [transfer full]: of HvrPlanCard that borrow from @profile */
static GPtrArray *cards_to_come(const HvrProfile *profile)
{
	GPtrArray *cards = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);
		HvrPlanCard *card = g_new(HvrPlanCard, 1);
		*card = (HvrPlanCard){ .id = device->id, .device = device };
		g_ptr_array_add(cards, card);
	}
	return cards;
}

void hvr_cmdline_add_ports(GPtrArray *argv, const HvrProfile *profile, const GPtrArray *cards,
			   const HvrDialect *dialect)
{
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	g_autoptr(GPtrArray) later = profile->cards_later ? cards_to_come(profile) : NULL;
	guint n_cards = count(later ? later : cards), packed = 0;

	if (later)
		cards = later;

	for (guint i = 0; i < n_cards; i++) {
		const HvrPlanCard *card = cards->pdata[i];
		if (port_index(cards, i) != i)
			continue;
		g_autofree char *port = hvr_cmdline_card_port(cards, i);
		g_autofree char *address =
			place_port(machine, card->device ? card->device->slot : 0, &packed);

		HvrWindows windows = hvr_windows_of_port(profile, cards, i);

		add_hotplug(argv, port_properties(machine, port, address, i + 1, &windows),
			    dialect);
	}
	for (guint i = 0; i < HVR_MACHINE_SPARE_PORTS; i++) {
		g_autofree char *port = hvr_cmdline_spare_port(i);
		g_autofree char *address = place_port(machine, 0, &packed);

		add_hotplug(argv, port_properties(machine, port, address, n_cards + i + 1, NULL),
			    dialect);
	}
}

void hvr_cmdline_add_cards(GPtrArray *argv, const GPtrArray *cards, const HvrDialect *dialect)
{
	for (guint i = 0; i < count(cards); i++) {
		g_autofree char *port = hvr_cmdline_card_port(cards, i);

		add_hotplug(argv, hvr_cmdline_card_properties(cards->pdata[i], port), dialect);
	}
}
