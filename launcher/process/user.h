/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/process/privileges.h"

/**
 * HvrUser - the VM's user: who QEMU and all that serves it run as. Or the caller.
 */
typedef struct {
	uid_t uid;
	gid_t gid;
	char *name; /* or its number, for a uid that has none */
	/* Supplementary groups: those of a login, but for what hvr_group_is_withheld() keeps back.
	 * Only where this process becomes that user; else they are the process's own, and none are
	 * listed here. */
	gid_t *groups;
	guint n_groups;
	/* This process is root and becomes that user for it; else it is that user already. */
	gboolean privileged;
	/* Root becomes "nobody" for it, as whoever else has no user of their own: processes of one
	 * user can trace each other, and open what belongs to it. */
	gboolean shared;
} HvrUser;

/* The system user for VMs; sysusers.d/hailo-vm-run.conf makes it. Its group is not the group of
 * that name: members of that one are people, who may use the cards' nodes, and QEMU shall not. */
#define HVR_USER_SYSTEM "hailo-vm"
/* Its group, which nobody joins: people join hailo-vm to use the cards' nodes. */
#define HVR_USER_SYSTEM_GROUP "hailo-vm-qemu"
/* How a host gets it */
#define HVR_USER_MAKE                                                                              \
	"groupadd --system " HVR_USER_SYSTEM_GROUP "; useradd --system --no-create-home --shell "  \
	"/usr/sbin/nologin --gid " HVR_USER_SYSTEM_GROUP " " HVR_USER_SYSTEM

/**
 * hvr_user_find - who that is. Root's choice is the profile's, then the user who called sudo
 * (SUDO_UID, believed only as a number that getpwuid(3) knows), then the system user hailo-vm where
 * this host has it, then nobody; a plain user has none.
 * @wanted: (nullable): the profile's [security] user
 * Errors: HVR_LAUNCH_ERROR_PROFILE: no such user, or it is root; _PERMISSION: by sudo, for any
 * other than who called it, hailo-vm and nobody
 */
HvrUser *hvr_user_find(const char *wanted, gboolean privileged,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A user of another host, by name alone: as root would choose there. Nobody of this host is meant,
 * and nothing can be done as them. @wanted: as above */
HvrUser *hvr_user_elsewhere(const char *wanted) G_GNUC_WARN_UNUSED_RESULT;
void hvr_user_free(HvrUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrUser, hvr_user_free)

/**
 * hvr_user_caller - who this process works for, whose files a command line names: where root was
 * reached by sudo the user who called it (SUDO_UID, believed as above), else whoever runs it.
 * Returns: (transfer full): `privileged` when this process would have to become that user
 */
HvrUser *hvr_user_caller(void) G_GNUC_WARN_UNUSED_RESULT;

/* What a child becomes to be that user, with the user's groups: borrowed from @user. */
HvrIdentity hvr_user_identity(const HvrUser *user);

/**
 * hvr_group_is_withheld - is @gid a group that makes its members as good as root, or lets them see
 * or change what is not a VM's (hailo-vm-run(1), SECURITY)? No process that root starts for a VM
 * has it, and no file of a profile is used by it, whoever starts the VM: a plain user's QEMU has
 * it, since nobody can give up a group without privileges, but shall not depend on it.
 * @out_name: (nullable): (transfer none): its name, static
 */
gboolean hvr_group_is_withheld(gid_t gid, const char **out_name);
