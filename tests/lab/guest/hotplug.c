/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's ACPI PCI hot-plug (docs/specs/acpi_pci_hotplug.txt), as the DSDT's methods would serve it
 *
 * QEMU counts the buses that can be hot-plugged; that number selects one, and then bits are slots.
 * Which bus has which number stands in the AML only. This guest has no AML, so it walks through the
 * numbers, answers each request, and finds out what came or went by looking at all buses again.
 */
#include "guest.h"
#include "io.h"

#define BASE	 0xcc0
#define ADDED	 (BASE + 0x00)
#define TO_EJECT (BASE + 0x04)
#define EJECT	 (BASE + 0x08)
#define SELECT	 (BASE + 0x10)

static void eject(unsigned int bus, uint32_t slots)
{
	unsigned int seconds;

	if (word_is_given("unplug=refuse")) {
		print("guest: unplug refused\n");
		return;
	}
	if (word_is_given("reboot-on-unplug")) {
		print("guest: rebooting\n");
		acpi_reset();
	}
	if (word_number("unplug=late:", &seconds))
		timer_wait(seconds);
	out32(SELECT, bus);
	out32(EJECT, slots);
}

static void serve_bus(unsigned int bus)
{
	uint32_t to_eject;

	out32(SELECT, bus);
	in32(ADDED); /* reading takes the request */
	to_eject = in32(TO_EJECT);
	if (to_eject) {
		print("guest: unplug request bus %u slots 0x%x\n", bus, to_eject);
		eject(bus, to_eject);
	}
}

/* There are no more numbers than buses */
void hotplug_serve(void)
{
	unsigned int n = pci_count_buses();

	if (word_is_given("unplug=ignore"))
		return;
	for (unsigned int bus = 0; bus < n; bus++)
		serve_bus(bus);
	pci_rescan();
}
