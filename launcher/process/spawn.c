/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork, become somebody without privileges, exec.
 *
 * Stages of the child, each with what it should do and must not:
 *   signals      defaults and an empty mask; must not run one of our handlers
 *   begin        what the caller has it do, as itself and with all rights yet
 *   terminal     none: in a session of its own, so that Ctrl-C reaches the launcher, which then
 *                asks the guest to power down, and so that no key can be pushed into the terminal
 *                (TIOCSTI wants it to be the caller's controlling one); must come before
 *                descriptors, which take away what can be read
 *   limits       RLIMIT_MEMLOCK while CAP_SYS_RESOURCE is there; open files as many as may be
 *   CPUs         since QEMU's sandbox keeps it from choosing them itself
 *   descriptors  all but the named ones get close-on-exec; must not close the error pipe
 *   privileges   see privileges.c; must come after everything that needs any
 *   parent       whose end is its own, where that is asked for; a change of ids would undo it
 *   leash        the same of all who have a pipe, where that is asked for
 *   exec         in an environment of our making: see environment.c
 * A stage that fails is told to the parent by its number and errno over a close-on-exec pipe: when
 * exec succeeds the pipe just closes. The child calls no function that could wait for a lock that
 * another thread holds: this program has a single thread.
 */
#include "launcher/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/environment.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* What the child says when a stage failed. */
typedef struct {
	int saved_errno;
	char stage[60];
} Failure;

static const char *reset_signals(void)
{
	sigset_t none;
	struct sigaction defaults = { .sa_handler = SIG_DFL };

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &defaults, NULL); /* refused for KILL and STOP: as it should */
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return "resetting signals";
	return NULL;
}

static const char *limit_memlock(guint64 bytes)
{
	struct rlimit now, wanted = { .rlim_cur = bytes, .rlim_max = bytes };

	if (bytes == 0)
		return NULL;
	if (getrlimit(RLIMIT_MEMLOCK, &now) < 0)
		return "reading the memory lock limit";
	if (setrlimit(RLIMIT_MEMLOCK, &wanted) == 0)
		return NULL;
	/* Without CAP_SYS_RESOURCE the hard limit is all there is; the plan has judged it. */
	wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(RLIMIT_MEMLOCK, &wanted) < 0)
		return "setting the memory lock limit";
	return NULL;
}

/* The soft limit is there for programs that use select(2), for which a descriptor above 1023 is one
 * too many; none that is started here does. QEMU has some for each disk, queue and interrupt. */
static const char *raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return "reading the limit of open files";
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return "raising the limit of open files";
	return NULL;
}

/*
 * For a process that becomes the program. It may lead a group, and then setsid(2) is refused. A
 * session's leader that gives up the terminal has SIGHUP sent to the group in front, its own.
 * Nothing gets the terminal back: only a leader can, and only one that is open for reading
 * (TIOCSCTTY, and open(2) likewise; tty_jobctrl.c).
 */
static const char *give_up_terminal(void)
{
	g_auto(HvrFd) terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal < 0 && errno == ENXIO)
		return NULL;
	signal(SIGHUP, SIG_IGN);
	gboolean gone = ioctl(terminal, TIOCNOTTY) == 0 || setsid() >= 0;
	signal(SIGHUP, SIG_DFL);
	return gone ? NULL : "giving up the terminal";
}

/* A terminal is mostly open for both, under whatever number. */
static const char *make_write_only(int fd)
{
	g_autofree char *path = hvr_fd_path(fd, NULL);

	if (!isatty(fd))
		return NULL;
	g_auto(HvrFd) anew = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (anew < 0 || dup2(anew, fd) < 0)
		return "opening the terminal for writing only";
	return NULL;
}

/* 0, 1 and 2 */
static const char *set_standard_descriptors(const HvrSpawn *spawn)
{
	g_auto(HvrFd) null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int output = spawn->stdout_fd, input = spawn->stdin_fd;
	const char *failed = NULL;

	if (null < 0)
		return "opening /dev/null";
	if (output == 0)
		output = null;
	if (input == 0)
		input = null;
	if (output < 0)
		failed = make_write_only(STDOUT_FILENO);
	else if (dup2(output, STDOUT_FILENO) < 0)
		failed = "redirecting standard output";
	if (!failed && spawn->stderr_fd < 0)
		failed = make_write_only(STDERR_FILENO);
	else if (!failed && dup2(spawn->stderr_fd, STDERR_FILENO) < 0)
		failed = "redirecting standard error";
	if (!failed && input >= 0 && dup2(input, STDIN_FILENO) < 0)
		failed = "redirecting standard input";
	return failed;
}

static const char *keep_descriptors(const HvrSpawn *spawn)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS &&
	    errno != EINVAL)
		return "closing descriptors";
	for (guint i = 0; i < spawn->n_fds; i++)
		if (fcntl(spawn->fds[i], F_SETFD, 0) < 0)
			return "handing over descriptors";
	return set_standard_descriptors(spawn);
}

