/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands through the real qemu-ga, which runs them here: all of their output while they run,
 * their input, how they are run, their end, and that nothing is left of them.
 *
 * /run is a tmpfs of this program's own, too small for what flows through it.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib-unix.h>
#include <glib/gstdio.h>

#include "launcher/guest/guest.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

/* More than the agent keeps of an output, and than /run holds */
#define MANY 50000000
#define SOME 30000000
#define FEW  3000000

#define DYING_US (10 * G_USEC_PER_SEC)
#define BEAT_US	 20000

typedef struct {
	char *folder; /* the runtime folder, and files of ours */
	HvrContext context;
	HvrVm *vm;
	pid_t agent;
	HvrGuest *guest;
	/* What is run, and what came of it */
	HvrGuestOptions how;
	HvrGuestLive live;
	HvrGuestCommand command;
	HvrGuestResult result;
	GError *error;
} Fixture;

static char *path_of(const Fixture *f, const char *name)
{
	return g_build_filename(f->folder, name, NULL);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* It takes a socket that listens already, as systemd hands it over (qga/main.c): so nobody has to
 * wait until it does. */
static void become_agent(int socket, const char *search)
{
	const char *const argv[] = { "qemu-ga", "-t", "/run", "-f", "/run/ga.pid", NULL };
	g_autofree char *program = g_find_program_in_path("qemu-ga");
	g_autofree char *pid = g_strdup_printf("%d", getpid());
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(socket, 3);
	fcntl(3, F_SETFD, 0);
	setenv("LISTEN_PID", pid, TRUE);
	setenv("LISTEN_FDS", "1", TRUE);
	setenv("PATH", search, TRUE);
	if (program && chdir("/") == 0 && setpgid(0, 0) == 0)
		execv(program, (char *const *)argv);
	_exit(1);
}

static void start_agent(Fixture *f, const char *search)
{
	g_autofree char *path = path_of(f, "vms/lab/" HVR_VM_AGENT);
	g_auto(HvrFd) socket = listen_at(path);

	f->agent = fork();
	assert_true(f->agent >= 0);
	if (f->agent == 0)
		become_agent(socket, search);
	f->guest = hvr_guest_open(&f->context, f->vm, 10000, &f->error);
	assert_null(f->error);
}

static void end_agent(Fixture *f)
{
	kill(f->agent, SIGKILL);
	waitpid(f->agent, NULL, 0);
	f->agent = 0;
}

static int setup(void **state)
{
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=24M") < 0)
		return -1;
	Fixture *f = g_new0(Fixture, 1);
	f->folder = g_dir_make_tmp("hvr-live-XXXXXX", NULL);
	g_autofree char *vm_folder = path_of(f, "vms/lab");
	assert_int_equal(g_mkdir_with_parents(vm_folder, 0700), 0);
	f->context.runtime = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->vm = hvr_vm_new("lab");
	f->live = (HvrGuestLive){ .out_fd = -1, .err_fd = -1, .in_fd = -1, .how = &f->how };
	f->command.live = &f->live;
	*state = f;
	return 0;
}

static void forget(Fixture *f)
{
	hvr_guest_result_clear(&f->result);
	g_clear_error(&f->error);
	hvr_fd_close(f->live.out_fd);
	hvr_fd_close(f->live.err_fd);
	hvr_fd_close(f->live.in_fd);
	f->live.out_fd = f->live.err_fd = f->live.in_fd = -1;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	forget(f);
	hvr_guest_free(f->guest);
	if (f->agent)
		end_agent(f);
	hvr_vm_free(f->vm);
	hvr_fd_close(f->context.runtime);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return umount2("/run", MNT_DETACH);
}

static int new_file(const Fixture *f, const char *name)
{
	g_autofree char *path = path_of(f, name);

	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* What a descriptor is open on, from its beginning. [transfer full] */
static char *text_of(int fd)
{
	GString *text = g_string_new(NULL);
	char bytes[4096];
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), (off_t)text->len)) > 0)
		g_string_append_len(text, bytes, n);
	return g_string_free(text, FALSE);
}

static gboolean has_folder(void)
{
	g_autoptr(GDir) run = g_dir_open("/run", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(run)))
		if (g_str_has_prefix(name, "hailo-vm-run."))
			return TRUE;
	return FALSE;
}

