/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port that somebody has is found out by trying to have it, and by nothing else: sysctls, name
 * spaces, security modules and reserved ports all have their say in bind(2) and listen(2).
 *
 * A socket that has stopped listening is bound still (tcp_disconnect() leaves the port to whoever
 * chose it: SOCK_BINDPORT_LOCK), and without SO_REUSEADDR another one that would listen there is
 * refused (inet_csk_bind_conflict(), which listen(2) asks again). One that the kernel has chosen it
 * would lose that way, so that is bound and nothing more.
 */
#include "launcher/parts/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "launcher/parts/portholder.h"
#include "launcher/process/asuser.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define LOOPBACK "127.0.0.1"

/* Of viewers that come at once; QEMU listens for one. */
#define BACKLOG 8

/* Where viewers look for screens: display :0 and on. */
#define SCREEN_FIRST 5900
#define SCREEN_MOST  1000

/* One port, and which key asks for it. */
typedef struct {
	HvrPort port;
	char *what;	  /* "[net lan] forward" */
	gboolean listens; /* it goes on doing so */
	guint place;	  /* in HvrPorts.numbers */
} Wish;

static void wish_free(gpointer data)
{
	Wish *wish = data;

	g_free(wish->what);
	g_free(wish);
}

static void add_wish(GPtrArray *wishes, Wish wish)
{
	g_ptr_array_add(wishes, g_memdup2(&wish, sizeof(wish)));
}

/* The screen's comes first, where there is one. */
static GPtrArray *find_wishes(const HvrProfile *profile)
{
	GPtrArray *wishes = g_ptr_array_new_with_free_func(wish_free);
	guint place = HVR_PORTS_SCREEN, screen = profile->graphics_port;

	if (screen == HVR_GRAPHICS_PORT_AUTO)
		screen = 0;
	if (profile->graphics != HVR_GRAPHICS_NONE && profile->graphics_port)
		add_wish(wishes, (Wish){ .port = { .address = LOOPBACK, .number = screen },
					 .what = g_strdup("[graphics] port"),
					 .listens = TRUE });
	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);

		for (guint k = 0; k < net->forwards->len; k++) {
			const HvrForward *forward = g_ptr_array_index(net->forwards, k);
			place++;
			add_wish(wishes,
				 (Wish){ .port = { .udp = forward->udp,
						   .address = forward->host_address,
						   .number = forward->host_port },
					 .what = g_strdup_printf("[net %s] forward", net->id),
					 .place = place });
		}
	}
	return wishes;
}

/* TRUE: @fd keeps the port to itself, and does not listen. */
static gboolean make_deaf(int fd)
{
	const int no = 0;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no)) == 0 &&
	       shutdown(fd, SHUT_RDWR) == 0;
}

static gboolean listen_on(int fd, const struct sockaddr_in *address)
{
	const int yes = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
	       bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
	       listen(fd, BACKLOG) == 0;
}

/* From the first that viewers know. Who listens there keeps others from it (see listen_on()). */
static gboolean listen_on_any(int fd, struct sockaddr_in *address)
{
	for (guint i = 0; i < SCREEN_MOST; i++) {
		address->sin_port = htons((guint16)(SCREEN_FIRST + i));
		if (listen_on(fd, address))
			return TRUE;
		if (errno != EADDRINUSE)
			return FALSE;
	}
	return FALSE;
}

/* @fd has it then, whether it is one that is named or any. */
static gboolean have(int fd, const Wish *wish, struct sockaddr_in *address)
{
	if (wish->listens && !wish->port.number)
		return listen_on_any(fd, address);
	if (wish->port.udp || !wish->port.number)
		return bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	return listen_on(fd, address) && (wish->listens || make_deaf(fd));
}

static int step_take(gpointer data, guint i, int *out_fd)
{
	const GPtrArray *wishes = data;
	const Wish *wish = g_ptr_array_index(wishes, i);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((guint16)wish->port.number) };
	int type = wish->port.udp ? SOCK_DGRAM : SOCK_STREAM;

	if (inet_pton(AF_INET, wish->port.address, &address.sin_addr) != 1)
		return EINVAL;
	g_auto(HvrFd) fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (!have(fd, wish, &address))
		return errno;
	*out_fd = g_steal_fd(&fd);
	return 0;
}

