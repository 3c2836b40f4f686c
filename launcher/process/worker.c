/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork without exec, which a program with a single thread may do.
 *
 * The end is told by the pidfd and not by a pipe that closes: a child of the worker's that the
 * kernel does not let go of would keep that open. Why the work failed waits in a file in memory, of
 * any length, for whoever comes to read it.
 */
#include "launcher/process/worker.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/compat.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* How it ends. */
enum { DONE, FAILED, BROKEN };

struct HvrWorker {
	char *what;
	int pidfd;
	int words;	 /* "DOMAIN\nCODE\nMESSAGE" of its error */
	GError *failure; /* why there is none */
	HvrWorkDone done;
	gpointer data;
};

static G_NORETURN void be_worker(const HvrWorker *worker, pid_t parent, HvrWork work)
{
	g_autoptr(GError) error = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(BROKEN);
	if (work(worker->data, &error))
		_exit(DONE);
	g_autofree char *words = g_strdup_printf("%s\n%d\n%s", g_quark_to_string(error->domain),
						 error->code, error->message);
	_exit(hvr_fd_write_all(worker->words, words, strlen(words)) ? FAILED : BROKEN);
}

/* What it wrote, or NULL: it did not come to that. */
static GError *read_words(int words)
{
	g_autofree char *path = hvr_fd_path(words, NULL);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	g_auto(GStrv) parts = g_strsplit(text, "\n", 3);
	gint64 code = 0;
	if (g_strv_length(parts) < 3 ||
	    !g_ascii_string_to_signed(parts[1], 10, G_MININT, G_MAXINT, &code, NULL))
		return NULL;
	return g_error_new_literal(g_quark_from_string(parts[0]), (int)code, parts[2]);
}

static GError *read_outcome(const HvrWorker *worker)
{
	siginfo_t info = { 0 };

	waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED);
	gboolean exited = info.si_code == CLD_EXITED;
	if (exited && info.si_status == DONE)
		return NULL;
	GError *error = exited && info.si_status == FAILED ? read_words(worker->words) : NULL;
	if (!error)
		error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
				    "%s: its process was ended (%s %d)", worker->what,
				    exited ? "status" : "signal", info.si_status);
	return error;
}

static void worker_end(HvrWorker *worker, const GError *error)
{
	worker->done(error, worker->data);
	hvr_fd_close(worker->pidfd);
	hvr_fd_close(worker->words);
	g_clear_error(&worker->failure);
	g_free(worker->what);
	g_free(worker);
}

static gboolean on_ended(gint pidfd, GIOCondition condition, gpointer data)
{
	g_autoptr(GError) error = read_outcome(data);

	worker_end(data, error);
	return G_SOURCE_REMOVE;
}

static gboolean on_not_started(gpointer data)
{
	HvrWorker *worker = data;

	worker_end(worker, worker->failure);
	return G_SOURCE_REMOVE;
}

static gboolean start(HvrWorker *worker, HvrWork work)
{
	pid_t parent = getpid(), pid = -1;

	worker->words = memfd_create("hvr-worker", MFD_CLOEXEC);
	if (worker->words >= 0)
		pid = fork();
	if (pid == 0)
		be_worker(worker, parent, work);
	if (pid > 0)
		worker->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int saved = errno;
	if (worker->pidfd >= 0)
		return TRUE;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	errno = saved;
	return FALSE;
}

HvrWorker *hvr_worker_start(char *what, HvrWork work, HvrWorkDone done, gpointer data)
{
	HvrWorker *worker = g_new(HvrWorker, 1);

	*worker = (HvrWorker){ .what = what, .pidfd = -1, .words = -1, .done = done, .data = data };
	if (start(worker, work)) {
		g_unix_fd_add(worker->pidfd, G_IO_IN, on_ended, worker);
		return worker;
	}
	worker->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
				      "%s: cannot make a process for it: %s", worker->what,
				      g_strerror(errno));
	g_idle_add(on_not_started, worker);
	return worker;
}

void hvr_worker_interrupt(const HvrWorker *worker)
{
	if (worker->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, worker->pidfd, SIGTERM, NULL, 0);
}
