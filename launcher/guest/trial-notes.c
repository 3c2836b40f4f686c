/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written down of a trial. Its steps are cases of the report; the first one that was not
 * passed decides what the whole came to.
 */
#include "launcher/guest/trial-notes.h"

#include <string.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/progress.h"
#include "launcher/report/message.h"

void hvr_trial_report_clear(HvrTrialReport *report)
{
	g_clear_pointer(&report->cases, g_ptr_array_unref);
	hvr_outcome_clear(&report->outcome);
	g_clear_pointer(&report->step, g_free);
	g_clear_pointer(&report->before, g_ptr_array_unref);
	g_clear_pointer(&report->kept, g_free);
}

guint hvr_trial_left_ms(const HvrTrial *trial)
{
	gint64 left_ms = (trial->deadline_us - g_get_monotonic_time()) / 1000;

	return trial->deadline_us ? (guint)CLAMP(left_ms, 1, G_MAXINT) : 0;
}

gboolean hvr_trial_is_late(const HvrTrial *trial)
{
	return trial->deadline_us && g_get_monotonic_time() >= trial->deadline_us;
}

/* What a step is for people; NULL: others show something meanwhile, the VM's supervisor or the
 * guest's command. */
static const char *shown_as(const char *step)
{
	static const struct {
		const char *step, *text;
	} shown[] = { { "agent", "reaching the guest's agent" },
		      { "verify", "looking for the card in the guest" },
		      { "stop", "stopping the VM" } };

	for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
		if (g_str_equal(shown[i].step, step))
			return shown[i].text;
	return g_str_has_prefix(step, "fetch ") ? step : NULL;
}

static void show(const char *step)
{
	const HvrProgressStage stage = { .text = shown_as(step) };

	hvr_progress_end();
	if (!stage.text)
		return;
	hvr_progress_begin("test");
	hvr_progress_stage(&stage);
}

void hvr_trial_begin(HvrTrial *trial, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *before = trial->report->step;
	trial->report->step = g_strdup_vprintf(format, args);
	va_end(args);
	if (!trial->report->cases)
		trial->report->cases =
			g_ptr_array_new_with_free_func((GDestroyNotify)hvr_junit_case_free);
	trial->begin_us = g_get_monotonic_time();
	show(trial->report->step);
	if (trial->options->told)
		trial->options->told(trial->report, trial->options->user_data);
}

HvrJunitCase *hvr_trial_note(HvrTrial *trial, HvrJunitVerdict verdict, const char *message)
{
	HvrJunitCase *one = g_new(HvrJunitCase, 1);

	hvr_progress_end();
	*one = (HvrJunitCase){ .name = g_strdup(trial->report->step),
			       .verdict = verdict,
			       .took_us = g_get_monotonic_time() - trial->begin_us,
			       .message = g_strdup(message) };
	g_ptr_array_add(trial->report->cases, one);
	return one;
}

HvrJunitCase *hvr_trial_note_class(HvrTrial *trial, HvrOutcomeClass class, int code,
				   const char *message)
{
	g_autofree char *cancelled =
		g_strdup_printf("cancelled by signal %d (%s)", hvr_interrupt_pending(),
				strsignal(hvr_interrupt_pending()));
	HvrJunitVerdict verdict = HVR_JUNIT_ERROR;

	if (hvr_interrupt_pending()) {
		class = HVR_OUTCOME_CANCELLED;
		code = 128 + hvr_interrupt_pending();
		verdict = HVR_JUNIT_SKIPPED;
		message = cancelled;
	} else if (class == HVR_OUTCOME_FAILED || class == HVR_OUTCOME_TIMED_OUT) {
		verdict = HVR_JUNIT_FAILED;
	}
	hvr_outcome_decide(&trial->report->outcome, class, code, trial->report->step, message);
	return hvr_trial_note(trial, verdict, message);
}

/* What failed behind the deadline failed for that. */
static HvrJunitCase *note_late(HvrTrial *trial, const GError *error)
{
	g_auto(GStrv) parts = g_strsplit(error->message, "\n", 2);
	g_autofree char *message =
		g_strdup_printf("the deadline of %d s has passed in the step '%s': %s",
				trial->options->deadline_s, trial->report->step, parts[0]);

	return hvr_trial_note_class(trial, HVR_OUTCOME_INFRASTRUCTURE, HVR_EXIT_NOT_JUDGED,
				    message);
}

HvrJunitCase *hvr_trial_note_cause(HvrTrial *trial, const GError *error)
{
	HvrOutcomeClass class = HVR_OUTCOME_INFRASTRUCTURE;

	if (hvr_trial_is_late(trial))
		return note_late(trial, error);
	if (error->domain == HVR_COMMAND_ERROR)
		class = HVR_OUTCOME_FAILED;
	return hvr_trial_note_class(trial, class, hvr_exit_status_of_command(error),
				    error->message);
}

HvrJunitCase *hvr_trial_note_error(HvrTrial *trial, GError *error)
{
	HvrJunitCase *one = hvr_trial_note_cause(trial, error);

	hvr_message_error(error);
	g_error_free(error);
	return one;
}
