/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the guest offer each other; main.c tells what the guest is */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* io.h has the ports, serial.c prints on COM1: %s, %u, %x and %0Nx, of 32 bits */
void serial_init(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* interrupt.c: each source sets its flag, which the main program takes */
enum interrupt {
	INTERRUPT_TIMER,
	INTERRUPT_SCI,
	INTERRUPT_MSI,
	INTERRUPT_NEVER,
	N_INTERRUPTS,
};

#define MSI_ADDRESS 0xfee00000
#define MSI_VECTOR  0x40

void interrupt_init(void);
bool interrupt_take(enum interrupt which);
void interrupt_wait(void);
bool interrupt_wait_for(enum interrupt which, unsigned int seconds);
void timer_wait(unsigned int seconds);

/* pci.c */
struct pci_function {
	uint16_t address; /* bus, slot and function, as in a requester id */
	uint16_t vendor;
	uint16_t device;
	uint16_t class;
	uint64_t bar[6];
	uint64_t bar_size[6]; /* 0 if there is no such BAR, or if it is of ports */
};

uint32_t pci_read(uint16_t address, uint8_t offset);
void pci_write(uint16_t address, uint8_t offset, uint32_t value);
uint8_t pci_find_capability(uint16_t address, uint8_t id);
void pci_enable(uint16_t address);
void pci_scan(void);
void pci_rescan(void);
unsigned int pci_count_buses(void);
const struct pci_function *pci_find(uint16_t vendor, uint16_t device);

/* acpi.c */
void acpi_init(void);
void acpi_serve_sci(void);
bool acpi_take_power_button(void);
bool acpi_take_hotplug(void);
void acpi_power_off(void);
void acpi_reset(void);

/* hotplug.c */
void hotplug_serve(void);

/* hailo.c, edu.c: use the card if there is one, and say whether that went right */
void hailo_test(void);
void edu_test(void);

/* words.c: the words of the kernel command line */
void words_init(const char *line);
bool word_is_given(const char *word);
bool word_number(const char *prefix, unsigned int *out);
