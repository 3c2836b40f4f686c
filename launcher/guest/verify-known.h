/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* A failure that others have had. */
typedef struct {
	const char *text; /* where it appears; NULL ends a table */
	int status;	  /* of hailortcli, which is HailoRT's; 0: none */
	const char *meaning;
	const char *fix;
} HvrVerifyKnown;

/* (transfer none): the failure that hailortcli's output or exit status means, or NULL. */
const HvrVerifyKnown *hvr_verify_known(const char *text, int status);

/* (transfer none): the first failure that the guest kernel's log tells of, or NULL. */
const HvrVerifyKnown *hvr_verify_known_log(const char *log);
