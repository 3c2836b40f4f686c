/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop, against supervisors and QEMUs that do not answer: it ends in its time, and the host has its
 * card again.
 *
 * The supervisor is hvr_run() in a process of its own, with a real control socket and the real
 * /proc; the cards are the fake machine's. QEMU is a copy of this program, which plays what the
 * profile's [qemu] args name. Of QMP it says the greeting and empty answers: what matters here is
 * when it says nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/ending.h"
#include "launcher/session/run.h"
#include "launcher/session/shutdown.h"
#include "tests/unit/scenarios.h"
#include "vfio/fd.h"

#define SKIP 77
#define PLAY "play-"
#define CARD "0000:02:00.0"
/* A stop of 2 s may take that and what this machine needs beside; before it was without end. */
#define TIME	"2"
#define MOST_MS 12000
#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "         \
	"\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\n"

#define DELETED                                                                                    \
	"{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"DEVICE_DELETED\", "   \
	"\"data\": {\"device\": \"npu\", \"path\": \"/machine/peripheral/npu\"}}\n"

/* The stand-in's side. */

typedef struct {
	gboolean powers_off; /* by the power button, and lets go of a card; else not */
	gboolean quits;
	gboolean answers; /* also behind the first question */
} Play;

static const struct {
	const char *name;
	Play play;
} plays[] = {
	{ "obeys", { TRUE, TRUE, TRUE } },
	{ "ignores", { FALSE, TRUE, TRUE } },
	{ "deaf", { FALSE, FALSE, FALSE } },
};

static int find_fd(char **argv, const char *option)
{
	for (; *argv; argv++) {
		const char *at = strstr(*argv, option);
		if (at)
			return atoi(at + strlen(option));
	}
	return -1;
}

/* Returns: FALSE: the peer is gone */
static gboolean answer_line(int fd, const Play *play)
{
	char line[4096] = "";
	ssize_t n = read(fd, line, sizeof(line) - 1);

	if (n <= 0)
		return FALSE;
	g_auto(GStrv) lines = g_strsplit(line, "\n", -1);
	for (char **one = lines; *one && **one; one++) {
		const char *id = g_strrstr(*one, "\"id\":"); /* behind those of arguments */
		if (strstr(*one, "system_powerdown") && play->powers_off)
			_exit(0);
		if (strstr(*one, "\"quit\"") && play->quits)
			_exit(0);
		if (play->answers || strstr(*one, "qmp_capabilities") ||
		    strstr(*one, "query-status"))
			dprintf(fd, "{\"return\": {}, \"id\": %d}\n", id ? atoi(id + 5) : 0);
		if (play->powers_off && strstr(*one, "device_del"))
			dprintf(fd, DELETED);
	}
	return TRUE;
}

