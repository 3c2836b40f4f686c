/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two flows, from the user to the guest and back, each with what it holds, its source and its sink.
 *
 * The user's descriptors are shared with whoever started us, mostly a shell: O_NONBLOCK set on them
 * would be set for that, too. So a terminal or a pipe is opened once more, for ourselves; a socket
 * is asked not to wait with each call; a file never makes anybody wait.
 *
 * A shell that brings a running job to the front tells it by no signal (one that was stopped gets
 * SIGCONT), so from the background we look who is in front, once a second. Nothing else here wakes
 * up by itself.
 */
#include "launcher/session/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/message.h"
#include "launcher/session/terminal.h"
#include "vfio/fd.h"

#define HELD_BYTES 16384
#define LOOK_S	   1

/* How long the user's output may take for what the guest has said last: while the card waits to be
 * given back, and then. */
#define SOON_MS	      100
#define LAST_WORDS_MS 2000

typedef struct {
	HvrRelay *relay;
	int source, sink;
	gboolean paused; /* the source is not ours to read, for now */
	gboolean ended;	 /* nothing more comes from the source, */
	gboolean broken; /* the sink takes no more: what comes is dropped */
	guint reading, writing;
	gsize n_held;
	guint8 held[HELD_BYTES + HVR_ESCAPE_HELD];
} Flow;

struct HvrRelay {
	Flow to_guest, to_user;
	gboolean has_terminal;
	HvrTerminal terminal;
	HvrEscape escape;
	HvrRelayKey on_key;
	int signals; /* the signalfd */
	guint on_signals, look_again;
	void (*old_ttin)(int), (*old_ttou)(int);
	HvrRelayTold told;
	gpointer user_data;
	void (*feed)(gpointer fed);
	gpointer fed;
};

static void tell(const HvrRelay *relay, HvrRelayEnd end)
{
	if (relay->told)
		relay->told(end, relay->user_data);
}

static gboolean is_for_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Gives the sink as much as it takes now. */
static void pass(Flow *flow)
{
	ssize_t n = send(flow->sink, flow->held, flow->n_held, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(flow->sink, flow->held, flow->n_held);
	if (n < 0 && is_for_later())
		return;
	if (n < 0) {
		flow->broken = TRUE;
		n = (ssize_t)flow->n_held;
	}
	if (n > 0 && flow == &flow->relay->to_user)
		hvr_message_beside((char)flow->held[n - 1]);
	flow->n_held -= (gsize)n;
	memmove(flow->held, flow->held + n, flow->n_held);
}

/* Returns: how many bytes came to what is held; 0 at the end; -1 with errno set. */
static ssize_t take(Flow *flow)
{
	guint8 *free_bytes = flow->held + flow->n_held;
	gsize n_free = HELD_BYTES - flow->n_held;
	ssize_t n = recv(flow->source, free_bytes, n_free, MSG_DONTWAIT);

	if (n < 0 && errno == ENOTSOCK)
		n = read(flow->source, free_bytes, n_free);
	if (n > 0)
		flow->n_held += (gsize)n;
	return n;
}

static void watch(Flow *flow, guint *id, gboolean wanted, int fd, GIOCondition condition,
		  GUnixFDSourceFunc on_event)
{
	if (!wanted)
		g_clear_handle_id(id, g_source_remove);
	else if (!*id)
		*id = g_unix_fd_add(fd, condition, on_event, flow);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data);

/* What the flow waits for from now on. */
static void arrange(Flow *flow)
{
	gboolean may_read = !flow->ended && !flow->paused && flow->n_held < HELD_BYTES;

	watch(flow, &flow->reading, may_read, flow->source, G_IO_IN, on_readable);
	watch(flow, &flow->writing, flow->n_held > 0, flow->sink, G_IO_OUT, on_writable);
}

/* Passes on what is held, and judges a sink that takes no more. */
static void go_on(Flow *flow)
{
	HvrRelay *relay = flow->relay;
	gboolean was_broken = flow->broken;

	if (flow->n_held)
		pass(flow);
	if (flow->broken && !was_broken && flow == &relay->to_user)
		tell(relay, HVR_RELAY_FAILED);
	/* Keys for a guest that is gone are somebody else's. */
	if (flow->broken && flow == &relay->to_guest)
		flow->ended = TRUE;
	arrange(flow);
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data)
{
	go_on(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_look(gpointer user_data);

/* Who has the terminal now? Takes it where it is we. */
static void look(HvrRelay *relay)
{
	HvrTerminalPlace place = hvr_terminal_place(relay->terminal.fd);

	if (place == HVR_TERMINAL_OURS)
		hvr_terminal_take(&relay->terminal);
	else
		relay->terminal.raw = FALSE; /* whoever has it has set it for themselves */
	relay->to_guest.paused = place == HVR_TERMINAL_BACKGROUND || place == HVR_TERMINAL_FOREIGN;
	if (place == HVR_TERMINAL_BACKGROUND && !relay->look_again)
		relay->look_again = g_timeout_add_seconds(LOOK_S, on_look, relay);
	else if (place != HVR_TERMINAL_BACKGROUND)
		g_clear_handle_id(&relay->look_again, g_source_remove);
	arrange(&relay->to_guest);
}

static gboolean on_look(gpointer user_data)
{
	look(user_data);
	return G_SOURCE_CONTINUE;
}

/* Of the keys that have just come, those that are the guest's stay in what is held. */
static void sort_keys(HvrRelay *relay, gsize n)
{
	Flow *flow = &relay->to_guest;
	g_autofree guint8 *keys = g_memdup2(flow->held + flow->n_held - n, n);
	gsize n_done = 0;

	flow->n_held -= n;
	while (n_done < n && !flow->ended) {
		HvrEscaped escaped = hvr_escape_take(&relay->escape, keys + n_done, n - n_done,
						     flow->held + flow->n_held);
		n_done += escaped.n_taken;
		flow->n_held += escaped.n_out;
		if (escaped.action != HVR_ESCAPE_NONE &&
		    !relay->on_key(escaped.action, relay->user_data))
			flow->ended = TRUE;
	}
}

/* EIO is a terminal's way to say that it is hung up, or that it is not ours to read. */
static void source_failed(Flow *flow, int problem)
{
	HvrRelay *relay = flow->relay;

	if (problem == EIO && flow == &relay->to_guest && relay->has_terminal) {
		look(relay);
		if (flow->paused)
			return;
	}
	flow->ended = TRUE;
	arrange(flow);
	if (flow == &relay->to_user)
		tell(relay, HVR_RELAY_ENDED);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	Flow *flow = user_data;
	ssize_t n = take(flow);

	if (n < 0 && is_for_later())
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		source_failed(flow, n < 0 ? errno : 0);
		return G_SOURCE_CONTINUE;
	}
	if (flow == &flow->relay->to_guest && flow->relay->on_key && flow->relay->has_terminal)
		sort_keys(flow->relay, (gsize)n);
	go_on(flow);
	return G_SOURCE_CONTINUE;
}

/* Stops us as if nobody had caught the signal, until we are continued. */
static void be_stopped(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrRelay *relay = user_data;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGTSTP)
			continue;
		hvr_terminal_give_back(&relay->terminal);
		be_stopped();
	}
	look(relay);
	return G_SOURCE_CONTINUE;
}

