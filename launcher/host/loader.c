/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a kernel argument comes to each boot loader: the file that has them, the command that makes
 * it take effect, and whether `setup` can do it.
 */
#include "launcher/host/loader.h"

#include <string.h>

typedef struct {
	const char *name;
	HvrLoaderBy by;
	const char *file;     /* where the arguments are; NULL: a command knows */
	const char *apply;    /* what is run then; NULL: nothing */
	const char *words[4]; /* of the command, */
	const char *add;      /* ... what stands before an argument that comes, */
	const char *drop;     /* ... and before one that goes */
	gboolean each;	      /* ... once for each argument; FALSE: once for all */
} Way;

static const Way ways[HVR_LOADER_N_KINDS] = {
	[HVR_LOADER_UNKNOWN] = { .name = "no boot loader that is known here",
				 .file = "the kernel's command line" },
	[HVR_LOADER_RPM_OSTREE] = { .name = "rpm-ostree",
				    .by = HVR_LOADER_BY_COMMAND,
				    .words = { "rpm-ostree", "kargs" },
				    .add = "--append-if-missing=",
				    .drop = "--delete-if-present=",
				    .each = TRUE },
	[HVR_LOADER_OSTREE] = { .name = "ostree",
				.words = { "ostree", "admin", "kargs", "edit-in-place" },
				.add = "--append-if-missing=",
				.each = TRUE },
	[HVR_LOADER_PROXMOX] = { .name = "systemd-boot with proxmox-boot-tool",
				 .by = HVR_LOADER_BY_CMDLINE,
				 .file = "the one line of /etc/kernel/cmdline",
				 .apply = "proxmox-boot-tool refresh" },
	[HVR_LOADER_PROXMOX_GRUB] = { .name = "GRUB with proxmox-boot-tool",
				      .by = HVR_LOADER_BY_GRUB_FILE,
				      .file = "GRUB_CMDLINE_LINUX in /etc/default/grub",
				      .apply = "update-grub and proxmox-boot-tool refresh" },
	[HVR_LOADER_KERNELSTUB] = { .name = "systemd-boot with kernelstub",
				    .by = HVR_LOADER_BY_COMMAND,
				    .words = { "kernelstub" },
				    .add = "--add-options=",
				    .drop = "--delete-options=" },
	[HVR_LOADER_UKI_MKINITCPIO] = { .name = "unified kernel images of mkinitcpio",
					.file = "/etc/kernel/cmdline",
					.apply = "mkinitcpio -P" },
	[HVR_LOADER_UKI_DRACUT] = { .name = "unified kernel images of dracut",
				    .file = "kernel_cmdline= in a file of /etc/dracut.conf.d",
				    .apply = "dracut --force --regenerate-all" },
	[HVR_LOADER_UKI] = { .name = "a unified kernel image, which has its arguments in itself",
			     .file = "the arguments that the image is built with (ukify's "
				     "--cmdline, mostly /etc/kernel/cmdline)",
			     .apply = "what builds the image" },
	[HVR_LOADER_GRUBBY] = { .name = "GRUB with grubby",
				.by = HVR_LOADER_BY_COMMAND,
				.words = { "grubby", "--update-kernel=ALL" },
				.add = "--args=",
				.drop = "--remove-args=" },
	[HVR_LOADER_RASPBERRY_PI] = { .name = "the Raspberry Pi's firmware",
				      .file = "the one line of cmdline.txt in /boot/firmware (or "
					      "/boot)" },
	[HVR_LOADER_GRUB] = { .name = "GRUB",
			      .by = HVR_LOADER_BY_GRUB_FILE,
			      .file = "GRUB_CMDLINE_LINUX in /etc/default/grub",
			      .apply = "update-grub" },
	[HVR_LOADER_GRUB_MKCONFIG] = { .name = "GRUB with grub-mkconfig",
				       .file = "GRUB_CMDLINE_LINUX in /etc/default/grub",
				       .apply = "grub-mkconfig -o /boot/grub/grub.cfg" },
	[HVR_LOADER_GRUB2_MKCONFIG] = { .name = "GRUB with grub2-mkconfig",
					.file = "GRUB_CMDLINE_LINUX in /etc/default/grub",
					.apply = "grub2-mkconfig -o /boot/grub2/grub.cfg" },
	[HVR_LOADER_KERNEL_INSTALL] = { .name = "systemd-boot with kernel-install",
					.by = HVR_LOADER_BY_CMDLINE,
					.file = "/etc/kernel/cmdline",
					.apply = "kernel-install add $(uname -r) "
						 "/boot/vmlinuz-$(uname -r)" },
	[HVR_LOADER_SYSTEMD_BOOT] = { .name = "systemd-boot with entries of your own",
				      .file = "the line 'options' of each file in loader/entries "
					      "of "
					      "the EFI partition (bootctl list names them)" },
	[HVR_LOADER_REFIND] = { .name = "rEFInd", .file = "each line of /boot/refind_linux.conf" },
	[HVR_LOADER_ARMBIAN] = { .name = "Armbian's U-Boot",
				 .file = "extraargs= in /boot/armbianEnv.txt" },
	[HVR_LOADER_FLASH_KERNEL] = { .name = "U-Boot with flash-kernel",
				      .file = "LINUX_KERNEL_CMDLINE in /etc/default/flash-kernel",
				      .apply = "flash-kernel" },
	[HVR_LOADER_U_BOOT_MENU] = { .name = "U-Boot with u-boot-menu",
				     .file = "U_BOOT_PARAMETERS in /etc/default/u-boot",
				     .apply = "u-boot-update" },
	[HVR_LOADER_ALPINE] = { .name = "extlinux with update-extlinux",
				.file = "default_kernel_opts in /etc/update-extlinux.conf",
				.apply = "update-extlinux" },
	[HVR_LOADER_EXTLINUX] = { .name = "extlinux",
				  .file = "each line 'append' of its extlinux.conf" },
};

