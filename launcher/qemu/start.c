/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's start, in two steps. First what a profile needs is made, and what QEMU gets is opened
 * (handover.c): of that much can fail, and no card is taken for it yet. Then, with the cards there,
 * its command line names all that, and it is started as the VM's user.
 */
#include "launcher/qemu/start.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "launcher/parts/binary.h"
#include "launcher/parts/nvram.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/placement.h"
#include "launcher/parts/serialfile.h"
#include "launcher/parts/share.h"
#include "launcher/parts/tpm.h"
#include "launcher/process/program.h"
#include "launcher/process/spawn.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/handover.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"
#include "vfio/fd.h"

/* What is QEMU's from here on. */
static void let_go(const HvrStart *start, HvrHandover *handover)
{
	hvr_serial_file_empty(start->profile, handover->channels.serial);
	hvr_ports_loosen(&handover->ports);
}

/* By QEMU itself, before it is that: from here on the record and the locks name it, so whoever
 * starts it may die at any moment and `stop` finds it all the same. */
static gboolean name_self(gconstpointer data)
{
	const HvrStart *start = data;
	HvrProcess self = hvr_process_of(&start->context->host, getpid());

	if (start->record) {
		start->record->qemu = self;
		if (!hvr_vm_write(start->folder, start->record, NULL))
			return FALSE;
	}
	for (guint i = 0; i < start->locks->len; i++) {
		HvrLock *lock = g_ptr_array_index(start->locks, i);
		if (!hvr_lock_name_qemu(lock, &self, NULL))
			return FALSE;
	}
	return TRUE;
}

/* @cpus: where the set is kept */
static HvrSpawn make_spawn(const HvrStart *start, const HvrHandover *handover,
			   const GPtrArray *argv, cpu_set_t *cpus)
{
	const HvrFacts *facts = start->facts;
	HvrSpawn spawn = {
		.path = facts->qemu_path,
		.argv = (char *const *)argv->pdata,
		.identity = hvr_user_identity(facts->user),
		.fds = (const int *)(void *)handover->fds->data,
		.n_fds = handover->fds->len,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.begin = name_self,
		.begin_data = start,
	};

	spawn.identity.group = facts->kvm_gid;
	spawn.identity.has_group = start->plan->kvm && facts->kvm_by_group;
	if (start->plan->cards->len > 0 || start->profile->memory.locked)
		spawn.memlock_bytes = start->plan->memlock_bytes;
	if (hvr_placement_cpus(start->profile, cpus))
		spawn.cpus = cpus;
	return spawn;
}

gboolean hvr_start_make(const HvrStart *start, HvrHandover *handover, GError **error)
{
	if (start->stays && !hvr_handover_add_ours(start, handover, error))
		return FALSE;
	return hvr_handover_add_ports(start, handover, error) &&
	       hvr_parts_create(start->profile, start->parts, error) &&
	       hvr_handover_add_channels(start, handover, error);
}

gboolean hvr_start_qemu(const HvrStart *start, HvrHandover *handover, HvrStarted *out_started,
			GError **error)
{
	g_autoptr(GPtrArray) argv =
		hvr_cmdline_build(start->profile, start->plan->kvm, start->plan->cards,
				  &handover->channels, &start->plan->dialect);
	cpu_set_t cpus;
	HvrSpawn spawn = make_spawn(start, handover, argv, &cpus);

	spawn.stdout_fd = handover->asides;
	spawn.stderr_fd = handover->messages;
	let_go(start, handover);
	out_started->pid = hvr_spawn(&spawn, &out_started->pidfd, error);
	if (out_started->pid < 0)
		return FALSE;
	out_started->monitor = g_steal_fd(&handover->monitor);
	out_started->serial = handover->serial;
	if (handover->channels.serial >= 0)
		out_started->serial.file = fcntl(handover->channels.serial, F_DUPFD_CLOEXEC, 3);
	handover->serial = (HvrSerialEnds)HVR_SERIAL_ENDS_NONE;
	out_started->output = g_steal_fd(&handover->output);
	out_started->others = g_steal_fd(&handover->others);
	out_started->control = g_steal_fd(&handover->control);
	out_started->screen = g_steal_fd(&handover->screen);
	out_started->ports = handover->ports;
	handover->ports = (HvrPorts)HVR_PORTS_INIT;
	out_started->servers = g_steal_pointer(&handover->servers);
	return TRUE;
}

