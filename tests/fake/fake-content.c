/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hangs on the functions of a fake machine: device nodes, interfaces, drivers, processes; and
 * looking at all of it.
 */
#include <string.h>
#include <sys/stat.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-machine.h"

/* What the native driver has made goes when it goes; while another is bound it is away already. */
static void add_children(FakeSysfs *fs, const char *address, const char *const *paths)
{
	g_autofree char *list = fake_hidden_path(address, "children");
	g_autofree char *old = fake_files_read(fs->root, list);
	g_autofree char *hidden = fake_hidden_path(address, "native");
	g_autofree char *native = fake_files_read(fs->root, hidden);
	g_autofree char *driver = fake_sysfs_driver(fs, address);
	g_autoptr(GString) text = g_string_new(old && *old ? old : NULL);
	g_auto(GStrv) known = g_strsplit(text->str, "\n", -1);

	if (text->len > 0)
		g_string_append_c(text, '\n');
	for (; *paths; paths++) {
		if (!g_strv_contains((const char *const *)known, *paths))
			g_string_append_printf(text, "%s\n", *paths);
	}
	fake_files_write(fs->root, list, text->str, 0644);
	if (native && g_strcmp0(native, driver) != 0)
		fake_move_children(fs, address, TRUE);
}

/* The first component of @path, which is what comes and goes as a whole. */
static char *top_of(const char *function, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", 2);

	return g_strconcat(function, "/", parts[0], NULL);
}

void fake_sysfs_add_node(FakeSysfs *fs, const char *address, const char *path, const char *devname,
			 const char *subsystem, guint major, guint minor)
{
	gboolean block = strcmp(subsystem, "block") == 0;
	g_autofree char *function = fake_function_path(fs, address);
	g_autofree char *top = top_of(function, path);
	g_autofree char *place = g_strconcat(function, "/", path, NULL);
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *class = g_strdup_printf("sys/class/%s/%s", subsystem, base);
	g_autofree char *folder = g_path_get_dirname(class);
	g_autofree char *number =
		g_strdup_printf("sys/dev/%s/%u:%u", block ? "block" : "char", major, minor);
	g_autofree char *node = g_strconcat("dev/", devname, NULL);
	g_autofree char *dev = g_strconcat(place, "/dev", NULL);
	g_autofree char *uevent = g_strconcat(place, "/uevent", NULL);
	g_autofree char *link = g_strconcat(place, "/subsystem", NULL);
	g_autofree char *dev_text = g_strdup_printf("%u:%u\n", major, minor);
	g_autofree char *uevent_text =
		g_strdup_printf("MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", major, minor, devname);
	const char *const paths[] = { top, class, number, node, NULL };

	fake_files_write(fs->root, dev, dev_text, 0444);
	fake_files_write(fs->root, uevent, uevent_text, 0644);
	fake_files_make_folder(fs->root, folder);
	fake_files_link(fs->root, link, folder);
	fake_files_link(fs->root, class, place);
	fake_files_link(fs->root, number, place);
	fake_files_write(fs->root, node, "", 0600);
	if (block) {
		g_autofree char *holders = g_strconcat(place, "/holders", NULL);

		fake_files_make_folder(fs->root, holders);
	}
	add_children(fs, address, paths);
}

void fake_sysfs_add_interface(FakeSysfs *fs, const char *address, const char *name)
{
	g_autofree char *function = fake_function_path(fs, address);
	g_autofree char *top = g_strconcat(function, "/net", NULL);
	g_autofree char *place = g_strconcat(top, "/", name, NULL);
	g_autofree char *class = g_strconcat("sys/class/net/", name, NULL);
	g_autofree char *state = g_strconcat(place, "/operstate", NULL);
	g_autofree char *link = g_strconcat(place, "/subsystem", NULL);
	const char *const paths[] = { top, class, NULL };

	fake_files_write(fs->root, state, "up\n", 0444);
	fake_files_link(fs->root, link, "sys/class/net");
	fake_files_link(fs->root, class, place);
	add_children(fs, address, paths);
}

