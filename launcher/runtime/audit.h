/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"

/**
 * The audit: one line for each change of a card, for whoever asks later who had it.
 *
 * To journald where it listens, in its native protocol (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md):
 * one datagram of FIELD=VALUE lines. That is all there is to it, since no value of ours has a line
 * end; libsystemd would be a library for one sendmsg(2). Fields: MESSAGE, PRIORITY,
 * SYSLOG_IDENTIFIER=hailo-vm-run, and HAILO_VM_EVENT, _CARD, _PATH, _ID, _NAME (the VM), _UID,
 * _SUDO_UID, _JOB, _RESULT, those that are known.
 *
 * Else audit.log below /var/lib/hailo-vm-run, a JSON object a line, of which the last one to two
 * MiB are kept: when it is full it becomes audit.log.1. Root alone writes and reads it, so there is
 * no line of what a plain user does on a host without journald.
 */
typedef enum {
	HVR_AUDIT_TAKEN,      /* for a VM, or prepared for one */
	HVR_AUDIT_GIVEN_BACK, /* to the host, or left on vfio-pci for nobody */
	HVR_AUDIT_FAILED,     /* to be taken, or to be given back */
	HVR_AUDIT_HELD,
	HVR_AUDIT_UNHELD,
} HvrAuditEvent;

typedef struct {
	HvrAuditEvent event;
	const char *address; /* NULL: not known */
	const char *path;    /* of slots; NULL: it has none */
	const char *id;	     /* "1e60:2864" */
	const char *vm;	     /* NULL: for none */
	const char *result;  /* what came of it, a line; NULL: all well */
} HvrAuditRecord;

/* The name of an event: "taken", "given-back". */
const char *hvr_audit_name(HvrAuditEvent event);

/**
 * hvr_audit - tell it, with the time, the user, who called sudo, and the job ($HAILO_VM_JOB, else
 * what Slurm or GitLab call theirs). Waits for nobody, and no failure of it is anybody's.
 */
void hvr_audit(const HvrContext *context, const HvrAuditRecord *record);
