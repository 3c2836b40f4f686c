/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps a guest from being saved. QEMU would say most of it itself, when the guest has booted.
 */
#include "launcher/warm/key.h"

#include <string.h>

#include "launcher/report/error.h"

static gboolean refuse(GError **error, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static gboolean refuse(GError **error, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s", text);
	if (hint)
		hvr_error_hint(error, "%s", hint);
	return FALSE;
}

static gboolean check_disk(const HvrProfileDisk *disk, gboolean block_device, GError **error)
{
	if (disk->bus == HVR_DISK_NVME)
		return refuse(error, "set bus = virtio",
			      "[disk %s] bus = nvme: QEMU cannot save such a disk", disk->id);
	if (!disk->snapshot && !disk->readonly)
		return refuse(error, "set snapshot = yes",
			      "[disk %s] keeps what the guest writes, and a guest that was saved "
			      "begins each time where it was",
			      disk->id);
	if (block_device)
		return refuse(error, "use an image in a file",
			      "[disk %s]: '%s' is a block device, which does not tell when it has "
			      "changed",
			      disk->id, disk->file);
	return TRUE;
}

static gboolean check_disks(const HvrWarmGuest *guest, GError **error)
{
	const HvrImages *images = &guest->parts->images;
	const GPtrArray *disks = guest->profile->disks;

	for (guint i = 0; i < disks->len; i++)
		if (!check_disk(disks->pdata[i], (images->block_devices >> i & 1) != 0, error))
			return FALSE;
	for (guint i = 0; images->notes && i < images->notes->len; i++) {
		const HvrImageNote *note = g_ptr_array_index(images->notes, i);
		if (note->unknown)
			return refuse(error, NULL, "%s", note->text);
	}
	return TRUE;
}

/* A state is known by the files of the profile's own keys. What is in one that a word names may be
 * another when the guest goes on, and a disk of it ahead of the guest's RAM. An empty name is none,
 * as in romfile=, and nobody reads a logfile. */
static gboolean names_file(const char *option)
{
	static const char *const words[] = { "-drive",	   "-blockdev", "-hda",	      "-hdb",
					     "-hdc",	   "-hdd",	"-cdrom",     "-fda",
					     "-fdb",	   "-sd",	"-pflash",    "-mtdblock",
					     "-bios",	   "-L",	"-kernel",    "-initrd",
					     "-dtb",	   "-shim",	"-acpitable", "-option-rom",
					     "-readconfig" };
	const char *at = option;

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_equal(option, words[i]))
			return TRUE;
	while ((at = strstr(at, "file="))) {
		gboolean log = at - option >= 3 && strncmp(at - 3, "log", 3) == 0;
		at += strlen("file=");
		if (!log && *at && *at != ',')
			return TRUE;
	}
	return FALSE;
}

/* Words that change how QEMU starts, or name what it cannot save. */
static gboolean check_words(const char *key, const GPtrArray *all, GError **error)
{
	static const char *const words[] = { "-incoming",  "-loadvm",	 "-S",	    "-snapshot",
					     "-daemonize", "-preconfig", "-virtfs", "-fsdev" };
	static const char *const devices[] = { "vfio-",		 "nvme",    "virtio-9p",
					       "vhost-user",	 "ivshmem", "usb-host",
					       "only-migratable" };

	for (guint i = 0; i < all->len; i++) {
		const char *word = g_ptr_array_index(all, i);

		/* QEMU takes both */
		const char *option = g_str_has_prefix(word, "--") ? word + 1 : word;
		gboolean bad = names_file(option);
		for (gsize j = 0; j < G_N_ELEMENTS(words); j++)
			bad = bad || g_str_equal(option, words[j]);
		for (gsize j = 0; j < G_N_ELEMENTS(devices); j++)
			bad = bad || strstr(word, devices[j]);
		if (bad)
			return refuse(error, NULL, "[qemu] %s = %s: not with a guest that is saved",
				      key, word);
	}
	return TRUE;
}

/* One that brings others along has as many ports as there are, which only the host knows. */
static gboolean check_devices(const HvrProfile *profile, GError **error)
{
	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);
		if (device->group == HVR_GROUP_PASS)
			return refuse(error, "use group = bind where that will do",
				      "[device %s] group = pass: how many ports it takes is not "
				      "known when the guest is saved",
				      device->id);
	}
	return TRUE;
}

gboolean hvr_warm_check(const HvrWarmGuest *guest, GError **error)
{
	const HvrProfile *profile = guest->profile;

	if (profile->guest.ready == HVR_READY_NONE)
		return refuse(error, "such as: --set guest.agent=yes --set guest.ready=agent",
			      "the profile does not say when the guest is ready");
	if (profile->shares->len) {
		const HvrProfileShare *share = g_ptr_array_index(profile->shares, 0);
		return refuse(error, "leave it out: --without",
			      "[share %s]: QEMU cannot save a guest that has a shared folder",
			      share->id);
	}
	if (profile->guest.warm_script && !profile->guest.agent)
		return refuse(error, "set guest.agent=yes",
			      "[guest] warm-script: without an agent nobody runs it");
	if (profile->usbs->len) {
		const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, 0);
		return refuse(error, "leave it out: --without",
			      "[usb %s] a device of the host's cannot be saved with the guest",
			      usb->id);
	}
	if (profile->tpm.model != HVR_TPM_NONE)
		return refuse(error, "leave it out: --without tpm",
			      "[tpm] what a TPM keeps is not saved with the guest");
	if (profile->graphics == HVR_GRAPHICS_SPICE)
		return refuse(error, "set graphics.mode=vnc",
			      "[graphics] mode = spice: it would move its viewers along");
	return check_disks(guest, error) && check_devices(profile, error) &&
	       check_words("first-args", profile->qemu_first_args, error) &&
	       check_words("args", profile->qemu_args, error);
}
