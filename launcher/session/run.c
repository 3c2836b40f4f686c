/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main job, in the order in which it happens:
 *
 *   recover   what dead owners left goes back to the host
 *   decide    VM lock, inventory, group locks, facts, plan: nothing is changed yet
 *   make      what QEMU gets beside the cards: whatever fails here has cost no card a reset
 *   prepare   the plan is carried out, journalled
 *   start     QEMU, as somebody without privileges
 *   stay      the session, until QEMU has ended
 *   give back journal entries of this VM, then its folder, then the locks
 */
#include "launcher/session/run.h"

#include <unistd.h>

#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback-groups.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/reserve.h"
#include "launcher/parts/room.h"
#include "launcher/process/interrupt.h"
#include "launcher/qemu/start.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/session/alone.h"
#include "launcher/session/dry-run.h"
#include "launcher/session/ending.h"
#include "launcher/session/late-cards.h"
#include "launcher/session/record.h"
#include "launcher/session/supervise.h"
#include "vfio/fd.h"
#include "vfio/kmsg.h"

/* A run, as far as it has come. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrRunOptions *options;
	HvrDecision decision;
	int folder;	       /* vms/NAME; -1: not made yet, or the session's */
	HvrStart start;	       /* what QEMU is started from */
	HvrHandover *handover; /* what it will get; NULL: not made yet, or it has it */
	HvrKmsg *kmsg;	       /* the kernel's words since before QEMU; NULL: not to be had */
	HvrStarted started;    /* QEMU, when it runs */
} Run;

static void run_clear(Run *run)
{
	hvr_handover_free(run->handover);
	hvr_ports_clear(&run->started.ports);
	hvr_serial_ends_clear(&run->started.serial);
	hvr_fd_close(run->folder);
	hvr_kmsg_free(run->kmsg);
	hvr_decision_clear(&run->decision);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static void recover(const HvrContext *context)
{
	g_autoptr(GPtrArray) problems = NULL;
	guint given = 0;

	if (context->privileged)
		given = hvr_giveback_dead(context, &problems);
	if (given == 1)
		hvr_message("gave back 1 PCI function of a run that did not end in order");
	else if (given > 1)
		hvr_message("gave back %u PCI functions of a run that did not end in order", given);
	for (guint i = 0; problems && i < problems->len; i++) {
		g_autoptr(GError) problem =
			g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
					    g_ptr_array_index(problems, i));
		hvr_message_warning(problem);
	}
}

/* The guest is one that was saved, and its cards come when it goes on. */
static gboolean goes_on(const Run *run)
{
	return run->options->warm && run->options->warm->restore >= 0;
}

/* Cards that come later are not in the VM yet; each has its own port. */
static HvrVm *make_record(const Run *run)
{
	HvrVm *vm = hvr_record_make(run->context, run->profile, &run->decision, TRUE);

	for (guint i = 0; goes_on(run) && i < vm->devices->len; i++)
		((HvrVmDevice *)g_ptr_array_index(vm->devices, i))->in_vm = FALSE;
	return vm;
}

/* What was chosen, and that alone: the rest is in the profile. */
static void tell_ports(const Run *run)
{
	const HvrProfile *profile = run->profile;
	g_autoptr(HvrVm) vm = hvr_record_make(run->context, profile, &run->decision, TRUE);
	const HvrForward *forward;

	for (guint i = 0; (forward = hvr_profile_forward(profile, i)); i++) {
		const HvrVmForward *there = g_ptr_array_index(vm->forwards, i);
		if (!forward->host_port)
			hvr_message("%s port %u of %s leads to the guest's port %u",
				    there->udp ? "udp" : "tcp", there->port, there->address,
				    there->guest_port);
	}
	if (profile->graphics_port == HVR_GRAPHICS_PORT_AUTO)
		hvr_message("the screen is at %s", vm->screen);
}

/* The started event: QEMU's pid, and what has been chosen for it. */
static void tell_started(const Run *run)
{
	g_autoptr(HvrVm) vm = hvr_record_make(run->context, run->profile, &run->decision, TRUE);
	g_autoptr(GString) forwards = g_string_new(NULL);
	JsonObject *members = json_object_new();

	for (guint i = 0; i < vm->forwards->len; i++) {
		g_autofree char *text = hvr_vm_forward_text(g_ptr_array_index(vm->forwards, i));
		g_string_append_printf(forwards, "%s%s", i ? " " : "", text);
	}
	json_object_set_int_member(members, "pid", run->started.pid);
	if (forwards->len)
		json_object_set_string_member(members, "forward", forwards->str);
	if (run->profile->graphics_port && vm->screen)
		json_object_set_string_member(members, "screen", vm->screen);
	hvr_events_tell_object(run->context->events, "started", members);
}

