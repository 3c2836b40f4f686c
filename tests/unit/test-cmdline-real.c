/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command lines of test-cmdline.c given to the QEMU that is installed, as the launcher will
 * start it: unprivileged where the test runs as root, NO_NEW_PRIVS, sandboxed, with what it needs
 * on inherited descriptors. Options that only look right are found out here.
 *
 * Its own program, since without QEMU it is skipped as a whole. The VMs stay paused (-S).
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "launcher/host/qemu-answers.h"
#include "launcher/parts/part.h"
#include "launcher/parts/nvram.h"
#include "launcher/parts/ports.h"
#include "launcher/parts/seed.h"
#include "launcher/process/environment.h"
#include "launcher/process/program.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/noise.h"
#include "launcher/qemu/serial-ends.h"
#include "tests/fake/fake-files.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/serial-hub.h"
#include "qmp/connect.h"
#include "vfio/access.h"
#include "vfio/fd.h"

#define QEMU   "qemu-system-x86_64"
#define FOLDER SOURCE_ROOT "/tests/data/cmdline/"
#define SKIP   77
#define NOBODY 65534

/* Where the launcher's descriptors are in QEMU. */
enum { QMP_FD = 3, LISTEN_FD = 4, SERIAL_FD = 5, AGENT_FD = 6, SEED_FD = 7, PORT_FD = 8 };

#define WAIT_S	   60
#define IMAGE_SIZE (1 << 20)

/* Nothing of a distribution is to be seen. */
static const HvrHost no_host = { .root = -1 };
/* That of the QEMU that is installed, as it tells it. */
static HvrDialect dialect;

typedef struct {
	char *folder; /* the profile's, with the images that it names */
	int qmp;
	HvrSerialEnds serial; /* ours of its serial port */
	GSubprocess *qemu;
	char *wrote;	   /* QEMU's stdout */
	char *said;	   /* its stderr */
	int seed;	   /* cloud-init's disk; -1: none */
	guint64 hugepages; /* that were added to the host's */
} Fixture;

static HvrUser vm_user(void)
{
	gboolean root = geteuid() == 0;

	return (HvrUser){ .privileged = root,
			  .name = (char *)"nobody",
			  .uid = root ? NOBODY : geteuid(),
			  .gid = root ? NOBODY : getegid() };
}

/* As a start does. One that does not tell would be started as the common one, so it has to. */
static void learn_dialect(const char *path)
{
	const HvrContext context = { .runtime = -1, .runtime_parent = -1 };
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("real.ini", "[vm]\nmemory = 1G\n", 17, NULL, NULL);
	HvrUser user = vm_user();

	assert_non_null(profile);
	g_autoptr(HvrQemu) qemu = hvr_qemu_ask(&context, profile, &user, path);
	for (guint i = 0; i < HVR_QEMU_QUESTIONS; i++) {
		print_message("%s\n", qemu->answers[i].seen);
		assert_int_equal(qemu->answers[i].kind, HVR_ANSWER_GOOD);
	}
	dialect = qemu->dialect;
}

static char *path_in(const Fixture *f, const char *name)
{
	return g_build_filename(f->folder, name, NULL);
}

static void give_away(const char *path)
{
	if (geteuid() == 0)
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static void put_bytes(const Fixture *f, const char *name, const void *bytes, gsize length)
{
	g_autofree char *path = path_in(f, name);

	assert_true(g_file_set_contents(path, bytes, length, NULL));
	give_away(path);
}

static void put_raw(const Fixture *f, const char *name)
{
	g_autofree char *image = g_malloc0(IMAGE_SIZE);

	put_bytes(f, name, image, IMAGE_SIZE);
}

/*
 * An empty image of 1 MiB with clusters of 64 KiB: header, L1 table, refcount table and block, as
 * qcow2's specification (version 2) has it.
 */
static void put_qcow2(const Fixture *f, const char *name)
{
	enum { CLUSTER = 1 << 16, L1 = 1, TABLE = 2, BLOCK = 3, CLUSTERS = 4 };
	g_autofree guint8 *image = g_malloc0(CLUSTERS * CLUSTER);
	guint32 *word = (guint32 *)image;
	guint64 *offset = (guint64 *)(image + TABLE * CLUSTER);
	guint16 *count = (guint16 *)(image + BLOCK * CLUSTER);

	memcpy(image, "QFI\xfb", 4);
	word[1] = GUINT32_TO_BE(2);
	word[5] = GUINT32_TO_BE(16); /* bits of a cluster */
	word[7] = GUINT32_TO_BE(IMAGE_SIZE);
	word[9] = GUINT32_TO_BE(1); /* entries of the L1 table */
	word[11] = GUINT32_TO_BE(L1 * CLUSTER);
	word[13] = GUINT32_TO_BE(TABLE * CLUSTER);
	word[14] = GUINT32_TO_BE(1);
	*offset = GUINT64_TO_BE(BLOCK * CLUSTER);
	for (int i = 0; i < CLUSTERS; i++)
		count[i] = GUINT16_TO_BE(1);
	put_bytes(f, name, image, CLUSTERS * CLUSTER);
}

/* The least that QEMU loads as a kernel: a multiboot header that says where its bytes go. */
static void put_kernel(const Fixture *f, const char *name)
{
	enum { MAGIC = 0x1badb002, HAS_ADDRESSES = 0x10000, AT = 0x100000, LENGTH = 4096 };
	g_autofree guint32 *kernel = g_malloc0(LENGTH);
	const guint32 header[] = {
		MAGIC, HAS_ADDRESSES, -(guint32)MAGIC - HAS_ADDRESSES, AT, AT, AT + LENGTH, 0, AT
	};

	memcpy(kernel, header, sizeof(header));
	put_bytes(f, name, kernel, LENGTH);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *sub = NULL;

	f->qmp = -1;
	f->serial = (HvrSerialEnds)HVR_SERIAL_ENDS_NONE;
	f->seed = -1;
	f->folder = g_dir_make_tmp("hvr-cmdline-XXXXXX", NULL);
	sub = path_in(f, "sub");
	assert_int_equal(g_mkdir(sub, 0755), 0);
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	give_away(sub);
	give_away(f->folder);
	*state = f;
	return 0;
}

/* The host's huge pages, to which the test adds where it may. */
static guint64 count_hugepages(void)
{
	static const char all[] = "/proc/sys/vm/nr_hugepages";
	g_autofree char *text = NULL;
	guint64 count;

	if (!g_file_get_contents(all, &text, NULL, NULL) ||
	    !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXINT, &count, NULL))
		return 0;
	return count;
}

