/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the caller's environment goes where: as the kernel shows it of what was started, and by
 * what programs do that are told by it. Each attack has a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/process/environment.h"
#include "launcher/process/spawn.h"
#include "launcher/report/error.h"
#include "launcher/runtime/vm.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define TRUSTED "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct {
	char *folder;
	char **own; /* the environment of this program */
} Fixture;

/* What a job has that ran sudo -E: nothing of it is for anybody else. */
#define SECRETS                                                                                    \
	"AWS_SECRET_ACCESS_KEY=1", "CI_JOB_TOKEN=2", "GITHUB_TOKEN=3", "LD_PRELOAD=/tmp/evil.so",  \
		"GIO_EXTRA_MODULES=/tmp/evil", "GCONV_PATH=/tmp/evil", "LOCPATH=/tmp/evil",        \
		"QEMU_MODULE_DIR=/tmp/evil", "MTOOLSRC=/tmp/evil", "G_DEBUG=fatal-warnings",       \
		"MODPROBE_OPTIONS=-C /tmp/evil", "BASH_ENV=/tmp/evil",                             \
		"XDG_RUNTIME_DIR=/run/user/0", "HOME=/tmp/evil", "SSH_AUTH_SOCK=/tmp/evil",        \
		"SSH_ASKPASS=/tmp/evil", "DISPLAY=:0"
#define OURS                                                                                       \
	"SUDO_UID=1", "TERM=xterm-256color", "NO_COLOR=1", "COLUMNS=80", "NOTIFY_SOCKET=@n",       \
		"G_MESSAGES_DEBUG=all", "HAILO_VM_CARDS=0, /x", "SLURM_STEP_GPUS=1",               \
		"SLURM_JOB_GPUS=0-1"
#define JOBS                                                                                       \
	"HUDSON_COOKIE=a", "HUDSON_SERVER_COOKIE=b", "JENKINS_NODE_COOKIE=c",                      \
		"JENKINS_SERVER_COOKIE=d", "JOB_NAME=a b/c=d", "JOB_BASE_NAME=e", "BUILD_ID=f",    \
		"BUILD_NUMBER=1", "BUILD_TAG=g", "RUNNER_TRACKING_ID=github_h",                    \
		"VSTS_PROCESS_LOOKUP_ID=vsts_i", "CI_JOB_ID=2", "SLURM_JOB_ID=3"
/* Read by us and passed on to nobody. */
#define READ  "HAILO_VM_JOB=a", "PBS_JOBID=1.b", "LSB_JOBID=4", "FLUX_JOB_ID=f5", "GITHUB_RUN_ID=6"
#define PLACE "LANG=de_DE.UTF-8@euro", "LC_ALL=C.UTF-8", "LC_CTYPE=C", "TZ=:Europe/Berlin"

static const char *const callers[] = {
	"PATH=/tmp/evil", "TMPDIR=/tmp/evil", SECRETS, OURS, JOBS, READ, PLACE, NULL
};

static void has_environment(const char *const *variables)
{
	environ = (char **)variables;
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order. [transfer full] */
static char *sorted(const char *const *variables)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	for (; *variables; variables++)
		g_ptr_array_add(all, (gpointer)*variables);
	g_ptr_array_sort(all, compare);
	g_ptr_array_add(all, NULL);
	return g_strjoinv("\n", (char **)all->pdata);
}

static void assert_variables(const char *const *seen, const char *const *wanted)
{
	g_autofree char *left = sorted(seen);
	g_autofree char *right = sorted(wanted);

	assert_string_equal(left, right);
}

/* The environment with which @pid was executed. [transfer full] */
static char **environment_of(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/environ", (int)pid);
	g_autofree char *bytes = NULL;
	GPtrArray *variables = g_ptr_array_new();
	gsize length = 0;

	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	for (const char *one = bytes; one < bytes + length; one += strlen(one) + 1)
		g_ptr_array_add(variables, g_strdup(one));
	g_ptr_array_add(variables, NULL);
	return (char **)g_ptr_array_free(variables, FALSE);
}

