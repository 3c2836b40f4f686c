/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * How a command is run in a guest, as `exec` and `test` are told alike: the words of their command
 * line, and what is opened of them before anything begins.
 */
typedef struct {
	char **env;   /* (nullable): "NAME=VALUE" words */
	char **put;   /* (nullable): "HOSTFILE:GUESTFILE" words */
	char *cwd;    /* (nullable): a folder of the guest */
	char *user;   /* (nullable): of the guest */
	char *script; /* (nullable): a file of the host, which is run there */
} HvrGuestOptions;

/**
 * hvr_guest_options_check - refuse what no guest could make sense of.
 * @command: "exec", for the message
 * Errors: HVR_LAUNCH_ERROR_USAGE
 */
gboolean hvr_guest_options_check(const HvrGuestOptions *options, const char *command,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file of the host that goes into the guest, open. */
typedef struct {
	int fd;
	guint mode; /* its permissions, without set-user-ID and its like */
	char *from; /* its name here */
	char *to;   /* its path in the guest; NULL: the script */
} HvrGuestPut;

/**
 * hvr_guest_options_open - open the files of --put and --script as the caller. It is done before
 * anything else, so that a file that cannot be read is known before a card moves.
 * @options: checked
 * Returns: (transfer full): array of HvrGuestPut, in the order of @options->put, the script last
 * Errors: HVR_LAUNCH_ERROR_PERMISSION, and _USAGE where a file cannot be read
 */
GPtrArray *hvr_guest_options_open(const HvrGuestOptions *options,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
