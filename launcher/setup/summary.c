/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and commands say what is done, not what comes of it. Who is asked wants to know the latter,
 * above all that the cards leave the host at boot.
 */
#include "launcher/setup/summary.h"

#include "launcher/process/user.h"
#include "launcher/report/text.h"
#include "launcher/setup/cards.h"

static guint changed_parts(const GPtrArray *changes)
{
	guint parts = 0;

	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		parts |= 1u << change->part;
	}
	return parts;
}

/* "0000:01:00.0 on hailo, 0000:02:00.0" */
static void append_functions(GString *text, const HvrSetupSummary *summary,
			     const HvrSetupCard *card)
{
	const GPtrArray *all = hvr_inventory_functions(summary->inventory);
	gsize begin = text->len;

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (!hvr_setup_card_is(card, function))
			continue;
		if (text->len > begin)
			g_string_append(text, ", ");
		g_string_append(text, function->name);
		if (function->driver)
			g_string_append_printf(text, " on %s", function->driver);
	}
	if (text->len == begin)
		g_string_append(text, "none");
}

/* "1e60:2864 (now 0000:01:00.0 on hailo)", one harmless line. [transfer full] */
static char *describe_cards(const HvrSetupSummary *summary)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < summary->cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(summary->cards, i);
		if (i > 0)
			g_string_append(text, ", ");
		g_string_append(text, card->spec);
		if (!summary->inventory)
			continue;
		g_string_append(text, " (now ");
		append_functions(text, summary, card);
		g_string_append_c(text, ')');
	}
	return hvr_text_safe(text->str);
}

static void say_kernel_args(GString *text, const HvrSetupSummary *summary)
{
	g_autofree char *missing = hvr_setup_missing_arguments(summary->system);

	if (*missing)
		g_string_append_printf(
			text, "- The kernel's command line gets %s, for the IOMMU.\n", missing);
	else
		g_string_append(text, "- The kernel's arguments for the IOMMU, which it has now, "
				      "are made to last.\n");
}

static void say_early_bind(GString *text, const HvrSetupSummary *summary)
{
	g_autofree char *cards = describe_cards(summary);

	g_string_append_printf(
		text,
		"- Cards leave the host at boot: %s.\n"
		"  They are on vfio-pci then; their own driver does not get them, and "
		"programs\n  of the host no longer see them.\n",
		cards);
}

/* Of cards whose resets are left as they are there is nothing to say. */
static void say_reset_policy(GString *text, const HvrSetupSummary *summary)
{
	for (guint i = 0; i < summary->cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(summary->cards, i);
		if (!card->reset)
			continue;
		g_autofree char *reset = hvr_text_safe(card->reset);
		if (*reset)
			g_string_append_printf(text, "- %s is reset by: %s.\n", card->spec, reset);
		else
			g_string_append_printf(text, "- Function resets of %s are off.\n",
					       card->spec);
	}
}

static void say_done(GString *text, const HvrSetupSummary *summary, HvrSetupPart part)
{
	switch (part) {
	case HVR_SETUP_KERNEL_ARGS:
		say_kernel_args(text, summary);
		break;
	case HVR_SETUP_EARLY_BIND:
		say_early_bind(text, summary);
		break;
	case HVR_SETUP_MODPROBE:
		g_string_append(text, "- vfio-pci is loaded before the cards' drivers; a guest "
				      "reads 0 of registers\n  that KVM does not know.\n");
		break;
	case HVR_SETUP_RESET_POLICY:
		say_reset_policy(text, summary);
		break;
	case HVR_SETUP_PERMISSIONS:
		g_string_append(
			text,
			"- Members of group " HVR_SETUP_GROUP
			" run VMs with these cards without root, and lock\n"
			"  as much memory as they like; VMs of root run as user " HVR_USER_SYSTEM
			".\n");
		break;
	case HVR_SETUP_SERVICE:
		g_string_append(text, "- A VM can be started at boot, by hailo-vm@NAME.service; "
				      "this enables none.\n");
		break;
	case HVR_SETUP_GUARD:
		g_string_append(text,
				"- A kernel module keeps bus resets from the cards: they keep "
				"their state from\n  one VM to the next.\n");
		break;
	}
}

static void say_undone(GString *text, const HvrSetupSummary *summary, HvrSetupPart part)
{
	g_autofree char *cards = describe_cards(summary);

	switch (part) {
	case HVR_SETUP_KERNEL_ARGS:
		g_string_append(text, "- The kernel's command line loses what setup put there for "
				      "the IOMMU.\n");
		break;
	case HVR_SETUP_EARLY_BIND:
		g_string_append_printf(text, "- The host gets its cards at boot: %s.\n", cards);
		break;
	case HVR_SETUP_MODPROBE:
		g_string_append(text, "- vfio-pci is loaded when it is needed; KVM is as the host "
				      "has it.\n");
		break;
	case HVR_SETUP_RESET_POLICY:
		g_string_append(text, "- Which resets are used is left to the kernel.\n");
		break;
	case HVR_SETUP_PERMISSIONS:
		g_string_append(text, "- Only root can use the cards; group and user hailo-vm go, "
				      "if setup made them.\n");
		break;
	case HVR_SETUP_SERVICE:
		g_string_append(text, "- No VM is started at boot by hailo-vm@NAME.service.\n");
		break;
	case HVR_SETUP_GUARD:
		g_string_append(text, "- No module keeps bus resets from the cards.\n");
		break;
	}
}

/* @target: (nullable): one harmless line */
static void append_begin(GString *text, const char *target)
{
	if (target)
		g_string_append_printf(text, "What will be different when %s boots:\n", target);
	else
		g_string_append(text, "What will be different, at the latest after the next "
				      "boot:\n");
}

static void append_end(GString *text, const HvrSetupSummary *summary, const char *target)
{
	if (summary->left) {
		g_autofree char *left = hvr_text_safe(summary->left);
		g_string_append_printf(text, "- The IOMMU is left as it is: %s.\n", left);
	}
	if (summary->undo)
		return;
	g_string_append(text, "To take it back: sudo hailo-vm-run setup --undo");
	if (target)
		g_string_append_printf(text, " --target %s", target);
	g_string_append_c(text, '\n');
}

char *hvr_setup_summary(const HvrSetupSummary *summary)
{
	GString *text = g_string_new(NULL);
	guint parts = changed_parts(summary->changes);
	g_autofree char *target = NULL;

	if (summary->target)
		target = hvr_text_safe(summary->target);
	append_begin(text, target);
	if (!parts)
		g_string_append(text, "- What setup left unfinished is finished.\n");
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++) {
		if (!(parts & (1u << part)))
			continue;
		if (summary->undo)
			say_undone(text, summary, (HvrSetupPart)part);
		else
			say_done(text, summary, (HvrSetupPart)part);
	}
	append_end(text, summary, target);
	return g_string_free(text, FALSE);
}
