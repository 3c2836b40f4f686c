/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One verdict each, from facts that were gathered before. Whoever asks decides what a "no" means:
 * for a plan it is the end, for a check one line among others.
 */
#include "launcher/host/judge.h"

#include "launcher/report/error.h"

static gboolean unavailable(GError **error, const char *message, const char *hint)
{
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, message);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

/* Does it want any? Whether they are found is another question. */
static gboolean has_cards(const HvrPlanInput *input)
{
	return input->profile->devices->len > 0;
}

gboolean hvr_judge_locks_memory(const HvrProfile *profile)
{
	return profile->devices->len > 0 || profile->memory.locked;
}

guint64 hvr_judge_locked_memory(const HvrProfile *profile, guint n_cards)
{
	if (profile->iommu == HVR_IOMMU_NONE)
		return profile->memory_bytes;
	return profile->memory_bytes * MAX(n_cards, 1);
}

/* What QEMU has said of itself: what it does not tell is not held against it. */
static gboolean judge_answer(const HvrPlanInput *input, HvrQemuQuestion question, GError **error)
{
	const HvrQemu *qemu = input->facts->qemu;

	if (!qemu || qemu->answers[question].kind != HVR_ANSWER_BAD)
		return TRUE;
	g_autofree char *message = g_strdup_printf("QEMU: %s", qemu->answers[question].seen);
	return unavailable(error, message, qemu->answers[question].fix);
}

/* What gives a VM its card knows amd64 only: the KVM that is tried, the machine and its slots, the
 * firmware, how interrupts are remapped. */
static gboolean judge_cpu(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	if (!input->facts->arm_cpu)
		return TRUE;
	return unavailable(error, "this host is an Arm one, and hailo-vm-run is for amd64 only",
			   "use a host with an Intel or AMD processor");
}

static gboolean judge_qemu(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrProfile *profile = input->profile;

	if (input->facts->qemu_path)
		return judge_answer(input, HVR_QEMU_VERSION, error);
	g_autofree char *message =
		g_strdup_printf("there is no program '%s' on this host", profile->qemu_binary);
	g_autofree char *hint = g_strdup_printf("install QEMU (%s), or set [qemu] binary",
						input->facts->install_qemu);
	return unavailable(error, message, hint);
}

static gboolean judge_qemu_devices(const HvrPlanInput *input, const HvrClaimedCard *card,
				   GError **error)
{
	const HvrQemu *qemu = input->facts->qemu;

	if (qemu && qemu->no_vfio && !has_cards(input))
		return TRUE;
	return judge_answer(input, HVR_QEMU_DEVICES, error);
}

static gboolean judge_qemu_sandbox(const HvrPlanInput *input, const HvrClaimedCard *card,
				   GError **error)
{
	return judge_answer(input, HVR_QEMU_SANDBOX, error);
}

/* The VM's user can use the profile's files. */
static gboolean judge_files(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrParts *parts = input->parts;

	if (!parts || !parts->unreadable)
		return TRUE;
	g_propagate_error(error, g_error_copy(parts->unreadable));
	return FALSE;
}

/* What the VM needs beside its cards can be made. */
static gboolean judge_parts(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	if (!input->parts || !input->parts->lacking)
		return TRUE;
	g_propagate_error(error, g_error_copy(input->parts->lacking));
	return FALSE;
}

/* KVM works, or the profile does not insist on it. */
static gboolean judge_kvm(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	if (input->profile->accel != HVR_ACCEL_KVM || input->facts->kvm)
		return TRUE;
	return unavailable(error, input->facts->kvm_problem, input->facts->kvm_advice);
}

static gboolean judge_vfio_pci(const HvrPlanInput *input, const HvrClaimedCard *card,
			       GError **error)
{
	if (!has_cards(input) || input->facts->vfio_pci)
		return TRUE;
	return unavailable(error, input->facts->vfio_problem,
			   "it belongs to the kernel's package; look for 'blacklist vfio-pci' in "
			   "/etc/modprobe.d/");
}

/* No IOMMU is behind VFIO without it. */
static gboolean judge_type1(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	if (!has_cards(input) || !input->facts->type1_problem)
		return TRUE;
	return unavailable(error, input->facts->type1_problem,
			   "it belongs to the kernel's package; look for 'blacklist "
			   "vfio_iommu_type1' in /etc/modprobe.d/");
}

static gboolean judge_container(const HvrPlanInput *input, const HvrClaimedCard *card,
				GError **error)
{
	if (!has_cards(input) || !input->facts->container_problem)
		return TRUE;
	g_propagate_error(error, g_error_copy(input->facts->container_problem));
	return FALSE;
}

/* VFIO refuses a device whose interrupts are not isolated, unless it was told not to mind:
 * vfio_iommu_type1_attach_group() in Linux's drivers/vfio/. */
