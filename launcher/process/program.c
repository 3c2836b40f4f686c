/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers are started like QEMU itself (spawn.c): as the VM's user, with named descriptors and no
 * privilege. What they say is read until they close it, so that a full pipe holds nobody, and only
 * its last line is kept: that is where such programs put the reason. Each has a session of its own,
 * so that a script that hangs is killed together with what it waits for.
 */
#include "launcher/process/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/environment.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/spawn.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* Of what a program says; the rest is dropped. */
#define KEPT 4096

/* @list: as PATH is */
static char *find_below(const char *list, const char *name)
{
	g_auto(GStrv) folders = g_strsplit(list, ":", -1);

	for (guint i = 0; folders[i]; i++) {
		g_autofree char *path = g_build_filename(folders[i], name, NULL);
		if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
			return g_steal_pointer(&path);
	}
	return NULL;
}

char *hvr_program_find(const char *name, gboolean privileged)
{
	char *path;

	if (g_path_is_absolute(name) || !privileged)
		path = g_find_program_in_path(name);
	else
		path = find_below(HVR_TRUSTED_PATH, name);
	if (!path && !strchr(name, G_DIR_SEPARATOR))
		path = find_below(HVR_LIBEXEC, name);
	return path;
}

/* Returns: FALSE when nothing more will come. */
static gboolean take_output(int fd, GString *said)
{
	char buffer[512];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n > 0)
		g_string_append_len(said, buffer, n);
	if (said->len > KEPT)
		g_string_erase(said, 0, said->len - KEPT);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Returns: FALSE when it has not ended: out of time, or interrupted. */
static gboolean wait_for_end(const HvrProgram *program, int pidfd, int output, GString *said,
			     GError **error)
{
	gint64 end = g_get_monotonic_time() + program->timeout_ms * G_GINT64_CONSTANT(1000);
	struct pollfd waits[] = { { .fd = output, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN },
				  { .fd = hvr_interrupt_fd(), .events = POLLIN } };

	for (;;) {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000;

		if (left_ms <= 0) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "%s was not done after %u s", program->path,
				    program->timeout_ms / 1000);
			return FALSE;
		}
		if (poll(waits, G_N_ELEMENTS(waits), (int)left_ms) <= 0)
			continue;
		if (waits[2].revents && !hvr_interrupt_check(error))
			return FALSE;
		if (waits[0].revents && !take_output(output, said))
			waits[0].fd = -1;
		if (waits[1].revents && !(waits[0].fd >= 0 && (waits[0].revents & POLLIN)))
			return TRUE;
	}
}

char *hvr_program_describe_end(int status)
{
	if (WIFEXITED(status))
		return g_strdup_printf("ended with status %d", WEXITSTATUS(status));
	return g_strdup_printf("was ended by signal %d", WTERMSIG(status));
}

static void set_failure(const HvrProgram *program, int status, const GString *said, GError **error)
{
	g_autofree char *end = hvr_program_describe_end(status);
	g_autofree char *text = g_utf8_make_valid(said->str, -1);

	g_strchomp(text);
	const char *newline = strrchr(text, '\n');
	char *line = text;
	if (newline)
		line += newline - text + 1;
	for (char *c = line; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	g_strchug(line);
	if (*line)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s %s: %s",
			    program->path, end, line);
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s %s",
			    program->path, end);
}

gboolean hvr_program_run(const HvrProgram *program, GError **error)
{
	g_autoptr(GString) said = g_string_new(NULL);
	g_auto(HvrFd) pidfd = -1;
	int pipes[2], status = 0;

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		int saved = errno;

		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a pipe: %s", g_strerror(saved));
		return FALSE;
	}
	g_auto(HvrFd) reader = pipes[0];
	g_auto(HvrFd) writer = pipes[1];
	HvrSpawn spawn = { .path = program->path,
			   .argv = (char *const *)program->argv,
			   .identity = program->identity,
			   .fds = program->fds,
			   .n_fds = program->n_fds,
			   .stdin_fd = program->stdin_fd,
			   .stdout_fd = program->stdout_fd,
			   .stderr_fd = writer };
	pid_t pid = hvr_spawn(&spawn, &pidfd, error);
	if (pid < 0)
		return FALSE;
	hvr_fd_close(g_steal_fd(&writer));
	gboolean ended = wait_for_end(program, pidfd, reader, said, error);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		return FALSE;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TRUE;
	set_failure(program, status, said, error);
	return FALSE;
}

void hvr_program_add_word(GPtrArray *argv, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(argv, g_strdup_vprintf(format, args));
	va_end(args);
}
