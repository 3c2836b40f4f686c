/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules between values: a key that means nothing without another one, two things that want the
 * same name, port or image. Each rule knows the line to blame: the later one of the two.
 *
 * All rules are about the profile alone. Whether a file or a bridge exists is asked later.
 */
#include "launcher/profile/check.h"

#include <string.h>

#include "launcher/profile/check-device.h"
#include "launcher/profile/check-disk.h"
#include "launcher/profile/check-written.h"
#include "launcher/report/error.h"
#include "vfio/reset.h"

static gboolean fail(GError **error, const char *file, const HvrProfilePart *part, const char *key,
		     const char *what)
{
	HvrProfileLine place = hvr_profile_part_place(part, key);

	return hvr_profile_fail(error, file, &place, "%s", what);
}

/* A key that depends on another one. */
typedef struct {
	const char *section, *key;
	gboolean wanted;	    /* the other one is so that this one means something */
	const char *only, *missing; /* what is wrong when it is given all the same, or is not */
} KeyRule;

static gboolean check_rule(const char *file, const HvrProfilePart *part, const KeyRule *rule,
			   GError **error)
{
	gboolean given = hvr_profile_part_line(part, rule->key) != NULL;

	if (rule->only && given && !rule->wanted)
		return fail(error, file, part, rule->key, rule->only);
	if (!rule->missing || given || !rule->wanted)
		return TRUE;
	fail(error, file, part, rule->key, rule->missing);
	int index = hvr_profile_key_index(part->kind, rule->key);
	hvr_error_hint(error, "write for example %s = %s", rule->key,
		       part->kind->keys[index].sample);
	return FALSE;
}

static gboolean check_keys(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			   GError **error)
{
	static const HvrProfileNet no_net = { .mode = HVR_NET_NONE };
	static const HvrProfileDisk no_disk = { 0 };
	static const HvrProfileDevice no_device = { 0 };
	const HvrProfileNet *net = &no_net;
	const HvrProfileDevice *device = &no_device;
	const HvrProfileDisk *disk = &no_disk;

	if (strcmp(part->kind->name, "net") == 0)
		net = part->base;
	if (strcmp(part->kind->name, "disk") == 0)
		disk = part->base;
	if (strcmp(part->kind->name, "device") == 0)
		device = part->base;
	gboolean kept_away =
		device->reset_guard == HVR_RESET_GUARD_REQUIRE && hvr_reset_by_bus(device->reset);
	gboolean kernel = profile->kernel != NULL;
	gboolean made_meta = profile->seed.meta_data == NULL;
	gboolean to_file = profile->serial == HVR_SERIAL_FILE;
	gboolean bridge = net->mode == HVR_NET_BRIDGE;
	gboolean tap = net->mode == HVR_NET_TAP;
	/* clang-format off */
	const KeyRule rules[] = {
		{ "device", "romfile", device->rombar, .only = "is seen by nobody with rombar = no" },
		{ "device", "reset-guard", !kept_away,
		  .only = "keeps away the bus resets that reset asks for" },
		{ "boot", "initrd", kernel, .only = "means nothing without a kernel" },
		{ "boot", "cmdline", kernel, .only = "means nothing without a kernel" },
		{ "firmware", "code", profile->firmware.uefi, .only = "is for mode = uefi only" },
		{ "firmware", "vars", profile->firmware.uefi, .only = "is for mode = uefi only" },
		{ "tpm", "state", profile->tpm.model != HVR_TPM_NONE,
		  .only = "is for model = crb or tis only" },
		{ "audio", "backend", profile->sound != HVR_SOUND_NONE,
		  .only = "is for model = hda or virtio only" },
		{ "usb", "match", strcmp(part->kind->name, "usb") == 0 &&
				  !hvr_profile_part_line(part, "port"),
		  .missing = "is missing, and so is port" },
		{ "cloud-init", "ssh-key", made_meta, .only = "goes into meta-data, which is given" },
		{ "cloud-init", "hostname", made_meta, .only = "goes into meta-data, which is given" },
		{ "cloud-init", "autologin", profile->seed.user || !profile->seed.autologin,
		  .only = "logs in user, who is not given" },
		{ "cloud-init", "agent", profile->guest.agent || !profile->seed.agent,
		  .only = "needs its port: [guest] agent = yes" },
		{ "graphics", "port", profile->graphics != HVR_GRAPHICS_NONE,
		  .only = "is for mode = vnc or spice only" },
		{ "serial", "file", to_file, .only = "is for mode = file only",
		  .missing = "is missing for mode = file" },
		{ "net", "forward", net->mode == HVR_NET_USER, .only = "is for mode = user only" },
		{ "net", "bridge", bridge, .only = "is for mode = bridge only" },
		{ "net", "tap", tap, .only = "is for mode = tap only" },
		{ "net", "bridge", bridge, .missing = "is missing for mode = bridge" },
		{ "net", "tap", tap, .missing = "is missing for mode = tap" },
		{ "disk", "base", disk->size_bytes > 0,
		  .only = "is for an image that is made: it needs a size" },
		{ "disk", "base", disk->format == HVR_DISK_QCOW2,
		  .only = "is for format = qcow2 only" },
		{ "disk", "size", !disk->readonly,
		  .only = "makes a disk that nobody can write, with readonly = yes" },
	};
	/* clang-format on */

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		if (strcmp(rules[i].section, part->kind->name) == 0 &&
		    !check_rule(file, part, &rules[i], error))
			return FALSE;
	return TRUE;
}

