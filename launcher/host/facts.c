/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host is. Every question is asked of whoever decides it: the kernel, as the VM's user,
 * and never guessed from version numbers or permission bits.
 */
#include "launcher/host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/iommu.h"
#include "launcher/host/kvm.h"
#include "launcher/process/privileges.h"
#include "launcher/process/program.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define VFIO_PCI "vfio-pci"

void hvr_facts_free(HvrFacts *facts)
{
	if (!facts)
		return;
	hvr_user_free(facts->user);
	g_free(facts->kvm_problem);
	g_free(facts->qemu_path);
	g_free(facts->vfio_problem);
	g_free(facts->iommu_advice);
	g_free(facts);
}

/* May the VM's user open the node, by itself or through the node's group (kvm)? Returns: an errno
 */
static int kvm_access(const HvrHost *host, HvrFacts *facts)
{
	HvrIdentity identity = hvr_user_identity(facts->user);
	g_autofree char *path = hvr_fd_path(host->dev, "kvm");
	struct stat st;
	int problem = hvr_privileges_can_access(&identity, path, O_RDWR);

	if (problem != EACCES || !facts->user->privileged || fstatat(host->dev, "kvm", &st, 0) < 0)
		return problem;
	facts->kvm_gid = st.st_gid;
	if (st.st_gid == 0)
		return EACCES;
	identity.has_group = TRUE;
	identity.group = st.st_gid;
	problem = hvr_privileges_can_access(&identity, path, O_RDWR);
	facts->kvm_by_group = problem == 0;
	return problem;
}

static void find_kvm(const HvrHost *host, const HvrProfile *profile, HvrFacts *facts)
{
	if (profile->accel == HVR_ACCEL_TCG)
		return;
	int problem = hvr_kvm_try(host);
	if (!problem)
		problem = kvm_access(host, facts);
	facts->kvm = problem == 0;
	if (facts->kvm)
		return;

	const char *why = g_strerror(problem);
	if (problem == ENOENT)
		why = "this host has no KVM (is virtualisation on in its firmware?)";
	if (problem == EIO)
		why = "it is there but refuses what QEMU needs (is this host itself a VM?)";
	facts->kvm_problem =
		g_strdup_printf("KVM does not work for user %s: %s", facts->user->name, why);
}

HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile, GError **error)
{
	const HvrHost *host = &context->host;
	g_autoptr(HvrFacts) facts = g_new0(HvrFacts, 1);
	g_autoptr(GError) cause = NULL;

	facts->user = hvr_user_find(profile->user, context->privileged, error);
	if (!facts->user)
		return NULL;
	facts->qemu_path = hvr_program_find(profile->qemu_binary, context->privileged);
	facts->memlock_max = context->memlock_max;
	find_kvm(host, profile, facts);
	facts->vfio_pci_loaded = hvr_tree_exists(host->sys, "bus/pci/drivers/" VFIO_PCI);
	facts->vfio_pci = facts->vfio_pci_loaded || context->captured ||
			  host->kernel->find_module(host, VFIO_PCI, &cause);
	if (cause)
		facts->vfio_problem = g_strdup(cause->message);
	facts->iommu_advice = hvr_iommu_advice(host);
	return g_steal_pointer(&facts);
}
