/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM needs of the host beside its cards is looked at, or made, before a card is taken: what
 * is missing then costs no card a reset. Whole runs on a fake machine, which notes each call that
 * would reach a card; the sockets, files and limits are this machine's own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/portholder.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/ports.h"
#include "launcher/parts/reserve.h"
#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/dry-run.h"
#include "launcher/session/run.h"
#include "tests/fake/between.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/scenarios.h"
#include "vfio/fd.h"

#define CARD "0000:02:00.0"

static void build(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
}

static const Scenario one_card = { "card", build, "[device npu]\n", "run" };

typedef struct {
	Machine *machine;
	char *folder; /* of the VM's user: the profile is in it */
	GError *error;
	gboolean looked; /* the hook below has been here */
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->machine = machine_new(&one_card);
	f->folder = g_dir_make_tmp("hvr-resources-XXXXXX", NULL);
	assert_int_equal(g_chmod(f->folder, 0777), 0);
	*state = f;
	return 0;
}

/* Where a small file system is mounted, in a name space of this process alone. */
static char *mounted;

/* FALSE: it may not mount here. */
static gboolean mount_small(const char *path, const char *options)
{
	static gboolean own;

	if (!own)
		own = unshare(CLONE_NEWNS) == 0 &&
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (!own || mount("small", path, "tmpfs", 0, options) < 0)
		return FALSE;
	mounted = g_strdup(path);
	return TRUE;
}

static void unmount_small(void)
{
	if (mounted)
		umount2(mounted, MNT_DETACH);
	g_clear_pointer(&mounted, g_free);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	unmount_small();
	g_clear_error(&f->error);
	machine_free(f->machine);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

static void use_whole(Fixture *f, const char *text)
{
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&f->machine->profile, hvr_profile_free);
	f->machine->profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);
	if (!f->machine->profile)
		fail_msg("%s", error->message);
}

/* The card, and @sections of the profile. */
static void use(Fixture *f, const char *sections)
{
	g_autofree char *text = g_strconcat("[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
					    "[qemu]\nbinary = /bin/true\n"
					    "[security]\nuser = nobody\n[device npu]\n",
					    sections, NULL);

	use_whole(f, text);
}

static gboolean is_there(const Fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename(f->folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Whatever is written below /sys would move the card. */
static guint count_writes(const Fixture *f)
{
	guint count = 0;

	for (guint i = 0; i < f->machine->fs->log->len; i++)
		if (g_str_has_prefix(f->machine->fs->log->pdata[i], "write "))
			count++;
	return count;
}

static void assert_as_it_was(Fixture *f)
{
	machine_unload(f->machine);
	g_autofree char *difference = machine_difference(f->machine);

	if (difference)
		fail_msg("%s", difference);
}

#define NEW_DISK "[disk root]\nfile = root.raw\nformat = raw\nsize = 1M\n"

static void look_when_card_moves(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	Fixture *f = data;

	if (f->looked || !g_str_has_prefix(what, "write "))
		return;
	f->looked = TRUE;
	assert_true(is_there(f, "root.raw"));
	assert_true(is_there(f, "serial.log"));
	assert_true(fake_files_exist(fs->root, "run/hailo-vm-run/vms/lab/qmp.sock"));
	assert_true(fake_files_exist(fs->root, "run/hailo-vm-run/vms/lab/agent.sock"));
}

static void test_all_is_made_before_the_card_moves(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK "[serial]\nmode = file\nfile = serial.log\n[guest]\nagent = yes\n");
	f->machine->fs->before = look_when_card_moves;
	f->machine->fs->hook_data = f;
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(f->looked);
	assert_as_it_was(f);
}

/* QEMU is /bin/true: it ends before any guest could have written to the image. */
static void test_image_of_a_failed_start_is_removed(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK);
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(count_writes(f) > 0);
	assert_false(is_there(f, "root.raw"));
}

static void test_image_is_removed_when_the_card_cannot_be_had(void **state)
{
	Fixture *f = *state;

	use(f, NEW_DISK);
	fake_sysfs_fail_matching(f->machine->fs, "driver_override vfio-pci", EIO);
	assert_false(machine_do(f->machine, "run", &f->error));
	assert_false(is_there(f, "root.raw"));
	assert_as_it_was(f);
}

