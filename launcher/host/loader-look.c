/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which boot loader gives the kernel its arguments.
 *
 * Files alone do not tell: systems keep the packages of loaders that they no longer use. What does,
 * on a host that runs:
 *
 *   BOOT_IMAGE= in proc/cmdline    GRUB puts it there (grub-core/loader/i386/linux.c), and so do
 *                                  extlinux and syslinux; EFI loaders do not
 *   LoaderInfo, an EFI variable    name and version of the loader: systemd-boot, rEFInd, GRUB since
 *                                  2.12 with its module bli (Boot Loader Interface of systemd)
 *   StubInfo, another              the kernel came in a unified image (systemd-stub)
 *   initrd=\ in proc/cmdline       a path of EFI's: systemd-boot and rEFInd put it there
 *   no firmware/efi in sys         neither systemd-boot nor rEFInd: they are EFI programs
 *   run/ostree-booted              an ostree deployment
 *
 * The first of the table's questions that says yes is the answer. Where nothing of the above
 * excludes a second one, both are told.
 */
#include "launcher/host/loader-look.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "launcher/host/cpu.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define EFI	    "firmware/efi"
#define LOADER_GUID "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

#define SCRIPT_MAX_BYTES (64 * 1024)

typedef struct {
	int root;
	gboolean ostree;
	gboolean by_grub; /* GRUB, or one that leaves the same trace */
	gboolean by_systemd_boot, by_refind;
	gboolean by_stub;
	gboolean by_efi; /* one of those three, or another program of the firmware's */
	gboolean no_efi;
	gboolean by_proxmox; /* with the words of its etc/kernel/cmdline */
} Look;

/* Alternatives, with a '|' between two. */
static gboolean has(const Look *look, const char *paths)
{
	g_auto(GStrv) each = g_strsplit(paths, "|", -1);

	for (guint i = 0; each[i]; i++)
		if (hvr_tree_exists(look->root, each[i]))
			return TRUE;
	return FALSE;
}

/* Of whatever size up to a bound, which a larger file ends at. NULL: not to be read. [transfer
 * full] */
static char *read_text(int folder, const char *path)
{
	g_auto(HvrFd) fd = hvr_open_beneath(folder, path, O_RDONLY | O_NONBLOCK);
	g_autofree char *text = g_malloc(SCRIPT_MAX_BYTES + 1);
	gssize length = -1;

	if (fd >= 0)
		length = hvr_fd_read_all(fd, text, SCRIPT_MAX_BYTES);
	if (length < 0)
		return NULL;
	text[length] = '\0';
	return g_steal_pointer(&text);
}

/* Does a line of @path begin with @begin? */
static gboolean has_line(const Look *look, const char *path, const char *begin)
{
	g_autofree char *text = read_text(look->root, path);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (g_str_has_prefix(g_strstrip(lines[i]), begin))
			return TRUE;
	return FALSE;
}

/* Behind four bytes of attributes (efivarfs) UTF-16 follows; what is not ASCII of it is skipped. */
static gboolean loader_info_is(const HvrHost *host, const char *begin)
{
	g_auto(HvrFd) fd = hvr_open_beneath(host->sys, EFI "/efivars/LoaderInfo" LOADER_GUID,
					    O_RDONLY | O_NONBLOCK);
	char bytes[256], name[128] = "";
	gssize length = -1;
	gsize n = 0;

	if (fd >= 0)
		length = hvr_fd_read_all(fd, bytes, sizeof(bytes));
	for (gssize i = 4; i + 1 < length && n < sizeof(name) - 1; i += 2)
		if (bytes[i] && !bytes[i + 1])
			name[n++] = bytes[i];
	return g_ascii_strncasecmp(name, begin, strlen(begin)) == 0;
}

/* Has the kernel's command line a word that begins so? */
static gboolean was_told(const HvrHost *host, const char *begin)
{
	g_autofree char *word = hvr_kernel_find_argument(host, begin);

	return word != NULL;
}

/* Proxmox VE's installer writes "root=ZFS=rpool/ROOT/pve-1 boot=zfs" to etc/kernel/cmdline, for the
 * systemd-boot that proxmox-boot-tool keeps; GRUB would say BOOT_IMAGE as well. */
