/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files alone do not boot a system: what was made of them has to be made anew, by the tools that
 * the system has for it.
 */
#include "launcher/runtime/home.h"
#include "launcher/setup/plan.h"

/* Copies the words; the last one is NULL. */
static void add(GPtrArray *commands, const char *const *words)
{
	g_ptr_array_add(commands, g_strdupv((char **)words));
}

/* systemd-boot's entries and unified images carry the arguments, so each kernel's is made again. */
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
	static const char *const refresh[] = { "proxmox-boot-tool", "refresh", NULL };
	HvrLoaderKind kind = system->loader.kind;

	if (system->loader.other != HVR_LOADER_UNKNOWN)
		return;
	if (kind == HVR_LOADER_GRUB || kind == HVR_LOADER_PROXMOX_GRUB)
		add(commands, update_grub);
	/* It copies kernels, images and menus to each of its partitions. */
	if (kind == HVR_LOADER_PROXMOX || kind == HVR_LOADER_PROXMOX_GRUB)
		add(commands, refresh);
	if (kind == HVR_LOADER_KERNEL_INSTALL)
		add_kernel_install(system, commands);
}

/* A unified image has the initramfs in itself, and the other two boot from copies. */
static gboolean keeps_initramfs(HvrLoaderKind kind)
{
	return kind == HVR_LOADER_KERNEL_INSTALL || kind == HVR_LOADER_PROXMOX ||
	       kind == HVR_LOADER_PROXMOX_GRUB;
}

static void add_initramfs(const HvrSetupSystem *system, GPtrArray *commands)
{
	static const char *const update[] = { "update-initramfs", "-u", "-k", "all", NULL };

	if (system->initramfs == HVR_INITRAMFS_TOOLS)
		add(commands, update);
	if (system->initramfs != HVR_INITRAMFS_DRACUT)
		return;
	/* --regenerate-all would write beside the name that Debian's boot loader looks for. */
	for (guint i = 0; i < system->kernels->len; i++) {
		const HvrSetupKernel *kernel = g_ptr_array_index(system->kernels, i);
		const char *version = kernel->version;
		if (kernel->initramfs) {
			g_autofree char *image = g_strconcat("/", kernel->initramfs, NULL);
			const char *words[] = { "dracut", "--force", image, version, NULL };
			add(commands, words);
		} else {
			const char *words[] = { "dracut", "--force", "--kver", version, NULL };
			add(commands, words);
		}
	}
}

GPtrArray *hvr_setup_after_commands(const HvrSetupSystem *system, guint after)
{
	static const char *const reload_udev[] = { "udevadm", "control", "--reload", NULL };
	static const char *const reload_systemd[] = { "systemctl", "daemon-reload", NULL };
	/* By prefix: taken back, the file that it would be named by is gone. */
	static const char *const make_folders[] = { "systemd-tmpfiles", "--create",
						    "--prefix=/run/" HVR_HOME_USERS, NULL };
	GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);

	if ((after & HVR_AFTER_TMPFILES) && system->runs_systemd)
		add(commands, make_folders);
	if ((after & HVR_AFTER_UDEV) && system->runs_udev)
		add(commands, reload_udev);
	if ((after & HVR_AFTER_SYSTEMD) && system->runs_systemd)
		add(commands, reload_systemd);
	if (after & HVR_AFTER_INITRAMFS)
		add_initramfs(system, commands);
	if ((after & HVR_AFTER_BOOT_LOADER) ||
	    ((after & HVR_AFTER_INITRAMFS) && keeps_initramfs(system->loader.kind)))
		add_boot_loader(system, commands);
	return commands;
}
