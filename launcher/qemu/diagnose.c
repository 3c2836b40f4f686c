/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's words -> what they mean here. First match wins, so the particular stands before the
 * general; case does not matter, which QEMU has changed more than once. The sentences are those of
 * QEMU 7.2 to 11.1 (hw/vfio/, system/, util/), and tests/data/qemu-words.txt has each of them.
 *
 * error_report() begins a line with QEMU's name, and "warning: " or "info: " where it goes on. What
 * is printed otherwise begins with the words themselves, or with "qemu: ".
 */
#include "launcher/qemu/diagnose.h"

#include <signal.h>
#include <string.h>

#define EPERM_WORDS  "Operation not permitted"
#define EACCES_WORDS "Permission denied"
#define ENOENT_WORDS "No such file or directory"
#define EBUSY_WORDS  "Device or resource busy"
#define EINVAL_WORDS "Invalid argument"
#define ENOMEM_WORDS "Cannot allocate memory"

static const HvrDiagnosis rows[] = {
	/* Memory for DMA: -12 of vfio_pin_pages_remote() for the limit, or of the IOMMU's tables */
	{ .id = "memlock",
	  .any = { "VFIO_MAP_DMA failed", "dma_map(" },
	  .and_needle = ENOMEM_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "either QEMU may not lock enough memory: raise the memory lock limit "
		     "(ulimit -l) above the guest's RAM, or give the VM less memory; or this "
		     "host has not that much memory to spare" },
	{ .id = "mlockall",
	  .any = { "locking memory failed", "mlockall:" },
	  .meaning = "QEMU may not lock its memory: raise the memory lock limit (ulimit -l) "
		     "above the guest's RAM, or set memory.locked = no" },
	{ .id = "dma-width",
	  .any = { "memory listener initialization failed" },
	  .and_needle = "= -22 (" EINVAL_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "either the guest's memory reaches beyond the addresses that this host's "
		     "IOMMU can translate: give the VM less memory; or it covers a range that "
		     "the host reserves: see reserved_regions of the card's IOMMU group" },
	{ .id = "dma-pages",
	  .any = { "memory listener initialization failed" },
	  .and_needle = "= -14 (Bad address",
	  .kernel_knows = TRUE,
	  .meaning = "the kernel cannot get at all pages of the guest's memory: either its "
		     "hugepages or the file behind it are fewer than it has, or a share's "
		     "memory is not plain memory" },
	{ .id = "dma-width-mild",
	  .any = { "dma_map(" },
	  .and_needle = "= -22 (" EINVAL_WORDS,
	  .mild = TRUE,
	  .kernel_knows = TRUE,
	  .meaning = "either an address of the guest is one that this host's IOMMU cannot "
		     "translate: give the VM less memory; or it is a BAR of another device, "
		     "and only transfers from card to card do not work" },
	{ .id = "dma-pages-mild",
	  .any = { "dma_map(" },
	  .and_needle = "= -14 (Bad address",
	  .mild = TRUE,
	  .kernel_knows = TRUE,
	  .meaning = "either the kernel cannot get at a page of the guest's memory, or it is "
		     "a BAR of another device, and only transfers from card to card do not "
		     "work" },
	{ .id = "dma-slots",
	  .any = { "dma_map(" },
	  .and_needle = "= -28 (No space left on device",
	  .meaning = "the guest's memory is in more pieces than VFIO maps: raise "
		     "dma_entry_limit of the module vfio_iommu_type1" },
	{ .id = "dma-failed",
	  .any = { "DMA mapping failed, unable to continue" },
	  .mild = TRUE,
	  .kernel_knows = TRUE,
	  .meaning = "memory that came to the running guest could not be mapped for the card: "
		     "raise the memory lock limit (ulimit -l)" },

	/* The way to the group */
	{ .id = "not-viable",
	  .any = { "is not viable" },
	  .meaning = "a driver of the host still has a device of that IOMMU group: "
		     "hailo-vm-run check names it" },
	{ .id = "iommu-refused",
	  .any = { "Failed to set iommu for container" },
	  .and_needle = EPERM_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "either this host cannot remap interrupts: enable that (VT-d or AMD-Vi "
		     "with interrupt remapping) in the firmware setup; or its firmware keeps "
		     "the card's memory for itself (RMRR): see the kernel's log (dmesg)" },
	{ .id = "iommu-failed",
	  .any = { "Failed to set iommu for container" },
	  .kernel_knows = TRUE,
	  .meaning = "the IOMMU did not take the group: see the kernel's log (dmesg)" },
	{ .id = "group-refused",
	  .any = { "Failed to set group container" },
	  .kernel_knows = TRUE,
	  .meaning = "either the firmware wants a direct mapping for a device of the group "
		     "(RMRR or IVMD), which VFIO must not give: see the kernel's log (dmesg), "
		     "and turn off what the firmware setup calls pre-boot DMA protection; or "
		     "another process has the group" },
	{ .id = "no-iommu-model",
	  .any = { "No available IOMMU models" },
	  .meaning = "the kernel offers no way to an IOMMU: load vfio_iommu_type1 (modprobe "
		     "vfio_iommu_type1); if that fails, the IOMMU is off, see hailo-vm-run "
		     "check" },
	{ .id = "container-closed",
	  .any = { "/dev/vfio/vfio" },
	  .and_needle = EACCES_WORDS,
	  .meaning = "the VFIO container node is closed to the VM's user: chmod 0666 "
		     "/dev/vfio/vfio (systemd 254.0 makes it 0600)" },
	{ .id = "container-missing",
	  .any = { "/dev/vfio/vfio" },
	  .and_needle = "No such",
	  .meaning = "there is no VFIO here: load the module vfio (modprobe vfio-pci), and in "
		     "a container or a unit let /dev/vfio in" },
	{ .id = "devices-closed",
	  .any = { "/dev/vfio/" },
	  .and_needle = EPERM_WORDS,
	  .meaning = "a container or a unit keeps QEMU from /dev/vfio: allow it there "
		     "(DeviceAllow=, --device)" },
	{ .id = "group-closed",
	  .any = { "/dev/vfio/" },
	  .and_needle = EACCES_WORDS,
	  .meaning = "the IOMMU group's node does not belong to the VM's user: a udev rule "
		     "may have taken it back" },
	{ .id = "group-busy",
	  .any = { "/dev/vfio/" },
	  .and_needle = EBUSY_WORDS,
	  .meaning = "another process has this IOMMU group open: one VM at a time" },
	{ .id = "group-gone",
	  .any = { "/dev/vfio/" },
	  .and_needle = "No such",
	  .meaning = "the card is no longer on vfio-pci" },
	{ .id = "no-group",
	  .any = { "no iommu_group found" },
	  .meaning = "the card has no IOMMU group: the IOMMU is off, see hailo-vm-run check" },
	{ .id = "no-device",
	  .any = { "no such host device" },
	  .meaning = "the card is gone from this host's bus: see hailo-vm-run list" },

	/* The card itself: what vfio_pci_core_enable() and the first reads find */
	{ .id = "card-timeout",
	  .any = { "error getting device from group" },
	  .and_needle = "Connection timed out",
	  .kernel_knows = TRUE,
	  .meaning = "the card did not wake up or come back from its reset: take its power "
		     "away and start the host again, and set reset = none if it happens again" },
	{ .id = "card-resources",
	  .any = { "error getting device from group" },
	  .and_needle = EINVAL_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "either the host has given one of the card's BARs no address (see the "
		     "kernel's log: a BAR \"not assigned\" or \"can't reserve\"), or the card "
		     "does not answer" },
	{ .id = "card-busy",
	  .any = { "error getting device from group" },
	  .and_needle = EBUSY_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "either another process has the card open, or something of the host "
		     "holds one of its BARs: see the kernel's log (dmesg)" },
	{ .id = "card-refused",
	  .any = { "error getting device from group" },
	  .kernel_knows = TRUE,
	  .meaning = "either the card is no longer on vfio-pci, or it does not answer: see "
		     "hailo-vm-run list and the kernel's log (dmesg)" },
	{ .id = "power",
	  .any = { "Unable to power on device, stuck in D" },
	  .kernel_knows = TRUE,
	  .meaning = "the card does not leave its sleep (D3): either its link is dead, then "
		     "take its power away and start the host again; or its power is cut while "
		     "it is idle, then set d3cold_allowed to 0 for it, or boot with "
		     "pcie_port_pm=off" },
	{ .id = "card-dead",
	  .any = { "failed to read device config space", "hardware reports invalid configuration" },
	  .kernel_knows = TRUE,
	  .meaning = "the card does not answer: take its power away and start the host again" },
	{ .id = "bar",
	  .any = { "Failed to read BAR" },
	  .kernel_knows = TRUE,
	  .meaning = "a BAR of the card cannot be used: either the host gave it no address, "
		     "or the card does not answer: see the kernel's log (dmesg)" },
	{ .id = "bar",
	  .any = { "failed to get region" },
	  .and_needle = "info",
	  .kernel_knows = TRUE,
	  .meaning = "a BAR of the card cannot be used: either the host gave it no address, "
		     "or the card does not answer: see the kernel's log (dmesg)" },
	{ .id = "bar-slow",
	  .any = { "Failed to mmap" },
	  .and_needle = "Performance may be slow",
	  .mild = TRUE,
	  .kernel_knows = TRUE,
	  .meaning = "a BAR of the card could not be mapped, and each access to it goes "
		     "through QEMU: see the kernel's log (dmesg)" },
	{ .id = "bus-error",
	  .any = { "Unrecoverable error detected" },
	  .kernel_knows = TRUE,
	  .meaning = "the card's PCI Express link reported a fatal error: see the kernel's "
		     "log (dmesg | grep -i aer), and check seat, riser and power of the card" },

	/* Interrupts: VFIO_DEVICE_SET_IRQS */
	{ .id = "intx-shared",
	  .any = { "for interrupt INTX" },
	  .and_needle = EBUSY_WORDS,
	  .kernel_knows = TRUE,
	  .meaning = "the card's interrupt line is shared with another device of the host, "
		     "and the card cannot be kept from it: move it to another slot, or unbind "
		     "the other (/proc/interrupts names it)" },
	{ .id = "interrupt",
	  .any = { "VFIO_DEVICE_SET_IRQS" },
	  .kernel_knows = TRUE,
	  .meaning = "the host could not set the card's interrupts up: either it has no "
		     "vector left, or it cannot remap interrupts: see the kernel's log "
		     "(dmesg)" },
	{ .id = "interrupt",
	  .any = { "Failed to setup MSI fds", "Failed to enable MSI", "failed to enable vectors" },
	  .mild = TRUE,
	  .kernel_knows = TRUE,
	  .meaning = "the host could not set the card's interrupts up: either it has no "
		     "vector left, or it cannot remap interrupts: see the kernel's log "
		     "(dmesg)" },

	/* KVM */
	{ .id = "kvm-closed",
	  .any = { "Could not access KVM kernel module" },
	  .and_needle = EACCES_WORDS,
	  .meaning = "/dev/kvm is closed to the VM's user: put that user into group kvm, or "
		     "set accel = tcg" },
	{ .id = "kvm-missing",
	  .any = { "Could not access KVM kernel module" },
	  .meaning = "KVM does not work here: set accel = tcg, or enable virtualisation in "
		     "the firmware" },
	{ .id = "kvm-busy",
	  .any = { "KVM_CREATE_VM) failed" },
	  .and_needle = EBUSY_WORDS,
	  .meaning = "another hypervisor (VirtualBox, VMware) has the processor's "
		     "virtualisation: end its VMs, or set accel = tcg" },
	{ .id = "kvm-failed",
	  .any = { "KVM_CREATE_VM) failed" },
	  .meaning = "KVM makes no VM here: see the kernel's log (dmesg | grep -i kvm), or "
		     "set accel = tcg" },
	{ .id = "kvm-broken",
	  .any = { "failed to set MSR", "KVM: entry failed" },
	  .meaning = "KVM is there but broken (a VM without nested virtualisation?): set "
		     "accel = tcg" },
	{ .id = "kvm-run",
	  .any = { "kvm run failed", "KVM internal error" },
	  .meaning = "KVM could not go on with the guest: either the guest did what this "
		     "processor's virtualisation cannot do, or KVM is broken here (a VM without "
		     "nested virtualisation?): see the kernel's log (dmesg | grep -i kvm), or "
		     "set accel = tcg" },
	{ .id = "no-kvm-built",
	  .any = { "invalid accelerator kvm" },
	  .meaning = "this QEMU is built without KVM, or for another processor: set accel = "
		     "tcg" },

	/* Memory */
	{ .id = "hugepages",
	  .any = { "unable to map backing store for guest RAM", "preallocating memory failed" },
	  .meaning = "this host has not that many hugepages free: reserve more (sysctl "
		     "vm.nr_hugepages), or set memory.hugepages = no" },
	{ .id = "memory-file",
	  .any = { "can't open backing store" },
	  .meaning = "the folder of the guest's memory is not there or closed to the VM's "
		     "user" },
	{ .id = "memory",
	  .any = { "cannot set up guest memory" },
	  .meaning = "this host does not have that much memory free: give the VM less" },
	{ .id = "address-bits",
	  .any = { "phys-bits too low" },
	  .meaning = "the guest's processor has too few address bits for that much memory: "
		     "give the VM less, or set cpu = host" },

	/* Disks, firmware, networks, screens */
	{ .id = "image-locked",
	  .any = { "Failed to get " },
	  .and_needle = "\" lock",
	  .meaning = "another QEMU uses this disk image: end that VM, or set snapshot = yes" },
	{ .id = "not-qcow2",
	  .any = { "Image is not in qcow2 format" },
	  .meaning = "the disk is no qcow2 image: set format = raw" },
	{ .id = "backing-file",
	  .any = { "Could not open backing" },
	  .meaning = "a file below the disk image is missing or closed to the VM's user: see "
		     "qemu-img info --backing-chain" },
	{ .id = "no-bios",
	  .any = { "could not load PC BIOS" },
	  .meaning = "QEMU's own firmware is not installed, or not where this QEMU looks: "
		     "install its data (Debian: seabios, qemu-system-data)" },
	{ .id = "no-kernel",
	  .any = { "could not open kernel file", "could not load kernel" },
	  .meaning = "the file of [boot] kernel is missing, closed to the VM's user, or no "
		     "kernel" },
	{ .id = "port-closed",
	  .any = { "Failed to " },
	  .and_needle = "port: " EACCES_WORDS,
	  .meaning = "a port below 1024 is not for a plain user: choose another" },
	{ .id = "port-used",
	  .any = { "Address already in use" },
	  .meaning = "a port or socket of this VM is in use by another program: choose "
		     "another in [graphics] port or [net] forward (ss -ltnp names it)" },
	{ .id = "forward",
	  .any = { "Could not set up host forwarding rule" },
	  .meaning = "the host's port is in use, or below 1024: choose another in [net] "
		     "forward" },
	{ .id = "bridge-helper",
	  .any = { "bridge helper failed" },
	  .meaning = "either the bridge is not allowed in /etc/qemu/bridge.conf, or QEMU's "
		     "helper is not setuid root, or there is no such bridge" },
	{ .id = "tap-busy",
	  .any = { "could not configure /dev/net/tun" },
	  .and_needle = EBUSY_WORDS,
	  .meaning = "another program has the tap open: one VM at a time" },
	{ .id = "tap",
	  .any = { "could not configure /dev/net/tun" },
	  .meaning = "the tap is not the VM's user's: make it with ip tuntap add ... user "
		     "NAME" },
	{ .id = "virtiofsd",
	  .any = { "vhost_backend_init failed" },
	  .meaning = "the virtiofsd of a [share] ended before QEMU could use it: its own "
		     "words, if any, are above; via = 9p does without" },
	{ .id = "tpm-state",
	  .any = { "tpm-emulator: TPM result for CMD_INIT" },
	  .meaning = "swtpm cannot use [tpm] state: its own words are above. With a copy of that "
		     "file put back, or another name, it goes on; what the guest has sealed needs "
		     "the old one" },

	/* What this QEMU is not built with */
	{ .id = "no-vfio-pci",
	  .any = { "'vfio-pci' is not a valid device model name" },
	  .meaning = "this QEMU is built without vfio-pci" },
	{ .id = "no-machine",
	  .any = { "unsupported machine type" },
	  .meaning = "this QEMU does not have the machine of [vm] machine: see qemu -machine "
		     "help" },
	{ .id = "no-cpu",
	  .any = { "unable to find CPU model" },
	  .meaning = "this QEMU does not know the processor of [vm] cpu: see qemu -cpu help" },
	{ .id = "no-seccomp",
	  .any = { "seccomp" },
	  .meaning = "the kernel did not take QEMU's system call filter: set security.sandbox "
		     "= no" },
};

