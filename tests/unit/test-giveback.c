/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving back from entries alone: whatever has become of the card, of its owner and of the group
 * meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/check/check.h"
#include "launcher/command/dispatch.h"
#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback-groups.h"
#include "launcher/host/occupancy.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "tests/unit/scenarios.h"
#include "vfio/error.h"
#include "vfio/fd.h"

#define CARD  "0000:02:00.0"
#define NIC   "0000:02:00.1"
#define OTHER "0000:03:00.0"

typedef struct {
	Machine *machine;
	FakeSysfs *fs;
	HvrContext context;
} Fixture;

/* A machine with its cards on vfio-pci, for VM lab of process @pid, which is not there. */
static Fixture *taken(const char *scenario, pid_t pid)
{
	Fixture *f = g_new0(Fixture, 1);
	g_auto(HvrDecision) decision = { 0 };
	guint i = 0;

	while (g_strcmp0(scenarios[i].name, scenario) != 0)
		i++;
	f->machine = machine_new(&scenarios[i]);
	f->fs = f->machine->fs;
	f->context = machine_context(f->machine);
	assert_true(hvr_context_open_runtime(&f->context, TRUE, NULL));
	HvrDecideFor whom = { f->machine->profile->devices, "lab", FALSE, HVR_CLAIM_NO_WAIT };
	HvrOwnership ownership = { "lab", { pid, 4711 } };
	assert_true(hvr_decide(&f->context, f->machine->profile, &whom, &decision, NULL));
	assert_true(hvr_execute(&f->context, decision.plan, &ownership, NULL, NULL));
	fake_sysfs_clear_log(f->fs);
	return f;
}

static void fixture_free(Fixture *f)
{
	hvr_fd_close(f->context.runtime);
	machine_free(f->machine);
	g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static gboolean give_back(Fixture *f, HvrGivebackMode mode, GError **error)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);

	return hvr_giveback(&f->context, entries, mode, error);
}

static void assert_as_before(Fixture *f)
{
	machine_unload(f->machine);
	g_autofree char *difference = machine_difference(f->machine);
	if (difference)
		fail_msg("%s", difference);
}

static guint n_entries(Fixture *f)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);

	return entries->len;
}

static guint position(Fixture *f, const char *text)
{
	for (guint i = 0; i < f->fs->log->len; i++)
		if (strstr(g_ptr_array_index(f->fs->log, i), text))
			return i + 1;
	fail_msg("no '%s'", text);
	return 0;
}

/* In reverse order; and done again, nothing is left to do. */
static void test_order(void **state)
{
	g_autoptr(Fixture) f = taken("century, bind", 999);

	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_true(position(f, "vfio-pci/unbind " NIC) < position(f, "vfio-pci/unbind " CARD));
	assert_as_before(f);
	fake_sysfs_clear_log(f->fs);
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_int_equal(f->fs->calls, 0);
}

/* A driver gives its next card the lowest free number: each gets its own again if the cards come
 * back in the order of their nodes; over all groups, and 10 is behind 2. */
static void test_order_of_nodes(void **state)
{
	g_autoptr(Fixture) f = taken("two cards, late nodes", 999);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	const HvrJournalEntry *first = g_ptr_array_index(entries, 0);

	assert_string_equal(first->saved->devnode, "hailo2");
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_true(position(f, "hailo/bind " CARD) < position(f, "hailo/bind " OTHER));
	assert_as_before(f);
}

/* An entry of an older version has no such line: the last one taken comes first. */
static void test_order_without_nodes(void **state)
{
	g_autoptr(Fixture) f = taken("two cards", 999);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);

	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		g_clear_pointer(&entry->saved->devnode, g_free);
		assert_true(hvr_journal_write(f->context.runtime, entry, NULL));
	}
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_true(position(f, "hailo/bind " OTHER) < position(f, "hailo/bind " CARD));
	assert_as_before(f);
}

