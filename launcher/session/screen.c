/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that QEMU makes would have to lie where the VM's user may write, and a port that it
 * takes may be somebody else's by then. So the supervisor listens, in its own folder or at the
 * profile's port, and QEMU is given each connection: getfd, then add_client (qapi/misc.json;
 * ui/vnc.c, ui/spice-core.c). No password is asked for: who could connect may.
 */
#include "launcher/session/screen.h"

#include <glib-unix.h>
#include <sys/socket.h>

#include "launcher/report/message.h"
#include "vfio/fd.h"

#define HAND_TIMEOUT_MS 10000
/* Viewers whom QEMU has not answered for. */
#define WAITING_MAX 16

struct HvrScreen {
	HvrSession *session;
	const char *protocol;
	int fd;
	guint source;
	guint count;	    /* of viewers: each descriptor has a name of its own */
	GPtrArray *waiting; /* of Viewer */
};

typedef struct {
	HvrScreen *screen; /* NULL: it is gone */
	char *name;
} Viewer;

static void viewer_end(Viewer *viewer, const GError *error)
{
	if (error && viewer->screen)
		hvr_message("warning: QEMU does not take a viewer: %s", error->message);
	if (viewer->screen)
		g_ptr_array_remove_fast(viewer->screen->waiting, viewer);
	g_free(viewer->name);
	g_free(viewer);
}

static void on_added(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	viewer_end(user_data, error);
}

static void on_given(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	Viewer *viewer = user_data;

	if (error || !viewer->screen) {
		viewer_end(viewer, error);
		return;
	}
	JsonObject *arguments = json_object_new();
	json_object_set_string_member(arguments, "protocol", viewer->screen->protocol);
	json_object_set_string_member(arguments, "fdname", viewer->name);
	json_object_set_boolean_member(arguments, "skipauth", TRUE);
	hvr_qmp_client_execute(client, "add_client", arguments, HAND_TIMEOUT_MS, on_added, viewer);
}

static gboolean on_viewer(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrScreen *screen = user_data;
	g_auto(HvrFd) connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection < 0 || screen->waiting->len == WAITING_MAX)
		return G_SOURCE_CONTINUE;
	Viewer *viewer = g_new(Viewer, 1);
	*viewer = (Viewer){ .screen = screen,
			    .name = g_strdup_printf("hvr-viewer-%u", ++screen->count) };
	g_ptr_array_add(screen->waiting, viewer);
	hvr_qmp_client_give_fd(screen->session->qmp, viewer->name, connection, HAND_TIMEOUT_MS,
			       on_given, viewer);
	return G_SOURCE_CONTINUE;
}

HvrScreen *hvr_screen_new(HvrSession *session, int fd)
{
	gboolean vnc = session->profile->graphics == HVR_GRAPHICS_VNC;

	if (fd < 0)
		return NULL;
	HvrScreen *screen = g_new(HvrScreen, 1);
	*screen = (HvrScreen){ .session = session,
			       .protocol = vnc ? "vnc" : "spice",
			       .fd = fd,
			       .waiting = g_ptr_array_new() };
	screen->source = g_unix_fd_add(fd, G_IO_IN, on_viewer, screen);
	return screen;
}

void hvr_screen_free(HvrScreen *screen)
{
	if (!screen)
		return;
	for (guint i = 0; i < screen->waiting->len; i++)
		((Viewer *)g_ptr_array_index(screen->waiting, i))->screen = NULL;
	g_ptr_array_unref(screen->waiting);
	g_source_remove(screen->source);
	hvr_fd_close(screen->fd);
	g_free(screen);
}
