/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program saves a guest and goes on with it, by a real QEMU under TCG: the lab's little guest,
 * which says "guest: ready" once, and answers to the power button. It has no card: those come as by
 * `plug`, which the lab tells.
 *
 * In a mount namespace, with a /run and a /var/cache of its own: nothing here is the host's.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define SKIP  77
#define STORE "/var/cache/hailo-vm-run/warm"

#define RUN	"run --detach --wait-ready 120 --events /run/events lab.ini --set vm.warm="
#define AUTO	RUN "auto"
#define REQUIRE RUN "require"
#define DROPPED "the state was dropped by somebody else meanwhile"

static const char profile[] = "[vm]\nname = lab\nmemory = 64M\ncpus = 1\naccel = tcg\n"
			      "[boot]\nkernel = guest.elf\n"
			      "[disk root]\nfile = disk.qcow2\nsnapshot = yes\n"
			      "[serial]\nmode = socket\n"
			      "[guest]\nready = serial:guest: ready\n";

static void copy_file(const char *from, const char *to)
{
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(from, &bytes, &length, NULL));
	assert_true(g_file_set_contents(to, bytes, (gssize)length, NULL));
	assert_int_equal(chmod(to, 0644), 0);
}

/* What a command came to. */
typedef struct {
	int status;
	char *out, *err;
} Called;

