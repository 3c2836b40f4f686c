/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors that QEMU gets, and nothing else: QEMU opens no socket and creates no file by
 * itself, so its user needs no write access anywhere but to its disks.
 *
 * Each is noted as soon as it is open, so that whatever fails later closes it.
 */
#include "launcher/qemu/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/parts/nvram.h"
#include "launcher/parts/placement.h"
#include "launcher/parts/reserve.h"
#include "launcher/parts/seed.h"
#include "launcher/parts/serialfile.h"
#include "launcher/parts/share.h"
#include "launcher/parts/swtpm.h"
#include "launcher/parts/tap.h"
#include "launcher/parts/tpm.h"
#include "launcher/parts/input.h"
#include "launcher/parts/usb.h"
#include "launcher/parts/virtiofsd.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "vfio/fd.h"

HvrHandover *hvr_handover_new(const HvrStart *start)
{
	const HvrHost *host = &start->context->host;
	HvrHandover *handover = g_new(HvrHandover, 1);

	*handover = (HvrHandover){
		.channels = { .qmp_private = -1,
			      .qmp_listen = -1,
			      .serial_port = -1,
			      .serial = -1,
			      .agent = -1,
			      .seed = -1 },
		.fds = g_array_new(FALSE, FALSE, sizeof(int)),
		.taps = g_array_new(FALSE, FALSE, sizeof(int)),
		.shares = g_array_new(FALSE, FALSE, sizeof(HvrCmdlineShare)),
		.listening = g_array_new(FALSE, FALSE, sizeof(int)),
		.usbs = g_array_new(FALSE, FALSE, sizeof(int)),
		.inputs = g_array_new(FALSE, FALSE, sizeof(int)),
		.servers = hvr_servers_new(),
		.messages = -1,
		.asides = -1,
		.monitor = -1,
		.serial = HVR_SERIAL_ENDS_NONE,
		.output = -1,
		.others = -1,
		.control = -1,
		.screen = -1,
		.ports = HVR_PORTS_INIT,
	};
	handover->channels.firmware = start->parts->firmware;
	handover->channels.vars_path = hvr_nvram_path(start->profile, start->parts);
	handover->channels.block_devices = start->parts->images.block_devices;
	handover->channels.viewers_given = start->stays;
	handover->channels.incoming = start->incoming;
	handover->channels.has_node = hvr_placement_node(
		host, start->profile, hvr_plan_first_card(start->plan), &handover->channels.node);
	return handover;
}

static void close_all(GArray *fds)
{
	for (guint i = 0; i < fds->len; i++)
		hvr_fd_close(g_array_index(fds, int, i));
	g_array_unref(fds);
}

void hvr_handover_free(HvrHandover *handover)
{
	if (!handover)
		return;
	close_all(handover->fds);
	close_all(handover->listening);
	g_array_unref(handover->taps);
	g_array_unref(handover->shares);
	g_array_unref(handover->usbs);
	g_array_unref(handover->inputs);
	g_clear_pointer(&handover->servers, g_ptr_array_unref);
	hvr_fd_close(handover->messages);
	hvr_fd_close(handover->asides);
	hvr_fd_close(handover->monitor);
	hvr_serial_ends_clear(&handover->serial);
	hvr_fd_close(handover->output);
	hvr_fd_close(handover->others);
	hvr_fd_close(handover->control);
	hvr_fd_close(handover->screen);
	hvr_ports_clear(&handover->ports);
	g_free(handover);
}

/* Takes ownership of @fd. Returns: FALSE for -1 */
static gboolean take(HvrHandover *handover, int fd, int *out_channel)
{
	if (fd < 0)
		return FALSE;
	g_array_append_val(handover->fds, fd);
	*out_channel = fd;
	return TRUE;
}

static void set_failed(const char *what, GError **error)
{
	int saved = errno;

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot %s: %s", what,
		    g_strerror(saved));
}

/* Two ends of one connection. */
static gboolean take_pair(HvrHandover *handover, int *out_channel, int *out_ours)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return FALSE;
	*out_ours = pair[0];
	return take(handover, pair[1], out_channel);
}

const char *hvr_handover_screen_name(const HvrProfile *profile)
{
	if (profile->graphics_port)
		return NULL;
	if (profile->graphics == HVR_GRAPHICS_VNC)
		return HVR_VM_VNC;
	if (profile->graphics == HVR_GRAPHICS_SPICE)
		return HVR_VM_SPICE;
	return NULL;
}

