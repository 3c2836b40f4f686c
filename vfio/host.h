/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct HvrHost HvrHost;

/* The way to a card: see vfio/access.h. */
typedef enum {
	HVR_ACCESS_NONE,  /* there is none: the card has no IOMMU group */
	HVR_ACCESS_GROUP, /* /dev/vfio/N, for all of IOMMU group N */
	HVR_ACCESS_CDEV,  /* /dev/vfio/devices/vfioN, for one function, since Linux 6.6 */
} HvrAccessKind;

typedef struct {
	HvrAccessKind kind;
	int number; /* of the group, or of the device */
} HvrAccess;

/* What VFIO_GROUP_GET_STATUS says of a group, or the reason why it could not be asked. */
typedef enum {
	HVR_ACCESS_VIABLE,     /* every member is on a VFIO driver, harmless, or unbound */
	HVR_ACCESS_NOT_VIABLE, /* a member is on a driver that does DMA for the host */
	HVR_ACCESS_IN_USE,     /* somebody has the node open (EBUSY: a group has a single opener) */
	HVR_ACCESS_NO_NODE,    /* no member is on a VFIO driver, so there is no node */
} HvrAccessStatus;

typedef struct {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* permission bits */
} HvrNodeOwner;

/* In the place of a uid: of a user of another host, whose number nobody here knows. chown(2) takes
 * it for "as it is". */
#define HVR_UID_ELSEWHERE ((uid_t)-1)

/**
 * HvrKernel - everything that makes the kernel do something, or asks it by ioctl.
 *
 * The one seam of vfio/: the real one is hvr_kernel_linux; tests put a fake kernel here, which
 * moves driver links as the real one does and can fail any call with any errno.
 */
typedef struct {
	/**
	 * write - one write(2) of @value to an attribute below /sys. The only place that writes
	 * there. @path: relative to /sys. @value: never empty (a zero-length write never reaches
	 * the kernel's store function: "\n" clears an attribute).
	 * The write runs in a child that is given @timeout_ms; where that is more than
	 * hvr_host_timeout_ms(), host->tell hears when this has passed. A child that the kernel
	 * holds (D state) is reported with its kernel stack, where readable, and not waited for.
	 * Errors: G_IO_ERROR from errno; HVR_VFIO_ERROR_TIMEOUT.
	 */
	gboolean (*write)(const HvrHost *host, const char *path, const char *value,
			  guint timeout_ms, GError **error);

	/**
	 * read - one read(2) of an attribute that the kernel shows under the device's lock, such as
	 * driver_override (pci-sysfs.c): the lock is held for as long as a driver's probe or
	 * remove, or a reset, hangs. @path: relative to @dirfd. By a child, as write().
	 * Returns: (transfer full): its text, at most a page
	 * Errors: G_IO_ERROR from errno; HVR_VFIO_ERROR_TIMEOUT.
	 */
	char *(*read)(const HvrHost *host, int dirfd, const char *path, guint timeout_ms,
		      GError **error);

	/* Could load_module() load it? Returns: (transfer full): yes, with these options, "" for
	 * none; NULL: no. Errors: HVR_VFIO_ERROR_NOT_FOUND, with why not. */
	char *(*find_module)(const HvrHost *host, const char *name, GError **error);

	/* Loads a module and its dependencies. Success when it is there already or built in. */
	gboolean (*load_module)(const HvrHost *host, const char *name, GError **error);

	/**
	 * access_status - opens a group, asks VFIO_GROUP_GET_STATUS, closes it again.
	 * Opens no device: opening and closing a VFIO *device* resets the card (vfio_pci_core's
	 * enable and disable), opening a group does not. hvr_access_status() on Linux.
	 */
	gboolean (*access_status)(const HvrHost *host, HvrAccess access,
				  HvrAccessStatus *out_status, GError **error);

	/**
	 * may_open - what open(2) of a node for reading and writing would fail with, or 0. @node:
	 * relative to /dev. Opens nothing, so it is in nobody's way: access(2), for which the
	 * kernel asks the device cgroup too (EPERM: inode_permission() in its fs/namei.c).
	 */
	int (*may_open)(const HvrHost *host, const char *node);

	/* Sets owner and mode of a node: hvr_access_own() on Linux. Errors: G_IO_ERROR */
	gboolean (*own_access)(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner,
			       GError **error);

	/* Does the container node /dev/vfio/vfio offer VFIO_TYPE1v2_IOMMU? */
	gboolean (*container_check)(const HvrHost *host, GError **error);
} HvrKernel;

extern const HvrKernel hvr_kernel_linux;

/**
 * HvrHost - this machine, or a tree that looks like one.
 *
 * /sys, /dev, /proc and /run are reached only below these descriptors (O_PATH | O_DIRECTORY), which
 * main() opens: a captured or fake tree is the same code with other descriptors.
 */
struct HvrHost {
	int sys;
	int dev;
	int proc;
	int run;  /* /run, to know whether udev is there to settle; -1: it is not */
	int root; /* /, for the files of its boot loader; -1: they are not to be seen */
	const HvrKernel *kernel;
	gpointer kernel_data;	/* for the fake kernel */
	guint step_timeout_ms;	/* deadline of one write; 0: HVR_STEP_TIMEOUT_MS */
	guint probe_timeout_ms; /* of one that runs a driver's probe; 0: HVR_PROBE_TIMEOUT_MS */
	/* Told of a write that takes longer than step_timeout_ms and may; NULL: nobody is told */
	void (*tell)(const char *text);
};

#define HVR_STEP_TIMEOUT_MS 10000
/* A driver waits in its probe for what the card does: hailo_pci 4.17 for 5000 jiffies, which is 20
 * s with HZ=250, when the card's firmware is silent, and then fails. */
#define HVR_PROBE_TIMEOUT_MS 45000

/* The deadline of one write on this host, in milliseconds. */
static inline guint hvr_host_timeout_ms(const HvrHost *host)
{
	return host->step_timeout_ms ? host->step_timeout_ms : HVR_STEP_TIMEOUT_MS;
}

/* The deadline of one write that runs the probe of a driver of the host, in milliseconds. */
static inline guint hvr_host_probe_timeout_ms(const HvrHost *host)
{
	return host->probe_timeout_ms ? host->probe_timeout_ms : HVR_PROBE_TIMEOUT_MS;
}
