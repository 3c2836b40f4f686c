/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a host installs what is missing, by its os-release: the files are as distributions have them,
 * down to the keys that matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/process/install.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-sysfs.h"

static void assert_installs(const FakeSysfs *fs, const char *wanted)
{
	g_autofree char *command =
		hvr_install_command(hvr_installer_look(&fs->host), HVR_PACKAGE_QEMU_IMG);

	assert_string_equal(command, wanted);
}

#define APT	"apt install qemu-utils"
#define DNF	"dnf install qemu-img"
#define UNKNOWN "Debian, Ubuntu: " APT "; Fedora, RHEL: " DNF

static void test_systems(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", APT },
		{ "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n", APT },
		{ "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", APT },
		{ "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=43\n", DNF },
		{ "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n", DNF },
		{ "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", DNF },
		{ "NAME=\"Arch Linux\"\nID=arch\n", "pacman -S qemu-img" },
		{ "ID=manjaro\nID_LIKE=arch\n", "pacman -S qemu-img" },
		{ "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n",
		  "zypper install qemu-tools" },
		{ "ID='sles'\nID_LIKE='suse'\n", "zypper install qemu-tools" },
		/* the system itself counts before those that it is like */
		{ "ID_LIKE=debian\nID=fedora\n", DNF },
		{ "ID=nixos\nID_LIKE=\"\"\n", UNKNOWN },
		/* no key of that name, no value that can be read */
		{ "VARIANT_ID=debian\n#ID=debian\n", UNKNOWN },
		{ "ID=\"debian\n", UNKNOWN },
		{ "ID=debian-like\n", UNKNOWN },
		{ "", UNKNOWN },
		{ "\xff\xfe=\nID\n", UNKNOWN },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();

		fake_sysfs_put_file(fs, "etc/os-release", cases[i].text);
		assert_installs(fs, cases[i].wanted);
	}
}

/* As it is almost everywhere: a link, or the vendor's file alone. */
static void test_places(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();

	assert_installs(fs, UNKNOWN);
	fake_sysfs_put_file(fs, "usr/lib/os-release", "ID=fedora\n");
	assert_installs(fs, DNF);
	fake_sysfs_put_link(fs, "etc/os-release", "../usr/lib/os-release");
	assert_installs(fs, DNF);
	fs->host.root = -1;
	assert_installs(fs, UNKNOWN);
}

/* Every package has a name everywhere. */
static void test_names(void **state)
{
	for (int installer = HVR_INSTALLER_APT; installer <= HVR_INSTALLER_ZYPPER; installer++)
		for (int package = HVR_PACKAGE_QEMU; package <= HVR_PACKAGE_SSH; package++) {
			g_autofree char *command =
				hvr_install_command((HvrInstaller)installer, (HvrPackage)package);
			assert_null(strstr(command, "(null)"));
		}
}

static void test_hint(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	g_autoptr(GError) error =
		g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "no firmware");

	fake_sysfs_put_file(fs, "etc/os-release", "ID=arch\n");
	hvr_install_hint(&error, "install it", &fs->host, HVR_PACKAGE_FIRMWARE);
	assert_string_equal(error->message, "no firmware\ninstall it (pacman -S edk2-ovmf)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_systems),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
