/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/shell.h"

#include "launcher/guest/process.h"
#include "launcher/guest/scripts.h"

/* Under TCG a guest takes its time for a few programs. */
#define SOON_MS 30000

static const char *const texts[] = {
	[HVR_GUEST_PREPARE] = hvr_guest_script_prepare,
	[HVR_GUEST_RUN] = hvr_guest_script_run,
	[HVR_GUEST_CONTROL] = hvr_guest_script_control,
};

gint64 hvr_guest_shell_start(HvrGuest *guest, HvrGuestScript script, const char *const *words,
			     gboolean capture, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, (gpointer) "sh");
	g_ptr_array_add(argv, (gpointer) "-c");
	g_ptr_array_add(argv, (gpointer)texts[script]);
	g_ptr_array_add(argv, (gpointer) "sh");
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	g_ptr_array_add(argv, NULL);
	const HvrGuestProcess process = { .argv = (const char *const *)argv->pdata,
					  .capture = capture };
	return hvr_guest_start(guest, &process, error);
}

gboolean hvr_guest_shell_do(HvrGuest *guest, HvrGuestScript script, const char *const *words,
			    HvrGuestResult *out_result, GError **error)
{
	gint64 pid = hvr_guest_shell_start(guest, script, words, TRUE, error);

	return pid && hvr_guest_await(guest, pid, SOON_MS, out_result, error);
}
