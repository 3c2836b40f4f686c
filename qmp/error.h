/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrQmpError - why a conversation with QEMU failed.
 * A code exists only where a caller or an exit status treats it differently.
 */
typedef enum {
	HVR_QMP_ERROR_CLOSED,	 /* the peer closed the connection, or QEMU ended */
	HVR_QMP_ERROR_TIMEOUT,	 /* no answer, or no DEVICE_DELETED, before the deadline */
	HVR_QMP_ERROR_PROTOCOL,	 /* what arrived is not QMP: malformed, too long, too deep */
	HVR_QMP_ERROR_REMOTE,	 /* QEMU answered with an error; the message is its "desc" */
	HVR_QMP_ERROR_NOT_FOUND, /* QEMU answered with an error of class DeviceNotFound */
	HVR_QMP_ERROR_REFUSED,	 /* the guest refused to let go (DEVICE_UNPLUG_GUEST_ERROR), or its
				    agent does not know or does not allow a command */
} HvrQmpError;

#define HVR_QMP_ERROR (hvr_qmp_error_quark())
GQuark hvr_qmp_error_quark(void);
