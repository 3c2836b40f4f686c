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
 * One function costs six system calls: where its link leads (its place, and the stable path), the
 * links "driver" and "iommu_group" there, and "modalias", which holds vendor, device and class in
 * one attribute. The first is spared where the place is known: the functions of a root bus are in
 * the folder that has its number. "uevent" would hold the driver too, but some kernels take the
 * device's lock to show it, and so hang with a probe that hangs. Config space is not read: that
 * would wake the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <pci/pci.h>

#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/inventory.h"
#include "vfio/tree.h"

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

/* @flags: PCI_LOOKUP_DEVICE or _CLASS, and more */
static gboolean look_up(struct pci_access *access, const HvrPciFunction *function, int flags,
			char *name, int size)
{
	Escape here;
	const char *found;

	escape = &here;
	if (setjmp(here.out)) {
		escape = NULL;
		g_debug("libpci: %s", here.message);
		return FALSE;
	}
	if (flags & PCI_LOOKUP_CLASS)
		found = pci_lookup_name(access, name, size, flags, function->class_code >> 8);
	else
		found = pci_lookup_name(access, name, size, flags, function->vendor,
					function->device);
	escape = NULL;
	return found != NULL;
}

/* A function's folder, from the root of sysfs and without links on the way. */
typedef struct {
	gsize length;
	char text[PATH_MAX];
} Place;

static gpointer bus_key(const HvrPciAddress *address)
{
	return GUINT_TO_POINTER(address->domain << 8 | address->bus);
}

/* Where "bus/pci/devices/ADDRESS" leads; a captured tree may have the folder itself there. */
static gboolean find_place(int sys, const char *name, Place *place)
{
	static const char devices[] = DEVICES "/", up[] = "../../../";
	char target[PATH_MAX];
	gssize length;

	place->length = sizeof(devices) - 1 + strlen(name);
	g_strlcpy(place->text, devices, sizeof(place->text));
	g_strlcat(place->text, name, sizeof(place->text));
	length = readlinkat(sys, place->text, target, sizeof(target) - 1);
	if (length < 0)
		return errno == EINVAL;
	target[length] = '\0';
	if (!g_str_has_prefix(target, up))
		return FALSE;
	place->length = (gsize)length - strlen(up);
	memcpy(place->text, target + strlen(up), place->length + 1);
	return TRUE;
}

/* The folders of the root buses that are not below something else: number -> "devices/pci0000:00/"
 */
static GHashTable *find_roots(int sys)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(sys, "devices");
	GHashTable *roots = g_hash_table_new_full(NULL, NULL, NULL, g_free);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		HvrPciAddress address;
		if (!g_str_has_prefix(name, "pci"))
			continue;
		g_autofree char *first = g_strconcat(name + strlen("pci"), ":00.0", NULL);
		if (hvr_pci_address_parse(first, &address))
			g_hash_table_insert(roots, bus_key(&address),
					    g_strconcat("devices/", name, "/", NULL));
	}
	return roots;
}

/* The path of an attribute; good until the next one. A name that is too long is cut. */
static const char *at(Place *place, const char *attribute)
{
	place->text[place->length] = '/';
	g_strlcpy(place->text + place->length + 1, attribute,
		  sizeof(place->text) - place->length - 1);
	return place->text;
}

static const char *folder(Place *place)
{
	place->text[place->length] = '\0';
	return place->text;
}

/* The last component of where a link leads, in @buffer, or NULL. */
static const char *link_name(int sys, const char *path, char buffer[PATH_MAX])
{
	gssize length = readlinkat(sys, path, buffer, PATH_MAX - 1);
	const char *slash;

	if (length <= 0)
		return NULL;
	buffer[length] = '\0';
	/* As in hvr_tree_link_name(). */
	slash = strrchr(g_strdelimit(buffer, "\n", ' '), '/');
	if (!slash)
		return buffer;
	return slash + 1;
}

/* @label and then @digits hexadecimal digits. Returns: what follows, or NULL */
static const char *take_field(const char *text, const char *label, guint digits, guint32 *out_value)
{
	guint32 value = 0;

	if (!text || !g_str_has_prefix(text, label))
		return NULL;
	text += strlen(label);
	for (guint i = 0; i < digits; i++, text++) {
		if (!g_ascii_isxdigit(*text))
			return NULL;
		value = value << 4 | (guint32)g_ascii_xdigit_value(*text);
	}
	*out_value = value;
	return text;
}

