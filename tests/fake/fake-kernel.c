/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux, as far as it answers HvrKernel. Where the real one surprises, so does this one:
 *
 *   driver_override  matched by its exact text; loads no module and unbinds nothing
 *   drivers_probe    0 also when nothing matched, or when the probe failed; -ENODEV only for a
 *                    function that does not exist
 *   bind             -ENODEV without a match, -EBUSY when bound already, else the probe's error
 *   unbind           -ENODEV when it is another driver's; blocks while a VM uses a vfio function
 *                    or while the driver hangs, which has the device's lock then: whoever wants to
 *                    read or write driver_override, or to bind, hangs with it
 *   reset_method     "" empties it, and it then reads as no bytes; an unknown name changes nothing;
 *                    there is no "bus" for a card that the guard's module has
 *   any attribute    a write of no bytes does nothing and succeeds
 *
 * Every call may be made to fail, before or after its effect, and is logged.
 */
#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-machine.h"
#include "vfio/access.h"
#include "vfio/address.h"
#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define PAGE	    4096
#define GUARD	    "hailo_vm_run_guard"
#define GUARD_CARDS "sys/module/" GUARD "/parameters/cards"

/* One call under way: what is logged of it, and the error it shall end with. */
typedef struct {
	FakeSysfs *fs;
	char *what;
	int fault;
} Call;

static int fault_of(const FakeSysfs *fs, const char *what)
{
	if (fs->fail_call && fs->fail_call == fs->calls)
		return fs->fail_call_errno;
	if (fs->fail_match && strstr(what, fs->fail_match))
		return fs->fail_match_errno;
	return 0;
}

/* Takes ownership of @what. */
static Call call_begin(const HvrHost *host, char *what)
{
	FakeSysfs *fs = host->kernel_data;
	Call call = { .fs = fs, .what = what };

	fs->calls++;
	g_ptr_array_add(fs->log, what);
	if (fs->before)
		fs->before(fs, fs->calls, what, fs->hook_data);
	call.fault = fault_of(fs, what);
	return call;
}

static gboolean call_acts(const Call *call)
{
	return call->fault == 0 || call->fs->fail_late;
}

/* Returns: the errno that the caller gets to see */
static int call_end(const Call *call, int result)
{
	if (call->fs->after)
		call->fs->after(call->fs, call->fs->calls, call->what, call->fs->hook_data);
	return call->fault ? call->fault : result;
}

static gboolean is_locked(FakeSysfs *fs, const char *address)
{
	g_autofree char *path = fake_hidden_path(address, "locked");

	return fake_files_exist(fs->root, path);
}

static int store_override(FakeSysfs *fs, const char *address, const char *path, const char *value)
{
	g_autofree char *text = NULL;

	if (strlen(value) >= PAGE - 1)
		return EINVAL;
	if (is_locked(fs, address))
		return ETIMEDOUT;
	text = g_strconcat(*value ? value : "(null)", "\n", NULL);
	fake_files_rewrite(fs->root, path, text);
	return 0;
}

static gboolean all_supported(const char *names, const char *supported)
{
	g_auto(GStrv) wanted = g_strsplit(names, " ", -1);
	g_auto(GStrv) there = g_strsplit(supported, " ", -1);

	for (char **name = wanted; *name; name++)
		if (**name && !g_strv_contains((const char *const *)there, *name))
			return FALSE;
	return TRUE;
}

/* "flr bus" without "bus" for what the guard's module keeps bus resets from. (transfer full) */
static char *without_guarded(FakeSysfs *fs, const char *address, const char *methods)
{
	g_autofree char *cards = fake_files_read(fs->root, GUARD_CARDS);
	g_auto(GStrv) words = g_strsplit(methods, " ", -1);
	g_autoptr(GString) left = g_string_new(NULL);
	gboolean guarded = cards && strstr(cards, address);

	for (char **word = words; *word; word++)
		if (!guarded || strcmp(*word, "bus") != 0)
			g_string_append_printf(left, "%s%s", left->len ? " " : "", *word);
	return g_strdup(left->str);
}

