/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exit status of every error, and the hint that rides in its message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <gio/gio.h>

#include "launcher/report/error.h"
#include "qmp/error.h"
#include "vfio/error.h"

static void assert_status(GQuark domain, int code, int status)
{
	g_autoptr(GError) error = g_error_new_literal(domain, code, "x");

	if (hvr_exit_status(error) != status)
		fail_msg("%s code %d is %d", g_quark_to_string(domain), code,
			 hvr_exit_status(error));
}

/* The launcher's own codes are those of the README. */
static void test_launch(void **state)
{
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, 64);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, 69);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL, 70);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL, 71);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, 75);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_QEMU, 76);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION, 77);
	assert_status(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, 78);
}

/* What this host cannot is 69, what passes by itself 75. */
static void test_vfio(void **state)
{
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND, 69);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_IOMMU, 69);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_VIABLE, 69);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE, 69);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY, 75);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_PERMISSION, 77);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL, 71);
	assert_status(HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT, 75);
}

/* A QEMU that went is 69, one that is slow 75, one that answers wrongly 76. */
static void test_qmp(void **state)
{
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, 69);
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT, 75);
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL, 76);
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE, 76);
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_NOT_FOUND, 76);
	assert_status(HVR_QMP_ERROR, HVR_QMP_ERROR_REFUSED, 76);
}

/* A failed system call is the kernel's refusal, unless errno says more. */
static void test_errno(void **state)
{
	assert_status(G_IO_ERROR, g_io_error_from_errno(EACCES), 77);
	assert_status(G_IO_ERROR, g_io_error_from_errno(EPERM), 77);
	assert_status(G_IO_ERROR, g_io_error_from_errno(EBUSY), 75);
	assert_status(G_IO_ERROR, g_io_error_from_errno(EIO), 71);
	assert_status(G_IO_ERROR, g_io_error_from_errno(ENOENT), 71);
}

/* An error of no known domain or code, or none, is a bug; never success. */
static void test_unknown(void **state)
{
	assert_status(G_FILE_ERROR, G_FILE_ERROR_ACCES, 70);
	assert_status(HVR_LAUNCH_ERROR, 1000, 70);
	assert_status(HVR_LAUNCH_ERROR, -1, 70);
	assert_status(HVR_VFIO_ERROR, 1000, 70);
	assert_status(HVR_QMP_ERROR, 1000, 70);
	assert_int_equal(hvr_exit_status(NULL), 70);
}

/* What a script sees is one byte, and never without a word. */
static void test_settle(void **state)
{
	GError *error = NULL;

	assert_int_equal(hvr_exit_settle(0, 0, &error), 0);
	assert_int_equal(hvr_exit_settle(255, 0, &error), 255);
	assert_int_equal(hvr_exit_settle(1, HVR_EXIT_CANNOT_TELL, &error), 1);
	assert_null(error);
	assert_int_equal(hvr_exit_settle(-1, 0, &error), 70);
	assert_non_null(strstr(error->message, "\nthis is a bug"));
	g_clear_error(&error);
	assert_int_equal(hvr_exit_settle(256, 0, &error), 70);
	g_clear_error(&error);
	error = g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "");
	assert_int_equal(hvr_exit_settle(-1, 0, &error), 75);
	assert_string_equal(error->message, "an error without words (hvr_launch_error 4)");
	g_clear_error(&error);
	error = g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "x");
	assert_int_equal(hvr_exit_settle(-1, 0, &error), 64);
	assert_int_equal(hvr_exit_settle(-1, HVR_EXIT_NOT_JUDGED, &error), 125);
	g_clear_error(&error);
	assert_int_equal(hvr_exit_settle(-1, HVR_EXIT_NOT_JUDGED, &error), 125);
	g_clear_error(&error);
	error = g_error_new_literal(HVR_COMMAND_ERROR, HVR_COMMAND_ERROR_NOT_FOUND, "x");
	assert_int_equal(hvr_exit_settle(-1, HVR_EXIT_NOT_JUDGED, &error), 127);
	assert_int_equal(hvr_exit_settle(-1, HVR_EXIT_CANNOT_TELL, &error), 2);
	assert_int_equal(hvr_exit_settle(1, HVR_EXIT_CANNOT_TELL, &error), 2);
	assert_int_equal(hvr_exit_settle(-1, 0, &error), 69);
	g_clear_error(&error);
	error = g_error_new_literal(HVR_STATUS_ERROR, 0, "x");
	assert_int_equal(hvr_exit_settle(-1, 0, &error), 70);
	g_clear_error(&error);
}

/* The first hint stays, below the message, and survives a prefix. */
static void test_hint(void **state)
{
	g_autoptr(GError) error = NULL;

	g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "busy");
	hvr_error_hint(&error, "stop %s", "lab");
	hvr_error_hint(&error, "reboot");
	g_prefix_error(&error, "%s: ", "0000:02:00.0");
	assert_string_equal(error->message, "0000:02:00.0: busy\nstop lab");
}

/* A hint is one line. */
static void test_hint_lines(void **state)
{
	g_autoptr(GError) error = NULL;

	g_set_error(&error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "busy");
	hvr_error_hint(&error, "one\ntwo");
	assert_string_equal(error->message, "busy\none two");
}

/* A caller that wants no error gets no hint. */
static void test_hint_ignored(void **state)
{
	g_autoptr(GError) error = NULL;

	hvr_error_hint(NULL, "x");
	hvr_error_hint(&error, "x");
	assert_null(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launch),	     cmocka_unit_test(test_vfio),
		cmocka_unit_test(test_qmp),	     cmocka_unit_test(test_errno),
		cmocka_unit_test(test_unknown),	     cmocka_unit_test(test_settle),
		cmocka_unit_test(test_hint),	     cmocka_unit_test(test_hint_lines),
		cmocka_unit_test(test_hint_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