static gboolean told_by_proxmox(const HvrHost *host)
{
	g_autofree char *release = hvr_tree_read_line(host->proc, "sys/kernel/osrelease");

	return release && g_str_has_suffix(release, "-pve") && was_told(host, "root=ZFS=");
}

/* Files of loaders that need no EFI, and are read by nothing else. */
#define WITHOUT_EFI                                                                                \
	"boot/grub/grub.cfg|boot/extlinux/extlinux.conf|boot/armbianEnv.txt|"                      \
	"boot/firmware/config.txt|usr/sbin/flash-kernel"

static Look look_at(const HvrHost *host)
{
	Look look = { .root = host->root };

	look.ostree = host->run >= 0 ? hvr_tree_exists(host->run, "ostree-booted")
				     : hvr_tree_exists(host->root, "ostree/repo");
	look.by_grub = was_told(host, "BOOT_IMAGE=") || loader_info_is(host, "GRUB");
	if (look.by_grub)
		return look;
	look.by_proxmox = told_by_proxmox(host);
	look.by_systemd_boot = loader_info_is(host, "systemd-boot");
	look.by_refind = loader_info_is(host, "rEFInd");
	look.by_stub = hvr_tree_exists(host->sys, EFI "/efivars/StubInfo" LOADER_GUID);
	look.by_efi = look.by_systemd_boot || look.by_refind || look.by_stub ||
		      was_told(host, "initrd=\\");
	look.no_efi = host->sys >= 0 && !hvr_tree_exists(host->sys, EFI) && !look.by_efi &&
		      has(&look, WITHOUT_EFI);
	return look;
}

static gboolean is_rpm_ostree(const Look *look)
{
	return look->ostree && has(look, "usr/bin/rpm-ostree");
}

static gboolean is_ostree(const Look *look)
{
	return look->ostree;
}

/* proxmox-boot-tool lists the partitions that it keeps there. On them is GRUB where the firmware is
 * a BIOS or Secure Boot is on, else systemd-boot (Proxmox VE's "Host Bootloader"). */
static gboolean has_proxmox(const Look *look)
{
	return has(look, "etc/kernel/proxmox-boot-uuids");
}

static gboolean is_proxmox(const Look *look)
{
	return look->by_proxmox || (has_proxmox(look) && look->by_efi);
}

static gboolean is_proxmox_grub(const Look *look)
{
	return has_proxmox(look) && look->by_grub;
}

/* It writes its entries anew from its own list of options. */
static gboolean is_kernelstub(const Look *look)
{
	return has(look, "etc/kernelstub/configuration") && !look->by_grub && !look->no_efi;
}

static gboolean wants_unified(const Look *look)
{
	return has_line(look, "etc/kernel/install.conf", "layout=uki") ||
	       has_line(look, "usr/lib/kernel/install.conf", "layout=uki");
}

static gboolean has_unified_preset(const Look *look)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(look->root, "etc/mkinitcpio.d");

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_strconcat("etc/mkinitcpio.d/", (const char *)names->pdata[i], NULL);
		if (g_str_has_suffix(path, ".preset") &&
		    (has_line(look, path, "default_uki=") || has_line(look, path, "ALL_uki=")))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_unified_dracut(const Look *look)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(look->root, "etc/dracut.conf.d");

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_strconcat("etc/dracut.conf.d/", (const char *)names->pdata[i], NULL);
		if (has_line(look, path, "uefi=\"yes\"") || has_line(look, path, "uefi=yes"))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_uki_mkinitcpio(const Look *look)
{
	return !look->by_grub && !look->no_efi && !wants_unified(look) && has_unified_preset(look);
}

static gboolean is_uki_dracut(const Look *look)
{
	return !look->by_grub && !look->no_efi && !wants_unified(look) && has_unified_dracut(look);
}

static gboolean is_uki(const Look *look)
{
	return look->by_stub && !wants_unified(look);
}

/* Where it is, it also rules over GRUB's files. */
static gboolean is_grubby(const Look *look)
{
	return has(look, "usr/sbin/grubby|usr/bin/grubby") && !look->by_refind;
}

