/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/trial-notes.h"

/**
 * hvr_trial_use_guest - what a trial does with a guest that is ready: its steps are noted one by
 * one, and those that need one that was not passed are skipped. trial->lost and trial->qemu are set
 * where the guest may be gone.
 */
void hvr_trial_use_guest(HvrTrial *trial);