static void set_hugepages(guint64 count)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "\n", count);
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	if (f->qemu) {
		g_subprocess_force_exit(f->qemu);
		g_subprocess_wait(f->qemu, NULL, NULL);
	}
	g_clear_object(&f->qemu);
	if (f->hugepages)
		set_hugepages(count_hugepages() - f->hugepages);
	hvr_fd_close(f->qmp);
	hvr_serial_ends_clear(&f->serial);
	hvr_fd_close(f->seed);
	fake_files_end(f->folder);
	g_free(f->wrote);
	g_free(f->said);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* In the child: only async-signal-safe calls. */
static void drop_privileges(gpointer user_data)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	if (geteuid() == 0 &&
	    (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(126);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
}

static int listen_at(const Fixture *f, const char *name)
{
	g_autofree char *path = path_in(f, name);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int open_serial(const Fixture *f)
{
	g_autofree char *path = path_in(f, "serial");

	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* As a supervisor has it. Returns: what QEMU listens at */
static int make_port(Fixture *f)
{
	static const char *const names[] = { HVR_VM_SERIAL_LOG, HVR_VM_PORT, HVR_VM_SERIAL,
					     HVR_VM_CONSOLE };
	g_auto(HvrFd) folder = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;
	int listening = -1;

	/* of the QEMU before */
	hvr_serial_ends_clear(&f->serial);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		unlinkat(folder, names[i], 0);
	if (!hvr_serial_ends_make(folder, &f->serial, &listening, &error))
		fail_msg("%s", error->message);
	return listening;
}

static void start(Fixture *f, const GPtrArray *argv)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDERR_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	struct timeval wait = { .tv_sec = WAIT_S };
	g_autoptr(GError) error = NULL;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->qmp = pair[0];
	assert_int_equal(setsockopt(f->qmp, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	g_subprocess_launcher_take_fd(launcher, pair[1], QMP_FD);
	g_subprocess_launcher_take_fd(launcher, listen_at(f, "qmp.sock"), LISTEN_FD);
	g_subprocess_launcher_take_fd(launcher, open_serial(f), SERIAL_FD);
	g_subprocess_launcher_take_fd(launcher, make_port(f), PORT_FD);
	g_subprocess_launcher_take_fd(launcher, listen_at(f, "agent.sock"), AGENT_FD);
	if (f->seed >= 0)
		g_subprocess_launcher_take_fd(launcher, g_steal_fd(&f->seed), SEED_FD);
	/* Not the tests' own: QEMU 11.1 ends badly with SPICE and MALLOC_PERTURB_. */
	g_auto(GStrv) environment = hvr_environment_for_programs(geteuid() == 0);
	g_subprocess_launcher_set_environ(launcher, environment);
	g_subprocess_launcher_set_cwd(launcher, f->folder);
	g_subprocess_launcher_set_child_setup(launcher, drop_privileges, NULL, NULL);
	f->qemu = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, &error);
	if (error)
		fail_msg("%s", error->message);
}

static HvrProfile *load(const Fixture *f, const char *name, const char *set)
{
	g_autofree char *path = g_strconcat(FOLDER, name, ".ini", NULL);
	g_autofree char *here = path_in(f, "golden.ini");
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	const char *const sets[] = { set, NULL };
	HvrProfile *profile = NULL;

	if (g_file_get_contents(path, &text, NULL, &error))
		profile = hvr_profile_parse(here, text, strlen(text), sets, &error);
	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static void start_profile(Fixture *f, const char *name, const char *set, gboolean by_descriptor)
{
	g_autoptr(HvrProfile) profile = load(f, name, set);
	g_autofree char *qmp = path_in(f, "sub/a,b.sock");
	g_autofree char *serial = path_in(f, "sub/c,d.sock");
	g_autofree char *agent = path_in(f, "sub/e,f.sock");
	HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					.qmp_listen = by_descriptor ? LISTEN_FD : -1,
					.qmp_path = qmp,
					.serial_port = by_descriptor ? PORT_FD : -1,
					.serial = -1,
					.serial_path = serial,
					.agent = by_descriptor ? AGENT_FD : -1,
					.agent_path = agent,
					.seed = f->seed >= 0 ? SEED_FD : -1 };
	g_autoptr(GPtrArray) argv = NULL;

	if (by_descriptor && profile->serial == HVR_SERIAL_FILE)
		channels.serial = SERIAL_FD;
	g_ptr_array_add(profile->qemu_args, g_strdup("-S"));
	argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	start(f, argv);
}

/* One line from QEMU, or what it said on stderr in place of it. */
static char *read_line(Fixture *f)
{
	g_autoptr(GString) line = g_string_new(NULL);
	char c = '\0';

	while (c != '\n') {
		if (recv(f->qmp, &c, 1, 0) != 1) {
			g_subprocess_communicate_utf8(f->qemu, NULL, NULL, &f->wrote, &f->said,
						      NULL);
			fail_msg("QEMU: %s", f->said);
		}
		g_string_append_c(line, c);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

/* What QEMU answers to @command; events are passed over. */
static char *ask(Fixture *f, const char *command)
{
	assert_true(send(f->qmp, command, strlen(command), MSG_NOSIGNAL) > 0);
	for (;;) {
		g_autofree char *line = read_line(f);

		if (!strstr(line, "\"event\":"))
			return g_steal_pointer(&line);
	}
}

static void tell(Fixture *f, const char *command)
{
	g_autofree char *answer = ask(f, command);

	if (!g_str_has_prefix(answer, "{\"return\":"))
		fail_msg("%s: %s", command, answer);
}

static void greet(Fixture *f)
{
	g_autofree char *greeting = read_line(f);

	assert_non_null(strstr(greeting, "\"QMP\""));
	tell(f, "{\"execute\":\"qmp_capabilities\"}");
}

/* All that is shown to the user. */
static void assert_silent(const char *said)
{
	g_auto(GStrv) lines = g_strsplit(said, "\n", -1);

	for (guint i = 0; lines[i]; i++)
		if (*lines[i] && !hvr_noise(lines[i]))
			fail_msg("QEMU: %s", lines[i]);
}

/* QEMU ends well and had nothing to complain of. */
static void quit(Fixture *f)
{
	tell(f, "{\"execute\":\"quit\"}");
	g_subprocess_communicate_utf8(f->qemu, NULL, NULL, &f->wrote, &f->said, NULL);
	assert_silent(f->said);
	assert_true(g_subprocess_get_if_exited(f->qemu));
	assert_int_equal(g_subprocess_get_exit_status(f->qemu), 0);
	g_clear_object(&f->qemu);
}

static void accept_profile(Fixture *f, const char *name, const char *set, gboolean by_descriptor)
{
	start_profile(f, name, set, by_descriptor);
	greet(f);
	quit(f);
}

static void test_minimal(void **state)
{
	accept_profile(*state, "minimal", "vm.cpus=1", TRUE);
}

/* A spare port takes a device while the VM is there, which a place on the root bus would not. */
static void test_spare_port(void **state)
{
	Fixture *f = *state;

	start_profile(f, "minimal", "vm.cpus=1", TRUE);
	greet(f);
	tell(f, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"edu\",\"id\":\"npu\","
		"\"bus\":\"hvr-spare3\"}}");
	quit(f);
}

/* The form that a QEMU wants which is not installed: ports, and a device in a card's place, are
 * made before all that is JSON, and nothing is said to it. */
static void test_plain_cards(void **state)
{
	const HvrDialect installed = dialect;
	Fixture *f = *state;

	dialect.plain_cards = TRUE;
	start_profile(f, "minimal", "qemu.args=-device driver=edu,id=npu,bus=hvr-spare3", TRUE);
	dialect = installed;
	greet(f);
	tell(f, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"edu\",\"id\":\"other\","
		"\"bus\":\"hvr-spare2\"}}");
	tell(f, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"npu\"}}");
	quit(f);
}

/* QEMU makes it, before the ports, and a device that comes later is behind it. */
static void accept_iommu(Fixture *f, const char *set)
{
	start_profile(f, "minimal", set, TRUE);
	greet(f);
	tell(f, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"edu\",\"id\":\"npu\","
		"\"bus\":\"hvr-spare3\"}}");
	quit(f);
}

static void test_iommu_intel(void **state)
{
	accept_iommu(*state, "vm.iommu=intel");
}

static void test_iommu_virtio(void **state)
{
	if (dialect.plain_cards) /* 6.2, whose q35 has none */
		skip();
	accept_iommu(*state, "vm.iommu=virtio");
}

/* Every property that a profile takes, with a value, and its own keys of a card. */
#define ALL_PROPERTIES                                                                             \
	"acpi-index=7 x-balloon-allowed=off x-igd-gms=1 x-igd-opregion=off "                       \
	"x-intx-mmap-timeout-ms=1000 x-msix-relocation=bar2 x-no-geforce-quirks=on "               \
	"x-no-kvm-intx=on x-no-kvm-ioeventfd=on x-no-kvm-msi=on x-no-kvm-msix=on x-no-mmap=on "    \
	"x-no-vfio-ioeventfd=on x-nv-gpudirect-clique=3 x-pci-device-id=0x2864 "                   \
	"x-pci-vendor-id=0x1e60 x-pcie-extcap-init=on x-pcie-lnksta-dllla=on x-req=off x-vga=off"

/* A card that is not there: QEMU says so, behind all that it takes or refuses as a property. */
static void refuse_card(Fixture *f, gboolean plain)
{
	static const char text[] = "[vm]\nmemory = 64M\n[device npu]\nsub-id = 1e60:2864\n"
				   "slot = 0x01\nromfile = a,b\nproperties = " ALL_PROPERTIES "\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("/x/lab.ini", text, strlen(text), NULL, NULL);
	const HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					      .qmp_listen = -1,
					      .serial_port = -1,
					      .serial = -1,
					      .agent = -1 };
	g_autoptr(GPtrArray) cards = g_ptr_array_new();
	HvrPlanCard card = { .id = (char *)"npu", .access = hvr_access_of_group(1) };
	HvrDialect form = dialect;

	assert_non_null(profile);
	profile->serial = HVR_SERIAL_NONE;
	form.plain_cards = plain;
	card.address = (HvrPciAddress){ .domain = 0xfffe, .bus = 0xff, .slot = 0x1f };
	card.device = profile->devices->pdata[0];
	g_ptr_array_add(cards, &card);
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, cards, &channels, &form);
	start(f, argv);
	g_subprocess_communicate_utf8(f->qemu, NULL, NULL, &f->wrote, &f->said, NULL);
	if (!strstr(f->said, "fffe:ff:1f.0: no such host device"))
		fail_msg("QEMU: %s", f->said);
	g_clear_object(&f->qemu);
}

static void test_card_properties(void **state)
{
	refuse_card(*state, FALSE);
	teardown(state);
	setup(state);
	refuse_card(*state, TRUE);
}

/* The guest's own IOMMU is there, and the ports are behind it. */
static void test_first_args(void **state)
{
	Fixture *f = *state;

	start_profile(f, "first-args", NULL, TRUE);
	greet(f);
	g_autofree char *answer = ask(
		f,
		"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral-anon\"}}");
	assert_non_null(strstr(answer, "child<intel-iommu>"));
	quit(f);
}

/* What QEMU says to the words for KVM and @more; without KVM it does not start with them. */
static char *hear_hyperv(Fixture *f, const char *more)
{
	g_autofree char *set = g_strconcat("vm.cpu=qemu64", more, NULL);
	g_autoptr(HvrProfile) profile = load(f, "hyperv", set);
	const HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					      .qmp_listen = -1,
					      .serial_port = -1,
					      .serial = -1,
					      .agent = -1 };
	guint place = 0;

	profile->serial = HVR_SERIAL_NONE;
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, TRUE, NULL, &channels, &dialect);
	assert_true(g_ptr_array_find_with_equal_func(argv, "kvm", g_str_equal, &place));
	g_free(argv->pdata[place]);
	argv->pdata[place] = g_strdup("tcg");
	start(f, argv);
	g_subprocess_communicate_utf8(f->qemu, NULL, NULL, &f->wrote, &f->said, NULL);
	g_clear_object(&f->qemu);
	return g_steal_pointer(&f->said);
}

/* Every word that is said with KVM is one that QEMU knows. */
static void test_hyperv(void **state)
{
	g_autofree char *known = hear_hyperv(*state, "");
	teardown(state);
	setup(state);
	g_autofree char *unknown = hear_hyperv(*state, ",hv-nonsense");

	assert_non_null(strstr(known, "HyperV"));
	assert_null(strstr(known, "not found"));
	assert_non_null(strstr(unknown, "hv-nonsense' not found"));
}

static void put_disks(const Fixture *f)
{
	put_qcow2(f, "root.qcow2");
	put_raw(f, "sub/a,read-only=off b%d \"c\".raw");
	put_raw(f, "nvme.raw");
	put_qcow2(f, "sub/it's,snapshot=off.qcow2");
	put_raw(f, "thrown.raw");
	put_qcow2(f, "images.qcow2");
}

/* @disk: the device's id; virtio's back end is a device of its own. */
static void write_disk(Fixture *f, const char *disk)
{
	g_autofree char *command =
		g_strdup_printf("{\"execute\":\"human-monitor-command\",\"arguments\":"
				"{\"command-line\":\"qemu-io -d %s \\\"write -P 0x5a 0 64k\\\"\"}}",
				disk);

	tell(f, command);
}

static gboolean holds_pattern(const Fixture *f, const char *name)
{
	g_autofree char *path = path_in(f, name);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	for (gsize i = 0; i + 8 <= length; i += 512)
		if (memcmp(bytes + i, "ZZZZZZZZ", 8) == 0)
			return TRUE;
	return FALSE;
}

static guint count(const char *text, const char *what)
{
	guint found = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		found++;
	return found;
}

/* The golden one, with another bus in place of its own. */
static void start_sixteen(Fixture *f, const char *bus)
{
	g_autoptr(HvrProfile) profile = load(f, "sixteen", NULL);
	const HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					      .qmp_listen = -1,
					      .serial_port = -1,
					      .serial = -1,
					      .agent = -1 };
	static const char *const words[] = { "virtio", "nvme", "sata", "scsi" };

	for (guint i = 0; i < profile->disks->len; i++) {
		HvrProfileDisk *disk = profile->disks->pdata[i];
		for (guint k = 0; k < G_N_ELEMENTS(words); k++)
			if (g_str_equal(bus, words[k]))
				disk->bus = k;
	}
	profile->serial = HVR_SERIAL_NONE;
	g_ptr_array_add(profile->qemu_args, g_strdup("-S"));
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	start(f, argv);
}