/* One that fails does not keep the others; its error says how to go on. */
static void test_partly(void **state)
{
	g_autoptr(Fixture) f = taken("century, bind", 999);
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_probe_error(f->fs, NIC, "igb", EIO);
	assert_false(give_back(f, HVR_GIVEBACK_RESTORE, &error));
	assert_string_equal(error->message, NIC ": cannot bind to igb: Input/output error\n"
						"when that is mended: hailo-vm-run release " NIC);
	g_autofree char *driver = fake_sysfs_driver(f->fs, CARD);
	assert_string_equal(driver, "hailo");
	assert_int_equal(n_entries(f), 1);
	/* The steps behind the one that failed were done all the same. */
	g_autofree char *power = fake_sysfs_attribute(f->fs, NIC, "power/control");
	g_autofree char *d3cold = fake_sysfs_attribute(f->fs, NIC, "d3cold_allowed");
	assert_string_equal(power, "on");
	assert_string_equal(d3cold, "1");
	fake_sysfs_set_probe_error(f->fs, NIC, "igb", 0);
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* Somebody has the group open, whom nobody can name. */
static void open_group(Fixture *f)
{
	fake_sysfs_set_in_use(f->fs, 14, TRUE);
	f->context.host.step_timeout_ms = 300;
}

/* While somebody has the group open nothing is tried: the unbind would hang. */
static void test_open(void **state)
{
	g_autoptr(Fixture) f = taken("century, bind", 999);
	g_autoptr(GError) error = NULL;
	g_autofree char *before = fake_sysfs_snapshot(f->fs);

	open_group(f);
	assert_false(give_back(f, HVR_GIVEBACK_RESTORE, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "a process still has its IOMMU group 14 open\n"));
	g_autofree char *after = fake_sysfs_snapshot(f->fs);
	assert_string_equal(before, after);
	assert_int_equal(n_entries(f), 2);
	fake_sysfs_set_in_use(f->fs, 14, FALSE);
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* The kernel closes it when so many have asked. */
static void on_asked(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	guint *left = data;

	if (g_str_has_prefix(what, "access_status") && *left && --*left == 0)
		fake_sysfs_set_in_use(fs, 14, FALSE);
}

/* QEMU has ended, and the kernel closes what it had in somebody who has just looked at it: nobody
 * has a descriptor. That is waited for, the first time and then. */
static void test_closing(void **state)
{
	static const guint lasts[] = { 1, 2, 8 };

	for (guint i = 0; i < G_N_ELEMENTS(lasts); i++) {
		g_autoptr(Fixture) f = taken("century, bind", 999);
		g_autoptr(GError) error = NULL;
		guint left = lasts[i];
		f->fs->after = on_asked;
		f->fs->hook_data = &left;
		fake_sysfs_set_in_use(f->fs, 14, TRUE);
		if (!give_back(f, HVR_GIVEBACK_RESTORE, &error))
			fail_msg("%s", error->message);
		assert_int_equal(left, 0);
		assert_int_equal(n_entries(f), 0);
		assert_as_before(f);
	}
}

/* A process that has it open is not waited for, and is named. */
static void test_open_by(void **state)
{
	g_autoptr(Fixture) f = taken("century, bind", 999);
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_in_use(f->fs, 14, TRUE);
	fake_sysfs_add_process(f->fs, 4711, "qemu-system-x86", "/dev/vfio/14");
	gint64 begin_us = g_get_monotonic_time();
	assert_false(give_back(f, HVR_GIVEBACK_RESTORE, &error));
	assert_true(g_get_monotonic_time() - begin_us <
		    HVR_STEP_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND);
	assert_int_equal(hvr_exit_status(error), 75);
	assert_string_equal(error->message, NIC
			    ": cannot be given back: a process still has its IOMMU group 14 "
			    "open\nend qemu-system-x86 (pid 4711, has /dev/vfio/14 open), then: "
			    "hailo-vm-run release " NIC);
	assert_int_equal(n_entries(f), 2);
}

/* What became of each: "ADDRESS is back on hailo; ..." [transfer full] */
static char *words(Fixture *f)
{
	const HvrGivebackHow how = { .mode = HVR_GIVEBACK_RESTORE };
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	g_autoptr(GPtrArray) results = hvr_giveback_groups(&f->context, entries, NULL, &how);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < results->len; i++) {
		const HvrGivebackResult *result = g_ptr_array_index(results, i);
		g_string_append_printf(text, "%s%s %s", i ? "; " : "", result->name,
				       result->error ? result->error->message : result->where);
		if (!result->error && result->as_before)
			g_string_append(text, ".");
	}
	return g_strdup(text->str);
}

static void assert_words(Fixture *f, const char *wanted)
{
	g_autofree char *seen = words(f);

	assert_string_equal(seen, wanted);
}

/* A card that was pulled has nothing to be given back. */
static void test_vanished(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	fake_sysfs_remove_function(f->fs, CARD);
	assert_words(f, CARD " is no longer on this host's bus");
	assert_int_equal(n_entries(f), 0);
}

/* Another card at the same address is left alone. */
static void test_other_card(void **state)
{
	const FakeFunction other = { .vendor = 0x8086,
				     .device = 0x1533,
				     .group = 14,
				     .driver = "igb",
				     .reset_method = "pm" };
	g_autoptr(Fixture) f = taken("card", 999);

	fake_sysfs_remove_function(f->fs, CARD);
	fake_sysfs_add_function(f->fs, CARD, &other);
	g_autofree char *before = fake_sysfs_snapshot(f->fs);
	assert_words(f, CARD " is no longer on this host's bus: its address is that of another "
			     "card, 8086:1533, which was left alone");
	g_autofree char *after = fake_sysfs_snapshot(f->fs);
	assert_string_equal(before, after);
	assert_int_equal(n_entries(f), 0);
}

static void assert_attribute(Fixture *f, const char *name, const char *wanted)
{
	g_autofree char *seen = fake_sysfs_attribute(f->fs, CARD, name);

	assert_string_equal(seen, wanted);
}

/* As when its module is removed, or an upgrade has taken it away. */
static void take_driver_away(FakeSysfs *fs)
{
	fake_sysfs_remove_file(fs, "sys/bus/pci/drivers/hailo");
}

static guint times(Fixture *f, const char *text)
{
	guint n = 0;

	for (guint i = 0; i < f->fs->log->len; i++)
		n += strstr(g_ptr_array_index(f->fs->log, i), text) != NULL;
	return n;
}

/* The driver is gone, and nobody knows another: asked once, then the card is the host's without
 * one, with all else as it was, and that is the end of it. */
static void test_driver_gone(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	take_driver_away(f->fs);
	assert_words(f, CARD " has no driver: 'hailo' is not there any more and nothing else takes "
			     "it");
	assert_int_equal(times(f, "load_module pci:v00001E60d00002864"), 1);
	assert_int_equal(n_entries(f), 0);
	assert_null(fake_sysfs_driver(f->fs, CARD));
	assert_attribute(f, "driver_override", "(null)");
	assert_attribute(f, "reset_method", "flr bus");
	assert_attribute(f, "power/control", "auto");
	assert_attribute(f, "d3cold_allowed", "1");
}

/* The next VM has the card, ends in order, and says nothing of a driver that it never saw. */
static void test_driver_gone_next_run(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autoptr(GError) error = NULL;

	take_driver_away(f->fs);
	assert_true(machine_do(f->machine, "run", &error));
	g_autofree char *first = machine_messages(f->machine);
	assert_non_null(strstr(first, "warning: " CARD ": has no driver: 'hailo' is not there"));
	assert_null(strstr(first, "gave back"));
	assert_true(machine_do(f->machine, "run", &error));
	g_autofree char *both = machine_messages(f->machine);
	assert_null(strstr(both + strlen(first), "hailo'"));
	assert_int_equal(n_entries(f), 0);
}

static void upgrade(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (strstr(what, "vfio-pci/unbind"))
		take_driver_away(fs);
}

/* A VM that has ended well has, though its card comes back to no driver: that is a warning. */
static void test_driver_gone_at_end(void **state)
{
	g_autoptr(Machine) machine = machine_new(&scenarios[0]);
	g_autoptr(GError) error = NULL;

	machine->fs->before = upgrade;
	assert_true(machine_do(machine, "run", &error));
	g_autofree char *messages = machine_messages(machine);
	assert_non_null(strstr(messages, "warning: " CARD ": has no driver: 'hailo' is not there"));
	g_autofree char *run = fake_sysfs_snapshot_run(machine->fs);
	assert_null(strstr(run, "devices/" CARD));
}

/* One whose card is not taken back has not: that is its error, with two groups the first. */
static void test_refused_at_end(void **state)
{
	g_autoptr(Machine) machine = machine_new(&scenarios[1]);
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_probe_error(machine->fs, CARD, "hailo", EIO);
	fake_sysfs_set_probe_error(machine->fs, OTHER, "hailo", EIO);
	assert_false(machine_do(machine, "run", &error));
	assert_non_null(error);
	assert_non_null(strstr(error->message, CARD ": cannot bind to hailo: Input/output error"));
}

/* An upgrade has put a new one there, which is not loaded yet: loaded by the card's alias. */
static void test_driver_loaded(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autofree char *alias = fake_sysfs_attribute(f->fs, CARD, "modalias");

	take_driver_away(f->fs);
	fake_sysfs_add_module(f->fs, alias, "hailo");
	assert_words(f, CARD " is back on hailo.");
	assert_int_equal(times(f, "load_module"), 1);
	assert_as_before(f);
}

/* What the alias loads is another: that has the card then, and is named. */
static void test_driver_other(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autofree char *alias = fake_sysfs_attribute(f->fs, CARD, "modalias");

	take_driver_away(f->fs);
	fake_sysfs_add_module(f->fs, alias, "hailo1x");
	fake_sysfs_put_file(f->fs, ".fake/functions/" CARD "/native", "hailo1x");
	assert_words(f, CARD " is on hailo1x now: 'hailo' is not there any more");
	assert_int_equal(n_entries(f), 0);
}

/* Somebody has given the card to another driver meanwhile: it is not taken from that. */
static void test_driver_other_has_it(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	fake_sysfs_add_driver(f->fs, "mine");
	f->fs->host.kernel->write(&f->fs->host, "bus/pci/drivers/vfio-pci/unbind", CARD, 50, NULL);
	fake_sysfs_put_file(f->fs, ".fake/functions/" CARD "/native", "mine");
	g_autofree char *override = g_strdup_printf("bus/pci/devices/%s/driver_override", CARD);
	f->fs->host.kernel->write(&f->fs->host, override, "\n", 50, NULL);
	f->fs->host.kernel->write(&f->fs->host, "bus/pci/drivers/mine/bind", CARD, 50, NULL);
	take_driver_away(f->fs);
	assert_words(f, CARD " is on mine now: 'hailo' is not there any more");
	assert_int_equal(times(f, "mine/unbind"), 0);
}

static void pull(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (strstr(what, "vfio-pci/unbind"))
		fake_sysfs_remove_function(fs, CARD);
}

/* Pulled while it is given back. */
static void test_vanishes(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	f->fs->before = pull;
	assert_words(f, CARD " is no longer on this host's bus");
	assert_int_equal(n_entries(f), 0);
}

static const HvrCheckResult *find_result(const GPtrArray *results, const char *id)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (g_str_equal(result->id, id))
			return result;
	}
	return NULL;
}

