/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/dialect.h"
#include "launcher/process/user.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrQemu - what QEMU says of itself: which one it is, and whether it has what a VM with a card
 * needs. It is asked as the VM's user and without any privilege, for options that make it print
 * something and end. What is named as QEMU may be anything, such as a script that waits for
 * something: it has a deadline, and after the first one that it misses it is asked nothing more.
 */
typedef enum {
	HVR_QEMU_VERSION, /* 6.2 or newer: JSON for -device, which spares us its escaping */
	HVR_QEMU_DEVICES, /* vfio-pci, with the profile's properties, pcie-root-port, and the
			     profile's aio */
	HVR_QEMU_DIALECT, /* what its command line is like; none is against it */
	HVR_QEMU_SANDBOX, /* -sandbox on */
	HVR_QEMU_QUESTIONS
} HvrQemuQuestion;

typedef enum {
	HVR_ANSWER_NONE, /* not asked */
	HVR_ANSWER_GOOD,
	HVR_ANSWER_BAD,	    /* no VM would come of it */
	HVR_ANSWER_UNKNOWN, /* it does not tell, or not in time */
} HvrAnswerKind;

typedef struct {
	HvrAnswerKind kind;
	char *seen; /* one line */
	char *fix;  /* what to do; NULL where it is good */
} HvrQemuAnswer;

typedef struct {
	HvrQemuAnswer answers[HVR_QEMU_QUESTIONS];
	gboolean no_vfio; /* HVR_QEMU_DEVICES is bad for vfio-pci alone, which only a card needs */
	HvrDialect dialect; /* where that answer is good; else all FALSE */
} HvrQemu;

/**
 * hvr_qemu_ask - ask the program at @path all that @profile depends on.
 * Starts it three or four times, 20 to 60 ms each, and 100 for the dialect; once more where a card
 * is to have properties, and for each aio but threads. Changes nothing.
 */
HvrQemu *hvr_qemu_ask(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
		      const char *path) G_GNUC_WARN_UNUSED_RESULT;
void hvr_qemu_free(HvrQemu *qemu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrQemu, hvr_qemu_free)

/**
 * hvr_qemu_recall - has this very program answered well before, for this user and the same
 * questions? Remembered in the runtime folder, below /run, so until the host is booted anew; by its
 * file's number, size and times of change, not by its name alone.
 * @out_dialect: what it told of itself then; untouched where it is not known
 * Returns: FALSE, too, where what is remembered is not what this program writes.
 */
gboolean hvr_qemu_recall(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
			 const char *path, HvrDialect *out_dialect) G_GNUC_WARN_UNUSED_RESULT;

/* Remembers it, where all of @qemu is good and there is a runtime folder. To fail costs the next
 * start the questions again, no more: nothing is said. */
void hvr_qemu_remember(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
		       const char *path, const HvrQemu *qemu);
