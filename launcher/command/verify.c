/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify: does the guest have its card? As with check the exit status is the answer: 0 yes, 1 no,
 * 2 cannot tell; 69 and 75 when the guest cannot be asked.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/guest/verify.h"
#include "launcher/report/error.h"

#define MINIMUM_DEFAULT "4.20"

typedef struct {
	gboolean json;
	int wait_s;
} Options;

static int verify(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(HvrVm) vm = hvr_cli_vm(context, invocation->words[0], error);
	g_auto(HvrVerifyFacts) facts = { 0 };
	const char *minimum = MINIMUM_DEFAULT;

	if (!vm)
		return -1;
	g_autoptr(HvrGuest) guest =
		hvr_guest_open(context, vm, (guint)options->wait_s * 1000, error);
	if (!guest || !hvr_verify_gather(guest, &facts, error))
		return -1;
	if (vm->hailort_min)
		minimum = vm->hailort_min;
	g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, minimum);
	return hvr_cli_show_checks(results, options->json, FALSE);
}

static const HvrOption table[] = {
	HVR_OPTION_JSON(Options, json),
	{ "wait", 'w', HVR_SECONDS(Options, wait_s, 1, HVR_DAY_S), "S",
	  "How long the guest's agent may take to answer at first (default 10)" },
	{ .name = NULL },
};

const HvrCommand hvr_command_verify = {
	.name = "verify",
	.words = "VM",
	.summary = "has the guest its Hailo-8? exit 0 yes, 1 no, 2 cannot tell",
	.least = 1,
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.ours = HVR_EXIT_CANNOT_TELL,
	.defaults = &(const Options){ .wait_s = 10 },
	.run = verify,
};
