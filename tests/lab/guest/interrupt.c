/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: the guest sleeps in hlt between them, as a guest's idle loop does
 *
 * The timer (IRQ 0) and ACPI's SCI (IRQ 9) come through the 8259s, which QEMU's firmware has left
 * connected to the local APIC as ExtINT. A card's MSI goes to the local APIC itself.
 */
#include "guest.h"
#include "io.h"

#define MASTER	      0x20
#define SLAVE	      0xa0
#define MASTER_VECTOR 0x20
#define SLAVE_VECTOR  0x28
#define IRQ_TIMER     0
#define IRQ_CASCADE   2
#define IRQ_SCI	      9
#define IRQ_SPURIOUS  15

#define PIT_CHANNEL_0  0x40
#define PIT_MODE       0x43
#define PIT_FREQUENCY  1193182
#define TICKS_A_SECOND 20

#define APIC_EOI      0xfee000b0
#define CODE_SELECTOR 0x08

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t flags;
	uint16_t offset_high;
} __attribute__((packed));

struct frame;

static struct gate gates[256];
static volatile bool pending[N_INTERRUPTS];

static void end_of_interrupt(unsigned int irq)
{
	if (irq >= 8)
		out8(SLAVE, 0x20);
	out8(MASTER, 0x20);
}

__attribute__((interrupt)) static void on_timer(struct frame *frame)
{
	(void)frame;
	pending[INTERRUPT_TIMER] = true;
	end_of_interrupt(IRQ_TIMER);
}

/* Clears what raised it, since the line stays up until then */
__attribute__((interrupt)) static void on_sci(struct frame *frame)
{
	(void)frame;
	acpi_serve_sci();
	pending[INTERRUPT_SCI] = true;
	end_of_interrupt(IRQ_SCI);
}

__attribute__((interrupt)) static void on_msi(struct frame *frame)
{
	(void)frame;
	pending[INTERRUPT_MSI] = true;
	write32(APIC_EOI, 0);
}

/* The master and the local APIC may report an interrupt that is gone by then: no EOI for those */
__attribute__((interrupt)) static void on_spurious(struct frame *frame)
{
	(void)frame;
}

/*
 * What is gone at the slave by then is one of the master's all the same: without its EOI, the
 * cascade stays in service, and nothing of the slave's comes any more
 */
__attribute__((interrupt)) static void on_spurious_slave(struct frame *frame)
{
	(void)frame;
	out8(MASTER, 0x20);
}

static void set_gate(unsigned int vector, void (*handler)(struct frame *))
{
	uint32_t offset = (uint32_t)handler;

	gates[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = CODE_SELECTOR,
		.flags = 0x8e00, /* present, ring 0, 32-bit interrupt gate */
		.offset_high = (uint16_t)(offset >> 16),
	};
}

static void set_gates(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idt = { sizeof(gates) - 1, (uint32_t)gates };

	for (unsigned int vector = MASTER_VECTOR; vector < ARRAY_SIZE(gates); vector++)
		set_gate(vector, on_spurious);
	set_gate(MASTER_VECTOR + IRQ_TIMER, on_timer);
	set_gate(SLAVE_VECTOR + IRQ_SCI - 8, on_sci);
	set_gate(SLAVE_VECTOR + IRQ_SPURIOUS - 8, on_spurious_slave);
	set_gate(MSI_VECTOR, on_msi);
	__asm__ volatile("lidt %0" : : "m"(idt));
}

static void mask_timer(bool masked)
{
	out8(MASTER + 1, (uint8_t)(0xff & ~(1 << IRQ_CASCADE) & ~(!masked << IRQ_TIMER)));
}

static void set_8259s(void)
{
	out8(MASTER, 0x11); /* edge triggered, cascaded, a fourth word follows */
	out8(SLAVE, 0x11);
	out8(MASTER + 1, MASTER_VECTOR);
	out8(SLAVE + 1, SLAVE_VECTOR);
	out8(MASTER + 1, 1 << IRQ_CASCADE);
	out8(SLAVE + 1, IRQ_CASCADE);
	out8(MASTER + 1, 0x01);
	out8(SLAVE + 1, 0x01);
	mask_timer(true);
	out8(SLAVE + 1, (uint8_t) ~(1 << (IRQ_SCI - 8)));
}

void interrupt_init(void)
{
	set_gates();
	set_8259s();
	__asm__ volatile("sti");
}

bool interrupt_take(enum interrupt which)
{
	bool was_pending = pending[which];

	pending[which] = false;
	return was_pending;
}

static bool any_pending(void)
{
	for (int i = 0; i < N_INTERRUPTS; i++)
		if (pending[i])
			return true;
	return false;
}

/* sti takes effect after the next instruction, so nothing slips in between the test and hlt */
void interrupt_wait(void)
{
	__asm__ volatile("cli");
	if (any_pending())
		__asm__ volatile("sti");
	else
		__asm__ volatile("sti; hlt");
}

static void start_timer(void)
{
	uint16_t divisor = PIT_FREQUENCY / TICKS_A_SECOND;

	out8(PIT_MODE, 0x34); /* channel 0, both bytes, rate generator */
	out8(PIT_CHANNEL_0, (uint8_t)divisor);
	out8(PIT_CHANNEL_0, (uint8_t)(divisor >> 8));
	mask_timer(false);
}

/* Returns false after so many seconds without it. The timer ticks only while someone waits. */
bool interrupt_wait_for(enum interrupt which, unsigned int seconds)
{
	unsigned int ticks = 0;

	start_timer();
	while (!pending[which] && ticks < seconds * TICKS_A_SECOND) {
		__asm__ volatile("cli");
		if (!pending[which] && !pending[INTERRUPT_TIMER])
			__asm__ volatile("sti; hlt");
		__asm__ volatile("sti");
		ticks += interrupt_take(INTERRUPT_TIMER);
	}
	mask_timer(true);
	interrupt_take(INTERRUPT_TIMER);
	return interrupt_take(which);
}

/* Nothing sets this one: the wait is as long as it says */
void timer_wait(unsigned int seconds)
{
	interrupt_wait_for(INTERRUPT_NEVER, seconds);
}
