/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unplug, plug and stop: what is done to a running VM.
 *
 * The supervisor answers for the VM, so it is asked first. Where there is none (--exec, or it was
 * killed), this process stands in for it with the same session code; plug alone needs the
 * supervisor, which has the profile.
 */
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/control.h"
#include "launcher/session/ending.h"
#include "launcher/session/session.h"
#include "launcher/session/shutdown.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* Beyond the deadline that the supervisor keeps itself: driver probes, resets, giving back. */
#define ANSWER_EXTRA_MS 300000

typedef struct {
	HvrSession *session;
	gboolean told;
	GError *error;
} Outcome;

static void on_done(const GError *error, gpointer user_data)
{
	Outcome *outcome = user_data;

	outcome->told = TRUE;
	outcome->error = error ? g_error_copy(error) : NULL;
	g_main_loop_quit(outcome->session->loop);
}

/* What the user should know beyond "timed out". */
static void explain_unplug(GError **error, const char *vm, const char *device)
{
	if (error && *error && hvr_exit_status(*error) == 75)
		hvr_error_hint(error,
			       "the guest has not let go of it: is it up, and is the card "
			       "unused in it? '%s' is still in VM '%s'; if the guest lets "
			       "go later, the card goes back to the host then",
			       device, vm);
}

static gboolean outcome_take(Outcome *outcome, GError **error)
{
	if (!outcome->told && outcome->session->qemu_ended)
		g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "QEMU ended meanwhile");
	else if (!outcome->told)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted");
	else if (outcome->error)
		g_propagate_error(error, outcome->error);
	return outcome->told && !outcome->error;
}

static gboolean unplug_standing_in(const HvrContext *context, HvrVm *vm, const char *device,
				   int seconds, gboolean keep, GError **error)
{
	g_autoptr(HvrSession) session = hvr_session_stand_in(context, vm, error);
	if (!session)
		return FALSE;
	Outcome outcome = { .session = session };

	hvr_session_unplug(session, device, (guint)seconds * 1000, keep, on_done, &outcome);
	if (!outcome.told)
		hvr_session_run(session);
	return outcome_take(&outcome, error);
}

static JsonObject *device_arguments(const char *device)
{
	JsonObject *arguments = json_object_new();
	json_object_set_string_member(arguments, "device", device);
	return arguments;
}

static gboolean unplug(HvrContext *context, const char *name, const char *device, int seconds,
		       gboolean keep, GError **error)
{
	HvrVm *vm = hvr_cli_vm(context, name, error);
	if (!vm)
		return FALSE;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, name);
	JsonObject *arguments = device_arguments(device);
	g_autoptr(GError) cause = NULL;

	json_object_set_int_member(arguments, "timeout_ms", (gint64)seconds * 1000);
	json_object_set_boolean_member(arguments, "keep", keep);
	if (isatty(STDERR_FILENO))
		hvr_message("asking the guest to let go of '%s'; it has %d s", device, seconds);
	hvr_interrupt_default();
	HvrControlAnswer answer = hvr_control_ask(folder, "unplug", arguments,
						  (guint)seconds * 1000 + ANSWER_EXTRA_MS, &cause);
	if (answer == HVR_CONTROL_NO_SUPERVISOR) {
		hvr_interrupt_init();
		unplug_standing_in(context, vm, device, seconds, keep, &cause);
	} else {
		hvr_vm_free(vm);
	}
	explain_unplug(&cause, name, device);
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	return !*error;
}

int hvr_command_unplug(HvrContext *context, char **words, GError **error)
{
	int seconds = 30;
	gboolean keep = FALSE;
	const GOptionEntry entries[] = {
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
		  "How long to wait for the guest (default 30)", "S" },
		{ "keep", 0, 0, G_OPTION_ARG_NONE, &keep,
		  "Leave the card on vfio-pci; `release` gives it back", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("unplug", entries, NULL, &rest, 2, 2, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return hvr_cli_seconds("unplug", "--timeout", seconds, error) &&
			       unplug(context, rest[0], rest[1], seconds, keep, error)
		       ? 0
		       : -1;
}

static gboolean plug(HvrContext *context, const char *name, const char *device, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, name, error);
	if (!vm)
		return FALSE;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, name);

	hvr_interrupt_default();
	if (hvr_control_ask(folder, "plug", device_arguments(device), ANSWER_EXTRA_MS, error) ==
	    HVR_CONTROL_DONE)
		return !*error;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s' has no supervisor, which alone can plug a card in", name);
	hvr_error_hint(error, "start it without --exec");
	return FALSE;
}

int hvr_command_plug(HvrContext *context, char **words, GError **error)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("plug", entries, NULL, &rest, 2, 2, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return plug(context, rest[0], rest[1], error) ? 0 : -1;
}

/* The end of a VM that nobody supervises: its cards and its folder are ours to put right. */
static gboolean stop_standing_in(const HvrContext *context, HvrVm *vm, gboolean force,
				 guint powerdown_ms, GError **error)
{
	g_autoptr(HvrSession) session = hvr_session_stand_in(context, vm, error);
	if (!session)
		return FALSE;

	hvr_shutdown_begin(session->shutdown, force, powerdown_ms);
	hvr_session_run(session);
	if (!session->qemu_ended) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted");
		return FALSE;
	}
	return hvr_ending_finish(context, session->vm, session->locks, error);
}

static gboolean stop(HvrContext *context, const char *name, int seconds, gboolean force,
		     GError **error)
{
	guint powerdown_ms = (guint)seconds * 1000;
	HvrVm *vm = hvr_cli_vm(context, name, error);
	if (!vm)
		return FALSE;
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, name);
	JsonObject *arguments = json_object_new();

	json_object_set_boolean_member(arguments, "force", force);
	json_object_set_int_member(arguments, "powerdown_ms", powerdown_ms);
	hvr_interrupt_default();
	if (hvr_control_ask(folder, "stop", arguments,
			    powerdown_ms + HVR_SHUTDOWN_QUIT_MS + ANSWER_EXTRA_MS,
			    error) == HVR_CONTROL_DONE) {
		hvr_vm_free(vm);
		return !*error;
	}
	hvr_interrupt_init();
	return stop_standing_in(context, vm, force, powerdown_ms, error);
}

int hvr_command_stop(HvrContext *context, char **words, GError **error)
{
	int seconds = HVR_SHUTDOWN_POWERDOWN_MS / 1000;
	gboolean force = FALSE;
	const GOptionEntry entries[] = {
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
		  "How long the guest has to power down (default 30)", "S" },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &force,
		  "Do not ask the guest: end QEMU at once", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("stop", entries, NULL, &rest, 1, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	return hvr_cli_seconds("stop", "--timeout", seconds, error) &&
			       stop(context, rest[0], seconds, force, error)
		       ? 0
		       : -1;
}
