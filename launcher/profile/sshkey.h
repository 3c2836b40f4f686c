/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Does @text begin as a public key of OpenSSH's does, so that it is no path? */
gboolean hvr_ssh_key_is_meant(const char *text);

/**
 * hvr_ssh_key_is_public - is @line a public key as sshd(8) has it in authorized_keys, without
 * options: "TYPE BASE64 [COMMENT]", where what is encoded names the type again (RFC 4253, 6.6)?
 * Pure. What the rest of it encodes is not looked at.
 */
gboolean hvr_ssh_key_is_public(const char *line);

/**
 * hvr_ssh_key_find - the first public key among the lines of a text, whatever else is there. Pure.
 * Returns: (transfer full): of it "TYPE BASE64", and the comment's first word where that is of
 * letters, digits and "@._-" only; NULL: there is none
 */
char *hvr_ssh_key_find(const char *text) G_GNUC_WARN_UNUSED_RESULT;
