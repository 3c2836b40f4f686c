/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup, on trees that look like a Debian with GRUB, a Fedora, and one with systemd-boot: what is
 * written there, that a second time writes nothing, and that undo leaves what was there before.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/session/notify.h"
#include "launcher/setup/apply.h"
#include "launcher/setup/cards.h"
#include "launcher/setup/show.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"
#include "vfio/fd.h"

#define TEMPLATES SOURCE_ROOT "/configs/setup"

#define MAKE_ACCOUNTS                                                                              \
	"groupadd --system hailo-vm\n"                                                             \
	"groupadd --system hailo-vm-qemu\n"                                                        \
	"useradd --system --no-create-home --home-dir / --shell /usr/sbin/nologin "                \
	"--gid hailo-vm-qemu hailo-vm\n"
/* Nobody is left in a group that goes. */
#define REMOVE_ACCOUNTS "userdel hailo-vm\ngroupdel hailo-vm-qemu\ngroupdel hailo-vm\n"

typedef struct {
	FakeSysfs *machine;
	HvrContext context;
	HvrSetupTemplates *templates;
	char *root; /* of the system that is set up */
	int target;
	GPtrArray *cards;
	gboolean live; /* it is the system that runs */
} Fixture;

/* What the runner was asked for, a line each; and what it says to it. */
static GString *ran;
static const char *missing_program;
static const char *failing_program;
static gboolean confining_fails;

static gboolean fake_find(int target, const char *name, GError **error)
{
	if (g_strcmp0(name, missing_program) != 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "no '%s'", name);
	return FALSE;
}

static gboolean fake_run(int target, HvrSetupWay way, char **argv, GError **error)
{
	g_autofree char *line = g_strjoinv(" ", argv);

	if (g_strcmp0(argv[0], failing_program) == 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' failed",
			    argv[0]);
		return FALSE;
	}
	if (confining_fails) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "'%s' cannot be confined here", line);
		return FALSE;
	}
	g_string_append_printf(ran, "%s\n", line);
	return TRUE;
}

static const HvrSetupRunner fake_runner = { fake_find, fake_run };

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->machine = fake_layout_intel();
	f->context = (HvrContext){ .host = *fake_sysfs_host(f->machine),
				   .runtime = -1,
				   .runtime_parent = -1,
				   .privileged = TRUE };
	f->templates = hvr_setup_templates_load(TEMPLATES, NULL);
	assert_non_null(f->templates);
	f->root = g_dir_make_tmp("hvr-setup-XXXXXX", NULL);
	f->target = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->cards = hvr_setup_cards_new();
	ran = g_string_new(NULL);
	missing_program = failing_program = NULL;
	confining_fails = FALSE;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->root);
	close(f->target);
	g_free(f->root);
	g_hash_table_unref(f->templates);
	g_ptr_array_unref(f->cards);
	fake_sysfs_free(f->machine);
	g_string_free(ran, TRUE);
	g_free(f);
	return 0;
}

static void put(const Fixture *f, const char *path, const char *text, mode_t mode)
{
	fake_files_write(f->root, path, text, mode);
}

static void put_program(const Fixture *f, const char *path)
{
	put(f, path, "#!/bin/sh\n", 0755);
}

static void put_kernel(const Fixture *f, const char *version, const char *initramfs)
{
	g_autofree char *deps = g_strdup_printf("usr/lib/modules/%s/modules.dep", version);
	g_autofree char *image = g_strdup_printf("boot/vmlinuz-%s", version);

	put(f, deps, "", 0644);
	put(f, image, "MZ", 0644);
	if (initramfs)
		put(f, initramfs, "cpio", 0644);
}

static void make_debian(const Fixture *f)
{
	fake_files_make_folder(f->root, "etc/default/grub.d");
	fake_files_make_folder(f->root, "etc/udev/rules.d");
	put(f, "etc/group", "root:x:0:\n", 0644);
	put_program(f, "usr/sbin/update-grub");
	put_program(f, "usr/sbin/update-initramfs");
	put(f, "usr/share/initramfs-tools/hook-functions", "", 0644);
	put_kernel(f, "6.1.0-50-amd64", "boot/initrd.img-6.1.0-50-amd64");
}

static void make_fedora(const Fixture *f)
{
	put_program(f, "usr/sbin/grubby");
	put_program(f, "usr/bin/dracut");
	put(f, "etc/default/grub", "GRUB_CMDLINE_LINUX=\"rhgb quiet\"\n", 0644);
	put_kernel(f, "6.11.4-301.fc41.x86_64", "boot/initramfs-6.11.4-301.fc41.x86_64.img");
	put_kernel(f, "6.12.0-1.fc41.x86_64", NULL);
}

static void make_systemd_boot(const Fixture *f)
{
	put_program(f, "usr/bin/kernel-install");
	put_program(f, "usr/bin/dracut");
	put(f, "boot/loader/loader.conf", "timeout 3\n", 0644);
	put(f, "etc/kernel/cmdline", "root=UUID=1 quiet", 0640);
	put_kernel(f, "6.12.1", NULL);
}

/* How the machine of this test was booted; its files are the target's.
 * @info: of the EFI variable LoaderInfo; NULL: there is no EFI */
