/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/**
 * HvrPciState - all that hailo-vm-run changes on a function, byte for byte as the kernel shows it.
 * NULL stands for an attribute that this kernel or function does not have.
 */
typedef struct {
	char *driver;	       /* name of the bound driver; NULL: none */
	char *driver_override; /* NULL also for "(null)", the kernel's word for none */
	char *reset_method;    /* space separated, without newline; "" when emptied */
	char *power_control;   /* "on" or "auto" */
	char *d3cold_allowed;  /* "0" or "1" */
	gboolean has_node;     /* of the access to it; the three below are the node's */
	uid_t node_uid;
	gid_t node_gid;
	mode_t node_mode; /* permission bits */
	/* Not ours either: module hailo-vm-run-guard keeps bus resets from it, so that the kernel
	 * has no "bus" for it, whatever it has without. */
	gboolean guarded;
	/* Not changed, but lost with the driver: what that made first, below /dev or as a network
	 * interface ("hailo0", "eth0"); NULL: nothing, or it is on a VFIO driver. */
	char *devnode;
} HvrPciState;

/**
 * hvr_pci_state_read - read a function's changeable state. Changes nothing.
 * Errors: HVR_VFIO_ERROR_NOT_FOUND when the function has vanished; G_IO_ERROR when an attribute is
 * there but cannot be read, as then its value could not be given back; HVR_VFIO_ERROR_TIMEOUT while
 * a driver hangs in the function's probe or remove.
 */
HvrPciState *hvr_pci_state_read(const HvrHost *host, const HvrPciFunction *function,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_pci_state_compare_devnodes - in which order were the drivers of two functions at work?
 * A driver gives its next card the lowest number that is free, so the cards of a host keep their
 * nodes if they come back in the order of these. Those without a node come first; numbers count as
 * numbers: "hailo2" is before "hailo10".
 */
int hvr_pci_state_compare_devnodes(const HvrPciState *a, const HvrPciState *b);

/* All NULL, no node. */
HvrPciState *hvr_pci_state_new(void);
HvrPciState *hvr_pci_state_copy(const HvrPciState *state);
void hvr_pci_state_free(HvrPciState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrPciState, hvr_pci_state_free)

/**
 * hvr_pci_function_alive - does config space answer? A card that fell off the bus reads as all
 * ones. Reads eight bytes of config space, for which the kernel wakes a suspended function: ask
 * only before a change. Needs no privilege.
 * Errors: HVR_VFIO_ERROR_UNSUITABLE when it is dead, or is another card than @function says;
 * HVR_VFIO_ERROR_NO_POWER when it is dead for lack of power;
 * HVR_VFIO_ERROR_NOT_FOUND when the function has vanished.
 */
gboolean hvr_pci_function_alive(const HvrHost *host, const HvrPciFunction *function,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is it in D3cold, by the kernel's word? Nothing is woken. FALSE also where that does not say. */
gboolean hvr_pci_function_is_cold(const HvrHost *host, const HvrPciFunction *function);
