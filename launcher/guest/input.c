/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "qmp/agent.h"
#include "vfio/fd.h"

/* After this much silence whoever has left a pipe open by mistake is told what is waited for. */
#define SILENCE_MS 3000

/* Takes what was read. FALSE with an error: no more of it */
typedef gboolean (*Taker)(gpointer taker, const guint8 *bytes, gsize length, GError **error);

/* What is read, and where. */
typedef struct {
	int fd;
	off_t offset; /* in a file; -1: it is none */
	Taker take;
	gpointer taker;
} Source;

static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot %s the standard input: %s", what, g_strerror(errno));
	return FALSE;
}

/* FALSE at the end, or with @error. */
static gboolean read_some(Source *source, GError **error)
{
	guint8 bytes[16384];
	ssize_t n;

	if (source->offset >= 0)
		n = pread(source->fd, bytes, sizeof(bytes), source->offset);
	else
		n = read(source->fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return TRUE;
	if (n < 0)
		return fail(error, "read");
	if (source->offset >= 0)
		source->offset += n;
	return n > 0 && source->take(source->taker, bytes, (gsize)n, error);
}

static gboolean read_all(Source *source, GError **error)
{
	struct pollfd fds[] = { { .fd = source->fd, .events = POLLIN },
				{ .fd = hvr_interrupt_fd(), .events = POLLIN } };
	int silence_ms = SILENCE_MS;
	gboolean more = TRUE;
	GError *cause = NULL;

	while (more && !cause) {
		int ready = poll(fds, G_N_ELEMENTS(fds), silence_ms);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready == 0) {
			hvr_message("waiting for the end of the standard input, which is for the "
				    "command; --no-input does without");
			silence_ms = -1;
		}
		if (hvr_interrupt_check(&cause) && fds[0].revents)
			more = read_some(source, &cause);
	}
	if (!cause)
		return TRUE;
	g_propagate_error(error, cause);
	return FALSE;
}

static gboolean is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int hvr_guest_input_fd(void)
{
	return isatty(STDIN_FILENO) ? -1 : STDIN_FILENO;
}

static gboolean keep(gpointer taker, const guint8 *bytes, gsize length, GError **error)
{
	return hvr_fd_write_all(*(const int *)taker, bytes, length) || fail(error, "keep");
}

gboolean hvr_guest_input_keep(int *out_fd, GError **error)
{
	int from = hvr_guest_input_fd();
	g_auto(HvrFd) copy = -1;

	*out_fd = -1;
	if (from < 0)
		return TRUE;
	if (is_file(from)) {
		*out_fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
		return *out_fd >= 0 || fail(error, "keep");
	}
	copy = memfd_create("hailo-vm-run-input", MFD_CLOEXEC);
	if (copy < 0)
		return fail(error, "keep");
	Source source = { .fd = from, .offset = -1, .take = keep, .taker = &copy };
	if (!read_all(&source, error))
		return FALSE;
	if (lseek(copy, 0, SEEK_SET) < 0)
		return fail(error, "keep");
	*out_fd = g_steal_fd(&copy);
	return TRUE;
}

static gboolean append(gpointer taker, const guint8 *bytes, gsize length, GError **error)
{
	GByteArray *input = taker;

	g_byte_array_append(input, bytes, (guint)length);
	if (input->len <= HVR_AGENT_INPUT_MAX_BYTES)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "a guest without a shell takes at most %d MiB of standard input",
		    HVR_AGENT_INPUT_MAX_BYTES / 1024 / 1024);
	return FALSE;
}

GByteArray *hvr_guest_input_read(int fd, GError **error)
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	Source source = { .fd = fd, .offset = -1, .take = append, .taker = input };

	if (fd >= 0 && is_file(fd))
		source.offset = lseek(fd, 0, SEEK_CUR);
	if (fd >= 0 && !read_all(&source, error))
		return NULL;
	return g_steal_pointer(&input);
}
