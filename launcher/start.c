/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors that QEMU gets, and nothing else: QEMU opens no socket and creates no file by
 * itself, so its user needs no write access anywhere but to its disks.
 */
#include "launcher/start.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/cmdline.h"
#include "launcher/error.h"
#include "launcher/lock.h"
#include "launcher/parts.h"
#include "launcher/placement.h"
#include "launcher/runtime.h"
#include "launcher/vm.h"
#include "vfio/sysfs.h"

/* Descriptors on their way to QEMU. */
typedef struct {
	HvrCmdlineChannels channels;
	GArray *fds; /* of int: what stays open in QEMU; those that are ours are closed behind it */
	guint n_locks; /* the first ones belong to the locks */
} Handover;

static Handover handover_new(const HvrStart *start)
{
	const HvrHost *host = &start->context->host;
	Handover handover = {
		.channels = { .qmp_private = -1, .qmp_listen = -1, .serial = -1, .agent = -1 },
		.fds = g_array_new(FALSE, FALSE, sizeof(int))
	};

	handover.channels.has_node = hvr_placement_node(host, start->profile, start->plan->cards,
							&handover.channels.node);
	for (guint i = 0; i < start->locks->len; i++) {
		int pair[2];
		hvr_lock_fds(g_ptr_array_index(start->locks, i), pair);
		g_array_append_vals(handover.fds, pair, 2);
	}
	handover.n_locks = handover.fds->len;
	return handover;
}

static void handover_clear(Handover *handover)
{
	for (guint i = handover->n_locks; i < handover->fds->len; i++)
		hvr_fd_close(g_array_index(handover->fds, int, i));
	g_array_unref(handover->fds);
}

static gboolean fail(const char *what, GError **error)
{
	int saved = errno;

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot %s: %s", what,
		    g_strerror(saved));
	return FALSE;
}

/* The file is the VM's user's, who could not create it in a folder of somebody else. */
static int create_serial_file(const HvrStart *start, GError **error)
{
	g_auto(HvrFd) fd =
		open(start->profile->serial_file,
		     O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (start->facts->privileged && S_ISREG(st.st_mode) &&
	     fchown(fd, start->facts->uid, start->facts->gid) < 0)) {
		g_autofree char *what =
			g_strdup_printf("create [serial] file '%s'", start->profile->serial_file);
		return fail(what, error), -1;
	}
	return g_steal_fd(&fd);
}

static gboolean add_serial(const HvrStart *start, Handover *handover, GError **error)
{
	int fd = -1;

	if (start->profile->serial == HVR_SERIAL_FILE)
		fd = create_serial_file(start, error);
	else if (start->profile->serial == HVR_SERIAL_SOCKET)
		fd = hvr_runtime_listen(start->folder, HVR_VM_SERIAL, error);
	else
		return TRUE;
	if (fd < 0)
		return FALSE;
	handover->channels.serial = fd;
	g_array_append_val(handover->fds, fd);
	return TRUE;
}

static gboolean add_qmp_socket(const HvrStart *start, Handover *handover, GError **error)
{
	int fd = hvr_runtime_listen(start->folder, HVR_VM_QMP, error);

	if (fd < 0)
		return FALSE;
	handover->channels.qmp_listen = fd;
	g_array_append_val(handover->fds, fd);
	return TRUE;
}

static gboolean add_agent(const HvrStart *start, Handover *handover, GError **error)
{
	int fd;

	if (!start->profile->guest.agent)
		return TRUE;
	fd = hvr_runtime_listen(start->folder, HVR_VM_AGENT, error);
	if (fd < 0)
		return FALSE;
	handover->channels.agent = fd;
	g_array_append_val(handover->fds, fd);
	return TRUE;
}

/* All that does not depend on whether the launcher stays. */
static gboolean add_channels(const HvrStart *start, Handover *handover, GError **error)
{
	return hvr_parts_create(start->profile, start->facts, error) &&
	       add_qmp_socket(start, handover, error) && add_serial(start, handover, error) &&
	       add_agent(start, handover, error);
}

static gboolean add_private_monitor(Handover *handover, int *out_ours, GError **error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail("make QEMU's monitor", error);
	*out_ours = pair[0];
	handover->channels.qmp_private = pair[1];
	g_array_append_val(handover->fds, pair[1]);
	return TRUE;
}

