/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps in a network of their own, and a real QEMU behind them, started as the launcher starts it.
 *
 * Its own program, since without root, or without QEMU, it is skipped as a whole. Nothing of the
 * host's network is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include <glib/gstdio.h>

#include "compat/compat.h"
#include "launcher/parts/tap.h"
#include "launcher/process/program.h"
#include "launcher/process/spawn.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define QEMU	"qemu-system-x86_64"
#define SKIP	77
#define NOBODY	65534
#define WAIT_MS 60000

static const char message[] = "a frame that nothing else would send";

static HvrHost host;
static HvrProfileNet bridged = { .id = (char *)"lan",
				 .mode = HVR_NET_BRIDGE,
				 .bridge = (char *)"hvrtest" };

static int setup(void **state)
{
	struct ifreq request = { .ifr_name = "hvrtest" };
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	host.dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	host.sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ioctl(fd, SIOCBRADDBR, request.ifr_name), 0);
	request.ifr_mtu = 1400;
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	*state = &host;
	return 0;
}

static int teardown(void **state)
{
	struct ifreq request = { .ifr_name = "hvrtest" };
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	assert_int_equal(ioctl(fd, SIOCBRDELBR, request.ifr_name), 0);
	close(host.dev);
	close(host.sys);
	return 0;
}

static int open_tap(const HvrProfileNet *net)
{
	g_autoptr(GError) error = NULL;
	int tap = hvr_tap_open(&host, net, &error);

	if (error)
		fail_msg("%s", error->message);
	assert_true(fcntl(tap, F_GETFD) & FD_CLOEXEC);
	return tap;
}

/* In the bridge, up, with its MTU, and there only as long as somebody has it open. */
static void test_bridge(void **state)
{
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "hvr0" };
	int tap = open_tap(&bridged);
	int other = open_tap(&bridged);

	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	assert_true(request.ifr_flags & IFF_UP);
	assert_int_equal(ioctl(fd, SIOCGIFMTU, &request), 0);
	assert_int_equal(request.ifr_mtu, 1400);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	assert_int_equal((guint8)request.ifr_hwaddr.sa_data[0], 0xfe);
	g_strlcpy(request.ifr_name, "hvrtest", IFNAMSIZ);
	request.ifr_ifindex = (int)if_nametoindex("hvr0");
	assert_true(request.ifr_ifindex > 0 && if_nametoindex("hvr1") > 0);
	/* it is a member already */
	assert_int_equal(ioctl(fd, SIOCBRADDIF, &request), -1);
	assert_int_equal(errno, EBUSY);
	close(tap);
	close(other);
	assert_int_equal(if_nametoindex("hvr0"), 0);
	assert_int_equal(if_nametoindex("hvr1"), 0);
}

/* A bridge that is none leaves no interface behind. */
static void test_no_bridge(void **state)
{
	HvrProfileNet net = { .id = (char *)"lan",
			      .mode = HVR_NET_BRIDGE,
			      .bridge = (char *)"nowhere" };
	g_autoptr(GError) error = NULL;

	assert_int_equal(hvr_tap_open(&host, &net, &error), -1);
	assert_string_equal(error->message, "[net lan] cannot put a tap on bridge 'nowhere': "
					    "No such device");
	assert_int_equal(if_nametoindex("hvr0"), 0);
}

/* One that exists is opened, and stays as it was; one that does not is not made. */
static void test_existing(void **state)
{
	HvrProfileNet net = { .id = (char *)"lan", .mode = HVR_NET_TAP, .tap = (char *)"hvr0" };
	g_autoptr(GError) error = NULL;
	int tap = open_tap(&bridged);

	/* our own of the other test, which is in use */
	assert_int_equal(hvr_tap_open(&host, &net, &error), -1);
	assert_string_equal(error->message, "[net lan] cannot open tap 'hvr0': Device or resource "
					    "busy\nsomebody else has the interface open");
	assert_int_equal(hvr_exit_status(error), 75);
	close(tap);
	g_clear_error(&error);
	assert_int_equal(hvr_tap_open(&host, &net, &error), -1);
	assert_string_equal(error->message, "[net lan] cannot open tap 'hvr0': No such device");
	assert_int_equal(if_nametoindex("hvr0"), 0);
}

