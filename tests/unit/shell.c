/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal with a shell on it; see shell.h. */
#include "tests/unit/shell.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfio/fd.h"

#define WAIT_MS 30000

Shell *shell_new(void)
{
	Shell *shell = g_new(Shell, 1);

	*shell = (Shell){
		.terminal = -1, .talk = -1, .screen = g_string_new(NULL), .said = g_string_new(NULL)
	};
	return shell;
}

void shell_hang_up(Shell *shell)
{
	hvr_fd_close(g_steal_fd(&shell->terminal));
}

void shell_free(Shell *shell)
{
	shell_hang_up(shell);
	hvr_fd_close(shell->talk);
	if (shell->pid)
		waitpid(shell->pid, NULL, 0);
	g_string_free(shell->screen, TRUE);
	g_string_free(shell->said, TRUE);
	g_free(shell);
}

void shell_bring_to_front(const Shell *shell)
{
	kill(shell->pid, SIGUSR1);
}

static pid_t job_pid;

static void on_front(int number)
{
	tcsetpgrp(STDIN_FILENO, job_pid);
	kill(-job_pid, SIGCONT);
}

/* What is there to be read by the shell, now that its job is over. */
static void tell_input(int answers)
{
	struct termios settings;
	char input[256];

	tcgetattr(STDIN_FILENO, &settings);
	settings.c_lflag &= ~(tcflag_t)ICANON;
	tcsetattr(STDIN_FILENO, TCSANOW, &settings);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	ssize_t n = read(STDIN_FILENO, input, sizeof(input) - 1);
	input[MAX(n, 0)] = '\0';
	g_autofree char *text = g_strescape(input, NULL);
	dprintf(answers, "input '%s'\n", text);
}

static void tell_terminal(int answers, const struct termios *before)
{
	struct termios now;

	tcgetattr(STDIN_FILENO, &now);
	gboolean same = now.c_iflag == before->c_iflag && now.c_oflag == before->c_oflag &&
			now.c_lflag == before->c_lflag && now.c_cflag == before->c_cflag &&
			memcmp(now.c_cc, before->c_cc, sizeof(now.c_cc)) == 0 &&
			!(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
	dprintf(answers, "terminal %s\n", same ? "same" : "changed");
}

/* Stays with a job as a shell does; SIGUSR1 is `fg`. */
static G_NORETURN void be_shell(const ShellJob *job, int answers)
{
	struct termios before;
	int status;

	/* Whoever runs the tests may do so by nohup */
	signal(SIGHUP, SIG_DFL);
	tcgetattr(STDIN_FILENO, &before);
	pid_t shell = getpid();
	job_pid = fork();
	if (job_pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		if (!job->background)
			tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		job->run(job->data);
		_exit(1);
	}
	signal(SIGTTOU, SIG_IGN);
	signal(SIGUSR1, on_front);
	dprintf(answers, "job %d\n", (int)job_pid);
	for (;;) {
		if (waitpid(job_pid, &status, WUNTRACED) < 0)
			continue;
		tell_terminal(answers, &before);
		if (!WIFSTOPPED(status))
			break;
		dprintf(answers, "stopped by %d\n", WSTOPSIG(status));
		if (!job->stays_stopped)
			kill(-job_pid, SIGCONT);
	}
	tcsetpgrp(STDIN_FILENO, shell);
	tell_input(answers);
	dprintf(answers, "status %d\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
	_exit(0);
}

void shell_start(Shell *shell, const ShellJob *job)
{
	int answers[2];

	shell->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(shell->terminal >= 0);
	assert_int_equal(grantpt(shell->terminal) | unlockpt(shell->terminal), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	shell->pid = fork();
	if (shell->pid == 0) {
		setsid();
		int side = open(ptsname(shell->terminal), O_RDWR); /* this makes it the session's */
		for (int fd = 0; fd < 3; fd++)
			dup2(side, fd);
		close(side);
		close(shell->terminal);
		if (job->leader)
			job->run(job->data);
		be_shell(job, answers[1]);
	}
	close(answers[1]);
	shell->talk = answers[0];
}

static gboolean collect(int fd, GString *text)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] != '\r')
			g_string_append_c(text, bytes[i]);
	return n > 0;
}

void shell_expect(Shell *shell, const GString *text, const char *what)
{
	struct pollfd fds[] = { { .fd = shell->terminal, .events = POLLIN },
				{ .fd = shell->talk, .events = POLLIN } };

	while (!what || !strstr(text->str, what)) {
		if (fds[0].fd < 0 && fds[1].fd < 0)
			break;
		if (poll(fds, G_N_ELEMENTS(fds), WAIT_MS) <= 0)
			fail_msg("waited for '%s', screen:\n%s\nshell:\n%s", what,
				 shell->screen->str, shell->said->str);
		if (fds[0].revents && !collect(shell->terminal, shell->screen))
			fds[0].fd = -1;
		if (fds[1].revents && !collect(shell->talk, shell->said))
			fds[1].fd = -1;
	}
	if (what && !strstr(text->str, what))
		fail_msg("no '%s', screen:\n%s\nshell:\n%s", what, shell->screen->str,
			 shell->said->str);
}

void shell_type(const Shell *shell, const char *keys)
{
	assert_int_equal(write(shell->terminal, keys, strlen(keys)), strlen(keys));
}

pid_t shell_number(const GString *text, const char *word)
{
	const char *at = strstr(text->str, word);

	assert_non_null(at);
	return atoi(at + strlen(word));
}

gboolean shell_is_raw(const Shell *shell)
{
	struct termios settings;

	assert_int_equal(tcgetattr(shell->terminal, &settings), 0);
	return !(settings.c_lflag & ICANON);
}

void shell_assert_said(const Shell *shell, const char *line)
{
	g_auto(GStrv) lines = g_strsplit(shell->said->str, "\n", -1);

	if (!g_strv_contains((const char *const *)lines, line))
		fail_msg("no '%s', screen:\n%s\nshell:\n%s", line, shell->screen->str,
			 shell->said->str);
}
