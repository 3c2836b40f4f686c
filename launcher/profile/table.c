/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every section and key of a profile, once. A new key is one entry here and, where it is of a new
 * kind, one parser in values*.c; what depends on two keys is checked in check.c.
 *
 * A default is a text that goes through the same parser as the user's, so that help, manual and
 * behaviour cannot differ.
 */
#include "launcher/profile/table.h"

#include <stddef.h>
#include <string.h>

#include "launcher/profile/machine.h"
#include "launcher/profile/profile.h"
#include "launcher/profile/values.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define TIB (G_GUINT64_CONSTANT(1) << 40)

/* The size of Linux' IFNAMSIZ without its NUL. */
#define INTERFACE_LENGTH 15

#define SELECTOR "match, address and path"

#define WORDS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define SWITCH WORDS("no", "yes", "off", "on", "false", "true")

#define VM(field)     offsetof(HvrProfile, field)
#define DEVICE(field) offsetof(HvrProfileDevice, field)
#define DISK(field)   offsetof(HvrProfileDisk, field)
#define NET(field)    offsetof(HvrProfileNet, field)
#define SHARE(field)  offsetof(HvrProfileShare, field)
#define USB(field)    offsetof(HvrProfileUsb, field)
#define INPUT(field)  offsetof(HvrProfileInput, field)

/* clang-format off */
static const HvrProfileKey vm_keys[] = {
	{ .name = "name", .parse = hvr_value_vm_name, .offset = VM(name),
	  .sample = "lab", .help = "the VM's name, or auto: one that is free; default: the file's name" },
	{ .name = "memory", .parse = hvr_value_size, .offset = VM(memory_bytes),
	  .min = 16 * MIB, .max = 16 * TIB, .required = TRUE,
	  .sample = "4G", .help = "RAM; all of it is locked while the VM has a card" },
	{ .name = "cpus", .parse = hvr_value_number, .offset = VM(cpus),
	  .min = 1, .max = 512, .fallback = "2", .sample = "4", .help = "virtual CPUs" },
	{ .name = "accel", .parse = hvr_value_choice, .offset = VM(accel),
	  .words = WORDS("auto", "kvm", "tcg"), .fallback = "auto", .sample = "kvm",
	  .help = "auto: kvm where it works, else tcg and a warning" },
	{ .name = "cpu", .parse = hvr_value_word, .offset = VM(cpu),
	  .max = 256, .characters = "-_.,+=:", .fallback = "auto", .sample = "host",
	  .help = "auto: host with kvm, max with tcg; or any model of QEMU" },
	{ .name = "machine", .parse = hvr_value_machine, .offset = VM(machine),
	  .max = 64, .characters = "-_.", .fallback = HVR_MACHINE_DEFAULT, .sample = "pc-q35-9.2",
	  .help = "QEMU's machine: q35 or one of its versions" },
	{ .name = "rtc", .parse = hvr_value_choice, .offset = VM(rtc),
	  .words = WORDS("utc", "localtime"), .fallback = "utc", .sample = "localtime",
	  .help = "what the guest's hardware clock shows; Windows takes it for local time" },
	{ .name = "warm", .parse = hvr_value_choice, .offset = VM(warm),
	  .words = WORDS("no", "auto", "require"), .fallback = "no", .sample = "auto",
	  .help = "begin with a guest that was saved when it was ready, not with a boot" },
	{ .name = "iommu", .parse = hvr_value_choice, .offset = VM(iommu),
	  .words = WORDS("none", "intel", "virtio"), .fallback = "none", .sample = "intel",
	  .help = "an IOMMU of the guest's own, in front of its cards" },
	{ .name = "include", .parse = hvr_value_path, .offset = VM(include),
	  .sample = "base.ini", .help = "another profile, which is read first" },
};

