/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a VM's parts are asked for and made. What is asked changes nothing, so that
 * `check` and `--dry-run` say what `run` would.
 */
#include "launcher/parts/parts.h"

#include "launcher/parts/binary.h"
#include "launcher/parts/disk-aio.h"
#include "launcher/parts/disk-image.h"
#include "launcher/parts/files.h"
#include "launcher/parts/hugepages.h"
#include "launcher/parts/images.h"
#include "launcher/parts/newfile.h"
#include "launcher/parts/input.h"
#include "launcher/parts/nvram.h"
#include "launcher/parts/outside.h"
#include "launcher/parts/placement.h"
#include "launcher/parts/ports.h"
#include "launcher/parts/room.h"
#include "launcher/parts/seed.h"
#include "launcher/parts/serialfile.h"
#include "launcher/parts/share.h"
#include "launcher/parts/slots.h"
#include "launcher/parts/tap.h"
#include "launcher/parts/tpm.h"
#include "launcher/parts/usb.h"
#include "launcher/parts/written.h"

typedef gboolean (*Question)(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error);

static const Question questions[] = {
	hvr_placement_check,   hvr_hugepages_check, hvr_taps_check,	hvr_written_check,
	hvr_nvram_check,       hvr_seed_check,	    hvr_disk_aio_check, hvr_disk_images_check,
	hvr_serial_file_check, hvr_shares_check,    hvr_ports_check,	hvr_slots_check,
	hvr_binary_check,      hvr_room_check,	    hvr_tpm_check,	hvr_usb_check,
	hvr_input_check,
};

GError *hvr_parts_ask(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts)
{
	GError *error = NULL;

	for (gsize i = 0; !context->captured && i < G_N_ELEMENTS(questions); i++)
		if (!questions[i](context, profile, parts, &error))
			return error;
	return NULL;
}

HvrParts *hvr_parts_gather(const HvrContext *context, const HvrProfile *profile,
			   const HvrUser *user, GError **error)
{
	g_autoptr(HvrParts) parts = g_new0(HvrParts, 1);

	parts->user = user;
	parts->made = hvr_new_files_noted();
	parts->ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	if (!context->captured && hvr_files_check(profile, user, &parts->unreadable))
		hvr_images_check(&parts->images, &context->host, profile, user, &parts->unreadable);
	if (profile->firmware.uefi && profile->firmware.code)
		parts->firmware = hvr_firmware_own(profile->firmware.code, profile->firmware.vars,
						   profile->firmware.secure);
	else if (profile->firmware.uefi)
		parts->firmware = hvr_firmware_find(&context->host, context->firmware_folders,
						    profile->machine, profile->firmware.secure,
						    &parts->lacking);
	parts->share_ways = hvr_share_ways(context, profile, parts, error);
	if (!parts->share_ways)
		return NULL;
	if (!parts->lacking)
		parts->lacking = hvr_parts_ask(context, profile, parts);
	return g_steal_pointer(&parts);
}

void hvr_parts_free(HvrParts *parts)
{
	if (!parts)
		return;
	g_clear_error(&parts->unreadable);
	hvr_images_clear(&parts->images);
	hvr_firmware_free(parts->firmware);
	g_clear_pointer(&parts->share_ways, g_ptr_array_unref);
	g_clear_error(&parts->lacking);
	g_clear_pointer(&parts->made, g_ptr_array_unref);
	g_clear_pointer(&parts->ports, g_array_unref);
	g_free(parts);
}

void hvr_parts_describe(const HvrProfile *profile, const HvrParts *parts, GPtrArray *notes)
{
	hvr_disk_images_describe(profile, notes);
	hvr_images_describe(&parts->images, notes);
	hvr_shares_describe(profile, parts, notes);
	hvr_outside_describe(profile, notes);
}

gboolean hvr_parts_create(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	return hvr_nvram_create(profile, parts, error) && hvr_tpm_create(profile, parts, error) &&
	       hvr_disk_images_create(profile, parts, error);
}

void hvr_parts_remove(const HvrParts *parts)
{
	if (parts->made)
		hvr_new_files_remove(parts->made);
}
