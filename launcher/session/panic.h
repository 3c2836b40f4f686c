/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/**
 * HvrPanic - notes that the guest's kernel has panicked, and that it starts anew: in the record, as
 * events "panicked" and as a message. QEMU tells GUEST_PANICKED where the guest's kernel has a
 * driver for pvpanic (hw/misc/pvpanic.c, qemu_system_guest_panicked() in system/runstate.c).
 *
 * And that it stands still, in the record alone: STOP and RESUME, whoever or whatever did it
 * (do_vm_stop() and vm_prepare_start() in system/cpus.c).
 */
typedef struct HvrPanic HvrPanic;

/* A session that is attached is of no use then, and is ended: session->failure says why */
HvrPanic *hvr_panic_new(HvrSession *session) G_GNUC_WARN_UNUSED_RESULT;
/* Before the session's end. NULL is accepted. */
void hvr_panic_free(HvrPanic *panic);
