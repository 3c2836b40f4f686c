/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/list/metrics.h"

#include <string.h>

#include "launcher/report/text.h"
#include "launcher/runtime/counters.h"

typedef enum { HELD, DEAD, IN_USE, BUSY, NOT_GIVEN_BACK, UNKNOWN, FREE, N_STATES } State;

static const char *const state_names[N_STATES] = {
	[HELD] = "held",
	[DEAD] = "dead",
	[IN_USE] = "in_use",
	[BUSY] = "busy",
	[NOT_GIVEN_BACK] = "not_given_back",
	[UNKNOWN] = "unknown",
	[FREE] = "free",
};

typedef enum { ON_HOST, ON_VFIO, ON_NONE, N_DRIVERS } Driver;

static const char *const driver_names[N_DRIVERS] = {
	[ON_HOST] = "host", [ON_VFIO] = "vfio", [ON_NONE] = "none"
};

static State state_of(const HvrListItem *item)
{
	if (item->health.kind == HVR_HEALTH_HELD)
		return HELD;
	if (item->health.kind == HVR_HEALTH_DEAD)
		return DEAD;
	switch (item->occupancy.kind) {
	case HVR_OCCUPANCY_VM:
		return IN_USE;
	case HVR_OCCUPANCY_PROCESS:
		return BUSY;
	case HVR_OCCUPANCY_NO_DRIVER:
		return NOT_GIVEN_BACK;
	case HVR_OCCUPANCY_UNKNOWN:
		return UNKNOWN;
	case HVR_OCCUPANCY_FREE:
		break;
	}
	return item->health.kind == HVR_HEALTH_UNKNOWN ? UNKNOWN : FREE;
}

static Driver driver_of(const HvrListItem *item)
{
	const char *driver = item->function->driver;

	if (!driver)
		return ON_NONE;
	return strstr(driver, "vfio") ? ON_VFIO : ON_HOST;
}

static void append_family(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* The characters that OpenMetrics has an escape for; of all others none is a control character. */
static void append_label(GString *text, const char *name, const char *value)
{
	g_autofree char *safe = hvr_text_safe(value ? value : "");

	if (text->str[text->len - 1] != '{')
		g_string_append_c(text, ',');
	g_string_append_printf(text, "%s=\"", name);
	for (const char *c = safe; *c; c++) {
		if (*c == '\\' || *c == '"')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *c);
	}
	g_string_append_c(text, '"');
}

static void append_card(GString *text, const char *name, const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	g_autofree char *id = hvr_hold_id_of(function);

	g_string_append_printf(text, "%s{", name);
	append_label(text, "address", function->name);
	append_label(text, "path", function->path);
	append_label(text, "id", id);
}

static void append_counts(GString *text, const GPtrArray *items)
{
	guint states[N_STATES] = { 0 }, drivers[N_DRIVERS] = { 0 };

	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		states[state_of(item)]++;
		drivers[driver_of(item)]++;
	}
	append_family(text, "hailo_vm_cards", "gauge", "Cards of this host, by state.");
	for (guint i = 0; i < N_STATES; i++)
		g_string_append_printf(text, "hailo_vm_cards{state=\"%s\"} %u\n", state_names[i],
				       states[i]);
	append_family(text, "hailo_vm_cards_on", "gauge",
		      "Cards by what they are on: a driver of the host, a VFIO driver, none.");
	for (guint i = 0; i < N_DRIVERS; i++)
		g_string_append_printf(text, "hailo_vm_cards_on{driver=\"%s\"} %u\n",
				       driver_names[i], drivers[i]);
}

static void append_states(GString *text, const GPtrArray *items)
{
	append_family(text, "hailo_vm_card_state", "gauge", "The state of a card, as a label.");
	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		append_card(text, "hailo_vm_card_state", item);
		append_label(text, "state", state_names[state_of(item)]);
		g_string_append(text, "} 1\n");
	}
}

/* The first kind that is tried. */
static const char *reach_of(const HvrListItem *item)
{
	const HvrResets *resets = &item->resets;

	if (item->reset_method && resets->function)
		return "function";
	if (!resets->known)
		return "unknown";
	return resets->bus ? "bus" : "none";
}

static void append_resets(GString *text, const GPtrArray *items)
{
	append_family(text, "hailo_vm_card_reset", "gauge",
		      "Which resets can reach a card with its reset_method as it is, as a label.");
	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		append_card(text, "hailo_vm_card_reset", item);
		append_label(text, "reach", reach_of(item));
		g_string_append(text, "} 1\n");
	}
}

static void append_counters(GString *text, const GPtrArray *counters, HvrCounter counter,
			    const char *name, const char *help)
{
	append_family(text, name, "counter", help);
	for (guint i = 0; i < counters->len; i++) {
		const HvrCounters *card = g_ptr_array_index(counters, i);
		g_string_append_printf(text, "%s_total{", name);
		append_label(text, "path", card->path);
		append_label(text, "id", card->id);
		g_string_append_printf(text, "} %" G_GUINT64_FORMAT "\n", card->values[counter]);
	}
}

static void append_gauge(GString *text, const char *name, const char *help, guint value)
{
	append_family(text, name, "gauge", help);
	g_string_append_printf(text, "%s %u\n", name, value);
}

char *hvr_metrics_text(const HvrMetrics *metrics)
{
	GString *text = g_string_new(NULL);

	append_counts(text, metrics->items);
	append_states(text, metrics->items);
	append_resets(text, metrics->items);
	append_counters(text, metrics->counters, HVR_COUNTER_USES, "hailo_vm_card_uses",
			"How often a card was taken for a VM or prepared for one.");
	append_counters(text, metrics->counters, HVR_COUNTER_FAILURES, "hailo_vm_card_failures",
			"How often a card could not be taken, or not be given back.");
	append_gauge(text, "hailo_vm_waiting", "Processes that wait for a card.", metrics->waiting);
	append_gauge(text, "hailo_vm_vms", "VMs that run.", metrics->vms);
	append_gauge(text, "hailo_vm_held_missing", "Held cards that are not there.",
		     metrics->missing);
	g_string_append(text, "# EOF\n");
	return g_string_free(text, FALSE);
}
