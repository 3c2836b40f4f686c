/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as QEMU's standard error.
 *
 * What must hold: all of it is passed on, in order; a meaning is one printable sentence, and it is
 * that of the first line that has one by itself, however the pipe cut the lines.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/qemu/output.h"

/* What a pipe takes without anybody reading. */
#define SIZE_MAX_BYTES 32768

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *first_meaning(const uint8_t *data, size_t size)
{
	g_autoptr(GString) line = g_string_new(NULL);
	const char *meaning = NULL;

	for (size_t i = 0; i <= size && !meaning; i++) {
		if (i == size || data[i] == '\n') {
			meaning = hvr_diagnose(line->str);
			g_string_truncate(line, 0);
		} else if (data[i] != '\0' && line->len < 4096) {
			g_string_append_c(line, (char)data[i]);
		}
	}
	return meaning;
}

static void check_meaning(const char *meaning)
{
	g_assert(strlen(meaning) > 10);
	for (const char *c = meaning; *c; c++)
		g_assert(g_ascii_isprint(*c));
}

/* Reads what was passed on, and compares. */
static void check_passed(int fd, const uint8_t *data, size_t size)
{
	g_autofree uint8_t *passed = g_malloc(size + 1);
	size_t length = 0;
	ssize_t n;

	while (length <= size && (n = read(fd, passed + length, size + 1 - length)) > 0)
		length += (size_t)n;
	g_assert(length == size);
	g_assert(size == 0 || memcmp(passed, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *expected = first_meaning(data, size);
	int in[2], out[2];

	if (size > SIZE_MAX_BYTES)
		return 0;
	int own_stderr = dup(STDERR_FILENO);
	g_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	g_assert(write(in[1], data, size) == (ssize_t)size);
	close(in[1]);
	dup2(out[1], STDERR_FILENO);
	close(out[1]);
	HvrQemuOutput *output = hvr_qemu_output_new(in[0]);
	if (size > 0 && data[0] & 1)
		g_main_context_iteration(NULL, FALSE);
	hvr_qemu_output_drain(output);
	dup2(own_stderr, STDERR_FILENO);
	close(own_stderr);

	g_assert(hvr_qemu_output_meaning(output) == expected);
	if (expected)
		check_meaning(expected);
	hvr_qemu_output_free(output);
	check_passed(out[0], data, size);
	close(out[0]);
	return 0;
}
