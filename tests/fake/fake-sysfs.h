/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"

/*
 * A machine in a temporary folder: sys/, dev/, proc/ and run/ laid out as Linux does, and an
 * HvrKernel that changes them as Linux does.
 *
 * All state of the fake machine lives in that folder (what the real kernel knows and shows nowhere
 * is in .fake/), so another process can go on with it after this one was killed. Only faults,
 * hooks, the counter and the log belong to the process; a forked child has its own copy.
 */

typedef struct FakeSysfs FakeSysfs;

/* Called around each call of the kernel; @call counts from 1, @what is the call as logged. */
typedef void (*FakeHook)(FakeSysfs *fs, guint call, const char *what, gpointer data);

struct FakeSysfs {
	char *root;   /* the temporary folder */
	HvrHost host; /* its descriptors, and the fake kernel */

	/* Calls of the kernel so far, and their texts: "write bus/pci/drivers_probe 0000:02:00.0",
	 * "load_module vfio-pci", "access_status vfio/14", "container_check". Newlines show as \n.
	 */
	guint calls;
	GPtrArray *log;

	FakeHook before; /* before anything happens: SIGKILL here leaves the call undone */
	FakeHook after;	 /* after all of it has happened, also when it failed */
	gpointer hook_data;

	/* Faults, see the setters below. */
	guint fail_call;
	int fail_call_errno;
	char *fail_match;
	int fail_match_errno;
	gboolean fail_late;

	pid_t maker; /* whose tree it is; 0: of another process */
};

typedef struct {
	const char *parent; /* address of the bridge above; NULL: on the root bus */
	guint16 vendor;
	guint16 device;
	guint32 class_code; /* default for a bridge 0x060400 */
	int group;	    /* IOMMU group; 0 is a group, FAKE_NO_GROUP is none */
	const char *driver; /* bound to it; NULL: none */
	const char *
		native; /* driver that matches by ID; default: .driver, unless that is a vfio one */
	const char *reset_method;   /* default list, "flr bus"; NULL: no such attribute */
	const char *power_control;  /* default "auto" */
	const char *d3cold_allowed; /* default "1" */
	const char *driver_override;
	gboolean virtual_function; /* has a physfn; its config space shows no identity */
} FakeFunction;

#define FAKE_NO_GROUP (-1)

/* An empty machine with an IOMMU, the vfio modules loadable but not loaded. */
FakeSysfs *fake_sysfs_new(void);
/* The same machine again, for another process: @root as in FakeSysfs. It is not removed when freed.
 */
FakeSysfs *fake_sysfs_open(const char *root);
/* Removes the tree, in the process that made it and unless HVR_KEEP_TMP is set. */
void fake_sysfs_free(FakeSysfs *fs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeSysfs, fake_sysfs_free)

/* (transfer none): lives as long as @fs. */
const HvrHost *fake_sysfs_host(FakeSysfs *fs);

/*
 * Functions. A parent comes first. Registers their drivers. A bridge is on pcieport unless
 * .driver says otherwise ("" for none). The root bus is that of the topmost ancestor.
 */
void fake_sysfs_add_function(FakeSysfs *fs, const char *address, const FakeFunction *function);
void fake_sysfs_add_bridge(FakeSysfs *fs, const char *address, const FakeFunction *function);
/* A Hailo-8 on driver hailo, with hailo_chardev/hailo@number, in group @group; below the root port
 * @port, which is made where it is missing, in group @group + 100. */
void fake_sysfs_add_hailo8(FakeSysfs *fs, const char *port, const char *address, int group,
			   guint number);
/* Hot-unplug: the function and all below it are gone. */
void fake_sysfs_remove_function(FakeSysfs *fs, const char *address);

/*
 * What the bound driver has made; goes with the driver and comes back with it. @path is relative
 * to the function ("hailo_chardev/hailo0", "nvme/nvme0/nvme0n1"), @devname to /dev.
 */
void fake_sysfs_add_node(FakeSysfs *fs, const char *address, const char *path, const char *devname,
			 const char *subsystem, guint major, guint minor);
