/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decides whether one card can be given away: itself, and what its group drags along.
 */
#include "launcher/host/judge.h"

#include "launcher/host/isolation.h"
#include "launcher/report/error.h"
#include "vfio/access.h"
#include "vfio/error.h"

#define VFIO_PCI "vfio-pci"
/* The "host" property of QEMU's vfio-pci, 7.2 to 10.0. */
#define QEMU_DOMAIN_MAX 0xffff

gboolean hvr_judge_domain(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrPciFunction *function = card->function;

	if (function->address.domain <= QEMU_DOMAIN_MAX)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: QEMU takes no PCI domain above %04x", function->name, QEMU_DOMAIN_MAX);
	hvr_error_hint(error, "such domains are made by Intel VMD: turn it off for this slot in "
			      "the firmware setup, or use another slot");
	return FALSE;
}

gboolean hvr_judge_alive(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const GError *dead = g_hash_table_lookup(input->view->dead, card->function);

	if (!dead)
		return TRUE;
	g_propagate_error(error, g_error_copy(dead));
	if (g_error_matches(dead, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT))
		hvr_error_hint(error,
			       "a driver hangs in its probe or remove: see the kernel's log");
	else if (g_error_matches(dead, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_POWER))
		hvr_error_hint(error, "it does not wake: write 0 to d3cold_allowed of it and of "
				      "the ports above it, or boot with pcie_port_pm=off; if that "
				      "does not help, power the host off and on");
	else
		hvr_error_hint(error, "power the host off and on: a warm reboot does not bring it "
				      "back");
	return FALSE;
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

/* Never a way to lose what the host itself needs. FALSE: there is nothing of that kind */
static gboolean hint_at_vital(const HvrPlanInput *input, const GPtrArray *blockers, GError **error)
{
	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		const char *what = g_hash_table_lookup(input->view->vital, member);
		if (!what)
			continue;
		hvr_error_hint(error,
			       "use a slot that has a group of its own: this host cannot do "
			       "without %s: %s",
			       member->name, what);
		return TRUE;
	}
	return FALSE;
}

static void hint_at_group(const HvrPlanInput *input, const HvrClaimedCard *card, guint blockers,
			  GError **error)
{
	const char *them = blockers == 1 ? "it" : "them";
	g_autofree char *section = g_strdup_printf("[device %s]", card->device->id);

	hvr_error_hint(error,
		       "use a slot that has a group of its own, or set in %s group = bind to take "
		       "%s from the host while the VM runs, or group = pass to give %s to the VM "
		       "too",
		       input->made_up ? "its [device] section" : section, them, them);
}

/* What no profile can do away with: only a port whose driver is another than pcieport. */
static void hint_at_port(const HvrPciFunction *port, GError **error)
{
	hvr_error_hint(error,
		       "%s is a bridge that vfio-pci does not take: take its driver away by "
		       "'echo %s > /sys/bus/pci/drivers/%s/unbind', or use a slot that has a group "
		       "of its own",
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
	if (port)
		hint_at_port(port, error);
	else if (!hint_at_vital(input, blockers, error))
		hint_at_group(input, card, blockers->len, error);
	return FALSE;
}

/* The host needs none of the group's other members, or the profile says what to do with them. */
gboolean hvr_judge_group(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	g_autoptr(GPtrArray) blockers = g_ptr_array_new();
	const HvrPciFunction *port = NULL;

	if (!judge_iommu_group(input->facts, card->function, error))
		return FALSE;
	g_autoptr(GPtrArray) companions =
		hvr_judge_companions(input->inventory, input->claim, card);
	for (guint i = 0; i < companions->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (!hvr_pci_function_blocks(member))
			continue;
		g_ptr_array_add(blockers, member);
		if (!hvr_pci_function_takes_vfio(member))
			port = member;
	}
	if (blockers->len == 0 || (card->device->group != HVR_GROUP_REFUSE && !port))
		return TRUE;
	return refuse_group(input, card, blockers, port, error);
}

gboolean hvr_judge_reserved(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const char *region = g_hash_table_lookup(input->view->reserved, card->function);

	if (!region)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: the firmware keeps memory for its IOMMU group %d (%s; Intel's "
		    "RMRR, AMD's IVMD): the kernel does not give such a group away",
		    card->function->name, card->function->group, region);
	hvr_error_hint(error,
		       "use another slot; or have the firmware claim no memory there: on HPE "
		       "servers by their tool for RMRR of a slot, else look in the firmware "
		       "setup for what manages that slot");
	return FALSE;
}

static gboolean judge_virtuals(const HvrPlanInput *input, const HvrPciFunction *function,
			       GError **error)
{
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(input->view->virtuals, function));

	if (n == 0)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: it has %u virtual functions, which its driver would take away with it",
		    function->name, n);
	hvr_error_hint(error,
		       "take one of its virtual functions, or write 0 to its sriov_numvfs: 'echo 0 "
		       "> /sys/bus/pci/devices/%s/sriov_numvfs'",
		       function->name);
	return FALSE;
}