static G_NORETURN void be_qemu(const Play *play, char **argv)
{
	struct pollfd fds[3] = {
		{ .fd = find_fd(argv, "socket,id=hvr-qmp0,fd="), .events = POLLIN },
		{ .fd = find_fd(argv, "socket,id=hvr-qmp1,fd="), .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};

	signal(SIGPIPE, SIG_IGN);
	if (!play->quits)
		signal(SIGTERM, SIG_IGN);
	dprintf(fds[0].fd, GREETING);
	for (;;) {
		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
			continue;
		if (fds[1].revents && fds[2].fd < 0 && play->answers) {
			fds[2].fd = accept(fds[1].fd, NULL, NULL);
			dprintf(fds[2].fd, GREETING);
		} else if (fds[1].revents) {
			fds[1].fd = -1;
		}
		for (guint i = 0; i < G_N_ELEMENTS(fds); i += 2)
			if (fds[i].fd >= 0 && fds[i].revents && !answer_line(fds[i].fd, play))
				fds[i].fd = -1;
	}
}

static int play_as(const char *name, char **argv)
{
	for (guint i = 0; i < G_N_ELEMENTS(plays); i++)
		if (g_str_equal(plays[i].name, name))
			be_qemu(&plays[i].play, argv);
	return 1;
}

/* The user's side. */

typedef struct {
	Machine *machine;
	HvrContext context;
	char *folder, *copy; /* of this program */
	GArray *qemus;	     /* of pid_t: a test that fails leaves none behind */
	char *said;	     /* by the last stop */
	gint64 took_ms;
} Fixture;

/* One VM, and who has started it. */
typedef struct {
	pid_t keeper;	  /* the supervisor's parent, */
	pid_t supervisor; /* which it may trace */
	pid_t qemu;
} Running;

static Machine *make_machine(void)
{
	for (const Scenario *one = scenarios; one->name; one++)
		if (g_str_equal(one->name, "card"))
			return machine_new(one);
	g_assert_not_reached();
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *bytes = NULL;
	gsize length;

	f->folder = g_dir_make_tmp("hvr-stop-XXXXXX", NULL);
	f->copy = g_build_filename(f->folder, "qemu", NULL);
	f->qemus = g_array_new(FALSE, FALSE, sizeof(pid_t));
	f->machine = make_machine();
	f->context = machine_context(f->machine);
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return !g_file_get_contents("/proc/self/exe", &bytes, &length, NULL) ||
	       !g_file_set_contents(f->copy, bytes, (gssize)length, NULL) ||
	       chmod(f->copy, 0755) < 0 || chmod(f->folder, 0755) < 0;
}

/* And not of whoever has got its pid since. */
static gboolean is_ours(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
	g_autofree char *words = NULL;

	return g_file_get_contents(path, &words, NULL, NULL) && strstr(words, "hvr-stop-");
}

static int teardown(void **state)
{
	Fixture *f = *state;

	for (guint i = 0; i < f->qemus->len; i++) {
		const HvrProcess qemu =
			hvr_process_of(&f->context.host, g_array_index(f->qemus, pid_t, i));
		g_auto(HvrFd) pidfd = hvr_process_open(&f->context.host, &qemu);
		if (pidfd >= 0 && is_ours(qemu.pid))
			hvr_process_signal(pidfd, SIGKILL);
	}
	g_array_unref(f->qemus);
	hvr_fd_close(f->context.host.proc);
	hvr_fd_close(f->context.runtime);
	machine_free(f->machine);
	unlink(f->copy);
	rmdir(f->folder);
	g_free(f->copy);
	g_free(f->folder);
	g_free(f->said);
	g_free(f);
	return 0;
}

static HvrProfile *make_profile(const Fixture *f, const char *name, const char *play,
				const char *devices)
{
	g_autofree char *text = g_strdup_printf(
		"[vm]\nname = %s\nmemory = 64M\naccel = tcg\n%s[serial]\nmode = none\n"
		"[security]\nuser = nobody\n[qemu]\nbinary = %s\nargs = " PLAY "%s\n",
		name, devices, f->copy, play);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/tmp/lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		g_error("%s", error->message);
	return profile;
}

static G_NORETURN void be_supervisor(const Fixture *f, const HvrProfile *profile, int ready_fd)
{
	HvrContext context = f->context;
	const HvrRunOptions how = { .mode = HVR_RUN_SUPERVISE, .ready_fd = ready_fd };
	g_autoptr(GError) error = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	hvr_interrupt_init();
	hvr_run(&context, profile, &how, &error);
	if (error)
		hvr_message_error(error);
	_exit(error ? hvr_exit_status(error) : 0);
}

/* @deaf: as a debugger that has it stopped for good when SIGSTOP comes: SIGCONT is of no use */
static G_NORETURN void keep(pid_t supervisor, gboolean deaf)
{
	int status = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (deaf && ptrace(PTRACE_SEIZE, supervisor, NULL, NULL) < 0)
		_exit(99);
	while (waitpid(supervisor, &status, 0) == supervisor && WIFSTOPPED(status))
		if (WSTOPSIG(status) != SIGSTOP)
			ptrace(PTRACE_CONT, supervisor, NULL, WSTOPSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status));
}

