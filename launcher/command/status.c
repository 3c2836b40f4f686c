/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status: the running VMs, from their records and from who is alive.
 */
#include <stdio.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/status-ended.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "launcher/runtime/others.h"
#include "launcher/runtime/queue.h"
#include "launcher/runtime/vm.h"

typedef struct {
	gboolean json, forget;
} Options;

/* Which of its processes stands still: "supervisor", "qemu", or NULL. */
static const char *stopped_process(const HvrContext *context, const HvrVm *vm)
{
	if (hvr_process_stopped(&context->host, &vm->supervisor))
		return "supervisor";
	return hvr_process_stopped(&context->host, &vm->qemu) ? "qemu" : NULL;
}

/* "orphaned": QEMU runs and its supervisor was killed. */
static const char *state_of(const HvrContext *context, const HvrVm *vm)
{
	if (stopped_process(context, vm))
		return "stopped";
	if (!hvr_process_alive(&context->host, &vm->qemu))
		return "starting";
	if (vm->supervisor.pid == 0)
		return "unsupervised";
	if (!hvr_process_alive(&context->host, &vm->supervisor))
		return "orphaned";
	return vm->paused ? "paused" : "running";
}

/* What the state leaves open, for people. */
static void append_state(const HvrContext *context, const HvrVm *vm, GString *text)
{
	const char *stopped = stopped_process(context, vm);
	const char *state = state_of(context, vm);

	g_string_append(text, state);
	if (stopped && g_str_equal(stopped, "qemu"))
		g_string_append(text, ": QEMU, by a signal");
	else if (stopped)
		g_string_append(text, ": its supervisor, by a signal such as Ctrl-Z's");
	else if (vm->panicked)
		g_string_append(text, ", its guest's kernel has panicked");
	else if (vm->paused)
		g_string_append(text, ", its guest stands still until QMP's 'cont'");
	else if (vm->ready_set)
		g_string_append(text, vm->ready ? " and ready" : ", not ready yet");
}

static const char *device_state(const HvrVmDevice *device)
{
	if (device->in_vm)
		return "in-vm";
	return device->keep ? "kept" : "released";
}

/* A VM, and the runtime folder that it is in. */
typedef struct {
	const HvrVm *vm;
	const char *folder;
} Shown;

static char *qmp_path(const Shown *shown)
{
	const HvrVm *vm = shown->vm;

	return g_build_filename(shown->folder, "vms", vm->name, HVR_VM_QMP, NULL);
}

/* Where a viewer finds it; NULL: nowhere. */
static char *screen_place(const Shown *shown)
{
	const HvrVm *vm = shown->vm;

	if (!vm->screen || !g_str_has_suffix(vm->screen, ".sock"))
		return g_strdup(vm->screen);
	return g_build_filename(shown->folder, "vms", vm->name, vm->screen, NULL);
}

static JsonArray *forwards_to_json(const HvrVm *vm)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < vm->forwards->len; i++) {
		const HvrVmForward *forward = g_ptr_array_index(vm->forwards, i);
		JsonObject *item = json_object_new();
		json_object_set_string_member(item, "protocol", forward->udp ? "udp" : "tcp");
		json_object_set_string_member(item, "address", forward->address);
		json_object_set_int_member(item, "port", forward->port);
		json_object_set_int_member(item, "guest_port", forward->guest_port);
		json_array_add_object_element(array, item);
	}
	return array;
}

