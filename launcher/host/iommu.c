/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is there an IOMMU, is it used, and if not, what is missing?
 *
 *                firmware's table        units in class/iommu     argument
 *   Intel VT-d   DMAR                    dmarN                    intel_iommu=on, where the
 *                                                                 kernel's default is off
 *   AMD-Vi       IVRS                    ivhdN                    none: on unless switched off
 *   Arm SMMU     IORT, or device tree    smmu3.ADDRESS            none
 *   virtio       VIOT                    viommuN                  none
 *
 * A unit may be listed and no group exist, no-IOMMU groups exist without a unit, and all groups may
 * be of other devices: so the groups of PCI functions are counted, without those.
 */
#include "launcher/host/iommu.h"

#include <string.h>

#include "launcher/host/cpu.h"
#include "launcher/host/loader-look.h"
#include "vfio/tree.h"

#define GROUPS	  "kernel/iommu_groups"
#define FUNCTIONS "bus/pci/devices"
#define TABLES	  "firmware/acpi/tables/"
#define CHIPS	  "kernel/irq"

void hvr_iommu_free(HvrIommu *iommu)
{
	if (!iommu)
		return;
	g_free(iommu->seen);
	g_free(iommu->advice);
	g_free(iommu);
}

static gboolean has_table(const HvrHost *host, const char *table)
{
	g_autofree char *path = g_strconcat(TABLES, table, NULL);
	return hvr_tree_exists(host->sys, path);
}

/* The group of a PCI function, or NULL; NULL too for a no-IOMMU group, which protects nothing. */
static char *protecting_group(const HvrHost *host, const char *function)
{
	g_autofree char *link = g_strdup_printf(FUNCTIONS "/%s/iommu_group", function);
	g_autofree char *group = hvr_tree_link_name(host->sys, link);

	if (!group)
		return NULL;
	g_autofree char *path = g_strdup_printf(GROUPS "/%s/name", group);
	g_autofree char *name = hvr_tree_read_line(host->sys, path);
	if (g_strcmp0(name, "vfio-noiommu") == 0)
		return NULL;
	return g_steal_pointer(&group);
}

/* Those that have a PCI function: on some boards a display or a camera has an IOMMU, and PCI
 * Express none. */
static guint count_groups(const HvrHost *host)
{
	g_autoptr(GPtrArray) functions = hvr_tree_list(host->sys, FUNCTIONS);
	g_autoptr(GHashTable) groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < functions->len; i++) {
		char *group = protecting_group(host, g_ptr_array_index(functions, i));
		if (group)
			g_hash_table_add(groups, group);
	}
	return g_hash_table_size(groups);
}

gboolean hvr_iommu_is_on(const HvrHost *host)
{
	g_autoptr(GPtrArray) functions = hvr_tree_list(host->sys, FUNCTIONS);

	for (guint i = 0; i < functions->len; i++) {
		g_autofree char *group = protecting_group(host, g_ptr_array_index(functions, i));
		if (group)
			return TRUE;
	}
	return FALSE;
}

static const char *maker_of(const char *unit)
{
	static const struct {
		const char *prefix, *maker;
	} makers[] = { { "dmar", "Intel VT-d" },
		       { "ivhd", "AMD-Vi" },
		       { "smmu", "Arm SMMU" },
		       { "arm-smmu", "Arm SMMU" },
		       { "viommu", "virtio IOMMU" } };

	for (gsize i = 0; i < G_N_ELEMENTS(makers); i++)
		if (g_str_has_prefix(unit, makers[i].prefix))
			return makers[i].maker;
	return "an IOMMU";
}

static char *describe_units(const HvrHost *host, guint groups)
{
	g_autoptr(GPtrArray) units = hvr_tree_list(host->sys, "class/iommu");

	const char *s = groups == 1 ? "" : "s";

	if (units->len == 0)
		return g_strdup_printf("an IOMMU, %u group%s", groups, s);
	const char *maker = maker_of(g_ptr_array_index(units, 0));
	g_ptr_array_add(units, NULL);
	g_autofree char *names = g_strjoinv(" ", (char **)units->pdata);
	return g_strdup_printf("%s (%s), %u group%s", maker, names, groups, s);
}

/* The argument that switches it off, if one does. */
static const char *switched_off(const HvrHost *host)
{
	static const char *const words[] = { "iommu=off", "intel_iommu=off", "amd_iommu=off" };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (hvr_kernel_has_argument(host, words[i]))
			return words[i];
	return NULL;
}

/* By the names of this host's boot loader. */
static char *advise_arguments(const HvrHost *host, const char *add, const char *drop)
{
	const HvrLoader loader = hvr_loader_look(host);
	g_autofree char *advice = hvr_loader_advice(&loader, add, drop);

	return g_strconcat(advice, ", and reboot", NULL);
}

static char *advise_intel(const HvrHost *host)
{
	const char *off = switched_off(host);

	if (off)
		return advise_arguments(host, "intel_iommu=on", off);
	if (hvr_kernel_has_argument(host, "intel_iommu=on"))
		return g_strdup("intel_iommu=on is given, and the kernel found its IOMMU unfit: "
				"see 'dmesg | grep -i dmar', and update the firmware");
	return advise_arguments(host, "intel_iommu=on", NULL);
}