static const HvrProfileKey memory_keys[] = {
	{ .name = "hugepages", .parse = hvr_value_choice, .offset = VM(memory.hugepages),
	  .words = WORDS("no", "2M", "1G"), .fallback = "no", .sample = "2M",
	  .help = "RAM in the host's huge pages, which must be reserved before" },
	{ .name = "locked", .parse = hvr_value_switch, .offset = VM(memory.locked),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "lock all of QEMU's memory, also without a card" },
	{ .name = "node", .parse = hvr_value_node, .offset = VM(memory.node),
	  .fallback = "auto", .sample = "0",
	  .help = "NUMA node of the RAM; auto: the card's where it has room; any" },
};

static const HvrProfileKey cpu_keys[] = {
	{ .name = "sockets", .parse = hvr_value_number, .offset = VM(processor.sockets),
	  .min = 1, .max = 512, .sample = "1", .help = "sockets that the guest sees" },
	{ .name = "cores", .parse = hvr_value_number, .offset = VM(processor.cores),
	  .min = 1, .max = 512, .sample = "2", .help = "cores of each socket" },
	{ .name = "threads", .parse = hvr_value_number, .offset = VM(processor.threads),
	  .min = 1, .max = 512, .sample = "1", .help = "threads of each core" },
	{ .name = "pin", .parse = hvr_value_pin, .offset = VM(processor), .max = 1023,
	  .sample = "0-3,8", .help = "the host's CPUs that QEMU may run on, or 0:2, 1:3 for each virtual CPU" },
	{ .name = "emulator-pin", .parse = hvr_value_cpus, .offset = VM(processor.emulator), .max = 1023,
	  .sample = "0-1", .help = "the host's CPUs for all of QEMU but the virtual CPUs of pin" },
	{ .name = "hyperv", .parse = hvr_value_switch, .offset = VM(processor.hyperv),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "Hyper-V's interfaces, which let a Windows idle and keep time; with KVM only" },
};

static const HvrProfileKey device_keys[] = {
	{ .name = "match", .parse = hvr_value_match,
	  .fallback = "1e60:2864", .one_of = SELECTOR, .sample = "1e60:2864",
	  .help = "the card by VENDOR:DEVICE" },
	{ .name = "address", .parse = hvr_value_address,
	  .one_of = SELECTOR, .sample = "0000:02:00.0", .help = "the card by its PCI address" },
	{ .name = "path", .parse = hvr_value_pci_path,
	  .one_of = SELECTOR, .sample = "00:1c.4/00.0",
	  .help = "the card by the slots on the way to it; survives renumbering" },
	{ .name = "pick", .parse = hvr_value_choice, .offset = DEVICE(pick),
	  .words = WORDS("only", "free"), .fallback = "only", .sample = "free",
	  .help = "only: exactly one card may match; free: the first that nobody uses" },
	{ .name = "reset", .parse = hvr_value_reset, .offset = DEVICE(reset),
	  .words = WORDS("device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus"),
	  .fallback = "auto", .sample = "bus",
	  .help = "resets left to the kernel: auto, keep, none, or a list" },
	{ .name = "reset-guard", .parse = hvr_value_choice, .offset = DEVICE(reset_guard),
	  .words = WORDS("auto", "require", "off"), .fallback = "auto", .sample = "require",
	  .help = "the module that keeps bus resets away: auto, require, off (not loaded for it)" },
	{ .name = "group", .parse = hvr_value_choice, .offset = DEVICE(group),
	  .words = WORDS("refuse", "bind", "pass"), .fallback = "refuse", .sample = "bind",
	  .help = "other endpoints of the IOMMU group: refuse, bind to vfio-pci, pass" },
	{ .name = "after", .parse = hvr_value_choice, .offset = DEVICE(after),
	  .words = WORDS("restore", "keep"), .fallback = "restore", .sample = "keep",
	  .help = "restore: back to the host driver; keep: stay on vfio-pci" },
	{ .name = "deadline", .parse = hvr_value_seconds, .offset = DEVICE(deadline_ms),
	  .min = 1, .max = 600, .fallback = "10", .sample = "30",
	  .help = "seconds for each unbind, bind and probe" },
	{ .name = "rombar", .parse = hvr_value_switch, .offset = DEVICE(rombar),
	  .words = SWITCH, .fallback = "yes", .sample = "no",
	  .help = "no: the guest sees no ROM of the card, and its firmware starts nothing from it" },
	{ .name = "romfile", .parse = hvr_value_path, .offset = DEVICE(romfile),
	  .sample = "card.rom", .help = "a file that is the card's ROM for the guest" },
	{ .name = "sub-id", .parse = hvr_value_sub_id,
	  .sample = "1e60:2864", .help = "subsystem ids that the guest sees, VENDOR:DEVICE" },
	{ .name = "properties", .parse = hvr_value_properties, .offset = DEVICE(properties),
	  .sample = "x-no-mmap=on", .help = "more of the properties of QEMU's vfio-pci" },
	{ .name = "slot", .parse = hvr_value_slot, .offset = DEVICE(slot),
	  .sample = "0x0f",
	  .help = "the slot of the guest that its port has for itself, whatever else there is" },
	{ .name = "with", .parse = hvr_value_word, .offset = DEVICE(with),
	  .max = 31, .characters = "-_", .sample = "npu",
	  .help = "an earlier [device] section, whose slot of the guest it is in as one more function" },
};

