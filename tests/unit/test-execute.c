/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying a plan out: the entry is there before the first change, what stops half way is undone,
 * and what was prepared before goes back to being prepared.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "tests/unit/scenarios.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

typedef struct {
	Machine *machine;
	HvrContext context;
	HvrDecision decision;
} Fixture;

static Fixture *fixture_new(const char *scenario)
{
	Fixture *f = g_new0(Fixture, 1);
	guint i = 0;

	while (g_strcmp0(scenarios[i].name, scenario) != 0)
		i++;
	f->machine = machine_new(&scenarios[i]);
	f->context = machine_context(f->machine);
	assert_true(hvr_context_open_runtime(&f->context, TRUE, NULL));
	return f;
}

static void fixture_free(Fixture *f)
{
	hvr_decision_clear(&f->decision);
	hvr_fd_close(f->context.runtime);
	machine_free(f->machine);
	g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static gboolean execute(Fixture *f, const char *vm, GError **error)
{
	HvrDecideFor whom = { f->machine->profile->devices, vm, FALSE, HVR_CLAIM_NO_WAIT };
	HvrOwnership ownership = { vm, { 0, 0 } };

	if (vm)
		ownership.owner = hvr_process_of(&f->context.host, getpid());
	hvr_decision_clear(&f->decision);
	if (!hvr_decide(&f->context, f->machine->profile, &whom, &f->decision, error))
		return FALSE;
	return hvr_execute(&f->context, f->decision.plan, &ownership, NULL, error);
}

static void assert_as_before(Fixture *f)
{
	hvr_decision_clear(&f->decision);
	machine_unload(f->machine);
	g_autofree char *difference = machine_difference(f->machine);
	if (difference)
		fail_msg("%s", difference);
}

/* Before each write to a function its entry says what the function was like. */
static void look_at_journal(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	Fixture *f = data;
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);

	if (!g_str_has_prefix(what, "write "))
		return;
	for (guint i = 0; i < f->machine->functions->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(f->machine->functions, i);
		HvrJournalEntry *entry = hvr_journal_find(entries, &function->address);
		const HvrPciState *was = g_ptr_array_index(f->machine->states, i);
		if (!strstr(what, function->name))
			continue;
		assert_non_null(entry);
		assert_string_equal(entry->saved->driver, was->driver);
		assert_string_equal(entry->vm, "lab");
		assert_int_equal(entry->owner.pid, getpid());
		assert_int_equal(entry->owner.start_time, 4711);
	}
}