/* Who in our mount namespace has something of it, or its mark. [transfer full] */
static char *left_running(void)
{
	static const char *const argv[] = {
		"sh", "-c",
		"for p in /proc/[0-9]*; do [ $p/ns/mnt -ef /proc/self/ns/mnt ] || continue;"
		"ls -l $p/fd $p/cwd 2>/dev/null | grep hailo-vm-run[.] && tr '\\0' ' ' < "
		"$p/cmdline;"
		"grep -sF HAILO_VM_RUN_COMMAND= $p/environ && tr '\\0' ' ' < $p/cmdline; done; "
		"true",
		NULL
	};
	char *out = NULL;

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
				 NULL, NULL, NULL));
	return g_strstrip(out);
}

/* Who was killed may yet have to be put on a processor for it. */
static void check_nothing_left(void)
{
	gint64 until_us = g_get_monotonic_time() + DYING_US;
	g_autofree char *left = left_running();

	assert_false(has_folder());
	while (*left && g_get_monotonic_time() < until_us) {
		g_usleep(BEAT_US);
		g_free(left);
		left = left_running();
	}
	if (*left)
		fail_msg("left running: %s", left);
}

/* Runs it with what is set already, and files of ours for what is not. */
static gboolean run_words(Fixture *f, const char *const *argv)
{
	g_clear_error(&f->error);
	hvr_guest_result_clear(&f->result);
	if (!f->guest)
		start_agent(f, g_getenv("PATH"));
	if (f->live.out_fd < 0)
		f->live.out_fd = new_file(f, "out");
	if (f->live.err_fd < 0)
		f->live.err_fd = new_file(f, "err");
	f->command.argv = argv;
	return hvr_guest_run(f->guest, &f->command, &f->result, &f->error);
}

static gboolean run(Fixture *f, const char *text)
{
	const char *const argv[] = { "sh", "-c", text, NULL };

	return run_words(f, argv);
}

static void must_run(Fixture *f, const char *text, int status)
{
	if (!run(f, text))
		fail_msg("%s: %s", text, f->error->message);
	if (f->result.status != status) {
		g_autofree char *err = text_of(f->live.err_fd);
		fail_msg("%s: status %d: %s", text, f->result.status, err);
	}
	check_nothing_left();
}

static void must_say(const Fixture *f, const char *out, const char *err)
{
	g_autofree char *said = text_of(f->live.out_fd), *complained = text_of(f->live.err_fd);

	assert_string_equal(said, out);
	assert_string_equal(complained, err);
}

/* What cksum(1) says of a descriptor. [transfer full] */
static char *sum_of(int fd)
{
	g_autofree char *line = g_strdup_printf("cksum < /proc/%d/fd/%d", getpid(), fd);
	const char *const argv[] = { "sh", "-c", line, NULL };
	char *out = NULL;

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
				 NULL, NULL, NULL));
	return out;
}

static void test_status(void **state)
{
	Fixture *f = *state;

	must_run(f, "echo out; echo err >&2; exit 7", 7);
	must_say(f, "out\n", "err\n");
	assert_int_equal(f->result.out->len, 4);
	assert_int_equal(f->result.err->len, 4);
	forget(f);
	must_run(f, "kill -9 $$", 137);
	must_run(f, "exit 124", 124);
	assert_false(f->result.timed_out);
	must_run(f, "exit 125", 125);
	must_run(f, "exit 127", 127);
}

/* What cannot be run is told from a command that ends with the same status. */
static void test_not_run(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *words;
	} cases[] = {
		{ "/no/such", 127, "cannot run '/no/such': No such file" },
		{ "no-such-command", 127, "cannot run 'no-such-command': No such file" },
		{ "/etc/passwd", 126, "Permission denied" },
		{ "/", 126, "Permission denied" },
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const argv[] = { cases[i].name, NULL };
		assert_false(run_words(f, argv));
		if (!strstr(f->error->message, cases[i].words))
			fail_msg("%s: %s", cases[i].name, f->error->message);
		assert_int_equal(hvr_exit_status_of_command(f->error), cases[i].status);
		check_nothing_left();
	}
	must_say(f, "", "");
}

/* Words are never a part of a shell's text. */
static void test_words(void **state)
{
	static const char *const argv[] = { "printf", "%s|", "$(id)",	   "a  b", "",
					    "'\"\\",  "-n",  "\xc3\xa4\n", NULL };
	Fixture *f = *state;

	assert_true(run_words(f, argv));
	must_say(f, "$(id)|a  b||'\"\\|-n|\xc3\xa4\n|", "");
}

