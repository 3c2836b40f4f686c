/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files alone do not boot a host: what was made of them has to be made anew, by the tools that the
 * host has for it.
 */
#include "launcher/setup/plan.h"

/* Copies the words; the last one is NULL. */
static void add(GPtrArray *commands, const char *const *words)
{
	g_ptr_array_add(commands, g_strdupv((char **)words));
}

/* systemd-boot's entries carry the arguments, so each kernel's is written again. */
static void add_kernel_install(const HvrSetupHost *host, GPtrArray *commands)
{
	for (guint i = 0; i < host->kernels->len; i++) {
		const HvrSetupKernel *kernel = g_ptr_array_index(host->kernels, i);
		if (!kernel->image)
			continue;
		g_autofree char *image = g_strconcat("/", kernel->image, NULL);
		const char *words[] = { "kernel-install", "add", kernel->version, image, NULL };
		add(commands, words);
	}
}

static void add_boot_loader(const HvrSetupHost *host, GPtrArray *commands)
{
	static const char *const update_grub[] = { "update-grub", NULL };

	if (host->boot_loader == HVR_BOOT_GRUB)
		add(commands, update_grub);
	else if (host->boot_loader == HVR_BOOT_KERNEL_INSTALL)
		add_kernel_install(host, commands);
}

/* --regenerate-all would write beside the name that Debian's boot loader looks for. */
static void add_dracut(const HvrSetupHost *host, GPtrArray *commands)
{
	for (guint i = 0; i < host->kernels->len; i++) {
		const HvrSetupKernel *kernel = g_ptr_array_index(host->kernels, i);
		g_autofree char *image =
			kernel->initramfs ? g_strconcat("/", kernel->initramfs, NULL) : NULL;
		const char *named[] = { "dracut", "--force", image, kernel->version, NULL };
		const char *unnamed[] = { "dracut", "--force", "--kver", kernel->version, NULL };
		add(commands, image ? named : unnamed);
	}
}

static void add_initramfs(const HvrSetupHost *host, GPtrArray *commands)
{
	static const char *const update[] = { "update-initramfs", "-u", "-k", "all", NULL };

	if (host->initramfs == HVR_INITRAMFS_TOOLS)
		add(commands, update);
	else if (host->initramfs == HVR_INITRAMFS_DRACUT)
		add_dracut(host, commands);
}

GPtrArray *hvr_setup_after_commands(const HvrSetupHost *host, guint after)
{
	static const char *const reload_udev[] = { "udevadm", "control", "--reload", NULL };
	static const char *const reload_systemd[] = { "systemctl", "daemon-reload", NULL };
	GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

	if ((after & HVR_AFTER_UDEV) && host->runs_udev)
		add(commands, reload_udev);
	if ((after & HVR_AFTER_SYSTEMD) && host->runs_systemd)
		add(commands, reload_systemd);
	if (after & HVR_AFTER_INITRAMFS)
		add_initramfs(host, commands);
	if (after & HVR_AFTER_BOOT_LOADER)
		add_boot_loader(host, commands);
	return commands;
}
