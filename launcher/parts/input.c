/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU opens it itself, but by the name of a descriptor: what it is of was looked at here.
 * Whose that is, udev says, as of a USB device (usb.c).
 */
#include "launcher/parts/input.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/parts/usb.h"
#include "launcher/process/asuser.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

#define FOLDER "/dev/input/"

/* A HvrAsUserStep. What is no evdev, such as mice or a terminal, is not asked for more. */
static int step_open(gpointer data, guint i, int *out_fd)
{
	const char *path = data;
	g_auto(HvrFd) fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int version;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (!S_ISCHR(st.st_mode) || ioctl(fd, EVIOCGVERSION, &version) < 0)
		return ENOTTY;
	*out_fd = g_steal_fd(&fd);
	return 0;
}

/* By a name that the kernel gives or one that udev does. */
static void hint_rule(const HvrProfileInput *input, const HvrUser *user, GError **error)
{
	const char *name = strrchr(input->evdev, '/') + 1;
	g_autofree char *safe = hvr_text_safe(input->evdev);
	g_autofree char *match = NULL;

	if (!g_str_has_prefix(input->evdev, FOLDER)) {
		hvr_error_hint(error, "name a node below " FOLDER);
		return;
	}
	if (g_str_has_prefix(name, "event"))
		match = g_strdup_printf("KERNEL==\"%s\"", name);
	else
		match = g_strdup_printf("ENV{DEVLINKS}==\"*%s*\"", safe);
	hvr_error_hint(error,
		       "a rule gives it to that user: SUBSYSTEM==\"input\", %s, OWNER=\"%s\" in "
		       "/etc/udev/rules.d/90-vm-input.rules, then udevadm control --reload and "
		       "udevadm trigger",
		       match, user->name);
}

static void fail(const HvrProfileInput *input, const HvrUser *user, int problem, GError **error)
{
	gboolean denied = problem == EACCES || problem == EPERM;
	g_autofree char *path = hvr_text_safe(input->evdev);

	if (problem == ENOTTY) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[input %s]: '%s' is no keyboard or pointer of evdev's", input->id,
			    path);
		hvr_error_hint(error, "/dev/input/by-id and by-path have those: *-event-*");
		return;
	}
	g_set_error(error, HVR_LAUNCH_ERROR,
		    denied ? HVR_LAUNCH_ERROR_PERMISSION : HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[input %s]: user %s cannot open '%s': %s", input->id, user->name, path,
		    g_strerror(problem));
	if (denied)
		hint_rule(input, user, error);
}

int hvr_input_open(const HvrProfileInput *input, const HvrUser *user, guint64 *out_number,
		   GError **error)
{
	const HvrAsUser how = { .user = user, .step = step_open, .data = input->evdev, .keep = -1 };
	HvrAsUserResult result;
	struct stat st;

	hvr_as_user(&how, &result, 1);
	if (!result.problem && fstat(result.fd, &st) < 0)
		result.problem = errno;
	if (result.problem) {
		hvr_fd_close(result.fd);
		fail(input, user, result.problem, error);
		return -1;
	}
	if (out_number)
		*out_number = st.st_rdev;
	return result.fd;
}

gboolean hvr_input_check_alone(const HvrProfile *profile, const guint64 *numbers, guint index,
			       GError **error)
{
	const HvrProfileInput *input = g_ptr_array_index(profile->inputs, index);

	for (guint i = 0; i < index; i++) {
		const HvrProfileInput *other = g_ptr_array_index(profile->inputs, i);
		g_autofree char *path = hvr_text_safe(input->evdev);

		if (numbers[i] != numbers[index])
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[input %s]: '%s' is that of [input %s], too, by another name",
			    input->id, path, other->id);
		hvr_error_hint(error, "leave one of them out");
		return FALSE;
	}
	return TRUE;
}

/* A keyboard that is passed as a USB device is none of the host's any more. */
static gboolean check_passed(const HvrHost *host, const HvrProfile *profile,
			     const HvrProfileInput *input, guint64 number, GError **error)
{
	for (guint i = 0; i < profile->usbs->len; i++) {
		const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, i);
		g_auto(HvrUsbDevice) device = { .port = NULL };
		g_autofree char *path = hvr_text_safe(input->evdev);

		if (!hvr_usb_find(host, usb, &device, NULL) ||
		    !hvr_usb_makes_node(host, device.port, number))
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[input %s]: '%s' is of the device that [usb %s] takes from this host",
			    input->id, path, usb->id);
		hvr_error_hint(error, "leave one of them out");
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_input_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error)
{
	g_autofree guint64 *numbers = g_new0(guint64, profile->inputs->len);

	for (guint i = 0; i < profile->inputs->len; i++) {
		const HvrProfileInput *input = g_ptr_array_index(profile->inputs, i);
		g_auto(HvrFd) fd = hvr_input_open(input, parts->user, &numbers[i], error);

		if (fd < 0 || !hvr_input_check_alone(profile, numbers, i, error) ||
		    !check_passed(&context->host, profile, input, numbers[i], error))
			return FALSE;
	}
	return TRUE;
}
