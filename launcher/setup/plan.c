/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * (system, parts, cards) -> files and commands. Nothing is looked at here and nothing is changed:
 * what differs from what is there is changes.c's matter.
 */
#include "launcher/setup/plan.h"

#include "launcher/setup/cards.h"

static const struct {
	const char *name;
	const char *summary;
} parts_table[HVR_SETUP_N_PARTS] = {
	[HVR_SETUP_KERNEL_ARGS] = { "kernel-args", "the IOMMU on, in the boot loader" },
	[HVR_SETUP_EARLY_BIND] = { "early-bind", "the cards on vfio-pci before any other driver" },
	[HVR_SETUP_MODPROBE] = { "modprobe", "vfio-pci before hailo_pci; kvm ignore_msrs=1" },
	[HVR_SETUP_RESET_POLICY] = { "reset-policy", "reset_method, at boot and on hot-add" },
	[HVR_SETUP_PERMISSIONS] = { "permissions", "group " HVR_SETUP_GROUP ": run without root" },
	[HVR_SETUP_SERVICE] = { "service", "hailo-vm@NAME.service: VMs started at boot" },
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
		if (g_str_equal(parts_table[i].name, name))
			return *out_part = (HvrSetupPart)i, TRUE;
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

void hvr_setup_plan_free(HvrSetupPlan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->files);
	g_ptr_array_unref(plan->actions);
	g_ptr_array_unref(plan->notes);
	g_free(plan);
}

typedef struct {
	const HvrSetupSystem *system;
	const GPtrArray *cards;
	HvrSetupTemplates *templates;
	HvrSetupWords words;
	HvrSetupPlan *plan;
} Planning;

static void add_note(const Planning *how, const char *note)
{
	g_ptr_array_add(how->plan->notes, g_strdup(note));
}

/* @text: (transfer full) */
static HvrSetupFile *add_text(const Planning *how, HvrSetupPart part, const char *path, char *text,
			      guint after)
{
	HvrSetupFile *file = g_new0(HvrSetupFile, 1);

	*file = (HvrSetupFile){
		.part = part, .path = g_strdup(path), .text = text, .mode = 0644, .after = after
	};
	g_ptr_array_add(how->plan->files, file);
	return file;
}

/* Nothing is added for a file that would say nothing. */
static void add_file(const Planning *how, HvrSetupPart part, const char *path, mode_t mode,
		     const char *template, guint after)
{
	char *text = hvr_setup_template_fill(how->templates, template, how->cards, &how->words);

	if (text)
		add_text(how, part, path, text, after)->mode = mode;
}