/* What the last VM said is lost to the next one, and not to a start that comes to nothing. */
static void test_serial_file_stays_until_qemu_begins(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->folder, "serial.log", NULL);
	g_autofree char *kept = NULL;
	g_autofree char *emptied = NULL;

	assert_true(g_file_set_contents(path, "the last one", -1, NULL));
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	use(f, "[serial]\nmode = file\nfile = serial.log\n");
	fake_sysfs_fail_matching(f->machine->fs, "driver_override vfio-pci", EIO);
	assert_false(machine_do(f->machine, "run", &f->error));
	assert_true(g_file_get_contents(path, &kept, NULL, NULL));
	assert_string_equal(kept, "the last one");
	fake_sysfs_fail_never(f->machine->fs);
	g_clear_error(&f->error);
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(g_file_get_contents(path, &emptied, NULL, NULL));
	assert_string_equal(emptied, "");
}

static void test_image_that_was_there_stays(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = g_build_filename(f->folder, "root.raw", NULL);

	assert_true(g_file_set_contents(path, "mine", -1, NULL));
	assert_int_equal(g_chmod(path, 0666), 0);
	use(f, NEW_DISK);
	assert_true(machine_do(f->machine, "run", &f->error));
	assert_true(is_there(f, "root.raw"));
}

/* A run that is refused: what is said, with which status, and no card has moved for it. */
static void assert_refused(Fixture *f, int status, const char *message)
{
	g_clear_error(&f->error);
	assert_false(machine_do(f->machine, "run", &f->error));
	if (strcmp(f->error->message, message) != 0)
		fail_msg("said:   %s\nwanted: %s", f->error->message, message);
	assert_int_equal(hvr_exit_status(f->error), status);
	/* --dry-run and check ask the same */
	HvrContext context = machine_context(f->machine);
	g_autoptr(GError) shown = NULL;
	assert_false(hvr_dry_run(&context, f->machine->profile, TRUE, &shown));
	assert_string_equal(shown->message, message);
	hvr_fd_close(context.runtime);
	assert_int_equal(count_writes(f), 0);
	assert_as_it_was(f);
}

/* With what was missing there, the same profile starts. */
static void assert_starts(Fixture *f)
{
	g_clear_error(&f->error);
	if (!machine_do(f->machine, "run", &f->error))
		fail_msg("%s", f->error->message);
	assert_true(count_writes(f) > 0);
}

/* Bound to a free port of 127.0.0.1, TCP listens there. */
static int hold_port(int type, guint16 *out_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	const int yes = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	/* so does whoever serves */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	*out_port = ntohs(address.sin_port);
	return fd;
}

#define SEE "\nchoose another port, or end what has it"

static void test_tcp_forward_in_use(void **state)
{
	Fixture *f = *state;
	guint16 port;
	g_auto(HvrFd) holder = hold_port(SOCK_STREAM, &port);
	g_autofree char *net = g_strdup_printf("[net lan]\nforward = tcp::%u-22\n", port);
	g_autofree char *message = g_strdup_printf("[net lan] forward: tcp port %u of 127.0.0.1 is "
						   "in use" SEE ": ss -lntup shows it",
						   port);

	use(f, net);
	assert_refused(f, 75, message);
	hvr_fd_close(g_steal_fd(&holder));
	assert_starts(f);
}

static void test_udp_forward_in_use(void **state)
{
	Fixture *f = *state;
	guint16 port;
	g_auto(HvrFd) holder = hold_port(SOCK_DGRAM, &port);
	g_autofree char *net = g_strdup_printf("[net lan]\nforward = udp:0.0.0.0:%u-53\n", port);
	g_autofree char *message = g_strdup_printf("[net lan] forward: udp port %u of 0.0.0.0 is "
						   "in use" SEE ": ss -lntup shows it",
						   port);

	use(f, net);
	assert_refused(f, 75, message);
	hvr_fd_close(g_steal_fd(&holder));
	assert_starts(f);
}

/* What the kernel says of the socket and of who has it is the fake machine's. */
static void show_socket(const Fixture *f, guint16 port, int pid, const char *command)
{
	g_autofree char *table = g_strdup_printf("  sl  local_address rem_address   st tx_queue "
						 "rx_queue tr tm->when retrnsmt   uid  "
						 "timeout inode\n"
						 "   0: 0100007F:0016 00000000:0000 0A "
						 "00000000:00000000 00:00000000 00000000     0     "
						 "   0 4710 1 0000000000000000 100 0 0 10 0\n"
						 "   1: 0100007F:%04X 0100007F:B3A2 01 "
						 "00000000:00000000 00:00000000 00000000     0     "
						 "   0 4712 1 0000000000000000 100 0 0 10 0\n"
						 "   2: 0100007F:%04X 00000000:0000 0A "
						 "00000000:00000000 00:00000000 00000000     0     "
						 "   0 4711 1 0000000000000000 100 0 0 10 0\n",
						 port, port);

	fake_sysfs_put_file(f->machine->fs, "proc/net/tcp", table);
	fake_sysfs_add_process(f->machine->fs, 801, "sshd", "socket:[4710]");
	fake_sysfs_add_process(f->machine->fs, 802, "viewer", "socket:[4712]");
	fake_sysfs_add_process(f->machine->fs, pid, command, "socket:[4711]");
}