static char *const sleep_argv[] = { (char *)"sleep", (char *)"600", NULL };

static HvrSpawn stand_in(void)
{
	return (HvrSpawn){ .path = "/bin/sleep",
			   .argv = sleep_argv,
			   .identity = { .uid = 65534, .gid = 65534 },
			   .stderr_fd = -1 };
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What hvr_spawn() gives to QEMU. [transfer full] */
static char **spawned(void)
{
	HvrSpawn spawn = stand_in();
	g_auto(HvrFd) pidfd = -1;
	g_autoptr(GError) error = NULL;
	pid_t pid = hvr_spawn(&spawn, &pidfd, &error);

	if (pid < 0)
		fail_msg("%s", error->message);
	char **seen = environment_of(pid);
	end(pid);
	return seen;
}

/* What QEMU has that this process becomes. [transfer full] */
static char **replaced(void)
{
	HvrSpawn spawn = stand_in();
	int pipes[2];
	char byte;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		hvr_spawn_replace(&spawn, NULL);
		_exit(1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 0); /* exec has closed the other end */
	close(pipes[0]);
	char **seen = environment_of(pid);
	end(pid);
	return seen;
}

/* qemu-sees-no-secrets and job-cookies-are-there: QEMU's environment is this and nothing else, also
 * where this process becomes QEMU. */
static void test_qemu_sees_no_secrets(void **state)
{
	static const char *const wanted[] = { TRUSTED, JOBS, PLACE, NULL };

	has_environment(callers);
	g_auto(GStrv) child = spawned();
	g_auto(GStrv) exec = replaced();
	assert_variables((const char *const *)child, wanted);
	assert_variables((const char *const *)exec, wanted);
}

/* A plain user's QEMU looks for programs where its user does, and leaves its files where they do.
 */
static void test_plain_user(void **state)
{
	static const char *const wanted[] = { "PATH=/tmp/evil", "TMPDIR=/tmp/evil", JOBS, PLACE,
					      NULL };
	has_environment(callers);
	g_auto(GStrv) seen = hvr_environment_for_programs(FALSE);
	assert_variables((const char *const *)seen, wanted);
}

/* Nothing that is not there is made up. */
static void test_empty(void **state)
{
	static const char *const nothing[] = { NULL }, *const wanted[] = { TRUSTED, NULL };

	has_environment(nothing);
	g_auto(GStrv) root = hvr_environment_for_programs(TRUE);
	g_auto(GStrv) plain = hvr_environment_for_programs(FALSE);
	assert_variables((const char *const *)root, wanted);
	assert_variables((const char *const *)plain, nothing);
}

/* libraries-of-the-caller: what this process, as root, does not have any more, no library reads. */
static void test_libraries_of_the_caller(void **state)
{
	static const char *const wanted[] = { TRUSTED, OURS, JOBS, READ, PLACE, NULL };

	has_environment(callers);
	hvr_environment_clean();
	assert_variables((const char *const *)environ, wanted);
	g_strfreev(environ);
}

/* locale-that-is-a-path: values that lead to a file do not get through as root. */
static void test_locale_that_is_a_path(void **state)
{
	static const char *const bad[] = {
		"LANG=/tmp/evil", "LANG=../evil",	"LANG=",
		"LC_ALL=..",	  "LC_CTYPE=a/b",	"TERM=/tmp/evil",
		"TZ=/tmp/evil",	  "TZ=:/etc/shadow",	"TZ=../../evil",
		"TZ=a/../../b",	  "TZ=Europe/Berlin\n", "TZ=:",
	};
	static const char *const good[] = { "LANG=C",	  "LC_ALL=sr_RS.UTF-8@latin",
					    "TZ=UTC",	  "TZ=CET-1CEST,M3.5.0/2,M10.5.0/3",
					    "TZ=<+03>-3", "TERM=xterm+256color" };

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *const one[] = { bad[i], NULL }, *const wanted[] = { TRUSTED, NULL };
		has_environment(one);
		hvr_environment_clean();
		assert_variables((const char *const *)environ, wanted);
		g_strfreev(environ);
	}
	for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
		const char *const one[] = { good[i], NULL }, *const wanted[] = { TRUSTED, good[i],
										 NULL };
		has_environment(one);
		hvr_environment_clean();
		assert_variables((const char *const *)environ, wanted);
		g_strfreev(environ);
	}
}

