/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready when the serial port says so. The file is read from its beginning and watched by inotify,
 * the socket is read as its only client. Lines are matched one by one, the last one also before it
 * has ended: a login prompt never does.
 */
#include "launcher/session/ready-ways.h"

#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "launcher/process/open.h"
#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "qmp/connect.h"
#include "vfio/fd.h"

/* What is longer is matched in parts. */
#define LINE_BYTES 4096

/* How much is taken at once: the guest may write faster than we read. */
#define TURN_BYTES 65536

typedef struct {
	HvrReadiness *readiness;
	GRegex *pattern;
	GString *line;
	int port;   /* the file, or the socket */
	int notify; /* of the file; -1 with a socket */
} Watch;

static gboolean matches(const Watch *watch)
{
	return g_regex_match_full(watch->pattern, watch->line->str, (gssize)watch->line->len, 0, 0,
				  NULL, NULL);
}

/* TRUE: there it was. */
static gboolean take(Watch *watch, const char *bytes, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		gboolean ends = bytes[i] == '\n' || watch->line->len == LINE_BYTES;
		if (ends && matches(watch))
			return TRUE;
		if (ends && watch->line->len)
			hvr_progress_detail(watch->line->str);
		if (ends)
			g_string_truncate(watch->line, 0);
		if (bytes[i] != '\n' && bytes[i] != '\r')
			g_string_append_c(watch->line, bytes[i]);
	}
	return matches(watch);
}

static gboolean on_begin(gpointer user_data);

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	Watch *watch = user_data;
	char bytes[4096];
	gsize left = TURN_BYTES;
	ssize_t n = 1;

	/* What inotify says is nothing but that there is something to read. */
	while (watch->notify >= 0 && read(watch->notify, bytes, sizeof(bytes)) > 0)
		;
	while (left > 0 && (n = read(watch->port, bytes, sizeof(bytes))) > 0) {
		if (take(watch, bytes, (gsize)n)) {
			hvr_readiness_reach(watch->readiness);
			return G_SOURCE_REMOVE;
		}
		left -= MIN(left, (gsize)n);
	}
	/* inotify tells nothing twice. */
	if (n > 0 && watch->notify >= 0)
		g_idle_add(on_begin, watch);
	/* A socket that ends is a QEMU that ends; a file only pauses. */
	if (n == 0 && watch->notify < 0)
		return G_SOURCE_REMOVE;
	return G_SOURCE_CONTINUE;
}

/* As the VM's user, whose file it is. */
static gboolean open_file(Watch *watch, const HvrSession *session)
{
	g_autoptr(HvrUser) user =
		hvr_user_find(session->profile->user, session->context->privileged, NULL);
	HvrOpen file = { .path = session->profile->serial_file, .how = HVR_OPEN_READ, .fd = -1 };

	if (user)
		(void)hvr_open(user, &file, 1);
	watch->port = file.fd;
	return watch->port >= 0;
}

/* Returns: the descriptor to wait at, or -1. */
static int open_port(Watch *watch, const HvrSession *session)
{
	if (session->profile->serial != HVR_SERIAL_FILE) {
		watch->port = hvr_qmp_connect(session->folder, HVR_VM_SERIAL, NULL);
		return watch->port;
	}
	if (!open_file(watch, session))
		return -1;
	/* by the descriptor: its name may lead elsewhere by now */
	g_autofree char *path = hvr_fd_path(watch->port, NULL);
	watch->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->notify < 0 || inotify_add_watch(watch->notify, path, IN_MODIFY) < 0)
		return -1;
	return watch->notify;
}

static gboolean on_begin(gpointer user_data)
{
	Watch *watch = user_data;

	on_readable(watch->port, G_IO_IN, watch);
	return G_SOURCE_REMOVE;
}

static gpointer start(HvrReadiness *readiness, HvrSession *session)
{
	Watch *watch = g_new0(Watch, 1);

	*watch = (Watch){ .readiness = readiness, .port = -1, .notify = -1 };
	watch->line = g_string_new(NULL);
	/* It has been compiled before, when the profile was read. */
	watch->pattern = g_regex_new(session->profile->guest.ready_pattern, G_REGEX_RAW, 0, NULL);
	int fd = -1;
	if (watch->pattern)
		fd = open_port(watch, session);
	if (fd >= 0) {
		g_unix_fd_add(fd, G_IO_IN, on_readable, watch);
		/* What was written before the watch began. */
		g_idle_add(on_begin, watch);
	} else {
		hvr_message("the serial port cannot be watched: nothing will tell when the guest "
			    "is ready");
	}
	return watch;
}

static void stop(gpointer data)
{
	Watch *watch = data;

	while (g_source_remove_by_user_data(watch))
		;
	hvr_fd_close(watch->port);
	hvr_fd_close(watch->notify);
	g_string_free(watch->line, TRUE);
	g_clear_pointer(&watch->pattern, g_regex_unref);
	g_free(watch);
}

const HvrReadyWay hvr_ready_by_serial = { .start = start, .stop = stop };
