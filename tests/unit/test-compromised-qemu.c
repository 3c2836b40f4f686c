/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a QEMU that has been taken over can do to the locks with what it inherited. It is played by
 * a copy of this program, which a real run starts in QEMU's place as another user; only the
 * kernel's side of the card is fake.
 *
 * The copy does what the file "orders" beside it says, writes into the FIFO "report" what came of
 * it, and then waits to be killed.
 */
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
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/giveback-groups.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/session/run.h"
#include "tests/unit/scenarios.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define NAME	  "hvr-qemu"
#define GROUP	  "group-14"
#define VM_LOCK	  "vm-lab"
#define FILL_SIZE (1 << 20)
#define ANSWER_MS 20000

/* --- The QEMU
 * ------------------------------------------------------------------------------------- */

static void fill(int fd)
{
	g_autofree char *bytes = g_strnfill(FILL_SIZE, 'x');

	if (write(fd, bytes, FILL_SIZE) < 0 && ftruncate(fd, FILL_SIZE) < 0)
		return;
}

static void forge(int fd)
{
	static const char text[] = "[holder]\nvm=bank\npid=1\nstart_time=1\n[qemu]\npid=1\n";

	if (pwrite(fd, text, sizeof(text) - 1, 0) < 0)
		return;
}

static void drop(int fd)
{
	flock(fd, LOCK_UN);
}

static void look(int fd)
{
}

static const struct {
	const char *name;
	void (*obey)(int fd);
} orders[] = {
	{ "fill", fill }, { "forge", forge }, { "drop", drop }, { "look", look }, { "steal", look },
};

/* Does it to each descriptor that leads to a lock, and reports those. */
static void attack(FILE *report, void (*obey)(int fd))
{
	for (int fd = 0; fd < 1024; fd++) {
		g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
		g_autofree char *target = g_file_read_link(link, NULL);
		if (!target || !strstr(target, "/locks/"))
			continue;
		fprintf(report, "%s %s\n",
			(fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? "reads" : "writes",
			strstr(target, "/locks/"));
		obey(fd);
	}
}

static G_NORETURN void play(const char *program)
{
	g_autofree char *folder = g_path_get_dirname(program);
	g_autofree char *order_path = g_build_filename(folder, "orders", NULL);
	g_autofree char *report_path = g_build_filename(folder, "report", NULL);
	g_autofree char *order = NULL;
	FILE *report = fopen(report_path, "we");

	if (!report || !g_file_get_contents(order_path, &order, NULL, NULL))
		_exit(1);
	for (guint i = 0; i < G_N_ELEMENTS(orders); i++)
		if (g_str_equal(order, orders[i].name))
			attack(report, orders[i].obey);
	/* As if another process of this user had taken all of them by pidfd_getfd(2). */
	pid_t thief = g_str_equal(order, "steal") ? fork() : -1;
	if (thief != 0)
		fprintf(report, "user %u\nthief %d\ndone %d\n", getuid(), (int)thief,
			(int)getpid());
	fclose(report);
	for (;;)
		pause();
}

/* --- Its host
 * ------------------------------------------------------------------------------------- */

typedef struct {
	Machine *machine;
	HvrContext context;
	char *folder; /* where everybody may run the copy, and what is beside it */
	int report;
	pid_t supervisor;
	pid_t qemu;
	pid_t thief; /* -1: none */
	char *told;  /* what QEMU has reported */
} Fixture;

static void put_copy(Fixture *f)
{
	g_autofree char *bytes = NULL;
	g_autofree char *copy = NULL, *report = NULL;
	gsize length = 0;

	f->folder = g_dir_make_tmp("hvr-qemu-XXXXXX", NULL);
	assert_non_null(f->folder);
	copy = g_build_filename(f->folder, NAME, NULL);
	report = g_build_filename(f->folder, "report", NULL);
	assert_true(g_file_get_contents("/proc/self/exe", &bytes, &length, NULL));
	assert_true(g_file_set_contents(copy, bytes, (gssize)length, NULL));
	assert_int_equal(mkfifo(report, 0600), 0);
	assert_true(chmod(f->folder, 0755) == 0 && chmod(copy, 0755) == 0 &&
		    chmod(report, 0666) == 0);
	f->report = open(report, O_RDWR | O_CLOEXEC);
	g_free(f->machine->profile->qemu_binary);
	f->machine->profile->qemu_binary = g_steal_pointer(&copy);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	const Scenario *scenario = scenarios;

	while (g_strcmp0(scenario->name, "card") != 0)
		scenario++;
	f->machine = machine_new(scenario);
	f->context = machine_context(f->machine);
	/* Real processes, so the real /proc. */
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->supervisor = f->qemu = f->thief = -1;
	put_copy(f);
	*state = f;
	return !hvr_context_open_runtime(&f->context, TRUE, NULL);
}

/* Until it is no process any more. It need not be a child of ours. */
static void end_process(pid_t *pid, const HvrHost *host)
{
	HvrProcess process = hvr_process_of(host, *pid);

	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	while (hvr_process_alive(host, &process))
		g_usleep(1000);
	*pid = -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { NAME, "orders", "report" };
	Fixture *f = *state;

	end_process(&f->supervisor, &f->context.host);
	end_process(&f->qemu, &f->context.host);
	end_process(&f->thief, &f->context.host);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(f->folder, names[i], NULL);
		unlink(path);
	}
	rmdir(f->folder);
	hvr_fd_close(f->report);
	hvr_fd_close(f->context.host.proc);
	hvr_fd_close(f->context.runtime);
	machine_free(f->machine);
	g_free(f->folder);
	g_free(f->told);
	g_free(f);
	return 0;
}

