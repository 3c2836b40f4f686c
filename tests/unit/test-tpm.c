/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TPM by the swtpm that is installed, with the QEMU that is installed: from what is asked before
 * a start to the end of both. Skipped where one of them is missing.
 *
 * The guest is a boot sector. It asks the TPM for what an earlier guest has left in it, leaves that
 * there itself, and says on the serial port what it was answered.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/parts.h"
#include "launcher/parts/reserve.h"
#include "launcher/parts/server.h"
#include "launcher/parts/swtpm.h"
#include "launcher/parts/tpm.h"
#include "launcher/process/program.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/start.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define SKIP	77
#define NOBODY	65534
#define WAIT_MS 120000

/* What a TPM has to say of an NV index that is not there (TPM_RC_HANDLE, second handle), and of
 * one with "survives" in it. */
#define NOTHING	 "0000028b"
#define SURVIVES "7375727669766573"

/*
 * In real mode, with segments of 4 GiB for the registers of a CRB (TCG PC Client Platform TPM
 * Profile) at 0xfed40000: for each command its length and bytes, answered in hexadecimal.
 * TPM2_NV_Read, TPM2_NV_DefineSpace and TPM2_NV_Write of index 0x01500000, as the owner, who has
 * an empty password. A reset ends QEMU (-no-reboot).
 */
__asm__(".pushsection .rodata\n"
	".global guest_begin, guest_end\n"
	".code16\n"
	"guest_begin:\n"
	"	cli\n"
	"	xorw %ax, %ax\n"
	"	movw %ax, %ds\n"
	"	movw %ax, %ss\n"
	"	movw $0x7c00, %sp\n"
	"	lgdtw 0x7c00 + gdtr - guest_begin\n"
	"	movl %cr0, %eax\n"
	"	orb $1, %al\n"
	"	movl %eax, %cr0\n"
	"	movw $8, %bx\n"
	"	movw %bx, %fs\n"
	"	andb $0xfe, %al\n"
	"	movl %eax, %cr0\n"
	"	cld\n"
	"	movw $0x7c00 + commands - guest_begin, %si\n"
	"	movl $0xfed40000, %edi\n"
	"	movl $1, %fs:0x08(%edi)\n" /* TPM_LOC_CTRL: request */
	"next:\n"
	"	xorl %ecx, %ecx\n"
	"	lodsb\n"
	"	movb %al, %cl\n"
	"	testb %al, %al\n"
	"	jz done\n"
	"	movl $1, %fs:0x40(%edi)\n" /* TPM_CRB_CTRL_REQ: cmdReady */
	"	movl $0xfed40080, %ebx\n"
	"copy:\n"
	"	lodsb\n"
	"	movb %al, %fs:(%ebx)\n"
	"	incl %ebx\n"
	"	loop copy\n"
	"	movl $1, %fs:0x4c(%edi)\n" /* TPM_CRB_CTRL_START */
	"wait:\n"
	"	testl $1, %fs:0x4c(%edi)\n"
	"	jnz wait\n"
	"	movl $0xfed40080, %ebx\n"
	"	movb %fs:0x85(%edi), %cl\n" /* the answer's length */
	"show:\n"
	"	movb %fs:(%ebx), %al\n"
	"	shrb $4, %al\n"
	"	call digit\n"
	"	movb %fs:(%ebx), %al\n"
	"	andb $15, %al\n"
	"	call digit\n"
	"	incl %ebx\n"
	"	loop show\n"
	"	movb $10, %al\n"
	"	call put\n"
	"	jmp next\n"
	"done:\n"
	"	movb $0xfe, %al\n"
	"	outb %al, $0x64\n"
	"	hlt\n"
	"	jmp done\n"
	"digit:\n"
	"	addb $48, %al\n"
	"	cmpb $58, %al\n"
	"	jb put\n"
	"	addb $39, %al\n"
	"put:\n"
	"	movw $0x3f8, %dx\n"
	"	outb %al, %dx\n"
	"	ret\n"
	"gdtr:\n"
	"	.word 15\n"
	"	.long 0x7c00 + gdt - guest_begin\n"
	"gdt:\n"
	"	.quad 0, 0x00cf92000000ffff\n"
	"commands:\n"
	"	.byte 35, 0x80,2, 0,0,0,35, 0,0,1,0x4e, 0x40,0,0,1, 1,0x50,0,0\n"
	"	.byte 0,0,0,9, 0x40,0,0,9, 0,0, 0, 0,0, 0,8, 0,0\n"
	"	.byte 45, 0x80,2, 0,0,0,45, 0,0,1,0x2a, 0x40,0,0,1\n"
	"	.byte 0,0,0,9, 0x40,0,0,9, 0,0, 0, 0,0, 0,0\n"
	"	.byte 0,14, 1,0x50,0,0, 0,11, 2,2,0,2, 0,0, 0,8\n"
	"	.byte 43, 0x80,2, 0,0,0,43, 0,0,1,0x37, 0x40,0,0,1, 1,0x50,0,0\n"
	"	.byte 0,0,0,9, 0x40,0,0,9, 0,0, 0, 0,0, 0,8\n"
	"	.ascii \"survives\"\n"
	"	.byte 0,0\n"
	"	.byte 0\n"
	"	.org guest_begin + 510\n"
	"	.byte 0x55, 0xaa\n"
	"guest_end:\n"
	".code64\n"
	".popsection\n");
