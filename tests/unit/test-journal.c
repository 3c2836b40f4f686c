/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's entries: what goes in comes out, or nothing does. A damaged one is never believed,
 * never written over, and always named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define FOLDER	     "run/hailo-vm-run/devices/"
#define FILE_OF_CARD "0000:02:00.0.ini"

typedef struct {
	FakeSysfs *fs;
	int runtime;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->runtime = hvr_runtime_open(f->fs->host.run, "hailo-vm-run", NULL);
	*state = f;
	return f->runtime < 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->runtime);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static HvrJournalEntry *make_entry(guint8 bus)
{
	const HvrPciFunction function = {
		.address = { .bus = bus }, .vendor = 0x1e60, .device = 0x2864, .group = 14
	};
	g_autoptr(HvrPciState) saved = hvr_pci_state_new();

	saved->driver = g_strdup("hailo");
	saved->reset_method = g_strdup("flr bus");
	saved->power_control = g_strdup("auto");
	saved->d3cold_allowed = g_strdup("1");
	HvrJournalEntry *entry = hvr_journal_entry_new(&function, saved);
	entry->vm = g_strdup("lab");
	entry->id = g_strdup("npu");
	entry->owner = (HvrProcess){ 4711, 99 };
	entry->since = 1700000000;
	entry->by = 1000;
	entry->user = 997;
	entry->job = g_strdup("slurm_job-17.0:1+2");
	return entry;
}

static HvrJournalEntry *parse(const char *text, GError **error)
{
	return hvr_journal_parse(FILE_OF_CARD, text, strlen(text), error);
}

/* The text with a checksum that fits. */
static char *sign(const char *text)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	return g_strconcat(text, "# sha256 ", sum, "\n", NULL);
}

static void assert_refused(const char *text, const char *how)
{
	g_autoptr(GError) error = NULL;

	assert_null(parse(text, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL));
	assert_non_null(strstr(error->message, "the journal entry '" FILE_OF_CARD "' "));
	assert_non_null(strstr(error->message, "nothing of it was applied\n"));
	if (!strstr(error->message, how))
		fail_msg("'%s' instead of '%s'", error->message, how);
}

/* Everything in an entry comes back as it was, also what is absent or empty. */
static void test_round_trip(void **state)
{
	g_autoptr(HvrJournalEntry) entry = make_entry(2);

	g_clear_pointer(&entry->saved->d3cold_allowed, g_free);
	g_free(entry->saved->reset_method);
	entry->saved->reset_method = g_strdup("");
	entry->saved->driver_override = g_strdup(" x=[y];#\\z ");
	entry->saved->guarded = TRUE;
	entry->saved->has_node = TRUE;
	entry->saved->node_uid = G_MAXUINT32;
	entry->saved->node_mode = 0660;
	g_autofree char *text = hvr_journal_format(entry);
	g_autoptr(HvrJournalEntry) back = parse(text, NULL);

	assert_non_null(back);
	assert_string_equal(back->name, "0000:02:00.0");
	assert_int_equal(back->vendor, 0x1e60);
	assert_int_equal(back->device, 0x2864);
	assert_int_equal(back->group, 14);
	assert_string_equal(back->vm, "lab");
	assert_string_equal(back->id, "npu");
	assert_int_equal(back->owner.pid, 4711);
	assert_int_equal(back->owner.start_time, 99);
	assert_int_equal(back->since, 1700000000);
	assert_int_equal(back->by, 1000);
	assert_int_equal(back->user, 997);
	assert_string_equal(back->job, "slurm_job-17.0:1+2");
	assert_string_equal(back->saved->driver, "hailo");
	assert_string_equal(back->saved->driver_override, " x=[y];#\\z ");
	assert_string_equal(back->saved->reset_method, "");
	assert_string_equal(back->saved->power_control, "auto");
	assert_null(back->saved->d3cold_allowed);
	assert_true(back->saved->guarded);
	assert_true(back->saved->has_node);
	assert_int_equal(back->saved->node_uid, G_MAXUINT32);
	assert_int_equal(back->saved->node_mode, 0660);
}

/* An entry for nobody, of a function without a driver: absent is not empty. */
static void test_round_trip_bare(void **state)
{
	const HvrPciFunction function = { .address = { .domain = 0x10000, .bus = 0xe1, .slot = 31 },
					  .group = 0 };
	g_autoptr(HvrPciState) nothing = hvr_pci_state_new();
	g_autoptr(HvrJournalEntry) entry = hvr_journal_entry_new(&function, nothing);
	g_autofree char *text = hvr_journal_format(entry);
	g_autoptr(HvrJournalEntry) back = parse(text, NULL);

	assert_non_null(back);
	assert_string_equal(back->name, "10000:e1:1f.0");
	assert_null(back->vm);
	assert_null(back->id);
	assert_null(back->saved->driver);
	assert_null(back->saved->reset_method);
	assert_false(back->saved->has_node);
	assert_int_equal(back->owner.pid, 0);
}