static void test_holder_of_a_port_is_named(void **state)
{
	Fixture *f = *state;
	guint16 port;
	g_auto(HvrFd) holder = hold_port(SOCK_STREAM, &port);
	g_autofree char *screen = g_strdup_printf("[graphics]\nmode = vnc\nport = %u\n", port);
	g_autofree char *message =
		g_strdup_printf("[graphics] port: tcp port %u of 127.0.0.1 is in "
				"use by python3 (pid 803)" SEE,
				port);

	use(f, screen);
	show_socket(f, port, 803, "python3");
	assert_refused(f, 75, message);
	hvr_fd_close(g_steal_fd(&holder));
	assert_starts(f);
}

/* The record of a VM that runs, whose QEMU has the port. */
static void test_holder_of_a_port_is_another_vm(void **state)
{
	Fixture *f = *state;
	HvrContext context = machine_context(f->machine);
	guint16 port;
	g_auto(HvrFd) holder = hold_port(SOCK_STREAM, &port);
	const HvrPort wanted = { .address = "127.0.0.1", .number = port };
	g_autoptr(HvrVm) other = hvr_vm_new("other");

	show_socket(f, port, 803, "qemu-system-x86");
	machine_show_process(f->machine, 803);
	assert_true(hvr_context_open_runtime(&context, TRUE, NULL));
	g_auto(HvrFd) folder = hvr_vm_make_folder(context.runtime, "other", NULL);
	other->qemu = hvr_process_of(&context.host, 803);
	assert_true(hvr_vm_write(folder, other, NULL));
	g_autofree char *who = hvr_port_holder(&context, &wanted);
	assert_string_equal(who, "VM 'other'");
	hvr_fd_close(context.runtime);
}

static void test_forward_below_1024(void **state)
{
	Fixture *f = *state;

	use(f, "[net lan]\nforward = tcp::81-80\n");
	assert_refused(f, 77,
		       "[net lan] forward: user nobody may not listen on tcp port 81 of 127.0.0.1\n"
		       "QEMU has no privileges: use a port from 1024 up, or let users have this "
		       "one: sysctl net.ipv4.ip_unprivileged_port_start=81");
}

/* One of those that are kept for documents (RFC 5737) */
static void test_forward_of_an_address_that_is_not_ours(void **state)
{
	Fixture *f = *state;

	use(f, "[net lan]\nforward = udp:192.0.2.7:5353-53\n");
	assert_refused(f, 69,
		       "[net lan] forward: 192.0.2.7 is no address of this host\n"
		       "ip address shows those that it has; 127.0.0.1 is for this host alone, "
		       "0.0.0.0 for all networks");
}

/* From the start's first step to QEMU nobody else gets the ports, and who connects is refused as
 * long as nobody listens. */
static void test_port_is_held_while_the_card_moves(void **state)
{
	Fixture *f = *state;
	const HvrUser nobody = { .uid = 65534, .gid = 65534, .privileged = TRUE };
	HvrContext context = machine_context(f->machine);
	guint16 port;
	HvrPorts first, second;

	hvr_fd_close(hold_port(SOCK_STREAM, &port));
	g_autofree char *net =
		g_strdup_printf("[net lan]\nforward = tcp::%u-22 udp::%u-53\n", port, port);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	g_auto(HvrFd) client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	use(f, net);
	assert_true(hvr_ports_take(&context, f->machine->profile, &nobody, &first, NULL));
	assert_false(hvr_ports_take(&context, f->machine->profile, &nobody, &second, &f->error));
	assert_int_equal(hvr_exit_status(f->error), 75);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	hvr_ports_clear(&first);
	assert_true(hvr_ports_take(&context, f->machine->profile, &nobody, &second, NULL));
	hvr_ports_clear(&second);
}

/* As somebody else would: like a server, or like one that does not mind TIME_WAIT. */
static gboolean can_listen(guint16 port, int reuse)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)), 0);
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(fd, 1) == 0;
}

/* Each VM gets ports of its own, from the moment on in which they are chosen; and QEMU can have
 * them while nobody else does. */