void fake_sysfs_add_interface(FakeSysfs *fs, const char *address, const char *name);

/* Drivers and modules. Loading @module registers @driver. */
void fake_sysfs_add_driver(FakeSysfs *fs, const char *driver);
void fake_sysfs_add_module(FakeSysfs *fs, const char *module, const char *driver);
/* load_module() fails with ENOENT from now on. */
void fake_sysfs_remove_module(FakeSysfs *fs, const char *module);

/* No DMAR: every iommu_group link is gone. Before or after functions were added. */
void fake_sysfs_set_iommu(FakeSysfs *fs, gboolean on);
/* vfio's no-IOMMU mode: the group's name says so. */
void fake_sysfs_set_noiommu(FakeSysfs *fs, int group);
/* A VM has the group open: access_status() says so, unbinding a member from a VFIO driver blocks
 * (HVR_VFIO_ERROR_TIMEOUT, nothing changed), binding one to a native driver fails. */
void fake_sysfs_set_in_use(FakeSysfs *fs, int group, gboolean in_use);
/* The device cgroup of this process forbids a node, whenever it is there: "vfio/14", "hailo0". */
void fake_sysfs_forbid_node(FakeSysfs *fs, const char *node);
/* The bound driver's remove function hangs: unbind ends in HVR_VFIO_ERROR_TIMEOUT, and so does from
 * then on whatever wants the device's lock, such as reading driver_override; FALSE frees it. */
void fake_sysfs_set_hanging(FakeSysfs *fs, const char *address, gboolean hanging);
/* @driver's probe of this function fails: bind says @error_number, drivers_probe says nothing. 0
 * ends it. */
void fake_sysfs_set_probe_error(FakeSysfs *fs, const char *address, const char *driver,
				int error_number);
/* Config space reads as all ones. */
void fake_sysfs_set_dead(FakeSysfs *fs, const char *address);

/* A process that has @target open ("/dev/hailo0", "socket:[7]"). Again for another descriptor. */
void fake_sysfs_add_process(FakeSysfs *fs, int pid, const char *command, const char *target);
/* Any other file or link; folders are made. Replaces what is there. @path relative to the root. */
void fake_sysfs_put_file(FakeSysfs *fs, const char *path, const char *text);
void fake_sysfs_put_link(FakeSysfs *fs, const char *path, const char *target);

/* A file, a link, or a folder with all in it. */
void fake_sysfs_remove_file(FakeSysfs *fs, const char *path);

/* The text of a file without its newline, or NULL; the driver's name, or NULL. [transfer full] */
char *fake_sysfs_text(FakeSysfs *fs, const char *path);
char *fake_sysfs_attribute(FakeSysfs *fs, const char *address, const char *attribute);
char *fake_sysfs_driver(FakeSysfs *fs, const char *address);
gboolean fake_sysfs_exists(FakeSysfs *fs, const char *path);

/*
 * Faults. A call fails with @error_number before it has any effect; ETIMEDOUT becomes
 * HVR_VFIO_ERROR_TIMEOUT. fail_at(): the @call'th call, counted as in FakeSysfs.calls;
 * fail_matching(): every call with @text in what is logged of it. Each replaces its like before;
 * fail_late: the call fails only after it has had its effect, as a child that missed its deadline.
 */
void fake_sysfs_fail_at(FakeSysfs *fs, guint call, int error_number);
void fake_sysfs_fail_matching(FakeSysfs *fs, const char *text, int error_number);
void fake_sysfs_fail_never(FakeSysfs *fs);

/* Forgets the calls so far. */
void fake_sysfs_clear_log(FakeSysfs *fs);

/*
 * sys/ and dev/ as one text, sorted, a line each: kind, mode, owner, path, content or target.
 * Two equal texts are two equal machines. snapshot_run(): run/ alone, the same way.
 */
char *fake_sysfs_snapshot(FakeSysfs *fs);
char *fake_sysfs_snapshot_run(FakeSysfs *fs);
