/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cards a process is offered: by the list that it was given, by its device cgroup, and by
 * what is held; and what a section then means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/host/claim.h"
#include "launcher/host/offer.h"
#include "launcher/host/select.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	HvrInventory *inventory;
} Fixture;

/* Three cards at 02:00.0, 03:00.0 and 04:00.0, and a network card at 05:00.0. */
static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	const FakeFunction nic = { .parent = "0000:00:1d.0",
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 20 };

	f->fs = fake_sysfs_new();
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.0", "0000:02:00.0", 14, 0);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.1", "0000:03:00.0", 15, 1);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.2", "0000:04:00.0", 16, 2);
	fake_sysfs_add_bridge(f->fs, "0000:00:1d.0",
			      &(FakeFunction){ .vendor = 0x8086, .group = 21 });
	fake_sysfs_add_function(f->fs, "0000:05:00.0", &nic);
	fake_files_make_folder(f->fs->root, "var/lib");
	f->context = (HvrContext){ .host = f->fs->host, .runtime = -1, .privileged = TRUE };
	f->inventory = hvr_inventory_read(&f->fs->host, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_inventory_free(f->inventory);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static const HvrPciFunction *function_at(const Fixture *f, const char *name)
{
	HvrPciAddress address;

	assert_true(hvr_pci_address_parse(name, &address));
	return hvr_inventory_find(f->inventory, &address);
}

/* The offered cards and the network card: "2 3 5", by their buses. */
static char *offered(const HvrOffer *offer, const Fixture *f)
{
	static const char *const names[] = { "02:00.0", "03:00.0", "04:00.0", "05:00.0" };
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (hvr_offer_has(offer, function_at(f, names[i]), NULL))
			g_string_append_c(text, names[i][1]);
	return g_strdup(text->str);
}

/* What is in a list, whose it is, and what is offered; or how it is refused, by which words. */
static void test_lists(void **state)
{
	static const struct {
		const char *variable, *list, *offered;
		int status;
		const char *message;
	} cases[] = {
		{ "HAILO_VM_CARDS", NULL, "2345", 0, NULL },
		{ "HAILO_VM_CARDS", "", "", 0, NULL },
		{ "HAILO_VM_CARDS", "  ", "", 0, NULL },
		{ "HAILO_VM_CARDS", "03:00.0", "3", 0, NULL },
		{ "HAILO_VM_CARDS", "0000:03:00.0, 05:00.0", "35", 0, NULL },
		{ "HAILO_VM_CARDS", "00:1c.2/00.0", "4", 0, NULL },
		{ "HAILO_VM_CARDS", "0,2,0", "24", 0, NULL },
		{ "HAILO_VM_CARDS", "3", NULL, 69, "HAILO_VM_CARDS: this host has no card '3'" },
		{ "HAILO_VM_CARDS", "09:00.0", NULL, 69, "HAILO_VM_CARDS: this host has no card" },
		{ "HAILO_VM_CARDS", "00:1f.7/00.0", NULL, 69, "HAILO_VM_CARDS: this host has no" },
		{ "HAILO_VM_CARDS", "0,", NULL, 64, "HAILO_VM_CARDS: '' is no address" },
		{ "HAILO_VM_CARDS", "0-1", NULL, 64, "HAILO_VM_CARDS: '0-1' is no address" },
		{ "HAILO_VM_CARDS", "-1", NULL, 64, "HAILO_VM_CARDS: '-1' is no address" },
		{ "HAILO_VM_CARDS", "18446744073709551616", NULL, 64, "HAILO_VM_CARDS: '1844" },
		{ "HAILO_VM_CARDS", "all", NULL, 64, "HAILO_VM_CARDS: 'all' is no address" },
		{ "SLURM_JOB_GPUS", "1", "3", 0, NULL },
		{ "SLURM_STEP_GPUS", "0,2", "24", 0, NULL },
		{ "SLURM_JOB_GPUS", "0-1", "23", 0, NULL },
		{ "SLURM_JOB_GPUS", "", "", 0, NULL },
		{ "SLURM_JOB_GPUS", "7", NULL, 69,
		  "SLURM_JOB_GPUS: this host has no card for '7'" },
		{ "SLURM_JOB_GPUS", "1-9", NULL, 69, "SLURM_JOB_GPUS: this host has no card for" },
		{ "SLURM_JOB_GPUS", "2-1", NULL, 69, "SLURM_JOB_GPUS: this host has no card for" },
		{ "SLURM_JOB_GPUS", "GPU-5", NULL, 69,
		  "SLURM_JOB_GPUS: this host has no card for" },
		{ "SLURM_JOB_GPUS", "02:00.0", NULL, 69, "SLURM_JOB_GPUS: this host has no card" },
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		f->context.cards = cases[i].list;
		f->context.cards_variable = cases[i].variable;
		g_autoptr(HvrOffer) offer = hvr_offer_look(&f->context, f->inventory, &error);
		if (cases[i].offered) {
			g_autofree char *names = offered(offer, f);
			assert_string_equal(names, cases[i].offered);
			continue;
		}
		assert_null(offer);
		if (!g_str_has_prefix(error->message, cases[i].message))
			fail_msg("%s: %s", cases[i].list, error->message);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
	}
}

static void assert_forbidden(const Fixture *f, const HvrOffer *offer, const char *name,
			     const char *node)
{
	g_autoptr(GError) error = NULL;

	assert_false(hvr_offer_has(offer, function_at(f, name), &error));
	assert_int_equal(hvr_exit_status(error), 77);
	assert_non_null(strstr(error->message, "device cgroup"));
	assert_non_null(strstr(error->message, node));
}

/* A node of VFIO's that the cgroup forbids; those of a host driver count where it tells them apart,
 * and not where it forbids all of them, as a service that has VFIO alone. */
static void test_cgroup(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrOffer) offer = hvr_offer_look(&f->context, f->inventory, NULL);

	fake_sysfs_put_file(f->fs, "dev/vfio/14", "");
	fake_sysfs_forbid_node(f->fs, "vfio/14");
	assert_forbidden(f, offer, "02:00.0", "/dev/vfio/14");
	/* It is VFIO's node by which the card is reached, where there is one. */
	fake_sysfs_put_file(f->fs, "dev/vfio/15", "");
	fake_sysfs_forbid_node(f->fs, "hailo1");
	g_autofree char *first = offered(offer, f);
	assert_string_equal(first, "345");

	fake_sysfs_forbid_node(f->fs, "hailo2");
	assert_forbidden(f, offer, "04:00.0", "/dev/hailo2");
	fake_sysfs_forbid_node(f->fs, "hailo0");
	g_autofree char *all = offered(offer, f);
	assert_string_equal(all, "345");
}

