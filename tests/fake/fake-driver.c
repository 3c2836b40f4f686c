/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding, as far as it shows in a tree:
 *
 *   links          drivers/NAME/ADDRESS and ADDRESS/driver; DRIVER= in uevent
 *   native driver  its nodes and interfaces come and go with it. They are moved to a hidden folder
 *                  and back, so that a card that was given back looks exactly as before.
 *   vfio driver    power/control becomes "auto" with it (vfio-pci allows runtime PM in its probe)
 *                  and "on" after it; /dev/vfio/N is there from the group's first such function to
 *                  its last, always new: 0600 and root's
 */
#include <string.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-machine.h"

#define VFIO_MAJOR 511

char *fake_function_path(FakeSysfs *fs, const char *address)
{
	g_autofree char *link = g_strconcat("sys/bus/pci/devices/", address, NULL);

	return fake_files_target(fs->root, link);
}

char *fake_attribute_path(FakeSysfs *fs, const char *address, const char *name)
{
	g_autofree char *path = fake_function_path(fs, address);

	return path ? g_strconcat(path, "/", name, NULL) : NULL;
}

char *fake_hidden_path(const char *address, const char *name)
{
	return g_strconcat(".fake/functions/", address, "/", name, NULL);
}

static char *last_of_link(FakeSysfs *fs, const char *address, const char *name)
{
	g_autofree char *path = fake_attribute_path(fs, address, name);
	g_autofree char *target = path ? fake_files_target(fs->root, path) : NULL;

	return target ? g_path_get_basename(target) : NULL;
}

char *fake_sysfs_driver(FakeSysfs *fs, const char *address)
{
	return last_of_link(fs, address, "driver");
}

int fake_function_group(FakeSysfs *fs, const char *address)
{
	g_autofree char *name = last_of_link(fs, address, "iommu_group");

	return name ? (int)g_ascii_strtoll(name, NULL, 10) : FAKE_NO_GROUP;
}

gboolean fake_driver_is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

gboolean fake_driver_is_registered(FakeSysfs *fs, const char *driver)
{
	g_autofree char *folder = g_strconcat("sys/bus/pci/drivers/", driver, NULL);

	return *driver && fake_files_exist(fs->root, folder);
}

static void set_uevent_driver(FakeSysfs *fs, const char *address, const char *driver)
{
	g_autofree char *path = fake_attribute_path(fs, address, "uevent");
	g_autofree char *old = fake_files_read(fs->root, path);
	const char *rest = old;
	g_autofree char *text = NULL;

	if (g_str_has_prefix(rest, "DRIVER="))
		rest = strchr(rest, '\n') + 1;
	text = driver ? g_strdup_printf("DRIVER=%s\n%s\n", driver, rest)
		      : g_strconcat(rest, "\n", NULL);
	fake_files_rewrite(fs->root, path, text);
}

void fake_move_children(FakeSysfs *fs, const char *address, gboolean away)
{
	g_autofree char *list = fake_hidden_path(address, "children");
	g_autofree char *text = fake_files_read(fs->root, list);
	g_auto(GStrv) paths = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; paths[i] && *paths[i]; i++) {
		g_autofree char *number = g_strdup_printf("stash/%u", i);
		g_autofree char *hidden = fake_hidden_path(address, number);
		const char *from = away ? paths[i] : hidden, *to = away ? hidden : paths[i];

		if (fake_files_exist(fs->root, from))
			fake_files_move(fs->root, from, to);
	}
}

static gboolean group_has_vfio(FakeSysfs *fs, int group)
{
	g_autofree char *folder = g_strdup_printf("sys/kernel/iommu_groups/%d/devices", group);
	g_autoptr(GPtrArray) members = fake_files_list(fs->root, folder);

	for (guint i = 0; i < members->len; i++) {
		g_autofree char *driver = fake_sysfs_driver(fs, g_ptr_array_index(members, i));

		if (fake_driver_is_vfio(driver))
			return TRUE;
	}
	return FALSE;
}

static void update_group_node(FakeSysfs *fs, int group)
{
	g_autofree char *node = g_strdup_printf("dev/vfio/%d", group);
	g_autofree char *device = g_strdup_printf("sys/devices/virtual/vfio/%d", group);
	g_autofree char *class = g_strdup_printf("sys/class/vfio/%d", group);
	gboolean wanted = group_has_vfio(fs, group);

	if (wanted && !fake_files_exist(fs->root, node)) {
		g_autofree char *dev = g_strconcat(device, "/dev", NULL);
		g_autofree char *number = g_strdup_printf("%d:%d\n", VFIO_MAJOR, group);

		fake_files_write(fs->root, dev, number, 0444);
		fake_files_link(fs->root, class, device);
		fake_files_write(fs->root, node, "", 0600);
	} else if (!wanted) {
		fake_files_remove(fs->root, node);
		fake_files_remove(fs->root, class);
		fake_files_remove(fs->root, device);
	}
}

static void set_power_control(FakeSysfs *fs, const char *address, const char *text)
{
	g_autofree char *path = fake_attribute_path(fs, address, "power/control");

	fake_files_rewrite(fs->root, path, text);
}

/* What Linux does when the driver of a function has changed from or to a vfio driver. */
static void vfio_changed(FakeSysfs *fs, const char *address, const char *power_control)
{
	int group = fake_function_group(fs, address);

	set_power_control(fs, address, power_control);
	if (group != FAKE_NO_GROUP)
		update_group_node(fs, group);
}

static gboolean is_native(FakeSysfs *fs, const char *address, const char *driver)
{
	g_autofree char *path = fake_hidden_path(address, "native");
	g_autofree char *native = fake_files_read(fs->root, path);

	return g_strcmp0(native, driver) == 0;
}

void fake_bind(FakeSysfs *fs, const char *address, const char *driver)
{
	g_autofree char *function = fake_function_path(fs, address);
	g_autofree char *folder = g_strconcat("sys/bus/pci/drivers/", driver, NULL);
	g_autofree char *back = g_strconcat(folder, "/", address, NULL);
	g_autofree char *link = g_strconcat(function, "/driver", NULL);

	fake_files_link(fs->root, back, function);
	fake_files_link(fs->root, link, folder);
	set_uevent_driver(fs, address, driver);
	if (fake_driver_is_vfio(driver))
		vfio_changed(fs, address, "auto\n");
	if (is_native(fs, address, driver))
		fake_move_children(fs, address, FALSE);
}

void fake_unbind(FakeSysfs *fs, const char *address)
{
	g_autofree char *driver = fake_sysfs_driver(fs, address);
	g_autofree char *link = fake_attribute_path(fs, address, "driver");
	g_autofree char *back = g_strconcat("sys/bus/pci/drivers/", driver, "/", address, NULL);

	if (!driver)
		return;
	if (is_native(fs, address, driver))
		fake_move_children(fs, address, TRUE);
	fake_files_remove(fs->root, back);
	fake_files_remove(fs->root, link);
	set_uevent_driver(fs, address, NULL);
	if (fake_driver_is_vfio(driver))
		vfio_changed(fs, address, "on\n");
}
