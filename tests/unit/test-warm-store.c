/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of guests: whole or not there, whoever is killed, whatever was done to their files.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "launcher/report/error.h"
#include "launcher/session/warm-state.h"
#include "launcher/warm/draft.h"
#include "launcher/warm/store.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define MAC	  "52:54:00:12:34:56"
#define OTHER_MAC "52:54:00:12:34:57"
#define BYTES	  "what QEMU has written"

typedef struct {
	char *cache;
	HvrContext context;
	HvrUser user;
	HvrWarmStore store;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	GError *error = NULL;

	f->cache = g_dir_make_tmp("hvr-store-XXXXXX", NULL);
	f->context = (HvrContext){ .cache = f->cache, .runtime = -1, .runtime_parent = -1 };
	f->user = (HvrUser){ .name = (char *)"me", .uid = geteuid(), .gid = getegid() };
	if (!hvr_warm_store_open(&f->context, TRUE, &f->store, &error))
		fail_msg("%s", error->message);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_warm_store_clear(&f->store);
	fake_files_end(f->cache);
	g_free(f->cache);
	g_free(f);
	return 0;
}

static char *key_of(guint number)
{
	return g_strdup_printf("%064x", number);
}

static void sweep_for_ever(const Fixture *f)
{
	for (;;)
		hvr_warm_store_sweep(&f->store);
}

/* Another command sweeps up what nobody holds, such as a folder that was made and is yet to be
 * held: another one is made then. */
static void swept_while_it_begins(void **state)
{
	Fixture *f = *state;
	g_autofree char *said = NULL;
	guint failed = 0;
	int status;
	pid_t sweeper = fork();

	if (sweeper == 0)
		sweep_for_ever(f);
	for (guint i = 0; i < 2000; i++) {
		g_auto(HvrWarmDraft) draft = HVR_WARM_DRAFT_NONE;
		g_autoptr(GError) error = NULL;
		if (hvr_warm_draft_begin(&draft, &f->store, &f->user, 4096, &error))
			continue;
		failed++;
		g_free(said);
		said = g_strdup(error->message);
	}
	kill(sweeper, SIGKILL);
	assert_int_equal(waitpid(sweeper, &status, 0), sweeper);
	if (failed)
		fail_msg("%u of 2000: %s", failed, said);
}

/* Up to its name. */
static void begin(Fixture *f, HvrWarmDraft *draft)
{
	g_autoptr(GError) error = NULL;

	if (!hvr_warm_draft_begin(draft, &f->store, &f->user, 4096, &error))
		fail_msg("%s", error->message);
	g_auto(HvrFd) fd = hvr_warm_draft_file(draft, HVR_WARM_STATE, &error);
	assert_true(fd >= 0);
	assert_true(hvr_fd_write_all(fd, BYTES, strlen(BYTES)));
}

static void save(Fixture *f, guint number)
{
	g_auto(HvrWarmDraft) draft = HVR_WARM_DRAFT_NONE;
	g_autofree char *key = key_of(number);
	g_autoptr(GPtrArray) macs = g_ptr_array_new();
	const HvrWarmName name = { .key = key,
				   .about = "a: b\n",
				   .vm = "lab",
				   .name = "lab-1",
				   .macs = macs,
				   .hears = number > 1,
				   .profile = "/a\nb/lab.ini" };
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < number; i++)
		g_ptr_array_add(macs, (gpointer)MAC);
	begin(f, &draft);
	if (!hvr_warm_draft_finish(&draft, &name, &error))
		fail_msg("%s", error->message);
}

/* NULL: it is found. "": there is none. [transfer full] */
static char *find(Fixture *f, guint number)
{
	g_autofree char *key = key_of(number);
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	g_autoptr(GError) error = NULL;
	char bytes[64] = "";

	if (!hvr_warm_store_find(&f->store, key, geteuid(), &found, &error)) {
		if (!error)
			return g_strdup("");
		assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
		return g_strdup(error->message);
	}
	assert_true(hvr_fd_read_all(found.state, bytes, sizeof(bytes) - 1) > 0);
	assert_string_equal(bytes, BYTES);
	return NULL;
}

static char *path_of(const Fixture *f, guint number, const char *file)
{
	g_autofree char *key = key_of(number);

	return g_build_filename(f->store.path, key, file, NULL);
}

static void assert_found(Fixture *f, guint number, const char *wanted)
{
	g_autofree char *was = find(f, number);

	if (!wanted && was)
		fail_msg("it is not found: %s", was);
	if (wanted && (!was || !strstr(was, wanted)))
		fail_msg("'%s' is not in '%s'", wanted, was ? was : "it is found");
}

