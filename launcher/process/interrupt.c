/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process has one set of signals, so what is known of them is kept here, for all of it.
 */
#include "launcher/process/interrupt.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "launcher/report/error.h"

static int signal_fd = -1;
static int noted;

static sigset_t termination_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

void hvr_interrupt_init(void)
{
	sigset_t set = termination_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(signal_fd, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int hvr_interrupt_fd(void)
{
	return signal_fd;
}

int hvr_interrupt_take(void)
{
	struct signalfd_siginfo info;

	if (signal_fd < 0 || read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

static void set_interrupted(int signal_number, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted by signal %d (%s)",
		    signal_number, strsignal(signal_number));
}

gboolean hvr_interrupt_check(GError **error)
{
	int signal_number = hvr_interrupt_take();

	if (signal_number == 0)
		return TRUE;
	hvr_interrupt_note(signal_number);
	set_interrupted(signal_number, error);
	return FALSE;
}

gboolean hvr_interrupt_check_all(GError **error)
{
	if (!hvr_interrupt_check(error))
		return FALSE;
	if (noted)
		set_interrupted(noted, error);
	return !noted;
}

int hvr_interrupt_pending(void)
{
	return noted;
}

void hvr_interrupt_note(int signal_number)
{
	noted = signal_number;
}

void hvr_interrupt_default(void)
{
	sigset_t set = termination_signals();

	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
