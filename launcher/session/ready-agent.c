/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready when the agent answers. QEMU tells when the guest opens the agent's port, so the channel,
 * which serves one client at a time, is not taken before; then a number goes there and back.
 */
#include "launcher/session/ready-ways.h"

#include "qmp/agent.h"

/* An agent that has opened its port and does not answer is tried again. */
#define ANSWER_MS 10000
#define AGAIN_MS  1000

typedef struct {
	HvrReadiness *readiness;
	HvrSession *session;
	guint subscription;
	HvrAgent *agent; /* asked; NULL: it is not */
	guint again;
} Watch;

static void try_agent(Watch *watch);

static gboolean on_again(gpointer user_data)
{
	Watch *watch = user_data;

	watch->again = 0;
	try_agent(watch);
	return G_SOURCE_REMOVE;
}

static void give_up(Watch *watch)
{
	g_clear_pointer(&watch->agent, hvr_agent_free);
	if (watch->again)
		g_source_remove(watch->again);
	watch->again = 0;
}

static void on_synced(HvrAgent *agent, JsonNode *result, const GError *error, gpointer user_data)
{
	Watch *watch = user_data;

	give_up(watch);
	if (error)
		watch->again = g_timeout_add(AGAIN_MS, on_again, watch);
	else
		hvr_readiness_reach(watch->readiness);
}

static void try_agent(Watch *watch)
{
	give_up(watch);
	watch->agent = hvr_agent_connect(watch->session->folder, HVR_VM_AGENT, NULL, NULL);
	if (watch->agent)
		hvr_agent_sync(watch->agent, ANSWER_MS, on_synced, watch);
	else
		watch->again = g_timeout_add(AGAIN_MS, on_again, watch);
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	Watch *watch = user_data;
	JsonNode *open = json_object_get_member(data, "open");

	/* It is the only port that a VM has. */
	if (!g_str_equal(name, "VSERPORT_CHANGE"))
		return;
	if (open && json_node_get_value_type(open) == G_TYPE_BOOLEAN && json_node_get_boolean(open))
		try_agent(watch);
	else
		give_up(watch);
}

static gpointer start(HvrReadiness *readiness, HvrSession *session)
{
	Watch *watch = g_new0(Watch, 1);

	watch->readiness = readiness;
	watch->session = session;
	watch->subscription = hvr_qmp_client_subscribe(session->qmp, on_event, NULL, watch);
	return watch;
}

static void stop(gpointer data)
{
	Watch *watch = data;

	give_up(watch);
	hvr_qmp_client_unsubscribe(watch->session->qmp, watch->subscription);
	g_free(watch);
}

const HvrReadyWay hvr_ready_by_agent = { .start = start, .stop = stop };
