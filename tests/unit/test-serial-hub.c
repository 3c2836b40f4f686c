/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hub of a serial port, between real sockets: whoever joins hears all, nobody who does not read
 * is waited for but the foreground, and what is kept is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/log-file.h"
#include "launcher/report/progress.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/boot-line.h"
#include "launcher/session/serial-client.h"
#include "launcher/session/serial-hub.h"
#include "qmp/connect.h"
#include "vfio/fd.h"

#define MIB	 (1024 * 1024)
#define LEFT_OUT "\r\n[hailo-vm-run: "

typedef struct {
	char *path;
	int folder;
	int guest; /* QEMU's side of the port */
	HvrSerialHub *hub;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	HvrSerialEnds ends;
	int listening = -1;

	f->path = g_dir_make_tmp("hvr-hub-XXXXXX", NULL);
	f->folder = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(hvr_serial_ends_make(f->folder, &ends, &listening, NULL));
	f->guest = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	close(listening);
	assert_true(f->guest >= 0);
	f->hub = hvr_serial_hub_new(&ends, -1);
	assert_int_equal(ends.port, -1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_serial_hub_free(f->hub);
	hvr_fd_close(f->guest);
	hvr_vm_empty_folder(f->folder, NULL);
	rmdir(f->path);
	hvr_fd_close(f->folder);
	g_free(f->path);
	g_free(f);
	return 0;
}

/* All that can happen now has happened. */
static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static int join(const Fixture *f, const char *name)
{
	int fd = hvr_qmp_connect(f->folder, name, NULL);

	assert_true(fd >= 0);
	turn();
	return fd;
}

static void say(const Fixture *f, const char *text)
{
	assert_int_equal(send(f->guest, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turn();
}

/* What has come by now. [transfer full] */
static GString *read_now(int fd)
{
	GString *text = g_string_new(NULL);
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		g_string_append_len(text, bytes, n);
	return text;
}

static void assert_reads(int fd, const char *expected)
{
	g_autoptr(GString) text = read_now(fd);

	assert_string_equal(text->str, expected);
}

static char *record_text(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->path, "serial.log", NULL);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

/* As much as the guest can say until nobody takes more, or @most bytes. Returns: how much that was
 */
static gsize flood(const Fixture *f, gsize most)
{
	char bytes[4096];
	gsize said = 0;

	while (said < most) {
		for (gsize i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)('a' + (said + i) % 23);
		ssize_t n = send(f->guest, bytes, MIN(sizeof(bytes), most - said), MSG_NOSIGNAL);
		if (n > 0)
			said += (gsize)n;
		guint64 before = hvr_serial_hub_heard(f->hub);
		turn();
		if (n < 0 && hvr_serial_hub_heard(f->hub) == before)
			break;
	}
	return said;
}

static void assert_is_flood(const char *bytes, gsize from, gsize length)
{
	for (gsize i = 0; i < length; i++)
		if (bytes[i] != (char)('a' + (from + i) % 23))
			fail_msg("byte %zu of what came is not what was said", i);
}

/* Two terminals at once, and the record: all have every byte from the first on. */
static void test_all_hear(void **state)
{
	Fixture *f = *state;
	struct stat st;

	say(f, "before ");
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);
	g_auto(HvrFd) other = join(f, HVR_VM_SERIAL);
	say(f, "login: ");
	assert_reads(one, "login: ");
	assert_reads(other, "login: ");
	g_autofree char *record = record_text(f);
	assert_string_equal(record, "before login: ");
	static const char *const names[] = { "serial.log", "serial.sock", "console.sock",
					     "port.sock" };
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		assert_int_equal(fstatat(f->folder, names[i], &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

/* What any of them types the guest gets, also from one that is gone at once. */
static void test_all_type(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);
	g_auto(HvrFd) foreground = hvr_serial_hub_join(f->hub, HVR_SERIAL_FOR_EVER);
	int gone = hvr_qmp_connect(f->folder, HVR_VM_SERIAL, NULL);

	assert_int_equal(write(gone, "gone\n", 5), 5);
	close(gone);
	turn();
	assert_reads(f->guest, "gone\n");
	assert_int_equal(write(one, "one\n", 4), 4);
	turn();
	assert_int_equal(write(foreground, "front\n", 6), 6);
	turn();
	assert_reads(f->guest, "one\nfront\n");
}

/* A client that has said all it had to say still hears. */
static void test_half_closed(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);

	assert_int_equal(write(one, "root\n", 5), 5);
	shutdown(one, SHUT_WR);
	turn();
	assert_reads(f->guest, "root\n");
	say(f, "Password: ");
	assert_reads(one, "Password: ");
}

/* All that has come for one that did not read, up to the line that says how much is missing.
 * @out_left_out: what that says */
static gsize read_up_to_told(int fd, gsize *out_left_out)
{
	g_autoptr(GString) late = g_string_new(NULL);

	for (gsize before = 1; before != late->len;) {
		before = late->len;
		g_autoptr(GString) now = read_now(fd);
		g_string_append_len(late, now->str, (gssize)now->len);
		turn();
	}
	const char *told = strstr(late->str, LEFT_OUT);
	assert_non_null(told);
	assert_true(g_str_has_suffix(told, " bytes left out]\r\n"));
	*out_left_out = strtoul(told + strlen(LEFT_OUT), NULL, 10);
	return (gsize)(told - late->str);
}

/* One that does not read stalls neither the guest nor others, and is told what it has lost. */
static void test_slow_client(void **state)
{
	Fixture *f = *state;
	const gsize most = 3 * MIB;
	g_auto(HvrFd) slow = join(f, HVR_VM_SERIAL);
	g_auto(HvrFd) other = join(f, HVR_VM_SERIAL);
	g_autoptr(GString) heard = g_string_new(NULL);

	for (gsize said = 0; said < most;) {
		said += flood(f, 64 * 1024);
		g_autoptr(GString) now = read_now(other);
		g_string_append_len(heard, now->str, (gssize)now->len);
	}
	assert_int_equal(hvr_serial_hub_heard(f->hub), most);
	assert_int_equal(heard->len, most);

	gsize left_out = 0;
	gsize came = read_up_to_told(slow, &left_out);
	assert_int_equal(came + left_out, most);
	assert_true(came < MIB);
	say(f, "on it goes");
	assert_reads(slow, "on it goes");
}

/* The foreground loses nothing: the guest waits for it, and so do all others. */
static void test_foreground_waits(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) foreground = hvr_serial_hub_join(f->hub, HVR_SERIAL_FOR_EVER);
	g_autoptr(GString) heard = g_string_new(NULL);
	gsize said = flood(f, 8 * MIB);

	assert_true(said < 2 * MIB);
	assert_true(hvr_serial_hub_heard(f->hub) < said);
	while (heard->len < said) {
		g_autoptr(GString) now = read_now(foreground);
		g_string_append_len(heard, now->str, (gssize)now->len);
		turn();
	}
	assert_int_equal(heard->len, said);
	assert_is_flood(heard->str, 0, said);
	/* and goes on when it is gone */
	hvr_fd_close(g_steal_fd(&foreground));
	turn();
	assert_int_equal(flood(f, 4 * MIB), 4 * MIB);
}

/* A foreground whose patience is over: the guest and the record go on, and it is told what it has
 * missed. One that reads again is waited for again. */
static void test_foreground_passed(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) foreground = hvr_serial_hub_join(f->hub, 1000);
	gsize said = 0, left_out = 0;

	for (;;) {
		said += flood(f, 4 * MIB - said);
		if (said == 4 * MIB)
			break;
		g_main_context_iteration(NULL, TRUE);
	}
	assert_int_equal(hvr_serial_hub_heard(f->hub), said);
	gsize came = read_up_to_told(foreground, &left_out);
	assert_int_equal(came + left_out, said);
	assert_true(flood(f, 8 * MIB) < 2 * MIB);
}

/* At QEMU's end the main loop is over: what is still on its way arrives all the same, and then the
 * end. */
static void test_foreground_last(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) foreground = hvr_serial_hub_join(f->hub, HVR_SERIAL_FOR_EVER);
	g_autoptr(GString) heard = g_string_new(NULL);
	gsize said = flood(f, 8 * MIB);
	char byte;

	hvr_fd_close(g_steal_fd(&f->guest));
	while (heard->len < said) {
		hvr_serial_hub_feed(f->hub);
		g_autoptr(GString) now = read_now(foreground);
		assert_true(now->len > 0);
		g_string_append_len(heard, now->str, (gssize)now->len);
	}
	assert_is_flood(heard->str, 0, said);
	hvr_serial_hub_feed(f->hub);
	assert_int_equal(recv(foreground, &byte, 1, MSG_DONTWAIT), 0);
}

