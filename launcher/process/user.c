/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom QEMU runs as, and whom this process works for. Root's environment is believed in one thing
 * only: who called sudo.
 */
#include "launcher/process/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/nearest.h"
#include "vfio/host.h"

#define NOBODY "nobody"

/*
 * By what they let a member do, on Debian, Ubuntu, Fedora, Arch or openSUSE: be root by sudo, su or
 * polkit; be root by a daemon that does what it is told; read or write every disk, kernel memory,
 * the password hashes or the host's private keys; write where root executes; read everybody's logs,
 * keys, screen or microphone. The last is our own: its members are people, who may use the cards'
 * nodes.
 */
static const char *const withheld[] = {
	"root",	 "sudo",   "wheel",	  "admin",   "lpadmin",	      "docker",
	"lxd",	 "incus",  "incus-admin", "libvirt", "disk",	      "kmem",
	"mem",	 "shadow", "ssl-cert",	  "staff",   "adm",	      "systemd-journal",
	"input", "tty",	   "video",	  "audio",   HVR_USER_SYSTEM,
};

/* The user that called sudo; only believed as a number that getpwuid(3) knows. */
static struct passwd *sudo_user(void)
{
	const char *text = g_getenv("SUDO_UID");
	guint64 uid = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32 - 1, &uid, NULL))
		return NULL;
	return getpwuid((uid_t)uid);
}

/* Of all users only those that it mostly is: whoever asks a directory service waits. */
static void hint_user(GError **error, const char *name)
{
	const struct passwd *caller = sudo_user();
	g_autofree char *own = g_strdup(caller ? caller->pw_name : NOBODY);
	const char *const usual[] = { own, HVR_USER_SYSTEM, NOBODY, NULL };
	const char *near = hvr_nearest(name, usual);

	if (near && getpwnam(near))
		hvr_nearest_hint(error, name, usual);
	hvr_error_hint(error, "make one: useradd --system --no-create-home %s", name);
}

/* @name: who is wanted; NULL: nobody in particular. Whom root becomes then: who called sudo, the
 * system user, nobody. */
static struct passwd *find_entry(const char *name, GError **error)
{
	struct passwd *entry = NULL;

	if (!name) {
		name = NOBODY;
		entry = sudo_user();
		if (!entry)
			entry = getpwnam(HVR_USER_SYSTEM);
	}
	if (!entry)
		entry = getpwnam(name);
	if (!entry) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[security] user: there is no user '%s' on this host", name);
		hint_user(error, name);
	}
	return entry;
}

/* Who may call this program by sudo is not every other user for that. */
static gboolean may_choose(const char *name, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	if (!caller->privileged || g_str_equal(name, caller->name) ||
	    g_str_equal(name, HVR_USER_SYSTEM) || g_str_equal(name, NOBODY))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "[security] user: by sudo QEMU runs as %s, " HVR_USER_SYSTEM " or " NOBODY
		    ", not as '%s'",
		    caller->name, name);
	hvr_error_hint(error, "root itself may choose anybody: sudo -i, then run it there");
	return FALSE;
}

/* Whom root becomes. */
static struct passwd *chosen_user(const char *wanted, GError **error)
{
	if (wanted && !may_choose(wanted, error))
		return NULL;
	struct passwd *entry = find_entry(wanted, error);
	if (!entry)
		return NULL;
	if (entry->pw_uid == 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[security] user: QEMU is not run as root");
		return NULL;
	}
	return entry;
}

/* With all its members, however many: their names are read as well. Returns: (transfer full):
 * NULL where it has none */
static char *group_name(gid_t gid)
{
	for (gsize size = 4096; size <= 16u << 20; size *= 4) {
		g_autofree char *buffer = g_malloc(size);
		struct group entry, *found = NULL;
		int problem = getgrgid_r(gid, &entry, buffer, size, &found);

		if (problem != ERANGE)
			return found ? g_strdup(found->gr_name) : NULL;
	}
	return NULL;
}

/* Group 0 is root's whatever it is called. */
gboolean hvr_group_is_withheld(gid_t gid, const char **out_name)
{
	g_autofree char *name = group_name(gid);

	for (guint i = 0; i < G_N_ELEMENTS(withheld); i++) {
		if (g_strcmp0(name, withheld[i]) != 0 && (gid != 0 || i != 0))
			continue;
		if (out_name)
			*out_name = withheld[i];
		return TRUE;
	}
	return FALSE;
}

/* What initgroups(3) would set, but for those that are kept back. */
static void find_groups(HvrUser *user)
{
	int n = HVR_IDENTITY_GROUPS;
	g_autofree gid_t *all = g_new(gid_t, HVR_IDENTITY_GROUPS);

	if (getgrouplist(user->name, user->gid, all, &n) < 0)
		n = HVR_IDENTITY_GROUPS;
	user->groups = g_new(gid_t, HVR_IDENTITY_GROUPS);
	for (int i = 0; i < n; i++)
		if (all[i] != user->gid && !hvr_group_is_withheld(all[i], NULL))
			user->groups[user->n_groups++] = all[i];
}

HvrUser *hvr_user_find(const char *wanted, gboolean privileged, GError **error)
{
	struct passwd *entry = privileged ? chosen_user(wanted, error) : getpwuid(geteuid());

	if (!entry && privileged)
		return NULL;
	HvrUser *user = g_new(HvrUser, 1);
	*user = (HvrUser){ .uid = geteuid(), .gid = getegid(), .privileged = privileged };
	if (entry) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		user->name = g_strdup(entry->pw_name);
	} else {
		user->name = g_strdup_printf("%u", user->uid);
	}
	if (privileged)
		find_groups(user);
	user->shared = privileged && g_str_equal(user->name, NOBODY);
	return user;
}

HvrUser *hvr_user_elsewhere(const char *wanted)
{
	HvrUser *user = g_new(HvrUser, 1);

	*user = (HvrUser){ .uid = HVR_UID_ELSEWHERE, .gid = (gid_t)-1, .privileged = TRUE };
	user->name = g_strdup(wanted ? wanted : HVR_USER_SYSTEM);
	return user;
}

HvrUser *hvr_user_caller(void)
{
	HvrUser *user = g_new(HvrUser, 1);
	struct passwd *entry = geteuid() == 0 ? sudo_user() : NULL;

	*user = (HvrUser){ .uid = geteuid(), .gid = getegid(), .privileged = entry != NULL };
	if (!entry)
		entry = getpwuid(user->uid);
	if (entry)
		user->name = g_strdup(entry->pw_name);
	else
		user->name = g_strdup_printf("%u", user->uid);
	if (user->privileged) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		find_groups(user);
	}
	return user;
}

void hvr_user_free(HvrUser *user)
{
	if (!user)
		return;
	g_free(user->name);
	g_free(user->groups);
	g_free(user);
}

HvrIdentity hvr_user_identity(const HvrUser *user)
{
	return (HvrIdentity){ .uid = user->uid,
			      .gid = user->gid,
			      .groups = user->groups,
			      .n_groups = user->n_groups };
}
