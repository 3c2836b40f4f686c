/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder is moved by one rename(2), so a reader finds it in the one place or in the other, and
 * whoever has a log open reads on. What a crash leaves in between is a folder in vms/ with an
 * ended.ini in it: it counts from there, and the next one who tidies up moves it on.
 */
#include "launcher/runtime/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define FOLDER "ended"
#define GROUP  "ended"

/* A line of somebody else's may be long. */
#define WHY_MAX 1000

static const char without_a_word[] = "its supervisor and QEMU were found gone, without a word";
static const char without_supervisor[] =
	"QEMU was found gone, and nobody had stayed with it (--exec)";

void hvr_ended_free(HvrEnded *ended)
{
	if (!ended)
		return;
	g_free(ended->name);
	g_free(ended->why);
	g_free(ended->by);
	g_free(ended);
}

/* One harmless line, not too long. [transfer full] */
static char *make_why(const char *text)
{
	g_autofree char *line = g_strndup(text, strcspn(text, "\n"));
	g_autofree char *safe = hvr_text_safe(line);
	const char *end = NULL;

	g_utf8_validate(safe, MIN((gssize)strlen(safe), WHY_MAX), &end);
	return g_strndup(safe, (gsize)(end - safe));
}

HvrEnded *hvr_ended_parse(const char *name, const char *text)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return NULL;
	g_autofree char *why = g_key_file_get_string(file, GROUP, "why", NULL);
	if (!why)
		return NULL;
	HvrEnded *ended = g_new0(HvrEnded, 1);
	*ended = (HvrEnded){
		.name = g_strdup(name),
		.why = make_why(why),
		.by = g_key_file_get_string(file, GROUP, "by", NULL),
		.status = g_key_file_get_integer(file, GROUP, "status", NULL),
		.since = g_key_file_get_int64(file, GROUP, "since", NULL),
		.until = g_key_file_get_int64(file, GROUP, "until", NULL),
	};
	return ended;
}

static gboolean write_record(int folder, const HvrEnded *ended)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) error = NULL;

	g_key_file_set_string(file, GROUP, "why", ended->why);
	if (ended->by)
		g_key_file_set_string(file, GROUP, "by", ended->by);
	g_key_file_set_integer(file, GROUP, "status", ended->status);
	g_key_file_set_int64(file, GROUP, "since", ended->since);
	g_key_file_set_int64(file, GROUP, "until", ended->until);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	gboolean well = hvr_runtime_replace(folder, HVR_ENDED_RECORD, text, &error);
	if (!well)
		g_debug("%s", error->message);
	return well;
}

/* @place: "ended" or "vms" */
static HvrEnded *read_record(const HvrContext *context, const char *place, const char *name)
{
	g_autofree char *path = g_build_filename(place, name, HVR_ENDED_RECORD, NULL);
	g_autofree char *text = hvr_tree_read(context->runtime, path, NULL);

	return text ? hvr_ended_parse(name, text) : NULL;
}

/* In vms/ still. NULL: it is alive, or was never recorded. [transfer full] */
static HvrEnded *look_at_leftover(const HvrContext *context, const char *name)
{
	g_autoptr(HvrVm) vm = hvr_vm_look(context, name);

	if (vm && hvr_vm_is_alive(context, vm))
		return NULL;
	HvrEnded *ended = read_record(context, "vms", name);
	if (ended || !vm)
		return ended;
	ended = g_new0(HvrEnded, 1);
	*ended = (HvrEnded){ .name = g_strdup(name),
			     .why = g_strdup(vm->supervisor.pid ? without_a_word
								: without_supervisor),
			     .by = g_strdup(vm->by),
			     .status = -1,
			     .since = vm->since };
	return ended;
}

static gboolean runs(const HvrContext *context, const char *name)
{
	g_autoptr(HvrVm) vm = hvr_vm_look(context, name);

	return vm && hvr_vm_is_alive(context, vm);
}

HvrEnded *hvr_ended_find(const HvrContext *context, const char *name)
{
	if (context->runtime < 0 || runs(context, name))
		return NULL;
	HvrEnded *ended = look_at_leftover(context, name);
	return ended ? ended : read_record(context, FOLDER, name);
}

static gint compare_newest(gconstpointer a, gconstpointer b)
{
	const HvrEnded *one = *(const HvrEnded *const *)a, *other = *(const HvrEnded *const *)b;

	if (one->until != other->until)
		return one->until < other->until ? 1 : -1;
	return strcmp(one->name, other->name);
}

/* Those that were put away. */
static GPtrArray *list_kept(const HvrContext *context)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(context->runtime, FOLDER);
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_ended_free);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		HvrEnded *ended = NULL;
		if (hvr_vm_name_valid(name))
			ended = read_record(context, FOLDER, name);
		if (ended)
			g_ptr_array_add(all, ended);
	}
	g_ptr_array_sort(all, compare_newest);
	return all;
}

