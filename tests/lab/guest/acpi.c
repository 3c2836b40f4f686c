/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI's fixed hardware of q35 (ICH9), without its tables
 *
 * The SCI tells of the power button (PM1 status) and, as general purpose event 1, of a request in
 * the hot-plug block. Both are latched by the interrupt handler and taken by the main program.
 */
#include "guest.h"
#include "io.h"

#define LPC_ADDRESS 0x00f8 /* 00:1f.0 */
#define LPC_PMBASE  0x40

#define PM1_STATUS  0x00
#define PM1_ENABLE  0x02
#define PM1_CONTROL 0x04
#define GPE_STATUS  0x20
#define GPE_ENABLE  0x28

#define POWER_BUTTON 0x0100
#define SLEEP_ENABLE 0x2000 /* with sleep type 0, which is S5 here */
#define GPE_HOTPLUG  0x02

#define SMI_COMMAND   0xb2
#define ACPI_ENABLE   0x02
#define RESET_CONTROL 0xcf9

static uint16_t pm_base;
static volatile bool power_button;
static volatile bool hotplug;

void acpi_init(void)
{
	pm_base = (uint16_t)(pci_read(LPC_ADDRESS, LPC_PMBASE) & 0xff80);
	out8(SMI_COMMAND, ACPI_ENABLE);
	out16(pm_base + PM1_STATUS, 0xffff);
	out16(pm_base + PM1_ENABLE, POWER_BUTTON);
	out8(pm_base + GPE_ENABLE, GPE_HOTPLUG);
}

void acpi_serve_sci(void)
{
	uint16_t fixed = in16(pm_base + PM1_STATUS);
	uint8_t general = in8(pm_base + GPE_STATUS);

	out16(pm_base + PM1_STATUS, fixed);
	out8(pm_base + GPE_STATUS, general);
	if (fixed & POWER_BUTTON)
		power_button = true;
	if (general & GPE_HOTPLUG)
		hotplug = true;
}

bool acpi_take_power_button(void)
{
	bool taken = power_button;

	power_button = false;
	return taken;
}

bool acpi_take_hotplug(void)
{
	bool taken = hotplug;

	hotplug = false;
	return taken;
}

void acpi_power_off(void)
{
	out16(pm_base + PM1_CONTROL, SLEEP_ENABLE);
}

void acpi_reset(void)
{
	out8(RESET_CONTROL, 0x02);
	out8(RESET_CONTROL, 0x06);
}
