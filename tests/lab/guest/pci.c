/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions: which there are, and which came and went
 *
 * The firmware has numbered the buses and placed the BARs of what was there at start, and has left
 * each hot-plug port a bus number and a memory window. A card that is plugged later is placed in
 * the window of its port here.
 */
#include "guest.h"
#include "io.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc

#define COMMAND	       0x04
#define COMMAND_MEMORY 0x02
#define COMMAND_MASTER 0x04
#define STATUS_CAPS    0x00100000
#define CLASS_REVISION 0x08
#define HEADER_TYPE    0x0c /* in bits 16 to 23 */
#define MULTIFUNCTION  0x00800000
#define BAR0	       0x10
#define BUSES	       0x18
#define WINDOW	       0x20
#define CAPABILITIES   0x34

#define MAX_FUNCTIONS 64

struct list {
	unsigned int n;
	unsigned int buses;
	struct pci_function functions[MAX_FUNCTIONS];
};

static struct list lists[2], *now = &lists[0], *before = &lists[1];

uint32_t pci_read(uint16_t address, uint8_t offset)
{
	out32(CONFIG_ADDRESS, 0x80000000 | (uint32_t)address << 8 | (offset & 0xfc));
	return in32(CONFIG_DATA);
}

void pci_write(uint16_t address, uint8_t offset, uint32_t value)
{
	out32(CONFIG_ADDRESS, 0x80000000 | (uint32_t)address << 8 | (offset & 0xfc));
	out32(CONFIG_DATA, value);
}

uint8_t pci_find_capability(uint16_t address, uint8_t id)
{
	uint8_t offset = 0;

	if (pci_read(address, COMMAND) & STATUS_CAPS)
		offset = (uint8_t)(pci_read(address, CAPABILITIES) & 0xfc);
	while (offset) {
		uint32_t head = pci_read(address, offset);

		if ((uint8_t)head == id)
			return offset;
		offset = (uint8_t)(head >> 8 & 0xfc);
	}
	return 0;
}

void pci_enable(uint16_t address)
{
	pci_write(address, COMMAND,
		  (pci_read(address, COMMAND) & 0xffff) | COMMAND_MEMORY | COMMAND_MASTER);
}

static bool is_bridge(uint16_t address)
{
	return (pci_read(address, HEADER_TYPE) >> 16 & 0x7f) == 1;
}

static uint32_t size_bar(uint16_t address, uint8_t offset)
{
	uint32_t old = pci_read(address, offset), size;

	pci_write(address, offset, 0xffffffff);
	size = pci_read(address, offset);
	pci_write(address, offset, old);
	return size;
}

/* Returns the number of registers that this BAR takes */
static unsigned int read_bar(struct pci_function *f, unsigned int index)
{
	uint8_t offset = (uint8_t)(BAR0 + 4 * index);
	uint32_t low = pci_read(f->address, offset);
	uint64_t mask = size_bar(f->address, offset);
	bool wide = (low & 0x7) == 0x4;

	if (low & 1)
		return 1;
	f->bar[index] = low & 0xfffffff0;
	mask &= 0xfffffff0;
	if (wide) {
		f->bar[index] |= (uint64_t)pci_read(f->address, offset + 4) << 32;
		mask |= (uint64_t)size_bar(f->address, offset + 4) << 32;
	} else if (mask) {
		mask |= 0xffffffff00000000;
	}
	f->bar_size[index] = ~mask + 1;
	return wide ? 2 : 1;
}

/* Decoding is off meanwhile, or the card would answer at the address of all ones */
static void read_bars(struct pci_function *f)
{
	uint32_t command = pci_read(f->address, COMMAND) & 0xffff;
	unsigned int n = is_bridge(f->address) ? 2 : 6;

	pci_write(f->address, COMMAND, command & ~0x3u);
	for (unsigned int index = 0; index < n;)
		index += read_bar(f, index);
	pci_write(f->address, COMMAND, command);
}

static void scan_bus(uint8_t bus);

static void scan_function(uint16_t address)
{
	struct pci_function *f = &now->functions[now->n];
	uint32_t id = pci_read(address, 0);

	if (now->n == MAX_FUNCTIONS)
		return;
	now->n++;
	*f = (struct pci_function){
		.address = address,
		.vendor = (uint16_t)id,
		.device = (uint16_t)(id >> 16),
		.class = (uint16_t)(pci_read(address, CLASS_REVISION) >> 16),
	};
	read_bars(f);
	if (is_bridge(address)) {
		uint8_t secondary = (uint8_t)(pci_read(address, BUSES) >> 8);

		if (secondary > address >> 8)
			scan_bus(secondary);
	}
}