static Running start(Fixture *f, const char *name, const char *play, gboolean deaf)
{
	const char *devices = g_str_equal(name, "lab") ? "[device npu]\n" : "";
	HvrProfile *profile = make_profile(f, name, play, devices);
	int ready[2];
	char byte = 0;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t keeper = fork();
	if (keeper == 0) {
		pid_t supervisor = fork();
		if (supervisor == 0)
			be_supervisor(f, profile, ready[1]);
		close(ready[1]);
		keep(supervisor, deaf);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	hvr_profile_free(profile);
	assert_true(hvr_context_open_runtime(&f->context, FALSE, NULL));
	g_autoptr(HvrVm) vm = hvr_vm_read(&f->context, name, NULL);
	assert_non_null(vm);
	g_array_append_val(f->qemus, vm->qemu.pid);
	return (Running){ .keeper = keeper,
			  .supervisor = vm->supervisor.pid,
			  .qemu = vm->qemu.pid };
}

/* How the supervisor ended: its status, or 100 and its signal. */
static int end_of(const Running *running)
{
	int status = 0;

	assert_int_equal(waitpid(running->keeper, &status, 0), running->keeper);
	return WEXITSTATUS(status);
}

static void freeze(const Fixture *f, pid_t pid)
{
	const HvrProcess process = hvr_process_of(&f->context.host, pid);

	assert_int_equal(kill(pid, SIGSTOP), 0);
	/* It is stopped when it is scheduled next. */
	while (!hvr_process_stopped(&f->context.host, &process))
		assert_true(hvr_process_alive(&f->context.host, &process));
}

/* Returns: the status */
static int command(Fixture *f, const char *line)
{
	g_autofree char *path = g_strdup_printf("%s/said-%d", f->folder, (int)getpid());
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GError) error = NULL;
	int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	dup2(file, STDERR_FILENO);
	gint64 begin_us = g_get_monotonic_time();
	int status = hvr_dispatch(&f->context, words, &error);
	f->took_ms = (g_get_monotonic_time() - begin_us) / 1000;
	if (error)
		hvr_message_error(error);
	dup2(own, STDERR_FILENO);
	close(own);
	close(file);
	g_free(f->said);
	g_file_get_contents(path, &f->said, NULL, NULL);
	unlink(path);
	return error ? hvr_exit_status(error) : status;
}

static void expect(Fixture *f, const char *line, int status)
{
	int seen = command(f, line);

	if (seen != status)
		fail_msg("%s: %d instead of %d:\n%s", line, seen, status, f->said);
}

static int run_stop(Fixture *f, const char *words)
{
	g_autofree char *line = g_strconcat("stop ", words, NULL);

	return command(f, line);
}

/* What such a command prints. [transfer full] */
static char *status(Fixture *f, const char *line)
{
	g_autofree char *path = g_build_filename(f->folder, "printed", NULL);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GError) error = NULL;
	char *text = NULL;
	int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	hvr_dispatch(&f->context, words, &error);
	fflush(stdout);
	dup2(own, STDOUT_FILENO);
	close(own);
	close(file);
	g_file_get_contents(path, &text, NULL, NULL);
	unlink(path);
	if (error)
		fail_msg("%s", error->message);
	return text;
}

static void assert_said(const Fixture *f, const char *what)
{
	if (!strstr(f->said, what))
		fail_msg("no '%s' in:\n%s", what, f->said);
}

static void assert_in_time(const Fixture *f)
{
	if (f->took_ms > MOST_MS)
		fail_msg("it took %d ms:\n%s", (int)f->took_ms, f->said);
}

/* Nothing runs, nothing is left, the card is where it was. */
static void assert_over(Fixture *f, const Running *running)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	g_autoptr(GPtrArray) folders = hvr_vm_folders(f->context.runtime);
	g_autofree char *driver = fake_sysfs_driver(f->machine->fs, CARD);
	const HvrProcess qemu = hvr_process_of(&f->context.host, running->qemu);

	assert_false(hvr_process_alive(&f->context.host, &qemu));
	assert_int_equal(entries->len, 0);
	assert_int_equal(folders->len, 0);
	assert_string_equal(driver, "hailo");
	machine_unload(f->machine);
	g_autofree char *difference = machine_difference(f->machine);
	if (difference)
		fail_msg("%s", difference);
}

/* The usual: the guest powers off, and what came of it is said. */
static void test_powered_off(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	assert_int_equal(run_stop(f, "lab"), 0);
	assert_said(f, "VM 'lab' has ended: powered off in ");
	assert_said(f, "npu: " CARD " is back on hailo\n");
	assert_int_equal(end_of(&running), 0);
	assert_over(f, &running);
}

