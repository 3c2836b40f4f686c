/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "launcher/guest/file.h"
#include "launcher/report/message.h"
#include "qmp/error.h"
#include "vfio/fd.h"

static char *path_of(const HvrGuestOutput *output, guint number)
{
	return g_strdup_printf("%s/%s.%u", output->folder, output->name, number);
}

gboolean hvr_guest_output_open(HvrGuest *guest, HvrGuestOutput *output, GError **error)
{
	g_autofree char *path = path_of(output, 0);

	output->kept = g_byte_array_new();
	output->handle = hvr_guest_file_open(guest, path, "r", error);
	return output->handle >= 0;
}

static void close_file(HvrGuest *guest, HvrGuestOutput *output)
{
	g_autoptr(GError) error = NULL;

	if (output->handle >= 0 && !hvr_guest_file_close(guest, output->handle, &error))
		g_debug("the agent keeps %s.%u open: %s", output->name, output->number,
			error->message);
	output->handle = -1;
}

void hvr_guest_output_close(HvrGuest *guest, HvrGuestOutput *output)
{
	if (!hvr_guest_is_lost(guest))
		close_file(guest, output);
	g_clear_pointer(&output->piece, g_byte_array_unref);
	g_clear_pointer(&output->kept, g_byte_array_unref);
}

gboolean hvr_guest_output_waits(const HvrGuestOutput *output)
{
	return output->piece != NULL;
}

static void keep(HvrGuestOutput *output, const GByteArray *bytes)
{
	guint room = HVR_GUEST_KEPT_BYTES - output->kept->len;

	g_byte_array_append(output->kept, bytes->data, MIN(bytes->len, room));
}

void hvr_guest_output_copy(int *copy, const GByteArray *bytes)
{
	if (*copy <= 0 || hvr_fd_write_all(*copy, bytes->data, bytes->len))
		return;
	hvr_message("the copy of the command's output ends here: %s", g_strerror(errno));
	*copy = -1;
}

/* All that the file has now. */
static gboolean read_piece(HvrGuest *guest, HvrGuestOutput *output, gboolean *out_came,
			   GError **error)
{
	gboolean end = FALSE;
	g_autoptr(GByteArray) bytes = hvr_guest_file_read(guest, output->handle, &end, error);

	if (!bytes)
		return FALSE;
	if (bytes->len == 0)
		return TRUE;
	*out_came = TRUE;
	output->bytes += bytes->len;
	keep(output, bytes);
	hvr_guest_output_copy(&output->copy, bytes);
	if (output->fd >= 0)
		output->piece = g_steal_pointer(&bytes);
	output->taken = 0;
	return TRUE;
}

/* The guest may remove the file that was read, and go on. */
static gboolean tell_read(HvrGuest *guest, const HvrGuestOutput *output, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/%s.ack", output->folder, output->name);
	const HvrGuestPiece piece = { .path = path, .mode = "r+", .bytes = "read\n", .length = 5 };

	return hvr_guest_file_put(guest, &piece, error);
}

/* The next file is made when the one before has all that it will: then that is read to its end, as
 * something may have come since it was read last. */
static gboolean turn(HvrGuest *guest, HvrGuestOutput *output, gint64 next, gboolean *out_came,
		     GError **error)
{
	gboolean came = FALSE;

	if (!read_piece(guest, output, &came, error))
		return FALSE;
	if (came) {
		*out_came = TRUE;
		return hvr_guest_file_close(guest, next, error);
	}
	close_file(guest, output);
	output->handle = next;
	output->number++;
	output->bytes = 0;
	*out_came = TRUE;
	return tell_read(guest, output, error);
}

gboolean hvr_guest_output_read(HvrGuest *guest, HvrGuestOutput *output, gboolean exited,
			       gboolean *out_came, GError **error)
{
	g_autoptr(GError) cause = NULL;
	gboolean came = FALSE;

	if (output->ended || output->piece)
		return TRUE;
	if (!read_piece(guest, output, &came, error))
		return FALSE;
	*out_came = *out_came || came;
	if (came || (!exited && output->bytes < HVR_GUEST_TURN_BYTES))
		return TRUE;
	g_autofree char *path = path_of(output, output->number + 1);
	gint64 next = hvr_guest_file_open(guest, path, "r", &cause);
	if (next >= 0)
		return turn(guest, output, next, out_came, error);
	if (!g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	output->ended = exited;
	return TRUE;
}

/* A descriptor that is ready takes PIPE_BUF bytes without waiting (poll(2), pipe(7)). */
int hvr_guest_output_pass(HvrGuestOutput *output)
{
	struct pollfd reader = { .fd = output->fd, .events = POLLOUT };

	while (output->piece && output->fd >= 0 && poll(&reader, 1, 0) == 1) {
		guint left = output->piece->len - output->taken;
		ssize_t n =
			write(output->fd, output->piece->data + output->taken, MIN(left, PIPE_BUF));
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			int saved = errno;
			output->fd = -1;
			g_clear_pointer(&output->piece, g_byte_array_unref);
			return saved;
		}
		output->taken += n > 0 ? (guint)n : 0;
		if (output->taken == output->piece->len)
			g_clear_pointer(&output->piece, g_byte_array_unref);
	}
	return 0;
}
