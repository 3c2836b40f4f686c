/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay between pipes, where every byte counts. Terminals are in test-terminal.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/session/relay.h"
#include "tests/fake/between.h"
#include "vfio/fd.h"

#define MIB   (1 << 20)
#define TURNS 100000

/* The user types into `keys` and looks at `screen`; `guest` is QEMU's end of the port. */
typedef struct {
	int keys, screen, guest;
	int input, output, port; /* what the relay has */
	HvrRelay *relay;
	HvrRelayEnd end;
} Fixture;

static void on_end(HvrRelayEnd end, gpointer user_data)
{
	Fixture *f = user_data;

	f->end = end;
}

/* There is no terminal, so no key is ours. */
static gboolean on_key(HvrEscapeAction action, gpointer user_data)
{
	fail_msg("%d was taken for a key", action);
	return FALSE;
}

static void begin(Fixture *f, HvrRelayKey on_ours)
{
	const HvrRelayStart start = { .port = f->port,
				      .input = f->input,
				      .output = f->output,
				      .on_key = on_ours,
				      .told = on_end,
				      .user_data = f };

	f->relay = hvr_relay_new(&start);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	int input[2], output[2], port[2];

	assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port), 0);
	*f = (Fixture){ .keys = input[1],
			.input = input[0],
			.screen = output[0],
			.output = output[1],
			.guest = port[0],
			.port = port[1] };
	signal(SIGPIPE, SIG_IGN);
	/* The test's own ends: none of them is shared with the relay. */
	fcntl(f->keys, F_SETFL, O_NONBLOCK);
	fcntl(f->screen, F_SETFL, O_NONBLOCK);
	fcntl(f->guest, F_SETFL, O_NONBLOCK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_relay_free(f->relay);
	hvr_fd_close(f->keys);
	hvr_fd_close(f->screen);
	hvr_fd_close(f->guest);
	hvr_fd_close(f->input);
	hvr_fd_close(f->output);
	hvr_fd_close(f->port);
	g_free(f);
	return 0;
}

/* All that can happen now has happened; a relay that never comes to rest is a busy loop. */
static void settle(void)
{
	for (guint i = 0; g_main_context_iteration(NULL, FALSE); i++)
		if (i > TURNS)
			fail_msg("it never comes to rest");
}

/* Every value of a byte, in an order that repeats only after long. */
static guint8 *make_bytes(gsize length)
{
	guint8 *bytes = g_malloc(length);

	for (gsize i = 0; i < length; i++)
		bytes[i] = (guint8)(i + (i >> 8) + (i >> 16) * 7);
	return bytes;
}

/* Writes as fast as the other side reads, through the relay. */
static void assert_passes(int from, int to, gsize length)
{
	g_autofree guint8 *sent = make_bytes(length);
	g_autofree guint8 *got = g_malloc(length);
	gsize n_sent = 0, n_got = 0;

	for (guint i = 0; n_got < length; i++) {
		ssize_t n = n_sent < length ? write(from, sent + n_sent, length - n_sent) : 0;
		n_sent += (gsize)MAX(n, 0);
		settle();
		n = read(to, got + n_got, length - n_got);
		n_got += (gsize)MAX(n, 0);
		if (i > TURNS)
			fail_msg("%zu of %zu bytes came", n_got, length);
	}
	assert_memory_equal(sent, got, length);
}

/* As they are, both ways, also keys that are ours at a terminal. */
static void test_both_ways(void **state)
{
	Fixture *f = *state;

	begin(f, on_key);
	assert_passes(f->guest, f->screen, MIB);
	assert_passes(f->keys, f->guest, MIB);
	assert_int_equal(f->end, HVR_RELAY_OPEN);
}

/* Writes until no more is taken. */
static gsize fill(int fd, const guint8 *bytes, gsize length)
{
	gsize n_written = 0;
	ssize_t n;

	while ((n = write(fd, bytes + n_written, MIN(length - n_written, 4096))) > 0) {
		n_written += (gsize)n;
		settle();
	}
	return n_written;
}

static void assert_bounded(int from, int to)
{
	gsize length = 4 * MIB;
	g_autofree guint8 *bytes = make_bytes(length);
	g_autofree guint8 *got = g_malloc(length);
	gsize n_written = fill(from, bytes, length), n_got = 0;
	ssize_t n;

	assert_between(n_written, 1, MIB);
	do {
		n = read(to, got + n_got, length - n_got);
		n_got += (gsize)MAX(n, 0);
		settle();
	} while (n > 0);
	assert_int_equal(n_got, n_written);
	assert_memory_equal(got, bytes, n_got);
}

/* A guest that prints while nobody looks waits; so does a user whose guest takes nothing. */
static void test_bounded(void **state)
{
	Fixture *f = *state;

	begin(f, NULL);
	assert_bounded(f->guest, f->screen);
	assert_bounded(f->keys, f->guest);
}