static void test_chosen_ports(void **state)
{
	Fixture *f = *state;
	const HvrUser nobody = { .uid = 65534, .gid = 65534, .privileged = TRUE };
	HvrContext context = machine_context(f->machine);
	HvrPorts first, second;

	use(f, "[graphics]\nmode = vnc\nport = auto\n"
	       "[net lan]\nforward = auto udp::auto-53 tcp::0-80\n");
	assert_true(hvr_ports_take(&context, f->machine->profile, &nobody, &first, NULL));
	assert_true(hvr_ports_take(&context, f->machine->profile, &nobody, &second, NULL));
	for (guint i = 0; i < 4; i++) {
		assert_int_not_equal(hvr_ports_number(first.numbers, i), 0);
		assert_int_not_equal(hvr_ports_number(first.numbers, i),
				     hvr_ports_number(second.numbers, i));
	}
	assert_int_equal(hvr_ports_number(first.numbers, 4), 0);
	assert_between(hvr_ports_number(first.numbers, HVR_PORTS_SCREEN), 5900, 6899);
	guint16 port = hvr_ports_number(first.numbers, HVR_PORTS_SCREEN + 1);
	assert_false(can_listen(port, 0) || can_listen(port, 1));
	hvr_ports_loosen(&first);
	assert_false(can_listen(port, 0));
	assert_true(can_listen(port, 1));
	hvr_ports_clear(&first);
	assert_true(can_listen(port, 0));
	hvr_ports_clear(&second);
}

/* One that the profile names is kept just so. */
static void test_named_port_is_loosened(void **state)
{
	Fixture *f = *state;
	const HvrUser nobody = { .uid = 65534, .gid = 65534, .privileged = TRUE };
	HvrContext context = machine_context(f->machine);
	HvrPorts ports;
	guint16 port;

	hvr_fd_close(hold_port(SOCK_STREAM, &port));
	g_autofree char *net = g_strdup_printf("[net lan]\nforward = tcp::%u-22\n", port);
	use(f, net);
	assert_true(hvr_ports_take(&context, f->machine->profile, &nobody, &ports, NULL));
	assert_int_equal(hvr_ports_number(ports.numbers, HVR_PORTS_SCREEN + 1), port);
	assert_false(can_listen(port, 0) || can_listen(port, 1));
	hvr_ports_loosen(&ports);
	assert_false(can_listen(port, 0));
	assert_true(can_listen(port, 1));
	hvr_ports_clear(&ports);
}

static GPtrArray *locks_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
}

/* With the fixture's folder in place of "%s". [transfer full] */
static char *in_folder(const Fixture *f, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "%s", -1);

	return g_strjoinv(f->folder, parts);
}

static gboolean reserve(Fixture *f, const char *sections, const char *vm, GPtrArray *locks)
{
	const HvrUser nobody = { .uid = 65534, .gid = 65534, .privileged = TRUE };
	HvrContext context = machine_context(f->machine);
	g_autoptr(HvrParts) parts = NULL;

	use(f, sections);
	hvr_profile_rename(f->machine->profile, vm);
	g_clear_error(&f->error);
	assert_true(hvr_context_open_runtime(&context, TRUE, NULL));
	parts = hvr_parts_gather(&context, f->machine->profile, &nobody, NULL);
	assert_non_null(parts);
	gboolean well = hvr_reserve(&context, f->machine->profile, parts, locks, &f->error);
	hvr_fd_close(context.runtime);
	return well;
}

/* What a VM that is on its way to QEMU has nobody else gets, though nothing shows it yet: by its
 * name, and a file by another name as well. What many can have they do. */