/* A persistent one, of one queue or several, is there again when it was closed. */
static void test_persistent(void **state)
{
	HvrProfileNet net = { .id = (char *)"lan", .mode = HVR_NET_TAP, .tap = (char *)"hvr7" };
	static const short flags[] = { IFF_TAP, IFF_TAP | IFF_MULTI_QUEUE };

	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		struct ifreq request = { .ifr_name = "hvr7", .ifr_flags = flags[i] };
		int maker = hvr_open_beneath(host.dev, "net/tun", O_RDWR);

		assert_int_equal(ioctl(maker, TUNSETIFF, &request), 0);
		assert_int_equal(ioctl(maker, TUNSETPERSIST, 1), 0);
		close(maker);
		close(open_tap(&net));
		assert_true(if_nametoindex("hvr7") > 0);
		maker = open_tap(&net);
		assert_int_equal(ioctl(maker, TUNSETPERSIST, 0), 0);
		close(maker);
		assert_int_equal(if_nametoindex("hvr7"), 0);
	}
}

/* A tap as "ip tuntap add hvr7 mode tap user OWNER group GROUP" makes it; -1: neither. */
static void make_tap(int owner, int group)
{
	struct ifreq request = { .ifr_name = "hvr7", .ifr_flags = IFF_TAP };
	g_auto(HvrFd) maker = hvr_open_beneath(host.dev, "net/tun", O_RDWR);

	assert_int_equal(ioctl(maker, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(maker, TUNSETPERSIST, 1), 0);
	if (owner >= 0)
		assert_int_equal(ioctl(maker, TUNSETOWNER, owner), 0);
	if (group >= 0)
		assert_int_equal(ioctl(maker, TUNSETGROUP, group), 0);
}

static void remove_tap(void)
{
	struct ifreq request = { .ifr_name = "hvr7", .ifr_flags = IFF_TAP };
	g_auto(HvrFd) maker = hvr_open_beneath(host.dev, "net/tun", O_RDWR);

	assert_int_equal(ioctl(maker, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(maker, TUNSETPERSIST, 0), 0);
}

/* What is said of @net where QEMU is to run as NOBODY: (transfer full), or NULL where it may. */
static char *ask(const HvrProfileNet *net, const char *bridge_conf)
{
	HvrUser user = {
		.uid = NOBODY, .gid = NOBODY, .name = (char *)"nobody", .privileged = TRUE
	};
	const HvrParts parts = { .user = &user };
	const HvrContext context = { .host = host, .bridge_conf = bridge_conf, .privileged = TRUE };
	g_autoptr(GPtrArray) nets = g_ptr_array_new();
	const HvrProfile profile = { .nets = nets };
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(nets, (gpointer)net);
	if (hvr_taps_check(&context, &profile, &parts, &error))
		return NULL;
	return g_strdup(error->message);
}

/* That somebody has it open is known before it is opened; with several queues it may be shared. */
static void test_tap_in_use(void **state)
{
	HvrProfileNet net = { .id = (char *)"lan", .mode = HVR_NET_TAP, .tap = (char *)"hvr7" };
	static const short flags[] = { IFF_TAP, IFF_TAP | IFF_MULTI_QUEUE };
	g_auto(HvrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		struct ifreq request = { .ifr_name = "hvr7", .ifr_flags = flags[i] };
		int holder = hvr_open_beneath(host.dev, "net/tun", O_RDWR);

		assert_int_equal(ioctl(holder, TUNSETIFF, &request), 0);
		assert_int_equal(ioctl(holder, TUNSETPERSIST, 1), 0);
		request.ifr_flags = IFF_UP;
		assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
		g_autofree char *said = ask(&net, NULL);
		close(holder);
		g_autofree char *after = ask(&net, NULL);
		int last = open_tap(&net);
		assert_int_equal(ioctl(last, TUNSETPERSIST, 0), 0);
		close(last);
		if (i == 0)
			assert_string_equal(said, "[net lan] tap: 'hvr7' is in use\nanother VM, "
						  "or a program, has the interface open: each VM "
						  "takes one of its own");
		else
			assert_null(said);
		assert_null(after);
	}
}

/* Root could open it; what was made for somebody else stays theirs. */
static void test_tap_of_another_user(void **state)
{
	static const struct {
		int owner, group;
		gboolean ours;
	} cases[] = {
		{ -1, -1, TRUE },     { NOBODY, -1, TRUE },	{ -1, NOBODY, TRUE },
		{ 0, -1, TRUE },      { NOBODY, NOBODY, TRUE }, { 1, -1, FALSE },
		{ NOBODY, 1, FALSE }, { -1, 1, FALSE },		{ 1, NOBODY, FALSE },
	};
	HvrProfileNet net = { .id = (char *)"lan", .mode = HVR_NET_TAP, .tap = (char *)"hvr7" };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		make_tap(cases[i].owner, cases[i].group);
		g_autofree char *said = ask(&net, NULL);
		remove_tap();
		if ((said == NULL) != cases[i].ours)
			fail_msg("owner %d, group %d: %s", cases[i].owner, cases[i].group,
				 said ? said : "is taken");
	}
	make_tap(1, -1);
	g_autofree char *said = ask(&net, NULL);
	remove_tap();
	assert_string_equal(said, "[net lan] tap: 'hvr7' was made for another (uid 1, gid -1)\n"
				  "name one that was made for the VM's user: ip tuntap add NAME "
				  "mode tap user nobody");
}

typedef struct {
	const char *text; /* NULL: there is no such file */
	const char *said; /* NULL: it is allowed */
} Conf;

/* Who came by sudo gets the bridges that root lets users have; root itself asks nobody. */
static void test_bridge_not_allowed(void **state)
{
	static const Conf cases[] = {
		{ NULL, "does not allow users 'hvrtest'\nroot lets users of this host on it by a "
			"line there: allow hvrtest" },
		{ "# allow hvrtest\n\nallow br0\nallow hvrtest0\n", "does not allow users" },
		{ "allow hvrtest\n", NULL },
		{ "  allow\t hvrtest \n", NULL },
		{ "allow all", NULL },
		{ "deny hvrtest\nallow all\n", "denies users 'hvrtest'\ntake out the deny line" },
		{ "allow hvrtest\ndeny all\n", "denies users" },
		{ "include FOLDER/more\n", NULL },
		{ "include FOLDER/more\ndeny hvrtest\n", "denies users" },
		{ "include FOLDER/nowhere\nallow hvrtest\n", NULL },
		{ "include more\nallow hvrtest\n", "conf:1: include takes a whole path" },
		{ "include FOLDER/conf\nallow hvrtest\n", "include each other without end" },
		{ "allow hvrtest\nsecret\n", "conf:2: a line is allow, deny or include" },
		{ "allow hvrtest\nallowed br0\n", "conf:2: a line is allow, deny or include" },
	};
	g_autofree char *folder = g_dir_make_tmp("hvr-tap-XXXXXX", NULL);
	g_autofree char *conf = g_build_filename(folder, "conf", NULL);
	g_autofree char *more = g_build_filename(folder, "more", NULL);

	assert_true(g_file_set_contents(more, "allow hvrtest\n", -1, NULL));
	assert_null(ask(&bridged, conf));
	g_setenv("SUDO_UID", "1", TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) text = g_string_new(cases[i].text);

		g_string_replace(text, "FOLDER", folder, 0);
		if (cases[i].text)
			assert_true(g_file_set_contents(conf, text->str, -1, NULL));
		g_autofree char *said = ask(&bridged, conf);
		if ((said == NULL) != (cases[i].said == NULL) ||
		    (said && !strstr(said, cases[i].said)) || (said && strstr(said, "secret")))
			fail_msg("'%s': %s", text->str, said ? said : "is allowed");
	}
	g_autofree char *none = ask(&bridged, NULL);
	g_unsetenv("SUDO_UID");
	assert_string_equal(none, "[net lan] bridge: no bridge of this host is for users\n"
				  "run as root itself");
	assert_int_equal(g_unlink(conf) | g_unlink(more) | g_rmdir(folder), 0);
}

