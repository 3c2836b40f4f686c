/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/**
 * HvrSerialLog - what a guest's serial port says, in a file of which the begin and the end are
 * kept: see launcher/report/log-file.h. Nothing is sent to the guest.
 */
typedef struct HvrSerialLog HvrSerialLog;

/**
 * hvr_serial_log_new - attached to the default main context; all else comes first.
 * @port: a connected stream socket; @log: open for appending. Both stay the caller's, and must
 * outlive it.
 */
HvrSerialLog *hvr_serial_log_new(int port, int log);
/* With what is still in the port, and no more than a socket holds. NULL is accepted. */
void hvr_serial_log_free(HvrSerialLog *serial);
