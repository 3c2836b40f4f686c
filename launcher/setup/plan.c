/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * (system, parts, cards) -> files and commands. Nothing is looked at here and nothing is changed:
 * what differs from what is there is changes.c's matter.
 */
#include "launcher/setup/plan.h"

#include <string.h>

#include "launcher/process/user.h"
#include "launcher/setup/cards.h"
#include "vfio/guard.h"

static const struct {
	const char *name;
	const char *summary;
} parts_table[HVR_SETUP_N_PARTS] = {
	[HVR_SETUP_KERNEL_ARGS] = { "kernel-args", "the IOMMU on, in the boot loader" },
	[HVR_SETUP_EARLY_BIND] = { "early-bind", "the cards on vfio-pci before any other driver" },
	[HVR_SETUP_MODPROBE] = { "modprobe", "vfio-pci before hailo_pci; kvm ignore_msrs=1" },
	[HVR_SETUP_RESET_POLICY] = { "reset-policy", "reset_method, at boot and on hot-add" },
	[HVR_SETUP_PERMISSIONS] = { "permissions", "group " HVR_SETUP_GROUP
						   ": run without root; user " HVR_USER_SYSTEM
						   " for VMs of root" },
	[HVR_SETUP_SERVICE] = { "service", "hailo-vm@NAME.service: VMs started at boot" },
	[HVR_SETUP_GUARD] = { "guard", "module " HVR_GUARD_MODULE " at boot; only when named" },
};

const char *hvr_setup_part_name(HvrSetupPart part)
{
	return parts_table[part].name;
}

const char *hvr_setup_part_summary(HvrSetupPart part)
{
	return parts_table[part].summary;
}

gboolean hvr_setup_part_find(const char *name, HvrSetupPart *out_part)
{
	for (guint i = 0; i < HVR_SETUP_N_PARTS; i++)
		if (g_str_equal(parts_table[i].name, name)) {
			*out_part = (HvrSetupPart)i;
			return TRUE;
		}
	return FALSE;
}

static void file_free(gpointer data)
{
	HvrSetupFile *file = data;

	g_free(file->path);
	g_free(file->text);
	g_free(file);
}

void hvr_setup_action_free(HvrSetupAction *action)
{
	g_free(action->id);
	g_strfreev(action->argv);
	g_strfreev(action->undo);
	g_free(action);
}

HvrSetupAction *hvr_setup_action_copy(const HvrSetupAction *action)
{
	HvrSetupAction *copy = g_new(HvrSetupAction, 1);

	*copy = *action;
	copy->id = g_strdup(action->id);
	copy->argv = g_strdupv(action->argv);
	copy->undo = g_strdupv(action->undo);
	return copy;
}

void hvr_setup_plan_free(HvrSetupPlan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->files);
	g_ptr_array_unref(plan->actions);
	g_ptr_array_unref(plan->notes);
	g_free(plan->left);
	g_free(plan->by_hand);
	g_free(plan);
}

typedef struct {
	const HvrSetupSystem *system;
	const GPtrArray *cards;
	HvrSetupTemplates *templates;
	HvrSetupWords words;
	HvrSetupPlan *plan;
} Planning;

/* A file that comes out of a template, on a system with this initramfs (_UNKNOWN: whatever it has),
 * or with a boot loader that takes it (by_grub). */
typedef struct {
	HvrSetupPart part;
	gboolean by_grub;
	HvrInitramfs initramfs;
	const char *path;
	const char *template;
	mode_t mode;
	guint after;
} Source;

