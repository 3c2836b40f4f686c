/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program itself where nothing is prepared for it, as under su, cron, a CI service or Slurm: no
 * variable in the environment, no terminal, no standard descriptors, as root and as a user without
 * a login session. Whatever it is asked, it ends with a status that is documented, and says why.
 *
 * In a mount namespace, with a /run of its own: nothing here is the host's.
 */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "launcher/command/table.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define NOBODY	65534
#define PROFILE "/run/profile.ini"

/* How it is called, and what came of it. */
typedef struct {
	const char *line;
	const char *variable; /* (nullable): the whole environment */
	gboolean as_root;
	gboolean without_descriptors; /* then nobody sees what it says */
	int status;
	GString *said;
} Call;

static int setup(void **state)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(77);
	return 0;
}

/* An empty /run. */
static int setup_run(void **state)
{
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -1;
	fake_files_write("/run", "profile.ini",
			 "[vm]\nname = lab\nmemory = 64M\n"
			 "[device npu]\naddress = fffe:ff:1f.0\n",
			 0644);
	return 0;
}

static int teardown_run(void **state)
{
	return umount2("/run", MNT_DETACH);
}

static void become_child(const Call *call, int out)
{
	const char *const environment[] = { call->variable, NULL };
	g_auto(GStrv) words = NULL;
	g_autofree char *line = g_strconcat("hailo-vm-run ", call->line, NULL);

	words = g_strsplit(g_strchomp(line), " ", -1);
	/* The checkout may lie where only root comes to */
	int program = open(PROGRAM, O_PATH | O_CLOEXEC);
	setsid();
	g_assert(call->as_root ||
		 (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		  setresuid(NOBODY, NOBODY, NOBODY) == 0));
	if (call->without_descriptors) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
	} else {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		close(STDIN_FILENO);
	}
	syscall(SYS_execveat, program, "", words, (char **)environment, AT_EMPTY_PATH);
	_exit(121);
}

static void read_all(int fd, GString *said)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(said, bytes, n);
}

/* Fills in status and said, which the caller frees. */
static void call(Call *call)
{
	int ends[2], status;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become_child(call, ends[1]);
	close(ends[1]);
	call->said = g_string_new(NULL);
	read_all(ends[0], call->said);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	call->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Every command, so that it gets as far as it can; nothing of these changes a host. */
static const char *const lines[] = {
	"run " PROFILE,
	"run --exec " PROFILE,
	"run --detach " PROFILE,
	"run --dry-run " PROFILE,
	PROFILE,
	"prepare " PROFILE,
	"prepare --dry-run " PROFILE,
	"test " PROFILE " -- true",
	"test " PROFILE,
	"test --nonsense",
	"test",
	"exec lab",
	"print " PROFILE,
	"check",
	"check " PROFILE,
	"check /nowhere/none.ini",
	"check --nonsense",
	"check --card fffe:ff:1f.0",
	"hold fffe:ff:1f.0 --reason=none",
	"import /nowhere/domain.xml",
	"import /nowhere/domain.xml --output -",
	"unhold fffe:ff:1f.0",
	"metrics",
	"metrics --output=/nowhere/cards.prom",
	"list",
	"list --json",
	"status",
	"status lab",
	"release --all",
	"release " PROFILE,
	"stop lab",
	"reboot lab",
	"plug lab npu",
	"unplug lab npu",
	"exec lab -- true",
	"warm " PROFILE,
	"warm --list",
	"warm --drop lab",
	"verify lab",
	"verify --nonsense",
	"help",
	"help run",
	"help nonsense",
	"nonsense --help",
	"console lab",
	"log lab",
	"ssh lab",
	"new",
	"new debian /nowhere/debian.ini",
	"new debian -",
	"new debian --run /run/debian.ini",
	"qmp lab query-status",
	"setup --dry-run",
	"setup --status",
	"--help",
	"--version",
	"--complete run ",
	"no-such-profile",
	"",
};

static gboolean is_documented(const Call *call)
{
	static const int statuses[] = { 0, 64, 69, 71, 75, 76, 77, 78 };

	/* What is ours is never taken for the guest command's. */
	if (g_str_has_prefix(call->line, "exec") || g_str_has_prefix(call->line, "test"))
		return call->status == 125;
	/* An answer, and no other status. */
	if (g_str_has_prefix(call->line, "check") || g_str_has_prefix(call->line, "verify"))
		return call->status >= 0 && call->status <= 2;
	if (g_str_has_prefix(call->line, "setup --status") && call->status == 1)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (call->status == statuses[i])
			return TRUE;
	return FALSE;
}

/* They want candidates or nothing. All other commands have a word to say, whatever came of it. */
static gboolean is_for_shells(const char *line)
{
	return g_str_has_prefix(line, "--complete");
}

static void must_end_well(const char *line, const char *variable, gboolean as_root,
			  gboolean without_descriptors)
{
	Call one = { .line = line,
		     .variable = variable,
		     .as_root = as_root,
		     .without_descriptors = without_descriptors };

	call(&one);
	if (!is_documented(&one) ||
	    (!without_descriptors && !one.said->len && !is_for_shells(line)))
		fail_msg("'%s' as %s, %s, %s: status %d: %s", line, as_root ? "root" : "a user",
			 without_descriptors ? "without descriptors" : "with two descriptors",
			 variable ? variable : "no variable", one.status, one.said->str);
	g_string_free(one.said, TRUE);
}

/* Nothing is there, not even somebody to talk to. */
static void test_every_command(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
		for (guint how = 0; how < 4; how++)
			must_end_well(lines[i], NULL, how & 1, how & 2);
}

/* What a variable names may be nonsense too. */
static void test_nonsense(void **state)
{
	static const char *const variables[] = {
		"XDG_RUNTIME_DIR=/nonexistent",
		"XDG_RUNTIME_DIR=",
		"XDG_RUNTIME_DIR=here",
		"XDG_RUNTIME_DIR=/etc/passwd",
		"HOME=",
		"HOME=/nonexistent",
		"PATH=",
		"LANG=no_SUCH",
	};

	for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
		must_end_well("run " PROFILE, variables[i], FALSE, FALSE);
		must_end_well("test " PROFILE " -- true", variables[i], FALSE, FALSE);
		must_end_well("status", variables[i], FALSE, FALSE);
	}
}

