/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each time a step begins, both halves of the truth are written down: in the files, for the case
 * that all of our processes end at once, and with the keeper, for the case that this one does.
 */
#include "launcher/guest/rig.h"

#include <signal.h>
#include <string.h>

#include "launcher/guest/junit.h"
#include "launcher/guest/trial-notes.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"

#define UNENDED "the test has not ended: it goes on, or was killed with all of its processes"
#define KILLED	"test was killed"

static void job_free(HvrRigJob *job)
{
	g_free(job->name);
	hvr_artifacts_close(&job->artifacts);
	hvr_trial_report_clear(&job->trial);
	g_clear_pointer(&job->tail, g_byte_array_unref);
	g_free(job);
}

/* What the job that is under way would come to if it were cut off now. */
typedef struct {
	const HvrTrialReport *report; /* whose */
	HvrOutcome outcome;
} Now;

static const HvrOutcome not_begun = { .class = HVR_OUTCOME_INFRASTRUCTURE,
				      .code = HVR_EXIT_NOT_JUDGED,
				      .where = (char *)"begin",
				      .cause = (char *)"the job was not begun" };

static const HvrOutcome cancelled = { .class = HVR_OUTCOME_CANCELLED,
				      .code = HVR_EXIT_NOT_JUDGED,
				      .where = (char *)"begin",
				      .cause = (char *)"a job before it was cancelled" };

/* @now: (nullable): all is over */
static const HvrOutcome *outcome_of(const HvrRigJob *job, const Now *now)
{
	if (job->ended)
		return &job->trial.outcome;
	if (now && now->report == &job->trial)
		return &now->outcome;
	return hvr_interrupt_pending() ? &cancelled : &not_begun;
}

/* How much worse is it than passed? */
static int badness(const HvrOutcome *outcome)
{
	static const int order[] = {
		[HVR_OUTCOME_PASSED] = 0,	  [HVR_OUTCOME_GUEST_DIED] = 1,
		[HVR_OUTCOME_INFRASTRUCTURE] = 1, [HVR_OUTCOME_TIMED_OUT] = 2,
		[HVR_OUTCOME_FAILED] = 2,	  [HVR_OUTCOME_CANCELLED] = 3,
	};

	return order[outcome->class];
}

/* Of one job its own. Of many the worst: a test's own failure counts more than what could not be
 * tested, and as its status says nothing of the others it is 1. */
static HvrOutcome sum_up(const HvrRig *rig, const Now *now)
{
	const HvrOutcome *worst = outcome_of(g_ptr_array_index(rig->jobs, 0), now);

	for (guint i = 1; i < rig->jobs->len; i++) {
		const HvrOutcome *one = outcome_of(g_ptr_array_index(rig->jobs, i), now);
		if (badness(one) > badness(worst))
			worst = one;
	}
	HvrOutcome sum = *worst;
	if (rig->all && badness(worst) == 2)
		sum.code = 1;
	return sum;
}

/* [transfer full] */
static JsonObject *to_object(const HvrOutcome *outcome, const HvrTrialReport *trial)
{
	JsonObject *object = hvr_outcome_to_object(outcome);

	json_object_set_int_member(object, "attempts",
				   1 + (trial->before ? trial->before->len : 0));
	hvr_json_set_string(object, "kept", trial->kept);
	return object;
}

/* Name, value, ... of what is no step. [transfer full] */
static GPtrArray *properties_of(const HvrTrialReport *trial)
{
	GPtrArray *properties = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; trial->before && i < trial->before->len; i++) {
		const HvrOutcome *before = g_ptr_array_index(trial->before, i);
		g_ptr_array_add(properties, g_strdup_printf("attempt %u", i + 1));
		g_ptr_array_add(properties,
				g_strdup_printf("%s: %s: %s", hvr_outcome_class_name(before->class),
						before->where, before->cause));
	}
	if (trial->kept) {
		g_ptr_array_add(properties, g_strdup("kept"));
		g_ptr_array_add(properties, g_strdup(trial->kept));
	}
	g_ptr_array_add(properties, NULL);
	return properties;
}

/* One line. */
static char *format_result(const HvrRig *rig, const Now *now)
{
	const HvrOutcome sum = sum_up(rig, now);
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	const HvrRigJob *first = g_ptr_array_index(rig->jobs, 0);
	JsonObject *object =
		rig->all ? hvr_outcome_to_object(&sum) : to_object(&sum, &first->trial);
	JsonArray *jobs = rig->all ? json_array_new() : NULL;

	for (guint i = 0; jobs && i < rig->jobs->len; i++) {
		const HvrRigJob *job = g_ptr_array_index(rig->jobs, i);
		JsonObject *one = to_object(outcome_of(job, now), &job->trial);
		hvr_json_set_string(one, "name", job->name);
		json_array_add_object_element(jobs, one);
	}
	if (jobs)
		json_object_set_array_member(object, "jobs", jobs);
	json_node_take_object(root, object);
	g_autofree char *text = hvr_json_text(root);
	return g_strconcat(text, "\n", NULL);
}

/* A job's cases, and what it comes to where that is none of them. Nothing but that is owned. */
static GPtrArray *cases_of(const HvrRigJob *job, const Now *now, HvrJunitCase *more)
{
	const HvrOutcome *outcome = outcome_of(job, now);
	GPtrArray *cases = g_ptr_array_new();

	for (guint i = 0; job->trial.cases && i < job->trial.cases->len; i++)
		g_ptr_array_add(cases, g_ptr_array_index(job->trial.cases, i));
	if (outcome == &job->trial.outcome)
		return cases;
	*more = (HvrJunitCase){ .name = outcome->where,
				.verdict =
					outcome == &cancelled ? HVR_JUNIT_SKIPPED : HVR_JUNIT_ERROR,
				.message = outcome->cause };
	g_ptr_array_add(cases, more);
	return cases;
}