static const HvrProfileKey boot_keys[] = {
	{ .name = "kernel", .parse = hvr_value_path, .offset = VM(kernel),
	  .sample = "vmlinuz", .help = "boot this kernel instead of a disk" },
	{ .name = "initrd", .parse = hvr_value_initrd, .offset = VM(initrd),
	  .sample = "initrd.img", .help = "its initial RAM disk" },
	{ .name = "cmdline", .parse = hvr_value_text, .offset = VM(cmdline), .max = 2047,
	  .sample = "console=ttyS0 root=/dev/vda1", .help = "its command line" },
};

static const HvrProfileKey firmware_keys[] = {
	{ .name = "mode", .parse = hvr_value_choice, .offset = VM(firmware.uefi),
	  .words = WORDS("bios", "uefi"), .fallback = "bios", .sample = "uefi",
	  .help = "bios: QEMU's own; uefi: as QEMU's firmware descriptors have it" },
	{ .name = "secure", .parse = hvr_value_switch, .offset = VM(firmware.secure),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "UEFI with Secure Boot, which boots signed systems only" },
	{ .name = "code", .parse = hvr_value_path, .offset = VM(firmware.code),
	  .sample = "OVMF_CODE.fd",
	  .help = "a UEFI of one's own, whose vars have to be there" },
	{ .name = "vars", .parse = hvr_value_path, .offset = VM(firmware.vars),
	  .sample = "lab.vars.fd",
	  .help = "UEFI's variables, made when missing; default: NAME.vars.fd" },
};

static const HvrProfileKey tpm_keys[] = {
	{ .name = "model", .parse = hvr_value_choice, .offset = VM(tpm.model),
	  .words = WORDS("none", "crb", "tis"), .fallback = "none", .sample = "crb",
	  .help = "a TPM 2.0, which a swtpm of this host is: crb as in newer machines, or tis" },
	{ .name = "state", .parse = hvr_value_path, .offset = VM(tpm.state),
	  .sample = "lab.tpm",
	  .help = "what it keeps, made when missing; default: NAME.tpm" },
};

