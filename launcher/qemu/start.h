/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/qemu/handover.h"
#include "launcher/runtime/context.h"

/* A QEMU that was started. */
typedef struct {
	pid_t pid;
	int pidfd;
	int monitor;	      /* our end of the private QMP socketpair */
	HvrSerialEnds serial; /* our ends of its serial port; all -1: it has none */
	int output;	      /* the reading end of its standard error */
	int others;	      /* ... and of its standard output and its servers' errors */
	int control;	      /* the control socket, which listens */
	int screen;	      /* what viewers connect to, which listens; -1: there is none */
	GPtrArray *servers;   /* of HvrServer: those of its shares and TPM */
	HvrPorts ports;	      /* what it takes itself: to be cleared once it has */
} HvrStarted;

/**
 * hvr_start_make - all that a VM needs beside its cards: files that are missing are made, sockets
 * and taps are opened, a virtiofsd runs for each share and a swtpm for a TPM. Nothing of it touches
 * a card, so this comes before one is taken. On failure hvr_parts_remove() and hvr_handover_free()
 * take back what was made by then.
 */
gboolean hvr_start_make(const HvrStart *start, HvrHandover *handover,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_start_qemu - start QEMU as the VM's user, with a private monitor, qmp.sock, and its serial
 * port, all by inherited descriptors. It has no terminal: see hvr_spawn(). Its standard error is
 * its own: a guest can get at its standard output ([qemu] args = -debugcon stdio) and at the words
 * of its shares' servers, which come another way.
 * @handover: of hvr_start_make(). On success our ends of it go to @out_started, which the caller
 * owns; the rest is QEMU's, and is to be freed here. On failure QEMU does not run.
 */
gboolean hvr_start_qemu(const HvrStart *start, HvrHandover *handover, HvrStarted *out_started,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same in place of this process, with qmp.sock only, and with our own standard output. With
 * [serial] mode = stdio it has our standard input, too. Returns only when it failed. */
void hvr_start_exec(const HvrStart *start, HvrHandover *handover, GError **error);

/* Appends what `print` shows in front of that: the argv of each share's and the TPM's server, as
 * of hvr_virtiofsd_argv() and hvr_swtpm_argv(). */
void hvr_start_servers(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GPtrArray *argvs);

/* QEMU's argv as `print` shows it: with paths in place of descriptors. [transfer full] */
GPtrArray *hvr_start_argv(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, const HvrPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
