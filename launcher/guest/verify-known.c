/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The known failures of a Hailo-8 in a guest, from HailoRT's and the driver's sources and from what
 * users have met. The text is looked for first, as it says more than the status; status 36 alone is
 * only "the driver said no".
 */
#include "launcher/guest/verify-known.h"

#include <string.h>

#define DEAD_CARD                                                                                  \
	"the card does not answer behind its BAR: its link is down, it was reset under the "       \
	"driver, or it is stuck in a power state"
#define REVIVE                                                                                     \
	"take it out and put it back (hailo-vm-run unplug, plug); if that does not help, cut "     \
	"the host's power for a moment, and see that [device] reset leaves no method"
#define OLD_DRIVER "install HailoRT 4.x (driver, library and firmware of one version) in the guest"

static const HvrVerifyKnown of_tool[] = {
	{ "with error 6", 36, "error 6 (ENXIO): " DEAD_CARD, REVIVE },
	{ "No such device or address", 36, "error 6 (ENXIO): " DEAD_CARD, REVIVE },
	{ "HAILO_OPEN_FILE_FAILURE", 13, "the card's node cannot be opened",
	  "run it as root, or install HailoRT's udev rule (51-hailo-udev.rules) in the guest" },
	{ "HAILO_DRIVER_OPERATION_FAILED", 36, "the driver refused an operation",
	  "the guest's kernel log says which: hailo-vm-run exec VM -- dmesg" },
	{ "HAILO_DRIVER_NOT_INSTALLED", 64, "the driver is not loaded",
	  "install HailoRT's PCIe driver in the guest and load it: modprobe hailo_pci" },
	{ "HAILO_DEVICE_IN_USE", 73, "another process of the guest has the card",
	  "stop it (often: systemctl stop hailort.service), or share the card through that "
	  "service" },
	{ "HAILO_OUT_OF_PHYSICAL_DEVICES", 74, "no free card is left for this process",
	  "see what uses it, and whether the card is in the VM: hailo-vm-run status" },
	{ "HAILO_INVALID_DRIVER_VERSION", 76, "driver and library are of different versions",
	  "install both from one release, then load the driver anew or start the guest again" },
	{ "Hailo devices not found", 0, "the library finds no card",
	  "is the card in the VM (hailo-vm-run status), and has the driver taken it (dmesg)?" },
	{ NULL },
};

static const HvrVerifyKnown of_log[] = {
	{ "Firmware file not found", 0, "the driver found no firmware for the card",
	  "put hailo8_fw.bin of the driver's version below /lib/firmware/hailo in the guest and "
	  "load the driver anew" },
	{ "Failed init pcie resources", 0, "a driver that is not for a Hailo-8 tried it (5.x)",
	  OLD_DRIVER },
	{ "Device disconnected while opening device", 0, DEAD_CARD, REVIVE },
	{ "hailo_nnc_driver_down, timeout", 0, "the card's firmware did not come to rest", REVIVE },
	{ "Firmware batch was already loaded", 0,
	  "the firmware of an earlier run is still in the card, and this driver cannot reset it",
	  "install HailoRT 4.20 or newer in the guest" },
	{ "Failed to enable MSI -28", 0, "the host has no interrupt vector left for the card",
	  "use fewer devices with MSI on the host, or another slot" },
	{ "failed with error -19", 0, "at probe: " DEAD_CARD, REVIVE },
	{ "failed with error -22", 0, "the driver does not accept this card (5.x on a Hailo-8?)",
	  OLD_DRIVER },
	{ NULL },
};

const HvrVerifyKnown *hvr_verify_known(const char *text, int status)
{
	for (const HvrVerifyKnown *known = of_tool; known->text; known++)
		if (text && strstr(text, known->text))
			return known;
	/* The first entries of a status are what its text is needed for. */
	for (const HvrVerifyKnown *known = of_tool; known->text; known++)
		if (status && known->status == status && g_str_has_prefix(known->text, "HAILO_"))
			return known;
	return NULL;
}

static gboolean is_ours(const char *log, const char *at)
{
	const char *begin = at;

	while (begin > log && begin[-1] != '\n')
		begin--;
	g_autofree char *line = g_strndup(begin, (gsize)(at - begin) + strcspn(at, "\n"));
	g_autofree char *lower = g_ascii_strdown(line, -1);
	return strstr(lower, "hailo") != NULL;
}

const HvrVerifyKnown *hvr_verify_known_log(const char *log)
{
	for (const HvrVerifyKnown *known = of_log; log && known->text; known++)
		for (const char *at = log; (at = strstr(at, known->text)); at++)
			if (is_ours(log, at))
				return known;
	return NULL;
}
