/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream alone, on a socketpair whose other end the test reads and writes by hand. What it
 * told is kept as text: one line for each object, and the error of its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "qmp/error.h"
#include "qmp/stream.h"
#include "qmp/syntax.h"

typedef struct {
	GMainContext *context;
	HvrQmpStream *stream;
	int peer;
	GString *objects;
	guint ended;
	GError *error;
	gboolean free_at_object;
	gboolean free_at_end;
	gboolean sending; /* inside hvr_qmp_stream_send() */
} Fixture;

static void on_object(HvrQmpStream *stream, JsonObject *object, gpointer user_data)
{
	Fixture *f = user_data;
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(node, FALSE);

	assert_int_equal(f->ended, 0);
	assert_false(f->sending);
	g_string_append_printf(f->objects, "%s\n", text);
	if (f->free_at_object)
		g_clear_pointer(&f->stream, hvr_qmp_stream_free);
}

static void on_ended(HvrQmpStream *stream, const GError *error, gpointer user_data)
{
	Fixture *f = user_data;

	assert_false(f->sending);
	assert_int_equal(f->ended++, 0);
	f->error = g_error_copy(error);
	if (f->free_at_end)
		g_clear_pointer(&f->stream, hvr_qmp_stream_free);
}

static int setup(void **state)
{
	static const HvrQmpStreamHandlers handlers = { on_object, on_ended };
	Fixture *f = g_new0(Fixture, 1);
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	f->context = g_main_context_new();
	f->objects = g_string_new(NULL);
	f->peer = fds[0];
	f->stream = hvr_qmp_stream_new(fds[1], f->context, &handlers, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_qmp_stream_free(f->stream);
	if (f->peer >= 0)
		close(f->peer);
	g_main_context_unref(f->context);
	g_string_free(f->objects, TRUE);
	g_clear_error(&f->error);
	g_free(f);
	return 0;
}

static void settle(Fixture *f)
{
	while (g_main_context_iteration(f->context, FALSE))
		;
}

/* Writes all, running the stream whenever the socket is full. */
static void say_bytes(Fixture *f, const char *bytes, gsize len)
{
	while (len > 0 && f->ended == 0) {
		ssize_t n = send(f->peer, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else
			bytes += n, len -= n;
		settle(f);
	}
	settle(f);
}

static void say(Fixture *f, const char *text)
{
	say_bytes(f, text, strlen(text));
}

static void hang_up(Fixture *f)
{
	close(f->peer);
	f->peer = -1;
	settle(f);
}

static void assert_ended(Fixture *f, HvrQmpError code, const char *text)
{
	assert_int_equal(f->ended, 1);
	assert_true(f->error->domain == HVR_QMP_ERROR);
	assert_int_equal(f->error->code, code);
	if (!strstr(f->error->message, text))
		fail_msg("\"%s\" does not say \"%s\"", f->error->message, text);
}

static char *repeat(const char *text, guint times)
{
	GString *all = g_string_new(NULL);

	for (guint i = 0; i < times; i++)
		g_string_append(all, text);
	return g_string_free(all, FALSE);
}

static const struct {
	const char *name, *said, *heard;
} good_cases[] = {
	{ "lf", "{\"a\":1}\n", "{\"a\":1}\n" },
	{ "crlf", "{\"a\":1}\r\n", "{\"a\":1}\n" },
	{ "two-in-one-write", "{\"a\":1}\n{\"b\":2}\r\n", "{\"a\":1}\n{\"b\":2}\n" },
	{ "empty-lines", "\n\r\n{\"a\":1}\n\n\r\n", "{\"a\":1}\n" },
	{ "empty-object", "{}\n{ }\n", "{}\n{}\n" },
	{ "space", " \t{ \"a\" : [ 1 , 2 ] } \r\n", "{\"a\":[1,2]}\n" },
	{ "all-types", "{\"a\":[true,false,null,\"x\",-1,0,0.5,1e3,[],{}]}\n",
	  "{\"a\":[true,false,null,\"x\",-1,0,0.5,1000.0,[],{}]}\n" },
	{ "brackets-in-strings", "{\"[{\":\"}]\\\"{\"}\n", "{\"[{\":\"}]\\\"{\"}\n" },
	{ "escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}\n",
	  "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\tA\"}\n" },
	{ "surrogate-pair", "{\"a\":\"\\ud83d\\ude00\"}\n", "{\"a\":\"\360\237\230\200\"}\n" },
	{ "utf-8", "{\"a\":\"\303\244\"}\n", "{\"a\":\"\303\244\"}\n" },
};

/* Whatever is an object on a line arrives, once, in order, and the stream goes on. */
static void test_good_lines(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(good_cases); i++) {
		Fixture *f;

		print_message("  %s\n", good_cases[i].name);
		setup((void **)&f);
		say(f, good_cases[i].said);
		assert_string_equal(f->objects->str, good_cases[i].heard);
		assert_int_equal(f->ended, 0);
		teardown((void **)&f);
	}
}

/* Where the bytes are cut makes no difference. */
static void test_byte_by_byte(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(good_cases); i++) {
		Fixture *f;

		setup((void **)&f);
		for (const char *at = good_cases[i].said; *at; at++)
			say_bytes(f, at, 1);
		assert_string_equal(f->objects->str, good_cases[i].heard);
		teardown((void **)&f);
	}
}