/* However much is said, begin and end are kept. */
static void test_record_bounded(void **state)
{
	Fixture *f = *state;
	struct stat st;
	char bytes[4096];

	say(f, "begin");
	for (guint i = 0; i < 64; i++)
		flood(f, 64 * 1024);
	say(f, "end");
	g_auto(HvrFd) record = openat(f->folder, "serial.log", O_RDONLY);
	assert_int_equal(fstat(record, &st), 0);
	assert_int_equal(st.st_size, 4 * MIB + 8);
	assert_true(st.st_blocks * 512 <= MIB);
	assert_int_equal(pread(record, bytes, 5, 0), 5);
	assert_memory_equal(bytes, "begin", 5);
	assert_int_equal(pread(record, bytes, 3, st.st_size - 3), 3);
	assert_memory_equal(bytes, "end", 3);
}

/* Of a hole a log has NULs, so none is in it; whoever joins has what was said. */
static void test_nul(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);
	char bytes[8] = "";

	assert_int_equal(send(f->guest, "a\0b\0", 4, 0), 4);
	turn();
	g_autofree char *record = record_text(f);
	assert_string_equal(record, "a?b?");
	assert_int_equal(recv(one, bytes, sizeof(bytes), MSG_DONTWAIT), 4);
	assert_memory_equal(bytes, "a\0b\0", 4);
}

