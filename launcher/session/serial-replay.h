/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_serial_replay - the last lines that a serial port has said, for a terminal that joins it and
 * is raw: where is the guest?
 *
 * What it says from then on the terminal obeys, as that of any console. What it said before was
 * meant for others, or is the end of something that the terminal has not seen the begin of, and a
 * question in it would be answered as if the user had typed. So it is text only: sequences of
 * control characters are left out, and what else a terminal would obey is shown harmless
 * (launcher/report/text.h).
 * @record: open for reading; its position stays as it is
 * Returns: (transfer full): at most 20 lines, and 4 KiB of the record; empty where there is none
 */
GString *hvr_serial_replay(int record) G_GNUC_WARN_UNUSED_RESULT;