static const Source sources[] = {
	{ .part = HVR_SETUP_KERNEL_ARGS,
	  .by_grub = TRUE,
	  .path = "etc/default/grub.d/hailo-vm-run.cfg",
	  .template = "grub.cfg",
	  .mode = 0644,
	  .after = HVR_AFTER_BOOT_LOADER },
	{ .part = HVR_SETUP_EARLY_BIND,
	  .initramfs = HVR_INITRAMFS_TOOLS,
	  .path = "etc/initramfs-tools/hooks/hailo-vm-run",
	  .template = "initramfs-hook",
	  .mode = 0755,
	  .after = HVR_AFTER_INITRAMFS },
	{ .part = HVR_SETUP_EARLY_BIND,
	  .initramfs = HVR_INITRAMFS_TOOLS,
	  .path = "etc/initramfs-tools/scripts/init-top/hailo-vm-run",
	  .template = "initramfs-script",
	  .mode = 0755,
	  .after = HVR_AFTER_INITRAMFS },
	{ .part = HVR_SETUP_EARLY_BIND,
	  .initramfs = HVR_INITRAMFS_DRACUT,
	  .path = "usr/lib/dracut/modules.d/90hailo-vm-run/module-setup.sh",
	  .template = "dracut-module-setup.sh",
	  .mode = 0755,
	  .after = HVR_AFTER_INITRAMFS },
	{ .part = HVR_SETUP_EARLY_BIND,
	  .initramfs = HVR_INITRAMFS_DRACUT,
	  .path = "usr/lib/dracut/modules.d/90hailo-vm-run/bind.sh",
	  .template = "dracut-bind.sh",
	  .mode = 0755,
	  .after = HVR_AFTER_INITRAMFS },
	{ .part = HVR_SETUP_EARLY_BIND,
	  .path = "etc/udev/rules.d/71-hailo-vm-run-bind.rules",
	  .template = "bind.rules",
	  .mode = 0644,
	  .after = HVR_AFTER_UDEV },
	{ .part = HVR_SETUP_MODPROBE,
	  .path = "etc/modprobe.d/hailo-vm-run.conf",
	  .template = "modprobe.conf",
	  .mode = 0644,
	  .after = HVR_AFTER_INITRAMFS },
	{ .part = HVR_SETUP_RESET_POLICY,
	  .path = "etc/udev/rules.d/70-hailo-vm-run-reset.rules",
	  .template = "reset.rules",
	  .mode = 0644,
	  .after = HVR_AFTER_UDEV },
	{ .part = HVR_SETUP_PERMISSIONS,
	  .path = "etc/udev/rules.d/72-hailo-vm-run-vfio.rules",
	  .template = "vfio.rules",
	  .mode = 0644,
	  .after = HVR_AFTER_UDEV },
	{ .part = HVR_SETUP_PERMISSIONS,
	  .path = "etc/security/limits.d/hailo-vm-run.conf",
	  .template = "limits.conf",
	  .mode = 0644 },
	{ .part = HVR_SETUP_PERMISSIONS,
	  .path = "etc/tmpfiles.d/hailo-vm-run.conf",
	  .template = "tmpfiles.conf",
	  .mode = 0644,
	  .after = HVR_AFTER_TMPFILES },
	{ .part = HVR_SETUP_SERVICE,
	  .path = "etc/systemd/system/hailo-vm@.service",
	  .template = "hailo-vm@.service",
	  .mode = 0644,
	  .after = HVR_AFTER_SYSTEMD },
	{ .part = HVR_SETUP_GUARD,
	  .path = "etc/modules-load.d/hailo-vm-run-guard.conf",
	  .template = "guard-load.conf",
	  .mode = 0644 },
	{ .part = HVR_SETUP_GUARD,
	  .path = "etc/modprobe.d/hailo-vm-run-guard.conf",
	  .template = "guard-modprobe.conf",
	  .mode = 0644 },
};

static void add_note(const Planning *planning, const char *note)
{
	g_ptr_array_add(planning->plan->notes, g_strdup(note));
}

static void add_file(const Planning *planning, const Source *source)
{
	char *text = hvr_setup_template_fill(planning->templates, source->template, planning->cards,
					     &planning->words);

	/* It would say nothing. */
	if (!text)
		return;
	const HvrSetupFile file = { .part = source->part,
				    .path = g_strdup(source->path),
				    .text = text,
				    .mode = source->mode,
				    .after = source->after };
	g_ptr_array_add(planning->plan->files, g_memdup2(&file, sizeof(file)));
}

/* AMD's IOMMU needs no argument to be on, and has none that says so. */
static const char *kernel_arguments(HvrCpuMaker maker)
{
	switch (maker) {
	case HVR_CPU_INTEL:
		return "intel_iommu=on iommu=pt";
	case HVR_CPU_AMD:
		return "iommu=pt";
	case HVR_CPU_ARM:
	case HVR_CPU_OTHER:
		break;
	}
	return "";
}

static void append_word(GString *line, const char *word)
{
	if (line->len)
		g_string_append_c(line, ' ');
	g_string_append(line, word);
}

/* The words of @wanted that @line lacks. @line: (nullable) */
static char *missing_words(const char *line, const char *wanted)
{
	g_auto(GStrv) there = g_strsplit_set(line ? line : "", " \t\n", -1);
	g_auto(GStrv) words = g_strsplit(wanted, " ", -1);
	GString *missing = g_string_new(NULL);

	for (guint i = 0; words[i]; i++)
		if (!g_strv_contains((const char *const *)there, words[i]))
			append_word(missing, words[i]);
	return g_string_free(missing, FALSE);
}

