/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/verify-known.h"

/* What the guest kernel's log holds against one card. */
typedef struct {
	char *device; /* "0000:01:00.0" in the guest; NULL: it is not said of which */
	char *line;   /* without its time */
	gboolean old; /* the driver has tried another card since */
	const HvrVerifyKnown *known;
} HvrVerifyComplaint;

/**
 * hvr_verify_log - judge the log of a guest. Pure.
 *
 * Each card is judged since the driver's last try with it: what was before is over. Of several
 * complaints of a card it is the one that tells most.
 *
 * @log: (nullable): what dmesg prints
 * Returns: (transfer full): array of HvrVerifyComplaint, one for a card that has any; at most 16
 */
GPtrArray *hvr_verify_log(const char *log) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_verify_pci - the Hailo devices on the guest's PCI bus. Pure.
 * @text: (nullable): /proc/bus/pci/devices, which leaves the domain out
 * Returns: (transfer full): array of strings, "01:00.0"
 */
GPtrArray *hvr_verify_pci(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Is a device ("0000:01:00.0") among them? */
gboolean hvr_verify_pci_has(const GPtrArray *pci, const char *device);
