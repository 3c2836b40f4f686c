/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child writes what the records say into a file in memory, name and text behind one another,
 * each ended by a NUL, and passes that on.
 */
#include "launcher/runtime/others.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/runtime/home.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* What is looked at, at most: users, and VMs of each. */
#define USERS_MOST 256
#define VMS_MOST   64
#define BYTES_MOST (VMS_MOST * (64 + HVR_VM_RECORD_MAX + 2))

/* Where users have theirs, below /run. */
static const struct {
	const char *folder;
	const char *behind; /* the uid */
} places[] = { { "user", "/hailo-vm-run" }, { HVR_HOME_USERS, "" } };

static void other_free(gpointer data)
{
	HvrOther *other = data;

	g_free(other->user);
	g_free(other->path);
	g_free(other->below);
	hvr_vm_free(other->vm);
	g_free(other);
}

void hvr_other_ended_free(HvrOtherEnded *other)
{
	if (!other)
		return;
	g_free(other->user);
	hvr_ended_free(other->ended);
	g_free(other);
}

/* What is read of each VM. */
typedef struct {
	const char *folder, *record;
	gsize longest;
} Kind;
static const Kind running = { "vms", HVR_VM_RECORD, HVR_VM_RECORD_MAX };
static const Kind over = { "ended", HVR_ENDED_RECORD, HVR_ENDED_RECORD_MAX };

typedef struct {
	int run;
	const char *path; /* below it */
	uid_t uid;
	const Kind *kind;
} Wanted;

static gboolean is_own(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == uid;
}

/* Name and text of one record, if it is a file of the user's. */
static gboolean copy_record(const Wanted *wanted, int folder, const char *name, int report)
{
	const Kind *kind = wanted->kind;
	g_autofree char *path = g_build_filename(kind->folder, name, kind->record, NULL);
	g_auto(HvrFd) fd = hvr_open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	g_autofree char *text = g_malloc0(kind->longest + 1);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != wanted->uid ||
	    hvr_fd_read_all(fd, text, kind->longest) < 0)
		return TRUE;
	return hvr_fd_write_all(report, name, strlen(name) + 1) &&
	       hvr_fd_write_all(report, text, strlen(text) + 1);
}

/* A HvrAsUserStep. */
static int copy_records(gpointer data, guint i, int *out_fd)
{
	const Wanted *wanted = data;
	g_auto(HvrFd) folder =
		hvr_open_beneath(wanted->run, wanted->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (folder < 0)
		return errno;
	if (!is_own(folder, wanted->uid))
		return EPERM;
	g_auto(HvrFd) report = memfd_create("records", MFD_CLOEXEC);
	if (report < 0)
		return errno;
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, wanted->kind->folder);
	for (guint k = 0; k < MIN(names->len, VMS_MOST); k++) {
		const char *name = g_ptr_array_index(names, k);
		if (hvr_vm_name_valid(name) && !copy_record(wanted, folder, name, report))
			return EIO;
	}
	*out_fd = g_steal_fd(&report);
	return 0;
}

/* A process of that user's, or none. */
static void check_process(const HvrContext *context, uid_t uid, HvrProcess *process)
{
	uid_t its = 0;

	if (!hvr_process_alive(&context->host, process) ||
	    !hvr_process_uid(&context->host, process->pid, &its) || its != uid)
		*process = (HvrProcess){ 0 };
}

static void add_other(const HvrContext *context, const HvrOther *like, const char *name,
		      const char *text, GPtrArray *others)
{
	HvrVm *vm = hvr_vm_parse(name, text);

	if (!vm)
		return;
	check_process(context, like->uid, &vm->qemu);
	check_process(context, like->uid, &vm->supervisor);
	if (!vm->qemu.pid && !vm->supervisor.pid) {
		hvr_vm_free(vm);
		return;
	}
	/* Whoever it says that it was. */
	g_free(vm->by);
	vm->by = g_strdup(like->user);
	HvrOther *other = g_new(HvrOther, 1);
	*other = (HvrOther){ .uid = like->uid,
			     .user = g_strdup(like->user),
			     .path = g_strdup(like->path),
			     .below = g_strdup(like->below),
			     .vm = vm };
	g_ptr_array_add(others, other);
}

static void add_ended(const HvrOther *like, const char *name, const char *text, GPtrArray *others)
{
	HvrEnded *ended = hvr_ended_parse(name, text);

	if (!ended)
		return;
	HvrOtherEnded *other = g_new(HvrOtherEnded, 1);
	*other = (HvrOtherEnded){ .user = g_strdup(like->user), .ended = ended };
	g_ptr_array_add(others, other);
}

/* @report: as copy_records() makes it, if nobody else has */
static void take_records(const HvrContext *context, const HvrOther *like, const Kind *kind,
			 int report, GPtrArray *others)
{
	g_autofree char *bytes = g_malloc0(BYTES_MOST + 2);
	gssize length = -1;

	if (lseek(report, 0, SEEK_SET) == 0)
		length = hvr_fd_read_all(report, bytes, BYTES_MOST);
	for (gssize at = 0; at < length;) {
		const char *name = bytes + at;
		const char *text = name + strlen(name) + 1;
		if (hvr_vm_name_valid(name) && kind == &running)
			add_other(context, like, name, text, others);
		else if (hvr_vm_name_valid(name))
			add_ended(like, name, text, others);
		at = text + strlen(text) + 1 - bytes;
	}
}

/* In @uid's folder at @place. */
static void find_of(const HvrContext *context, const Kind *kind, uid_t uid, guint place,
		    GPtrArray *others)
{
	const struct passwd *entry = getpwuid(uid);
	g_autofree char *number = g_strdup_printf("%u", uid);
	g_autofree char *name = g_strdup(entry ? entry->pw_name : number);
	g_autofree char *below =
		g_strconcat(places[place].folder, "/", number, places[place].behind, NULL);
	g_autofree char *path = g_strconcat("/run/", below, NULL);
	const HvrUser user = { .uid = uid,
			       .gid = entry ? entry->pw_gid : (gid_t)uid,
			       .name = name,
			       .privileged = TRUE };
	Wanted wanted = { .run = context->host.run, .path = below, .uid = uid, .kind = kind };
	const HvrAsUser how = {
		.user = &user, .step = copy_records, .data = &wanted, .keep = context->host.run
	};
	const HvrOther like = { .uid = uid, .user = name, .path = path, .below = below };
	HvrAsUserResult result = { .fd = -1 };

	hvr_as_user(&how, &result, 1);
	if (result.problem == 0 && result.fd >= 0)
		take_records(context, &like, kind, result.fd, others);
	hvr_fd_close(result.fd);
}

static void find_all(const HvrContext *context, const Kind *kind, GPtrArray *others)
{
	guint users = 0;

	if (!context->privileged || context->captured || context->host.run < 0)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GPtrArray) names = hvr_tree_list(context->host.run, places[i].folder);
		for (guint k = 0; k < names->len && users < USERS_MOST; k++) {
			guint64 uid = 0;
			if (!g_ascii_string_to_unsigned(g_ptr_array_index(names, k), 10, 1,
							G_MAXUINT32 - 1, &uid, NULL))
				continue;
			users++;
			find_of(context, kind, (uid_t)uid, i, others);
		}
	}
}

GPtrArray *hvr_others_find(const HvrContext *context)
{
	GPtrArray *others = g_ptr_array_new_with_free_func(other_free);

	find_all(context, &running, others);
	return others;
}

GPtrArray *hvr_others_ended(const HvrContext *context)
{
	GPtrArray *others = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_other_ended_free);

	find_all(context, &over, others);
	return others;
}
