/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: the files that a VM's serial port, and a detached supervisor with its QEMU, write to.
 *
 * They are opened once and read on: when the VM ends, its folder goes, not what we have open. The
 * kernel tells of new bytes (inotify) and of QEMU's end (pidfd), so nothing is polled.
 *
 * A guest and QEMU write them. So on a terminal they are made harmless, but for --raw, and no more
 * is read at once than was there at first: they may write faster than we do.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/log-file.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

typedef struct {
	gboolean serial, messages, follow, raw;
} Options;

enum { MESSAGES, SERIAL, N_LOGS };

typedef struct {
	int fd;		 /* -1: there is none */
	GString *text;	 /* read, and not yet shown */
	gint64 left_out; /* bytes, since the last that was read */
} Log;

typedef struct {
	const HvrVm *vm;
	gboolean safe; /* a terminal reads it */
	Log each[N_LOGS];
} Logs;

static void logs_clear(Logs *logs)
{
	for (guint i = 0; i < N_LOGS; i++) {
		hvr_fd_close(logs->each[i].fd);
		if (logs->each[i].text)
			g_string_free(logs->each[i].text, TRUE);
	}
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Logs, logs_clear)

/* Below the runtime folder, which is ours. */
static int open_messages(const HvrContext *context, const HvrVm *vm)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);

	return openat(folder, HVR_VM_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* The VM's user made it, and may have put anything in its place. Only a plain file ends, and is
 * read without waiting. */
static int open_serial(const HvrContext *context, const HvrVm *vm)
{
	g_autoptr(HvrUser) user = NULL;
	HvrOpen file = { .path = vm->serial_file, .how = HVR_OPEN_READ, .fd = -1 };

	if (vm->user)
		user = hvr_user_find(vm->user, context->privileged, NULL);
	if (!user)
		user = hvr_user_caller();
	(void)hvr_open(user, &file, 1);
	return file.fd;
}

/* What the supervisor has taken out of it reads as NULs, also where it does so just now. */
static void take_messages(Log *log, const char *bytes, gsize length)
{
	for (gsize at = 0, n; at < length; at += n) {
		for (n = 0; at + n < length && bytes[at + n] == '\0';)
			n++;
		log->left_out += (gint64)n;
		if (n > 0)
			continue;
		n = strnlen(bytes + at, length - at);
		if (log->left_out)
			g_string_append_printf(log->text,
					       "\n[%" G_GINT64_FORMAT " bytes left out]\n",
					       log->left_out);
		log->left_out = 0;
		g_string_append_len(log->text, bytes + at, (gssize)n);
	}
}

/* Shows what was read. FALSE: nobody reads us any more. */
static gboolean show_text(const Logs *logs, Log *log)
{
	g_autoptr(GString) safe = g_string_new(NULL);
	const GString *shown = log->text;
	gsize taken = log->text->len;

	if (logs->safe) {
		taken = hvr_text_append(safe, log->text->str, log->text->len,
					HVR_TEXT_LINES | HVR_TEXT_MORE);
		shown = safe;
	}
	gboolean well = hvr_fd_write_all(STDOUT_FILENO, shown->str, shown->len);
	g_string_erase(log->text, 0, (gssize)taken);
	return well;
}

static gboolean copy_log(const Logs *logs, guint which, Log *log)
{
	char bytes[16384];
	struct stat st;
	ssize_t n = 1;

	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return TRUE;
	while (n > 0 && lseek(log->fd, 0, SEEK_CUR) < st.st_size) {
		if (which == MESSAGES)
			log->left_out += hvr_log_skip_hole(log->fd);
		n = read(log->fd, bytes, sizeof(bytes));
		if (n > 0 && which == MESSAGES)
			take_messages(log, bytes, (gsize)n);
		else if (n > 0)
			g_string_append_len(log->text, bytes, n);
		if (!show_text(logs, log))
			return FALSE;
	}
	return TRUE;
}

/* All that is there by now. FALSE: nobody reads us any more. */
static gboolean copy(Logs *logs)
{
	for (guint i = 0; i < N_LOGS; i++)
		if (!copy_log(logs, i, &logs->each[i]))
			return FALSE;
	return TRUE;
}

/* Until QEMU has ended, or a signal comes. */
static void follow(Logs *logs, int notify)
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

/* By the descriptor: its name may lead elsewhere by now. */
static gboolean watch(int notify, int fd)
{
	g_autofree char *path = hvr_fd_path(fd, NULL);

	return inotify_add_watch(notify, path, IN_MODIFY) >= 0;
}

static gboolean follow_files(Logs *logs, GError **error)
{
	g_auto(HvrFd) notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int saved = errno;

	for (guint i = 0; i < N_LOGS && notify >= 0; i++)
		if (logs->each[i].fd >= 0 && !watch(notify, logs->each[i].fd)) {
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
	g_auto(Logs) logs = { .vm = vm, .each = { { .fd = -1 }, { .fd = -1 } } };

	if (!vm)
		return -1;
	logs.safe = isatty(STDOUT_FILENO) && !options->raw;
	for (guint i = 0; i < N_LOGS; i++)
		logs.each[i] = (Log){ .fd = -1, .text = g_string_new(NULL) };
	if (messages)
		logs.each[MESSAGES].fd = open_messages(context, vm);
	if (serial && vm->serial_file)
		logs.each[SERIAL].fd = open_serial(context, vm);
	if (logs.each[MESSAGES].fd < 0 && logs.each[SERIAL].fd < 0) {
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
	{ "raw", 0, HVR_FLAG(Options, raw), NULL,
	  "On a terminal, too, as it was written: the terminal obeys what is in it" },
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
