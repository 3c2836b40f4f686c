/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU says of itself. That it does not answer fails no run, and may well do so later.
 */
#include "launcher/check/checking.h"

static void check_answer(HvrCheck *check, const char *id, HvrQemuQuestion question)
{
	const HvrQemu *qemu = check->facts->qemu;
	const HvrQemuAnswer *answer = qemu ? &qemu->answers[question] : NULL;

	if (!hvr_check_ask(check, id, NULL) || !answer)
		return;
	if (answer->kind == HVR_ANSWER_GOOD)
		hvr_check_pass(check, id, "%s", answer->seen);
	else if (answer->kind == HVR_ANSWER_BAD)
		hvr_check_pass(check, id, "%s, and this profile has no card that needs it",
			       answer->seen);
	else if (answer->kind == HVR_ANSWER_UNKNOWN)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, id, answer->fix, "%s", answer->seen);
}

void hvr_check_qemu(HvrCheck *check)
{
	if (check->context->captured) {
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu", "run check on that host",
			      "a captured tree has neither QEMU nor KVM to ask");
		return;
	}
	check_answer(check, "qemu", HVR_QEMU_VERSION);
	check_answer(check, "qemu-devices", HVR_QEMU_DEVICES);
	check_answer(check, "qemu-sandbox", HVR_QEMU_SANDBOX);
	if (!check->profile->sandbox)
		hvr_check_say(check, HVR_CHECK_WARN, "qemu-sandbox", "set [security] sandbox = yes",
			      "the profile switches QEMU's sandbox off");
}
