/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the launcher makes for a VM before QEMU is there: programs that it runs as the VM's user,
 * files that appear whole or not at all, and empty disks.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "compat/compat.h"
#include "launcher/parts/disk-image.h"
#include "launcher/parts/newfile.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/placement.h"
#include "launcher/parts/seed.h"
#include "launcher/process/program.h"
#include "launcher/process/spawn.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define NOBODY 65534

typedef struct {
	char *folder; /* the VM's user's */
	HvrUser user;
	HvrParts parts;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-parts-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	f->parts.user = &f->user;
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	f->user.name = (char *)"lab";
	assert_int_equal(chown(f->folder, f->user.uid, f->user.gid), 0);
	f->context = (HvrContext){ .host = { .sys = -1, .proc = -1 },
				   .runtime = -1,
				   .runtime_parent = -1 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->folder);
	hvr_fd_close(f->context.host.sys);
	g_free(f->folder);
	g_free(f);
	return 0;
}

static gboolean run_shell(const char *script, guint timeout_ms, int stdout_fd, GError **error)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const HvrProgram program = { .path = "/bin/sh",
				     .argv = argv,
				     .identity = { .uid = NOBODY, .gid = NOBODY },
				     .stdout_fd = stdout_fd,
				     .timeout_ms = timeout_ms };

	return hvr_program_run(&program, error);
}

/* The last line is the reason; a flood of others neither blocks nor fills anything. */
static void test_program_fails(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_false(run_shell("i=0; while [ $i -lt 3000 ]; do echo 'line line line line line' >&2;"
			       " i=$((i+1)); done; printf 'the\\033 reason\\n' >&2; exit 3",
			       60000, 0, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	assert_string_equal(error->message, "/bin/sh ended with status 3: the  reason");
}

static void test_program_killed(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_false(run_shell("kill -9 $$", 60000, 0, &error));
	assert_string_equal(error->message, "/bin/sh was ended by signal 9");
}

/* Also when it has closed everything that could be listened to. */
static void test_program_hangs(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_false(run_shell("exec 2>&-; while :; do :; done", 1000, 0, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY));
	assert_string_equal(error->message, "/bin/sh was not done after 1 s");
}

/* A grandchild that keeps the pipe open does not keep us. */
static void test_program_leaves_child(void **state)
{
	gint64 begin = g_get_monotonic_time();

	assert_true(run_shell("sleep 16 & exit 0", 20000, 0, NULL));
	assert_true(g_get_monotonic_time() - begin < 15 * G_USEC_PER_SEC);
}

/* It runs as the VM's user, and what it writes goes where we say. */
static void test_program_output(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->folder, "out", NULL);
	g_autofree char *wanted = g_strdup_printf("%u\n", f->user.uid);
	g_autofree char *text = NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(run_shell("id -u", 60000, fd, NULL));
	close(fd);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, wanted);
}

static HvrProfile *parse(const Fixture *f, const char *text)
{
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

#define DISKS                                                                                      \
	"[vm]\nmemory = 1G\n"                                                                      \
	"[disk root]\nfile = root.qcow2\nsize = 3G\n"                                              \
	"[disk data]\nfile = data.raw\nformat = raw\nsize = 2M\n"

static guint count_files(const Fixture *f)
{
	g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
	guint count = 0;

	while (g_dir_read_name(dir))
		count++;
	return count;
}

/* Images that are missing are made, for the VM's user alone, and nothing else is left behind. */
static void test_disks(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, DISKS);
	g_autofree char *root = g_build_filename(f->folder, "root.qcow2", NULL);
	g_autofree char *data = g_build_filename(f->folder, "data.raw", NULL);
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;
	gsize length;

	assert_null(hvr_parts_ask(&f->context, profile, &f->parts));
	hvr_parts_describe(profile, &f->parts, notes);
	assert_int_equal(notes->len, 2);
	if (!hvr_parts_create(profile, &f->parts, &error))
		fail_msg("%s", error->message);
	assert_int_equal(count_files(f), 2);

	assert_int_equal(lstat(root, &st), 0);
	assert_int_equal(st.st_uid, f->user.uid);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_true(g_file_get_contents(root, &bytes, &length, NULL));
	assert_memory_equal(bytes, "QFI\xfb", 4);
	/* the size of the disk, at its place in qcow2's header */
	assert_memory_equal(bytes + 24, "\0\0\0\0\xc0\0\0\0", 8);

	assert_int_equal(lstat(data, &st), 0);
	assert_int_equal(st.st_uid, f->user.uid);
	assert_int_equal(st.st_size, 2 << 20);
}

