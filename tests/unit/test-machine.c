/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that a VM can be: by which names they are found, and what a profile gets of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/profile/machine.h"
#include "launcher/profile/read.h"
#include "launcher/profile/table.h"

static const char *name_of(const char *name)
{
	const HvrMachine *machine = hvr_machine_find(name);

	return machine ? machine->name : "none";
}

/* A machine by its own name and by that of any version, of whatever distribution; nothing else. */
static void test_find(void **state)
{
	static const char *const known[] = { "q35", "pc-q35-7.2", "pc-q35-4.0.1",
					     "pc-q35-rhel9.4.0" };
	static const char *const unknown[] = {
		"", "q3", "q35x", "Q35", "pc", "pc-q35", "virt", "none", "pc-i440fx-7.2", "microvm"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		assert_string_equal(name_of(known[i]), "q35");
	for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++)
		assert_string_equal(name_of(unknown[i]), "none");
}

/* What has no PCI Express is told so; of what may have some, nothing is said that is not true. */
static void test_refusal(void **state)
{
	static const char *const without[] = { "pc", "pc-i440fx-7.2", "isapc" };
	static const char *const foreign[] = { "virt", "virt-9.1", "raspi4b", "pseries",
					       "pseries-8.2" };
	static const char *const others[] = { "microvm", "pc98", "q3", "virtual" };

	for (gsize i = 0; i < G_N_ELEMENTS(without); i++)
		assert_string_equal(hvr_machine_refusal(without[i]), "has no PCI Express slots");
	for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++)
		assert_non_null(strstr(hvr_machine_refusal(foreign[i]), "another processor"));
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		assert_non_null(strstr(hvr_machine_refusal(others[i]), "that this program knows"));
}

static HvrProfile *parse(const char *more)
{
	g_autofree char *text = g_strconcat("[vm]\nname = lab\nmemory = 1G\n", more, NULL);
	HvrProfile *profile = hvr_profile_parse("/lab.ini", text, strlen(text), NULL, NULL);

	assert_non_null(profile);
	return profile;
}

/* A profile has the default machine and that machine's QEMU, unless it names another one. */
static void test_profile(void **state)
{
	g_autoptr(HvrProfile) plain = parse("[disk root]\nfile = /a.qcow2\n");
	g_autoptr(HvrProfile) version =
		parse("machine = pc-q35-7.2\n[disk root]\nfile = /a.qcow2\n");
	g_autoptr(HvrProfile) own = parse("[disk root]\nfile = /a.qcow2\n"
					  "[qemu]\nbinary = /usr/libexec/qemu-kvm\n");
	const HvrMachine *machine = hvr_machine_find(HVR_MACHINE_DEFAULT);

	assert_non_null(machine);
	assert_string_equal(plain->machine, machine->name);
	assert_string_equal(plain->qemu_binary, machine->binary);
	assert_string_equal(version->qemu_binary, machine->binary);
	assert_string_equal(own->qemu_binary, "/usr/libexec/qemu-kvm");
}

/* The sample in the manual and in a refusal is a machine that there is. */
static void test_sample(void **state)
{
	const HvrProfileSection *vm = hvr_profile_section("vm");
	int index = hvr_profile_key_index(vm, "machine");

	assert_true(index >= 0);
	assert_non_null(hvr_machine_find(vm->keys[index].sample));
	assert_non_null(hvr_machine_find(vm->keys[index].fallback));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
