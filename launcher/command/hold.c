/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold and unhold: which cards no VM shall get.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/host/card-word.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/runtime/audit.h"
#include "launcher/runtime/holds.h"

typedef struct {
	char *reason;
	gboolean json;
} Options;

static gboolean check_root(const HvrContext *context, const char *command, GError **error)
{
	if (context->privileged && !context->captured)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "%s: only root says which cards may be used", command);
	hvr_error_hint(error, "run it with sudo");
	return FALSE;
}

/* As JSON; of a card that was not held it has no reason. */
static void print(const HvrHold *hold, gboolean held)
{
	JsonObject *object = json_object_new();

	hvr_json_set_string(object, "address", hold->address);
	json_object_set_string_member(object, "path", hold->path);
	json_object_set_string_member(object, "id", hold->id);
	json_object_set_boolean_member(object, "held", held);
	hvr_json_set_string(object, "reason", hold->reason);
	hvr_json_print(object);
}

static void tell(const HvrContext *context, const Options *options, const HvrHold *hold,
		 gboolean held)
{
	const HvrAuditRecord record = { .event = held ? HVR_AUDIT_HELD : HVR_AUDIT_UNHELD,
					.address = hold->address,
					.path = hold->path,
					.id = hold->id,
					.result = hold->reason };
	g_autofree char *text = hvr_hold_describe(hold);

	hvr_audit(context, &record);
	if (options->json)
		print(hold, held);
	else
		hvr_message("%s (%s, path %s) is %s%s", hold->address ? hold->address : "a card",
			    hold->id, hold->path, held ? "" : "no longer ", text);
}

/* Nothing has changed, so nothing is recorded. */
static void tell_free(const Options *options, const HvrInventory *inventory, const char *word)
{
	const HvrPciFunction *function = hvr_card_of_word(inventory, word, NULL);
	g_autoptr(HvrHold) none = hvr_hold_new(function, NULL);

	if (options->json)
		print(none, FALSE);
	else
		hvr_message("%s is not held", word);
}

static int hold(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;

	if (!hvr_hold_is_reason(options->reason)) {
		hvr_command_usage(error, "hold",
				  "--reason takes a line of text, for whoever lifts "
				  "it");
		return -1;
	}
	if (!check_root(context, "hold", error))
		return -1;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);
	if (!inventory)
		return -1;
	const HvrPciFunction *function = hvr_card_of_word(inventory, invocation->words[0], error);
	if (!function)
		return -1;
	if (hvr_pci_function_is_bridge(function)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s: it is a bridge, which no VM gets", function->name);
		return -1;
	}
	g_autoptr(HvrHold) made = hvr_hold_new(function, options->reason);
	if (!hvr_hold_write(context, made, error))
		return -1;
	tell(context, options, made, TRUE);
	return 0;
}

/* Of a card that is there, or of one that is not: by what its hold says. */
static const HvrHold *find_hold(const GPtrArray *holds, const HvrInventory *inventory,
				const char *word, GError **error)
{
	g_autofree char *path = hvr_pci_path_normalise(word);
	GError *cause = NULL;
	const HvrPciFunction *function = hvr_card_of_word(inventory, word, &cause);
	const HvrHold *hold = function ? hvr_holds_find(holds, function) : NULL;

	for (guint i = 0; !hold && i < holds->len; i++) {
		const HvrHold *one = g_ptr_array_index(holds, i);
		HvrPciAddress was, wanted;
		gboolean by_address = one->address && hvr_pci_address_parse(one->address, &was) &&
				      hvr_pci_address_parse(word, &wanted) &&
				      hvr_pci_address_compare(&was, &wanted) == 0;
		if (g_strcmp0(one->path, path) == 0 || (!function && by_address))
			hold = one;
	}
	if (hold)
		g_clear_error(&cause);
	else if (cause)
		g_propagate_error(error, cause);
	return hold;
}

static int unhold(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const char *word = invocation->words[0];
	GError *cause = NULL;

	if (!check_root(context, "unhold", error))
		return -1;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);
	g_autoptr(GPtrArray) holds = inventory ? hvr_holds_read(context, error) : NULL;
	if (!holds)
		return -1;
	const HvrHold *held = find_hold(holds, inventory, word, &cause);
	if (cause) {
		g_propagate_error(error, cause);
		return -1;
	}
	if (!held) {
		tell_free(invocation->options, inventory, word);
		return 0;
	}
	if (!hvr_hold_remove(context, held, error))
		return -1;
	tell(context, invocation->options, held, FALSE);
	return 0;
}

static const HvrOption hold_table[] = {
	{ "reason", 'r', HVR_TEXT(Options, reason), "TEXT", "Why: list and every refusal say it" },
	HVR_OPTION_JSON(Options, json),
	{ .name = NULL },
};

static const HvrOption unhold_table[] = {
	HVR_OPTION_JSON(Options, json),
	{ .name = NULL },
};

const HvrCommand hvr_command_hold = {
	.name = "hold",
	.words = "CARD",
	.summary = "let no VM have a card, over boots, until unhold",
	.least = 1,
	.most = 1,
	.options = hold_table,
	.size = sizeof(Options),
	.run = hold,
};

const HvrCommand hvr_command_unhold = {
	.name = "unhold",
	.words = "CARD",
	.summary = "let VMs have it again",
	.least = 1,
	.most = 1,
	.options = unhold_table,
	.size = sizeof(Options),
	.run = unhold,
};
