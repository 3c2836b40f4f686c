/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose a card is, and whose a VM: what root sees of plain users, whatever they have put into their
 * folders, and who may have what given back.
 *
 * In a mount namespace, with a /run of its own.
 */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/host/occupancy.h"
#include "launcher/report/error.h"
#include "launcher/runtime/job.h"
#include "launcher/runtime/journal.h"
#include "launcher/runtime/others.h"
#include "launcher/session/run.h"
#include "scenarios.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define USER   65534
#define FOLDER "user/65534/hailo-vm-run"
#define RECORD FOLDER "/vms/lab/vm.ini"
#define CARD   "0000:02:00.0"

typedef struct {
	HvrContext context;
	pid_t pid; /* of a process of that user's */
	char *text;
} Fixture;

static void give_away(const char *path)
{
	g_autofree char *full = g_strconcat("/run/", path, NULL);

	assert_int_equal(lchown(full, USER, USER), 0);
}

static pid_t start_process(uid_t uid)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	return pid;
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static char *make_text(const Fixture *f, pid_t pid)
{
	HvrProcess process = hvr_process_of(&f->context.host, pid);

	return g_strdup_printf(
		"[vm]\nname=lab\nby=root\nprofile=/etc/a.ini\nqemu=%d %" G_GUINT64_FORMAT "\n",
		(int)process.pid, process.start_time);
}

static void put_record(const char *text)
{
	static const char *const owned[] = { "user/65534", FOLDER, FOLDER "/vms", FOLDER "/vms/lab",
					     RECORD };

	fake_files_write("/run", RECORD, text, 0600);
	for (guint i = 0; i < G_N_ELEMENTS(owned); i++)
		give_away(owned[i]);
}

/* It is that user's once it sleeps; until then it may be root's. */
static void await_user(const Fixture *f)
{
	uid_t uid = 0;

	while (hvr_process_uid(&f->context.host, f->pid, &uid) && uid != USER)
		sched_yield();
}

