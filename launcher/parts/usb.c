/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB device is chosen by what it is or by where it is plugged in, never by its number, which is
 * another after each plugging in. QEMU gets its open node (usb-host's hostdevice, and libusb's
 * libusb_wrap_sys_device() behind it), so that it can open no other device, and needs no udev.
 *
 * Unlike a card's node, this one is not given to the VM's user here: it is made anew whenever
 * somebody touches the plug, by udev, for whom a rule says. The same rule is what lets a plain user
 * pass the device.
 */
#include "launcher/parts/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/report/error.h"
#include "vfio/dependents.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define DEVICES "bus/usb/devices"

/* Of Linux (USB_DEVICE_MAJOR of include/linux/usb.h); each bus has 128 minors. */
#define USB_MAJOR      189
#define DEVICES_OF_BUS 128

/* bDeviceClass */
#define CLASS_HUB 0x09

void hvr_usb_device_clear(HvrUsbDevice *device)
{
	g_clear_pointer(&device->port, g_free);
}

static gboolean read_number(const HvrHost *host, const char *port, const char *name, int base,
			    guint64 *out_value)
{
	g_autofree char *path = g_strdup_printf(DEVICES "/%s/%s", port, name);

	return hvr_tree_read_number(host->sys, path, base, out_value);
}

/* Interfaces ("1-2:1.0") have no such numbers. */
static gboolean is_meant(const HvrHost *host, const HvrProfileUsb *usb, const char *port)
{
	guint64 vendor, product;

	if (usb->port)
		return strcmp(usb->port, port) == 0;
	return read_number(host, port, "idVendor", 16, &vendor) &&
	       read_number(host, port, "idProduct", 16, &product) && vendor == usb->vendor &&
	       product == usb->product;
}

/* "1e60:2864", or "at 1-2.3" */
static char *describe(const HvrProfileUsb *usb)
{
	if (usb->port)
		return g_strdup_printf("at %s", usb->port);
	return g_strdup_printf("%04x:%04x", usb->vendor, usb->product);
}

static gboolean fail(GError **error, const HvrProfileUsb *usb, const char *what, const char *hint)
{
	g_autofree char *which = describe(usb);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "[usb %s]: %s (%s)",
		    usb->id, what, which);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

/* A stick whose driver QEMU takes away is gone from under whoever has it mounted. */
static gboolean refuse_disk(const HvrHost *host, const HvrProfileUsb *usb, const GPtrArray *names,
			    const char *port, GError **error)
{
	g_autofree char *prefix = g_strconcat(port, ":", NULL);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strdup_printf(DEVICES "/%s/driver", name);
		g_autofree char *driver = NULL;

		if (g_str_has_prefix(name, prefix))
			driver = hvr_tree_link_name(host->sys, path);
		if (g_strcmp0(driver, "usb-storage") != 0 && g_strcmp0(driver, "uas") != 0)
			continue;
		g_autofree char *hint =
			g_strdup_printf("name it in a [disk], or take it from its driver first: "
					"echo %s > /sys/bus/usb/drivers/%s/unbind",
					name, driver);
		return fail(error, usb, "it is a disk of this host, which a driver serves", hint);
	}
	return TRUE;
}

/* As of a card: the host would be cut off, and whoever starts the VM from afar with it. */
static gboolean refuse_route(const HvrHost *host, const HvrProfileUsb *usb, const GPtrArray *names,
			     const char *port, GError **error)
{
	g_autoptr(GPtrArray) interfaces = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *prefix = g_strconcat(port, ":", NULL);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strdup_printf(DEVICES "/%s/net", name);
		g_autoptr(GPtrArray) nets = NULL;

		if (!g_str_has_prefix(name, prefix))
			continue;
		nets = hvr_tree_list(host->sys, path);
		for (guint k = 0; k < nets->len; k++)
			g_ptr_array_add(interfaces, g_strdup(g_ptr_array_index(nets, k)));
	}
	g_autofree char *route = hvr_dependents_route(host, interfaces);
	if (!route)
		return TRUE;
	g_autofree char *what =
		g_strdup_printf("a default route of this host goes through it, by %s", route);
	g_autofree char *hint = g_strdup_printf(
		"where the host has another way out, take this one away first: ip route del "
		"default dev %s (and ip -6), or ipv4.never-default of NetworkManager",
		route);
	return fail(error, usb, what, hint);
}

/* What was found, as a device that can be passed. */
static gboolean judge(const HvrHost *host, const HvrProfileUsb *usb, const GPtrArray *names,
		      HvrUsbDevice *device, GError **error)
{
	guint64 bus, number, class = 0;

	if (!read_number(host, device->port, "busnum", 10, &bus) ||
	    !read_number(host, device->port, "devnum", 10, &number))
		return fail(error, usb, "no such device is plugged in", "lsusb shows what is");
	if (read_number(host, device->port, "bDeviceClass", 16, &class) && class == CLASS_HUB)
		return fail(error, usb, "it is a hub, which is the host's",
			    "name what is plugged into it");
	if (!refuse_disk(host, usb, names, device->port, error) ||
	    !refuse_route(host, usb, names, device->port, error))
		return FALSE;
	device->bus = bus;
	device->device = number;
	return TRUE;
}

