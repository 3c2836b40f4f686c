/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/address.h"

/**
 * HvrProfile - what the user wants, checked and complete: every default is filled in, every path
 * is absolute (relative ones are relative to the profile's folder), every value is in range.
 * It says nothing about this host.
 */

typedef enum { HVR_ACCEL_AUTO, HVR_ACCEL_KVM, HVR_ACCEL_TCG } HvrAccel;
typedef enum { HVR_RTC_UTC, HVR_RTC_LOCALTIME } HvrRtc;
typedef enum { HVR_WARM_NO, HVR_WARM_AUTO, HVR_WARM_REQUIRE } HvrWarm;
typedef enum { HVR_IOMMU_NONE, HVR_IOMMU_INTEL, HVR_IOMMU_VIRTIO } HvrGuestIommu; /* the guest's */

typedef enum { HVR_SELECT_MATCH, HVR_SELECT_ADDRESS, HVR_SELECT_PATH } HvrSelectBy;
typedef enum { HVR_PICK_ONLY, HVR_PICK_FREE } HvrPick;
typedef enum { HVR_GROUP_REFUSE, HVR_GROUP_BIND, HVR_GROUP_PASS } HvrGroupPolicy;
typedef enum { HVR_AFTER_RESTORE, HVR_AFTER_KEEP } HvrAfter;
/* The kernel module that keeps bus resets away: vfio/guard.h */
typedef enum { HVR_RESET_GUARD_AUTO, HVR_RESET_GUARD_REQUIRE, HVR_RESET_GUARD_OFF } HvrResetGuard;

/* A property of QEMU's vfio-pci that a card is to have. */
typedef enum { HVR_PROPERTY_SWITCH, HVR_PROPERTY_NUMBER, HVR_PROPERTY_WORD } HvrPropertyKind;
typedef struct {
	const char *name; /* static */
	HvrPropertyKind kind;
	gint64 number;	  /* a number; of a switch 0 or 1 */
	const char *word; /* static */
} HvrCardProperty;

/* [device NAME] */
typedef struct {
	char *id; /* the NAME: QEMU's id, and what unplug takes */
	HvrSelectBy by;
	guint16 vendor, device; /* HVR_SELECT_MATCH */
	HvrPciAddress address;	/* HVR_SELECT_ADDRESS */
	char *path;		/* HVR_SELECT_PATH */
	HvrPick pick;
	char *reset; /* "auto", "keep", or the reset methods to leave, one blank between; "": none
		      */
	HvrResetGuard reset_guard;
	HvrGroupPolicy group;
	HvrAfter after;
	guint deadline_ms; /* for each unbind, bind and probe */
	/* What the guest sees of it, and of no companion of its group. */
	char *romfile;	   /* in place of the card's own ROM; NULL: that */
	gboolean rombar;   /* it has a ROM at all */
	gboolean has_subs; /* subsystem ids in place of its own: */
	guint16 sub_vendor, sub_device;
	GArray *properties; /* of HvrCardProperty; NULL: none more */
	guint slot;	    /* of the machine's root bus, for its port alone; 0: any */
	char *with;	    /* the section on whose port it is, behind its card; NULL: its own */
	/* Not a key: which function of its port's slot it is, and whether there are more. */
	guint function;
	gboolean shared;
} HvrProfileDevice;