static char *format_junit(const HvrRig *rig, const Now *now)
{
	guint n = rig->jobs->len;
	g_autofree HvrJunitSuite *suites = g_new0(HvrJunitSuite, n);
	g_autofree HvrJunitCase *more = g_new0(HvrJunitCase, n);
	g_autoptr(GPtrArray) lists =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < n; i++) {
		const HvrRigJob *job = g_ptr_array_index(rig->jobs, i);
		GPtrArray *cases = cases_of(job, now, &more[i]);
		GPtrArray *properties = properties_of(&job->trial);
		g_ptr_array_add(lists, cases);
		g_ptr_array_add(lists, properties);
		suites[i] = (HvrJunitSuite){ .name = job->name,
					     .cases = cases,
					     .properties = (const char **)properties->pdata,
					     .err = job->tail };
	}
	return hvr_junit_format(rig->all, suites, n);
}

static HvrReportTexts format(const HvrRig *rig, const Now *now)
{
	return (HvrReportTexts){ .result = format_result(rig, now),
				 .junit = format_junit(rig, now) };
}

void hvr_rig_told(const HvrTrialReport *report, gpointer user_data)
{
	HvrRig *rig = user_data;
	Now now = { .report = report,
		    .outcome = { .class = HVR_OUTCOME_INFRASTRUCTURE,
				 .code = 128 + SIGKILL,
				 .where = report->step,
				 .cause = (char *)UNENDED } };

	g_auto(HvrReportTexts) unended = format(rig, &now);
	now.outcome.cause = (char *)KILLED;
	g_auto(HvrReportTexts) killed = format(rig, &now);
	/* The keeper first: if we end between the two, it has the later word. */
	hvr_keeper_tell(rig->keeper, &killed);
	hvr_report_files_write(&rig->files, &unended);
}

void hvr_rig_forked(gpointer user_data)
{
	hvr_keeper_leave(((HvrRig *)user_data)->keeper);
}

gboolean hvr_rig_begin(HvrRig *rig, GError **error)
{
	HvrRigJob *first = g_ptr_array_index(rig->jobs, 0);

	rig->keeper = hvr_keeper_new(&rig->files, error);
	if (!rig->keeper)
		return FALSE;
	first->trial.step = g_strdup("begin");
	hvr_rig_told(&first->trial, rig);
	return TRUE;
}

void hvr_rig_clear(HvrRig *rig)
{
	g_clear_pointer(&rig->keeper, hvr_keeper_done);
	g_clear_pointer(&rig->jobs, g_ptr_array_unref);
	g_clear_pointer(&rig->all, g_free);
	hvr_report_files_close(&rig->files);
}

HvrRigJob *hvr_rig_add(HvrRig *rig, const char *name)
{
	HvrRigJob *job = g_new(HvrRigJob, 1);

	*job = (HvrRigJob){ .artifacts = HVR_ARTIFACTS_NONE };
	if (!rig->jobs)
		rig->jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
	job->name = g_strdup(name);
	g_ptr_array_add(rig->jobs, job);
	return job;
}

void hvr_rig_name(HvrRigJob *job, const char *name)
{
	g_free(job->name);
	job->name = g_strdup(name);
}

void hvr_rig_fail(HvrRig *rig, HvrRigJob *job, const char *step, GError *error)
{
	const HvrTrialOptions none = { .told = NULL };
	HvrTrial trial = { .report = &job->trial, .options = &none };

	hvr_trial_begin(&trial, "%s", step);
	hvr_trial_note_error(&trial, error);
	hvr_rig_ended(rig, job);
}

void hvr_rig_listen(HvrRig *rig, const HvrRigJob *job)
{
	hvr_message_copy(job->artifacts.fds[HVR_ARTIFACT_MESSAGES]);
	hvr_events_copy(rig->files.events, job->artifacts.fds[HVR_ARTIFACT_EVENTS]);
}

/* One of many has its own reports in its own artifacts. */
static void write_own(const HvrRig *rig, HvrRigJob *job)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	HvrRig own = { .jobs = one };

	if (!rig->all)
		return;
	g_ptr_array_add(one, job);
	g_auto(HvrReportTexts) texts = format(&own, NULL);
	hvr_artifacts_add(&job->artifacts, HVR_ARTIFACT_RESULT, texts.result, strlen(texts.result));
	hvr_artifacts_add(&job->artifacts, HVR_ARTIFACT_JUNIT, texts.junit, strlen(texts.junit));
	hvr_events_tell_object(rig->files.events, "job-ended",
			       to_object(&job->trial.outcome, &job->trial));
	hvr_events_copy(rig->files.events, -1);
	hvr_artifacts_close(&job->artifacts);
}

void hvr_rig_ended(HvrRig *rig, HvrRigJob *job)
{
	hvr_message_copy(-1);
	job->tail = hvr_artifacts_tail(&job->artifacts);
	job->ended = TRUE;
	write_own(rig, job);
}

int hvr_rig_end(HvrRig *rig)
{
	g_auto(HvrReportTexts) texts = format(rig, NULL);
	const HvrOutcome sum = sum_up(rig, NULL);

	if (hvr_report_files_end(&rig->files, &texts) || sum.code)
		return sum.code;
	return HVR_EXIT_NOT_JUDGED;
}
