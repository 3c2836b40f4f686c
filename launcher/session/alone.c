/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/alone.h"

#include <unistd.h>

#include "launcher/qemu/handover.h"
#include "launcher/report/error.h"
#include "launcher/session/pins.h"

/* Nobody stays who could pass viewers on. */
static gboolean check_screen(const HvrProfile *profile, GError **error)
{
	if (!hvr_handover_screen_name(profile))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: with --exec nobody serves the socket of [graphics]");
	hvr_error_hint(error, "set graphics.port, which every user of this host can reach, or run "
			      "without --exec");
	return FALSE;
}

/* Nobody stays who could relay: QEMU itself would read the keys of root, also from the background,
 * and leave the terminal raw. */
static gboolean check_terminal(const HvrContext *context, const HvrProfile *profile, GError **error)
{
	if (profile->serial != HVR_SERIAL_STDIO || !context->privileged ||
	    !(isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --exec and [serial] mode = stdio would give root's terminal to QEMU");
	hvr_error_hint(error, "use --set serial.mode=socket, or run without --exec");
	return FALSE;
}

gboolean hvr_alone_check(const HvrContext *context, const HvrProfile *profile, GError **error)
{
	return check_terminal(context, profile, error) && check_screen(profile, error) &&
	       hvr_pins_check_exec(profile, error);
}
