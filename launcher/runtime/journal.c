/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: what the host was like, written before it is changed.
 *
 * Replaced atomically, so a crash leaves the old entry or the new one. Damage can only come from
 * outside; the checksum of everything in front of it tells, and then nothing is believed.
 */
#include "launcher/runtime/journal.h"

#include <fcntl.h>
#include <string.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define VERSION	     1
#define GROUP_CARD   "card"
#define GROUP_SAVED  "saved"
#define GROUP_OWNER  "owner"
#define CHECK_PREFIX "# sha256 "
#define SUFFIX	     ".ini"
#define ENTRY_MAX    4096 /* what hvr_tree_read() takes */

/* What is kept as the text that it is. */
static const struct {
	const char *key;
	gsize offset; /* in HvrPciState */
} saved_texts[] = {
	{ "driver", G_STRUCT_OFFSET(HvrPciState, driver) },
	{ "driver_override", G_STRUCT_OFFSET(HvrPciState, driver_override) },
	{ "reset_method", G_STRUCT_OFFSET(HvrPciState, reset_method) },
	{ "power_control", G_STRUCT_OFFSET(HvrPciState, power_control) },
	{ "d3cold_allowed", G_STRUCT_OFFSET(HvrPciState, d3cold_allowed) },
	{ "devnode", G_STRUCT_OFFSET(HvrPciState, devnode) }, /* older entries have none */
};

HvrJournalEntry *hvr_journal_entry_new(const HvrPciFunction *function, const HvrPciState *saved)
{
	HvrJournalEntry *entry = g_new0(HvrJournalEntry, 1);

	entry->address = function->address;
	hvr_pci_address_format(&entry->address, entry->name);
	entry->vendor = function->vendor;
	entry->device = function->device;
	entry->group = function->group;
	entry->saved = hvr_pci_state_copy(saved);
	entry->by = entry->user = HVR_JOURNAL_NOBODY;
	return entry;
}

void hvr_journal_entry_free(HvrJournalEntry *entry)
{
	if (!entry)
		return;
	hvr_pci_state_free(entry->saved);
	g_free(entry->vm);
	g_free(entry->id);
	g_free(entry->job);
	g_free(entry);
}

static void set_optional(GKeyFile *file, const char *group, const char *key, const char *value)
{
	if (value)
		g_key_file_set_string(file, group, key, value);
}

static void set_user(GKeyFile *file, const char *key, guint32 uid)
{
	if (uid != HVR_JOURNAL_NOBODY)
		g_key_file_set_uint64(file, GROUP_OWNER, key, uid);
}

char *hvr_journal_format(const HvrJournalEntry *entry)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	const HvrPciState *saved = entry->saved;

	g_key_file_set_uint64(file, GROUP_CARD, "version", VERSION);
	g_key_file_set_string(file, GROUP_CARD, "address", entry->name);
	g_key_file_set_uint64(file, GROUP_CARD, "vendor", entry->vendor);
	g_key_file_set_uint64(file, GROUP_CARD, "device", entry->device);
	g_key_file_set_int64(file, GROUP_CARD, "group", entry->group);
	for (guint i = 0; i < G_N_ELEMENTS(saved_texts); i++)
		set_optional(file, GROUP_SAVED, saved_texts[i].key,
			     G_STRUCT_MEMBER(char *, saved, saved_texts[i].offset));
	if (saved->guarded)
		g_key_file_set_uint64(file, GROUP_SAVED, "guarded", 1);
	if (saved->has_node) {
		g_key_file_set_uint64(file, GROUP_SAVED, "node_uid", saved->node_uid);
		g_key_file_set_uint64(file, GROUP_SAVED, "node_gid", saved->node_gid);
		g_key_file_set_uint64(file, GROUP_SAVED, "node_mode", saved->node_mode);
	}
	set_optional(file, GROUP_OWNER, "vm", entry->vm);
	set_optional(file, GROUP_OWNER, "id", entry->id);
	g_key_file_set_uint64(file, GROUP_OWNER, "pid", (guint64)entry->owner.pid);
	g_key_file_set_uint64(file, GROUP_OWNER, "start_time", entry->owner.start_time);
	g_key_file_set_int64(file, GROUP_OWNER, "since", entry->since);
	set_user(file, "by", entry->by);
	set_user(file, "user", entry->user);
	set_optional(file, GROUP_OWNER, "job", entry->job);

	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	return g_strconcat(text, CHECK_PREFIX, sum, "\n", NULL);
}

static void set_damaged(const char *name, const char *what, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
		    "the journal entry '%s' %s; nothing of it was applied", name, what);
	hvr_error_hint(error, "its original driver and attributes are in that file: set them by "
			      "hand, then remove it");
}

