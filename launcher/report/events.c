/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines shorter than PIPE_BUF, each with one write(2), so they do not mix with other writers'. The
 * descriptor may be shared, so it is not made non-blocking: it is asked first whether it takes
 * something, which for a pipe means a whole PIPE_BUF.
 */
#include "launcher/report/events.h"

#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher/report/json.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

/* The longest text in a line; the rest of it is cut off. */
#define TEXT_BYTES 1024
/* The same where there are up to three. */
#define PART_BYTES 512

/* Longer than any event's name. */
#define LAST_BYTES 32

struct HvrEvents {
	int fd, copy, original; /* -1: none */
	char *vm;
	gint64 lost;
	char *last; /* LAST_BYTES of it, which processes share; NULL: there is no memory for that */
};

HvrEvents *hvr_events_new(int fd, const char *vm)
{
	HvrEvents *events = g_new0(HvrEvents, 1);

	void *last =
		mmap(NULL, LAST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*events = (HvrEvents){ .fd = fd, .copy = -1, .original = -1, .vm = g_strdup(vm) };
	if (last != MAP_FAILED)
		events->last = last;
	return events;
}

void hvr_events_free(HvrEvents *events)
{
	if (!events)
		return;
	hvr_fd_close(events->fd);
	g_free(events->vm);
	if (events->last)
		munmap(events->last, LAST_BYTES);
	g_free(events);
}

void hvr_events_leave(HvrEvents *events)
{
	if (!events)
		return;
	hvr_fd_close(g_steal_fd(&events->fd));
	hvr_fd_close(g_steal_fd(&events->original));
	events->copy = -1;
}

gboolean hvr_events_are_shown(const HvrEvents *events)
{
	return events && events->fd >= 0 && isatty(events->fd);
}

void hvr_events_set_original(HvrEvents *events, int fd)
{
	events->original = fd;
}

const char *hvr_events_last(const HvrEvents *events)
{
	return events && events->last ? events->last : "";
}

void hvr_events_copy(HvrEvents *events, int fd)
{
	if (events)
		events->copy = fd;
}

void hvr_events_set_vm(HvrEvents *events, const char *vm)
{
	if (!events)
		return;
	g_free(events->vm);
	events->vm = g_strdup(vm);
}

static JsonObject *begin(const HvrEvents *events, const char *event)
{
	JsonObject *object = json_object_new();

	if (events->last)
		g_strlcpy(events->last, event, LAST_BYTES);
	json_object_set_string_member(object, "event", event);
	json_object_set_int_member(object, "ms", g_get_monotonic_time() / 1000);
	hvr_json_set_string(object, "vm", events->vm);
	if (events->lost)
		json_object_set_int_member(object, "lost", events->lost);
	return object;
}

static gboolean write_line(int fd, const char *line)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (poll(&wait, 1, 0) != 1 || !(wait.revents & POLLOUT))
		return FALSE;
	return write(fd, line, strlen(line)) == (ssize_t)strlen(line);
}

/* @object: (transfer full) */
static void end(HvrEvents *events, JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(root, object);
	g_autofree char *text = hvr_json_text(root);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	if (events->copy >= 0 && !write_line(events->copy, line))
		g_debug("an event is not in its copy");
	if (events->fd < 0 || write_line(events->fd, line))
		events->lost = 0;
	else
		events->lost++;
}

/* Cut when it is harmless: what is left of it then is at most twice as long as JSON. */
static void set_text(JsonObject *object, const char *key, const char *text, gsize most)
{
	g_autoptr(GString) safe = g_string_new(NULL);

	if (!text) {
		hvr_json_set_string(object, key, NULL);
		return;
	}
	hvr_text_append(safe, text, strlen(text), HVR_TEXT_LINES);
	g_string_truncate(safe, MIN(safe->len, most));
	g_autofree char *valid = g_utf8_make_valid(safe->str, -1);
	hvr_json_set_string(object, key, valid);
}

void hvr_events_tell(HvrEvents *events, const char *event, const char *key, const char *text)
{
	if (!events)
		return;
	JsonObject *object = begin(events, event);
	if (key)
		set_text(object, key, text, TEXT_BYTES);
	end(events, object);
}

void hvr_events_tell_device(HvrEvents *events, const char *event, const char *device,
			    const char *address)
{
	if (!events)
		return;
	JsonObject *object = begin(events, event);
	set_text(object, "device", device, TEXT_BYTES);
	set_text(object, "address", address, TEXT_BYTES);
	end(events, object);
}

void hvr_events_tell_number(HvrEvents *events, const char *event, const char *key, gint64 number)
{
	if (!events)
		return;
	JsonObject *object = begin(events, event);
	json_object_set_int_member(object, key, number);
	end(events, object);
}

/* What has members of its own is too long for a line. */
static void copy_member(JsonObject *members, const char *name, JsonNode *node, gpointer user_data)
{
	if (JSON_NODE_HOLDS_OBJECT(node) || JSON_NODE_HOLDS_ARRAY(node))
		return;
	if (json_node_get_value_type(node) == G_TYPE_INT64)
		json_object_set_int_member(user_data, name, json_node_get_int(node));
	else
		set_text(user_data, name, hvr_json_get_string(members, name), PART_BYTES);
}

void hvr_events_tell_object(HvrEvents *events, const char *event, JsonObject *members)
{
	if (events) {
		JsonObject *object = begin(events, event);
		json_object_foreach_member(members, copy_member, object);
		end(events, object);
	}
	json_object_unref(members);
}
