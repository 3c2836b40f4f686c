/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change to the host, made and verified.
 *
 * The kernel's answer to a write is not the truth about its effect: drivers_probe returns 0 when
 * nothing matched, and an attribute may take a value and keep another. So each step ends with a
 * look at what it was meant to bring about.
 */
#include "vfio/step.h"

#include <gio/gio.h>
#include <string.h>

#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/kmsg.h"
#include "vfio/tree.h"
#include "vfio/udev.h"

/* How long udev's rules for one new node may take; longer, and it is not waited for. */
#define UDEV_TIMEOUT_MS 5000
/* Of the kernel's log, the newest. */
#define LINES_MAX 4

HvrStep *hvr_step_new(HvrStepKind kind, const HvrPciFunction *function, const char *value)
{
	HvrStep *step = g_new0(HvrStep, 1);

	step->kind = kind;
	if (function) {
		step->address = function->address;
		step->access = hvr_access_of(function);
	}
	step->value = g_strdup(value);
	return step;
}

HvrStep *hvr_step_new_set(const HvrPciFunction *function, const char *attribute, const char *value)
{
	HvrStep *step = hvr_step_new(HVR_STEP_SET, function, value);
	step->attribute = attribute;
	return step;
}

HvrStep *hvr_step_new_own_node(const HvrPciFunction *function, uid_t uid, gid_t gid, mode_t mode)
{
	HvrStep *step = hvr_step_new(HVR_STEP_OWN_NODE, function, NULL);
	step->owner = (HvrNodeOwner){ .uid = uid, .gid = gid, .mode = mode };
	return step;
}

void hvr_step_free(HvrStep *step)
{
	if (!step)
		return;
	g_free(step->value);
	g_free(step);
}

GPtrArray *hvr_steps_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)hvr_step_free);
}

/* Says what was tried in front of why it failed. Always FALSE. */
static gboolean fail(const char *name, const char *tried, GError *cause, GError **error)
{
	g_propagate_prefixed_error(error, cause, "%s: cannot %s: ", name, tried);
	return FALSE;
}

static char *attribute_path(const char *name, const char *attribute)
{
	return g_strdup_printf("bus/pci/devices/%s/%s", name, attribute);
}

/*
 * The kernel offers "bus" to the first function that it finds on a bus, as long as that is alone
 * there; once its siblings are found it refuses to take the word back. What it offers now is then
 * the nearest thing. The list itself is tried once more behind it, so that a refusal for any other
 * reason does not lose it.
 */
static gboolean set_default_instead(const HvrHost *host, const char *path, const char *text,
				    guint timeout_ms, const GError *error)
{
	if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT) ||
	    !host->kernel->write(host, path, "default\n", timeout_ms, NULL))
		return FALSE;
	if (!host->kernel->write(host, path, text, timeout_ms, NULL))
		g_debug("%s: the kernel's default is what is left", path);
	return TRUE;
}

static gboolean perform_set(const HvrHost *host, const HvrStep *step, const char *name,
			    guint timeout_ms, GError **error)
{
	g_autofree char *path = attribute_path(name, step->attribute);
	g_autofree char *text = g_strdup_printf("%s\n", step->value);
	g_autofree char *tried = g_strdup_printf("set %s to '%s'", step->attribute, step->value);
	GError *cause = NULL;

	if (!host->kernel->write(host, path, text, timeout_ms, &cause)) {
		if (step->or_default && set_default_instead(host, path, text, timeout_ms, cause)) {
			g_clear_error(&cause);
			return TRUE;
		}
		return fail(name, tried, cause, error);
	}
	g_autofree char *seen = hvr_tree_read_line(host->sys, path);
	/* "(null)" is how the kernel spells an override that is not there. */
	if (g_strcmp0(seen, step->value) == 0 ||
	    (*step->value == '\0' && g_strcmp0(seen, "(null)") == 0))
		return TRUE;
	cause = g_error_new(HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "the kernel took it and shows '%s'", seen ? seen : "nothing");
	return fail(name, tried, cause, error);
}