static int setup(void **state)
{
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -1;
	Fixture *f = g_new0(Fixture, 1);
	f->context = (HvrContext){ .runtime = -1, .runtime_parent = -1, .privileged = TRUE };
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->context.host.run = open("/run", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->pid = start_process(USER);
	await_user(f);
	f->text = make_text(f, f->pid);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	end_process(f->pid);
	hvr_fd_close(f->context.host.proc);
	hvr_fd_close(f->context.host.run);
	g_free(f->text);
	g_free(f);
	return umount2("/run", MNT_DETACH);
}

/* A VM of a user's, with the user's name, whoever its record says that it was. */
static void test_seen(void **state)
{
	Fixture *f = *state;
	const struct passwd *entry = getpwuid(USER);

	put_record(f->text);
	g_autoptr(GPtrArray) others = hvr_others_find(&f->context);
	assert_int_equal(others->len, 1);
	const HvrOther *other = g_ptr_array_index(others, 0);
	assert_string_equal(other->vm->name, "lab");
	assert_int_equal(other->vm->qemu.pid, f->pid);
	assert_int_equal(other->uid, USER);
	assert_string_equal(other->user, entry ? entry->pw_name : "65534");
	assert_string_equal(other->vm->by, other->user);
	assert_string_equal(other->path, "/run/" FOLDER);
	assert_string_equal(other->below, FOLDER);
}

/* Also where `setup` has made a place for those without a session. */
static void test_seen_without_session(void **state)
{
	Fixture *f = *state;

	fake_files_write("/run", "hailo-vm-run-users/65534/vms/lab/vm.ini", f->text, 0600);
	give_away("hailo-vm-run-users/65534");
	give_away("hailo-vm-run-users/65534/vms");
	give_away("hailo-vm-run-users/65534/vms/lab");
	give_away("hailo-vm-run-users/65534/vms/lab/vm.ini");
	g_autoptr(GPtrArray) others = hvr_others_find(&f->context);
	assert_int_equal(others->len, 1);
}

#define OVER FOLDER "/ended/lab/ended.ini"

static void put_ended(const char *text)
{
	fake_files_write("/run", OVER, text, 0600);
	give_away(FOLDER "/ended");
	give_away(FOLDER "/ended/lab");
	give_away(OVER);
}

/* What it says is one harmless line; whose it was the folder says. */
static void test_ended(void **state)
{
	Fixture *f = *state;
	const struct passwd *entry = getpwuid(USER);

	put_record(f->text);
	put_ended("[ended]\nwhy=QEMU \x1b[2J\nby=root\nstatus=69\nuntil=1700000000\n");
	g_autoptr(GPtrArray) all = hvr_others_ended(&f->context);
	assert_int_equal(all->len, 1);
	const HvrOtherEnded *other = g_ptr_array_index(all, 0);
	assert_string_equal(other->user, entry ? entry->pw_name : "65534");
	assert_string_equal(other->ended->name, "lab");
	assert_string_equal(other->ended->why, "QEMU \\x1b[2J");
	assert_int_equal(other->ended->status, 69);
	g_autoptr(GPtrArray) running = hvr_others_find(&f->context);
	assert_int_equal(running->len, 1);
}

static void assert_none_ended(const Fixture *f, const char *what)
{
	g_autoptr(GPtrArray) all = hvr_others_ended(&f->context);

	if (all->len)
		fail_msg("%s: it was believed", what);
}

static void test_ended_traps(void **state)
{
	Fixture *f = *state;
	g_autofree char *much = g_strnfill(HVR_ENDED_RECORD_MAX + 4096, '#');
	g_autofree char *padded = g_strconcat(much, "\n[ended]\nwhy=x\n", NULL);

	put_record(f->text);
	put_ended("nonsense");
	assert_none_ended(f, "no record");
	put_ended(padded);
	assert_none_ended(f, "more than a record has");
	fake_files_remove("/run", OVER);
	fake_files_write("/run", "elsewhere.ini", "[ended]\nwhy=x\n", 0600);
	fake_files_link_text("/run", OVER, "/run/elsewhere.ini");
	give_away(OVER);
	assert_none_ended(f, "a link to a file of root's");
	fake_files_remove("/run", OVER);
	assert_int_equal(mkfifo("/run/" OVER, 0600), 0);
	give_away(OVER);
	assert_none_ended(f, "a pipe that nobody writes to");
}

static void assert_unseen(const Fixture *f, const char *what)
{
	g_autoptr(GPtrArray) others = hvr_others_find(&f->context);

	if (others->len)
		fail_msg("%s: a VM was believed", what);
}

/* A record that names another's process, a dead one, or one that has its number now. */
static void test_lies(void **state)
{
	Fixture *f = *state;
	g_autofree char *of_root = make_text(f, getpid());
	g_autofree char *reused = g_strdup_printf("[vm]\nqemu=%d 1\n", (int)f->pid);
	pid_t dead = start_process(USER);
	g_autofree char *of_dead = make_text(f, dead);

	end_process(dead);
	put_record(of_root);
	assert_unseen(f, "root's process");
	put_record(reused);
	assert_unseen(f, "another start time");
	put_record(of_dead);
	assert_unseen(f, "a dead process");
	put_record("nonsense");
	assert_unseen(f, "no record");
}

/* What root would follow, wait for, or read without end. */
static void test_traps(void **state)
{
	Fixture *f = *state;
	g_autofree char *much = g_strnfill(HVR_VM_RECORD_MAX + 4096, 'x');
	g_autofree char *padded = g_strconcat(much, "\n", f->text, NULL);

	put_record(f->text);
	fake_files_write("/run", "elsewhere.ini", f->text, 0600);
	fake_files_remove("/run", RECORD);
	fake_files_link_text("/run", RECORD, "/run/elsewhere.ini");
	give_away(RECORD);
	assert_unseen(f, "a link to a file of root's");
	fake_files_remove("/run", RECORD);
	assert_int_equal(mkfifo("/run/" RECORD, 0600), 0);
	give_away(RECORD);
	assert_unseen(f, "a pipe that nobody writes to");
	fake_files_remove("/run", RECORD);
	put_record(padded);
	assert_unseen(f, "more than a record has");
	fake_files_move("/run", FOLDER "/vms/lab", FOLDER "/vms/..lab");
	assert_unseen(f, "a name that is none");
}

/* Neither a folder that is somebody else's nor a link to one is the user's. */
static void test_folder_of_another(void **state)
{
	Fixture *f = *state;

	put_record(f->text);
	assert_int_equal(chown("/run/" FOLDER, 1, 1), 0);
	assert_int_equal(chmod("/run/" FOLDER, 0755), 0);
	assert_unseen(f, "another's folder");
	assert_int_equal(chown("/run/" FOLDER, USER, USER), 0);
	fake_files_move("/run", FOLDER, "user/65534/real");
	fake_files_link_text("/run", FOLDER, "real");
	give_away(FOLDER);
	assert_unseen(f, "a link");
}

static Machine *make_machine(void)
{
	for (const Scenario *one = scenarios; one->name; one++)
		if (g_str_equal(one->name, "card"))
			return machine_new(one);
	g_assert_not_reached();
}

/* `list` names the VM and its user where it could only have named QEMU. */
static void test_occupancy(void **state)
{
	g_autoptr(Machine) machine = make_machine();
	FakeSysfs *fs = machine->fs;
	HvrContext context = machine_context(machine);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context.host, NULL);
	HvrPciAddress address;
	HvrOccupancy occupancy = { 0 };
	static const char *const owned[] = { "", "/vms", "/vms/lab", "/vms/lab/vm.ini" };

	assert_true(hvr_pci_address_parse(CARD, &address));
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_ptr_array_add(one, (gpointer)hvr_inventory_find(inventory, &address));
	machine_show_process(machine, 803);
	fake_sysfs_add_process(fs, 803, "qemu-system-x86", "/dev/vfio/14");
	fake_sysfs_put_file(fs, "proc/803/status",
			    "Name:\tqemu\nUid:\t65534\t65534\t65534\t65534\n");
	fake_sysfs_put_file(fs, "run/" FOLDER "/vms/lab/vm.ini", "[vm]\nqemu=803 4711\n");
	for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
		g_autofree char *path = g_strconcat(fs->root, "/run/" FOLDER, owned[i], NULL);
		assert_int_equal(chown(path, USER, USER), 0);
	}
	HvrOccupancyFinder *finder = hvr_occupancy_finder_new(&context, one);
	hvr_occupancy_find(finder, g_ptr_array_index(one, 0), &occupancy);
	g_autofree char *said = hvr_occupancy_describe(&occupancy);
	assert_string_equal(said, "VM lab of user nobody (pid 803)");
	hvr_occupancy_clear(&occupancy);
	hvr_occupancy_finder_free(finder);
	hvr_fd_close(context.runtime);
}

