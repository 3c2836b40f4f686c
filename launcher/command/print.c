/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print: the profile in the words of QEMU, libvirt or Docker.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
#include "launcher/print/print.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/report/nearest.h"
#include "launcher/report/text.h"
#include "launcher/session/dry-run.h"

typedef struct {
	char *format;
	HvrProfileChanges changes;
} Options;

static const char *const formats[] = { "qemu", "libvirt", "docker", NULL };

/* libvirt resets what it passes, by whatever methods the kernel offers. */
static void warn_of_resets(const HvrClaim *claim)
{
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		const HvrQuirk *quirk = card->function->quirk;
		if (quirk && quirk->reset_method)
			hvr_message("warning: %s: libvirt leaves reset_method as it is; set it to "
				    "'%s' at every boot",
				    card->function->name, quirk->reset_method);
	}
}

static int print_cards(HvrContext *context, const HvrProfile *profile, gboolean docker,
		       GError **error)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context->host, error);
	g_autoptr(HvrClaim) claim =
		inventory ? hvr_print_cards(context, profile, inventory, error) : NULL;

	if (!claim)
		return -1;
	g_autofree char *text = docker ? hvr_print_docker(&context->host, claim, error)
				       : hvr_print_libvirt(inventory, claim);
	if (!text)
		return -1;
	hvr_text_print(text);
	if (!docker)
		warn_of_resets(claim);
	return 0;
}

static gboolean check_format(const char *format, GError **error)
{
	if (g_strv_contains(formats, format))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "print: there is no format '%s'; there are qemu, libvirt and docker", format);
	hvr_nearest_hint(error, format, formats);
	return FALSE;
}

static int print(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *format = options->format ? options->format : "qemu";

	if (!check_format(format, error))
		return -1;
	g_autoptr(HvrProfile) profile =
		hvr_cli_profile(context, invocation->words[0], &options->changes, error);
	if (!profile)
		return -1;
	if (g_str_equal(format, "qemu"))
		return hvr_dry_run(context, profile, FALSE, error) ? 0 : -1;
	if (!context->captured)
		hvr_context_open_runtime(context, FALSE, NULL);
	return print_cards(context, profile, g_str_equal(format, "docker"), error);
}

static const HvrOption table[] = {
	{ "format", 'f', HVR_TEXT(Options, format), "qemu|libvirt|docker",
	  "qemu (the default), libvirt (<hostdev>), docker (options of docker run)" },
	HVR_OPTIONS_CHANGES(Options, changes),
	{ .name = NULL },
};

const HvrCommand hvr_command_print = {
	.name = "print",
	.words = "PROFILE",
	.summary = "the profile for QEMU, libvirt or Docker",
	.least = 1,
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.describe = hvr_help_profile_keys,
	.run = print,
};