static const struct {
	const char *name, *said, *why;
} bad_cases[] = {
	{ "array", "[1]", "object expected" },
	{ "number", "1", "object expected" },
	{ "string", "\"a\"", "object expected" },
	{ "null", "null", "object expected" },
	{ "blank", "  ", "object expected" },
	{ "word", "hello", "object expected" },
	{ "two-objects", "{\"id\":1}{\"id\":2}", "something follows" },
	{ "garbage-behind", "{} x", "something follows" },
	{ "comma-behind", "{},", "something follows" },
	{ "bracket-behind", "{}}", "something follows" },
	{ "single-quotes", "{'id':1}", "string expected" },
	{ "comment", "{/* x */}", "string expected" },
	{ "line-comment", "{} // x", "something follows" },
	{ "assignment", "var x = {}", "object expected" },
	{ "bare-key", "{id:1}", "string expected" },
	{ "no-colon", "{\"id\" 1}", "':' expected" },
	{ "no-value", "{\"id\":}", "value expected" },
	{ "no-comma", "{\"a\":1 \"b\":2}", "',' or a closing bracket" },
	{ "trailing-comma", "{\"a\":1,}", "string expected" },
	{ "trailing-comma-in-array", "{\"a\":[1,]}", "value expected" },
	{ "wrong-closer", "{\"a\":[1}", "closing bracket" },
	{ "unclosed", "{\"a\":[1]", "closing bracket" },
	{ "unclosed-string", "{\"a", "without an end" },
	{ "leading-zero", "{\"a\":01}", "closing bracket" },
	{ "plus", "{\"a\":+1}", "value expected" },
	{ "hex", "{\"a\":0x10}", "closing bracket" },
	{ "no-fraction", "{\"a\":1.}", "digit expected" },
	{ "no-exponent", "{\"a\":1e}", "digit expected" },
	{ "minus-alone", "{\"a\":-}", "digit expected" },
	{ "nan", "{\"a\":NaN}", "value expected" },
	{ "half-word", "{\"a\":tru}", "value expected" },
	{ "long-word", "{\"a\":truee}", "closing bracket" },
	{ "tab-in-string", "{\"a\":\"\t\"}", "control character" },
	{ "unknown-escape", "{\"a\":\"\\x41\"}", "unknown escape" },
	{ "cut-escape", "{\"a\":\"\\", "unknown escape" },
	{ "short-unicode", "{\"a\":\"\\u12\"}", "four hexadecimal digits" },
	{ "escaped-nul", "{\"a\":\"\\u0000\"}", "NUL in a string" },
	{ "high-alone", "{\"a\":\"\\ud83d\"}", "surrogate" },
	{ "low-alone", "{\"a\":\"\\ude00\"}", "surrogate" },
	{ "high-high", "{\"a\":\"\\ud83d\\ud83d\"}", "surrogate" },
	{ "high-other", "{\"a\":\"\\ud83d\\u0041\"}", "surrogate" },
	{ "invalid-utf-8", "{\"a\":\"\377\"}", "UTF-8" },
	{ "surrogate-in-utf-8", "{\"a\":\"\355\240\275\"}", "UTF-8" },
	{ "cr-inside", "{\"a\":\"\r\"}", "control character" },
};

