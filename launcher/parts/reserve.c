/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/reserve.h"

#include <inttypes.h>

#include "launcher/parts/block-use.h"
#include "launcher/parts/file-id.h"
#include "launcher/parts/input.h"
#include "launcher/parts/usb.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "launcher/runtime/lock.h"
#include "vfio/fd.h"

/* Of a digest; enough that no two are alike. */
#define DIGEST_LENGTH 32

typedef struct {
	const HvrContext *context;
	const char *vm;
	const HvrUser *user;
	GPtrArray *locks;
} Reserving;

/* @lock: (transfer full): its name. @what: as a message names it. */
static gboolean take(const Reserving *reserving, char *lock, const char *what, GError **error)
{
	const HvrContext *context = reserving->context;
	g_autofree char *name = lock;
	g_autofree char *safe = hvr_text_safe(what);
	GError *cause = NULL;

	/* The same file under two keys is these keys' business. */
	if (hvr_lock_find(reserving->locks, name))
		return TRUE;
	HvrLock *one = hvr_lock_try(&context->host, context->runtime, name, reserving->vm, &cause);
	if (one) {
		g_ptr_array_add(reserving->locks, one);
		return TRUE;
	}
	g_propagate_prefixed_error(error, cause, "%s: ", safe);
	return FALSE;
}

/* Those that are chosen are nobody else's anyway. */
static gboolean take_ports(const Reserving *reserving, const HvrProfile *profile, GError **error)
{
	const HvrForward *forward;
	guint screen = profile->graphics_port;

	for (guint i = 0; (forward = hvr_profile_forward(profile, i)); i++) {
		const char *protocol = "tcp";
		if (forward->udp)
			protocol = "udp";
		g_autofree char *what = g_strdup_printf("forward: %s port %u of %s", protocol,
							forward->host_port, forward->host_address);
		if (forward->host_port &&
		    !take(reserving,
			  g_strdup_printf("port-%s-%s-%u", protocol, forward->host_address,
					  forward->host_port),
			  what, error))
			return FALSE;
	}
	return !screen || screen == HVR_GRAPHICS_PORT_AUTO ||
	       take(reserving, g_strdup_printf("port-tcp-127.0.0.1-%u", screen), "[graphics] port",
		    error);
}

static char *block_lock(guint64 number)
{
	return g_strdup_printf("block-%" PRIx64, number);
}

static gboolean is_free(const Reserving *reserving, guint64 number, const char *what,
			GError **error)
{
	const HvrContext *context = reserving->context;
	g_autofree char *name = block_lock(number);
	g_auto(HvrLockHolder) holder = { 0 };

	if (hvr_lock_find(reserving->locks, name) ||
	    !hvr_lock_holder(&context->host, context->runtime, name, &holder))
		return TRUE;
	g_autofree char *safe = hvr_text_safe(what);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "%s: VM '%s' has the disk that it is a partition of, or one of its partitions",
		    safe, holder.vm ? holder.vm : "");
	return FALSE;
}

/* By its number: nodes of it may be many. Two VMs may have a partition each of one disk, but none
 * the disk besides; each of two that begin at once has its own lock when it looks for others. */
static gboolean take_block(const Reserving *reserving, guint64 number, const char *what,
			   GError **error)
{
	const HvrHost *host = &reserving->context->host;
	g_autoptr(GArray) partitions = hvr_block_partitions(host, number);

	if (!take(reserving, block_lock(number), what, error) ||
	    !is_free(reserving, hvr_block_whole(host, number), what, error))
		return FALSE;
	for (guint i = 0; i < partitions->len; i++)
		if (!is_free(reserving, g_array_index(partitions, dev_t, i), what, error))
			return FALSE;
	return TRUE;
}

/* A file by what it is, whatever it is called. */
static gboolean take_inode(const Reserving *reserving, guint64 device, guint64 inode,
			   const char *what, GError **error)
{
	return take(reserving, g_strdup_printf("image-%" PRIx64 "-%" PRIx64, device, inode), what,
		    error);
}

/* Where a file is or will be made: its folder, whatever that is called, and its name there. */
static char *place_lock(const HvrFileId *id, const char *path)
{
	g_autofree char *place = NULL;

	if (id->folder)
		place = g_strdup_printf("%" PRIx64 "-%" PRIx64 "/%s", id->folder_device, id->folder,
					id->name);
	g_autofree char *digest =
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, place ? place : path, -1);
	return g_strdup_printf("file-%.*s", DIGEST_LENGTH, digest);
}

/* By where it is, since it may yet have to be made, and once it is there by what it is as well. */
static gboolean take_file(const Reserving *reserving, const HvrNamedFile *file, GError **error)
{
	const HvrFileId *id = &file->id;
	g_autofree char *what = g_strdup_printf("%s: '%s'", file->key, file->path);

	return take(reserving, place_lock(id, file->path), what, error) &&
	       (!id->inode || take_inode(reserving, id->device, id->inode, what, error));
}

