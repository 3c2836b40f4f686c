/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU is asked itself, as the VM's user and without any privilege, for options that make it print
 * something and end. What is named as QEMU may be anything, such as a script that waits for
 * something: it has a deadline, and after the first one that it misses it is asked nothing more.
 */
#include "launcher/check/checking.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher/host/judge.h"
#include "launcher/process/program.h"
#include "launcher/profile/machine.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* JSON for -device, which spares us its escaping. */
#define VERSION_MAJOR 6
#define VERSION_MINOR 2

#define SEE_VERSION "see that this user can run it: QEMU -version"

/* Far more than -device help takes on a machine that emulates another. */
#define ANSWER_MS 20000
/* -device help is some twenty thousand bytes. */
#define ANSWER_MAX (1024 * 1024)

/* A file in memory that does not grow beyond an answer's size: more than that is an error to
 * whoever writes it. -1 with errno */
static int open_answer(void)
{
	g_auto(HvrFd) fd = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, ANSWER_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) < 0)
		return -1;
	return g_steal_fd(&fd);
}

/* The descriptor is shared with who wrote, so its position is where the text ends. */
static char *read_answer(int fd)
{
	off_t length = lseek(fd, 0, SEEK_CUR);
	g_autofree char *text = g_malloc0(ANSWER_MAX + 1);

	if (length < 0 || length > ANSWER_MAX || pread(fd, text, (gsize)length, 0) != length)
		return NULL;
	return g_strdup(text);
}

/**
 * ask - what it printed with these options.
 * Errors: HVR_LAUNCH_ERROR_BUSY when it did not answer in time; _UNAVAILABLE, _PERMISSION when it
 * could not be asked or refused them
 */
static char *ask(const HvrCheck *check, const char *const *options, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(HvrFd) answer = open_answer();
	int saved = errno;

	if (answer < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a file in memory: %s", g_strerror(saved));
		return NULL;
	}
	g_ptr_array_add(argv, check->facts->qemu_path);
	for (; *options; options++)
		g_ptr_array_add(argv, (gpointer)*options);
	g_ptr_array_add(argv, NULL);
	HvrProgram program = { .path = check->facts->qemu_path,
			       .argv = (const char *const *)argv->pdata,
			       .identity = hvr_user_identity(check->facts->user),
			       .stdout_fd = answer,
			       .timeout_ms = ANSWER_MS };
	if (check->context->answer_ms)
		program.timeout_ms = check->context->answer_ms;
	if (!hvr_program_run(&program, error))
		return NULL;
	return read_answer(answer);
}

/* TRUE: it did not answer in time, which is said then. Takes @error in that case. */
static gboolean is_late(HvrCheck *check, const char *id, GError **error)
{
	if (!g_error_matches(*error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY))
		return FALSE;
	hvr_check_refuse(check, HVR_CHECK_UNKNOWN, id, g_steal_pointer(error),
			 "see what keeps it: run it by hand with -version, or set [qemu] binary "
			 "to another one");
	return TRUE;
}

/* "QEMU emulator version 7.2.22 (Debian ...)" */
static gboolean parse_version(const char *text, gulong *out_major, gulong *out_minor)
{
	const char *number = strstr(text, "version ");
	char *end = NULL;

	if (!number)
		return FALSE;
	*out_major = strtoul(number + strlen("version "), &end, 10);
	*out_minor = 0;
	if (*end == '.')
		*out_minor = strtoul(end + 1, NULL, 10);
	return *out_major > 0;
}

/* Of these questions: FALSE: there is no use in asking it anything else. */
static gboolean check_version(HvrCheck *check)
{
	static const char *const options[] = { "-version", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = ask(check, options, &error);
	const char *path = check->facts->qemu_path;
	gulong major, minor;

	if (is_late(check, "qemu", &error))
		return FALSE;
	if (error) {
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu", SEE_VERSION,
			      "%s does not tell its version: %s", path, error->message);
		return FALSE;
	}
	if (!text || !parse_version(text, &major, &minor)) {
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu", SEE_VERSION,
			      "%s does not tell its version", path);
		return FALSE;
	}
	if (major > VERSION_MAJOR || (major == VERSION_MAJOR && minor >= VERSION_MINOR))
		hvr_check_pass(check, "qemu", "%s, version %lu.%lu", path, major, minor);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu",
			      "install QEMU 6.2 or newer, or set [qemu] binary to one",
			      "%s is version %lu.%lu, too old for JSON in -device", path, major,
			      minor);
	return TRUE;
}

/* FALSE: it was late. */
static gboolean check_devices(HvrCheck *check)
{
	static const char *const options[] = { "-machine", "none", "-device", "help", NULL };
	static const char *const needed[] = { "vfio-pci", "pcie-root-port" };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = ask(check, options, &error);
	g_autofree char *install = g_strdup_printf(
		"install the full QEMU for this machine (Debian, Ubuntu: apt install %s)",
		hvr_machine_find(check->profile->machine)->package);
	const char *missing = NULL;

	for (gsize i = 0; text && !missing && i < G_N_ELEMENTS(needed); i++) {
		g_autofree char *name = g_strdup_printf("name \"%s\"", needed[i]);
		if (!strstr(text, name))
			missing = needed[i];
	}
	if (is_late(check, "qemu-devices", &error))
		return FALSE;
	if (!text)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu-devices",
			      "see what QEMU says to -device help",
			      "it does not tell which devices it has");
	else if (missing)
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu-devices", install, "it has no device %s",
			      missing);
	else
		hvr_check_pass(check, "qemu-devices", "it has vfio-pci and pcie-root-port");
	return TRUE;
}

#define NO_SECCOMP "use a QEMU that was built with seccomp, or set [security] sandbox = no"

static void check_sandbox(HvrCheck *check)
{
	static const char *const options[] = { "-sandbox", "on", "-version", NULL };
	g_autoptr(GError) error = NULL;

	if (!check->profile->sandbox) {
		hvr_check_say(check, HVR_CHECK_WARN, "qemu-sandbox", "set [security] sandbox = yes",
			      "the profile switches QEMU's sandbox off");
		return;
	}
	g_autofree char *text = ask(check, options, &error);
	if (is_late(check, "qemu-sandbox", &error))
		return;
	if (text)
		hvr_check_pass(check, "qemu-sandbox", "it takes -sandbox on");
	else if (error)
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu-sandbox", NO_SECCOMP,
			      "it refuses -sandbox on: %s", error->message);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu-sandbox", NO_SECCOMP,
			      "it refuses -sandbox on");
}

void hvr_check_qemu(HvrCheck *check)
{
	GError *error = NULL;

	if (check->context->captured)
		return;
	if (!hvr_judge_qemu(check->profile, check->facts, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "qemu", error, HVR_CHECK_SEE_RUN);
		return;
	}
	if (check_version(check) && check_devices(check))
		check_sandbox(check);
}