gboolean hvr_usb_find(const HvrHost *host, const HvrProfileUsb *usb, HvrUsbDevice *out_device,
		      GError **error)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(host->sys, DEVICES);
	g_auto(HvrUsbDevice) found = { .port = NULL };

	for (guint i = 0; i < names->len; i++) {
		if (!is_meant(host, usb, g_ptr_array_index(names, i)))
			continue;
		if (found.port)
			return fail(error, usb, "more than one is plugged in",
				    "say which by port, as /sys/bus/usb/devices names it: "
				    "port = 1-2");
		found.port = g_strdup(g_ptr_array_index(names, i));
	}
	if (!found.port)
		return fail(error, usb, "no such device is plugged in", "lsusb shows what is");
	if (!judge(host, usb, names, &found, error))
		return FALSE;
	*out_device = found;
	found.port = NULL;
	return TRUE;
}

typedef struct {
	int dev;
	const char *path;
	dev_t number;
} Node;

/* A HvrAsUserStep. What is at that place and is another device's is none. */
static int step_open(gpointer data, guint i, int *out_fd)
{
	const Node *node = data;
	g_auto(HvrFd) fd = openat(node->dev, node->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0)
		return errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != node->number)
		return ENODEV;
	*out_fd = g_steal_fd(&fd);
	return 0;
}

static void fail_open(const HvrProfileUsb *usb, const HvrUser *user, const char *path, int problem,
		      GError **error)
{
	gboolean denied = problem == EACCES || problem == EPERM;
	g_autofree char *rule = NULL;

	g_set_error(error, HVR_LAUNCH_ERROR,
		    denied ? HVR_LAUNCH_ERROR_PERMISSION : HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[usb %s]: user %s cannot open '/dev/%s': %s", usb->id, user->name, path,
		    g_strerror(problem));
	if (!denied)
		return;
	if (!usb->port)
		rule = g_strdup_printf("ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\"",
				       usb->vendor, usb->product);
	else
		rule = g_strdup_printf("KERNEL==\"%s\"", usb->port);
	hvr_error_hint(
		error,
		"a rule gives it to that user whenever it is plugged in: SUBSYSTEM==\"usb\", "
		"ENV{DEVTYPE}==\"usb_device\", %s, OWNER=\"%s\" in "
		"/etc/udev/rules.d/90-vm-usb.rules, then udevadm control --reload and udevadm "
		"trigger",
		rule, user->name);
}

int hvr_usb_open(const HvrHost *host, const HvrProfileUsb *usb, const HvrUser *user,
		 char **out_port, GError **error)
{
	g_auto(HvrUsbDevice) device = { .port = NULL };

	if (!hvr_usb_find(host, usb, &device, error))
		return -1;
	g_autofree char *path = g_strdup_printf("bus/usb/%03u/%03u", device.bus, device.device);
	Node node = { .dev = host->dev,
		      .path = path,
		      .number = makedev(USB_MAJOR,
					(device.bus - 1) * DEVICES_OF_BUS + device.device - 1) };
	const HvrAsUser how = { .user = user, .step = step_open, .data = &node, .keep = host->dev };
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	if (result.problem) {
		hvr_fd_close(result.fd);
		fail_open(usb, user, path, result.problem, error);
		return -1;
	}
	if (out_port)
		*out_port = g_steal_pointer(&device.port);
	return result.fd;
}

/* By what it is and by where it is: that these are one device the profile does not show. */
static gboolean check_alone(const HvrHost *host, const GPtrArray *usbs, guint index, GError **error)
{
	const HvrProfileUsb *usb = g_ptr_array_index(usbs, index);
	g_auto(HvrUsbDevice) device = { .port = NULL };

	if (!hvr_usb_find(host, usb, &device, error))
		return FALSE;
	for (guint i = 0; i < index; i++) {
		const HvrProfileUsb *other = g_ptr_array_index(usbs, i);
		g_autofree char *what = g_strdup_printf("it is that of [usb %s], too", other->id);

		if (is_meant(host, other, device.port))
			return fail(error, usb, what, "leave one of them out");
	}
	return TRUE;
}

gboolean hvr_usb_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GError **error)
{
	for (guint i = 0; i < profile->usbs->len; i++)
		if (!check_alone(&context->host, profile->usbs, i, error))
			return FALSE;
	for (guint i = 0; i < profile->usbs->len; i++) {
		const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, i);
		g_auto(HvrFd) fd = hvr_usb_open(&context->host, usb, parts->user, NULL, error);

		if (fd < 0)
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_usb_makes_node(const HvrHost *host, const char *port, dev_t number)
{
	g_autofree char *name = g_strdup_printf("dev/char/%u:%u", major(number), minor(number));
	g_autofree char *path = hvr_fd_path(host->sys, name);
	g_autofree char *target = g_file_read_link(path, NULL);

	if (!target)
		return FALSE;
	g_auto(GStrv) way = g_strsplit(target, "/", -1);
	return g_strv_contains((const char *const *)way, port);
}
