/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decides whether one card can be given away, itself and what is taken for its sake. What its
 * group means for it is in judge-group.c.
 */
#include "launcher/host/judge.h"

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
