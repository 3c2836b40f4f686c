/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a guest is ready: three ways to watch for one moment, each event driven, none of them ours
 * to speed up. What is never reached is the business of whoever set a deadline.
 */
#include "launcher/session/ready-ways.h"

#include "launcher/runtime/vm.h"
#include "qmp/agent.h"

struct HvrReadiness {
	const HvrReadyWay *way;
	gpointer watch; /* NULL: reached */
	HvrReadyReached reached;
	gpointer user_data;
};

HvrReadiness *hvr_readiness_new(HvrSession *session, HvrReadyReached reached, gpointer user_data)
{
	static const HvrReadyWay *const ways[] = {
		[HVR_READY_AGENT] = &hvr_ready_by_agent,
		[HVR_READY_SERIAL] = &hvr_ready_by_serial,
		[HVR_READY_TCP] = &hvr_ready_by_tcp,
	};
	const HvrReadyWay *way = ways[session->profile->guest.ready];

	if (!way)
		return NULL;
	HvrReadiness *readiness = g_new0(HvrReadiness, 1);
	*readiness = (HvrReadiness){ .way = way, .reached = reached, .user_data = user_data };
	readiness->watch = way->start(readiness, session);
	return readiness;
}

static void stop(HvrReadiness *readiness)
{
	if (readiness->watch)
		readiness->way->stop(g_steal_pointer(&readiness->watch));
}

void hvr_readiness_free(HvrReadiness *readiness)
{
	if (!readiness)
		return;
	stop(readiness);
	g_free(readiness);
}

void hvr_readiness_reach(HvrReadiness *readiness)
{
	stop(readiness);
	readiness->reached(readiness->user_data);
}
