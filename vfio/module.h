/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/* Kernel modules, by the host's own modprobe: the one that the kernel itself calls, in an
 * environment that is always the same. */

/**
 * hvr_module_find - could hvr_module_load() load it? Changes nothing.
 * Returns: (transfer full): the options that modprobe.d and the kernel's command line give it, ""
 * for none or a builtin; NULL: it could not Errors: HVR_VFIO_ERROR_NOT_FOUND: there is no such
 * module, or modprobe.d blacklists it
 */
char *hvr_module_find(const HvrHost *host, const char *name,
		      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_module_load - load a module and what it depends on. Success when it is there already or
 * built in. Blacklists count, as they would at boot.
 * Errors: HVR_VFIO_ERROR_KERNEL, with modprobe's own words
 */
gboolean hvr_module_load(const HvrHost *host, const char *name, GError **error);
