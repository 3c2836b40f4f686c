/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command whose output is here while it runs.
 *
 * The agent sends no events, so it is asked: for output, and while there is none for the command's
 * end, more and more seldom. What waits here for its reader is not asked for again, so a slow one
 * holds up the command and nothing else; what comes at our end wakes us.
 */
#include "launcher/guest/live.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>

#include "launcher/guest/conversation.h"
#include "launcher/guest/feed.h"
#include "launcher/guest/file.h"
#include "launcher/guest/output.h"
#include "launcher/guest/process.h"
#include "launcher/guest/put.h"
#include "launcher/guest/scripts.h"
#include "launcher/guest/shell.h"
#include "launcher/report/error.h"
#include "qmp/error.h"

#define PATIENCE_S 300

/* Signs of life in that time. */
#define BEATS 4

typedef struct {
	HvrGuest *guest;
	const HvrGuestCommand *command;
	char *folder;	  /* in the guest; NULL: none */
	const char *mark; /* its last part */
	HvrGuestOutput outputs[2];
	HvrGuestFeed feed;
	HvrGuestResult ended;
	gboolean exited, killed;
	gint64 killer;	 /* who kills it in the guest; 0: nobody has */
	guint passed_on; /* of the guest's signals */
	guint delay_ms;
	gint64 beat_us; /* when the next sign of life is due */
} Live;

static guint patience_s(const Live *live)
{
	guint wanted = live->command->live->patience_s;

	return wanted ? wanted : PATIENCE_S;
}

/* Of prepare.sh: nothing that comes from a guest is used as a path unseen. */
static gboolean is_folder(const char *text)
{
	static const char *const bases[] = { "/run/", "/dev/shm/", "/tmp/", "/var/tmp/" };
	static const char name[] = "hailo-vm-run.";

	for (guint i = 0; i < G_N_ELEMENTS(bases); i++) {
		if (!g_str_has_prefix(text, bases[i]))
			continue;
		const char *rest = text + strlen(bases[i]);
		if (!g_str_has_prefix(rest, name) || strlen(rest) != strlen(name) + 10)
			continue;
		rest += strlen(name);
		while (g_ascii_isalnum(*rest))
			rest++;
		if (!*rest)
			return TRUE;
	}
	return FALSE;
}

/* Has the guest itself said no, so that it may be asked in another way? */
static gboolean was_refused(const GError *cause)
{
	return g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE) ||
	       g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REFUSED);
}

/* NULL without an error: the guest has not what it takes. */
static char *make_folder(const Live *live, GError **error)
{
	const char *script = live->command->live->how->script ? "yes" : "no";
	g_autofree char *patience = g_strdup_printf("%u", patience_s(live));
	const char *const words[] = { script, patience, NULL };
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) cause = NULL;

	if (!hvr_guest_shell_do(live->guest, HVR_GUEST_PREPARE, words, &result, &cause)) {
		if (!was_refused(cause))
			g_propagate_error(error, g_steal_pointer(&cause));
		return NULL;
	}
	g_autofree char *text = g_strndup((const char *)result.out->data, result.out->len);
	g_strchomp(text);
	return result.status == 0 && is_folder(text) ? g_steal_pointer(&text) : NULL;
}

/* Says something of the command to the guest's shell. Best effort, but for a lost agent, of which
 * the next question tells. */
static gint64 control(const Live *live, const char *what, const char *first, const char *second)
{
	const char *const words[] = { what, live->folder, first, second, NULL };

	return hvr_guest_shell_start(live->guest, HVR_GUEST_CONTROL, words, FALSE, NULL);
}

/* Until the guest has done it. Best effort, too. */
static void settle(const Live *live, gint64 pid)
{
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	if (pid && !hvr_guest_await(live->guest, pid, HVR_GUEST_GRACE_MS, &result, &error))
		g_debug("something of %s may be left in the guest: %s", live->folder,
			error->message);
}