static void test_reserved_before_qemu_has_it(void **state)
{
	static const struct {
		const char *first, *second, *message; /* NULL: both run */
	} cases[] = {
		{ "[net lan]\nforward = tcp::40022-22\n", "[net lan]\nforward = tcp::40022-80\n",
		  "forward: tcp port 40022 of 127.0.0.1: in use by VM 'first', pid" },
		{ "[net lan]\nforward = tcp::40022-22\n", "[net lan]\nforward = udp::40022-22\n",
		  NULL },
		{ "[net lan]\nforward = auto\n", "[net lan]\nforward = auto\n", NULL },
		{ "[graphics]\nmode = vnc\nport = 5977\n", "[net lan]\nforward = tcp::5977-22\n",
		  "forward: tcp port 5977 of 127.0.0.1: in use by VM 'first', pid" },
		{ "[disk a]\nfile = %s/a.raw\nformat = raw\n",
		  "[disk b]\nfile = %s/a.raw\nformat = raw\n",
		  "[disk b] file: '%s/a.raw': in use by VM 'first'" },
		{ "[disk a]\nfile = %s/a.raw\nformat = raw\n",
		  "[disk b]\nfile = %s/b.raw\nformat = raw\n",
		  "[disk b] file: '%s/b.raw': in use by VM 'first'" },
		{ "[disk a]\nfile = %s/a.raw\nformat = raw\nsnapshot = yes\n",
		  "[disk a]\nfile = %s/a.raw\nformat = raw\nsnapshot = yes\n", NULL },
		{ "[disk a]\nfile = %s/new.raw\nformat = raw\nsize = 1M\n",
		  "[disk b]\nfile = %s/new.raw\nformat = raw\nsize = 1M\n",
		  "[disk b] file: '%s/new.raw': in use by VM 'first'" },
		{ "[serial]\nmode = file\nfile = %s/log\n",
		  "[serial]\nmode = file\nfile = %s/log\n",
		  "[serial] file: '%s/log': in use by VM 'first'" },
		/* by another name, and by another way to where it will be made */
		{ "[serial]\nmode = file\nfile = %s/a.raw\n",
		  "[serial]\nmode = file\nfile = %s/b.raw\n",
		  "[serial] file: '%s/b.raw': in use by VM 'first'" },
		{ "[serial]\nmode = file\nfile = %s/log\n",
		  "[serial]\nmode = file\nfile = %s/way/log\n",
		  "[serial] file: '%s/way/log': in use by VM 'first'" },
		{ "[disk a]\nfile = %s/new.raw\nformat = raw\nsize = 1M\n",
		  "[disk b]\nfile = %s/way/new.raw\nformat = raw\nsize = 1M\n",
		  "[disk b] file: '%s/way/new.raw': in use by VM 'first'" },
		{ "[serial]\nmode = file\nfile = %s/log\n",
		  "[serial]\nmode = file\nfile = %s/way/log2\n", NULL },
	};
	Fixture *f = *state;
	g_autofree char *image = g_build_filename(f->folder, "a.raw", NULL);
	g_autofree char *other = g_build_filename(f->folder, "b.raw", NULL);
	g_autofree char *way = g_build_filename(f->folder, "way", NULL);

	assert_true(g_file_set_contents(image, "x", 1, NULL));
	assert_int_equal(chown(image, 65534, 65534), 0);
	assert_int_equal(link(image, other), 0);
	assert_int_equal(symlink(".", way), 0);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) first = locks_new(), second = locks_new(), again = locks_new();
		g_autofree char *one = in_folder(f, cases[i].first);
		g_autofree char *two = in_folder(f, cases[i].second);
		g_autofree char *message = NULL;
		if (cases[i].message)
			message = in_folder(f, cases[i].message);
		assert_true(reserve(f, one, "first", first));
		assert_int_equal(reserve(f, two, "second", second), !message);
		if (message && !g_str_has_prefix(f->error->message, message))
			fail_msg("%s", f->error->message);
		assert_int_equal(f->error ? hvr_exit_status(f->error) : 0, message ? 75 : 0);
		g_ptr_array_set_size(first, 0);
		g_ptr_array_set_size(second, 0);
		assert_true(reserve(f, two, "second", again));
	}
}

/* 16 disks and 8 nets are what a profile may have; not so with everything else besides. */
static void test_more_devices_than_slots(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) sections = g_string_new("[graphics]\nmode = vnc\n[guest]\nagent = yes\n"
						   "[share work]\npath = .\nvia = 9p\n");
	g_autofree char *image = g_build_filename(f->folder, "a.raw", NULL);

	assert_true(g_file_set_contents(image, "", 0, NULL));
	for (guint i = 0; i < 16; i++)
		g_string_append_printf(
			sections, "[disk d%u]\nfile = a.raw\nformat = raw\nreadonly = yes\n", i);
	for (guint i = 0; i < 8; i++)
		g_string_append_printf(sections, "[net n%u]\nmode = user\n", i);
	use(f, sections->str);
	assert_starts(f);
	g_string_append(sections, "[share more]\npath = .\nvia = 9p\n");
	use(f, sections->str);
	fake_sysfs_clear_log(f->machine->fs);
	assert_refused(f, 78,
		       "[vm] machine: q35 has 29 slots beside those of cards, and the VM needs 30\n"
		       "each disk, net and share takes one, [graphics] two, [guest] agent, "
		       "[cloud-init], [usb], [audio] and the source of entropy one each: leave out "
		       "1, or put "
		       "disks on bus = scsi, where all of them take one");
}

/* The kernel's accounts of huge pages, as files; a NULL path ends them. */
typedef struct {
	const char *path, *text;
} Account;

#define POOL_2M	 "sys/kernel/mm/hugepages/hugepages-2048kB/"
#define NODE_2M	 "sys/devices/system/node/node1/hugepages/hugepages-2048kB/"
#define GROUP_V2 "sys/fs/cgroup/user.slice/lab/hugetlb.2MB."
#define ROOT_V1	 "sys/fs/cgroup/hugetlb/hugetlb.2MB."

