/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrDialect - where one QEMU's command line is not another's. All FALSE is what every QEMU
 * from 7.0 to 10.x takes without a word, and what one gets that was not asked.
 *
 * It is asked of QEMU and never told from a version: distributions carry changes to older ones.
 */
typedef struct {
	/* A monitor is an object (monitor-qmp), and -mon deprecated: 11.1 */
	gboolean monitor_objects;
	/* Threads have their names always, and debug-threads=on is deprecated: 11.0 */
	gboolean names_threads;
	/* A device that was JSON on the command line leaves without DEVICE_DELETED: 6.2, which has
	 * not the feature json-cli-hotplug. So key=value for those that leave, and for the ports
	 * that they name: QEMU makes all that is key=value before all that is JSON. */
	gboolean plain_cards;
} HvrDialect;

/* What a QEMU without a machine is asked over its monitor, and then has to end. */
extern const char hvr_dialect_question[];

/**
 * hvr_dialect_read - what @answer, all that the monitor said, tells.
 * Returns: FALSE, with @out_dialect untouched, when it is not a whole answer.
 */
gboolean hvr_dialect_read(const char *answer, HvrDialect *out_dialect) G_GNUC_WARN_UNUSED_RESULT;

/* As text to be kept, and back. FALSE, with @out_dialect untouched, for any text that this version
 * of the program does not write: it is as good as none. [transfer full] */
char *hvr_dialect_to_text(const HvrDialect *dialect) G_GNUC_WARN_UNUSED_RESULT;
gboolean hvr_dialect_from_text(const char *text, HvrDialect *out_dialect) G_GNUC_WARN_UNUSED_RESULT;
