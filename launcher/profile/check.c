/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules between values: a key that means nothing without another one, two things that want the
 * same name, port or image. Each rule knows the line to blame: the later one of the two.
 *
 * All rules are about the profile alone. Whether a file or a bridge exists is asked later.
 */
#include "launcher/profile/check.h"

#include <string.h>

#include "launcher/report/error.h"

const HvrProfileLine *hvr_profile_part_line(const HvrProfilePart *part, const char *key)
{
	int index = hvr_profile_key_index(part->kind, key);

	return index < 0 ? NULL : part->given[index];
}

HvrProfileLine hvr_profile_part_place(const HvrProfilePart *part, const char *key)
{
	const HvrProfileLine *line = hvr_profile_part_line(part, key);
	HvrProfileLine place = { .section = (char *)part->kind->name, .key = (char *)key };

	if (!line)
		line = part->header;
	if (line) {
		place.from_set = line->from_set;
		place.file = line->file;
		place.line = line->line;
		place.section = line->section;
	}
	return place;
}

static gboolean fail(GError **error, const char *file, const HvrProfilePart *part, const char *key,
		     const char *what)
{
	HvrProfileLine place = hvr_profile_part_place(part, key);

	return hvr_profile_fail(error, file, &place, "%s", what);
}

/* @key was given although @wanted is not so; @rule says what it takes. */
static gboolean check_only(const char *file, const HvrProfilePart *part, const char *key,
			   gboolean wanted, const char *rule, GError **error)
{
	if (wanted || !hvr_profile_part_line(part, key))
		return TRUE;
	return fail(error, file, part, key, rule);
}

/* @key is missing although @wanted is so. */
static gboolean check_needed(const char *file, const HvrProfilePart *part, const char *key,
			     gboolean wanted, const char *rule, GError **error)
{
	int index = hvr_profile_key_index(part->kind, key);

	if (!wanted || hvr_profile_part_line(part, key))
		return TRUE;
	fail(error, file, part, key, rule);
	hvr_error_hint(error, "write for example %s = %s", key, part->kind->keys[index].sample);
	return FALSE;
}

static gboolean check_boot(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			   GError **error)
{
	gboolean kernel = profile->kernel != NULL;

	return check_only(file, part, "initrd", kernel, "means nothing without a kernel", error) &&
	       check_only(file, part, "cmdline", kernel, "means nothing without a kernel", error);
}

static gboolean check_firmware(const char *file, const HvrProfile *profile,
			       const HvrProfilePart *part, GError **error)
{
	const HvrProfileFirmware *firmware = &profile->firmware;

	if (firmware->secure && !firmware->uefi)
		return fail(error, file, part, "secure", "needs mode = uefi");
	return check_only(file, part, "vars", firmware->uefi, "is for mode = uefi only", error);
}

static gboolean check_seed(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			   GError **error)
{
	gboolean own = profile->seed.meta_data != NULL;

	return check_only(file, part, "ssh-key", !own, "goes into meta-data, which is given",
			  error) &&
	       check_only(file, part, "hostname", !own, "goes into meta-data, which is given",
			  error);
}

static gboolean check_graphics(const char *file, const HvrProfile *profile,
			       const HvrProfilePart *part, GError **error)
{
	return check_only(file, part, "port", profile->graphics != HVR_GRAPHICS_NONE,
			  "is for mode = vnc or spice only", error);
}

static gboolean check_memory(const char *file, const HvrProfile *profile,
			     const HvrProfilePart *part, GError **error)
{
	guint64 page = hvr_profile_page_size(&profile->memory);

	if (page == 0 || profile->memory_bytes % page == 0)
		return TRUE;
	return fail(error, file, part, "hugepages", "[vm] memory is not a whole number of them");
}

static gboolean check_cpu(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			  GError **error)
{
	static const char *const keys[] = { "sockets", "cores", "threads", NULL };
	const HvrProfileProcessor *cpu = &profile->processor;
	guint64 product = (guint64)MAX(cpu->sockets, 1) * MAX(cpu->cores, 1) * MAX(cpu->threads, 1);
	gsize i = 0;

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

static gboolean check_serial(const char *file, const HvrProfile *profile,
			     const HvrProfilePart *part, GError **error)
{
	gboolean wanted = profile->serial == HVR_SERIAL_FILE;

	return check_only(file, part, "file", wanted, "is for mode = file only", error) &&
	       check_needed(file, part, "file", wanted, "is missing for mode = file", error);
}

/* Does a port of the host lead into the guest? */
static gboolean is_forwarded(const HvrProfile *profile, guint16 port)
{
	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = profile->nets->pdata[i];

		for (guint j = 0; j < net->forwards->len; j++) {
			const HvrForward *forward = net->forwards->pdata[j];

			if (!forward->udp && forward->host_port == port)
				return TRUE;
		}
	}
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
	if (guest->ready != HVR_READY_TCP || is_forwarded(profile, guest->ready_port))
		return TRUE;
	hvr_profile_fail(error, file, &place, "no [net] forwards tcp port %u", guest->ready_port);
	hvr_error_hint(error, "it is the host's port, the first one of a forward");
	return FALSE;
}

