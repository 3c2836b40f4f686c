/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: what a VM's serial port, and its supervisor with QEMU, have said, of one that runs or that
 * has ended.
 *
 * The records are opened once and read on: when the VM ends its folder moves, not what we have
 * open. The kernel tells of new bytes (inotify) and of the end of both processes (pidfd), so
 * nothing is polled.
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
#include "launcher/runtime/ended.h"
#include "vfio/fd.h"

typedef struct {
	gboolean serial, messages, follow, raw;
	char *since;
} Options;

enum { MESSAGES, SERIAL, N_LOGS };

typedef struct {
	int fd;		 /* -1: there is none */
	gboolean cut;	 /* it is a record, of which the middle may be missing (log-file.h) */
	GString *text;	 /* read, and not yet shown */
	gint64 left_out; /* bytes, since the last that was read */
} Log;

typedef struct {
	const char *name;
	HvrVm *vm;     /* NULL: it has ended */
	gboolean safe; /* a terminal reads it */
	Log each[N_LOGS];
} Logs;

static void logs_clear(Logs *logs)
{
	hvr_vm_free(logs->vm);
	for (guint i = 0; i < N_LOGS; i++) {
		hvr_fd_close(logs->each[i].fd);
		if (logs->each[i].text)
			g_string_free(logs->each[i].text, TRUE);
	}
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Logs, logs_clear)

