/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * A terminal, a shell on it and its one job, all of them real: a session with a pseudo terminal, in
 * which a process does what a shell does.
 */
typedef struct {
	int terminal;	 /* its master's side */
	int talk;	 /* what the shell has to say */
	pid_t pid;	 /* of the shell; 0: not started */
	GString *screen; /* what is on the terminal, without carriage returns */
	GString *said;	 /* by the shell */
} Shell;

/* What a user starts. */
typedef struct {
	void (*run)(gconstpointer data); /* does not return */
	gconstpointer data;
	gboolean background;
	gboolean leader;	/* it leads the session itself, as after `exec` in a shell */
	gboolean stays_stopped; /* until `fg`; else the shell has it go on at once */
} ShellJob;

Shell *shell_new(void) G_GNUC_WARN_UNUSED_RESULT;
/* Hangs up, and waits for the shell. */
void shell_free(Shell *shell);

/**
 * shell_start - open a terminal, and have a shell start the job on it.
 *
 * The shell says, a line each: "job PID"; "terminal same" or "terminal changed" of its settings and
 * O_NONBLOCK, each time that the job has been stopped or has ended; "stopped by N"; and at the end
 * "input 'TEXT'", what is there to be read by it, and "status N", 1000 + the signal that ended it.
 */
void shell_start(Shell *shell, const ShellJob *job);
/* `fg` */
void shell_bring_to_front(const Shell *shell);
/* The terminal is gone, as when its window is closed. */
void shell_hang_up(Shell *shell);

void shell_type(const Shell *shell, const char *keys);
gboolean shell_is_raw(const Shell *shell);

/* Looks at the screen and listens to the shell until @what is in @text, one of the shell's; NULL:
 * until both end. Fails the test after half a minute. */
void shell_expect(Shell *shell, const GString *text, const char *what);
/* The shell has said this line. */
void shell_assert_said(const Shell *shell, const char *line);
/* The number behind @word in @text. */
pid_t shell_number(const GString *text, const char *word);