static void running_host(Fixture *f, const char *cmdline, const char *info)
{
	static const char path[] = "sys/firmware/efi/efivars/"
				   "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
	guint8 bytes[128] = { 6 };
	gsize n = 4;

	f->live = TRUE;
	fake_files_write(f->machine->root, "proc/cmdline", cmdline, 0444);
	fake_files_remove(f->machine->root, "sys/firmware/efi");
	for (; info && *info; info++, n += 2)
		bytes[n] = (guint8)*info;
	if (info)
		fake_files_write_bytes(f->machine->root, path, bytes, n, 0600);
}

static void add_card(const Fixture *f, const char *text)
{
	HvrSetupCard *card = hvr_setup_card_parse(text, NULL, NULL);

	assert_non_null(card);
	g_ptr_array_add(f->cards, card);
}

static char *snapshot(const Fixture *f)
{
	GString *text = g_string_new(NULL);

	fake_files_snapshot(f->root, ".", text);
	return g_string_free(text, FALSE);
}

static GPtrArray *changes_of(const Fixture *f, guint parts, HvrSetupState *state, gboolean force,
			     GError **error)
{
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(&f->context, f->target, f->live);
	g_autoptr(HvrSetupPlan) plan =
		hvr_setup_plan_make(system, parts, f->cards, f->templates, "/usr/bin/hailo-vm-run");

	const HvrSetupScope scope = {
		.target = f->target, .state = state, .parts = parts, .force = force
	};
	return hvr_setup_changes_make(&scope, plan, error);
}

/* What hailo-vm-run setup does. Returns whether there was something to do. */
static gboolean set_up(const Fixture *f, guint parts, gboolean force, GError **error)
{
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(&f->context, f->target, f->live);
	g_autoptr(HvrSetupState) state = hvr_setup_state_load(f->target, error);
	assert_non_null(state);
	g_autoptr(GPtrArray) changes = changes_of(f, parts, state, force, error);
	HvrSetupSite site = { .target = f->target,
			      .system = system,
			      .runner = &fake_runner,
			      .way = HVR_SETUP_CONFINED };

	if (!changes || (changes->len == 0 && !state->pending))
		return FALSE;
	state->parts |= parts;
	return hvr_setup_apply(&site, changes, state, error);
}

static gboolean take_back(const Fixture *f, guint parts, gboolean force, GError **error)
{
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(&f->context, f->target, f->live);
	g_autoptr(HvrSetupState) state = hvr_setup_state_load(f->target, error);
	assert_non_null(state);
	const HvrSetupScope scope = {
		.target = f->target, .state = state, .parts = parts, .force = force
	};
	g_autoptr(GPtrArray) changes = hvr_setup_changes_undo(&scope, system, error);
	HvrSetupSite site = { .target = f->target,
			      .system = system,
			      .runner = &fake_runner,
			      .way = HVR_SETUP_CONFINED };

	state->parts &= ~parts;
	return changes && hvr_setup_apply(&site, changes, state, error);
}