/* Entry first, then the steps, function by function; the owner and the ids are in the entries. */
static void test_journal_first(void **state)
{
	g_autoptr(Fixture) f = fixture_new("century, bind");

	f->machine->fs->before = look_at_journal;
	f->machine->fs->hook_data = f;
	assert_true(execute(f, "lab", NULL));
	f->machine->fs->before = NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	assert_int_equal(entries->len, 2);
	assert_string_equal(((HvrJournalEntry *)entries->pdata[0])->id, "npu");
	assert_null(((HvrJournalEntry *)entries->pdata[1])->id);
	assert_true(((HvrJournalEntry *)entries->pdata[0])->since > 1600000000);
	assert_true(hvr_giveback(&f->context, entries, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* For nobody yet: the entries name neither VM nor owner. */
static void test_for_nobody(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card");

	assert_true(execute(f, NULL, NULL));
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	const HvrJournalEntry *entry = g_ptr_array_index(entries, 0);
	assert_null(entry->vm);
	assert_null(entry->id);
	assert_int_equal(entry->owner.pid, 0);
}

static void interrupt(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (call == *(guint *)data)
		kill(getpid(), SIGTERM);
}

/* A signal stops the work between two steps, at any of them, and all is undone. */
static void test_interrupted(void **state)
{
	g_autoptr(Fixture) f = fixture_new("century, pass");

	for (guint call = 1; call < 14; call++) {
		g_autoptr(GError) error = NULL;
		hvr_interrupt_note(0);
		fake_sysfs_clear_log(f->machine->fs);
		f->machine->fs->after = interrupt;
		f->machine->fs->hook_data = &call;
		assert_false(execute(f, "lab", &error));
		f->machine->fs->after = NULL;
		assert_int_equal(hvr_exit_status(error), 75);
		assert_int_equal(hvr_interrupt_pending(), SIGTERM);
		assert_non_null(strstr(error->message, "interrupted by signal 15"));
		assert_as_before(f);
	}
}

/* What VFIO thinks of the group in the end counts, and so does who has it. */
static void test_not_viable(void **state)
{
	static const struct {
		const char *call;
		int error_number;
		const char *message;
	} cases[] = {
		{ "container_check", EPERM, "cannot open the VFIO container node" },
		{ "access_status", EACCES, CARD ": cannot ask VFIO for the status of group 14" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Fixture) f = fixture_new("card");
		g_autoptr(GError) error = NULL;
		fake_sysfs_fail_matching(f->machine->fs, cases[i].call, cases[i].error_number);
		assert_false(execute(f, "lab", &error));
		fake_sysfs_fail_never(f->machine->fs);
		assert_non_null(strstr(error->message, cases[i].message));
		assert_as_before(f);
	}
}

/* When undoing fails too, both are told, and the entry stays for release. */
static void test_undo_fails(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card");
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_probe_error(f->machine->fs, CARD, "vfio-pci", EIO);
	fake_sysfs_set_probe_error(f->machine->fs, CARD, "hailo", EIO);
	assert_false(execute(f, "lab", &error));
	assert_non_null(strstr(error->message, CARD ": cannot bind to vfio-pci"));
	assert_non_null(strstr(error->message, "\nundoing it failed too: " CARD
					       ": cannot bind to hailo: Input/output error"));
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	assert_int_equal(entries->len, 1);
	fake_sysfs_set_probe_error(f->machine->fs, CARD, "hailo", 0);
	assert_true(hvr_giveback(&f->context, entries, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* A prepared card stays on vfio-pci, with what it was like before in its entry, in no VM, and its
 * node belongs to whom it was prepared for, also after a run for somebody else. */
static void test_adopted(void **state)
{
	g_autoptr(Fixture) f = fixture_new("prepared, then run");

	assert_true(execute(f, NULL, NULL));
	g_autofree char *node = g_strconcat(f->machine->fs->root, "/dev/vfio/14", NULL);
	assert_int_equal(chown(node, 1234, 2345), 0);
	fake_sysfs_fail_matching(f->machine->fs, "container_check", EIO);
	assert_false(execute(f, "lab", NULL));
	struct stat st;
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 2345);
	fake_sysfs_fail_never(f->machine->fs);
	g_autofree char *driver = fake_sysfs_driver(f->machine->fs, CARD);
	assert_string_equal(driver, "vfio-pci");
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	assert_null(((HvrJournalEntry *)entries->pdata[0])->vm);
	assert_true(hvr_giveback(&f->context, entries, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* A card whose entry cannot be read is not touched, and neither is the entry. */
static void test_damaged(void **state)
{
	g_autoptr(Fixture) f = fixture_new("card");
	g_autoptr(GError) error = NULL;
	const char *path = "run/hailo-vm-run/devices/" CARD ".ini";

	fake_sysfs_put_file(f->machine->fs, path, "[card]\nversion=1\n");
	g_autofree char *before = fake_sysfs_snapshot(f->machine->fs);
	assert_false(execute(f, "lab", &error));
	g_autofree char *after = fake_sysfs_snapshot(f->machine->fs);
	assert_string_equal(before, after);
	assert_int_equal(hvr_exit_status(error), 70);
	g_autofree char *text = fake_sysfs_text(f->machine->fs, path);
	assert_string_equal(text, "[card]\nversion=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_first), cmocka_unit_test(test_for_nobody),
		cmocka_unit_test(test_interrupted),   cmocka_unit_test(test_not_viable),
		cmocka_unit_test(test_undo_fails),    cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_damaged),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