static gboolean check_net(const char *file, const HvrProfilePart *part, GError **error)
{
	const HvrProfileNet *net = part->base;
	gboolean user = net->mode == HVR_NET_USER;
	gboolean bridge = net->mode == HVR_NET_BRIDGE;
	gboolean tap = net->mode == HVR_NET_TAP;

	return check_only(file, part, "forward", user, "is for mode = user only", error) &&
	       check_only(file, part, "bridge", bridge, "is for mode = bridge only", error) &&
	       check_only(file, part, "tap", tap, "is for mode = tap only", error) &&
	       check_needed(file, part, "bridge", bridge, "is missing for mode = bridge", error) &&
	       check_needed(file, part, "tap", tap, "is missing for mode = tap", error);
}

static gboolean check_disk(const char *file, const HvrProfilePart *part, GError **error)
{
	const HvrProfileDisk *disk = part->base;

	if (disk->snapshot && disk->readonly)
		return fail(error, file, part, "snapshot",
			    "has nothing to throw away with readonly = yes");
	return check_only(file, part, "size", !disk->readonly,
			  "makes a disk that nobody can write, with readonly = yes", error);
}

static gboolean check_part(const char *file, const HvrProfile *profile, const HvrProfilePart *part,
			   GError **error)
{
	if (strcmp(part->kind->name, "boot") == 0)
		return check_boot(file, profile, part, error);
	if (strcmp(part->kind->name, "firmware") == 0)
		return check_firmware(file, profile, part, error);
	if (strcmp(part->kind->name, "cloud-init") == 0)
		return check_seed(file, profile, part, error);
	if (strcmp(part->kind->name, "graphics") == 0)
		return check_graphics(file, profile, part, error);
	if (strcmp(part->kind->name, "memory") == 0)
		return check_memory(file, profile, part, error);
	if (strcmp(part->kind->name, "cpu") == 0)
		return check_cpu(file, profile, part, error);
	if (strcmp(part->kind->name, "serial") == 0)
		return check_serial(file, profile, part, error);
	if (strcmp(part->kind->name, "guest") == 0)
		return check_guest(file, profile, part, error);
	if (strcmp(part->kind->name, "net") == 0)
		return check_net(file, part, error);
	if (strcmp(part->kind->name, "disk") == 0)
		return check_disk(file, part, error);
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
		       "device, disk, net and share names are QEMU ids: each has to be different");
	return FALSE;
}

/* Would QEMU be refused the second of two ports? */
static gboolean same_port(const HvrForward *a, const HvrForward *b)
{
	return a->udp == b->udp && a->host_port == b->host_port &&
	       (strcmp(a->host_address, b->host_address) == 0 ||
		strcmp(a->host_address, "0.0.0.0") == 0 || strcmp(b->host_address, "0.0.0.0") == 0);
}

static gboolean check_ports(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			    GError **error)
{
	const HvrProfileNet *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "forward");

	for (guint i = 0; i < first->forwards->len; i++) {
		guint own = a == b ? i : second->forwards->len;

		for (guint j = 0; j < own; j++) {
			HvrForward *one = first->forwards->pdata[i];
			HvrForward *other = second->forwards->pdata[j];

			if (same_port(one, other))
				return hvr_profile_fail(error, file, &place,
							"%s port %u is forwarded twice",
							one->udp ? "udp" : "tcp", one->host_port);
		}
	}
	return TRUE;
}

static gboolean is_writer(const HvrProfileDisk *disk)
{
	return !disk->readonly && !disk->snapshot;
}

/* QEMU locks an image that it writes. */
static gboolean check_images(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			     GError **error)
{
	const HvrProfileDisk *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "file");

	if (strcmp(first->file, second->file) != 0 || !(is_writer(first) || is_writer(second)))
		return TRUE;
	hvr_profile_fail(error, file, &place, "is also the file of [disk %s]", a->name);
	hvr_error_hint(error, "two disks share an image only when both are readonly or snapshot");
	return FALSE;
}

static gboolean check_mac(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			  GError **error)
{
	const HvrProfileNet *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "mac");

	if (strcmp(first->mac, second->mac) != 0)
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also the address of [net %s]", a->name);
}

static const char *share_tag(const HvrProfileShare *share)
{
	return share->tag ? share->tag : share->id;
}

static gboolean check_tags(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			   GError **error)
{
	HvrProfileLine place = hvr_profile_part_place(b, "tag");

	if (strcmp(share_tag(a->base), share_tag(b->base)) != 0)
		return TRUE;
	return hvr_profile_fail(error, file, &place, "is also the tag of [share %s]", a->name);
}

static gboolean check_pair(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
			   GError **error)
{
	if (a->kind->named && b->kind->named && !check_names(file, a, b, error))
		return FALSE;
	if (a->kind != b->kind)
		return TRUE;
	if (strcmp(a->kind->name, "net") == 0)
		return check_ports(file, a, b, error) && check_mac(file, a, b, error);
	if (strcmp(a->kind->name, "share") == 0)
		return check_tags(file, a, b, error);
	if (strcmp(a->kind->name, "disk") == 0)
		return check_images(file, a, b, error);
	return TRUE;
}

gboolean hvr_profile_check(const char *file, const HvrProfile *profile, const GPtrArray *parts,
			   GError **error)
{
	for (guint i = 0; i < parts->len; i++) {
		const HvrProfilePart *part = parts->pdata[i];

		if (!check_part(file, profile, part, error))
			return FALSE;
		if (strcmp(part->kind->name, "net") == 0 && !check_ports(file, part, part, error))
			return FALSE;
		for (guint j = 0; j < i; j++)
			if (!check_pair(file, parts->pdata[j], part, error))
				return FALSE;
	}
	return TRUE;
}