/* Nothing is left, when this returns, unless the agent is lost. */
static void end(Live *live)
{
	for (guint i = 0; i < G_N_ELEMENTS(live->outputs); i++)
		hvr_guest_output_close(live->guest, &live->outputs[i]);
	hvr_guest_feed_clear(&live->feed);
	if (!hvr_guest_is_lost(live->guest))
		settle(live, live->killer);
	if (live->folder && !hvr_guest_is_lost(live->guest))
		settle(live, control(live, "remove", live->exited ? "ended" : "lost", NULL));
	hvr_guest_result_clear(&live->ended);
	g_free(live->folder);
	live->guest->pid = 0;
	live->guest->patience_ms = 0;
}

/* FALSE without an error: the guest has not what it takes. */
static gboolean prepare(Live *live, GError **error)
{
	static const char *const names[] = { "out", "err" };
	const HvrGuestLive *how = live->command->live;
	const int fds[] = { how->out_fd, how->err_fd };
	GError *cause = NULL;

	live->folder = make_folder(live, error);
	if (!live->folder)
		return FALSE;
	live->mark = strchr(live->folder, '.') + 1;
	hvr_guest_feed_init(&live->feed, live->folder, how->in_fd);
	for (guint i = 0; i < G_N_ELEMENTS(live->outputs); i++) {
		HvrGuestOutput *output = &live->outputs[i];
		*output = (HvrGuestOutput){ .folder = live->folder,
					    .name = names[i],
					    .fd = fds[i],
					    .copy = how->copies[i],
					    .handle = -1 };
		if (hvr_guest_output_open(live->guest, output, &cause))
			continue;
		if (was_refused(cause))
			g_clear_error(&cause);
		else
			g_propagate_error(error, cause);
		return FALSE;
	}
	return TRUE;
}

static void add_words(GPtrArray *words, const char *const *more)
{
	for (; more && *more; more++)
		g_ptr_array_add(words, (gpointer)*more);
}

/* What run.sh and inner.sh take. */
static gboolean start(Live *live, const char *script, GError **error)
{
	const HvrGuestOptions *how = live->command->live->how;
	guint n_env = how->env ? g_strv_length(how->env) : 0;
	g_autofree char *limit = g_strdup_printf("%d", HVR_GUEST_TURN_BYTES);
	g_autofree char *n = g_strdup_printf("%u", n_env);
	const char *const head[] = { live->folder,
				     live->feed.fd >= 0 ? "yes" : "no",
				     how->user ? how->user : "",
				     limit,
				     hvr_guest_script_inner,
				     live->mark,
				     how->cwd ? how->cwd : "",
				     n,
				     NULL };
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	add_words(words, head);
	add_words(words, (const char *const *)how->env);
	if (script)
		g_ptr_array_add(words, (gpointer)script);
	add_words(words, live->command->argv);
	g_ptr_array_add(words, NULL);
	live->guest->pid = hvr_guest_shell_start(live->guest, HVR_GUEST_RUN,
						 (const char *const *)words->pdata, FALSE, error);
	return live->guest->pid > 0;
}

/* What the user is told of as run. */
static const char *name_of(const Live *live)
{
	const char *script = live->command->live->how->script;

	return script ? script : live->command->argv[0];
}

/* Errors: as hvr_guest_run() */
static gboolean begin(Live *live, GError **error)
{
	const GPtrArray *puts = live->command->live->puts;
	g_autofree char *script = NULL;
	GError *cause = NULL;

	if (live->command->live->how->script) {
		script = g_strconcat(live->folder, "/script", NULL);
		if (!hvr_guest_put(live->guest, puts->pdata[puts->len - 1], script, FALSE, error))
			return FALSE;
	}
	if (!live->guest->signals && start(live, script, &cause)) {
		live->guest->patience_ms = HVR_GUEST_GRACE_MS;
		hvr_guest_set_deadline(live->guest, live->command->timeout_ms);
		return TRUE;
	}
	if (!cause)
		cause = g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "interrupted");
	hvr_guest_explain_start(live->guest, name_of(live), error, cause);
	return FALSE;
}