/* No single byte can be another, in any of its bits, without being noticed. */
static void test_every_bit(void **state)
{
	g_autoptr(HvrJournalEntry) entry = make_entry(2);
	g_autofree char *text = hvr_journal_format(entry);
	gsize length = strlen(text);

	for (gsize i = 0; i < length; i++)
		for (guint bit = 0; bit < 8; bit++) {
			text[i] ^= (char)(1u << bit);
			g_autoptr(HvrJournalEntry) back =
				hvr_journal_parse("x", text, length, NULL);
			assert_null(back);
			text[i] ^= (char)(1u << bit);
		}
	g_autoptr(HvrJournalEntry) back = parse(text, NULL);
	assert_non_null(back);
}

/* No part of an entry is taken for an entry, nor one with something behind it. */
static void test_every_length(void **state)
{
	g_autoptr(HvrJournalEntry) entry = make_entry(2);
	g_autofree char *text = hvr_journal_format(entry);
	g_autofree char *longer = g_strconcat(text, "\n", NULL);

	for (gsize length = 0; length < strlen(text); length++)
		assert_null(hvr_journal_parse("x", text, length, NULL));
	assert_refused("", "is truncated");
	assert_refused(longer, "its checksum does not match");
}

/* Whole, but not what this version writes: named, with what is wrong. */
static void test_refusals(void **state)
{
	static const struct {
		const char *old, *new, *how;
	} cases[] = {
		{ "version=1", "version=2", "is from another version" },
		{ "version=1", "version=18446744073709551615", "is from another version" },
		{ "version=1", "version=-1", "has no valid 'version'" },
		{ "version=1\n", "", "has no valid 'version'" },
		{ "address=0000:02:00.0", "address=0000:02:00.9", "names no PCI function" },
		{ "address=0000:02:00.0\n", "", "names no PCI function" },
		{ "vendor=7776", "vendor=65536", "has no valid 'vendor'" },
		{ "group=14", "group=-1", "has no valid 'group'" },
		{ "pid=4711", "pid=4294967296", "has no valid 'pid'" },
		{ "pid=4711", "pid=47 11", "has no valid 'pid'" },
		{ "pid=4711", "pid=47\\n11", "has no valid 'pid'" },
		{ "pid=4711", "pid=4711\\z", "has no valid 'pid'" },
		{ "vm=lab", "vm=lab\\z", "has no valid 'vm'" },
		{ "start_time=99", "start_time=0x63", "has no valid 'start_time'" },
		{ "since=1700000000\n", "", "has no valid 'since'" },
		{ "[saved]\n", "[saved]\nnode_uid=1\n", "has no valid 'node_gid'" },
		{ "driver=hailo", "driver=hai\\zlo", "has no valid 'driver'" },
		{ "[saved]\n", "[saved\n", "is no key file" },
	};
	g_autoptr(HvrJournalEntry) entry = make_entry(2);
	g_autofree char *text = hvr_journal_format(entry);
	*strstr(text, "# sha256") = '\0';

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) changed = g_string_new(text);
		assert_int_equal(g_string_replace(changed, cases[i].old, cases[i].new, 1), 1);
		g_autofree char *signed_text = sign(changed->str);
		assert_refused(signed_text, cases[i].how);
	}
}

/* Written entries are listed by address; writing again replaces; removing twice is no error. */
static void test_list(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrJournalEntry) second = make_entry(3), first = make_entry(2);

	assert_true(hvr_journal_write(f->runtime, second, NULL));
	assert_true(hvr_journal_write(f->runtime, first, NULL));
	g_clear_pointer(&second->vm, g_free);
	assert_true(hvr_journal_write(f->runtime, second, NULL));
	g_autoptr(GPtrArray) damaged = NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->runtime, &damaged);
	assert_int_equal(damaged->len, 0);
	assert_int_equal(entries->len, 2);
	assert_string_equal(((HvrJournalEntry *)entries->pdata[0])->name, "0000:02:00.0");
	assert_null(((HvrJournalEntry *)entries->pdata[1])->vm);
	assert_ptr_equal(hvr_journal_find(entries, &second->address), entries->pdata[1]);
	HvrPciFunction card = { .address = second->address, .vendor = 0x1e60, .device = 0x2864 };
	assert_ptr_equal(hvr_journal_find_card(entries, &card), entries->pdata[1]);
	card.device = 0x45c4;
	assert_null(hvr_journal_find_card(entries, &card));

	assert_true(hvr_journal_remove(f->runtime, &second->address, NULL));
	assert_true(hvr_journal_remove(f->runtime, &second->address, NULL));
	g_autoptr(GPtrArray) left = hvr_journal_list(f->runtime, NULL);
	assert_int_equal(left->len, 1);
	assert_null(hvr_journal_find(left, &second->address));
}