GPtrArray *hvr_ended_list(const HvrContext *context)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_ended_free);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	if (context->runtime < 0)
		return all;
	g_autoptr(GPtrArray) left = hvr_vm_folders(context->runtime);
	for (guint i = 0; i < left->len; i++) {
		HvrEnded *ended = look_at_leftover(context, g_ptr_array_index(left, i));
		if (ended)
			g_ptr_array_add(all, ended);
		if (ended)
			g_hash_table_add(names, ended->name);
	}
	g_autoptr(GPtrArray) kept = list_kept(context);
	for (guint i = 0; i < kept->len; i++) {
		HvrEnded *ended = g_ptr_array_index(kept, i);
		if (g_hash_table_contains(names, ended->name) || runs(context, ended->name))
			continue;
		g_ptr_array_add(all, ended);
		kept->pdata[i] = NULL;
	}
	g_ptr_array_sort(all, compare_newest);
	return all;
}

int hvr_ended_open_folder(const HvrContext *context, const char *name)
{
	g_autofree char *path = g_build_filename(FOLDER, name, NULL);
	g_autoptr(HvrEnded) leftover = look_at_leftover(context, name);

	if (leftover)
		return hvr_vm_open_folder(context->runtime, name);
	return hvr_open_beneath(context->runtime, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

char *hvr_ended_text(const HvrEnded *ended)
{
	g_autoptr(GDateTime) until = g_date_time_new_from_unix_local(ended->until);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	const char *format = "%Y-%m-%d %H:%M";

	if (!ended->until || !until)
		return g_strdup_printf("ended: %s", ended->why);
	if (g_date_time_get_year(until) == g_date_time_get_year(now) &&
	    g_date_time_get_day_of_year(until) == g_date_time_get_day_of_year(now))
		format = "%H:%M";
	g_autofree char *when = g_date_time_format(until, format);
	return g_strdup_printf("ended at %s: %s", when, ended->why);
}

void hvr_ended_explain(const HvrContext *context, const char *name, GError **error)
{
	g_autoptr(HvrEnded) ended = hvr_ended_find(context, name);

	if (!ended || !error || !*error)
		return;
	g_autofree char *text = hvr_ended_text(ended);
	g_clear_error(error);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "no VM named '%s' is running; it %s", name, text);
	hvr_error_hint(error, "what it has said: hailo-vm-run log %s", name);
}

static gboolean remove_folder(const HvrContext *context, const char *name)
{
	g_autofree char *path = g_build_filename(FOLDER, name, NULL);
	g_auto(HvrFd) folder =
		hvr_open_beneath(context->runtime, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (folder < 0)
		return FALSE;
	hvr_vm_empty_folder(folder, NULL);
	return unlinkat(context->runtime, path, AT_REMOVEDIR) == 0;
}

/* What its logs take of the file system, which is less than they are long. */
static guint64 taken_bytes(const HvrContext *context, const char *name)
{
	static const char *const logs[] = { HVR_VM_LOG, HVR_VM_SERIAL_LOG };
	guint64 bytes = 0;
	struct stat st;

	for (guint i = 0; i < G_N_ELEMENTS(logs); i++) {
		g_autofree char *path = g_build_filename(FOLDER, name, logs[i], NULL);
		if (fstatat(context->runtime, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (guint64)st.st_blocks * 512;
	}
	return bytes;
}

static void remove_oldest(const HvrContext *context)
{
	g_autoptr(GPtrArray) kept = list_kept(context);
	guint64 bytes = 0;

	for (guint i = 0; i < kept->len; i++) {
		const HvrEnded *ended = g_ptr_array_index(kept, i);
		bytes += taken_bytes(context, ended->name);
		if (i >= HVR_ENDED_MOST || (i > 0 && bytes > HVR_ENDED_BYTES))
			remove_folder(context, ended->name);
	}
}

static gboolean move_folder(const HvrContext *context, const char *name)
{
	g_autofree char *from = g_build_filename("vms", name, NULL);
	g_autofree char *to = g_build_filename(FOLDER, name, NULL);
	g_auto(HvrFd) ended = hvr_runtime_open_folder(context->runtime, FOLDER, NULL);

	remove_folder(context, name);
	return ended >= 0 && renameat(context->runtime, from, context->runtime, to) == 0;
}

static void keep(const HvrContext *context, const HvrEnded *ended)
{
	static const char *const logs[] = { HVR_ENDED_RECORD, HVR_VM_LOG, HVR_VM_SERIAL_LOG, NULL };
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, ended->name);
	gboolean kept = folder >= 0 && write_record(folder, ended);

	if (kept)
		hvr_vm_empty_folder(folder, logs);
	if (kept && move_folder(context, ended->name))
		remove_oldest(context);
	else
		hvr_vm_remove_folder(context->runtime, ended->name);
}

void hvr_ended_keep(const HvrContext *context, const HvrVm *vm, const HvrEndedHow *how)
{
	HvrEnded ended = { .name = vm->name,
			   .why = make_why(how->why),
			   .by = vm->by,
			   .status = how->status,
			   .since = vm->since,
			   .until = g_get_real_time() / G_USEC_PER_SEC };

	keep(context, &ended);
	g_free(ended.why);
}

void hvr_ended_keep_leftover(const HvrContext *context, const char *name)
{
	g_autoptr(HvrEnded) ended = look_at_leftover(context, name);

	if (!ended || runs(context, name)) {
		hvr_vm_remove_folder(context->runtime, name);
		return;
	}
	if (!ended->until)
		ended->until = g_get_real_time() / G_USEC_PER_SEC;
	keep(context, ended);
}

gboolean hvr_ended_forget(const HvrContext *context, const char *name)
{
	if (context->runtime < 0 || runs(context, name))
		return FALSE;
	return remove_folder(context, name);
}
