/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the words of a command line mean, and how a command ends.
 */
#pragma once

#include <glib.h>

#include "launcher/profile/overrides.h"
#include "launcher/profile/profile.h"
#include "launcher/report/events.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"

/* Finds and loads the profile that @word means. @changes: (nullable) */
HvrProfile *hvr_cli_profile(const HvrContext *context, const char *word,
			    const HvrProfileChanges *changes,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is there a profile that @word means? @commands: of HvrProfilePlaces. Errors: of
 * hvr_profile_find(); where @word is a path it is not asked for. */
gboolean hvr_cli_profile_is_there(const HvrContext *context, const char *word,
				  const char *const *commands,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As hvr_cli_profile(). @name: (nullable): of --name, which counts more than @changes; "auto": one
 * is to be made
 */
HvrProfile *hvr_cli_profile_named(const HvrContext *context, const char *word,
				  const HvrProfileChanges *changes, const char *name,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_cli_make_name - where a name is to be made: makes it, and tells it.
 * @out_lock: (transfer full): the VM's lock, for HvrRunOptions; NULL: the name was given
 * Errors: of hvr_name_take()
 */
gboolean hvr_cli_make_name(HvrContext *context, HvrProfile *profile, HvrLock **out_lock,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is the VM's name among what is set? */
gboolean hvr_cli_sets_name(const HvrProfileChanges *changes);

/**
 * hvr_cli_events - where `--events` goes.
 * @where: a number is an open descriptor, of which a copy is kept; all else a file to append to,
 *   opened as the caller, which may be a FIFO that somebody reads
 * @vm: as of hvr_events_new()
 * Errors: HVR_LAUNCH_ERROR_USAGE, or _PERMISSION
 */
HvrEvents *hvr_cli_events(const char *where, const char *vm,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a command has taken for the VM that it is about to run. */
typedef struct {
	HvrContext *context; /* has the events until they are cleared; borrowed */
	HvrLock *lock;	     /* for HvrRunOptions, as of hvr_cli_make_name() */
	HvrEvents *events;   /* NULL: none are wanted */
} HvrCliTaken;

void hvr_cli_taken_clear(HvrCliTaken *taken);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrCliTaken, hvr_cli_taken_clear)

/**
 * hvr_cli_take - the VM's name, where one is to be made, and where its events go.
 * @where: (nullable): of --events
 * @out_taken: all 0 before
 * Errors: of hvr_cli_make_name(), hvr_cli_events()
 */
gboolean hvr_cli_take(HvrContext *context, HvrProfile *profile, const char *where,
		      HvrCliTaken *out_taken, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The running VM that @word means. Errors: as hvr_vm_read(), with how it ended where it has run;
 * and _USAGE for what is no name. */
HvrVm *hvr_cli_vm(HvrContext *context, const char *word, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says that a VM has ended, and why where that is known. */
void hvr_cli_tell_end(const HvrContext *context, const char *name);

/* May standard output have colour? It is a terminal, and NO_COLOR is not set. */
gboolean hvr_cli_wants_colour(void);

/* How many columns a line on standard output may have: COLUMNS where it says so, else those of the
 * terminal; 0 where it is none: then nothing is cut. */
guint hvr_cli_width(void);

/* Prints what checks found, of HvrCheckResult. @quiet: only what is not PASS; not of the JSON.
 * Returns: the exit status that is their answer. */
int hvr_cli_show_checks(const GPtrArray *results, gboolean json, gboolean quiet);