static int store_reset_method(FakeSysfs *fs, const char *address, const char *path,
			      const char *value)
{
	g_autofree char *hidden = fake_hidden_path(address, "reset_default");
	g_autofree char *offered = fake_files_read(fs->root, hidden);
	g_autofree char *supported = without_guarded(fs, address, offered);
	g_autofree char *text = NULL;

	if (strcmp(value, "default") == 0)
		value = supported;
	else if (!all_supported(value, supported))
		return EINVAL;
	text = *value ? g_strconcat(value, "\n", NULL) : g_strdup("");
	fake_files_rewrite(fs->root, path, text);
	return 0;
}

static int store_one_of(FakeSysfs *fs, const char *path, const char *value, const char *a,
			const char *b)
{
	g_autofree char *text = g_strconcat(value, "\n", NULL);

	if (strcmp(value, a) != 0 && strcmp(value, b) != 0)
		return EINVAL;
	fake_files_rewrite(fs->root, path, text);
	return 0;
}

static int store_power_control(FakeSysfs *fs, const char *address, const char *path,
			       const char *value)
{
	return store_one_of(fs, path, value, "on", "auto");
}

static int store_d3cold_allowed(FakeSysfs *fs, const char *address, const char *path,
				const char *value)
{
	return store_one_of(fs, path, value, "0", "1");
}

static const struct {
	const char *name;
	int (*store)(FakeSysfs *fs, const char *address, const char *path, const char *value);
} attributes[] = {
	{ "driver_override", store_override },
	{ "reset_method", store_reset_method },
	{ "power/control", store_power_control },
	{ "d3cold_allowed", store_d3cold_allowed },
};

static int store_attribute(FakeSysfs *fs, const char *address, const char *name, const char *value)
{
	g_autofree char *path = fake_attribute_path(fs, address, name);

	if (!path || !fake_files_exist(fs->root, path))
		return ENOENT;
	for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return attributes[i].store(fs, address, path, value);
	return EACCES;
}

static char *driver_override(FakeSysfs *fs, const char *address)
{
	char *value = fake_sysfs_attribute(fs, address, "driver_override");

	if (g_strcmp0(value, "(null)") == 0)
		g_clear_pointer(&value, g_free);
	return value;
}

/* The only driver that may have the function: the override, else the one that knows its ID. */
static char *matching_driver(FakeSysfs *fs, const char *address)
{
	g_autofree char *native = fake_hidden_path(address, "native");
	char *override = driver_override(fs, address);

	return override ? override : fake_files_read(fs->root, native);
}

static gboolean group_is_in_use(FakeSysfs *fs, int group)
{
	g_autofree char *path = g_strdup_printf(".fake/groups/%d/in-use", group);

	return group != FAKE_NO_GROUP && fake_files_exist(fs->root, path);
}

static gboolean is_type_0(FakeSysfs *fs, const char *address)
{
	g_autofree char *path = fake_attribute_path(fs, address, "secondary_bus_number");

	return !fake_files_exist(fs->root, path);
}

static int wanted_probe_error(FakeSysfs *fs, const char *address, const char *driver)
{
	g_autofree char *name = g_strconcat("probe-error.", driver, NULL);
	g_autofree char *path = fake_hidden_path(address, name);
	g_autofree char *text = fake_files_read(fs->root, path);

	return text ? (int)g_ascii_strtoll(text, NULL, 10) : 0;
}

static int probe(FakeSysfs *fs, const char *address, const char *driver)
{
	int group = fake_function_group(fs, address);
	int wanted = wanted_probe_error(fs, address, driver);

	if (wanted)
		return wanted;
	if (fake_driver_is_vfio(driver) && (!is_type_0(fs, address) || group == FAKE_NO_GROUP))
		return EINVAL;
	if (!fake_driver_is_vfio(driver) && group_is_in_use(fs, group))
		return EBUSY;
	fake_bind(fs, address, driver);
	return 0;
}