static JsonObject *vm_to_json(const HvrContext *context, const Shown *shown)
{
	const HvrVm *vm = shown->vm;
	JsonObject *object = json_object_new();
	JsonArray *devices = json_array_new();
	g_autofree char *qmp = qmp_path(shown);
	g_autofree char *screen = screen_place(shown);

	json_object_set_string_member(object, "name", vm->name);
	json_object_set_string_member(object, "state", state_of(context, vm));
	json_object_set_int_member(object, "pid", vm->qemu.pid);
	json_object_set_int_member(object, "supervisor_pid", vm->supervisor.pid);
	json_object_set_string_member(object, "qmp", qmp);
	hvr_json_set_string(object, "profile", vm->profile);
	hvr_json_set_string(object, "user", vm->by);
	hvr_json_set_string(object, "job", vm->job);
	hvr_json_set_string(object, "screen", screen);
	json_object_set_int_member(object, "since", vm->since);
	if (vm->ready_set)
		json_object_set_boolean_member(object, "ready", vm->ready && !vm->panicked);
	else
		json_object_set_null_member(object, "ready");
	json_object_set_boolean_member(object, "panicked", vm->panicked);
	json_object_set_boolean_member(object, "paused", vm->paused);
	hvr_json_set_string(object, "stopped", stopped_process(context, vm));
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		JsonObject *item = json_object_new();
		json_object_set_string_member(item, "name", device->id);
		json_object_set_string_member(item, "address", device->address);
		json_object_set_string_member(item, "state", device_state(device));
		json_array_add_object_element(devices, item);
	}
	json_object_set_array_member(object, "devices", devices);
	json_object_set_array_member(object, "forwards", forwards_to_json(vm));
	return object;
}

static JsonArray *waiters_to_json(const GPtrArray *waiters)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < waiters->len; i++) {
		const HvrWaiter *waiter = g_ptr_array_index(waiters, i);
		JsonObject *item = json_object_new();
		JsonArray *groups = json_array_new();
		for (guint k = 0; k < waiter->groups->len; k++)
			json_array_add_int_element(groups, g_array_index(waiter->groups, int, k));
		hvr_json_set_string(item, "vm", waiter->vm);
		json_object_set_int_member(item, "pid", waiter->pid);
		json_object_set_int_member(item, "since", waiter->since);
		json_object_set_array_member(item, "iommu_groups", groups);
		json_array_add_object_element(array, item);
	}
	return array;
}

static void print_json(const HvrContext *context, const GPtrArray *shown, const GPtrArray *ended,
		       const GPtrArray *waiters)
{
	JsonObject *root = json_object_new();
	JsonArray *array = json_array_new();

	for (guint i = 0; i < shown->len; i++)
		json_array_add_object_element(array,
					      vm_to_json(context, g_ptr_array_index(shown, i)));
	json_object_set_array_member(root, "vms", array);
	json_object_set_array_member(root, "ended", hvr_status_ended_to_json(ended));
	if (waiters)
		json_object_set_array_member(root, "waiting", waiters_to_json(waiters));
	hvr_json_print(root);
}

/* Whose it is, where that is not who asks. */
static void append_whose(const HvrVm *vm, GString *text)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	if (vm->by && !g_str_equal(vm->by, caller->name))
		g_string_append_printf(text, ", of user %s", vm->by);
	if (vm->job)
		g_string_append_printf(text, ", for job %s", vm->job);
}

static void print_vm(const HvrContext *context, const Shown *shown)
{
	const HvrVm *vm = shown->vm;
	g_autofree char *qmp = qmp_path(shown);
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_printf(text, "%s: ", vm->name);
	append_state(context, vm, text);
	g_string_append_printf(text, ", QEMU pid %d", (int)vm->qemu.pid);
	if (vm->supervisor.pid)
		g_string_append_printf(text, ", supervisor pid %d", (int)vm->supervisor.pid);
	append_whose(vm, text);
	g_string_append_printf(text, ", monitor %s\n", qmp);
	g_autofree char *screen = screen_place(shown);
	if (screen)
		g_string_append_printf(text, "  screen: %s\n", screen);
	for (guint i = 0; i < vm->forwards->len; i++) {
		g_autofree char *forward = hvr_vm_forward_text(g_ptr_array_index(vm->forwards, i));
		g_string_append_printf(text, "  forward: %s\n", forward);
	}
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		g_string_append_printf(text, "  %s: %s, %s\n", device->id, device->address,
				       device_state(device));
	}
	hvr_text_print(text->str);
}

