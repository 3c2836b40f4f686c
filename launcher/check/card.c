/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One card: can it be given away now, and what will reach it while a VM has it?
 */
#include "launcher/check/checking.h"

#include "launcher/host/isolation.h"
#include "launcher/host/occupancy.h"
#include "launcher/runtime/holds.h"
#include "vfio/access.h"
#include "vfio/reset.h"
#include "vfio/tree.h"

/* "driver e1000e" */
static char *driver_text(const HvrPciFunction *function)
{
	if (!function->driver)
		return g_strdup("no driver");
	return g_strconcat("driver ", function->driver, NULL);
}

static void check_identity(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	g_autofree char *name = hvr_inventory_describe(check->inventory, function);
	g_autofree char *driver = driver_text(function);
	const char *path = "unknown";

	if (function->path)
		path = function->path;
	hvr_check_pass(check, "card", "%s (%04x:%04x), path %s, %s", name, function->vendor,
		       function->device, path, driver);
}

/* Of a host that is looked at as a whole, a card that somebody has taken out of use is no defect.
 * (The cards of a profile are held by nobody: a held one is not offered to it.) */
static void check_held(HvrCheck *check, const HvrClaimedCard *card)
{
	GError *unreadable = NULL, *held = NULL;
	g_autoptr(GPtrArray) holds = hvr_holds_read(check->context, &unreadable);
	const HvrHold *hold = hvr_holds_find(holds, card->function);

	if (unreadable)
		hvr_check_unknown(check, "card-held", unreadable, "check as root");
	if (!hold)
		return;
	hvr_hold_set_error(hold, card->function, &held);
	if (check->one_card)
		hvr_check_refuse(check, "card-held", held, NULL);
	else
		hvr_check_warn(check, "card-held", held, NULL);
}

/* FALSE: nothing else that is asked of it would make sense. */
static gboolean check_alive(HvrCheck *check, const HvrClaimedCard *card)
{
	const char *name = card->function->name;
	g_autofree char *config = g_strdup_printf("bus/pci/devices/%s/config", name);

	/* Config space is often left out: it takes root to copy more than 64 bytes of it. */
	if (check->context->captured && !hvr_tree_exists(check->context->host.sys, config)) {
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "card-alive", "run check on that host",
			      "the captured tree has no config space");
		return TRUE;
	}
	if (!hvr_check_ask(check, "card-alive", card))
		return FALSE;
	hvr_check_pass(check, "card-alive", "config space answers");
	return TRUE;
}

/* "0000:02:00.0 (driver e1000e, of the host), 0000:00:1c.4 (a bridge)"; empty: it is alone */
static char *describe_members(const HvrCheck *check, const HvrPciFunction *function)
{
	const GPtrArray *group = hvr_inventory_group(check->inventory, function->group);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		g_autofree char *driver = driver_text(member);
		if (member == function)
			continue;
		if (text->len)
			g_string_append(text, ", ");
		if (hvr_pci_function_is_bridge(member))
			g_string_append_printf(text, "%s (a bridge", member->name);
		else
			g_string_append_printf(text, "%s (%s", member->name, driver);
		if (hvr_pci_function_blocks(member))
			g_string_append(text, ", of the host");
		g_string_append_c(text, ')');
	}
	return g_string_free(text, FALSE);
}

/* A switch that does not keep apart what is behind its ports: NULL, or it is in the card's group
 * with a port that leads elsewhere. */
static const HvrPciFunction *find_open_bridge(const HvrCheck *check, const HvrPciFunction *function)
{
	const GPtrArray *group = hvr_inventory_group(check->inventory, function->group);

	for (guint i = 0; i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		if (hvr_pci_function_is_bridge(member) &&
		    !hvr_isolation_is_above(member, function)) {
			const HvrPciFunction *above =
				hvr_isolation_culprit(check->inventory, function, member);
			if (above)
				return above;
		}
	}
	return NULL;
}

/* FALSE: it has none. */
static gboolean check_group(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;

	if (!hvr_check_ask(check, "card-group", card))
		return function->group >= 0 && !function->noiommu;
	g_autofree char *members = describe_members(check, function);
	const HvrPciFunction *bridge = find_open_bridge(check, function);
	if (bridge)
		hvr_check_pass(check, "card-group",
			       "IOMMU group %d, with %s; what is put behind %s will be in it, too "
			       "(no ACS)",
			       function->group, members, bridge->name);
	else if (*members)
		hvr_check_pass(check, "card-group", "IOMMU group %d, with %s", function->group,
			       members);
	else
		hvr_check_pass(check, "card-group", "IOMMU group %d, alone in it", function->group);
	return TRUE;
}