/* What is there stays as it is, whatever it is. */
static void test_disks_exist(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, DISKS);
	g_autofree char *root = g_build_filename(f->folder, "root.qcow2", NULL);
	g_autofree char *data = g_build_filename(f->folder, "data.raw", NULL);
	g_autofree char *text = NULL;

	assert_true(g_file_set_contents(root, "mine", -1, NULL));
	assert_int_equal(symlink("nowhere", data), 0);
	assert_null(hvr_parts_ask(&f->context, profile, &f->parts));
	assert_true(hvr_parts_create(profile, &f->parts, NULL));
	assert_true(g_file_get_contents(root, &text, NULL, NULL));
	assert_string_equal(text, "mine");
	assert_int_equal(count_files(f), 2);
}

/* What an earlier attempt left is in nobody's way. */
static void test_disk_left_over(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, DISKS);
	g_autofree char *left = g_build_filename(f->folder, ".data.raw.new", NULL);

	assert_int_equal(symlink("/etc/passwd", left), 0);
	assert_true(hvr_parts_create(profile, &f->parts, NULL));
	assert_int_equal(count_files(f), 2);
}

static void assert_lacking(const Fixture *f, const char *file, HvrLaunchError code,
			   const char *message)
{
	g_autofree char *text = g_strdup_printf("[vm]\nmemory = 1G\n[disk root]\nformat = raw\n"
						"file = %s\nsize = 1M\n",
						file);
	g_autoptr(HvrProfile) profile = parse(f, text);
	g_autoptr(GError) error = hvr_parts_ask(&f->context, profile, &f->parts);

	assert_non_null(error);
	if (!strstr(error->message, message))
		fail_msg("the message is \"%s\"", error->message);
	assert_int_equal(error->code, code);
}

/* A folder that is missing, or that the VM's user cannot pass. */
static void test_disk_folders(void **state)
{
	Fixture *f = *state;
	g_autofree char *closed = g_build_filename(f->folder, "closed", NULL);

	assert_lacking(f, "a/b.raw", HVR_LAUNCH_ERROR_PROFILE,
		       "/a/b.raw' does not exist (there is no '");
	assert_lacking(f, "a/b.raw", HVR_LAUNCH_ERROR_PROFILE,
		       "/a')\nmake that folder, or correct the path");
	assert_int_equal(g_mkdir(closed, 0700), 0);
	if (f->user.privileged)
		assert_lacking(
			f, "closed/b.raw", HVR_LAUNCH_ERROR_PERMISSION,
			"/closed' is closed to this user)\nit is made as the VM's user: name "
			"a file in a folder that user lab may write to, or set [security] user");
	assert_int_equal(g_chmod(closed, 0755), 0);
	if (f->user.privileged)
		assert_lacking(f, "closed/b.raw", HVR_LAUNCH_ERROR_PERMISSION,
			       " (this user may not write to folder '");
}

static char *lacking(const Fixture *f, const char *text)
{
	g_autoptr(HvrProfile) profile = parse(f, text);
	g_autoptr(GError) error = hvr_parts_ask(&f->context, profile, &f->parts);

	return g_strdup(error ? error->message : NULL);
}