gboolean hvr_driver_exists(const HvrHost *host, const char *driver)
{
	g_autofree char *folder = g_strdup_printf("bus/pci/drivers/%s", driver);

	return hvr_tree_exists(host->sys, folder);
}

static gboolean has_driver(const HvrHost *host, const char *name)
{
	g_autofree char *link = attribute_path(name, "driver");

	return hvr_tree_exists(host->sys, link);
}

static gboolean driver_is(const HvrHost *host, const char *name, const char *driver, GError **error)
{
	g_autofree char *link = attribute_path(name, "driver");
	g_autofree char *seen = hvr_tree_link_name(host->sys, link);

	if (g_strcmp0(seen, driver) == 0)
		return TRUE;
	if (seen)
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "it is on driver %s afterwards", seen);
	else
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL,
			    "it is without a driver afterwards");
	return FALSE;
}

static gboolean perform_unbind(const HvrHost *host, const HvrStep *step, const char *name,
			       guint timeout_ms, GError **error)
{
	g_autofree char *path = g_strdup_printf("bus/pci/drivers/%s/unbind", step->value);
	g_autofree char *tried = g_strdup_printf("unbind from %s", step->value);
	GError *cause = NULL;

	if (!host->kernel->write(host, path, name, timeout_ms, &cause) ||
	    !driver_is(host, name, NULL, &cause))
		return fail(name, tried, cause, error);
	return TRUE;
}

static gboolean perform_bind(const HvrHost *host, const HvrStep *step, const char *name,
			     guint timeout_ms, GError **error)
{
	g_autofree char *path = g_strdup_printf("bus/pci/drivers/%s/bind", step->value);
	g_autofree char *tried = g_strdup_printf("bind to %s", step->value);
	guint probe_ms = MAX(timeout_ms, hvr_host_probe_timeout_ms(host));
	g_autoptr(GError) cause = NULL;
	GError *seen = NULL;

	/* The link is there from before the probe on (really_probe() in dd.c): while one may still
	 * be under way it says nothing. Else whoever was quicker has brought the same about. */
	if (!host->kernel->write(host, path, name, probe_ms, &cause) &&
	    g_error_matches(cause, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT))
		return fail(name, tried, g_steal_pointer(&cause), error);
	if (driver_is(host, name, step->value, &seen))
		return TRUE;
	if (!hvr_driver_exists(host, step->value)) {
		g_clear_error(&seen);
		seen = g_error_new(HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND,
				   "that driver is no longer loaded");
	} else if (cause && !has_driver(host, name)) {
		g_clear_error(&seen);
		seen = g_steal_pointer(&cause);
	}
	return fail(name, tried, seen, error);
}

static gboolean perform_reprobe(const HvrHost *host, const char *name, guint timeout_ms,
				GError **error)
{
	guint probe_ms = MAX(timeout_ms, hvr_host_probe_timeout_ms(host));
	GError *cause = NULL;

	if (host->kernel->write(host, "bus/pci/drivers_probe", name, probe_ms, &cause))
		return TRUE;
	return fail(name, "ask the kernel for a driver", cause, error);
}

static gboolean perform_probe(const HvrHost *host, const HvrStep *step, const char *name,
			      guint timeout_ms, GError **error)
{
	g_autofree char *node = hvr_access_name(step->access);
	g_autofree char *tried = g_strdup_printf("bind to %s", step->value);
	g_autoptr(HvrUdevWatch) udev = NULL;
	GError *cause = NULL;

	if (!hvr_access_exists(host, step->access))
		udev = hvr_udev_watch_new(host, hvr_access_subsystem(step->access));
	if (!host->kernel->write(host, "bus/pci/drivers_probe", name, timeout_ms, &cause) ||
	    !driver_is(host, name, step->value, &cause) ||
	    !hvr_access_wait(host, step->access, timeout_ms, &cause))
		return fail(name, tried, cause, error);
	if (!hvr_udev_watch_wait(udev, node, MIN(UDEV_TIMEOUT_MS, timeout_ms)))
		g_debug("%s: udev has not finished with its node %s", name, node);
	return TRUE;
}

