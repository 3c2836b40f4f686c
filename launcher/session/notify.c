/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd_notify(3)'s protocol: one datagram of NAME=VALUE lines to the socket that $NOTIFY_SOCKET
 * names, a path or, with a @ in front, a name in the abstract space. It opens nothing and reads
 * nothing, so the environment may have its say here.
 */
#include "launcher/session/notify.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "vfio/fd.h"

void hvr_notify_ready(const char *status)
{
	const char *name = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize length = 0;

	if (name)
		length = strlen(name);
	if (length < 2 || length >= sizeof(address.sun_path) || !strchr("/@", *name))
		return;
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';

	g_autofree char *text = g_strdup_printf("READY=1\nSTATUS=%s\n", status);
	g_auto(HvrFd) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL,
			     (const struct sockaddr *)&address, size) < 0)
		g_debug("cannot tell the service manager: %s", g_strerror(errno));
}