/* Nothing is left of a VM that came to nothing. */
static void take_back(Run *run)
{
	g_clear_pointer(&run->handover, hvr_handover_free);
	hvr_parts_remove(run->decision.parts);
	hvr_message_record(-1);
	hvr_vm_remove_folder(run->context->runtime, run->profile->name);
}

static gboolean start_beside(Run *run, GError **error)
{
	g_autoptr(HvrVm) record = make_record(run);

	run->start.record = record;
	gboolean started = hvr_start_qemu(&run->start, run->handover, &run->started, error);
	run->start.record = NULL;
	return started;
}

static gboolean supervise(Run *run, GError **error)
{
	const HvrSupervise running = { .context = run->context,
				       .profile = run->profile,
				       .options = run->options,
				       .decision = &run->decision,
				       .started = &run->started,
				       .vm = make_record(run),
				       .folder = g_steal_fd(&run->folder),
				       .kmsg = run->kmsg };

	return hvr_supervise(&running, error);
}

/* Starts QEMU and stays, or becomes QEMU: then this returns only when that failed. */
static gboolean start_qemu(Run *run, GError **error)
{
	const HvrContext *context = run->context;

	run->kmsg = hvr_kmsg_open(&context->host);
	if (run->options->mode == HVR_RUN_EXEC) {
		g_autoptr(HvrVm) own =
			hvr_record_make(context, run->profile, &run->decision, FALSE);
		if (hvr_vm_write(run->folder, own, error))
			hvr_start_exec(&run->start, run->handover, error);
	} else if (start_beside(run, error)) {
		g_clear_pointer(&run->handover, hvr_handover_free);
		tell_started(run);
		return supervise(run, error);
	}

	/* What was prepared for it goes back. */
	g_clear_pointer(&run->handover, hvr_handover_free);
	g_autoptr(HvrVm) vm = hvr_record_make(context, run->profile, &run->decision, TRUE);
	g_autoptr(GError) left = NULL;
	if (!hvr_ending_give_back(context, vm, run->decision.claim->locks, &left))
		hvr_message_error(left);
	take_back(run);
	return FALSE;
}

/* With the record of what is said, which outlives it: the last word is the command's own. */
static gboolean make_folder(Run *run, GError **error)
{
	run->folder = hvr_vm_make_folder(run->context->runtime, run->profile->name, error);
	if (run->folder < 0)
		return FALSE;
	if (run->options->mode != HVR_RUN_EXEC)
		hvr_message_record(hvr_vm_open_log(run->folder));
	return TRUE;
}

static gboolean make(Run *run, GError **error)
{
	const HvrDecision *decision = &run->decision;

	run->start = (HvrStart){ .context = run->context,
				 .profile = run->profile,
				 .facts = decision->facts,
				 .parts = decision->parts,
				 .plan = decision->plan,
				 .locks = decision->claim->locks,
				 .folder = run->folder,
				 .incoming = goes_on(run),
				 .stays = run->options->mode != HVR_RUN_EXEC };
	run->handover = hvr_handover_new(&run->start);
	if (!hvr_start_make(&run->start, run->handover, error))
		return FALSE;
	tell_ports(run);
	return TRUE;
}

/* After a failure in which all has been undone: is there another card to try? What the VM is made
 * of is looked at again, too. */
static gboolean try_another(Run *run, const HvrPciFunction *failed, GError **error)
{
	if (!failed || !hvr_decide_next(&run->decision, failed, error))
		return FALSE;
	g_clear_pointer(&run->decision.parts, hvr_parts_free);
	g_clear_pointer(&run->decision.facts, hvr_facts_free);
	return TRUE;
}

/* The VM's lock goes with the groups' ones: all are to name QEMU. Cards that come later are locked
 * now, and prepared beside QEMU (late-cards.h). @out_failed: of hvr_execute() */
static gboolean take_cards(Run *run, HvrLock *vm_lock, const HvrPciFunction **out_failed,
			   GError **error)
{
	const HvrContext *context = run->context;
	const HvrPlan *plan = run->decision.plan;
	const HvrOwnership ownership = { .vm = run->profile->name,
					 .owner = hvr_process_of(&context->host, getpid()) };
	GPtrArray *locks = run->decision.claim->locks;

	hvr_events_tell_number(context->events, "planned", "functions", plan->functions->len);
	if (!hvr_reserve(context, run->profile, run->decision.parts, locks, error))
		return FALSE;
	g_ptr_array_add(locks, vm_lock);
	gboolean has_folder = make_folder(run, error);
	hvr_dry_run_notes(plan);
	if (has_folder && make(run, error) &&
	    (goes_on(run) || hvr_execute(context, plan, &ownership, out_failed, error)))
		return TRUE;
	take_back(run);
	hvr_fd_close(run->folder);
	run->folder = -1;
	g_ptr_array_steal_index(locks, locks->len - 1);
	return FALSE;
}

