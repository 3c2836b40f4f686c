/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "launcher/guest/options.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/**
 * HvrGuest - what a command does inside a VM's guest, through its agent.
 *
 * For a process that has nothing else to do: each function runs the default main context until it
 * is done. A termination signal is passed on to the command in the guest; a second one gives up on
 * the guest. Either way hvr_interrupt_pending() tells of it afterwards.
 */
typedef struct HvrGuest HvrGuest;

/**
 * hvr_guest_open - reach the agent of a running VM.
 * @timeout_ms: how long it may take to answer; a guest that is still booting is waited for
 *
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when the VM has no agent channel or has ended; _BUSY when
 * no agent answers in time.
 */
HvrGuest *hvr_guest_open(const HvrContext *context, const HvrVm *vm, guint timeout_ms,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_guest_free(HvrGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrGuest, hvr_guest_free)

/* At @deadline_us (monotonic; 0: never) whatever is being asked is given up, and nothing more is
 * asked, but while a command runs, which has its own timeout. */
void hvr_guest_cancel_at(HvrGuest *guest, gint64 deadline_us);

/* Has the last conversation ended, so that what failed may be that nobody is there any more? */
gboolean hvr_guest_is_lost(const HvrGuest *guest);

/* Where a command's input comes from and its output goes to while it runs, and how it is run.
 * Nothing is owned. */
typedef struct {
	int out_fd, err_fd; /* never waited for while something else is to be done */
	int copies[2];	    /* files that get what out_fd and err_fd get, in full; 0: none */
	int in_fd;	    /* -1: none. A file is read from where it stands, which stays */
	const HvrGuestOptions *how;
	const GPtrArray *puts; /* (nullable): of hvr_guest_options_open() */
	guint patience_s;      /* when the guest may think that we are gone; 0: five minutes */
} HvrGuestLive;

/* What is to be run. Nothing is owned. */
typedef struct {
	const char *const *argv; /* looked up in the PATH of the guest's agent */
	const guint8 *input;	 /* its standard input, at most HVR_AGENT_INPUT_MAX_BYTES */
	gsize input_bytes;
	guint timeout_ms; /* then it is killed; 0: it may run for ever */
	guint grace_ms;	  /* how long its end may take then; 0: ten seconds */
	/* (nullable): instead of @input, and with all of its output, of whatever size; NULL: it is
	 * kept by the agent, which keeps 16 MiB */
	const HvrGuestLive *live;
} HvrGuestCommand;

/* What came of it. */
typedef struct {
	/* Its exit status; 128 + N when signal N ended it; HVR_EXIT_TIMED_OUT when it was killed */
	int status;
	gboolean timed_out; /* it was killed, with all that it had started; @out and @err so far */
	/* All of it; of a live command the first MiB, as the rest has gone where it should */
	GByteArray *out, *err;
	gboolean truncated; /* there was more output than the agent keeps */
} HvrGuestResult;
void hvr_guest_result_clear(HvrGuestResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrGuestResult, hvr_guest_result_clear)

/**
 * hvr_guest_run - run one command to its end, or to its timeout.
 * It has ended when nobody holds its output any more. At the timeout all that it has started is
 * killed, by the guest's shell and its /proc; without those the agent has no output so far. A live
 * command needs that shell, too: in a guest without one it is run as others are.
 * Errors: HVR_COMMAND_ERROR when the guest cannot start it; HVR_LAUNCH_ERROR_UNAVAILABLE when its
 * agent does not allow it or says nonsense, or the VM ends; _BUSY when the agent does not answer,
 * or interrupted.
 */
gboolean hvr_guest_run(HvrGuest *guest, const HvrGuestCommand *command, HvrGuestResult *out_result,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is to be read. Nothing is owned. */
typedef struct {
	const char *path;  /* in the guest */
	int out_fd;	   /* it is written there; what is written already stays when it fails */
	guint64 max_bytes; /* a longer file is an error */
	guint timeout_ms;  /* 0: it may take for ever */
} HvrGuestFile;

/**
 * hvr_guest_read - a whole file of the guest.
 * Errors: as hvr_guest_run(); _UNAVAILABLE also when it cannot be opened there or written here.
 */
gboolean hvr_guest_read(HvrGuest *guest, const HvrGuestFile *file,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_guest_fetch - a whole file of the guest, of 4 GiB and ten minutes at most, into one here.
 * @to: the guest decides what is in it, so it is opened as the caller (HVR_OPEN_REPLACE), before
 *the guest is asked Errors: as hvr_guest_read(); _PERMISSION and _KERNEL where @to cannot be opened
 */
gboolean hvr_guest_fetch(HvrGuest *guest, const char *from, const char *to,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a file of the guest for reading and closes it again. Returns: NULL when that works; else
 * the agent's word on why not (transfer full). Whether the agent itself failed is @error. */
char *hvr_guest_try_open(HvrGuest *guest, const char *path, guint timeout_ms, GError **error);

/**
 * hvr_guest_decode - the answer to guest-exec-status.
 * @out_exited: FALSE: it still runs, and @out_result is untouched
 * Errors: HVR_QMP_ERROR_PROTOCOL when it makes no sense.
 */
gboolean hvr_guest_decode(JsonNode *answer, gboolean *out_exited, HvrGuestResult *out_result,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;