/* What is not exactly one JSON object ends the stream, as a protocol error that says where. */
static void test_bad_lines(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(bad_cases); i++) {
		Fixture *f;

		print_message("  %s\n", bad_cases[i].name);
		setup((void **)&f);
		say(f, bad_cases[i].said);
		say(f, "\n");
		assert_ended(f, HVR_QMP_ERROR_PROTOCOL, bad_cases[i].why);
		assert_non_null(strstr(f->error->message, "at byte "));
		assert_string_equal(f->objects->str, "");
		teardown((void **)&f);
	}
}

/* NUL, which would cut the text that json-glib sees, is refused inside and outside of strings. */
static void test_nul(void **state)
{
	static const char inside[] = "{\"a\":\"x\0y\"}\n", behind[] = "{}\0x\n";
	Fixture *f = *state;

	say_bytes(f, inside, sizeof(inside) - 1);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "NUL");
	teardown(state);
	setup(state);
	f = *state;
	say_bytes(f, behind, sizeof(behind) - 1);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "NUL");
}

/* What came before a malformed line is told before the end; what comes behind it never. */
static void test_order_around_malformed(void **state)
{
	Fixture *f = *state;

	say(f, "{\"a\":1}\nnonsense\n{\"b\":2}\n");
	assert_string_equal(f->objects->str, "{\"a\":1}\n");
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "object expected");
}

/* 64 levels pass, 65 do not, whatever the brackets; those in strings do not count. */
static void test_depth(void **state)
{
	Fixture *f = *state;
	g_autofree char *open = repeat("[", 63), *close = repeat("]", 63);
	g_autofree char *many = repeat("{\"a\":", 65), *text = repeat("[", 1000);
	g_autofree char *deepest = g_strdup_printf("{\"a\":%s%s}\n", open, close);
	g_autofree char *quoted = g_strdup_printf("{\"a\":\"%s\"}\n", text);

	say(f, deepest);
	say(f, quoted);
	assert_int_equal(f->ended, 0);
	say(f, many);
	say(f, "\n");
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "nested too deeply");
}

/* A bomb of brackets as long as a line may be does not reach json-glib's recursion. */
static void test_depth_bomb(void **state)
{
	Fixture *f = *state;
	g_autofree char *bomb = repeat("[", HVR_QMP_LINE_MAX_BYTES - 100);

	say(f, "{\"a\":");
	say(f, bomb);
	say(f, "\n");
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "nested too deeply");
}

/* As many values and members as allowed pass, one more does not: json-glib's cost is bounded. */
static void test_counts(void **state)
{
	Fixture *f = *state;
	g_autofree char *values = repeat("{},", HVR_QMP_VALUES_MAX - 3);
	g_autofree char *members = repeat("\"a\":0,", HVR_QMP_MEMBERS_MAX - 1);
	g_autofree char *many_values = g_strdup_printf("{\"a\":[%s0]}\n", values);
	g_autofree char *more_values = g_strdup_printf("{\"a\":[%s0,0]}\n", values);
	g_autofree char *many_members =
		g_strdup_printf("{\"a\":[{%s\"a\":0},{%s\"a\":0}]}\n", members, members);
	g_autofree char *more_members = g_strdup_printf("{\"a\":{%s\"a\":0,\"a\":0}}\n", members);

	say(f, many_values);
	say(f, many_members);
	assert_int_equal(f->ended, 0);
	say(f, more_values);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "too many values");
	teardown(state);
	setup(state);
	f = *state;
	say(f, more_members);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "too many members");
}

/* The longest line passes with either end; one byte more does not. */
static void test_longest_line(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat("x", HVR_QMP_LINE_MAX_BYTES - strlen("{\"a\":\"\"}"));
	g_autofree char *line = g_strdup_printf("{\"a\":\"%s\"}", fill);

	say(f, line);
	say(f, "\n{}\n");
	assert_int_equal(f->objects->len, HVR_QMP_LINE_MAX_BYTES + strlen("\n{}\n"));
	assert_int_equal(f->ended, 0);
	say(f, " ");
	say(f, line);
	say(f, "\n");
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "longer than 1048576 bytes");
}

/* A line that never ends is refused at the bound, without waiting for its end. */
static void test_endless_line(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat(" ", HVR_QMP_LINE_MAX_BYTES + 1);

	say(f, fill);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "longer than 1048576 bytes");
}

/* EOF between messages is an ordinary end. */
static void test_eof(void **state)
{
	Fixture *f = *state;

	say(f, "{\"a\":1}\n");
	hang_up(f);
	assert_string_equal(f->objects->str, "{\"a\":1}\n");
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "the connection was closed");
}