/* A file of noise, and its sum. [transfer full] */
static char *make_noise(const Fixture *f, const char *name, int bytes)
{
	g_autofree char *path = path_of(f, name);
	g_autofree char *line = g_strdup_printf("head -c %d /dev/urandom > %s", bytes, path);
	const char *const argv[] = { "sh", "-c", line, NULL };

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
				 NULL, NULL, NULL));
	g_auto(HvrFd) fd = open(path, O_RDONLY | O_CLOEXEC);
	return sum_of(fd);
}

/* More than the agent keeps, and than /run holds, of any bytes, and both outputs apart. */
static void test_much(void **state)
{
	Fixture *f = *state;
	g_autofree char *a = make_noise(f, "a", MANY), *b = make_noise(f, "b", MANY);
	const char *const argv[] = { "sh", "-c", "cat $0/a & cat $0/b >&2; wait", f->folder, NULL };

	assert_true(run_words(f, argv));
	assert_int_equal(f->result.status, 0);
	g_autofree char *out = sum_of(f->live.out_fd), *err = sum_of(f->live.err_fd);
	assert_string_equal(out, a);
	assert_string_equal(err, b);
	check_nothing_left();
}

/* So many small writes are no less. */
static void test_lines(void **state)
{
	Fixture *f = *state;

	must_run(f, "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i + 1)); done", 0);
	g_autofree char *out = text_of(f->live.out_fd);
	g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
	assert_int_equal(g_strv_length(lines), 20001);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(atoi(lines[i]), i);
}

/* A reader at the other end of a pipe. */
typedef struct {
	int fd;
	GString *text;
	gboolean slow;	/* takes a little, seldom */
	gint64 took_us; /* from the time that the first line says, until it was here */
} Reader;

static gboolean on_output(gint fd, GIOCondition condition, gpointer user_data)
{
	Reader *reader = user_data;
	char bytes[65536];
	ssize_t n = read(fd, bytes, reader->slow ? 5000 : sizeof(bytes));

	if (n <= 0)
		return G_SOURCE_REMOVE;
	g_string_append_len(reader->text, bytes, n);
	if (strchr(reader->text->str, '\n') && !reader->took_us) {
		reader->took_us =
			g_get_real_time() - g_ascii_strtoll(reader->text->str, NULL, 10) / 1000;
		g_file_set_contents("/run/go", "", 0, NULL);
	}
	return G_SOURCE_CONTINUE;
}

static void begin_reader(Fixture *f, Reader *reader)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	reader->fd = ends[0];
	reader->text = g_string_new(NULL);
	f->live.out_fd = ends[1];
	g_unix_fd_add(reader->fd, G_IO_IN, on_output, reader);
}