extern const char guest_begin[512], guest_end[];

typedef struct {
	char *folder; /* of the VM's user; its files are in it */
	char *state;
	HvrUser user;
	HvrProfile *profile;
	HvrFacts facts;
	HvrParts parts;
	HvrContext context;
	HvrPlan plan;
	GPtrArray *locks;
	int runtime, vm;
	HvrStarted started;
} Fixture;

static HvrProfile *parse(const char *folder, const char *model)
{
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 64M\naccel = tcg\n[tpm]\nmodel = %s\n"
				"[serial]\nmode = file\nfile = serial.log\n"
				"[disk boot]\nfile = boot.raw\nformat = raw\nreadonly = yes\n"
				"[qemu]\nargs = -no-reboot\n",
				model);
	g_autofree char *file = g_build_filename(folder, "lab.ini", NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static void make_user(Fixture *f)
{
	f->user.name = (char *)"lab";
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	f->parts.user = f->facts.user = &f->user;
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *disk = NULL;

	f->folder = g_dir_make_tmp("hvr-tpm-XXXXXX", NULL);
	make_user(f);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	assert_int_equal(chown(f->folder, f->user.uid, f->user.gid), 0);
	disk = g_build_filename(f->folder, "boot.raw", NULL);
	assert_true(g_file_set_contents(disk, guest_begin, sizeof(guest_begin), NULL));
	assert_int_equal(truncate(disk, 1 << 20), 0); /* SeaBIOS reads no disk without a cylinder */
	assert_int_equal(g_chmod(disk, 0644), 0);
	f->profile = parse(f->folder, "crb");
	f->state = f->profile->tpm.state;
	f->facts.qemu_path = hvr_program_find("qemu-system-x86_64", TRUE);
	f->context.privileged = f->user.privileged;
	f->context.host.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->context.host.dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->context.host.sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int parent = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->runtime = f->context.runtime = hvr_runtime_open(parent, "run", NULL);
	hvr_fd_close(parent);
	f->vm = hvr_vm_make_folder(f->runtime, "lab", NULL);
	assert_true(f->vm >= 0);
	f->plan.cards = g_ptr_array_new();
	f->locks = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	g_ptr_array_unref(f->plan.cards);
	g_ptr_array_unref(f->locks);
	hvr_fd_close(f->vm);
	hvr_fd_close(f->runtime);
	fake_files_end(f->folder);
	hvr_profile_free(f->profile);
	hvr_fd_close(f->context.host.root);
	hvr_fd_close(f->context.host.dev);
	hvr_fd_close(f->context.host.sys);
	hvr_fd_close(f->context.host.proc);
	g_free(f->facts.qemu_path);
	g_free(f->folder);
	g_free(f);
	return 0;
}

static HvrStart start_of(const Fixture *f)
{
	return (HvrStart){ .context = &f->context,
			   .profile = f->profile,
			   .facts = &f->facts,
			   .parts = &f->parts,
			   .plan = &f->plan,
			   .locks = f->locks,
			   .folder = f->vm,
			   .stays = TRUE };
}

static void start(Fixture *f)
{
	const HvrStart how = start_of(f);
	HvrHandover *handover = hvr_handover_new(&how);
	g_autoptr(GError) error = NULL;

	if (!hvr_start_make(&how, handover, &error) ||
	    !hvr_start_qemu(&how, handover, &f->started, &error))
		fail_msg("%s", error->message);
	hvr_handover_free(handover);
	/* nobody reads here what the port says beside its file */
	hvr_serial_ends_clear(&f->started.serial);
	assert_int_equal(f->started.servers->len, 1);
}

/* QEMU's and its server's end. */
static void end(Fixture *f)
{
	int status;

	assert_int_equal(waitpid(f->started.pid, &status, 0), f->started.pid);
	hvr_servers_end(f->started.servers);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	hvr_fd_close(f->started.pidfd);
	hvr_fd_close(f->started.monitor);
	hvr_fd_close(f->started.output);
	hvr_fd_close(f->started.others);
	hvr_fd_close(f->started.control);
}

/* What the guest was answered, a line each. [transfer full] */
static char *run_guest(Fixture *f)
{
	g_autofree char *path = g_build_filename(f->folder, "serial.log", NULL);
	char *text = NULL;

	hvr_vm_empty_folder(f->vm, NULL);
	start(f);
	end(f);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no %s in:\n%s", wanted, text);
}

static void assert_private(const Fixture *f)
{
	struct stat st;

	assert_int_equal(lstat(f->state, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, f->user.uid);
	assert_true(st.st_size > 0);
}

static void what_is_in_it_survives_a_restart(void **state)
{
	Fixture *f = *state;

	assert_true(hvr_tpm_check(&f->context, f->profile, &f->parts, NULL));
	g_autofree char *first = run_guest(f);
	assert_has(first, NOTHING);
	assert_null(strstr(first, SURVIVES));
	assert_private(f);
	assert_true(hvr_tpm_check(&f->context, f->profile, &f->parts, NULL));
	g_autofree char *second = run_guest(f);
	assert_has(second, SURVIVES);
	assert_private(f);
}

/* A guest of a VM whose writes are thrown away sees what is there and leaves nothing. */
static void what_is_thrown_away_is_a_copy(void **state)
{
	Fixture *f = *state;
	g_autofree char *before = NULL, *after = NULL;
	gsize n_before, n_after;

	f->profile->tpm.throw_away = TRUE;
	assert_true(hvr_tpm_check(&f->context, f->profile, &f->parts, NULL));
	g_autofree char *without = run_guest(f);
	assert_has(without, NOTHING);
	assert_false(g_file_test(f->state, G_FILE_TEST_EXISTS));
	hvr_vm_empty_folder(f->vm, NULL);
	assert_int_equal(faccessat(f->vm, HVR_VM_TPM, F_OK, 0), -1);

	f->profile->tpm.throw_away = FALSE;
	g_autofree char *kept = run_guest(f);
	assert_true(g_file_get_contents(f->state, &before, &n_before, NULL));
	f->profile->tpm.throw_away = TRUE;
	g_autofree char *copied = run_guest(f);
	assert_has(copied, SURVIVES);
	assert_true(g_file_get_contents(f->state, &after, &n_after, NULL));
	assert_int_equal(n_before, n_after);
	assert_memory_equal(before, after, n_after);
	hvr_vm_empty_folder(f->vm, NULL);
	assert_int_equal(faccessat(f->vm, HVR_VM_TPM, F_OK, 0), -1);
}

/* Our child that is not QEMU. */
static pid_t find_server(const Fixture *f)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
	g_autofree char *text = NULL;
	pid_t found = 0;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) words = g_strsplit(g_strchomp(text), " ", -1);
	for (guint i = 0; words[i]; i++)
		if (atoi(words[i]) != f->started.pid)
			found = atoi(words[i]);
	assert_true(found > 0);
	return found;
}