/* All frames that the bridge itself sees. */
static int open_packets(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex("hvrtest") };

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static gsize make_frame(guint8 *frame, guint8 source)
{
	static const guint8 header[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52,
					 0x54, 0,    0,	   0,	 0,    0x88, 0xb5 };

	memset(frame, 0, 64);
	memcpy(frame, header, sizeof(header));
	frame[11] = source;
	memcpy(frame + sizeof(header), message, sizeof(message));
	return 64;
}

/* Sends on @from until it arrives at @to: QEMU may not be ready for the first one. */
static void pass_frame(int from, int to, guint8 source)
{
	gint64 end = g_get_monotonic_time() + WAIT_MS * G_GINT64_CONSTANT(1000);
	guint8 frame[64], found[2048];
	gsize length = make_frame(frame, source);

	while (g_get_monotonic_time() < end) {
		struct pollfd wait = { .fd = to, .events = POLLIN };

		assert_int_equal(send(from, frame, length, 0), (ssize_t)length);
		while (poll(&wait, 1, 100) > 0) {
			ssize_t n = recv(to, found, sizeof(found), 0);

			assert_true(n > 0);
			if (memmem(found, (gsize)n, message, sizeof(message)) &&
			    found[11] == source)
				return;
		}
	}
	fail_msg("no frame arrived");
}

