/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU is asked itself, as the VM's user and without any privilege, for options that make it print
 * something and end.
 */
#include "launcher/check/parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/host/judge.h"
#include "launcher/qemu/privileges.h"

/* JSON for -device, which spares us its escaping. */
#define VERSION_MAJOR 6
#define VERSION_MINOR 2

static void become_user(gpointer data)
{
	if (hvr_privileges_drop(data))
		_exit(126);
}

/* What it printed with these options; NULL when it could not be asked or refused them. */
static char *ask(const HvrCheck *check, const char *const *options, char **out_complaint)
{
	HvrIdentity identity = { .uid = check->facts->uid, .gid = check->facts->gid };
	char *environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *output = NULL, *complaint = NULL;
	int status = 0;

	g_ptr_array_add(argv, check->facts->qemu_path);
	for (; *options; options++)
		g_ptr_array_add(argv, (gpointer)*options);
	g_ptr_array_add(argv, NULL);
	if (!g_spawn_sync("/", (char **)argv->pdata, environment, G_SPAWN_DEFAULT, become_user,
			  &identity, &output, &complaint, &status, NULL) ||
	    !g_spawn_check_wait_status(status, NULL)) {
		if (complaint)
			g_strdelimit(g_strstrip(complaint), "\n", ' ');
		if (out_complaint)
			*out_complaint = g_steal_pointer(&complaint);
		return NULL;
	}
	return g_steal_pointer(&output);
}

/* "QEMU emulator version 7.2.22 (Debian ...)" */
static gboolean parse_version(const char *text, gulong *out_major, gulong *out_minor)
{
	const char *number = text ? strstr(text, "version ") : NULL;
	char *end = NULL;

	if (!number)
		return FALSE;
	*out_major = strtoul(number + strlen("version "), &end, 10);
	*out_minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	return *out_major > 0;
}

/* FALSE: there is no use in asking it anything else. */
static gboolean check_version(HvrCheck *check)
{
	static const char *const options[] = { "-version", NULL };
	g_autofree char *complaint = NULL;
	g_autofree char *text = ask(check, options, &complaint);
	const char *path = check->facts->qemu_path;
	gulong major, minor;

	if (!parse_version(text, &major, &minor)) {
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu", HVR_CHECK_HOST,
			      "see that this user can run it: QEMU -version",
			      "%s does not tell its version%s%s", path,
			      complaint && *complaint ? ": " : "",
			      complaint && *complaint ? complaint : "");
		return FALSE;
	}
	if (major > VERSION_MAJOR || (major == VERSION_MAJOR && minor >= VERSION_MINOR))
		hvr_check_pass(check, "qemu", HVR_CHECK_HOST, "%s, version %lu.%lu", path, major,
			       minor);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu", HVR_CHECK_HOST,
			      "install QEMU 6.2 or newer, or set [qemu] binary to one",
			      "%s is version %lu.%lu, too old for JSON in -device", path, major,
			      minor);
	return TRUE;
}

static void check_devices(HvrCheck *check)
{
	static const char *const options[] = { "-machine", "none", "-device", "help", NULL };
	static const char *const needed[] = { "vfio-pci", "pcie-root-port" };
	g_autofree char *text = ask(check, options, NULL);
	const char *missing = NULL;

	for (gsize i = 0; text && i < G_N_ELEMENTS(needed) && !missing; i++) {
		g_autofree char *name = g_strdup_printf("name \"%s\"", needed[i]);
		missing = strstr(text, name) ? NULL : needed[i];
	}
	if (!text)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "qemu-devices", HVR_CHECK_HOST,
			      "see what QEMU says to -device help",
			      "it does not tell which devices it has");
	else if (missing)
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu-devices", HVR_CHECK_HOST,
			      "install the full QEMU for this machine (Debian, Ubuntu: apt install "
			      "qemu-system-x86)",
			      "it has no device %s", missing);
	else
		hvr_check_pass(check, "qemu-devices", HVR_CHECK_HOST,
			       "it has vfio-pci and pcie-root-port");
}

static void check_sandbox(HvrCheck *check)
{
	static const char *const options[] = { "-sandbox", "on", "-version", NULL };
	g_autofree char *complaint = NULL;

	if (!check->profile->sandbox) {
		hvr_check_say(check, HVR_CHECK_WARN, "qemu-sandbox", HVR_CHECK_HOST,
			      "set [security] sandbox = yes",
			      "the profile switches QEMU's sandbox off");
		return;
	}
	g_autofree char *text = ask(check, options, &complaint);
	if (text)
		hvr_check_pass(check, "qemu-sandbox", HVR_CHECK_HOST, "it takes -sandbox on");
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "qemu-sandbox", HVR_CHECK_HOST,
			      "use a QEMU that was built with seccomp, or set [security] sandbox = "
			      "no",
			      "it refuses -sandbox on%s%s", complaint && *complaint ? ": " : "",
			      complaint && *complaint ? complaint : "");
}

void hvr_check_qemu(HvrCheck *check)
{
	GError *error = NULL;

	if (check->context->captured)
		return;
	if (!hvr_judge_qemu(check->profile, check->facts, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "qemu", HVR_CHECK_HOST, error,
				 HVR_CHECK_SEE_RUN);
		return;
	}
	if (!check_version(check))
		return;
	check_devices(check);
	check_sandbox(check);
}
