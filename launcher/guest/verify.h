/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/check/check.h"
#include "launcher/guest/guest.h"

/**
 * `verify`: does the guest have its Hailo-8? What its driver, its library and its card say of
 * themselves, and for each known failure what it means and what to do.
 */

/* What one command in the guest said. */
typedef struct {
	int status; /* 127: there is no such command; -1: it did not end in time */
	char *text; /* hvr_verify_text(); NULL: it was not asked */
} HvrVerifyOutput;

/**
 * hvr_verify_text - output as text that no NUL ends. Pure.
 *
 * hailortcli prints a board's name as a field of 32 bytes, and NULs behind it: they become blanks.
 *
 * @out, @err: (nullable): the second begins on a line of its own
 */
char *hvr_verify_text(const GByteArray *out, const GByteArray *err) G_GNUC_WARN_UNUSED_RESULT;

/* One node of the driver. */
typedef struct {
	char *name;    /* "hailo0" */
	char *problem; /* why it cannot be opened, in the agent's words; NULL: it can */
} HvrVerifyNode;
HvrVerifyNode *hvr_verify_node_new(const char *name, const char *problem);

/* All that is judged. */
typedef struct {
	char *driver;		  /* version of hailo_pci; NULL: not loaded */
	char *driver5;		  /* version of hailo1x_pci; NULL: not loaded */
	GPtrArray *nodes;	  /* of HvrVerifyNode */
	char *log;		  /* the guest kernel's; NULL: it cannot be read */
	char *pci;		  /* /proc/bus/pci/devices; NULL: it cannot be read */
	HvrVerifyOutput version;  /* hailortcli --version */
	HvrVerifyOutput identify; /* hailortcli fw-control identify */
	HvrVerifyOutput scan;	  /* hailortcli scan, asked where identify says nothing */
} HvrVerifyFacts;
void hvr_verify_facts_clear(HvrVerifyFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrVerifyFacts, hvr_verify_facts_clear)

/**
 * hvr_verify_gather - ask a guest. Changes nothing in it.
 * Errors: as hvr_guest_run(), when the guest cannot be asked at all.
 */
gboolean hvr_verify_gather(HvrGuest *guest, HvrVerifyFacts *out_facts,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_verify_judge - judge what a guest said. Pure.
 * @minimum: the oldest version that will do, "4.20"
 * Returns: (transfer full): array of HvrCheckResult, for hvr_check_to_text() and its siblings
 */
GPtrArray *hvr_verify_judge(const HvrVerifyFacts *facts,
			    const char *minimum) G_GNUC_WARN_UNUSED_RESULT;

/* Has a command printed nothing that one sees? @text: (nullable) */
gboolean hvr_verify_is_blank(const char *text);

/* The first version in a text, such as "4.23.0", or NULL. [transfer full] */
char *hvr_verify_find_version(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* < 0, 0, > 0, by numbers: "4.9" is older than "4.20", and "4.20" is "4.20.0". */
int hvr_verify_compare(const char *a, const char *b);