static void put_attribute(const Fixture *f, const char *path, const char *text)
{
	g_autofree char *file = g_build_filename(f->folder, path, NULL);
	g_autofree char *folder = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void open_fake_sys(Fixture *f)
{
	f->context.host.sys = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

#define HUGE "[vm]\nmemory = 1G\n[memory]\nhugepages = 2M\n"

/* As many huge pages as the VM needs must be free, on its node where it names one. */
static void test_hugepages(void **state)
{
	Fixture *f = *state;
	g_autofree char *none = NULL;
	g_autofree char *few = NULL;
	g_autofree char *node = NULL;

	open_fake_sys(f);
	put_attribute(f, "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
	none = lacking(f, "[vm]\nmemory = 4G\n[memory]\nhugepages = 1G\n");
	assert_string_equal(
		none, "[memory] hugepages: the VM needs 4 pages of 1 GiB, and 0 are free"
		      "\nboot the host with hugepagesz=1G hugepages=4, or while its memory is "
		      "not in pieces yet: echo 4 > "
		      "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
	put_attribute(f, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "511\n");
	few = lacking(f, HUGE);
	assert_string_equal(few, "[memory] hugepages: the VM needs 512 pages of 2 MiB, and 511 are "
				 "free\necho 1 > "
				 "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	put_attribute(f, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	assert_null(lacking(f, HUGE));
	put_attribute(f, "devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages",
		      "7\n");
	node = lacking(f, HUGE "node = 1\n");
	assert_non_null(strstr(node, "and 7 are free on node 1"));
}

static void test_node_and_cpus(void **state)
{
	Fixture *f = *state;
	g_autofree char *node = NULL;
	g_autofree char *cpu = NULL;

	open_fake_sys(f);
	put_attribute(f, "devices/system/cpu/online", "0-2,4\n");
	node = lacking(f, "[vm]\nmemory = 1G\n[memory]\nnode = 2\n");
	assert_string_equal(node, "[memory] node: this host has no node 2");
	assert_null(lacking(f, "[vm]\nmemory = 1G\n[cpu]\npin = 0-2,4\n"));
	cpu = lacking(f, "[vm]\nmemory = 1G\n[cpu]\npin = 2-4\n");
	assert_string_equal(cpu, "[cpu] pin: CPU 3 is not there\nthis host has CPUs 0-2,4");
	g_autofree char *each = lacking(f, "[vm]\nmemory = 1G\n[cpu]\npin = 0:1, 1:0-3\n");
	assert_string_equal(each, cpu);
	g_autofree char *rest =
		lacking(f, "[vm]\nmemory = 1G\n[cpu]\npin = 0:1\nemulator-pin = 5\n");
	assert_string_equal(rest,
			    "[cpu] emulator-pin: CPU 5 is not there\nthis host has CPUs 0-2,4");
}

/* Bridges and taps must be there, and only root puts a VM on a bridge. */
static void test_nets(void **state)
{
	static const char bridge[] = "[vm]\nmemory = 1G\n[net lan]\nmode = bridge\nbridge = br0\n";
	static const char tap[] = "[vm]\nmemory = 1G\n[net lan]\nmode = tap\ntap = br0\n";
	Fixture *f = *state;
	g_autofree char *no_bridge = NULL;
	g_autofree char *no_tap = NULL;
	g_autofree char *not_root = NULL;

	open_fake_sys(f);
	f->user.privileged = TRUE;
	f->user.name = (char *)"lab";
	no_bridge = lacking(f, bridge);
	assert_string_equal(no_bridge,
			    "[net lan] bridge: 'br0' is no bridge of this host\nmake it: "
			    "ip link add br0 type bridge; ip link set br0 up");
	put_attribute(f, "class/net/br0/bridge/bridge_id", "");
	assert_null(lacking(f, bridge));
	no_tap = lacking(f, tap);
	assert_string_equal(no_tap,
			    "[net lan] tap: 'br0' is no tap of this host\nmake it: ip tuntap "
			    "add br0 mode tap user lab; ip link set br0 up");
	put_attribute(f, "class/net/br0/tun_flags", "0x1002\n");
	assert_null(lacking(f, tap));
	f->user.privileged = FALSE;
	assert_null(lacking(f, tap));
	not_root = lacking(f, bridge);
	assert_non_null(strstr(not_root, "[net lan] bridge: only root can put a VM on it\nrun this "
					 "as root (sudo), or once: sudo ip tuntap add tap0 mode "
					 "tap user lab;"));
}

/* UEFI's variables are copied once, for the VM's user alone, and then stay as they are. */
static void test_nvram(void **state)
{
	Fixture *f = *state;
	g_autofree char *template = g_build_filename(f->folder, "template.fd", NULL);
	g_autofree char *vars = g_build_filename(f->folder, "lab.vars.fd", NULL);
	g_autoptr(HvrProfile) profile = parse(f, "[vm]\nmemory = 1G\n[firmware]\nmode = uefi\n");
	HvrFirmware firmware = { .code = template, .vars = template };
	g_autofree char *text = NULL;
	g_autofree char *kept = NULL;
	struct stat st;

	assert_true(g_file_set_contents(template, "variables", -1, NULL));
	assert_int_equal(g_chmod(template, 0644), 0);
	f->parts.firmware = &firmware;
	assert_null(hvr_parts_ask(&f->context, profile, &f->parts));
	assert_true(hvr_parts_create(profile, &f->parts, NULL));
	assert_int_equal(lstat(vars, &st), 0);
	assert_int_equal(st.st_uid, f->user.uid);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_true(g_file_get_contents(vars, &text, NULL, NULL));
	assert_string_equal(text, "variables");

	assert_true(g_file_set_contents(template, "newer", -1, NULL));
	assert_true(hvr_parts_create(profile, &f->parts, NULL));
	assert_true(g_file_get_contents(vars, &kept, NULL, NULL));
	assert_string_equal(kept, "variables");
}

/* What QEMU takes for no flash is not given to it. */
static void test_nvram_of_no_size(void **state)
{
	static const struct {
		gsize size;
		gboolean well;
	} sizes[] = { { 0, FALSE },
		      { 4095, FALSE },
		      { 4096, TRUE },
		      { 540672, TRUE },
		      { 540673, FALSE },
		      { 8 << 20, TRUE },
		      { (8 << 20) + 4096, FALSE } };
	Fixture *f = *state;
	g_autofree char *code = g_build_filename(f->folder, "code.fd", NULL);
	g_autofree char *vars = g_build_filename(f->folder, "lab.vars.fd", NULL);
	HvrFirmware firmware = { .code = code, .vars = code, .vars_format = (char *)"raw" };

	assert_true(g_file_set_contents(code, "", 0, NULL));
	assert_int_equal(g_chmod(code, 0644), 0);
	f->parts.firmware = &firmware;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		assert_true(g_file_set_contents(vars, "", 0, NULL));
		assert_int_equal(truncate(vars, (off_t)sizes[i].size), 0);
		assert_int_equal(g_chmod(vars, 0666), 0);
		g_autofree char *said = lacking(f, "[vm]\nmemory = 1G\n[firmware]\nmode = uefi\n");
		const char *before = "is none of UEFI's: it";
		const char *behind = "\nmove it away: the next start makes it anew";
		if (sizes[i].size == 0 || sizes[i].size % 4096) {
			before = "";
			behind = ", which is no multiple of 4096 that QEMU takes\n"
				 "remove it, to have it made anew";
		}
		g_autofree char *wanted =
			g_strdup_printf("[firmware] vars: '%s' %s%shas %zu bytes%s", vars, before,
					*before ? " " : "", sizes[i].size, behind);
		if (sizes[i].well)
			assert_null(said);
		else
			assert_string_equal(said, wanted);
	}
}

/* A UEFI of one's own: both of its files are there and are what a flash chip can be. */
static void test_firmware_of_ones_own(void **state)
{
	static const char profile[] = "[vm]\nmemory = 1G\n[firmware]\nmode = uefi\n"
				      "code = code.fd\nvars = own.fd\n";
	static const struct {
		int code, vars; /* bytes; -1: it is not there */
		const char *said;
	} cases[] = {
		{ -1, -1, "code.fd' does not exist" },
		{ 4096, -1, "copy there what comes with that firmware" },
		{ 0, 4096, "code.fd' is none of UEFI's: it has 0 bytes\nname two that belong" },
		{ 4097, 4096, "code.fd' is none of UEFI's: it has 4097 bytes" },
		{ (8 << 20) + 4096, 4096, "[firmware] code: '" },
		{ 4096, 100, "own.fd' is none of UEFI's: it has 100 bytes" },
		{ 4096, 4096, NULL },
	};
	Fixture *f = *state;
	g_autofree char *code = g_build_filename(f->folder, "code.fd", NULL);
	g_autofree char *vars = g_build_filename(f->folder, "own.fd", NULL);
	g_autoptr(HvrFirmware) firmware = hvr_firmware_own(code, vars, FALSE);

	f->parts.firmware = firmware;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].code >= 0) {
			assert_true(g_file_set_contents(code, "", 0, NULL));
			assert_int_equal(truncate(code, cases[i].code), 0);
			assert_int_equal(g_chmod(code, 0644), 0);
		}
		if (cases[i].vars >= 0) {
			assert_true(g_file_set_contents(vars, "", 0, NULL));
			assert_int_equal(truncate(vars, cases[i].vars), 0);
			assert_int_equal(g_chmod(vars, 0666), 0);
		}
		g_autofree char *said = lacking(f, profile);
		if (!said != !cases[i].said || (said && !strstr(said, cases[i].said)))
			fail_msg("%u: %s", (guint)i, said ? said : "nothing");
		g_unlink(vars);
	}
	g_autoptr(HvrFirmware) packed = hvr_firmware_own("/a.qcow2", "/b.fd", TRUE);
	assert_string_equal(packed->code_format, "qcow2");
	assert_string_equal(packed->vars_format, "raw");
	assert_true(packed->needs_smm);
}

static void test_nvram_without_template(void **state)
{
	Fixture *f = *state;
	g_autofree char *code = g_build_filename(f->folder, "code.fd", NULL);
	HvrFirmware firmware = { .code = code, .vars = (char *)"/nowhere/vars.fd" };

	assert_true(g_file_set_contents(code, "", 0, NULL));
	assert_int_equal(g_chmod(code, 0644), 0);
	f->parts.firmware = &firmware;
	g_autofree char *said = lacking(f, "[vm]\nmemory = 1G\n[firmware]\nmode = uefi\n");
	assert_string_equal(said,
			    "[firmware] vars: cannot read '/nowhere/vars.fd': No such file or "
			    "directory\na firmware's descriptor names it: install that firmware "
			    "anew");
}

/* Its temporary name is longer by five. */
static void test_new_file_with_too_long_a_name(void **state)
{
	static const char head[] = "[vm]\nmemory = 1G\n[disk root]\nformat = raw\nsize = 1M\n";
	Fixture *f = *state;
	g_autofree char *most = g_strnfill(250, 'a');
	g_autofree char *fits = g_strdup_printf("%sfile = %s\n", head, most);
	g_autofree char *too_long = g_strdup_printf("%sfile = %sa\n", head, most);

	assert_null(lacking(f, fits));
	g_autofree char *said = lacking(f, too_long);
	assert_non_null(strstr(said, "[disk root] file: user lab cannot create '"));
	assert_non_null(strstr(said, "File name too long"));
}

/* A template that is gone leaves no half of a file; variables of somebody else are no use. */
static void test_nvram_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *template = g_build_filename(f->folder, "template.fd", NULL);
	g_autofree char *vars = g_build_filename(f->folder, "lab.vars.fd", NULL);
	g_autofree char *code = g_build_filename(f->folder, "code.fd", NULL);
	g_autoptr(HvrProfile) profile = parse(f, "[vm]\nmemory = 1G\n[firmware]\nmode = uefi\n");
	HvrFirmware firmware = { .code = code,
				 .vars = template,
				 .code_format = (char *)"raw",
				 .vars_format = (char *)"raw" };
	g_autoptr(GError) gone = NULL;
	g_autoptr(GError) theirs = NULL;
	g_autoptr(GError) empty = NULL;
	g_autoptr(GError) other = NULL;

	f->parts.firmware = &firmware;
	assert_false(hvr_parts_create(profile, &f->parts, &gone));
	g_autofree char *wanted = g_strdup_printf(
		"[firmware] vars: cannot read '%s': No such file or directory", template);
	assert_string_equal(gone->message, wanted);
	assert_int_equal(hvr_exit_status(gone), 69);
	assert_int_equal(count_files(f), 0);
	fake_files_write(f->folder, "code.fd", "code", 0644);
	assert_true(g_file_set_contents(vars, "", -1, NULL));
	assert_int_equal(g_chmod(vars, 0444), 0);
	if (geteuid() != 0)
		return;
	theirs = hvr_parts_ask(&f->context, profile, &f->parts);
	assert_non_null(strstr(theirs->message, "[firmware] vars: user lab cannot write '"));
	assert_int_equal(g_chmod(vars, 0666), 0);
	empty = hvr_parts_ask(&f->context, profile, &f->parts);
	assert_non_null(strstr(empty->message, "' has 0 bytes, which is no multiple of 4096"));
	assert_true(g_file_set_contents(vars, "QFI\xfb\0\0\0\3", 8, NULL));
	assert_int_equal(g_chmod(vars, 0666), 0);
	other = hvr_parts_ask(&f->context, profile, &f->parts);
	assert_non_null(
		strstr(other->message, "is a qcow2 image, but its format is said to be raw"));
}

