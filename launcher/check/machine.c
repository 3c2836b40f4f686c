/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine itself: its processor, whether KVM works on it, whether it is itself a guest, and how
 * much memory it has to give.
 */
#include "launcher/check/checking.h"

#include <string.h>

#include "launcher/host/cpu.h"
#include "vfio/tree.h"

#define MIB 1048576u

static void check_cpu(HvrCheck *check, const HvrCpu *cpu)
{
	if (!hvr_check_ask(check, "cpu", NULL))
		return;
	if (check->profile->accel == HVR_ACCEL_TCG)
		hvr_check_pass(check, "cpu", "accel = tcg asks nothing of it");
	else if (cpu->virtualises)
		hvr_check_pass(check, "cpu", "it can run virtual machines");
	else if (cpu->maker == HVR_CPU_OTHER)
		hvr_check_say(check, HVR_CHECK_WARN, "cpu", "see the line about KVM",
			      "its maker is not known");
	else if (cpu->is_guest)
		hvr_check_say(check, HVR_CHECK_WARN, "cpu",
			      "switch nested virtualisation on in the host below "
			      "(kvm_intel.nested=1 or kvm_amd.nested=1, -cpu host)",
			      "it shows neither vmx nor svm");
	else
		hvr_check_say(check, HVR_CHECK_WARN, "cpu",
			      "enable VT-x or SVM in the firmware setup",
			      "it shows neither vmx nor svm");
}

static void check_kvm(HvrCheck *check)
{
	const HvrFacts *facts = check->facts;

	if (check->profile->accel == HVR_ACCEL_TCG || check->context->captured)
		return;
	if (!hvr_check_ask(check, "kvm", NULL))
		return;
	if (facts->kvm && facts->kvm_by_group)
		hvr_check_pass(check, "kvm", "works for user %s, by the group of its node",
			       facts->user->name);
	else if (facts->kvm)
		hvr_check_pass(check, "kvm", "works for user %s", facts->user->name);
	else
		hvr_check_say(check, HVR_CHECK_WARN, "kvm", facts->kvm_advice,
			      "%s; VMs are emulated, which is slow", facts->kvm_problem);
}

/* A guest can give away a card only if the host below gave it an IOMMU of its own. */
static void check_nesting(HvrCheck *check)
{
	const HvrHost *host = &check->context->host;
	g_autofree char *product = hvr_tree_read_line(host->sys, "class/dmi/id/product_name");

	if (product)
		hvr_check_pass(check, "nesting", "this host is itself a virtual machine (%s)",
			       product);
	else
		hvr_check_pass(check, "nesting", "this host is itself a virtual machine");
}

/* Only what can be reset has it (pci_dev_reset_method_attr_is_visible() in Linux's drivers/pci/):
 * that nothing has it tells nothing by itself. */
static gboolean shows_reset_methods(const HvrHost *host)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(host->sys, "bus/pci/devices");

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/reset_method", name);
		if (hvr_tree_exists(host->sys, path))
			return TRUE;
	}
	return FALSE;
}

/* Linux 5.15 brought reset_method, and RHEL's 5.14 has it, too; before it nobody can stop the
 * kernel's resets. */
static void check_kernel(HvrCheck *check)
{
	g_autofree char *release =
		hvr_tree_read_line(check->context->host.proc, "sys/kernel/osrelease");

	if (!release)
		return;
	if (hvr_kernel_is_at_least(&check->context->host, 5, 15) ||
	    shows_reset_methods(&check->context->host))
		hvr_check_pass(check, "kernel", "Linux %s", release);
	else
		hvr_check_say(check, HVR_CHECK_WARN, "kernel", "use Linux 5.15 or newer",
			      "Linux %s shows no reset_method, by which it would be told which "
			      "resets to use",
			      release);
}

/* A number of /proc/meminfo, which has "NAME:   123 kB" lines. @text: begins with a line end */
static gboolean meminfo(const char *text, const char *name, guint64 *out_value)
{
	g_autofree char *wanted = g_strconcat("\n", name, ":", NULL);
	const char *line = strstr(text, wanted);

	if (!line)
		return FALSE;
	*out_value = g_ascii_strtoull(line + strlen(wanted), NULL, 10);
	return TRUE;
}

static void check_memory(HvrCheck *check, const char *text)
{
	const HvrProfile *profile = check->profile;
	gboolean locks = hvr_judge_locks_memory(profile);
	guint64 free_kib, needed_mib = profile->memory_bytes / MIB;
	const char *takes = locks ? "locks" : "may use";

	if (!hvr_check_ask(check, "memory", NULL))
		return;
	if (!meminfo(text, "MemAvailable", &free_kib))
		hvr_check_say(check, HVR_CHECK_WARN, "memory", "see 'free -m'",
			      "the kernel does not say how much is free");
	else if (free_kib / 1024 < needed_mib)
		hvr_check_say(check, HVR_CHECK_WARN, "memory",
			      "end other programs, or set a smaller [vm] memory",
			      "%" G_GUINT64_FORMAT " MiB are free, and the VM %s %" G_GUINT64_FORMAT
			      " MiB",
			      free_kib / 1024, takes, needed_mib);
	else
		hvr_check_pass(check, "memory",
			       "%" G_GUINT64_FORMAT " MiB are free, and the VM %s "
			       "%" G_GUINT64_FORMAT " MiB",
			       free_kib / 1024, takes, needed_mib);
}

/* Reserved huge pages are lost for a VM that does not ask for them. */
static void check_hugepages(HvrCheck *check, const char *text)
{
	guint64 pages = 0, unused = 0, page_kib = 0, free_kib = 0;

	if (!meminfo(text, "HugePages_Total", &pages) || !pages ||
	    !meminfo(text, "HugePages_Free", &unused) ||
	    !meminfo(text, "Hugepagesize", &page_kib) || !meminfo(text, "MemAvailable", &free_kib))
		return;
	guint64 unused_mib = unused * page_kib / 1024;
	if (free_kib / 1024 < check->profile->memory_bytes / MIB && unused_mib > 0)
		hvr_check_say(check, HVR_CHECK_WARN, "hugepages",
			      "lower vm.nr_hugepages, or use them: [qemu] args with a "
			      "memory-backend-file in a hugetlbfs",
			      "%" G_GUINT64_FORMAT " MiB are set aside as huge pages that nobody "
			      "uses, and other memory is short",
			      unused_mib);
	else
		hvr_check_pass(check, "hugepages",
			       "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are free", unused,
			       pages);
}

void hvr_check_machine(HvrCheck *check)
{
	HvrCpu cpu = hvr_cpu_look(&check->context->host);

	check_cpu(check, &cpu);
	check_kvm(check);
	if (cpu.is_guest)
		check_nesting(check);
	if (hvr_check_wants_cards(check))
		check_kernel(check);
	if (!check->named)
		return;
	g_autofree char *memory = hvr_tree_read(check->context->host.proc, "meminfo", NULL);
	/* g_strconcat() ends at a NULL */
	g_autofree char *text = g_strconcat("\n", memory, NULL);
	check_memory(check, text);
	check_hugepages(check, text);
}
