/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that are made: each is free, and nobody gets one that somebody has.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/name.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define AT_ONCE 8
#define LONG	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->context = (HvrContext){ .host = f->fs->host,
				   .runtime = -1,
				   .runtime_parent = f->fs->host.run,
				   .privileged = TRUE };
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	hvr_fd_close(f->context.host.proc);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static HvrLock *take(Fixture *f, const char *stem, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;
	HvrLock *lock = hvr_name_take(&f->context, stem, &name, &error);

	assert_null(error);
	assert_string_equal(name, expected);
	assert_true(hvr_profile_name_valid(name));
	return lock;
}

/* The lowest number that is free; a look says the same and takes nothing. */
static void test_numbers(void **state)
{
	Fixture *f = *state;
	g_autofree char *before = hvr_name_look(&f->context, "lab");
	HvrLock *first = take(f, "lab", "lab-1");
	g_autoptr(HvrLock) second = take(f, "lab", "lab-2");
	g_autoptr(HvrLock) other = take(f, "rig", "rig-1");
	g_autofree char *now = hvr_name_look(&f->context, "lab");

	assert_string_equal(before, "lab-1");
	assert_string_equal(now, "lab-3");
	hvr_lock_release(first);
	first = take(f, "lab", "lab-1");
	hvr_lock_release(first);
}

/* Of a stem that is as long as a name can be, its number shows. */
static void test_long(void **state)
{
	Fixture *f = *state;
	g_autofree char *expected = g_strdup_printf("%.61s-1", LONG);
	g_autoptr(HvrLock) lock = take(f, LONG, expected);

	assert_int_equal(strlen(LONG), 63);
	assert_true(hvr_name_is_made_of(expected, LONG));
}

/* Cards that a dead VM has left would be given back by the new one. */
static void test_in_journal(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrPciState) saved = hvr_pci_state_new();
	HvrPciFunction function = { .vendor = 0x1e60, .device = 0x2864, .group = 14 };

	assert_true(hvr_pci_address_parse("0000:02:00.0", &function.address));
	g_autoptr(HvrJournalEntry) entry = hvr_journal_entry_new(&function, saved);
	entry->vm = g_strdup("lab-1");
	entry->owner = (HvrProcess){ .pid = 1, .start_time = 1 };
	assert_true(hvr_context_open_runtime(&f->context, TRUE, NULL));
	assert_true(hvr_journal_write(f->context.runtime, entry, NULL));
	g_autofree char *look = hvr_name_look(&f->context, "lab");
	g_autoptr(HvrLock) lock = take(f, "lab", "lab-2");
	assert_string_equal(look, "lab-2");
}