/* What is written to a disk is in its image; with snapshot = yes it is not, read-only or not. */
static void test_disks(void **state)
{
	static const char *const disks[] = { "root/virtio-backend", "archive/virtio-backend",
					     "hvr-nvme-serial",	    "scratch/virtio-backend",
					     "hvr-nvme-thrown",	    "hvr-nvme-images" };
	Fixture *f = *state;
	g_autofree char *scratch = path_in(f, "sub/it's,snapshot=off.qcow2");
	g_autofree char *archive = path_in(f, "sub/a,read-only=off b%d \"c\".raw");

	put_disks(f);
	assert_int_equal(g_chmod(scratch, 0444), 0);
	assert_int_equal(g_chmod(archive, 0444), 0);
	start_profile(f, "disks", NULL, TRUE);
	greet(f);
	for (size_t i = 0; i < G_N_ELEMENTS(disks); i++)
		write_disk(f, disks[i]);
	quit(f);
	assert_int_equal(count(f->wrote, "wrote 65536/65536"), 4);
	assert_true(holds_pattern(f, "root.qcow2"));
	assert_true(holds_pattern(f, "nvme.raw"));
	assert_false(holds_pattern(f, "sub/a,read-only=off b%d \"c\".raw"));
	assert_false(holds_pattern(f, "images.qcow2"));
	assert_false(holds_pattern(f, "sub/it's,snapshot=off.qcow2"));
	assert_false(holds_pattern(f, "thrown.raw"));
}