/* vfio-pci comes with the container node, which the vfio module makes. */
static void add_vfio(FakeSysfs *fs)
{
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/vfio", NULL);
	g_autofree char *folder = g_path_get_dirname(node);

	fake_files_make_folder(fs->root, "sys/module/vfio");
	fake_files_make_folder(fs->root, "sys/module/vfio_pci");
	fake_files_link(fs->root, "sys/bus/pci/drivers/vfio-pci/module", "sys/module/vfio_pci");
	if (!fake_files_exist(fs->root, "dev/vfio/vfio")) {
		fake_files_write(fs->root, "dev/vfio/vfio", "", 0666);
		g_assert(chmod(node, 0666) == 0);
		g_assert(chmod(folder, 0755) == 0); /* whatever the umask */
	}
}

void fake_sysfs_add_driver(FakeSysfs *fs, const char *driver)
{
	static const char *const names[] = { "bind", "unbind", "new_id", "remove_id", "uevent" };

	if (fake_driver_is_registered(fs, driver))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path =
			g_strdup_printf("sys/bus/pci/drivers/%s/%s", driver, names[i]);

		fake_files_write(fs->root, path, "", 0200);
	}
	if (strcmp(driver, "vfio-pci") == 0)
		add_vfio(fs);
}

static char *module_path(const char *module)
{
	g_autofree char *name = g_strdelimit(g_strdup(module), "-", '_');

	return g_strconcat(".fake/modules/", name, NULL);
}

void fake_sysfs_add_module(FakeSysfs *fs, const char *module, const char *driver)
{
	g_autofree char *path = module_path(module);

	fake_files_write(fs->root, path, driver, 0644);
}

void fake_sysfs_remove_module(FakeSysfs *fs, const char *module)
{
	g_autofree char *path = module_path(module);

	fake_files_remove(fs->root, path);
}

void fake_sysfs_add_process(FakeSysfs *fs, int pid, const char *command, const char *target)
{
	g_autofree char *comm = g_strdup_printf("proc/%d/comm", pid);
	g_autofree char *folder = g_strdup_printf("proc/%d/fd", pid);
	g_autoptr(GPtrArray) fds = fake_files_list(fs->root, folder);
	g_autofree char *fd = g_strdup_printf("%s/%u", folder, fds->len);
	g_autofree char *text = g_strconcat(command, "\n", NULL);

	fake_files_write(fs->root, comm, text, 0644);
	fake_files_link_text(fs->root, fd, target);
}

void fake_sysfs_put_file(FakeSysfs *fs, const char *path, const char *text)
{
	fake_files_remove(fs->root, path);
	fake_files_write(fs->root, path, text, 0644);
}

void fake_sysfs_put_link(FakeSysfs *fs, const char *path, const char *target)
{
	fake_files_link_text(fs->root, path, target);
}

void fake_sysfs_remove_file(FakeSysfs *fs, const char *path)
{
	fake_files_remove(fs->root, path);
}

char *fake_sysfs_text(FakeSysfs *fs, const char *path)
{
	return fake_files_read(fs->root, path);
}

char *fake_sysfs_attribute(FakeSysfs *fs, const char *address, const char *attribute)
{
	g_autofree char *path = fake_attribute_path(fs, address, attribute);

	return path ? fake_files_read(fs->root, path) : NULL;
}

gboolean fake_sysfs_exists(FakeSysfs *fs, const char *path)
{
	return fake_files_exist(fs->root, path);
}

void fake_sysfs_fail_at(FakeSysfs *fs, guint call, int error_number)
{
	fs->fail_call = call;
	fs->fail_call_errno = error_number;
}

void fake_sysfs_fail_matching(FakeSysfs *fs, const char *text, int error_number)
{
	g_free(fs->fail_match);
	fs->fail_match = g_strdup(text);
	fs->fail_match_errno = error_number;
}

void fake_sysfs_fail_never(FakeSysfs *fs)
{
	fs->fail_call = 0;
	fs->fail_late = FALSE;
	g_clear_pointer(&fs->fail_match, g_free);
}

void fake_sysfs_clear_log(FakeSysfs *fs)
{
	fs->calls = 0;
	g_ptr_array_set_size(fs->log, 0);
}

char *fake_sysfs_snapshot(FakeSysfs *fs)
{
	g_autoptr(GString) text = g_string_new(NULL);

	fake_files_snapshot(fs->root, "sys", text);
	fake_files_snapshot(fs->root, "dev", text);
	return g_strdup(text->str);
}

char *fake_sysfs_snapshot_run(FakeSysfs *fs)
{
	g_autoptr(GString) text = g_string_new(NULL);

	fake_files_snapshot(fs->root, "run", text);
	return g_strdup(text->str);
}
