/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/escape.h"

/**
 * HvrRelay - a guest's serial port joined with where the user is: bytes as they are, both ways.
 *
 * Attached to the default main context. Neither side is ever waited for: what one does not take is
 * held, a little of it, and then the other is not read any more. The user's side is read while it
 * is ours to read only: not from the background, where nothing stops us either.
 */
typedef struct HvrRelay HvrRelay;

typedef enum {
	HVR_RELAY_OPEN,	  /* it goes on */
	HVR_RELAY_LEFT,	  /* by a key: for whoever has the relay to say */
	HVR_RELAY_ENDED,  /* the other side of the port has closed: QEMU has ended */
	HVR_RELAY_FAILED, /* the user's output takes no more; what the guest says is dropped */
} HvrRelayEnd;

/* May not free the relay. */
typedef void (*HvrRelayTold)(HvrRelayEnd end, gpointer user_data);

/* A key of a terminal that is ours. What was typed before it is on its way to the guest. May not
 * free the relay. Returns: FALSE: what comes behind it is nobody's, and no more is read */
typedef gboolean (*HvrRelayKey)(HvrEscapeAction action, gpointer user_data);

typedef struct {
	int port;	      /* a connected stream socket */
	int input, output;    /* where the user is; their O_NONBLOCK stays as it is */
	HvrRelayKey on_key;   /* NULL: all keys are the guest's */
	gboolean keep_output; /* see HvrTerminal */
	HvrRelayTold told;    /* NULL: nobody asks */
	gpointer user_data;
	/* Has whoever fills the port go on, while the main loop does not run. NULL: it needs none
	 */
	void (*feed)(gpointer fed);
	gpointer fed;
} HvrRelayStart;

/**
 * hvr_relay_new - join them. All descriptors stay the caller's, and must outlive the relay.
 * A terminal on the input is raw whenever it is ours. Meanwhile SIGTSTP and SIGCONT come by a
 * signalfd(2), so that it is put back while we are stopped. At the end of an input that is no
 * terminal, output goes on.
 */
HvrRelay *hvr_relay_new(const HvrRelayStart *start) G_GNUC_WARN_UNUSED_RESULT;

/* The user's terminal is put back and not read any more. What the guest has said is passed on as
 * far as the user's output takes it in a tenth of a second. NULL is accepted. */
void hvr_relay_stop(HvrRelay *relay);

/* The same, and the user's output is waited for: two seconds at most. NULL is accepted. */
void hvr_relay_free(HvrRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrRelay, hvr_relay_free)