/* @argv, @undo: end with NULL; copied */
static void add_action(const Planning *how, HvrSetupPart part, const char *id,
		       const char *const *argv, const char *const *undo, gboolean so_already)
{
	HvrSetupAction *action = g_new(HvrSetupAction, 1);

	*action = (HvrSetupAction){ .part = part,
				    .id = g_strdup(id),
				    .argv = g_strdupv((char **)argv),
				    .undo = g_strdupv((char **)undo),
				    .so_already = so_already };
	g_ptr_array_add(how->plan->actions, action);
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

static gboolean has_word(const char *line, const char *word)
{
	g_auto(GStrv) words = g_strsplit_set(line ? line : "", " \t\n", -1);

	return g_strv_contains((const char *const *)words, word);
}

/* The words of @wanted that @line lacks. */
static char *missing_words(const char *line, const char *wanted)
{
	g_auto(GStrv) words = g_strsplit(wanted, " ", -1);
	GString *missing = g_string_new(NULL);

	for (guint i = 0; words[i]; i++)
		if (!has_word(line, words[i]))
			g_string_append_printf(missing, "%s%s", missing->len ? " " : "", words[i]);
	return g_string_free(missing, FALSE);
}

/* The running kernel's arguments without those that the boot loader adds for itself. */
static char *own_arguments(const char *running)
{
	g_auto(GStrv) words = g_strsplit(running ? running : "", " ", -1);
	GString *line = g_string_new(NULL);

	for (guint i = 0; words[i]; i++)
		if (*words[i] && !g_str_has_prefix(words[i], "BOOT_IMAGE=") &&
		    !g_str_has_prefix(words[i], "initrd="))
			g_string_append_printf(line, "%s%s", line->len ? " " : "", words[i]);
	return g_string_free(line, FALSE);
}

/* kernel-install takes its line from etc/kernel/cmdline, or else from the running kernel. */
static void plan_kernel_cmdline(const Planning *how)
{
	const HvrSetupSystem *system = how->system;
	g_autofree char *line = system->kernel_cmdline ? g_strdup(system->kernel_cmdline)
						       : own_arguments(system->running);
	g_autofree char *missing = missing_words(line, how->words.arguments);

	if (!*line) {
		add_note(how, "kernel-args: there is no etc/kernel/cmdline to add to, and it needs "
			      "the root= of the target: make it, then run setup again");
		return;
	}
	if (!*missing && !system->kernel_cmdline)
		return;
	g_strchomp(line);
	char *text = *missing ? g_strdup_printf("%s %s\n", line, missing)
			      : g_strdup(system->kernel_cmdline);
	add_text(how, HVR_SETUP_KERNEL_ARGS, "etc/kernel/cmdline", text, HVR_AFTER_BOOT_LOADER)
		->shared = TRUE;
}

static void plan_grubby(const Planning *how)
{
	const char *arguments = how->words.arguments;
	g_autofree char *add = g_strconcat("--args=", arguments, NULL);
	g_autofree char *drop = g_strconcat("--remove-args=", arguments, NULL);
	g_autofree char *id = g_strconcat("grubby ", arguments, NULL);
	const char *argv[] = { "grubby", "--update-kernel=ALL", add, NULL };
	const char *undo[] = { "grubby", "--update-kernel=ALL", drop, NULL };

	g_autofree char *missing = missing_words(how->system->running, arguments);
	add_action(how, HVR_SETUP_KERNEL_ARGS, id, argv, undo, !*missing);
}

static void plan_kernel_args(const Planning *how)
{
	if (!*how->words.arguments) {
		add_note(how, "kernel-args: this processor's IOMMU needs no argument");
		return;
	}
	switch (how->system->boot_loader) {
	case HVR_BOOT_GRUB:
		add_file(how, HVR_SETUP_KERNEL_ARGS, "etc/default/grub.d/hailo-vm-run.cfg", 0644,
			 "grub.cfg", HVR_AFTER_BOOT_LOADER);
		break;
	case HVR_BOOT_GRUBBY:
		plan_grubby(how);
		break;
	case HVR_BOOT_KERNEL_INSTALL:
		plan_kernel_cmdline(how);
		break;
	case HVR_BOOT_UNKNOWN:
		g_ptr_array_add(how->plan->notes,
				g_strdup_printf("kernel-args: no boot loader that is known here; "
						"add to the kernel's arguments by hand: %s",
						how->words.arguments));
		break;
	}
}

static void plan_early_bind(const Planning *how)
{
	const HvrSetupPart part = HVR_SETUP_EARLY_BIND;

	switch (how->system->initramfs) {
	case HVR_INITRAMFS_TOOLS:
		add_file(how, part, "etc/initramfs-tools/hooks/hailo-vm-run", 0755,
			 "initramfs-hook", HVR_AFTER_INITRAMFS);
		add_file(how, part, "etc/initramfs-tools/scripts/init-top/hailo-vm-run", 0755,
			 "initramfs-script", HVR_AFTER_INITRAMFS);
		break;
	case HVR_INITRAMFS_DRACUT:
		add_file(how, part, "usr/lib/dracut/modules.d/90hailo-vm-run/module-setup.sh", 0755,
			 "dracut-module-setup.sh", HVR_AFTER_INITRAMFS);
		add_file(how, part, "usr/lib/dracut/modules.d/90hailo-vm-run/bind.sh", 0755,
			 "dracut-bind.sh", HVR_AFTER_INITRAMFS);
		break;
	case HVR_INITRAMFS_UNKNOWN:
		add_note(how, "early-bind: neither initramfs-tools nor dracut is here: a driver "
			      "that is loaded before udev starts may see the cards first");
		break;
	}
	add_file(how, part, "etc/udev/rules.d/71-hailo-vm-run-bind.rules", 0644, "bind.rules",
		 HVR_AFTER_UDEV);
}

static void plan_permissions(const Planning *how)
{
	const char *argv[] = { "groupadd", "--system", HVR_SETUP_GROUP, NULL };
	const char *undo[] = { "groupdel", HVR_SETUP_GROUP, NULL };

	add_action(how, HVR_SETUP_PERMISSIONS, "group " HVR_SETUP_GROUP, argv, undo,
		   how->system->has_group);
	add_file(how, HVR_SETUP_PERMISSIONS, "etc/udev/rules.d/72-hailo-vm-run-vfio.rules", 0644,
		 "vfio.rules", HVR_AFTER_UDEV);
	add_file(how, HVR_SETUP_PERMISSIONS, "etc/security/limits.d/hailo-vm-run.conf", 0644,
		 "limits.conf", 0);
	add_note(how, "permissions: for each user: usermod -aG " HVR_SETUP_GROUP
		      " USER, then log in again");
}

static void plan_part(const Planning *how, HvrSetupPart part)
{
	switch (part) {
	case HVR_SETUP_KERNEL_ARGS:
		plan_kernel_args(how);
		break;
	case HVR_SETUP_EARLY_BIND:
		plan_early_bind(how);
		break;
	case HVR_SETUP_MODPROBE:
		add_file(how, part, "etc/modprobe.d/hailo-vm-run.conf", 0644, "modprobe.conf",
			 HVR_AFTER_INITRAMFS);
		break;
	case HVR_SETUP_RESET_POLICY:
		add_file(how, part, "etc/udev/rules.d/70-hailo-vm-run-reset.rules", 0644,
			 "reset.rules", HVR_AFTER_UDEV);
		break;
	case HVR_SETUP_PERMISSIONS:
		plan_permissions(how);
		break;
	case HVR_SETUP_SERVICE:
		add_file(how, part, "etc/systemd/system/hailo-vm@.service", 0644,
			 "hailo-vm@.service", HVR_AFTER_SYSTEMD);
		break;
	}
}

HvrSetupPlan *hvr_setup_plan_make(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				  HvrSetupTemplates *templates, const char *program)
{
	HvrSetupPlan *plan = g_new(HvrSetupPlan, 1);
	const Planning how = { .system = system,
			       .cards = cards,
			       .templates = templates,
			       .words = { kernel_arguments(system->cpu), program },
			       .plan = plan };

	plan->files = g_ptr_array_new_with_free_func(file_free);
	plan->actions = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_setup_action_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		if (parts & (1u << part))
			plan_part(&how, (HvrSetupPart)part);
	return plan;
}
