/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds a machine. The layout, the links and the texts are Linux's; only what hailo-vm-run or
 * libpci may look at is there.
 *
 *   sys/devices/pci0000:00/0000:00:1c.4/0000:02:00.0/   the functions, nested as the buses are
 *   sys/bus/pci/{devices,drivers}/                      links to them
 *   sys/kernel/iommu_groups/N/, sys/class/              the same
 *   .fake/functions/ADDRESS/                            native driver, default reset methods, ...
 *   .fake/groups/N/in-use, .fake/modules/NAME           what a real kernel keeps to itself
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-machine.h"
#include "vfio/address.h"
#include "vfio/fd.h"

static const char *const folders[] = {
	"sys/bus/pci/devices",
	"sys/bus/pci/drivers",
	"sys/class/net",
	"sys/class/block",
	"sys/class/vfio",
	"sys/dev/char",
	"sys/dev/block",
	"sys/module",
	"sys/kernel/iommu_groups",
	"sys/devices/virtual/vfio",
	"dev",
	"proc/self",
	"proc/net",
	"run",
	".fake/functions",
	".fake/groups",
	".fake/modules",
};

static int open_folder(const char *root, const char *name)
{
	g_autofree char *path = g_strconcat(root, "/", name, NULL);

	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

FakeSysfs *fake_sysfs_open(const char *root)
{
	FakeSysfs *fs = g_new0(FakeSysfs, 1);

	fs->root = g_strdup(root);
	fs->log = g_ptr_array_new_with_free_func(g_free);
	fs->host.sys = open_folder(root, "sys");
	fs->host.dev = open_folder(root, "dev");
	fs->host.proc = open_folder(root, "proc");
	fs->host.run = open_folder(root, "run");
	fs->host.root = open_folder(root, ".");
	fs->host.kernel = &fake_kernel;
	fs->host.kernel_data = fs;
	return fs;
}

static void add_bus_files(const char *root)
{
	fake_files_write(root, "sys/bus/pci/drivers_probe", "", 0200);
	fake_files_write(root, "sys/bus/pci/drivers_autoprobe", "1\n", 0644);
	fake_files_write(root, "sys/bus/pci/rescan", "", 0200);
	fake_files_write(root, "proc/self/mountinfo", "", 0444);
	fake_files_write(root, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
			 0444);
	fake_files_write(root, "proc/net/route",
			 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
			 "\tWindow\tIRTT\n",
			 0444);
	fake_files_write(root, "proc/net/ipv6_route", "", 0444);
	fake_files_write(root, ".fake/modules/vfio_pci", "vfio-pci\n", 0644);
	fake_files_write(root, ".fake/modules/vfio_iommu_type1", "", 0644);
}

/* In memory where that is: a machine is some hundred files, and a test may need many. */
static char *make_root(void)
{
	const char *wanted = g_getenv("TMPDIR");
	const char *folder = wanted ? wanted : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *root = g_build_filename(folder, "hvr-fake-XXXXXX", NULL);

	if (!g_mkdtemp(root))
		g_error("fake machine: cannot make '%s'", root);
	return root;
}

FakeSysfs *fake_sysfs_new(void)
{
	g_autofree char *root = make_root();
	FakeSysfs *fs;

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		fake_files_make_folder(root, folders[i]);
	g_autofree char *dev = g_strconcat(root, "/dev", NULL);
	g_assert(chmod(dev, 0755) == 0); /* whatever the umask */
	add_bus_files(root);
	fs = fake_sysfs_open(root);
	fs->maker = getpid();
	fake_sysfs_set_iommu(fs, TRUE);
	return fs;
}

void fake_sysfs_free(FakeSysfs *fs)
{
	if (!fs)
		return;

	hvr_fd_close(fs->host.sys);
	hvr_fd_close(fs->host.dev);
	hvr_fd_close(fs->host.proc);
	hvr_fd_close(fs->host.run);
	hvr_fd_close(fs->host.root);
	if (fs->maker == getpid())
		fake_files_end(fs->root);
	g_ptr_array_unref(fs->log);
	g_free(fs->fail_match);
	g_free(fs->root);
	g_free(fs);
}

const HvrHost *fake_sysfs_host(FakeSysfs *fs)
{
	return &fs->host;
}

/* Where a function goes: below its parent, with a root bus between when its domain is new. */
static char *make_place(FakeSysfs *fs, const char *address, const char *parent)
{
	g_autofree char *above = parent ? fake_function_path(fs, parent) : g_strdup("sys/devices");
	HvrPciAddress here, there = { 0 };

	if (!above || !hvr_pci_address_parse(address, &here) ||
	    (parent && !hvr_pci_address_parse(parent, &there)))
		g_error("fake machine: cannot place %s below %s", address, parent);
	if (parent && here.domain == there.domain)
		return g_strconcat(above, "/", address, NULL);
	return g_strdup_printf("%s/pci%04x:%02x/%s", above, here.domain, here.bus, address);
}

static void add_text(FakeSysfs *fs, const char *place, const char *name, mode_t mode,
		     const char *format, ...) G_GNUC_PRINTF(5, 6);

static void add_text(FakeSysfs *fs, const char *place, const char *name, mode_t mode,
		     const char *format, ...)
{
	g_autofree char *path = g_strconcat(place, "/", name, NULL);
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fake_files_write(fs->root, path, text, mode);
}

static void add_identity(FakeSysfs *fs, const char *place, const char *address,
			 const FakeFunction *function)
{
	guint32 class_code = function->class_code;
	g_autofree char *modalias =
		g_strdup_printf("pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", function->vendor,
				function->device, function->vendor, function->device,
				class_code >> 16, class_code >> 8 & 0xff, class_code & 0xff);

	add_text(fs, place, "vendor", 0444, "0x%04x\n", function->vendor);
	add_text(fs, place, "device", 0444, "0x%04x\n", function->device);
	add_text(fs, place, "class", 0444, "0x%06x\n", class_code);
	add_text(fs, place, "subsystem_vendor", 0444, "0x%04x\n", function->vendor);
	add_text(fs, place, "subsystem_device", 0444, "0x%04x\n", function->device);
	add_text(fs, place, "revision", 0444, "0x01\n");
	add_text(fs, place, "modalias", 0444, "%s\n", modalias);
	add_text(fs, place, "uevent", 0644,
		 "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\n"
		 "MODALIAS=%s\n",
		 class_code, function->vendor, function->device, function->vendor, function->device,
		 address, modalias);
}

static void add_attributes(FakeSysfs *fs, const char *place, const FakeFunction *function)
{
	const char *override = function->driver_override;
	const char *power = function->power_control;
	const char *d3cold = function->d3cold_allowed;

	add_text(fs, place, "irq", 0444, "0\n");
	add_text(fs, place, "enable", 0644, "1\n");
	add_text(fs, place, "numa_node", 0644, "-1\n");
	add_text(fs, place, "resource", 0444,
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	add_text(fs, place, "current_link_speed", 0444, "8.0 GT/s PCIe\n");
	add_text(fs, place, "current_link_width", 0444, "4\n");
	add_text(fs, place, "power_state", 0444, "D0\n");
	add_text(fs, place, "driver_override", 0644, "%s\n", override ? override : "(null)");
	add_text(fs, place, "d3cold_allowed", 0644, "%s\n", d3cold ? d3cold : "1");
	add_text(fs, place, "power/control", 0644, "%s\n", power ? power : "auto");
	add_text(fs, place, "power/runtime_status", 0444, "active\n");
	if (function->reset_method)
		add_text(fs, place, "reset_method", 0644, "%s%s", function->reset_method,
			 *function->reset_method ? "\n" : "");
}

static void add_config(FakeSysfs *fs, const char *place, const FakeFunction *function,
		       gboolean bridge)
{
	g_autofree char *path = g_strconcat(place, "/config", NULL);
	guint16 vendor = function->virtual_function ? 0xffff : function->vendor;
	guint16 device = function->virtual_function ? 0xffff : function->device;
	guint8 config[256] = {
		[0x00] = vendor & 0xff,
		[0x01] = (guint8)(vendor >> 8),
		[0x02] = device & 0xff,
		[0x03] = (guint8)(device >> 8),
		[0x06] = 0x10, /* status: has capabilities */
		[0x08] = 0x01,
		[0x09] = function->class_code & 0xff,
		[0x0a] = function->class_code >> 8 & 0xff,
		[0x0b] = (guint8)(function->class_code >> 16),
		[0x0e] = bridge ? 1 : 0,
	};

	fake_files_write_bytes(fs->root, path, config, sizeof(config), 0644);
}

static void join_group(FakeSysfs *fs, const char *address, int group)
{
	g_autofree char *place = fake_function_path(fs, address);
	g_autofree char *folder = g_strdup_printf("sys/kernel/iommu_groups/%d", group);
	g_autofree char *member = g_strconcat(folder, "/devices/", address, NULL);
	g_autofree char *link = g_strconcat(place, "/iommu_group", NULL);

	if (!fake_files_exist(fs->root, folder)) {
		add_text(fs, folder, "type", 0644, "DMA-FQ\n");
		add_text(fs, folder, "reserved_regions", 0444,
			 "0x00000000fee00000 0x00000000feefffff msi\n");
	}
	fake_files_link(fs->root, member, place);
	fake_files_link(fs->root, link, folder);
}

static void hide(FakeSysfs *fs, const char *address, const char *name, const char *text)
{
	g_autofree char *path = fake_hidden_path(address, name);

	if (text)
		fake_files_write(fs->root, path, text, 0644);
	else
		fake_files_remove(fs->root, path);
}

/* The driver that takes the function by its ID. A vfio driver never does. */
static const char *native_driver(const FakeFunction *function)
{
	if (function->native)
		return function->native;
	return fake_driver_is_vfio(function->driver) ? NULL : function->driver;
}

static void add_driver_of(FakeSysfs *fs, const char *address, const FakeFunction *function)
{
	const char *native = native_driver(function);

	hide(fs, address, "native", native);
	if (native)
		fake_sysfs_add_driver(fs, native);
	if (!function->driver)
		return;
	fake_sysfs_add_driver(fs, function->driver);
	fake_bind(fs, address, function->driver);
	if (function->power_control) {
		g_autofree char *path = fake_attribute_path(fs, address, "power/control");
		g_autofree char *text = g_strconcat(function->power_control, "\n", NULL);

		fake_files_rewrite(fs->root, path, text);
	}
}

static void add(FakeSysfs *fs, const char *address, const FakeFunction *function, gboolean bridge)
{
	g_autofree char *place = make_place(fs, address, function->parent);
	g_autofree char *link = g_strconcat("sys/bus/pci/devices/", address, NULL);
	g_autofree char *subsystem = g_strconcat(place, "/subsystem", NULL);
	g_autofree char *group = g_strdup_printf("%d", function->group);

	add_identity(fs, place, address, function);
	add_attributes(fs, place, function);
	add_config(fs, place, function, bridge);
	fake_files_link(fs->root, subsystem, "sys/bus/pci");
	fake_files_link(fs->root, link, place);
	if (function->virtual_function) {
		g_autofree char *physfn = g_strconcat(place, "/physfn", NULL);

		fake_files_link_text(fs->root, physfn, "../0000:00:00.0");
	}
	if (function->reset_method)
		hide(fs, address, "reset_default", function->reset_method);
	hide(fs, address, "group", function->group == FAKE_NO_GROUP ? NULL : group);
	if (function->group != FAKE_NO_GROUP && !fake_files_exist(fs->root, ".fake/no-iommu"))
		join_group(fs, address, function->group);
	add_driver_of(fs, address, function);
}

void fake_sysfs_add_function(FakeSysfs *fs, const char *address, const FakeFunction *function)
{
	add(fs, address, function, FALSE);
}

void fake_sysfs_add_bridge(FakeSysfs *fs, const char *address, const FakeFunction *function)
{
	FakeFunction bridge = *function;
	g_autofree char *place = make_place(fs, address, function->parent);

	if (!bridge.class_code)
		bridge.class_code = 0x060400;
	if (!bridge.vendor)
		bridge.vendor = 0x8086, bridge.device = 0xa33c;
	if (!bridge.driver)
		bridge.driver = "pcieport";
	else if (!*bridge.driver)
		bridge.driver = NULL;
	add_text(fs, place, "secondary_bus_number", 0444, "1\n");
	add_text(fs, place, "subordinate_bus_number", 0444, "1\n");
	add(fs, address, &bridge, TRUE);
}

void fake_sysfs_add_hailo8(FakeSysfs *fs, const char *port, const char *address, int group,
			   guint number)
{
	const FakeFunction bridge = { .group = group + 100 };
	const FakeFunction card = {
		.parent = port,
		.vendor = 0x1e60,
		.device = 0x2864,
		.class_code = 0x0b4000,
		.group = group,
		.driver = "hailo",
		.reset_method = "flr bus",
	};
	g_autofree char *place = fake_function_path(fs, port);
	g_autofree char *name = g_strdup_printf("hailo%u", number);
	g_autofree char *path = g_strconcat("hailo_chardev/", name, NULL);

	if (!place)
		fake_sysfs_add_bridge(fs, port, &bridge);
	fake_sysfs_add_function(fs, address, &card);
	fake_sysfs_add_node(fs, address, path, name, "hailo_chardev", 510, number);
}

static void remove_one(FakeSysfs *fs, const char *address)
{
	g_autofree char *link = g_strconcat("sys/bus/pci/devices/", address, NULL);
	g_autofree char *hidden = g_strconcat(".fake/functions/", address, NULL);
	g_autofree char *member = g_strdup_printf("sys/kernel/iommu_groups/%d/devices/%s",
						  fake_function_group(fs, address), address);

	fake_unbind(fs, address);
	fake_files_remove(fs->root, member);
	fake_files_remove(fs->root, link);
	fake_files_remove(fs->root, hidden);
}

void fake_sysfs_remove_function(FakeSysfs *fs, const char *address)
{
	g_autoptr(GPtrArray) names = fake_files_list(fs->root, "sys/bus/pci/devices");
	g_autofree char *place = fake_function_path(fs, address);
	g_autofree char *below = g_strconcat(place, "/", NULL);

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = fake_function_path(fs, g_ptr_array_index(names, i));

		if (path && (g_str_equal(path, place) || g_str_has_prefix(path, below)))
			remove_one(fs, g_ptr_array_index(names, i));
	}
	fake_files_remove(fs->root, place);
}

void fake_sysfs_set_iommu(FakeSysfs *fs, gboolean on)
{
	g_autoptr(GPtrArray) names = fake_files_list(fs->root, "sys/bus/pci/devices");

	if (on) {
		fake_files_remove(fs->root, ".fake/no-iommu");
		fake_files_make_folder(fs->root, "sys/devices/virtual/iommu/dmar0");
		fake_files_link(fs->root, "sys/class/iommu/dmar0",
				"sys/devices/virtual/iommu/dmar0");
	} else {
		fake_files_write(fs->root, ".fake/no-iommu", "", 0644);
		fake_files_remove(fs->root, "sys/class/iommu/dmar0");
		fake_files_remove(fs->root, "sys/devices/virtual/iommu");
		fake_files_remove(fs->root, "sys/kernel/iommu_groups");
		fake_files_make_folder(fs->root, "sys/kernel/iommu_groups");
	}
	for (guint i = 0; i < names->len; i++) {
		const char *address = g_ptr_array_index(names, i);
		g_autofree char *link = fake_attribute_path(fs, address, "iommu_group");
		g_autofree char *hidden = fake_hidden_path(address, "group");
		g_autofree char *group = fake_files_read(fs->root, hidden);

		if (!on)
			fake_files_remove(fs->root, link);
		else if (group)
			join_group(fs, address, (int)g_ascii_strtoll(group, NULL, 10));
	}
}

void fake_sysfs_set_noiommu(FakeSysfs *fs, int group)
{
	g_autofree char *folder = g_strdup_printf("sys/kernel/iommu_groups/%d", group);

	add_text(fs, folder, "name", 0444, "vfio-noiommu\n");
}

void fake_sysfs_set_in_use(FakeSysfs *fs, int group, gboolean in_use)
{
	g_autofree char *path = g_strdup_printf(".fake/groups/%d/in-use", group);

	if (in_use)
		fake_files_write(fs->root, path, "", 0644);
	else
		fake_files_remove(fs->root, path);
}

void fake_sysfs_forbid_node(FakeSysfs *fs, const char *node)
{
	g_autofree char *path = g_strconcat(".fake/forbidden/", node, NULL);

	fake_files_write(fs->root, path, "", 0644);
}

void fake_sysfs_set_hanging(FakeSysfs *fs, const char *address, gboolean hanging)
{
	hide(fs, address, "hanging", hanging ? "" : NULL);
	if (!hanging)
		hide(fs, address, "locked", NULL);
}

void fake_sysfs_set_probe_error(FakeSysfs *fs, const char *address, const char *driver,
				int error_number)
{
	g_autofree char *name = g_strconcat("probe-error.", driver, NULL);
	g_autofree char *text = g_strdup_printf("%d\n", error_number);

	hide(fs, address, name, error_number ? text : NULL);
}

void fake_sysfs_set_dead(FakeSysfs *fs, const char *address)
{
	g_autofree char *path = fake_attribute_path(fs, address, "config");
	guint8 config[256];

	memset(config, 0xff, sizeof(config));
	fake_files_write_bytes(fs->root, path, config, sizeof(config), 0644);
}
