/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/*
 * The guest's own shell, for what its agent alone cannot. The scripts say in their first lines what
 * they do and take. Words reach them as arguments, never as a part of their text.
 */
typedef enum {
	HVR_GUEST_PREPARE,
	HVR_GUEST_RUN,
	HVR_GUEST_CONTROL,
} HvrGuestScript;

/* Starts a script. @words: NULL-terminated. Returns: as hvr_guest_start() */
gint64 hvr_guest_shell_start(HvrGuest *guest, HvrGuestScript script, const char *const *words,
			     gboolean capture, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs one that is quickly done. Errors: in HVR_QMP_ERROR */
gboolean hvr_guest_shell_do(HvrGuest *guest, HvrGuestScript script, const char *const *words,
			    HvrGuestResult *out_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
