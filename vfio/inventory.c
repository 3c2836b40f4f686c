/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpci says which functions there are and what they are called; everything that a decision
 * hangs on is read from sysfs here.
 *
 * Why not all from libpci: it caches the driver for ever, knows paths only and no descriptors,
 * and ends the process when an attribute cannot be read, which is what a hot-unplug looks like.
 * It is therefore used for the scan alone, which opens no attribute, and its error handler jumps
 * out of it.
 *
 * One function costs eight system calls: where its link leads (the stable path), its folder, the
 * links "driver" and "iommu_group", and "modalias", which holds vendor, device and class in one
 * attribute. "uevent" would hold the driver too, but some kernels take the device's lock to show
 * it, and so hang with a probe that hangs. Config space is not read: that would wake the device.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pci/pci.h>

#include "vfio/error.h"
#include "vfio/inventory.h"
#include "vfio/sysfs.h"

#define DEVICES "bus/pci/devices"

struct HvrInventory {
	GPtrArray *functions; /* of HvrPciFunction, sorted */
	GHashTable *groups;   /* number -> GPtrArray of the functions above */
	GPtrArray *no_members;
	struct pci_access *access;
};

/* Where libpci's error handler goes: it must not return, and has no argument of ours. */
typedef struct {
	jmp_buf out;
	char message[256];
} Escape;

static Escape *escape;

