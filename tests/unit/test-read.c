/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of somebody's is read whole or not at all: too large, no text, or written to meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/read.h"
#include "vfio/fd.h"

static int open_with(const char *bytes, gsize length)
{
	char name[] = "/tmp/hvr-read-XXXXXX";
	int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(pwrite(fd, bytes, length, 0), (gssize)length);
	return fd;
}

/* Why it is not read; "": it is. */
static const char *why_not(int fd, gboolean text)
{
	const char *why = NULL;
	gsize length = 0;
	g_autofree char *read = hvr_read_whole(fd, text ? NULL : &length, &why);

	assert_true((read == NULL) == (why != NULL));
	return why ? why : "";
}

static void test_whole(void **state)
{
	g_auto(HvrFd) fd = open_with("a\0b", 3);
	const char *why = "none";
	gsize length = 0;

	g_autofree char *text = hvr_read_whole(fd, &length, &why);
	assert_null(why);
	assert_int_equal(length, 3);
	assert_memory_equal(text, "a\0b\0", 4);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_string_equal(why_not(fd, TRUE), "it is no text: there is a NUL in it");
	g_auto(HvrFd) none = open_with("", 0);
	assert_string_equal(why_not(none, TRUE), "");
}

/* The largest is read whole, and of one that is larger nothing. */
static void test_large(void **state)
{
	g_autofree char *bytes = g_strnfill(HVR_READ_MOST + 1, 'x');
	g_auto(HvrFd) most = open_with(bytes, HVR_READ_MOST);
	g_auto(HvrFd) more = open_with(bytes, HVR_READ_MOST + 1);
	const char *why = NULL;

	g_autofree char *text = hvr_read_whole(most, NULL, &why);
	assert_non_null(text);
	assert_int_equal(strlen(text), HVR_READ_MOST);
	assert_string_equal(why_not(more, FALSE), "it is larger than 1 MiB");
	assert_int_equal(lseek(more, 0, SEEK_CUR), 0);
	assert_int_equal(ftruncate(more, G_MAXINT32), 0);
	assert_string_equal(why_not(more, FALSE), "it is larger than 1 MiB");
}

static void test_no_file(void **state)
{
	g_auto(HvrFd) folder = open("/tmp", O_RDONLY | O_CLOEXEC);

	assert_string_equal(why_not(folder, FALSE), g_strerror(EISDIR));
	assert_string_equal(why_not(-1, FALSE), g_strerror(EBADF));
}

static gpointer grow(gpointer data)
{
	const int *fd = data;
	char byte;

	/* until it has been seen, or whoever reads has waited in vain */
	while (read(fd[1], &byte, 1) < 0 && errno == EAGAIN)
		if (pwrite(fd[0], "x", 1, lseek(fd[0], 0, SEEK_END)) != 1)
			break;
	return NULL;
}

/* One that grows: each time that this is seen it is neither the old nor the new one. */
static void test_changed(void **state)
{
	g_autofree char *bytes = g_strnfill(HVR_READ_MOST / 2, 'x');
	g_auto(HvrFd) fd = open_with(bytes, HVR_READ_MOST / 2);
	g_autofree char *path = hvr_fd_path(fd, NULL);
	g_auto(HvrFd) ours = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = "";
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	int data[] = { fd, ends[0] };
	GThread *thread = g_thread_new("grow", grow, data);
	while (g_str_equal(why, "")) {
		assert_int_equal(lseek(ours, 0, SEEK_SET), 0);
		why = why_not(ours, TRUE);
	}
	close(ends[1]);
	g_thread_join(thread);
	close(ends[0]);
	assert_string_equal(why, "it was changed while it was read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
