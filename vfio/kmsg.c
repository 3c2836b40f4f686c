/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kmsg gives a record for each read(2), as text (Documentation/ABI/testing/dev-kmsg):
 *
 *   PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,...];words, with \xNN for what is not printable
 *    KEY=VALUE                                 more about the same record, behind a space
 *
 * PRIORITY is level and facility << 3; the kernel's own facility is 0. EPIPE: records were
 * overwritten before they were read, and the next read goes on with those that are left.
 */
#include "vfio/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vfio/fd.h"

/* The kernel gives EINVAL where a record does not fit: CONSOLE_EXT_LOG_MAX is 8192. */
#define RECORD_MAX_BYTES 8192
#define WORDS_MAX_BYTES	 512
/* More than the largest log that distributions build has (1 MiB); a read each. */
#define RECORDS_MAX 16384
#define LINES_MAX   32

struct HvrKmsg {
	int fd;
	GString *record; /* the line that has not ended yet */
};

HvrKmsg *hvr_kmsg_open(const HvrHost *host)
{
	g_auto(HvrFd) fd = -1;

	if (host->dev >= 0)
		fd = hvr_open_beneath(host->dev, "kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	/* SEEK_END is behind the newest record (devkmsg_llseek()). */
	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return NULL;
	HvrKmsg *kmsg = g_new0(HvrKmsg, 1);
	kmsg->fd = g_steal_fd(&fd);
	kmsg->record = g_string_new(NULL);
	return kmsg;
}

void hvr_kmsg_free(HvrKmsg *kmsg)
{
	if (!kmsg)
		return;
	hvr_fd_close(kmsg->fd);
	g_string_free(kmsg->record, TRUE);
	g_free(kmsg);
}

static gboolean is_in_word(char c)
{
	return g_ascii_isalnum(c) || c == ':' || c == '.' || c == '_' || c == '-';
}

gboolean hvr_kmsg_names(const char *text, const char *name)
{
	gsize length = strlen(name);

	for (const char *at = text; length && (at = strstr(at, name)); at++) {
		gboolean begins = at == text || !is_in_word(at[-1]);
		/* "hailo" begins "hailo_pci"; but 02:00.1 does not end in 02:00.10. */
		gboolean ends = !g_ascii_isdigit(name[length - 1]) || !g_ascii_isalnum(at[length]);
		if (begins && ends)
			return TRUE;
	}
	return FALSE;
}

/* The words of a record of the kernel's own; NULL for all else. (transfer none) */
static const char *words_of(const char *record)
{
	const char *words = strchr(record, ';');
	char *end;
	guint64 priority = g_ascii_strtoull(record, &end, 10);

	if (!words || !g_ascii_isdigit(*record) || *end != ',' || priority >> 3 != 0)
		return NULL;
	return words + 1;
}

static void end_record(HvrKmsg *kmsg, const char *const *names, GPtrArray *lines)
{
	const char *words = words_of(kmsg->record->str);

	for (; words && *names; names++) {
		if (!hvr_kmsg_names(words, *names))
			continue;
		char *line = g_strndup(words, WORDS_MAX_BYTES);
		for (char *c = line; *c; c++)
			if (!g_ascii_isprint(*c))
				*c = '?';
		if (lines->len == LINES_MAX)
			g_ptr_array_remove_index(lines, 0);
		g_ptr_array_add(lines, line);
		break;
	}
	g_string_truncate(kmsg->record, 0);
}

static void take(HvrKmsg *kmsg, const char *bytes, gsize length, const char *const *names,
		 GPtrArray *lines)
{
	for (gsize i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			end_record(kmsg, names, lines);
		else if (kmsg->record->len < RECORD_MAX_BYTES)
			g_string_append_c(kmsg->record, bytes[i] ? bytes[i] : '?');
	}
}

GPtrArray *hvr_kmsg_read(HvrKmsg *kmsg, const char *const *names)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	char bytes[RECORD_MAX_BYTES];

	for (guint i = 0; kmsg && i < RECORDS_MAX; i++) {
		ssize_t n = read(kmsg->fd, bytes, sizeof(bytes));
		if (n > 0)
			take(kmsg, bytes, (gsize)n, names, lines);
		else if (n == 0 || (errno != EINTR && errno != EPIPE))
			break;
	}
	return lines;
}
