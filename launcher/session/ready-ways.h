/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the ways to be ready have in common; nobody else includes it. */

#include "launcher/session/ready.h"

/* One way. @start: what it keeps, for @stop; never tells from inside it. */
typedef struct {
	gpointer (*start)(HvrReadiness *readiness, HvrSession *session);
	void (*stop)(gpointer watch);
} HvrReadyWay;

extern const HvrReadyWay hvr_ready_by_agent;
extern const HvrReadyWay hvr_ready_by_serial;
extern const HvrReadyWay hvr_ready_by_tcp;

/* The guest is ready. The watch has been stopped when this returns. */
void hvr_readiness_reach(HvrReadiness *readiness);