static void assert_set_up(const Fixture *f)
{
	g_autoptr(GError) error = NULL;

	assert_true(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_null(error);
}

static void assert_taken_back(const Fixture *f)
{
	g_autoptr(GError) error = NULL;

	assert_true(take_back(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_null(error);
}

static void assert_refused(const Fixture *f, const char *text)
{
	g_autofree char *before = snapshot(f);
	g_autoptr(GError) error = NULL;

	assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_non_null(error);
	assert_non_null(strstr(error->message, text));
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
}

static void assert_has(const Fixture *f, const char *path, const char *text)
{
	g_autofree char *content = fake_files_read(f->root, path);

	assert_non_null(content);
	if (!strstr(content, text))
		fail_msg("no '%s' in %s:\n%s", text, path, content);
}

/* GRUB's folder, initramfs-tools' two scripts, and what every distribution has. */
static void debian_has_its_files(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	assert_has(f, "etc/default/grub.d/hailo-vm-run.cfg",
		   "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX intel_iommu=on iommu=pt\"");
	assert_has(f, "etc/initramfs-tools/hooks/hailo-vm-run", "manual_add_modules vfio-pci");
	assert_has(f, "etc/initramfs-tools/scripts/init-top/hailo-vm-run",
		   "hailo_vm_run_bind '1e60:2864*' ''");
	assert_has(f, "etc/udev/rules.d/71-hailo-vm-run-bind.rules",
		   "ATTR{driver_override}=\"vfio-pci\"");
	assert_has(f, "etc/modprobe.d/hailo-vm-run.conf", "options kvm ignore_msrs=1");
	assert_has(f, "etc/udev/rules.d/70-hailo-vm-run-reset.rules",
		   "'echo  > $sys$devpath/reset_method'");
	assert_has(f, "etc/udev/rules.d/72-hailo-vm-run-vfio.rules", "GROUP=\"hailo-vm\"");
	assert_has(f, "etc/security/limits.d/hailo-vm-run.conf", "@hailo-vm - memlock unlimited");
	assert_has(f, "etc/tmpfiles.d/hailo-vm-run.conf",
		   "d /run/hailo-vm-run-users 1770 root hailo-vm -");
	assert_has(f, "etc/systemd/system/hailo-vm@.service",
		   "ExecStart=/usr/bin/hailo-vm-run run /etc/hailo-vm-run/%i.ini");
	assert_string_equal(ran->str, MAKE_ACCOUNTS "update-initramfs -u -k all\n"
						    "update-grub\n");
}

/* The guard is for who names it: two files for all cards that have an ID, and nothing of them left.
 */
static void the_guard_is_named(void **state)
{
	static const char load[] = "etc/modules-load.d/hailo-vm-run-guard.conf";
	static const char options[] = "etc/modprobe.d/hailo-vm-run-guard.conf";
	Fixture *f = *state;

	make_debian(f);
	g_autofree char *bare = snapshot(f);
	add_card(f, "1e60:2864");
	add_card(f, "00:1c.4/00.0");
	add_card(f, "1e60:45c4");
	add_card(f, "1e60:2864");
	assert_set_up(f);
	assert_false(fake_files_exist(f->root, load));
	assert_true(set_up(f, 1u << HVR_SETUP_GUARD, FALSE, NULL));
	assert_has(f, load, "\nhailo-vm-run-guard");
	assert_has(f, options, "\noptions hailo-vm-run-guard ids=1e60:2864,1e60:45c4");
	assert_true(take_back(f, 1u << HVR_SETUP_GUARD, FALSE, NULL));
	assert_false(fake_files_exist(f->root, load));
	assert_false(fake_files_exist(f->root, options));
	assert_has(f, "etc/modprobe.d/hailo-vm-run.conf", "options kvm ignore_msrs=1");
	assert_true(set_up(f, 1u << HVR_SETUP_GUARD, FALSE, NULL));
	assert_true(take_back(f, HVR_SETUP_KNOWN_PARTS, FALSE, NULL));
	g_autofree char *after = snapshot(f);
	assert_string_equal(bare, after);
}

/* A module is told of IDs: where there is none, it would be loaded for other cards. */
static void the_guard_wants_an_id(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "00:1c.4/00.0");
	assert_false(set_up(f, 1u << HVR_SETUP_GUARD, FALSE, &error));
	assert_null(error);
	assert_false(fake_files_exist(f->root, "etc/modules-load.d"));
	assert_false(fake_files_exist(f->root, "etc/modprobe.d"));
}

/* Each kernel's initramfs is made anew under the name that it has. */
static void fedora_has_its_files(void **state)
{
	Fixture *f = *state;

	make_fedora(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	assert_has(f, "usr/lib/dracut/modules.d/90hailo-vm-run/module-setup.sh",
		   "inst_hook pre-udev 00");
	assert_has(f, "usr/lib/dracut/modules.d/90hailo-vm-run/bind.sh",
		   "hailo_vm_run_bind '1e60:2864*' ''");
	assert_false(fake_files_exist(f->root, "etc/default/grub.d"));
	assert_string_equal(
		ran->str,
		"grubby --update-kernel=ALL --args=intel_iommu=on iommu=pt\n" MAKE_ACCOUNTS
		"dracut --force /boot/initramfs-6.11.4-301.fc41.x86_64.img "
		"6.11.4-301.fc41.x86_64\n"
		"dracut --force --kver 6.12.0-1.fc41.x86_64\n");
	g_string_truncate(ran, 0);
	assert_taken_back(f);
	assert_non_null(strstr(ran->str,
			       REMOVE_ACCOUNTS "grubby --update-kernel=ALL "
					       "--remove-args=intel_iommu=on iommu=pt\n"));
}

/* The line that is there stays, with its owner and mode, and comes back as it was. */
static void systemd_boot_keeps_the_line(void **state)
{
	Fixture *f = *state;

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	g_autofree char *before = snapshot(f);
	assert_set_up(f);
	assert_has(f, "etc/kernel/cmdline", "root=UUID=1 quiet intel_iommu=on iommu=pt");
	assert_non_null(strstr(ran->str, "kernel-install add 6.12.1 /boot/vmlinuz-6.12.1\n"));
	assert_taken_back(f);
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
}

/* What setup makes of them is copied to the loader's partitions, by the loader's own tool. */
static void proxmox_refreshes_its_partitions(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	put(f, "etc/kernel/proxmox-boot-uuids", "1234-ABCD\n", 0644);
	put(f, "etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n", 0644);
	running_host(f, "initrd=\\EFI\\proxmox\\initrd.img root=ZFS=rpool", "systemd-boot 252");
	add_card(f, "1e60:2864");
	assert_set_up(f);
	assert_has(f, "etc/kernel/cmdline",
		   "root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on iommu=pt");
	assert_false(fake_files_exist(f->root, "etc/default/grub.d/hailo-vm-run.cfg"));
	assert_string_equal(ran->str, MAKE_ACCOUNTS "update-initramfs -u -k all\n"
						    "proxmox-boot-tool refresh\n");

	/* With Secure Boot it is GRUB. */
	assert_taken_back(f);
	running_host(f, "BOOT_IMAGE=/vmlinuz-6.8.12-4-pve root=ZFS=rpool", NULL);
	g_string_truncate(ran, 0);
	assert_set_up(f);
	assert_has(f, "etc/default/grub.d/hailo-vm-run.cfg", "intel_iommu=on iommu=pt");
	assert_has(f, "etc/kernel/cmdline", "boot=zfs");
	assert_string_equal(ran->str, MAKE_ACCOUNTS "update-initramfs -u -k all\n"
						    "update-grub\nproxmox-boot-tool refresh\n");
}

/* A command adds the arguments, and another takes them back. */
static void commands_add_arguments(void **state)
{
	static const struct {
		const char *file, *program, *cmdline, *info, *add, *drop;
	} loaders[] = {
		{ "etc/kernelstub/configuration", "usr/bin/kernelstub", "root=UUID=1",
		  "systemd-boot 249", "kernelstub --add-options=intel_iommu=on iommu=pt\n",
		  "kernelstub --delete-options=intel_iommu=on iommu=pt\n" },
		{ "run/ostree-booted", "usr/bin/rpm-ostree", "BOOT_IMAGE=/ostree/vmlinuz", NULL,
		  "rpm-ostree kargs --append-if-missing=intel_iommu=on "
		  "--append-if-missing=iommu=pt\n",
		  "rpm-ostree kargs --delete-if-present=intel_iommu=on "
		  "--delete-if-present=iommu=pt\n" },
	};
	Fixture *f = *state;
	const guint part = 1u << HVR_SETUP_KERNEL_ARGS;

	add_card(f, "1e60:2864");
	for (guint i = 0; i < G_N_ELEMENTS(loaders); i++) {
		g_autoptr(GError) error = NULL;
		put(f, loaders[i].file, "", 0644);
		fake_files_write(f->machine->root, loaders[i].file, "", 0644);
		put_program(f, loaders[i].program);
		running_host(f, loaders[i].cmdline, loaders[i].info);
		g_string_truncate(ran, 0);
		assert_true(set_up(f, part, FALSE, &error));
		assert_string_equal(ran->str, loaders[i].add);
		assert_false(set_up(f, part, FALSE, &error));
		assert_null(error);
		g_string_truncate(ran, 0);
		assert_true(take_back(f, part, FALSE, &error));
		assert_string_equal(ran->str, loaders[i].drop);
		fake_files_remove(f->root, "etc/kernelstub");
	}
}

/* What setup cannot do is not said to be done: why, and the very command. */
static void what_is_left_is_named(void **state)
{
	static const struct {
		const char *file, *left, *by_hand;
	} loaders[] = {
		{ "boot/refind_linux.conf", "setup does not change rEFInd",
		  "add intel_iommu=on iommu=pt to each line of /boot/refind_linux.conf" },
		{ "boot/armbianEnv.txt", "setup does not change Armbian's U-Boot",
		  "add intel_iommu=on iommu=pt to extraargs= in /boot/armbianEnv.txt" },
		{ "etc/update-extlinux.conf", "extlinux with update-extlinux",
		  "add intel_iommu=on iommu=pt to default_kernel_opts in "
		  "/etc/update-extlinux.conf, then run update-extlinux" },
		{ "etc/passwd", "there is no boot loader that is known here",
		  "add intel_iommu=on iommu=pt to the kernel's command line" },
		{ "etc/kernel/proxmox-boot-uuids",
		  "either systemd-boot with proxmox-boot-tool or "
		  "GRUB with proxmox-boot-tool boots",
		  "proxmox-boot-tool refresh; where GRUB" },
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(loaders); i++) {
		put(f, loaders[i].file, "x\n", 0644);
		g_autoptr(HvrSetupSystem) system =
			hvr_setup_system_look(&f->context, f->target, FALSE);
		g_autoptr(HvrSetupPlan) plan =
			hvr_setup_plan_make(system, 1u << HVR_SETUP_KERNEL_ARGS, f->cards,
					    f->templates, "/usr/bin/hailo-vm-run");
		assert_non_null(plan->left);
		if (!strstr(plan->left, loaders[i].left))
			fail_msg("'%s', not '%s'", plan->left, loaders[i].left);
		if (!strstr(plan->by_hand, loaders[i].by_hand))
			fail_msg("'%s', not '%s'", plan->by_hand, loaders[i].by_hand);
		assert_int_equal(plan->files->len + plan->actions->len, 0);
		fake_files_remove(f->root, loaders[i].file);
	}
}

/* Who has GRUB's menu has GRUB; its packages alone are no loader. */
static void grub_rules_where_its_menu_is(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	make_systemd_boot(f);
	for (guint menu = 0; menu < 2; menu++) {
		if (menu)
			put(f, "boot/grub/grub.cfg", "menuentry\n", 0600);
		g_autoptr(HvrSetupSystem) system =
			hvr_setup_system_look(&f->context, f->target, FALSE);
		assert_int_equal(system->loader.kind,
				 menu ? HVR_LOADER_GRUB : HVR_LOADER_KERNEL_INSTALL);
	}
}

/* Words that are there already are nobody's to take away. */
static void arguments_given_by_hand_stay(void **state)
{
	Fixture *f = *state;

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	put(f, "etc/kernel/cmdline", "iommu=pt intel_iommu=on\n", 0644);
	assert_false(set_up(f, 1u << HVR_SETUP_KERNEL_ARGS, FALSE, NULL));
	assert_string_equal(ran->str, "");
	assert_set_up(f);
	assert_taken_back(f);
	assert_has(f, "etc/kernel/cmdline", "iommu=pt intel_iommu=on");
}

static void twice_is_once(void **state)
{
	void (*const makers[])(const Fixture *f) = { make_debian, make_fedora, make_systemd_boot };
	Fixture *f = *state;

	add_card(f, "1e60:2864");
	add_card(f, "00:1c.4/00.0");
	for (guint i = 0; i < G_N_ELEMENTS(makers); i++) {
		g_autoptr(GError) error = NULL;
		makers[i](f);
		assert_set_up(f);
		g_autofree char *before = snapshot(f);
		g_string_truncate(ran, 0);
		assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
		assert_null(error);
		assert_string_equal(ran->str, "");
		g_autofree char *after = snapshot(f);
		assert_string_equal(before, after);
		assert_taken_back(f);
		fake_files_remove(f->root, "etc");
		fake_files_remove(f->root, "usr");
		fake_files_remove(f->root, "boot");
	}
}

/* Files, folders that were made for them, the state: all gone. Enabled units are disabled. */
static void undo_leaves_nothing(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	g_autofree char *before = snapshot(f);
	assert_set_up(f);
	put(f, "etc/systemd/system/multi-user.target.wants/hailo-vm@lab.service", "", 0644);
	g_string_truncate(ran, 0);
	assert_taken_back(f);
	assert_string_equal(ran->str, "systemctl disable hailo-vm@lab.service\n" REMOVE_ACCOUNTS
				      "update-initramfs -u -k all\n"
				      "update-grub\n");
	fake_files_remove(f->root, "etc/systemd"); /* what the real systemctl removes */
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
}

/* A part alone, and the rest stays. */
static void parts_come_and_go(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "1e60:2864");
	assert_true(set_up(f, 1u << HVR_SETUP_MODPROBE, FALSE, &error));
	assert_false(fake_files_exist(f->root, "etc/systemd"));
	assert_true(set_up(f, 1u << HVR_SETUP_SERVICE, FALSE, &error));
	assert_true(take_back(f, 1u << HVR_SETUP_MODPROBE, FALSE, &error));
	assert_false(fake_files_exist(f->root, "etc/modprobe.d/hailo-vm-run.conf"));
	assert_true(fake_files_exist(f->root, "etc/systemd/system/hailo-vm@.service"));
	assert_taken_back(f);
	assert_false(fake_files_exist(f->root, "var"));
}

/* A file that only the cards of before needed goes. */
static void other_cards_replace_files(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	g_ptr_array_set_size(f->cards, 0);
	add_card(f, "1e60:45c4"); /* its resets are kept */
	assert_set_up(f);
	assert_false(fake_files_exist(f->root, "etc/udev/rules.d/70-hailo-vm-run-reset.rules"));
	assert_has(f, "etc/udev/rules.d/71-hailo-vm-run-bind.rules", "0x45c4");
	assert_taken_back(f);
}

static void drift_is_seen(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	put(f, "etc/modprobe.d/hailo-vm-run.conf", "# mine\n", 0644);
	fake_files_remove(f->root, "etc/udev/rules.d/70-hailo-vm-run-reset.rules");

	g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, NULL);
	g_autoptr(GPtrArray) changes = changes_of(f, HVR_SETUP_ALL_PARTS, known, TRUE, &error);
	g_autofree char *drift = hvr_setup_show_drift(changes);
	assert_string_equal(drift,
			    "modprobe: etc/modprobe.d/hailo-vm-run.conf is not as setup would "
			    "write it\n"
			    "reset-policy: etc/udev/rules.d/70-hailo-vm-run-reset.rules is "
			    "missing\n");
	assert_refused(f, "'etc/modprobe.d/hailo-vm-run.conf' was changed since setup wrote it");
	assert_false(take_back(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_non_null(strstr(error->message, "was changed since"));
	g_clear_error(&error);
	assert_true(set_up(f, HVR_SETUP_ALL_PARTS, TRUE, &error));
	assert_has(f, "etc/modprobe.d/hailo-vm-run.conf", "softdep");
	assert_taken_back(f);
}

static void a_mode_is_drift(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(
		f->root, "etc/initramfs-tools/scripts/init-top/hailo-vm-run", NULL);

	make_debian(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	assert_int_equal(chmod(path, 0644), 0);
	assert_set_up(f);
	assert_int_equal(access(path, X_OK), 0);
	assert_taken_back(f);
}

static void a_foreign_file_is_refused(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "1e60:2864");
	put(f, "etc/modprobe.d/hailo-vm-run.conf", "# somebody's\n", 0604);
	g_autofree char *before = snapshot(f);
	assert_refused(f, "is there, and not of setup's making");

	/* With force it is kept, and comes back with its mode. */
	assert_true(set_up(f, HVR_SETUP_ALL_PARTS, TRUE, &error));
	assert_has(f, "etc/modprobe.d/hailo-vm-run.conf", "softdep");
	assert_taken_back(f);
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
}

/* Root is not led elsewhere by a link: neither a file's nor a folder's. */
static void links_are_refused(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	fake_files_link_text(f->root, "etc/modprobe.d/hailo-vm-run.conf", "../passwd");
	assert_refused(f, "'etc/modprobe.d/hailo-vm-run.conf' is a symbolic link");
	fake_files_remove(f->root, "etc/modprobe.d");
	fake_files_link_text(f->root, "etc/modprobe.d", f->machine->root);
	assert_refused(f, "etc/modprobe.d/hailo-vm-run.conf");
}

/* Of a target that somebody else made: each name on the way may lead into this host. */
static void target_links_lead_nowhere(void **state)
{
	static const char *const places[] = {
		"etc", "etc/udev", "etc/udev/rules.d", "var", "var/lib/hailo-vm-run", "etc/systemd"
	};
	Fixture *f = *state;
	g_autofree char *host = g_dir_make_tmp("hvr-host-XXXXXX", NULL);

	add_card(f, "1e60:2864");
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		make_debian(f);
		fake_files_remove(f->root, places[i]);
		fake_files_link_text(f->root, places[i], host);
		g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, &error);
		if (known)
			assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
		assert_non_null(error);
		g_autoptr(GPtrArray) made = fake_files_list(host, ".");
		assert_int_equal(made->len, 0);
		fake_files_remove(f->root, "etc");
		fake_files_remove(f->root, "var");
	}
	fake_files_end(host);
}

/* A second name of a file of this host's: neither shown nor kept where others can read it. */
static void target_hard_links_are_not_read(void **state)
{
	Fixture *f = *state;
	g_autofree char *secret = g_build_filename(f->root, "secret", NULL);
	g_autofree char *name = g_build_filename(f->root, "etc/kernel/cmdline", NULL);

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	put(f, "secret", "root:$6$hash", 0600);
	fake_files_remove(f->root, "etc/kernel/cmdline");
	assert_int_equal(link(secret, name), 0);
	assert_refused(f, "'etc/kernel/cmdline' is a file that has another name too");
}

/* alarm(2) ends the whole test where somebody waits. */
static void target_fifo_never_hangs(void **state)
{
	static const char *const places[] = { "etc/group", "etc/kernel/cmdline",
					      "etc/modprobe.d/hailo-vm-run.conf" };
	Fixture *f = *state;

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	alarm(20);
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *path = g_build_filename(f->root, places[i], NULL);
		fake_files_remove(f->root, places[i]);
		fake_files_make_folder(f->root, "etc/modprobe.d");
		assert_int_equal(mkfifo(path, 0644), 0);
		g_autoptr(HvrSetupSystem) system =
			hvr_setup_system_look(&f->context, f->target, FALSE);
		assert_false(system->has_group);
		if (i == 2)
			assert_refused(f, "is no plain file");
		fake_files_remove(f->root, places[i]);
	}
	alarm(0);
}