/* Is the last line the checksum of all that stands in front of it? */
static gboolean check_sum(const char *name, const char *text, gsize length, GError **error)
{
	const char *mark = g_strrstr_len(text, (gssize)length, CHECK_PREFIX);
	if (!mark) {
		set_damaged(name, "is truncated", error);
		return FALSE;
	}

	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text,
							   (gsize)(mark - text));
	g_autofree char *wanted = g_strconcat(CHECK_PREFIX, sum, "\n", NULL);
	gsize left = length - (gsize)(mark - text);
	if (left == strlen(wanted) && memcmp(mark, wanted, left) == 0)
		return TRUE;
	set_damaged(name, "is garbled (its checksum does not match)", error);
	return FALSE;
}

/* The first thing that is wrong is kept. The value is not quoted: it may be anything. */
static void set_invalid(const char *key, GError **error)
{
	if (!*error)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL, "has no valid '%s'",
			    key);
}

/* NULL where there is none. With an escape that is none, GLib returns a text and an error. */
static char *get_optional(GKeyFile *file, const char *group, const char *key, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = g_key_file_get_string(file, group, key, &cause);

	if (!cause)
		return g_steal_pointer(&text);
	if (g_key_file_has_key(file, group, key, NULL))
		set_invalid(key, error);
	return NULL;
}

static guint64 get_number(GKeyFile *file, const char *group, const char *key, guint64 max,
			  GError **error)
{
	g_autofree char *text = get_optional(file, group, key, error);
	guint64 value = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
		set_invalid(key, error);
	return value;
}

static guint32 get_user(GKeyFile *file, const char *key, GError **error)
{
	if (!g_key_file_has_key(file, GROUP_OWNER, key, NULL))
		return HVR_JOURNAL_NOBODY;
	return (guint32)get_number(file, GROUP_OWNER, key, HVR_JOURNAL_NOBODY - 1, error);
}

static void parse_saved(GKeyFile *file, HvrPciState *saved, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(saved_texts); i++)
		G_STRUCT_MEMBER(char *, saved, saved_texts[i].offset) =
			get_optional(file, GROUP_SAVED, saved_texts[i].key, error);
	/* Written where it is so: older entries know nothing of it. */
	if (g_key_file_has_key(file, GROUP_SAVED, "guarded", NULL))
		saved->guarded = get_number(file, GROUP_SAVED, "guarded", 1, error) == 1;
	saved->has_node = g_key_file_has_key(file, GROUP_SAVED, "node_uid", NULL);
	if (!saved->has_node)
		return;
	saved->node_uid = (uid_t)get_number(file, GROUP_SAVED, "node_uid", G_MAXUINT32, error);
	saved->node_gid = (gid_t)get_number(file, GROUP_SAVED, "node_gid", G_MAXUINT32, error);
	saved->node_mode = (mode_t)get_number(file, GROUP_SAVED, "node_mode", 07777, error);
}

static gboolean parse_card(GKeyFile *file, HvrJournalEntry *entry, GError **error)
{
	g_autofree char *address = get_optional(file, GROUP_CARD, "address", error);

	entry->vendor = (guint16)get_number(file, GROUP_CARD, "vendor", G_MAXUINT16, error);
	entry->device = (guint16)get_number(file, GROUP_CARD, "device", G_MAXUINT16, error);
	entry->group = (int)get_number(file, GROUP_CARD, "group", G_MAXINT32, error);
	if (!address || !hvr_pci_address_parse(address, &entry->address))
		return FALSE;
	hvr_pci_address_format(&entry->address, entry->name);
	return TRUE;
}

HvrJournalEntry *hvr_journal_parse(const char *name, const char *text, gsize length, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(HvrJournalEntry) entry = g_new0(HvrJournalEntry, 1);
	g_autoptr(GError) cause = NULL;

	entry->saved = hvr_pci_state_new();
	if (!check_sum(name, text, length, error))
		return NULL;
	if (!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL)) {
		set_damaged(name, "is no key file", error);
		return NULL;
	}

	guint64 version = get_number(file, GROUP_CARD, "version", G_MAXUINT64, &cause);
	if (!cause && version != VERSION) {
		set_damaged(name, "is from another version of hailo-vm-run", error);
		return NULL;
	}
	gboolean addressed = parse_card(file, entry, &cause);
	parse_saved(file, entry->saved, &cause);
	entry->vm = get_optional(file, GROUP_OWNER, "vm", &cause);
	entry->id = get_optional(file, GROUP_OWNER, "id", &cause);
	entry->owner.pid = (pid_t)get_number(file, GROUP_OWNER, "pid", G_MAXINT32, &cause);
	entry->owner.start_time = get_number(file, GROUP_OWNER, "start_time", G_MAXUINT64, &cause);
	entry->since = (gint64)get_number(file, GROUP_OWNER, "since", G_MAXINT64, &cause);
	entry->by = get_user(file, "by", &cause);
	entry->user = get_user(file, "user", &cause);
	entry->job = get_optional(file, GROUP_OWNER, "job", &cause);
	if (!cause && addressed)
		return g_steal_pointer(&entry);
	if (cause)
		set_damaged(name, cause->message, error);
	else
		set_damaged(name, "names no PCI function", error);
	return NULL;
}

