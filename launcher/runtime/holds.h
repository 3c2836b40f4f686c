/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/**
 * HvrHold - a card that no VM shall get until an administrator says so: by `hold`, or by itself
 * when it failed.
 *
 * It is of the card in one slot: it is known by its stable path and its id, so neither a boot nor
 * buses that are numbered anew move it to another, and another model in that slot is not held.
 * On disk: holds/PATH@ID below /var/lib/hailo-vm-run, '+' for '/'. The name alone holds: a file
 * that cannot be read holds its card, too.
 */
typedef struct {
	char *path;	 /* of the slot; "=ADDRESS" of a function that has none */
	char *id;	 /* "1e60:2864" */
	char *address;	 /* when it was held, for people; NULL: not known */
	char *reason;	 /* one line */
	char *by;	 /* the user's name; NULL: not known */
	gboolean itself; /* this program has held it, since it failed */
	gint64 since;	 /* seconds since the epoch; 0: not known */
} HvrHold;

/* A new hold of @function, by the caller and now. It is nowhere yet. */
HvrHold *hvr_hold_new(const HvrPciFunction *function, const char *reason) G_GNUC_WARN_UNUSED_RESULT;
void hvr_hold_free(HvrHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrHold, hvr_hold_free)

/* Is this a reason: one line of text for people, of at most HVR_HOLD_REASON_MAX bytes? */
gboolean hvr_hold_is_reason(const char *text);
#define HVR_HOLD_REASON_MAX 500

/**
 * hvr_holds_read - all that are held, by name; also of cards that are not there any more.
 * Returns: (transfer full): array of HvrHold; NULL with an error: it is not known
 * Errors: of hvr_lasting_open()
 */
GPtrArray *hvr_holds_read(const HvrContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How a card is known over boots: HvrHold's path and id. [transfer full] */
char *hvr_hold_path_of(const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;
char *hvr_hold_id_of(const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;

/* Does @hold mean @function? */
gboolean hvr_hold_is_of(const HvrHold *hold, const HvrPciFunction *function);
/* (transfer none) (nullable): the hold of @function. @holds: (nullable) */
const HvrHold *hvr_holds_find(const GPtrArray *holds, const HvrPciFunction *function);

/* Durable when it returns TRUE; replaces one of the same card. Errors: of hvr_lasting_open(),
 * G_IO_ERROR */
gboolean hvr_hold_write(const HvrContext *context, const HvrHold *hold, GError **error);
/* Durable too. Success when there is none. */
gboolean hvr_hold_remove(const HvrContext *context, const HvrHold *hold, GError **error);

/* "held since ..." as an error (HVR_LAUNCH_ERROR_UNAVAILABLE), with what lifts it from @function.
 */
void hvr_hold_set_error(const HvrHold *hold, const HvrPciFunction *function, GError **error);

/* "held since 2026-11-26 10:30 by root: REASON". [transfer full] */
char *hvr_hold_describe(const HvrHold *hold) G_GNUC_WARN_UNUSED_RESULT;