static void assert_listed(Fixture *f, const char *wanted)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	HvrPciAddress address;
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	HvrOccupancy occupancy = { 0 };

	assert_true(hvr_pci_address_parse(CARD, &address));
	g_ptr_array_add(one, (gpointer)hvr_inventory_find(inventory, &address));
	g_autoptr(HvrOccupancyFinder) finder = hvr_occupancy_finder_new(&f->context, one);
	hvr_occupancy_find(finder, g_ptr_array_index(one, 0), &occupancy);
	g_autofree char *text = hvr_occupancy_describe(&occupancy);
	assert_string_equal(text, wanted);
	assert_int_equal(occupancy.prepared, g_str_equal(wanted, "free, prepared"));
	hvr_occupancy_clear(&occupancy);
}

/* Without a driver since its own did not take it: neither free for the host, nor prepared, and
 * check says so. On vfio-pci it is prepared, on its driver free. */
static void test_stranded(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	assert_true(give_back(f, HVR_GIVEBACK_KEEP, NULL));
	assert_listed(f, "free, prepared");
	fake_sysfs_set_probe_error(f->fs, CARD, "hailo", ENODEV);
	assert_false(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_listed(f, "no driver, not given back");
	g_autoptr(GPtrArray) results = hvr_check_run(&f->context, f->machine->profile, NULL);
	const HvrCheckResult *warning = find_result(results, "card-given-back");
	assert_non_null(warning);
	assert_int_equal(warning->status, HVR_CHECK_WARN);
	fake_sysfs_set_probe_error(f->fs, CARD, "hailo", 0);
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_listed(f, "free");
	g_autoptr(GPtrArray) again = hvr_check_run(&f->context, f->machine->profile, NULL);
	assert_null(find_result(again, "card-given-back"));
}

/* Longer in its probe than is waited for: kept; and when that has ended well by itself, finished.
 */
static void test_late(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autoptr(GError) error = NULL;

	fake_sysfs_fail_matching(f->fs, "hailo/bind", ETIMEDOUT);
	f->fs->fail_late = TRUE;
	assert_false(give_back(f, HVR_GIVEBACK_RESTORE, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_int_equal(n_entries(f), 1);
	fake_sysfs_fail_never(f->fs);
	fake_sysfs_clear_log(f->fs);
	assert_words(f, CARD " is back on hailo.");
	assert_int_equal(times(f, "bind"), 0);
	assert_as_before(f);
}

/* One open group does not keep the others, and is told once. */
static void test_one_of_two_open(void **state)
{
	g_autoptr(Fixture) f = taken("two cards", 999);

	open_group(f);
	assert_words(f, CARD " " CARD ": cannot be given back: a process still has its IOMMU group "
			     "14 open\nend that VM, then: hailo-vm-run release " CARD "; " OTHER
			     " is back on hailo.");
	assert_int_equal(n_entries(f), 1);
}

/* A card that is gone left its group's number to another, which a VM has: it ends all the same. */
static void test_vanished_group_open(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	fake_sysfs_remove_function(f->fs, CARD);
	fake_sysfs_set_in_use(f->fs, 14, TRUE);
	assert_words(f, CARD " is no longer on this host's bus");
	assert_int_equal(n_entries(f), 0);
}

static int do_release(Fixture *f, const char *option, const char *word)
{
	char *argv[] = { (char *)"release", (char *)word, (char *)option, NULL };
	g_autoptr(GError) error = NULL;
	int status = hvr_dispatch(&f->context, argv, &error);

	if (status < 0)
		return hvr_exit_status(error);
	return status;
}

/* A driver that is there and does not take the card: kept and tried again, until it is forgotten. A
 * group that somebody has open never is. */
static void test_forget(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	assert_int_equal(do_release(f, "--forget", "--all"), 64);
	open_group(f);
	assert_int_equal(do_release(f, "--forget", CARD), 75);
	fake_sysfs_set_in_use(f->fs, 14, FALSE);
	fake_sysfs_set_probe_error(f->fs, CARD, "hailo", ENODEV);
	assert_int_not_equal(do_release(f, NULL, CARD), 0);
	assert_int_equal(n_entries(f), 1);
	assert_int_equal(do_release(f, "--forget", CARD), 0);
	assert_int_equal(n_entries(f), 0);
	assert_null(fake_sysfs_driver(f->fs, CARD));
	assert_attribute(f, "driver_override", "(null)");
}

/* Kept: on vfio-pci, for nobody, the node root's again; what it was like is still known. */
static void test_keep(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autofree char *node = g_strconcat(f->fs->root, "/dev/vfio/14", NULL);
	struct stat st;

	assert_int_equal(stat(node, &st), 0);
	assert_int_not_equal(st.st_uid, 0);
	assert_true(give_back(f, HVR_GIVEBACK_KEEP, NULL));
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_uid + st.st_gid, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	const HvrJournalEntry *entry = g_ptr_array_index(entries, 0);
	assert_null(entry->vm);
	assert_int_equal(entry->owner.pid, 0);
	assert_string_equal(entry->saved->driver, "hailo");
	assert_true(give_back(f, HVR_GIVEBACK_RESTORE, NULL));
	assert_as_before(f);
}

/* On a host that binds the card at boot and gives its node to a group, both stay so. */
static void test_keep_for_group(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	g_autofree char *node = g_strconcat(f->fs->root, "/dev/vfio/14", NULL);
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	HvrPciState *saved = ((HvrJournalEntry *)g_ptr_array_index(entries, 0))->saved;
	struct stat st;

	saved->has_node = TRUE;
	saved->node_gid = 77;
	saved->node_mode = 0660;
	assert_true(hvr_journal_write(f->context.runtime, g_ptr_array_index(entries, 0), NULL));
	assert_true(give_back(f, HVR_GIVEBACK_KEEP, NULL));
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 77);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static guint give_dead_back(Fixture *f)
{
	g_autoptr(GPtrArray) problems = NULL;
	guint given = hvr_giveback_dead(&f->context, &problems);

	assert_int_equal(problems->len, 0);
	return given;
}

/* The dead are those whose very process is gone: not the living, nor a pid that is another's now.
 */
static void test_dead(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	fake_sysfs_put_file(f->fs, "proc/999/stat",
			    "9 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n");
	assert_int_equal(give_dead_back(f), 0);
	assert_int_equal(n_entries(f), 1);
	fake_sysfs_put_file(f->fs, "proc/999/stat",
			    "9 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4712 0\n");
	assert_int_equal(give_dead_back(f), 1);
	assert_as_before(f);
}

/* A group whose lock somebody has is theirs: a QEMU that outlived its supervisor. */
static void test_dead_but_locked(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);
	HvrLock *lock = hvr_lock_try(&f->context.host, f->context.runtime, "group-14", "lab", NULL);

	assert_non_null(lock);
	assert_int_equal(give_dead_back(f), 0);
	assert_int_equal(n_entries(f), 1);
	hvr_lock_release(lock);
	assert_true(give_dead_back(f) > 0);
	assert_as_before(f);
}

/* What was prepared for nobody has no owner that could be dead. */
static void test_prepared_is_not_dead(void **state)
{
	g_autoptr(Fixture) f = taken("card", 999);

	assert_true(give_back(f, HVR_GIVEBACK_KEEP, NULL));
	assert_int_equal(give_dead_back(f), 0);
	assert_int_equal(n_entries(f), 1);
}

/* What cannot be given back, and what cannot be read, is told; the rest is given back. */
static void test_problems(void **state)
{
	g_autoptr(Fixture) f = taken("century, bind", 999);
	g_autoptr(GPtrArray) problems = NULL;

	fake_sysfs_put_file(f->fs, "run/hailo-vm-run/devices/0000:09:00.0.ini", "garbage");
	fake_sysfs_set_probe_error(f->fs, NIC, "igb", EIO);
	hvr_giveback_dead(&f->context, &problems);
	g_autofree char *all = NULL;
	g_ptr_array_add(problems, NULL);
	all = g_strjoinv("; ", (char **)problems->pdata);
	assert_non_null(strstr(all, "0000:09:00.0.ini"));
	assert_non_null(strstr(all, NIC ": cannot bind to igb"));
	g_autofree char *driver = fake_sysfs_driver(f->fs, CARD);
	assert_string_equal(driver, "hailo");
}

/* Under the lock only what the journal still has of the same owner counts. */
static void test_still_there(void **state)
{
	g_autoptr(Fixture) f = taken("two cards", 999);
	g_autoptr(GPtrArray) before = hvr_journal_list(f->context.runtime, NULL);
	HvrJournalEntry *first = g_ptr_array_index(before, 0);
	g_autoptr(GPtrArray) both = hvr_giveback_still_there(&f->context, before);

	assert_int_equal(both->len, 2);
	assert_true(hvr_journal_remove(f->context.runtime, &first->address, NULL));
	g_autoptr(GPtrArray) one = hvr_giveback_still_there(&f->context, before);
	assert_int_equal(one->len, 1);
	assert_string_equal(((HvrJournalEntry *)one->pdata[0])->name, "0000:03:00.0");
	first->owner.start_time++;
	assert_true(hvr_journal_write(f->context.runtime, first, NULL));
	first->owner.start_time--;
	g_autoptr(GPtrArray) other = hvr_giveback_still_there(&f->context, before);
	assert_int_equal(other->len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_nodes),
		cmocka_unit_test(test_order_without_nodes),
		cmocka_unit_test(test_partly),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_open_by),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_other_card),
		cmocka_unit_test(test_driver_gone),
		cmocka_unit_test(test_driver_gone_next_run),
		cmocka_unit_test(test_driver_gone_at_end),
		cmocka_unit_test(test_refused_at_end),
		cmocka_unit_test(test_driver_loaded),
		cmocka_unit_test(test_driver_other),
		cmocka_unit_test(test_driver_other_has_it),
		cmocka_unit_test(test_vanishes),
		cmocka_unit_test(test_stranded),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_one_of_two_open),
		cmocka_unit_test(test_vanished_group_open),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_keep_for_group),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_dead_but_locked),
		cmocka_unit_test(test_prepared_is_not_dead),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_still_there),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