/* setup.ini is the target's, too: with it no file of root's becomes one that is run as root. */
static void target_state_gives_no_setuid(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->root, "etc/kernel/cmdline", NULL);
	g_autofree char *ini = g_build_filename(f->root, "var/lib/hailo-vm-run/setup.ini", NULL);
	struct stat st;

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	assert_set_up(f);
	g_autoptr(GKeyFile) file = g_key_file_new();
	assert_true(g_key_file_load_from_file(file, ini, G_KEY_FILE_NONE, NULL));
	g_key_file_set_uint64(file, "file etc/kernel/cmdline", "mode", 04755);
	assert_true(g_key_file_save_to_file(file, ini, NULL));
	assert_taken_back(f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_missing_program_changes_nothing(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	missing_program = "update-initramfs";
	assert_refused(f, "no 'update-initramfs'");
}

/* What failed is run again by the next setup, and undo knows the rest. */
static void a_failing_program_is_not_forgotten(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "1e60:2864");
	g_autofree char *before = snapshot(f);
	failing_program = "update-initramfs";
	assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_non_null(error);
	failing_program = NULL;
	g_string_truncate(ran, 0);
	assert_set_up(f);
	assert_string_equal(ran->str, "update-initramfs -u -k all\nupdate-grub\n");

	assert_taken_back(f);
	g_clear_error(&error);
	failing_program = "groupadd";
	assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	failing_program = NULL;
	g_string_truncate(ran, 0);
	assert_taken_back(f);
	assert_null(strstr(ran->str, "groupdel"));
	g_autofree char *after = snapshot(f);
	assert_string_equal(before, after);
}