/* 64 MiB are 32 pages. */
static const struct {
	const char *name, *memory;
	Account accounts[6];
	const char *message; /* behind "[memory] hugepages: "; NULL: it is enough */
	const char *hint;
} hugepages[] = {
	{ "none of that size",
	  "hugepages = 2M",
	  { { "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "4\n" } },
	  "the kernel of this host has no pages of 2 MiB",
	  "it has: 1024 MiB; set hugepages to one of these, or to no" },
	{ "a kernel without any",
	  "hugepages = 2M",
	  { { NULL } },
	  "the kernel of this host has no pages of 2 MiB",
	  "it has: none; set hugepages to one of these, or to no" },
	{ "too few",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "31\n" }, { POOL_2M "nr_hugepages", "40\n" } },
	  "the VM needs 32 pages of 2 MiB, and 31 are free",
	  "echo 41 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
	{ "enough",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "32\n" }, { POOL_2M "nr_hugepages", "32\n" } } },
	{ "free, but reserved by others",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "40\n" },
	    { POOL_2M "nr_hugepages", "40\n" },
	    { POOL_2M "resv_hugepages", "10\n" } },
	  "the VM needs 32 pages of 2 MiB, and 30 are free",
	  "echo 42 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
	{ "made when they are wanted",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "0\n" },
	    { POOL_2M "nr_overcommit_hugepages", "34\n" },
	    { POOL_2M "surplus_hugepages", "2\n" } } },
	{ "too few of those",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "0\n" },
	    { POOL_2M "nr_hugepages", "4\n" },
	    { POOL_2M "nr_overcommit_hugepages", "34\n" },
	    { POOL_2M "surplus_hugepages", "4\n" } },
	  "the VM needs 32 pages of 2 MiB, and 30 are free",
	  "echo 6 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
	{ "on another node",
	  "hugepages = 2M\nnode = 1",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { NODE_2M "free_hugepages", "30\n" },
	    { NODE_2M "nr_hugepages", "31\n" } },
	  "the VM needs 32 pages of 2 MiB, and 30 are free on node 1",
	  "echo 33 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages" },
	{ "reserved, though free on the node",
	  "hugepages = 2M\nnode = 1",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { POOL_2M "nr_hugepages", "64\n" },
	    { POOL_2M "resv_hugepages", "40\n" },
	    { NODE_2M "free_hugepages", "32\n" } },
	  "the VM needs 32 pages of 2 MiB, and 24 are free",
	  "echo 72 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
	{ "limited by the control group",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { "proc/self/cgroup", "0::/user.slice/lab\n" },
	    { GROUP_V2 "max", "67108864\n" },
	    { GROUP_V2 "current", "4194304\n" } },
	  "the VM needs 32 pages of 2 MiB, and its control group may have 30",
	  "raise the limit in /sys/fs/cgroup/user.slice/lab/hugetlb.2MB.max" },
	{ "limited by a group above, for what is reserved",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { "proc/self/cgroup", "0::/user.slice/lab/vm\n" },
	    { GROUP_V2 "max", "max\n" },
	    { GROUP_V2 "rsvd.max", "0\n" } },
	  "the VM needs 32 pages of 2 MiB, and its control group may have 0",
	  "raise the limit in /sys/fs/cgroup/user.slice/lab/hugetlb.2MB.rsvd.max" },
	{ "limited by a group of version 1",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { "proc/self/cgroup", "9:cpu,cpuacct:/\n8:hugetlb:/\n0::/\n" },
	    { ROOT_V1 "limit_in_bytes", "2097152\n" } },
	  "the VM needs 32 pages of 2 MiB, and its control group may have 1",
	  "raise the limit in /sys/fs/cgroup/hugetlb/hugetlb.2MB.limit_in_bytes" },
	{ "limited, but not so much",
	  "hugepages = 2M",
	  { { POOL_2M "free_hugepages", "64\n" },
	    { "proc/self/cgroup", "0::/user.slice/lab\n" },
	    { GROUP_V2 "max", "71303168\n" },
	    { GROUP_V2 "current", "4194304\n" } } },
};

