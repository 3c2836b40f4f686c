/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom QEMU runs as, and whom this process works for. Root's environment is believed in one thing
 * only: who called sudo.
 */
#include "launcher/process/user.h"

#include <pwd.h>
#include <unistd.h>

#include "launcher/report/error.h"

#define NOBODY "nobody"

/* The user that called sudo; only believed as a number that getpwuid(3) knows. */
static struct passwd *sudo_user(void)
{
	const char *text = g_getenv("SUDO_UID");
	guint64 uid = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32 - 1, &uid, NULL))
		return NULL;
	return getpwuid((uid_t)uid);
}

/* Whom root becomes. */
static struct passwd *chosen_user(const char *wanted, GError **error)
{
	const char *name = wanted;
	struct passwd *entry = NULL;

	if (!wanted) {
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
		hvr_error_hint(error, "make one: useradd --system --no-create-home %s", name);
		return NULL;
	}
	if (entry->pw_uid == 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[security] user: QEMU is not run as root");
		return NULL;
	}
	return entry;
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
	user->shared = privileged && g_str_equal(user->name, NOBODY);
	return user;
}

HvrUser *hvr_user_elsewhere(const char *wanted)
{
	HvrUser *user = g_new(HvrUser, 1);

	*user = (HvrUser){ .uid = (uid_t)-1, .gid = (gid_t)-1, .privileged = TRUE };
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
	}
	return user;
}

void hvr_user_free(HvrUser *user)
{
	if (!user)
		return;
	g_free(user->name);
	g_free(user);
}

HvrIdentity hvr_user_identity(const HvrUser *user)
{
	return (HvrIdentity){ .uid = user->uid, .gid = user->gid };
}
