/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* What people read, on standard error, one line each, behind "hailo-vm-run: ". Commands and the
 * session speak, and giving back where something is not as it was; all else returns errors. */

/* Whatever is said, a terminal may read it: see launcher/report/text.h. */

/* Nothing here blocks for more than a second: what a full pipe does not take by then is lost. */

void hvr_message(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The error's line, and its hint on a second one. */
void hvr_message_error(const GError *error);

/* The same behind "warning: ", for what goes wrong beside the main work. */
void hvr_message_warning(const GError *error);

/* What somebody else has said: lines. */
void hvr_message_bytes(const char *bytes, gsize length);

/* From here on, standard error is @fd, a file of our own, open for appending, of which the begin
 * and the end are kept: see launcher/report/log-file.h. What hvr_message_record() was given is not
 * written any more: it is mostly the same file. @fd stays the caller's. */
void hvr_message_keep(int fd);

/* Standard error is a terminal that is raw from here on, at the begin of a line: each message
 * begins and ends one. FALSE: no more. */
void hvr_message_raw(gboolean is_raw);

/* Somebody else has written there, and this was the last byte. */
void hvr_message_beside(char last);

/* From here on, what is said also goes to @fd, a VM's record of it, open for appending, which is
 * kept the same way. Taken; closed by the next call. -1: no more. */
void hvr_message_record(int fd);

/* From here on, what is said also goes to @fd, which is kept the same way, and stays the caller's;
 * processes that are forked since write there, too. -1: no more. */
void hvr_message_copy(int fd);

/* From here on, @func is called in front of whatever is said here, to clear the line that it is
 * said on. NULL: nothing is. It must not speak. */
void hvr_message_before(void (*func)(void));
