/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uses QEMU's edu card (docs/specs/edu.txt): a register that computes, a DMA engine, an MSI
 *
 * Passed to this guest through VFIO, each of them proves one path: memory of the BAR, DMA through
 * the IOMMU, the interrupt through its remapping.
 */
#include "guest.h"
#include "io.h"

#define FACTORIAL	 0x08
#define STATUS		 0x20
#define STATUS_COMPUTING 0x01
#define STATUS_INTERRUPT 0x80
#define INTERRUPT_STATUS 0x24
#define INTERRUPT_ACK	 0x64
#define DMA_SOURCE	 0x80
#define DMA_TARGET	 0x88
#define DMA_COUNT	 0x90
#define DMA_COMMAND	 0x98
#define DMA_START	 0x01
#define DMA_TO_MEMORY	 0x02
#define DMA_BUFFER	 0x40000 /* in the card's own address space */

#define CAPABILITY_MSI 0x05
#define MSI_ENABLE     0x00010000
#define TIMEOUT_S      30

static uint64_t registers;

static void verdict(const char *what, bool good)
{
	print("guest: edu %s %s\n", what, good ? "ok" : "FAILED");
}

static void wait_while_set(uint32_t offset, uint32_t bit)
{
	while (read32(registers + offset) & bit)
		__asm__ volatile("pause");
}

static void test_factorial(void)
{
	uint32_t result;

	write32(registers + FACTORIAL, 10);
	wait_while_set(STATUS, STATUS_COMPUTING);
	result = read32(registers + FACTORIAL);
	print("guest: edu factorial %s %u\n", result == 3628800 ? "ok" : "FAILED", result);
}

static void move(uint32_t source, uint32_t target, uint32_t size, uint32_t direction)
{
	write32(registers + DMA_SOURCE, source);
	write32(registers + DMA_TARGET, target);
	write32(registers + DMA_COUNT, size);
	write32(registers + DMA_COMMAND, DMA_START | direction);
	wait_while_set(DMA_COMMAND, DMA_START);
}

static void test_dma(void)
{
	static volatile uint8_t sent[256], received[256];
	bool same = true;

	for (unsigned int i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + 1);
	move((uint32_t)sent, DMA_BUFFER, sizeof(sent), 0);
	move(DMA_BUFFER, (uint32_t)received, sizeof(received), DMA_TO_MEMORY);
	for (unsigned int i = 0; i < sizeof(sent); i++)
		same = same && received[i] == (uint8_t)(i * 7 + 1);
	verdict("dma", same);
}

static bool enable_msi(uint16_t address)
{
	uint8_t msi = pci_find_capability(address, CAPABILITY_MSI);

	if (!msi)
		return false;
	pci_write(address, msi + 4, MSI_ADDRESS);
	pci_write(address, msi + 8, 0);
	pci_write(address, msi + 12, MSI_VECTOR);
	pci_write(address, msi, pci_read(address, msi) | MSI_ENABLE);
	return true;
}

static void test_msi(uint16_t address)
{
	bool came = false;

	if (enable_msi(address)) {
		write32(registers + STATUS, STATUS_INTERRUPT);
		write32(registers + FACTORIAL, 5);
		came = interrupt_wait_for(INTERRUPT_MSI, TIMEOUT_S);
		write32(registers + INTERRUPT_ACK, read32(registers + INTERRUPT_STATUS));
		write32(registers + STATUS, 0);
	}
	verdict("msi", came);
}

void edu_test(void)
{
	const struct pci_function *card = pci_find(0x1234, 0x11e8);

	if (!card) {
		print("guest: edu FAILED no card\n");
		return;
	}
	registers = card->bar[0];
	pci_enable(card->address);
	test_factorial();
	test_dma();
	test_msi(card->address);
}
