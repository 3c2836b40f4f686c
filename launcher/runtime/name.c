/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A number, not a word of chance: a rig that makes a thousand VMs one after the other has one name,
 * with one folder and one line in everybody's logs. Two at once are told apart by the lock, which
 * is taken with the name and not after it.
 */
#include "launcher/runtime/name.h"

#include <string.h>

#include "launcher/report/error.h"
#include "launcher/runtime/journal.h"

/* What a host's name may have, and so a VM's (hvr_profile_name_valid()). */
#define LONGEST 63

static char *make_name(const char *stem, guint number)
{
	g_autofree char *end = g_strdup_printf("-%u", number);
	int room = LONGEST - (int)strlen(end);

	return g_strdup_printf("%.*s%s", room, stem, end);
}

/* Cards that could not be given back would become the new VM's. */
static gboolean is_in_journal(const GPtrArray *entries, const char *name)
{
	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if (g_strcmp0(entry->vm, name) == 0)
			return TRUE;
	}
	return FALSE;
}

HvrLock *hvr_name_take(HvrContext *context, const char *stem, char **out_name, GError **error)
{
	if (!hvr_context_open_runtime(context, TRUE, error))
		return NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, NULL);
	for (guint i = 1; i <= HVR_NAME_MOST; i++) {
		g_autofree char *name = make_name(stem, i);
		g_autofree char *file = hvr_lock_name_vm(name);
		GError *cause = NULL;
		if (is_in_journal(entries, name))
			continue;
		HvrLock *lock = hvr_lock_try(&context->host, context->runtime, file, name, &cause);
		if (lock) {
			*out_name = g_steal_pointer(&name);
			return lock;
		}
		if (!g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY)) {
			g_propagate_error(error, cause);
			return NULL;
		}
		g_error_free(cause);
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
		    "VM '%s': all names from '%s-1' to '%s-%d' are in use", stem, stem, stem,
		    HVR_NAME_MOST);
	return NULL;
}

char *hvr_name_look(HvrContext *context, const char *stem)
{
	g_autoptr(GPtrArray) entries = NULL;

	if (!hvr_context_open_runtime(context, FALSE, NULL))
		return make_name(stem, 1);
	entries = hvr_journal_list(context->runtime, NULL);
	for (guint i = 1;; i++) {
		g_autofree char *name = make_name(stem, i);
		g_autofree char *file = hvr_lock_name_vm(name);
		g_auto(HvrLockHolder) holder = { 0 };
		gboolean held = hvr_lock_holder(&context->host, context->runtime, file, &holder);
		if (i == HVR_NAME_MOST || (!held && !is_in_journal(entries, name)))
			return g_steal_pointer(&name);
	}
}

gboolean hvr_name_is_made_of(const char *name, const char *stem)
{
	const char *dash = strrchr(name, '-');
	guint64 number = 0;

	if (!dash || !g_ascii_string_to_unsigned(dash + 1, 10, 1, HVR_NAME_MOST, &number, NULL))
		return FALSE;
	g_autofree char *made = make_name(stem, (guint)number);
	return g_str_equal(made, name);
}