static const HvrProfileKey disk_keys[] = {
	{ .name = "file", .parse = hvr_value_path, .offset = DISK(file), .required = TRUE,
	  .sample = "root.qcow2", .help = "the image" },
	{ .name = "format", .parse = hvr_value_choice, .offset = DISK(format),
	  .words = WORDS("qcow2", "raw"), .fallback = "qcow2", .sample = "raw",
	  .help = "qcow2 or raw; never guessed" },
	{ .name = "size", .parse = hvr_value_size, .offset = DISK(size_bytes),
	  .min = MIB, .max = 64 * TIB, .sample = "20G",
	  .help = "make the image, of this size, when its file is missing" },
	{ .name = "base", .parse = hvr_value_path, .offset = DISK(base),
	  .sample = "cloud.qcow2",
	  .help = "the image that such a new one is made on top of, and which stays as it is" },
	{ .name = "media", .parse = hvr_value_choice, .offset = DISK(cdrom),
	  .words = WORDS("disk", "cdrom"), .fallback = "disk", .sample = "cdrom",
	  .help = "cdrom: an ISO image as a CD or DVD, such as an installer's" },
	{ .name = "bus", .parse = hvr_value_choice, .offset = DISK(bus),
	  .words = WORDS("virtio", "nvme", "sata", "scsi"), .fallback = "virtio", .sample = "nvme",
	  .help = "what the guest sees: virtio (vda), nvme (nvme0n1), sata or scsi (sda)" },
	{ .name = "snapshot", .parse = hvr_value_switch, .offset = DISK(snapshot),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "writes go to a throw-away file; the image stays as it is" },
	{ .name = "readonly", .parse = hvr_value_switch, .offset = DISK(readonly),
	  .words = SWITCH, .fallback = "no", .sample = "yes", .help = "the guest cannot write" },
	{ .name = "cache", .parse = hvr_value_choice, .offset = DISK(cache),
	  .words = WORDS("writeback", "none", "writethrough", "directsync", "unsafe"),
	  .fallback = "writeback", .sample = "none",
	  .help = "what the host keeps of the image: QEMU's cache modes" },
	{ .name = "aio", .parse = hvr_value_choice, .offset = DISK(aio),
	  .words = WORDS("threads", "native", "io_uring"), .fallback = "threads", .sample = "io_uring",
	  .help = "how QEMU waits for the disk; native wants cache = none or directsync" },
	{ .name = "discard", .parse = hvr_value_choice, .offset = DISK(discard),
	  .words = WORDS("ignore", "unmap"), .fallback = "unmap", .sample = "ignore",
	  .help = "unmap: what the guest gives up is given back to the host" },
	{ .name = "detect-zeroes", .parse = hvr_value_choice, .offset = DISK(zeroes),
	  .words = WORDS("off", "on", "unmap"), .fallback = "off", .sample = "unmap",
	  .help = "zeroes that the guest writes are no data; unmap: they are given back, too" },
	{ .name = "iothread", .parse = hvr_value_switch, .offset = DISK(iothread),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "a thread of QEMU's for this disk alone, on virtio and scsi" },
};

static const HvrProfileKey net_keys[] = {
	{ .name = "mode", .parse = hvr_value_choice, .offset = NET(mode),
	  .words = WORDS("none", "user", "bridge", "tap"), .fallback = "user", .sample = "bridge",
	  .help = "user: NAT inside QEMU; bridge, tap: on the host's network; none" },
	{ .name = "forward", .parse = hvr_value_forwards, .offset = NET(forwards),
	  .sample = "tcp:127.0.0.1:2222-22",
	  .help = "host ports that lead into the guest, separated by blanks or ;" },
	{ .name = "bridge", .parse = hvr_value_interface, .offset = NET(bridge),
	  .max = INTERFACE_LENGTH, .characters = "-_.", .sample = "br0",
	  .help = "the host's bridge for mode = bridge" },
	{ .name = "tap", .parse = hvr_value_interface, .offset = NET(tap),
	  .max = INTERFACE_LENGTH, .characters = "-_.", .sample = "tap0",
	  .help = "the host's interface for mode = tap" },
	{ .name = "mac", .parse = hvr_value_mac, .offset = NET(mac),
	  .sample = "52:54:00:12:34:56", .help = "default: made from the names of VM and net" },
};

