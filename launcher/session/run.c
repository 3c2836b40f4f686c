/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main job, in the order in which it happens:
 *
 *   recover   what dead owners left goes back to the host
 *   decide    VM lock, inventory, group locks, facts, plan: nothing is changed yet
 *   prepare   the plan is carried out, journalled
 *   start     QEMU, as somebody without privileges
 *   stay      the session, until QEMU has ended
 *   give back journal entries of this VM, then its folder, then the locks
 */
#include "launcher/session/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback.h"
#include "launcher/parts/server.h"
#include "launcher/process/interrupt.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/output.h"
#include "launcher/qemu/start.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/runtime/runtime.h"
#include "launcher/session/arrival.h"
#include "launcher/session/control.h"
#include "launcher/session/ending.h"
#include "launcher/session/hotplug.h"
#include "launcher/session/record.h"
#include "launcher/session/session.h"
#include "launcher/session/shutdown.h"
#include "launcher/session/terminal.h"
#include "vfio/fd.h"
#include "vfio/step.h"

static void show_notes(const HvrPlan *plan)
{
	for (guint i = 0; i < plan->notes->len; i++)
		hvr_message("%s", (const char *)g_ptr_array_index(plan->notes, i));
}

static void recover(const HvrContext *context)
{
	g_autoptr(GPtrArray) problems = NULL;
	guint given = context->privileged ? hvr_giveback_dead(context, &problems) : 0;

	if (given)
		hvr_message("gave back %u PCI function%s of a run that did not end in order", given,
			    given == 1 ? "" : "s");
	for (guint i = 0; problems && i < problems->len; i++) {
		g_autoptr(GError) problem =
			g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
					    g_ptr_array_index(problems, i));
		hvr_message_warning(problem);
	}
}

/* How QEMU's end is told to the user: NULL when it ended well, or as we asked. */
static void judge_end(const HvrSession *session, const HvrQemuOutput *output, GError **error)
{
	const char *meaning = hvr_qemu_output_meaning(output);
	int status = session->wait_status;

	if (session->failure && !hvr_interrupt_pending()) {
		g_propagate_error(error, g_error_copy(session->failure));
		return;
	}
	if (hvr_interrupt_pending() || session->stops->len || status == 0)
		return;
	if (WIFEXITED(status))
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "QEMU ended with status %d", WEXITSTATUS(status));
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "QEMU was ended by signal %d (%s)", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	if (meaning)
		hvr_error_hint(error, "%s", meaning);
}