static void expect(const Fixture *f, const char *what)
{
	g_autoptr(GString) said = g_string_new(NULL);
	char c;

	while (!strstr(said->str, what)) {
		if (!hvr_fd_readable_before(f->started.monitor,
					    g_get_monotonic_time() + WAIT_MS * 1000LL) ||
		    read(f->started.monitor, &c, 1) != 1)
			fail_msg("no %s in: %s", what, said->str);
		g_string_append_c(said, c);
	}
}

static void tell(const Fixture *f, const char *command)
{
	assert_true(hvr_fd_write_all(f->started.monitor, command, strlen(command)));
}

/* It is nobody with nothing, behind its own filter, and ends by itself behind a QEMU that is
 * killed. */
static void it_is_nobody_and_ends_with_qemu(void **state)
{
	Fixture *f = *state;
	g_autofree char *uid = g_strdup_printf("\nUid:\t%u\t%u\t%u\t%u\n", f->user.uid, f->user.uid,
					       f->user.uid, f->user.uid);
	siginfo_t info = { 0 };
	g_autofree char *status = NULL;

	g_ptr_array_add(f->profile->qemu_args, g_strdup("-S"));
	start(f);
	expect(f, "\"QMP\"");
	tell(f, "{\"execute\":\"qmp_capabilities\"}");
	expect(f, "\"return\"");
	tell(f, "{\"execute\":\"query-tpm\"}");
	expect(f, "\"tpm-crb\"");
	pid_t pid = find_server(f);
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	assert_true(g_file_get_contents(path, &status, NULL, NULL));
	assert_has(status, uid);
	assert_has(status, "\nCapEff:\t0000000000000000\n");
	assert_has(status, "\nNoNewPrivs:\t1\n");
	assert_has(status, "\nSeccomp:\t2\n");
	assert_int_equal(kill(f->started.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_code, CLD_EXITED);
	assert_int_equal(info.si_status, 0);
	end(f);
}

/* A supervisor that is killed once swtpm is there, and before QEMU is. */
static void die_early(Fixture *f, int report)
{
	const HvrStart how = start_of(f);
	pid_t server = 0;

	if (hvr_start_make(&how, hvr_handover_new(&how), NULL))
		server = find_server(f);
	if (write(report, &server, sizeof(server)) == sizeof(server))
		raise(SIGKILL);
	_exit(1);
}

/* Else it stayed for ever, with the state of the TPM. */
static void it_ends_with_who_dies_before_qemu(void **state)
{
	Fixture *f = *state;
	siginfo_t info = { 0 };
	pid_t server = 0;
	int pipes[2], status;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	hvr_vm_empty_folder(f->vm, NULL);
	pid_t supervisor = fork();
	if (supervisor == 0)
		die_early(f, pipes[1]);
	assert_int_equal(read(pipes[0], &server, sizeof(server)), sizeof(server));
	assert_true(server > 0);
	assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
	assert_true(WIFSIGNALED(status));
	struct pollfd wait = { .fd = (int)syscall(SYS_pidfd_open, server, 0), .events = POLLIN };
	int ended = poll(&wait, 1, 15000);
	kill(server, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)server, &info, WEXITED), 0);
	assert_int_equal(ended, 1);
	close(wait.fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* What is said of a server that ends by @signal. @leashed: it is on one [transfer full] */
static char *say_of_end(const Fixture *f, gboolean leashed, int signal_number)
{
	g_autofree char *script = g_strdup_printf("kill -%d $$", signal_number);
	g_autofree char *path = g_build_filename(f->folder, "said", NULL);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	GPtrArray *servers = hvr_servers_new();
	char *said = NULL;
	int leash[2];

	assert_int_equal(pipe2(leash, O_CLOEXEC), 0);
	g_ptr_array_add(argv, (char *)"sh");
	g_ptr_array_add(argv, (char *)"-c");
	g_ptr_array_add(argv, script);
	g_ptr_array_add(argv, NULL);
	const HvrServerSpawn how = { .what = "swtpm",
				     .lost = "lost",
				     .path = "/bin/sh",
				     .argv = argv,
				     .identity = hvr_user_identity(&f->user),
				     .fds = leash,
				     .n_fds = 1,
				     .stderr_fd = -1,
				     .leash = leashed ? leash[0] : 0 };
	hvr_message_record(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	assert_true(hvr_servers_add(servers, &how, NULL));
	hvr_servers_end(servers);
	hvr_message_record(-1);
	assert_true(g_file_get_contents(path, &said, NULL, NULL));
	close(leash[0]);
	close(leash[1]);
	return said;
}

/* At QEMU's end swtpm is told twice to end, and the second may come when it catches none. */
static void the_end_by_its_leash_is_no_failure(void **state)
{
	Fixture *f = *state;
	g_autofree char *leashed = say_of_end(f, TRUE, SIGTERM);
	g_autofree char *other = say_of_end(f, TRUE, SIGKILL);
	g_autofree char *free_one = say_of_end(f, FALSE, SIGTERM);

	assert_string_equal(leashed, "");
	assert_has(other, "swtpm was ended by signal 9: lost");
	assert_has(free_one, "swtpm was ended by signal 15: lost");
}

/* Two VMs of different names, one of which names the file otherwise. */
static void two_at_once_are_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *other = g_build_filename(f->folder, "other.tpm", NULL);
	g_autoptr(GPtrArray) theirs =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	g_autoptr(GError) error = NULL;

	fake_files_write(f->folder, "lab.tpm", "", 0600);
	assert_int_equal(link(f->state, other), 0);
	assert_true(hvr_reserve(&f->context, f->profile, &f->parts, f->locks, &error));
	g_autoptr(HvrProfile) second = parse(f->folder, "tis");
	second->serial = HVR_SERIAL_NONE;
	g_free(second->name);
	second->name = g_strdup("second");
	assert_false(hvr_reserve(&f->context, second, &f->parts, theirs, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_true(g_str_has_prefix(error->message, "[tpm] state: '"));
	assert_has(error->message, "lab");
	g_clear_error(&error);
	g_free(second->tpm.state);
	second->tpm.state = g_steal_pointer(&other);
	assert_false(hvr_reserve(&f->context, second, &f->parts, theirs, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	/* what is thrown away is nobody's loss */
	second->tpm.throw_away = TRUE;
	assert_true(hvr_reserve(&f->context, second, &f->parts, theirs, NULL));
}

static void assert_refused(const Fixture *f, int code, const char *wanted)
{
	g_autoptr(GError) error = NULL;

	assert_false(hvr_tpm_check(&f->context, f->profile, &f->parts, &error));
	if (!g_error_matches(error, HVR_LAUNCH_ERROR, code))
		fail_msg("code %d: %s", error->code, error->message);
	assert_has(error->message, wanted);
}

static void put_state(const Fixture *f, const char *text, mode_t mode)
{
	unlink(f->state);
	fake_files_write(f->folder, "lab.tpm", text, mode);
	assert_int_equal(chown(f->state, f->user.uid, f->user.gid), 0);
	assert_int_equal(g_chmod(f->state, mode), 0);
}

/* swtpm would make a new TPM over the first, and read the keys' file whoever else can. */
static void no_other_state_is_taken(void **state)
{
	Fixture *f = *state;

	put_state(f, "nilmptw, the beginning of somebody's letter", 0600);
	assert_refused(f, HVR_LAUNCH_ERROR_PROFILE, "is no TPM's state");
	f->profile->tpm.throw_away = TRUE;
	assert_refused(f, HVR_LAUNCH_ERROR_PROFILE, "is no TPM's state");
	f->profile->tpm.throw_away = FALSE;
	put_state(f, "", 0640);
	assert_refused(f, HVR_LAUNCH_ERROR_PERMISSION, "is not user lab's alone");
	put_state(f, "", 0600);
	assert_true(hvr_tpm_check(&f->context, f->profile, &f->parts, NULL));
	assert_int_equal(unlink(f->state), 0);
	assert_int_equal(symlink("elsewhere", f->state), 0);
	assert_refused(f, HVR_LAUNCH_ERROR_PROFILE, "it is a link");
	assert_int_equal(unlink(f->state), 0);
	assert_int_equal(g_mkdir(f->state, 0700), 0);
	assert_refused(f, HVR_LAUNCH_ERROR_PROFILE, "Is a directory");
	assert_int_equal(g_rmdir(f->state), 0);
	assert_true(hvr_tpm_check(&f->context, f->profile, &f->parts, NULL));
}

static void what_its_user_may_not_is_refused(void **state)
{
	Fixture *f = *state;

	if (!f->user.privileged)
		skip();
	put_state(f, "", 0600);
	assert_int_equal(chown(f->state, 0, 0), 0);
	assert_refused(f, HVR_LAUNCH_ERROR_PERMISSION, "user lab cannot write");
	assert_int_equal(unlink(f->state), 0);
	assert_int_equal(chown(f->folder, 0, 0), 0);
	assert_refused(f, HVR_LAUNCH_ERROR_PERMISSION, "user lab cannot create");
}

/* @script: what is swtpm here; NULL: nothing is. Only who has no privileges looks in PATH. */
static void assert_program(Fixture *f, const char *script, const char *wanted, const char *hint)
{
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	g_autofree char *folder = g_build_filename(f->folder, "bin", NULL);
	g_autoptr(GError) error = NULL;

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	if (script)
		fake_files_write(f->folder, "bin/swtpm", script, 0755);
	g_setenv("PATH", folder, TRUE);
	f->context.privileged = FALSE;
	gboolean good = hvr_tpm_check(&f->context, f->profile, &f->parts, &error);
	g_setenv("PATH", path, TRUE);
	assert_false(good);
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	assert_has(error->message, wanted);
	assert_has(error->message, hint);
	assert_false(g_file_test(f->state, G_FILE_TEST_EXISTS));
}

static void without_one_it_says_which_package(void **state)
{
	assert_program(*state, NULL, "[tpm] model: this host has no swtpm", "install swtpm");
}

/* What is none, or an old one: these words are no swtpm's. */
static void one_that_cannot_is_found_out(void **state)
{
	assert_program(*state, "#!/bin/sh\necho no such words >&2\nexit 1\n", "no such words",
		       "swtpm 0.7 or newer");
	assert_program(*state, "#!/bin/sh\nexit 0\n", "does not answer as swtpm does",
		       "swtpm 0.7 or newer");
}

static gboolean is_there(void)
{
	g_autofree char *swtpm = hvr_swtpm_find(TRUE);
	g_autofree char *qemu = hvr_program_find("qemu-system-x86_64", TRUE);

	if (!swtpm || !qemu)
		print_message("skipped: no %s\n", swtpm ? "QEMU" : "swtpm");
	return swtpm && qemu;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_in_it_survives_a_restart),	 TEST(what_is_thrown_away_is_a_copy),
		TEST(it_is_nobody_and_ends_with_qemu),	 TEST(two_at_once_are_refused),
		TEST(no_other_state_is_taken),		 TEST(what_its_user_may_not_is_refused),
		TEST(without_one_it_says_which_package), TEST(one_that_cannot_is_found_out),
		TEST(it_ends_with_who_dies_before_qemu), TEST(the_end_by_its_leash_is_no_failure),
	};

	if (!is_there())
		return SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