static void on_libpci_error(char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;
static void on_libpci_message(char *format, ...) G_GNUC_PRINTF(1, 2);

static void on_libpci_error(char *format, ...)
{
	va_list arguments;

	g_assert(escape);
	va_start(arguments, format);
	g_vsnprintf(escape->message, sizeof(escape->message), format, arguments);
	va_end(arguments);
	longjmp(escape->out, 1);
}

static void on_libpci_message(char *format, ...)
{
	char message[256];
	va_list arguments;

	va_start(arguments, format);
	g_vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	g_debug("libpci: %s", message);
}

static struct pci_access *access_new(int sys)
{
	g_autofree char *path = hvr_fd_path(sys, "bus/pci");
	char path_parameter[] = "sysfs.path", hwdb_parameter[] = "hwdb.disable", yes[] = "1";
	struct pci_access *access = pci_alloc();

	access->method = PCI_ACCESS_SYS_BUS_PCI;
	access->error = on_libpci_error;
	access->warning = on_libpci_message;
	access->debug = on_libpci_message;
	/* Names from pci.ids alone: not from the network, a home folder or udev's database. */
	access->id_lookup_mode = 0;
	pci_set_param(access, hwdb_parameter, yes);
	pci_set_param(access, path_parameter, path);
	return access;
}

/* No variable of these two functions that owns anything may live across the jump. */
static gboolean scan(struct pci_access *access, Escape *here)
{
	escape = here;
	if (setjmp(here->out)) {
		escape = NULL;
		return FALSE;
	}
	pci_init(access);
	pci_scan_bus(access);
	escape = NULL;
	return TRUE;
}

static gboolean look_up(struct pci_access *access, const HvrPciFunction *function, char *name,
			int size)
{
	Escape here;
	const char *found;

	escape = &here;
	if (setjmp(here.out)) {
		escape = NULL;
		g_debug("libpci: %s", here.message);
		return FALSE;
	}
	found = pci_lookup_name(access, name, size, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
				function->vendor, function->device);
	escape = NULL;
	return found != NULL;
}

/* The last component of a link, in @buffer, or NULL. */
static const char *link_name(int dirfd, const char *name, char *buffer, gsize size)
{
	gssize length = readlinkat(dirfd, name, buffer, size - 1);
	const char *slash;

	if (length <= 0)
		return NULL;
	buffer[length] = '\0';
	slash = strrchr(buffer, '/');
	return slash ? slash + 1 : buffer;
}

/* "pci:v00001E60d00002864sv00001E60sd00002864bc0Bsc40i00": the kernel's words for pdev->... */
static gboolean read_modalias(int dirfd, HvrPciFunction *function)
{
	guint vendor, device, base, subclass, interface;
	char text[128];
	gssize length;
	g_auto(HvrFd) fd = openat(dirfd, "modalias", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return FALSE;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return FALSE;
	text[length] = '\0';
	if (sscanf(text, "pci:v%8xd%8xsv%*8xsd%*8xbc%2xsc%2xi%2x", &vendor, &device, &base,
		   &subclass, &interface) != 5)
		return FALSE;

	function->vendor = (guint16)vendor;
	function->device = (guint16)device;
	function->class_code = base << 16 | subclass << 8 | interface;
	return TRUE;
}

/* For trees that were captured without modalias. */
static gboolean read_identity(int dirfd, HvrPciFunction *function)
{
	guint64 vendor, device, class_code;

	if (read_modalias(dirfd, function))
		return TRUE;
	if (!hvr_sysfs_read_number(dirfd, "vendor", 16, &vendor) ||
	    !hvr_sysfs_read_number(dirfd, "device", 16, &device) ||
	    !hvr_sysfs_read_number(dirfd, "class", 16, &class_code))
		return FALSE;

	function->vendor = (guint16)vendor;
	function->device = (guint16)device;
	function->class_code = (guint32)class_code & 0xffffff;
	return TRUE;
}

static int read_group(int dirfd)
{
	char buffer[PATH_MAX];
	const char *name = link_name(dirfd, "iommu_group", buffer, sizeof(buffer));
	guint64 group;

	if (!name || !g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT, &group, NULL))
		return -1;
	return (int)group;
}

static char *read_path(int sys, const char *place)
{
	char target[PATH_MAX];
	gssize length = readlinkat(sys, place, target, sizeof(target) - 1);

	if (length <= 0)
		return NULL;
	target[length] = '\0';
	return hvr_pci_path_from_sysfs(target);
}

static void function_free(gpointer data)
{
	HvrPciFunction *function = data;

	g_free(function->path);
	g_free(function->driver);
	g_free(function);
}

/* Returns: (transfer full): NULL when the function has vanished since the scan */
static HvrPciFunction *function_read(int sys, const HvrPciAddress *address)
{
	char place[sizeof(DEVICES) + HVR_PCI_ADDRESS_SIZE];
	char buffer[PATH_MAX];
	HvrPciFunction *function = g_new0(HvrPciFunction, 1);
	g_auto(HvrFd) dirfd = -1;

	function->address = *address;
	hvr_pci_address_format(address, function->name);
	g_snprintf(place, sizeof(place), DEVICES "/%s", function->name);
	dirfd = hvr_open_beneath(sys, place, O_PATH | O_DIRECTORY);
	if (dirfd < 0 || !read_identity(dirfd, function)) {
		function_free(function);
		return NULL;
	}
	function->path = read_path(sys, place);
	function->driver = g_strdup(link_name(dirfd, "driver", buffer, sizeof(buffer)));
	function->group = read_group(dirfd);
	function->quirk = hvr_quirk_find(function->vendor, function->device);
	return function;
}

static int compare_functions(gconstpointer a, gconstpointer b)
{
	const HvrPciFunction *const *left = a, *const *right = b;

	return hvr_pci_address_compare(&(*left)->address, &(*right)->address);
}

static void read_functions(HvrInventory *inventory, int sys)
{
	for (const struct pci_dev *dev = inventory->access->devices; dev; dev = dev->next) {
		HvrPciAddress address = {
			.domain = (guint32)dev->domain,
			.bus = dev->bus,
			.slot = dev->dev,
			.function = dev->func,
		};
		HvrPciFunction *function = function_read(sys, &address);

		if (function)
			g_ptr_array_add(inventory->functions, function);
	}
	g_ptr_array_sort(inventory->functions, compare_functions);
}

/* vfio without an IOMMU makes groups too. They protect nothing, and QEMU cannot use them. */
static gboolean group_is_noiommu(int sys, int group)
{
	g_autofree char *path = g_strdup_printf("kernel/iommu_groups/%d/name", group);
	g_autofree char *name = hvr_sysfs_read_line(sys, path);

	return g_strcmp0(name, "vfio-noiommu") == 0;
}

static void sort_into_groups(HvrInventory *inventory, int sys)
{
	for (guint i = 0; i < inventory->functions->len; i++) {
		HvrPciFunction *function = g_ptr_array_index(inventory->functions, i);
		gpointer key = GINT_TO_POINTER(function->group);
		GPtrArray *members;

		if (function->group < 0)
			continue;
		members = g_hash_table_lookup(inventory->groups, key);
		if (members) {
			const HvrPciFunction *first = g_ptr_array_index(members, 0);

			function->noiommu = first->noiommu;
		} else {
			members = g_ptr_array_new();
			g_hash_table_insert(inventory->groups, key, members);
			function->noiommu = group_is_noiommu(sys, function->group);
		}
		g_ptr_array_add(members, function);
	}
}

static HvrInventory *inventory_new(int sys)
{
	HvrInventory *inventory = g_new0(HvrInventory, 1);

	inventory->functions = g_ptr_array_new_with_free_func(function_free);
	inventory->groups =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	inventory->no_members = g_ptr_array_new();
	inventory->access = access_new(sys);
	return inventory;
}

HvrInventory *hvr_inventory_read(const HvrHost *host, GError **error)
{
	g_autoptr(HvrInventory) inventory = NULL;
	Escape here;

	if (!hvr_sysfs_exists(host->sys, DEVICES)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND, "no PCI bus in sysfs");
		return NULL;
	}
	inventory = inventory_new(host->sys);
	if (!scan(inventory->access, &here)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "cannot enumerate PCI functions: %s", here.message);
		return NULL;
	}
	read_functions(inventory, host->sys);
	sort_into_groups(inventory, host->sys);
	return g_steal_pointer(&inventory);
}

