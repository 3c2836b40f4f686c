/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/**
 * HvrContext - where a command works: the host it looks at, and its runtime folder.
 * Made once by main(); everything below takes it instead of looking at the environment.
 */
typedef struct {
	HvrHost host;
	struct HvrEvents *events; /* `run --events`; NULL: nobody asked */
	int runtime;		  /* see runtime.h; -1 where there is none (a captured tree) */
	int runtime_parent; /* where it is made when needed (home.h); -1: there is no such place */
	const char *runtime_name; /* the name that it has there; NULL: "hailo-vm-run" */
	gboolean captured;	  /* --root: a tree to look at, never to change */
	gboolean privileged;	  /* effective uid 0 */
	guint64 memlock_max; /* bytes that QEMU may be allowed to lock; G_MAXUINT64: no limit */
	const char *runtime_path; /* the runtime folder as a path, to show to people */
	const char *config_home;  /* where profiles of the user are; NULL: nowhere */
	const char *cache; /* where states of guests are kept (launcher/warm/); NULL: nowhere */
	/* of descriptors, the first counts most; or NULL */
	const char *const *firmware_folders;
	const char *const *vhost_user_folders;
	const char *system_config;   /* "/etc/hailo-vm-run" */
	const char *bridge_conf;     /* which bridges users may be on; NULL: none */
	const char *system_root;     /* of the system that `setup` prepares: "/"; NULL: none */
	const char *setup_templates; /* NULL: where they are installed */
	const char *job;	     /* that this is part of (job.h); NULL: none */
	guint answer_ms; /* how long QEMU may take to answer `check`; 0: as long as is sensible */
	/* The list of cards that this process was given, and whose it is: see below. NULL: none */
	const char *cards, *cards_variable;
} HvrContext;

/* Of addresses, stable paths or numbers, separated by commas; "": none. Counts more than what an
 * engine says. */
#define HVR_CARDS_VARIABLE "HAILO_VM_CARDS"

/**
 * hvr_context_open_runtime - open the runtime folder, and make it when @create.
 * Returns: FALSE when there is none (no @error when merely absent and not @create).
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when there is no place for it; as hvr_runtime_open()
 */
gboolean hvr_context_open_runtime(HvrContext *context, gboolean create, GError **error);
