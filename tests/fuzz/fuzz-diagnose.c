/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as QEMU's standard error.
 *
 * What must hold: all of it is passed on, in order, as the printer of others' text shows it; a
 * meaning is one printable sentence, and it is that of the first line that has one by itself,
 * however the pipe cut the lines.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/qemu/output.h"
#include "launcher/report/text.h"

/* What a pipe takes without anybody reading, when each byte is shown as four. */
#define SIZE_MAX_BYTES 12288

#define PROGRAM "/usr/bin/qemu-system-x86_64"

/* What is longer is several lines. */
#define LINE_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lines of @data, each with its end. */
static GPtrArray *cut(const uint8_t *data, size_t size)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) line = g_string_new(NULL);

	for (size_t i = 0; i <= size; i++) {
		gboolean last = i == size;
		if ((last && line->len) || (!last && data[i] == '\n') || line->len == LINE_BYTES) {
			g_ptr_array_add(lines, g_strconcat(line->str, "\n", NULL));
			g_string_truncate(line, 0);
		}
		if (!last && data[i] != '\n' && data[i] != '\0')
			g_string_append_c(line, (char)data[i]);
	}
	return lines;
}

/* Of the first line that has one; mild ones only where there is no other. */
static const HvrDiagnosis *first_meaning(const GPtrArray *lines)
{
	const HvrDiagnosis *mild = NULL;

	for (guint i = 0; i < lines->len; i++) {
		g_autofree char *line = g_strdup(g_ptr_array_index(lines, i));
		line[strlen(line) - 1] = '\0';
		const HvrDiagnosis *meaning = hvr_diagnose(PROGRAM, line);
		hvr_diagnose_kernel(line);
		if (meaning && !meaning->mild)
			return meaning;
		if (!mild)
			mild = meaning;
	}
	return mild;
}

static void check_meaning(const char *meaning)
{
	g_assert(strlen(meaning) > 10);
	for (const char *c = meaning; *c; c++)
		g_assert(g_ascii_isprint(*c));
}

/* Reads what was passed on, and compares. */
static void check_passed(int fd, const GPtrArray *lines)
{
	g_autoptr(GString) wanted = g_string_new(NULL);

	for (guint i = 0; i < lines->len; i++) {
		const char *line = g_ptr_array_index(lines, i);
		hvr_text_append(wanted, line, strlen(line), HVR_TEXT_LINES);
	}
	size_t size = wanted->len;
	g_autofree uint8_t *passed = g_malloc(size + 1);
	size_t length = 0;
	ssize_t n;

	while (length <= size && (n = read(fd, passed + length, size + 1 - length)) > 0)
		length += (size_t)n;
	g_assert(length == size);
	g_assert(size == 0 || memcmp(passed, wanted->str, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) lines = cut(data, size);
	const HvrDiagnosis *expected = first_meaning(lines);
	int in[2], out[2];

	if (size > SIZE_MAX_BYTES)
		return 0;
	int own_stderr = dup(STDERR_FILENO);
	g_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	g_assert(write(in[1], data, size) == (ssize_t)size);
	close(in[1]);
	dup2(out[1], STDERR_FILENO);
	close(out[1]);
	HvrQemuOutput *output = hvr_qemu_output_new(in[0], PROGRAM);
	if (size > 0 && data[0] & 1)
		g_main_context_iteration(NULL, FALSE);
	hvr_qemu_output_drain(output);
	dup2(own_stderr, STDERR_FILENO);
	close(own_stderr);

	g_assert(hvr_qemu_output_meaning(output) == expected);
	if (expected)
		check_meaning(expected->meaning);
	hvr_qemu_output_free(output);
	check_passed(out[0], lines);
	close(out[0]);
	return 0;
}
