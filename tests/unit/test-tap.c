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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

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
	assert_true(if_nametoindex("hvr0") > 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_int_equal(if_nametoindex("hvr0"), 0);
	close(pair[0]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_bridge), TEST(test_no_bridge),
					    TEST(test_existing), TEST(test_persistent),
					    TEST(test_frames) };
	g_autofree char *qemu = hvr_program_find(QEMU, TRUE);

	if (geteuid() != 0 || !qemu || access("/dev/net/tun", F_OK) < 0 ||
	    unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: it takes root, tun and " QEMU "\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
