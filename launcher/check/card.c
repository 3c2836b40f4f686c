/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One card: can it be given away now, and what will reach it while a VM has it?
 */
#include "launcher/check/parts.h"

#include <string.h>

#include "launcher/host/judge.h"
#include "vfio/access.h"
#include "vfio/reset.h"
#include "vfio/sysfs.h"

static const HvrPciState *state_of(const HvrCheck *check, const HvrPciFunction *function)
{
	return g_hash_table_lookup(check->view->states, function);
}

static void check_identity(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	g_autofree char *name = hvr_inventory_describe(check->inventory, function);

	hvr_check_pass(check, "card", function->name, "%s (%04x:%04x), path %s, %s%s", name,
		       function->vendor, function->device,
		       function->path ? function->path : "unknown",
		       function->driver ? "driver " : "no driver",
		       function->driver ? function->driver : "");
}

/* Of a captured tree config space is often left out: it takes root to copy more than 64 bytes. */
static gboolean is_config_left_out(const HvrCheck *check, const char *name)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/config", name);

	return check->context->captured && !hvr_sysfs_exists(check->context->host.sys, path);
}

/* FALSE: nothing else that is asked of it would make sense. */
static gboolean check_alive(HvrCheck *check, const HvrClaimedCard *card)
{
	const char *name = card->function->name;
	GError *error = NULL;

	if (is_config_left_out(check, name)) {
		hvr_check_say(check, HVR_CHECK_UNSURE, "card-alive", name, "run check on that host",
			      "the captured tree has no config space");
		return TRUE;
	}
	if (!hvr_judge_alive(check->view, card->function, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-alive", name, error,
				 HVR_CHECK_SEE_RUN);
		return FALSE;
	}
	hvr_check_pass(check, "card-alive", name, "config space answers");
	return TRUE;
}

static void check_domain(HvrCheck *check, const HvrClaimedCard *card)
{
	GError *error = NULL;

	if (!hvr_judge_domain(card->function, &error))
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-domain", card->function->name, error,
				 HVR_CHECK_SEE_RUN);
}

/* "0000:02:00.0 (driver e1000e, the host uses it), 0000:00:1c.4 (a bridge)" */
static char *describe_members(const HvrCheck *check, const HvrPciFunction *function)
{
	const GPtrArray *group = hvr_inventory_group(check->inventory, function->group);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		if (member == function)
			continue;
		g_string_append_printf(text, "%s%s (", text->len ? ", " : ", with ", member->name);
		if (hvr_pci_function_is_bridge(member))
			g_string_append(text, "a bridge");
		else
			g_string_append_printf(text, "%s%s",
					       member->driver ? "driver " : "no driver",
					       member->driver ? member->driver : "");
		g_string_append(text, hvr_pci_function_blocks(member) ? ", of the host)" : ")");
	}
	return g_string_free(text, FALSE);
}

static gboolean check_group(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	GError *error = NULL;

	if (!hvr_judge_iommu(check->facts, function, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-group", function->name, error,
				 HVR_CHECK_SEE_RUN);
		return FALSE;
	}
	g_autoptr(GPtrArray) companions =
		hvr_judge_companions(check->inventory, check->claim, card);
	if (!hvr_judge_group(card, companions, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-group", function->name, error,
				 HVR_CHECK_SEE_RUN);
		return TRUE;
	}
	g_autofree char *members = describe_members(check, function);
	hvr_check_pass(check, "card-group", function->name, "IOMMU group %d%s", function->group,
		       *members ? members : ", alone in it");
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
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-use", function->name, error,
				 "end that VM (hailo-vm-run stop), or start with --wait");
	else if (!check->context->privileged && hvr_pci_function_blocks(function))
		hvr_check_say(check, HVR_CHECK_UNSURE, "card-use", function->name, "check as root",
			      "other users' processes cannot be seen");
	else
		hvr_check_pass(check, "card-use", function->name, "nobody uses it");
}