char *hvr_setup_missing_arguments(const HvrSetupSystem *system)
{
	const char *wanted = kernel_arguments(system->cpu);

	return *wanted ? missing_words(system->running, wanted) : g_strdup("");
}

/* The running kernel's arguments without those that the boot loader adds for itself.
 * @running: (nullable) */
static char *own_arguments(const char *running)
{
	g_auto(GStrv) words = g_strsplit(running ? running : "", " ", -1);
	GString *line = g_string_new(NULL);

	for (guint i = 0; words[i]; i++)
		if (*words[i] && !g_str_has_prefix(words[i], "BOOT_IMAGE=") &&
		    !g_str_has_prefix(words[i], "initrd="))
			append_word(line, words[i]);
	return g_string_free(line, FALSE);
}

/* kernel-install takes its line from etc/kernel/cmdline, or else from the running kernel. */
static void plan_kernel_cmdline(const Planning *planning)
{
	const char *there = planning->system->kernel_cmdline;
	g_autofree char *line = g_strdup(there);

	if (!there)
		line = own_arguments(planning->system->running);
	if (!*line) {
		planning->plan->left = g_strdup("there is no etc/kernel/cmdline to add to");
		planning->plan->by_hand = g_strdup("make it, with the root= of the target, then "
						   "run setup again");
		return;
	}
	g_autofree char *missing = missing_words(line, planning->words.arguments);
	if (!*missing && !there)
		return;
	HvrSetupFile file = { .part = HVR_SETUP_KERNEL_ARGS,
			      .path = g_strdup("etc/kernel/cmdline"),
			      .mode = 0644,
			      .shared = TRUE,
			      .after = HVR_AFTER_BOOT_LOADER };
	if (*missing)
		file.text = g_strdup_printf("%s %s\n", g_strchomp(line), missing);
	else
		file.text = g_strdup(there);
	g_ptr_array_add(planning->plan->files, g_memdup2(&file, sizeof(file)));
}

static void plan_command(const Planning *planning)
{
	const char *arguments = planning->words.arguments;
	HvrLoaderKind kind = planning->system->loader.kind;
	g_auto(GStrv) argv = hvr_loader_command(kind, arguments, NULL);
	g_auto(GStrv) undo = hvr_loader_command(kind, NULL, arguments);
	g_autofree char *id = g_strconcat(argv[0], " ", arguments, NULL);
	g_autofree char *missing = missing_words(planning->system->running, arguments);
	const HvrSetupAction action = { .part = HVR_SETUP_KERNEL_ARGS,
					.id = id,
					.argv = argv,
					.undo = undo,
					.so_already = !*missing };

	g_ptr_array_add(planning->plan->actions, hvr_setup_action_copy(&action));
}

/* What is done by hand is done when the running kernel has it. */
static void plan_by_hand(const Planning *planning)
{
	const HvrLoader *loader = &planning->system->loader;
	const char *name = hvr_loader_name(loader->kind);
	g_autofree char *missing = hvr_setup_missing_arguments(planning->system);

	if (!*missing)
		return;
	if (loader->other != HVR_LOADER_UNKNOWN)
		planning->plan->left = g_strdup_printf("either %s or %s boots this system", name,
						       hvr_loader_name(loader->other));
	else if (loader->kind != HVR_LOADER_UNKNOWN)
		planning->plan->left = g_strdup_printf("setup does not change %s", name);
	else
		planning->plan->left = g_strdup_printf("there is %s", name);
	planning->plan->by_hand = hvr_loader_advice(loader, missing, NULL);
}

/* @loader's way, where there is but one that it may be. */
static HvrLoaderBy way_of(const HvrLoader *loader)
{
	return loader->other == HVR_LOADER_UNKNOWN ? hvr_loader_by(loader->kind)
						   : HVR_LOADER_BY_HAND;
}

static void plan_kernel_args(const Planning *planning)
{
	switch (way_of(&planning->system->loader)) {
	case HVR_LOADER_BY_GRUB_FILE: /* see sources */
		break;
	case HVR_LOADER_BY_COMMAND:
		plan_command(planning);
		break;
	case HVR_LOADER_BY_CMDLINE:
		plan_kernel_cmdline(planning);
		break;
	case HVR_LOADER_BY_HAND:
		plan_by_hand(planning);
		break;
	}
}