static char *file_name(const HvrPciAddress *address)
{
	char name[HVR_PCI_ADDRESS_SIZE];
	return g_strconcat(hvr_pci_address_format(address, name), SUFFIX, NULL);
}

static int open_devices(int runtime, GError **error)
{
	return hvr_runtime_open_folder(runtime, "devices", error);
}

static HvrJournalEntry *read_entry(int dir, const char *name, GError **error)
{
	g_autofree char *text = hvr_tree_read(dir, name, error);
	if (!text)
		return NULL;
	g_autoptr(HvrJournalEntry) entry = hvr_journal_parse(name, text, strlen(text), error);
	if (!entry)
		return NULL;
	g_autofree char *expected = file_name(&entry->address);
	if (g_str_equal(expected, name))
		return g_steal_pointer(&entry);
	set_damaged(name, "is about another function", error);
	return NULL;
}

/* The name is looked at, not the file: a link that leads nowhere is something that is there. */
static gboolean check_in(int dir, const char *name, GError **error)
{
	if (!hvr_tree_exists(dir, name))
		return TRUE;
	g_autoptr(HvrJournalEntry) entry = read_entry(dir, name, error);
	return entry != NULL;
}

/* Whatever a key file cannot hold would be lost without a word: it is read back first. */
static gboolean check_text(const HvrJournalEntry *entry, const char *text, GError **error)
{
	gsize length = strlen(text);
	g_autoptr(HvrJournalEntry) back = hvr_journal_parse(entry->name, text, length, NULL);
	g_autofree char *again = NULL;

	if (back)
		again = hvr_journal_format(back);
	if (length <= ENTRY_MAX && g_strcmp0(text, again) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: its state cannot be written down, so it could not be given back",
		    entry->name);
	hvr_error_hint(error, "look at its driver_override for bytes that are no text");
	return FALSE;
}

gboolean hvr_journal_check(int runtime, const HvrPciAddress *address, GError **error)
{
	g_autofree char *name = file_name(address);
	g_auto(HvrFd) dir = open_devices(runtime, error);

	return dir >= 0 && check_in(dir, name, error);
}

gboolean hvr_journal_write(int runtime, const HvrJournalEntry *entry, GError **error)
{
	g_autofree char *name = file_name(&entry->address);
	g_autofree char *text = hvr_journal_format(entry);
	g_auto(HvrFd) dir = open_devices(runtime, error);

	return dir >= 0 && check_in(dir, name, error) && check_text(entry, text, error) &&
	       hvr_runtime_replace(dir, name, text, error);
}

gboolean hvr_journal_remove(int runtime, const HvrPciAddress *address, GError **error)
{
	g_autofree char *name = file_name(address);
	g_auto(HvrFd) dir = open_devices(runtime, error);

	return dir >= 0 && check_in(dir, name, error) && hvr_runtime_remove(dir, name, error);
}

GPtrArray *hvr_journal_list(int runtime, GPtrArray **out_damaged)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);
	g_autoptr(GPtrArray) names = hvr_tree_list(runtime, "devices");
	g_auto(HvrFd) dir = hvr_open_beneath(runtime, "devices", O_PATH | O_DIRECTORY);

	if (out_damaged)
		*out_damaged = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; dir >= 0 && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autoptr(GError) error = NULL;
		if (name[0] == '.') /* a crash left it before the rename: nothing was changed */
			continue;
		HvrJournalEntry *entry = read_entry(dir, name, &error);
		if (entry)
			g_ptr_array_add(entries, entry);
		else if (out_damaged)
			g_ptr_array_add(*out_damaged, g_strdup(error->message));
	}
	return entries;
}

HvrJournalEntry *hvr_journal_find(const GPtrArray *entries, const HvrPciAddress *address)
{
	for (guint i = 0; entries && i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if (hvr_pci_address_compare(&entry->address, address) == 0)
			return entry;
	}
	return NULL;
}

HvrJournalEntry *hvr_journal_find_card(const GPtrArray *entries, const HvrPciFunction *function)
{
	HvrJournalEntry *entry = hvr_journal_find(entries, &function->address);

	if (entry && entry->vendor == function->vendor && entry->device == function->device)
		return entry;
	return NULL;
}