/* [disk NAME] */
typedef enum { HVR_DISK_QCOW2, HVR_DISK_RAW } HvrDiskFormat;
typedef enum { HVR_DISK_VIRTIO, HVR_DISK_NVME, HVR_DISK_SATA, HVR_DISK_SCSI } HvrDiskBus;
/* What stands between the guest's writes and the disk, by the names that QEMU has for it. */
typedef enum {
	HVR_CACHE_WRITEBACK,
	HVR_CACHE_NONE,
	HVR_CACHE_WRITETHROUGH,
	HVR_CACHE_DIRECTSYNC,
	HVR_CACHE_UNSAFE,
} HvrDiskCache;
/* How QEMU waits for the host's disk. */
typedef enum { HVR_AIO_THREADS, HVR_AIO_NATIVE, HVR_AIO_IO_URING } HvrDiskAio;
typedef enum { HVR_ZEROES_OFF, HVR_ZEROES_ON, HVR_ZEROES_UNMAP } HvrDiskZeroes;
typedef struct {
	char *id;
	char *file;
	guint64 size_bytes; /* of the image that is made when @file is missing; 0: it must be there
			     */
	char *base;	/* what such an image begins with: a qcow2 image that stays; NULL: empty */
	gboolean cdrom; /* a CD or DVD in its drive, which is on sata or scsi; else a disk */
	HvrDiskFormat format;
	HvrDiskBus bus;
	gboolean snapshot; /* writes go to a throw-away overlay */
	gboolean readonly;
	HvrDiskCache cache;
	HvrDiskAio aio;
	gboolean discard;     /* what the guest gives up is given back to the host */
	HvrDiskZeroes zeroes; /* what is done of zeroes that it writes */
	gboolean iothread;    /* it has a thread of its own */
} HvrProfileDisk;

/* [net NAME] */
typedef enum { HVR_NET_NONE, HVR_NET_USER, HVR_NET_BRIDGE, HVR_NET_TAP } HvrNetMode;
typedef struct {
	gboolean udp;
	char *host_address; /* an IPv4 address */
	guint16 host_port;  /* 0: one that is free, chosen at the start */
	guint16 guest_port;
} HvrForward;
typedef struct {
	char *id;
	HvrNetMode mode;
	GPtrArray *forwards; /* of HvrForward */
	char mac[18];	     /* as given, or stable: made from the VM's name and the id, locally
				administered */
	gboolean mac_made;   /* ... the latter */
	char *bridge;	     /* HVR_NET_BRIDGE */
	char *tap;	     /* HVR_NET_TAP: name of an interface that exists */
} HvrProfileNet;

/* [serial] */
typedef enum {
	HVR_SERIAL_NONE,
	HVR_SERIAL_STDIO,
	HVR_SERIAL_FILE,
	HVR_SERIAL_SOCKET,
} HvrSerialMode;

/* [firmware] */
typedef struct {
	gboolean uefi; /* else QEMU's own BIOS */
	gboolean secure;
	char *code;	     /* uefi: the firmware itself; NULL: one that this host offers */
	char *vars;	     /* uefi: its variables, absolute */
	gboolean throw_away; /* what is written to them is; they need not be there. Not a key */
} HvrProfileFirmware;

/* [tpm] */
typedef enum { HVR_TPM_NONE, HVR_TPM_CRB, HVR_TPM_TIS } HvrTpmModel;
typedef struct {
	HvrTpmModel model;
	char *state;	     /* the file of what it keeps, absolute; NULL: HVR_TPM_NONE */
	gboolean throw_away; /* what is written to it is; it need not be there. Not a key */
} HvrProfileTpm;

/* [cloud-init]; NULL where not given */
typedef struct {
	char *user_data, *meta_data, *ssh_key; /* files */
	char *ssh_public;		       /* ssh-key: the key itself, in place of a file */
	char *hostname;
	char *user;	    /* the guest's: the key is theirs, and ssh logs in as them */
	gboolean autologin; /* @user, on the serial console */
	gboolean agent;	    /* qemu-guest-agent is installed */
} HvrProfileSeed;

/* [share NAME] */
typedef enum { HVR_SHARE_AUTO, HVR_SHARE_VIRTIOFS, HVR_SHARE_9P } HvrShareVia;
typedef struct {
	char *id;
	char *path; /* a folder of the host */
	char *tag;  /* what the guest mounts; NULL: the id */
	gboolean readonly;
	HvrShareVia via;
} HvrProfileShare;

/* [usb NAME] */
typedef struct {
	char *id;
	guint16 vendor, product; /* without @port */
	char *port;		 /* where it is plugged in, as the kernel names it: "1-2.3"; NULL */
} HvrProfileUsb;