static void hold(const Fixture *f, const char *name, const char *reason)
{
	g_autoptr(HvrHold) held = hvr_hold_new(function_at(f, name), reason);

	assert_true(hvr_hold_write(&f->context, held, NULL));
}

/* What a section means then: the message names what each card lacks, and the status follows. */
static void test_select(void **state)
{
	static const struct {
		const char *list, *keys, *names;
		int status;
		const char *message, *hint;
	} cases[] = {
		/* Among those that a job was given there is only one. */
		{ "0,2", "", "0000:04:00.0 ", 0, NULL, NULL },
		{ "0,1,2", "pick = free\n", "0000:04:00.0 ", 0, NULL, NULL },
		{ "0", "address = 03:00.0\n", NULL, 69,
		  "0000:03:00.0: not among HAILO_VM_CARDS (0)", NULL },
		{ "0,1,2", "address = 02:00.0\n", NULL, 69, "by root: sparks",
		  "hailo-vm-run unhold 0000:02:00.0" },
		{ "0,1,2", "path = 00:1c.1/00.0\n", NULL, 77, "forbids /dev/vfio/15", "scheduler" },
		{ "1", "pick = free\n", NULL, 69,
		  "0000:02:00.0: not among HAILO_VM_CARDS (1); "
		  "0000:03:00.0: the device cgroup of this job",
		  NULL },
		{ "", "", NULL, 69, "not among HAILO_VM_CARDS ()", NULL },
		{ "", "address = 09:00.0\n", NULL, 69, "no PCI function has address", NULL },
	};
	Fixture *f = *state;

	hold(f, "02:00.0", "sparks");
	fake_sysfs_put_file(f->fs, "dev/vfio/15", "");
	fake_sysfs_forbid_node(f->fs, "vfio/15");
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(
			"[vm]\nname = lab\nmemory = 64M\n[device npu]\n", cases[i].keys, NULL);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(GString) names = g_string_new(NULL);
		f->context.cards = cases[i].list;
		f->context.cards_variable = "HAILO_VM_CARDS";
		g_autoptr(HvrOffer) offer = hvr_offer_look(&f->context, f->inventory, NULL);
		g_autoptr(GPtrArray) found = hvr_select_offered(
			g_ptr_array_index(profile->devices, 0), f->inventory, offer, &error);
		for (guint k = 0; found && k < found->len; k++)
			g_string_append_printf(names, "%s ",
					       ((HvrPciFunction *)found->pdata[k])->name);
		if (cases[i].names) {
			assert_string_equal(names->str, cases[i].names);
			continue;
		}
		assert_null(found);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		if (!strstr(error->message, cases[i].message))
			fail_msg("%s", error->message);
		if (cases[i].hint && !strstr(strchr(error->message, '\n'), cases[i].hint))
			fail_msg("%s", error->message);
	}
}

/* A VM without a card has nothing to do with a list, be it wrong. */
static void test_no_card(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const HvrClaimFor whom = { .devices = none };

	f->context.cards = "nonsense";
	f->context.cards_variable = "HAILO_VM_CARDS";
	g_autoptr(HvrClaim) claim = hvr_claim_look(&f->context, &whom, f->inventory, NULL);
	assert_non_null(claim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_select, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_card, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
