/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a card, as differences: what is, what shall be, and the steps between them.
 *
 * Both ways leave out a step whose effect is there already. That makes the way back idempotent:
 * it can be cut anywhere and begun again from what the host then looks like.
 */
#include "vfio/lifecycle.h"

#define VFIO_PCI "vfio-pci"

/* Attributes that are restored as they were, behind the binding, in this order. */
typedef struct {
	const char *name;
	gsize offset;
} Attribute;

static const Attribute plain_attributes[] = {
	{ .name = "reset_method", .offset = G_STRUCT_OFFSET(HvrPciState, reset_method) },
	{ .name = "d3cold_allowed", .offset = G_STRUCT_OFFSET(HvrPciState, d3cold_allowed) },
	{ .name = "power/control", .offset = G_STRUCT_OFFSET(HvrPciState, power_control) },
};

static const char *attribute_of(const HvrPciState *state, const Attribute *attribute)
{
	return G_STRUCT_MEMBER(const char *, state, attribute->offset);
}

static void add_set(GPtrArray *steps, const HvrPciFunction *function, const char *attribute,
		    const char *value)
{
	g_ptr_array_add(steps, hvr_step_new_set(function, attribute, value));
}

/* Where @now has no such attribute (NULL) there is nothing to write. */
static void set_if_other(GPtrArray *steps, const HvrPciFunction *function, const char *attribute,
			 const char *now, const char *wanted)
{
	if (now && wanted && !g_str_equal(now, wanted))
		add_set(steps, function, attribute, wanted);
}

static void add_bind_vfio(GPtrArray *steps, const HvrPciFunction *function,
			  const HvrPciState *state)
{
	if (g_strcmp0(state->driver_override, VFIO_PCI) != 0)
		add_set(steps, function, "driver_override", VFIO_PCI);
	if (state->driver)
		g_ptr_array_add(steps, hvr_step_new(HVR_STEP_UNBIND, function, state->driver));
	g_ptr_array_add(steps, hvr_step_new(HVR_STEP_PROBE, function, VFIO_PCI));
	if (state->power_control)
		add_set(steps, function, "power/control", "on");
}

void hvr_lifecycle_prepare(const HvrPciFunction *function, const HvrPciState *state,
			   const HvrPrepare *prepare, GPtrArray *steps)
{
	set_if_other(steps, function, "reset_method", state->reset_method, prepare->reset_method);
	set_if_other(steps, function, "d3cold_allowed", state->d3cold_allowed, "0");
	set_if_other(steps, function, "power/control", state->power_control, "on");

	if (g_strcmp0(state->driver, VFIO_PCI) != 0)
		add_bind_vfio(steps, function, state);

	gboolean owned = state->has_node && state->node_uid == prepare->uid &&
			 state->node_gid == prepare->gid && state->node_mode == 0600;
	if (prepare->own_node && !owned)
		g_ptr_array_add(steps,
				hvr_step_new_own_node(function, prepare->uid, prepare->gid, 0600));
}

static void restore_node(GPtrArray *steps, const HvrPciFunction *function, const HvrPciState *saved,
			 const HvrPciState *now)
{
	gboolean differs = now->has_node && saved->has_node &&
			   (now->node_uid != saved->node_uid || now->node_gid != saved->node_gid ||
			    now->node_mode != saved->node_mode);
	if (differs)
		g_ptr_array_add(steps, hvr_step_new_own_node(function, saved->node_uid,
							     saved->node_gid, saved->node_mode));
}

static gboolean has_to_move(const HvrRestore *restore)
{
	const char *driver = restore->now->driver;

	if (restore->driver_gone && driver && !g_str_equal(driver, VFIO_PCI))
		return FALSE;
	return g_strcmp0(restore->saved->driver, driver) != 0;
}

static void add_rebind(GPtrArray *steps, const HvrPciFunction *function, const HvrRestore *restore)
{
	const char *driver = restore->saved->driver;

	if (restore->now->driver)
		g_ptr_array_add(steps,
				hvr_step_new(HVR_STEP_UNBIND, function, restore->now->driver));
	if (restore->driver_gone)
		g_ptr_array_add(steps, hvr_step_new(HVR_STEP_REPROBE, function, NULL));
	else if (driver)
		g_ptr_array_add(steps, hvr_step_new(HVR_STEP_BIND, function, driver));
}

void hvr_lifecycle_restore(const HvrPciFunction *function, const HvrRestore *restore,
			   GPtrArray *steps)
{
	const HvrPciState *saved = restore->saved, *now = restore->now;
	gboolean rebind = has_to_move(restore);
	const char *override = "";

	if (saved->driver_override)
		override = saved->driver_override;
	restore_node(steps, function, saved, now);
	if (g_strcmp0(saved->driver_override, now->driver_override) != 0)
		add_set(steps, function, "driver_override", override);
	if (rebind)
		add_rebind(steps, function, restore);

	for (guint i = 0; i < G_N_ELEMENTS(plain_attributes); i++) {
		const char *was = attribute_of(saved, &plain_attributes[i]);
		const char *is = attribute_of(now, &plain_attributes[i]);
		gboolean moved = rebind && g_str_equal(plain_attributes[i].name, "power/control");
		if (!was || !is || !(moved || !g_str_equal(was, is)))
			continue;
		HvrStep *step = hvr_step_new_set(function, plain_attributes[i].name, was);
		step->or_default = g_str_equal(plain_attributes[i].name, "reset_method");
		g_ptr_array_add(steps, step);
	}
}
