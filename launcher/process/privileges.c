/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dropping privileges, in this order:
 *
 *   1. ids and groups, keeping no capability:  capng_change_id
 *      The supplementary groups are those of the identity and no other; the bounding and the
 *      ambient set are emptied while CAP_SETPCAP is still there.
 *   2. NO_NEW_PRIVS: nothing that is executed from now on gains anything by setuid or file
 *      capabilities; QEMU's own seccomp filter needs it too.
 *   3. look: the sets must be empty, and root must not be had back.
 *
 * Must not: be called with threads, or go on after a failure.
 */
#include "launcher/process/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec: no allocation. */
static int set_groups(const HvrIdentity *identity)
{
	gid_t all[HVR_IDENTITY_GROUPS + 1];
	guint n = MIN(identity->n_groups, HVR_IDENTITY_GROUPS);

	for (guint i = 0; i < n; i++)
		all[i] = identity->groups[i];
	if (identity->has_group)
		all[n++] = identity->group;
	return setgroups(n, all);
}

/* With CAPNG_DROP_SUPP_GRP the list would be emptied by libcap-ng, so the flag is left out. The
 * ambient set libcap-ng knows since 0.8 only. */
static const char *change_identity(const HvrIdentity *identity)
{
	if (set_groups(identity) < 0)
		return "setting the supplementary groups";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return "emptying the ambient set";
	/* setgroups(2), setgid(2), setuid(2) and PR_CAPBSET_DROP need these until the change is
	 * made; capng_change_id() drops what was not asked for. */
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)identity->uid, (int)identity->gid, CAPNG_CLEAR_BOUNDING) < 0)
		return "changing the user";
	return NULL;
}

const char *hvr_privileges_drop(const HvrIdentity *identity)
{
	gboolean root = geteuid() == 0;
	const char *failed = NULL;

	if (root) {
		failed = change_identity(identity);
	} else {
		capng_clear(CAPNG_SELECT_CAPS);
		if (capng_apply(CAPNG_SELECT_CAPS) < 0)
			failed = "dropping capabilities";
	}
	if (failed)
		return failed;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "setting no_new_privs";
	/* When it cannot read them, libcap-ng still has those that it was to set: none. */
	if (capng_get_caps_process() != 0)
		return "reading what capabilities are left";
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return "dropping capabilities";
	if (root && identity->uid != 0 && setuid(0) == 0)
		return "leaving root";
	return NULL;
}

guint64 hvr_privileges_memlock_max(void)
{
	struct rlimit limit;

	if ((capng_get_caps_process() == 0 &&
	     capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_RESOURCE)) ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_max == RLIM_INFINITY)
		return G_MAXUINT64;
	return limit.rlim_max;
}

int hvr_privileges_can_access(const HvrIdentity *identity, const char *path, int flags)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0) {
		if (geteuid() == 0 && hvr_privileges_drop(identity))
			_exit(EPERM);
		int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			_exit(errno);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	if (!WIFEXITED(status))
		return EIO;
	return WEXITSTATUS(status);
}