void hvr_start_exec(const HvrStart *start, HvrHandover *handover, GError **error)
{
	g_autoptr(GPtrArray) argv =
		hvr_cmdline_build(start->profile, start->plan->kvm, start->plan->cards,
				  &handover->channels, &start->plan->dialect);
	cpu_set_t cpus;
	HvrSpawn spawn = make_spawn(start, handover, argv, &cpus);

	if (start->profile->serial == HVR_SERIAL_STDIO)
		spawn.stdin_fd = -1;
	let_go(start, handover);
	hvr_spawn_replace(&spawn, error);
}

/* Where a share's server listens when people start it by hand. [transfer full] */
static char *share_path(const HvrContext *context, const HvrProfile *profile, guint index)
{
	const HvrProfileShare *share = g_ptr_array_index(profile->shares, index);

	return g_strdup_printf("%s/vms/%s/share-%s.sock", context->runtime_path, profile->name,
			       share->id);
}

/* Where its TPM's does. [transfer full] */
static char *tpm_path(const HvrContext *context, const HvrProfile *profile)
{
	return g_strdup_printf("%s/vms/%s/tpm.sock", context->runtime_path, profile->name);
}

void hvr_start_servers(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GPtrArray *argvs)
{
	for (guint i = 0; i < profile->shares->len; i++) {
		g_autofree char *path = share_path(context, profile, i);
		HvrVirtiofsd server;

		if (hvr_share_server(profile, parts, i, &server))
			g_ptr_array_add(argvs, hvr_virtiofsd_argv(&server, -1, path));
	}
	g_autofree char *tpm = tpm_path(context, profile);
	hvr_tpm_print(context, profile, tpm, argvs);
}

/* @paths: what the result borrows from */
static HvrCmdlineShare *print_shares(const HvrContext *context, const HvrProfile *profile,
				     const HvrParts *parts, GPtrArray *paths)
{
	HvrCmdlineShare *shares = g_new0(HvrCmdlineShare, profile->shares->len + 1);

	for (guint i = 0; i < profile->shares->len; i++) {
		const HvrShareWay *way = hvr_share_way(parts, i);

		g_ptr_array_add(paths, share_path(context, profile, i));
		shares[i].fd = -1;
		if (way && way->program)
			shares[i].path = paths->pdata[i];
	}
	return shares;
}

/* What a shell would not find by QEMU's name it is told by its path. */
static void name_in_full(const HvrContext *context, const HvrProfile *profile, GPtrArray *argv)
{
	char *path = NULL;

	if (!context->captured)
		path = hvr_binary_find(profile, context->privileged);
	if (path && g_str_has_prefix(path, HVR_LIBEXEC "/")) {
		g_free(argv->pdata[0]);
		argv->pdata[0] = g_steal_pointer(&path);
	}
	g_free(path);
}

GPtrArray *hvr_start_argv(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, const HvrPlan *plan)
{
	g_autofree char *folder =
		g_strdup_printf("%s/vms/%s", context->runtime_path, profile->name);
	g_autofree char *qmp = g_build_filename(folder, HVR_VM_QMP, NULL);
	g_autofree char *serial = g_build_filename(folder, HVR_VM_SERIAL, NULL);
	g_autofree char *agent = g_build_filename(folder, HVR_VM_AGENT, NULL);
	g_autofree char *seed = g_build_filename(folder, HVR_VM_SEED, NULL);
	const char *screen = profile->graphics == HVR_GRAPHICS_SPICE ? HVR_VM_SPICE : HVR_VM_VNC;
	g_autofree char *graphics = g_build_filename(folder, screen, NULL);
	HvrCmdlineChannels channels = { .qmp_private = -1,
					.qmp_listen = -1,
					.qmp_path = qmp,
					.serial_port = -1,
					.serial = -1,
					.serial_path = serial,
					.agent = -1,
					.agent_path = agent,
					.graphics_path = graphics,
					.seed = -1,
					.seed_path = seed };

	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autofree HvrCmdlineShare *shares = print_shares(context, profile, parts, paths);

	g_autofree char *tpm = tpm_path(context, profile);
	const HvrCmdlineShare tpm_at = { .fd = -1, .path = tpm };

	channels.shares = shares;
	if (profile->tpm.model != HVR_TPM_NONE)
		channels.tpm = &tpm_at;
	channels.firmware = parts->firmware;
	channels.vars_path = hvr_nvram_path(profile, parts);
	channels.block_devices = parts->images.block_devices;
	channels.has_node = hvr_placement_node(&context->host, profile, hvr_plan_first_card(plan),
					       &channels.node);

	GPtrArray *argv =
		hvr_cmdline_build(profile, plan->kvm, plan->cards, &channels, &plan->dialect);
	name_in_full(context, profile, argv);
	return argv;
}
