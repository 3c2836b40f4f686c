/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A red test that is not the test's fault costs a day, and a green one that never ran costs more:
 * so what a test came to is said in words, once, beside its status.
 */
#include "launcher/guest/outcome.h"

#include "launcher/report/json.h"

static const char *const names[] = {
	[HVR_OUTCOME_PASSED] = "passed",
	[HVR_OUTCOME_FAILED] = "failed",
	[HVR_OUTCOME_TIMED_OUT] = "timed-out",
	[HVR_OUTCOME_GUEST_DIED] = "guest-died",
	[HVR_OUTCOME_INFRASTRUCTURE] = "infrastructure",
	[HVR_OUTCOME_CANCELLED] = "cancelled",
};

const char *hvr_outcome_class_name(HvrOutcomeClass class)
{
	return names[class];
}

void hvr_outcome_clear(HvrOutcome *outcome)
{
	g_free(outcome->where);
	g_free(outcome->cause);
	g_free(outcome->hint);
	*outcome = (HvrOutcome){ .class = HVR_OUTCOME_PASSED };
}

void hvr_outcome_decide(HvrOutcome *outcome, HvrOutcomeClass class, int code, const char *where,
			const char *message)
{
	if (outcome->class != HVR_OUTCOME_PASSED)
		return;
	g_auto(GStrv) parts = g_strsplit(message, "\n", 2);
	*outcome = (HvrOutcome){ .class = class,
				 .code = code,
				 .where = g_strdup(where),
				 .cause = g_strdup(parts[0]),
				 .hint = g_strdup(parts[0] ? parts[1] : NULL) };
}

JsonObject *hvr_outcome_to_object(const HvrOutcome *outcome)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "class", hvr_outcome_class_name(outcome->class));
	json_object_set_int_member(object, "code", outcome->code);
	hvr_json_set_string(object, "where", outcome->where);
	hvr_json_set_string(object, "cause", outcome->cause);
	hvr_json_set_string(object, "hint", outcome->hint);
	return object;
}
