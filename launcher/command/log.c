/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: the files that a VM's serial port, and a detached supervisor with its QEMU, write to.
 *
 * They are opened once and read on: when the VM ends, its folder goes, not what we have open. The
 * kernel tells of new bytes (inotify) and of QEMU's end (pidfd), so nothing is polled.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

typedef struct {
	gboolean serial, messages, follow;
} Options;

enum { MESSAGES, SERIAL, N_LOGS };

typedef struct {
	const HvrVm *vm;
	int fds[N_LOGS]; /* -1: there is none */
	char *paths[N_LOGS];
} Logs;

static void logs_clear(Logs *logs)
{
	for (guint i = 0; i < N_LOGS; i++) {
		hvr_fd_close(logs->fds[i]);
		g_free(logs->paths[i]);
	}
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Logs, logs_clear)

/* Only a plain file ends, and is read without waiting. */
static int open_log(const char *path)
{
	g_auto(HvrFd) fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return g_steal_fd(&fd);
}

/* All that is there by now. FALSE: nobody reads us any more. */
static gboolean copy(const Logs *logs)
{
	char bytes[16384];
	ssize_t n;

	for (guint i = 0; i < N_LOGS; i++)
		while (logs->fds[i] >= 0 && (n = read(logs->fds[i], bytes, sizeof(bytes))) > 0)
			if (!hvr_fd_write_all(STDOUT_FILENO, bytes, (gsize)n))
				return FALSE;
	return TRUE;
}

/* Until QEMU has ended, or a signal comes. */
static void follow(const Logs *logs, int notify)
{
	g_auto(HvrFd) qemu = (int)syscall(SYS_pidfd_open, logs->vm->qemu.pid, 0);
	struct pollfd fds[] = { { .fd = notify, .events = POLLIN },
				{ .fd = qemu, .events = POLLIN },
				{ .fd = hvr_interrupt_fd(), .events = POLLIN } };
	char events[4096];

	while (copy(logs)) {
		if (qemu < 0 || fds[1].revents)
			break;
		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
			break;
		if (!hvr_interrupt_check(NULL))
			return;
		/* What they say is nothing but that there is something to read. */
		while (read(notify, events, sizeof(events)) > 0)
			;
	}
	hvr_message("VM '%s' has ended", logs->vm->name);
}

static gboolean follow_files(const Logs *logs, GError **error)
{
	g_auto(HvrFd) notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int saved = errno;

	for (guint i = 0; i < N_LOGS && notify >= 0; i++)
		if (logs->fds[i] >= 0 && inotify_add_watch(notify, logs->paths[i], IN_MODIFY) < 0) {
			saved = errno;
			hvr_fd_close(g_steal_fd(&notify));
		}
	if (notify >= 0) {
		follow(logs, notify);
		return TRUE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot watch the files of VM '%s': %s", logs->vm->name, g_strerror(saved));
	return FALSE;
}

static void explain_none(const HvrVm *vm, gboolean serial, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s' writes no log: [serial] mode = %s, and its supervisor is not detached",
		    vm->name, vm->serial ? vm->serial : "none");
	if (g_strcmp0(vm->serial, "socket") == 0)
		hvr_error_hint(error, "look at its serial port: hailo-vm-run console %s", vm->name);
	else if (serial)
		hvr_error_hint(error, "its profile needs [serial] mode = file");
}

static int show(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	gboolean both = options->serial == options->messages;
	gboolean serial = options->serial || both, messages = options->messages || both;
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);
	g_auto(Logs) logs = { .vm = vm, .fds = { -1, -1 } };

	if (!vm)
		return -1;
	logs.paths[MESSAGES] =
		g_build_filename(context->runtime_path, "vms", vm->name, HVR_VM_LOG, NULL);
	logs.paths[SERIAL] = g_strdup(vm->serial_file);
	if (messages)
		logs.fds[MESSAGES] = open_log(logs.paths[MESSAGES]);
	if (serial && vm->serial_file)
		logs.fds[SERIAL] = open_log(vm->serial_file);
	if (logs.fds[MESSAGES] < 0 && logs.fds[SERIAL] < 0) {
		explain_none(vm, serial, error);
		return -1;
	}
	if (serial && g_strcmp0(vm->serial, "socket") == 0)
		hvr_message("the serial port is a socket: hailo-vm-run console %s", vm->name);
	if (options->follow)
		return follow_files(&logs, error) ? 0 : -1;
	copy(&logs);
	return 0;
}

static const HvrOption table[] = {
	{ "follow", 'f', HVR_FLAG(Options, follow), NULL,
	  "Go on with what is written from now on, until the VM ends" },
	{ "serial", 0, HVR_FLAG(Options, serial), NULL, "Only the serial port" },
	{ "messages", 0, HVR_FLAG(Options, messages), NULL, "Only the supervisor and QEMU" },
	{ .name = NULL },
};

const HvrCommand hvr_command_log = {
	.name = "log",
	.words = "VM",
	.summary = "what the serial port, the supervisor and QEMU have said",
	.least = 1,
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.run = show,
};
