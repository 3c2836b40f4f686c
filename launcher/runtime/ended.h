/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/*
 * What is left of a VM that has ended: its folder, moved from vms/NAME to ended/NAME, with its logs
 * and an ended.ini in it and nothing else. It is there until a VM of that name has ended again, or
 * somebody forgets it; of all names, the newest HVR_ENDED_MOST, and of these as many as take no
 * more than HVR_ENDED_BYTES, but one at least: the folder is mostly a tmpfs.
 */
#define HVR_ENDED_MOST	16
#define HVR_ENDED_BYTES (8 * 1024 * 1024)

/* The name of the file in ended/NAME/ that says how it ended. */
#define HVR_ENDED_RECORD "ended.ini"

typedef struct {
	char *name;
	char *why;    /* one harmless line: "guest powered off" */
	char *by;     /* who had started it, by name; NULL: nobody knows */
	int status;   /* what its `run` ended with; -1: nobody knows */
	gint64 since; /* when it was started, in seconds since the epoch; 0: nobody knows */
	gint64 until; /* when it ended, likewise */
} HvrEnded;
void hvr_ended_free(HvrEnded *ended);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrEnded, hvr_ended_free)

/**
 * hvr_ended_find - has VM @name run, and ended?
 * One whose supervisor and QEMU are gone without a word has ended, too, though nobody has put it
 * away yet.
 * Returns: (transfer full): NULL: it runs, or nothing is known of it, or there is no runtime folder
 */
HvrEnded *hvr_ended_find(const HvrContext *context, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* All of them, the newest first. [transfer full] */
GPtrArray *hvr_ended_list(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;

/* The folder of one that hvr_ended_find() knows. Returns: a descriptor that the caller closes, or
 * -1 with errno */
int hvr_ended_open_folder(const HvrContext *context, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* "ended at 12:34: guest powered off"; with the date, where that was not today. [transfer full] */
char *hvr_ended_text(const HvrEnded *ended) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_ended_explain - where VM @name has ended, that is what @error says, with where to read on.
 * @error: (inout): of hvr_vm_read(). Nothing happens when it or *@error is NULL
 */
void hvr_ended_explain(const HvrContext *context, const char *name, GError **error);

/* How a VM has ended. */
typedef struct {
	const char *why; /* anything: it is made one harmless line */
	int status;	 /* what its `run` ends with; -1: nobody knows */
} HvrEndedHow;

/**
 * hvr_ended_keep - put vms/NAME away: all but the logs goes, ended.ini joins them, and the folder
 * is renamed, in place of what the last VM of that name has left. Then those that are too many go.
 * The caller holds the VM's lock, and nobody runs it any more. Where it cannot be kept it is
 * removed; there is no vms/NAME behind this.
 */
void hvr_ended_keep(const HvrContext *context, const HvrVm *vm, const HvrEndedHow *how);

/* The same for one that a crash has left, with what its record says; without one it is removed. */
void hvr_ended_keep_leftover(const HvrContext *context, const char *name);

/* Nothing is known of it any more. FALSE: nothing was */
gboolean hvr_ended_forget(const HvrContext *context, const char *name);

/* What such a file says. @name: the VM's. Returns: (transfer full): NULL: it is none */
HvrEnded *hvr_ended_parse(const char *name, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The longest that an ended.ini is, in bytes. */
#define HVR_ENDED_RECORD_MAX 4096