/* What was piped in reaches the guest; then output goes on, and nothing turns in circles. */
static void test_input_ends(void **state)
{
	Fixture *f = *state;
	char got[8] = "";

	begin(f, NULL);
	assert_int_equal(write(f->keys, "last", 4), 4);
	hvr_fd_close(g_steal_fd(&f->keys));
	settle();
	assert_int_equal(read(f->guest, got, sizeof(got)), 4);
	assert_string_equal(got, "last");
	assert_passes(f->guest, f->screen, 100);
	assert_int_equal(f->end, HVR_RELAY_OPEN);
}

/* Nobody will ever look: what the guest says is dropped, and it does not wait for that. */
static void test_output_ends(void **state)
{
	Fixture *f = *state;
	gsize length = 4 * MIB;
	g_autofree guint8 *bytes = make_bytes(length);

	begin(f, NULL);
	hvr_fd_close(g_steal_fd(&f->screen));
	assert_int_equal(fill(f->guest, bytes, length), length);
	assert_int_equal(f->end, HVR_RELAY_FAILED);
	assert_passes(f->keys, f->guest, 100);
}

/* QEMU ends: its last words come out, and keys are not taken any more. */
static void test_guest_ends(void **state)
{
	Fixture *f = *state;
	char got[8] = "";

	begin(f, NULL);
	assert_int_equal(write(f->guest, "bye", 3), 3);
	hvr_fd_close(g_steal_fd(&f->guest));
	settle();
	assert_int_equal(f->end, HVR_RELAY_ENDED);
	assert_int_equal(read(f->screen, got, sizeof(got)), 3);
	assert_string_equal(got, "bye");
	assert_int_equal(write(f->keys, "a", 1), 1);
	settle();
	assert_int_equal(write(f->keys, "b", 1), 1);
	settle();
	fcntl(f->input, F_SETFL, O_NONBLOCK);
	assert_int_equal(read(f->input, got, sizeof(got)), 1);
	assert_int_equal(got[0], 'b');
}

/* The end comes before the loop has seen anything, and to an output that nobody reads: what there
 * is room for comes out, and nobody waits for ever. */
static void test_last_words(void **state)
{
	Fixture *f = *state;
	g_autofree guint8 *bytes = make_bytes(MIB);
	char got[8] = "";

	begin(f, NULL);
	assert_int_equal(write(f->guest, "bye", 3), 3);
	hvr_relay_stop(f->relay);
	assert_int_equal(read(f->screen, got, sizeof(got)), 3);
	fill(f->guest, bytes, MIB);
	gint64 begin_us = g_get_monotonic_time();
	hvr_relay_stop(f->relay);
	g_clear_pointer(&f->relay, hvr_relay_free);
	assert_true(g_get_monotonic_time() - begin_us < 10 * G_USEC_PER_SEC);
}

/* What the user's shell shares with us is as it was, also meanwhile. */
static void test_flags(void **state)
{
	Fixture *f = *state;
	int input = fcntl(f->input, F_GETFL), output = fcntl(f->output, F_GETFL);

	begin(f, NULL);
	assert_passes(f->guest, f->screen, 100);
	assert_int_equal(fcntl(f->input, F_GETFL), input);
	assert_int_equal(fcntl(f->output, F_GETFL), output);
}

/* A socket cannot be opened once more, and does not make us wait either. */
static void test_sockets(void **state)
{
	Fixture *f = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(dup3(pair[0], f->input, O_CLOEXEC), f->input);
	assert_int_equal(dup3(pair[0], f->output, O_CLOEXEC), f->output);
	assert_int_equal(dup3(pair[1], f->keys, O_CLOEXEC), f->keys);
	assert_int_equal(dup3(pair[1], f->screen, O_CLOEXEC), f->screen);
	close(pair[0]);
	close(pair[1]);
	fcntl(f->keys, F_SETFL, O_NONBLOCK);
	begin(f, NULL);
	assert_bounded(f->guest, f->screen);
	assert_bounded(f->keys, f->guest);
}

/* A file goes on where it was. */
static void test_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	int file = g_file_open_tmp("hvr-relay-XXXXXX", &path, NULL);

	assert_int_equal(write(file, "before ", 7), 7);
	assert_int_equal(dup3(file, f->output, O_CLOEXEC), f->output);
	begin(f, NULL);
	assert_int_equal(write(f->guest, "after", 5), 5);
	settle();
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "before after");
	unlink(path);
	close(file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_ways),	TEST(test_bounded),    TEST(test_input_ends),
		TEST(test_output_ends), TEST(test_guest_ends), TEST(test_last_words),
		TEST(test_flags),	TEST(test_sockets),    TEST(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