static gboolean check_pins(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			   GError **error)
{
	const HvrProfileProcessor *cpu = &profile->processor;
	HvrProfileLine place = hvr_profile_part_place(part, "pin");

	for (guint i = 0; cpu->pins && i < cpu->pins->len; i++) {
		const HvrVcpuPin *pin = cpu->pins->pdata[i];

		if (pin->vcpu < profile->cpus)
			continue;
		hvr_profile_fail(error, file, &place, "there is no virtual CPU %u", pin->vcpu);
		hvr_error_hint(error, "[vm] cpus is %u, and they count from 0", profile->cpus);
		return FALSE;
	}
	if (cpu->emulator && !cpu->pin && !cpu->pins)
		return fail(error, file, part, "emulator-pin",
			    "is for what is left beside pin: give that, too");
	return TRUE;
}

static gboolean check_cpu(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			  GError **error)
{
	static const char *const keys[] = { "sockets", "cores", "threads", NULL };
	const HvrProfileProcessor *cpu = &profile->processor;
	guint64 product = (guint64)MAX(cpu->sockets, 1) * MAX(cpu->cores, 1) * MAX(cpu->threads, 1);
	gsize i = 0;

	if (!check_pins(file, profile, part, error))
		return FALSE;
	while (keys[i] && !hvr_profile_part_line(part, keys[i]))
		i++;
	if (!keys[i] || product == profile->cpus)
		return TRUE;
	HvrProfileLine place = hvr_profile_part_place(part, keys[i]);
	hvr_profile_fail(error, file, &place,
			 "sockets, cores and threads make %" G_GUINT64_FORMAT
			 " CPUs, and [vm] cpus is %u",
			 product, profile->cpus);
	hvr_error_hint(error, "what is not given counts as 1");
	return FALSE;
}

/* How many forwards does [guest] ready mean? */
static guint count_ready_forwards(const HvrProfile *profile)
{
	const HvrForward *forward;
	guint n = 0;

	for (guint i = 0; (forward = hvr_profile_forward(profile, i)); i++)
		n += hvr_profile_is_ready_forward(&profile->guest, forward) ? 1 : 0;
	return n;
}

/* Of a port that the profile names, 127.0.0.1 and another address may both be forwarded. */
static gboolean check_ready_port(const char *file, const HvrProfile *profile,
				 const HvrProfileLine *place, GError **error)
{
	const HvrProfileGuest *guest = &profile->guest;
	guint n = count_ready_forwards(profile);

	if (n == 1 || (n > 1 && guest->ready_port))
		return TRUE;
	if (n > 1) {
		hvr_profile_fail(error, file, place, "%u ports are chosen: it says not which", n);
		hvr_error_hint(error, "say where it leads, such as tcp:auto-22");
		return FALSE;
	}
	if (guest->ready_port)
		hvr_profile_fail(error, file, place, "no [net] forwards tcp port %u",
				 guest->ready_port);
	else
		hvr_profile_fail(error, file, place, "no [net] forwards such a tcp port");
	hvr_error_hint(error, "it is the host's port, the first one of a forward");
	return FALSE;
}

