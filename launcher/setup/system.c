/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Found by the files that the tools themselves read, not by the distribution's name: derivatives
 * have other names, and images are changed by their makers.
 */
#include "launcher/setup/system.h"

#include <string.h>

#include "launcher/host/loader-look.h"
#include "launcher/process/user.h"
#include "launcher/setup/template.h"
#include "launcher/setup/tree.h"
#include "vfio/tree.h"

static void kernel_free(gpointer data)
{
	HvrSetupKernel *kernel = data;

	g_free(kernel->version);
	g_free(kernel->image);
	g_free(kernel->initramfs);
	g_free(kernel);
}

void hvr_setup_system_free(HvrSetupSystem *system)
{
	if (!system)
		return;
	g_ptr_array_unref(system->kernels);
	g_ptr_array_unref(system->enabled);
	g_free(system->kernel_cmdline);
	g_free(system->running);
	g_free(system->boot_id);
	g_free(system);
}

static gboolean has_any(int target, const char *const *paths)
{
	for (; *paths; paths++)
		if (hvr_tree_exists(target, *paths))
			return TRUE;
	return FALSE;
}

static HvrLoader find_loader(const HvrContext *context, int target, gboolean live)
{
	HvrHost host = { .sys = -1, .dev = -1, .proc = -1, .run = -1 };

	if (live)
		host = context->host;
	host.root = target;
	return hvr_loader_look(&host);
}

static HvrInitramfs find_initramfs(int target)
{
	static const char *const dracut[] = { "usr/bin/dracut", "usr/sbin/dracut", NULL };

	if (hvr_tree_exists(target, "usr/share/initramfs-tools/hook-functions") &&
	    hvr_tree_exists(target, "usr/sbin/update-initramfs"))
		return HVR_INITRAMFS_TOOLS;
	if (has_any(target, dracut))
		return HVR_INITRAMFS_DRACUT;
	return HVR_INITRAMFS_UNKNOWN;
}

/* The first of these that is there, with the kernel's version put in; NULL: none. */
static char *find_of_kernel(int target, const char *version, const char *const *patterns)
{
	for (; *patterns; patterns++) {
		g_auto(GStrv) parts = g_strsplit(*patterns, "*", -1);
		g_autofree char *path = g_strjoinv(version, parts);
		if (hvr_tree_exists(target, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* Names of the target become words of commands, and are shown to the user before those are run. */
static gboolean is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("+-._~@:\\", *c))
			return FALSE;
	return *name != '-';
}

static GPtrArray *find_kernels(int target)
{
	static const char *const images[] = { "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz", NULL };
	static const char *const initramfs[] = { "boot/initrd.img-*", "boot/initramfs-*.img",
						 "boot/initrd-*", NULL };
	GPtrArray *kernels = g_ptr_array_new_with_free_func(kernel_free);
	const char *folder = "usr/lib/modules";

	if (!hvr_tree_exists(target, folder))
		folder = "lib/modules";
	g_autoptr(GPtrArray) versions = hvr_tree_list(target, folder);
	for (guint i = 0; i < versions->len; i++) {
		const char *version = g_ptr_array_index(versions, i);
		g_autofree char *deps = g_build_filename(folder, version, "modules.dep", NULL);
		if (!is_name(version) || !hvr_tree_exists(target, deps))
			continue;
		HvrSetupKernel *kernel = g_new0(HvrSetupKernel, 1);
		kernel->version = g_strdup(version);
		kernel->image = find_of_kernel(target, version, images);
		kernel->initramfs = find_of_kernel(target, version, initramfs);
		g_ptr_array_add(kernels, kernel);
	}
	return kernels;
}

/* Is there a line of @name in etc/passwd or etc/group? */
static gboolean is_known(int target, const char *file, const char *name)
{
	g_autofree char *lines = hvr_setup_tree_peek(target, file);
	/* g_strconcat() ends at a NULL */
	g_autofree char *text = g_strconcat("\n", lines, NULL);
	g_autofree char *begin = g_strdup_printf("\n%s:", name);

	return strstr(text, begin) != NULL;
}

static GPtrArray *find_enabled(int target)
{
	g_autoptr(GPtrArray) names =
		hvr_tree_list(target, "etc/systemd/system/multi-user.target.wants");
	GPtrArray *enabled = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		if (g_str_has_prefix(name, "hailo-vm@") && is_name(name))
			g_ptr_array_add(enabled, g_strdup(name));
	}
	return enabled;
}

HvrSetupSystem *hvr_setup_system_look(const HvrContext *context, int target, gboolean live)
{
	HvrSetupSystem *system = g_new0(HvrSetupSystem, 1);
	int run = context->host.run;

	system->live = live;
	system->runs_udev = live && run >= 0 && hvr_tree_exists(run, "udev/control");
	system->runs_systemd = live && run >= 0 && hvr_tree_exists(run, "systemd/system");
	system->loader = find_loader(context, target, live);
	/* That of a deployment is made elsewhere, and its /usr is not to be written. */
	if (system->loader.kind != HVR_LOADER_RPM_OSTREE &&
	    system->loader.kind != HVR_LOADER_OSTREE)
		system->initramfs = find_initramfs(target);
	system->cpu = hvr_cpu_look(&context->host).maker;
	system->kernels = find_kernels(target);
	system->kernel_cmdline = hvr_setup_tree_peek(target, "etc/kernel/cmdline");
	if (live) {
		system->running = hvr_tree_read_line(context->host.proc, "cmdline");
		system->boot_id =
			hvr_tree_read_line(context->host.proc, "sys/kernel/random/boot_id");
	}
	system->has_group = is_known(target, "etc/group", HVR_SETUP_GROUP);
	system->has_user = is_known(target, "etc/passwd", HVR_USER_SYSTEM);
	system->has_user_group = is_known(target, "etc/group", HVR_USER_SYSTEM_GROUP);
	system->enabled = find_enabled(target);
	return system;
}

gboolean hvr_setup_system_set_cpu(HvrSetupSystem *system, const char *name)
{
	static const struct {
		const char *name;
		HvrCpuMaker maker;
	} makers[] = { { "intel", HVR_CPU_INTEL }, { "amd", HVR_CPU_AMD }, { "arm", HVR_CPU_ARM } };

	for (guint i = 0; name && i < G_N_ELEMENTS(makers); i++)
		if (g_str_equal(name, makers[i].name)) {
			system->cpu = makers[i].maker;
			return TRUE;
		}
	return name == NULL;
}