static void test_made_of(void **state)
{
	static const struct {
		const char *name, *stem;
		gboolean made;
	} cases[] = {
		{ "lab-1", "lab", TRUE },     { "lab-999", "lab", TRUE },
		{ "lab-1000", "lab", FALSE }, { "lab-0", "lab", FALSE },
		{ "lab-01", "lab", FALSE },   { "lab-+1", "lab", FALSE },
		{ "lab", "lab", FALSE },      { "lab-", "lab", FALSE },
		{ "lab-x", "lab", FALSE },    { "lab-1-1", "lab", FALSE },
		{ "lab-1-1", "lab-1", TRUE }, { "rig-1", "lab", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(hvr_name_is_made_of(cases[i].name, cases[i].stem), cases[i].made);
}

/* A name, or "-", in one write; then it keeps it until it is killed. */
static G_NORETURN void take_and_tell(Fixture *f, int start, int out)
{
	g_autofree char *name = NULL;
	char line[8] = "-", byte;

	f->context.runtime = -1;
	if (read(start, &byte, 1) != 0) /* until all are there */
		_exit(1);
	HvrLock *lock = hvr_name_take(&f->context, "lab", &name, NULL);
	if (lock)
		g_strlcpy(line, name, sizeof(line));
	if (write(out, line, sizeof(line)) != sizeof(line))
		_exit(1);
	pause();
	_exit(0);
}

/* Those who come at the same moment get one each. */
static void test_at_once(void **state)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int start[2], out[2];
	pid_t pids[AT_ONCE];
	char line[8];

	assert_int_equal(pipe2(start, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	for (guint i = 0; i < AT_ONCE; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(start[1]);
			take_and_tell(*state, start[0], out[1]);
		}
	}
	close(start[1]);
	for (guint i = 0; i < AT_ONCE; i++) {
		assert_int_equal(read(out[0], line, sizeof(line)), sizeof(line));
		assert_true(g_str_has_prefix(line, "lab-"));
		assert_true(g_hash_table_add(names, g_strdup(line)));
	}
	for (guint i = 0; i < AT_ONCE; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(start[0]);
	close(out[0]);
	close(out[1]);
}

/* A child that goes on with it is its holder, also when its parent has let go. */
static void test_adopted(void **state)
{
	Fixture *f = *state;
	HvrLock *lock = take(f, "lab", "lab-1");
	g_auto(HvrLockHolder) holder = { 0 };
	int told[2];
	char byte;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		hvr_lock_adopt(&f->context.host, lock, "lab-1");
		if (write(told[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	hvr_lock_leave(lock);
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_true(hvr_lock_holder(&f->context.host, f->context.runtime, "vm-lab-1", &holder));
	assert_int_equal(holder.pid.pid, pid);
	assert_string_equal(holder.vm, "lab-1");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	lock = take(f, "lab", "lab-1");
	hvr_lock_release(lock);
	close(told[0]);
	close(told[1]);
}

static HvrProfile *load(const char *text, const char *set)
{
	const char *sets[] = { set, NULL };
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/etc/rig.ini", text, strlen(text), sets, &error);

	assert_null(error);
	return profile;
}

/* What a profile wants of it: the stem is what it says, else the file's name. */
static void test_wanted(void **state)
{
	static const struct {
		const char *line, *set, *stem;
		gboolean made;
	} cases[] = {
		{ "", NULL, "rig", FALSE },
		{ "name = lab\n", NULL, "lab", FALSE },
		{ "name = auto\n", NULL, "rig", TRUE },
		{ "", "vm.name=auto", "rig", TRUE },
		{ "name = lab\n", "vm.name=auto", "lab", TRUE },
		{ "name = auto\n", "vm.name=lab", "lab", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf("[vm]\n%smemory = 1G\n", cases[i].line);
		g_autoptr(HvrProfile) profile = load(text, cases[i].set);
		assert_string_equal(profile->stem, cases[i].stem);
		assert_string_equal(profile->name, cases[i].stem);
		assert_int_equal(profile->name_auto, cases[i].made);
	}
}

/* A guest's own net keeps its address, by which its disk may know it; of two VMs on one bridge
 * each has its own. */
static void test_addresses(void **state)
{
	static const char text[] = "[vm]\nmemory = 1G\n[net own]\nmode = user\n"
				   "[net lan]\nmode = bridge\nbridge = br0\n"
				   "[net told]\nmode = bridge\nbridge = br0\n"
				   "mac = 52:54:00:12:34:56\n";
	g_autoptr(HvrProfile) as_told = load(text, NULL);
	g_autoptr(HvrProfile) made = load(text, NULL);
	const HvrProfileNet *before, *now;

	hvr_profile_rename(made, "rig-1");
	assert_string_equal(made->name, "rig-1");
	assert_string_equal(made->stem, "rig");
	for (guint i = 0; i < made->nets->len; i++) {
		before = g_ptr_array_index(as_told->nets, i);
		now = g_ptr_array_index(made->nets, i);
		if (g_str_equal(now->id, "lan"))
			assert_string_not_equal(before->mac, now->mac);
		else
			assert_string_equal(before->mac, now->mac);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(numbers), TEST(long),    TEST(in_journal), TEST(made_of),
		TEST(at_once), TEST(adopted), TEST(wanted),	TEST(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