static void test_huge_pages(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(hugepages); i++) {
		Fixture *f = *state;
		g_autofree char *memory = g_strdup_printf("[memory]\n%s\n", hugepages[i].memory);
		g_autofree char *message = g_strdup_printf("[memory] hugepages: %s\n%s",
							   hugepages[i].message, hugepages[i].hint);

		print_message("%s\n", hugepages[i].name);
		fake_sysfs_put_file(f->machine->fs, "sys/devices/system/node/node1/numastat", "");
		for (const Account *a = hugepages[i].accounts; a->path; a++)
			fake_sysfs_put_file(f->machine->fs, a->path, a->text);
		g_free(f->machine->original);
		f->machine->original = fake_sysfs_snapshot(f->machine->fs);
		use(f, memory);
		if (hugepages[i].message)
			assert_refused(f, 69, message);
		else
			assert_starts(f);
		teardown(state);
		setup(state);
	}
}

/* A node that is too small for the VM is not QEMU's to find out, by being killed. */
static void test_node_with_too_little_memory(void **state)
{
	Fixture *f = *state;
	const char *meminfo = "sys/devices/system/node/node1/meminfo";

	fake_sysfs_put_file(f->machine->fs, meminfo,
			    "Node 1 MemTotal:          65532 kB\nNode 1 MemFree:  100 kB\n");
	g_free(f->machine->original);
	f->machine->original = fake_sysfs_snapshot(f->machine->fs);
	use(f, "[memory]\nnode = 1\n");
	assert_refused(f, 69,
		       "[memory] node: node 1 has 63 MiB, and the VM needs 64 of it\n"
		       "set node = auto, which takes from others what one has not, or a smaller "
		       "[vm] memory");
	fake_sysfs_put_file(f->machine->fs, meminfo, "Node 1 MemTotal:          65536 kB\n");
	assert_starts(f);
}

/* Online, but for this process as good as not there. */
static void test_pinned_to_a_cpu_that_we_may_not_have(void **state)
{
	Fixture *f = *state;

	fake_sysfs_put_file(f->machine->fs, "sys/devices/system/cpu/online", "0-1023\n");
	g_free(f->machine->original);
	f->machine->original = fake_sysfs_snapshot(f->machine->fs);
	use(f, "[cpu]\npin = 1023\n");
	assert_refused(f, 69,
		       "[cpu] pin: this process may run on none of these CPUs: Invalid argument\n"
		       "grep Cpus_allowed_list /proc/self/status shows those that it has");
	use(f, "[cpu]\npin = 0:0, 1:1023\n");
	assert_refused(f, 69,
		       "[cpu] pin: this process may run on none of the CPUs that virtual CPU 1 may "
		       "have: Invalid argument\n"
		       "grep Cpus_allowed_list /proc/self/status shows those that it has");
	use(f, "[cpu]\npin = 0\nemulator-pin = 1023\n");
	assert_refused(f, 69,
		       "[cpu] emulator-pin: this process may run on none of these CPUs: Invalid "
		       "argument\n"
		       "grep Cpus_allowed_list /proc/self/status shows those that it has");
	use(f, "[cpu]\npin = 0,1023\n");
	assert_starts(f);
}

/* The machine's /run is a small one, with only @kib left. */
static char *use_small_run(Fixture *f, const char *options, guint kib)
{
	g_autofree char *run = g_build_filename(f->machine->fs->root, "run", NULL);
	g_autofree char *ballast = g_build_filename(run, "ballast", NULL);
	struct statvfs st;

	if (!mount_small(run, options))
		return NULL;
	int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fstatvfs(fd, &st), 0);
	if (kib > 0)
		assert_int_equal(posix_fallocate(fd, 0, st.f_bavail * st.f_frsize - kib * 1024), 0);
	hvr_fd_close(fd);
	hvr_fd_close(f->machine->fs->host.run);
	f->machine->fs->host.run = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g_steal_pointer(&ballast);
}

/* @error is as it should be, and with @ballast away the same profile starts. */
static void assert_no_room(Fixture *f, const char *message, const char *ballast)
{
	assert_false(machine_do(f->machine, "run", &f->error));
	if (!g_str_has_prefix(f->error->message, message))
		fail_msg("said:   %s", f->error->message);
	assert_int_equal(hvr_exit_status(f->error), 69);
	assert_int_equal(count_writes(f), 0);
	assert_int_equal(unlink(ballast), 0);
	assert_starts(f);
}

static void test_run_without_room(void **state)
{
	Fixture *f = *state;
	g_autofree char *ballast = use_small_run(f, "size=256k,mode=0700", 40);

	if (!ballast)
		skip();
	use(f, "");
	assert_no_room(
		f,
		"the runtime folder /run/hailo-vm-run has 40 KiB left, and the VM needs 112\n"
		"what is written there gives cards back after a crash: see df and df -i",
		ballast);
}

