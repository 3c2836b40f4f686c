/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM, asked the way QEMU asks: a processor with the features that KVM supports, and
 * IA32_ARCH_CAPABILITIES set to what KVM says of it. KVM_SET_MSRS answers with the number of
 * registers that it took.
 */
#include "launcher/host/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vfio/fd.h"

#define MSR_ARCH_CAPABILITIES 0x10a
#define CPUID_ENTRIES	      256

static int copy_features(int kvm, int cpu)
{
	gsize size = sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2);
	g_autofree struct kvm_cpuid2 *features = g_malloc0(size);

	features->nent = CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, features) < 0 ||
	    ioctl(cpu, KVM_SET_CPUID2, features) < 0)
		return errno;
	return 0;
}

static int try_register(int kvm, int cpu)
{
	g_autofree struct kvm_msrs *msr =
		g_malloc0(sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry));

	msr->nmsrs = 1;
	msr->entries[0].index = MSR_ARCH_CAPABILITIES;
	/* Not a register that this KVM knows: QEMU will not set it either. */
	if (ioctl(kvm, KVM_GET_MSRS, msr) != 1)
		return 0;
	if (ioctl(cpu, KVM_SET_MSRS, msr) != 1)
		return EIO;
	return 0;
}

int hvr_kvm_try(const HvrHost *host)
{
	g_auto(HvrFd) kvm = hvr_open_beneath(host->dev, "kvm", O_RDWR);
	if (kvm < 0)
		return errno;
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return ENOTTY;
	g_auto(HvrFd) vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return errno;
	g_auto(HvrFd) cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (cpu < 0)
		return errno;
	int problem = copy_features(kvm, cpu);
	if (problem)
		return problem;
	return try_register(kvm, cpu);
}
