/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of an image, confined. Two processes, in namespaces of their own:
 *
 *   init      pid 1, a copy of this one. Makes the program's view of the world, waits for the
 *             program and ends; then the kernel kills what is left in the namespace.
 *   program   the image's, pid 2.
 *
 * What is less obvious:
 *
 *  - The target is cloned by this process (open_tree(2)), as only mounts of one's own namespace can
 *    be, and the clone is what init makes its root. The host's mounts are gone before anything of
 *    the image is looked at, so its links lead nowhere else.
 *  - /proc/PID/exe of a process that has not yet executed anything is this very program, as a file
 *    that root can write. Nobody can reach that of init, which is not dumpable, without
 *    CAP_SYS_PTRACE. But a script that begins with "#!/proc/self/exe" would have it executed again.
 *    Hence there is no /proc until the exec is over: the program is held there by ptrace(2).
 *  - CAP_DAC_READ_SEARCH is not among what it keeps: open_by_handle_at(2) would open any file of
 *    the file system that the target is on, inside or not.
 *  - It is root, and root owns /proc/sys and /sys: that needs no capability, hence read-only.
 *  - A core dump would be handed to a program of the host.
 */
#include "launcher/setup/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/mount.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define BIT(n) (G_GUINT64_CONSTANT(1) << (n))

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* Of what it says; the rest is dropped. */
#define MOST_SHOWN (1024 * 1024)

static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

static const struct {
	const char *name, *to;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

/* Of the kernel and the firmware, and nothing to an image. */
static const char *const masked[] = { "/sys/firmware", "/sys/kernel", "/sys/fs" };

/* What init says when a stage failed. */
typedef struct {
	gboolean executing; /* it was confined, but cannot be executed */
	int saved_errno;
	char stage[60];
} Failure;

/* Descriptors of init. */
typedef struct {
	const HvrConfined *confined;
	int parent; /* pidfd of who started it */
	int tree;   /* a clone of the target's mounts, attached nowhere */
	int output; /* what the program says */
	int report; /* takes a Failure; closed without one when the program runs */
} Init;

static const char *follow_parent(int parent)
{
	struct pollfd wait = { .fd = parent, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return "following its parent";
	/* It may have ended before. getppid(2) cannot tell: it is in another namespace. */
	if (poll(&wait, 1, 0) == 0)
		return NULL;
	errno = ESRCH;
	return "following its parent";
}

static const char *leave_the_terminal(const Init *init)
{
	const struct rlimit no_core = { .rlim_cur = 1,
					.rlim_max = 1 }; /* 0 spares no pipe: core(5) */
	g_auto(HvrFd) null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL); /* refused for KILL and STOP: as it should */
	umask(022);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setsid() < 0)
		return "making a session";
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return "limiting core dumps";
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(init->output, STDOUT_FILENO) < 0 ||
	    dup2(init->output, STDERR_FILENO) < 0)
		return "redirecting";
	return NULL;
}

/* Of the host's /dev, while it is there. */
static const char *clone_nodes(int *fds)
{
	for (guint i = 0; i < G_N_ELEMENTS(nodes); i++) {
		char path[32];
		g_snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		fds[i] = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (fds[i] < 0)
			return "cloning device nodes";
	}
	return NULL;
}

