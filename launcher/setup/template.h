/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrSetupTemplates - the files of configs/setup, read: name -> text.
 */
typedef GHashTable HvrSetupTemplates;

/**
 * hvr_setup_templates_load - read all of them.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when one is missing
 */
HvrSetupTemplates *hvr_setup_templates_load(const char *folder,
					    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a template is filled in with, beside the cards. */
typedef struct {
	const char *arguments; /* for the kernel's command line */
	const char *program;   /* where hailo-vm-run is */
} HvrSetupWords;

/* The group of those who may use the cards. */
#define HVR_SETUP_GROUP "hailo-vm"

/**
 * hvr_setup_template_fill - the file that comes out of template @name. Pure.
 * @cards: of HvrSetupCard: a line about a card is repeated for each of them
 * Returns: (transfer full) (nullable): NULL when it would say nothing of any card
 */
char *hvr_setup_template_fill(HvrSetupTemplates *templates, const char *name,
			      const GPtrArray *cards,
			      const HvrSetupWords *words) G_GNUC_WARN_UNUSED_RESULT;
