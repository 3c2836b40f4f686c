/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values that are about places of the host: its CPUs and its memory's nodes.
 */
#include "launcher/profile/values.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/profile.h"
#include "launcher/report/error.h"

gboolean hvr_value_node(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	int *node = target;
	guint64 number;

	if (strcmp(value, "auto") == 0) {
		*node = HVR_NODE_AUTO;
	} else if (strcmp(value, "any") == 0) {
		*node = HVR_NODE_ANY;
	} else if (g_ascii_string_to_unsigned(value, 10, 0, HVR_NODE_MAX, &number, NULL)) {
		*node = (int)number;
	} else {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a node", value);
		hvr_error_hint(error, "expected auto, any, or a number from 0 to %d", HVR_NODE_MAX);
		return FALSE;
	}
	return TRUE;
}

/* "3" or "0-3" */
static gboolean add_range(GArray *cpus, const char *text, guint64 max)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 2);
	guint64 first, last;

	if (!ends[0] || !g_ascii_string_to_unsigned(ends[0], 10, 0, max, &first, NULL))
		return FALSE;
	last = first;
	if (ends[1] &&
	    (!g_ascii_string_to_unsigned(ends[1], 10, 0, max, &last, NULL) || last < first))
		return FALSE;
	for (guint cpu = (guint)first; cpu <= last; cpu++)
		g_array_append_val(cpus, cpu);
	return TRUE;
}

gboolean hvr_value_cpus(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	g_autoptr(GArray) cpus = g_array_new(FALSE, FALSE, sizeof(guint));
	g_auto(GStrv) ranges = NULL;
	GArray **field = target;

	ranges = g_strsplit(value, ",", -1);
	for (gsize i = 0; ranges[i]; i++) {
		if (cpus->len <= key->max && add_range(cpus, g_strstrip(ranges[i]), key->max))
			continue;
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a list of CPUs", value);
		hvr_error_hint(error,
			       "expected numbers up to %" G_GUINT64_FORMAT " and ranges, such as "
			       "%s",
			       key->max, key->sample);
		return FALSE;
	}
	g_clear_pointer(field, g_array_unref);
	*field = g_steal_pointer(&cpus);
	return TRUE;
}

static void pin_free(gpointer data)
{
	HvrVcpuPin *pin = data;

	g_array_unref(pin->cpus);
	g_free(pin);
}

/* The one of that virtual CPU that @text begins with; NULL: that is none, or comes twice.
 * @out_cpus: (out): what of @text stands behind the colon */
static HvrVcpuPin *begin_pin(GPtrArray *pins, const char *text, const char **out_cpus)
{
	const char *colon = strchr(text, ':');
	g_autofree char *number = g_strndup(text, (gsize)(colon - text));
	guint64 vcpu;

	*out_cpus = colon + 1;
	if (!g_ascii_string_to_unsigned(number, 10, 0, HVR_VCPU_MAX, &vcpu, NULL))
		return NULL;
	for (guint i = 0; i < pins->len; i++)
		if (((const HvrVcpuPin *)g_ptr_array_index(pins, i))->vcpu == vcpu)
			return NULL;
	HvrVcpuPin *pin = g_new(HvrVcpuPin, 1);
	*pin = (HvrVcpuPin){ (guint)vcpu, g_array_new(FALSE, FALSE, sizeof(guint)) };
	g_ptr_array_add(pins, pin);
	return pin;
}

static gboolean read_pins(GPtrArray *pins, const char *value, guint64 max)
{
	g_auto(GStrv) pieces = g_strsplit_set(value, ", \t", -1);
	HvrVcpuPin *pin = NULL;

	for (gsize i = 0; pieces[i]; i++) {
		const char *cpus = pieces[i];

		/* between a comma and a blank; two commas have nothing in between */
		if (!*cpus)
			continue;
		if (strchr(cpus, ':'))
			pin = begin_pin(pins, pieces[i], &cpus);
		if (!pin || pin->cpus->len > max || !add_range(pin->cpus, cpus, max))
			return FALSE;
	}
	return pins->len > 0;
}

gboolean hvr_value_pin(const HvrProfileKey *key, const char *value, const char *folder,
		       gpointer target, GError **error)
{
	HvrProfileProcessor *processor = target;
	g_autoptr(GPtrArray) pins = NULL;

	if (!strchr(value, ':')) {
		if (!hvr_value_cpus(key, value, folder, &processor->pin, error))
			return FALSE;
		g_clear_pointer(&processor->pins, g_ptr_array_unref);
		return TRUE;
	}
	pins = g_ptr_array_new_with_free_func(pin_free);
	if (strstr(value, ",,") || !read_pins(pins, value, key->max)) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a list of VCPU:CPUS", value);
		hvr_error_hint(error,
			       "expected each virtual CPU once, with the host's CPUs up to "
			       "%" G_GUINT64_FORMAT " that it may run on, such as 0:2, 1:3,7",
			       key->max);
		return FALSE;
	}
	g_clear_pointer(&processor->pin, g_array_unref);
	g_clear_pointer(&processor->pins, g_ptr_array_unref);
	processor->pins = g_steal_pointer(&pins);
	return TRUE;
}