/* Drives of every kind, and what is on them: a CD shows its size, and takes nothing. */
static void test_drives(void **state)
{
	static const char *const written[] = { "sata", "scsi", "thrown", "plain/virtio-backend" };
	static const char *const shown[] = { "installer", "drivers", "archive" };
	Fixture *f = *state;

	put_qcow2(f, "sata.qcow2");
	put_qcow2(f, "archive.qcow2");
	put_raw(f, "scsi.raw");
	put_raw(f, "thrown.raw");
	put_raw(f, "plain.raw");
	put_raw(f, "drivers.iso");
	put_raw(f, "sub/a,b \"c\".iso");
	start_profile(f, "drives", NULL, TRUE);
	greet(f);
	for (gsize i = 0; i < G_N_ELEMENTS(written); i++)
		write_disk(f, written[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(shown); i++)
		write_disk(f, shown[i]);
	quit(f);
	assert_int_equal(count(f->wrote, "wrote 65536/65536"), G_N_ELEMENTS(written));
	assert_true(holds_pattern(f, "sata.qcow2"));
	assert_true(holds_pattern(f, "scsi.raw"));
	assert_false(holds_pattern(f, "thrown.raw"));
	assert_false(holds_pattern(f, "drivers.iso"));
	assert_false(holds_pattern(f, "sub/a,b \"c\".iso"));
	assert_false(holds_pattern(f, "archive.qcow2"));
}

/* QEMU takes every way, in its sandbox, and each is written to by its own thread. */
static void test_caches(void **state)
{
	static const char *const written[] = {
		"fast/virtio-backend",	"sync/virtio-backend", "through", "own", "shared", "other",
		"thrown/virtio-backend"
	};
	Fixture *f = *state;

	put_raw(f, "fast.raw");
	put_qcow2(f, "sync.qcow2");
	put_raw(f, "scratch.raw");
	put_qcow2(f, "through.qcow2");
	put_raw(f, "own.raw");
	put_raw(f, "shared.raw");
	put_raw(f, "sub/other.raw");
	put_raw(f, "thrown.raw");
	put_raw(f, "installer.iso");
	start_profile(f, "caches", NULL, TRUE);
	greet(f);
	for (gsize i = 0; i < G_N_ELEMENTS(written); i++)
		write_disk(f, written[i]);
	g_autofree char *threads = ask(f, "{\"execute\":\"query-iothreads\"}");
	assert_int_equal(count(threads, "\"id\": \"hvr-iothread"), 4);
	quit(f);
	assert_int_equal(count(f->wrote, "wrote 65536/65536"), G_N_ELEMENTS(written));
	assert_true(holds_pattern(f, "fast.raw"));
	assert_true(holds_pattern(f, "sync.qcow2"));
	assert_true(holds_pattern(f, "own.raw"));
	assert_false(holds_pattern(f, "thrown.raw"));
}

/* As many disks as a profile may have, all on one bus. */
static void test_sixteen(void **state)
{
	static const char *const buses[] = { "virtio", "scsi", "sata", "nvme" };

	for (gsize i = 0; i < G_N_ELEMENTS(buses); i++) {
		Fixture *f = *state;

		put_raw(f, "plain.raw");
		start_sixteen(f, buses[i]);
		greet(f);
		g_autofree char *disks = ask(f, "{\"execute\":\"query-block\"}");
		assert_int_equal(count(disks, "\"qdev\": "), 16);
		quit(f);
		teardown(state);
		setup(state);
	}
}

static guint free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

/* User nets with forwards and without. Bridge and tap need the host's help. */
static void test_forwards(void **state)
{
	guint port = free_port();
	g_autofree char *set =
		g_strdup_printf("net.lan.forward=tcp::%u-22; udp:127.0.0.1:%u-53", port, port);

	accept_profile(*state, "forwards", set, TRUE);
}

/* Ports that are chosen, and held until QEMU has them: it takes them while they are. */
static void test_chosen_ports(void **state)
{
	Fixture *f = *state;
	HvrUser user = vm_user();
	const HvrContext context = { .runtime = -1 };
	g_autoptr(HvrProfile) profile =
		load(f, "forwards", "net.lan.forward=auto tcp::auto-80 udp::auto-53");
	HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					.qmp_listen = LISTEN_FD,
					.serial_port = PORT_FD,
					.serial = -1,
					.agent = AGENT_FD,
					.seed = -1 };
	g_autoptr(GPtrArray) argv = NULL;
	HvrPorts ports;

	assert_true(hvr_ports_take(&context, profile, &user, &ports, NULL));
	channels.ports = ports.numbers;
	g_ptr_array_add(profile->qemu_args, g_strdup("-S"));
	argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	hvr_ports_loosen(&ports);
	start(f, argv);
	greet(f);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(hvr_ports_number(ports.numbers,
									  HVR_PORTS_SCREEN + 1)),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	g_auto(HvrFd) held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(held, (struct sockaddr *)&address, sizeof(address)), 0);
	hvr_ports_clear(&ports);
	g_auto(HvrFd) alone = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(alone, (struct sockaddr *)&address, sizeof(address)), 0);
	quit(f);
}