static pid_t start_qemu(const char *path, int tap, int far, int *out_pidfd)
{
	g_autofree char *tap_option = g_strdup_printf("tap,id=t,fd=%d", tap);
	g_autofree char *far_option = g_strdup_printf("socket,id=s,fd=%d", far);
	const char *const argv[] = {
		QEMU,
		"-nodefaults",
		"-machine",
		"none",
		"-display",
		"none",
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		"-netdev",
		tap_option,
		"-netdev",
		"hubport,id=h0,hubid=0,netdev=t",
		"-netdev",
		far_option,
		"-netdev",
		"hubport,id=h1,hubid=0,netdev=s",
		NULL
	};
	const int fds[] = { tap, far };
	HvrSpawn spawn = { .path = path,
			   .argv = (char *const *)argv,
			   .identity = { .uid = NOBODY, .gid = NOBODY },
			   .fds = fds,
			   .n_fds = G_N_ELEMENTS(fds),
			   .stderr_fd = -1 };
	g_autoptr(GError) error = NULL;
	pid_t pid = hvr_spawn(&spawn, out_pidfd, &error);

	if (error)
		fail_msg("%s", error->message);
	return pid;
}

/* All that becomes of interfaces from here on. */
static int watch_links(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static gboolean tells_end(const guint8 *bytes, gsize length, guint index)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;

	for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
		const struct ifinfomsg *link = NLMSG_DATA(header);

		/* A bridge tells by the same word that it has a port less: by its own family. */
		if (header->nlmsg_type == RTM_DELLINK && link->ifi_family == AF_UNSPEC &&
		    link->ifi_index == (int)index)
			return TRUE;
	}
	return FALSE;
}

/* A tap goes with the last reference to its file, which io_uring may hold for a moment longer than
 * the process that was killed. */
static void wait_for_end(int links, guint index)
{
	gint64 end = g_get_monotonic_time() + WAIT_MS * G_GINT64_CONSTANT(1000);
	struct pollfd wait = { .fd = links, .events = POLLIN };
	guint8 bytes[8192] __attribute__((aligned(NLMSG_ALIGNTO)));

	while (g_get_monotonic_time() < end) {
		if (poll(&wait, 1, 100) <= 0)
			continue;
		ssize_t n = recv(links, bytes, sizeof(bytes), 0);
		assert_true(n > 0);
		if (tells_end(bytes, (gsize)n, index))
			return;
	}
	fail_msg("the tap outlives its QEMU");
}

/* Frames pass both ways through a QEMU without privileges, and its end takes the interface. */
static void test_frames(void **state)
{
	g_autofree char *path = hvr_program_find(QEMU, TRUE);
	g_auto(HvrFd) packets = open_packets();
	g_auto(HvrFd) pidfd = -1;
	int pair[2], tap = open_tap(&bridged);
	siginfo_t info = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = start_qemu(path, tap, pair[1], &pidfd);
	close(tap);
	close(pair[1]);
	pass_frame(pair[0], packets, 1);
	pass_frame(packets, pair[0], 2);
	guint index = if_nametoindex("hvr0");
	assert_true(index > 0);
	g_auto(HvrFd) links = watch_links();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	wait_for_end(links, index);
	assert_int_equal(if_nametoindex("hvr0"), 0);
	close(pair[0]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_bridge),
					    TEST(test_no_bridge),
					    TEST(test_existing),
					    TEST(test_persistent),
					    TEST(test_tap_of_another_user),
					    TEST(test_tap_in_use),
					    TEST(test_bridge_not_allowed),
					    TEST(test_frames) };
	g_autofree char *qemu = hvr_program_find(QEMU, TRUE);

	if (geteuid() != 0 || !qemu || access("/dev/net/tun", F_OK) < 0 ||
	    unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", MS_RDONLY, NULL) < 0) {
		print_message("skipped: it takes root, tun and " QEMU "\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
