/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/process.h"

/* One device of a VM, as its record has it. */
typedef struct {
	char *id;      /* QEMU's id */
	char *section; /* the [device] section it comes from: what `unplug` takes */
	char *address; /* of the PCI function */
	char *port;    /* the root port it sits on */
	/* What the port has of windows, as HvrWindows (launcher/host/windows.h) */
	guint64 prefetchable, memory;
	guint function; /* of that port's slot: 0, unless it is there with another device */
	int group;
	gboolean keep;	/* stays on vfio-pci when it leaves the VM */
	gboolean in_vm; /* FALSE: unplugged */
} HvrVmDevice;
HvrVmDevice *hvr_vm_device_new(const char *id, const char *section, const char *address,
			       const char *port, int group);

/* One port of the host that leads into it. */
typedef struct {
	gboolean udp;
	char *address;
	guint port, guest_port;
} HvrVmForward;
HvrVmForward *hvr_vm_forward_new(gboolean udp, const char *address, guint port, guint guest_port);
/* As a profile has it: "tcp:127.0.0.1:2222-22". [transfer full] */
char *hvr_vm_forward_text(const HvrVmForward *forward) G_GNUC_WARN_UNUSED_RESULT;

/**
 * HvrVm - one running VM as others see it: vms/NAME/vm.ini. Written when QEMU was started (with
 * --exec just before), whenever a device comes or goes, and when the guest is ready.
 */
typedef struct {
	char *name;
	char *profile;	       /* the profile's file */
	HvrProcess supervisor; /* pid 0: none (--exec) */
	HvrProcess qemu;
	gint64 since;	     /* seconds since the epoch */
	GPtrArray *devices;  /* of HvrVmDevice */
	GPtrArray *forwards; /* of HvrVmForward: those of the profile in their order, as they are */
	/* What other commands need to know of the profile, as it was with its --set words. */
	char *user;	   /* the VM's user, by name; NULL: an older record */
	char *by;	   /* who started it, by name; NULL: an older record */
	char *job;	   /* for which job (job.h); NULL: none */
	char *serial;	   /* "none", "stdio", "file" or "socket" */
	char *serial_file; /* NULL unless "file" */
	char *screen;	   /* HVR_VM_VNC, HVR_VM_SPICE, or "127.0.0.1:PORT"; NULL: none */
	char *ssh_address; /* of the host; leads to the guest's port 22. NULL: nothing does */
	guint ssh_port;
	char *ssh_user;	    /* of the guest; NULL: the profile names none */
	char *hailort_min;  /* the oldest that `verify` accepts */
	gboolean ready_set; /* [guest] ready says how to tell */
	gboolean ready;	    /* it has been told */
	gboolean panicked;  /* the guest's kernel has, and was not reset since */
	gboolean paused;    /* QEMU runs and its guest does not: QMP `stop`, a disk that is full */
} HvrVm;
HvrVm *hvr_vm_new(const char *name);
void hvr_vm_free(HvrVm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrVm, hvr_vm_free)

/* The names of its files in vms/NAME/. */
#define HVR_VM_RECORD  "vm.ini"
#define HVR_VM_QMP     "qmp.sock"
#define HVR_VM_CONTROL "control.sock"
#define HVR_VM_SERIAL  "serial.sock"  /* the serial port, for whoever connects */
#define HVR_VM_CONSOLE "console.sock" /* the same, with its last lines first */
#define HVR_VM_PORT    "port.sock"    /* QEMU's side of it, which the supervisor has */
#define HVR_VM_AGENT   "agent.sock"
#define HVR_VM_VNC     "vnc.sock"
#define HVR_VM_SPICE   "spice.sock"
#define HVR_VM_SEED    "cloud-init.img" /* shown by print; run has it in memory only */
#define HVR_VM_TPM     "tpm"		/* a folder: the state of a TPM that is thrown away */
#define HVR_VM_LOG     "messages.log"	/* what the supervisor and QEMU have said */
/* What the serial port has said: begin and end (launcher/report/log-file.h). */
#define HVR_VM_SERIAL_LOG "serial.log"

/* vms/NAME, made where missing and emptied of what a crash left: the caller holds the VM's lock.
 * Returns: a descriptor, or -1. */
int hvr_vm_make_folder(int runtime, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* vms/NAME as it is. Returns: a descriptor, or -1 with errno. */
int hvr_vm_open_folder(int runtime, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* HVR_VM_LOG in @folder, made where missing, open for appending. Returns: a descriptor, or -1 with
 * errno. */
int hvr_vm_open_log(int folder) G_GNUC_WARN_UNUSED_RESULT;

/* Does a card in this IOMMU group stay on vfio-pci when it leaves? With one function of a group all
 * of it does. */
gboolean hvr_vm_keeps_group(const HvrVm *vm, int group);

/* The names in vms/, of VMs that run or did. [transfer full] */
GPtrArray *hvr_vm_folders(int runtime) G_GNUC_WARN_UNUSED_RESULT;

/* Removes vms/NAME and what is in it. The caller holds the VM's lock. */
void hvr_vm_remove_folder(int runtime, const char *name);

/* Removes the files in such a folder, and HVR_VM_TPM with its own. @but: (nullable):
 * NULL-terminated: what stays */
void hvr_vm_empty_folder(int folder, const char *const *but);

gboolean hvr_vm_write(int folder, const HvrVm *vm, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_vm_read - the record of VM @name.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when no such VM runs, _USAGE for what is no name of one;
 * with the name that was probably meant, or of those that do
 */
HvrVm *hvr_vm_read(const HvrContext *context, const char *name,
		   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, whether anybody of it is alive or not. NULL: there is none. [transfer full] */
HvrVm *hvr_vm_look(const HvrContext *context, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* What such a file says, where it is one. @name: the VM's. Believes nothing of who is alive.
 * Returns: NULL: it is none */
HvrVm *hvr_vm_parse(const char *name, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The longest that a record is, in bytes. */
#define HVR_VM_RECORD_MAX (64 * 1024)

/* Is @name a VM name: [a-z0-9][a-z0-9-]{0,62}? */
gboolean hvr_vm_name_valid(const char *name);

/* Is one of its processes there? */
gboolean hvr_vm_is_alive(const HvrContext *context, const HvrVm *vm);

/* The records of all VMs whose QEMU or supervisor is alive, sorted by name. */
GPtrArray *hvr_vm_list(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;
