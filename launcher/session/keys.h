/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/runtime/context.h"
#include "launcher/session/escape.h"
#include "launcher/session/session.h"

/**
 * HvrKeys - what keys of a terminal that are ours do to a VM: they ask its supervisor, as commands
 * do, and say what they asked. Nobody waits for the answer, of which a failure is told.
 */
typedef struct HvrKeys HvrKeys;

/* Whose they are. */
typedef enum {
	HVR_KEYS_RUN,	  /* the terminal of `run`: q ends the VM */
	HVR_KEYS_CONSOLE, /* that of `console`: q is d */
} HvrKeysOf;

/* Attached to the default main context. The runtime folder is open. @vm: the name of one that
 * runs: another that gets it later is not meant */
HvrKeys *hvr_keys_new(const HvrContext *context, const char *vm,
		      HvrKeysOf of) G_GNUC_WARN_UNUSED_RESULT;
/* What was asked is carried out all the same. NULL is accepted. */
void hvr_keys_free(HvrKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrKeys, hvr_keys_free)

/* One line: which keys there are. */
void hvr_keys_announce(const HvrKeys *keys);

/* Does what it asks for; HVR_ESCAPE_LEAVE is nothing to a VM. */
void hvr_keys_press(HvrKeys *keys, HvrEscapeAction action);

/* The VM goes on without this terminal. @done: told once, at the latest by hvr_keys_free(): the
 * supervisor writes to the terminal no more, or it has not said so. */
void hvr_keys_leave(HvrKeys *keys, HvrSessionDone done, gpointer user_data);
