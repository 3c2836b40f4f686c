/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way into VFIO that every VM takes: the container node, and a /dev that the kernel fills.
 */
#include "launcher/host/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/process/privileges.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define NODE "vfio/vfio"

static gboolean refuse(GError **error, const char *hint, const char *message)
{
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, message);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

static gboolean check_user(const HvrContext *context, const HvrUser *user, GError **error)
{
	HvrIdentity identity = hvr_user_identity(user);
	g_autofree char *path = hvr_fd_path(context->host.dev, NODE);
	const char *hint = "chmod 0666 /dev/vfio/vfio: it gives no access to any card";
	int problem = hvr_privileges_can_access(&identity, path, O_RDWR);

	if (!problem)
		return TRUE;
	if (problem == EPERM)
		hint = "something forbids the device (a service's DeviceAllow=, a container's "
		       "device rules): allow /dev/vfio/vfio and /dev/vfio/*";
	g_autofree char *message = g_strdup_printf("user %s cannot open /dev/vfio/vfio: %s",
						   user->name, g_strerror(problem));
	return refuse(error, hint, message);
}

gboolean hvr_container_is_there(const HvrContext *context)
{
	return hvr_tree_exists(context->host.sys, "module/vfio") ||
	       hvr_tree_exists(context->host.sys, "bus/pci/drivers/vfio-pci");
}

gboolean hvr_container_check(const HvrContext *context, const HvrUser *user, GError **error)
{
	const HvrHost *host = &context->host;
	g_autoptr(GError) cause = NULL;

	if (!hvr_tree_exists(host->dev, NODE))
		return refuse(error,
			      "in a container pass /dev/vfio on; else see that devtmpfs is on /dev",
			      "VFIO is loaded, and there is no /dev/vfio/vfio");
	if (context->privileged && !host->kernel->container_check(host, &cause))
		return refuse(error, "modprobe vfio_iommu_type1", cause->message);
	return check_user(context, user, error);
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS": the type of the mount
 * of that number, where that is on /dev. (nullable) (transfer full) */
static char *dev_type(const char *mountinfo, guint64 number)
{
	g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		const char *dash = strstr(lines[i], " - ");
		if (!dash || g_ascii_strtoull(lines[i], NULL, 10) != number)
			continue;
		g_auto(GStrv) place = g_strsplit(lines[i], " ", 6);
		g_auto(GStrv) origin = g_strsplit(dash + strlen(" - "), " ", 2);
		if (g_strv_length(place) < 6 || !g_str_equal(place[4], "/dev"))
			return NULL;
		return g_strdup(origin[0]);
	}
	return NULL;
}

gboolean hvr_nodes_appear(const HvrHost *host)
{
	g_autofree char *mountinfo = hvr_tree_read(host->proc, "self/mountinfo", NULL);
	struct statx stx;

	/* The number of a mount: since Linux 5.8 */
	if (!mountinfo || statx(host->dev, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 ||
	    !(stx.stx_mask & STATX_MNT_ID))
		return TRUE;
	g_autofree char *type = dev_type(mountinfo, stx.stx_mnt_id);
	return !type || g_str_equal(type, "devtmpfs");
}