/* The target becomes all that there is. */
static const char *change_root(const Init *init)
{
	if (move_mount(init->tree, "", AT_FDCWD, "/dev", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return "mounting the target";
	/* The old root is put on top of the new one, and taken off: pivot_root(2). */
	if (fchdir(init->tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return "changing the root";
	return NULL;
}

static const char *make_dev(const int *fds)
{
	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=16m") < 0 ||
	    mkdir("/dev/shm", 01777) < 0 || chmod("/dev/shm", 01777) < 0)
		return "mounting /dev";
	for (guint i = 0; i < G_N_ELEMENTS(nodes); i++) {
		char path[32];
		g_snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		g_auto(HvrFd) file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (file < 0 || move_mount(fds[i], "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return "mounting device nodes";
	}
	for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
		char path[32];
		g_snprintf(path, sizeof(path), "/dev/%s", links[i].name);
		if (symlink(links[i].to, path) < 0)
			return "making links in /dev";
	}
	return NULL;
}

/* An empty folder that stays empty. */
static int cover(const char *path)
{
	return mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		     "mode=0755,size=4k");
}

static const char *make_sys_and_run(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	/* The target's /proc may be a mount of the host's. */
	if (cover("/proc") < 0)
		return "covering /proc";
	if (mount("sysfs", "/sys", "sysfs", flags | MS_RDONLY, NULL) < 0)
		return "mounting /sys";
	for (guint i = 0; i < G_N_ELEMENTS(masked); i++)
		if (cover(masked[i]) < 0 && errno != ENOENT)
			return "covering parts of /sys";
	if (mount("tmpfs", "/run", "tmpfs", flags, "mode=0755,size=64m") < 0)
		return "mounting /run";
	return NULL;
}

static const char *make_world(const Init *init)
{
	int fds[G_N_ELEMENTS(nodes)];
	const char *failed = NULL;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "leaving the host's mounts";
	failed = clone_nodes(fds);
	if (!failed)
		failed = change_root(init);
	if (!failed)
		failed = make_dev(fds);
	if (!failed)
		failed = make_sys_and_run();
	return failed;
}

/* For files and ids, as the tools that are run need them, and for processes of their own. Not by
 * libcap-ng, which remembers the thread that it was first used in: init is another one, and
 * clone3(2) has told nobody. */
static const char *drop_capabilities(void)
{
	const guint64 kept = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
			     BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
			     BIT(CAP_SYS_CHROOT);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return "reading capabilities";
	for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
		sets[i].permitted &= (guint32)(kept >> (32 * i));
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	for (guint i = 0; i < 64; i++) /* EINVAL: the kernel has no such one */
		if (!(kept & BIT(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
			return "dropping capabilities";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, sets) < 0)
		return "dropping capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "setting no_new_privs";
	return NULL;
}

static void G_GNUC_NORETURN give_up(const Init *init, const char *stage, gboolean executing)
{
	Failure failure = { .executing = executing, .saved_errno = errno };

	strncpy(failure.stage, stage, sizeof(failure.stage) - 1);
	if (write(init->report, &failure, sizeof(failure)) != sizeof(failure))
		_exit(127);
	_exit(126);
}

static void G_GNUC_NORETURN become_program(const Init *init)
{
	const HvrConfined *confined = init->confined;
	const char *failed = drop_capabilities();

	if (!failed && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		failed = "holding it at its start";
	if (!failed && syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		failed = "closing descriptors";
	if (failed)
		give_up(init, failed, FALSE);
	execve(confined->argv[0], (char *const *)confined->argv,
	       (char *const *)confined->environment);
	give_up(init, "executing it", TRUE);
}

/* It has executed the image's program, and waits. */
static const char *let_go(pid_t program)
{
	const char *failed = NULL;

	if (mount("proc", "/proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		failed = "mounting /proc";
	if (!failed)
		failed = drop_capabilities();
	if (!failed && ptrace(PTRACE_DETACH, program, NULL, NULL) < 0)
		failed = "letting it go";
	return failed;
}

/* Whatever loses its parent in there is ours, too. */
static int wait_for(pid_t program)
{
	int status = 0;
	pid_t ended;

	do
		ended = waitpid(-1, &status, 0);
	while (ended != program && (ended > 0 || errno == EINTR));
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static void G_GNUC_NORETURN be_init(const Init *init)
{
	const char *failed = follow_parent(init->parent);
	int status = 0;
	pid_t program;

	if (!failed && prctl(PR_SET_DUMPABLE, 0) < 0)
		failed = "hiding this process";
	if (!failed)
		failed = leave_the_terminal(init);
	if (!failed)
		failed = make_world(init);
	if (failed)
		give_up(init, failed, FALSE);
	program = fork();
	if (program == 0)
		become_program(init);
	if (program < 0 || waitpid(program, &status, 0) != program)
		give_up(init, "making a process", FALSE);
	if (!WIFSTOPPED(status))
		_exit(126); /* it has said why */
	failed = let_go(program);
	if (failed)
		give_up(init, failed, FALSE);
	/* The report too, which says that the program runs. */
	syscall(SYS_close_range, 3U, ~0U, 0U);
	_exit(wait_for(program));
}

/* The target's mounts, without devices and setuid bits; nobody else's see them. */
static int clone_target(int target)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
					 .propagation = MS_PRIVATE };
	g_auto(HvrFd) tree = open_tree(
		target, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
				      sizeof(attributes)) < 0)
		return -1;
	return g_steal_fd(&tree);
}

static gboolean fail(const HvrConfined *confined, const Failure *failure, GError **error)
{
	g_autofree char *line = g_strjoinv(" ", (char **)confined->argv);

	if (failure->executing)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "'%s' failed: %s", line, g_strerror(failure->saved_errno));
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "'%s' cannot be confined here: %s: %s", line, failure->stage,
			    g_strerror(failure->saved_errno));
	return FALSE;
}

static gboolean fail_now(const HvrConfined *confined, const char *stage, GError **error)
{
	Failure failure = { .saved_errno = errno };

	strncpy(failure.stage, stage, sizeof(failure.stage) - 1);
	return fail(confined, &failure, error);
}

/* A program of somebody else's has no say over our terminal. Returns: FALSE at its end */
static gboolean relay(int output, gsize *shown)
{
	char buffer[4096];
	ssize_t n = read(output, buffer, sizeof(buffer));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (ssize_t i = 0; i < n; i++)
		if (!g_ascii_isprint(buffer[i]) && buffer[i] != '\n' && buffer[i] != '\t')
			buffer[i] = '?';
	gsize length = MIN((gsize)n, MOST_SHOWN - *shown);
	*shown += length;
	if (!hvr_fd_write_all(STDERR_FILENO, buffer, length))
		g_debug("what a program says is lost: %s", g_strerror(errno));
	return TRUE;
}

/* Returns: FALSE when it has not ended: out of time; or, with @error, interrupted. */
static gboolean wait_for_end(gint64 end, int pidfd, int output, GError **error)
{
	struct pollfd waits[] = { { .fd = output, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN },
				  { .fd = hvr_interrupt_fd(), .events = POLLIN } };
	gsize shown = 0;

	for (;;) {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000;

		if (left_ms <= 0)
			return FALSE;
		if (poll(waits, G_N_ELEMENTS(waits), (int)left_ms) <= 0)
			continue;
		if (waits[2].revents && !hvr_interrupt_check(error))
			return FALSE;
		if (waits[0].revents && !relay(output, &shown))
			waits[0].fd = -1;
		if (waits[1].revents && (waits[0].fd < 0 || !(waits[0].revents & POLLIN)))
			return TRUE;
	}
}

/* Of pid 1 of a namespace: it can only be waited for when all others in it have ended. */
static int end_and_reap(pid_t pid, int pidfd)
{
	int status = 0;

	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Returns: FALSE when nothing came in time; else @out_n as of read(2) */
static gboolean read_report(int report, gint64 end, Failure *failure, ssize_t *out_n)
{
	if (!hvr_fd_readable_before(report, end))
		return FALSE;
	*out_n = read(report, failure, sizeof(*failure));
	return TRUE;
}

/* @report: closes without a word when the program runs */
static gboolean watch(const HvrConfined *confined, pid_t pid, int pidfd, int report, int output,
		      GError **error)
{
	gint64 end = g_get_monotonic_time() + confined->timeout_ms * G_GINT64_CONSTANT(1000);
	g_autofree char *line = g_strjoinv(" ", (char **)confined->argv);
	g_autoptr(GError) interrupted = NULL;
	Failure failure = { 0 };
	ssize_t said = 0;

	gboolean ended = read_report(report, end, &failure, &said) &&
			 (said != 0 || wait_for_end(end, pidfd, output, &interrupted));
	int status = end_and_reap(pid, pidfd);
	if (ended && said != 0)
		return fail(confined, &failure, error);
	if (interrupted) {
		g_propagate_error(error, g_steal_pointer(&interrupted));
	} else if (!ended) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "'%s' was not done after %u s", line, confined->timeout_ms / 1000);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		g_autofree char *how = hvr_program_describe_end(status);
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' %s", line,
			    how);
	} else {
		return TRUE;
	}
	return FALSE;
}

gboolean hvr_confine_run(const HvrConfined *confined, GError **error)
{
	g_auto(HvrFd) tree = clone_target(confined->target);
	int reports[2], outputs[2];
	g_auto(HvrFd) pidfd = -1;

	if (tree < 0)
		return fail_now(confined, "cloning the target's mounts", error);
	g_auto(HvrFd) parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (parent < 0 || pipe2(reports, O_CLOEXEC) < 0)
		return fail_now(confined, "preparing", error);
	g_auto(HvrFd) report = reports[0];
	g_auto(HvrFd) reporter = reports[1];
	if (pipe2(outputs, O_CLOEXEC) < 0)
		return fail_now(confined, "preparing", error);
	g_auto(HvrFd) output = outputs[0];
	g_auto(HvrFd) speaker = outputs[1];
	struct clone_args arguments = { .flags = NAMESPACES | CLONE_PIDFD,
					.pidfd = (guint64)(guintptr)&pidfd,
					.exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		const Init init = { .confined = confined,
				    .parent = parent,
				    .tree = tree,
				    .output = speaker,
				    .report = reporter };
		be_init(&init);
	}
	if (pid < 0)
		return fail_now(confined, "making namespaces", error);
	hvr_fd_close(g_steal_fd(&reporter));
	hvr_fd_close(g_steal_fd(&speaker));
	return watch(confined, pid, pidfd, report, output, error);
}