/* As a shell starts it QEMU chooses: the kernel a forward's port, QEMU a screen's. */
static void test_print_chosen_ports(void **state)
{
	Fixture *f = *state;

	start_profile(f, "forwards", "net.lan.forward=auto udp::auto-53", FALSE);
	greet(f);
	quit(f);
	teardown(state);
	setup(state);
	/* It says which, on its standard output. */
	start_profile(*state, "vnc", "graphics.port=auto", FALSE);
	greet(*state);
}

static void test_kernel(void **state)
{
	Fixture *f = *state;

	put_kernel(f, "sub/kernel, with a blank");
	put_bytes(f, "sub/initrd", "x", 1);
	accept_profile(f, "kernel", NULL, TRUE);
}

static void test_serial_file(void **state)
{
	accept_profile(*state, "serial-file", NULL, TRUE);
}

static void test_serial_socket(void **state)
{
	accept_profile(*state, "serial-socket", NULL, TRUE);
}

/* A BIOS speaks on the serial port of a machine without a screen (hw/i386/pc.c). */
static void start_speaking(Fixture *f)
{
	g_autoptr(HvrProfile) profile = load(f, "serial-file", NULL);
	const HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					      .qmp_listen = -1,
					      .serial_port = PORT_FD,
					      .serial = SERIAL_FD,
					      .agent = -1,
					      .seed = -1 };

	g_ptr_array_add(profile->qemu_args, g_strdup("-machine"));
	g_ptr_array_add(profile->qemu_args, g_strdup("graphics=off"));
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	start(f, argv);
}

