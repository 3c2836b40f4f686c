/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/reason.h"

#include <string.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/json.h"

struct HvrReason {
	HvrSession *session;
	guint subscription;
	const char *said; /* what QEMU's word means; NULL: it has said none */
};

static const char *meaning_of(const char *cause)
{
	static const struct {
		const char *cause, *meaning;
	} table[] = {
		{ "guest-shutdown", "guest powered off" },
		{ "guest-reset", "guest rebooted, and QEMU was told to end then" },
		{ "guest-panic", "the guest's kernel panicked" },
		{ "host-qmp-quit", "QEMU was told to end by its monitor" },
		{ "host-signal", "QEMU was ended by a signal" },
		{ "host-ui", "somebody closed its screen" },
		{ "host-error", "QEMU met an error" },
	};

	for (guint i = 0; cause && i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(cause, table[i].cause))
			return table[i].meaning;
	return NULL;
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	HvrReason *reason = user_data;

	if (g_str_equal(name, "SHUTDOWN") && data)
		reason->said = meaning_of(hvr_json_get_string(data, "reason"));
}

HvrReason *hvr_reason_new(HvrSession *session)
{
	HvrReason *reason = g_new(HvrReason, 1);

	*reason = (HvrReason){ .session = session };
	reason->subscription = hvr_qmp_client_subscribe(session->qmp, on_event, NULL, reason);
	return reason;
}

char *hvr_reason_text(const HvrReason *reason, const GError *end)
{
	const HvrSession *session = reason->session;
	int signal_number = hvr_interrupt_pending();

	if (end)
		return g_strndup(end->message, strcspn(end->message, "\n"));
	if (signal_number)
		return g_strdup_printf("stopped: hailo-vm-run got signal %d (%s)", signal_number,
				       strsignal(signal_number));
	if (session->stops->len && g_strcmp0(reason->said, meaning_of("guest-shutdown")) == 0)
		return g_strdup("stopped: the guest powered off when asked");
	if (session->stops->len)
		return g_strdup("stopped: QEMU was ended");
	if (reason->said)
		return g_strdup(reason->said);
	return g_strdup("QEMU ended");
}

void hvr_reason_free(HvrReason *reason)
{
	if (!reason)
		return;
	hvr_qmp_client_unsubscribe(reason->session->qmp, reason->subscription);
	g_free(reason);
}
