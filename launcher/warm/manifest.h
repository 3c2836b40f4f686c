/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* In a state's folder, beside the disks: */
#define HVR_WARM_STATE	  "state" /* devices and RAM, as QEMU has written them */
#define HVR_WARM_ABOUT	  "about" /* what its key is made of: hvr_warm_describe() */
#define HVR_WARM_MANIFEST "manifest"

/* What the agent of a guest does with a MAC address that is another now. */
typedef enum {
	HVR_WARM_AGENT_DEAF,  /* there is none, or it runs no commands */
	HVR_WARM_AGENT_HEARS, /* it runs commands */
	HVR_WARM_AGENT_STAYS, /* it has run them, and the guest kept the address that it had */
} HvrWarmAgent;

/**
 * HvrWarmManifest - what belongs to a state, written when all of it is on the disk. A folder
 * without one that is whole is no state.
 */
typedef struct {
	char *key;
	char *vm;	 /* whose guest it is: the stem of the VM's name */
	char *name;	 /* the VM's when it was saved, */
	GPtrArray *macs; /* ... and of char *: its MAC addresses, in the order of its nets */
	HvrWarmAgent agent;
	char *profile;	  /* its file, as text that is shown */
	guint uid;	  /* the VM's user, whose the files are */
	gint64 made_s;	  /* seconds since 1970 */
	GPtrArray *names; /* of char *: the files of the folder */
	GPtrArray *ids;	  /* of char *: hvr_warm_identity() of each */
} HvrWarmManifest;

HvrWarmManifest *hvr_warm_manifest_new(void) G_GNUC_WARN_UNUSED_RESULT;
void hvr_warm_manifest_free(HvrWarmManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrWarmManifest, hvr_warm_manifest_free)

/* Notes the files that are in @folder now. FALSE with errno: one cannot be looked at. */
gboolean hvr_warm_manifest_add_files(HvrWarmManifest *manifest,
				     int folder) G_GNUC_WARN_UNUSED_RESULT;

/* [transfer full] */
char *hvr_warm_manifest_to_text(const HvrWarmManifest *manifest) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_warm_manifest_read - that of a state's folder.
 * Returns: NULL where there is none, or one that this version of the program would not write: of
 * another version, cut off, or not a manifest
 */
HvrWarmManifest *hvr_warm_manifest_read(int folder) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_warm_manifest_check - are the files of @folder those that were saved, and of @uid's alone?
 * Returns: (transfer none): the name of the first that is not, or NULL
 */
const char *hvr_warm_manifest_check(const HvrWarmManifest *manifest, int folder,
				    guint uid) G_GNUC_WARN_UNUSED_RESULT;