static void saved_and_found(void **state)
{
	Fixture *f = *state;
	struct stat st;

	assert_found(f, 1, "");
	save(f, 1);
	assert_found(f, 1, NULL);
	g_autofree char *file = path_of(f, 1, HVR_WARM_STATE);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	g_autoptr(GPtrArray) entries = hvr_warm_store_list(&f->store);
	assert_int_equal(entries->len, 1);
	const HvrWarmEntry *entry = g_ptr_array_index(entries, 0);
	assert_string_equal(entry->manifest->vm, "lab");
	assert_string_equal(entry->manifest->name, "lab-1");
	assert_int_equal(entry->manifest->agent, HVR_WARM_AGENT_DEAF);
	assert_int_equal(entry->manifest->macs->len, 1);
	assert_string_equal(entry->manifest->macs->pdata[0], MAC);
	assert_string_equal(entry->manifest->profile, "/a\\x0ab/lab.ini");
	g_autofree char *about = hvr_warm_store_about(&f->store, entry->manifest->key);
	assert_string_equal(about, "a: b\n");
}

/* Twice the same at once: both are as good. */
static void saved_twice(void **state)
{
	save(*state, 1);
	save(*state, 1);
	assert_found(*state, 1, NULL);
	g_autoptr(GPtrArray) names = fake_files_list(((Fixture *)*state)->store.path, ".");
	assert_int_equal(names->len, 1);
}

typedef void (*Damage)(const char *path);

static void cut_short(const char *path)
{
	assert_int_equal(truncate(path, 5), 0);
}

static void garble(const char *path)
{
	g_auto(HvrFd) fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "?", 1, 3), 1);
}

/* With the old one's size and time, as a copy of the store has it. */
static void replace(const char *path)
{
	g_autofree char *other = g_strconcat(path, ".other", NULL);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	const struct timespec times[] = { st.st_atim, st.st_mtim };
	assert_true(g_file_set_contents(other, BYTES, -1, NULL));
	assert_int_equal(chmod(other, 0600), 0);
	assert_int_equal(utimensat(AT_FDCWD, other, times, 0), 0);
	assert_int_equal(rename(other, path), 0);
}

static void open_up(const char *path)
{
	assert_int_equal(chmod(path, 0644), 0);
}

static void take_away(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void make_link(const char *path)
{
	g_autofree char *other = g_strconcat(path, ".other", NULL);

	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
}

static void damaged(void **state)
{
	static const Damage damages[] = {
		cut_short, garble, open_up, replace, take_away, make_link
	};
	static const char *const files[] = { HVR_WARM_STATE, HVR_WARM_ABOUT };
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(damages) * G_N_ELEMENTS(files); i++) {
		const char *file = files[i % G_N_ELEMENTS(files)];
		g_autofree char *path = path_of(f, 1, file);
		g_autofree char *key = key_of(1);

		save(f, 1);
		assert_found(f, 1, NULL);
		damages[i / G_N_ELEMENTS(files)](path);
		assert_found(f, 1, file);
		assert_true(hvr_warm_store_drop(&f->store, key, NULL));
		assert_found(f, 1, "");
	}
}

/* The manifest itself: each line that is missing, one more, another version, another's key. */
static void damaged_manifest(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = path_of(f, 1, HVR_WARM_MANIFEST);
	g_autofree char *text = NULL;

	save(f, 1);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	for (gsize length = 0; length < strlen(text); length++) {
		assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
		assert_found(f, 1, "manifest is damaged");
	}
	g_autofree char *more = g_strconcat(text, "\n", NULL);
	assert_true(g_file_set_contents(path, more, -1, NULL));
	assert_found(f, 1, "manifest is damaged");
	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_found(f, 1, NULL);
	save(f, 2);
	g_autofree char *other = path_of(f, 2, HVR_WARM_MANIFEST);
	assert_true(g_file_set_contents(other, text, -1, NULL));
	assert_found(f, 2, "manifest is damaged");
}

static void another_users(void **state)
{
	Fixture *f = *state;
	g_autofree char *key = key_of(1);
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	g_autoptr(GError) error = NULL;

	save(f, 1);
	assert_false(hvr_warm_store_find(&f->store, key, geteuid() + 1, &found, &error));
	assert_non_null(strstr(error->message, "another user's"));
}

/* A key is no path. */
static void no_key(void **state)
{
	static const char *const keys[] = { "..", ".", "", "../../etc", "ABCDEF" };
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(hvr_warm_store_drop(&f->store, keys[i], &error));
		assert_null(error);
	}
}