static void end_reader(Fixture *f, Reader *reader)
{
	char bytes[65536];
	ssize_t n;

	hvr_fd_close(f->live.out_fd);
	f->live.out_fd = -1;
	g_source_remove_by_user_data(reader);
	while ((n = read(reader->fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(reader->text, bytes, n);
	hvr_fd_close(reader->fd);
}

/* The command waits until its line was read here, be it the first or one behind a long silence. */
static void test_at_once(void **state)
{
	static const char *const silences[] = { "", "sleep 2; " };
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(silences); i++) {
		Reader reader = { .fd = -1 };
		g_autofree char *text = g_strconcat(
			silences[i], "date +%s%N; until [ -e /run/go ]; do sleep 0.01; done", NULL);
		g_unlink("/run/go");
		begin_reader(f, &reader);
		f->command.timeout_ms = 20000;
		must_run(f, text, 0);
		assert_false(f->result.timed_out);
		end_reader(f, &reader);
		assert_true(reader.took_us > 0);
		assert_true(reader.took_us < G_USEC_PER_SEC);
		g_string_free(reader.text, TRUE);
	}
}

/* Who reads slowly holds the command up, and gets all of it, also when its time is over meanwhile.
 */
static void test_slow_reader(void **state)
{
	Fixture *f = *state;
	Reader reader = { .slow = TRUE };

	begin_reader(f, &reader);
	must_run(f, "seq 1000000", 0);
	end_reader(f, &reader);
	assert_int_equal(reader.text->len, 6888896);
	assert_true(g_str_has_suffix(reader.text->str, "\n999999\n1000000\n"));
	g_string_free(reader.text, TRUE);
}

/* Who reads no more ends the command, as a shell has it. */
static void test_reader_gone(void **state)
{
	Fixture *f = *state;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f->live.out_fd = ends[1];
	close(ends[0]);
	must_run(f, "yes", 128 + SIGPIPE);
}

/* What cannot be written is ours. */
static void test_reader_full(void **state)
{
	Fixture *f = *state;

	f->live.out_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_false(run(f, "yes"));
	assert_non_null(strstr(f->error->message, "cannot write the command's output: No space"));
	assert_int_equal(hvr_exit_status_of_command(f->error), 125);
	check_nothing_left();
}

/* All that it has started: below it, in a session of its own, without its environment, deaf to
 * signals; and what it has said by then is there. */
static void test_timeout(void **state)
{
	static const char *const texts[] = {
		"echo said; sleep 4711",
		"echo said; sleep 4711 & wait",
		"echo said; setsid -f sleep 4711",
		"echo said; setsid sleep 4711 > /dev/null 2>&1 & wait",
		"echo said; setsid -f sh -c 'sleep 4711; true' > /dev/null 2>&1; sleep 4711",
		"echo said; setsid -f env -i sleep 4711",
		"echo said; trap '' TERM INT HUP; while :; do sleep 4711; done",
		"echo said; exec env -i sh -c 'exec > /dev/null 2>&1; sleep 4711; true'",
		"echo said; (exec env -i setsid sleep 4711 > /dev/null 2>&1) & wait",
	};
	Fixture *f = *state;

	f->command.timeout_ms = 500;
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		must_run(f, texts[i], 124);
		assert_true(f->result.timed_out);
		must_say(f, "said\n", "");
		assert_int_equal(f->result.out->len, 5);
		assert_int_equal(system("pgrep -f 'sleep 471[1]' > /dev/null"), 1 << 8);
		forget(f);
	}
}

static void test_timeout_much(void **state)
{
	Fixture *f = *state;
	Reader reader = { .slow = TRUE };

	begin_reader(f, &reader);
	f->command.timeout_ms = 500;
	must_run(f, "seq 300000; sleep 4711", 124);
	end_reader(f, &reader);
	assert_int_equal(reader.text->len, 1988895);
	g_string_free(reader.text, TRUE);
}

/* Sends a signal to this process when a line has come; it is for the command. */
static gboolean on_said(gint fd, GIOCondition condition, gpointer user_data)
{
	char bytes[100];

	assert_true(read(fd, bytes, sizeof(bytes)) > 0);
	kill(getpid(), GPOINTER_TO_INT(user_data));
	return G_SOURCE_REMOVE;
}

static void test_signal(void **state)
{
	static const struct {
		const char *text;
		int signal_number, status;
	} cases[] = {
		{ "echo; exec sleep 4711", SIGINT, 130 },
		{ "echo; exec sleep 4711", SIGTERM, 143 },
		{ "trap 'exit 9' HUP; echo; while :; do sleep 0.01; done", SIGHUP, 9 },
		/* as from a terminal: also who is waited for, once there is somebody */
		{ "sh -c 'echo; exec sleep 4711'; exit 7", SIGINT, 130 },
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		int ends[2];
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		f->live.out_fd = ends[1];
		g_unix_fd_add(ends[0], G_IO_IN, on_said, GINT_TO_POINTER(cases[i].signal_number));
		must_run(f, cases[i].text, cases[i].status);
		assert_int_equal(hvr_interrupt_pending(), cases[i].signal_number);
		close(ends[0]);
		forget(f);
		/* One is enough for a whole conversation. */
		g_clear_pointer(&f->guest, hvr_guest_free);
		end_agent(f);
		g_autofree char *socket = path_of(f, "vms/lab/" HVR_VM_AGENT);
		g_unlink(socket);
	}
}

/* More than the agent takes at once and than /run holds; of a file from where it stands. */
static void test_input(void **state)
{
	Fixture *f = *state;
	g_autofree char *noise = make_noise(f, "noise", SOME), *path = path_of(f, "noise");

	f->live.in_fd = open(path, O_RDONLY | O_CLOEXEC);
	must_run(f, "cksum", 0);
	must_say(f, noise, "");
	assert_int_equal(lseek(f->live.in_fd, 0, SEEK_CUR), 0);
	assert_int_equal(lseek(f->live.in_fd, 10, SEEK_SET), 10);
	hvr_fd_close(f->live.out_fd);
	f->live.out_fd = -1;
	must_run(f, "wc -c", 0);
	must_say(f, "29999990\n", "");
}

static gboolean on_echo(gint fd, GIOCondition condition, gpointer user_data)
{
	int *writer = user_data;
	char bytes[100] = { 0 };

	assert_true(read(fd, bytes, sizeof(bytes) - 1) > 0);
	assert_string_equal(bytes, "one\n");
	assert_int_equal(write(*writer, "two\n", 4), 4);
	close(*writer);
	return G_SOURCE_REMOVE;
}

/* It comes as it is written, so one can talk with a command. */
static void test_input_flows(void **state)
{
	Fixture *f = *state;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	f->live.in_fd = in[0];
	f->live.out_fd = out[1];
	assert_int_equal(write(in[1], "one\n", 4), 4);
	g_unix_fd_add(out[0], G_IO_IN, on_echo, &in[1]);
	must_run(f, "read a; echo $a; read b; echo $b >&2; cat", 0);
	hvr_fd_close(f->live.out_fd);
	f->live.out_fd = -1;
	g_autofree char *err = text_of(f->live.err_fd);
	assert_string_equal(err, "two\n");
	close(out[0]);
}

/* A command that does not want it ends all the same, and one without gets none. */
static void test_input_unread(void **state)
{
	Fixture *f = *state;
	int in[2];

	must_run(f, "cat; readlink /proc/self/fd/0", 0);
	must_say(f, "/dev/null\n", "");
	forget(f);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	f->live.in_fd = in[0];
	must_run(f, "exit 3", 3);
	f->live.in_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	must_run(f, "head -c 3 | od -An -tx1", 0);
	must_say(f, " 00 00 00\n", "");
	close(in[0]);
	close(in[1]);
}

static void test_how(void **state)
{
	char *env[] = { (char *)"A=b c$(id)\n", (char *)"n=5", (char *)"dir=x",
			(char *)"PATH2=", NULL };
	Fixture *f = *state;

	f->how = (HvrGuestOptions){ .env = env, .cwd = (char *)"/usr", .user = (char *)"nobody" };
	must_run(f,
		 "echo \"$A$n $dir ${PATH2-unset}\"; pwd; id -un; id -gn; echo $USER; umask;"
		 "echo x > /dev/stdout; ls /proc/self/fd | wc -l; kill 0",
		 143);
	must_say(f, "b c$(id)\n5 x \n/usr\nnobody\nnogroup\nnobody\n0077\nx\n4\n", "");
}

static void must_fail(Fixture *f, const char *words)
{
	assert_false(run(f, "true"));
	if (!strstr(f->error->message, words))
		fail_msg("%s", f->error->message);
	assert_int_equal(hvr_exit_status_of_command(f->error), 125);
	check_nothing_left();
}

static void test_how_not(void **state)
{
	char *env[] = { (char *)"PATH=/nonexistent", NULL };
	Fixture *f = *state;

	f->how = (HvrGuestOptions){ .cwd = (char *)"/no\nsuch" };
	must_fail(f, "the guest has no folder '/no such' for it");
	f->how = (HvrGuestOptions){ .user = (char *)"no such" };
	must_fail(f, "the guest has no user 'no such'");
	f->how = (HvrGuestOptions){ .cwd = (char *)"/root", .user = (char *)"nobody" };
	must_fail(f, "the guest has no folder '/root'");
	f->how = (HvrGuestOptions){ .env = env };
	assert_false(run(f, "true"));
	assert_int_equal(hvr_exit_status_of_command(f->error), 127);
}

/* A script runs as any user, with its words; and files arrive whole, with their permissions. */
static void test_put(void **state)
{
	Fixture *f = *state;
	static const char *const argv[] = { "a b", "$c", NULL };
	g_autofree char *noise = make_noise(f, "noise", FEW), *from = path_of(f, "noise");
	g_autofree char *to = path_of(f, "there"), *script = path_of(f, "s");
	g_autofree char *word = g_strconcat(from, ":", to, NULL);
	char *put[] = { word, NULL };
	g_autoptr(GError) error = NULL;

	fake_files_write(f->folder, "s",
			 "#!/bin/sh\nid -un; printf '%s|' \"$@\"; cat; stat -c %a%n $0\n", 0600);
	assert_int_equal(chmod(from, 0640), 0);
	f->how = (HvrGuestOptions){ .put = put, .script = script, .user = (char *)"nobody" };
	g_autoptr(GPtrArray) puts = hvr_guest_options_open(&f->how, &error);
	assert_null(error);
	f->live.puts = puts;
	for (int i = 0; i < 2; i++) {
		assert_true(run_words(f, argv));
		assert_int_equal(f->result.status, 0);
		g_autofree char *out = text_of(f->live.out_fd);
		assert_true(g_str_has_prefix(out, "nobody\na b|$c|700/"));
		g_auto(HvrFd) there = open(to, O_RDONLY | O_CLOEXEC);
		g_autofree char *sum = sum_of(there);
		assert_string_equal(sum, noise);
		struct stat st;
		assert_int_equal(fstat(there, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0640);
		check_nothing_left();
		forget(f);
	}
	g_clear_pointer(&puts, g_ptr_array_unref);
	word[strlen(word) - strlen("there")] = '\0';
	puts = hvr_guest_options_open(&f->how, &error);
	f->live.puts = puts;
	must_fail(f, "cannot put '");
}

static gboolean on_gone(gint fd, GIOCondition condition, gpointer user_data)
{
	Fixture *f = user_data;

	kill(f->agent, SIGKILL);
	return G_SOURCE_REMOVE;
}

/* The guest's side is left alone when its agent dies: the command goes on to its end, however much
 * it says, and then nothing is left. */
static void test_lost(void **state)
{
	Fixture *f = *state;
	int out[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	f->live.out_fd = out[1];
	f->live.patience_s = 1;
	g_unix_fd_add(out[0], G_IO_IN, on_gone, f);
	assert_false(run(f, "echo; head -c 30000000 /dev/zero && echo > /run/went-on"));
	assert_int_equal(hvr_exit_status_of_command(f->error), 125);
	for (int i = 0; i < 300 && has_folder(); i++)
		g_usleep(100000);
	check_nothing_left();
	assert_int_equal(access("/run/went-on", F_OK), 0);
	close(out[0]);
}

/* Signs of life: who is there may be silent for long. */
static void test_alive(void **state)
{
	Fixture *f = *state;

	f->live.patience_s = 1;
	must_run(f, "sleep 4; echo x", 0);
	must_say(f, "x\n", "");
}

/* A guest that keeps nothing says so, and what was cut is not told as whole. */
static void test_full(void **state)
{
	Fixture *f = *state;

	assert_int_equal(mount(NULL, "/run", NULL, MS_REMOUNT, "size=1M"), 0);
	assert_false(run(f, "head -c 30000000 /dev/zero"));
	if (!strstr(f->error->message, "no room to keep what it says"))
		fail_msg("%s", f->error->message);
	assert_int_equal(hvr_exit_status_of_command(f->error), 125);
	check_nothing_left();
}

/* Without a shell it is the agent that keeps the output; what cannot be done then is said. */
static void test_no_shell(void **state)
{
	static const char *const argv[] = { "head", "-c", "3000000", "/dev/zero", NULL };
	Fixture *f = *state;
	g_autofree char *head = g_find_program_in_path("head"), *path = path_of(f, "head");

	assert_int_equal(symlink(head, path), 0);
	start_agent(f, f->folder);
	assert_true(run_words(f, argv));
	assert_int_equal(f->result.status, 0);
	assert_int_equal(lseek(f->live.out_fd, 0, SEEK_END), 3000000);
	f->how = (HvrGuestOptions){ .cwd = (char *)"/" };
	assert_false(run_words(f, argv));
	assert_non_null(strstr(f->error->message, "the guest has no shell"));
	assert_int_equal(hvr_exit_status_of_command(f->error), 125);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(status),	   TEST(not_run),     TEST(words),	  TEST(much),
		TEST(lines),	   TEST(at_once),     TEST(slow_reader),  TEST(reader_gone),
		TEST(reader_full), TEST(timeout),     TEST(timeout_much), TEST(signal),
		TEST(input),	   TEST(input_flows), TEST(input_unread), TEST(how),
		TEST(how_not),	   TEST(put),	      TEST(lost),	  TEST(alive),
		TEST(full),	   TEST(no_shell),
	};
	g_autofree char *agent = g_find_program_in_path("qemu-ga");

	if (!agent || geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	umask(077);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