/* QEMU may die in the middle of a message: that is an end, and nothing half is told. */
static void test_truncated(void **state)
{
	Fixture *f = *state;

	say(f, "{\"a\":1}\n{\"b\":2}");
	hang_up(f);
	assert_string_equal(f->objects->str, "{\"a\":1}\n");
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "in the middle of a message");
}

/* A reset (the peer closed without having read all) is the same end as EOF, after its last words.
 */
static void test_reset(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonObject) object = json_object_new();

	hvr_qmp_stream_send(f->stream, object);
	assert_int_equal(send(f->peer, "{\"a\":1}\n", 8, 0), 8);
	hang_up(f);
	assert_string_equal(f->objects->str, "{\"a\":1}\n");
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "the connection was closed");
}

/* Sending to a peer that is gone is told later, as its end, after its last words. */
static void test_send_to_closed(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonObject) object = json_object_new();

	assert_int_equal(send(f->peer, "{\"a\":1}\n{\"b\":2}\n", 16, 0), 16);
	close(f->peer);
	f->peer = -1;
	f->sending = TRUE;
	hvr_qmp_stream_send(f->stream, object);
	hvr_qmp_stream_send(f->stream, object);
	f->sending = FALSE;
	settle(f);
	assert_string_equal(f->objects->str, "{\"a\":1}\n{\"b\":2}\n");
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "the connection was closed");
	hvr_qmp_stream_send(f->stream, object);
	settle(f);
	assert_int_equal(f->ended, 1);
}

/* A peer that no longer reads but keeps its end open does not leave the stream half alive. */
static void test_send_to_deaf(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonObject) object = json_object_new();

	assert_int_equal(shutdown(f->peer, SHUT_RD), 0);
	hvr_qmp_stream_send(f->stream, object);
	settle(f);
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "the connection was closed");
}

static gsize hear_all(Fixture *f, GString *into)
{
	char chunk[65536];
	gsize before = into->len;
	ssize_t n;

	do {
		settle(f);
		n = recv(f->peer, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n > 0)
			g_string_append_len(into, chunk, n);
	} while (n > 0);
	return into->len - before;
}

static JsonObject *object_of(const char *text)
{
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "a", text);
	return object;
}

/* Each object is one line, whatever its strings hold. */
static void test_send(void **state)
{
	Fixture *f = *state;
	g_autoptr(JsonObject) object = object_of("line\nbreak \"quote\" \303\244");
	g_autoptr(GString) heard = g_string_new(NULL);

	hvr_qmp_stream_send(f->stream, object);
	hvr_qmp_stream_send(f->stream, object);
	hear_all(f, heard);
	assert_string_equal(heard->str, "{\"a\":\"line\\nbreak \\\"quote\\\" \303\244\"}\n"
					"{\"a\":\"line\\nbreak \\\"quote\\\" \303\244\"}\n");
}

/* More than the socket takes at once arrives whole, and the source then goes back to sleep. */
static void test_send_much(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat("x", 1000000);
	g_autoptr(JsonObject) object = object_of(fill);
	g_autoptr(GString) heard = g_string_new(NULL);

	for (int i = 0; i < 3; i++)
		hvr_qmp_stream_send(f->stream, object);
	hear_all(f, heard);
	assert_int_equal(heard->len, 3 * (1000000 + strlen("{\"a\":\"\"}\n")));
	assert_false(g_main_context_pending(f->context));
	assert_int_equal(f->ended, 0);
}

/* Reads what there is; a descriptor that comes with it is put into @riders with where its line is.
 */
static gboolean hear_with_fd(Fixture *f, GString *heard, GString *riders)
{
	char chunk[30000];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = { chunk, sizeof(chunk) };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(f->peer, &message, MSG_DONTWAIT);
	const struct cmsghdr *found = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (n <= 0)
		return FALSE;
	g_string_append_len(heard, chunk, n);
	if (!found)
		return TRUE;
	const char *line = g_strrstr_len(heard->str, (gssize)heard->len - 1, "\n");
	struct stat st;
	int fd;

	memcpy(&fd, CMSG_DATA(found), sizeof(fd));
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	g_string_append_printf(riders, "%.7s %d;", line ? line + 1 : heard->str, (int)st.st_size);
	return TRUE;
}

