/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/key.h"

/*
 * The parsers that table.c names. Each is a HvrValueParser; what is written to is in brackets. A
 * string or array that was there before is freed.
 */

/* [guint] a whole number within the key's bounds. */
gboolean hvr_value_number(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [guint] seconds within the key's bounds, stored as milliseconds. */
gboolean hvr_value_seconds(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [guint64] a size with K, M, G or T, within the key's bounds, a multiple of 1 MiB. */
gboolean hvr_value_size(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [int] the index of one of the key's words: an enum whose values are in the words' order. */
gboolean hvr_value_choice(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [gboolean] the key's words come in pairs, no before yes. */
gboolean hvr_value_switch(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] any printable text. */
gboolean hvr_value_text(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] letters, digits and the key's characters; does not begin with '-'. */
gboolean hvr_value_word(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] a word that hvr_machine_find() knows. */
gboolean hvr_value_machine(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] a word that names a network interface. */
gboolean hvr_value_interface(const HvrProfileKey *key, const char *value, const char *folder,
			     gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] a VM's name, see hvr_profile_name_valid(). */
gboolean hvr_value_vm_name(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] the path of a file, made absolute and canonical. */
gboolean hvr_value_path(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] the path of a folder, made absolute and canonical. */
gboolean hvr_value_folder(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] the same without a comma, at which QEMU splits a multiboot kernel's modules. */
gboolean hvr_value_initrd(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] a program's name as it is, or its path, made absolute. */
gboolean hvr_value_program(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [GPtrArray * of char *] words as a POSIX shell splits and unquotes them. */
gboolean hvr_value_shell_words(const HvrProfileKey *key, const char *value, const char *folder,
			       gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileDevice] VENDOR:DEVICE, four hexadecimal digits each. */
gboolean hvr_value_match(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileDevice] the same for the ids of its subsystem. */
gboolean hvr_value_sub_id(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * [GArray * of HvrCardProperty] "NAME=VALUE", several separated by blanks, of those of QEMU's
 * vfio-pci that are known here, each with its type. What this program says itself, and what has a
 * key of its own, is none of them.
 */
gboolean hvr_value_properties(const HvrProfileKey *key, const char *value, const char *folder,
			      gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileUsb] the same for a USB device. */
gboolean hvr_value_usb_match(const HvrProfileKey *key, const char *value, const char *folder,
			     gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] the kernel's name of a USB port: "BUS-PORT", and ".PORT" for each hub between. */
gboolean hvr_value_usb_port(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [guint] a PCI slot that a port may be fixed in, hexadecimal with its 0x: guests and QEMU leave
 * that away and mean the same, and people mean something else. */
gboolean hvr_value_slot(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileDevice] a PCI address. */
gboolean hvr_value_address(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileDevice] a stable path of slots. */
gboolean hvr_value_pci_path(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] "auto", "keep", "" for none, or reset methods out of the key's words. */
gboolean hvr_value_reset(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Instead of a port: one that is free. */
#define HVR_VALUE_AUTO "auto"

/*
 * [GPtrArray * of HvrForward] "PROTOCOL:[ADDRESS]:PORT-PORT", several separated by blanks or ';'.
 * PROTOCOL is tcp or udp; ADDRESS is one of the host's IPv4 addresses, 127.0.0.1 where it is left
 * out; the first port is the host's. QEMU's own spelling with ':' before the guest's port is the
 * same. HVR_VALUE_AUTO or 0 as the host's port is one that is free; by itself it is the guest's ssh
 * at such a port.
 */
gboolean hvr_value_forwards(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [int] a node of the host's memory: "auto", "any" or its number. */
gboolean hvr_value_node(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [GArray * of guint] CPUs as the kernel lists them: "0-3,8"; none above the key's bound. */
gboolean hvr_value_cpus(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileProcessor] such a list, for all of QEMU; or "0:2, 1:3,7 2:4-5": each virtual CPU's
 * own, where what has no colon goes on with the list before it. */
gboolean hvr_value_pin(const HvrProfileKey *key, const char *value, const char *folder,
		       gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileGuest] "none", "agent", "serial:PATTERN", "tcp:PORT"; "tcp:auto", or "tcp:auto-22"
 * where there are several, is a forward whose port is chosen. */
gboolean hvr_value_ready(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [guint] a number, or HVR_VALUE_AUTO: HVR_GRAPHICS_PORT_AUTO. */
gboolean hvr_value_screen_port(const HvrProfileKey *key, const char *value, const char *folder,
			       gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char *] two or three numbers with dots between them. */
gboolean hvr_value_version(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [HvrProfileSeed] a public key of OpenSSH's, or else the path of a file with some. */
gboolean hvr_value_ssh_key(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* [char[18]] a unicast MAC address, stored in lower case. */
gboolean hvr_value_mac(const HvrProfileKey *key, const char *value, const char *folder,
		       gpointer target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