/* Ctrl-Z: it goes on, and does what it is asked. */
static void test_stopped_supervisor(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	freeze(f, running.supervisor);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_said(f, "is stopped, and is told to go on");
	assert_said(f, "powered off in ");
	assert_int_equal(end_of(&running), 0);
	assert_over(f, &running);
}

/* It does not go on: another process does its work. */
static void test_deaf_supervisor(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", TRUE);

	freeze(f, running.supervisor);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_said(f, "does not answer and is ended");
	assert_said(f, "powered off in ");
	assert_said(f, "npu: " CARD " is back on hailo\n");
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	assert_over(f, &running);
}

/* And its QEMU neither answers nor ends. */
static void test_all_deaf(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "deaf", TRUE);

	freeze(f, running.supervisor);
	freeze(f, running.qemu);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_true(f->took_ms >= 1900);
	assert_said(f, "had to be killed: neither the guest nor QEMU ended within 2 s");
	assert_said(f, "npu: " CARD " is back on hailo\n");
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	assert_over(f, &running);
}

/* A QEMU that is stopped goes on for the power button. */
static void test_stopped_qemu(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	freeze(f, running.qemu);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_said(f, "powered off in ");
	assert_int_equal(end_of(&running), 0);
	assert_over(f, &running);
}

/* The whole time: the guest has four fifths of it, QEMU the rest. */
static void test_time_is_the_whole(void **state)
{
	Fixture *f = *state;
	Running ignores = start(f, "lab", "ignores", FALSE);

	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_true(f->took_ms >= 1500);
	assert_said(f, "QEMU was ended: the guest did not answer the power button for 2 s");
	assert_int_equal(end_of(&ignores), 0);
	assert_over(f, &ignores);

	Running deaf = start(f, "lab", "deaf", FALSE);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_true(f->took_ms >= 1900);
	assert_said(f, "had to be killed: neither the guest nor QEMU ended within 2 s");
	assert_int_equal(end_of(&deaf), 0);
	assert_over(f, &deaf);
}

/* -f: the guest is not asked, and the time is QEMU's. */
static void test_forced(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", TRUE);

	freeze(f, running.supervisor);
	assert_int_equal(run_stop(f, "-f -t " TIME " lab"), 0);
	assert_in_time(f);
	assert_said(f, "without asking the guest");
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	assert_over(f, &running);
}

/* The supervisor and QEMU are gone when it looks: what they have left is put right. */
static void test_leftovers(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", TRUE);

	freeze(f, running.supervisor);
	kill(running.qemu, SIGKILL);
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	assert_in_time(f);
	assert_said(f, "npu: " CARD " is back on hailo\n");
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	assert_over(f, &running);
}

/* Both were killed: the same, by a command of which the VM is one that ended. */
static void test_dead(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	kill(running.supervisor, SIGKILL);
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	kill(running.qemu, SIGKILL);
	const HvrProcess qemu = hvr_process_of(&f->context.host, running.qemu);
	while (hvr_process_alive(&f->context.host, &qemu))
		;
	assert_int_equal(run_stop(f, "lab"), 0);
	assert_in_time(f);
	assert_said(f, "VM 'lab' has ended: it had, and nobody had given back what it had\n");
	assert_said(f, "npu: " CARD " is back on hailo\n");
	assert_over(f, &running);
	assert_int_equal(run_stop(f, "lab"), 0);
	assert_said(f, "VM 'lab' has ended already: ");
}

/* A VM whose supervisor was killed, and whose QEMU goes on. */
static Running start_orphan(Fixture *f)
{
	Running running = start(f, "lab", "obeys", FALSE);

	kill(running.supervisor, SIGKILL);
	assert_int_equal(end_of(&running), 100 + SIGKILL);
	return running;
}

/* A stop by a process of its own, whose status is 99 where it does not say so. */
static pid_t begin_stop(Fixture *f, const char *words, const char *says)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	int status = run_stop(f, words);
	if (!strstr(f->said, says)) {
		print_message("%s", f->said);
		status = 99;
	}
	_exit(status);
}

