/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of VFIO: its modules, and the container node.
 */
#include "launcher/check/checking.h"

#include "launcher/host/container.h"
#include "vfio/tree.h"

static void check_driver(HvrCheck *check)
{
	if (!hvr_check_ask(check, "vfio-pci", NULL))
		return;
	if (check->facts->vfio_pci_loaded)
		hvr_check_pass(check, "vfio-pci", "the driver is there");
	else if (check->context->captured)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "vfio-pci", "run check on that host",
			      "a captured tree has no modules to load");
	else
		hvr_check_pass(check, "vfio-pci", "its module can be loaded, and run does that");
}

static void check_type1(HvrCheck *check)
{
	if (!hvr_check_ask(check, "vfio-type1", NULL))
		return;
	if (hvr_tree_exists(check->context->host.sys, "module/vfio_iommu_type1"))
		hvr_check_pass(check, "vfio-type1", "module vfio_iommu_type1 is there");
	else if (!check->context->captured)
		hvr_check_pass(check, "vfio-type1", "module vfio_iommu_type1 can be loaded");
}

static void check_container(HvrCheck *check)
{
	if (check->context->captured || !hvr_check_ask(check, "vfio-container", NULL))
		return;
	if (hvr_container_is_there(check->context))
		hvr_check_pass(check, "vfio-container", "user %s may open /dev/vfio/vfio",
			       check->facts->user->name);
	else
		hvr_check_pass(check, "vfio-container", "not asked: VFIO is not loaded yet");
}

void hvr_check_vfio(HvrCheck *check)
{
	check_driver(check);
	check_type1(check);
	check_container(check);
}