static pid_t number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	assert_non_null(at);
	return atoi(at + strlen(word));
}

/* Until QEMU has said "done". */
static void hear(Fixture *f)
{
	g_autoptr(GString) told = g_string_new(NULL);
	struct pollfd poller = { .fd = f->report, .events = POLLIN };

	while (!strstr(told->str, "\ndone ") || !g_str_has_suffix(told->str, "\n")) {
		char buffer[4096];
		if (poll(&poller, 1, ANSWER_MS) != 1)
			fail_msg("QEMU says nothing more than: %s", told->str);
		ssize_t n = read(f->report, buffer, sizeof(buffer));
		assert_true(n > 0);
		g_string_append_len(told, buffer, n);
	}
	f->told = g_strdup(told->str);
}

/* A run in a process of its own, up to a QEMU that has obeyed. */
static void start(Fixture *f, const char *order)
{
	g_autofree char *path = g_build_filename(f->folder, "orders", NULL);
	HvrRunOptions how = { .mode = HVR_RUN_SUPERVISE, .ready_fd = -1 };

	assert_true(g_file_set_contents(path, order, -1, NULL) && chmod(path, 0644) == 0);
	f->supervisor = fork();
	if (f->supervisor == 0) {
		g_autoptr(GError) error = NULL;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hvr_run(&f->context, f->machine->profile, &how, &error);
		_exit(error != NULL);
	}
	assert_true(f->supervisor > 0);
	hear(f);
	f->qemu = number_after(f->told, "done ");
	f->thief = number_after(f->told, "thief ");
	assert_int_not_equal(number_after(f->told, "user "), geteuid());
}

static void assert_held(Fixture *f, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_auto(HvrLockHolder) holder = { 0 };

	assert_true(hvr_lock_holder(&f->context.host, f->context.runtime, name, &holder));
	assert_non_null(holder.vm);
	assert_string_equal(holder.vm, "lab");
	assert_null(hvr_lock_try(&f->context.host, f->context.runtime, name, "next", &error));
	assert_int_equal(hvr_exit_status(error), 75);
}

static void test_qemu_cannot_fill_run(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) names = NULL;

	start(f, "fill");
	names = hvr_tree_list(f->context.runtime, "locks");
	assert_true(names->len > 0);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path =
			g_strconcat("locks/", (char *)g_ptr_array_index(names, i), NULL);
		struct stat st;
		assert_int_equal(fstatat(f->context.runtime, path, &st, 0), 0);
		assert_true(st.st_size < 4096);
	}
	assert_null(strstr(f->told, "writes "));
}

static void test_qemu_cannot_forge_holder(void **state)
{
	static const char *const names[] = { GROUP, VM_LOCK };
	Fixture *f = *state;

	start(f, "forge");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(HvrLockHolder) holder = { 0 };
		assert_held(f, names[i]);
		assert_true(
			hvr_lock_holder(&f->context.host, f->context.runtime, names[i], &holder));
		assert_int_equal(holder.pid.pid, f->supervisor);
	}
}

/* Neither the supervisor's, nor what is left to QEMU when that is killed. */
static void test_qemu_cannot_drop_the_lock(void **state)
{
	Fixture *f = *state;

	start(f, "drop");
	assert_non_null(strstr(f->told, "/locks/" GROUP));
	assert_held(f, GROUP);
	assert_held(f, VM_LOCK);
	end_process(&f->supervisor, &f->context.host);
	assert_held(f, GROUP);
	assert_held(f, VM_LOCK);
}

static void test_stolen_descriptor_does_not_keep_a_dead_vms_lock(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) before = NULL, after = NULL;

	start(f, "steal");
	assert_true(f->thief > 0);
	assert_non_null(strstr(f->told, "/locks/" GROUP));
	end_process(&f->supervisor, &f->context.host);
	assert_int_equal(hvr_giveback_dead(&f->context, &before), 0);
	end_process(&f->qemu, &f->context.host);
	assert_int_equal(kill(f->thief, 0), 0);
	assert_int_equal(hvr_giveback_dead(&f->context, &after), 1);
	HvrLock *group = hvr_lock_try(&f->context.host, f->context.runtime, GROUP, "next", NULL);
	HvrLock *vm = hvr_lock_try(&f->context.host, f->context.runtime, VM_LOCK, "next", NULL);
	assert_non_null(group);
	assert_non_null(vm);
	hvr_lock_release(vm);
	hvr_lock_release(group);
}

/* QEMU has nothing of it, and for as long as it lives no other VM has its name. */
static void test_vm_lock_not_inherited(void **state)
{
	Fixture *f = *state;
	HvrRunOptions how = { .mode = HVR_RUN_SUPERVISE, .ready_fd = -1 };
	g_autoptr(GError) error = NULL;

	start(f, "look");
	assert_null(strstr(f->told, "/locks/" VM_LOCK));
	end_process(&f->supervisor, &f->context.host);
	assert_false(hvr_run(&f->context, f->machine->profile, &how, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "VM 'lab' is running already"));
	end_process(&f->qemu, &f->context.host);
	assert_int_equal(hvr_giveback_dead(&f->context, NULL), 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_qemu_cannot_fill_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_qemu_cannot_forge_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_qemu_cannot_drop_the_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_stolen_descriptor_does_not_keep_a_dead_vms_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vm_lock_not_inherited, setup, teardown),
	};
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);

	/* It does not tell which version it is, and is started all the same. */
	if (g_strcmp0(argv[1], "-version") == 0)
		return 0;
	if (g_str_has_suffix(program, "/" NAME))
		play(program);
	if (geteuid() != 0) /* QEMU is somebody else */
		return 77;
	/* What outlives its supervisor is ours to wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