static void test_run_without_room_for_more_files(void **state)
{
	Fixture *f = *state;
	/* its root is one, the ballast another, our folders are five */
	g_autofree char *ballast = use_small_run(f, "size=1m,nr_inodes=34,mode=0700", 0);

	if (!ballast)
		skip();
	use(f, "");
	assert_no_room(f,
		       "the runtime folder /run/hailo-vm-run has room for 27 files, and the VM "
		       "needs 28\n",
		       ballast);
}

static void test_run_is_read_only(void **state)
{
	Fixture *f = *state;
	g_autofree char *ballast = use_small_run(f, "size=1m,mode=0700", 0);
	g_autofree char *run = g_build_filename(f->machine->fs->root, "run", NULL);

	if (!ballast)
		skip();
	use(f, "");
	assert_starts(f);
	fake_sysfs_clear_log(f->machine->fs);
	/* a record that is written keeps it from becoming so */
	hvr_message_record(-1);
	assert_int_equal(mount(NULL, run, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_false(machine_do(f->machine, "run", &f->error));
	assert_true(g_str_has_prefix(f->error->message, "the runtime folder /run/hailo-vm-run is "
							"on a file system that is read-only\n"));
	assert_int_equal(hvr_exit_status(f->error), 69);
	assert_int_equal(count_writes(f), 0);
}

#define SNAPSHOT "[disk root]\nfile = a.raw\nformat = raw\nsnapshot = yes\n"

/* For root's VMs QEMU makes it in /var/tmp. */
static void assert_no_overlay(Fixture *f, const char *options, int status, const char *why)
{
	g_autofree char *image = g_build_filename(f->folder, "a.raw", NULL);
	g_autofree char *message = g_strdup_printf(
		"[disk root] snapshot: user nobody cannot make its throw-away file in '/var/tmp': "
		"%s\nQEMU makes it there: let that user, and make room",
		why);

	assert_true(g_file_set_contents(image, "", 0, NULL));
	if (!mount_small("/var/tmp", options))
		skip();
	use(f, SNAPSHOT);
	assert_refused(f, status, message);
	unmount_small();
	assert_starts(f);
}

static void test_no_room_for_a_throw_away_file(void **state)
{
	assert_no_overlay(*state, "size=512k,mode=1777", 69, "No space left on device");
}

static void test_throw_away_folder_is_closed(void **state)
{
	assert_no_overlay(*state, "size=4m,mode=0700", 77, "Permission denied");
}

/* Root finds it, and the VM's user is who executes it. */
static void test_qemu_that_its_user_cannot_execute(void **state)
{
	Fixture *f = *state;
	g_autofree char *qemu = g_build_filename(f->folder, "qemu", NULL);
	g_autofree char *section = g_strdup_printf("[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"
						   "[qemu]\nbinary = %s\n[security]\n"
						   "user = nobody\n[device npu]\n",
						   qemu);
	g_autofree char *message = g_strdup_printf(
		"[qemu] binary: user nobody cannot execute '%s': Permission denied\n"
		"QEMU runs as that user: give it access to the program and to each folder on the "
		"way (not on a mount with noexec), or set [security] user",
		qemu);

	assert_true(g_file_set_contents(qemu, "#!/bin/true\n", -1, NULL));
	assert_int_equal(g_chmod(qemu, 0700), 0);
	use_whole(f, section);
	assert_refused(f, 77, message);
	assert_int_equal(g_chmod(qemu, 0755), 0);
	assert_starts(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_is_made_before_the_card_moves),
		TEST(test_image_of_a_failed_start_is_removed),
		TEST(test_image_is_removed_when_the_card_cannot_be_had),
		TEST(test_image_that_was_there_stays),
		TEST(test_serial_file_stays_until_qemu_begins),
		TEST(test_tcp_forward_in_use),
		TEST(test_udp_forward_in_use),
		TEST(test_holder_of_a_port_is_named),
		TEST(test_holder_of_a_port_is_another_vm),
		TEST(test_forward_below_1024),
		TEST(test_forward_of_an_address_that_is_not_ours),
		TEST(test_port_is_held_while_the_card_moves),
		TEST(test_reserved_before_qemu_has_it),
		TEST(test_chosen_ports),
		TEST(test_named_port_is_loosened),
		TEST(test_more_devices_than_slots),
		TEST(test_huge_pages),
		TEST(test_node_with_too_little_memory),
		TEST(test_pinned_to_a_cpu_that_we_may_not_have),
		TEST(test_run_without_room),
		TEST(test_run_without_room_for_more_files),
		TEST(test_run_is_read_only),
		TEST(test_no_room_for_a_throw_away_file),
		TEST(test_throw_away_folder_is_closed),
		TEST(test_qemu_that_its_user_cannot_execute),
	};

	if (geteuid() != 0) /* QEMU's user is another one */
		return 77;
	umask(022);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
