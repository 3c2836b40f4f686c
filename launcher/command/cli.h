/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/**
 * HvrCommand - one word of the command line. Its function gets the words behind it and returns the
 * exit status; a failure is an error, whose status hvr_exit_status() tells.
 */
typedef struct {
	const char *name;
	const char *arguments; /* for --help */
	const char *summary;
	int (*run)(HvrContext *context, char **words, GError **error);
} HvrCommand;

/* All of them, in the order of --help; ends with a NULL name. */
extern const HvrCommand hvr_commands[];
const HvrCommand *hvr_command_find(const char *name);

/* What may stand in front of the command; ends with a NULL name. */
typedef struct {
	const char *name; /* "--root" */
	const char *form; /* "--root DIR", for --help */
	const char *summary;
} HvrCliGlobal;
extern const HvrCliGlobal hvr_cli_globals[];

/* What hvr_cli_parse() found. */
typedef enum {
	HVR_CLI_GO,
	HVR_CLI_HELP, /* --help was asked for and printed: nothing else to do */
	HVR_CLI_WRONG,
} HvrCli;

/**
 * hvr_cli_parse - the options of one command.
 * @command: its name
 * @entries: GLib's option table; @data: what its callbacks get
 * @words: NULL-terminated; the options are taken out, what remains are the arguments
 * @min, @max: how many of them there may be
 * Errors: HVR_LAUNCH_ERROR_USAGE: one sentence, and "Try 'hailo-vm-run COMMAND --help'".
 */
HvrCli hvr_cli_parse(const char *command, const GOptionEntry *entries, gpointer data, char ***words,
		     guint min, guint max, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gets one row of a command's option table, which lives as long as the call; its texts live on. */
typedef void (*HvrCliReader)(const GOptionEntry *entry, gpointer data);

/* Shows @command's option table to @reader, "--help" last. The command itself does nothing. */
void hvr_cli_read_options(HvrContext *context, const HvrCommand *command, HvrCliReader reader,
			  gpointer data);

/**
 * hvr_complete - "hailo-vm-run --complete WORD...", which the shells ask; neither in the help nor
 * in the manual, as it is for them alone.
 * @words: what stands on the command line up to the cursor, without the program and without what
 *   is in hvr_cli_globals; the last one, perhaps empty, is the one to complete
 *
 * Returns: (transfer full): a line each:
 *   CANDIDATE TAB DESCRIPTION   a whole word that begins with the last of @words
 *   :files [SUFFIX]             the shell's own files, and those with this ending
 *   :folders                    the shell's own folders
 * A candidate with '=' at its end wants more behind it. Files of "--option=" or "section.key="
 * stand behind the last '='. What cannot be found out is left out.
 */
char *hvr_complete(HvrContext *context, char **words) G_GNUC_WARN_UNUSED_RESULT;

/* Finds and loads the profile that @word means. @sets: (nullable): the words of --set. */
HvrProfile *hvr_cli_profile(const HvrContext *context, const char *word, char **sets,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The running VM that @word means. Errors: as hvr_vm_read(), and _USAGE for what is no name. */
HvrVm *hvr_cli_vm(HvrContext *context, const char *word, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is it 1 to a day's seconds? Else HVR_LAUNCH_ERROR_USAGE, naming @option. */
gboolean hvr_cli_seconds(const char *command, const char *option, int seconds, GError **error);

/* "hailo-vm-run --help". */
void hvr_cli_help(void);

/* One function for each command; see their files. */
int hvr_command_run(HvrContext *context, char **words, GError **error);
int hvr_command_prepare(HvrContext *context, char **words, GError **error);
int hvr_command_release(HvrContext *context, char **words, GError **error);
int hvr_command_print(HvrContext *context, char **words, GError **error);
int hvr_command_unplug(HvrContext *context, char **words, GError **error);
int hvr_command_plug(HvrContext *context, char **words, GError **error);
int hvr_command_stop(HvrContext *context, char **words, GError **error);
int hvr_command_status(HvrContext *context, char **words, GError **error);
int hvr_command_list(HvrContext *context, char **words, GError **error);
int hvr_command_check(HvrContext *context, char **words, GError **error);
int hvr_command_setup(HvrContext *context, char **words, GError **error);
int hvr_command_exec(HvrContext *context, char **words, GError **error);
int hvr_command_console(HvrContext *context, char **words, GError **error);
int hvr_command_log(HvrContext *context, char **words, GError **error);
int hvr_command_ssh(HvrContext *context, char **words, GError **error);
int hvr_command_test(HvrContext *context, char **words, GError **error);
int hvr_command_verify(HvrContext *context, char **words, GError **error);
int hvr_command_qmp(HvrContext *context, char **words, GError **error);