/* vfio-pci refuses a physical function whose virtual ones are in use. */
static void check_sriov(HvrCheck *check, const HvrClaimedCard *card)
{
	const char *name = card->function->name;
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/sriov_numvfs", name);
	guint64 functions = 0;

	if (!hvr_sysfs_read_number(check->context->host.sys, path, 10, &functions) || !functions)
		return;
	hvr_check_say(check, HVR_CHECK_FAIL, "card-sriov", name,
		      "take one of its virtual functions, or write 0 to its sriov_numvfs",
		      "it has %" G_GUINT64_FORMAT " virtual functions, so vfio-pci refuses it",
		      functions);
}

static void check_resets(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	const HvrPciState *state = state_of(check, function);
	const char *policy = hvr_judge_reset_policy(card->device, function);
	HvrJournalEntry *entry = hvr_journal_find(check->view->journal, &function->address);
	const char *original = entry ? entry->saved->reset_method : state->reset_method;
	const char *left = policy && state->reset_method ? policy : state->reset_method;
	gboolean alone = hvr_reset_alone_on_bus(check->inventory, function);
	HvrResetReach reach = hvr_reset_reach(function, original, left, alone);
	g_autofree char *text = hvr_reset_describe(reach, left);
	gboolean wanted_none = function->quirk && g_strcmp0(function->quirk->reset_method, "") == 0;

	if (wanted_none && reach == HVR_RESET_FUNCTION)
		hvr_check_say(check, HVR_CHECK_WARN, "card-resets", function->name,
			      "set reset = auto in its [device] section",
			      "%s; the maker warns that these may freeze the host", text);
	else if (wanted_none && !state->reset_method)
		hvr_check_say(check, HVR_CHECK_WARN, "card-resets", function->name,
			      "use Linux 5.15 or newer",
			      "it has no reset_method, so function resets cannot be switched off");
	else
		hvr_check_pass(check, "card-resets", function->name, "%s", text);
}

static void check_power(HvrCheck *check, const HvrClaimedCard *card)
{
	const char *name = card->function->name;
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/power_state", name);
	g_autofree char *power = hvr_sysfs_read_line(check->context->host.sys, path);

	if (!power)
		return;
	if (g_str_equal(power, "D3cold") || g_str_equal(power, "error"))
		hvr_check_say(check, HVR_CHECK_WARN, "card-power", name,
			      "write 0 to its d3cold_allowed and on to its power/control; run does "
			      "that too",
			      "power state %s: it must be woken first", power);
	else
		hvr_check_pass(check, "card-power", name, "power state %s", power);
}

static void check_node(HvrCheck *check, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	g_autofree char *node = hvr_access_path(hvr_access_of(function));
	GError *error = NULL;

	if (check->facts->user->privileged)
		hvr_check_pass(check, "card-node", function->name,
			       "/dev/%s will belong to user %s while the VM runs", node,
			       check->facts->user->name);
	else if (hvr_judge_prepared(check->facts, check->view, function, &error))
		hvr_check_pass(check, "card-node", function->name, "user %s may open /dev/%s",
			       check->facts->user->name, node);
	else
		hvr_check_refuse(check, HVR_CHECK_FAIL, "card-node", function->name, error,
				 HVR_CHECK_SEE_RUN);
}

static void check_card(HvrCheck *check, const HvrClaimedCard *card)
{
	check_identity(check, card);
	check_domain(check, card);
	if (!check_alive(check, card) || !check_group(check, card))
		return;
	check_use(check, card);
	check_sriov(check, card);
	check_resets(check, card);
	check_power(check, card);
	if (!check->context->captured)
		check_node(check, card);
}

void hvr_check_cards(HvrCheck *check)
{
	for (guint i = 0; i < check->claim->cards->len; i++)
		check_card(check, g_ptr_array_index(check->claim->cards, i));
}