/* Where nothing can be confined the files are written, and who asks is told what to run. */
static void unconfined_is_not_run(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_debian(f);
	add_card(f, "1e60:2864");
	confining_fails = TRUE;
	assert_false(set_up(f, HVR_SETUP_ALL_PARTS, FALSE, &error));
	assert_int_equal(hvr_exit_status(error), 77);
	assert_true(g_str_has_prefix(error->message, "not finished: "));
	assert_non_null(strstr(error->message, "still to be run: groupadd --system hailo-vm; "
					       "groupadd --system hailo-vm-qemu; useradd --system "
					       "--no-create-home --home-dir / --shell "
					       "/usr/sbin/nologin --gid hailo-vm-qemu hailo-vm; "
					       "update-initramfs -u -k all; update-grub"));
	assert_true(fake_files_exist(f->root, "etc/modprobe.d/hailo-vm-run.conf"));
	assert_string_equal(ran->str, "");

	g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, NULL);
	assert_int_not_equal(known->pending, 0);
	confining_fails = FALSE;
	assert_set_up(f);
	assert_string_equal(ran->str, MAKE_ACCOUNTS "update-initramfs -u -k all\n"
						    "update-grub\n");
}

/* A crash between the state and the files: each subset of the files is taken back. */
static void undo_after_a_crash(void **state)
{
	static const char *const written[] = { "etc/default/grub.d/hailo-vm-run.cfg",
					       "etc/initramfs-tools/hooks/hailo-vm-run",
					       "etc/modprobe.d/hailo-vm-run.conf",
					       "etc/systemd/system/hailo-vm@.service" };
	Fixture *f = *state;

	make_debian(f);
	add_card(f, "1e60:2864");
	g_autofree char *before = snapshot(f);
	for (guint missing = 0; missing < 1u << G_N_ELEMENTS(written); missing++) {
		assert_set_up(f);
		for (guint i = 0; i < G_N_ELEMENTS(written); i++)
			if (missing & (1u << i))
				fake_files_remove(f->root, written[i]);
		assert_taken_back(f);
		g_autofree char *after = snapshot(f);
		assert_string_equal(before, after);
	}
}

