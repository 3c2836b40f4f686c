/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/setup/system.h"
#include "launcher/setup/template.h"

/* A part of `setup`; sets of them are bits 1 << part. */
typedef enum {
	HVR_SETUP_KERNEL_ARGS,
	HVR_SETUP_EARLY_BIND,
	HVR_SETUP_MODPROBE,
	HVR_SETUP_RESET_POLICY,
	HVR_SETUP_PERMISSIONS,
	HVR_SETUP_SERVICE,
	HVR_SETUP_GUARD, /* done for who names it, and no one else */
} HvrSetupPart;
#define HVR_SETUP_N_PARTS     7
#define HVR_SETUP_KNOWN_PARTS ((1u << HVR_SETUP_N_PARTS) - 1)
/* All of `setup` that names none. */
#define HVR_SETUP_ALL_PARTS (HVR_SETUP_KNOWN_PARTS & ~(1u << HVR_SETUP_GUARD))

const char *hvr_setup_part_name(HvrSetupPart part);
/* For --help: what the part does. */
const char *hvr_setup_part_summary(HvrSetupPart part);
gboolean hvr_setup_part_find(const char *name, HvrSetupPart *out_part);

/* What is to be made anew when a file has changed; sets of bits. */
typedef enum {
	HVR_AFTER_BOOT_LOADER = 1 << 0,
	HVR_AFTER_INITRAMFS = 1 << 1,
	HVR_AFTER_UDEV = 1 << 2,
	HVR_AFTER_SYSTEMD = 1 << 3,
	HVR_AFTER_TMPFILES = 1 << 4,
} HvrSetupAfter;

/* A file as it shall be. */
typedef struct {
	HvrSetupPart part;
	char *path; /* relative to the target */
	char *text;
	mode_t mode;
	gboolean shared; /* somebody else's file, in which something is changed */
	guint after;
} HvrSetupFile;

/* What no file does: a command, and the one that takes it back. */
typedef struct {
	HvrSetupPart part;
	char *id; /* one line; the same id is done once */
	char **argv;
	char **undo;
	gboolean so_already; /* without us: then it is neither done nor ever taken back */
} HvrSetupAction;
void hvr_setup_action_free(HvrSetupAction *action);
HvrSetupAction *hvr_setup_action_copy(const HvrSetupAction *action) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
	GPtrArray *files;   /* of HvrSetupFile */
	GPtrArray *actions; /* of HvrSetupAction */
	GPtrArray *notes;   /* of char *: what the user should know */
	char *left;	    /* why kernel-args is not done here; NULL: it is */
	char *by_hand;	    /* ... and what does it; NULL: nobody knows */
} HvrSetupPlan;
void hvr_setup_plan_free(HvrSetupPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSetupPlan, hvr_setup_plan_free)

/**
 * hvr_setup_plan_make - what @system shall look like. Pure.
 * @parts: set of parts
 * @cards: of HvrSetupCard
 * @program: where hailo-vm-run is, for the unit
 */
HvrSetupPlan *hvr_setup_plan_make(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				  HvrSetupTemplates *templates,
				  const char *program) G_GNUC_WARN_UNUSED_RESULT;

/* The arguments of kernel-args for @system that its running kernel does not have, with a space
 * between two; "" when it has them all. Pure. [transfer full] */
char *hvr_setup_missing_arguments(const HvrSetupSystem *system) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_after_commands - what makes the set @after anew on @system, in order. Pure.
 * Returns: (transfer full): array of char **; of an image udev and systemd have nothing to reload
 */
GPtrArray *hvr_setup_after_commands(const HvrSetupSystem *system,
				    guint after) G_GNUC_WARN_UNUSED_RESULT;