static gboolean perform(const HvrHost *host, const HvrStep *step, const char *name,
			guint timeout_ms, GError **error)
{
	GError *cause = NULL;

	switch (step->kind) {
	case HVR_STEP_LOAD_MODULE:
		return host->kernel->load_module(host, step->value, error);
	case HVR_STEP_SET:
		return perform_set(host, step, name, timeout_ms, error);
	case HVR_STEP_UNBIND:
		return perform_unbind(host, step, name, timeout_ms, error);
	case HVR_STEP_PROBE:
		return perform_probe(host, step, name, timeout_ms, error);
	case HVR_STEP_REPROBE:
		return perform_reprobe(host, name, timeout_ms, error);
	case HVR_STEP_BIND:
		return perform_bind(host, step, name, timeout_ms, error);
	case HVR_STEP_OWN_NODE:
		if (host->kernel->own_access(host, step->access, &step->owner, &cause))
			return TRUE;
		g_propagate_prefixed_error(error, cause, "%s: ", name);
		return FALSE;
	}
	g_return_val_if_reached(FALSE);
}

/* What a driver has said of this function while it was refused; an errno alone says little. */
static void add_kernel_words(HvrKmsg *kmsg, const char *name, GError *error)
{
	const char *const names[] = { name, NULL };
	g_autoptr(GPtrArray) lines = hvr_kmsg_read(kmsg, names);

	if (lines->len == 0)
		return;
	if (lines->len > LINES_MAX)
		g_ptr_array_remove_range(lines, 0, lines->len - LINES_MAX);
	g_ptr_array_add(lines, NULL);
	g_autofree char *words = g_strjoinv(" / ", (char **)lines->pdata);
	g_autofree char *message = error->message;
	error->message = g_strdup_printf("%s; the kernel says: %s", message, words);
}

gboolean hvr_step_perform(const HvrHost *host, const HvrStep *step, guint timeout_ms,
			  GError **error)
{
	char name[HVR_PCI_ADDRESS_SIZE];
	g_autofree char *what = hvr_step_describe(step);
	g_autoptr(HvrKmsg) kmsg = NULL;
	GError *cause = NULL;

	g_debug("step: %s", what);
	hvr_pci_address_format(&step->address, name);
	if (step->kind == HVR_STEP_UNBIND || step->kind == HVR_STEP_PROBE ||
	    step->kind == HVR_STEP_BIND)
		kmsg = hvr_kmsg_open(host);
	if (perform(host, step, name, timeout_ms, &cause))
		return TRUE;
	add_kernel_words(kmsg, name, cause);
	g_propagate_error(error, cause);
	return FALSE;
}

char *hvr_step_describe(const HvrStep *step)
{
	char name[HVR_PCI_ADDRESS_SIZE];
	g_autofree char *node = NULL;

	hvr_pci_address_format(&step->address, name);
	switch (step->kind) {
	case HVR_STEP_LOAD_MODULE:
		return g_strdup_printf("load module %s", step->value);
	case HVR_STEP_SET:
		if (*step->value == '\0')
			return g_strdup_printf("%s: empty %s", name, step->attribute);
		return g_strdup_printf("%s: set %s to '%s'", name, step->attribute, step->value);
	case HVR_STEP_UNBIND:
		return g_strdup_printf("%s: unbind from %s", name, step->value);
	case HVR_STEP_REPROBE:
		return g_strdup_printf("%s: ask the kernel for a driver", name);
	case HVR_STEP_PROBE:
	case HVR_STEP_BIND:
		return g_strdup_printf("%s: bind to %s", name, step->value);
	case HVR_STEP_OWN_NODE:
		node = hvr_access_path(step->access);
		if (step->owner.uid == HVR_UID_ELSEWHERE)
			return g_strdup_printf("%s: give /dev/%s to the VM's user, mode %04o", name,
					       node, step->owner.mode);
		return g_strdup_printf("%s: give /dev/%s to %u:%u, mode %04o", name, node,
				       step->owner.uid, step->owner.gid, step->owner.mode);
	}
	g_return_val_if_reached(NULL);
}
