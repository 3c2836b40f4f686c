/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One verdict each, from facts that were gathered before. Whoever asks decides what a "no" means:
 * for a plan it is the end, for a check one line among others.
 */
#include "launcher/host/judge.h"

#include "launcher/profile/machine.h"
#include "launcher/report/error.h"
#include "vfio/error.h"

#define VFIO_PCI "vfio-pci"
/* The "host" property of QEMU's vfio-pci, 7.2 to 10.0. */
#define QEMU_DOMAIN_MAX 0xffff

static gboolean unavailable(GError **error, const char *message, const char *hint)
{
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, message);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

gboolean hvr_judge_qemu(const HvrProfile *profile, const HvrFacts *facts, GError **error)
{
	if (facts->qemu_path)
		return TRUE;
	g_autofree char *message =
		g_strdup_printf("there is no program '%s' on this host", profile->qemu_binary);
	g_autofree char *hint = g_strdup_printf(
		"install QEMU (Debian, Ubuntu: apt install %s), or set [qemu] binary",
		hvr_machine_find(profile->machine)->package);
	return unavailable(error, message, hint);
}

gboolean hvr_judge_files(const HvrParts *parts, GError **error)
{
	if (!parts->unreadable)
		return TRUE;
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, parts->unreadable);
	hvr_error_hint(error, "QEMU runs as that user: give it access, or set [security] user");
	return FALSE;
}

gboolean hvr_judge_parts(const HvrParts *parts, GError **error)
{
	if (!parts->lacking)
		return TRUE;
	g_propagate_error(error, g_error_copy(parts->lacking));
	return FALSE;
}

gboolean hvr_judge_kvm(const HvrProfile *profile, const HvrFacts *facts, GError **error)
{
	if (profile->accel != HVR_ACCEL_KVM || facts->kvm)
		return TRUE;
	return unavailable(error, facts->kvm_problem, "or set accel = tcg, which is slow");
}

gboolean hvr_judge_vfio_pci(const HvrFacts *facts, GError **error)
{
	if (facts->vfio_pci)
		return TRUE;
	return unavailable(error, facts->vfio_problem,
			   "it belongs to the kernel's package; look for 'blacklist vfio-pci' in "
			   "/etc/modprobe.d/");
}

gboolean hvr_judge_memlock(const HvrProfile *profile, const HvrFacts *facts, GError **error)
{
	guint64 needed = profile->memory_bytes;
	const char *who = "a VM with a card";

	if (profile->memory.locked)
		who = "this VM";
	if (facts->memlock_max >= needed)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "user %s may lock %" G_GUINT64_FORMAT " MiB of memory, and %s "
		    "locks all of its %" G_GUINT64_FORMAT " MiB",
		    facts->user->name, facts->memlock_max >> 20, who, needed >> 20);
	hvr_error_hint(error,
		       "raise the limit, then log in again: 'hailo-vm-run setup permissions' and "
		       "'usermod -aG hailo-vm %s' as root, or '%s hard memlock unlimited' in "
		       "/etc/security/limits.d/",
		       facts->user->name, facts->user->name);
	return FALSE;
}

gboolean hvr_judge_iommu(const HvrFacts *facts, const HvrPciFunction *function, GError **error)
{
	const char *why = "it has no IOMMU group";

	if (function->group >= 0 && !function->noiommu)
		return TRUE;
	if (function->noiommu)
		why = "it is in a no-IOMMU group, which protects nothing";
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_IOMMU,
		    "%s: %s, so it cannot be given to a VM", function->name, why);
	hvr_error_hint(error, "%s", facts->iommu_advice);
	return FALSE;
}

gboolean hvr_judge_domain(const HvrPciFunction *function, GError **error)
{
	if (function->address.domain <= QEMU_DOMAIN_MAX)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: QEMU takes no PCI domain above %04x", function->name, QEMU_DOMAIN_MAX);
	hvr_error_hint(error, "such domains are made by Intel VMD: turn it off for this slot in "
			      "the firmware setup, or use another slot");
	return FALSE;
}

gboolean hvr_judge_alive(const HvrPlanView *view, const HvrPciFunction *function, GError **error)
{
	const GError *dead = g_hash_table_lookup(view->dead, function);

	if (!dead)
		return TRUE;
	if (g_error_matches(dead, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT)) {
		g_propagate_error(error, g_error_copy(dead));
		hvr_error_hint(error,
			       "a driver hangs in its probe or remove: see the kernel's log");
		return FALSE;
	}
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE, "%s", dead->message);
	hvr_error_hint(error, "power the host off and on: a warm reboot does not bring it back");
	return FALSE;
}

static gboolean refuse_group(const HvrClaimedCard *card, const GPtrArray *blockers, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *them = "them";

	if (blockers->len == 1)
		them = "it";
	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		if (i > 0)
			g_string_append(text, ", ");
		g_string_append_printf(text, "%s (%04x:%04x, driver %s)", member->name,
				       member->vendor, member->device, member->driver);
	}
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_VIABLE,
		    "%s: IOMMU group %d is not viable: the host uses %s of it",
		    card->function->name, card->function->group, text->str);
	hvr_error_hint(error,
		       "set group = bind in [device %s] to take %s from the host while the VM "
		       "runs, group = pass to give %s to the VM too, or use a slot that has a "
		       "group of its own",
		       card->device->id, them, them);
	return FALSE;
}

gboolean hvr_judge_group(const HvrClaimedCard *card, const GPtrArray *companions, GError **error)
{
	g_autoptr(GPtrArray) blockers = g_ptr_array_new();

	for (guint i = 0; i < companions->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (hvr_pci_function_blocks(member))
			g_ptr_array_add(blockers, member);
	}
	if (blockers->len == 0 || card->device->group != HVR_GROUP_REFUSE)
		return TRUE;
	return refuse_group(card, blockers, error);
}

gboolean hvr_judge_prepared(const HvrFacts *facts, const HvrPlanView *view,
			    const HvrPciFunction *function, GError **error)
{
	const HvrPciState *now = g_hash_table_lookup(view->states, function);

	if (now && g_hash_table_contains(view->usable, function) &&
	    g_strcmp0(now->driver, VFIO_PCI) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "%s: it is not prepared for user %s, and only root can do that", function->name,
		    facts->user->name);
	hvr_error_hint(error, "run this as root (sudo), or once: sudo hailo-vm-run prepare "
			      "PROFILE; for every boot: sudo hailo-vm-run setup");
	return FALSE;
}

GPtrArray *hvr_judge_companions(const HvrInventory *inventory, const HvrClaim *claim,
				const HvrClaimedCard *card)
{
	const GPtrArray *group = hvr_inventory_group(inventory, card->function->group);
	GPtrArray *companions = g_ptr_array_new();

	for (guint i = 0; i < group->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(group, i);
		if (!hvr_pci_function_is_bridge(member) && !hvr_claim_has(claim, member))
			g_ptr_array_add(companions, member);
	}
	return companions;
}

const char *hvr_judge_reset_policy(const HvrProfileDevice *device, const HvrPciFunction *function)
{
	if (g_str_equal(device->reset, "keep"))
		return NULL;
	if (!g_str_equal(device->reset, "auto"))
		return device->reset;
	if (!function->quirk)
		return NULL;
	return function->quirk->reset_method;
}
