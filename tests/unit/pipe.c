/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/pipe.h"

#include <glib.h>
#include <unistd.h>

char *pipe_read(int fd)
{
	GString *text = g_string_new(NULL);
	char bytes[4096];
	gssize n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(text, bytes, n);
	return g_string_free(text, FALSE);
}