/* Its firmware reads both from the first partition. */
static gboolean is_raspberry_pi(const Look *look)
{
	if (look->by_grub || look->by_efi)
		return FALSE;
	return (has(look, "boot/firmware/config.txt") && has(look, "boot/firmware/cmdline.txt")) ||
	       (has(look, "boot/config.txt") && has(look, "boot/cmdline.txt"));
}

static gboolean has_loader_conf(const Look *look)
{
	return has(look, "boot/loader/loader.conf|boot/efi/loader/loader.conf|"
			 "efi/loader/loader.conf");
}

/* kernel-install names entries by the token, which is the machine's ID where none is set. */
static gboolean is_named_by_token(const Look *look, const char *name)
{
	g_autofree char *set = hvr_tree_read_line(look->root, "etc/kernel/entry-token");
	g_autofree char *machine = hvr_tree_read_line(look->root, "etc/machine-id");

	return (set && *set && g_str_has_prefix(name, set)) ||
	       (machine && *machine && g_str_has_prefix(name, machine));
}

typedef enum {
	ENTRIES_UNSEEN, /* there are none, or the partition is closed to us */
	ENTRIES_OF_KERNEL_INSTALL,
	ENTRIES_BY_HAND, /* kernel-install made none of them */
} Entries;

static Entries look_at_entries(const Look *look)
{
	static const char *const folders[] = { "boot/loader/entries", "boot/efi/loader/entries",
					       "efi/loader/entries" };
	Entries entries = ENTRIES_UNSEEN;

	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GPtrArray) names = hvr_tree_list(look->root, folders[i]);
		for (guint j = 0; j < names->len; j++) {
			const char *name = g_ptr_array_index(names, j);
			if (!g_str_has_suffix(name, ".conf"))
				continue;
			if (is_named_by_token(look, name))
				return ENTRIES_OF_KERNEL_INSTALL;
			entries = ENTRIES_BY_HAND;
		}
	}
	return entries;
}

static gboolean may_be_systemd_boot(const Look *look)
{
	return !look->by_grub && !look->by_refind && !look->no_efi &&
	       (look->by_systemd_boot || has_loader_conf(look) || has(look, "etc/kernel/cmdline") ||
		wants_unified(look));
}

static gboolean is_kernel_install(const Look *look)
{
	return may_be_systemd_boot(look) && has(look, "usr/bin/kernel-install") &&
	       look_at_entries(look) != ENTRIES_BY_HAND;
}

/* systemd always brings kernel-install: on a host that runs, it takes an entry or its own file to
 * know that it is used. */
static gboolean is_systemd_boot(const Look *look)
{
	gboolean unsure = look->by_systemd_boot && look_at_entries(look) == ENTRIES_UNSEEN &&
			  !has(look, "etc/kernel/cmdline") && !wants_unified(look);

	return may_be_systemd_boot(look) && (unsure || !is_kernel_install(look));
}

/* A system that went over to systemd-boot may have kept GRUB's packages, but then nobody has made a
 * menu of theirs. @menu: where it would be */
static gboolean may_be_grub(const Look *look, const char *menu)
{
	if (look->by_efi)
		return FALSE;
	return look->by_grub || has(look, menu) || !is_kernel_install(look);
}

/* That grub-mkconfig reads etc/default/grub.d is a patch of Debian's; where it has none, a file
 * there would be without effect. */
static gboolean reads_grub_d(const Look *look)
{
	g_autofree char *script = read_text(look->root, "usr/sbin/grub-mkconfig");

	if (!script)
		script = read_text(look->root, "usr/bin/grub-mkconfig");
	if (script)
		return strstr(script, "default/grub.d") != NULL;
	return has(look, "etc/default/grub.d|usr/sbin/update-grub");
}

static gboolean is_grub(const Look *look)
{
	return has(look, "etc/default/grub.d|usr/sbin/update-grub") && reads_grub_d(look) &&
	       may_be_grub(look, "boot/grub/grub.cfg");
}

static gboolean is_grub_mkconfig(const Look *look)
{
	return has(look, "usr/sbin/grub-mkconfig|usr/bin/grub-mkconfig") && !reads_grub_d(look) &&
	       may_be_grub(look, "boot/grub/grub.cfg");
}