static int store_drivers_probe(FakeSysfs *fs, const char *address)
{
	g_autofree char *function = fake_function_path(fs, address);
	g_autofree char *bound = NULL, *driver = NULL;

	if (!function)
		return ENODEV;
	if (is_locked(fs, address))
		return ETIMEDOUT;
	bound = fake_sysfs_driver(fs, address);
	driver = matching_driver(fs, address);
	if (!bound && driver && fake_driver_is_registered(fs, driver))
		(void)probe(fs, address, driver);
	return 0;
}

static int store_bind(FakeSysfs *fs, const char *driver, const char *address)
{
	g_autofree char *function = fake_function_path(fs, address);
	g_autofree char *match = NULL, *bound = NULL;

	if (!function)
		return ENODEV;
	if (is_locked(fs, address))
		return ETIMEDOUT;
	match = matching_driver(fs, address);
	if (g_strcmp0(match, driver) != 0)
		return ENODEV;
	bound = fake_sysfs_driver(fs, address);
	return bound ? EBUSY : probe(fs, address, driver);
}

static int store_unbind(FakeSysfs *fs, const char *driver, const char *address)
{
	g_autofree char *bound = fake_sysfs_driver(fs, address);
	g_autofree char *hanging = fake_hidden_path(address, "hanging");
	g_autofree char *locked = fake_hidden_path(address, "locked");

	if (g_strcmp0(bound, driver) != 0)
		return ENODEV;
	if (fake_files_exist(fs->root, hanging)) {
		fake_files_write(fs->root, locked, "", 0644);
		return ETIMEDOUT;
	}
	if (fake_driver_is_vfio(driver) && group_is_in_use(fs, fake_function_group(fs, address)))
		return ETIMEDOUT;
	fake_unbind(fs, address);
	return 0;
}

static int store_driver(FakeSysfs *fs, const char *driver, const char *attribute,
			const char *address)
{
	if (!fake_driver_is_registered(fs, driver))
		return ENOENT;
	if (g_strcmp0(attribute, "bind") == 0)
		return store_bind(fs, driver, address);
	if (g_strcmp0(attribute, "unbind") == 0)
		return store_unbind(fs, driver, address);
	return EACCES;
}

/* By the last address in it: "devices/pci0000:00/0000:00:1c.4/0000:02:00.0/power/control". */
static int store_function(FakeSysfs *fs, char **parts, const char *value)
{
	HvrPciAddress address;

	for (guint i = g_strv_length(parts); i-- > 1;)
		if (parts[i] && hvr_pci_address_parse(parts[i - 1], &address)) {
			g_autofree char *name = g_strjoinv("/", parts + i);

			return store_attribute(fs, parts[i - 1], name, value);
		}
	return EACCES;
}

static int store(FakeSysfs *fs, const char *path, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_auto(GStrv) lines = g_strsplit(value, "\n", 2);

	if (*value == '\0')
		return 0;
	if (strcmp(path, "bus/pci/drivers_probe") == 0)
		return store_drivers_probe(fs, lines[0]);
	if (g_str_has_prefix(path, "bus/pci/drivers/") && parts[3] && parts[4])
		return store_driver(fs, parts[3], parts[4], lines[0]);
	return store_function(fs, parts, lines[0]);
}

static gboolean kernel_write(const HvrHost *host, const char *path, const char *value,
			     guint timeout_ms, GError **error)
{
	g_autofree char *shown = g_strescape(value, NULL);
	Call call = call_begin(host, g_strdup_printf("write %s %s", path, shown));
	int result = call_acts(&call) ? store(call.fs, path, value) : 0;

	result = call_end(&call, result);
	if (result == ETIMEDOUT)
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT,
			    "the kernel did not finish writing %s within %g s", path,
			    timeout_ms / 1000.0);
	else if (result)
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(result), "%s",
			    g_strerror(result));
	return result == 0;
}