/* "pci:v00001E60d00002864sv00001E60sd00002864bc0Bsc40i00": all numbers of a fixed width */
static gboolean parse_modalias(const char *text, HvrPciFunction *function)
{
	guint32 vendor, device, subsystem, base, subclass, interface;

	text = take_field(text, "pci:v", 8, &vendor);
	text = take_field(text, "d", 8, &device);
	text = take_field(text, "sv", 8, &subsystem);
	text = take_field(text, "sd", 8, &subsystem);
	text = take_field(text, "bc", 2, &base);
	text = take_field(text, "sc", 2, &subclass);
	text = take_field(text, "i", 2, &interface);
	if (!text)
		return FALSE;

	function->vendor = (guint16)vendor;
	function->device = (guint16)device;
	function->class_code = base << 16 | subclass << 8 | interface;
	return TRUE;
}

static gboolean read_modalias(int sys, const char *path, HvrPciFunction *function)
{
	g_auto(HvrFd) fd = hvr_open_beneath(sys, path, O_RDONLY | O_NONBLOCK);
	char text[128];

	if (fd < 0)
		return FALSE;
	gssize length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return FALSE;
	text[length] = '\0';
	return parse_modalias(text, function);
}

/* For trees that were captured without modalias. */
static gboolean read_attributes(int sys, const char *path, HvrPciFunction *function)
{
	g_auto(HvrFd) dirfd = hvr_open_beneath(sys, path, O_PATH | O_DIRECTORY);
	guint64 vendor, device, class_code;

	if (dirfd < 0 || !hvr_tree_read_number(dirfd, "vendor", 16, &vendor) ||
	    !hvr_tree_read_number(dirfd, "device", 16, &device) ||
	    !hvr_tree_read_number(dirfd, "class", 16, &class_code))
		return FALSE;
	function->vendor = (guint16)vendor;
	function->device = (guint16)device;
	function->class_code = (guint32)class_code & 0xffffff;
	return TRUE;
}

/*
 * vfio without an IOMMU makes groups too, one for each function that a vfio driver has taken. They
 * protect nothing, and QEMU cannot use them.
 */
static gboolean is_noiommu(int sys, const HvrPciFunction *function)
{
	g_autofree char *path = NULL, *name = NULL;

	if (function->group < 0 || !function->driver || !strstr(function->driver, "vfio"))
		return FALSE;
	path = g_strdup_printf("kernel/iommu_groups/%d/name", function->group);
	name = hvr_tree_read_line(sys, path);
	return g_strcmp0(name, "vfio-noiommu") == 0;
}

static int parse_group(const char *name)
{
	guint64 group;

	if (!name || !g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT, &group, NULL))
		return -1;
	return (int)group;
}

static void function_free(gpointer data)
{
	HvrPciFunction *function = data;

	g_free(function->path);
	g_free(function->driver);
	g_free(function);
}

/* What it is, and where. FALSE when it has vanished since the scan. */
static gboolean identify(int sys, GHashTable *roots, HvrPciFunction *function, Place *place)
{
	const char *root = g_hash_table_lookup(roots, bus_key(&function->address));

	/* On one of these buses its place is known without a look at its link. */
	if (root) {
		g_strlcpy(place->text, root, sizeof(place->text));
		place->length = g_strlcat(place->text, function->name, sizeof(place->text));
		if (read_modalias(sys, at(place, "modalias"), function))
			return TRUE;
	}
	if (!find_place(sys, function->name, place))
		return FALSE;
	return read_modalias(sys, at(place, "modalias"), function) ||
	       read_attributes(sys, folder(place), function);
}

/* Returns: (transfer full): NULL when the function has vanished since the scan */
static HvrPciFunction *function_read(int sys, GHashTable *roots, const HvrPciAddress *address)
{
	HvrPciFunction *function = g_new0(HvrPciFunction, 1);
	char buffer[PATH_MAX];
	Place place;

	function->address = *address;
	hvr_pci_address_format(address, function->name);
	if (!identify(sys, roots, function, &place)) {
		function_free(function);
		return NULL;
	}
	function->path = hvr_pci_path_from_sysfs(folder(&place));
	function->driver = g_strdup(link_name(sys, at(&place, "driver"), buffer));
	function->group = parse_group(link_name(sys, at(&place, "iommu_group"), buffer));
	function->noiommu = is_noiommu(sys, function);
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
	g_autoptr(GHashTable) roots = find_roots(sys);

	for (const struct pci_dev *dev = inventory->access->devices; dev; dev = dev->next) {
		HvrPciAddress address = {
			.domain = (guint32)dev->domain,
			.bus = dev->bus,
			.slot = dev->dev,
			.function = dev->func,
		};
		HvrPciFunction *function = function_read(sys, roots, &address);

		if (function)
			g_ptr_array_add(inventory->functions, function);
	}
	g_ptr_array_sort(inventory->functions, compare_functions);
}