/* A guest that talks to our terminal must stay in its foreground process group. */
static gboolean wants_terminal(const HvrProfile *profile)
{
	return profile->serial == HVR_SERIAL_STDIO && isatty(STDIN_FILENO);
}

/* @cpus: where the set is kept */
static HvrSpawn make_spawn(const HvrStart *start, const Handover *handover, const GPtrArray *argv,
			   cpu_set_t *cpus)
{
	const HvrFacts *facts = start->facts;
	gboolean locks = start->plan->cards->len > 0 || start->profile->memory.locked;

	return (HvrSpawn){
		.path = facts->qemu_path,
		.argv = (char *const *)argv->pdata,
		.identity = { .uid = facts->uid,
			      .gid = facts->gid,
			      .group = facts->kvm_gid,
			      .has_group = start->plan->kvm && facts->kvm_by_group },
		.memlock_bytes = locks ? start->plan->memlock_bytes : 0,
		.cpus = hvr_placement_cpus(start->profile, cpus) ? cpus : NULL,
		.fds = (const int *)(void *)handover->fds->data,
		.n_fds = handover->fds->len,
		.stderr_fd = -1,
		.stdin_fd = -1,
	};
}

static gboolean spawn_supervised(const HvrStart *start, Handover *handover, HvrStarted *out_started,
				 GError **error)
{
	g_auto(HvrFd) monitor = -1;
	int output[2];

	if (!add_private_monitor(handover, &monitor, error) ||
	    !add_channels(start, handover, error))
		return FALSE;
	if (pipe2(output, O_CLOEXEC) < 0)
		return fail("make a pipe for QEMU's messages", error);

	g_auto(HvrFd) reader = output[0];
	g_auto(HvrFd) writer = output[1];
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(start->profile, start->plan->kvm,
						      start->plan->cards, &handover->channels);
	cpu_set_t cpus;
	HvrSpawn spawn = make_spawn(start, handover, argv, &cpus);
	spawn.stderr_fd = writer;
	spawn.own_session = !wants_terminal(start->profile);
	out_started->pid = hvr_spawn(&spawn, &out_started->pidfd, error);
	if (out_started->pid < 0)
		return FALSE;
	out_started->monitor = g_steal_fd(&monitor);
	out_started->output = g_steal_fd(&reader);
	return TRUE;
}

gboolean hvr_start_qemu(const HvrStart *start, HvrStarted *out_started, GError **error)
{
	Handover handover = handover_new(start);
	gboolean started = spawn_supervised(start, &handover, out_started, error);

	handover_clear(&handover);
	return started;
}

void hvr_start_exec(const HvrStart *start, GError **error)
{
	Handover handover = handover_new(start);

	if (add_channels(start, &handover, error)) {
		g_autoptr(GPtrArray) argv = hvr_cmdline_build(
			start->profile, start->plan->kvm, start->plan->cards, &handover.channels);
		cpu_set_t cpus;
		HvrSpawn spawn = make_spawn(start, &handover, argv, &cpus);
		hvr_spawn_replace(&spawn, error);
	}
	handover_clear(&handover);
}

GPtrArray *hvr_start_argv(const HvrContext *context, const HvrProfile *profile,
			  const HvrFacts *facts, const HvrPlan *plan)
{
	g_autofree char *folder =
		g_strdup_printf("%s/vms/%s", context->runtime_path, profile->name);
	g_autofree char *qmp = g_build_filename(folder, HVR_VM_QMP, NULL);
	g_autofree char *serial = g_build_filename(folder, HVR_VM_SERIAL, NULL);
	g_autofree char *agent = g_build_filename(folder, HVR_VM_AGENT, NULL);
	HvrCmdlineChannels channels = { .qmp_private = -1,
					.qmp_listen = -1,
					.qmp_path = qmp,
					.serial = -1,
					.serial_path = serial,
					.agent = -1,
					.agent_path = agent };

	channels.has_node =
		hvr_placement_node(&context->host, profile, plan->cards, &channels.node);

	return hvr_cmdline_build(profile, plan->kvm, plan->cards, &channels);
}