/* Asks only: neither counted nor logged, and no fault applies. @dirfd: a function's folder */
static char *kernel_read(const HvrHost *host, int dirfd, const char *path, guint timeout_ms,
			 GError **error)
{
	g_autofree char *link = hvr_fd_path(dirfd, NULL);
	g_autofree char *folder = g_file_read_link(link, NULL);
	g_autofree char *address = folder ? g_path_get_basename(folder) : NULL;

	if (!address || !is_locked(host->kernel_data, address))
		return hvr_tree_read(dirfd, path, error);
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT,
		    "the kernel did not finish reading %s within %g s", path, timeout_ms / 1000.0);
	return NULL;
}

/* A new driver takes what it knows and nobody has. */
static void attach_functions(FakeSysfs *fs, const char *driver)
{
	g_autoptr(GPtrArray) names = fake_files_list(fs->root, "sys/bus/pci/devices");

	for (guint i = 0; i < names->len; i++) {
		const char *address = g_ptr_array_index(names, i);
		g_autofree char *bound = fake_sysfs_driver(fs, address);
		g_autofree char *match = matching_driver(fs, address);

		if (!bound && g_strcmp0(match, driver) == 0)
			(void)probe(fs, address, driver);
	}
}

/* It takes the Hailo-8s, or what its options name; a list that it cannot read has it refused. */
static int load_guard(FakeSysfs *fs)
{
	g_autoptr(GPtrArray) names = fake_files_list(fs->root, "sys/bus/pci/devices");
	g_autofree char *options = fake_files_read(fs->root, ".fake/options/" GUARD);
	g_autoptr(GString) cards = g_string_new(NULL);
	const char *ids = "1e60:2864";

	if (options && g_str_has_prefix(options, "ids="))
		ids = options + strlen("ids=");
	for (guint i = 0; i < names->len; i++) {
		const char *address = g_ptr_array_index(names, i);
		g_autofree char *vendor = fake_sysfs_attribute(fs, address, "vendor");
		g_autofree char *device = fake_sysfs_attribute(fs, address, "device");
		g_autofree char *id =
			g_strdup_printf("%s:%s", vendor + strlen("0x"), device + strlen("0x"));
		if (strstr(ids, id))
			g_string_append_printf(cards, "%s\n", address);
	}
	fake_sysfs_put_file(fs, GUARD_CARDS, cards->str);
	return 0;
}

static int load(FakeSysfs *fs, const char *module)
{
	g_autofree char *name = g_strdelimit(g_strdup(module), "-", '_');
	g_autofree char *path = g_strconcat(".fake/modules/", name, NULL);
	g_autofree char *driver = fake_files_read(fs->root, path);

	if (!driver)
		return ENOENT;
	if (strcmp(name, GUARD) == 0)
		return load_guard(fs);
	if (fake_driver_is_registered(fs, driver))
		return 0;
	fake_sysfs_add_driver(fs, driver);
	attach_functions(fs, driver);
	return 0;
}

/* Asks only: neither counted nor logged, and no fault applies. Options are what .fake/options/NAME
 * says. */
static char *kernel_find_module(const HvrHost *host, const char *name, GError **error)
{
	FakeSysfs *fs = host->kernel_data;
	g_autofree char *spelt = g_strdelimit(g_strdup(name), "-", '_');
	g_autofree char *path = g_strconcat(".fake/modules/", spelt, NULL);
	g_autofree char *options_path = g_strconcat(".fake/options/", spelt, NULL);

	if (!fake_files_exist(fs->root, path)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND,
			    "cannot load module %s: the running kernel has no such module", name);
		return NULL;
	}
	char *options = fake_files_read(fs->root, options_path);
	return options ? options : g_strdup("");
}