/* Cards in the languages of shell and udev; a root bus below another one (VMD) too. */
static void cards_are_found_by_what_they_are(void **state)
{
	static const struct {
		const char *text, *pattern, *match;
	} table[] = {
		{ "1E60:2864", "1e60:2864*", "ATTR{vendor}==\"0x1e60\", ATTR{device}==\"0x2864\"" },
		{ "00:1c.4/00.0", "*/pci0000:00/0000:00:1c.4/0000:??:00.0",
		  "DEVPATH==\"*/pci0000:00/0000:00:1c.4/0000:??:00.0\"" },
		{ "0000:00:1c.4/00.0/03.1/00.0",
		  "*/pci0000:00/0000:00:1c.4/0000:??:00.0/0000:??:03.1/0000:??:00.0", NULL },
		{ "10000:e0:06.0/00.0", "*/pci10000:e0/10000:e0:06.0/10000:??:00.0", NULL },
	};
	static const char *const wrong[] = {
		"", "1e60", "1e60:28645", "xyz", "../..", "1e60:2864'"
	};

	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(HvrSetupCard) card = hvr_setup_card_parse(table[i].text, NULL, NULL);
		assert_non_null(card);
		assert_string_equal(card->pattern, table[i].pattern);
		if (table[i].match)
			assert_string_equal(card->match, table[i].match);
		g_autofree char *text = hvr_setup_card_to_text(card);
		g_autoptr(HvrSetupCard) again = hvr_setup_card_from_text(text);
		assert_string_equal(again->pattern, card->pattern);
		assert_int_equal(g_strcmp0(again->reset, card->reset), 0);
	}
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(hvr_setup_card_parse(wrong[i], NULL, &error));
		assert_int_equal(hvr_exit_status(error), 64);
	}
}

