/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * The failures that are known: one table of what is said, what it means and what to do.
 *
 * What the same failure is called differs by version, so one meaning has several rows. Where one
 * text has several causes, its meaning offers all of them.
 */

/* Who says it. */
typedef enum {
	HVR_VERIFY_LOG,	 /* the guest's kernel, a line */
	HVR_VERIFY_NODE, /* open(2) of a node, the agent's words */
	HVR_VERIFY_TOOL, /* hailortcli, all that it printed, or its exit status alone */
} HvrVerifySource;

typedef struct {
	HvrVerifySource source;
	const char *text; /* where it appears; NULL: a row of a status */
	const char *also; /* must appear in the same line; NULL: nothing */
	int number;	  /* must follow the text, whole: -2 is not -22; 0: nothing must */
	int status;	  /* of a row of a status: hailortcli's, which is HailoRT's */
	const char *meaning;
	const char *fix;
} HvrVerifyKnown;

/* The table: the more a row tells, the earlier it stands. */
extern const HvrVerifyKnown hvr_verify_known_table[];
extern const gsize hvr_verify_known_count;

/**
 * hvr_verify_known - the first row of a source whose text appears. Pure.
 * @text: (nullable): lines
 * @out_line: (nullable) (out) (transfer full): the line that has it, set only when one is found
 * Returns: (transfer none): NULL when none does
 */
const HvrVerifyKnown *hvr_verify_known(HvrVerifySource source, const char *text, char **out_line);

/* (transfer none): what an exit status of hailortcli means by itself, or NULL. That of 0 is for a
 * success with nothing to show for it. */
const HvrVerifyKnown *hvr_verify_known_status(int status);
