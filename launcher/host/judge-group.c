/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card is given away with its whole IOMMU group. Does it stand in the way, and what is to be done
 * then? Another slot always helps. To take the others from the host is only advised where that is
 * known to do no harm: never with a controller of disks, of which more may hang than is seen (ZFS,
 * what is not mounted now), nor with anything that the host is known to need.
 */
#include "launcher/host/judge.h"

#include "launcher/host/inuse.h"
#include "launcher/host/isolation.h"
#include "launcher/report/error.h"
#include "vfio/error.h"

/* PCI's base classes. */
#define CLASS_STORAGE 0x01
#define CLASS_NETWORK 0x02

gboolean hvr_judge_is_passed(const HvrClaimedCard *card, const HvrPciFunction *companion)
{
	return card->device->group == HVR_GROUP_PASS && !hvr_pci_function_is_bridge(companion);
}

gboolean hvr_judge_is_taken(const HvrClaimedCard *card, const HvrPciFunction *companion)
{
	return hvr_judge_is_passed(card, companion) || hvr_pci_function_blocks(companion);
}

GPtrArray *hvr_judge_companions(const HvrInventory *inventory, const HvrClaim *claim,
				const HvrClaimedCard *card)
{
	const GPtrArray *group = hvr_inventory_group(inventory, card->function->group);
	GPtrArray *companions = g_ptr_array_new();

	for (guint i = 0; i < group->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(group, i);
		if (!hvr_claim_has(claim, member) &&
		    (!hvr_pci_function_is_bridge(member) || hvr_pci_function_blocks(member)))
			g_ptr_array_add(companions, member);
	}
	return companions;
}

GPtrArray *hvr_judge_blockers(const HvrInventory *inventory, const HvrClaim *claim,
			      const HvrClaimedCard *card)
{
	GPtrArray *companions = hvr_judge_companions(inventory, claim, card);

	for (guint i = companions->len; i > 0; i--)
		if (!hvr_pci_function_blocks(g_ptr_array_index(companions, i - 1)))
			g_ptr_array_remove_index(companions, i - 1);
	return companions;
}

static gboolean judge_iommu_group(const HvrFacts *facts, const HvrPciFunction *function,
				  GError **error)
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

static char *list_blockers(const GPtrArray *blockers)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		if (i > 0)
			g_string_append(text, ", ");
		g_string_append_printf(text, "%s (%04x:%04x, driver %s)", member->name,
				       member->vendor, member->device, member->driver);
	}
	return g_string_free(text, FALSE);
}

/* A bridge that lacks ACS and keeps one of them with the card; NULL: there is no such bridge. */
static const HvrPciFunction *find_culprit(const HvrPlanInput *input, const HvrClaimedCard *card,
					  const GPtrArray *blockers)
{
	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *culprit = hvr_isolation_culprit(
			input->inventory, card->function, g_ptr_array_index(blockers, i));
		if (culprit)
			return culprit;
	}
	return NULL;
}

/* Why the host may need @member: NULL: it is known not to, as far as anybody can.
 * [transfer full] */
static char *needed_for(const HvrPlanInput *input, const HvrPciFunction *member)
{
	const char *vital = g_hash_table_lookup(input->view->vital, member);

	if (vital)
		return g_strdup_printf("this host cannot do without %s: %s", member->name, vital);
	switch (member->class_code >> 16) {
	case CLASS_STORAGE:
		return g_strdup_printf("%s has disks of this host (driver %s)", member->name,
				       member->driver);
	case CLASS_NETWORK:
		if (input->view->routes_seen)
			return NULL;
		return g_strdup_printf("whether this host can do without %s (driver %s) is not to "
				       "be seen",
				       member->name, member->driver);
	default:
		return NULL;
	}
}

/* Never a way to lose what the host itself needs. FALSE: there is nothing of that kind */
static gboolean hint_at_needed(const HvrPlanInput *input, const GPtrArray *blockers, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < blockers->len; i++) {
		g_autofree char *why = needed_for(input, g_ptr_array_index(blockers, i));
		if (!why)
			continue;
		if (text->len)
			g_string_append(text, "; ");
		g_string_append(text, why);
	}
	if (text->len)
		hvr_error_hint(error,
			       "use a slot that has a group of its own, nothing else will do: %s",
			       text->str);
	return text->len > 0;
}