/* What will be written to; a TPM's too, as swtpm before 0.8 has no lock of its own. */
static GArray *list_files(const HvrProfile *profile, const HvrParts *parts)
{
	GArray *files = hvr_files_new();

	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		if (!disk->snapshot && !disk->readonly)
			hvr_files_add(files, g_strdup_printf("[disk %s] file", disk->id),
				      disk->file, TRUE);
	}
	if (parts->firmware && !profile->firmware.throw_away)
		hvr_files_add(files, g_strdup("[firmware] vars"), profile->firmware.vars, TRUE);
	if (profile->tpm.model != HVR_TPM_NONE && !profile->tpm.throw_away)
		hvr_files_add(files, g_strdup("[tpm] state"), profile->tpm.state, TRUE);
	if (profile->serial == HVR_SERIAL_FILE)
		hvr_files_add(files, g_strdup("[serial] file"), profile->serial_file, TRUE);
	return files;
}

static gboolean take_files(const Reserving *reserving, const HvrProfile *profile,
			   const HvrParts *parts, GError **error)
{
	g_autoptr(GArray) files = list_files(profile, parts);

	hvr_files_find(files, reserving->user);
	for (guint i = 0; i < files->len; i++)
		if (!take_file(reserving, &g_array_index(files, HvrNamedFile, i), error))
			return FALSE;
	return TRUE;
}

static gboolean take_image(const Reserving *reserving, const HvrImageUsed *image, const char *what,
			   GError **error)
{
	if (image->number)
		return take_block(reserving, image->number, what, error);
	return take_inode(reserving, image->device, image->inode, what, error);
}

static gboolean take_images(const Reserving *reserving, const HvrProfile *profile,
			    const HvrParts *parts, GError **error)
{
	const GArray *used = parts->images.used;

	for (guint i = 0; used && i < used->len; i++) {
		const HvrImageUsed *image = &g_array_index(used, HvrImageUsed, i);
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, image->disk);
		g_autofree char *what =
			g_strdup_printf("[disk %s] file: '%s'", disk->id, disk->file);
		if (image->writes && !take_image(reserving, image, what, error))
			return FALSE;
	}
	return TRUE;
}

static char *usb_lock(const char *port)
{
	return g_strconcat("usb-", port, NULL);
}

static char *input_lock(guint64 number)
{
	return g_strdup_printf("input-%" PRIx64, number);
}

/* @lock: (transfer full) */
static gboolean is_held(const GPtrArray *locks, char *lock, const char *what, GError **error)
{
	g_autofree char *name = lock;

	if (hvr_lock_find(locks, name))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "%s: what it names has changed since it was looked at", what);
	hvr_error_hint(error, "try again");
	return FALSE;
}

gboolean hvr_reserve_has_usb(const GPtrArray *locks, const HvrProfileUsb *usb, const char *port,
			     GError **error)
{
	g_autofree char *what = g_strdup_printf("[usb %s]", usb->id);

	return is_held(locks, usb_lock(port), what, error);
}

gboolean hvr_reserve_has_input(const GPtrArray *locks, const HvrProfileInput *input, guint64 number,
			       GError **error)
{
	g_autofree char *what = g_strdup_printf("[input %s]", input->id);

	return is_held(locks, input_lock(number), what, error);
}

/* By its port. One that is gone by now is refused when it is opened. */
static gboolean take_usbs(const Reserving *reserving, const HvrProfile *profile, GError **error)
{
	for (guint i = 0; i < profile->usbs->len; i++) {
		const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, i);
		g_auto(HvrUsbDevice) device = { .port = NULL };
		g_autofree char *what = g_strdup_printf("[usb %s]", usb->id);

		if (hvr_usb_find(&reserving->context->host, usb, &device, NULL) &&
		    !take(reserving, usb_lock(device.port), what, error))
			return FALSE;
	}
	return TRUE;
}

/* One that cannot be opened now is refused when QEMU is to get it. */
static gboolean take_inputs(const Reserving *reserving, const HvrProfile *profile,
			    const HvrParts *parts, GError **error)
{
	for (guint i = 0; i < profile->inputs->len; i++) {
		const HvrProfileInput *input = g_ptr_array_index(profile->inputs, i);
		g_autofree char *what = g_strdup_printf("[input %s]", input->id);
		guint64 number = 0;
		g_auto(HvrFd) fd = hvr_input_open(input, parts->user, &number, NULL);

		if (fd >= 0 && !take(reserving, input_lock(number), what, error))
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_reserve(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		     GPtrArray *locks, GError **error)
{
	const Reserving reserving = {
		.context = context, .vm = profile->name, .user = parts->user, .locks = locks
	};

	return take_ports(&reserving, profile, error) &&
	       take_files(&reserving, profile, parts, error) &&
	       take_images(&reserving, profile, parts, error) &&
	       take_usbs(&reserving, profile, error) &&
	       take_inputs(&reserving, profile, parts, error);
}
