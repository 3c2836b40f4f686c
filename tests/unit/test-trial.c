/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `test` as a rig sees it: faults put into each of its steps, and what status, outcome, report and
 * event come of them.
 *
 * The program is the real one, in a mount namespace with a /run of its own, without cards. QEMU and
 * the guest's agent are a copy of this program, which plays what the profile's [qemu] args name; a
 * guest's words are those of QEMU's agent (qga/commands.c) and GLib.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>

#include "launcher/runtime/lock-watch.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/qmp-peer.h"
#include "vfio/fd.h"

#define PLAY	  "play-"
#define EVENTS_FD "9"
/* How many of one profile run at once. */
#define EQUALS	    4
#define ENDED(more) "{\"exited\":true,\"out-data\":\"c2FpZAo=\",\"err-data\":\"ZXJyCg==\"," more "}"

/* The stand-in's side. */

typedef struct {
	const char *play;
	QmpPeer *monitor;
	GPtrArray *agents; /* of QmpPeer: one for each conversation */
	gboolean booted, shown;
} Qemu;

static guint heard(const Qemu *qemu, const char *command)
{
	guint n = 0;

	for (guint i = 0; i < qemu->agents->len; i++)
		n += qmp_peer_count(g_ptr_array_index(qemu->agents, i), command);
	return n;
}

static gboolean plays(const Qemu *qemu, const char *play)
{
	return g_str_equal(qemu->play, play);
}

static void script_exec(const Qemu *qemu, QmpPeer *agent)
{
	static const struct {
		const char *play, *words;
	} failures[] = {
		{ "not-found",
		  "Failed to execute child process ?prog? (No such file or directory)" },
		{ "not-executable", "Failed to execute child process ?prog? (Permission denied)" },
		{ "no-memory", "Failed to fork (Cannot allocate memory)" },
	};

	/* This guest has no shell, which is asked for first. */
	qmp_peer_fails(agent, "guest-exec", "GenericError",
		       "Failed to execute child process ?sh? (No such file or directory)");
	for (guint i = 0; i < G_N_ELEMENTS(failures); i++)
		if (plays(qemu, failures[i].play))
			qmp_peer_fails(agent, "guest-exec", "GenericError", failures[i].words);
	if (plays(qemu, "input"))
		qmp_peer_ignores(agent, "guest-exec");
	else
		qmp_peer_returns(agent, "guest-exec", "{\"pid\":17}");
}

static void script_status(const Qemu *qemu, QmpPeer *agent)
{
	const char *answer = ENDED("\"exitcode\":0");

	if (plays(qemu, "exit-75"))
		answer = ENDED("\"exitcode\":75");
	if (plays(qemu, "signal"))
		answer = ENDED("\"signal\":11");
	if (plays(qemu, "nonsense"))
		answer = "{\"exited\":true}";
	if (plays(qemu, "slow") && heard(qemu, "guest-exec") < 3)
		answer = "{\"exited\":false}";
	if (plays(qemu, "lost"))
		qmp_peer_closes_on(agent, "guest-exec-status");
	else if (plays(qemu, "dies") || plays(qemu, "off") || plays(qemu, "panics") ||
		 plays(qemu, "together"))
		qmp_peer_ignores(agent, "guest-exec-status");
	else
		qmp_peer_returns(agent, "guest-exec-status", answer);
}

static gboolean on_agent(gint fd, GIOCondition condition, gpointer user_data)
{
	Qemu *qemu = user_data;
	QmpPeer *agent = qmp_peer_new_for_fd(NULL, accept(fd, NULL, NULL));

	g_ptr_array_add(qemu->agents, agent);
	script_exec(qemu, agent);
	script_status(qemu, agent);
	if (plays(qemu, "stuck"))
		qmp_peer_ignores(agent, "guest-file-open");
	else
		qmp_peer_returns(agent, "guest-file-open", "5");
	qmp_peer_returns(agent, "guest-file-read",
			 "{\"count\":3,\"buf-b64\":\"b25l\",\"eof\":true}");
	qmp_peer_returns(agent, "guest-file-close", "{}");
	return G_SOURCE_CONTINUE;
}

/* The agent opens its port, in QEMU's words. */
static void boot(Qemu *qemu)
{
	if (qemu->booted || !qmp_peer_count(qemu->monitor, "query-status"))
		return;
	qemu->booted = TRUE;
	if (plays(qemu, "early"))
		_exit(0);
	if (!plays(qemu, "never-ready"))
		qmp_peer_event(qemu->monitor, "VSERPORT_CHANGE",
			       "{\"open\":true,\"id\":\"hvr-agent-port\"}");
}

/* Shows what the command is to be given, before it is said to run. */
static void answer_input(Qemu *qemu)
{
	if (!plays(qemu, "input") || qemu->shown || heard(qemu, "guest-exec") < 2)
		return;
	QmpPeer *agent = g_ptr_array_index(qemu->agents, qemu->agents->len - 1);
	g_autofree char *answer = g_strdup_printf("{\"return\":{\"pid\":17},\"id\":%d}\n",
						  (int)qmp_peer_last_id(agent));
	qemu->shown = TRUE;
	fprintf(stderr, "%s\n", qmp_peer_last_line(agent));
	qmp_peer_say(agent, answer);
}

/* Of the VMs that have come this far. A file tells, which none of them removes. */
static guint count_ready(void)
{
	g_autoptr(GPtrArray) names = fake_files_list("/run", "together");

	return names->len;
}

static void show_ready(const Qemu *qemu)
{
	g_autofree char *name = g_strdup_printf("together/%d", (int)getpid());

	if (plays(qemu, "together") && heard(qemu, "guest-exec-status"))
		fake_files_write("/run", name, "", 0644);
}

static int find_fd(char **argv, const char *prefix)
{
	for (; *argv; argv++)
		if (g_str_has_prefix(*argv, prefix))
			return atoi(*argv + strlen(prefix));
	return -1;
}

