/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay, and Ctrl-], which is ours. A raw terminal sends its signals as bytes, so they are the
 * guest's. Signals from elsewhere come by the signalfd, so the terminal is put back on every way
 * out but SIGKILL.
 */
#include "launcher/session/console.h"

#include <glib-unix.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"

typedef struct {
	GMainLoop *loop;
	HvrRelayEnd end;
	HvrKeys *keys;
} Console;

static void on_end(HvrRelayEnd end, gpointer user_data)
{
	Console *console = user_data;

	if (console->end == HVR_RELAY_OPEN)
		console->end = end;
	g_main_loop_quit(console->loop);
}

static gboolean on_key(HvrEscapeAction action, gpointer user_data)
{
	Console *console = user_data;
	gboolean leaves = action == HVR_ESCAPE_LEAVE || action == HVR_ESCAPE_QUIT;

	if (leaves)
		on_end(HVR_RELAY_LEFT, console);
	else
		hvr_keys_press(console->keys, action);
	return !leaves;
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer user_data)
{
	Console *console = user_data;

	if (!hvr_interrupt_check(NULL))
		g_main_loop_quit(console->loop);
	return G_SOURCE_CONTINUE;
}

HvrRelayEnd hvr_console_run(int socket, int input, int output, HvrKeys *keys)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Console console = { .loop = loop, .keys = keys };
	const HvrRelayStart start = { .port = socket,
				      .input = input,
				      .output = output,
				      .on_key = on_key,
				      .told = on_end,
				      .user_data = &console };
	HvrRelay *relay = hvr_relay_new(&start);
	if (isatty(input))
		hvr_keys_announce(keys);
	guint signals = g_unix_fd_add(hvr_interrupt_fd(), G_IO_IN, on_signal, &console);

	g_main_loop_run(loop);
	g_source_remove(signals);
	hvr_relay_free(relay);
	return console.end;
}