static int status_of(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

/* Two at once: whoever comes second waits for the first, and that is no mistake. */
static void test_two_at_once(void **state)
{
	Fixture *f = *state;
	Running running = start_orphan(f);
	pid_t first = begin_stop(f, "lab", "VM 'lab' has ended"),
	      second = begin_stop(f, "-f lab", "VM 'lab' has ended");

	assert_int_equal(status_of(first), 0);
	assert_int_equal(status_of(second), 0);
	assert_over(f, &running);
}

/* Has the process something to hear of files by, or has it ended? */
static gboolean waits_for_a_lock(pid_t pid)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/fd", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	siginfo_t info = { 0 };
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *target = g_file_read_link(path, NULL);
		if (g_strcmp0(target, "anon_inode:inotify") == 0)
			return TRUE;
	}
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == pid;
}

/* Somebody is about to put it away when it looks, and does. */
static void test_put_away_meanwhile(void **state)
{
	const HvrEndedHow how = { .why = "by another", .status = -1 };
	Fixture *f = *state;
	Running running = start_orphan(f);
	g_autoptr(HvrVm) vm = hvr_vm_read(&f->context, "lab", NULL);
	g_autoptr(GPtrArray) locks = g_ptr_array_new();

	assert_non_null(vm);
	HvrLock *lock = hvr_lock_stand_in(&f->context, "vm-lab", vm, NULL);
	assert_non_null(lock);
	g_ptr_array_add(locks, lock);
	kill(running.qemu, SIGKILL);
	pid_t second = begin_stop(f, "lab", "VM 'lab' has ended: it took ");
	while (!waits_for_a_lock(second))
		;
	assert_true(hvr_ending_finish(&f->context, vm, &how, locks, NULL));
	assert_int_equal(status_of(second), 0);
	hvr_lock_sweep(&f->context.host, f->context.runtime);
	assert_over(f, &running);
}

/* The last line says what came of it, as the host and the record have it. */
static void test_told(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	expect(f, "unplug lab npu", 0);
	assert_string_equal(f->said, "hailo-vm-run: npu: " CARD " is back on hailo\n");
	expect(f, "plug lab npu", 0);
	assert_string_equal(f->said, "hailo-vm-run: npu: " CARD " is in VM 'lab'\n");
	expect(f, "reboot --hard lab", 0);
	assert_string_equal(f->said, "hailo-vm-run: VM 'lab' starts anew\n");
	expect(f, "unplug --keep lab npu", 0);
	assert_string_equal(f->said, "hailo-vm-run: npu: " CARD " is kept on vfio-pci\n");
	assert_int_equal(run_stop(f, "lab"), 0);
	assert_int_equal(end_of(&running), 0);
	expect(f, "release --all", 0);
	assert_over(f, &running);
}

/* A guest that keeps its card: what is said is in seconds, and shown off a terminal, too. */
static void test_refused(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "ignores", FALSE);

	expect(f, "unplug -t 2 lab npu", 75);
	assert_said(f, "hailo-vm-run: unplug npu: asked the guest, for at most 2 s\n");
	assert_said(f, "the guest has not let go of 'npu' within 2 s\n");
	assert_int_equal(run_stop(f, "-f lab"), 0);
	assert_int_equal(end_of(&running), 0);
	assert_over(f, &running);
}

/* What has ended needs nothing more, and is no mistake. */
static void test_ended(void **state)
{
	Fixture *f = *state;

	fake_sysfs_put_file(f->machine->fs, "run/hailo-vm-run/ended/lab/ended.ini",
			    "[ended]\nwhy=guest powered off\nstatus=0\nsince=1\nuntil=2\n");
	assert_int_equal(run_stop(f, "lab"), 0);
	assert_said(f, "VM 'lab' has ended already: guest powered off\n");
	assert_int_equal(run_stop(f, "lab nobody"), 69);
}

/* What its processes are like, for people and programs. */
static void test_status(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", FALSE);

	freeze(f, running.supervisor);
	g_autofree char *text = status(f, "status");
	assert_non_null(strstr(text, "lab: stopped: its supervisor, by a signal"));
	g_autofree char *json = status(f, "status --json");
	assert_non_null(strstr(json, "\"state\":\"stopped\""));
	assert_non_null(strstr(json, "\"stopped\":\"supervisor\""));
	kill(running.supervisor, SIGCONT);
	freeze(f, running.qemu);
	g_autofree char *qemu = status(f, "status lab");
	assert_non_null(strstr(qemu, "lab: stopped: QEMU, by a signal"));
	kill(running.qemu, SIGCONT);
	assert_int_equal(run_stop(f, "lab"), 0);
	assert_int_equal(end_of(&running), 0);
}