const HvrWordsTable hvr_words_qemu = { rows, G_N_ELEMENTS(rows) };

/* @name: of a program; a line may begin with it and a colon. */
static const char *skip_name(const char *line, const char *name)
{
	gsize length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ':' || line[length + 1] != ' ')
		return NULL;
	return line + length + strlen(": ");
}

/* A QEMU that is started by a script has another name than the script. */
static const char *skip_any_qemu(const char *line)
{
	gsize length = strspn(line, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-");
	g_autofree char *name = g_strndup(line, length);

	if (!g_str_has_prefix(name, "qemu"))
		return NULL;
	return skip_name(line, name);
}

/* What QEMU says in a line of its own; NULL: the line is another's, or a warning. */
static const char *own_words(const char *program, const char *line)
{
	/* Printed as they are by QEMU up to 9.0 (accel/kvm/kvm-all.c, target/i386/kvm/kvm.c). */
	static const char *const bare[] = { "Could not access KVM kernel module",
					    "ioctl(KVM_CREATE_VM) failed", "KVM: entry failed",
					    "KVM internal error", "error: kvm run failed" };
	const char *slash = strrchr(program, '/');
	const char *words = skip_name(line, slash ? slash + 1 : program);

	if (!words)
		words = skip_any_qemu(line);
	for (guint i = 0; !words && i < G_N_ELEMENTS(bare); i++)
		if (g_str_has_prefix(line, bare[i]))
			words = line;
	if (words && (g_str_has_prefix(words, "warning: ") || g_str_has_prefix(words, "info: ")))
		return NULL;
	return words;
}

const HvrDiagnosis *hvr_diagnose(const char *program, const char *line)
{
	const char *words = own_words(program, line);

	if (!words)
		return NULL;
	return hvr_words_find(&hvr_words_qemu, words);
}

const HvrDiagnosis *hvr_diagnose_answer(const char *answer)
{
	return hvr_words_find(&hvr_words_qemu, answer);
}

const HvrDiagnosis *hvr_diagnose_kernel(const char *line)
{
	return hvr_words_find(&hvr_words_kernel, line);
}

const HvrDiagnosis *hvr_diagnose_signal(int signal, gboolean sandbox)
{
	static const HvrDiagnosis stopped = {
		.id = "sandbox",
		.meaning =
			"its sandbox stopped a system call that QEMU or a library of it made: set "
			"security.sandbox = no, and report it",
	};
	static const HvrDiagnosis filtered = {
		.id = "filter",
		.meaning =
			"a system call filter around this program (SystemCallFilter= of a unit, a "
			"container) stopped QEMU",
	};
	static const HvrDiagnosis killed = {
		.id = "killed",
		.meaning =
			"either the host ran out of memory and the kernel ended QEMU, or somebody "
			"killed it",
		.kernel_knows = TRUE,
	};
	static const HvrDiagnosis memory = {
		.id = "no-page",
		.meaning =
			"a page of memory was not there when it was used: either the host has too "
			"few free hugepages, or a file system that QEMU maps is full",
		.kernel_knows = TRUE,
	};

	switch (signal) {
	case SIGSYS:
		return sandbox ? &stopped : &filtered;
	case SIGKILL:
		return &killed;
	case SIGBUS:
		return &memory;
	default:
		return NULL;
	}
}