/* Words that no XML, and no terminal, should get. */
static void say_on_serial_port(char **argv)
{
	static const char words[] = "guest boots\n\001\xff\033[2J\0]]>&<\n";
	int listening = find_fd(argv, "socket,id=hvr-console,fd=");
	int file = find_fd(argv, "fd="); /* of -add-fd */
	int fd = -1;

	if (listening >= 0)
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0 && write(fd, words, sizeof(words) - 1) < 0)
		_exit(1);
	if (file >= 0 && write(file, words, sizeof(words) - 1) < 0)
		_exit(1);
}

/* What ends it: a request, or the play. */
static gboolean on_tick(gpointer user_data)
{
	Qemu *qemu = user_data;

	boot(qemu);
	show_ready(qemu);
	if (qmp_peer_count(qemu->monitor, "quit") ||
	    qmp_peer_count(qemu->monitor, "system_powerdown") || heard(qemu, "guest-shutdown"))
		_exit(0);
	if (plays(qemu, "dies") && heard(qemu, "guest-exec-status"))
		raise(SIGKILL);
	if (plays(qemu, "off") && heard(qemu, "guest-exec-status"))
		_exit(0);
	if (plays(qemu, "panics") && heard(qemu, "guest-exec-status") && !qemu->shown) {
		qemu->shown = TRUE;
		qmp_peer_event(qemu->monitor, "GUEST_PANICKED", "{\"action\": \"run\"}");
	}
	/* Whoever was to be killed is dead now. */
	if (plays(qemu, "slow") && heard(qemu, "guest-exec") >= 3)
		for (guint i = 0; i < qemu->agents->len; i++)
			qmp_peer_returns(g_ptr_array_index(qemu->agents, i), "guest-exec-status",
					 ENDED("\"signal\":9"));
	/* Nobody's command ends before all of them run. */
	if (plays(qemu, "together") && heard(qemu, "guest-exec-status") && !qemu->shown &&
	    count_ready() == EQUALS) {
		QmpPeer *agent = g_ptr_array_index(qemu->agents, qemu->agents->len - 1);
		g_autofree char *answer =
			g_strdup_printf("{\"return\":" ENDED("\"exitcode\":0") ",\"id\":%d}\n",
					(int)qmp_peer_last_id(agent));
		qemu->shown = TRUE;
		qmp_peer_say(agent, answer);
	}
	answer_input(qemu);
	return G_SOURCE_CONTINUE;
}

static int play(const char *what, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GPtrArray) agents = g_ptr_array_new();
	Qemu qemu = { .play = what, .agents = agents };

	/* The first time, of which this file tells. */
	if (plays(&qemu, "refuses-when-told") && mkdir("/run/tried", 0755) == 0) {
		g_auto(HvrFd) told = open("/run/told", O_RDONLY | O_CLOEXEC);
		char byte;
		/* until somebody has closed the other side */
		if (read(told, &byte, 1) == 0)
			qemu.play = "refuses";
	}
	if (plays(&qemu, "refuses-once") && mkdir("/run/tried", 0755) == 0)
		qemu.play = "refuses";
	if (plays(&qemu, "refuses")) {
		fprintf(stderr, "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot "
				"allocate memory\n");
		return 1;
	}
	qemu.monitor = qmp_peer_new_for_fd(NULL, find_fd(argv, "socket,id=hvr-qmp0,fd="));
	qmp_peer_greet(qemu.monitor);
	say_on_serial_port(argv);
	qmp_peer_returns(qemu.monitor, "query-status", "{\"status\":\"running\",\"running\":true}");
	g_unix_fd_add(find_fd(argv, "socket,id=hvr-agent,fd="), G_IO_IN, on_agent, &qemu);
	g_timeout_add(2, on_tick, &qemu);
	g_main_loop_run(loop);
	return 0;
}

/* The rig's side. */

typedef struct {
	const char *name; /* of the play */
	const char *options;
	const char *profile; /* what it has besides; NULL: nothing */
	int cancel_by;	     /* this signal, when the guest is ready; 0: none */
	const char *at;	     /* ... or when this step begins */
	/* What comes of it. */
	int code;
	const char *class, *where; /* NULL: nowhere, or where the signal came */
	const char *element;	   /* in the report; NULL: all is passed */
	const char *cause;	   /* a part of it */
} Case;

typedef struct {
	char *folder, *copy; /* of this program */
	int status;
	char *out, *err, *events, *junit, *result;
	char *junit_then, *result_then; /* when a case's step has begun */
} Fixture;

static int setup(void **state)
{
	g_autofree char *bytes = NULL;
	gsize length;

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -1;
	Fixture *f = g_new0(Fixture, 1);
	f->folder = g_dir_make_tmp("hvr-trial-XXXXXX", NULL);
	f->copy = g_build_filename(f->folder, "qemu", NULL);
	*state = f;
	return !g_file_get_contents("/proc/self/exe", &bytes, &length, NULL) ||
	       !g_file_set_contents(f->copy, bytes, (gssize)length, NULL) ||
	       chmod(f->copy, 0755) < 0 || chmod(f->folder, 0755) < 0;
}

static void forget(Fixture *f)
{
	g_clear_pointer(&f->out, g_free);
	g_clear_pointer(&f->err, g_free);
	g_clear_pointer(&f->events, g_free);
	g_clear_pointer(&f->junit, g_free);
	g_clear_pointer(&f->result, g_free);
	g_clear_pointer(&f->junit_then, g_free);
	g_clear_pointer(&f->result_then, g_free);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	forget(f);
	fake_files_end(f->folder);
	g_free(f->copy);
	g_free(f->folder);
	g_free(f);
	return umount2("/run", MNT_DETACH);
}