static int file_of(gsize bytes)
{
	int fd = memfd_create("rider", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

/* Descriptors arrive with their own lines, and nothing overtakes anything, however full it is. */
static void test_send_fd(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat("x", 500000);
	g_autoptr(JsonObject) large = object_of(fill);
	g_autoptr(JsonObject) one = object_of("1"), two = object_of("2"), three = object_of("3");
	g_autoptr(GString) heard = g_string_new(NULL), riders = g_string_new(NULL);

	hvr_qmp_stream_send_fd(f->stream, one, file_of(11));
	hvr_qmp_stream_send(f->stream, large);
	hvr_qmp_stream_send_fd(f->stream, two, file_of(22));
	hvr_qmp_stream_send_fd(f->stream, three, file_of(33));
	hvr_qmp_stream_send(f->stream, large);
	while (hear_with_fd(f, heard, riders))
		settle(f);
	assert_string_equal(riders->str, "{\"a\":\"1 11;{\"a\":\"2 22;{\"a\":\"3 33;");
	assert_int_equal(heard->len, 2 * (500000 + 9) + 3 * 10);
	assert_false(g_main_context_pending(f->context));
}

/* What can no longer be sent is closed: the other end of the pipe sees it. */
static void test_send_fd_in_vain(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat("x", 1000000);
	g_autoptr(JsonObject) large = object_of(fill);
	char byte;

	for (int how = 0; how < 2; how++) {
		int pipes[2];

		assert_int_equal(pipe(pipes), 0);
		hvr_qmp_stream_send(f->stream, large);
		hvr_qmp_stream_send_fd(f->stream, large, pipes[1]);
		for (int i = 0; how == 0 && i < 6; i++)
			hvr_qmp_stream_send(f->stream, large);
		settle(f);
		assert_int_equal(f->ended, 1);
		if (how == 1)
			g_clear_pointer(&f->stream, hvr_qmp_stream_free);
		assert_int_equal(read(pipes[0], &byte, 1), 0);
		close(pipes[0]);
	}
}

/* What waits for a peer that does not read is bounded; the end is told from the context. */
static void test_queue_bound(void **state)
{
	Fixture *f = *state;
	g_autofree char *fill = repeat("x", 1000000);
	g_autoptr(JsonObject) object = object_of(fill);

	f->sending = TRUE;
	for (int i = 0; i < 6; i++)
		hvr_qmp_stream_send(f->stream, object);
	f->sending = FALSE;
	assert_int_equal(f->ended, 0);
	settle(f);
	assert_ended(f, HVR_QMP_ERROR_PROTOCOL, "wait to be sent");
}

/* An owner may free the stream at the first of several objects; the others are never told. */
static void test_free_at_object(void **state)
{
	Fixture *f = *state;

	f->free_at_object = TRUE;
	say(f, "{\"a\":1}\n{\"b\":2}\nnonsense\n");
	assert_string_equal(f->objects->str, "{\"a\":1}\n");
	assert_int_equal(f->ended, 0);
	assert_int_equal(recv(f->peer, (char[1]){ 0 }, 1, 0), 0);
}

/* An owner may free the stream when it ends, of itself or of what was sent. */
static void test_free_at_end(void **state)
{
	Fixture *f = *state;

	f->free_at_end = TRUE;
	hang_up(f);
	assert_ended(f, HVR_QMP_ERROR_CLOSED, "closed");
}

/* The descriptor is not inherited, never blocks, and is closed at the end. */
static void test_descriptor(void **state)
{
	static const HvrQmpStreamHandlers handlers = { on_object, on_ended };
	Fixture *f = *state;
	int fds[2];
	HvrQmpStream *stream;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	stream = hvr_qmp_stream_new(fds[1], f->context, &handlers, f);
	assert_true(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	hvr_qmp_stream_free(stream);
	assert_int_equal(fcntl(fds[1], F_GETFD), -1);
	close(fds[0]);
	hvr_qmp_stream_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_lines),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_bad_lines),
		TEST(test_nul),
		TEST(test_order_around_malformed),
		TEST(test_depth),
		TEST(test_depth_bomb),
		TEST(test_counts),
		TEST(test_longest_line),
		TEST(test_endless_line),
		TEST(test_eof),
		TEST(test_truncated),
		TEST(test_reset),
		TEST(test_send_to_closed),
		TEST(test_send_to_deaf),
		TEST(test_send),
		TEST(test_send_much),
		TEST(test_send_fd),
		TEST(test_send_fd_in_vain),
		TEST(test_queue_bound),
		TEST(test_free_at_object),
		TEST(test_free_at_end),
		TEST(test_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
