/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The known failures of a Hailo-8 in a guest, from what the driver (4.17 to 4.23) and hailortcli
 * print, and from what users have met. Texts differ by version, see tests/data/hailo/.
 *
 * hailortcli's exit status is HailoRT's: hailort.h has the numbers. The names of 36 and 64 changed
 * with 4.20, the numbers did not, so only the numbers are looked at.
 */
#include "launcher/guest/verify-known.h"

#include <string.h>

#define DEAD_CARD                                                                                  \
	"the card does not answer behind its BAR: its link is down, it was reset under the "       \
	"driver, or it is stuck in a power state"
#define REVIVE                                                                                     \
	"take it out and put it back (hailo-vm-run unplug, plug); if that does not help, cut "     \
	"the host's power for a moment, and see that [device] reset leaves no method"
#define ONE_VERSION                                                                                \
	"install HailoRT's driver, library and firmware from one release, then load the "          \
	"driver anew or start the guest again"

#define NO_FIRMWARE "the driver found no firmware for the card"
#define BAD_FIRMWARE                                                                               \
	"the driver could not load its firmware into the card: the file is missing, damaged or "   \
	"not for this card"
#define GET_FIRMWARE                                                                               \
	"put hailo8_fw.bin of the driver's version below /lib/firmware/hailo in the guest and "    \
	"load the driver anew"
#define SILENT                                                                                     \
	"the card did not start its firmware in time: it is stuck, its interrupts do not "         \
	"arrive, or the firmware file is of another version"
#define STILL_RUNNING                                                                              \
	"the firmware of an earlier run is still in the card, and this driver cannot reset it"
#define RESET_OFF                                                                                  \
	"the firmware of an earlier run is still in the card, as the driver was told not to "      \
	"reset it"
#define RESET_FAILED                                                                               \
	"the firmware of an earlier run is still in the card and does not obey: the driver goes "  \
	"on without one of its own"
#define NO_ANSWER                                                                                  \
	"the card's firmware did not answer a command in time: it is stuck, or its interrupts "    \
	"do not arrive in the guest"
#define WAKE                                                                                       \
	"does the line of hailo in the guest's /proc/interrupts count? If so, or if it never "     \
	"did: " REVIVE
#define LOST_FIRMWARE                                                                              \
	"no firmware runs in the card: the driver did not load it, or the card was reset under "   \
	"the driver"
#define LOAD_ANEW                                                                                  \
	"load the driver anew (modprobe -r hailo_pci, modprobe hailo_pci), or take the card "      \
	"out and put it back (hailo-vm-run unplug, plug); if that does not help, the guest's "     \
	"kernel log says why not"
#define NOT_MAPPED                                                                                 \
	"the guest has no room for the card's BARs, another driver of it has them, or the "        \
	"driver is not for a Hailo-8"
#define MAP "see the lines before it (hailo-vm-run exec VM -- dmesg); is the driver of HailoRT 4.x?"
#define NO_CARD                                                                                    \
	"HailoRT finds no card: the driver is not loaded, it did not take the card, or the card "  \
	"is not in the VM"
#define FIND_CARD                                                                                  \
	"is the card in the VM (hailo-vm-run status)? If so, the guest's kernel log says why "     \
	"the driver did not take it: hailo-vm-run exec VM -- dmesg"
#define DIFFERENT "driver and library are of different versions"
#define DMESG	  "the guest's kernel log says more: hailo-vm-run exec VM -- dmesg"
#define UDEV	  "run it as root, or install HailoRT's udev rule (51-hailo-udev.rules) in the guest"

