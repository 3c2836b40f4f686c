/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the whole program: a machine of tests/data/hosts/ as a folder for --root.
 *
 *   captured-host FILE.host    prints the folder's path; who asked removes it
 */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/fake/recorded.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: captured-host FILE.host\n");
		return 64;
	}
	g_autoptr(FakeSysfs) fs = fake_recorded_host(argv[1]);

	/* It outlives this process, and is for other users, too. */
	fs->maker = 0;
	if (chmod(fs->root, 0755) < 0) {
		perror(fs->root);
		return 1;
	}
	printf("%s\n", fs->root);
	return 0;
}
