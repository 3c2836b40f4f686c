/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile.h"
#include "vfio/address.h"

/* One PCI function that the VM gets. */
typedef struct {
	char *id; /* QEMU's id: the device section's name; its group's other endpoints get
		     "NAME-SLOT.FUNCTION"-like ids of their own */
	HvrPciAddress address;
} HvrCmdlineCard;

/* How QEMU is reached: by descriptors that it inherits, or (print) by paths. */
typedef struct {
	int qmp_private;       /* one end of a socketpair for the supervisor; -1: none */
	int qmp_listen;	       /* a listening socket; -1: QEMU makes @qmp_path itself */
	const char *qmp_path;  /* used when qmp_listen is -1 */
	int serial;	       /* HVR_SERIAL_FILE: the open file. HVR_SERIAL_SOCKET: a listening
				  socket. -1: @serial_path is used */
	const char *serial_path;
} HvrCmdlineChannels;

/**
 * hvr_cmdline_build - QEMU's argv for a profile. Pure: opens nothing, asks nobody.
 * @kvm: use KVM (accel = auto was decided by the caller)
 * @cards: of HvrCmdlineCard, in order
 *
 * Every card sits alone on a pcie-root-port of its own (a function on pcie.0 cannot be unplugged);
 * HVR_CMDLINE_SPARE_PORTS more are there for "plug". -device, -blockdev and -object are JSON, so
 * nothing in a value can add an option; where only key=value exists, commas are doubled.
 *
 * Returns: (transfer full): strings, NULL-terminated; argv[0] is the profile's qemu binary.
 */
GPtrArray *hvr_cmdline_build(const HvrProfile *profile, gboolean kvm, const GPtrArray *cards,
			     const HvrCmdlineChannels *channels) G_GNUC_WARN_UNUSED_RESULT;

#define HVR_CMDLINE_SPARE_PORTS 4

/* The id of the root port of the card at @index, and of the spare port at @index. */
char *hvr_cmdline_card_port(guint index) G_GNUC_WARN_UNUSED_RESULT;
char *hvr_cmdline_spare_port(guint index) G_GNUC_WARN_UNUSED_RESULT;

/* The vfio-pci device's properties, for -device and for device_add: driver, id, host, bus. */
struct _JsonObject *hvr_cmdline_card_properties(const HvrCmdlineCard *card, const char *port)
	G_GNUC_WARN_UNUSED_RESULT;

/* @argv as one line that a POSIX shell reads back as the same words; only what needs it is quoted. */
char *hvr_cmdline_quote(const GPtrArray *argv) G_GNUC_WARN_UNUSED_RESULT;