/* A program that leaves a mark beside itself. */
static void put_fake(const Fixture *f, const char *name)
{
	g_autofree char *script = g_strdup_printf("#!/bin/sh\n: > '%s/mark'\n", f->folder);

	fake_files_write(f->folder, name, script, 0755);
}

/* A VM whose forward to port 22 leads nowhere. */
static void put_vm(const HvrContext *context)
{
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");
	g_auto(HvrFd) folder = hvr_vm_make_folder(context->runtime, "lab", NULL);

	vm->profile = g_strdup("/lab.ini");
	vm->supervisor = hvr_process_of(&context->host, getpid());
	vm->qemu = vm->supervisor;
	vm->ssh_address = g_strdup("127.0.0.1");
	vm->ssh_port = 1;
	vm->ssh_user = g_strdup("me");
	assert_true(hvr_vm_write(folder, vm, NULL));
}

/* Runs `ssh lab`. TRUE: the ssh of the folder has left its mark. */
static gboolean runs_ssh(const Fixture *f, gboolean privileged, const char *const *variables)
{
	static const char *const options[] = { "-oBatchMode=yes", "-oLogLevel=QUIET", NULL };
	char *words[] = { (char *)"lab", NULL };
	HvrInvocation invocation = { .words = words, .tail = (char **)options };
	HvrContext context = { .privileged = privileged,
			       .runtime = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
			       .host = { .proc = open("/proc", O_PATH | O_DIRECTORY) } };

	put_vm(&context);
	has_environment(variables);
	pid_t pid = fork();
	if (pid == 0) {
		hvr_command_find("ssh")->run(&context, &invocation, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(context.runtime);
	close(context.host.proc);
	gboolean run = fake_files_exist(f->folder, "mark");
	fake_files_remove(f->folder, "mark");
	return run;
}

/* ssh-by-path: as root the ssh of the caller's PATH is not run. A plain user's is their own. */
static void test_ssh_by_path(void **state)
{
	const Fixture *f = *state;
	g_autofree char *path = g_strconcat("PATH=", f->folder, NULL);
	const char *const only[] = { path, NULL };

	put_fake(f, "ssh");
	assert_false(runs_ssh(f, TRUE, only));
	assert_true(runs_ssh(f, FALSE, only));
}

/* ssh-options-of-the-caller: they can have it run anything, so by sudo it is not root's ssh. */
static void test_ssh_of_the_caller(void **state)
{
	const Fixture *f = *state;
	struct passwd *caller = getpwnam("daemon");
	g_autofree char *script =
		g_strdup_printf("#!/bin/sh\nwhile read -r key ids; do\n"
				"case $key in Uid:|Gid:|Groups:|CapEff:|CapBnd:)\n"
				"echo $key $ids >> '%s/who';; esac\n"
				"done < /proc/self/status\n",
				f->folder);
	g_autofree char *uid = g_strdup_printf("%u", caller->pw_uid);
	g_autofree char *path = g_strconcat("PATH=", f->folder, NULL);
	g_autofree char *sudo = g_strconcat("SUDO_UID=", uid, NULL);
	const char *const variables[] = { path, sudo, NULL };
	g_autofree char *wanted =
		g_strdup_printf("Uid: %1$u %1$u %1$u %1$u\nGid: %2$u %2$u %2$u %2$u\nGroups:\n"
				"CapEff: 0000000000000000\nCapBnd: 0000000000000000",
				caller->pw_uid, caller->pw_gid);

	fake_files_write(f->folder, "ssh", script, 0755);
	assert_int_equal(chown(f->folder, caller->pw_uid, caller->pw_gid), 0);
	runs_ssh(f, FALSE, variables);
	g_autofree char *who = fake_files_read(f->folder, "who");
	assert_string_equal(who, wanted);
}

/* What `exec` says or does, with a terminal as its input or without; ssh leaves its words. */
static char *exec_by_ssh(const Fixture *f, const char *const *words, gboolean terminal)
{
	const HvrCommand *exec = hvr_command_find("exec");
	g_autofree char *path = g_strconcat("PATH=", f->folder, NULL);
	const char *const only[] = { path, NULL };
	HvrContext context = { .runtime = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
			       .host = { .proc = open("/proc", O_PATH | O_DIRECTORY) } };
	int outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(grantpt(outer) == 0 && unlockpt(outer) == 0);
	put_vm(&context);
	has_environment(only);
	pid_t pid = fork();
	if (pid == 0) {
		GError *error = NULL;
		dup2(open(terminal ? ptsname(outer) : "/dev/null", O_RDWR | O_NOCTTY), 0);
		HvrInvocation *it = hvr_invocation_parse(exec, (char **)words, &error);
		if (it)
			exec->run(&context, it, &error);
		fake_files_write(f->folder, "mark", error ? error->message : "", 0644);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(outer);
	close(context.runtime);
	close(context.host.proc);
	char *said = fake_files_read(f->folder, "mark");
	fake_files_remove(f->folder, "mark");
	return said;
}

/* A terminal is ssh's to give: its words are the command, each as it is. */
static void test_exec_by_ssh(void **state)
{
	static const struct {
		const char *words[8];
		gboolean terminal;
		const char *end;
	} cases[] = {
		{ { "-t", "lab", "--", "sh", "-c", "a 'b'" },
		  TRUE,
		  " -lme 127.0.0.1 -- 'sh' '-c' 'a '\\''b'\\'''" },
		{ { "--tty", "-u", "root", "lab", "--", "id" }, TRUE, " -lroot 127.0.0.1 -- 'id'" },
		{ { "-t", "lab", "--", "sh" },
		  FALSE,
		  "exec: --tty: the standard input is no terminal\n"
		  "try 'hailo-vm-run exec --help'" },
		{ { "-t", "-C", "/", "lab", "--", "sh" },
		  TRUE,
		  "exec: --tty goes by ssh, and --cwd by the guest's agent\n"
		  "try 'hailo-vm-run exec --help'" },
	};
	const Fixture *f = *state;
	g_autofree char *script = g_strdup_printf(
		"#!/bin/sh\nfor i in \"$@\"; do printf ' %%s' \"$i\"; done > '%s/mark'\n",
		f->folder);

	fake_files_write(f->folder, "ssh", script, 0755);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *said = exec_by_ssh(f, cases[i].words, cases[i].terminal);
		if (!g_str_has_suffix(said, cases[i].end))
			fail_msg("%u: '%s'", i, said);
	}
}

static int set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-environment-XXXXXX", NULL);
	f->own = environ;
	*state = f;
	return f->folder == NULL;
}

static int tear_down(void **state)
{
	Fixture *f = *state;

	environ = f->own;
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_qemu_sees_no_secrets),
		TEST(test_plain_user),
		TEST(test_empty),
		TEST(test_libraries_of_the_caller),
		TEST(test_locale_that_is_a_path),
		TEST(test_ssh_by_path),
		TEST(test_ssh_of_the_caller),
		TEST(test_exec_by_ssh),
	};

	if (geteuid() != 0) /* what root does is what is asked */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