/* An address means the card that has it now, and is kept as the way to it. */
static void an_address_becomes_a_path(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->context.host, NULL);
	g_autoptr(HvrSetupCard) card = hvr_setup_card_parse("0000:02:00.0", inventory, NULL);

	assert_string_equal(card->spec, "00:1c.4/00.0");
	assert_string_equal(card->reset, "");
	assert_null(hvr_setup_card_parse("0000:77:00.0", inventory, &error));
	assert_int_equal(hvr_exit_status(error), 69);
}

/* No word is left unfilled, whichever kind of card it is about. */
static void templates_are_filled(void **state)
{
	static const char *const cards[] = { "1e60:2864", "1e60:45c4", "00:1c.4/00.0" };
	Fixture *f = *state;
	HvrSetupWords words = { "iommu=pt", "/usr/bin/hailo-vm-run" };
	GHashTableIter iter;
	gpointer name;

	for (guint i = 0; i < G_N_ELEMENTS(cards); i++) {
		g_ptr_array_set_size(f->cards, 0);
		add_card(f, cards[i]);
		g_hash_table_iter_init(&iter, f->templates);
		while (g_hash_table_iter_next(&iter, &name, NULL)) {
			g_autofree char *text =
				hvr_setup_template_fill(f->templates, name, f->cards, &words);
			if (text && g_regex_match_simple("@[A-Z_]+@", text, 0, 0))
				fail_msg("%s: %s", (const char *)name, text);
		}
	}
}

static void processors_differ(void **state)
{
	static const struct {
		HvrCpuMaker cpu;
		const char *arguments; /* NULL: no file */
	} table[] = {
		{ HVR_CPU_INTEL, "$GRUB_CMDLINE_LINUX intel_iommu=on iommu=pt\"" },
		{ HVR_CPU_AMD, "$GRUB_CMDLINE_LINUX iommu=pt\"" },
		{ HVR_CPU_ARM, NULL },
	};
	Fixture *f = *state;

	make_debian(f);
	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(HvrSetupSystem) system =
			hvr_setup_system_look(&f->context, f->target, FALSE);
		system->cpu = table[i].cpu;
		g_autoptr(HvrSetupPlan) plan = hvr_setup_plan_make(
			system, 1u << HVR_SETUP_KERNEL_ARGS, f->cards, f->templates, "x");
		assert_int_equal(plan->files->len, table[i].arguments ? 1 : 0);
		assert_int_equal(plan->notes->len, table[i].arguments ? 0 : 1);
		const HvrSetupFile *file =
			plan->files->len ? g_ptr_array_index(plan->files, 0) : NULL;
		if (file)
			assert_non_null(strstr(file->text, table[i].arguments));
	}
}

/* Only the lines that differ are shown. */
static void changes_are_shown(void **state)
{
	Fixture *f = *state;

	make_systemd_boot(f);
	add_card(f, "1e60:2864");
	g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, NULL);
	g_autoptr(GPtrArray) changes =
		changes_of(f, 1u << HVR_SETUP_KERNEL_ARGS, known, FALSE, NULL);
	g_autofree char *text = hvr_setup_show(changes, NULL, HVR_SETUP_CONTENTS);
	assert_string_equal(text,
			    "change etc/kernel/cmdline (kernel-args, mode 0640, what is there "
			    "now is kept)\n"
			    "-root=UUID=1 quiet\n"
			    "+root=UUID=1 quiet intel_iommu=on iommu=pt\n");
}

#define EVIL "\033[2J\a\302\2332J\r"
#define SAFE "\\x1b[2J\\x07\\u009b2J\\x0d"

