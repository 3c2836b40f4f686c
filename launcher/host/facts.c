/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host is. Every question is asked of whoever decides it: the kernel, as the VM's user,
 * and never guessed from version numbers or permission bits.
 */
#include "launcher/host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/iommu.h"
#include "launcher/host/kvm.h"
#include "launcher/parts/disk-image.h"
#include "launcher/parts/parts.h"
#include "launcher/parts/share.h"
#include "launcher/process/privileges.h"
#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"
#include "vfio/sysfs.h"

#define VFIO_PCI "vfio-pci"
#define NOBODY	 "nobody"

void hvr_facts_free(HvrFacts *facts)
{
	if (!facts)
		return;
	g_free(facts->user_name);
	g_free(facts->kvm_problem);
	g_free(facts->qemu_path);
	g_free(facts->vfio_problem);
	g_free(facts->iommu_advice);
	g_free(facts->unreadable);
	hvr_firmware_free(facts->firmware);
	g_clear_pointer(&facts->share_ways, g_ptr_array_unref);
	g_clear_error(&facts->lacking);
	g_free(facts);
}

/* The user that called sudo; only believed as a number that getpwuid(3) knows. */
static struct passwd *sudo_user(void)
{
	const char *text = g_getenv("SUDO_UID");
	guint64 uid = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32 - 1, &uid, NULL))
		return NULL;
	return getpwuid((uid_t)uid);
}

static gboolean find_user(const HvrProfile *profile, HvrFacts *facts, GError **error)
{
	struct passwd *entry;

	if (!facts->privileged)
		entry = getpwuid(geteuid());
	else if (profile->user)
		entry = getpwnam(profile->user);
	else
		entry = sudo_user() ? sudo_user() : getpwnam(NOBODY);

	if (!entry && facts->privileged) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[security] user: there is no user '%s' on this host",
			    profile->user ? profile->user : NOBODY);
		hvr_error_hint(error, "make one: useradd --system --no-create-home %s",
			       profile->user ? profile->user : NOBODY);
		return FALSE;
	}
	if (entry && facts->privileged && entry->pw_uid == 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "[security] user: QEMU is not run as root");
		return FALSE;
	}
	facts->uid = entry ? entry->pw_uid : geteuid();
	facts->gid = entry ? entry->pw_gid : getegid();
	facts->user_name = entry ? g_strdup(entry->pw_name) : g_strdup_printf("%u", facts->uid);
	return TRUE;
}

/* May the VM's user open the node, by itself or through the node's group (kvm)? */
static int kvm_access(const HvrHost *host, HvrFacts *facts)
{
	HvrIdentity identity = { .uid = facts->uid, .gid = facts->gid };
	g_autofree char *path = hvr_fd_path(host->dev, "kvm");
	struct stat st;
	int problem = hvr_privileges_can_access(&identity, path, O_RDWR);

	if (problem != EACCES || !facts->privileged || fstatat(host->dev, "kvm", &st, 0) < 0)
		return problem;
	identity.has_group = TRUE;
	identity.group = facts->kvm_gid = st.st_gid;
	problem = st.st_gid == 0 ? EACCES : hvr_privileges_can_access(&identity, path, O_RDWR);
	facts->kvm_by_group = problem == 0;
	return problem;
}

static const char *describe_kvm(int problem)
{
	switch (problem) {
	case ENOENT:
		return "this host has no KVM (is virtualisation on in its firmware?)";
	case EIO:
		return "it is there but refuses what QEMU needs (is this host itself a VM?)";
	default:
		return g_strerror(problem);
	}
}

static void find_kvm(const HvrHost *host, const HvrProfile *profile, HvrFacts *facts)
{
	if (profile->accel == HVR_ACCEL_TCG)
		return;
	int problem = hvr_kvm_try(host);
	if (!problem)
		problem = kvm_access(host, facts);
	facts->kvm = problem == 0;
	if (problem)
		facts->kvm_problem = g_strdup_printf("KVM does not work for user %s: %s",
						     facts->user_name, describe_kvm(problem));
}

static void try_file(HvrFacts *facts, const char *what, const char *path, int flags)
{
	HvrIdentity identity = { .uid = facts->uid, .gid = facts->gid };

	if (!path || facts->unreadable)
		return;
	int problem = hvr_privileges_can_access(&identity, path, flags);
	if (problem)
		facts->unreadable = g_strdup_printf(
			"%s: user %s cannot %s '%s': %s", what, facts->user_name,
			flags == O_RDWR ? "write" : "read", path, g_strerror(problem));
}

static void try_files(const HvrProfile *profile, HvrFacts *facts)
{
	try_file(facts, "[boot] kernel", profile->kernel, O_RDONLY);
	try_file(facts, "[boot] initrd", profile->initrd, O_RDONLY);
	for (guint i = 0; i < profile->shares->len; i++) {
		const HvrProfileShare *share = g_ptr_array_index(profile->shares, i);
		g_autofree char *what = g_strdup_printf("[share %s] path", share->id);
		try_file(facts, what, share->path, O_RDONLY | O_DIRECTORY);
	}
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		g_autofree char *what = g_strdup_printf("[disk %s] file", disk->id);
		if (!hvr_disk_image_is_due(disk))
			try_file(facts, what, disk->file,
				 disk->snapshot || disk->readonly ? O_RDONLY : O_RDWR);
	}
}

static void find_vfio_pci(const HvrContext *context, HvrFacts *facts)
{
	const HvrHost *host = &context->host;
	g_autoptr(GError) error = NULL;

	facts->vfio_pci_loaded = hvr_sysfs_exists(host->sys, "bus/pci/drivers/" VFIO_PCI);
	facts->vfio_pci = facts->vfio_pci_loaded || context->captured ||
			  host->kernel->find_module(host, VFIO_PCI, &error);
	if (error)
		facts->vfio_problem = g_strdup(error->message);
}

/* What is found first to be lacking is what is told. FALSE: interrupted */
static gboolean find_parts(const HvrContext *context, const HvrProfile *profile, HvrFacts *facts,
			   GError **error)
{
	if (profile->firmware.uefi)
		facts->firmware = hvr_firmware_find(context->firmware_folders, profile->machine,
						    profile->firmware.secure, &facts->lacking);
	facts->share_ways = hvr_share_ways(context, profile, facts, error);
	if (facts->share_ways && !facts->lacking)
		facts->lacking = hvr_parts_ask(context, profile, facts);
	return facts->share_ways != NULL;
}

HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile, gboolean parts,
			   GError **error)
{
	g_autoptr(HvrFacts) facts = g_new0(HvrFacts, 1);

	facts->privileged = context->privileged;
	if (!find_user(profile, facts, error))
		return NULL;
	facts->qemu_path = hvr_program_find(profile->qemu_binary, facts->privileged);
	facts->memlock_max = context->memlock_max;
	find_kvm(&context->host, profile, facts);
	find_vfio_pci(context, facts);
	facts->iommu_advice = hvr_iommu_advice(&context->host);
	try_files(profile, facts);
	if (parts && !find_parts(context, profile, facts, error))
		return NULL;
	return g_steal_pointer(&facts);
}
