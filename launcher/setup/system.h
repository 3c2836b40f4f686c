/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/cpu.h"
#include "launcher/host/loader.h"
#include "launcher/runtime/context.h"

typedef enum {
	HVR_INITRAMFS_UNKNOWN,
	HVR_INITRAMFS_TOOLS,
	HVR_INITRAMFS_DRACUT,
} HvrInitramfs;

/* An installed kernel. Paths are relative to the target. */
typedef struct {
	char *version;
	char *image;	 /* NULL: not found */
	char *initramfs; /* NULL: where dracut puts it by itself */
} HvrSetupKernel;

/**
 * HvrSetupSystem - the system that `setup` is to prepare, as far as it matters: this host, or one
 * in a folder (an image that is being made).
 */
typedef struct {
	gboolean live;	    /* it is the one that runs */
	gboolean runs_udev; /* live, and there is a udev to tell */
	gboolean runs_systemd;
	HvrLoader loader;
	HvrInitramfs initramfs;
	HvrCpuMaker cpu;
	GPtrArray *kernels;   /* of HvrSetupKernel */
	char *kernel_cmdline; /* etc/kernel/cmdline as it is; NULL: there is none */
	char *running;	      /* the running kernel's arguments; NULL: not live */
	char *boot_id;	      /* of this boot, another each time; NULL: not live */
	gboolean has_group;
	gboolean has_user, has_user_group; /* HVR_USER_SYSTEM, and its own group */
	GPtrArray *enabled; /* of char *: units hailo-vm@NAME.service that start at boot */
} HvrSetupSystem;

/**
 * hvr_setup_system_look - find out. Changes nothing.
 * @target: a descriptor of its root folder
 * @live: it is this host's own
 */
HvrSetupSystem *hvr_setup_system_look(const HvrContext *context, int target,
				      gboolean live) G_GNUC_WARN_UNUSED_RESULT;
/* Take another processor for the system's: "intel", "amd", "arm"; NULL leaves it. FALSE for any
 * other name. */
gboolean hvr_setup_system_set_cpu(HvrSetupSystem *system,
				  const char *name) G_GNUC_WARN_UNUSED_RESULT;
void hvr_setup_system_free(HvrSetupSystem *system);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSetupSystem, hvr_setup_system_free)
