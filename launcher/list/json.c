/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list --json. Keys may join; those that are here stay.
 */
#include "launcher/list/json.h"

#include "launcher/list/list.h"
#include "launcher/report/json.h"

static JsonArray *group_members(const HvrListItem *item)
{
	JsonArray *members = json_array_new();

	for (guint i = 0; item->group && i < item->group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(item->group, i);
		if (member != item->function)
			json_array_add_string_element(members, member->name);
	}
	return members;
}

static JsonArray *reset_methods(const HvrListItem *item)
{
	JsonArray *methods = json_array_new();

	if (!item->reset_method)
		return methods;
	g_auto(GStrv) words = g_strsplit(item->reset_method, " ", -1);
	for (char **word = words; *word; word++)
		if (**word)
			json_array_add_string_element(methods, *word);
	return methods;
}

/* The names of a set of HvrResetMoment. */
static JsonArray *moments(guint set)
{
	static const char *const names[] = { "start", "reboot", "close" };
	JsonArray *array = json_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (set & (1u << i))
			json_array_add_string_element(array, names[i]);
	return array;
}

/* null for a function of which no more than the inventory was read. */
static void add_resets(JsonObject *object, const HvrListItem *item)
{
	const HvrResets *resets = &item->resets;

	if (!item->detailed) {
		json_object_set_null_member(object, "resets");
		return;
	}
	JsonObject *reach = json_object_new();
	json_object_set_boolean_member(reach, "known", resets->known);
	json_object_set_array_member(reach, "function", moments(resets->function));
	json_object_set_array_member(reach, "bus", moments(resets->bus));
	json_object_set_boolean_member(reach, "guarded", resets->guarded);
	json_object_set_object_member(object, "resets", reach);
}

static void set_hex(JsonObject *object, const char *name, guint digits, guint32 value)
{
	g_autofree char *text = g_strdup_printf("%0*x", (int)digits, value);
	json_object_set_string_member(object, name, text);
}

static void set_int_or_null(JsonObject *object, const char *name, gboolean known, gint64 value)
{
	if (known)
		json_object_set_int_member(object, name, value);
	else
		json_object_set_null_member(object, name);
}

static void add_node(JsonObject *object, const HvrListItem *item)
{
	g_autofree char *mode = NULL;

	if (item->node)
		mode = g_strdup_printf("%04o", item->node_mode);
	hvr_json_set_string(object, "node", item->node);
	hvr_json_set_string(object, "node_owner", item->node_owner);
	hvr_json_set_string(object, "node_mode", mode);
}

/* in_use_by is null for a free card, and for one of which nothing can be said: see "use". */
static void add_use(JsonObject *object, const HvrListItem *item)
{
	static const char *const kinds[] = { [HVR_OCCUPANCY_FREE] = "free",
					     [HVR_OCCUPANCY_VM] = "vm",
					     [HVR_OCCUPANCY_PROCESS] = "process",
					     [HVR_OCCUPANCY_NO_DRIVER] = "no-driver",
					     [HVR_OCCUPANCY_UNKNOWN] = "unknown" };
	const HvrOccupancy *occupancy = &item->occupancy;
	g_autofree char *text = NULL;
	const char *vm = NULL;

	if (occupancy->kind == HVR_OCCUPANCY_VM)
		vm = occupancy->who;
	if (occupancy->kind == HVR_OCCUPANCY_VM || occupancy->kind == HVR_OCCUPANCY_PROCESS)
		text = hvr_occupancy_describe(occupancy);
	hvr_json_set_string(object, "in_use_by", text);
	json_object_set_string_member(object, "use", kinds[occupancy->kind]);
	hvr_json_set_string(object, "vm", vm);
	set_int_or_null(object, "pid", occupancy->pid > 0, occupancy->pid);
	json_object_set_boolean_member(object, "prepared", occupancy->prepared);
}

/* "passable" is null where it is not known, of which "why" says more, or was not asked. */
static void add_passable(JsonObject *object, const HvrListItem *item)
{
	HvrPassableKind kind = item->passable.kind;

	if (item->judged && kind != HVR_PASSABLE_UNKNOWN)
		json_object_set_boolean_member(object, "passable", kind == HVR_PASSABLE_YES);
	else
		json_object_set_null_member(object, "passable");
	hvr_json_set_string(object, "why", item->passable.why);
}

static JsonObject *item_to_json(const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "address", function->name);
	hvr_json_set_string(object, "path", function->path);
	set_hex(object, "vendor", 4, function->vendor);
	set_hex(object, "device", 4, function->device);
	set_hex(object, "class", 6, function->class_code);
	json_object_set_string_member(object, "name", item->name);
	json_object_set_boolean_member(object, "accelerator", function->quirk != NULL);
	set_int_or_null(object, "iommu_group", function->group >= 0, function->group);
	json_object_set_array_member(object, "group_members", group_members(item));
	hvr_json_set_string(object, "driver", function->driver);
	json_object_set_array_member(object, "reset_method", reset_methods(item));
	add_resets(object, item);
	hvr_json_set_string(object, "link_speed", item->link_speed);
	hvr_json_set_string(object, "link_width", item->link_width);
	hvr_json_set_string(object, "power_state", item->power_state);
	set_int_or_null(object, "numa_node", item->numa_node >= 0, item->numa_node);
	add_node(object, item);
	add_use(object, item);
	hvr_json_set_string(object, "health",
			    item->has_health ? hvr_health_name(item->health.kind) : NULL);
	hvr_json_set_string(object, "health_reason", item->health.reason);
	add_passable(object, item);
	return object;
}

static JsonObject *hold_to_json(const HvrHold *hold)
{
	JsonObject *object = json_object_new();

	hvr_json_set_string(object, "address", hold->address);
	json_object_set_string_member(object, "path", hold->path);
	json_object_set_string_member(object, "id", hold->id);
	json_object_set_string_member(object, "reason", hold->reason);
	hvr_json_set_string(object, "by", hold->by);
	json_object_set_boolean_member(object, "by_itself", hold->itself);
	set_int_or_null(object, "since", hold->since > 0, hold->since);
	return object;
}

JsonObject *hvr_list_to_json(const GPtrArray *items, const GPtrArray *missing)
{
	JsonArray *gone = json_array_new();
	JsonObject *root = json_object_new();
	JsonArray *devices = json_array_new();

	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		if (item->chosen)
			json_array_add_object_element(devices, item_to_json(item));
	}
	for (guint i = 0; missing && i < missing->len; i++)
		json_array_add_object_element(gone, hold_to_json(g_ptr_array_index(missing, i)));
	json_object_set_array_member(root, "devices", devices);
	json_object_set_array_member(root, "held_missing", gone);
	return root;
}

void hvr_list_print_json(const GPtrArray *items, const GPtrArray *missing)
{
	hvr_json_print(hvr_list_to_json(items, missing));
}