/* A console sees where the guest is; whoever talks to the plain socket is not surprised by it. */
static void test_last_lines(void **state)
{
	Fixture *f = *state;

	say(f, "\x1b[32mok\x1b[0m\r\nlab login: ");
	g_auto(HvrFd) console = join(f, HVR_VM_CONSOLE);
	g_auto(HvrFd) plain = join(f, HVR_VM_SERIAL);
	assert_reads(console, "ok\r\nlab login: ");
	assert_reads(plain, "");
	say(f, "\x1b[1m");
	assert_reads(console, "\x1b[1m");
	assert_reads(plain, "\x1b[1m");
}

/* A guest that does not read makes nobody lose a key: who types waits. */
static void test_typed_waits(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);
	g_autoptr(GString) came = g_string_new(NULL);
	gsize typed = 0;
	char bytes[1000];

	memset(bytes, 'k', sizeof(bytes));
	for (guint refused = 0; refused < 3;) {
		ssize_t n = send(one, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			typed += (gsize)n;
		else
			refused++;
		turn();
		assert_true(typed < 4 * MIB);
	}
	while (came->len < typed) {
		g_autoptr(GString) now = read_now(f->guest);
		g_string_append_len(came, now->str, (gssize)now->len);
		turn();
	}
	assert_int_equal(came->len, typed);
}

static void on_heard(const char *bytes, gsize length, gpointer user_data)
{
	g_string_append_len(user_data, bytes, (gssize)length);
}

/* Readiness and progress listen in. */
static void test_listeners(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) heard = g_string_new(NULL);

	hvr_serial_hub_hear(f->hub, on_heard, heard);
	say(f, "one");
	hvr_serial_hub_unhear(f->hub, on_heard, heard);
	say(f, "two");
	assert_string_equal(heard->str, "one");
}

/* A boot whose progress is on a terminal, in a process of its own. */
static void boot(const Fixture *f, int terminal)
{
	const HvrProgressStage stage = { .text = "booting" };

	alarm(30);
	g_setenv("TERM", "xterm", TRUE);
	dup2(terminal, STDERR_FILENO);
	hvr_progress_begin("VM 'lab'");
	hvr_progress_stage(&stage);
	HvrBootLine *line = hvr_boot_line_new(f->hub);
	say(f, "early\r\n[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m.\r\n\r\nlab log");
	for (gint64 first_us = hvr_progress_turn(); hvr_progress_turn() == first_us;)
		g_main_context_iteration(NULL, TRUE);
	hvr_boot_line_free(line);
	say(f, "in:\r\n");
	hvr_progress_end();
	_exit(0);
}

/* What the guest has said last is beside it, however it is told that the guest is ready. */
static void test_boot_line(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char bytes[4096] = "";
	gsize n = 0;
	ssize_t more;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	g_auto(HvrFd) side = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0)
		boot(f, side);
	hvr_fd_close(g_steal_fd(&side));
	while ((more = read(master, bytes + n, sizeof(bytes) - 1 - n)) > 0)
		n += (gsize)more;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (!strstr(bytes, " | [  OK  ] Started ssh.\r"))
		fail_msg("%s", bytes);
	assert_null(hvr_boot_line_new(NULL));
}

/* The end of the port is the end for all, behind the last word. */
static void test_end(void **state)
{
	Fixture *f = *state;
	g_auto(HvrFd) one = join(f, HVR_VM_SERIAL);
	char bytes[64];

	assert_int_equal(send(f->guest, "Power down", 10, 0), 10);
	hvr_fd_close(g_steal_fd(&f->guest));
	hvr_serial_hub_free(g_steal_pointer(&f->hub));
	assert_int_equal(recv(one, bytes, sizeof(bytes), 0), 10);
	assert_memory_equal(bytes, "Power down", 10);
	assert_int_equal(recv(one, bytes, sizeof(bytes), 0), 0);
	g_autofree char *record = record_text(f);
	assert_string_equal(record, "Power down");
}

/* Nobody can have us hold more clients than that. */
static void test_many(void **state)
{
	Fixture *f = *state;
	int fds[HVR_SERIAL_CLIENTS_MOST];

	for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = join(f, HVR_VM_SERIAL);
	g_auto(HvrFd) more = join(f, HVR_VM_SERIAL);
	assert_reads(more, "hailo-vm-run: too many have joined this serial port\r\n");
	say(f, "x");
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
		assert_reads(fds[i], "x");
		close(fds[i]);
	}
	turn();
	g_auto(HvrFd) again = join(f, HVR_VM_SERIAL);
	say(f, "y");
	assert_reads(again, "y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_hear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_type, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_client, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreground_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreground_passed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreground_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_typed_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
