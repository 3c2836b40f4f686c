/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test --matrix: many command lines of `test` in one run, with one report.
 */
#include "launcher/command/test-matrix.h"

#include <stdio.h>

#include "launcher/command/parse.h"
#include "launcher/guest/matrix.h"
#include "launcher/process/interrupt.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"

/* With its command line parsed. */
typedef struct {
	const HvrCommand *command;
	HvrInvocation *invocation;
	HvrRigJob *report;
	guint number;
} Job;

static void job_free(gpointer data)
{
	Job *job = data;

	if (job->invocation)
		hvr_invocation_free(job->command, job->invocation);
	g_free(job);
}

int hvr_test_matrix_list(const HvrTestMatrix *matrix, GError **error)
{
	g_autoptr(GPtrArray) jobs = hvr_matrix_read(matrix->file, error);

	for (guint i = 0; jobs && i < jobs->len; i++) {
		const HvrMatrixJob *job = g_ptr_array_index(jobs, i);
		g_autoptr(GPtrArray) words = g_ptr_array_new();
		g_ptr_array_add(words, (gpointer) "hailo-vm-run");
		g_ptr_array_add(words, (gpointer) "test");
		for (char **word = job->argv; *word; word++)
			g_ptr_array_add(words, *word);
		g_ptr_array_add(words, NULL);
		g_autofree char *line = hvr_cmdline_quote(words);
		printf("%s\n", line);
	}
	return jobs ? 0 : -1;
}

static gboolean parse_one(const HvrTestMatrix *matrix, const HvrMatrixJob *from, GPtrArray *jobs,
			  GError **error)
{
	Job *job = g_new(Job, 1);
	GError *cause = NULL;

	*job = (Job){ .command = matrix->command, .number = jobs->len + 1 };
	g_ptr_array_add(jobs, job);
	job->invocation = hvr_invocation_parse(matrix->command, from->argv, &cause);
	if (job->invocation && matrix->check(job->invocation, &cause))
		return TRUE;
	g_propagate_prefixed_error(error, cause, "%s: job '%s': ", matrix->file, from->name);
	return FALSE;
}

/* Of Job. NULL with @error. @list: what they refer to */
static GPtrArray *parse_all(const HvrTestMatrix *matrix, const GPtrArray *list, GError **error)
{
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);

	for (guint i = 0; i < list->len; i++)
		if (!parse_one(matrix, g_ptr_array_index(list, i), jobs, error))
			return NULL;
	if (matrix->job <= (int)jobs->len)
		return g_steal_pointer(&jobs);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "test: --job=%d: '%s' has %u jobs", matrix->job, matrix->file, jobs->len);
	return NULL;
}

/* In place of what stood for them. */
static void announce(const HvrTestMatrix *matrix, const GPtrArray *list, const GPtrArray *jobs,
		     HvrRig *rig)
{
	hvr_message_copy(-1);
	hvr_events_copy(rig->files.events, -1);
	g_ptr_array_set_size(rig->jobs, 0);
	if (!matrix->job)
		rig->all = g_path_get_basename(matrix->file);
	for (guint i = 0; i < list->len; i++) {
		const HvrMatrixJob *from = g_ptr_array_index(list, i);
		Job *job = g_ptr_array_index(jobs, i);
		if (!matrix->job || matrix->job == (int)job->number)
			job->report = hvr_rig_add(rig, from->name);
	}
}

/* A name is anybody's choice: what a file's may not have, or would lead elsewhere, is left out. */
static char *folder_of(const HvrTestMatrix *matrix, const Job *job)
{
	g_autofree char *name = g_strdup_printf("%03u-%s", job->number, job->report->name);

	if (!matrix->artifacts)
		return NULL;
	g_strcanon(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", '-');
	return g_build_filename(matrix->artifacts, name, NULL);
}

/* FALSE: this is the child that was the VM's supervisor. */
static gboolean run_one(const HvrTestMatrix *matrix, const Job *job, guint n, HvrRig *rig)
{
	g_autofree char *folder = folder_of(matrix, job);
	GError *error = NULL;

	hvr_message("job %u of %u: %s", job->number, n, job->report->name);
	hvr_events_set_vm(rig->files.events, NULL);
	hvr_events_tell(rig->files.events, "job", "name", job->report->name);
	if (!hvr_artifacts_open(&job->report->artifacts, folder, &error)) {
		hvr_rig_fail(rig, job->report, "artifacts", error);
		return TRUE;
	}
	hvr_rig_listen(rig, job->report);
	return matrix->try(matrix->context, job->invocation, rig, job->report);
}

HvrRigJob *hvr_test_matrix_run(const HvrTestMatrix *matrix, HvrRig *rig, GError **error)
{
	g_autoptr(GPtrArray) list = hvr_matrix_read(matrix->file, error);
	g_autoptr(GPtrArray) jobs = list ? parse_all(matrix, list, error) : NULL;

	if (!jobs || (matrix->artifacts && !hvr_artifacts_make(matrix->artifacts, error)))
		return NULL;
	announce(matrix, list, jobs, rig);
	for (guint i = 0; i < jobs->len && !hvr_interrupt_pending(); i++) {
		const Job *job = g_ptr_array_index(jobs, i);
		if (job->report && !run_one(matrix, job, jobs->len, rig))
			return job->report;
	}
	return NULL;
}