/* The lines above leave no command out. */
static void test_all_named(void **state)
{
	for (guint i = 0; hvr_commands[i]; i++) {
		gboolean there = FALSE;
		for (guint k = 0; k < G_N_ELEMENTS(lines); k++) {
			g_auto(GStrv) words = g_strsplit(lines[k], " ", 2);
			there = there || g_strcmp0(words[0], hvr_commands[i]->name) == 0;
		}
		if (!there)
			fail_msg("no line calls '%s'", hvr_commands[i]->name);
	}
}

static void make_folder(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	assert_int_equal(g_mkdir_with_parents(path, 0755), 0);
	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* `run` as a user comes as far as the card, which is not there; its runtime folder is @path. */
static void must_live_in(const char *variable, const char *path)
{
	Call one = { .line = "run " PROFILE, .variable = variable };
	struct stat st;

	call(&one);
	if (!strstr(one.said->str, "fffe:ff:1f.0"))
		fail_msg("%s", one.said->str);
	if (stat(path, &st) < 0 || st.st_uid != NOBODY || (st.st_mode & 07777) != 0700)
		fail_msg("%s is not there, or not private", path);
	g_string_free(one.said, TRUE);
}

/* With a login's folder that nobody has told us of; its owner and mode have to be right. */
static void test_login(void **state)
{
	make_folder("/run/hailo-vm-run-users", 0, NOBODY, 01770);
	make_folder("/run/user/65534", NOBODY, NOBODY, 0755);
	must_live_in(NULL, "/run/hailo-vm-run-users/65534");
	make_folder("/run/user/65534", 0, NOBODY, 0770);
	must_live_in(NULL, "/run/hailo-vm-run-users/65534");
	assert_int_not_equal(access("/run/user/65534/hailo-vm-run", F_OK), 0);
	make_folder("/run/user/65534", NOBODY, NOBODY, 0700);
	must_live_in(NULL, "/run/user/65534/hailo-vm-run");
}

/* After "su" the variable is somebody else's; a folder that is ours comes before all others. */
static void test_told(void **state)
{
	make_folder("/run/hailo-vm-run-users", 0, NOBODY, 01770);
	make_folder("/run/user/1000", 1000, 1000, 0700);
	make_folder("/run/mine", NOBODY, NOBODY, 0700);
	must_live_in("XDG_RUNTIME_DIR=/run/user/1000", "/run/hailo-vm-run-users/65534");
	must_live_in("XDG_RUNTIME_DIR=/run/mine", "/run/mine/hailo-vm-run");
}

static void must_refuse(const char *text)
{
	Call one = { .line = "run " PROFILE };

	call(&one);
	if (!strstr(one.said->str, text))
		fail_msg("status %d: %s", one.status, one.said->str);
	assert_true(one.status == 69 || one.status == 77);
	g_string_free(one.said, TRUE);
}

/* Nowhere, or where another one could have put something there for us: that is said. */
static void test_refused(void **state)
{
	must_refuse("hint: set XDG_RUNTIME_DIR to a folder that is yours alone");
	make_folder("/run/hailo-vm-run-users", 0, 0, 0777);
	must_refuse("hint: set XDG_RUNTIME_DIR to a folder that is yours alone");
	make_folder("/run/hailo-vm-run-users", 0, 0, 01777);
	make_folder("/run/hailo-vm-run-users/65534", 1000, 1000, 0777);
	must_refuse("is not private to user 65534");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup_run, teardown_run)
		TEST(every_command), TEST(nonsense), TEST(all_named),
		TEST(login),	     TEST(told),     TEST(refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
