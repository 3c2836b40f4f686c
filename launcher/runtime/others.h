/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/vm.h"

/* A VM that a plain user runs, as root sees it. */
typedef struct {
	uid_t uid;
	char *user;  /* the name; or the number, where it has none */
	char *path;  /* the user's runtime folder, to show to people, */
	char *below; /* and below /run (HvrHost.run), to open it */
	HvrVm *vm;
} HvrOther;

/**
 * hvr_others_find - the VMs of all plain users, for root: those below /run/user/UID/hailo-vm-run
 * and /run/hailo-vm-run-users/UID (home.h). One whose XDG_RUNTIME_DIR was elsewhere is not found.
 *
 * A folder is the user's, who may put anything there: links, pipes, a file system of their own. So
 * it is read by a child that is that user, for half a minute at most, and what comes of it is
 * bounded. Of what a record says nothing counts but that one of its processes is there, is that
 * very process, and is the user's own; one that is not is no process of that VM.
 * Returns: (transfer full): of HvrOther, by user and name; empty where this is not root
 */
GPtrArray *hvr_others_find(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;

/* A VM that has ended, and whose it was. */
typedef struct {
	char *user; /* as above; NULL: one's own */
	HvrEnded *ended;
} HvrOtherEnded;
void hvr_other_ended_free(HvrOtherEnded *other);

/* The VMs of all plain users that have ended, found, read and bounded the same way. What such a
 * record says is the user's word, and no more; it is one harmless line. [transfer full] */
GPtrArray *hvr_others_ended(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;
