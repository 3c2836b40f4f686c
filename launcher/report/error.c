/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an error to what the user sees of it: a line, perhaps a hint, and an exit status.
 *
 * Errors travel as GError through all folders. The hint rides in the message behind a newline, so
 * it survives g_prefix_error() and g_propagate_error() without a type of its own; a message never
 * has a second newline. Scripts see the exit status only, so the mapping from every domain's
 * codes to sysexits(3)-like numbers is here and nowhere else.
 */
#include "launcher/report/error.h"

#include <gio/gio.h>

#include "qmp/error.h"
#include "vfio/error.h"

enum {
	EXIT_UNAVAILABLE = 69,
	EXIT_INTERNAL = 70,
	EXIT_KERNEL = 71,
	EXIT_QEMU = 76,
};

G_DEFINE_QUARK(hvr_launch_error, hvr_launch_error)
G_DEFINE_QUARK(hvr_status_error, hvr_status_error)
G_DEFINE_QUARK(hvr_command_error, hvr_command_error)

void hvr_error_hint(GError **error, const char *format, ...)
{
	g_autofree char *hint = NULL;
	g_autofree char *message = NULL;
	va_list args;

	if (!error || !*error || strchr((*error)->message, '\n'))
		return;
	va_start(args, format);
	hint = g_strdup_vprintf(format, args);
	va_end(args);
	g_strdelimit(hint, "\n", ' ');
	message = (*error)->message;
	(*error)->message = g_strconcat(message, "\n", hint, NULL);
}

void hvr_error_hint_also(GError **error, const char *text)
{
	g_autofree char *more = g_strdelimit(g_strdup(text), "\n", ' ');
	g_autofree char *message = NULL;

	if (!error || !*error || !strchr((*error)->message, '\n'))
		return;
	message = (*error)->message;
	(*error)->message = g_strconcat(message, "; ", more, NULL);
}

char *hvr_error_line(const GError *error, const char *subject)
{
	g_autofree char *in_front = g_strconcat(subject, ": ", NULL);
	g_auto(GStrv) lines = g_strsplit(error->message, "\n", 2);
	const char *line = lines[0] ? lines[0] : "";

	if (g_str_has_prefix(line, in_front))
		line += strlen(in_front);
	return g_strdup(line);
}

static int launch_status(int code)
{
	static const int statuses[] = {
		[HVR_LAUNCH_ERROR_USAGE] = 64,
		[HVR_LAUNCH_ERROR_UNAVAILABLE] = EXIT_UNAVAILABLE,
		[HVR_LAUNCH_ERROR_INTERNAL] = EXIT_INTERNAL,
		[HVR_LAUNCH_ERROR_KERNEL] = EXIT_KERNEL,
		[HVR_LAUNCH_ERROR_BUSY] = HVR_EXIT_BUSY,
		[HVR_LAUNCH_ERROR_QEMU] = EXIT_QEMU,
		[HVR_LAUNCH_ERROR_PERMISSION] = HVR_EXIT_PERMISSION,
		[HVR_LAUNCH_ERROR_PROFILE] = 78,
	};

	if (code < 0 || code >= (int)G_N_ELEMENTS(statuses))
		return EXIT_INTERNAL;
	return statuses[code];
}

static int vfio_status(int code)
{
	switch (code) {
	case HVR_VFIO_ERROR_NOT_FOUND:
	case HVR_VFIO_ERROR_NO_IOMMU:
	case HVR_VFIO_ERROR_NOT_VIABLE:
	case HVR_VFIO_ERROR_UNSUITABLE:
	case HVR_VFIO_ERROR_NO_POWER:
		return EXIT_UNAVAILABLE;
	case HVR_VFIO_ERROR_BUSY:
	case HVR_VFIO_ERROR_TIMEOUT:
		return HVR_EXIT_BUSY;
	case HVR_VFIO_ERROR_PERMISSION:
		return HVR_EXIT_PERMISSION;
	case HVR_VFIO_ERROR_KERNEL:
		return EXIT_KERNEL;
	default:
		return EXIT_INTERNAL;
	}
}

static int qmp_status(int code)
{
	switch (code) {
	case HVR_QMP_ERROR_CLOSED:
		return EXIT_UNAVAILABLE;
	case HVR_QMP_ERROR_TIMEOUT:
		return HVR_EXIT_BUSY;
	case HVR_QMP_ERROR_PROTOCOL:
	case HVR_QMP_ERROR_REMOTE:
	case HVR_QMP_ERROR_NOT_FOUND:
	case HVR_QMP_ERROR_REFUSED:
		return EXIT_QEMU;
	default:
		return EXIT_INTERNAL;
	}
}

static int io_status(int code)
{
	switch (code) {
	case G_IO_ERROR_PERMISSION_DENIED:
		return HVR_EXIT_PERMISSION;
	case G_IO_ERROR_BUSY:
		return HVR_EXIT_BUSY;
	default:
		return EXIT_KERNEL;
	}
}

int hvr_exit_status(const GError *error)
{
	if (!error)
		return EXIT_INTERNAL;
	if (error->domain == HVR_STATUS_ERROR && error->code > 0 && error->code <= 255)
		return error->code;
	if (error->domain == HVR_COMMAND_ERROR)
		return EXIT_UNAVAILABLE;
	if (error->domain == HVR_LAUNCH_ERROR)
		return launch_status(error->code);
	if (error->domain == HVR_VFIO_ERROR)
		return vfio_status(error->code);
	if (error->domain == HVR_QMP_ERROR)
		return qmp_status(error->code);
	if (error->domain == G_IO_ERROR)
		return io_status(error->code);
	return EXIT_INTERNAL;
}

int hvr_exit_status_of_command(const GError *error)
{
	return error && error->domain == HVR_COMMAND_ERROR ? error->code : HVR_EXIT_NOT_JUDGED;
}

int hvr_exit_settle(int status, int ours, GError **error)
{
	if (!*error && (status < 0 || status > 255)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
			    "the command has failed and does not say why");
		hvr_error_hint(error, "this is a bug: report it, with what --debug says");
	}
	if (*error && !*(*error)->message) {
		g_free((*error)->message);
		(*error)->message =
			g_strdup_printf("an error without words (%s %d)",
					g_quark_to_string((*error)->domain), (*error)->code);
	}
	if (!*error)
		return status;
	if (ours == HVR_EXIT_NOT_JUDGED)
		return hvr_exit_status_of_command(*error);
	return ours ? ours : hvr_exit_status(*error);
}