/* Root's `stop`, in a process that may be killed. Returns: the status */
static int run_stop(const Fixture *f, const char *line)
{
	g_autofree char *whole = g_strconcat("stop -t 2 ", line, NULL);
	g_auto(GStrv) words = g_strsplit(whole, " ", -1);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		HvrContext context = f->context;
		g_autoptr(GError) error = NULL;
		status = hvr_dispatch(&context, words, &error);
		_exit(error ? hvr_exit_status(error) : status);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Root stops the VMs of others as those others: by name where it is the only one, and by --all. A
 * record is believed no more than by `status`. */
static void test_stop_others(void **state)
{
	static const char *const lines[] = { "lab", "--all" };

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		Fixture *f = *state;
		put_record(f->text);
		assert_int_equal(run_stop(f, lines[i]), 0);
		int status = 0;
		assert_int_equal(waitpid(f->pid, &status, WNOHANG), f->pid);
		assert_true(WIFSIGNALED(status));
		assert_false(g_file_test("/run/" FOLDER "/vms/lab", G_FILE_TEST_EXISTS));
		f->pid = start_process(USER);
		await_user(f);
		g_free(f->text);
		f->text = make_text(f, f->pid);
	}
	Fixture *f = *state;
	g_autofree char *of_root = make_text(f, getpid());
	put_record(of_root);
	assert_int_equal(run_stop(f, "lab"), 69);
	assert_int_equal(run_stop(f, "--all"), 0);
}

/* Only root looks. */
static void test_plain(void **state)
{
	Fixture *f = *state;

	put_record(f->text);
	f->context.privileged = FALSE;
	assert_unseen(f, "a plain user");
}

/* The job is what is named first; what is none is passed over, but not one's own word. */
static void test_job(void **state)
{
	static const struct {
		const char *name, *value, *job;
		gboolean refused;
	} cases[] = {
		{ "SLURM_JOB_ID", "17", "17", FALSE },
		{ "CI_JOB_ID", "4711", "4711", FALSE },
		{ "BUILD_TAG", "jenkins-a-1", "jenkins-a-1", FALSE },
		{ "PBS_JOBID", "1.server", "1.server", FALSE },
		{ "CI_JOB_ID", "a b", NULL, FALSE },
		{ "CI_JOB_ID", "../x", NULL, FALSE },
		{ "HAILO_VM_JOB", "rig:7", "rig:7", FALSE },
		{ "HAILO_VM_JOB", "", NULL, FALSE },
		{ "HAILO_VM_JOB", "a\nb", NULL, TRUE },
		{ "HAILO_VM_JOB", "-x", NULL, TRUE },
	};
	g_autofree char *longest = g_strnfill(64, 'j'), *longer = g_strnfill(65, 'j');

	assert_true(hvr_job_valid(longest));
	assert_false(hvr_job_valid(longer));
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *job = NULL;
		g_autoptr(GError) error = NULL;
		clearenv();
		g_setenv(cases[i].name, cases[i].value, TRUE);
		assert_int_equal(!hvr_job_find(&job, &error), cases[i].refused);
		assert_true(g_strcmp0(job, cases[i].job) == 0);
		assert_int_equal(error ? hvr_exit_status(error) : 0, cases[i].refused ? 64 : 0);
	}
	clearenv();
	g_setenv("SLURM_JOB_ID", "17", TRUE);
	g_setenv("HAILO_VM_JOB", "own", TRUE);
	g_autofree char *both = NULL;
	assert_true(hvr_job_find(&both, NULL));
	assert_string_equal(both, "own");
	clearenv();
}

