/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cursor rests at the begin of the line, so that what another process says goes over it.
 *
 * A process in the background paints nothing: it may be stopped for writing to a terminal that it
 * does not have (tcsetattr(3), TOSTOP), and the line is somebody else's.
 */
#include "launcher/report/progress.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "launcher/report/message.h"
#include "launcher/report/text.h"

#define EVERY_MS 1000
/* As long as that, seconds are enough. */
#define MINUTES_MS 120000
#define COLUMNS	   80 /* where the terminal does not say */
#define CLEAR	   "\r\033[K"

/* What lasts. */
static struct {
	char *what; /* NULL: nothing does */
	char *text, *then, *detail;
	guint limit_ms;
	gint64 begin_us, stage_us, due_us;
	guint timer;
	gboolean live;	/* the line is painted; else a message for each stage */
	gboolean shown; /* it is there now */
	gboolean told;	/* this stage has had its message */
} now;

static gboolean plain;

static gboolean is_live(void)
{
	const char *term = g_getenv("TERM");

	return !plain && isatty(STDERR_FILENO) && term && *term && !g_str_equal(term, "dumb");
}

/* Ours, or the terminal of a session that is not ours and stops nobody. */
static gboolean is_in_front(void)
{
	pid_t front = tcgetpgrp(STDERR_FILENO);

	return front < 0 || front == getpgrp();
}

/* One write, and none where the terminal takes nothing now (Ctrl-S): nobody is held up for it. */
static gboolean put(const char *text, gsize length)
{
	struct pollfd poller = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&poller, 1, 0) == 1 && write(STDERR_FILENO, text, length) == (ssize_t)length;
}

static void clear(void)
{
	if (now.shown)
		put(CLEAR, strlen(CLEAR));
	now.shown = FALSE;
}

static guint columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col;
}

static guint width_of(gunichar c)
{
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

/* Harmless text, of which as much stays as @most columns take. */
static void cut(GString *line, guint most)
{
	const char *at = line->str;

	for (guint used = 0; *at; at = g_utf8_next_char(at)) {
		used += width_of(g_utf8_get_char(at));
		if (used > most)
			break;
	}
	g_string_truncate(line, (gsize)(at - line->str));
}

static void append_time(GString *line)
{
	/* A stage begins a moment after what it is of, so a timer comes a moment early. */
	gint64 us = g_get_monotonic_time() - now.stage_us + G_USEC_PER_SEC / 2;
	guint seconds = (guint)(us / G_USEC_PER_SEC);
	g_autofree char *elapsed = hvr_text_time(seconds * (guint64)1000);
	g_autofree char *limit = hvr_text_time(now.limit_ms);

	if (!now.limit_ms)
		g_string_append_printf(line, ", %s", elapsed);
	else if (now.limit_ms < MINUTES_MS)
		g_string_append_printf(line, ", %u of %s", seconds, limit);
	else
		g_string_append_printf(line, ", %s of %s", elapsed, limit);
}

/* [transfer full] */
static GString *make_line(void)
{
	g_autoptr(GString) words = g_string_new(now.what);
	GString *line = g_string_new(NULL);

	if (now.text)
		g_string_append_printf(words, ": %s", now.text);
	append_time(words);
	if (now.then)
		g_string_append_printf(words, "; %s", now.then);
	if (now.detail && *now.detail)
		g_string_append_printf(words, " | %s", now.detail);
	hvr_text_append(line, words->str, words->len, HVR_TEXT_ONE_LINE);
	/* What fills the last column would begin a new line. */
	cut(line, columns() - 1);
	return line;
}

static void paint(void)
{
	g_autoptr(GString) line = make_line();

	g_string_prepend(line, CLEAR);
	g_string_append_c(line, '\r');
	now.shown = put(line->str, line->len);
}

static void tell(void)
{
	g_autofree char *limit = hvr_text_time(now.limit_ms);
	g_autoptr(GString) words = g_string_new(now.what);

	now.told = TRUE;
	if (now.text)
		g_string_append_printf(words, ": %s", now.text);
	if (now.limit_ms)
		g_string_append_printf(words, ", for at most %s", limit);
	if (now.then)
		g_string_append_printf(words, "; %s", now.then);
	hvr_message("%s", words->str);
}

static void show(void)
{
	gint64 now_us = g_get_monotonic_time();

	if (!now.what || now_us < now.due_us)
		return;
	now.due_us = now_us + EVERY_MS * G_TIME_SPAN_MILLISECOND;
	/* Standard error may have become a file since. */
	now.live = now.live && isatty(STDERR_FILENO);
	if (now.live && is_in_front())
		paint();
	else if (!now.live && !now.told)
		tell();
}

static gboolean on_tick(gpointer user_data)
{
	/* A timer may be a little early. */
	now.due_us = 0;
	show();
	return G_SOURCE_CONTINUE;
}

void hvr_progress_begin(const char *format, ...)
{
	va_list args;

	hvr_progress_end();
	va_start(args, format);
	now.what = g_strdup_vprintf(format, args);
	va_end(args);
	now.live = is_live();
	now.told = FALSE;
	now.begin_us = now.stage_us = g_get_monotonic_time();
	now.due_us = now.begin_us + EVERY_MS * G_TIME_SPAN_MILLISECOND;
	now.timer = g_timeout_add(EVERY_MS, on_tick, NULL);
	hvr_message_before(clear);
}

void hvr_progress_stage(const HvrProgressStage *stage)
{
	gint64 now_us = g_get_monotonic_time();

	if (!now.what || (g_strcmp0(now.text, stage->text) == 0 && now.limit_ms == stage->limit_ms))
		return;
	g_free(now.text);
	g_free(now.then);
	now.text = g_strdup(stage->text);
	now.then = g_strdup(stage->then);
	now.limit_ms = stage->limit_ms;
	now.stage_us = now_us;
	now.told = FALSE;
	/* What has lasted for a second says at once what it is at. */
	if (now_us - now.begin_us >= EVERY_MS * G_TIME_SPAN_MILLISECOND) {
		now.due_us = 0;
		show();
	}
}

void hvr_progress_detail(const char *text)
{
	if (!now.what)
		return;
	g_free(now.detail);
	now.detail = g_strdup(text);
}

void hvr_progress_end(void)
{
	if (!now.what)
		return;
	clear();
	g_source_remove(now.timer);
	now.timer = 0;
	g_clear_pointer(&now.what, g_free);
	g_clear_pointer(&now.text, g_free);
	g_clear_pointer(&now.then, g_free);
	g_clear_pointer(&now.detail, g_free);
	now.limit_ms = 0;
}

gint64 hvr_progress_turn(void)
{
	show();
	return now.what ? now.due_us : 0;
}

void hvr_progress_plain(void)
{
	clear();
	plain = TRUE;
	now.live = FALSE;
}