static int join_port(const Fixture *f, const char *name)
{
	g_auto(HvrFd) folder = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = hvr_qmp_connect(folder, name, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void add_text(const char *bytes, gsize length, gpointer user_data)
{
	g_string_append_len(user_data, bytes, (gssize)length);
}

/* Until @text has @needle, by the main loop or, with a descriptor, by what comes there. */
static void wait_for(GString *text, const char *needle, int fd)
{
	gint64 end = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
	char bytes[4096];

	while (!strstr(text->str, needle) && g_get_monotonic_time() < end) {
		if (fd < 0) {
			g_main_context_iteration(NULL, TRUE);
		} else if (hvr_fd_readable_before(fd, end)) {
			ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
			assert_true(n > 0);
			add_text(bytes, (gsize)n, text);
		}
	}
	if (!strstr(text->str, needle))
		fail_msg("no '%s' in '%s'", needle, text->str);
}

/* The firmware's first bytes, which QEMU says before anybody could react to its start, come to the
 * record, to each console and to the user's file; and when the supervisor is gone, QEMU lets in who
 * comes then. */
static void test_serial_from_the_first_byte(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) heard = g_string_new(NULL), one = g_string_new(NULL),
			   other = g_string_new(NULL), late = g_string_new(NULL);
	g_autofree char *file = path_in(f, "serial");
	g_autofree char *log = path_in(f, HVR_VM_SERIAL_LOG);
	g_autofree char *written = NULL, *recorded = NULL;

	start_speaking(f);
	HvrSerialHub *hub = hvr_serial_hub_new(&f->serial, -1);
	hvr_serial_hub_hear(hub, add_text, heard);
	g_auto(HvrFd) first = join_port(f, HVR_VM_SERIAL);
	g_auto(HvrFd) second = join_port(f, HVR_VM_CONSOLE);
	while (g_main_context_iteration(NULL, FALSE))
		;
	greet(f);
	wait_for(heard, "Boot", -1);
	while (g_main_context_iteration(NULL, FALSE))
		;
	wait_for(one, "Boot", first);
	wait_for(other, "Boot", second);
	assert_true(g_str_has_prefix(heard->str, "\x1b"
						 "c\x1b[?7l\x1b[2J"));
	assert_true(g_file_get_contents(log, &recorded, NULL, NULL));
	assert_true(g_str_has_prefix(recorded, heard->str));

	hvr_serial_hub_free(hub);
	g_auto(HvrFd) third = join_port(f, HVR_VM_PORT);
	tell(f, "{\"execute\":\"system_reset\"}");
	wait_for(late, "SeaBIOS", third);
	quit(f);
	assert_true(g_file_get_contents(file, &written, NULL, NULL));
	assert_true(g_str_has_prefix(written, heard->str));
}

/* What "print" shows works without the launcher: QEMU makes file and sockets itself. */
static void test_print_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *log = path_in(f, "sub/serial,append=off.log");

	accept_profile(f, "serial-file", NULL, FALSE);
	assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

static void test_print_socket(void **state)
{
	Fixture *f = *state;
	g_autofree char *socket_path = path_in(f, "sub/c,d.sock");

	start_profile(f, "serial-socket", NULL, FALSE);
	greet(f);
	assert_true(g_file_test(socket_path, G_FILE_TEST_EXISTS));
	quit(f);
}

/* RAM in huge pages of one node, and a layout of CPUs; skipped where there are none. */
static void test_hugepages(void **state)
{
	Fixture *f = *state;
	guint64 before = count_hugepages();

	set_hugepages(before + 8);
	f->hugepages = count_hugepages() - before;
	if (f->hugepages == 8)
		accept_profile(f, "hugepages", NULL, TRUE);
	else
		print_message("no huge pages can be had here\n");
}

/* All of QEMU's memory, which takes a limit that allows it. */
static void test_localtime(void **state)
{
	accept_profile(*state, "localtime", NULL, TRUE);
}

static void test_locked(void **state)
{
	struct rlimit limit = { 0, 0 };

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (limit.rlim_max >= (rlim_t)4 << 30)
		accept_profile(*state, "locked", NULL, TRUE);
	else
		print_message("too little memory may be locked here\n");
}

/* The node of a card is where RAM comes from if it can. */
static void test_node(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = load(f, "minimal", "vm.cpus=1");
	HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					.qmp_listen = LISTEN_FD,
					.serial_port = -1,
					.serial = -1,
					.agent = -1,
					.has_node = TRUE };
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);

	start(f, argv);
	greet(f);
	quit(f);
}