static gboolean judge_interrupts(const HvrPlanInput *input, const HvrClaimedCard *card,
				 GError **error)
{
	const HvrFacts *facts = input->facts;

	if (!has_cards(input) || !facts->iommu_on || facts->unsafe_allowed ||
	    facts->interrupts != HVR_INTERRUPTS_DIRECT)
		return TRUE;
	return unavailable(error,
			   "interrupts are not remapped: VFIO refuses every card (\"No interrupt "
			   "remapping\")",
			   facts->interrupts_advice);
}

static gboolean judge_memlock(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const HvrFacts *facts = input->facts;
	guint n_cards = input->profile->devices->len;
	guint64 needed = hvr_judge_locked_memory(input->profile, n_cards);
	g_autofree char *times = g_strdup("");
	const char *who = "a VM with a card";

	if (!hvr_judge_locks_memory(input->profile) || facts->memlock_max >= needed)
		return TRUE;
	if (input->profile->memory.locked)
		who = "this VM";
	if (needed > input->profile->memory_bytes) {
		g_free(times);
		times = g_strdup_printf(", once for each of %u cards behind its IOMMU", n_cards);
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "user %s may lock %" G_GUINT64_FORMAT " MiB of memory, and %s "
		    "locks all of its %" G_GUINT64_FORMAT " MiB%s",
		    facts->user->name, facts->memlock_max >> 20, who,
		    input->profile->memory_bytes >> 20, times);
	hvr_error_hint(error,
		       "raise the limit, then log in again: 'hailo-vm-run setup permissions' and "
		       "'usermod -aG hailo-vm %s' as root, or '%s hard memlock unlimited' in "
		       "/etc/security/limits.d/",
		       facts->user->name, facts->user->name);
	return FALSE;
}

/* What is locked is there: more than the host has cannot be. */
static gboolean judge_memory(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	guint64 needed = input->profile->memory_bytes, there = input->facts->memory_bytes;

	if (!input->parts || !hvr_judge_locks_memory(input->profile) || there >= needed)
		return TRUE;
	g_autofree char *message =
		g_strdup_printf("this host has %" G_GUINT64_FORMAT
				" MiB, and the VM locks %" G_GUINT64_FORMAT " MiB of it",
				there >> 20, needed >> 20);
	return unavailable(error, message, "set a smaller [vm] memory");
}

/* Said by its card before, unless no card was found. */
static gboolean judge_iommu(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	if (!has_cards(input) || input->facts->iommu_on)
		return TRUE;
	return unavailable(error, input->facts->iommu_seen, input->facts->iommu_advice);
}

/* From the cheap and certain to the particular. */
const HvrJudgement hvr_judgements[] = {
	{ "cpu", HVR_JUDGE_VM, judge_cpu },
	{ "qemu", HVR_JUDGE_VM, judge_qemu },
	{ "qemu-devices", HVR_JUDGE_VM, judge_qemu_devices },
	{ "qemu-sandbox", HVR_JUDGE_VM, judge_qemu_sandbox },
	{ "files", HVR_JUDGE_VM, judge_files },
	{ "parts", HVR_JUDGE_VM, judge_parts },
	{ "kvm", HVR_JUDGE_VM, judge_kvm },
	{ "vfio-pci", HVR_JUDGE_VM, judge_vfio_pci },
	{ "vfio-type1", HVR_JUDGE_VM, judge_type1 },
	{ "vfio-container", HVR_JUDGE_VM, judge_container },
	{ "card-domain", HVR_JUDGE_CARD, hvr_judge_domain },
	{ "card-alive", HVR_JUDGE_CARD, hvr_judge_alive },
	{ "card-group", HVR_JUDGE_CARD, hvr_judge_group },
	{ "card-reserved", HVR_JUDGE_CARD, hvr_judge_reserved },
	{ "card-sriov", HVR_JUDGE_CARD, hvr_judge_sriov },
	{ "card-sysfs", HVR_JUDGE_CARD, hvr_judge_writable },
	{ "card-node", HVR_JUDGE_CARD, hvr_judge_node },
	{ "card-resets", HVR_JUDGE_CARD, hvr_judge_resets },
	{ "card-properties", HVR_JUDGE_CARD, hvr_judge_properties },
	{ "interrupts", HVR_JUDGE_LAST, judge_interrupts },
	{ "memlock", HVR_JUDGE_LAST, judge_memlock },
	{ "memory", HVR_JUDGE_LAST, judge_memory },
	{ "iommu", HVR_JUDGE_LAST, judge_iommu },
	{ .id = NULL },
};

gboolean hvr_judge(const char *id, const HvrPlanInput *input, const HvrClaimedCard *card,
		   GError **error)
{
	for (const HvrJudgement *one = hvr_judgements; one->id; one++)
		if (g_str_equal(one->id, id))
			return one->ask(input, card, error);
	g_return_val_if_reached(TRUE);
}

gboolean hvr_judge_all(HvrJudgeAbout about, const HvrPlanInput *input, const HvrClaimedCard *card,
		       GError **error)
{
	for (const HvrJudgement *one = hvr_judgements; one->id; one++)
		if (one->about == about && !one->ask(input, card, error))
			return FALSE;
	return TRUE;
}