/* What stands on disk and cannot be read is listed as damaged, and neither replaced nor removed. */
static void test_damaged_stays(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrJournalEntry) entry = make_entry(2), other = make_entry(3);
	g_autofree char *whole = hvr_journal_format(entry);
	g_autofree char *of_other = hvr_journal_format(other);
	g_autofree char *cut = g_strndup(whole, strlen(whole) / 2);
	const char *const texts[] = { "", "\n", cut, of_other };

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) write = NULL, remove = NULL, check = NULL;
		fake_sysfs_put_file(f->fs, FOLDER FILE_OF_CARD, texts[i]);
		g_autofree char *before = fake_sysfs_snapshot_run(f->fs);
		assert_false(hvr_journal_check(f->runtime, &entry->address, &check));
		assert_false(hvr_journal_write(f->runtime, entry, &write));
		assert_false(hvr_journal_remove(f->runtime, &entry->address, &remove));
		assert_true(g_error_matches(write, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL));
		assert_non_null(strstr(remove->message, FILE_OF_CARD));
		assert_true(hvr_journal_check(f->runtime, &other->address, NULL));

		g_autoptr(GPtrArray) damaged = NULL;
		g_autoptr(GPtrArray) entries = hvr_journal_list(f->runtime, &damaged);
		assert_int_equal(entries->len, 0);
		assert_int_equal(damaged->len, 1);
		assert_non_null(strstr(damaged->pdata[0], FILE_OF_CARD));
		g_autofree char *after = fake_sysfs_snapshot_run(f->fs);
		assert_string_equal(before, after);
	}
}

/* A half written file of a crash is no entry and no damage; the next writer replaces it. */
static void test_half_written(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrJournalEntry) entry = make_entry(2);

	fake_sysfs_put_file(f->fs, FOLDER "." FILE_OF_CARD ".new", "[card]\nvers");
	g_autoptr(GPtrArray) damaged = NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->runtime, &damaged);
	assert_int_equal(entries->len + damaged->len, 0);
	assert_true(hvr_journal_write(f->runtime, entry, NULL));
	assert_false(fake_sysfs_exists(f->fs, FOLDER "." FILE_OF_CARD ".new"));
}

/* Links in place of an entry, of its temporary file or of the folder lead nothing astray. */
static void test_links(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrJournalEntry) entry = make_entry(2);

	fake_sysfs_put_file(f->fs, "run/precious", "precious");
	fake_sysfs_put_link(f->fs, FOLDER FILE_OF_CARD, "../../precious");
	assert_false(hvr_journal_write(f->runtime, entry, NULL));
	assert_true(fake_sysfs_exists(f->fs, FOLDER FILE_OF_CARD));

	fake_sysfs_remove_file(f->fs, FOLDER FILE_OF_CARD);
	fake_sysfs_put_link(f->fs, FOLDER "." FILE_OF_CARD ".new", "../../precious");
	assert_true(hvr_journal_write(f->runtime, entry, NULL));

	fake_sysfs_remove_file(f->fs, "run/hailo-vm-run/devices");
	fake_sysfs_put_link(f->fs, "run/hailo-vm-run/devices", "..");
	assert_false(hvr_journal_write(f->runtime, entry, NULL));
	g_autofree char *precious = fake_sysfs_text(f->fs, "run/precious");
	assert_string_equal(precious, "precious");
	assert_false(fake_sysfs_exists(f->fs, "run/" FILE_OF_CARD));
}

/* What a key file cannot hold as it is, is refused before anything depends on it. */
static void test_not_writable(void **state)
{
	Fixture *f = *state;
	g_autofree char *long_text = g_strnfill(4090, 'x');
	const char *const overrides[] = { "\xff\xfe", long_text };

	for (guint i = 0; i < G_N_ELEMENTS(overrides); i++) {
		g_autoptr(HvrJournalEntry) entry = make_entry(2);
		g_autoptr(GError) error = NULL;
		entry->saved->driver_override = g_strdup(overrides[i]);
		assert_false(hvr_journal_write(f->runtime, entry, &error));
		assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
		assert_false(fake_sysfs_exists(f->fs, FOLDER FILE_OF_CARD));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_bare),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_writable, setup, teardown),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
