/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host is. Every question is asked of whoever decides it: the kernel, as the VM's user,
 * and never guessed from version numbers or permission bits.
 */
#include "launcher/host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/container.h"
#include "launcher/host/cpu.h"
#include "launcher/host/isolation.h"
#include "launcher/host/kvm.h"
#include "launcher/parts/binary.h"
#include "launcher/process/install.h"
#include "launcher/process/privileges.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define VFIO_PCI "vfio-pci"
#define TYPE1	 "vfio_iommu_type1"
#define UNSAFE	 "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
/* As people write it. */
#define UNSAFE_OPTION "allow_unsafe_interrupts=1"

void hvr_facts_free(HvrFacts *facts)
{
	if (!facts)
		return;
	hvr_user_free(facts->user);
	g_free(facts->kvm_problem);
	g_free(facts->kvm_advice);
	g_free(facts->qemu_path);
	g_free(facts->install_qemu);
	hvr_qemu_free(facts->qemu);
	g_free(facts->vfio_problem);
	g_free(facts->iommu_advice);
	g_free(facts->acs_override);
	g_free(facts->iommu_seen);
	g_free(facts->type1_problem);
	g_clear_error(&facts->container_problem);
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

/* A captured tree has no KVM to try: its processor tells what can be told. */
static int try_kvm(const HvrContext *context)
{
	if (!context->captured)
		return hvr_kvm_try(&context->host);
	HvrCpu cpu = hvr_cpu_look(&context->host);
	return cpu.virtualises ? 0 : ENOENT;
}

/* What would have KVM work. [transfer full] */
static char *advise_kvm(const HvrHost *host, const HvrUser *user)
{
	HvrCpu cpu = hvr_cpu_look(host);
	gboolean has_node = hvr_tree_exists(host->dev, "kvm");

	if (cpu.is_guest && !cpu.virtualises)
		return g_strdup("switch nested virtualisation on in the host below, or set accel = "
				"tcg");
	if (!has_node && cpu.virtualises)
		return g_strdup("modprobe kvm_intel or kvm_amd; if that fails, enable "
				"virtualisation in the firmware setup");
	if (!has_node)
		return g_strdup("enable virtualisation in the firmware setup, or set accel = tcg");
	if (cpu.is_guest)
		return g_strdup("set accel = tcg, or fix nested virtualisation in the host below");
	return g_strdup_printf("let the user open it: usermod -aG kvm %s, then log in again",
			       user->name);
}

static void find_kvm(const HvrContext *context, const HvrProfile *profile, HvrFacts *facts)
{
	const HvrHost *host = &context->host;

	if (profile->accel == HVR_ACCEL_TCG)
		return;
	int problem = try_kvm(context);
	if (!problem && !context->captured)
		problem = kvm_access(host, facts);
	facts->kvm = problem == 0;
	if (facts->kvm)
		return;

	const char *why = g_strerror(problem);
	if (problem == ENOENT)
		why = "this host has no KVM (is virtualisation on in its firmware?)";
	if (problem == EIO)
		why = "it is there but refuses what QEMU needs (is this host itself a VM?)";
	facts->kvm_advice = advise_kvm(host, facts->user);
	facts->kvm_problem =
		g_strdup_printf("KVM does not work for user %s: %s", facts->user->name, why);
}

/* Behind vfio-pci comes the module of its IOMMU, as a soft dependency, unless it is blacklisted. */
static void find_vfio(const HvrContext *context, HvrFacts *facts)
{
	const HvrHost *host = &context->host;
	g_autoptr(GError) no_driver = NULL;

	facts->vfio_pci_loaded = hvr_tree_exists(host->sys, "bus/pci/drivers/" VFIO_PCI);
	facts->vfio_pci = TRUE;
	if (facts->vfio_pci_loaded || context->captured)
		return;
	g_autofree char *options = host->kernel->find_module(host, VFIO_PCI, &no_driver);
	facts->vfio_pci = options != NULL;
	if (no_driver)
		facts->vfio_problem = g_strdup(no_driver->message);
}

/* Its option is to be seen where it is loaded; before that, modprobe knows it. */
static void find_type1(const HvrHost *host, HvrFacts *facts)
{
	g_autoptr(GError) no_type1 = NULL;
	g_autofree char *options = NULL;

	if (hvr_tree_exists(host->sys, "module/" TYPE1))
		return;
	options = host->kernel->find_module(host, TYPE1, &no_type1);
	if (no_type1)
		facts->type1_problem = g_strdup(no_type1->message);
	else
		facts->unsafe_allowed = strstr(options, UNSAFE_OPTION) != NULL;
}

/* What only a VM with a card depends on. */
static void find_for_cards(const HvrContext *context, HvrFacts *facts)
{
	const HvrHost *host = &context->host;
	g_autofree char *unsafe = hvr_tree_read_line(host->sys, UNSAFE);

	facts->acs_override = hvr_isolation_pretended(host);
	facts->iommu_on = hvr_iommu_is_on(host);
	if (!facts->iommu_on) {
		g_autoptr(HvrIommu) iommu = hvr_iommu_look(host);
		facts->iommu_seen = g_steal_pointer(&iommu->seen);
	}
	facts->interrupts = hvr_iommu_interrupts(host);
	facts->interrupts_advice = hvr_iommu_interrupts_advice(host);
	facts->unsafe_allowed = g_strcmp0(unsafe, "Y") == 0;
	if (context->captured)
		return;
	find_type1(host, facts);
	if (hvr_container_is_there(context))
		hvr_container_check(context, facts->user, &facts->container_problem);
	facts->nodes_appear = hvr_nodes_appear(host);
}

/* MemTotal of /proc/meminfo, the first line: "MemTotal:  12345 kB". */
guint64 hvr_facts_memory(const HvrHost *host)
{
	g_autofree char *line = hvr_tree_read_line(host->proc, "meminfo");

	if (!line || !g_str_has_prefix(line, "MemTotal:"))
		return G_MAXUINT64;
	return g_ascii_strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024;
}

/* That this host has none says nothing of another. */
static char *find_qemu(const HvrContext *context, const HvrProfile *profile)
{
	if (context->captured)
		return g_strdup(profile->qemu_binary);
	return hvr_binary_find(profile, context->privileged);
}

HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile, GError **error)
{
	const HvrHost *host = &context->host;
	g_autoptr(HvrFacts) facts = g_new0(HvrFacts, 1);

	facts->user = context->captured ? hvr_user_elsewhere(profile->user)
					: hvr_user_find(profile->user, context->privileged, error);
	if (!facts->user)
		return NULL;
	facts->qemu_path = find_qemu(context, profile);
	facts->install_qemu = hvr_install_command(hvr_installer_look(host), HVR_PACKAGE_QEMU);
	facts->memlock_max = context->memlock_max;
	if (context->captured)
		facts->memlock_max = G_MAXUINT64;
	facts->memory_bytes = hvr_facts_memory(host);
	facts->arm_cpu = hvr_cpu_look(host).maker == HVR_CPU_ARM;
	facts->iommu_on = TRUE;
	facts->nodes_appear = TRUE;
	find_kvm(context, profile, facts);
	find_vfio(context, facts);
	facts->iommu_advice = hvr_iommu_advice(host);
	if (profile->devices->len > 0)
		find_for_cards(context, facts);
	return g_steal_pointer(&facts);
}

void hvr_facts_ask_qemu(const HvrContext *context, const HvrProfile *profile, gboolean remember,
			HvrFacts *facts)
{
	const char *path = facts->qemu_path;

	if (!path || context->captured ||
	    hvr_qemu_recall(context, profile, facts->user, path, &facts->dialect))
		return;
	facts->qemu = hvr_qemu_ask(context, profile, facts->user, path);
	facts->dialect = facts->qemu->dialect;
	if (remember)
		hvr_qemu_remember(context, profile, facts->user, path, facts->qemu);
}