static const HvrProfileKey share_keys[] = {
	{ .name = "path", .parse = hvr_value_folder, .offset = SHARE(path), .required = TRUE,
	  .sample = "work", .help = "a folder of the host" },
	{ .name = "tag", .parse = hvr_value_word, .offset = SHARE(tag),
	  .max = 31, .characters = "-_.", .sample = "work",
	  .help = "what the guest mounts it by; default: the section's name" },
	{ .name = "readonly", .parse = hvr_value_switch, .offset = SHARE(readonly),
	  .words = SWITCH, .fallback = "no", .sample = "yes", .help = "the guest cannot write" },
	{ .name = "via", .parse = hvr_value_choice, .offset = SHARE(via),
	  .words = WORDS("auto", "virtiofs", "9p"), .fallback = "auto", .sample = "9p",
	  .help = "auto: virtiofs where a virtiofsd works without root, else 9p" },
};

static const HvrProfileKey usb_keys[] = {
	{ .name = "match", .parse = hvr_value_usb_match, .one_of = "match and port",
	  .sample = "046d:c52b", .help = "the device by VENDOR:PRODUCT, as lsusb shows it" },
	{ .name = "port", .parse = hvr_value_usb_port, .offset = USB(port), .one_of = "match and port",
	  .sample = "1-2.3", .help = "whatever is plugged in there, as /sys/bus/usb/devices names it" },
};

static const HvrProfileKey input_keys[] = {
	{ .name = "evdev", .parse = hvr_value_path, .offset = INPUT(evdev), .required = TRUE,
	  .sample = "/dev/input/by-id/usb-keyboard-event-kbd",
	  .help = "the node of a keyboard or pointer, below /dev/input" },
	{ .name = "leads", .parse = hvr_value_switch, .offset = INPUT(leads),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "both Ctrl keys here take all of them to the guest, and back" },
	{ .name = "repeat", .parse = hvr_value_switch, .offset = INPUT(repeat),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "the guest gets repeated keys of the host's" },
};

static const HvrProfileKey seed_keys[] = {
	{ .name = "user-data", .parse = hvr_value_path, .offset = VM(seed.user_data),
	  .sample = "user-data.yaml", .help = "what cloud-init does at the first start" },
	{ .name = "meta-data", .parse = hvr_value_path, .offset = VM(seed.meta_data),
	  .sample = "meta-data.yaml", .help = "in place of ssh-key and hostname" },
	{ .name = "ssh-key", .parse = hvr_value_ssh_key, .offset = VM(seed),
	  .sample = "id_ed25519.pub", .help = "a public key, or a file with some, for the guest's user" },
	{ .name = "user", .parse = hvr_value_word, .offset = VM(seed.user),
	  .max = 32, .characters = "-_", .sample = "me",
	  .help = "the guest's user, as whom ssh logs in; default: the image's own" },
	{ .name = "autologin", .parse = hvr_value_switch, .offset = VM(seed.autologin),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "log that user in on the serial console" },
	{ .name = "agent", .parse = hvr_value_switch, .offset = VM(seed.agent),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "install qemu-guest-agent at the first start" },
	{ .name = "hostname", .parse = hvr_value_word, .offset = VM(seed.hostname),
	  .max = 253, .characters = "-.", .sample = "lab",
	  .help = "the guest's name; default: the VM's" },
};

static const HvrProfileKey graphics_keys[] = {
	{ .name = "mode", .parse = hvr_value_choice, .offset = VM(graphics),
	  .words = WORDS("none", "vnc", "spice"), .fallback = "none", .sample = "vnc",
	  .help = "a screen, keyboard and pointer; without a password" },
	{ .name = "port", .parse = hvr_value_screen_port, .offset = VM(graphics_port),
	  .min = 5900, .max = 65535, .sample = "5901",
	  .help = "at 127.0.0.1, for every user of this host, or auto; default: a socket for the "
		  "caller" },
};

static const HvrProfileKey audio_keys[] = {
	{ .name = "model", .parse = hvr_value_choice, .offset = VM(sound),
	  .words = WORDS("none", "hda", "virtio"), .fallback = "none", .sample = "hda",
	  .help = "a sound card: hda, as every system knows it, or virtio, from QEMU 8.2 on" },
	{ .name = "backend", .parse = hvr_value_choice, .offset = VM(sound_to),
	  .words = WORDS("auto", "none", "spice"), .fallback = "auto", .sample = "spice",
	  .help = "who hears it: spice: the screen's viewer; none: nobody; auto: the viewer, if any" },
};

