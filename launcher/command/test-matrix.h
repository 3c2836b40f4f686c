/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"
#include "launcher/guest/rig.h"

/* Which jobs of a list, and how one is tried. */
typedef struct {
	HvrContext *context;
	const HvrCommand *command; /* whose command line a job is */
	const char *file;	   /* of --matrix */
	const char *artifacts;	   /* (nullable): a folder for each job is made in it */
	int job;		   /* from 1; 0: all of them, one after the other */
	/* Refuses what a job cannot have for itself. */
	gboolean (*check)(const HvrInvocation *job, GError **error);
	/* FALSE: this is the child that was the VM's supervisor. */
	gboolean (*try)(HvrContext *context, const HvrInvocation *job, HvrRig *rig,
			HvrRigJob *report);
} HvrTestMatrix;

/* Prints the jobs as command lines for a shell. Returns: 0, or -1 with an error */
int hvr_test_matrix_list(const HvrTestMatrix *matrix, GError **error);

/**
 * hvr_test_matrix_run - in place of @rig's only job come those of the file, and they are tried.
 * A mistake in any of them is known before the first.
 * Returns: NULL; or in the child that was a VM's supervisor its job
 * Errors: those of hvr_matrix_read(), and of a job's command line: then nothing was tried
 */
HvrRigJob *hvr_test_matrix_run(const HvrTestMatrix *matrix, HvrRig *rig, GError **error);