static void tell_ended(const HvrSession *session)
{
	int status = session->wait_status;

	hvr_events_tell_number(session->context->events, "ended",
			       WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Without the socket the VM runs all the same; other commands then stand in at its monitor. */
static HvrControl *serve_requests(HvrSession *session, HvrHotplug *hotplug)
{
	g_autoptr(GError) error = NULL;
	int fd = hvr_runtime_listen(session->folder, HVR_VM_CONTROL, &error);

	if (fd >= 0)
		return hvr_control_new(hotplug, fd);
	hvr_message_warning(error);
	return NULL;
}

/* From a running QEMU to its end. */
static gboolean stay(const HvrContext *context, const HvrProfile *profile,
		     const HvrRunOptions *options, HvrDecision *decision, HvrVm *vm, int folder,
		     const HvrStarted *started, GError **error)
{
	HvrQemuOutput *output = hvr_qemu_output_new(started->output);
	HvrQmpClient *qmp = hvr_qmp_client_new(started->monitor, NULL);
	g_autoptr(HvrSession) session =
		hvr_session_new(context, profile, vm, folder, qmp, started->pidfd);
	g_autoptr(HvrHotplug) hotplug = hvr_hotplug_new(session);
	HvrArrival arrival;
	GError *end = NULL;

	session->child = TRUE;
	hvr_servers_watch(started->servers);
	vm->qemu = hvr_process_of(&context->host, started->pid);
	while (decision->claim->locks->len)
		g_ptr_array_add(session->locks,
				g_ptr_array_steal_index_fast(decision->claim->locks, 0));
	HvrControl *control = serve_requests(session, hotplug);
	hvr_session_save(session);
	hvr_arrival_begin(&arrival, session, options);
	hvr_session_run(session);

	hvr_arrival_end(&arrival);
	tell_ended(session);
	hvr_hotplug_finish(hotplug);
	hvr_qemu_output_drain(output);
	judge_end(session, output, &end);
	GError *undone = NULL;
	gboolean well = hvr_ending_finish(context, session->vm, session->locks, &undone);
	hvr_servers_end(started->servers);
	/* Whoever asked for the end may start the same VM again as soon as it is told. */
	hvr_session_stopped(session, undone);
	hvr_control_free(control);
	hvr_qemu_output_free(output);
	if (undone && end)
		hvr_message_error(end);
	gboolean ended_well = !end;
	if (undone)
		g_clear_error(&end);
	if (undone || end)
		g_propagate_error(error, undone ? undone : end);
	return well && ended_well;
}

/* What was prepared for a QEMU that then did not start. */
static void undo_start(const HvrContext *context, const HvrProfile *profile,
		       const HvrDecision *decision)
{
	g_autoptr(HvrVm) vm = hvr_record_make(context, profile, decision->plan, TRUE);
	g_autoptr(GError) error = NULL;

	if (!hvr_ending_give_back(context, vm, decision->claim->locks, &error))
		hvr_message_error(error);
	hvr_vm_remove_folder(context->runtime, profile->name);
}

static gboolean start_and_stay(const HvrContext *context, const HvrProfile *profile,
			       const HvrRunOptions *options, HvrDecision *decision, int folder,
			       GError **error)
{
	g_auto(HvrTerminal) terminal = hvr_terminal_save(profile);
	HvrStarted started = { 0 };
	HvrStart start = {
		.context = context,
		.profile = profile,
		.facts = decision->facts,
		.parts = decision->parts,
		.plan = decision->plan,
		.locks = decision->claim->locks,
		.folder = folder,
	};

	if (!hvr_start_qemu(&start, &started, error)) {
		undo_start(context, profile, decision);
		return FALSE;
	}
	hvr_events_tell_number(context->events, "started", "pid", started.pid);
	HvrVm *vm = hvr_record_make(context, profile, decision->plan, TRUE);
	int own_folder = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	return stay(context, profile, options, decision, vm, own_folder, &started, error);
}

/* Returns only when it failed. */
static gboolean become_qemu(const HvrContext *context, const HvrProfile *profile,
			    HvrDecision *decision, int folder, GError **error)
{
	g_autoptr(HvrVm) vm = hvr_record_make(context, profile, decision->plan, FALSE);
	HvrStart start = {
		.context = context,
		.profile = profile,
		.facts = decision->facts,
		.parts = decision->parts,
		.plan = decision->plan,
		.locks = decision->claim->locks,
		.folder = folder,
	};

	if (hvr_vm_write(folder, vm, error))
		hvr_start_exec(&start, error);
	undo_start(context, profile, decision);
	return FALSE;
}

/* The VM's lock goes with the groups' ones: QEMU inherits them all. Takes ownership of it. */
static gboolean launch(const HvrContext *context, const HvrProfile *profile,
		       const HvrRunOptions *options, HvrLock *vm_lock, GError **error)
{
	g_auto(HvrDecision) decision = { 0 };
	HvrDecideFor whom = { profile->devices, profile->name, FALSE, options->wait_s };
	HvrOwnership ownership = { profile->name, hvr_process_of(&context->host, getpid()) };

	if (!hvr_decide(context, profile, &whom, &decision, error)) {
		hvr_lock_release(vm_lock);
		return FALSE;
	}
	g_ptr_array_add(decision.claim->locks, vm_lock);
	show_notes(decision.plan);
	hvr_events_tell_number(context->events, "planned", "functions",
			       decision.plan->functions->len);
	g_auto(HvrFd) folder = hvr_vm_make_folder(context->runtime, profile->name, error);
	if (folder < 0)
		return FALSE;
	if (!hvr_execute(context, decision.plan, &ownership, error)) {
		hvr_vm_remove_folder(context->runtime, profile->name);
		return FALSE;
	}
	hvr_events_tell(context->events, "prepared", NULL, NULL);
	hvr_arrival_announce(profile, decision.plan->cards->len > 0);
	return options->mode == HVR_RUN_EXEC
		       ? become_qemu(context, profile, &decision, folder, error)
		       : start_and_stay(context, profile, options, &decision, folder, error);
}

static gboolean prepare(const HvrContext *context, const HvrProfile *profile, int wait_s,
			GError **error)
{
	g_auto(HvrDecision) decision = { 0 };
	HvrDecideFor whom = { profile->devices, NULL, FALSE, wait_s };
	HvrOwnership nobody = { NULL, { 0, 0 } };

	if (!hvr_decide(context, profile, &whom, &decision, error))
		return FALSE;
	show_notes(decision.plan);
	return hvr_execute(context, decision.plan, &nobody, error);
}

gboolean hvr_run(HvrContext *context, const HvrProfile *profile, const HvrRunOptions *options,
		 GError **error)
{
	g_autofree char *name = hvr_lock_name_vm(profile->name);
	GError *cause = NULL;

	if (!hvr_context_open_runtime(context, TRUE, error))
		return FALSE;
	if (options->mode == HVR_RUN_SUPERVISE && !hvr_readiness_check(profile, error))
		return FALSE;
	recover(context);
	if (options->mode == HVR_RUN_PREPARE)
		return prepare(context, profile, options->wait_s, error);

	HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, profile->name, &cause);
	if (!lock) {
		g_propagate_prefixed_error(error, cause,
					   "VM '%s' is running already: ", profile->name);
		return FALSE;
	}
	return launch(context, profile, options, lock, error);
}

static void show_changes(const HvrPlan *plan)
{
	for (guint i = 0; i < plan->first->len; i++) {
		g_autofree char *text = hvr_step_describe(g_ptr_array_index(plan->first, i));
		printf("%s\n", text);
	}
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		for (guint k = 0; k < planned->steps->len; k++) {
			g_autofree char *text =
				hvr_step_describe(g_ptr_array_index(planned->steps, k));
			printf("%s\n", text);
		}
	}
}

/* As a shell would start them, before QEMU connects to them. */
static void show_servers(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts)
{
	g_autoptr(GPtrArray) argvs =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	hvr_start_servers(context, profile, parts, argvs);
	for (guint i = 0; i < argvs->len; i++) {
		g_autofree char *line = hvr_cmdline_quote(g_ptr_array_index(argvs, i));
		printf("%s &\n", line);
	}
}

gboolean hvr_run_show(HvrContext *context, const HvrProfile *profile, gboolean changes,
		      GError **error)
{
	g_auto(HvrDecision) decision = { 0 };
	HvrDecideFor whom = { profile->devices, profile->name, TRUE, HVR_CLAIM_NO_WAIT };

	hvr_context_open_runtime(context, FALSE, NULL);
	if (!hvr_decide(context, profile, &whom, &decision, error))
		return FALSE;
	g_autoptr(GPtrArray) argv = hvr_start_argv(context, profile, decision.parts, decision.plan);
	g_autofree char *line = hvr_cmdline_quote(argv);
	if (changes) {
		show_notes(decision.plan);
		show_changes(decision.plan);
	}
	show_servers(context, profile, decision.parts);
	printf("%s\n", line);
	return TRUE;
}