/* A file of cloud-init's disk as mtools reads it. [transfer full] */
static char *read_seed(const Fixture *f, int seed, const char *name)
{
	g_autofree char *path = g_build_filename(f->folder, "out", NULL);
	g_autofree char *image = hvr_fd_path(seed, NULL);
	g_autofree char *mtype = hvr_program_find("mtype", TRUE);
	const char *const argv[] = { "mtype", "-i", image, name, NULL };
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	HvrProgram program = { .path = mtype,
			       .argv = argv,
			       .identity = { .uid = NOBODY, .gid = NOBODY },
			       .fds = &seed,
			       .n_fds = 1,
			       .stdout_fd = out,
			       .timeout_ms = 60000 };
	char *text = NULL;

	assert_true(hvr_program_run(&program, NULL));
	close(out);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void put_text(const Fixture *f, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(f->folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(g_chmod(path, 0644), 0);
}

static int make_seed(const Fixture *f, const char *text)
{
	g_autoptr(HvrProfile) profile = parse(f, text);
	g_autoptr(GError) error = NULL;
	int seed = hvr_seed_make(profile, &f->parts, &error);

	if (error)
		fail_msg("%s", error->message);
	assert_int_equal(fcntl(seed, F_GETFL) & O_ACCMODE, O_RDONLY);
	return seed;
}

#define SEED "[vm]\nmemory = 1G\n[cloud-init]\n"

static gboolean has_mtools(void)
{
	g_autofree char *mformat = hvr_program_find("mformat", TRUE);

	if (!mformat && !getenv("HVR_TESTS_MUST_RUN"))
		print_message("this host has no mtools\n");
	return mformat || getenv("HVR_TESTS_MUST_RUN");
}

/* What cloud-init reads: user-data byte for byte, and the rest as JSON. */
static void test_seed(void **state)
{
	Fixture *f = *state;
	g_autofree char *big = g_strnfill(900000, 'x');
	g_autofree char *user = NULL;
	g_autofree char *meta = NULL;

	if (!has_mtools())
		return;
	put_text(f, "u", big);
	put_text(f, "k", "# mine\nssh-ed25519 AAAA \"me\"\n\nssh-rsa BBBB you\n");
	g_auto(HvrFd) seed = make_seed(f, SEED "user-data = u\nssh-key = k\n");
	user = read_seed(f, seed, "::user-data");
	meta = read_seed(f, seed, "::meta-data");
	assert_string_equal(user, big);
	assert_true(g_str_has_prefix(meta, "{\"local-hostname\":\"lab\",\"public-keys\":["
					   "\"ssh-ed25519 AAAA \\\"me\\\"\",\"ssh-rsa BBBB you\"],"
					   "\"instance-id\":\"lab-"));
}

/* A key that stands in the profile, and the user whose it is: vendor-data, and another id. */
static void test_seed_login(void **state)
{
	static const char key[] =
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf0"
		"2EccoHGxDb0hxVq";
	Fixture *f = *state;
	g_autofree char *text = g_strdup_printf(SEED "ssh-key = %s\n", key);
	g_autofree char *with_user = g_strconcat(text, "user = me\n", NULL);
	g_autofree char *keys = g_strdup_printf("\"public-keys\":[\"%s\"]", key);

	if (!has_mtools())
		return;
	g_auto(HvrFd) without = make_seed(f, text);
	g_auto(HvrFd) with = make_seed(f, with_user);
	g_autofree char *meta = read_seed(f, without, "::meta-data");
	g_autofree char *other = read_seed(f, with, "::meta-data");
	g_autofree char *vendor = read_seed(f, with, "::vendor-data");
	assert_non_null(strstr(meta, keys));
	assert_non_null(strstr(other, keys));
	assert_string_not_equal(meta, other);
	assert_string_equal(vendor, "#cloud-config\n{\"user\":{\"name\":\"me\"}}\n");
}

/* The id changes with what is told, and only then; a meta-data of one's own is left alone. */
static void test_seed_instance(void **state)
{
	Fixture *f = *state;
	char *metas[4] = { NULL };

	if (!has_mtools())
		return;
	put_text(f, "m", "instance-id: mine\n");
	for (int i = 0; i < 3; i++) {
		g_auto(HvrFd) seed =
			make_seed(f, i < 2 ? SEED "hostname = a\n" : SEED "hostname = b\n");

		metas[i] = read_seed(f, seed, "::meta-data");
	}
	assert_string_equal(metas[0], metas[1]);
	assert_string_not_equal(strstr(metas[0], "instance-id"), strstr(metas[2], "instance-id"));
	g_auto(HvrFd) own = make_seed(f, SEED "meta-data = m\n");
	metas[3] = read_seed(f, own, "::meta-data");
	g_autofree char *user = read_seed(f, own, "::user-data");
	assert_string_equal(metas[3], "instance-id: mine\n");
	assert_string_equal(user, "#cloud-config\n{}\n");
	for (int i = 0; i < 4; i++)
		g_free(metas[i]);
}

static void assert_seed_refused(const Fixture *f, const char *text, const char *message)
{
	g_autofree char *found = lacking(f, text);

	if (!found || !strstr(found, message))
		fail_msg("the message is \"%s\"", found);
}

static void test_seed_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *fifo = g_build_filename(f->folder, "fifo", NULL);
	g_autofree char *huge = g_strnfill((1 << 20) + 1, 'x');

	if (!has_mtools())
		return;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(chown(fifo, f->user.uid, f->user.gid), 0);
	put_text(f, "huge", huge);
	put_text(f, "key", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	assert_seed_refused(f, SEED "user-data = none\n",
			    "/none' does not exist\ncorrect the path");
	assert_seed_refused(f, SEED "user-data = fifo\n", "it is not a regular file");
	assert_seed_refused(f, SEED "meta-data = huge\n", "it is larger than 1 MiB");
	assert_seed_refused(f, SEED "ssh-key = key\n",
			    "holds no public keys\nthe public one's name ends in .pub");
}

/* @node: -1: none */
static void assert_card_node(const Fixture *f, const char *text, const char *card, int node)
{
	HvrPciAddress first;
	g_autoptr(HvrProfile) profile = parse(f, text);
	guint found = 0;

	assert_true(hvr_pci_address_parse(card, &first));
	assert_int_equal(hvr_placement_node(&f->context.host, profile, &first, &found), node >= 0);
	assert_int_equal(found, MAX(node, 0));
}

/* RAM comes from the first card's node, where there is more than one and the profile agrees. */
static void test_card_node(void **state)
{
	static const char vm[] = "[vm]\nmemory = 1G\n";
	Fixture *f = *state;

	open_fake_sys(f);
	put_attribute(f, "bus/pci/devices/0000:02:00.0/numa_node", "1\n");
	put_attribute(f, "bus/pci/devices/0000:03:00.0/numa_node", "-1\n");
	put_attribute(f, "devices/system/node/online", "0\n");
	assert_card_node(f, vm, "0000:02:00.0", -1);
	put_attribute(f, "devices/system/node/online", "0-1\n");
	assert_card_node(f, vm, "0000:02:00.0", 1);
	assert_card_node(f, vm, "0000:03:00.0", -1);
	assert_card_node(f, vm, "0000:04:00.0", -1);
	assert_card_node(f, "[vm]\nmemory = 1G\n[memory]\nnode = any\n", "0000:02:00.0", -1);
}

/* What [cpu] pin says is what the program may run on, and all that it may run on. */
static void test_pinned(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = parse(f, "[vm]\nmemory = 1G\n[cpu]\npin = 0\n");
	g_autofree char *path = g_build_filename(f->folder, "out", NULL);
	char *const argv[] = { (char *)"sh", (char *)"-c",
			       (char *)"grep Cpus_allowed_list /proc/self/status", NULL };
	g_autofree char *text = NULL;
	g_auto(HvrFd) pidfd = -1;
	siginfo_t info = { 0 };
	cpu_set_t cpus;

	assert_true(hvr_placement_cpus(profile, &cpus));
	HvrSpawn spawn = { .path = "/bin/sh",
			   .argv = argv,
			   .identity = { .uid = NOBODY, .gid = NOBODY },
			   .cpus = &cpus,
			   .stdout_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
			   .stderr_fd = -1 };
	assert_true(hvr_spawn(&spawn, &pidfd, NULL) > 0);
	close(spawn.stdout_fd);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "Cpus_allowed_list:\t0\n");
}

/* Somebody was faster: theirs is not replaced, and ours is gone. */
static void test_new_file_race(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->folder, "a", NULL);
	const HvrUser ourselves = { .uid = geteuid(), .gid = getegid() };
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;
	g_autoptr(GError) error = NULL;

	assert_true(hvr_new_file_is_missing(path));
	assert_true(hvr_new_file_begin(&file, path, &ourselves, NULL));
	assert_true(hvr_new_file_is_missing(path));
	assert_true(g_file_set_contents(path, "theirs", -1, NULL));
	assert_false(hvr_new_file_finish(&file, NULL, &error));
	assert_non_null(strstr(error->message, "File exists"));
	hvr_new_file_clear(&file);
	assert_int_equal(count_files(f), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_program_fails),
		TEST(test_program_killed),
		TEST(test_program_hangs),
		TEST(test_program_leaves_child),
		TEST(test_program_output),
		TEST(test_disks),
		TEST(test_disks_exist),
		TEST(test_disk_left_over),
		TEST(test_disk_folders),
		TEST(test_new_file_race),
		TEST(test_hugepages),
		TEST(test_node_and_cpus),
		TEST(test_card_node),
		TEST(test_nets),
		TEST(test_seed),
		TEST(test_seed_login),
		TEST(test_seed_instance),
		TEST(test_seed_refused),
		TEST(test_nvram),
		TEST(test_nvram_of_no_size),
		TEST(test_firmware_of_ones_own),
		TEST(test_nvram_without_template),
		TEST(test_new_file_with_too_long_a_name),
		TEST(test_nvram_refused),
		TEST(test_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
