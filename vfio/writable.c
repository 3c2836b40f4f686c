/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write that would fail, seen before the first one is made.
 */
#include "vfio/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vfio/error.h"

static gboolean try_attribute(const HvrHost *host, const HvrPciFunction *function, const char *path,
			      GError **error)
{
	/* Through the links of sysfs, which stay in it: nothing is opened. */
	if (faccessat(host->sys, path, W_OK, AT_EACCESS) == 0 || errno == ENOENT)
		return TRUE;
	int saved = errno;
	HvrVfioError code = HVR_VFIO_ERROR_PERMISSION;

	/* Nobody may. */
	if (saved == EROFS)
		code = HVR_VFIO_ERROR_UNSUITABLE;
	g_set_error(error, HVR_VFIO_ERROR, code, "%s: /sys/%s cannot be written: %s",
		    function->name, path, g_strerror(saved));
	return FALSE;
}

gboolean hvr_pci_function_writable(const HvrHost *host, const HvrPciFunction *function,
				   GError **error)
{
	static const char *const attributes[] = { "driver_override", "driver/unbind",
						  "reset_method", "power/control",
						  "d3cold_allowed" };

	for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++) {
		g_autofree char *path =
			g_strdup_printf("bus/pci/devices/%s/%s", function->name, attributes[i]);
		if (!try_attribute(host, function, path, error))
			return FALSE;
	}
	return try_attribute(host, function, "bus/pci/drivers_probe", error);
}