static void refuse_busy(const HvrContext *context, const Wish *wish, const char *port,
			GError **error)
{
	g_autofree char *holder = hvr_port_holder(context, &wish->port);
	const char *by = " by ", *who = holder;

	if (!wish->port.number) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "%s: no port of %s is free", wish->what, wish->port.address);
		return;
	}
	if (!holder)
		by = who = "";
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "%s: %s is in use%s%s",
		    wish->what, port, by, who);
	hvr_error_hint(error, "choose another port, or end what has it%s",
		       holder ? "" : ": ss -lntup shows it");
}

static void refuse(const HvrContext *context, const Wish *wish, const HvrUser *user, int problem,
		   GError **error)
{
	const HvrPort *port = &wish->port;
	g_autofree char *name = g_strdup_printf("%s port %u of %s", port->udp ? "udp" : "tcp",
						port->number, port->address);

	switch (problem) {
	case EADDRINUSE:
		refuse_busy(context, wish, name, error);
		return;
	case EACCES:
	case EPERM:
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "%s: user %s may not listen on %s", wish->what, user->name, name);
		hvr_error_hint(error,
			       "QEMU has no privileges: use a port from 1024 up, or let users have "
			       "this one: sysctl net.ipv4.ip_unprivileged_port_start=%u",
			       port->number);
		return;
	case EADDRNOTAVAIL:
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s: %s is no address of this host", wish->what, port->address);
		hvr_error_hint(error, "ip address shows those that it has; " LOOPBACK
				      " is for this host alone, 0.0.0.0 for all networks");
		return;
	default:
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s: cannot listen on %s: %s", wish->what, name, g_strerror(problem));
	}
}

/* Which it is, whoever chose it. */
static void note_number(HvrPorts *ports, const Wish *wish, int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t length = sizeof(address);

	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		g_array_index(ports->numbers, guint16, wish->place) = ntohs(address.sin_port);
}

guint16 hvr_ports_number(const GArray *numbers, guint i)
{
	if (!numbers || i >= numbers->len)
		return 0;
	return g_array_index(numbers, guint16, i);
}

gboolean hvr_ports_take(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
			HvrPorts *out_ports, GError **error)
{
	g_autoptr(GPtrArray) wishes = find_wishes(profile);
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, wishes->len + 1);
	const HvrAsUser how = { .user = user, .step = step_take, .data = wishes, .keep = -1 };
	gboolean well = TRUE;

	*out_ports = (HvrPorts)HVR_PORTS_INIT;
	if (wishes->len == 0)
		return TRUE;
	out_ports->forwards = g_array_new(FALSE, FALSE, sizeof(int));
	out_ports->numbers = g_array_new(FALSE, TRUE, sizeof(guint16));
	g_array_set_size(out_ports->numbers, wishes->len + 1);
	hvr_as_user(&how, results, wishes->len);
	for (guint i = 0; i < wishes->len; i++) {
		const Wish *wish = g_ptr_array_index(wishes, i);

		note_number(out_ports, wish, results[i].fd);
		if (wish->listens)
			out_ports->screen = results[i].fd;
		else if (results[i].fd >= 0)
			g_array_append_val(out_ports->forwards, results[i].fd);
		if (well && results[i].problem)
			refuse(context, wish, user, results[i].problem, error);
		well = well && !results[i].problem;
	}
	if (!well)
		hvr_ports_clear(out_ports);
	return well;
}

static gboolean is_udp(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

void hvr_ports_loosen(HvrPorts *ports)
{
	const int yes = 1;

	for (guint i = 0; ports->forwards && i < ports->forwards->len; i++) {
		int *fd = &g_array_index(ports->forwards, int, i);
		if (is_udp(*fd) || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
			hvr_fd_close(g_steal_fd(fd));
	}
	hvr_fd_close(g_steal_fd(&ports->screen));
}

void hvr_ports_clear(HvrPorts *ports)
{
	for (guint i = 0; ports->forwards && i < ports->forwards->len; i++)
		hvr_fd_close(g_array_index(ports->forwards, int, i));
	g_clear_pointer(&ports->forwards, g_array_unref);
	g_clear_pointer(&ports->numbers, g_array_unref);
	hvr_fd_close(g_steal_fd(&ports->screen));
}

gboolean hvr_ports_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error)
{
	HvrPorts ports;

	if (!hvr_ports_take(context, profile, parts->user, &ports, error))
		return FALSE;
	hvr_ports_clear(&ports);
	return TRUE;
}