const HvrVerifyKnown hvr_verify_known_table[] = {
	/* Up to 4.18 the probe succeeds without firmware. */
	{ HVR_VERIFY_LOG, .text = "Firmware file not found", .meaning = NO_FIRMWARE,
	  .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "Failed with error", .also = "hailo8_fw.", .number = -2,
	  .meaning = NO_FIRMWARE, .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "Failed writing NNC firmware files. err", .number = -2,
	  .meaning = NO_FIRMWARE, .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "Failed with error", .also = "hailo8_fw.",
	  .meaning = BAD_FIRMWARE, .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "Failed writing NNC firmware files", .meaning = BAD_FIRMWARE,
	  .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "Failed writing firmware. err", .meaning = BAD_FIRMWARE,
	  .fix = GET_FIRMWARE },
	/* The kernel's own line: "probe of ... failed", in newer ones "probe with driver ...". */
	{ HVR_VERIFY_LOG, .text = "failed with error", .also = "probe", .number = -2,
	  .meaning = "at probe: " NO_FIRMWARE, .fix = GET_FIRMWARE },
	/* Some names have a version in them. hailo8_board_cfg.bin and hailo8_fw_cfg.bin are missing
	 * in healthy guests, too. */
	{ HVR_VERIFY_LOG, .text = "Failed to write file hailo/hailo8_fw.", .meaning = BAD_FIRMWARE,
	  .fix = GET_FIRMWARE },
	{ HVR_VERIFY_LOG, .text = "NNC Firmware batch was already loaded", .meaning = RESET_OFF,
	  .fix = "take support_soft_reset=N out of the guest's /etc/modprobe.d and kernel command "
		 "line, and load the driver anew" },
	{ HVR_VERIFY_LOG, .text = "Firmware batch was already loaded", .meaning = STILL_RUNNING,
	  .fix = "install HailoRT 4.20 or newer in the guest" },
	{ HVR_VERIFY_LOG, .text = "Firmware was already loaded", .meaning = STILL_RUNNING,
	  .fix = "install HailoRT 4.20 or newer in the guest" },
	{ HVR_VERIFY_LOG, .text = "Failed hailo pcie soft reset", .meaning = RESET_FAILED,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "hailo reset firmware, timeout", .meaning = RESET_FAILED,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "Timeout waiting for NNC firmware", .meaning = SILENT,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "Timeout waiting for firmware", .meaning = SILENT,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "Failed reading device BARs", .meaning = DEAD_CARD,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "Invalid PCIe BAR",
	  .meaning = "the guest has given the card no room for a BAR",
	  .fix = "see what the guest's kernel log says of the card's BARs: hailo-vm-run exec VM "
		 "-- dmesg" },
	{ HVR_VERIFY_LOG, .text = "Error allocating bars",
	  .meaning = "another driver of the guest has the card's BARs",
	  .fix = "find it in the guest's /proc/iomem and unload it" },
	{ HVR_VERIFY_LOG, .text = "Failed init pcie resources", .meaning = NOT_MAPPED, .fix = MAP },
	{ HVR_VERIFY_LOG, .text = "Failed to enable MSI", .number = -28,
	  .meaning = "the host has no interrupt vector left for the card",
	  .fix = "use fewer devices with MSI on the host, or another slot" },
	{ HVR_VERIFY_LOG, .text = "Failed to enable MSI",
	  .meaning = "the card's interrupt could not be set up", .fix = DMESG },
	{ HVR_VERIFY_LOG, .text = "Device disconnected while opening device", .meaning = DEAD_CARD,
	  .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "driver_down, timeout",
	  .meaning = "the card's firmware did not come to rest", .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "timeout waiting for control", .meaning = NO_ANSWER,
	  .fix = WAKE },
	{ HVR_VERIFY_LOG, .text = "Failed writing fw control to pcie", .meaning = LOST_FIRMWARE,
	  .fix = LOAD_ANEW },
	{ HVR_VERIFY_LOG, .text = "failed with error", .also = "probe", .number = -110,
	  .meaning = "at probe: " SILENT, .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "failed with error", .also = "probe", .number = -19,
	  .meaning = "at probe: " DEAD_CARD, .fix = REVIVE },
	{ HVR_VERIFY_LOG, .text = "failed with error", .also = "probe", .number = -22,
	  .meaning = "at probe: the firmware file is not for this card, or the driver does not "
		     "accept it (5.x on a Hailo-8?)",
	  .fix = "install HailoRT 4.x (driver, library and firmware of one version) in the guest" },
	{ HVR_VERIFY_LOG, .text = "failed with error", .also = "probe",
	  .meaning = "the driver could not take the card", .fix = DMESG },

	{ HVR_VERIFY_NODE, .text = "No such device or address",
	  .meaning = "error 6 (ENXIO): " DEAD_CARD, .fix = REVIVE },
	{ HVR_VERIFY_NODE, .text = "No such device",
	  .meaning = "error 19 (ENODEV): no driver is behind it any more", .fix = FIND_CARD },
	{ HVR_VERIFY_NODE, .text = "No such file or directory",
	  .meaning = "error 2 (ENOENT): the driver has a card, but nobody made its node",
	  .fix = "is devtmpfs mounted on the guest's /dev, and does the agent see it?" },
	{ HVR_VERIFY_NODE, .text = "Permission denied",
	  .meaning = "error 13 (EACCES), Permission denied: the agent may not open it",
	  .fix = "the agent is no root or is confined (SELinux, AppArmor): see the guest's audit "
		 "log, or dmesg" },
	{ HVR_VERIFY_NODE, .text = "Operation not permitted",
	  .meaning = "error 1 (EPERM), Operation not permitted: the agent may not open it",
	  .fix = "the agent's unit or container denies it devices (DevicePolicy): see its "
		 "settings in the guest" },

	{ HVR_VERIFY_TOOL, .text = "error while loading shared libraries",
	  .meaning = "hailortcli is there, but not the library that it needs",
	  .fix = "install libhailort of hailortcli's version in the guest, then run ldconfig" },
	{ HVR_VERIFY_TOOL, .text = "with error", .also = "open device file", .number = 13,
	  .meaning = "error 13 (EACCES): the card's node is closed to this user", .fix = UDEV },
	{ HVR_VERIFY_TOOL, .text = "with error", .also = "open device file", .number = 1,
	  .meaning = "error 1 (EPERM): the card's node is closed to this process",
	  .fix = "a container or unit of the guest denies it the device (DevicePolicy)" },
	{ HVR_VERIFY_TOOL, .text = "with error", .also = "open device file", .number = 6,
	  .meaning = "error 6 (ENXIO): " DEAD_CARD, .fix = REVIVE },
	{ HVR_VERIFY_TOOL, .text = "with error", .also = "open device file", .number = 2,
	  .meaning = "error 2 (ENOENT): the driver has a card, but nobody made its node",
	  .fix = "is devtmpfs mounted on the guest's /dev?" },
	{ HVR_VERIFY_TOOL, .text = "with error", .also = "open device file",
	  .meaning = "the card's node cannot be opened", .fix = DMESG },
	{ HVR_VERIFY_TOOL, .text = "/accelerator_type",
	  .meaning = "the driver is older than the library: it lacks what the library asks for",
	  .fix = ONE_VERSION },
	{ HVR_VERIFY_TOOL, .text = "is different from library version", .meaning = DIFFERENT,
	  .fix = ONE_VERSION },
	{ HVR_VERIFY_TOOL, .text = "FW is not loaded to the device", .meaning = LOST_FIRMWARE,
	  .fix = LOAD_ANEW },
	/* From 4.20; then as before it. 110 has words of its own from 4.20. */
	{ HVR_VERIFY_TOOL, .text = "Ioctl HAILO_FW_CONTROL failed with", .number = 19,
	  .meaning = LOST_FIRMWARE ", or it is gone", .fix = LOAD_ANEW },
	{ HVR_VERIFY_TOOL, .text = "HAILO_FW_CONTROL failed with errno:", .number = 19,
	  .meaning = LOST_FIRMWARE ", or it is gone", .fix = LOAD_ANEW },
	{ HVR_VERIFY_TOOL, .text = "Ioctl HAILO_FW_CONTROL failed due to timeout",
	  .meaning = NO_ANSWER, .fix = WAKE },
	{ HVR_VERIFY_TOOL, .text = "HAILO_FW_CONTROL failed with errno:", .number = 110,
	  .meaning = NO_ANSWER, .fix = WAKE },
	{ HVR_VERIFY_TOOL, .text = "Unsupported firmware operation",
	  .meaning = "the firmware in the card is not of the library's version",
	  .fix = "put hailo8_fw.bin of HailoRT's version below /lib/firmware/hailo in the guest "
		 "and load the driver anew" },
	{ HVR_VERIFY_TOOL, .text = "Hailo devices not found", .meaning = NO_CARD,
	  .fix = FIND_CARD },

	{ HVR_VERIFY_TOOL, .status = 0, .meaning = NO_CARD, .fix = FIND_CARD },
	{ HVR_VERIFY_TOOL, .status = 4, .meaning = NO_ANSWER, .fix = WAKE },
	{ HVR_VERIFY_TOOL, .status = 8,
	  .meaning = "the library failed within: often the card's answer makes no sense, as its "
		     "firmware is of another version or in disorder",
	  .fix = "install driver, library and firmware of one version; if they are, " REVIVE },
	{ HVR_VERIFY_TOOL, .status = 13, .meaning = "a file that it needs cannot be opened",
	  .fix = UDEV },
	{ HVR_VERIFY_TOOL, .status = 18,
	  .meaning = "the card's firmware refused a command, or did not get it: it is of another "
		     "version, or in disorder",
	  .fix = "install driver, library and firmware of one version; if they are, " REVIVE },
	{ HVR_VERIFY_TOOL, .status = 36, .meaning = "the driver refused an operation",
	  .fix = DMESG },
	/* Up to 4.22; /sys/class/hailo_chardev of a 4.23 driver comes with its first card. */
	{ HVR_VERIFY_TOOL, .status = 64,
	  .meaning = "HailoRT finds no driver: it is not loaded, or it has no card",
	  .fix = "install HailoRT's PCIe driver in the guest and load it: modprobe hailo_pci; is "
		 "the card in the VM (hailo-vm-run status)?" },
	{ HVR_VERIFY_TOOL, .status = 73, .meaning = "another process of the guest has the card",
	  .fix = "stop it (often: systemctl stop hailort.service), or share the card through that "
		 "service" },
	{ HVR_VERIFY_TOOL, .status = 74, .meaning = "no free card is left for this process",
	  .fix = "see what uses it, and whether the card is in the VM: hailo-vm-run status" },
	{ HVR_VERIFY_TOOL, .status = 76, .meaning = DIFFERENT, .fix = ONE_VERSION },
	{ HVR_VERIFY_TOOL, .status = 85,
	  .meaning = "the library does not understand the driver: often they are of different "
		     "versions",
	  .fix = ONE_VERSION },
	{ HVR_VERIFY_TOOL, .status = 86,
	  .meaning = "the driver does not know what the library asks for: often they are of "
		     "different versions",
	  .fix = ONE_VERSION },
	{ HVR_VERIFY_TOOL, .status = 87, .meaning = NO_ANSWER, .fix = WAKE },
};
const gsize hvr_verify_known_count = G_N_ELEMENTS(hvr_verify_known_table);

