/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reset can still do. No promise is made here that the kernel does not keep.
 */
#include "vfio/reset.h"

#include <string.h>

/* "when QEMU starts, when the guest reboots and when QEMU lets go of it", as far as @set has it. */
static const char *when(guint set)
{
	if (set == HVR_RESET_AT_CLOSE)
		return "when QEMU lets go of it";
	return "when QEMU starts, when the guest reboots and when QEMU lets go of it";
}

/* A method of reset_method that asks for a reset of the bus, which the card is alone on. */
static gboolean is_of_bus(const char *method)
{
	return g_str_equal(method, "bus") || g_str_equal(method, "cxl_bus");
}

gboolean hvr_reset_has(const char *methods, const char *method)
{
	g_auto(GStrv) words = g_strsplit(methods ? methods : "", " ", -1);

	return g_strv_contains((const char *const *)words, method);
}

gboolean hvr_reset_by_bus(const char *methods)
{
	g_auto(GStrv) words = g_strsplit(methods, " ", -1);

	for (guint i = 0; words[i]; i++)
		if (is_of_bus(words[i]))
			return TRUE;
	return FALSE;
}

gboolean hvr_reset_by_function(const char *methods)
{
	g_auto(GStrv) words = g_strsplit(methods, " ", -1);

	for (guint i = 0; words[i]; i++)
		if (*words[i] && !is_of_bus(words[i]))
			return TRUE;
	return FALSE;
}

/* "bus" is not offered beside others, so that its absence says something only of the one that the
 * kernel found first on its bus: what was beside another then may be gone since. And it says only
 * that something took it away: the kernel, which has the flag set for this card, or whoever wrote
 * the list since. */
static gboolean is_bus_doubtful(const HvrResetFacts *facts)
{
	const HvrPciAddress *address = &facts->function->address;
	gboolean first = address->slot == 0 && address->function == 0;

	return facts->original && *facts->original && first && facts->alone &&
	       !hvr_reset_by_bus(facts->original);
}

HvrResets hvr_resets_reach(const HvrResetFacts *facts)
{
	HvrResets resets = { .known = facts->left != NULL,
			     .guarded = facts->guarded || facts->guard_comes,
			     .guard_comes = facts->guard_comes && !facts->guarded };
	const char *path = facts->function->path;
	/* A function on a root bus has no bridge whose secondary bus could be reset. */
	gboolean below_bridge = !path || strchr(path, '/');

	if (!facts->left || hvr_reset_by_function(facts->left))
		resets.function = HVR_RESET_ALWAYS;
	if (below_bridge && !resets.guarded)
		resets.bus = facts->apart ? HVR_RESET_AT_CLOSE : HVR_RESET_ALWAYS;
	if (resets.bus && is_bus_doubtful(facts))
		resets.known = FALSE;
	return resets;
}

/* What takes bus resets away, or nothing. */
static const char *by_whom(const HvrResets *resets)
{
	if (resets->guard_comes)
		return ", once module " HVR_GUARD_MODULE " is loaded for it";
	if (resets->guarded)
		return ": function resets are off, and module " HVR_GUARD_MODULE
		       " keeps bus resets away";
	return "";
}

static char *describe_unknown(const HvrResets *resets, const char *left)
{
	if (!left && resets->guarded)
		return g_strdup("the kernel has no reset_method for it, so whether a function "
				"reset reaches it is not known; bus resets do not");
	if (!left)
		return g_strdup("the kernel has no reset_method for it, so which resets reach it "
				"is not known");
	return g_strdup_printf("function resets are off; its reset_method was without bus before, "
			       "which anybody may have written, so bus resets may reach it %s",
			       when(resets->bus));
}

char *hvr_resets_describe(const HvrResets *resets, const char *left)
{
	if (!left || (!resets->known && !resets->function))
		return describe_unknown(resets, left);
	if (resets->function)
		return g_strdup_printf("function resets (%s) reach it %s", left,
				       when(resets->function));
	if (resets->bus && *left)
		return g_strdup_printf("bus resets (%s) reach it %s", left, when(resets->bus));
	if (resets->bus)
		return g_strdup_printf("function resets are off; bus resets still reach it %s",
				       when(resets->bus));
	return g_strdup_printf("no reset can reach it%s", by_whom(resets));
}

/* Does @address come before all of the bus that @on is on? */
static gboolean is_before_bus(const HvrPciAddress *address, const HvrPciAddress *on)
{
	if (address->domain != on->domain)
		return address->domain < on->domain;
	return address->bus < on->bus;
}

/* Where those begin that are on the bus of @function: all are sorted by address. */
static guint first_on_bus(const GPtrArray *all, const HvrPciFunction *function)
{
	guint first = 0, end = all->len;

	while (first < end) {
		guint middle = first + (end - first) / 2;
		const HvrPciFunction *other = g_ptr_array_index(all, middle);
		if (is_before_bus(&other->address, &function->address))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

gboolean hvr_reset_alone_on_bus(const HvrInventory *inventory, const HvrPciFunction *function)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	guint first = first_on_bus(all, function);

	if (first >= all->len || g_ptr_array_index(all, first) != function)
		return FALSE;
	if (first + 1 >= all->len)
		return TRUE;
	const HvrPciFunction *next = g_ptr_array_index(all, first + 1);
	return is_before_bus(&function->address, &next->address);
}

gboolean hvr_reset_is_apart(const HvrInventory *inventory, const HvrPciFunction *function,
			    HvrResetHas has, gconstpointer data)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);

	for (guint i = first_on_bus(all, function); i < all->len; i++) {
		const HvrPciFunction *other = g_ptr_array_index(all, i);
		if (is_before_bus(&function->address, &other->address))
			return FALSE;
		if (other->group >= 0 && other->group != function->group && !has(other, data))
			return TRUE;
	}
	return FALSE;
}