static const HvrProfileKey serial_keys[] = {
	{ .name = "mode", .parse = hvr_value_choice, .offset = VM(serial),
	  .words = WORDS("none", "stdio", "file", "socket"), .fallback = "stdio",
	  .sample = "file", .help = "where the guest's first serial port goes" },
	{ .name = "file", .parse = hvr_value_path, .offset = VM(serial_file),
	  .sample = "serial.log", .help = "the file for mode = file" },
};

static const HvrProfileKey guest_keys[] = {
	{ .name = "agent", .parse = hvr_value_switch, .offset = VM(guest.agent),
	  .words = SWITCH, .fallback = "no", .sample = "yes",
	  .help = "a port for qemu-guest-agent, which exec and verify need" },
	{ .name = "ready", .parse = hvr_value_ready, .offset = VM(guest),
	  .fallback = "none", .sample = "serial:login:",
	  .help = "the guest is up: none, agent, serial:PATTERN, tcp:PORT (of the host)" },
	{ .name = "warm-script", .parse = hvr_value_path, .offset = VM(guest.warm_script),
	  .sample = "warm.sh", .help = "for the guest's shell, before the guest is saved" },
	{ .name = "hailort-min", .parse = hvr_value_version, .offset = VM(guest.hailort_min),
	  .fallback = "4.20", .sample = "4.23.0", .help = "the oldest HailoRT that verify accepts" },
};

static const HvrProfileKey security_keys[] = {
	{ .name = "user", .parse = hvr_value_word, .offset = VM(user),
	  .max = 32, .characters = "-_.", .sample = "hailo-vm",
	  .help = "who QEMU runs as; default: the invoking sudo user, else hailo-vm, else nobody" },
	{ .name = "sandbox", .parse = hvr_value_switch, .offset = VM(sandbox),
	  .words = SWITCH, .fallback = "yes", .sample = "no", .help = "QEMU's seccomp filter" },
};

static const HvrProfileKey qemu_keys[] = {
	{ .name = "binary", .parse = hvr_value_program, .offset = VM(qemu_binary),
	  .max = 4096, .characters = "-_./+", .fallback = HVR_MACHINE_DEFAULT_BINARY,
	  .sample = "/usr/libexec/qemu-kvm", .help = "a name to look up in PATH, or a path" },
	{ .name = "first-args", .parse = hvr_value_shell_words, .offset = VM(qemu_first_args),
	  .sample = "-device i82801b11-bridge",
	  .help = "words for QEMU that have to stand before all devices" },
	{ .name = "args", .parse = hvr_value_shell_words, .offset = VM(qemu_args),
	  .sample = "-rtc clock=vm", .help = "more words for QEMU, quoted as for a shell" },
};

