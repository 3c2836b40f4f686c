/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"

/*
 * The four kinds of source. Each parser is pure, and takes any bytes that are UTF-8 and have no
 * NUL; it stops where hvr_import_is_full().
 */

/* A <domain>, or some of what is in one, such as what `print --format libvirt` prints. By GMarkup,
 * which knows no entities but XML's own five. Errors: HVR_LAUNCH_ERROR_PROFILE: it is no XML, or is
 * no domain's */
gboolean hvr_import_libvirt(HvrImport *import, const char *text,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The second half of it, once all of its text is read. */
void hvr_import_libvirt_settle(HvrImport *import, HvrImportPart *machine);

/* KEY="value" lines and arrays, as a shell would read them. */
void hvr_import_quickemu(HvrImport *import, const char *text);

/* "key: value" lines, up to the first [snapshot]. */
void hvr_import_proxmox(HvrImport *import, const char *text);

/* A script that starts QEMU. Errors: HVR_LAUNCH_ERROR_PROFILE: it starts none */
gboolean hvr_import_script(HvrImport *import, const char *text,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* QEMU's words as parts, whichever format they are in: of HvrImportWord, without its own name. */
void hvr_import_qemu_words(HvrImport *import, const GPtrArray *words);

/* The second half of it: each -device with its -drive, -netdev and -fsdev.
 * @first: the first part that is of this command line */
void hvr_import_qemu_devices(HvrImport *import, guint first, HvrImportPart *machine);

/* What is said of the machine itself, once the devices are there. */
void hvr_import_qemu_machine(HvrImport *import, HvrImportPart *machine);

/* Gathers what is said of each card for "sub-id" and "properties", once all parts are there. */
void hvr_import_cards(HvrImport *import);

/* Finds the cards that are functions of one slot of the guest, once all parts are there. */
void hvr_import_functions(HvrImport *import);

/* The format that an image is taken to be of by its name, as nobody opens it here. Static */
const char *hvr_import_format_by_name(const char *file);

/* A word as of -device virtio-blk-pci, or what another format calls it: NULL: it is no disk's.
 * Static */
const char *hvr_import_disk_bus(const char *driver);
