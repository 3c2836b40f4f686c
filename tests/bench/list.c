/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What does `list --all` cost beside `lspci -nnk`, which tells much the same of each function? Both
 * are started as a user starts them, and read the same tree of 4,096 functions, sixteen of them
 * accelerators.
 *
 *	bench-list PROGRAM LSPCI
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/functions.h"
#include "tests/bench/pairs.h"

#define PAIRS 21
/* It was a fifth to a quarter; what doubles that is to be seen. */
#define RATIO_MAX 0.5

/* Its output goes nowhere, as to write it to a terminal would be what is measured. */
static double run_once(gpointer data)
{
	char *const *argv = data;
	double start_ms = pairs_now_ms();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int nowhere = open("/dev/null", O_RDWR);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		g_error("'%s' failed", argv[0]);
	return pairs_now_ms() - start_ms;
}

/* A program that shows nothing is fast. */
static guint count_lines(const char *const *argv)
{
	g_autofree char *text = NULL;
	guint lines = 0;

	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text,
			  NULL, NULL, NULL))
		g_error("'%s' cannot be run", argv[0]);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	return lines;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench-list PROGRAM LSPCI\n");
		return 64;
	}
	if (!*argv[2]) {
		fprintf(stderr, "there is no lspci here to compare with\n");
		return 77;
	}
	g_autoptr(FakeSysfs) fs = functions_new(MANY_BUSES);
	g_autofree char *where = g_strdup_printf("sysfs.path=%s/sys/bus/pci", fs->root);
	const char *const ours[] = { argv[1], "--root", fs->root, "list", "--all", NULL };
	const char *const theirs[] = { argv[2], "-O", where, "-nnk", NULL };
	const PairsSide left = { "list --all", run_once, (gpointer)ours };
	const PairsSide right = { "lspci -nnk", run_once, (gpointer)theirs };

	if (count_lines(ours) < MANY_FUNCTIONS || count_lines(theirs) < 2 * MANY_FUNCTIONS)
		g_error("not all functions are shown");
	return pairs_compare(&left, &right, PAIRS) < RATIO_MAX ? 0 : 1;
}
