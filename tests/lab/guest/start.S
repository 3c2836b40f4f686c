/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry from a multiboot loader: 32-bit protected mode, flat, no stack; ebx points to its facts */

#define MAGIC	0x1badb002
#define FLAGS	0x00000002	/* wants the memory size, which every loader gives anyway */

	.text
	.align 4
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.globl _start
_start:
	cli
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $stack_top, %esp
	push %ebx
	call main
2:	hlt
	jmp 2b

	.align 8
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff	/* 0x08: code, 4 GiB */
	.quad 0x00cf92000000ffff	/* 0x10: data, 4 GiB */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long gdt

	.bss
	.align 16
	.skip 16384
stack_top:

	.section .note.GNU-stack, "", @progbits
