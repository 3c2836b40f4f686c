/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of VFIO: its modules, and the container node.
 *
 * The node is there before its module (kmod makes it from modules.devname), and opening it loads
 * the module: so it is only opened where the module is.
 */
#include "launcher/check/checking.h"

#include <errno.h>
#include <fcntl.h>

#include "launcher/host/judge.h"
#include "launcher/process/privileges.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

static void check_driver(HvrCheck *check)
{
	GError *error = NULL;

	if (!hvr_judge_vfio_pci(check->facts, &error))
		hvr_check_refuse(check, HVR_CHECK_FAIL, "vfio-pci", error, HVR_CHECK_SEE_RUN);
	else if (check->context->captured && !check->facts->vfio_pci_loaded)
		hvr_check_say(check, HVR_CHECK_UNSURE, "vfio-pci", "run check on that host",
			      "a captured tree has no modules to load");
	else if (check->facts->vfio_pci_loaded)
		hvr_check_pass(check, "vfio-pci", "the driver is there");
	else
		hvr_check_pass(check, "vfio-pci", "its module can be loaded, and run does that");
}

/* It comes with vfio-pci, as a soft dependency, and cannot where it is blacklisted. */
static void check_type1(HvrCheck *check)
{
	const HvrHost *host = &check->context->host;
	g_autoptr(GError) error = NULL;

	if (hvr_tree_exists(host->sys, "module/vfio_iommu_type1"))
		hvr_check_pass(check, "vfio-type1", "module vfio_iommu_type1 is there");
	else if (check->context->captured)
		return;
	else if (host->kernel->find_module(host, "vfio_iommu_type1", &error))
		hvr_check_pass(check, "vfio-type1", "module vfio_iommu_type1 can be loaded");
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "vfio-type1",
			      "it belongs to the kernel's package; look for 'blacklist "
			      "vfio_iommu_type1' in /etc/modprobe.d/",
			      "%s", error->message);
}

static void check_container_user(HvrCheck *check)
{
	HvrIdentity identity = hvr_user_identity(check->facts->user);
	g_autofree char *path = hvr_fd_path(check->context->host.dev, "vfio/vfio");
	const char *user = check->facts->user->name;
	const char *fix = "chmod 0666 /dev/vfio/vfio: it gives no access to any card";
	int problem = hvr_privileges_can_access(&identity, path, O_RDWR);

	if (problem == EPERM)
		fix = "something forbids the device (a service's DeviceAllow=, a container's "
		      "device rules): allow /dev/vfio/vfio and /dev/vfio/*";
	if (problem)
		hvr_check_say(check, HVR_CHECK_FAIL, "vfio-container", fix,
			      "user %s cannot open /dev/vfio/vfio: %s", user, g_strerror(problem));
	else
		hvr_check_pass(check, "vfio-container", "user %s may open /dev/vfio/vfio", user);
}

static void check_container(HvrCheck *check)
{
	const HvrHost *host = &check->context->host;
	g_autoptr(GError) error = NULL;

	if (check->context->captured)
		return;
	if (!hvr_tree_exists(host->sys, "module/vfio")) {
		hvr_check_pass(check, "vfio-container", "not asked: VFIO is not loaded yet");
		return;
	}
	if (!hvr_tree_exists(host->dev, "vfio/vfio")) {
		hvr_check_say(check, HVR_CHECK_FAIL, "vfio-container",
			      "in a container pass /dev/vfio on; else see that devtmpfs is on /dev",
			      "VFIO is loaded, and there is no /dev/vfio/vfio");
		return;
	}
	if (check->context->privileged && !host->kernel->container_check(host, &error))
		hvr_check_say(check, HVR_CHECK_FAIL, "vfio-container", "modprobe vfio_iommu_type1",
			      "%s", error->message);
	else
		check_container_user(check);
}

void hvr_check_vfio(HvrCheck *check)
{
	check_driver(check);
	check_type1(check);
	check_container(check);
}
