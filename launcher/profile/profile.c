/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile says, once it is read: how it begins, and how it goes away.
 */
#include "launcher/profile/profile.h"

#include <string.h>

static void device_free(gpointer data)
{
	HvrProfileDevice *device = data;

	g_free(device->id);
	g_free(device->path);
	g_free(device->reset);
	g_free(device);
}

static void disk_free(gpointer data)
{
	HvrProfileDisk *disk = data;

	g_free(disk->id);
	g_free(disk->file);
	g_free(disk);
}

static void net_free(gpointer data)
{
	HvrProfileNet *net = data;

	g_free(net->id);
	g_clear_pointer(&net->forwards, g_ptr_array_unref);
	g_free(net->bridge);
	g_free(net->tap);
	g_free(net);
}

static void share_free(gpointer data)
{
	HvrProfileShare *share = data;

	g_free(share->id);
	g_free(share->path);
	g_free(share->tag);
	g_free(share);
}

HvrProfile *hvr_profile_new(const char *file)
{
	HvrProfile *profile = g_new0(HvrProfile, 1);

	profile->file = g_canonicalize_filename(file, NULL);
	profile->memory.node = HVR_NODE_AUTO;
	profile->devices = g_ptr_array_new_with_free_func(device_free);
	profile->disks = g_ptr_array_new_with_free_func(disk_free);
	profile->nets = g_ptr_array_new_with_free_func(net_free);
	profile->shares = g_ptr_array_new_with_free_func(share_free);
	profile->qemu_args = g_ptr_array_new_with_free_func(g_free);
	return profile;
}

void hvr_profile_free(HvrProfile *profile)
{
	if (!profile)
		return;
	g_free(profile->file);
	g_free(profile->include);
	g_free(profile->name);
	g_free(profile->cpu);
	g_free(profile->machine);
	g_clear_pointer(&profile->processor.pin, g_array_unref);
	g_ptr_array_unref(profile->devices);
	g_ptr_array_unref(profile->disks);
	g_ptr_array_unref(profile->nets);
	g_ptr_array_unref(profile->shares);
	g_free(profile->kernel);
	g_free(profile->initrd);
	g_free(profile->cmdline);
	g_free(profile->serial_file);
	g_free(profile->firmware.vars);
	g_free(profile->seed.user_data);
	g_free(profile->seed.meta_data);
	g_free(profile->seed.ssh_key);
	g_free(profile->seed.hostname);
	g_free(profile->guest.ready_pattern);
	g_free(profile->guest.hailort_min);
	g_free(profile->user);
	g_free(profile->qemu_binary);
	g_ptr_array_unref(profile->qemu_args);
	g_free(profile);
}

gboolean hvr_profile_name_valid(const char *name)
{
	gsize length = strlen(name);

	return length > 0 && length <= 63 && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

guint64 hvr_profile_page_size(const HvrProfileMemory *memory)
{
	static const guint64 sizes[] = { [HVR_PAGES_2M] = G_GUINT64_CONSTANT(1) << 21,
					 [HVR_PAGES_1G] = G_GUINT64_CONSTANT(1) << 30 };

	return sizes[memory->hugepages];
}
