/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"

/**
 * HvrBlockUse - who on this host uses a block device, as a VM's disk would notice.
 */
typedef struct {
	char *who; /* "'/dev/sda1' is mounted on '/srv', ..."; NULL: nobody that can be seen */
	gboolean writes; /* one of them may write to it */
} HvrBlockUse;

/**
 * hvr_block_use_find - mounts, swap and what is made of a device (LVM, RAID, dm-crypt, btrfs), by
 * sysfs and /proc: of itself; of each of its partitions, where it is a whole disk; of the whole
 * disk itself, where it is a partition. Opens no device.
 *
 * What another mount namespace or the kernel itself has (ZFS, an in-kernel target) is not seen:
 * O_EXCL tells of that, without a name (HVR_IMAGE_LOCK_HOST).
 */
void hvr_block_use_find(HvrBlockUse *use, const HvrHost *host, dev_t device);
void hvr_block_use_clear(HvrBlockUse *use);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrBlockUse, hvr_block_use_clear)

/* The disk that it is a partition of; itself where it is none, or that is not to be seen. */
dev_t hvr_block_whole(const HvrHost *host, dev_t device);

/* [transfer full] of dev_t: the partitions of a disk, in no order. */
GArray *hvr_block_partitions(const HvrHost *host, dev_t device) G_GNUC_WARN_UNUSED_RESULT;

/* A line of udev's rules that gives it to @user whenever it appears. [transfer full] NULL: sysfs
 * does not know it */
char *hvr_block_rule(const HvrHost *host, dev_t device, const char *user) G_GNUC_WARN_UNUSED_RESULT;
