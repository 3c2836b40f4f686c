/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready when a server in the guest answers behind a forwarded port.
 *
 * QEMU's user network accepts every connection by itself, and closes it when the guest refuses. So
 * only what comes back counts: a byte; or, from a server that waits for its client, the end, in
 * answer to ours. A guest that refuses late looks like the latter once, so it must happen twice.
 */
#include "launcher/session/ready-ways.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "vfio/fd.h"

#define AGAIN_MS   500	/* between two attempts */
#define SILENCE_MS 1000 /* for the server to speak first */
#define ANSWER_MS  2000 /* for the end that answers ours */

typedef struct {
	HvrReadiness *readiness;
	struct sockaddr_in address;
	int fd;
	guint source, timer;
	gboolean half_closed;
	guint ends; /* that came in answer to ours, one attempt after the other */
} Watch;

static gboolean on_again(gpointer user_data);

static void leave(Watch *watch)
{
	if (watch->source)
		g_source_remove(watch->source);
	watch->source = 0;
	hvr_fd_close(g_steal_fd(&watch->fd));
}

static void set_timer(Watch *watch, guint ms, GSourceFunc func)
{
	if (watch->timer)
		g_source_remove(watch->timer);
	watch->timer = g_timeout_add(ms, func, watch);
}

static gboolean on_nothing(gpointer user_data)
{
	Watch *watch = user_data;

	watch->timer = 0;
	watch->ends = 0;
	leave(watch);
	set_timer(watch, AGAIN_MS, on_again);
	return G_SOURCE_REMOVE;
}

static gboolean on_silence(gpointer user_data)
{
	Watch *watch = user_data;

	watch->timer = 0;
	watch->half_closed = TRUE;
	shutdown(watch->fd, SHUT_WR);
	set_timer(watch, ANSWER_MS, on_nothing);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	Watch *watch = user_data;
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	watch->source = 0;
	if (n == 0 && watch->half_closed)
		watch->ends++;
	else
		watch->ends = 0;
	if (n > 0 || watch->ends == 2) {
		hvr_readiness_reach(watch->readiness);
		return G_SOURCE_REMOVE;
	}
	leave(watch);
	set_timer(watch, AGAIN_MS, on_again);
	return G_SOURCE_REMOVE;
}

static gboolean on_again(gpointer user_data)
{
	Watch *watch = user_data;

	watch->timer = 0;
	watch->half_closed = FALSE;
	watch->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (watch->fd < 0 || (connect(watch->fd, (const struct sockaddr *)&watch->address,
				      sizeof(watch->address)) < 0 &&
			      errno != EINPROGRESS)) {
		leave(watch);
		set_timer(watch, AGAIN_MS, on_again);
		return G_SOURCE_REMOVE;
	}
	watch->source = g_unix_fd_add(watch->fd, G_IO_IN, on_readable, watch);
	set_timer(watch, SILENCE_MS, on_silence);
	return G_SOURCE_REMOVE;
}

/* 0.0.0.0 is where QEMU listens; it is no address to go to. */
static void find_address(Watch *watch, const HvrSession *session)
{
	const HvrProfile *profile = session->profile;
	const HvrForward *forward;

	watch->address = (struct sockaddr_in){ .sin_family = AF_INET,
					       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	for (guint i = 0; (forward = hvr_profile_forward(profile, i)); i++) {
		struct in_addr parsed = { INADDR_ANY };
		if (!hvr_profile_is_ready_forward(&profile->guest, forward) ||
		    i >= session->vm->forwards->len)
			continue;
		const HvrVmForward *there = g_ptr_array_index(session->vm->forwards, i);
		watch->address.sin_port = htons((guint16)there->port);
		if (inet_pton(AF_INET, there->address, &parsed) == 1 && parsed.s_addr != INADDR_ANY)
			watch->address.sin_addr = parsed;
	}
}

static gpointer start(HvrReadiness *readiness, HvrSession *session)
{
	Watch *watch = g_new0(Watch, 1);

	watch->readiness = readiness;
	watch->fd = -1;
	find_address(watch, session);
	set_timer(watch, AGAIN_MS, on_again);
	return watch;
}

static void stop(gpointer data)
{
	Watch *watch = data;

	leave(watch);
	if (watch->timer)
		g_source_remove(watch->timer);
	g_free(watch);
}

const HvrReadyWay hvr_ready_by_tcp = { .start = start, .stop = stop };