static gboolean pass(Live *live, HvrGuestOutput *output, GError **error)
{
	int problem = hvr_guest_output_pass(output);

	if (problem == 0)
		return TRUE;
	if (problem == EPIPE) {
		control(live, "deaf", output->name, NULL);
		return TRUE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot write the command's output: %s", g_strerror(problem));
	return FALSE;
}

/* Has what there is come and go. */
static gboolean turn(Live *live, gboolean *out_came, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(live->outputs); i++) {
		HvrGuestOutput *output = &live->outputs[i];
		if (!hvr_guest_output_read(live->guest, output, live->exited, out_came, error) ||
		    !pass(live, output, error))
			return FALSE;
	}
	return live->exited || hvr_guest_feed_pass(live->guest, &live->feed, out_came, error);
}

/* Is there output that nobody takes? Then it is not the guest that is waited for. */
static gboolean waits(const Live *live)
{
	return hvr_guest_output_waits(&live->outputs[0]) ||
	       hvr_guest_output_waits(&live->outputs[1]);
}

static gboolean is_over(const Live *live)
{
	return live->exited && live->outputs[0].ended && live->outputs[1].ended && !waits(live);
}

/* Passes signals on, and ends what is late. FALSE: nothing more will come. */
static gboolean attend(Live *live, gboolean came)
{
	HvrGuest *guest = live->guest;
	guint grace_ms = live->command->grace_ms ? live->command->grace_ms : HVR_GUEST_GRACE_MS;

	if (guest->signals > live->passed_on) {
		g_autofree char *number = g_strdup_printf("%d", guest->signal_number);
		g_autofree char *run = g_strdup_printf("%" G_GINT64_FORMAT, guest->pid);
		if (live->exited)
			return FALSE;
		live->passed_on = guest->signals;
		control(live, "signal", number, run);
	}
	if (live->exited || g_get_monotonic_time() < guest->deadline_us)
		return TRUE;
	if (live->killed && !came && !waits(live))
		return FALSE;
	if (!live->killed)
		live->killer = control(live, "kill", live->mark, NULL);
	live->killed = TRUE;
	live->delay_ms = HVR_GUEST_ASK_FIRST_MS;
	hvr_guest_set_deadline(guest, grace_ms);
	return TRUE;
}

static gboolean beat(Live *live, GError **error)
{
	gint64 now = g_get_monotonic_time();

	if (now < live->beat_us)
		return TRUE;
	g_autofree char *path = g_strconcat(live->folder, "/alive", NULL);
	const HvrGuestPiece piece = { .path = path, .mode = "a", .bytes = ".", .length = 1 };
	live->beat_us = now + (gint64)patience_s(live) * G_USEC_PER_SEC / BEATS;
	return hvr_guest_file_put(live->guest, &piece, error);
}

static gboolean on_ready(gint fd, GIOCondition condition, gpointer user_data)
{
	*(gboolean *)user_data = TRUE;
	return G_SOURCE_CONTINUE;
}

/* Until it is time to ask again, or something can be done here. */
static gboolean rest(Live *live, GError **error)
{
	gboolean *woken = &live->guest->woken;
	gint64 beat_ms = (live->beat_us - g_get_monotonic_time()) / 1000;
	guint ids[3] = { 0 }, n = 0;

	*woken = FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(live->outputs); i++)
		if (hvr_guest_output_waits(&live->outputs[i]))
			ids[n++] = g_unix_fd_add(live->outputs[i].fd, G_IO_OUT, on_ready, woken);
	if (hvr_guest_feed_wants(&live->feed) && !live->exited)
		ids[n++] = g_unix_fd_add(live->feed.fd, G_IO_IN | G_IO_HUP, on_ready, woken);
	gboolean well = hvr_guest_pause(live->guest,
					(guint)CLAMP(beat_ms, 1, (gint64)live->delay_ms), error);
	while (n)
		g_source_remove(ids[--n]);
	*woken = FALSE;
	live->delay_ms = MIN(live->delay_ms * 2, HVR_GUEST_ASK_LAST_MS);
	return well;
}

