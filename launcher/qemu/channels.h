/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/firmware.h"

/* How QEMU reaches what serves one share, or a TPM. */
typedef struct {
	int fd;		  /* connected to the server; -1: QEMU connects to @path itself */
	const char *path; /* NULL without @fd: QEMU serves a folder itself, by 9p */
} HvrCmdlineShare;

/**
 * HvrCmdlineChannels - how QEMU is reached: by descriptors that it inherits, or (print) by paths.
 * A descriptor of -1 is none. What QEMU inherits has no FD_CLOEXEC and is above 2.
 */
typedef struct {
	int qmp_private;      /* one end of a socketpair for the supervisor */
	int qmp_listen;	      /* a listening socket; -1: QEMU makes @qmp_path itself */
	const char *qmp_path; /* used when qmp_listen is -1; NULL: no second monitor */
	/* A listening socket to which the supervisor has connected already (serial-ends.h); -1:
	 * nobody stays, and QEMU does itself what the profile says. */
	int serial_port;
	/*
	 * HVR_SERIAL_STDIO without @serial_port: QEMU's own descriptors 0 and 1. HVR_SERIAL_FILE:
	 * the open file, O_WRONLY exactly (QEMU takes no other for writing); -1: the profile's
	 * path. HVR_SERIAL_SOCKET without @serial_port: a listening socket; -1: QEMU makes
	 * @serial_path itself, and drops the output where that is NULL.
	 */
	int serial;
	const char *serial_path;
	/* [guest] agent: a listening socket; -1: QEMU makes @agent_path itself; NULL: no port */
	int agent;
	const char *agent_path;
	/* [graphics]: QEMU listens nowhere, and is given viewers by whoever stays with it */
	gboolean viewers_given;
	/* else, without a port: where QEMU itself listens (print) */
	const char *graphics_path;
	/* [cloud-init]: the image, open for reading only; -1: it is at @seed_path; NULL: none */
	int seed;
	const char *seed_path;
	guint32 block_devices; /* bit i: the image of disk i is a block device */
	/* [firmware] mode = uefi; NULL: as with bios */
	const HvrFirmware *firmware;
	const char *vars_path; /* its variables; NULL: the profile's */
	/* [memory] node = auto: RAM is preferably taken from @node */
	gboolean has_node;
	guint node;
	/*
	 * (nullable): as many as the profile has nets: for HVR_NET_BRIDGE and HVR_NET_TAP an open
	 * tap. Without one (print) QEMU opens it itself, which for a bridge takes its setuid
	 * helper: the sandbox is then without spawn=deny and elevateprivileges=deny.
	 */
	const int *taps;
	const GArray *ports; /* (nullable): as of HvrPorts.numbers; NULL: QEMU chooses itself */
	gboolean incoming;   /* it begins with a guest that was saved, which the monitor gives it */
	const HvrCmdlineShare *shares; /* (nullable): as many as the profile has; NULL: all by 9p */
	/* (nullable): as many as the profile has: a [usb]'s open node; NULL: QEMU looks itself */
	const int *usbs;
	const HvrCmdlineShare *tpm; /* [tpm] model; NULL: none */
	const int *inputs; /* likewise: an [input]'s open node; NULL: QEMU opens it itself */
} HvrCmdlineChannels;

/* QEMU takes an open file as a path in a name space of its own, of which it opens any that was put
 * at that number: so each has one of its own. */
#define HVR_FDSET	 "/dev/fdset/"
#define HVR_FDSET_SERIAL 1
#define HVR_FDSET_SEED	 2
#define HVR_FDSET_USBS	 16 /* and as many as there are [usb]s */
#define HVR_FDSET_STATE	 64 /* of a guest that is saved, by QMP */