/* @parent: who it was when we were made; it may have ended since, and then no signal comes. */
static const char *follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return "following its parent";
	if (getppid() == parent)
		return NULL;
	errno = ESRCH;
	return "following its parent";
}

/* Its other end may have been closed before, and then no signal comes. */
static const char *put_on_leash(int fd)
{
	struct pollfd leash = { .fd = fd };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETSIG, SIGTERM) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 ||
	    fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
		return "putting it on a leash";
	if (poll(&leash, 1, 0) == 0)
		return NULL;
	errno = ESRCH;
	return "putting it on a leash";
}

/* Goes through the stages. Returns the one that failed; not at all when exec succeeds.
 * @parent: 0: none, we are to become it ourselves */
static Failure become(const HvrSpawn *spawn, char *const *environment, pid_t parent)
{
	Failure failure = { 0 };
	const char *failed = reset_signals();

	if (!failed && spawn->begin && !spawn->begin(spawn->begin_data))
		failed = "writing down which process it is";
	if (!failed && parent == 0)
		failed = give_up_terminal();
	else if (!failed && setsid() < 0)
		failed = "making a session";
	if (!failed)
		failed = limit_memlock(spawn->memlock_bytes);
	if (!failed)
		failed = raise_open_files();
	if (!failed && spawn->cpus && sched_setaffinity(0, sizeof(*spawn->cpus), spawn->cpus) < 0)
		failed = "choosing CPUs";
	if (!failed)
		failed = keep_descriptors(spawn);
	if (!failed)
		failed = hvr_privileges_drop(&spawn->identity);
	if (!failed && spawn->with_parent && parent)
		failed = follow_parent(parent);
	if (!failed && spawn->leash)
		failed = put_on_leash(spawn->leash);
	if (!failed) {
		execve(spawn->path, spawn->argv, environment);
		failed = "executing it";
	}
	failure.saved_errno = errno;
	strncpy(failure.stage, failed, sizeof(failure.stage) - 1);
	return failure;
}

static int fail(const HvrSpawn *spawn, const Failure *failure, GError **error)
{
	gboolean denied = failure->saved_errno == EPERM || failure->saved_errno == EACCES;

	g_set_error(error, HVR_LAUNCH_ERROR,
		    denied ? HVR_LAUNCH_ERROR_PERMISSION : HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "cannot start %s: %s: %s", spawn->path, failure->stage,
		    g_strerror(failure->saved_errno));
	return -1;
}

/* TRUE when the pipe closed without a word: exec has happened. */
static gboolean exec_happened(int pipe_fd, Failure *out_failure)
{
	ssize_t n;

	do
		n = read(pipe_fd, out_failure, sizeof(*out_failure));
	while (n < 0 && errno == EINTR);
	return n == 0;
}

/* For --debug: what was started, as whom, and what it was given. */
static void tell(const HvrSpawn *spawn, pid_t pid)
{
	g_debug("process %d is %s, user %u", (int)pid, spawn->path, (guint)spawn->identity.uid);
	for (guint i = 0; i < spawn->n_fds; i++) {
		g_autofree char *path = hvr_fd_path(spawn->fds[i], NULL);
		g_autofree char *what = g_file_read_link(path, NULL);
		g_debug("process %d has descriptor %d: %s", (int)pid, spawn->fds[i], what);
	}
}

pid_t hvr_spawn(const HvrSpawn *spawn, int *out_pidfd, GError **error)
{
	g_auto(GStrv) environment = hvr_environment_for_programs(geteuid() == 0);
	Failure failure = { 0 };
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		failure = (Failure){ .saved_errno = errno, .stage = "making a pipe" };
		return fail(spawn, &failure, error);
	}
	g_auto(HvrFd) reader = pipes[0];
	g_auto(HvrFd) writer = pipes[1];

	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		failure = become(spawn, environment, parent);
		if (write(writer, &failure, sizeof(failure)) != sizeof(failure))
			_exit(127);
		_exit(126);
	}
	if (pid < 0) {
		failure = (Failure){ .saved_errno = errno, .stage = "making a process" };
		return fail(spawn, &failure, error);
	}
	hvr_fd_close(g_steal_fd(&writer));
	if (!exec_happened(reader, &failure)) {
		waitpid(pid, NULL, 0);
		return fail(spawn, &failure, error);
	}
	*out_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	tell(spawn, pid);
	return pid;
}

void hvr_spawn_replace(const HvrSpawn *spawn, GError **error)
{
	g_auto(GStrv) environment = hvr_environment_for_programs(geteuid() == 0);

	tell(spawn, getpid());
	Failure failure = become(spawn, environment, 0);

	fail(spawn, &failure, error);
}