static sigset_t job_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	return set;
}

/* Ignored, the two signals become an error of read(2) and no error of write(2). */
static void take_signals(HvrRelay *relay)
{
	sigset_t set = job_signals();

	relay->old_ttin = signal(SIGTTIN, SIG_IGN);
	relay->old_ttou = signal(SIGTTOU, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	relay->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (relay->signals >= 0)
		relay->on_signals = g_unix_fd_add(relay->signals, G_IO_IN, on_signal, relay);
}

static void leave_signals(HvrRelay *relay)
{
	sigset_t set = job_signals();

	g_clear_handle_id(&relay->on_signals, g_source_remove);
	hvr_fd_close(g_steal_fd(&relay->signals));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGTTIN, relay->old_ttin);
	signal(SIGTTOU, relay->old_ttou);
}

/* One of our own that does not make us wait, where that can be had: else the same once more. */
static int open_anew(int fd, int flags)
{
	g_autofree char *path = hvr_fd_path(fd, NULL);
	struct stat st;
	int anew = -1;

	if (isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)))
		anew = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (anew < 0)
		anew = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return anew;
}

HvrRelay *hvr_relay_new(const HvrRelayStart *start)
{
	HvrRelay *relay = g_new0(HvrRelay, 1);

	relay->terminal = (HvrTerminal){ .fd = start->input, .keep_output = start->keep_output };
	relay->on_key = start->on_key;
	relay->signals = -1;
	relay->told = start->told;
	relay->user_data = start->user_data;
	relay->feed = start->feed;
	relay->fed = start->fed;
	relay->to_guest.relay = relay->to_user.relay = relay;
	relay->to_guest.source = open_anew(start->input, O_RDONLY);
	relay->to_guest.sink = relay->to_user.source = start->port;
	relay->to_user.sink = open_anew(start->output, O_WRONLY);
	relay->has_terminal = isatty(start->input);
	if (relay->has_terminal)
		take_signals(relay);
	look(relay);
	arrange(&relay->to_user);
	return relay;
}

/* What has come from the guest goes to the user, until there is no more of it, or for @wait_ms. */
static void drain(Flow *flow, int wait_ms)
{
	gint64 end = g_get_monotonic_time() + wait_ms * G_GINT64_CONSTANT(1000);
	struct pollfd sink = { .fd = flow->sink, .events = POLLOUT };

	for (;;) {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000;

		if (flow->relay->feed)
			flow->relay->feed(flow->relay->fed);
		if (!flow->ended && flow->n_held < HELD_BYTES && take(flow) == 0)
			flow->ended = TRUE;
		if (flow->n_held == 0 || left_ms <= 0)
			return;
		if (poll(&sink, 1, (int)left_ms) > 0)
			pass(flow);
	}
}

static void close_flow(Flow *flow)
{
	flow->ended = TRUE;
	flow->n_held = 0;
	arrange(flow);
}

void hvr_relay_stop(HvrRelay *relay)
{
	if (!relay)
		return;
	g_clear_handle_id(&relay->look_again, g_source_remove);
	close_flow(&relay->to_guest);
	hvr_terminal_give_back(&relay->terminal);
	if (relay->has_terminal)
		leave_signals(relay);
	relay->has_terminal = FALSE;
	drain(&relay->to_user, SOON_MS);
}

void hvr_relay_free(HvrRelay *relay)
{
	if (!relay)
		return;
	hvr_relay_stop(relay);
	drain(&relay->to_user, LAST_WORDS_MS);
	close_flow(&relay->to_user);
	hvr_fd_close(relay->to_guest.source);
	hvr_fd_close(relay->to_user.sink);
	g_free(relay);
}
