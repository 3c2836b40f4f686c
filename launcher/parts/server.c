/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a server is QEMU's: it has one client and ends, with status 0, when that hangs up.
 * That holds for a QEMU that is killed, too, and for a VM whose supervisor was killed, which goes
 * on, with its shares. So a supervisor's own death does not reach for it (it would take the share
 * from under a running guest); a supervisor that is there when QEMU ends waits, and kills what does
 * not end.
 *
 * With --exec nobody stays who could do so, and its parent is what becomes QEMU: there the kernel
 * kills it behind QEMU.
 */
#include "launcher/parts/server.h"

#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "launcher/process/program.h"
#include "launcher/process/spawn.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

/* How long one may take to end by itself, and then when it was killed: longer only if a file
 * system of the host hangs. */
#define END_MS	2000
#define KILL_MS 1000

struct HvrServer {
	char *what;
	const char *lost;
	pid_t pid; /* 0: it has ended */
	int pidfd;
	gboolean leashed;
	guint source;
};

/* Takes its status if it has ended, or does so in time. */
static gboolean reap(HvrServer *server, int timeout_ms, int *out_status)
{
	struct pollfd wait = { .fd = server->pidfd, .events = POLLIN };

	if (server->pid == 0 || poll(&wait, 1, timeout_ms) <= 0 ||
	    waitpid(server->pid, out_status, WNOHANG) != server->pid)
		return FALSE;
	server->pid = 0;
	return TRUE;
}

static void server_free(gpointer data)
{
	HvrServer *server = data;
	int status;

	if (server->source)
		g_source_remove(server->source);
	if (server->pid) {
		kill(server->pid, SIGKILL);
		reap(server, KILL_MS, &status);
	}
	hvr_fd_close(server->pidfd);
	g_free(server->what);
	g_free(server);
}

GPtrArray *hvr_servers_new(void)
{
	return g_ptr_array_new_with_free_func(server_free);
}

gboolean hvr_servers_add(GPtrArray *servers, const HvrServerSpawn *wanted, GError **error)
{
	HvrSpawn spawn = { .path = wanted->path,
			   .argv = (char *const *)wanted->argv->pdata,
			   .identity = wanted->identity,
			   .fds = wanted->fds,
			   .n_fds = wanted->n_fds,
			   .stderr_fd = wanted->stderr_fd,
			   .with_parent = wanted->with_parent,
			   .leash = wanted->leash };
	int pidfd = -1;
	pid_t pid = hvr_spawn(&spawn, &pidfd, error);

	if (pid < 0) {
		g_prefix_error(error, "%s: ", wanted->what);
		return FALSE;
	}
	HvrServer *server = g_new0(HvrServer, 1);
	*server = (HvrServer){ .what = g_strdup(wanted->what),
			       .lost = wanted->lost,
			       .pid = pid,
			       .pidfd = pidfd,
			       .leashed = wanted->leash != 0 };
	g_ptr_array_add(servers, server);
	return TRUE;
}

/* Status 0: QEMU has hung up. SIGTERM is of the leash, which a QEMU that ends lets go of, too, and
 * which may come when nobody catches it any more. */
static void tell(const HvrServer *server, int status)
{
	if (status == 0 || (server->leashed && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM))
		return;
	g_autofree char *end = hvr_program_describe_end(status);
	hvr_message("%s %s: %s", server->what, end, server->lost);
}

static gboolean on_ended(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrServer *server = user_data;
	int status = 0;

	if (reap(server, 0, &status))
		tell(server, status);
	server->source = 0;
	return G_SOURCE_REMOVE;
}

void hvr_servers_watch(GPtrArray *servers)
{
	for (guint i = 0; i < servers->len; i++) {
		HvrServer *server = g_ptr_array_index(servers, i);
		server->source = g_unix_fd_add(server->pidfd, G_IO_IN, on_ended, server);
	}
}

void hvr_servers_end(GPtrArray *servers)
{
	for (guint i = 0; i < servers->len; i++) {
		int status = 0;

		if (reap(g_ptr_array_index(servers, i), END_MS, &status))
			tell(g_ptr_array_index(servers, i), status);
	}
	g_ptr_array_unref(servers);
}
