/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any peer of a client that has two commands and an unplug under way.
 *
 * The first byte chooses what happens besides: 1 the greeting and the answer to qmp_capabilities
 * are given, so the input begins where commands are answered; 2 the client is dropped before the
 * peer closes; 4 one byte at a time; 16 the first reply drops the client. What must hold: each
 * command completes exactly once, and the unplug ends once.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp/error.h"
#include "qmp/hotplug-timing.h"

#define READY	     1
#define DROP	     2
#define BYTEWISE     4
#define DROP_IN_CALL 16

/* After negotiation (id 4) the commands' ids are 1 and 2, and the unplug's is 3. */
#define PROLOGUE "{\"QMP\":{}}\n{\"return\":{},\"id\":4}\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
	GMainContext *context;
	HvrQmpClient *client;
	int peer;
	guint mode;
	guint replies[2];
	guint unplugged;
} Fuzz;

static Fuzz fuzz;

static void on_reply(HvrQmpClient *client, JsonNode *result, const GError *error,
		     gpointer user_data)
{
	g_assert((result != NULL) != (error != NULL));
	g_assert(!error || (error->domain == HVR_QMP_ERROR && error->message));
	fuzz.replies[GPOINTER_TO_UINT(user_data)]++;
	if (fuzz.mode & DROP_IN_CALL)
		g_clear_pointer(&fuzz.client, hvr_qmp_client_unref);
}

static void on_event(HvrQmpClient *client, const char *name, JsonObject *data, gpointer user_data)
{
	g_assert(name && data);
	json_object_get_size(data);
}

static void on_unplugged(const GError *error, gpointer user_data)
{
	fuzz.unplugged++;
}

static void settle(void)
{
	while (g_main_context_iteration(fuzz.context, FALSE))
		;
}

static void feed(const void *bytes, size_t size)
{
	const uint8_t *data = bytes;
	size_t piece = fuzz.mode & BYTEWISE ? 1 : 4096;
	char sink[4096];

	while (size > 0) {
		ssize_t n = send(fuzz.peer, data, MIN(size, piece), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0) {
			data += n;
			size -= n;
		}
		settle();
		while (recv(fuzz.peer, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
}

static void begin(void)
{
	static const HvrQmpUnplugTiming timing = { 600000, 600000 };
	int fds[2];

	g_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	fuzz.peer = fds[0];
	fuzz.client = hvr_qmp_client_new(fds[1], fuzz.context);
	hvr_qmp_client_subscribe(fuzz.client, on_event, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(fuzz.replies); i++)
		hvr_qmp_client_execute(fuzz.client, "query-status", NULL, i * 600000, on_reply,
				       GUINT_TO_POINTER(i));
	hvr_qmp_unplug_start_timed(fuzz.client, "npu", 600000, &timing, on_unplugged, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	fuzz = (Fuzz){ .context = g_main_context_new(), .mode = data[0] };
	begin();
	if (fuzz.mode & READY)
		feed(PROLOGUE, sizeof(PROLOGUE) - 1);
	feed(data + 1, size - 1);
	if (fuzz.mode & DROP)
		g_clear_pointer(&fuzz.client, hvr_qmp_client_unref);
	close(fuzz.peer);
	settle();
	g_clear_pointer(&fuzz.client, hvr_qmp_client_unref);
	g_assert(fuzz.replies[0] == 1 && fuzz.replies[1] == 1);
	g_assert(fuzz.unplugged == 1);
	g_main_context_unref(fuzz.context);
	return 0;
}