/* Below the runtime folder, which is ours. */
static int open_record(int folder, const char *name)
{
	return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* The VM's user made it, and may have put anything in its place. Only a plain file ends, and is
 * read without waiting. */
static int open_serial_file(const HvrContext *context, const HvrVm *vm)
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

static gboolean copy_log(const Logs *logs, Log *log)
{
	char bytes[16384];
	struct stat st;
	ssize_t n = 1;

	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return TRUE;
	while (n > 0 && lseek(log->fd, 0, SEEK_CUR) < st.st_size) {
		if (log->cut)
			log->left_out += hvr_log_skip_hole(log->fd);
		n = read(log->fd, bytes, sizeof(bytes));
		if (n > 0 && log->cut)
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
		if (!copy_log(logs, &logs->each[i]))
			return FALSE;
	return TRUE;
}

static int open_process(const HvrContext *context, const HvrProcess *process)
{
	/* In this order: the number may be another's by now, but not what was opened before. */
	g_auto(HvrFd) fd = (int)syscall(SYS_pidfd_open, process->pid, 0);

	return hvr_process_alive(&context->host, process) ? g_steal_fd(&fd) : -1;
}

static gboolean has_ended(const struct pollfd *process)
{
	return process->fd < 0 || process->revents;
}

/* Until QEMU and its supervisor, which has the last word, have ended, or a signal comes. */
static void follow(const HvrContext *context, Logs *logs, int notify)
{
	g_auto(HvrFd) qemu = open_process(context, &logs->vm->qemu);
	g_auto(HvrFd) supervisor = open_process(context, &logs->vm->supervisor);
	struct pollfd fds[] = { { .fd = notify, .events = POLLIN },
				{ .fd = qemu, .events = POLLIN },
				{ .fd = supervisor, .events = POLLIN },
				{ .fd = hvr_interrupt_fd(), .events = POLLIN } };
	char events[4096];

	while (copy(logs)) {
		if (has_ended(&fds[1]) && has_ended(&fds[2]))
			break;
		/* one that has ended would not let us wait for the other */
		for (guint i = 1; i <= 2; i++)
			if (fds[i].revents)
				fds[i].fd = -1;
		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
			break;
		if (!hvr_interrupt_check(NULL))
			return;
		/* What they say is nothing but that there is something to read. */
		while (read(notify, events, sizeof(events)) > 0)
			;
	}
	hvr_cli_tell_end(context, logs->name);
}

/* By the descriptor: its name may lead elsewhere by now. */
static gboolean watch(int notify, int fd)
{
	g_autofree char *path = hvr_fd_path(fd, NULL);

	return inotify_add_watch(notify, path, IN_MODIFY) >= 0;
}

static gboolean follow_files(const HvrContext *context, Logs *logs, GError **error)
{
	g_auto(HvrFd) notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int saved = errno;

	for (guint i = 0; i < N_LOGS && notify >= 0; i++)
		if (logs->each[i].fd >= 0 && !watch(notify, logs->each[i].fd)) {
			saved = errno;
			hvr_fd_close(g_steal_fd(&notify));
		}
	if (notify >= 0) {
		follow(context, logs, notify);
		return TRUE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot watch the records of VM '%s': %s", logs->name, g_strerror(saved));
	return FALSE;
}

static void explain_none(const Logs *logs, GError **error)
{
	const char *serial = logs->vm ? logs->vm->serial : NULL;

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "nothing was recorded of that of VM '%s'", logs->name);
	if (logs->vm && !logs->vm->supervisor.pid)
		hvr_error_hint(error, "it was started with --exec: nobody stays who would");
	else if (g_strcmp0(serial, "none") == 0)
		hvr_error_hint(error, "it has no serial port: [serial] mode = none");
}

/* The folder of one that runs, or has. -1 with @error: nothing is known of it */
static int find(HvrContext *context, const char *word, Logs *logs, GError **error)
{
	GError *cause = NULL;

	logs->vm = hvr_cli_vm(context, word, &cause);
	if (logs->vm)
		return hvr_vm_open_folder(context->runtime, word);
	/* what is no name is looked for nowhere */
	g_autoptr(HvrEnded) ended = NULL;
	if (hvr_vm_name_valid(word))
		ended = hvr_ended_find(context, word);
	if (!ended) {
		g_propagate_error(error, cause);
		return -1;
	}
	g_error_free(cause);
	return hvr_ended_open_folder(context, word);
}

static void open_logs(const HvrContext *context, const Options *options, int folder, Logs *logs)
{
	static const char *const names[] = {
		[MESSAGES] = HVR_VM_LOG, [SERIAL] = HVR_VM_SERIAL_LOG
	};
	gboolean both = options->serial == options->messages;
	const gboolean wanted[] = {
		[MESSAGES] = options->messages || both, [SERIAL] = options->serial || both
	};

	for (guint i = 0; i < N_LOGS; i++) {
		logs->each[i] = (Log){ .fd = -1, .cut = TRUE, .text = g_string_new(NULL) };
		if (wanted[i])
			logs->each[i].fd = open_record(folder, names[i]);
	}
	/* of one that nobody stays with, or that an older version has started */
	Log *serial = &logs->each[SERIAL];
	if (wanted[SERIAL] && serial->fd < 0 && logs->vm && logs->vm->serial_file) {
		serial->cut = FALSE;
		serial->fd = open_serial_file(context, logs->vm);
	}
	for (guint i = 0; i < N_LOGS && g_strcmp0(options->since, "now") == 0; i++)
		if (logs->each[i].fd >= 0)
			lseek(logs->each[i].fd, 0, SEEK_END);
}

static gboolean check_since(const Options *options, GError **error)
{
	if (!options->since || g_str_equal(options->since, "start"))
		return TRUE;
	if (g_str_equal(options->since, "now") && options->follow)
		return TRUE;
	hvr_command_usage(error, "log", "--since start, or, with --follow, --since now");
	return FALSE;
}

static int show(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_auto(Logs)
		logs = { .name = invocation->words[0], .each = { { .fd = -1 }, { .fd = -1 } } };

	if (!check_since(options, error))
		return -1;
	g_auto(HvrFd) folder = find(context, logs.name, &logs, error);
	if (folder < 0)
		return -1;
	logs.safe = isatty(STDOUT_FILENO) && !options->raw;
	open_logs(context, options, folder, &logs);
	if (logs.each[MESSAGES].fd < 0 && logs.each[SERIAL].fd < 0) {
		explain_none(&logs, error);
		return -1;
	}
	if (options->follow && logs.vm)
		return follow_files(context, &logs, error) ? 0 : -1;
	copy(&logs);
	if (!logs.vm)
		hvr_cli_tell_end(context, logs.name);
	return 0;
}

static const HvrOption table[] = {
	{ "follow", 'f', HVR_FLAG(Options, follow), NULL,
	  "Go on with what is written from now on, until the VM ends" },
	{ "serial", 0, HVR_FLAG(Options, serial), NULL, "Only the serial port" },
	{ "messages", 0, HVR_FLAG(Options, messages), NULL, "Only the supervisor and QEMU" },
	{ "since", 0, HVR_TEXT(Options, since), "WHEN",
	  "start: all of this run, the default; now, with --follow: only what comes" },
	{ "raw", 0, HVR_FLAG(Options, raw), NULL,
	  "On a terminal, too, as it was written: the terminal obeys what is in it" },
	{ .name = NULL },
};

const HvrCommand hvr_command_log = {
	.name = "log",
	.words = "VM",
	.summary = "what serial port, supervisor and QEMU have said, also of a VM that ended",
	.least = 1,
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.run = show,
};
