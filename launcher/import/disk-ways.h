/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"

/* What a source says in several places of how a disk is gone about: one field each, as a profile
 * has it. */

/* Of QEMU's cache.direct, cache.no-flush and write-cache of @disk, which are told then: "cache". */
void hvr_import_settle_cache(HvrImport *import, HvrImportPart *disk);

/* @controller: libvirt's: the thread of one for SCSI is that of all its disks. */
void hvr_import_share_thread(HvrImport *import, HvrImportPart *controller);

/* What is booted first by letters of a BIOS: "c" a disk, "d" a CD-ROM; the parts that are disks get
 * their ranks, but for those that have one. FALSE: there is another letter, which is left out, or
 * none that is here */
gboolean hvr_import_boot_order(HvrImport *import, const char *letters);