/* A line of the target's file is one line here, and obeyed by no terminal. */
static void escape_in_target_file(void **state)
{
	Fixture *f = *state;

	make_systemd_boot(f);
	put(f, "etc/kernel/cmdline", "quiet " EVIL "x", 0640);
	add_card(f, "1e60:2864");
	g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, NULL);
	g_autoptr(GPtrArray) changes =
		changes_of(f, 1u << HVR_SETUP_KERNEL_ARGS, known, FALSE, NULL);
	g_autofree char *text = hvr_setup_show(changes, NULL, HVR_SETUP_CONTENTS);
	assert_non_null(strstr(text, "\n-quiet " SAFE "x\n+quiet " SAFE "x intel_iommu=on"));
	assert_null(strpbrk(text, "\033\a\302\r"));
}

/* What setup.ini of a target would have run is no line of ours either. */
static void escape_in_target_state(void **state)
{
	Fixture *f = *state;

	make_debian(f);
	put(f, "var/lib/hailo-vm-run/setup.ini",
	    "[setup]\nparts=63\n[action evil]\npart=permissions\nargv=true\n"
	    "undo=evil\\nrun nothing;" EVIL ";\n",
	    0644);
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(&f->context, f->target, FALSE);
	g_autoptr(HvrSetupState) known = hvr_setup_state_load(f->target, NULL);
	assert_non_null(known);
	const HvrSetupScope scope = {
		.target = f->target, .state = known, .parts = HVR_SETUP_ALL_PARTS, .force = TRUE
	};
	g_autoptr(GPtrArray) changes = hvr_setup_changes_undo(&scope, system, NULL);
	assert_non_null(changes);
	g_autofree char *text = hvr_setup_show(changes, NULL, HVR_SETUP_CONTENTS);
	g_autofree char *drift = hvr_setup_show_drift(changes);
	assert_non_null(strstr(text, "run evil\\x0arun nothing " SAFE "\n"));
	assert_non_null(strstr(drift, "still to be run: evil\\x0arun nothing " SAFE "\n"));
	assert_null(strpbrk(text, "\033\a\302\r"));
	assert_null(strpbrk(drift, "\033\a\302\r"));
}

static void assert_notified(const char *name, const struct sockaddr_un *address, socklen_t length)
{
	char buffer[100] = { 0 };
	g_auto(HvrFd) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)address, length), 0);
	g_setenv("NOTIFY_SOCKET", name, TRUE);
	hvr_notify_ready("it runs");
	g_unsetenv("NOTIFY_SOCKET");
	assert_true(recv(fd, buffer, sizeof(buffer) - 1, 0) > 0);
	assert_string_equal(buffer, "READY=1\nSTATUS=it runs\n");
	hvr_notify_ready("nobody asked");
	assert_int_equal(recv(fd, buffer, sizeof(buffer), 0), -1);
}

static void service_managers_are_told(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->root, "notify", NULL);
	g_autofree char *name = g_strdup_printf("@hvr-test-%d", (int)getpid());
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_notified(path, &address, sizeof(address));
	memset(address.sun_path, 0, sizeof(address.sun_path));
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_notified(name, &address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));

	g_setenv("NOTIFY_SOCKET", "relative", TRUE);
	hvr_notify_ready("nowhere");
	g_unsetenv("NOTIFY_SOCKET");
}

/* GLib's own texts have typographic quotes, which no other line of ours has. */
static void problems_are_told_plainly(void **state)
{
	Fixture *f = *state;
	g_auto(GStrv) argv = g_strsplit("hvr-not-on-this-host", " ", -1);
	g_autofree char *wanted =
		g_strdup_printf("setup's templates are not complete: cannot read '%s/bind.rules': "
				"No such file or directory\n",
				f->root);
	g_autoptr(GError) no_template = NULL;
	g_autoptr(GError) no_program = NULL;

	assert_null(hvr_setup_templates_load(f->root, &no_template));
	assert_true(g_str_has_prefix(no_template->message, wanted));

	/* It is found in the target, and gone when it is run. */
	put_program(f, "usr/bin/hvr-not-on-this-host");
	assert_false(hvr_setup_runner.run(f->target, HVR_SETUP_HERE, argv, &no_program));
	assert_string_equal(no_program->message,
			    "'hvr-not-on-this-host' failed: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debian_has_its_files),
		TEST(the_guard_is_named),
		TEST(the_guard_wants_an_id),
		TEST(fedora_has_its_files),
		TEST(systemd_boot_keeps_the_line),
		TEST(proxmox_refreshes_its_partitions),
		TEST(commands_add_arguments),
		TEST(what_is_left_is_named),
		TEST(grub_rules_where_its_menu_is),
		TEST(arguments_given_by_hand_stay),
		TEST(twice_is_once),
		TEST(undo_leaves_nothing),
		TEST(parts_come_and_go),
		TEST(other_cards_replace_files),
		TEST(drift_is_seen),
		TEST(a_mode_is_drift),
		TEST(a_foreign_file_is_refused),
		TEST(links_are_refused),
		TEST(target_links_lead_nowhere),
		TEST(target_hard_links_are_not_read),
		TEST(target_fifo_never_hangs),
		TEST(target_state_gives_no_setuid),
		TEST(unconfined_is_not_run),
		TEST(a_missing_program_changes_nothing),
		TEST(a_failing_program_is_not_forgotten),
		TEST(undo_after_a_crash),
		TEST(cards_are_found_by_what_they_are),
		TEST(an_address_becomes_a_path),
		TEST(templates_are_filled),
		TEST(processors_differ),
		TEST(changes_are_shown),
		TEST(escape_in_target_file),
		TEST(escape_in_target_state),
		TEST(problems_are_told_plainly),
		TEST(service_managers_are_told),
	};

	return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