static gboolean check_guest(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			    GError **error)
{
	const HvrProfileGuest *guest = &profile->guest;
	HvrProfileLine place = hvr_profile_part_place(part, "ready");

	if (guest->ready == HVR_READY_AGENT && !guest->agent)
		return fail(error, file, part, "ready", "needs agent = yes");
	if (guest->ready == HVR_READY_SERIAL && profile->serial == HVR_SERIAL_NONE)
		return fail(error, file, part, "ready", "needs a [serial] port");
	return guest->ready != HVR_READY_TCP || check_ready_port(file, profile, &place, error);
}

/* swtpm has no way to say one (parse_options() of its options.c). */
static gboolean check_tpm(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			  GError **error)
{
	const char *state = profile->tpm.state;
	HvrProfileLine place = hvr_profile_part_place(part, "state");

	if (profile->tpm.model == HVR_TPM_NONE || !strchr(state, ','))
		return TRUE;
	hvr_profile_fail(error, file, &place, "\"%s\" holds a comma", state);
	hvr_error_hint(error, "swtpm splits its words there: name a file without one");
	return FALSE;
}

/* What values of one section, or of [vm] with it, do not go together. */
static gboolean check_values(const char *file, const HvrProfile *profile,
			     const HvrProfilePart *part, GError **error)
{
	const char *section = part->kind->name;

	if (strcmp(section, "firmware") == 0 && profile->firmware.secure && !profile->firmware.uefi)
		return fail(error, file, part, "secure", "needs mode = uefi");
	if (strcmp(section, "audio") == 0 && profile->sound_to == HVR_SOUND_TO_SPICE &&
	    profile->graphics != HVR_GRAPHICS_SPICE)
		return fail(error, file, part, "backend", "needs [graphics] mode = spice");
	if (strcmp(section, "tpm") == 0)
		return check_tpm(file, profile, part, error);
	if (strcmp(section, "memory") == 0) {
		guint64 page = hvr_profile_page_size(&profile->memory);

		if (page != 0 && profile->memory_bytes % page != 0)
			return fail(error, file, part, "hugepages",
				    "[vm] memory is not a whole number of them");
	}
	if (strcmp(section, "disk") == 0)
		return hvr_profile_check_disk(file, part, error);
	if (strcmp(section, "cpu") == 0)
		return check_cpu(file, profile, part, error);
	if (strcmp(section, "guest") == 0)
		return check_guest(file, profile, part, error);
	return TRUE;
}

/* Names of all kinds become QEMU ids, of which there is one space. */
static gboolean check_names(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			    GError **error)
{
	if (g_strcmp0(a->name, b->name) != 0)
		return TRUE;
	hvr_profile_fail(error, file, b->header, "\"%s\" is already the name of a %s", b->name,
			 a->kind->name);
	hvr_error_hint(error,
		       "device, disk, net, share, usb and input names are QEMU ids: each has to be "
		       "different");
	return FALSE;
}

/* Would QEMU be refused the second of two ports? */
static gboolean same_port(const HvrForward *a, const HvrForward *b)
{
	return a->udp == b->udp && a->host_port && a->host_port == b->host_port &&
	       (strcmp(a->host_address, b->host_address) == 0 ||
		strcmp(a->host_address, "0.0.0.0") == 0 || strcmp(b->host_address, "0.0.0.0") == 0);
}

static gboolean check_ports(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			    GError **error)
{
	const HvrProfileNet *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "forward");

	for (guint i = 0; i < first->forwards->len; i++) {
		const HvrForward *one = first->forwards->pdata[i];
		const char *protocol = "tcp";

		if (one->udp)
			protocol = "udp";
		/* of a net with itself each pair once */
		for (guint j = 0; j < second->forwards->len && !(a == b && j == i); j++)
			if (same_port(one, second->forwards->pdata[j]))
				return hvr_profile_fail(error, file, &place,
							"%s port %u is forwarded twice", protocol,
							one->host_port);
	}
	return TRUE;
}