static gboolean make_pipe(int *out_reader, int *out_writer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return FALSE;
	*out_reader = ends[0];
	*out_writer = ends[1];
	return TRUE;
}

static gboolean add_serial_port(const HvrStart *start, HvrHandover *handover, GError **error)
{
	int listening = -1;

	if (start->profile->serial == HVR_SERIAL_NONE)
		return TRUE;
	gboolean made = hvr_serial_ends_make(start->folder, &handover->serial, &listening, error);
	return take(handover, listening, &handover->channels.serial_port) && made;
}

gboolean hvr_handover_add_ours(const HvrStart *start, HvrHandover *handover, GError **error)
{
	HvrCmdlineChannels *channels = &handover->channels;
	const char *failed = NULL;

	if (!take_pair(handover, &channels->qmp_private, &handover->monitor))
		failed = "make QEMU's monitor";
	else if (!make_pipe(&handover->output, &handover->messages) ||
		 !make_pipe(&handover->others, &handover->asides))
		failed = "make a pipe for QEMU's messages";
	if (failed) {
		set_failed(failed, error);
		return FALSE;
	}
	if (!add_serial_port(start, handover, error))
		return FALSE;
	const char *screen = hvr_handover_screen_name(start->profile);
	if (screen)
		handover->screen = hvr_runtime_listen(start->folder, screen, error);
	if (screen && handover->screen < 0)
		return FALSE;
	handover->control = hvr_runtime_listen(start->folder, HVR_VM_CONTROL, error);
	return handover->control >= 0;
}

gboolean hvr_handover_add_ports(const HvrStart *start, HvrHandover *handover, GError **error)
{
	HvrPorts *ports = &handover->ports;

	if (!hvr_ports_take(start->context, start->profile, start->parts->user, ports, error))
		return FALSE;
	handover->channels.ports = ports->numbers;
	if (start->parts->ports && ports->numbers)
		g_array_append_vals(start->parts->ports, ports->numbers->data, ports->numbers->len);
	/* without us QEMU listens there itself */
	if (start->stays && ports->screen >= 0)
		handover->screen = g_steal_fd(&ports->screen);
	return TRUE;
}

static gboolean add_serial(const HvrStart *start, HvrHandover *handover, GError **error)
{
	int *channel = &handover->channels.serial;

	switch (start->profile->serial) {
	case HVR_SERIAL_FILE:
		return take(handover, hvr_serial_file_open(start->profile, start->parts, error),
			    channel);
	case HVR_SERIAL_SOCKET:
		return start->stays ||
		       take(handover, hvr_runtime_listen(start->folder, HVR_VM_SERIAL, error),
			    channel);
	default:
		return TRUE;
	}
}

static gboolean add_taps(const HvrStart *start, HvrHandover *handover, GError **error)
{
	const GPtrArray *nets = start->profile->nets;

	for (guint i = 0; i < nets->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(nets, i);
		gboolean wanted = net->mode == HVR_NET_BRIDGE || net->mode == HVR_NET_TAP;
		int tap = -1;

		if (wanted &&
		    !take(handover, hvr_tap_open(&start->context->host, net, error), &tap))
			return FALSE;
		g_array_append_val(handover->taps, tap);
	}
	handover->channels.taps = (const int *)(void *)handover->taps->data;
	return TRUE;
}

static gboolean add_shares(const HvrStart *start, HvrHandover *handover, GError **error)
{
	for (guint i = 0; i < start->profile->shares->len; i++) {
		const HvrShareWay *way = hvr_share_way(start->parts, i);
		HvrCmdlineShare share = { .fd = -1 };
		int listening = -1, connected = -1;

		if (way && way->program) {
			if (!hvr_virtiofsd_connect(&listening, &connected, error))
				return FALSE;
			g_array_append_val(handover->fds, connected);
			share.fd = connected;
		}
		g_array_append_val(handover->shares, share);
		g_array_append_val(handover->listening, listening);
	}
	handover->channels.shares = (const HvrCmdlineShare *)(void *)handover->shares->data;
	return TRUE;
}

static gboolean serve_shares(const HvrStart *start, HvrHandover *handover, GError **error)
{
	const HvrSharesServing serving = { .listening = handover->listening,
					   .stderr_fd = handover->asides,
					   .with_parent = !start->stays };

	return hvr_shares_serve(start->profile, start->parts, &serving, handover->servers, error);
}