static char *advise_amd(const HvrHost *host)
{
	const char *off = switched_off(host);

	if (off)
		return advise_arguments(host, NULL, off);
	return g_strdup("AMD's is on unless switched off: see 'dmesg | grep AMD-Vi' for what the "
			"kernel dislikes, and update the firmware");
}

static char *advise_by_maker(const HvrCpu *cpu)
{
	if (cpu->is_guest)
		return g_strdup("this host is a virtual machine: give it an IOMMU (QEMU: -machine "
				"q35,kernel-irqchip=split -device "
				"intel-iommu,intremap=on,caching-mode=on)");
	switch (cpu->maker) {
	case HVR_CPU_INTEL:
		return g_strdup("enable VT-d in the firmware setup, then boot with intel_iommu=on");
	case HVR_CPU_AMD:
		return g_strdup("enable the IOMMU (AMD-Vi) in the firmware setup; the kernel "
				"needs no argument");
	case HVR_CPU_ARM:
		return g_strdup("use another host: PCI Express has no SMMU here that the kernel "
				"knows of, and no firmware setting is known that would bring one");
	case HVR_CPU_OTHER:
		break;
	}
	return g_strdup("enable the IOMMU in the firmware setup and in the kernel");
}

char *hvr_iommu_advice(const HvrHost *host)
{
	HvrCpu cpu = hvr_cpu_look(host);

	if (has_table(host, "DMAR"))
		return advise_intel(host);
	if (has_table(host, "IVRS"))
		return advise_amd(host);
	if (has_table(host, "IORT") && !cpu.is_guest)
		return g_strdup("the firmware has an IORT table, but no SMMU for PCIe is in use: "
				"enable it in the firmware setup, and use a kernel with "
				"CONFIG_ARM_SMMU_V3");
	return advise_by_maker(&cpu);
}

HvrIommu *hvr_iommu_look(const HvrHost *host)
{
	static const char *const tables[] = { "DMAR", "IVRS", "IORT", "VIOT" };
	HvrIommu *iommu = g_new0(HvrIommu, 1);
	guint groups = count_groups(host);

	if (groups > 0) {
		iommu->state = HVR_IOMMU_ON;
		iommu->seen = describe_units(host, groups);
		return iommu;
	}
	iommu->advice = hvr_iommu_advice(host);
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (!has_table(host, tables[i]))
			continue;
		iommu->state = HVR_IOMMU_UNUSED;
		iommu->seen = g_strdup_printf("the firmware describes one (ACPI table %s), and the "
					      "kernel does not use it",
					      tables[i]);
		return iommu;
	}
	iommu->state = HVR_IOMMU_ABSENT;
	g_autoptr(GPtrArray) others = hvr_tree_list(host->sys, "class/iommu");
	if (others->len > 0)
		iommu->seen = g_strdup("none for PCI: this host's is of other devices");
	else
		iommu->seen = g_strdup("none: the firmware has no DMAR, IVRS or IORT table");
	return iommu;
}

/* "IR-PCI-MSI" on x86 when remapped, since 6.2 "IR-PCI-MSIX-0000:02:00.0" and the like; Arm's ITS
 * isolates by its nature. Returns: UNKNOWN for the chip of any other interrupt. */
static HvrInterrupts judge_chip(const char *chip)
{
	/* Of an IO-APIC, too: remapping is on for all or for none (irq_remapping_enabled). */
	if (g_str_has_prefix(chip, "IR-") || strstr(chip, "ITS-"))
		return HVR_INTERRUPTS_REMAPPED;
	if (!strstr(chip, "MSI"))
		return HVR_INTERRUPTS_UNKNOWN;
	/* The IOMMU's own, never remapped; and behind VMD, which has one for all that is there. */
	if (g_str_has_prefix(chip, "DMAR") || g_str_has_prefix(chip, "AMD-Vi") ||
	    g_str_has_prefix(chip, "VMD"))
		return HVR_INTERRUPTS_UNKNOWN;
	return HVR_INTERRUPTS_DIRECT;
}

HvrInterrupts hvr_iommu_interrupts(const HvrHost *host)
{
	g_autoptr(GPtrArray) numbers = hvr_tree_list(host->sys, CHIPS);
	HvrInterrupts found = HVR_INTERRUPTS_UNKNOWN;

	for (guint i = 0; i < numbers->len && found != HVR_INTERRUPTS_REMAPPED; i++) {
		const char *number = g_ptr_array_index(numbers, i);
		g_autofree char *path = g_strdup_printf(CHIPS "/%s/chip_name", number);
		g_autofree char *chip = hvr_tree_read_line(host->sys, path);
		if (!chip)
			continue;
		HvrInterrupts judged = judge_chip(chip);
		if (judged != HVR_INTERRUPTS_UNKNOWN)
			found = judged;
	}
	return found;
}

const char *hvr_iommu_interrupts_advice(const HvrHost *host)
{
	if (hvr_kernel_has_argument(host, "intremap=off"))
		return "take intremap=off from the kernel's command line, and reboot";
	if (hvr_kernel_has_argument(host, "nointremap"))
		return "take nointremap from the kernel's command line, and reboot";
	if (hvr_cpu_look(host).maker == HVR_CPU_ARM)
		return "use another host: on an Arm one it is the interrupt controller (ITS) that "
		       "isolates them, and PCI Express does not use one here";
	return "enable x2APIC or interrupt remapping in the firmware setup";
}
