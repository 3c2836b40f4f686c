/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/feed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/guest/file.h"
#include "launcher/report/error.h"
#include "qmp/error.h"

/* How many pieces wait in the guest at most. */
#define WINDOW 2

void hvr_guest_feed_init(HvrGuestFeed *feed, const char *folder, int fd)
{
	struct stat st;

	*feed = (HvrGuestFeed){ .folder = folder, .fd = fd };
	feed->regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (feed->regular)
		feed->offset = lseek(fd, 0, SEEK_CUR);
}

void hvr_guest_feed_clear(HvrGuestFeed *feed)
{
	g_clear_pointer(&feed->piece, g_byte_array_unref);
}

gboolean hvr_guest_feed_wants(const HvrGuestFeed *feed)
{
	return feed->fd >= 0 && !feed->piece;
}

/* Returns: as read(2), but EAGAIN where nothing is there yet */
static ssize_t read_some(const HvrGuestFeed *feed, guint8 *bytes, gsize size, guint done)
{
	struct pollfd writer = { .fd = feed->fd, .events = POLLIN };

	if (feed->regular)
		return pread(feed->fd, bytes, size, feed->offset + done);
	if (poll(&writer, 1, 0) == 1)
		return read(feed->fd, bytes, size);
	errno = EAGAIN;
	return -1;
}

/* Whatever there is, up to a whole piece. An empty one: it has ended */
static gboolean read_piece(HvrGuestFeed *feed, GError **error)
{
	g_autofree guint8 *bytes = g_malloc(HVR_GUEST_FILE_BYTES);
	guint done = 0;
	ssize_t n = 1;

	while (n > 0 && done < HVR_GUEST_FILE_BYTES) {
		n = read_some(feed, bytes + done, HVR_GUEST_FILE_BYTES - done, done);
		done += n > 0 ? (guint)n : 0;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot read the standard input: %s", g_strerror(errno));
		return FALSE;
	}
	if (n < 0 && done == 0)
		return TRUE;
	feed->piece = g_byte_array_new_take(g_steal_pointer(&bytes), done);
	feed->offset += done;
	return TRUE;
}

/* Has the guest read enough of what it has? It removes what it has read. */
static gboolean has_room(HvrGuest *guest, const HvrGuestFeed *feed, gboolean *out_room,
			 GError **error)
{
	g_autoptr(GError) cause = NULL;

	*out_room = feed->number < WINDOW;
	if (*out_room)
		return TRUE;
	g_autofree char *path = g_strdup_printf("%s/in.%u", feed->folder, feed->number - WINDOW);
	gint64 handle = hvr_guest_file_open(guest, path, "r", &cause);
	if (handle >= 0)
		return hvr_guest_file_close(guest, handle, error);
	*out_room = TRUE;
	if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

/* One line tells the guest which piece is there, or that there is no more. */
static gboolean tell(HvrGuest *guest, const HvrGuestFeed *feed, const char *line, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/in.ack", feed->folder);
	const HvrGuestPiece piece = {
		.path = path, .mode = "r+", .bytes = line, .length = strlen(line)
	};

	return hvr_guest_file_put(guest, &piece, error);
}

static gboolean send_piece(HvrGuest *guest, HvrGuestFeed *feed, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/in.%u", feed->folder, feed->number);
	g_autofree char *line = g_strdup_printf("%u\n", feed->number);
	const HvrGuestPiece piece = {
		.path = path, .mode = "w", .bytes = feed->piece->data, .length = feed->piece->len
	};

	if (!hvr_guest_file_put(guest, &piece, error) || !tell(guest, feed, line, error))
		return FALSE;
	feed->number++;
	return TRUE;
}

gboolean hvr_guest_feed_pass(HvrGuest *guest, HvrGuestFeed *feed, gboolean *out_came,
			     GError **error)
{
	gboolean well, room;

	if (hvr_guest_feed_wants(feed) && !read_piece(feed, error))
		return FALSE;
	if (!feed->piece)
		return TRUE;
	if (feed->piece->len == 0) {
		feed->fd = -1;
		well = tell(guest, feed, "end\n", error);
	} else {
		if (!has_room(guest, feed, &room, error))
			return FALSE;
		if (!room)
			return TRUE;
		well = send_piece(guest, feed, error);
	}
	g_clear_pointer(&feed->piece, g_byte_array_unref);
	*out_came = TRUE;
	return well;
}