static gboolean kernel_load_module(const HvrHost *host, const char *name, GError **error)
{
	Call call = call_begin(host, g_strdup_printf("load_module %s", name));
	int result = call_end(&call, call_acts(&call) ? load(call.fs, name) : 0);

	if (result)
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "cannot load module %s: %s", name, g_strerror(result));
	return result == 0;
}

/* Drivers with driver_managed_dma, as Linux 5.19 and later have it. */
static gboolean manages_own_dma(const char *driver)
{
	return fake_driver_is_vfio(driver) || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0;
}

static gboolean is_viable(FakeSysfs *fs, int group)
{
	g_autofree char *folder = g_strdup_printf("sys/kernel/iommu_groups/%d/devices", group);
	g_autoptr(GPtrArray) members = fake_files_list(fs->root, folder);

	for (guint i = 0; i < members->len; i++) {
		g_autofree char *driver = fake_sysfs_driver(fs, g_ptr_array_index(members, i));

		if (driver && !manages_own_dma(driver))
			return FALSE;
	}
	return TRUE;
}

static HvrAccessStatus status_of(FakeSysfs *fs, int group)
{
	if (!hvr_access_exists(&fs->host, hvr_access_of_group(group)))
		return HVR_ACCESS_NO_NODE;
	if (group_is_in_use(fs, group))
		return HVR_ACCESS_IN_USE;
	return is_viable(fs, group) ? HVR_ACCESS_VIABLE : HVR_ACCESS_NOT_VIABLE;
}

/* Changes nothing and asks nobody: no call that is counted. */
static int kernel_may_open(const HvrHost *host, const char *node)
{
	FakeSysfs *fs = host->kernel_data;
	g_autofree char *forbidden = g_strconcat(".fake/forbidden/", node, NULL);

	if (hvr_tree_exists(host->dev, node) && fake_files_exist(fs->root, forbidden))
		return EPERM;
	return hvr_access_may_open(host, node);
}

/* All accesses of this kernel are groups: VFIO answers for no other. */
static gboolean kernel_access_status(const HvrHost *host, HvrAccess access,
				     HvrAccessStatus *out_status, GError **error)
{
	g_autofree char *path = hvr_access_path(access);
	Call call = call_begin(host, g_strdup_printf("access_status %s", path));
	gboolean forbidden = kernel_may_open(host, path) == EPERM;
	int result = call_end(&call, forbidden ? EPERM : 0);

	if (result)
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(result),
			    "cannot ask VFIO for the status of group %d: %s", access.number,
			    g_strerror(result));
	else
		*out_status = status_of(call.fs, access.number);
	return result == 0;
}

static gboolean kernel_own_access(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner,
				  GError **error)
{
	g_autofree char *path = hvr_access_path(access);
	Call call = call_begin(host, g_strdup_printf("own_access %s %u:%u %04o", path, owner->uid,
						     owner->gid, owner->mode));
	gboolean well = !call_acts(&call) || hvr_access_own(host, access, owner, error);
	int result = call_end(&call, 0);

	if (result && well)
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(result),
			    "cannot own the node %s: %s", path, g_strerror(result));
	return well && result == 0;
}

static gboolean kernel_container_check(const HvrHost *host, GError **error)
{
	Call call = call_begin(host, g_strdup("container_check"));
	gboolean there = fake_files_exist(call.fs->root, "dev/vfio/vfio");
	int result = call_end(&call, there ? 0 : ENOENT);

	if (result)
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(result),
			    "cannot open the VFIO container node vfio/vfio: %s",
			    g_strerror(result));
	return result == 0;
}

const HvrKernel fake_kernel = {
	.write = kernel_write,
	.read = kernel_read,
	.find_module = kernel_find_module,
	.load_module = kernel_load_module,
	.access_status = kernel_access_status,
	.may_open = kernel_may_open,
	.own_access = kernel_own_access,
	.container_check = kernel_container_check,
};
