/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU on the host's network. It may neither open interfaces nor run its setuid helper, so it gets
 * an open tap: the interface is made before privileges go, and lives exactly as long as QEMU, since
 * nothing but the descriptor keeps it.
 *
 * The first byte of a new interface's address is 0xfe: a bridge without an address of its own takes
 * the lowest among its members, and would otherwise change it whenever a VM comes or goes.
 */
#include "launcher/parts/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/parts/bridgeconf.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define TUN "net/tun"

/* The kernel puts a number in. */
#define TEMPLATE "hvr%d"

static gboolean refuse(GError **error, HvrLaunchError code, const HvrProfileNet *net,
		       const char *what, const char *hint)
{
	g_set_error(error, HVR_LAUNCH_ERROR, code, "[net %s] %s", net->id, what);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

/* Root itself may use any bridge; who came by sudo, those that root lets users have. */
static gboolean check_allowed(const HvrContext *context, const HvrProfileNet *net, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_autoptr(GError) cause = NULL;

	if (!caller->privileged)
		return TRUE;
	if (!context->bridge_conf)
		return refuse(error, HVR_LAUNCH_ERROR_PERMISSION, net,
			      "bridge: no bridge of this host is for users", "run as root itself");
	if (hvr_bridge_conf_allows(context->bridge_conf, net->bridge, &cause))
		return TRUE;
	g_propagate_prefixed_error(error, g_steal_pointer(&cause), "[net %s] bridge: ", net->id);
	return FALSE;
}

static gboolean check_bridge(const HvrContext *context, const HvrProfileNet *net,
			     const HvrParts *parts, GError **error)
{
	g_autofree char *path = g_strdup_printf("class/net/%s/bridge", net->bridge);
	g_autofree char *what =
		g_strdup_printf("bridge: '%s' is no bridge of this host", net->bridge);
	g_autofree char *make = g_strdup_printf("make it: ip link add %s type bridge; "
						"ip link set %s up",
						net->bridge, net->bridge);
	g_autofree char *instead =
		g_strdup_printf("run this as root (sudo), or once: sudo ip tuntap add tap0 mode "
				"tap user %s; sudo ip link set tap0 master %s up; then set mode = "
				"tap, tap = tap0",
				parts->user->name, net->bridge);

	if (!hvr_tree_exists(context->host.sys, path))
		return refuse(error, HVR_LAUNCH_ERROR_UNAVAILABLE, net, what, make);
	if (!parts->user->privileged)
		return refuse(error, HVR_LAUNCH_ERROR_PERMISSION, net,
			      "bridge: only root can put a VM on it", instead);
	return check_allowed(context, net, error);
}

/* Is @user in @group, as this process or as its login would be? */
static gboolean is_member(const HvrUser *user, gid_t group)
{
	gid_t groups[256];
	int n = G_N_ELEMENTS(groups);

	if (user->gid == group || (!user->privileged && group_member(group)))
		return TRUE;
	if (getgrouplist(user->name, user->gid, groups, &n) < 0)
		return FALSE;
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return TRUE;
	return FALSE;
}

static gboolean owned_by(const HvrUser *user, gint64 owner, gint64 group)
{
	return (owner < 0 || owner == user->uid) && (group < 0 || is_member(user, (gid_t)group));
}

/* -1: whoever may open the tun device. The kernel writes it so, too (tun_show_owner()). */
static gint64 read_id(const HvrContext *context, const HvrProfileNet *net, const char *which)
{
	g_autofree char *path = g_strdup_printf("class/net/%s/%s", net->tap, which);
	guint64 id = 0;

	if (!hvr_tree_read_number(context->host.sys, path, 10, &id) || id > G_MAXUINT32)
		return -1;
	return (gint64)id;
}

/* Whose tap it is the kernel asks us, too (tun_not_capable()), but not while we are root. */
static gboolean check_owner(const HvrContext *context, const HvrProfileNet *net,
			    const HvrParts *parts, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	gint64 owner = read_id(context, net, "owner");
	gint64 group = read_id(context, net, "group");

	if (owned_by(parts->user, owner, group) || owned_by(caller, owner, group))
		return TRUE;
	g_autofree char *what =
		g_strdup_printf("tap: '%s' was made for another (uid %" G_GINT64_FORMAT
				", gid %" G_GINT64_FORMAT ")",
				net->tap, owner, group);
	g_autofree char *make = g_strdup_printf("name one that was made for the VM's user: ip "
						"tuntap add NAME mode tap user %s",
						parts->user->name);
	return refuse(error, HVR_LAUNCH_ERROR_PERMISSION, net, what, make);
}

/* The carrier of a tap is who has it open (tun_set_iff(), and __tun_detach() behind the last); one
 * of several queues takes more. An interface that is down does not say: then opening it will. */
static gboolean check_unused(const HvrContext *context, const HvrProfileNet *net, GError **error)
{
	g_autofree char *carrier = g_strdup_printf("class/net/%s/carrier", net->tap);
	g_autofree char *flags = g_strdup_printf("class/net/%s/tun_flags", net->tap);
	g_autofree char *what = g_strdup_printf("tap: '%s' is in use", net->tap);
	guint64 open = 0, kind = IFF_MULTI_QUEUE;

	if (!hvr_tree_read_number(context->host.sys, carrier, 10, &open) || open == 0 ||
	    !hvr_tree_read_number(context->host.sys, flags, 16, &kind) || kind & IFF_MULTI_QUEUE)
		return TRUE;
	return refuse(error, HVR_LAUNCH_ERROR_BUSY, net, what,
		      "another VM, or a program, has the interface open: each VM takes one of its "
		      "own");
}

static gboolean check_tap(const HvrContext *context, const HvrProfileNet *net,
			  const HvrParts *parts, GError **error)
{
	g_autofree char *path = g_strdup_printf("class/net/%s/tun_flags", net->tap);
	g_autofree char *what = g_strdup_printf("tap: '%s' is no tap of this host", net->tap);
	g_autofree char *make = g_strdup_printf("make it: ip tuntap add %s mode tap user %s; "
						"ip link set %s up",
						net->tap, parts->user->name, net->tap);

	if (!hvr_tree_exists(context->host.sys, path))
		return refuse(error, HVR_LAUNCH_ERROR_UNAVAILABLE, net, what, make);
	return check_owner(context, net, parts, error) && check_unused(context, net, error);
}

gboolean hvr_taps_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error)
{
	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);

		if (net->mode == HVR_NET_BRIDGE && !check_bridge(context, net, parts, error))
			return FALSE;
		if (net->mode == HVR_NET_TAP && !check_tap(context, net, parts, error))
			return FALSE;
	}
	return TRUE;
}