/* [input NAME] */
typedef struct {
	char *id;
	char *evdev;	/* the node of a keyboard or pointer of the host's */
	gboolean leads; /* its grab is that of all of them */
	gboolean repeat;
} HvrProfileInput;

/* [graphics] */
typedef enum { HVR_GRAPHICS_NONE, HVR_GRAPHICS_VNC, HVR_GRAPHICS_SPICE } HvrGraphics;

/* [audio] */
typedef enum { HVR_SOUND_NONE, HVR_SOUND_HDA, HVR_SOUND_VIRTIO } HvrSound;
typedef enum { HVR_SOUND_TO_AUTO, HVR_SOUND_TO_NOBODY, HVR_SOUND_TO_SPICE } HvrSoundTo;

/* [memory] */
typedef enum { HVR_PAGES_NORMAL, HVR_PAGES_2M, HVR_PAGES_1G } HvrHugepages;
#define HVR_NODE_AUTO (-1) /* the first card's, preferably */
#define HVR_NODE_ANY  (-2)
#define HVR_NODE_MAX  1023
typedef struct {
	HvrHugepages hugepages;
	gboolean locked;
	int node; /* of the host, else HVR_NODE_AUTO or _ANY */
} HvrProfileMemory;

#define HVR_VCPU_MAX 511
/* One virtual CPU, and the CPUs of the host that it may run on. */
typedef struct {
	guint vcpu;
	GArray *cpus; /* of guint */
} HvrVcpuPin;

/* [cpu]; 0 where not given */
typedef struct {
	guint sockets, cores, threads;
	gboolean hyperv; /* with KVM, what a Windows asks a hypervisor for */
	/* The CPUs of the host that QEMU may run on, of guint; NULL: all, or @pins says more. With
	 * @emulator they are those of the virtual CPUs. */
	GArray *pin;
	GPtrArray *pins;  /* of HvrVcpuPin, in any order, each vCPU once; NULL: none has its own */
	GArray *emulator; /* of guint: all of QEMU but those; NULL: as @pin has it */
} HvrProfileProcessor;

/* [guest] */
typedef enum { HVR_READY_NONE, HVR_READY_AGENT, HVR_READY_SERIAL, HVR_READY_TCP } HvrReady;
typedef struct {
	gboolean agent;	     /* a port for the QEMU guest agent */
	HvrReady ready;	     /* when the guest counts as ready */
	char *ready_pattern; /* HVR_READY_SERIAL: a GRegex that matches what the port has said */
	guint16 ready_port;  /* HVR_READY_TCP: a forwarded port of the host; 0: a chosen one */
	guint16 ready_guest_port; /* ... that leads to this one; 0: the only one that is chosen */
	char *hailort_min;	  /* "4.20" or "4.20.1" */
	char *warm_script;	  /* what it runs before it is saved; NULL: nothing */
} HvrProfileGuest;

