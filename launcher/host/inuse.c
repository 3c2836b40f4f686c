/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who would notice? The kernel is asked first, as it is quick and sure for VFIO groups; /proc is
 * searched only to name the dependents, or where a host driver is about to lose a card.
 */
#include "launcher/host/inuse.h"

#include "launcher/report/error.h"
#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/inventory.h"
#include "vfio/dependents.h"

/* How long somebody may have a group open who only asks for its status, as `list` does. */
#define ASKING_US (250 * G_TIME_SPAN_MILLISECOND)
/* How long a last close may take: a card's reset does, a second and more. */
#define CLOSING_MS 5000

static void append_dependent(GString *text, const HvrDependent *dependent)
{
	const char *command = "a process";

	if (dependent->command)
		command = dependent->command;
	if (text->len)
		g_string_append(text, ", ");
	switch (dependent->kind) {
	case HVR_DEPENDENT_PROCESS:
	case HVR_DEPENDENT_VFIO:
		g_string_append_printf(text, "%s (pid %d, has %s open)", command,
				       (int)dependent->pid, dependent->what);
		break;
	case HVR_DEPENDENT_MOUNT:
		g_string_append_printf(text, "a disk in use (%s)", dependent->what);
		break;
	case HVR_DEPENDENT_DEFAULT_ROUTE:
		g_string_append_printf(text, "the default route (%s)", dependent->what);
		break;
	}
}

static gboolean is_vital(const HvrDependent *dependent)
{
	return dependent->kind == HVR_DEPENDENT_MOUNT ||
	       dependent->kind == HVR_DEPENDENT_DEFAULT_ROUTE;
}

void hvr_inuse_refuse_vital(const HvrPciFunction *function, const char *what, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: this host cannot do without it: %s", function->name, what);
	hvr_error_hint(error, "put the card into a slot with an IOMMU group of its own");
}

static void set_in_use(const HvrPciFunction *function, const GPtrArray *dependents, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gboolean vital = FALSE;

	for (guint i = 0; i < dependents->len; i++) {
		const HvrDependent *dependent = g_ptr_array_index(dependents, i);
		vital = vital || is_vital(dependent);
		append_dependent(text, dependent);
	}
	if (dependents->len == 0)
		g_string_append(text, "a process that cannot be named");
	if (vital) {
		hvr_inuse_refuse_vital(function, text->str, error);
		return;
	}
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY, "%s: in use by %s", function->name,
		    text->str);
	hvr_error_hint(error, "end what uses it, and try again");
}

/* NULL: nobody that /proc shows. [transfer full] */
static char *find_opener(const HvrHost *host, const HvrPciFunction *function)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new(NULL);

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(host, one);
	for (guint i = 0; i < dependents->len; i++) {
		const HvrDependent *dependent = g_ptr_array_index(dependents, i);
		if (dependent->kind == HVR_DEPENDENT_VFIO)
			append_dependent(text, dependent);
	}
	return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

gboolean hvr_inuse_is_open(const HvrHost *host, const HvrPciFunction *function, gint64 until_us,
			   gboolean *out_open, char **out_opener, GError **error)
{
	HvrAccess access = hvr_access_of(function);
	gint64 asked_us = g_get_monotonic_time() + ASKING_US;
	g_autofree char *opener = NULL;

	if (!hvr_access_is_open(host, access, out_open, error))
		return FALSE;
	if (*out_open &&
	    !hvr_access_wait_closed(host, access, MIN(asked_us, until_us), out_open, error))
		return FALSE;
	if (*out_open)
		opener = find_opener(host, function);
	if (*out_open && !opener &&
	    !hvr_access_wait_closed(host, access, until_us, out_open, error))
		return FALSE;
	if (out_opener)
		*out_opener = g_steal_pointer(&opener);
	return TRUE;
}

gboolean hvr_inuse_check(const HvrHost *host, const HvrPciFunction *function, GError **error)
{
	gboolean on_host_driver = hvr_pci_function_blocks(function);
	guint most_ms = MIN(hvr_host_timeout_ms(host), CLOSING_MS);
	gint64 until_us = g_get_monotonic_time() + most_ms * (gint64)G_TIME_SPAN_MILLISECOND;
	gboolean open = FALSE;
	GError *cause = NULL;

	if (!hvr_inuse_is_open(host, function, until_us, &open, NULL, &cause)) {
		g_propagate_prefixed_error(error, cause, "%s: ", function->name);
		return FALSE;
	}
	if (!open && !on_host_driver)
		return TRUE;
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(host, one);
	if (!open && dependents->len == 0)
		return TRUE;
	set_in_use(function, dependents, error);
	return FALSE;
}

char *hvr_inuse_vital(const HvrHost *host, const HvrPciFunction *function)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new(NULL);

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(host, one);
	for (guint i = 0; i < dependents->len; i++)
		if (is_vital(g_ptr_array_index(dependents, i)))
			append_dependent(text, g_ptr_array_index(dependents, i));
	return text->len ? g_strdup(text->str) : NULL;
}