static gboolean is_grub2_mkconfig(const Look *look)
{
	return has(look, "usr/sbin/grub2-mkconfig|usr/bin/grub2-mkconfig") &&
	       may_be_grub(look, "boot/grub2/grub.cfg");
}

static gboolean is_refind(const Look *look)
{
	return has(look, "boot/refind_linux.conf") && !look->by_grub && !look->by_systemd_boot &&
	       !look->by_stub && !look->no_efi;
}

static gboolean is_armbian(const Look *look)
{
	return has(look, "boot/armbianEnv.txt");
}

static gboolean is_flash_kernel(const Look *look)
{
	return has(look, "usr/sbin/flash-kernel") && has(look, "etc/default/flash-kernel");
}

static gboolean is_u_boot_menu(const Look *look)
{
	return has(look, "usr/sbin/u-boot-update") && has(look, "boot/extlinux/extlinux.conf");
}

static gboolean is_alpine(const Look *look)
{
	return has(look, "etc/update-extlinux.conf");
}

static gboolean is_extlinux(const Look *look)
{
	return has(look, "boot/extlinux/extlinux.conf|extlinux.conf|boot/syslinux/syslinux.cfg");
}

/* In this order: who rules over others is asked for first. */
static const struct {
	HvrLoaderKind kind;
	gboolean (*is)(const Look *look);
	gboolean certain; /* where it is, no other is looked for */
} questions[] = {
	{ HVR_LOADER_RPM_OSTREE, is_rpm_ostree, TRUE },
	{ HVR_LOADER_OSTREE, is_ostree, TRUE },
	{ HVR_LOADER_PROXMOX, is_proxmox, TRUE },
	{ HVR_LOADER_PROXMOX_GRUB, is_proxmox_grub, TRUE },
	{ HVR_LOADER_PROXMOX, has_proxmox, FALSE },
	{ HVR_LOADER_PROXMOX_GRUB, has_proxmox, FALSE },
	{ HVR_LOADER_KERNELSTUB, is_kernelstub, TRUE },
	{ HVR_LOADER_UKI_MKINITCPIO, is_uki_mkinitcpio, TRUE },
	{ HVR_LOADER_UKI_DRACUT, is_uki_dracut, TRUE },
	{ HVR_LOADER_UKI, is_uki, TRUE },
	{ HVR_LOADER_GRUBBY, is_grubby, TRUE },
	{ HVR_LOADER_RASPBERRY_PI, is_raspberry_pi, TRUE },
	{ HVR_LOADER_GRUB, is_grub, FALSE },
	{ HVR_LOADER_GRUB_MKCONFIG, is_grub_mkconfig, FALSE },
	{ HVR_LOADER_GRUB2_MKCONFIG, is_grub2_mkconfig, FALSE },
	{ HVR_LOADER_KERNEL_INSTALL, is_kernel_install, FALSE },
	{ HVR_LOADER_SYSTEMD_BOOT, is_systemd_boot, FALSE },
	{ HVR_LOADER_REFIND, is_refind, FALSE },
	{ HVR_LOADER_ARMBIAN, is_armbian, FALSE },
	{ HVR_LOADER_FLASH_KERNEL, is_flash_kernel, FALSE },
	{ HVR_LOADER_U_BOOT_MENU, is_u_boot_menu, TRUE },
	{ HVR_LOADER_ALPINE, is_alpine, TRUE },
	{ HVR_LOADER_EXTLINUX, is_extlinux, FALSE },
};

HvrLoader hvr_loader_look(const HvrHost *host)
{
	const Look look = look_at(host);
	HvrLoader loader = { .kind = HVR_LOADER_UNKNOWN, .other = HVR_LOADER_UNKNOWN };

	for (guint i = 0; i < G_N_ELEMENTS(questions); i++) {
		if (!questions[i].is(&look))
			continue;
		if (loader.kind != HVR_LOADER_UNKNOWN) {
			loader.other = questions[i].kind;
			break;
		}
		loader.kind = questions[i].kind;
		if (questions[i].certain)
			break;
	}
	return loader;
}