/* @at: behind the text */
static gboolean has_number(const char *at, int number)
{
	char *end = NULL;

	if (number == 0)
		return TRUE;
	gint64 found = g_ascii_strtoll(at, &end, 10);
	return end != at && found == number;
}

static gboolean is_in(const HvrVerifyKnown *known, const char *line)
{
	if (known->also && !strstr(line, known->also))
		return FALSE;
	for (const char *at = line; (at = strstr(at, known->text)); at++)
		if (has_number(at + strlen(known->text), known->number))
			return TRUE;
	return FALSE;
}

/* (transfer full): the first line of @text that the row tells of, or NULL */
static char *find_line(const HvrVerifyKnown *known, const char *text)
{
	for (const char *at = text; *at;) {
		gsize length = strcspn(at, "\n");
		g_autofree char *line = g_strndup(at, length);
		if (is_in(known, line))
			return g_steal_pointer(&line);
		at += length + (at[length] == '\n');
	}
	return NULL;
}

const HvrVerifyKnown *hvr_verify_known(HvrVerifySource source, const char *text, char **out_line)
{
	for (gsize i = 0; text && i < hvr_verify_known_count; i++) {
		const HvrVerifyKnown *known = &hvr_verify_known_table[i];
		/* Most are in no line at all. */
		if (known->source != source || !known->text || !strstr(text, known->text))
			continue;
		g_autofree char *line = find_line(known, text);
		if (!line)
			continue;
		if (out_line)
			*out_line = g_steal_pointer(&line);
		return known;
	}
	return NULL;
}

const HvrVerifyKnown *hvr_verify_known_status(int status)
{
	for (gsize i = 0; i < hvr_verify_known_count; i++)
		if (!hvr_verify_known_table[i].text && hvr_verify_known_table[i].status == status)
			return &hvr_verify_known_table[i];
	return NULL;
}