static gboolean judge_one_writable(const HvrPlanInput *input, const HvrPciFunction *function,
				   GError **error)
{
	const GError *problem = g_hash_table_lookup(input->view->unwritable, function);

	if (!problem || g_strcmp0(function->driver, VFIO_PCI) == 0)
		return TRUE;
	g_propagate_error(error, g_error_copy(problem));
	hvr_error_hint(error, "run it where sysfs can be written: not in a container, nor in a "
			      "service with ProtectKernelTunables= or ReadOnlyPaths=");
	return FALSE;
}

typedef gboolean (*JudgeFunction)(const HvrPlanInput *input, const HvrPciFunction *function,
				  GError **error);

/* The card, and what is taken from the host for its sake. */
static gboolean judge_all_taken(const HvrPlanInput *input, const HvrClaimedCard *card,
				JudgeFunction judge, GError **error)
{
	g_autoptr(GPtrArray) companions =
		hvr_judge_companions(input->inventory, input->claim, card);

	if (!judge(input, card->function, error))
		return FALSE;
	for (guint i = 0; i < companions->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (hvr_judge_is_taken(card, member) && !judge(input, member, error))
			return FALSE;
	}
	return TRUE;
}

/* vfio-pci refuses a physical function whose virtual ones are there, and no driver that goes leaves
 * them. */
gboolean hvr_judge_sriov(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	return judge_all_taken(input, card, judge_virtuals, error);
}

gboolean hvr_judge_writable(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	return judge_all_taken(input, card, judge_one_writable, error);
}

static gboolean judge_one_prepared(const HvrPlanInput *input, const HvrPciFunction *function,
				   GError **error)
{
	const HvrPciState *now = g_hash_table_lookup(input->view->states, function);

	if (now && g_hash_table_contains(input->view->usable, function) &&
	    g_strcmp0(now->driver, VFIO_PCI) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "%s: it is not prepared for user %s, and only root can do that", function->name,
		    input->facts->user->name);
	hvr_error_hint(error, "run this as root (sudo), or once: sudo hailo-vm-run prepare "
			      "PROFILE; for every boot: sudo hailo-vm-run setup");
	return FALSE;
}

/* Root gives the node to the VM's user, where it shows up; a plain user can use what is prepared as
 * it is, since there is nothing that they could change. */
gboolean hvr_judge_node(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrPciState *now = g_hash_table_lookup(input->view->states, card->function);

	if (!input->facts->user->privileged)
		return judge_all_taken(input, card, judge_one_prepared, error);
	if (input->facts->nodes_appear || (now && now->has_node))
		return TRUE;
	g_autofree char *node = hvr_access_path(hvr_access_of(card->function));
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: /dev/%s is not there, and will not come: no devtmpfs is on /dev",
		    card->function->name, node);
	hvr_error_hint(error,
		       "run it on the host itself; a container gets cards that are prepared "
		       "there, by '--device /dev/vfio/vfio --device /dev/%s'",
		       node);
	return FALSE;
}

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