/* A plain user sees their own processes only; but then a card on a host driver is not for them. */
static void check_use(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	GError *error = NULL;

	if (check->context->captured)
		return;
	if (!hvr_claim_is_free(check->context, function, &error))
		hvr_check_refuse(check, "card-use", error,
				 "end that VM (hailo-vm-run stop), or start with --wait");
	else if (!check->context->privileged && hvr_pci_function_blocks(function))
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "card-use", "check as root",
			      "other users' processes cannot be seen");
	else
		hvr_check_pass(check, "card-use", "nobody uses it");
}

/* Root's own run loads the guard where it is wanted; a plain user's cannot. */
static const char *guard_advice(const HvrCheck *check, const HvrClaimedCard *card,
				const HvrResets *resets)
{
	if (!resets->bus || check->facts->user->privileged ||
	    card->device->reset_guard == HVR_RESET_GUARD_OFF ||
	    !hvr_guard_would_keep(check->view->guard, card->function))
		return "";
	return "; 'modprobe " HVR_GUARD_MODULE "', by root, would keep bus resets away";
}

/* What run would have: its own facts, with what it does before. */
static HvrResetFacts find_facts(const HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPlanInput input = hvr_check_input(check);
	const char *policy = hvr_judge_reset_policy(card->device, card->function);
	HvrResetFacts facts =
		hvr_plan_view_reset_facts(check->view, check->inventory, card->function, policy);

	facts.guard_comes =
		hvr_judge_guarding(&input, card->device, card->function) == HVR_GUARDING_COMES;
	return facts;
}

static void check_resets(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	const HvrPciState *state = g_hash_table_lookup(check->view->states, function);
	HvrResetFacts facts = find_facts(check, card);
	HvrResets resets = hvr_resets_reach(&facts);
	g_autofree char *text = hvr_resets_describe(&resets, facts.left);
	gboolean wanted_none = function->quirk && g_strcmp0(function->quirk->reset_method, "") == 0;

	if (!hvr_check_ask(check, "card-resets", card))
		return;
	if (wanted_none && facts.left && resets.function)
		hvr_check_say(check, HVR_CHECK_WARN, "card-resets",
			      "set reset = auto in its [device] section",
			      "%s; the maker warns that these may freeze the host", text);
	else if (wanted_none && !state->reset_method)
		hvr_check_say(check, HVR_CHECK_WARN, "card-resets", "use Linux 5.15 or newer",
			      "it has no reset_method, so function resets cannot be switched off");
	else
		hvr_check_pass(check, "card-resets", "%s%s", text,
			       guard_advice(check, card, &resets));
}

static void check_power(HvrCheck *check, const HvrClaimedCard *card)
{
	const char *name = card->function->name;
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/power_state", name);
	g_autofree char *power = hvr_tree_read_line(check->context->host.sys, path);

	if (!power)
		return;
	if (g_str_equal(power, "D3cold") || g_str_equal(power, "error"))
		hvr_check_say(check, HVR_CHECK_WARN, "card-power",
			      "write 0 to its d3cold_allowed and on to its power/control; run does "
			      "that too",
			      "power state %s: it must be woken first", power);
	else
		hvr_check_pass(check, "card-power", "power state %s", power);
}

static void check_node(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrUser *user = check->facts->user;
	g_autofree char *node = hvr_access_path(hvr_access_of(card->function));

	if (check->context->captured || !hvr_check_ask(check, "card-node", card))
		return;
	if (user->privileged)
		hvr_check_pass(check, "card-node",
			       "/dev/%s will belong to user %s while the VM runs", node,
			       user->name);
	else
		hvr_check_pass(check, "card-node", "user %s may open /dev/%s", user->name, node);
}

static void check_given_back(HvrCheck *check, const HvrClaimedCard *card)
{
	if (!hvr_occupancy_is_stranded(check->view->journal, card->function))
		return;
	hvr_check_say(check, HVR_CHECK_WARN, "card-given-back",
		      "release tries it again and says why not; release --forget leaves it so",
		      "it is on no driver: its own did not take it back from an earlier VM");
}

static void check_card(HvrCheck *check, const HvrClaimedCard *card)
{
	check->subject = card->function->name;
	check_identity(check, card);
	check_held(check, card);
	hvr_check_ask(check, "card-domain", card);
	if (!check_alive(check, card) || !check_group(check, card))
		return;
	hvr_check_ask(check, "card-reserved", card);
	check_use(check, card);
	check_given_back(check, card);
	hvr_check_ask(check, "card-sriov", card);
	hvr_check_ask(check, "card-sysfs", card);
	check_resets(check, card);
	hvr_check_ask(check, "card-properties", card);
	check_power(check, card);
	check_node(check, card);
}

void hvr_check_cards(HvrCheck *check)
{
	for (guint i = 0; i < check->claim->cards->len; i++)
		check_card(check, g_ptr_array_index(check->claim->cards, i));
	check->subject = HVR_CHECK_HOST;
}