static int fail(GError **error, int saved, const HvrProfileNet *net, const char *what)
{
	HvrLaunchError code = HVR_LAUNCH_ERROR_UNAVAILABLE;

	if (saved == EPERM || saved == EACCES)
		code = HVR_LAUNCH_ERROR_PERMISSION;
	if (saved == EBUSY)
		code = HVR_LAUNCH_ERROR_BUSY;
	g_set_error(error, HVR_LAUNCH_ERROR, code, "[net %s] cannot %s: %s", net->id, what,
		    g_strerror(saved));
	if (saved == EBUSY)
		hvr_error_hint(error, "somebody else has the interface open");
	return -1;
}

/* Attaches @fd to the interface of that name, or to a new one, whose name is then in @request. */
static gboolean attach(int fd, const char *name, struct ifreq *request)
{
	memset(request, 0, sizeof(*request));
	g_strlcpy(request->ifr_name, name, IFNAMSIZ);
	request->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, request) == 0)
		return TRUE;
	/* an interface that was made for several queues takes no descriptor without the flag */
	request->ifr_flags |= IFF_MULTI_QUEUE;
	return errno == EINVAL && ioctl(fd, TUNSETIFF, request) == 0;
}

/* Puts the interface @tap into @bridge: with its MTU, an address that the bridge does not take for
 * its own, and up. @fd: any socket. On failure errno is set, and the interface is somewhere
 * between. */
static gboolean join_bridge(int fd, const char *tap, const char *bridge)
{
	struct ifreq request = { 0 };

	g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return FALSE;
	g_strlcpy(request.ifr_name, tap, IFNAMSIZ);
	if (ioctl(fd, SIOCSIFMTU, &request) < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return FALSE;
	request.ifr_hwaddr.sa_data[0] = (char)0xfe;
	if (ioctl(fd, SIOCSIFHWADDR, &request) < 0)
		return FALSE;
	struct ifreq member = { .ifr_ifindex = (int)if_nametoindex(tap) };
	g_strlcpy(member.ifr_name, bridge, IFNAMSIZ);
	if (member.ifr_ifindex <= 0 || ioctl(fd, SIOCBRADDIF, &member) < 0)
		return FALSE;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return FALSE;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static int open_tun(const HvrHost *host, const HvrProfileNet *net, GError **error)
{
	int fd = hvr_open_beneath(host->dev, TUN, O_RDWR);
	int saved = errno;

	if (fd >= 0)
		return fd;
	fail(error, saved, net, "open the tun device");
	if (saved == ENOENT)
		hvr_error_hint(error, "load its driver: modprobe tun");
	return -1;
}

static int open_on_bridge(const HvrHost *host, const HvrProfileNet *net, GError **error)
{
	g_autofree char *what = g_strdup_printf("put a tap on bridge '%s'", net->bridge);
	g_auto(HvrFd) tap = open_tun(host, net, error);
	g_auto(HvrFd) any = -1;
	struct ifreq request;

	if (tap < 0)
		return -1;
	any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (any < 0 || !attach(tap, TEMPLATE, &request) ||
	    !join_bridge(any, request.ifr_name, net->bridge))
		return fail(error, errno, net, what);
	return g_steal_fd(&tap);
}

static int open_existing(const HvrHost *host, const HvrProfileNet *net, GError **error)
{
	g_autofree char *what = g_strdup_printf("open tap '%s'", net->tap);
	g_auto(HvrFd) tap = -1;
	struct ifreq request;

	/* TUNSETIFF would make one */
	if (if_nametoindex(net->tap) == 0)
		return fail(error, errno, net, what);
	tap = open_tun(host, net, error);
	if (tap < 0)
		return -1;
	if (!attach(tap, net->tap, &request))
		return fail(error, errno, net, what);
	return g_steal_fd(&tap);
}

int hvr_tap_open(const HvrHost *host, const HvrProfileNet *net, GError **error)
{
	if (net->mode == HVR_NET_BRIDGE)
		return open_on_bridge(host, net, error);
	return open_existing(host, net, error);
}
