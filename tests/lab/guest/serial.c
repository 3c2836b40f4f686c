/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COM1, polled: QEMU's transmitter is always ready, so nothing is lost by not using interrupts */
#include <stdarg.h>

#include "guest.h"
#include "io.h"

#define COM1	      0x3f8
#define LINE_CONTROL  (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS   (COM1 + 5)

void serial_init(void)
{
	out8(LINE_CONTROL, 0x80); /* the divisor comes next: 115200 baud */
	out8(COM1, 1);
	out8(COM1 + 1, 0);
	out8(LINE_CONTROL, 0x03); /* 8N1 */
	out8(MODEM_CONTROL, 0x03);
}

static void put_char(char c)
{
	if (c == '\n')
		put_char('\r');
	while (!(in8(LINE_STATUS) & 0x20))
		continue;
	out8(COM1, (uint8_t)c);
}

static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(uint32_t value, unsigned int base, unsigned int digits)
{
	char text[11];
	char *next = text + sizeof(text) - 1;

	*next = '\0';
	do {
		*--next = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (digits > (size_t)(text + sizeof(text) - 1 - next))
		*--next = '0';
	put_string(next);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		unsigned int digits = 0;

		if (*format != '%') {
			put_char(*format);
			continue;
		}
		format++;
		while (*format >= '0' && *format <= '9')
			digits = 10 * digits + (unsigned int)(*format++ - '0');
		if (*format == 's')
			put_string(va_arg(args, const char *));
		else if (*format == 'u')
			put_number(va_arg(args, uint32_t), 10, digits);
		else if (*format == 'x')
			put_number(va_arg(args, uint32_t), 16, digits);
		else
			put_char(*format);
	}
	va_end(args);
}
