/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/privileges.h"

/* A virtiofsd and the folder that it serves to one VM. Borrows all. */
typedef struct {
	const char *program; /* absolute */
	const char *folder;
	gboolean readonly;
	HvrIdentity identity; /* who it runs as: the VM's user */
	gboolean namespaces;  /* it puts itself into namespaces of its own; else seccomp only */
	gboolean squash;      /* it takes every user of the guest for its own */
} HvrVirtiofsd;

/* The programs that descriptors name for it, the preferred first. [transfer full]: of char * */
GPtrArray *hvr_virtiofsd_find(const char *const *folders) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_virtiofsd_argv - its command line. Pure, but for the limit of open files.
 * @listening: the socket that it inherits, under this number; -1: it makes @path
 * Returns: (transfer full): strings, and a NULL as the last
 */
GPtrArray *hvr_virtiofsd_argv(const HvrVirtiofsd *server, int listening,
			      const char *path) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_virtiofsd_connect - two sockets without a name in any file system.
 * @out_listening: for the virtiofsd: the first to be accepted on it is, for sure,
 * @out_connected: the one for QEMU
 * The caller closes both.
 */
gboolean hvr_virtiofsd_connect(int *out_listening, int *out_connected,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_virtiofsd_try - can it serve that folder in that way? It is started like for a VM, for a
 * client that hangs up at once. Changes nothing.
 * Errors: of hvr_program_run()
 */
gboolean hvr_virtiofsd_try(const HvrVirtiofsd *server, GError **error) G_GNUC_WARN_UNUSED_RESULT;