static void write_profile(const Fixture *f, const Case *one)
{
	g_autofree char *text = g_strdup_printf(
		"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[security]\nuser = nobody\n"
		"sandbox = no\n[qemu]\nbinary = %s\nargs = " PLAY "%s\n%s",
		f->copy, one->name, one->profile ? one->profile : "");

	fake_files_write("/run", "lab.ini", text, 0644);
}

static char *text_of(const char *path)
{
	char *text = NULL;

	g_file_get_contents(path, &text, NULL, NULL);
	return text ? text : g_strdup("");
}

static void become_program(const Case *one, const int *fds)
{
	g_autofree char *line = g_strdup_printf(
		PROGRAM " test --junit /run/junit --result /run/result --events=" EVENTS_FD
			"%s /run/lab.ini -- prog",
		one->options);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);

	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	dup2(fds[3], 9);
	execv(PROGRAM, words);
	_exit(121);
}

static int new_file(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* What a member of a line of JSON says, as text; "null". [transfer full] */
static char *member(const char *json, const char *name)
{
	g_autoptr(JsonNode) root = json_from_string(json, NULL);

	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return g_strdup("no JSON");
	JsonNode *node = json_object_get_member(json_node_get_object(root), name);
	if (node && json_node_get_value_type(node) == G_TYPE_STRING)
		return json_node_dup_string(node);
	return node ? json_to_string(node, FALSE) : g_strdup("not there");
}

/* At the event "ready", or when the result file says that a step is on. */
typedef struct {
	Fixture *f;
	pid_t pid;
	int number; /* of the signal that is sent then; 0: none */
	const char *step;
	gboolean over;
} Shot;

static void shoot(Shot *shot, const char *events)
{
	g_autofree char *result = text_of("/run/result");
	g_autofree char *where = member(result, "where");
	gboolean now = strstr(events, "\"event\":\"ready\"") != NULL;

	if (shot->step)
		now = g_str_equal(where, shot->step);
	if (!now || shot->over)
		return;
	shot->over = TRUE;
	/* The result is written last. */
	shot->f->result_then = g_steal_pointer(&result);
	shot->f->junit_then = text_of("/run/junit");
	if (shot->number)
		kill(shot->pid, shot->number);
}

/* Reads events to their end, which is that of all processes. [transfer full] */
static char *follow(int fd, int notify, Shot shot)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = notify, .events = POLLIN } };
	GString *seen = g_string_new(NULL);
	char bytes[4096];
	ssize_t n = 1;

	while (n > 0) {
		shoot(&shot, seen->str);
		if (poll(fds, G_N_ELEMENTS(fds), 30000) <= 0) {
			g_autofree char *err = text_of("/run/err");
			fail_msg("no end of %s\n%s", seen->str, err);
		}
		if (fds[1].revents && read(notify, bytes, sizeof(bytes)) < 0)
			fail();
		if (fds[0].revents)
			n = read(fd, bytes, sizeof(bytes));
		if (fds[0].revents && n > 0)
			g_string_append_len(seen, bytes, n);
	}
	return g_string_free(seen, FALSE);
}

/* Somebody has left it open: its end is waited for. Returns: the reading side */
static int open_pipe(int *out_writer)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*out_writer = ends[1];
	return ends[0];
}