/* A disposable VM needs no file, and makes none. */
static void use_firmware_vars(const HvrProfile *profile, const HvrParts *parts,
			      HvrCmdlineChannels *channels)
{
	assert_false(g_file_test(profile->firmware.vars, G_FILE_TEST_EXISTS));
	channels->vars_path = hvr_nvram_path(profile, parts);
	assert_string_equal(channels->vars_path, parts->firmware->vars);
}

/* UEFI as this host has it, with Secure Boot and without. */
static void accept_firmware(Fixture *f, gboolean secure, gboolean throw_away)
{
	static const char *const folders[] = { "/usr/share/qemu/firmware", NULL };
	g_autoptr(HvrFirmware) firmware = hvr_firmware_find(&no_host, folders, "q35", secure, NULL);
	g_autoptr(HvrProfile) profile = load(f, "uefi", "vm.cpus=1");
	HvrUser user = vm_user();
	HvrParts parts = { .user = &user, .firmware = firmware };
	HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					.qmp_listen = LISTEN_FD,
					.serial_port = PORT_FD,
					.serial = -1,
					.agent = -1,
					.firmware = firmware };
	g_autoptr(GPtrArray) argv = NULL;

	if (!firmware && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("this host has no UEFI firmware\n");
		return;
	}
	assert_non_null(firmware);
	profile->firmware.throw_away = throw_away;
	assert_true(hvr_nvram_create(profile, &parts, NULL));
	if (throw_away)
		use_firmware_vars(profile, &parts, &channels);
	argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	g_ptr_array_insert(argv, (gint)argv->len - 1, g_strdup("-S"));
	start(f, argv);
	greet(f);
	quit(f);
}

static void test_uefi(void **state)
{
	accept_firmware(*state, FALSE, FALSE);
}

static void test_uefi_thrown_away(void **state)
{
	accept_firmware(*state, FALSE, TRUE);
}

static void test_uefi_secure(void **state)
{
	accept_firmware(*state, TRUE, FALSE);
}

/* The guest has the disk for cloud-init, which it cannot write. */
static void test_cloud_init(void **state)
{
	Fixture *f = *state;
	g_autoptr(HvrProfile) profile = NULL;
	HvrUser user = vm_user();
	HvrParts parts = { .user = &user };
	g_autofree char *mformat = hvr_program_find("mformat", TRUE);
	g_autoptr(GError) error = NULL;

	if (!mformat && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("this host has no mtools\n");
		return;
	}
	put_bytes(f, "user-data", "#cloud-config\n", 14);
	profile = load(f, "cloud-init", NULL);
	f->seed = hvr_seed_make(profile, &parts, &error);
	if (error)
		fail_msg("%s", error->message);
	start_profile(f, "cloud-init", NULL, TRUE);
	greet(f);
	write_disk(f, "hvr-seed/virtio-backend");
	quit(f);
	assert_int_equal(count(f->wrote, "wrote 65536/65536"), 0);
}

static void test_shares(void **state)
{
	Fixture *f = *state;
	g_autofree char *folder = path_in(f, "sub/a,readonly=off");

	assert_int_equal(g_mkdir(folder, 0755), 0);
	accept_profile(f, "shares", NULL, TRUE);
}

/* As many devices as there are slots for, by launcher/parts/slots.c; one more there is none for. */
static void test_full(void **state)
{
	Fixture *f = *state;
	g_autofree char *folder = path_in(f, "sub");

	put_raw(f, "root.raw");
	g_mkdir(folder, 0755);
	accept_profile(f, "full", NULL, TRUE);
	start_profile(f, "full", "qemu.args=-device virtio-rng-pci -S", TRUE);
	g_clear_pointer(&f->wrote, g_free);
	g_clear_pointer(&f->said, g_free);
	g_subprocess_communicate_utf8(f->qemu, NULL, NULL, &f->wrote, &f->said, NULL);
	assert_non_null(strstr(f->said, "no slot/function available"));
	g_clear_object(&f->qemu);
}

static void test_graphics(void **state)
{
	g_autofree char *vnc = g_strdup_printf("graphics.port=%u", free_port());
	g_autofree char *spice = g_strdup_printf("graphics.port=%u", free_port());

	accept_profile(*state, "vnc", vnc, TRUE);
	teardown(state);
	setup(state);
	accept_profile(*state, "spice", spice, TRUE);
	teardown(state);
	setup(state);
	accept_profile(*state, "vnc-socket", NULL, TRUE);
	teardown(state);
	setup(state);
	accept_profile(*state, "spice-socket", NULL, TRUE);
	teardown(state);
	setup(state);
	accept_profile(*state, "audio", NULL, TRUE);
	teardown(state);
	setup(state);
	accept_profile(*state, "audio-unheard", NULL, TRUE);
}

/* Files that a sample names, as its comments say to make them. */
static void put_sample_files(const Fixture *f, const HvrProfile *profile)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		g_autofree char *name = g_path_get_basename(disk->file);

		if (disk->format == HVR_DISK_RAW)
			put_raw(f, name);
		else
			put_qcow2(f, name);
	}
	put_kernel(f, "vmlinuz");
	put_bytes(f, "initrd.img", "x", 1);
}

/* To what is to be had anywhere: little memory, free ports, no bridge, no huge pages. */
static void shrink(HvrProfile *profile)
{
	profile->memory_bytes = (guint64)64 << 20;
	profile->memory.hugepages = HVR_PAGES_NORMAL;
	profile->graphics_port = free_port();
	for (guint i = 0; i < profile->nets->len; i++) {
		HvrProfileNet *net = g_ptr_array_index(profile->nets, i);

		net->mode = net->mode == HVR_NET_BRIDGE ? HVR_NET_NONE : net->mode;
		for (guint j = 0; j < net->forwards->len; j++)
			((HvrForward *)net->forwards->pdata[j])->host_port = free_port();
	}
}