static void sort_into_groups(HvrInventory *inventory)
{
	for (guint i = 0; i < inventory->functions->len; i++) {
		HvrPciFunction *function = g_ptr_array_index(inventory->functions, i);
		gpointer key = GINT_TO_POINTER(function->group);
		GPtrArray *members;

		if (function->group < 0)
			continue;
		members = g_hash_table_lookup(inventory->groups, key);
		if (!members) {
			members = g_ptr_array_new();
			g_hash_table_insert(inventory->groups, key, members);
		}
		g_ptr_array_add(members, function);
	}
}

HvrInventory *hvr_inventory_read(const HvrHost *host, GError **error)
{
	g_autoptr(HvrInventory) inventory = NULL;
	Escape here;

	if (!hvr_tree_exists(host->sys, DEVICES)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND, "no PCI bus in sysfs");
		return NULL;
	}
	inventory = g_new0(HvrInventory, 1);
	inventory->functions = g_ptr_array_new_with_free_func(function_free);
	inventory->groups =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	inventory->no_members = g_ptr_array_new();
	inventory->access = access_new(host->sys);
	if (!scan(inventory->access, &here)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "cannot enumerate PCI functions: %s", here.message);
		return NULL;
	}
	read_functions(inventory, host->sys);
	sort_into_groups(inventory);
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
	if (!found)
		return NULL;
	return *found;
}

const GPtrArray *hvr_inventory_group(const HvrInventory *inventory, int group)
{
	const GPtrArray *members = g_hash_table_lookup(inventory->groups, GINT_TO_POINTER(group));

	if (!members)
		return inventory->no_members;
	return members;
}

char *hvr_inventory_describe(const HvrInventory *inventory, const HvrPciFunction *function)
{
	char name[256];

	if (function->quirk)
		return g_strdup(function->quirk->name);
	if (look_up(inventory->access, function, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, name,
		    sizeof(name)))
		return g_strdup(name);
	return g_strdup_printf("Device %04x:%04x", function->vendor, function->device);
}

char *hvr_inventory_describe_short(const HvrInventory *inventory, const HvrPciFunction *function)
{
	char name[256];

	if (function->quirk)
		return g_strdup(function->quirk->name);
	if (!hvr_pci_function_is_bridge(function) &&
	    look_up(inventory->access, function, PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS, name,
		    sizeof(name)))
		return g_strdup(name);
	if (look_up(inventory->access, function, PCI_LOOKUP_CLASS | PCI_LOOKUP_NO_NUMBERS, name,
		    sizeof(name)))
		return g_strdup(name);
	return g_strdup_printf("Class %06x", function->class_code);
}

gboolean hvr_pci_function_is_bridge(const HvrPciFunction *function)
{
	guint32 base = function->class_code >> 16, subclass = function->class_code >> 8 & 0xff;

	return base == PCI_BASE_CLASS_BRIDGE && subclass != (PCI_CLASS_BRIDGE_OTHER & 0xff);
}

gboolean hvr_pci_function_takes_vfio(const HvrPciFunction *function)
{
	switch (function->class_code >> 8) {
	case PCI_CLASS_BRIDGE_PCI:
	case PCI_CLASS_BRIDGE_PCI_SEMI:
	case PCI_CLASS_BRIDGE_CARDBUS:
		return FALSE;
	default:
		return TRUE;
	}
}

gboolean hvr_pci_function_blocks(const HvrPciFunction *function)
{
	if (!function->driver)
		return FALSE;

	/* vfio-pci and its variants: mlx5_vfio_pci, nvgrace-gpu-vfio-pci, ... */
	return !strstr(function->driver, "vfio") && strcmp(function->driver, "pci-stub") != 0 &&
	       strcmp(function->driver, "pcieport") != 0;
}