/* Ours until QEMU has it, and QEMU's then: a swtpm that QEMU has not spoken to yet would notice the
 * end of neither. */
static gboolean add_leash(HvrHandover *handover, int *out_reader, GError **error)
{
	int writer = -1;

	if (!make_pipe(out_reader, &writer)) {
		set_failed("make a pipe for swtpm", error);
		return FALSE;
	}
	g_array_append_val(handover->fds, writer);
	return TRUE;
}

static gboolean serve_tpm(const HvrStart *start, HvrHandover *handover, GError **error)
{
	g_auto(HvrFd) theirs = -1;
	g_auto(HvrFd) leash = -1;
	HvrTpmServing serving = { .privileged = start->context->privileged,
				  .folder = start->folder,
				  .stderr_fd = handover->asides,
				  .with_parent = !start->stays };

	if (start->profile->tpm.model == HVR_TPM_NONE)
		return TRUE;
	if (!hvr_swtpm_connect(&theirs, &handover->tpm.fd, error))
		return FALSE;
	g_array_append_val(handover->fds, handover->tpm.fd);
	handover->channels.tpm = &handover->tpm;
	if (!add_leash(handover, &leash, error))
		return FALSE;
	serving.fd = theirs;
	serving.leash = leash;
	return hvr_tpm_serve(start->profile, start->parts, &serving, handover->servers, error);
}

static gboolean add_usbs(const HvrStart *start, HvrHandover *handover, GError **error)
{
	for (guint i = 0; i < start->profile->usbs->len; i++) {
		const HvrProfileUsb *usb = g_ptr_array_index(start->profile->usbs, i);
		g_autofree char *port = NULL;
		int fd = -1;

		if (!take(handover,
			  hvr_usb_open(&start->context->host, usb, start->parts->user, &port,
				       error),
			  &fd) ||
		    !hvr_reserve_has_usb(start->locks, usb, port, error))
			return FALSE;
		g_array_append_val(handover->usbs, fd);
	}
	handover->channels.usbs = (const int *)(void *)handover->usbs->data;
	return TRUE;
}

static gboolean add_inputs(const HvrStart *start, HvrHandover *handover, GError **error)
{
	for (guint i = 0; i < start->profile->inputs->len; i++) {
		const HvrProfileInput *input = g_ptr_array_index(start->profile->inputs, i);
		guint64 number = 0;
		int fd = -1;

		if (!take(handover, hvr_input_open(input, start->parts->user, &number, error),
			  &fd) ||
		    !hvr_reserve_has_input(start->locks, input, number, error))
			return FALSE;
		g_array_append_val(handover->inputs, fd);
	}
	handover->channels.inputs = (const int *)(void *)handover->inputs->data;
	return TRUE;
}

/* Of the groups alone: what QEMU has of a lock is for whoever wants a card. */
static gboolean add_locks(const HvrStart *start, HvrHandover *handover, GError **error)
{
	for (guint i = 0; i < start->locks->len; i++) {
		const HvrLock *lock = g_ptr_array_index(start->locks, i);
		int fd = -1;

		if (hvr_lock_is_of_group(lock) &&
		    !take(handover, hvr_lock_open_for_qemu(lock, error), &fd))
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_handover_add_channels(const HvrStart *start, HvrHandover *handover, GError **error)
{
	const HvrProfile *profile = start->profile;
	HvrCmdlineChannels *channels = &handover->channels;

	if (!add_locks(start, handover, error) ||
	    !take(handover, hvr_runtime_listen(start->folder, HVR_VM_QMP, error),
		  &channels->qmp_listen) ||
	    !add_serial(start, handover, error))
		return FALSE;
	if (profile->guest.agent &&
	    !take(handover, hvr_runtime_listen(start->folder, HVR_VM_AGENT, error),
		  &channels->agent))
		return FALSE;
	if (hvr_seed_is_wanted(profile) &&
	    !take(handover, hvr_seed_make(profile, start->parts, error), &channels->seed))
		return FALSE;
	return add_taps(start, handover, error) && add_usbs(start, handover, error) &&
	       add_inputs(start, handover, error) && add_shares(start, handover, error) &&
	       serve_shares(start, handover, error) && serve_tpm(start, handover, error);
}
