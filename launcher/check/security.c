/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may stand in the way although everything else is right: lockdown and Secure Boot (unsigned
 * modules are refused; VFIO itself and reset_method work), SELinux and AppArmor. And what should:
 * nobody else is who QEMU runs as.
 */
#include "launcher/check/checking.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vfio/fd.h"
#include "vfio/tree.h"

#define SECURE_BOOT "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Of "none [integrity] confidentiality" what stands in brackets. NULL: it is not to be seen */
static char *lockdown_level(const HvrHost *host)
{
	g_autofree char *text = hvr_tree_read_line(host->sys, "kernel/security/lockdown");

	if (!text)
		return NULL;
	g_auto(GStrv) around = g_strsplit_set(text, "[]", 3);
	if (g_strv_length(around) != 3)
		return NULL;
	return g_strdup(around[1]);
}

static gboolean secure_boot_on(const HvrHost *host)
{
	guint8 bytes[5] = { 0 }; /* four of attributes, then the value */
	g_auto(HvrFd) fd = hvr_open_beneath(host->sys, SECURE_BOOT, O_RDONLY);

	return fd >= 0 && read(fd, bytes, sizeof(bytes)) == sizeof(bytes) && bytes[4] == 1;
}

static void check_lockdown(HvrCheck *check)
{
	g_autofree char *level = lockdown_level(&check->context->host);
	g_autoptr(GString) in_force = g_string_new(level);

	if (secure_boot_on(&check->context->host))
		g_string_prepend(in_force, level ? "Secure Boot, " : "Secure Boot");
	if (in_force->len == 0)
		hvr_check_pass(check, "lockdown", "off, or not to be seen; no Secure Boot");
	else if (g_str_equal(in_force->str, "none"))
		hvr_check_pass(check, "lockdown", "off");
	else if (check->facts->vfio_pci)
		hvr_check_pass(check, "lockdown",
			       "%s: VFIO works under it, with the kernel's own signed modules",
			       in_force->str);
	else
		hvr_check_say(check, HVR_CHECK_WARN, "lockdown",
			      "install the distribution's kernel, whose modules are signed",
			      "%s: modules that are not signed are not loaded", in_force->str);
}

/* Are we ourselves confined? Whoever is not may do what run does. */
static void check_selinux(HvrCheck *check, const char *label)
{
	const HvrHost *host = &check->context->host;
	guint64 enforcing = 0;

	if (!hvr_tree_read_number(host->sys, "fs/selinux/enforce", 10, &enforcing))
		return;
	if (!enforcing)
		hvr_check_pass(check, "selinux", "permissive");
	else if (!label || strstr(label, "unconfined_t"))
		hvr_check_pass(check, "selinux", "enforcing, and this user is not confined");
	else
		hvr_check_say(check, HVR_CHECK_WARN, "selinux",
			      "run from an unconfined login, or see 'ausearch -m avc' for what it "
			      "denies",
			      "enforcing, and this process is confined as %s", label);
}

static void check_apparmor(HvrCheck *check, const char *label)
{
	g_autofree char *enabled =
		hvr_tree_read_line(check->context->host.sys, "module/apparmor/parameters/enabled");

	if (g_strcmp0(enabled, "Y") != 0 || !label)
		return;
	if (g_str_has_prefix(label, "unconfined") || g_str_has_suffix(label, "(complain)"))
		hvr_check_pass(check, "apparmor", "on, and not in the way");
	else
		hvr_check_say(check, HVR_CHECK_WARN, "apparmor",
			      "run outside of this profile (in Docker: --security-opt "
			      "apparmor=unconfined)",
			      "this process is confined by %s", label);
}

/* Is QEMU alone as whom it runs? */
static void check_user(HvrCheck *check)
{
	const HvrUser *user = check->facts->user;

	if (!user->privileged || check->context->captured)
		return;
	if (!user->shared)
		hvr_check_pass(check, "user", "QEMU runs as %s", user->name);
	else
		hvr_check_say(check, HVR_CHECK_WARN, "user", HVR_USER_MAKE,
			      "QEMU runs as %s, and any other process of that user can read the "
			      "VM's memory%s",
			      user->name, hvr_check_wants_cards(check) ? " and use its cards" : "");
}

void hvr_check_security(HvrCheck *check)
{
	g_autofree char *label = hvr_tree_read_line(check->context->host.proc, "self/attr/current");

	check_user(check);
	if (hvr_check_wants_cards(check))
		check_lockdown(check);
	check_selinux(check, label);
	check_apparmor(check, label);
}
