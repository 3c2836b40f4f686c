/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hailo-vm-run changes on a function, read so that it can be written back.
 *
 * An attribute that is not there (reset_method before Linux 5.15, or on a function without any
 * method) is told apart from one that cannot be read: the first needs no restoring, the second
 * must stop everything, since a state that is not known cannot be given back. All attributes are
 * read below one descriptor of the function's folder, so they belong to the same device even when
 * another takes its address meanwhile. One of them, driver_override, is shown under the device's
 * lock, which a driver that hangs in its probe or remove has: it is not waited for without end.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/access.h"
#include "vfio/devnodes.h"
#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/guard.h"
#include "vfio/state.h"
#include "vfio/tree.h"

HvrPciState *hvr_pci_state_new(void)
{
	return g_new0(HvrPciState, 1);
}

HvrPciState *hvr_pci_state_copy(const HvrPciState *state)
{
	HvrPciState *copy = hvr_pci_state_new();

	*copy = *state;
	copy->driver = g_strdup(state->driver);
	copy->driver_override = g_strdup(state->driver_override);
	copy->reset_method = g_strdup(state->reset_method);
	copy->power_control = g_strdup(state->power_control);
	copy->d3cold_allowed = g_strdup(state->d3cold_allowed);
	copy->devnode = g_strdup(state->devnode);
	return copy;
}

void hvr_pci_state_free(HvrPciState *state)
{
	if (!state)
		return;

	g_free(state->driver);
	g_free(state->driver_override);
	g_free(state->reset_method);
	g_free(state->power_control);
	g_free(state->d3cold_allowed);
	g_free(state->devnode);
	g_free(state);
}

static int open_function(const HvrHost *host, const HvrPciFunction *function, GError **error)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s", function->name);
	int fd = hvr_open_beneath(host->sys, path, O_PATH | O_DIRECTORY);
	int saved = errno;

	if (fd >= 0)
		return fd;
	if (saved == ENOENT)
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND,
			    "%s: no such PCI function", function->name);
	else
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "%s: cannot open: %s", function->name, g_strerror(saved));
	return -1;
}

/* Takes what reading came to. Sets @out_value to NULL where there is no such attribute. */
static gboolean take_optional(char *value, GError *failure, char **out_value, GError **error)
{
	if (value) {
		/* The one newline that sysfs adds: the rest is the value. */
		if (g_str_has_suffix(value, "\n"))
			value[strlen(value) - 1] = '\0';
		*out_value = value;
		return TRUE;
	}
	if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
		g_error_free(failure);
		*out_value = NULL;
		return TRUE;
	}
	g_propagate_error(error, failure);
	return FALSE;
}

static gboolean read_optional(int dirfd, const char *attribute, char **out_value, GError **error)
{
	GError *failure = NULL;
	char *value = hvr_tree_read(dirfd, attribute, &failure);

	return take_optional(value, failure, out_value, error);
}

static gboolean read_override(const HvrHost *host, int dirfd, HvrPciState *state, GError **error)
{
	GError *failure = NULL;
	char *value = host->kernel->read(host, dirfd, "driver_override", hvr_host_timeout_ms(host),
					 &failure);

	g_prefix_error(&failure, "cannot read 'driver_override': ");
	if (!take_optional(value, failure, &state->driver_override, error))
		return FALSE;
	if (g_strcmp0(state->driver_override, "(null)") == 0)
		g_clear_pointer(&state->driver_override, g_free);
	return TRUE;
}

static gboolean read_attributes(const HvrHost *host, int dirfd, HvrPciState *state, GError **error)
{
	state->driver = hvr_tree_link_name(dirfd, "driver");
	return read_override(host, dirfd, state, error) &&
	       read_optional(dirfd, "reset_method", &state->reset_method, error) &&
	       read_optional(dirfd, "power/control", &state->power_control, error) &&
	       read_optional(dirfd, "d3cold_allowed", &state->d3cold_allowed, error);
}

static gboolean read_node(const HvrHost *host, HvrAccess access, HvrPciState *state, GError **error)
{
	g_auto(HvrFd) fd = hvr_access_open(host, access, O_PATH | O_NOFOLLOW);
	struct stat st;
	int saved = errno;

	if (fd < 0 && saved == ENOENT)
		return TRUE;
	if (fd < 0 || fstat(fd, &st) < 0) {
		saved = errno;
		g_autofree char *path = hvr_access_path(access);
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "cannot look at the group's node '%s': %s", path, g_strerror(saved));
		return FALSE;
	}
	state->has_node = TRUE;
	state->node_uid = st.st_uid;
	state->node_gid = st.st_gid;
	state->node_mode = st.st_mode & 07777;
	return TRUE;
}

/* An interface may be called almost anything. What is no plain word has no number that a driver
 * gave, and is not worth refusing a card that could then not be written down. */
static gboolean is_plain(const char *name)
{
	while (g_ascii_isgraph(*name))
		name++;
	return *name == '\0';
}