static void the_oldest_goes(void **state)
{
	Fixture *f = *state;

	for (guint i = 1; i <= HVR_WARM_STATES_MOST; i++) {
		const struct timespec times[] = { { .tv_sec = 1000 + i }, { .tv_sec = 1000 + i } };
		g_autofree char *path = path_of(f, i, NULL);
		save(f, i);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	/* it is used, and so no more the oldest */
	assert_found(f, 1, NULL);
	save(f, 100);
	assert_found(f, 1, NULL);
	assert_found(f, 2, "");
	assert_found(f, 3, NULL);
	assert_found(f, 100, NULL);
}

static void no_room(void **state)
{
	Fixture *f = *state;
	g_auto(HvrWarmDraft) draft = HVR_WARM_DRAFT_NONE;
	g_autoptr(GError) error = NULL;

	assert_false(hvr_warm_draft_begin(&draft, &f->store, &f->user, G_MAXUINT64 / 2, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	assert_non_null(strstr(error->message, "MiB left"));
}

/* Whoever has it open has it. */
static void dropped_while_in_use(void **state)
{
	Fixture *f = *state;
	g_autofree char *key = key_of(1);
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	char bytes[64] = "";

	save(f, 1);
	assert_true(hvr_warm_store_find(&f->store, key, geteuid(), &found, NULL));
	assert_true(hvr_warm_store_drop(&f->store, key, NULL));
	assert_found(f, 1, "");
	assert_true(hvr_fd_read_all(found.state, bytes, sizeof(bytes) - 1) > 0);
	assert_string_equal(bytes, BYTES);
}

/* One that is being made is nobody's to sweep up, one whose maker was killed is. */
static void killed_while_saving(void **state)
{
	Fixture *f = *state;
	g_auto(HvrWarmDraft) draft = HVR_WARM_DRAFT_NONE;
	g_auto(HvrWarmStore) again = HVR_WARM_STORE_NONE;
	int ends[2];
	char byte;

	begin(f, &draft);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		HvrWarmDraft other;
		begin(f, &other);
		if (write(ends[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	g_autoptr(GPtrArray) both = fake_files_list(f->store.path, ".");
	assert_int_equal(both->len, 2);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(hvr_warm_store_open(&f->context, FALSE, &again, NULL));
	hvr_warm_store_sweep(&again);
	g_autoptr(GPtrArray) left = fake_files_list(f->store.path, ".");
	assert_int_equal(left->len, 1);
	assert_string_equal(left->pdata[0], draft.name);
	close(ends[0]);
	close(ends[1]);
}

static void not_ours(void **state)
{
	Fixture *f = *state;
	g_auto(HvrWarmStore) again = HVR_WARM_STORE_NONE;
	g_autoptr(GError) error = NULL;

	assert_int_equal(chmod(f->store.path, 0777), 0);
	assert_false(hvr_warm_store_open(&f->context, TRUE, &again, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION));
}

/* NULL: it would go on there. [transfer full] */
static char *why_not_on(Fixture *f, HvrNetMode mode, gboolean agent, guint number)
{
	HvrProfileNet net = { .id = (char *)"lan", .mode = mode };
	g_autoptr(GPtrArray) nets = g_ptr_array_new();
	HvrProfile profile = { .nets = nets, .guest = { .agent = agent } };
	const HvrWarmVm warm = { .profile = &profile };
	g_autofree char *key = key_of(number);
	g_auto(HvrWarmFound) found = HVR_WARM_FOUND_NONE;
	g_autoptr(GError) error = NULL;

	g_strlcpy(net.mac, OTHER_MAC, sizeof(net.mac));
	g_ptr_array_add(nets, &net);
	assert_true(hvr_warm_store_find(&f->store, key, geteuid(), &found, NULL));
	if (hvr_warm_vm_check_macs(&warm, &found, &error))
		return NULL;
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	return g_strdup(error->message);
}

static void assert_why_not(const char *why, const char *wanted)
{
	if (!why || !g_str_has_prefix(why, wanted))
		fail_msg("'%s', not '%s'", why ? why : "", wanted);
}

/* One that cannot be told of another address is not to begin beside the one that has it. */
static void keeps_its_address(void **state)
{
	Fixture *f = *state;

	save(f, 1); /* whose agent runs nothing */
	save(f, 2);
	g_autofree char *deaf = why_not_on(f, HVR_NET_BRIDGE, TRUE, 1);
	assert_why_not(deaf, "[net lan] the guest was saved as VM 'lab-1' and with an agent that "
			     "runs no commands keeps its MAC address");
	g_autofree char *none = why_not_on(f, HVR_NET_TAP, FALSE, 2);
	assert_why_not(none, "[net lan] the guest was saved as VM 'lab-1' and without an agent "
			     "keeps its MAC address");
	assert_null(why_not_on(f, HVR_NET_BRIDGE, TRUE, 2));
	assert_null(why_not_on(f, HVR_NET_USER, TRUE, 1));
}

/* What one run has seen the next one knows; for the VM that has the address it is as good. */
static void has_kept_its_address(void **state)
{
	Fixture *f = *state;
	g_autofree char *key = key_of(2);
	g_autofree char *none = key_of(3);
	g_autoptr(GError) error = NULL;

	save(f, 2);
	assert_true(hvr_warm_store_note_stays(&f->store, key, NULL));
	g_autofree char *stays = why_not_on(f, HVR_NET_BRIDGE, TRUE, 2);
	assert_why_not(stays, "[net lan] the guest was saved as VM 'lab-1' and kept its MAC "
			      "address when it was told another");
	assert_null(why_not_on(f, HVR_NET_USER, TRUE, 2));
	assert_found(f, 2, NULL);
	assert_false(hvr_warm_store_note_stays(&f->store, none, &error));
	assert_null(error);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(saved_and_found),
		ONE(saved_twice),
		ONE(damaged),
		ONE(has_kept_its_address),
		ONE(damaged_manifest),
		ONE(another_users),
		ONE(no_key),
		ONE(the_oldest_goes),
		ONE(no_room),
		ONE(dropped_while_in_use),
		ONE(killed_while_saving),
		ONE(not_ours),
		ONE(swept_while_it_begins),
		ONE(keeps_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
