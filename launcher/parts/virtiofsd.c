/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtiofsd: a process that serves one folder of the host to one guest, over vhost-user.
 *
 * There are two. The one in C that came with QEMU before 8.0 needs root, which nothing that talks
 * to a guest gets here; it does not know --shared-dir and ends. The one in Rust can do without.
 * Versions differ in what they can (--readonly is young), and hosts in what they allow, so it is
 * not asked for its version: it is tried, with the very options that it will have.
 *
 * Its sandbox: "namespace" (a root folder that is nothing but the share, no network, no other
 * process to be seen) takes no privilege and no setuid helper: within a user namespace where only
 * the VM's user exists, newuidmap has nothing to ask of its setuid bit, which NO_NEW_PRIVS
 * switches off. Where the host forbids user namespaces (a sysctl, AppArmor, a container), "none" is
 * what remains: then it may do what the VM's user may, as QEMU may, which would serve the folder
 * otherwise. "chroot" wants root. Its seccomp filter is on in both; --seccomp=kill is the
 * strictest.
 *
 * Either way it can be nobody but the VM's user, and fails where a user of the guest, other than
 * root, wants a file of its own; so a version that can (--translate-uid, 1.13) takes them all for
 * that user, as 9p does here.
 */
#include "launcher/parts/virtiofsd.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "launcher/parts/descriptors.h"
#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* It begins within a tenth of a second. */
#define TIMEOUT_MS 15000

/* What it asks for by itself; it complains where it cannot have it. */
#define OPEN_FILES 1000000

/* How many uids there are; the last number is none. */
#define ALL_IDS G_MAXUINT32

GPtrArray *hvr_virtiofsd_find(const char *const *folders)
{
	g_autoptr(GPtrArray) descriptors = hvr_descriptors_read(folders);
	GPtrArray *programs = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < descriptors->len; i++) {
		JsonObject *descriptor = g_ptr_array_index(descriptors, i);
		const char *program = hvr_descriptor_string(descriptor, "binary");

		if (g_strcmp0(hvr_descriptor_string(descriptor, "type"), "fs") == 0 && program &&
		    g_path_is_absolute(program))
			g_ptr_array_add(programs, g_strdup(program));
	}
	return programs;
}

GPtrArray *hvr_virtiofsd_argv(const HvrVirtiofsd *server, int listening, const char *path)
{
	GPtrArray *argv = g_ptr_array_new_full(16, g_free);
	struct rlimit limit = { 0 };
	const char *sandbox = "none";

	if (server->namespaces)
		sandbox = "namespace";
	hvr_program_add_word(argv, "%s", server->program);
	if (listening >= 0)
		hvr_program_add_word(argv, "--fd=%d", listening);
	else
		hvr_program_add_word(argv, "--socket-path=%s", path);
	hvr_program_add_word(argv, "--shared-dir=%s", server->folder);
	if (server->readonly)
		hvr_program_add_word(argv, "--readonly");
	hvr_program_add_word(argv, "--sandbox=%s", sandbox);
	hvr_program_add_word(argv, "--seccomp=kill");
	if (server->squash) {
		hvr_program_add_word(argv, "--translate-uid=squash-guest:0:%u:%u",
				     server->identity.uid, ALL_IDS);
		hvr_program_add_word(argv, "--translate-gid=squash-guest:0:%u:%u",
				     server->identity.gid, ALL_IDS);
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	hvr_program_add_word(argv, "--rlimit-nofile=%" G_GUINT64_FORMAT,
			     MIN((guint64)limit.rlim_max, OPEN_FILES));
	/* it warns of every privilege that it does without */
	hvr_program_add_word(argv, "--log-level=error");
	g_ptr_array_add(argv, NULL);
	return argv;
}

/*
 * The kernel chooses an abstract name. Whoever guesses it has no use of it: there is room for one
 * that waits, so that ours, which does not wait for room, is the first; and a virtiofsd accepts
 * one.
 */
static int connect_to(int listening)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	g_auto(HvrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || getsockname(listening, (struct sockaddr *)&address, &length) < 0 ||
	    connect(fd, (struct sockaddr *)&address, length) < 0)
		return -1;
	return g_steal_fd(&fd);
}

gboolean hvr_virtiofsd_connect(int *out_listening, int *out_connected, GError **error)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	g_auto(HvrFd) listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_auto(HvrFd) connected = -1;

	if (listening >= 0 &&
	    bind(listening, (const struct sockaddr *)&any, sizeof(any.sun_family)) == 0 &&
	    listen(listening, 0) == 0)
		connected = connect_to(listening);
	if (connected < 0) {
		int saved = errno;

		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a socket for virtiofsd: %s", g_strerror(saved));
		return FALSE;
	}
	*out_listening = g_steal_fd(&listening);
	*out_connected = g_steal_fd(&connected);
	return TRUE;
}

gboolean hvr_virtiofsd_try(const HvrVirtiofsd *server, GError **error)
{
	g_auto(HvrFd) listening = -1;
	g_auto(HvrFd) connected = -1;

	if (!hvr_virtiofsd_connect(&listening, &connected, error))
		return FALSE;
	hvr_fd_close(g_steal_fd(&connected));
	g_autoptr(GPtrArray) argv = hvr_virtiofsd_argv(server, listening, NULL);
	const HvrProgram program = { .path = server->program,
				     .argv = (const char *const *)argv->pdata,
				     .identity = server->identity,
				     .fds = &listening,
				     .n_fds = 1,
				     .timeout_ms = TIMEOUT_MS };

	return hvr_program_run(&program, error);
}