static void hint_at_group(const HvrPlanInput *input, const HvrClaimedCard *card, guint blockers,
			  GError **error)
{
	const char *them = blockers == 1 ? "it" : "them";
	g_autofree char *section = NULL;

	if (input->made_up)
		section = g_strdup_printf("a profile's section for %s", card->function->name);
	else
		section = g_strdup_printf("[device %s]", card->device->id);
	hvr_error_hint(error,
		       "use a slot that has a group of its own, or set in %s group = bind to take "
		       "%s from the host while the VM runs, or group = pass to give %s to the VM "
		       "too",
		       section, them, them);
}

/* What no profile can do away with: only a port whose driver is another than pcieport. */
static void hint_at_port(const HvrPciFunction *port, GError **error)
{
	hvr_error_hint(error,
		       "use a slot that has a group of its own: %s is a bridge that vfio-pci does "
		       "not take; or take its driver away by 'echo %s > "
		       "/sys/bus/pci/drivers/%s/unbind'",
		       port->name, port->name, port->driver);
}

static gboolean refuse_group(const HvrPlanInput *input, const HvrClaimedCard *card,
			     const GPtrArray *blockers, const HvrPciFunction *port, GError **error)
{
	g_autofree char *text = list_blockers(blockers);
	const HvrPciFunction *culprit = find_culprit(input, card, blockers);
	g_autofree char *why = NULL;

	if (culprit)
		why = g_strdup_printf("; all behind %s (%04x:%04x) is one group, as it does not "
				      "keep what is behind it apart (no ACS)",
				      culprit->name, culprit->vendor, culprit->device);
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_VIABLE,
		    "%s: IOMMU group %d is not viable: the host uses %s of it%s",
		    card->function->name, card->function->group, text, why ? why : "");
	if (hint_at_needed(input, blockers, error))
		return FALSE;
	if (port)
		hint_at_port(port, error);
	else
		hint_at_group(input, card, blockers->len, error);
	return FALSE;
}

/* The profile would have them taken from the host: all but what it cannot do without. */
static gboolean judge_taken(const HvrPlanInput *input, const GPtrArray *blockers, GError **error)
{
	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		const char *vital = g_hash_table_lookup(input->view->vital, member);
		if (!vital)
			continue;
		hvr_inuse_refuse_vital(member, vital, error);
		return FALSE;
	}
	return TRUE;
}

/* Is @member one that the VM gets, beside @card and of its group? */
static gboolean comes_along(const HvrPlanInput *input, const HvrClaimedCard *card,
			    const HvrPciFunction *member)
{
	if (member == card->function || hvr_pci_function_is_bridge(member))
		return FALSE;
	return hvr_claim_has(input->claim, member) || hvr_judge_is_passed(card, member);
}

/* Behind an IOMMU of the guest's each function is in an address space of its own, and a group can
 * be in one: "group %d used in multiple address spaces" (vfio_get_group() in QEMU's hw/vfio). */
static gboolean judge_spaces(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const GPtrArray *group = hvr_inventory_group(input->inventory, card->function->group);

	for (guint i = 0; input->profile->iommu != HVR_IOMMU_NONE && i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		if (!comes_along(input, card, member))
			continue;
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_VIABLE,
			    "%s: it shares IOMMU group %d with %s, which the VM gets as well, and "
			    "the guest's own IOMMU would keep the two apart",
			    card->function->name, card->function->group, member->name);
		hvr_error_hint(error, "leave one of them out (group = bind), or set [vm] iommu = "
				      "none");
		return FALSE;
	}
	return TRUE;
}

/* The host needs none of the group's other members, or the profile says what to do with them. */
gboolean hvr_judge_group(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrPciFunction *port = NULL;

	if (!judge_iommu_group(input->facts, card->function, error) ||
	    !judge_spaces(input, card, error))
		return FALSE;
	g_autoptr(GPtrArray) blockers = hvr_judge_blockers(input->inventory, input->claim, card);
	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		if (!hvr_pci_function_takes_vfio(member))
			port = member;
	}
	if (blockers->len == 0)
		return TRUE;
	if (card->device->group == HVR_GROUP_REFUSE || port)
		return refuse_group(input, card, blockers, port, error);
	return judge_taken(input, blockers, error);
}