void hvr_inventory_free(HvrInventory *inventory)
{
	if (!inventory)
		return;

	pci_cleanup(inventory->access);
	g_hash_table_unref(inventory->groups);
	g_ptr_array_unref(inventory->no_members);
	g_ptr_array_unref(inventory->functions);
	g_free(inventory);
}

const GPtrArray *hvr_inventory_functions(const HvrInventory *inventory)
{
	return inventory->functions;
}

const HvrPciFunction *hvr_inventory_find(const HvrInventory *inventory,
					 const HvrPciAddress *address)
{
	const HvrPciFunction key = { .address = *address };
	const HvrPciFunction *wanted = &key, *const * found;

	if (inventory->functions->len == 0)
		return NULL;
	found = bsearch(&wanted, inventory->functions->pdata, inventory->functions->len,
			sizeof(gpointer), compare_functions);
	return found ? *found : NULL;
}

const GPtrArray *hvr_inventory_group(const HvrInventory *inventory, int group)
{
	const GPtrArray *members = g_hash_table_lookup(inventory->groups, GINT_TO_POINTER(group));

	return members ? members : inventory->no_members;
}

char *hvr_inventory_describe(const HvrInventory *inventory, const HvrPciFunction *function)
{
	char name[256];

	if (function->quirk)
		return g_strdup(function->quirk->name);
	if (look_up(inventory->access, function, name, sizeof(name)))
		return g_strdup(name);
	return g_strdup_printf("Device %04x:%04x", function->vendor, function->device);
}

gboolean hvr_pci_function_is_bridge(const HvrPciFunction *function)
{
	guint32 base = function->class_code >> 16, subclass = function->class_code >> 8 & 0xff;

	return base == PCI_BASE_CLASS_BRIDGE && subclass != (PCI_CLASS_BRIDGE_OTHER & 0xff);
}

gboolean hvr_pci_function_blocks(const HvrPciFunction *function)
{
	if (!function->driver)
		return FALSE;

	/* vfio-pci and its variants: mlx5_vfio_pci, nvgrace-gpu-vfio-pci, ... */
	return !strstr(function->driver, "vfio") && strcmp(function->driver, "pci-stub") != 0 &&
	       strcmp(function->driver, "pcieport") != 0;
}