static void print_waiter(const HvrWaiter *waiter)
{
	g_autoptr(GString) groups = g_string_new(NULL);

	for (guint i = 0; i < waiter->groups->len; i++)
		g_string_append_printf(groups, "%s%d", i ? " or " : "",
				       g_array_index(waiter->groups, int, i));
	g_autofree char *text =
		g_strdup_printf("%s: waits for a card of IOMMU group %s, pid %d\n",
				waiter->vm ? waiter->vm : "prepare", groups->str, (int)waiter->pid);
	hvr_text_print(text);
}

typedef struct {
	GPtrArray *own;	   /* of HvrVm */
	GPtrArray *others; /* of HvrOther */
	GPtrArray *shown;  /* of Shown, which borrow from those */
	GPtrArray *ended;  /* of HvrOtherEnded */
} Found;

static void found_clear(Found *found)
{
	g_clear_pointer(&found->shown, g_ptr_array_unref);
	g_clear_pointer(&found->own, g_ptr_array_unref);
	g_clear_pointer(&found->others, g_ptr_array_unref);
	g_clear_pointer(&found->ended, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

/* @name: (nullable): no other */
static void add_shown(Found *found, const HvrVm *vm, const char *folder, const char *name)
{
	const Shown shown = { .vm = vm, .folder = folder };

	if (!name || g_str_equal(vm->name, name))
		g_ptr_array_add(found->shown, g_memdup2(&shown, sizeof(shown)));
}

static gboolean find(HvrContext *context, const char *name, Found *found, GError **error)
{
	hvr_context_open_runtime(context, FALSE, NULL);
	*found = (Found){ .own = hvr_vm_list(context),
			  .others = hvr_others_find(context),
			  .shown = g_ptr_array_new_with_free_func(g_free),
			  .ended = hvr_status_ended_find(context, name) };
	for (guint i = 0; i < found->own->len; i++)
		add_shown(found, g_ptr_array_index(found->own, i), context->runtime_path, name);
	for (guint i = 0; i < found->others->len; i++) {
		const HvrOther *other = g_ptr_array_index(found->others, i);
		add_shown(found, other->vm, other->path, name);
	}
	if (!name || found->shown->len || found->ended->len)
		return TRUE;
	/* for what it says of it */
	g_autoptr(HvrVm) vm = hvr_vm_read(context, name, error);
	return vm != NULL;
}

static int status(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_auto(Found) found = { NULL };

	if (options->forget) {
		hvr_context_open_runtime(context, FALSE, NULL);
		return hvr_status_forget(context, invocation->words[0], error);
	}
	if (!find(context, invocation->words[0], &found, error))
		return -1;
	/* Of one VM nothing else is asked. */
	g_autoptr(GPtrArray) waiters = invocation->words[0] ? NULL : hvr_queue_list(context);
	if (options->json)
		print_json(context, found.shown, found.ended, waiters);
	for (guint i = 0; !options->json && i < found.shown->len; i++)
		print_vm(context, g_ptr_array_index(found.shown, i));
	/* Without a name, those that run are what people look for. */
	if (!options->json && invocation->words[0])
		hvr_status_ended_print(found.ended);
	for (guint i = 0; !options->json && waiters && i < waiters->len; i++)
		print_waiter(g_ptr_array_index(waiters, i));
	if (!options->json && found.shown->len == 0)
		hvr_message("no VMs are running");
	return 0;
}

static const HvrOption table[] = {
	HVR_OPTION_JSON(Options, json),
	{ "forget", 0, HVR_FLAG(Options, forget), NULL,
	  "Forget what VMs that have ended have left: this one, or all" },
	{ .name = NULL },
};

const HvrCommand hvr_command_status = {
	.name = "status",
	.words = "[VM]",
	.summary = "running VMs and their devices; how one ended",
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.run = status,
};
