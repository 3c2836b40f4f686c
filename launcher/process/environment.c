/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of the variables that go anywhere. Each library and each program has variables that
 * make it load, run or write something (GIO_EXTRA_MODULES, GCONV_PATH, MODPROBE_OPTIONS), and a job
 * has secrets in others: no list of bad names is ever complete. So what is not named here ends
 * here.
 *
 * A plain user's own process keeps all it has: nobody is in it who is not in the caller's shell.
 */
#include "launcher/process/environment.h"

#include <string.h>
#include <unistd.h>

/* Who has it. */
typedef enum {
	ROOT = 1 << 0,	   /* a process of ours with privileges */
	PROGRAMS = 1 << 1, /* programs, if we have it ourselves */
} Holders;

typedef struct {
	const char *name;
	Holders holders;
	gboolean (*is_sane)(const char *value); /* asked where we have privileges; NULL: all are */
} Variable;

/* Of a word no path can be made: glibc takes a locale's name for one, as others do TERM. */
static gboolean is_word(const char *value)
{
	gsize length = strspn(value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.@+-");

	return g_ascii_isalnum(*value) && value[length] == '\0';
}

/* A zone by name or rule ("Europe/Berlin", "CET-1CEST,M3.5.0/2"), and no file of somebody's. */
static gboolean is_zone(const char *value)
{
	if (*value == ':')
		value++;
	gsize length = strspn(value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.,:/<>+-");

	return *value && *value != '/' && value[length] == '\0' && !strstr(value, "..");
}

static const Variable variables[] = {
	{ "LANG", ROOT | PROGRAMS, is_word },
	{ "LC_ALL", ROOT | PROGRAMS, is_word },
	{ "LC_CTYPE", ROOT | PROGRAMS, is_word },
	{ "TZ", ROOT | PROGRAMS, is_zone },
	{ "TMPDIR", PROGRAMS, NULL },

	{ "SUDO_UID", ROOT, NULL },
	{ "TERM", ROOT, is_word },
	{ "NO_COLOR", ROOT, NULL },
	{ "COLUMNS", ROOT, is_word },
	{ "NOTIFY_SOCKET", ROOT, NULL },
	{ "G_MESSAGES_DEBUG", ROOT, NULL },

	/* Which cards a job has been given: all of it is read, and refused where it names none. */
	{ "HAILO_VM_CARDS", ROOT, NULL },
	{ "SLURM_STEP_GPUS", ROOT, NULL },
	{ "SLURM_JOB_GPUS", ROOT, NULL },

	/* By these job systems find what a job has left, or people what it belongs to. Jenkins
	 * wants all of its own to match (Job.getCharacteristicEnvVars,
	 * Run.getCharacteristicEnvVars). */
	{ "HUDSON_COOKIE", ROOT | PROGRAMS, NULL },
	{ "HUDSON_SERVER_COOKIE", ROOT | PROGRAMS, NULL },
	{ "JENKINS_NODE_COOKIE", ROOT | PROGRAMS, NULL },
	{ "JENKINS_SERVER_COOKIE", ROOT | PROGRAMS, NULL },
	{ "JOB_NAME", ROOT | PROGRAMS, NULL },
	{ "JOB_BASE_NAME", ROOT | PROGRAMS, NULL },
	{ "BUILD_ID", ROOT | PROGRAMS, NULL },
	{ "BUILD_NUMBER", ROOT | PROGRAMS, NULL },
	{ "BUILD_TAG", ROOT | PROGRAMS, NULL },
	{ "RUNNER_TRACKING_ID", ROOT | PROGRAMS, NULL },
	{ "VSTS_PROCESS_LOOKUP_ID", ROOT | PROGRAMS, NULL },
	{ "CI_JOB_ID", ROOT | PROGRAMS, NULL },
	{ "SLURM_JOB_ID", ROOT | PROGRAMS, NULL },
	/* What else says which job a card is for (launcher/runtime/job.c) */
	{ "HAILO_VM_JOB", ROOT, NULL },
	{ "PBS_JOBID", ROOT, NULL },
	{ "LSB_JOBID", ROOT, NULL },
	{ "FLUX_JOB_ID", ROOT, NULL },
	{ "GITHUB_RUN_ID", ROOT, NULL },
};

/* What all of @holders have. [transfer full] */
static char **choose(Holders holders, gboolean privileged)
{
	GPtrArray *chosen = g_ptr_array_new();
	const char *path = privileged ? HVR_TRUSTED_PATH : g_getenv("PATH");

	if (path)
		g_ptr_array_add(chosen, g_strconcat("PATH=", path, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
		const Variable *variable = &variables[i];
		const char *value = g_getenv(variable->name);

		if (!value || (variable->holders & holders) != holders)
			continue;
		if (!privileged || !variable->is_sane || variable->is_sane(value))
			g_ptr_array_add(chosen, g_strconcat(variable->name, "=", value, NULL));
	}
	g_ptr_array_add(chosen, NULL);
	return (char **)g_ptr_array_free(chosen, FALSE);
}

void hvr_environment_clean(void)
{
	environ = choose(ROOT, TRUE); /* as long as the process */
}

char **hvr_environment_for_programs(gboolean privileged)
{
	return choose(privileged ? ROOT | PROGRAMS : PROGRAMS, privileged);
}
