/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/health.h"

#include <string.h>

#include "launcher/host/card-audit.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "vfio/state.h"
#include "vfio/tree.h"

void hvr_health_clear(HvrHealth *health)
{
	g_clear_pointer(&health->reason, g_free);
}

const char *hvr_health_name(HvrHealthKind kind)
{
	static const char *const names[] = { [HVR_HEALTH_OK] = "ok",
					     [HVR_HEALTH_DEAD] = "dead",
					     [HVR_HEALTH_HELD] = "held",
					     [HVR_HEALTH_UNKNOWN] = "unknown" };

	return names[kind];
}

static gboolean has_config(const HvrContext *context, const HvrPciFunction *function)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/config", function->name);

	return hvr_tree_exists(context->host.sys, path);
}

gboolean hvr_health_answers(const HvrContext *context, const HvrPciFunction *function,
			    GError **error)
{
	return hvr_pci_function_is_cold(&context->host, function) ||
	       hvr_pci_function_alive(&context->host, function, error);
}

static void ask(const HvrContext *context, const HvrPciFunction *function, HvrHealth *health)
{
	g_autoptr(GError) dead = NULL;

	health->kind = HVR_HEALTH_UNKNOWN;
	if (context->captured && !has_config(context, function))
		health->reason = g_strdup("the captured tree has no config space");
	else if (hvr_pci_function_is_cold(&context->host, function))
		health->reason =
			g_strdup("it is without power (D3cold), and is not woken for this");
	else if (hvr_pci_function_alive(&context->host, function, &dead))
		health->kind = HVR_HEALTH_OK;
	if (!dead)
		return;
	health->kind = HVR_HEALTH_DEAD;
	health->reason = hvr_error_line(dead, function->name);
}

void hvr_health_find(const HvrContext *context, const GPtrArray *holds,
		     const HvrPciFunction *function, const HvrOccupancy *occupancy,
		     HvrHealth *out_health)
{
	const HvrHold *hold = hvr_holds_find(holds, function);

	*out_health = (HvrHealth){ .kind = HVR_HEALTH_UNKNOWN };
	if (occupancy->kind == HVR_OCCUPANCY_VM)
		out_health->reason = g_strdup("a VM has it: it is not asked");
	else
		ask(context, function, out_health);
	if (!holds && out_health->kind == HVR_HEALTH_OK) {
		out_health->kind = HVR_HEALTH_UNKNOWN;
		out_health->reason = g_strdup("whether it is held cannot be read");
	}
	if (!hold)
		return;
	/* Whoever lifts the hold wants to know that it is dead, too. */
	g_autofree char *text = hvr_hold_describe(hold);
	g_autofree char *dead = NULL;
	if (out_health->kind == HVR_HEALTH_DEAD)
		dead = g_strconcat("; now it ", out_health->reason, NULL);
	g_free(out_health->reason);
	out_health->reason = g_strconcat(text, dead, NULL);
	out_health->kind = HVR_HEALTH_HELD;
}

/* Of an error the line, as a reason. */
static char *reason_of(const HvrPciFunction *function, const GError *why)
{
	g_autofree char *line = hvr_error_line(why, function->name);
	const char *end = NULL;

	g_autofree char *safe = hvr_text_safe(line);
	g_utf8_validate(safe, MIN((gssize)strlen(safe), HVR_HOLD_REASON_MAX), &end);
	char *reason = g_strndup(safe, (gsize)(end - safe));
	if (hvr_hold_is_reason(reason))
		return reason;
	g_free(reason);
	return g_strdup("it failed");
}

void hvr_health_failed(const HvrContext *context, const HvrPciFunction *function, const GError *why)
{
	g_autoptr(GError) error = NULL;

	if (!context->privileged || context->captured)
		return;
	g_autoptr(GPtrArray) holds = hvr_holds_read(context, NULL);
	if (hvr_holds_find(holds, function))
		return;
	g_autofree char *reason = reason_of(function, why);
	g_autoptr(HvrHold) hold = hvr_hold_new(function, reason);
	hold->itself = TRUE;
	if (hvr_hold_write(context, hold, &error)) {
		hvr_card_audit(context, HVR_AUDIT_HELD, function, NULL, reason);
		hvr_message("warning: %s: it is held from now on, as it failed; when it is mended: "
			    "hailo-vm-run unhold %s",
			    function->name, function->name);
		return;
	}
	g_prefix_error(&error, "%s: it failed, and cannot be held: ", function->name);
	hvr_message_warning(error);
}
