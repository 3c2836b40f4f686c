/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs out on a machine is slots. Not so what one might think of first: KVM has 32764 slots
 * for memory (509 before Linux 5.10), and a card takes one for each BAR; nothing here uses vhost in
 * the kernel, and a virtiofsd is told of the guest's RAM alone.
 */
#include "launcher/parts/slots.h"

#include "launcher/parts/seed.h"
#include "launcher/profile/machine.h"
#include "launcher/report/error.h"

/* Functions of a slot, of which each is a port. */
#define PORTS_PER_SLOT 8

/* One for each disk, but for those that share a controller: those of SCSI without a thread of their
 * own, and each six of SATA, of which the machine has the first. */
static guint count_disks(const HvrProfile *profile)
{
	guint ports = hvr_machine_find(profile->machine)->sata_ports;
	guint n = 0, sata = 0, scsi = 0;

	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (disk->bus == HVR_DISK_SATA)
			sata++;
		else if (disk->bus == HVR_DISK_SCSI && !disk->iothread)
			scsi++;
		else
			n++;
	}
	if (sata > ports)
		n += (sata - 1) / HVR_AHCI_PORTS;
	return n + (scsi ? 1 : 0);
}

/* The cards whose ports share no slot with others. */
static guint count_fixed(const HvrProfile *profile)
{
	guint n = 0;

	for (guint i = 0; i < profile->devices->len; i++)
		n += ((const HvrProfileDevice *)profile->devices->pdata[i])->slot != 0;
	return n;
}

/* The cards that have no port of their own. */
static guint count_sharing(const HvrProfile *profile)
{
	guint n = 0;

	for (guint i = 0; i < profile->devices->len; i++)
		n += ((const HvrProfileDevice *)profile->devices->pdata[i])->with != NULL;
	return n;
}

guint hvr_slots_needed(const HvrProfile *profile)
{
	/* the source of entropy */
	guint needed = 1 + count_disks(profile) + profile->shares->len;

	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);
		needed += net->mode != HVR_NET_NONE;
	}
	/* the screen */
	if (profile->graphics != HVR_GRAPHICS_NONE)
		needed++;
	if (profile->sound != HVR_SOUND_NONE)
		needed++;
	/* for the pointer, too */
	if (hvr_profile_has_usb(profile))
		needed++;
	if (profile->guest.agent)
		needed++;
	if (hvr_seed_is_wanted(profile))
		needed++;
	return needed;
}

gboolean hvr_slots_check_cards(const HvrProfile *profile, guint n_cards, GError **error)
{
	const HvrMachine *machine = hvr_machine_find(profile->machine);
	guint last = machine->last_slot - (profile->iommu == HVR_IOMMU_VIRTIO ? 1 : 0);
	guint all = last - machine->first_slot + 1;
	guint for_ports = last - machine->ports_slot + 1;
	guint fixed = count_fixed(profile);
	guint packed = n_cards - MIN(fixed + count_sharing(profile), n_cards);
	guint ports = (packed + HVR_MACHINE_SPARE_PORTS + PORTS_PER_SLOT - 1) / PORTS_PER_SLOT;
	guint needed = hvr_slots_needed(profile) + MIN(fixed, n_cards);

	if (ports > for_ports) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[vm] machine: %s has no room for %u cards", profile->machine, n_cards);
		hvr_error_hint(error,
			       "it takes %u: leave some out, and what comes with their "
			       "groups (group = pass)",
			       for_ports * PORTS_PER_SLOT - HVR_MACHINE_SPARE_PORTS);
		return FALSE;
	}
	if (needed <= all - ports)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "[vm] machine: %s has %u slots beside those of cards, and the VM needs %u",
		    profile->machine, all - ports, needed);
	hvr_error_hint(
		error,
		"each disk, net and share takes one, [graphics] two, [guest] agent, "
		"[cloud-init], [usb], [audio] and the source of entropy one each: leave out %u, or "
		"put disks on bus = scsi, where all of them take one",
		needed - (all - ports));
	return FALSE;
}

gboolean hvr_slots_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error)
{
	return hvr_slots_check_cards(profile, profile->devices->len, error);
}