static const HvrProfileSection sections[] = {
	{ .name = "vm", .n_keys = G_N_ELEMENTS(vm_keys), .keys = vm_keys,
	  .help = "the machine" },
	{ .name = "device", .named = TRUE, .most = 32,
	  .list_offset = VM(devices), .entry_size = sizeof(HvrProfileDevice),
	  .n_keys = G_N_ELEMENTS(device_keys), .keys = device_keys,
	  .help = "a card; its name is QEMU's id and what unplug takes" },
	{ .name = "boot", .n_keys = G_N_ELEMENTS(boot_keys), .keys = boot_keys,
	  .help = "a kernel instead of a disk" },
	{ .name = "firmware", .n_keys = G_N_ELEMENTS(firmware_keys), .keys = firmware_keys,
	  .help = "what starts the guest's system" },
	{ .name = "tpm", .n_keys = G_N_ELEMENTS(tpm_keys), .keys = tpm_keys,
	  .help = "a TPM, which keeps keys for the guest" },
	{ .name = "disk", .named = TRUE, .most = 16,
	  .list_offset = VM(disks), .entry_size = sizeof(HvrProfileDisk),
	  .n_keys = G_N_ELEMENTS(disk_keys), .keys = disk_keys,
	  .help = "a disk; the first one is booted" },
	{ .name = "net", .named = TRUE, .most = 8,
	  .list_offset = VM(nets), .entry_size = sizeof(HvrProfileNet),
	  .n_keys = G_N_ELEMENTS(net_keys), .keys = net_keys,
	  .help = "a network card" },
	{ .name = "share", .named = TRUE, .most = 8,
	  .list_offset = VM(shares), .entry_size = sizeof(HvrProfileShare),
	  .n_keys = G_N_ELEMENTS(share_keys), .keys = share_keys,
	  .help = "a folder of the host for the guest" },
	{ .name = "usb", .named = TRUE, .most = 8,
	  .list_offset = VM(usbs), .entry_size = sizeof(HvrProfileUsb),
	  .n_keys = G_N_ELEMENTS(usb_keys), .keys = usb_keys,
	  .help = "a USB device of the host for the guest" },
	{ .name = "input", .named = TRUE, .most = 8,
	  .list_offset = VM(inputs), .entry_size = sizeof(HvrProfileInput),
	  .n_keys = G_N_ELEMENTS(input_keys), .keys = input_keys,
	  .help = "a keyboard or pointer of the host for the guest" },
	{ .name = "cloud-init", .n_keys = G_N_ELEMENTS(seed_keys), .keys = seed_keys,
	  .help = "what a cloud image is told at its start" },
	{ .name = "graphics", .n_keys = G_N_ELEMENTS(graphics_keys), .keys = graphics_keys,
	  .help = "a screen" },
	{ .name = "audio", .n_keys = G_N_ELEMENTS(audio_keys), .keys = audio_keys,
	  .help = "a sound card" },
	{ .name = "serial", .n_keys = G_N_ELEMENTS(serial_keys), .keys = serial_keys,
	  .help = "the first serial port" },
	{ .name = "memory", .n_keys = G_N_ELEMENTS(memory_keys), .keys = memory_keys,
	  .help = "where its RAM is" },
	{ .name = "cpu", .n_keys = G_N_ELEMENTS(cpu_keys), .keys = cpu_keys,
	  .help = "how its CPUs are laid out, and where they run" },
	{ .name = "guest", .n_keys = G_N_ELEMENTS(guest_keys), .keys = guest_keys,
	  .help = "what is expected of the guest" },
	{ .name = "security", .n_keys = G_N_ELEMENTS(security_keys), .keys = security_keys,
	  .help = "what QEMU may do" },
	{ .name = "qemu", .n_keys = G_N_ELEMENTS(qemu_keys), .keys = qemu_keys,
	  .help = "QEMU itself" },
	{ .name = NULL },
};
/* clang-format on */

G_STATIC_ASSERT(G_N_ELEMENTS(device_keys) <= HVR_PROFILE_KEYS_MAX);
G_STATIC_ASSERT(offsetof(HvrProfileDevice, id) == 0);
G_STATIC_ASSERT(offsetof(HvrProfileDisk, id) == 0);
G_STATIC_ASSERT(offsetof(HvrProfileNet, id) == 0);
G_STATIC_ASSERT(offsetof(HvrProfileShare, id) == 0);
G_STATIC_ASSERT(offsetof(HvrProfileUsb, id) == 0);
G_STATIC_ASSERT(offsetof(HvrProfileInput, id) == 0);

const HvrProfileSection *hvr_profile_table(gsize *out_length)
{
	if (out_length)
		*out_length = G_N_ELEMENTS(sections) - 1;
	return sections;
}

const HvrProfileSection *hvr_profile_section(const char *name)
{
	for (const HvrProfileSection *section = sections; section->name; section++)
		if (strcmp(section->name, name) == 0)
			return section;
	return NULL;
}

int hvr_profile_key_index(const HvrProfileSection *section, const char *name)
{
	for (gsize i = 0; i < section->n_keys; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return i;
	return -1;
}