/* The group that people join, and the user that root's VMs run as, who is in none of theirs. What
 * is made last is undone first. */
static void plan_accounts(const Planning *planning)
{
	static const char *const group[] = { "groupadd", "--system", HVR_SETUP_GROUP, NULL };
	static const char *const no_group[] = { "groupdel", HVR_SETUP_GROUP, NULL };
	static const char *const own[] = { "groupadd", "--system", HVR_USER_SYSTEM_GROUP, NULL };
	static const char *const no_own[] = { "groupdel", HVR_USER_SYSTEM_GROUP, NULL };
	static const char *const user[] = { "useradd",		 "--system", "--no-create-home",
					    "--home-dir",	 "/",	     "--shell",
					    "/usr/sbin/nologin", "--gid",    HVR_USER_SYSTEM_GROUP,
					    HVR_USER_SYSTEM,	 NULL };
	static const char *const no_user[] = { "userdel", HVR_USER_SYSTEM, NULL };
	const HvrSetupSystem *system = planning->system;
	const HvrSetupAction actions[] = {
		{ .id = (char *)"group " HVR_SETUP_GROUP,
		  .argv = (char **)group,
		  .undo = (char **)no_group,
		  .so_already = system->has_group },
		{ .id = (char *)"group " HVR_USER_SYSTEM_GROUP,
		  .argv = (char **)own,
		  .undo = (char **)no_own,
		  .so_already = system->has_user_group || system->has_user },
		{ .id = (char *)"user " HVR_USER_SYSTEM,
		  .argv = (char **)user,
		  .undo = (char **)no_user,
		  .so_already = system->has_user },
	};

	for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
		HvrSetupAction *action = hvr_setup_action_copy(&actions[i]);
		action->part = HVR_SETUP_PERMISSIONS;
		g_ptr_array_add(planning->plan->actions, action);
	}
	add_note(planning, "permissions: for each user: usermod -aG " HVR_SETUP_GROUP
			   " USER, then log in again");
}

/* A module knows its cards by their IDs, and is there where its package is. */
static void plan_guard(const Planning *planning)
{
	const GPtrArray *cards = planning->cards;

	add_note(planning, "guard: the module is a package of its own, hailo-vm-run-guard-dkms; "
			   "before the next boot it is loaded by the first run, or by: "
			   "modprobe " HVR_GUARD_MODULE);
	for (guint i = 0; i < cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(cards, i);
		if (!strchr(card->spec, '/'))
			continue;
		g_autofree char *note = g_strdup_printf("guard: %s is no VENDOR:DEVICE, so that "
							"the module is not told of it",
							card->spec);
		add_note(planning, note);
	}
}

/* Most parts are files alone. */
static void plan_part(const Planning *planning, HvrSetupPart part)
{
	const HvrSetupSystem *system = planning->system;

	if (part == HVR_SETUP_KERNEL_ARGS && !*planning->words.arguments) {
		add_note(planning, "kernel-args: this processor's IOMMU needs no argument");
		return;
	}
	if (part == HVR_SETUP_KERNEL_ARGS)
		plan_kernel_args(planning);
	if (part == HVR_SETUP_EARLY_BIND && system->initramfs == HVR_INITRAMFS_UNKNOWN)
		add_note(planning,
			 "early-bind: neither initramfs-tools nor dracut is here: a driver "
			 "that is loaded before udev starts may see the cards first");
	if (part == HVR_SETUP_PERMISSIONS)
		plan_accounts(planning);
	if (part == HVR_SETUP_GUARD)
		plan_guard(planning);
	for (guint i = 0; i < G_N_ELEMENTS(sources); i++) {
		const Source *source = &sources[i];
		if (source->part == part &&
		    (!source->by_grub || way_of(&system->loader) == HVR_LOADER_BY_GRUB_FILE) &&
		    (!source->initramfs || source->initramfs == system->initramfs))
			add_file(planning, source);
	}
}

HvrSetupPlan *hvr_setup_plan_make(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				  HvrSetupTemplates *templates, const char *program)
{
	HvrSetupPlan *plan = g_new0(HvrSetupPlan, 1);
	const Planning planning = { .system = system,
				    .cards = cards,
				    .templates = templates,
				    .words = { .arguments = kernel_arguments(system->cpu),
					       .program = program },
				    .plan = plan };

	plan->files = g_ptr_array_new_with_free_func(file_free);
	plan->actions = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_setup_action_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		if (parts & (1u << part))
			plan_part(&planning, (HvrSetupPart)part);
	return plan;
}
