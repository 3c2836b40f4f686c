/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of the lab's VMs: a few kilobytes that do what matters here of an operating system
 *
 * A Linux guest takes minutes to boot in a VM in an emulated machine; this one takes a second. It
 * lists the PCI functions, uses the cards it knows, answers ACPI hot-plug and the power button, and
 * sleeps in hlt otherwise. It reports on COM1, one fact a line:
 *
 *	guest: pci 01:00.0 1e60:2864 class 0b40 bar0=0xfe800000+0x4000 bar2=0xfe804000+0x1000
 *	guest: hailo answers			or: guest: hailo FAILED
 *	guest: edu factorial ok 3628800		with the word edu; or: guest: edu ... FAILED ...
 *	guest: edu dma ok
 *	guest: edu msi ok
 *	guest: ready				from here on it answers
 *	guest: unplug request bus 1 slots 0x1	numbers of QEMU's hot-plug block
 *	guest: unplug refused
 *	guest: unplugged 01:00.0 1e60:2864 ...	as for pci: it is gone
 *	guest: plugged 01:00.0 1e60:2864 ...	as for pci: it is there and placed
 *	guest: rebooting
 *	guest: power button			then it powers the machine off
 *	guest: power button ignored
 *
 * Words on the kernel command line:
 *
 *	unplug=refuse		sees the request and never ejects
 *	unplug=ignore		never looks
 *	unplug=late:SECONDS	ejects after that time, deaf to all else meanwhile
 *	reboot-on-unplug	resets the machine when first asked to unplug
 *	powerdown=ignore	sees the power button and goes on
 *	edu			uses the edu card before it is ready
 */
#include "guest.h"

/* The part of multiboot's facts that is used here */
struct multiboot {
	uint32_t flags;
	uint32_t memory[2];
	uint32_t boot_device;
	uint32_t command_line;
};

#define HAS_COMMAND_LINE 0x4

static void serve_power_button(void)
{
	if (word_is_given("powerdown=ignore")) {
		print("guest: power button ignored\n");
		return;
	}
	print("guest: power button\n");
	acpi_power_off();
}

static void serve_events(void)
{
	interrupt_wait();
	interrupt_take(INTERRUPT_SCI);
	if (acpi_take_power_button())
		serve_power_button();
	if (acpi_take_hotplug())
		hotplug_serve();
}

void main(const struct multiboot *facts)
{
	if (facts->flags & HAS_COMMAND_LINE)
		words_init((const char *)facts->command_line);
	serial_init();
	acpi_init();
	interrupt_init();
	pci_scan();
	hailo_test();
	if (word_is_given("edu"))
		edu_test();
	print("guest: ready\n");
	for (;;)
		serve_events();
}
