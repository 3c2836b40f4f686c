/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/serial-held.h"

#include <unistd.h>

#include "launcher/parts/serialfile.h"
#include "launcher/session/serial-client.h"
#include "vfio/fd.h"

/* A terminal that takes nothing for so long, with Ctrl-S or behind a front that somebody has
 * stopped, holds the guest up no longer: the record has all of it. What reads a pipe may take its
 * time. */
#define TERMINAL_PATIENCE_MS 10000

static guint patience(const HvrRunOptions *options)
{
	return options->front && options->front_shows ? TERMINAL_PATIENCE_MS : HVR_SERIAL_FOR_EVER;
}

/* Our messages are shown on the same terminal, hence keep_output. */
static HvrRelay *join_foreground(HvrSerialHeld *held, int front)
{
	const HvrRelayStart start = { .port = held->foreground,
				      .input = front ? front : STDIN_FILENO,
				      .output = front ? front : STDOUT_FILENO,
				      .keep_output = TRUE,
				      .feed = hvr_serial_hub_feed,
				      .fed = held->hub };

	return hvr_relay_new(&start);
}

void hvr_serial_hold(HvrSerialHeld *held, HvrSerialEnds *ends, const HvrProfile *profile,
		     const HvrRunOptions *options)
{
	int copy = options->serial_log ? options->serial_log : -1;

	*held = (HvrSerialHeld){ .foreground = -1 };
	if (ends->port < 0)
		return;
	held->hub = hvr_serial_hub_new(ends, copy);
	/* who detaches has no foreground, and what is copied is for nobody's eyes now */
	if (profile->serial != HVR_SERIAL_STDIO || copy >= 0 ||
	    (options->ready_fd >= 0 && !options->front))
		return;
	held->foreground = hvr_serial_hub_join(held->hub, patience(options));
	if (held->foreground >= 0)
		held->relay = join_foreground(held, options->front);
}

void hvr_serial_held_stop(HvrSerialHeld *held)
{
	hvr_relay_stop(held->relay);
	if (held->hub)
		hvr_serial_hub_feed(held->hub);
}

void hvr_serial_held_judge(const HvrSerialHeld *held, const HvrProfile *profile,
			   const HvrUser *user)
{
	if (held->hub)
		hvr_serial_file_tell_lost(profile, user, hvr_serial_hub_file(held->hub),
					  hvr_serial_hub_heard(held->hub));
}

void hvr_serial_held_clear(HvrSerialHeld *held)
{
	hvr_relay_free(g_steal_pointer(&held->relay));
	hvr_serial_hub_free(g_steal_pointer(&held->hub));
	hvr_fd_close(g_steal_fd(&held->foreground));
}
