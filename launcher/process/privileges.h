/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* More supplementary groups than these nobody is given: NFS knows 16, a big site some hundred. */
#define HVR_IDENTITY_GROUPS 1024

/* Who a child shall be. */
typedef struct {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary groups; borrowed */
	guint n_groups;
	gid_t group;	    /* one more, that of a node, */
	gboolean has_group; /* if at all */
} HvrIdentity;

/**
 * hvr_privileges_drop - become @identity for good: supplementary groups, ids, every capability set
 * including the bounding one, NO_NEW_PRIVS. For a child between fork and exec; the process must
 * have a single thread. As a plain user only NO_NEW_PRIVS and empty sets remain to be done.
 *
 * Returns: NULL, or a static text that says what failed: then the process is half one and half
 * the other, and must end.
 */
const char *hvr_privileges_drop(const HvrIdentity *identity) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_privileges_memlock_max - how much memory, in bytes, a child of this process may be allowed to
 * lock. G_MAXUINT64: no limit. Root alone is not enough to raise it: containers often take
 * CAP_SYS_RESOURCE away, and where that cannot be seen it is taken to be gone.
 */
guint64 hvr_privileges_memlock_max(void);

/**
 * hvr_privileges_can_access - may @identity open this file? Asked of the kernel by a child that
 * has become it, so that ACLs, folders on the way and file systems are judged as they are.
 * @flags: for open(2): O_RDONLY or O_RDWR
 * Returns: 0, or the errno
 */
int hvr_privileges_can_access(const HvrIdentity *identity, const char *path, int flags);