const char *hvr_loader_name(HvrLoaderKind kind)
{
	return ways[kind].name;
}

HvrLoaderBy hvr_loader_by(HvrLoaderKind kind)
{
	return ways[kind].by;
}

static void add_words(GPtrArray *argv, const Way *way, const char *before, const char *arguments)
{
	g_auto(GStrv) each = g_strsplit(arguments, " ", -1);

	if (!way->each) {
		g_ptr_array_add(argv, g_strconcat(before, arguments, NULL));
		return;
	}
	for (guint i = 0; each[i]; i++)
		g_ptr_array_add(argv, g_strconcat(before, each[i], NULL));
}

char **hvr_loader_command(HvrLoaderKind kind, const char *add, const char *drop)
{
	const Way *way = &ways[kind];
	GPtrArray *argv = g_ptr_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(way->words) && way->words[i]; i++)
		g_ptr_array_add(argv, g_strdup(way->words[i]));
	if (drop)
		add_words(argv, way, way->drop ? way->drop : "--delete=", drop);
	if (add)
		add_words(argv, way, way->add, add);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/* As a shell takes it. [transfer full] */
static char *command_line(HvrLoaderKind kind, const char *add, const char *drop)
{
	g_auto(GStrv) argv = hvr_loader_command(kind, add, drop);
	g_autoptr(GString) line = g_string_new(NULL);

	for (guint i = 0; argv[i]; i++) {
		g_autofree char *quoted = NULL;
		if (strchr(argv[i], ' '))
			quoted = g_shell_quote(argv[i]);
		g_string_append_printf(line, "%s%s", i ? " " : "", quoted ? quoted : argv[i]);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

/* [transfer full] */
static char *advise(HvrLoaderKind kind, const char *add, const char *drop)
{
	const Way *way = &ways[kind];
	g_autofree char *what = NULL;

	if (!way->file) {
		g_autofree char *line = command_line(kind, add, drop);
		return g_strconcat("run ", line, NULL);
	}
	if (add && drop)
		what = g_strdup_printf("put %s in the place of %s in %s", add, drop, way->file);
	else if (add)
		what = g_strdup_printf("add %s to %s", add, way->file);
	else
		what = g_strdup_printf("remove %s from %s", drop, way->file);
	if (!way->apply)
		return g_steal_pointer(&what);
	return g_strdup_printf("%s, then run %s", what, way->apply);
}

char *hvr_loader_advice(const HvrLoader *loader, const char *add, const char *drop)
{
	g_autofree char *first = advise(loader->kind, add, drop);

	if (loader->other == HVR_LOADER_UNKNOWN)
		return g_steal_pointer(&first);
	g_autofree char *second = advise(loader->other, add, drop);
	return g_strdup_printf("where %s boots it, %s; where %s does, %s", ways[loader->kind].name,
			       first, ways[loader->other].name, second);
}
