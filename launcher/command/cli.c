/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/command/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "launcher/check/check.h"
#include "launcher/process/open.h"
#include "launcher/profile/load.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/name.h"

#define SET_NAME "vm.name="

static HvrProfilePlaces places_of(const HvrContext *context)
{
	return (HvrProfilePlaces){ .guarded = context->privileged,
				   .config_home = context->config_home,
				   .system_dir = context->system_config };
}

gboolean hvr_cli_profile_is_there(const HvrContext *context, const char *word,
				  const char *const *commands, GError **error)
{
	HvrProfilePlaces places = places_of(context);
	g_auto(HvrProfileFile) file = { .path = NULL };
	g_autofree char *left = NULL;

	places.commands = commands;
	return hvr_profile_find(word, &places, &file, &left, error);
}

HvrProfile *hvr_cli_profile(const HvrContext *context, const char *word,
			    const HvrProfileChanges *changes, GError **error)
{
	const HvrProfilePlaces places = places_of(context);
	g_auto(HvrProfileFile) file = { .path = NULL };
	g_autofree char *left = NULL;

	if (!hvr_profile_find(word, &places, &file, &left, error))
		return NULL;
	if (left)
		hvr_message("%s; %s is taken", left, file.path);
	return hvr_profile_load(&file, changes, error);
}

HvrProfile *hvr_cli_profile_named(const HvrContext *context, const char *word,
				  const HvrProfileChanges *changes, const char *name,
				  GError **error)
{
	g_autoptr(GPtrArray) sets = g_ptr_array_new();
	g_autofree char *set = g_strconcat(SET_NAME, name, NULL);

	if (!name)
		return hvr_cli_profile(context, word, changes, error);
	for (char **before = changes->sets; before && *before; before++)
		g_ptr_array_add(sets, *before);
	g_ptr_array_add(sets, set);
	g_ptr_array_add(sets, NULL);
	const HvrProfileChanges all = { .sets = (char **)sets->pdata, .without = changes->without };
	return hvr_cli_profile(context, word, &all, error);
}

gboolean hvr_cli_make_name(HvrContext *context, HvrProfile *profile, HvrLock **out_lock,
			   GError **error)
{
	g_autofree char *name = NULL;

	*out_lock = NULL;
	if (!profile->name_auto)
		return TRUE;
	*out_lock = hvr_name_take(context, profile->stem, &name, error);
	if (!*out_lock)
		return FALSE;
	hvr_profile_rename(profile, name);
	hvr_message("this VM's name is '%s'", name);
	return TRUE;
}

gboolean hvr_cli_sets_name(const HvrProfileChanges *changes)
{
	for (char **set = changes->sets; set && *set; set++)
		if (g_str_has_prefix(*set, SET_NAME))
			return TRUE;
	return FALSE;
}

/* A copy: a supervisor that detaches leaves the standard ones. */
static int copy_descriptor(guint64 number, GError **error)
{
	int flags = fcntl((int)number, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return fcntl((int)number, F_DUPFD_CLOEXEC, 3);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "--events: descriptor %d is not open for writing", (int)number);
	return -1;
}

static int append_as_caller(const char *path, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = path, .how = HVR_OPEN_APPEND, .fd = -1 };

	if (hvr_open(caller, &file, 1))
		return file.fd;
	hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--events", caller, &file);
	if (file.problem == ENXIO)
		hvr_error_hint(error, "start who reads the FIFO first");
	return -1;
}

HvrEvents *hvr_cli_events(const char *where, const char *vm, GError **error)
{
	guint64 number = 0;
	int fd;

	if (g_ascii_string_to_unsigned(where, 10, 0, INT_MAX, &number, NULL))
		fd = copy_descriptor(number, error);
	else
		fd = append_as_caller(where, error);
	if (fd < 0)
		return NULL;
	HvrEvents *events = hvr_events_new(fd, vm);
	if (number > STDERR_FILENO)
		hvr_events_set_original(events, (int)number);
	return events;
}

void hvr_cli_taken_clear(HvrCliTaken *taken)
{
	if (taken->context)
		taken->context->events = NULL;
	hvr_lock_release(taken->lock);
	g_clear_pointer(&taken->events, hvr_events_free);
	*taken = (HvrCliTaken){ .context = NULL };
}

gboolean hvr_cli_take(HvrContext *context, HvrProfile *profile, const char *where,
		      HvrCliTaken *out_taken, GError **error)
{
	if (!hvr_cli_make_name(context, profile, &out_taken->lock, error))
		return FALSE;
	if (where)
		out_taken->events = hvr_cli_events(where, profile->name, error);
	if (where && !out_taken->events)
		return FALSE;
	out_taken->context = context;
	context->events = out_taken->events;
	return TRUE;
}

HvrVm *hvr_cli_vm(HvrContext *context, const char *word, GError **error)
{
	hvr_context_open_runtime(context, FALSE, NULL);
	HvrVm *vm = hvr_vm_read(context, word, error);
	if (!vm)
		hvr_ended_explain(context, word, error);
	return vm;
}

void hvr_cli_tell_end(const HvrContext *context, const char *name)
{
	g_autoptr(HvrEnded) ended = hvr_ended_find(context, name);
	g_autofree char *text = ended ? hvr_ended_text(ended) : NULL;

	if (text)
		hvr_message("VM '%s' %s", name, text);
	else
		hvr_message("VM '%s' has ended", name);
}

gboolean hvr_cli_wants_colour(void)
{
	const char *no_colour = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

guint hvr_cli_width(void)
{
	const char *columns = g_getenv("COLUMNS");
	struct winsize size;
	guint64 width;

	if (columns && g_ascii_string_to_unsigned(columns, 10, 1, G_MAXUINT16, &width, NULL))
		return (guint)width;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

int hvr_cli_show_checks(const GPtrArray *results, gboolean json, gboolean quiet)
{
	const HvrCheckStyle style = { .colour = hvr_cli_wants_colour(),
				      .quiet = quiet,
				      .width = hvr_cli_width() };

	if (json) {
		hvr_json_print(hvr_check_to_json(results));
	} else {
		g_autofree char *text = hvr_check_to_text(results, &style);
		fputs(text, stdout);
	}
	return hvr_check_exit_status(results);
}