/* `release` with these words, as who called sudo; NULL: root itself. Returns: the status */
static int release(const Machine *machine, const char *sudo, const char *line)
{
	HvrContext context = machine_context(machine);
	g_autofree char *whole = g_strconcat("release ", line, NULL);
	g_auto(GStrv) words = g_strsplit(whole, " ", -1);
	g_autoptr(GError) error = NULL;

	clearenv();
	if (sudo)
		g_setenv("SUDO_UID", sudo, TRUE);
	int status = hvr_dispatch(&context, words, &error);
	hvr_fd_close(context.runtime);
	clearenv();
	return error ? hvr_exit_status(error) : status;
}

static gboolean is_taken(const Machine *machine)
{
	HvrContext context = machine_context(machine);

	assert_true(hvr_context_open_runtime(&context, TRUE, NULL));
	g_autoptr(GPtrArray) entries = hvr_journal_list(context.runtime, NULL);
	hvr_fd_close(context.runtime);
	return entries->len == 1;
}

/* @sudo: who calls it; NULL: root itself */
static void prepare(const Machine *machine, const char *sudo, const char *job)
{
	const HvrRunOptions how = { .mode = HVR_RUN_PREPARE, .ready_fd = -1 };
	HvrContext context = machine_context(machine);
	g_autoptr(GError) error = NULL;

	clearenv();
	if (sudo)
		g_setenv("SUDO_UID", sudo, TRUE);
	context.job = job;
	hvr_run(&context, machine->profile, &how, &error);
	clearenv();
	hvr_fd_close(context.runtime);
	if (error)
		fail_msg("%s", error->message);
}

/* Each way to name them finds those and no others. */
static void test_release_chosen(void **state)
{
	static const char *const others[] = { "--job 18", "--user 12345", "--vm lab",
					      "--user daemon --job 17", "--vm other --job 17" };
	static const char *const its[] = { "--job 17", "--user nobody", "--user 65534 --job 17",
					   "--all", CARD };

	for (guint i = 0; i < G_N_ELEMENTS(its); i++) {
		g_autoptr(Machine) machine = make_machine();
		prepare(machine, "65534", "17");
		for (guint k = 0; k < G_N_ELEMENTS(others); k++) {
			assert_int_equal(release(machine, NULL, others[k]), 0);
			assert_true(is_taken(machine));
		}
		assert_int_equal(release(machine, NULL, its[i]), 0);
		assert_false(is_taken(machine));
	}
}

/* Root may have everybody's, who called sudo their own, and nobody root's. */
static void test_release_by_sudo(void **state)
{
	static const struct {
		const char *by, *who, *line;
		int status;
		gboolean released;
	} cases[] = {
		{ "65534", "1", "--all", 0, FALSE },
		{ "65534", "1", CARD, 77, FALSE },
		{ "65534", "1", "--job 17", 0, FALSE },
		{ NULL, "65534", "--all", 0, FALSE },
		{ NULL, "65534", CARD, 77, FALSE },
		{ NULL, "65534", "--user nobody", 0, FALSE },
		{ "65534", "65534", "--all", 0, TRUE },
		{ "65534", "65534", CARD, 0, TRUE },
		{ "65534", NULL, "--all", 0, TRUE },
		{ NULL, NULL, "--all", 0, TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = make_machine();
		prepare(machine, cases[i].by, "17");
		int status = release(machine, cases[i].who, cases[i].line);
		if (status != cases[i].status || is_taken(machine) == cases[i].released)
			fail_msg("%u: %d, %s", i, status, is_taken(machine) ? "taken" : "given");
	}
}

/* What goes together, and what does not. */
static void test_release_words(void **state)
{
	static const char *const wrong[] = { "--all --job 17", "--job 17 " CARD, "--job a/b",
					     "--user nosuchuser", "--forget --job 17" };
	g_autoptr(Machine) machine = make_machine();

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_int_equal(release(machine, NULL, wrong[i]), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
		TEST(seen),
		TEST(seen_without_session),
		TEST(ended),
		TEST(ended_traps),
		TEST(lies),
		TEST(traps),
		TEST(folder_of_another),
		TEST(stop_others),
		TEST(plain),
		cmocka_unit_test(test_occupancy),
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_release_chosen),
		cmocka_unit_test(test_release_by_sudo),
		cmocka_unit_test(test_release_words),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
