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
static void add_kernel_install(const HvrSetupSystem *system, GPtrArray *commands)
{
	for (guint i = 0; i < system->kernels->len; i++) {
		const HvrSetupKernel *kernel = g_ptr_array_index(system->kernels, i);
		if (!kernel->image)
			continue;
		g_autofree char *image = g_strconcat("/", kernel->image, NULL);
		const char *words[] = { "kernel-install", "add", kernel->version, image, NULL };
		add(commands, words);
	}
}

static void add_boot_loader(const HvrSetupSystem *system, GPtrArray *commands)
{
	static const char *const update_grub[] = { "update-grub", NULL };

	if (system->boot_loader == HVR_BOOT_GRUB)
		add(commands, update_grub);
	else if (system->boot_loader == HVR_BOOT_KERNEL_INSTALL)
		add_kernel_install(system, commands);
}

/* --regenerate-all would write beside the name that Debian's boot loader looks for. */
static void add_dracut(const HvrSetupSystem *system, GPtrArray *commands)
{
	for (guint i = 0; i < system->kernels->len; i++) {
		const HvrSetupKernel *kernel = g_ptr_array_index(system->kernels, i);
		g_autofree char *image =
			kernel->initramfs ? g_strconcat("/", kernel->initramfs, NULL) : NULL;
		const char *named[] = { "dracut", "--force", image, kernel->version, NULL };
		const char *unnamed[] = { "dracut", "--force", "--kver", kernel->version, NULL };
		add(commands, image ? named : unnamed);
	}
}

static void add_initramfs(const HvrSetupSystem *system, GPtrArray *commands)
{
	static const char *const update[] = { "update-initramfs", "-u", "-k", "all", NULL };

	if (system->initramfs == HVR_INITRAMFS_TOOLS)
		add(commands, update);
	else if (system->initramfs == HVR_INITRAMFS_DRACUT)
		add_dracut(system, commands);
}

GPtrArray *hvr_setup_after_commands(const HvrSetupSystem *system, guint after)
{
	static const char *const reload_udev[] = { "udevadm", "control", "--reload", NULL };
	static const char *const reload_systemd[] = { "systemctl", "daemon-reload", NULL };
	GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

	if ((after & HVR_AFTER_UDEV) && system->runs_udev)
		add(commands, reload_udev);
	if ((after & HVR_AFTER_SYSTEMD) && system->runs_systemd)
		add(commands, reload_systemd);
	if (after & HVR_AFTER_INITRAMFS)
		add_initramfs(system, commands);
	if (after & HVR_AFTER_BOOT_LOADER)
		add_boot_loader(system, commands);
	return commands;
}
