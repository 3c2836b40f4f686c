/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/address.h"
#include "vfio/host.h"
#include "vfio/inventory.h"

/* One change to the host. A plan is an ordered list of them. */
typedef enum {
	HVR_STEP_LOAD_MODULE, /* load module `value`; never undone: modules are not unloaded */
	HVR_STEP_SET,	      /* write `value` to `attribute` of the function; "" empties it */
	HVR_STEP_UNBIND,      /* take the function from driver `value` */
	HVR_STEP_PROBE,	      /* drivers_probe, which must end on driver `value` */
	HVR_STEP_BIND,	      /* give the function to driver `value`, whatever else would match */
	HVR_STEP_REPROBE,     /* drivers_probe, which may end on any driver, or on none */
	HVR_STEP_OWN_NODE,    /* the node of `access` gets `owner` */
} HvrStepKind;

typedef struct {
	HvrStepKind kind;
	HvrPciAddress address; /* all but LOAD_MODULE */
	HvrAccess access;      /* to the function */
	const char *attribute; /* SET; a static string */
	char *value;
	gboolean or_default; /* SET: where the kernel calls the value invalid, "default" will do */
	HvrNodeOwner owner;
} HvrStep;

/* [transfer full]; @function is NULL for HVR_STEP_LOAD_MODULE only. */
HvrStep *hvr_step_new(HvrStepKind kind, const HvrPciFunction *function, const char *value);
HvrStep *hvr_step_new_set(const HvrPciFunction *function, const char *attribute, const char *value);
HvrStep *hvr_step_new_own_node(const HvrPciFunction *function, uid_t uid, gid_t gid, mode_t mode);
void hvr_step_free(HvrStep *step);

/* A GPtrArray that owns its HvrSteps. */
GPtrArray *hvr_steps_new(void);

/**
 * hvr_step_perform - make one change and verify that it took effect.
 *
 * @timeout_ms: deadline of each write; a write that the kernel does not finish by then is left to
 *              itself in a child process. BIND and REPROBE run the probe of a driver of the host
 * and have hvr_host_probe_timeout_ms() at least
 *
 * PROBE: drivers_probe answers 0 also when no driver took the function, so the driver link is
 * read afterwards. When udev runs, it is waited for until it has seen the new node, so that
 * no rule changes the owner behind OWN_NODE.
 * OWN_NODE: opens the node O_PATH, checks that it is a character device and no link, changes that
 * object.
 *
 * BIND succeeds, too, where somebody else has brought it about meanwhile, as the driver's module
 * does when it is loaded just then.
 *
 * Errors: "ADDRESS: cannot ...: cause", and where a driver had a part in it what the kernel has
 * logged of the function meanwhile, in HVR_VFIO_ERROR (KERNEL, TIMEOUT, NOT_FOUND) or
 * G_IO_ERROR. A failed step may have been half done (an unbind that was finished after its
 * deadline): whoever undoes looks at the host again and not at what this returned.
 */
gboolean hvr_step_perform(const HvrHost *host, const HvrStep *step, guint timeout_ms,
			  GError **error);

/* Does the kernel have this PCI driver now? */
gboolean hvr_driver_exists(const HvrHost *host, const char *driver);

/* For --dry-run: "0000:02:00.0: unbind from hailo". [transfer full] */
char *hvr_step_describe(const HvrStep *step) G_GNUC_WARN_UNUSED_RESULT;