typedef struct {
	char *file; /* the profile itself, absolute */
	/* [vm] */
	char *include; /* the file that was read first, or NULL */
	char *name;
	char *stem;	    /* what it is called in the profile: the same, until a name was made */
	gboolean name_auto; /* a name is to be made of it: hvr_profile_rename() */
	guint64 memory_bytes; /* a multiple of 1 MiB */
	guint cpus;
	HvrAccel accel;
	char *cpu; /* "auto" or a QEMU model, with its +/- features */
	char *machine;
	HvrRtc rtc;
	HvrGuestIommu iommu;
	HvrWarm warm;
	/* The guest is one that is saved or was: its cards come by hot-plug when it goes on, and
	 * their ports are empty at first. Not a key */
	gboolean cards_later;
	HvrProfileFirmware firmware;
	HvrProfileTpm tpm;
	HvrProfileSeed seed;
	HvrGraphics graphics;
	guint graphics_port;	     /* on 127.0.0.1; 0: a socket in the runtime folder */
#define HVR_GRAPHICS_PORT_AUTO 65536 /* one that is free, chosen at the start */
	HvrSound sound;
	HvrSoundTo sound_to;
	HvrProfileMemory memory;
	HvrProfileProcessor processor;
	GPtrArray *devices; /* of HvrProfileDevice, in the file's order */
	GPtrArray *disks;   /* of HvrProfileDisk */
	GPtrArray *nets;    /* of HvrProfileNet */
	GPtrArray *shares;  /* of HvrProfileShare */
	GPtrArray *usbs;    /* of HvrProfileUsb */
	GPtrArray *inputs;  /* of HvrProfileInput */
	/* [boot]; NULL where not given */
	char *kernel, *initrd, *cmdline;
	/* [serial] */
	HvrSerialMode serial;
	char *serial_file;
	HvrProfileGuest guest;
	/* [security] */
	char *user; /* NULL: see hvr_user_find() */
	gboolean sandbox;
	/* [qemu] */
	char *qemu_binary;	    /* a name to look up in PATH, or an absolute path */
	GPtrArray *qemu_first_args; /* of char *, as they are, before all devices */
	GPtrArray *qemu_args;	    /* of char *, appended as they are */
} HvrProfile;

/* An empty one, for the parser; @file becomes absolute. */
HvrProfile *hvr_profile_new(const char *file) G_GNUC_WARN_UNUSED_RESULT;

void hvr_profile_free(HvrProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrProfile, hvr_profile_free)

/* (transfer none): number @i of all forwards of all nets, in the profile's order; NULL: there are
 * no more. */
const HvrForward *hvr_profile_forward(const HvrProfile *profile, guint i);

/* Is @forward the one that [guest] ready = tcp means? */
gboolean hvr_profile_is_ready_forward(const HvrProfileGuest *guest, const HvrForward *forward);

/* Is @name a VM name: [a-z0-9][a-z0-9-]{0,62}? */
gboolean hvr_profile_name_valid(const char *name);

/* [vm] name, and what --name takes: a name is made. */
#define HVR_PROFILE_NAME_AUTO "auto"

/**
 * hvr_profile_rename - what was given a name of its own is that VM from here on.
 *
 * What a guest has once seen of itself stays that of the stem: the addresses of nets that no other
 * VM is on (mode = user), by which cloud-init's network configuration knows them, and the names in
 * cloud-init's disk. Nets that VMs share get addresses by the new name.
 */
void hvr_profile_rename(HvrProfile *profile, const char *name);

/* Fills in the addresses of all nets that were given none: see there. */
void hvr_profile_make_macs(HvrProfile *profile);

/* Does QEMU go around the host's page cache (O_DIRECT) to this disk's image? */
gboolean hvr_profile_disk_is_direct(const HvrProfileDisk *disk);

/* The word that a profile and QEMU have for it. Static */
const char *hvr_profile_aio_word(HvrDiskAio aio);

/* QEMU's device of a TPM that is there. Static */
const char *hvr_profile_tpm_driver(HvrTpmModel model);

/**
 * hvr_profile_number_functions - fills in which function of its slot each card is in the guest:
 * 0, and for those that are @with it 1, 2, ... in the profile's order.
 */
void hvr_profile_number_functions(HvrProfile *profile);

/* The sections of the slot that @device is in, function 0 first: itself alone, mostly.
 * [transfer container] array of HvrProfileDevice */
GPtrArray *hvr_profile_slot_of(const HvrProfile *profile,
			       const HvrProfileDevice *device) G_GNUC_WARN_UNUSED_RESULT;

/* Does the guest get a USB controller? */
gboolean hvr_profile_has_usb(const HvrProfile *profile);

/* QEMU's device of a sound card that is there. Static */
const char *hvr_profile_sound_driver(HvrSound sound);

/* The bytes of a huge page; 0: ordinary ones. */
guint64 hvr_profile_page_size(const HvrProfileMemory *memory);