/* Several at the same time, deaf or not; what is not there keeps none of them. */
static void test_several(void **state)
{
	Fixture *f = *state;
	Running lab = start(f, "lab", "deaf", FALSE), two = start(f, "two", "deaf", FALSE);

	freeze(f, lab.supervisor);
	assert_int_equal(run_stop(f, "-t " TIME " lab nobody two lab"), 69);
	assert_in_time(f);
	assert_said(f, "no VM named 'nobody' is running");
	assert_said(f, "VM 'lab' has ended: had to be killed");
	assert_said(f, "VM 'two' has ended: had to be killed");
	assert_int_equal(end_of(&lab), 0);
	assert_int_equal(end_of(&two), 0);
	assert_over(f, &lab);
}

static void test_all(void **state)
{
	Fixture *f = *state;
	Running lab = start(f, "lab", "obeys", FALSE), two = start(f, "two", "obeys", TRUE);

	freeze(f, two.supervisor);
	assert_int_equal(run_stop(f, "-t " TIME " --all"), 0);
	assert_in_time(f);
	assert_said(f, "VM 'lab' has ended: powered off");
	assert_said(f, "VM 'two' has ended: powered off");
	assert_int_equal(end_of(&lab), 0);
	assert_int_equal(end_of(&two), 100 + SIGKILL);
	assert_over(f, &lab);
	assert_int_equal(run_stop(f, "--all"), 0);
	assert_said(f, "no VM is running");
	assert_int_equal(run_stop(f, "--all lab"), 64);
	assert_int_equal(run_stop(f, "-f"), 64);
}

/* The other requests do not end anything, and do not wait either. */
static void test_others(void **state)
{
	Fixture *f = *state;
	Running running = start(f, "lab", "obeys", TRUE);
	char *words[] = { (char *)"reboot", (char *)"--hard", (char *)"lab", NULL };
	g_autoptr(GError) error = NULL;

	freeze(f, running.supervisor);
	gint64 begin_us = g_get_monotonic_time();
	hvr_dispatch(&f->context, words, &error);
	assert_true(g_get_monotonic_time() - begin_us < MOST_MS * G_TIME_SPAN_MILLISECOND);
	assert_non_null(error);
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "does not answer\n'hailo-vm-run stop lab' ends"));
	assert_int_equal(run_stop(f, "-t " TIME " lab"), 0);
	end_of(&running);
	assert_over(f, &running);
}

/* From the whole and from the guest's part come the same stages. */
static void test_split(void **state)
{
	static const guint wholes[] = { 1000, 2000, 5000, 25000, 30000, 86400000 };

	for (guint i = 0; i < G_N_ELEMENTS(wholes); i++) {
		HvrShutdownTimes times = hvr_shutdown_split(wholes[i], FALSE);
		HvrShutdownTimes again = hvr_shutdown_from_powerdown(times.powerdown_ms, FALSE);
		HvrShutdownTimes forced = hvr_shutdown_from_powerdown(times.powerdown_ms, TRUE);
		assert_int_equal(times.powerdown_ms + times.quit_ms, wholes[i]);
		assert_true(times.quit_ms <= 5000 && times.quit_ms > 0);
		assert_int_equal(again.quit_ms, times.quit_ms);
		assert_int_equal(forced.quit_ms, wholes[i]);
		assert_int_equal(forced.powerdown_ms, 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(powered_off),
		TEST(stopped_supervisor),
		TEST(deaf_supervisor),
		TEST(dead),
		TEST(two_at_once),
		TEST(put_away_meanwhile),
		TEST(ended),
		TEST(told),
		TEST(refused),
		TEST(status),
		TEST(all_deaf),
		TEST(stopped_qemu),
		TEST(time_is_the_whole),
		TEST(forced),
		TEST(leftovers),
		TEST(several),
		TEST(all),
		TEST(others),
		cmocka_unit_test(test_split),
	};
	const char *last = argv[argc - 1];

	if (g_str_has_prefix(last, PLAY))
		return play_as(last + strlen(PLAY), argv);
	if (geteuid() != 0) /* cannot become somebody else */
		return SKIP;
	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
