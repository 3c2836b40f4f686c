/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a started QEMU prints comes two ways: its standard error, which is its own, and its standard
 * output, where a guest can write ([qemu] args = -debugcon stdio). A script stands in for QEMU.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "launcher/parts/server.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/start.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

static const char script[] = "#!/bin/sh\n"
			     "echo 'qemu-system-x86_64: group 14 is not viable'\n"
			     "echo 'qemu-system-x86_64: own words' >&2\n";

static void assert_said(int fd, const char *wanted)
{
	char said[256] = "";

	assert_true(hvr_fd_read_all(fd, said, sizeof(said) - 1) >= 0);
	assert_string_equal(said, wanted);
}

static void a_guest_has_not_qemus_voice(void **state)
{
	static const char text[] = "[vm]\nmemory = 64M\naccel = tcg\n[serial]\nmode = none\n";
	g_autofree char *folder = g_dir_make_tmp("hvr-start-XXXXXX", NULL);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	HvrUser user = { .uid = geteuid(), .gid = getegid() };
	HvrFacts facts = { .user = &user, .qemu_path = g_build_filename(folder, "qemu", NULL) };
	HvrParts parts = { .user = &user };
	HvrContext context = { .host = { .sys = -1, .dev = -1, .proc = -1, .run = -1 } };
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	HvrPlan plan = { .cards = none };
	g_auto(HvrFd) runtime = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const HvrStart how = { .context = &context,
			       .profile = profile,
			       .facts = &facts,
			       .parts = &parts,
			       .plan = &plan,
			       .locks = none,
			       .folder = runtime,
			       .stays = TRUE };
	HvrStarted started = { 0 };
	g_autoptr(GError) error = NULL;

	fake_files_write(folder, "qemu", script, 0755);
	HvrHandover *handover = hvr_handover_new(&how);
	if (!hvr_start_make(&how, handover, &error) ||
	    !hvr_start_qemu(&how, handover, &started, &error))
		fail_msg("%s", error->message);
	hvr_handover_free(handover);
	assert_said(started.output, "qemu-system-x86_64: own words\n");
	assert_said(started.others, "qemu-system-x86_64: group 14 is not viable\n");
	assert_int_equal(waitpid(started.pid, NULL, 0), started.pid);
	hvr_servers_end(started.servers);
	hvr_fd_close(started.output);
	hvr_fd_close(started.others);
	hvr_fd_close(started.monitor);
	hvr_fd_close(started.pidfd);
	hvr_fd_close(started.control);
	g_free(facts.qemu_path);
	fake_files_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_has_not_qemus_voice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
