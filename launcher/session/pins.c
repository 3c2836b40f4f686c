/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual CPU is a thread of QEMU's from the machine's start to its end: a guest that reboots
 * keeps them, and none is plugged here. So they are asked for once, at the first word.
 */
#include "launcher/session/pins.h"

#include <errno.h>
#include <sched.h>

#include "launcher/parts/placement.h"
#include "launcher/process/asuser.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/tree.h"

typedef struct {
	guint vcpu;
	pid_t thread;
	cpu_set_t cpus;
} Pin;

typedef struct {
	HvrSession *session;
	const HvrUser *user;
} Pins;

/* A HvrAsUserStep. */
static int put(gpointer data, guint i, int *out_fd)
{
	const Pin *pin = &g_array_index((GArray *)data, Pin, i);

	return sched_setaffinity(pin->thread, sizeof(pin->cpus), &pin->cpus) < 0 ? errno : 0;
}

static void tell(const HvrSession *session, guint vcpu, const char *why)
{
	hvr_message("warning: VM '%s': virtual CPU %u is not where [cpu] pin wants it, but where "
		    "QEMU runs: %s",
		    session->vm->name, vcpu, why);
}

/* A whole number of a CPU's; -1: there is none, or no thread's */
static int read_number(JsonObject *cpu, const char *name)
{
	JsonNode *node = json_object_get_member(cpu, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
		return -1;
	gint64 number = json_node_get_int(node);
	return number >= 0 && number <= G_MAXINT ? (int)number : -1;
}

/* -1: QEMU does not tell. @cpus: what it has told */
static pid_t find_thread(JsonArray *cpus, guint vcpu)
{
	for (guint i = 0; i < json_array_get_length(cpus); i++) {
		JsonNode *node = json_array_get_element(cpus, i);

		if (JSON_NODE_HOLDS_OBJECT(node) &&
		    read_number(json_node_get_object(node), "cpu-index") == (int)vcpu)
			return read_number(json_node_get_object(node), "thread-id");
	}
	return -1;
}

/* Whatever QEMU says, no other process's. */
static gboolean is_of_qemu(const HvrSession *session, pid_t thread)
{
	g_autofree char *path =
		g_strdup_printf("%d/task/%d", (int)session->vm->qemu.pid, (int)thread);

	return thread > 0 && hvr_tree_exists(session->context->host.proc, path);
}

/* [transfer full] of Pin */
static GArray *find_pins(const HvrSession *session, JsonArray *cpus)
{
	GArray *pins = g_array_new(FALSE, FALSE, sizeof(Pin));

	for (guint vcpu = 0; vcpu < session->profile->cpus; vcpu++) {
		Pin pin = { .vcpu = vcpu, .thread = find_thread(cpus, vcpu) };

		if (!hvr_placement_vcpu(session->profile, vcpu, &pin.cpus))
			continue;
		if (is_of_qemu(session, pin.thread))
			g_array_append_val(pins, pin);
		else
			tell(session, vcpu, "QEMU does not say which of its threads it is");
	}
	return pins;
}

static void put_all(const Pins *pins, JsonArray *cpus)
{
	g_autoptr(GArray) found = find_pins(pins->session, cpus);
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, found->len + 1);
	const HvrAsUser how = { .user = pins->user, .step = put, .data = found, .keep = -1 };

	if (found->len)
		hvr_as_user(&how, results, found->len);
	for (guint i = 0; i < found->len; i++)
		if (results[i].problem)
			tell(pins->session, g_array_index(found, Pin, i).vcpu,
			     g_strerror(results[i].problem));
}

static void on_cpus(HvrQmpClient *client, JsonNode *result, const GError *error, gpointer user_data)
{
	g_autofree Pins *pins = user_data;
	const HvrSession *session = pins->session;

	if (result && JSON_NODE_HOLDS_ARRAY(result))
		put_all(pins, json_node_get_array(result));
	else if (!error)
		hvr_message("warning: VM '%s': QEMU does not tell its virtual CPUs: none is where "
			    "[cpu] pin wants it",
			    session->vm->name);
	else if (!session->qemu_ended && !hvr_qmp_client_is_closed(client))
		hvr_message("warning: VM '%s': virtual CPUs are not where [cpu] pin wants them: %s",
			    session->vm->name, error->message);
}

void hvr_pins_begin(HvrSession *session, const HvrUser *user)
{
	Pins *pins;

	if (!hvr_placement_has_vcpus(session->profile))
		return;
	pins = g_new(Pins, 1);
	*pins = (Pins){ .session = session, .user = user };
	hvr_qmp_client_execute(session->qmp, "query-cpus-fast", NULL, 0, on_cpus, pins);
}

gboolean hvr_pins_check_exec(const HvrProfile *profile, GError **error)
{
	if (!hvr_placement_has_vcpus(profile))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: with --exec nobody puts each virtual CPU where [cpu] pin wants it");
	hvr_error_hint(error, "give [cpu] pin a list for all of QEMU, such as 0-3, and no "
			      "emulator-pin, or run without --exec");
	return FALSE;
}