static void run(Fixture *f, const Case *one, const char *input)
{
	int events[2], status;
	const int fds[] = { new_file("/run/in"), new_file("/run/out"), new_file("/run/err"), -1 };
	int all[4];

	forget(f);
	write_profile(f, one);
	close(new_file("/run/result"));
	g_auto(HvrFd) notify = inotify_init1(IN_CLOEXEC);
	assert_true(inotify_add_watch(notify, "/run/result", IN_MODIFY) >= 0);
	assert_int_equal(pipe2(events, O_CLOEXEC), 0);
	memcpy(all, fds, sizeof(all));
	all[3] = events[1];
	assert_true(hvr_fd_write_all(fds[0], input, strlen(input)));
	lseek(fds[0], 0, SEEK_SET);
	g_auto(HvrFd) open_input = -1;
	if (g_strcmp0(one->at, "begin") == 0)
		all[0] = open_pipe(&open_input);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become_program(one, all);
	if (all[0] != fds[0])
		close(all[0]);
	close(events[1]);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	f->events = follow(events[0], notify,
			   (Shot){ .f = f, .pid = pid, .number = one->cancel_by, .step = one->at });
	close(events[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	f->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	f->out = text_of("/run/out");
	f->err = text_of("/run/err");
	f->junit = text_of("/run/junit");
	f->result = text_of("/run/result");
}

static void must_say(const Fixture *f, const char *json, const char *name, const char *expected)
{
	g_autofree char *said = member(json, name);

	if (!g_str_equal(said, expected))
		fail_msg("%s is %s, not %s, in %s\n%s", name, said, expected, json, f->err);
}

static guint count(const char *text, const char *what)
{
	guint n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void must_be_xml(const char *text)
{
	static const GMarkupParser parser = { .start_element = NULL };
	g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
	g_autoptr(GError) error = NULL;

	if (g_markup_parse_context_parse(context, text, -1, &error))
		g_markup_parse_context_end_parse(context, &error);
	if (error)
		fail_msg("%s in %s", error->message, text);
}

/* The report has the one element that it should, and no other. */
static void check_junit(const Fixture *f, const Case *one)
{
	static const char *const elements[] = { "failure", "error", "skipped" };

	must_be_xml(f->junit);

	for (guint i = 0; i < G_N_ELEMENTS(elements); i++) {
		g_autofree char *begin = g_strdup_printf("<%s message=\"", elements[i]);
		guint wanted = g_strcmp0(one->element, elements[i]) == 0;
		if (count(f->junit, begin) != wanted)
			fail_msg("%s: not %u %s in %s\n%s", one->name, wanted, elements[i],
				 f->junit, f->err);
	}
}

/* The event "result", of which there is one. It is the last, but where the VM outlives `test`.
 * [transfer full] */
static char *result_event(const Fixture *f, const Case *one)
{
	static const char begin[] = "{\"event\":\"result\"";
	const char *at = strstr(f->events, begin);

	if (count(f->events, begin) != 1)
		fail_msg("%s: not one result in %s", one->name, f->events);
	const char *end = strchr(at, '\n');
	assert_true(end && (end[1] == '\0' || one->cancel_by == SIGKILL));
	return g_strndup(at, (gsize)(end - at));
}

static void check(Fixture *f, const Case *one)
{
	g_autofree char *code = g_strdup_printf("%d", one->code < 0 ? 128 - one->code : one->code);
	g_autofree char *event = result_event(f, one);
	const char *lines[] = { f->result, event };

	if (f->status != one->code)
		fail_msg("%s: status %d, not %d: %s", one->name, f->status, one->code, f->err);
	check_junit(f, one);
	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *cause = member(lines[i], "cause");
		must_say(f, lines[i], "class", one->class);
		must_say(f, lines[i], "code", code);
		/* A signal comes when it comes. */
		if (!one->cancel_by || one->at)
			must_say(f, lines[i], "where", one->where ? one->where : "null");
		if (!strstr(cause, one->cause ? one->cause : "null"))
			fail_msg("%s: the cause is '%s': %s", one->name, cause, f->err);
	}
	g_autoptr(GPtrArray) left = fake_files_list("/run", "hailo-vm-run/vms");
	if (left->len)
		fail_msg("%s: the VM's folder is still there", one->name);
}

/* Each step's faults: whose they are is never told wrongly. */
static void test_faults(void **state)
{
	static const Case cases[] = {
		{ "passed", "", NULL, 0, NULL, 0, "passed", NULL, NULL, NULL },
		{ "exit-75", "", NULL, 0, NULL, 75, "failed", "command", "failure",
		  "with status 75" },
		{ "signal", "", NULL, 0, NULL, 139, "failed", "command", "failure",
		  "with status 139" },
		{ "slow", " --timeout 1", NULL, 0, NULL, 124, "timed-out", "command", "failure",
		  "within 1 s and was killed" },
		{ "not-found", "", NULL, 0, NULL, 127, "failed", "command", "failure",
		  "cannot run 'prog': Failed to execute" },
		{ "not-executable", "", NULL, 0, NULL, 126, "failed", "command", "failure",
		  "Permission denied" },
		{ "no-memory", "", NULL, 0, NULL, 125, "infrastructure", "command", "error",
		  "Failed to fork" },
		{ "nonsense", "", NULL, 0, NULL, 125, "infrastructure", "command", "error",
		  "makes no sense" },
		{ "dies", "", NULL, 0, NULL, 125, "guest-died", "command", "error",
		  "QEMU was ended by signal 9" },
		{ "off", "", NULL, 0, NULL, 125, "guest-died", "command", "error",
		  "powered it down" },
		{ "panics", "", NULL, 0, NULL, 125, "guest-died", "command", "error",
		  "kernel has panicked" },
		{ "lost", "", NULL, 0, NULL, 125, "infrastructure", "command", "error", "closed" },
		{ "early", "", NULL, 0, NULL, 125, "guest-died", "start", "error",
		  "before its guest was ready" },
		{ "never-ready", " --wait-ready 1", NULL, 0, NULL, 125, "infrastructure", "start",
		  "error", "was not ready within 1 s" },
		{ "refuses", "", NULL, 0, NULL, 125, "infrastructure", "start", "error",
		  "QEMU ended with status 1" },
		{ "passed", "", "[disk root]\nfile = /run/none.img\nformat = raw\n", 0, NULL, 125,
		  "infrastructure", "start", "error", "/run/none.img" },
		{ "passed", "", "[device npu]\naddress = fffe:ff:1f.0\n", 0, NULL, 125,
		  "infrastructure", "start", "error", "fffe:ff:1f.0" },
		{ "slow", "", NULL, SIGTERM, NULL, 128 + SIGTERM, "cancelled", NULL, "skipped",
		  "by signal 15" },
		{ "passed", " --fetch /x:/nonexistent/x", NULL, 0, NULL, 125, "infrastructure",
		  "options", "error", "--fetch: '/nonexistent/x' does not exist" },
		{ "exit-75", " --fetch /x:/run/fetched", NULL, 0, NULL, 75, "failed", "command",
		  "failure", "with status 75" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		run(*state, &cases[i], "");
		check(*state, &cases[i]);
	}
}

/* Whatever ends `test`, its reports say so, and where it was. */
static void test_killed(void **state)
{
	static const Case cases[] = {
		{ "never-ready", "", NULL, SIGKILL, "begin", -SIGKILL, "infrastructure", "begin",
		  "error", "test was killed" },
		{ "never-ready", "", NULL, SIGKILL, "start", -SIGKILL, "infrastructure", "start",
		  "error", "test was killed" },
		{ "slow", "", NULL, SIGKILL, "command", -SIGKILL, "infrastructure", "command",
		  "error", "test was killed" },
		{ "stuck", " --fetch /x:/run/fetched", NULL, SIGKILL, "fetch /x", -SIGKILL,
		  "infrastructure", "fetch /x", "error", "test was killed" },
		{ "slow", "", NULL, SIGTERM, "command", 128 + SIGTERM, "cancelled", "command",
		  "skipped", "by signal 15" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		run(*state, &cases[i], "");
		check(*state, &cases[i]);
	}
}

/* Where all processes are ended at once, nobody is left to say so: so it is said before. */
static void test_meanwhile(void **state)
{
	Fixture *f = *state;
	const Case one = { .name = "slow", .options = " --timeout 1", .at = "command" };

	run(f, &one, "");
	assert_int_equal(f->status, 124);
	must_say(f, f->result_then, "class", "infrastructure");
	assert_non_null(strstr(f->result_then, "has not ended"));
	assert_non_null(strstr(f->junit_then, "<testcase classname=\"lab\" name=\"command\""));
	assert_non_null(strstr(f->junit_then, "<error message=\"the test has not ended"));
}

/* What is refused before there is a VM is in the reports, too. */
static void test_refused(void **state)
{
	static const Case cases[] = {
		{ "passed", "", "colour = red\n", 0, NULL, 125, "infrastructure", "profile",
		  "error", "colour" },
		{ "passed", " --set vm.memory=lots", NULL, 0, NULL, 125, "infrastructure",
		  "profile", "error", "memory" },
		{ "passed", " --fetch x", NULL, 0, NULL, 125, "infrastructure", "options", "error",
		  "--fetch" },
		{ "passed", " --verify --no-verify", NULL, 0, NULL, 125, "infrastructure",
		  "options", "error", "exclude each other" },
		{ "never-ready", "", NULL, SIGINT, "begin", 128 + SIGINT, "cancelled", "input",
		  "skipped", "by signal 2" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		run(*state, &cases[i], "");
		check(*state, &cases[i]);
	}
}

/* The whole has a deadline; a command that is under way then has timed out, else no test has. */
static void test_deadline(void **state)
{
	static const Case cases[] = {
		{ "never-ready", " --deadline 1", NULL, 0, NULL, 125, "infrastructure", "start",
		  "error",
		  "deadline of 1 s has passed before the guest was ready: the guest was not" },
		{ "slow", " --deadline 1 --fetch /x:/run/fetched", NULL, 0, NULL, 124, "timed-out",
		  "command", "failure", "by the deadline of 1 s" },
		{ "slow", " --deadline 60 --timeout 1", NULL, 0, NULL, 124, "timed-out", "command",
		  "failure", "within 1 s" },
		{ "stuck", " --deadline 1 --fetch /x:/run/fetched", NULL, 0, NULL, 125,
		  "infrastructure", "fetch /x", "error", "deadline of 1 s has passed" },
		{ "passed", " --deadline 60", NULL, 0, NULL, 0, "passed", NULL, NULL, NULL },
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		run(f, &cases[i], "");
		check(f, &cases[i]);
		if (cases[i].code != 124 || i > 1)
			continue;
		g_autofree char *fetched = text_of("/run/fetched");
		assert_string_equal(fetched, "one");
		assert_string_equal(f->out, "said\n");
	}
}

/* What is no test's fault may be tried again; what a test has said never is. The last decides. */
static void test_retry(void **state)
{
	static const struct {
		Case one;
		guint attempts;
	} cases[] = {
		{ { "refuses", " --retry-infrastructure 2", NULL, 0, NULL, 125, "infrastructure",
		    "start", "error", "QEMU ended with status 1" },
		  3 },
		{ { "refuses-once", " --retry-infrastructure 2", NULL, 0, NULL, 0, "passed", NULL,
		    NULL, NULL },
		  2 },
		{ { "dies", " --retry-infrastructure 1", NULL, 0, NULL, 125, "guest-died",
		    "command", "error", "signal 9" },
		  2 },
		{ { "exit-75", " --retry-infrastructure 2", NULL, 0, NULL, 75, "failed", "command",
		    "failure", "status 75" },
		  1 },
		{ { "slow", " --retry-infrastructure 2 --timeout 1", NULL, 0, NULL, 124,
		    "timed-out", "command", "failure", "within 1 s" },
		  1 },
		{ { "slow", " --retry-infrastructure 2", NULL, SIGTERM, "command", 128 + SIGTERM,
		    "cancelled", "command", "skipped", "by signal 15" },
		  1 },
	};
	Fixture *f = *state;

	assert_int_equal(chmod("/run", 01777), 0);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *attempts = g_strdup_printf("%u", cases[i].attempts);
		run(f, &cases[i].one, "");
		check(f, &cases[i].one);
		must_say(f, f->result, "attempts", attempts);
		assert_int_equal(count(f->events, "{\"event\":\"attempt\""), cases[i].attempts - 1);
		assert_int_equal(count(f->junit, "<property name=\"attempt "),
				 cases[i].attempts - 1);
	}
}

/* One of several, in files of its own. */
static pid_t start_one_of(const Case *one, guint i)
{
	g_autofree char *out = g_strdup_printf("/run/out.%u", i);
	g_autofree char *err = g_strdup_printf("/run/err.%u", i);
	g_autofree char *events = g_strdup_printf("/run/events.%u", i);
	const int fds[] = { open("/dev/null", O_RDONLY | O_CLOEXEC), new_file(out), new_file(err),
			    new_file(events) };
	pid_t pid = fork();

	if (pid == 0)
		become_program(one, fds);
	for (guint k = 0; k < G_N_ELEMENTS(fds); k++)
		close(fds[k]);
	return pid;
}

/* The VM's lock, as soon as its supervisor has given it up. */
static HvrLock *take_after(const HvrHost *host, int runtime, const char *vm)
{
	g_autofree char *name = hvr_lock_name_vm(vm);
	g_autoptr(HvrLockWatch) watch = hvr_lock_watch_new(host, runtime, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	HvrLock *lock = NULL;

	assert_non_null(watch);
	g_ptr_array_add(names, name);
	while (!(lock = hvr_lock_try(host, runtime, name, "other", NULL)))
		assert_true(hvr_lock_watch_wait(watch, names,
						g_get_monotonic_time() + 30 * G_USEC_PER_SEC));
	return lock;
}

/* Between two attempts somebody else may get the name that the first one had. */
static void test_retry_name(void **state)
{
	const Case one = { .name = "refuses-when-told", .options = " --retry-infrastructure 1" };
	g_auto(HvrFd) parent = open("/run", O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_auto(HvrFd) proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const HvrHost host = { .proc = proc };
	int status;

	assert_int_equal(chmod("/run", 01777), 0);
	write_profile(*state, &one);
	assert_int_equal(mkfifo("/run/told", 0644), 0);
	pid_t pid = start_one_of(&one, 0);
	/* blocks until its QEMU is there */
	g_auto(HvrFd) told = open("/run/told", O_WRONLY | O_CLOEXEC);
	assert_true(told >= 0);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	hvr_fd_close(g_steal_fd(&told));
	g_auto(HvrFd) runtime = hvr_runtime_open(parent, "hailo-vm-run", NULL);
	HvrLock *lock = take_after(&host, runtime, "lab-1");
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	g_autofree char *err = text_of("/run/err.0");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status %x: %s", status, err);
	assert_non_null(strstr(err, "this VM's name is 'lab-2'"));
	hvr_lock_release(lock);
}

/* Runs the program to its end. Returns: its status */
static int call(const char *words)
{
	g_autofree char *line = g_strdup_printf(PROGRAM " %s", words);
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	int status = -1;

	assert_true(g_spawn_sync("/", argv, NULL,
				 G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
				 NULL, NULL, NULL, &status, NULL));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A VM whose test has failed stays for whoever wants to look, and nobody waits for its end. */
static void test_keep(void **state)
{
	static const Case failed = { .name = "exit-75",
				     .options = " --name lab --keep-on-failure" };
	static const Case passed = { .name = "passed",
				     .options = " --keep-on-failure",
				     .class = "passed" };
	static const Case gone = { "dies", " --keep-on-failure", NULL,	    0,	     NULL,
				   125,	   "guest-died",	 "command", "error", "signal 9" };
	Fixture *f = *state;

	run(f, &failed, "");
	assert_int_equal(f->status, 75);
	must_say(f, f->result, "kept", "lab");
	assert_non_null(strstr(f->junit, "<property name=\"kept\" value=\"lab\"/>"));
	assert_non_null(strstr(f->err, "hailo-vm-run stop lab"));
	assert_non_null(strstr(f->events, "\"event\":\"result\""));
	assert_int_equal(call("status lab"), 0);
	assert_int_equal(call("exec --no-input lab -- prog"), 75);
	assert_int_equal(call("stop lab"), 0);
	assert_int_equal(access("/run/hailo-vm-run/vms/lab", F_OK), -1);
	run(f, &passed, "");
	check(f, &passed);
	run(f, &gone, "");
	check(f, &gone);
}

/* @text: (nullable): it is empty */
static void must_hold(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename("/run/kept", name, NULL);
	g_autofree char *seen = NULL;

	if (!g_file_get_contents(path, &seen, NULL, NULL))
		fail_msg("%s is not there", name);
	if (text ? !strstr(seen, text) : *seen != '\0')
		fail_msg("%s: %s", name, seen);
}

/* Writes a profile for each of @plays, and a matrix of them. @more: what it has besides */
static void write_matrix(Fixture *f, const char *const *plays, const char *more)
{
	g_autoptr(GString) matrix = g_string_new(more);

	for (; *plays; plays++) {
		g_autofree char *name = g_strdup_printf("%s.ini", *plays);
		g_autofree char *text = g_strdup_printf(
			"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[security]\nuser = nobody\n"
			"sandbox = no\n[qemu]\nbinary = %s\nargs = " PLAY "%s\n",
			f->copy, *plays);
		fake_files_write("/run", name, text, 0644);
		g_string_append_printf(matrix, "[guest %s]\nprofile = /run/%s\n", *plays, name);
	}
	g_string_append(matrix, "[command c]\nrun = prog 'a b'\n");
	fake_files_write("/run", "matrix.ini", matrix->str, 0644);
}

static void run_matrix(Fixture *f, const char *const *plays, const char *more)
{
	forget(f);
	write_matrix(f, plays, more);
	f->status = call("test --matrix /run/matrix.ini --junit /run/junit --result /run/result "
			 "--events=/run/events --artifacts /run/kept");
	f->junit = text_of("/run/junit");
	f->result = text_of("/run/result");
	f->events = text_of("/run/events");
	unlink("/run/events");
}

/* Many jobs: one report, of which each job's is a part, and one status. */
static void test_matrix(void **state)
{
	static const char *const good[] = { "passed", "off", "exit-75", NULL };
	static const char *const unmade[] = { "passed", "refuses", NULL };
	static const char *const all[] = { "passed", NULL };
	Fixture *f = *state;

	run_matrix(f, good, "[matrix]\noptions = --timeout=9\n");
	assert_int_equal(f->status, 1);
	must_be_xml(f->junit);
	must_say(f, f->result, "class", "failed");
	must_say(f, f->result, "code", "1");
	assert_int_equal(count(f->junit, "<testsuite name="), 3);
	assert_int_equal(count(f->junit, "<failure"), 1);
	assert_int_equal(count(f->junit, "<error"), 1);
	assert_non_null(strstr(f->junit, "<testsuites name=\"matrix.ini\">"));
	assert_non_null(strstr(f->junit, "<testsuite name=\"exit-75/c\""));
	assert_int_equal(count(f->result, "\"class\":\"passed\""), 1);
	assert_int_equal(count(f->result, "\"class\":\"guest-died\""), 1);
	assert_int_equal(count(f->events, "\"event\":\"job\""), 3);
	assert_int_equal(count(f->events, "\"event\":\"result\""), 1);
	must_hold("003-exit-75-c/stdout", "said");
	must_hold("003-exit-75-c/result.json", "\"code\":75");
	must_hold("002-off-c/junit.xml", "<error");
	must_hold("002-off-c/messages.log", "ended while it was in use");
	must_hold("002-off-c/result.json", "powered it down");

	run_matrix(f, unmade, NULL);
	assert_int_equal(f->status, 125);
	must_say(f, f->result, "class", "infrastructure");
	run_matrix(f, all, NULL);
	assert_int_equal(f->status, 0);
	must_say(f, f->result, "class", "passed");
	/* A mistake in the last job is known before the first is run. */
	run_matrix(f, all, "[guest x]\noptions = --colour\n");
	assert_int_equal(f->status, 125);
	must_say(f, f->result, "class", "infrastructure");
	assert_int_equal(count(f->junit, "<error"), 1);
	assert_null(strstr(f->events, "started"));
}

/* For a scheduler: the same jobs as command lines, or by their number. */
static void test_matrix_apart(void **state)
{
	static const char *const plays[] = { "passed", "exit-75", NULL };
	Fixture *f = *state;
	char *argv[] = { (char *)PROGRAM, (char *)"test", (char *)"--matrix=/run/matrix.ini",
			 (char *)"--list", NULL };
	g_autofree char *out = NULL;

	write_matrix(f, plays, "[matrix]\noptions = --timeout=9\n");
	assert_true(
		g_spawn_sync("/", argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, NULL, NULL));
	assert_string_equal(out, "hailo-vm-run test --timeout=9 /run/passed.ini -- prog 'a b'\n"
				 "hailo-vm-run test --timeout=9 /run/exit-75.ini -- prog 'a b'\n");
	assert_int_equal(call("test --matrix /run/matrix.ini --job 1"), 0);
	assert_int_equal(call("test --matrix /run/matrix.ini --job 2 --result /run/result"), 75);
	f->result = text_of("/run/result");
	must_say(f, f->result, "class", "failed");
	assert_int_equal(call("test --matrix /run/matrix.ini --job 3"), 125);
	assert_int_equal(call("test --matrix /run/matrix.ini --timeout 5"), 125);
	assert_int_equal(call("test --matrix /run/matrix.ini /run/passed.ini"), 125);
	assert_int_equal(call("test --list /run/passed.ini -- x"), 125);
	assert_int_equal(call("test"), 125);
}

/* A name and a port that somebody has are not "the guest was not ready". */
static void test_taken(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	g_auto(HvrFd) listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_auto(HvrFd) parent = open("/run", O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_auto(HvrFd) runtime = hvr_runtime_open(parent, "hailo-vm-run", NULL);
	g_auto(HvrFd) proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const HvrHost host = { .proc = proc };
	Case one = { "passed", "", NULL, 0, NULL, 125, "infrastructure", "start", "error", "lab" };

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	g_autofree char *net = g_strdup_printf(
		"[net lan]\nmode = user\nforward = tcp:127.0.0.1:%u-22\n", ntohs(address.sin_port));
	g_autofree char *port = g_strdup_printf("%u", ntohs(address.sin_port));
	one.profile = net;
	one.cause = port;
	run(*state, &one, "");
	check(*state, &one);

	g_autofree char *name = hvr_lock_name_vm("lab");
	HvrLock *lock = hvr_lock_try(&host, runtime, name, "lab", NULL);
	assert_non_null(lock);
	one.profile = NULL;
	one.options = " --name lab";
	one.cause = "VM 'lab' is running already";
	run(*state, &one, "");
	check(*state, &one);
	one.options = " --set vm.name=lab";
	run(*state, &one, "");
	check(*state, &one);
	hvr_lock_release(lock);
}

/* What a person would look for first is in the report, in the guest's words and in ours. */
static void test_said(void **state)
{
	Fixture *f = *state;
	static const char *const parts[] = {
		"<system-err>--- serial port ---\nguest "
		"boots\n\\x01\\xff\\x1b[2J",
		"--- messages ---\n",
		"was not ready within 1 s",
	};
	static const char *const modes[] = { "stdio", "socket", "file\nfile = /run/serial" };
	Case one = { .name = "never-ready", .options = " --wait-ready 1" };

	assert_int_equal(chmod("/run", 01777), 0);
	for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autofree char *serial = g_strdup_printf("[serial]\nmode = %s\n", modes[i]);
		one.profile = serial;
		run(f, &one, "");
		must_be_xml(f->junit);
		for (guint k = 0; k < G_N_ELEMENTS(parts); k++)
			if (!strstr(f->junit, parts[k]))
				fail_msg("no %s in %s", parts[k], f->junit);
	}
}

/* All is kept, whatever fails, and by whoever is left. */
static void test_artifacts(void **state)
{
	Fixture *f = *state;
	static const struct {
		Case one;
		const char *class, *out, *journal, *event;
	} cases[] = {
		{ { "passed", "", .at = "command" }, "passed", "said", NULL, "ready" },
		{ { "exit-75", "", .at = "command" }, "failed", "said", "said", "ready" },
		{ { "slow", " --timeout 1", .at = "command" },
		  "timed-out",
		  "said",
		  "said",
		  "ready" },
		{ { "dies", "", .at = "command" }, "guest-died", NULL, "not to be had", "ended" },
		{ { "refuses", "" }, "infrastructure", NULL, NULL, "started" },
		{ { "slow", "", NULL, SIGKILL, "command" }, "infrastructure", NULL, NULL, "ready" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Case one = cases[i].one;
		g_autofree char *options = g_strconcat(
			" --artifacts /run/kept --fetch /x:/run/fetched", one.options, NULL);
		one.options = options;
		run(f, &one, "");
		must_hold("result.json", f->result);
		must_hold("junit.xml", f->junit);
		must_hold("result.json", cases[i].class);
		must_hold("events.json", cases[i].event);
		must_hold("events.json", "\"event\":\"result\"");
		must_hold("stdout", cases[i].out);
		must_hold("journal.log", cases[i].journal);
		must_hold("messages.log", "hailo-vm-run: ");
		if (one.at)
			must_hold("serial.log", "guest boots");
		if (cases[i].out)
			must_hold("fetched-fetched", "one");
	}
}

/* What a command has said is there also when it was killed, and so is what is fetched. */
static void test_so_far(void **state)
{
	Fixture *f = *state;
	const Case one = { .name = "slow", .options = " --timeout 1 --fetch /x:/run/fetched" };

	run(f, &one, "");
	assert_int_equal(f->status, 124);
	assert_string_equal(f->out, "said\n");
	assert_non_null(strstr(f->err, "err\n"));
	assert_non_null(strstr(f->junit, "<system-out>said\n</system-out>"));
	g_autofree char *fetched = text_of("/run/fetched");
	assert_string_equal(fetched, "one");
}

/* The standard input is the command's, unless nobody wants that; what is too much for a guest
 * without a shell is not cut. */
static void test_input(void **state)
{
	Fixture *f = *state;
	const Case passed_on = { .name = "input", .options = "" };
	const Case none = { .name = "input", .options = " --no-input" };
	g_autofree char *much = g_strnfill(2 * 1024 * 1024 + 1, 'x');

	run(f, &passed_on, "exit 4\n");
	assert_int_equal(f->status, 0);
	if (!strstr(f->err, "\"input-data\":\"ZXhpdCA0Cg==\""))
		fail_msg("%s", f->err);
	run(f, &none, "exit 4\n");
	assert_int_equal(f->status, 0);
	assert_null(strstr(f->err, "input-data"));
	run(f, &passed_on, much);
	assert_int_equal(f->status, 125);
	assert_non_null(strstr(f->err, "at most 2 MiB"));
}

/* Each has a name of its own, in its first message and in each of its events. */
static void check_name(guint i, GHashTable *names)
{
	g_autofree char *err = g_strdup_printf("/run/err.%u", i);
	g_autofree char *said = text_of(err);
	g_autofree char *path = g_strdup_printf("/run/events.%u", i);
	g_autofree char *events = text_of(path);
	g_autofree char *name = member(g_strrstr(events, "{\"event\":"), "vm");
	g_autofree char *first = g_strdup_printf("hailo-vm-run: this VM's name is '%s'\n", name);

	if (!g_str_has_prefix(said, first))
		fail_msg("not '%s': %s", first, said);
	assert_true(g_str_has_prefix(name, "lab-"));
	assert_true(g_hash_table_add(names, g_steal_pointer(&name)));
	/* Nor has it another's ports. */
	char *started = strstr(events, "{\"event\":\"started\"");
	assert_non_null(started);
	*strchr(started, '\n') = '\0';
	assert_true(g_hash_table_add(names, member(started, "forward")));
	assert_true(g_hash_table_add(names, member(started, "screen")));
	assert_non_null(strstr(started, "-22 udp:127.0.0.1:"));
	assert_non_null(strstr(said, "leads to the guest's port 22\n"));
}

/* Equal tests of one profile that are started at once all run, and at once. */
static void test_equal(void **state)
{
	static const char profile[] = "[serial]\nmode = socket\n"
				      "[graphics]\nmode = vnc\nport = auto\n"
				      "[net lan]\nforward = auto udp::auto-53\n"
				      "[disk root]\nfile = /run/root.img\nformat = raw\n";
	const Case one = { .name = "together", .options = "", .profile = profile };
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *image = g_strnfill(4096, 'x');
	pid_t pids[EQUALS];
	int status;

	write_profile(*state, &one);
	fake_files_write("/run", "root.img", image, 0644);
	fake_files_make_folder("/run", "together");
	chmod("/run/together", 0777);
	for (guint i = 0; i < EQUALS; i++)
		pids[i] = start_one_of(&one, i);
	for (guint i = 0; i < EQUALS; i++) {
		g_autofree char *err = g_strdup_printf("/run/err.%u", i);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		g_autofree char *said = text_of(err);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%u: status %x: %s", i, status, said);
		check_name(i, names);
	}
	g_autoptr(GPtrArray) left = fake_files_list("/run", "hailo-vm-run/vms");
	assert_int_equal(left->len, 0);
}

/* Nobody waits in silence for a pipe that somebody has left open. */
static void test_input_open(void **state)
{
	const Case one = { .name = "passed", .options = "" };
	g_autoptr(GString) said = g_string_new(NULL);
	int in[2], err[2], status;
	char bytes[512];
	ssize_t n;

	write_profile(*state, &one);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	const int fds[] = { in[0], err[1], err[1], err[1] };
	pid_t pid = fork();
	if (pid == 0)
		become_program(&one, fds);
	close(in[0]);
	close(err[1]);
	while (in[1] >= 0 && (n = read(err[0], bytes, sizeof(bytes))) > 0) {
		g_string_append_len(said, bytes, n);
		if (strstr(said->str, "waiting for the end of the standard input"))
			close(g_steal_fd(&in[1]));
	}
	assert_int_equal(in[1], -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(err[0]);
}

/* A report that cannot be written is known before the VM is started, and so is a place for what is
 * fetched. */
static void test_reports_first(void **state)
{
	static const char *const options[] = {
		" --junit /nonexistent/x", " --result /nonexistent/x",
		" --result /run",	   " --artifacts /nonexistent/x",
		" --artifacts /run/in",	   " --fetch /x:/nonexistent/x",
		" --fetch /x:/run"
	};
	Fixture *f = *state;

	for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
		const Case one = { .name = "passed", .options = options[i] };
		run(f, &one, "");
		assert_int_equal(f->status, 125);
		if (!strstr(options[i], "--fetch"))
			assert_string_equal(f->events, "");
		assert_null(strstr(f->events, "started"));
		assert_true(strstr(f->err, "cannot") || strstr(f->err, "does not exist (there "));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(faults),	     TEST(killed),     TEST(refused),	TEST(deadline),
		TEST(retry),	     TEST(retry_name), TEST(keep),	TEST(matrix),
		TEST(matrix_apart),  TEST(said),       TEST(artifacts), TEST(meanwhile),
		TEST(taken),	     TEST(so_far),     TEST(input),	TEST(input_open),
		TEST(reports_first), TEST(equal),
	};
	const char *last = argv[argc - 1];

	if (g_str_has_prefix(last, PLAY))
		return play(last + strlen(PLAY), argv);
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