/* Does QEMU, or who stays with it, want the same port twice? @a, @b: in this order in the file */
static gboolean check_screen(const char *file, const HvrProfile *profile, const HvrProfilePart *a,
			     const HvrProfilePart *b, GError **error)
{
	/* one that is chosen is 0 here */
	const HvrForward screen = { .host_address = (char *)"127.0.0.1",
				    .host_port = (guint16)profile->graphics_port };
	gboolean net_first = strcmp(a->kind->name, "net") == 0;
	const HvrProfilePart *part = net_first ? a : b;
	const HvrProfileNet *net = part->base;
	HvrProfileLine place = hvr_profile_part_place(b, net_first ? "port" : "forward");

	for (guint i = 0; screen.host_port && i < net->forwards->len; i++) {
		if (!same_port(net->forwards->pdata[i], &screen))
			continue;
		if (net_first)
			return hvr_profile_fail(error, file, &place,
						"tcp port %u is forwarded by [net %s]",
						screen.host_port, net->id);
		return hvr_profile_fail(error, file, &place, "tcp port %u is that of [graphics]",
					screen.host_port);
	}
	return TRUE;
}

static gboolean are(const HvrProfilePart *a, const HvrProfilePart *b, const char *one,
		    const char *other)
{
	return strcmp(a->kind->name, one) == 0 && strcmp(b->kind->name, other) == 0;
}

static gboolean check_nets(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			   GError **error)
{
	const HvrProfileNet *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "mac");

	if (!check_ports(file, a, b, error))
		return FALSE;
	if (strcmp(first->mac, second->mac) != 0)
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also the address of [net %s]", a->name);
}

static const char *share_tag(const HvrProfileShare *share)
{
	if (share->tag)
		return share->tag;
	return share->id;
}

static gboolean check_slots(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			    GError **error)
{
	const HvrProfileDevice *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "slot");

	if (!first->slot || first->slot != second->slot)
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also the slot of [device %s]", a->name);
}

/* Are these two one device? By what it is and by where it is only the host knows. */
static gboolean check_usbs(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			   GError **error)
{
	const HvrProfileUsb *first = a->base, *second = b->base;
	const char *key = second->port ? "port" : "match";
	HvrProfileLine place = hvr_profile_part_place(b, key);

	if (g_strcmp0(first->port, second->port) != 0 ||
	    (!first->port &&
	     (first->vendor != second->vendor || first->product != second->product)))
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also that of [usb %s]", a->name);
}

static gboolean check_inputs(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			     GError **error)
{
	const HvrProfileInput *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "evdev");

	if (strcmp(first->evdev, second->evdev) != 0)
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also that of [input %s]", a->name);
}

static gboolean check_pair(const char *file, const HvrProfile *profile, const HvrProfilePart *a,
			   const HvrProfilePart *b, GError **error)
{
	if (a->kind->named && b->kind->named && !check_names(file, a, b, error))
		return FALSE;
	if (are(a, b, "net", "graphics") || are(a, b, "graphics", "net"))
		return check_screen(file, profile, a, b, error);
	if (a->kind != b->kind)
		return hvr_profile_check_written(file, profile, a, b, error);
	if (strcmp(a->kind->name, "device") == 0)
		return check_slots(file, a, b, error) && hvr_profile_check_index(file, a, b, error);
	if (strcmp(a->kind->name, "net") == 0)
		return check_nets(file, a, b, error);
	if (strcmp(a->kind->name, "usb") == 0)
		return check_usbs(file, a, b, error);
	if (strcmp(a->kind->name, "input") == 0)
		return check_inputs(file, a, b, error);
	if (strcmp(a->kind->name, "disk") == 0)
		return hvr_profile_check_images(file, a, b, error);
	if (strcmp(a->kind->name, "share") == 0 &&
	    strcmp(share_tag(a->base), share_tag(b->base)) == 0) {
		HvrProfileLine place = hvr_profile_part_place(b, "tag");

		return hvr_profile_fail(error, file, &place, "is also the tag of [share %s]",
					a->name);
	}
	return TRUE;
}

gboolean hvr_profile_check(const char *file, const HvrProfile *profile, const GPtrArray *parts,
			   GError **error)
{
	for (guint i = 0; i < parts->len; i++) {
		const HvrProfilePart *part = parts->pdata[i];

		if (!check_values(file, profile, part, error) ||
		    !check_keys(file, profile, part, error))
			return FALSE;
		if (strcmp(part->kind->name, "net") == 0 && !check_ports(file, part, part, error))
			return FALSE;
		if (strcmp(part->kind->name, "device") == 0 &&
		    !hvr_profile_check_with(file, profile, part, error))
			return FALSE;
		for (guint j = 0; j < i; j++)
			if (!check_pair(file, profile, parts->pdata[j], part, error))
				return FALSE;
	}
	return TRUE;
}