static void scan_bus(uint8_t bus)
{
	now->buses++;
	for (unsigned int slot = 0; slot < 32; slot++) {
		uint16_t address = (uint16_t)(bus << 8 | slot << 3);
		unsigned int n = 1;

		for (unsigned int i = 0; i < n; i++) {
			if ((uint16_t)pci_read(address + i, 0) == 0xffff)
				continue;
			if (i == 0 && pci_read(address, HEADER_TYPE) & MULTIFUNCTION)
				n = 8;
			scan_function((uint16_t)(address + i));
		}
	}
}

static void scan(void)
{
	struct list *old = before;

	before = now;
	now = old;
	now->n = 0;
	now->buses = 0;
	scan_bus(0);
}

static void print_number(uint64_t value)
{
	if (value >> 32)
		print("0x%x%08x", (uint32_t)(value >> 32), (uint32_t)value);
	else
		print("0x%x", (uint32_t)value);
}

static void print_function(const char *what, const struct pci_function *f)
{
	print("guest: %s %02x:%02x.%u %04x:%04x class %04x", what, f->address >> 8,
	      f->address >> 3 & 0x1f, f->address & 0x7, f->vendor, f->device, f->class);
	for (unsigned int i = 0; i < 6; i++) {
		if (!f->bar_size[i])
			continue;
		print(" bar%u=", i);
		print_number(f->bar[i]);
		print("+");
		print_number(f->bar_size[i]);
	}
	print("\n");
}

static const struct pci_function *find_same(const struct list *list, const struct pci_function *f)
{
	for (unsigned int i = 0; i < list->n; i++) {
		const struct pci_function *other = &list->functions[i];

		if (other->address == f->address && other->vendor == f->vendor &&
		    other->device == f->device)
			return other;
	}
	return NULL;
}

static uint32_t window_of_bus(uint8_t bus)
{
	for (unsigned int i = 0; i < now->n; i++) {
		uint16_t address = now->functions[i].address;

		if (is_bridge(address) && (uint8_t)(pci_read(address, BUSES) >> 8) == bus)
			return (pci_read(address, WINDOW) & 0xfff0) << 16;
	}
	return 0;
}

/* Where the BARs of this function end, if that is behind @end */
static uint32_t end_of_bars(const struct pci_function *f, uint32_t end)
{
	for (unsigned int i = 0; i < 6; i++)
		if (f->bar[i] && (uint32_t)(f->bar[i] + f->bar_size[i]) > end)
			end = (uint32_t)(f->bar[i] + f->bar_size[i]);
	return end;
}

/* A plugged slot is the only one behind its port, so its functions get the window from its start */
static void place_bars(struct pci_function *f)
{
	uint32_t next = window_of_bus((uint8_t)(f->address >> 8));

	for (unsigned int i = 0; next && i < now->n; i++)
		if (now->functions[i].address >> 8 == f->address >> 8)
			next = end_of_bars(&now->functions[i], next);

	for (unsigned int i = 0; next && i < 6; i++) {
		uint32_t size = (uint32_t)f->bar_size[i];

		if (!size || f->bar[i])
			continue;
		next = (next + size - 1) & ~(size - 1);
		f->bar[i] = next;
		pci_write(f->address, (uint8_t)(BAR0 + 4 * i), next);
		next += size;
	}
	pci_enable(f->address);
}

void pci_scan(void)
{
	scan();
	for (unsigned int i = 0; i < now->n; i++)
		print_function("pci", &now->functions[i]);
}

void pci_rescan(void)
{
	scan();
	for (unsigned int i = 0; i < before->n; i++)
		if (!find_same(now, &before->functions[i]))
			print_function("unplugged", &before->functions[i]);
	for (unsigned int i = 0; i < now->n; i++) {
		if (find_same(before, &now->functions[i]))
			continue;
		place_bars(&now->functions[i]);
		print_function("plugged", &now->functions[i]);
	}
}

unsigned int pci_count_buses(void)
{
	return now->buses;
}

const struct pci_function *pci_find(uint16_t vendor, uint16_t device)
{
	for (unsigned int i = 0; i < now->n; i++)
		if (now->functions[i].vendor == vendor && now->functions[i].device == device)
			return &now->functions[i];
	return NULL;
}
