/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that this program knows of distributions' packages is in these two tables.
 */
#include "launcher/process/install.h"

#include <string.h>

#include "launcher/report/error.h"
#include "vfio/tree.h"

#define INSTALLERS (HVR_INSTALLER_ZYPPER + 1)

static const char *const commands[INSTALLERS] = {
	[HVR_INSTALLER_APT] = "apt install",
	[HVR_INSTALLER_DNF] = "dnf install",
	[HVR_INSTALLER_PACMAN] = "pacman -S",
	[HVR_INSTALLER_ZYPPER] = "zypper install",
};

static const char *const names[][INSTALLERS] = {
	[HVR_PACKAGE_QEMU] = { NULL, "qemu-system-x86", "qemu-kvm", "qemu-system-x86", "qemu-x86" },
	[HVR_PACKAGE_QEMU_IMG] = { NULL, "qemu-utils", "qemu-img", "qemu-img", "qemu-tools" },
	[HVR_PACKAGE_FIRMWARE] = { NULL, "ovmf", "edk2-ovmf", "edk2-ovmf", "qemu-ovmf-x86_64" },
	[HVR_PACKAGE_VIRTIOFSD] = { NULL, "virtiofsd, from Debian 13 and Ubuntu 24.04 on",
				    "virtiofsd", "virtiofsd", "virtiofsd" },
	[HVR_PACKAGE_MTOOLS] = { NULL, "mtools", "mtools", "mtools", "mtools" },
	[HVR_PACKAGE_SSH] = { NULL, "openssh-client", "openssh-clients", "openssh",
			      "openssh-clients" },
	[HVR_PACKAGE_SWTPM] = { NULL, "swtpm", "swtpm", "swtpm", "swtpm" },
};

/* Those that others say they are like. */
static const struct {
	const char *id;
	HvrInstaller installer;
} systems[] = {
	{ "debian", HVR_INSTALLER_APT },	   { "ubuntu", HVR_INSTALLER_APT },
	{ "fedora", HVR_INSTALLER_DNF },	   { "rhel", HVR_INSTALLER_DNF },
	{ "centos", HVR_INSTALLER_DNF },	   { "arch", HVR_INSTALLER_PACMAN },
	{ "suse", HVR_INSTALLER_ZYPPER },	   { "opensuse", HVR_INSTALLER_ZYPPER },
	{ "opensuse-leap", HVR_INSTALLER_ZYPPER }, { "opensuse-tumbleweed", HVR_INSTALLER_ZYPPER },
	{ "sles", HVR_INSTALLER_ZYPPER },
};

/* The words of KEY=VALUE, as a shell would read them; empty where it is not there.
 * [transfer full] */
static char **words_of(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		const char *line = lines[i];
		gsize length = strlen(key);
		if (!g_str_has_prefix(line, key) || line[length] != '=')
			continue;
		g_autofree char *value = g_shell_unquote(line + length + 1, NULL);
		return g_strsplit(value ? value : "", " ", -1);
	}
	return g_new0(char *, 1);
}

static HvrInstaller installer_of(const char *id)
{
	for (gsize i = 0; i < G_N_ELEMENTS(systems); i++)
		if (strcmp(systems[i].id, id) == 0)
			return systems[i].installer;
	return HVR_INSTALLER_UNKNOWN;
}

HvrInstaller hvr_installer_look(const HvrHost *host)
{
	static const char *const keys[] = { "ID", "ID_LIKE" };
	HvrInstaller found = HVR_INSTALLER_UNKNOWN;
	g_autofree char *text = hvr_tree_read(host->root, "etc/os-release", NULL);

	if (!text)
		text = hvr_tree_read(host->root, "usr/lib/os-release", NULL);
	for (gsize i = 0; text && !found && i < G_N_ELEMENTS(keys); i++) {
		g_auto(GStrv) words = words_of(text, keys[i]);
		for (guint word = 0; words[word] && !found; word++)
			found = installer_of(words[word]);
	}
	return found;
}

char *hvr_install_command(HvrInstaller installer, HvrPackage package)
{
	const char *const *name = names[package];

	if (installer != HVR_INSTALLER_UNKNOWN)
		return g_strdup_printf("%s %s", commands[installer], name[installer]);
	return g_strdup_printf("Debian, Ubuntu: apt install %s; Fedora, RHEL: dnf install %s",
			       name[HVR_INSTALLER_APT], name[HVR_INSTALLER_DNF]);
}

void hvr_install_hint(GError **error, const char *text, const HvrHost *host, HvrPackage package)
{
	g_autofree char *command = hvr_install_command(hvr_installer_look(host), package);

	hvr_error_hint(error, "%s (%s)", text, command);
}
