/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile says, once it is read: how it begins, and how it goes away.
 */
#include "launcher/profile/profile.h"

#include <string.h>

#include "launcher/runtime/vm.h"

static void device_free(gpointer data)
{
	HvrProfileDevice *device = data;

	g_free(device->id);
	g_free(device->path);
	g_free(device->reset);
	g_free(device->romfile);
	g_free(device->with);
	g_clear_pointer(&device->properties, g_array_unref);
	g_free(device);
}

static void disk_free(gpointer data)
{
	HvrProfileDisk *disk = data;

	g_free(disk->id);
	g_free(disk->file);
	g_free(disk->base);
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

static void usb_free(gpointer data)
{
	HvrProfileUsb *usb = data;

	g_free(usb->id);
	g_free(usb->port);
	g_free(usb);
}

static void input_free(gpointer data)
{
	HvrProfileInput *input = data;

	g_free(input->id);
	g_free(input->evdev);
	g_free(input);
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
	profile->usbs = g_ptr_array_new_with_free_func(usb_free);
	profile->inputs = g_ptr_array_new_with_free_func(input_free);
	profile->qemu_first_args = g_ptr_array_new_with_free_func(g_free);
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
	g_free(profile->stem);
	g_free(profile->cpu);
	g_free(profile->machine);
	g_clear_pointer(&profile->processor.pin, g_array_unref);
	g_clear_pointer(&profile->processor.pins, g_ptr_array_unref);
	g_clear_pointer(&profile->processor.emulator, g_array_unref);
	g_ptr_array_unref(profile->devices);
	g_ptr_array_unref(profile->disks);
	g_ptr_array_unref(profile->nets);
	g_ptr_array_unref(profile->shares);
	g_ptr_array_unref(profile->usbs);
	g_ptr_array_unref(profile->inputs);
	g_free(profile->kernel);
	g_free(profile->initrd);
	g_free(profile->cmdline);
	g_free(profile->serial_file);
	g_free(profile->firmware.code);
	g_free(profile->firmware.vars);
	g_free(profile->tpm.state);
	g_free(profile->seed.user_data);
	g_free(profile->seed.meta_data);
	g_free(profile->seed.ssh_key);
	g_free(profile->seed.ssh_public);
	g_free(profile->seed.hostname);
	g_free(profile->seed.user);
	g_free(profile->guest.ready_pattern);
	g_free(profile->guest.hailort_min);
	g_free(profile->guest.warm_script);
	g_free(profile->user);
	g_free(profile->qemu_binary);
	g_ptr_array_unref(profile->qemu_first_args);
	g_ptr_array_unref(profile->qemu_args);
	g_free(profile);
}

const HvrForward *hvr_profile_forward(const HvrProfile *profile, guint i)
{
	for (guint k = 0; k < profile->nets->len; k++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, k);
		if (i < net->forwards->len)
			return g_ptr_array_index(net->forwards, i);
		i -= net->forwards->len;
	}
	return NULL;
}

gboolean hvr_profile_is_ready_forward(const HvrProfileGuest *guest, const HvrForward *forward)
{
	return guest->ready == HVR_READY_TCP && !forward->udp &&
	       forward->host_port == guest->ready_port &&
	       (!guest->ready_guest_port || forward->guest_port == guest->ready_guest_port);
}

gboolean hvr_profile_name_valid(const char *name)
{
	return hvr_vm_name_valid(name);
}

/* The first byte says: one interface, not from any manufacturer. */
static void make_mac(const char *name, HvrProfileNet *net)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize length = sizeof(digest);

	g_checksum_update(checksum, (const guint8 *)name, (gssize)strlen(name) + 1);
	g_checksum_update(checksum, (const guint8 *)net->id, (gssize)strlen(net->id) + 1);
	g_checksum_get_digest(checksum, digest, &length);
	g_snprintf(net->mac, sizeof(net->mac), "%02x:%02x:%02x:%02x:%02x:%02x",
		   (guint)((digest[0] & 0xfc) | 0x02), digest[1], digest[2], digest[3], digest[4],
		   digest[5]);
}

/* The same VM has the same addresses on every start, so leases and names of interfaces stay. On a
 * network of its own all VMs of a profile have the same, but not those that began as one guest. */
void hvr_profile_make_macs(HvrProfile *profile)
{
	for (guint i = 0; i < profile->nets->len; i++) {
		HvrProfileNet *net = g_ptr_array_index(profile->nets, i);
		gboolean alone = net->mode == HVR_NET_USER || net->mode == HVR_NET_NONE;

		net->mac_made = net->mac_made || net->mac[0] == '\0';
		if (net->mac_made && alone && !profile->cards_later)
			make_mac(profile->stem, net);
		else if (net->mac_made)
			make_mac(profile->name, net);
	}
}

void hvr_profile_rename(HvrProfile *profile, const char *name)
{
	g_free(profile->name);
	profile->name = g_strdup(name);
	profile->name_auto = FALSE;
	hvr_profile_make_macs(profile);
}

const char *hvr_profile_tpm_driver(HvrTpmModel model)
{
	static const char *const drivers[] = {
		[HVR_TPM_CRB] = "tpm-crb", [HVR_TPM_TIS] = "tpm-tis"
	};

	return drivers[model];
}

/* The section on whose port it is. */
static const char *port_of(const HvrProfileDevice *device)
{
	if (device->with)
		return device->with;
	return device->id;
}

void hvr_profile_number_functions(HvrProfile *profile)
{
	for (guint i = 0; i < profile->devices->len; i++) {
		HvrProfileDevice *first = g_ptr_array_index(profile->devices, i);
		guint n = 0;

		for (guint k = 0; !first->with && k < profile->devices->len; k++) {
			HvrProfileDevice *other = g_ptr_array_index(profile->devices, k);
			if (g_strcmp0(other->with, first->id) == 0)
				other->function = ++n;
		}
		first->shared = n > 0;
	}
}

GPtrArray *hvr_profile_slot_of(const HvrProfile *profile, const HvrProfileDevice *device)
{
	GPtrArray *slot = g_ptr_array_new();

	for (guint i = 0; i < profile->devices->len; i++) {
		HvrProfileDevice *other = g_ptr_array_index(profile->devices, i);
		if (!g_str_equal(port_of(other), port_of(device)))
			continue;
		if (other->with)
			g_ptr_array_add(slot, other);
		else
			g_ptr_array_insert(slot, 0, other);
	}
	return slot;
}

const char *hvr_profile_sound_driver(HvrSound sound)
{
	static const char *const drivers[] = {
		[HVR_SOUND_HDA] = "ich9-intel-hda", [HVR_SOUND_VIRTIO] = "virtio-sound-pci"
	};

	return drivers[sound];
}

gboolean hvr_profile_has_usb(const HvrProfile *profile)
{
	return profile->graphics != HVR_GRAPHICS_NONE || profile->usbs->len > 0;
}

guint64 hvr_profile_page_size(const HvrProfileMemory *memory)
{
	static const guint64 sizes[] = { [HVR_PAGES_2M] = G_GUINT64_CONSTANT(1) << 21,
					 [HVR_PAGES_1G] = G_GUINT64_CONSTANT(1) << 30 };

	return sizes[memory->hugepages];
}

gboolean hvr_profile_disk_is_direct(const HvrProfileDisk *disk)
{
	return disk->cache == HVR_CACHE_NONE || disk->cache == HVR_CACHE_DIRECTSYNC;
}

const char *hvr_profile_aio_word(HvrDiskAio aio)
{
	static const char *const words[] = { "threads", "native", "io_uring" };

	return words[aio];
}