/* One round of questions. @out_more: something is to be waited for. Errors: in HVR_QMP_ERROR */
static gboolean converse(Live *live, gboolean *out_more, GError **error)
{
	gboolean came = FALSE;

	if (!turn(live, &came, error))
		return FALSE;
	if (!came && !live->exited) {
		if (!hvr_guest_ask_status(live->guest, live->guest->pid, &live->exited,
					  &live->ended, error))
			return FALSE;
		came = live->exited;
	}
	*out_more = !is_over(live) && attend(live, came);
	if (!*out_more)
		return TRUE;
	if (!beat(live, error) || !hvr_guest_share(live->guest, error))
		return FALSE;
	if (!came)
		return rest(live, error);
	live->delay_ms = HVR_GUEST_ASK_FIRST_MS;
	return TRUE;
}

/* Is it the command's own? Else run.sh says "STATUS TEXT" of why it could not be run. It is asked
 * by a program, as in a guest without room the agent opens no files. Errors: as hvr_guest_run() */
static gboolean is_own_status(Live *live, GError **error)
{
	const char *const words[] = { "why", live->folder, NULL };
	g_auto(HvrGuestResult) result = { 0 };
	GError *cause = NULL;
	char *text = NULL;

	if (live->killed || live->ended.status != HVR_EXIT_NOT_JUDGED)
		return TRUE;
	if (!hvr_guest_shell_do(live->guest, HVR_GUEST_CONTROL, words, &result, &cause)) {
		hvr_guest_explain(live->guest, error, cause);
		return FALSE;
	}
	if (result.out->len == 0)
		return TRUE;
	g_autofree char *valid = g_utf8_make_valid((const char *)result.out->data, result.out->len);
	guint64 status = g_ascii_strtoull(valid, &text, 10);
	g_strdelimit(g_strstrip(text), "\r\n", ' ');
	gboolean own_fault =
		status == HVR_COMMAND_ERROR_NOT_FOUND || status == HVR_COMMAND_ERROR_NOT_EXECUTABLE;
	g_set_error(error, own_fault ? HVR_COMMAND_ERROR : HVR_LAUNCH_ERROR,
		    own_fault ? (int)status : HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "VM '%s': cannot run '%s': %s", live->guest->name, name_of(live), text);
	return FALSE;
}

/* Errors: as hvr_guest_run() */
static gboolean follow(Live *live, GError **error)
{
	GError *cause = NULL;
	gboolean more = TRUE;

	live->delay_ms = HVR_GUEST_ASK_FIRST_MS;
	live->beat_us = g_get_monotonic_time();
	while (more && converse(live, &more, &cause))
		;
	if (!cause)
		return is_own_status(live, error);
	if (!hvr_guest_is_lost(live->guest) && !live->exited)
		live->killer = control(live, "kill", live->mark, NULL);
	hvr_guest_explain(live->guest, error, cause);
	return FALSE;
}

HvrGuestLiveEnd hvr_guest_live(HvrGuest *guest, const HvrGuestCommand *command,
			       HvrGuestResult *out_result, GError **error)
{
	Live live = { .guest = guest, .command = command };
	HvrGuestLiveEnd what = HVR_GUEST_LIVE_FAILED;
	GError *cause = NULL;

	hvr_guest_set_deadline(guest, 0);
	guest->pid = HVR_GUEST_PID_COMING;
	if (!prepare(&live, &cause)) {
		if (cause)
			hvr_guest_explain(guest, error, cause);
		else
			what = HVR_GUEST_LIVE_UNSUITABLE;
	} else if (begin(&live, error) && follow(&live, error)) {
		what = HVR_GUEST_LIVE_DONE;
		*out_result = (HvrGuestResult){
			.status = live.killed ? HVR_EXIT_TIMED_OUT : live.ended.status,
			.timed_out = live.killed,
			.out = g_steal_pointer(&live.outputs[0].kept),
			.err = g_steal_pointer(&live.outputs[1].kept),
		};
	}
	end(&live);
	return what;
}
