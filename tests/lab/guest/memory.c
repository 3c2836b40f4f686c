/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gcc may call by itself, also without a library, to clear and copy structures */
#include "guest.h"

void *memset(void *where, int value, size_t size)
{
	void *next = where;

	__asm__ volatile("rep stosb" : "+D"(next), "+c"(size) : "a"(value) : "memory");
	return where;
}

void *memcpy(void *where, const void *from, size_t size)
{
	void *next = where;

	__asm__ volatile("rep movsb" : "+D"(next), "+S"(from), "+c"(size) : : "memory");
	return where;
}