static void called_clear(Called *called)
{
	g_free(called->out);
	g_free(called->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Called, called_clear)

static Called call(const char *line)
{
	g_autofree char *full = g_strconcat(PROGRAM " ", line, NULL);
	g_auto(GStrv) argv = NULL;
	Called called = { 0 };
	int status;

	assert_true(g_shell_parse_argv(full, NULL, &argv, NULL));
	assert_true(g_spawn_sync("/run", argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &called.out,
				 &called.err, &status, NULL));
	called.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	return called;
}

static void assert_call(const char *line, int status, const char *said)
{
	g_auto(Called) called = call(line);

	if (called.status != status || (said && !strstr(called.err, said)))
		fail_msg("%s: %d, not %d '%s': %s%s", line, called.status, status, said, called.out,
			 called.err);
}

static int setup_all(void **state)
{
	g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");
	g_autofree char *qemu_img = g_find_program_in_path("qemu-img");

	if (geteuid() != 0 || !qemu || !qemu_img || access(GUEST, R_OK) < 0 ||
	    unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(SKIP);
	return 0;
}

static int setup(void **state)
{
	g_autofree char *guest = NULL;

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0 ||
	    mount("tmpfs", "/var/cache", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -1;
	copy_file(GUEST, "/run/guest.elf");
	fake_files_write("/run", "lab.ini", profile, 0644);
	return g_spawn_command_line_sync("qemu-img create -q -f qcow2 /run/disk.qcow2 1M", NULL,
					 NULL, NULL, NULL) &&
			       chmod("/run/disk.qcow2", 0666) == 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	umount2("/var/cache", MNT_DETACH);
	return umount2("/run", MNT_DETACH);
}

static char *read_serial(void)
{
	g_auto(Called) called = call("log --serial lab");

	return g_steal_pointer(&called.out);
}

/* Starts it with these words, looks whether it went on, and powers it down. */
static void start(const char *words, gboolean goes_on, const char *said)
{
	g_autofree char *line = g_strdup_printf(
		"run --detach --wait-ready 120 --events /run/events lab.ini %s", words);
	g_autofree char *events = NULL;

	unlink("/run/events");
	assert_call(line, 0, said);
	assert_true(g_file_get_contents("/run/events", &events, NULL, NULL));
	g_autofree char *before = read_serial();
	assert_call("stop lab", 0, NULL);
	g_autofree char *after = read_serial();
	/* it does not say again what it had said */
	assert_true((strstr(before, "guest: ready") == NULL) == goes_on);
	assert_true((strstr(events, "\"restored\"") != NULL) == goes_on);
	assert_non_null(strstr(after, "guest: power button"));
	assert_non_null(strstr(events, "\"ready\""));
}

static guint count_states(void)
{
	g_autoptr(GPtrArray) names = fake_files_list(STORE, ".");

	return names->len;
}

/* What check says of it. */
static void assert_check(const char *words, const char *said)
{
	g_autofree char *line = g_strdup_printf("check lab.ini %s", words);
	g_auto(Called) called = call(line);

	if (!strstr(called.out, said))
		fail_msg("%s: %s%s", line, called.out, called.err);
}

static void saved_once(void **state)
{
	assert_check("--set vm.warm=require", "no state of this guest is there yet");
	assert_false(g_file_test("/var/cache/hailo-vm-run", G_FILE_TEST_EXISTS));
	start("--warm", TRUE, "is saved");
	assert_int_equal(count_states(), 1);
	assert_check("--set vm.warm=require", "a state of this guest is there");
	start("--warm", TRUE, NULL);
	start("", FALSE, NULL);
	start("--set vm.warm=require", TRUE, NULL);
	g_auto(Called) list = call("warm --list --json");
	assert_non_null(strstr(list.out, "\"vm\":\"lab\""));
	assert_call("warm --drop lab", 0, "is dropped");
	assert_int_equal(count_states(), 0);
}

static void another_guest(void **state)
{
	assert_call("warm lab.ini", 0, "is saved");
	start("--warm --set vm.cpus=2", FALSE, "boots, as there is no warm start");
	assert_call("run --set vm.warm=require --set vm.cpus=2 lab.ini", 69, "-smp");
	assert_check("--set vm.warm=require --set vm.cpus=2", "FAIL    warm: ");
	assert_check("--set vm.warm=auto --set vm.cpus=2", "WARN    warm: ");
	assert_int_equal(count_states(), 1);
	/* one byte of the disk */
	g_auto(HvrFd) fd = open("/run/disk.qcow2", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "", 1, 196000), 1);
	start("--warm", FALSE, "/run/disk.qcow2");
	assert_call("warm lab.ini", 0, "is saved");
	assert_int_equal(count_states(), 1);
	start("--set vm.warm=require", TRUE, NULL);
}

static char *find_state(void)
{
	g_autoptr(GPtrArray) names = fake_files_list(STORE, ".");

	assert_int_equal(names->len, 1);
	return g_build_filename(STORE, names->pdata[0], NULL);
}

/* Somebody who can make a whole state of bytes that are none: QEMU does not take it. */
static void give_other_bytes_to(const char *name, const char *folder)
{
	g_autofree char *state = g_build_filename(folder, name, NULL);
	g_autofree char *manifest = g_build_filename(folder, "manifest", NULL);
	g_autofree char *start = g_strdup_printf("file %s ", name);
	g_autofree char *text = NULL;
	struct stat st;

	assert_int_equal(truncate(state, 100000), 0);
	assert_int_equal(stat(state, &st), 0);
	assert_true(g_file_get_contents(manifest, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (!g_str_has_prefix(*line, start))
			continue;
		g_free(*line);
		*line = g_strdup_printf("%s%lu %ld %ld %ld", start, (gulong)st.st_ino,
					(glong)st.st_size,
					(glong)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
					(glong)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
	}
	g_autofree char *other = g_strjoinv("\n", lines);
	assert_true(g_file_set_contents(manifest, other, -1, NULL));
}

static void give_other_bytes(const char *folder)
{
	give_other_bytes_to("state", folder);
}

static void spoil_disk(const char *folder)
{
	g_autofree char *disk = g_build_filename(folder, "disk0.qcow2", NULL);
	g_auto(HvrFd) fd = open(disk, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "none", 4, 0), 4);
	give_other_bytes_to("disk0.qcow2", folder);
}

/* A disk of it cannot be read: nor is that QEMU's word, or an error of the profile's. */
static void damaged_disk(void **state)
{
	assert_call("warm lab.ini", 0, "is saved");
	g_autofree char *folder = find_state();
	spoil_disk(folder);
	assert_call("run --set vm.warm=require lab.ini", 69, "the state cannot be used");
	assert_int_equal(count_states(), 0);
	assert_call("warm lab.ini", 0, "is saved");
	spoil_disk(folder);
	start("--warm", FALSE, "boots, as there is no warm start");
	assert_int_equal(count_states(), 0);
}

static void damaged(void **state)
{
	assert_call("warm lab.ini", 0, "is saved");
	g_autofree char *folder = find_state();
	g_autofree char *file = g_build_filename(folder, "state", NULL);
	assert_int_equal(truncate(file, 1000), 0);
	start("--warm", FALSE, "state is not what was saved");
	assert_int_equal(count_states(), 0);

	assert_call("warm lab.ini", 0, "is saved");
	give_other_bytes(folder);
	assert_call("run --set vm.warm=require lab.ini", 69, "QEMU cannot go on with the guest");
	assert_int_equal(count_states(), 0);
	assert_call("warm lab.ini", 0, "is saved");
	give_other_bytes(folder);
	start("--warm", FALSE, "QEMU cannot go on with the guest");
}

static void await_event(const char *word)
{
	for (guint i = 0; i < 60000; i++) {
		g_autofree char *events = NULL;
		if (g_file_get_contents("/run/events", &events, NULL, NULL) && strstr(events, word))
			return;
		g_usleep(1000);
	}
	fail_msg("no %s within a minute", word);
}

static GPid spawn(const char *line)
{
	g_autofree char *full = g_strconcat(PROGRAM " ", line, NULL);
	g_auto(GStrv) argv = NULL;
	GPid pid = 0;

	unlink("/run/events");
	assert_true(g_shell_parse_argv(full, NULL, &argv, NULL));
	assert_true(g_spawn_async("/run", argv, NULL,
				  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
					  G_SPAWN_STDERR_TO_DEV_NULL,
				  NULL, NULL, &pid, NULL));
	return pid;
}

static void assert_stays_ended(GPid pid, int expected)
{
	g_autofree char *events = NULL;
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(g_file_get_contents("/run/events", &events, NULL, NULL));
	const char *first = strstr(events, "\"started\"");
	assert_non_null(first);
	if (strstr(first + 1, "\"started\""))
		fail_msg("it was stopped, and has booted: %s", events);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

typedef struct {
	int watch;
	char *folder;
} Dropper;

/* One that is chosen is marked as used, which the watch tells. */
static gpointer drop_when_chosen(gpointer data)
{
	const Dropper *dropper = data;
	char event[sizeof(struct inotify_event) + NAME_MAX + 1];
	struct pollfd ready = { .fd = dropper->watch, .events = POLLIN };

	if (poll(&ready, 1, 60000) == 1 && read(dropper->watch, event, sizeof(event)) > 0)
		(void)rename(dropper->folder, "/var/cache/gone");
	return NULL;
}

static void call_beside(const char *line, Dropper *dropper, Called *called)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, drop_when_chosen, dropper), 0);
	*called = call(line);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* The state of lab.ini is dropped when the command has chosen it, and QEMU has not begun. FALSE:
 * QEMU was there before us. */
static gboolean call_and_drop(const char *line, Called *called)
{
	g_auto(HvrFd) watch = inotify_init1(IN_CLOEXEC);
	g_autofree char *events = NULL;

	assert_call("warm lab.ini", 0, "is saved");
	g_autofree char *folder = find_state();
	Dropper dropper = { .watch = watch, .folder = folder };
	assert_true(inotify_add_watch(watch, folder, IN_ATTRIB) >= 0);
	unlink("/run/events");
	call_beside(line, &dropper, called);
	assert_int_equal(count_states(), 0);
	assert_true(g_spawn_command_line_sync("rm -r /var/cache/gone", NULL, NULL, NULL, NULL));
	return !g_file_get_contents("/run/events", &events, NULL, NULL) ||
	       !strstr(events, "\"restored\"");
}

static void dropped_when_chosen(void **state)
{
	g_auto(Called) boots = { 0 }, requires = { 0 };

	while (!call_and_drop(AUTO, &boots)) {
		assert_call("stop lab", 0, NULL);
		called_clear(&boots);
	}
	if (boots.status != 0 || !strstr(boots.err, "boots, as there is no warm start: " DROPPED))
		fail_msg("%d %s", boots.status, boots.err);
	assert_call("stop lab", 0, NULL);
	while (!call_and_drop(REQUIRE, &requires)) {
		assert_call("stop lab", 0, NULL);
		called_clear(&requires);
	}
	if (requires.status != 69 || !strstr(requires.err, DROPPED))
		fail_msg("%d %s", requires.status, requires.err);
}

/* Whoever waits at a terminal has seen nothing of a VM whose state QEMU does not take. */
static void at_a_terminal(void **state)
{
	g_auto(GStrv) argv = NULL;
	g_autofree char *screen = NULL;
	GPid pid = 0;

	assert_call("warm --set serial.mode=stdio lab.ini", 0, "is saved");
	g_autofree char *folder = find_state();
	give_other_bytes(folder);
	unlink("/run/events");
	assert_true(g_shell_parse_argv("script -qefc '" PROGRAM " run --warm --set "
				       "serial.mode=stdio --events /run/events lab.ini' "
				       "/run/screen",
				       NULL, &argv, NULL));
	assert_true(g_spawn_async("/run", argv, NULL,
				  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
					  G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_CHILD_INHERITS_STDIN,
				  NULL, NULL, &pid, NULL));
	await_event("\"ready\"");
	assert_call("stop lab", 0, NULL);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(g_file_get_contents("/run/screen", &screen, NULL, NULL));
	if (status != 0 || !strstr(screen, "boots, as there is no warm start: QEMU cannot go on") ||
	    !strstr(screen, "guest: power button"))
		fail_msg("%d %s", status, screen);
}

/* Whoever has stopped a VM is not to find it running again. */
static void stopped_while_saved(void **state)
{
	GPid pid = spawn("run --warm --wait-ready 30 --events /run/events "
			 "--set 'guest.ready=serial:never said' lab.ini");

	await_event("\"running\"");
	assert_call("stop --force lab", 0, NULL);
	assert_stays_ended(pid, 69);
	assert_int_equal(count_states(), 0);
}

static void full_disk(void **state)
{
	assert_int_equal(umount2("/var/cache", MNT_DETACH), 0);
	assert_int_equal(mount("tmpfs", "/var/cache", "tmpfs", 0, "mode=755,size=4M"), 0);
	assert_call("warm lab.ini", 69, "MiB left");
	start("--warm", FALSE, "MiB left");
	assert_call("run --set vm.warm=require lab.ini", 69, "MiB left");
	assert_int_equal(count_states(), 0);
}

static void wrong_words(void **state)
{
	assert_call("warm", 64, "PROFILE is missing");
	assert_call("warm --list lab.ini", 64, "take no PROFILE");
	assert_call("warm --list --drop all", 64, "exclude each other");
	assert_call("warm --drop nothing", 64, "no state");
	assert_call("warm --drop all", 0, NULL);
	assert_call("run --exec --warm lab.ini", 64, "exclude each other");
	assert_call("warm --set disk.root.snapshot=no lab.ini", 69, "keeps what the guest writes");
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(saved_once),   ONE(another_guest),	     ONE(damaged),
		ONE(full_disk),	   ONE(wrong_words),	     ONE(stopped_while_saved),
		ONE(damaged_disk), ONE(dropped_when_chosen), ONE(at_a_terminal),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