static void accept_sample(Fixture *f, const char *name)
{
	static const char *const folders[] = { "/usr/share/qemu/firmware", NULL };
	HvrUser user = vm_user();
	HvrParts parts = { .user = &user };
	g_autoptr(HvrFirmware) firmware = hvr_firmware_find(&no_host, folders, "q35", FALSE, NULL);
	g_autofree char *mformat = hvr_program_find("mformat", TRUE);
	g_autoptr(HvrProfile) profile = load(f, name, NULL);
	HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					.qmp_listen = LISTEN_FD,
					.serial_port = PORT_FD,
					.serial = -1,
					.agent = AGENT_FD,
					.seed = -1 };
	g_autoptr(GPtrArray) argv = NULL;
	g_autoptr(GError) error = NULL;

	if (!getenv("HVR_TESTS_MUST_RUN") &&
	    ((profile->firmware.uefi && !firmware) || (hvr_seed_is_wanted(profile) && !mformat))) {
		print_message("this host has no UEFI firmware, or no mtools\n");
		return;
	}
	put_sample_files(f, profile);
	shrink(profile);
	if (profile->firmware.uefi)
		channels.firmware = parts.firmware = firmware;
	assert_true(hvr_nvram_create(profile, &parts, NULL));
	if (hvr_seed_is_wanted(profile)) {
		f->seed = hvr_seed_make(profile, &parts, &error);
		assert_null(error);
		channels.seed = SEED_FD;
	}
	g_ptr_array_add(profile->qemu_args, g_strdup("-S"));
	argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	start(f, argv);
	greet(f);
	quit(f);
}

/* Every sample starts, but for its card. The demo has no kernel before it is built. */
static void test_samples(void **state)
{
	static const char *const names[] = { "debian-installer", "demo",   "group",
					     "hailo8",		 "kernel", "rig",
					     "two-cards",	 "ubuntu", "windows" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat("../../../configs/", names[i], NULL);

		print_message("%s\n", names[i]);
		accept_sample(*state, path);
		teardown(state);
		setup(state);
	}
}

/* The one of this host, named by the profile, with a copy of its variables. */
static void test_own_firmware(void **state)
{
	static const char *const folders[] = { "/usr/share/qemu/firmware", NULL };
	g_autoptr(HvrFirmware) there = hvr_firmware_find(&no_host, folders, "q35", FALSE, NULL);
	g_autofree char *bytes = NULL;
	Fixture *f = *state;
	gsize length;

	if (!there && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("this host has no UEFI firmware\n");
		return;
	}
	assert_true(g_file_get_contents(there->vars, &bytes, &length, NULL));
	put_bytes(f, "a,b.fd", bytes, length);
	g_autofree char *set = g_strdup_printf("firmware.code=%s", there->code);
	g_autoptr(HvrProfile) profile = load(f, "uefi", set);
	g_autoptr(HvrFirmware) own =
		hvr_firmware_own(profile->firmware.code, profile->firmware.vars, TRUE);
	const HvrCmdlineChannels channels = { .qmp_private = QMP_FD,
					      .qmp_listen = LISTEN_FD,
					      .serial_port = PORT_FD,
					      .serial = -1,
					      .agent = -1,
					      .firmware = own };
	g_ptr_array_add(profile->qemu_args, g_strdup("-S"));
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, NULL, &channels, &dialect);
	start(f, argv);
	greet(f);
	quit(f);
}

/* The guest's port for the agent leads to a socket that somebody can connect to. */
static void test_agent(void **state)
{
	accept_profile(*state, "agent", NULL, TRUE);
}

static void test_print_agent(void **state)
{
	Fixture *f = *state;
	g_autofree char *socket_path = path_in(f, "sub/e,f.sock");

	start_profile(f, "agent", NULL, FALSE);
	greet(f);
	assert_true(g_file_test(socket_path, G_FILE_TEST_EXISTS));
	quit(f);
}

static void test_unconfined(void **state)
{
	accept_profile(*state, "unconfined", "qemu.binary=" QEMU, TRUE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_minimal),
		TEST(test_spare_port),
		TEST(test_iommu_intel),
		TEST(test_iommu_virtio),
		TEST(test_card_properties),
		TEST(test_own_firmware),
		TEST(test_first_args),
		TEST(test_hyperv),
		TEST(test_disks),
		TEST(test_drives),
		TEST(test_caches),
		TEST(test_sixteen),
		TEST(test_forwards),
		TEST(test_kernel),
		TEST(test_serial_file),
		TEST(test_serial_from_the_first_byte),
		TEST(test_chosen_ports),
		TEST(test_print_chosen_ports),
		TEST(test_serial_socket),
		TEST(test_print_file),
		TEST(test_print_socket),
		TEST(test_hugepages),
		TEST(test_node),
		TEST(test_samples),
		TEST(test_cloud_init),
		TEST(test_shares),
		TEST(test_full),
		TEST(test_graphics),
		TEST(test_uefi),
		TEST(test_uefi_secure),
		TEST(test_uefi_thrown_away),
		TEST(test_locked),
		TEST(test_localtime),
		TEST(test_agent),
		TEST(test_print_agent),
		TEST(test_unconfined),
		TEST(test_plain_cards),
	};
	g_autofree char *qemu = g_find_program_in_path(QEMU);

	if (!qemu && !getenv("HVR_TESTS_MUST_RUN")) {
		print_message("skipped: no %s\n", QEMU);
		return SKIP;
	}
	learn_dialect(qemu);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