/* A boot may be better. */
static gboolean check_later(Run *run, GError **error)
{
	HvrRunWarm *warm = run->options->warm;
	GError *cause = NULL;

	if (hvr_late_cards_check(run->profile, run->decision.plan, &cause))
		return TRUE;
	warm->good = TRUE;
	warm->problem = g_error_copy(cause);
	g_propagate_error(error, cause);
	return FALSE;
}

/* What the run is decided for. One that only saves its guest needs no card. */
static gboolean decide(Run *run, GError **error)
{
	const HvrProfile *profile = run->profile;
	const HvrRunWarm *warm = run->options->warm;
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const HvrDecideFor whom = { .devices = warm && warm->save >= 0 ? none : profile->devices,
				    .vm = profile->name,
				    .wait_s = run->options->wait_s };

	return hvr_decide(run->context, profile, &whom, &run->decision, error) &&
	       hvr_interrupt_check_all(error) && (!goes_on(run) || check_later(run, error));
}

/* Takes ownership of the VM's lock. */
static gboolean launch(Run *run, HvrLock *vm_lock, GError **error)
{
	const HvrContext *context = run->context;
	const HvrPciFunction *failed = NULL;
	GError *cause = NULL;

	do {
		failed = NULL;
		g_clear_error(&cause);
		if (!decide(run, &cause))
			continue;
		if (!take_cards(run, vm_lock, &failed, &cause))
			continue;
		if (!goes_on(run))
			hvr_events_tell(context->events, "prepared", NULL, NULL);
		return start_qemu(run, error);
	} while (try_another(run, failed, &cause));
	hvr_lock_release(vm_lock);
	g_propagate_error(error, cause);
	return FALSE;
}

/* Who may run the VM from now on, and what ends it. */
static void tell_prepared(const HvrPlan *plan)
{
	for (guint i = 0; i < plan->cards->len; i++) {
		const HvrPlanCard *card = g_ptr_array_index(plan->cards, i);
		char address[HVR_PCI_ADDRESS_SIZE];

		hvr_pci_address_format(&card->address, address);
		hvr_message("%s: %s is on vfio-pci for user %s, until 'hailo-vm-run release %s'",
			    card->id, address, plan->user->name, address);
	}
	if (plan->cards->len == 0)
		hvr_message("the profile has no [device]: there is nothing to prepare");
}

static gboolean prepare(Run *run, GError **error)
{
	const HvrDecideFor whom = { .devices = run->profile->devices,
				    .wait_s = run->options->wait_s };
	const HvrOwnership nobody = { .vm = NULL };
	const HvrPciFunction *failed = NULL;
	GError *cause = NULL;

	do {
		failed = NULL;
		g_clear_error(&cause);
		if (!hvr_decide(run->context, run->profile, &whom, &run->decision, &cause))
			continue;
		hvr_dry_run_notes(run->decision.plan);
		if (hvr_execute(run->context, run->decision.plan, &nobody, &failed, &cause)) {
			tell_prepared(run->decision.plan);
			return TRUE;
		}
	} while (try_another(run, failed, &cause));
	g_propagate_error(error, cause);
	return FALSE;
}

static HvrLock *take_name(const HvrContext *context, const char *vm, GError **error)
{
	g_autofree char *name = hvr_lock_name_vm(vm);
	GError *cause = NULL;
	HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, vm, &cause);

	if (lock)
		return lock;
	if (g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY)) {
		g_prefix_error(&cause, "VM '%s' is running already: ", vm);
		hvr_error_hint(&cause, "--name auto finds a name that is free");
	}
	g_propagate_error(error, cause);
	return NULL;
}

gboolean hvr_run(HvrContext *context, const HvrProfile *profile, const HvrRunOptions *options,
		 GError **error)
{
	g_auto(Run)
		run = { .context = context,
			.profile = profile,
			.options = options,
			.folder = -1,
			.started = { .serial = HVR_SERIAL_ENDS_NONE, .ports = HVR_PORTS_INIT } };
	g_autoptr(HvrLock) lock = options->vm_lock;

	if (!hvr_context_open_runtime(context, TRUE, error))
		return FALSE;
	if (options->mode == HVR_RUN_EXEC && !hvr_alone_check(context, profile, error))
		return FALSE;
	recover(context);
	/* and the locks, which are there when the parts are asked */
	if (!hvr_room_check_runtime(context, profile->devices->len + 1, error))
		return FALSE;
	if (options->mode == HVR_RUN_PREPARE)
		return prepare(&run, error);

	if (lock)
		hvr_lock_adopt(&context->host, lock, profile->name);
	else
		lock = take_name(context, profile->name, error);
	return lock && launch(&run, g_steal_pointer(&lock), error);
}
