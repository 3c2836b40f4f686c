/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/card-audit.h"

#include "launcher/runtime/counters.h"
#include "launcher/runtime/holds.h"

static void count(const HvrContext *context, const HvrPciFunction *function, HvrCounter counter)
{
	g_autofree char *path = hvr_hold_path_of(function);
	g_autofree char *id = hvr_hold_id_of(function);
	g_autoptr(GError) error = NULL;

	if (context->privileged && !context->captured &&
	    !hvr_counters_add(context, path, id, counter, &error))
		g_debug("%s is not counted: %s", function->name, error->message);
}

void hvr_card_audit(const HvrContext *context, HvrAuditEvent event, const HvrPciFunction *function,
		    const char *vm, const char *result)
{
	g_auto(GStrv) lines = g_strsplit(result ? result : "", "\n", 2);
	g_autofree char *id = hvr_hold_id_of(function);
	const HvrAuditRecord record = { .event = event,
					.address = function->name,
					.path = function->path,
					.id = id,
					.vm = vm,
					.result = lines[0] };

	hvr_audit(context, &record);
	if (event == HVR_AUDIT_TAKEN)
		count(context, function, HVR_COUNTER_USES);
	else if (event == HVR_AUDIT_FAILED)
		count(context, function, HVR_COUNTER_FAILURES);
}