static void read_devnode(const HvrHost *host, const HvrPciFunction *function, HvrPciState *state)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	const char *name = NULL;

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(HvrDevnodes) made = hvr_devnodes_find(host, one);
	for (guint i = 0; i < made->nodes->len && !name; i++) {
		const HvrDevnode *node = g_ptr_array_index(made->nodes, i);
		if (node->access.kind == HVR_ACCESS_NONE)
			name = node->name;
	}
	if (!name && made->interfaces->len)
		name = g_ptr_array_index(made->interfaces, 0);
	if (name && is_plain(name))
		state->devnode = g_strdup(name);
}

HvrPciState *hvr_pci_state_read(const HvrHost *host, const HvrPciFunction *function, GError **error)
{
	g_autoptr(HvrPciState) state = hvr_pci_state_new();
	g_auto(HvrFd) dirfd = open_function(host, function, error);

	if (dirfd < 0)
		return NULL;
	if (!read_attributes(host, dirfd, state, error) ||
	    !read_node(host, hvr_access_of(function), state, error)) {
		g_prefix_error(error, "%s: ", function->name);
		return NULL;
	}
	read_devnode(host, function, state);
	g_autoptr(HvrGuard) guard = hvr_guard_look(host);
	state->guarded = hvr_guard_keeps(guard, function);
	return g_steal_pointer(&state);
}

/* As far as @text is a name without its number: "hailo" of "hailo10". */
static gsize name_length(const char *text)
{
	gsize length = strlen(text);

	while (length && g_ascii_isdigit(text[length - 1]))
		length--;
	return length;
}

int hvr_pci_state_compare_devnodes(const HvrPciState *a, const HvrPciState *b)
{
	if (!a->devnode || !b->devnode)
		return (a->devnode != NULL) - (b->devnode != NULL);

	gsize length_a = name_length(a->devnode), length_b = name_length(b->devnode);
	int names = strncmp(a->devnode, b->devnode, MIN(length_a, length_b));
	guint64 left = g_ascii_strtoull(a->devnode + length_a, NULL, 10);
	guint64 right = g_ascii_strtoull(b->devnode + length_b, NULL, 10);

	if (names)
		return names;
	if (length_a != length_b)
		return (length_a > length_b) - (length_a < length_b);
	return (left > right) - (left < right);
}

/* Vendor, device, command and status. */
typedef struct {
	guint16 vendor, device;
	guint8 rest[4];
} ConfigStart;

static gboolean read_config(int dirfd, ConfigStart *out_config, GError **error)
{
	guint8 bytes[8];
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, "config", O_RDONLY);
	gssize n = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
	int saved = errno;

	if (n != (gssize)sizeof(bytes)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
			    "cannot read config space: %s",
			    n < 0 ? g_strerror(saved) : "too short");
		return FALSE;
	}
	out_config->vendor = (guint16)(bytes[0] | bytes[1] << 8);
	out_config->device = (guint16)(bytes[2] | bytes[3] << 8);
	memcpy(out_config->rest, bytes + 4, sizeof(out_config->rest));
	return TRUE;
}

static gboolean is_all_ones(const ConfigStart *config)
{
	static const guint8 ones[sizeof(config->rest)] = { 0xff, 0xff, 0xff, 0xff };

	return config->vendor == 0xffff && config->device == 0xffff &&
	       memcmp(config->rest, ones, sizeof(ones)) == 0;
}

/* Reading config space has the kernel wake what sleeps (pci_config_pm_runtime_get()): what is still
 * in D3cold then does not wake. */
static void set_dead(const HvrPciFunction *function, int dirfd, GError **error)
{
	g_autofree char *power = hvr_tree_read_line(dirfd, "power_state");
	gboolean cold = g_strcmp0(power, "D3cold") == 0;

	g_set_error(error, HVR_VFIO_ERROR,
		    cold ? HVR_VFIO_ERROR_NO_POWER : HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: does not answer: its config space reads as all ones%s", function->name,
		    cold ? ", and it is without power (D3cold)" : "");
}

gboolean hvr_pci_function_alive(const HvrHost *host, const HvrPciFunction *function, GError **error)
{
	ConfigStart config;
	g_auto(HvrFd) dirfd = open_function(host, function, error);

	if (dirfd < 0)
		return FALSE;
	if (!read_config(dirfd, &config, error)) {
		g_prefix_error(error, "%s: ", function->name);
		return FALSE;
	}
	if (is_all_ones(&config)) {
		set_dead(function, dirfd, error);
		return FALSE;
	}
	/* A virtual function's own identity reads as ones: it has its physical function's. */
	if (hvr_tree_exists(dirfd, "physfn"))
		return TRUE;
	if (config.vendor != function->vendor || config.device != function->device) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
			    "%s: is %04x:%04x now, was %04x:%04x", function->name, config.vendor,
			    config.device, function->vendor, function->device);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_pci_function_is_cold(const HvrHost *host, const HvrPciFunction *function)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/power_state", function->name);
	g_autofree char *power = hvr_tree_read_line(host->sys, path);

	return g_strcmp0(power, "D3cold") == 0;
}
