/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/lock.h"

/* How a VM is run. */
typedef enum {
	HVR_RUN_SUPERVISE, /* stay until QEMU ends, then give the cards back */
	HVR_RUN_EXEC,	   /* become QEMU; `release` gives the cards back */
	HVR_RUN_PREPARE,   /* the host's side alone, for nobody yet */
} HvrRunMode;

/* A run that saves its guest, or goes on with one. Its cards, where it has any, come by hot-plug
 * when the guest goes on: [device]s of the profile count, its `cards_later` is TRUE. */
typedef struct {
	int save;	    /* when the guest is ready its state goes there, and the VM ends; -1 */
	int restore;	    /* the guest goes on from there; -1 */
	const char *script; /* to save: what the guest runs before; NULL: nothing */
	const char *name;   /* to restore: the VM's when it was saved, */
	const GPtrArray *macs; /* ... and of char *: its MAC addresses */
	gboolean hears;	       /* out, of one that was saved: its agent runs scripts */
	gboolean stays; /* out, with @good: the guest was told its MAC address, and kept another */
	gboolean shown; /* out: who waits for the VM was told that it runs */
	gboolean done;	/* out: it was saved, or goes on */
	gboolean stopped; /* out: somebody had the VM end before */
	gboolean good;	  /* out: with @problem: the state is not to blame */
	GError *problem;  /* out: why QEMU could not; NULL: it did, or has not come to it */
} HvrRunWarm;

typedef struct {
	HvrRunMode mode;
	int wait_s;	  /* for busy cards, see hvr_claim_take() */
	int ready_fd;	  /* --detach: written to and closed when QEMU runs; -1: nobody waits */
	int wait_ready_s; /* how long the guest may take to be ready; 0: for ever */
	gboolean
		attached; /* with ready_fd: whoever waits stays, and goes on reading our messages */
	HvrRunWarm *warm; /* NULL: the guest boots */
	HvrLock *vm_lock; /* (transfer full): of a name that was made; NULL: it is to be taken */
	int front;	  /* joined with [serial] mode = stdio, see front.h; 0: that is our stdio */
	gboolean front_shows; /* with front: what the guest says is shown on a terminal */
	int serial_log; /* a second record of the serial port, of which nothing is on our terminal
			   then: see serial-hub.h; 0: none */
} HvrRunOptions;
