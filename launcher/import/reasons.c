/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a thing is not in the profile. What stands nowhere here has no key.
 */
#include "launcher/import/table.h"

#include <string.h>

#define L (1U << HVR_IMPORT_LIBVIRT)
#define K (1U << HVR_IMPORT_QUICKEMU)
#define P (1U << HVR_IMPORT_PROXMOX)
#define Q (1U << HVR_IMPORT_QEMU)

typedef struct {
	guint formats;
	const char
		*pattern; /* of GLib's, for "NAME" or "NAME=VALUE"; the first that matches counts */
	const char *why;
	gboolean needless;
} Reason;

#define PLACE  "where a device sits on the guest's buses is the program's to say"
#define BUSES  "the program makes the controllers and ports that it needs"
#define HEARD  "the viewer of a SPICE screen hears it, else nobody: [audio] backend"
#define SCREEN "a screen comes with a display, keyboard and tablet of the program's choice"
#define XHCI   "a profile's USB controller is qemu-xhci"
#define QMP    "the program has QEMU's monitor; its qmp.sock takes a client"
#define RIGHTS "the program has its own user for QEMU, and a sandbox"
#define VIOMMU "a profile has an IOMMU of Intel's and one of virtio's"
#define REMAPS                                                                                     \
	"intel has interrupt remapping and a caching mode, as cards want it; the rest is QEMU's "  \
	"choice"
#define AFTER "what becomes of a VM that ends is said by who starts it"

/* clang-format off */
static const Reason fields[] = {
	/* libvirt */
	{ L, "uuid", "a VM is known by its name", TRUE },
	{ L, "iommu.driver.intremap=on", REMAPS, TRUE },
	{ L, "iommu.driver.caching_mode=on", REMAPS, TRUE },
	{ L, "iommu.driver.*", REMAPS, FALSE },
	{ L, "iommu.a*", PLACE, TRUE },
	{ L, "id", "it was that of a running VM", TRUE },
	{ L, "xmlns*", "it only names where words come from", TRUE },
	{ L, "currentMemory*", "there is no balloon: a card wants all of the memory, always", FALSE },
	{ L, "metadata*", "it is libvirt's tools' own", TRUE },
	{ L, "vcpu.cpuset", "the pin of each CPU says it", TRUE },
	{ L, "vcpu.current", "all CPUs are there from the start", FALSE },
	{ L, "vcpu.placement", "libvirt places nothing here", TRUE },
	{ L, "os.type", "there are only virtual machines with hardware of their own", TRUE },
	{ L, "os.type.arch", "a profile has x86-64", TRUE },
	{ L, "os.boot.dev=hd", "the first disk is booted", TRUE },
	{ L, "os.boot.dev", "the first disk is booted", FALSE },
	{ L, "os.bootmenu.enable=no", "there is none", TRUE },
	{ L, "os.firmware.*", "UEFI's variables are made from the host's own template", FALSE },
	{ L, "os.smbios*", "QEMU's own SMBIOS is taken", FALSE },
	{ L, "sysinfo*", "QEMU's own SMBIOS is taken", FALSE },
	{ L, "os.loader*", "which file it is comes from QEMU's firmware descriptors", TRUE },
	{ L, "os.nvram.*", "UEFI's variables are made from the host's own template", TRUE },
	{ L, "features.acpi", "a q35 has it", TRUE },
	{ L, "features.apic", "a q35 has it", TRUE },
	{ L, "features.smm*", "it comes with Secure Boot", TRUE },
	{ L, "features.vmport*", "a profile has no vmport", FALSE },
	{ L, "features.hyperv.mode=custom", "its parts say it", TRUE },
	{ L, "features.hyperv*", "[cpu] hyperv = yes has what a Windows asks for; [vm] cpu takes more, as hv-NAME", FALSE },
	{ L, "features.ioapic.driver=kvm", "it is KVM's own choice", TRUE },
	{ L, "features.kvm*", "[vm] cpu takes it as a feature: cpu = host,kvm=off", FALSE },
	{ L, "cpu.mode=host-model", "libvirt chooses that model; auto is the host's own", FALSE },
	{ L, "cpu.check", "it is libvirt's own check", TRUE },
	{ L, "cpu.migratable", "a VM with a card is not moved", TRUE },
	{ L, "cpu.match", "it is libvirt's own check", TRUE },
	{ L, "cpu.model.fallback", "it is libvirt's own choice", TRUE },
	{ L, "cpu.numa*", "the guest has one node; that of the host is [memory] node", FALSE },
	{ L, "qemu:commandline.qemu:env*", "what QEMU finds in its environment is the program's to say", FALSE },
	{ L, "qemu:override*", "[device] sub-id and properties take such for a card", FALSE },
	{ L, "cpu.topology.*=1", "the guest sees sockets, cores and threads", TRUE },
	{ L, "cpu.topology.*", "the guest sees sockets, cores and threads", FALSE },
	{ L, "clock.timer*", "QEMU's own timers are taken", TRUE },
	{ L, "on_*", AFTER, TRUE },
	{ L, "pm.*", "a q35 tells its guest that it cannot sleep only where UEFI wants it so", FALSE },
	{ L, "resource*", "systemd or a shell says in which control group the program runs", TRUE },
	{ L, "seclabel*", RIGHTS, TRUE },
	{ L, "memoryBacking.source*", "memory is shared by itself where virtiofs wants it", TRUE },
	{ L, "memoryBacking.access*", "memory is shared by itself where virtiofs wants it", TRUE },
	{ L, "numatune.memory.mode", "a node that is named is bound to", TRUE },
	{ L, "cputune.iothreadpin*", "a disk's thread is where [cpu] emulator-pin says", FALSE },
	{ L, "cputune.*", "systemd or a shell says what share the program has", FALSE },
	{ L, "iothreads", "each disk with iothread = yes has one", TRUE },
	{ L, "iothreadids*", "each disk with iothread = yes has one", TRUE },
	{ L, "graphics.listen*", "a screen is at 127.0.0.1 or a socket", FALSE },
	{ L, "graphics.autoport", "the port says it", TRUE },
	{ L, "graphics.passw*", "a screen has no password: it is not open to the network", FALSE },
	{ L, "graphics.image*", "QEMU's own choice is taken", TRUE },
	{ L, "serial.*", "the first serial port is the machine's own", TRUE },
	{ L, "managed", "a card goes back to its driver by itself: [device] after", TRUE },
	{ L, "mode", "there is one way to pass a card", TRUE },
	{ L, "driver.name", "a card is on vfio-pci, a disk QEMU's, by itself", TRUE },
	{ L, "address.*", PLACE, TRUE },
	{ L, "alias.*", "a section's name is what it is called", TRUE },
	{ L, "backingStore*", "an image knows what is behind it", TRUE },
	{ L, "type", "the path says it", TRUE },
	{ L, "sound.*", "a sound card comes with its codec", TRUE },
	{ L, "tpm.backend.encryption*", "what a TPM keeps is in a file of the VM's user's, as it is", FALSE },
	{ L, "tpm.backend.active_pcr_banks*", "swtpm's own choice is taken", FALSE },
	{ L, "tpm.backend.*", "swtpm is started by run, for a TPM 2.0", TRUE },
	{ L, "tpm.alias.*", "it is libvirt's own name", TRUE },
	{ L, "target.dev", "the guest names its devices", TRUE },
	{ L, "source.index", "it is libvirt's own count", TRUE },
	{ L, "source.network", "it is libvirt's network", TRUE },
	{ L, "source.portid", "it is libvirt's network", TRUE },
	{ L, "mac.address", "the host says which address a card of its own has", FALSE },
	{ L, "vlan.*", "the host says which VLAN it is", FALSE },
	{ L, "accessmode", "the guest's files belong to the VM's user", FALSE },
	{ L, "model.type=virtio*", "the guest sees virtio-net", TRUE },
	{ L, "model.type", "the guest sees virtio-net", FALSE },
	/* quickemu */
	{ K, "guest_os=macos", "quickemu starts it by OpenCore and as a Mac's own machine, which a profile has not", FALSE },
	{ K, "macos_release", "quickemu chooses the machine by it", FALSE },
	{ K, "floppy", "a profile has disks only", FALSE },
	{ K, "width", "the guest chooses its screen's size", TRUE },
	{ K, "height", "the guest chooses its screen's size", TRUE },
	{ K, "guest_os", "it chooses what quickemu does, and what a profile has of that is here", TRUE },
	{ K, "network", "it is the mode", TRUE },
	{ K, "usb_*", XHCI, TRUE },
	{ K, "sound_*", "a sound card comes with its codec", TRUE },
	{ K, "gl", "a profile has no 3D", FALSE },
	{ K, "viewer", "a viewer is started by whoever wants one", TRUE },
	{ K, "keyboard*", SCREEN, TRUE },
	{ K, "mouse*", SCREEN, TRUE },
	{ K, "monitor*", QMP, TRUE },
	{ K, "preallocation", "a new image is made thin", FALSE },
	{ K, "disk_size", "its disk is left out", FALSE },
	{ K, "disk_format", "its disk is left out", FALSE },
	/* Proxmox */
	{ P, "vmgenid", "a profile has no generation id", FALSE },
	{ P, "smbios1", "QEMU's own SMBIOS is taken", FALSE },
	{ P, "meta", "it is Proxmox' own", TRUE },
	{ P, "digest", "it is Proxmox' own", TRUE },
	{ P, "tags", "it is Proxmox' own", TRUE },
	{ P, "description", "it is Proxmox' own", TRUE },
	{ P, "parent", "it is the name of a snapshot", TRUE },
	{ P, "protection", "it is Proxmox' own", TRUE },
	{ P, "template", "it is Proxmox' own", TRUE },
	{ P, "lock", "it is Proxmox' own", TRUE },
	{ P, "onboot", "systemd starts a VM at boot", FALSE },
	{ P, "startup", "systemd starts a VM at boot", FALSE },
	{ P, "ostype", "it chooses what Proxmox does, and what a profile has of that is here", TRUE },
	{ P, "scsihw=virtio-scsi*", BUSES, TRUE },
	{ P, "scsihw", "the guest sees a virtio-scsi", FALSE },
	{ P, "tablet", SCREEN, TRUE },
	{ P, "balloon=0", "there is none", TRUE },
	{ P, "balloon", "there is no balloon: a card wants all of the memory, always", FALSE },
	{ P, "numa=0", "there is none", TRUE },
	{ P, "numa", "one node of the host: [memory] node", FALSE },
	{ P, "numa?", "one node of the host: [memory] node", FALSE },
	{ P, "cpulimit", "systemd or a shell says what share the program has", FALSE },
	{ P, "cpuunits", "systemd or a shell says what share the program has", FALSE },
	{ P, "virtiofs?", "which folder a mapping means only its host knows: [share] path", FALSE },
	{ P, "watchdog", "a profile has no watchdog", FALSE },
	{ P, "keephugepages", "huge pages are the host's own, and stay", TRUE },
	{ P, "vcpus", "all CPUs are there from the start", FALSE },
	{ P, "boot", "the first disk is booted", TRUE },
	{ P, "usb3", XHCI, TRUE },
	{ P, "audio0.driver", HEARD, TRUE },
	{ P, "audio?", "a profile has one sound card", FALSE },
	{ P, "rng?", "the guest has a source of entropy by itself", TRUE },
	{ P, "serial?", "a profile has one serial port", FALSE },
	{ P, "ipconfig?", "a cloud image has its address by DHCP: [cloud-init] user-data says more", FALSE },
	{ P, "nameserver", "[cloud-init] user-data says more", FALSE },
	{ P, "searchdomain", "[cloud-init] user-data says more", FALSE },
	{ P, "cipassword", "a profile has no password: the user has a key, or is logged in on the console", FALSE },
	{ P, "citype", "it is NoCloud", TRUE },
	{ P, "ciupgrade", "[cloud-init] user-data says more", FALSE },
	{ P, "cicustom", "[cloud-init] user-data names such a file", FALSE },
	{ P, "unused?", "no disk of the guest's", TRUE },
	{ P, "hotplug", "cards come and go by plug and unplug", TRUE },
	{ P, "hookscript", "nothing of another program's is run", FALSE },
	{ P, "vga.*", SCREEN, TRUE },
	{ P, "agent.*", "it is Proxmox' own way with the agent", TRUE },
	{ P, "size", "the image is there already", TRUE },
	{ P, "backup", "it is Proxmox' own", TRUE },
	{ P, "replicate", "it is Proxmox' own", TRUE },
	{ P, "model=virtio*", "the guest sees virtio-net", TRUE },
	{ P, "model", "the guest sees virtio-net", FALSE },
	{ P, "firewall", "it is Proxmox' own firewall", FALSE },
	{ P, "tag", "the host's bridge says which VLAN", FALSE },
	{ P, "pcie", "a card is on a PCI Express port", TRUE },
	/* QEMU */
	{ Q, "nodefaults", "it is always so", TRUE },
	{ Q, "no-user-config", "it is always so", TRUE },
	{ Q, "nographic", "without [graphics] there is no screen", TRUE },
	{ Q, "daemonize", "run --detach does it", TRUE },
	{ Q, "pidfile", "status knows the VM", TRUE },
	{ Q, "enable-kvm", "it is said already", TRUE },
	{ Q, "accel.*", "QEMU's own choice is taken", FALSE },
	{ Q, "iommu.intremap=on", REMAPS, TRUE },
	{ Q, "iommu.caching-mode=on", REMAPS, TRUE },
	{ Q, "iommu.addr", PLACE, TRUE },
	{ Q, "iommu.bus", PLACE, TRUE },
	{ Q, "iommu.*", REMAPS, FALSE },
	{ Q, "machine.accel", "it is said already", TRUE },
	{ Q, "monitor", QMP, TRUE },
	{ Q, "qmp", QMP, TRUE },
	{ Q, "mon", QMP, TRUE },
	{ Q, "audiodev", HEARD, FALSE },
	{ Q, "display.*", SCREEN, TRUE },
	{ Q, "vga", SCREEN, TRUE },
	{ Q, "vnc", "there is no screen", TRUE },
	{ Q, "spice.disable-ticketing", "a screen has no password", TRUE },
	{ Q, "spice.addr=127.0.0.1", "a screen is there by itself", TRUE },
	{ Q, "spice.addr=localhost", "a screen is there by itself", TRUE },
	{ Q, "spice.addr", "a screen is at 127.0.0.1 or a socket", FALSE },
	{ Q, "boot.menu*", "the firmware's own menu is there at its key", FALSE },
	{ Q, "boot.strict*", "the first disk is booted", TRUE },
	{ Q, "boot.order", "the first disk is booted", FALSE },
	{ Q, "boot.once", "the first disk is booted", FALSE },
	{ Q, "usb", SCREEN, TRUE },
	{ Q, "usbdevice=tablet", SCREEN, TRUE },
	{ Q, "usbdevice=mouse", SCREEN, TRUE },
	{ Q, "usbdevice=keyboard", SCREEN, TRUE },
	{ Q, "nodefconfig", "it is always so", TRUE },
	{ Q, "rtc.clock=host", "it is QEMU's own choice", TRUE },
	{ Q, "machine.kernel?irqchip=on", "it is KVM's own choice", TRUE },
	{ Q, "machine.usb=off", XHCI, TRUE },
	{ Q, "machine.memory-backend", "the memory's own words say it", TRUE },
	{ Q, "smp.dies=1", "the guest sees sockets, cores and threads", TRUE },
	{ Q, "S", "run starts the guest at once", FALSE },
	{ Q, "file.*", "each node of an image has them", TRUE },
	{ Q, "backing=null", "there is none", TRUE },
	{ Q, "machine.smm=on", "it comes with Secure Boot: [firmware] secure", FALSE },
	{ Q, "parallel=none", "there is none", TRUE },
	{ Q, "audio", HEARD, FALSE },
	{ Q, "uuid", "a VM is known by its name", FALSE },
	{ Q, "sandbox.*", "the sandbox has its own rules", TRUE },
	{ Q, "m.slots", "memory is not plugged", FALSE },
	{ Q, "m.maxmem", "memory is not plugged", FALSE },
	{ Q, "smp.maxcpus", "all CPUs are there from the start", FALSE },
	{ Q, "name.*", "threads have names by themselves", TRUE },
	{ Q, "mem-prealloc", "huge pages are taken at once", TRUE },
	{ Q, "romfile=", "there is no network boot", TRUE },
	{ Q, "serial", "a disk's serial number is its section's name", FALSE },
	{ Q, "bios", "it is said already", TRUE },
	{ Q, "global", "QEMU's defaults are changed by [qemu] args", FALSE },
	{ Q, "balloon", "there is no balloon: a card wants all of the memory, always", FALSE },
	{ Q, "no-reboot", AFTER, FALSE },
	{ Q, "no-shutdown", AFTER, FALSE },
	{ Q, "D", "log shows what QEMU has said", FALSE },
	{ Q, "addr", PLACE, TRUE },
	{ Q, "bus", PLACE, TRUE },
	{ Q, "id", "a section's name is what it is called", TRUE },
	{ Q, "multifunction", PLACE, FALSE },
	{ Q, "bootindex", "the first disk is booted", TRUE },
	{ Q, "discard", "it is said already", TRUE },
	{ Q, "index", PLACE, TRUE },
	{ Q, "auto-read-only", "a disk is read-only where it says so", TRUE },
	{ Q, "model=virtio*", "the guest sees virtio-net", TRUE },
	{ Q, "model", "the guest sees virtio-net", FALSE },
	{ Q, "script=no", "no script is run for an interface", TRUE },
	{ Q, "downscript=no", "no script is run for an interface", TRUE },
	{ Q, "script", "no script is run for an interface", FALSE },
	{ Q, "downscript", "no script is run for an interface", FALSE },
	{ Q, "helper", "run makes a bridge's interface itself", TRUE },
	{ Q, "fsdriver", "a share is by virtiofs, or QEMU's own", TRUE },
	{ Q, "security_model", "the guest's files belong to the VM's user", FALSE },
	{ Q, "fsdev", "it is the share's own", TRUE },
	{ Q, "multidevs", "remap is there by itself", TRUE },
};

/* Of what is no section: what is shown, and behind a blank its first field. */
static const Reason parts[] = {
	{ L, "<emulator>*", "the host's own QEMU is found by itself", TRUE },
	{ L, "<controller>*", BUSES, TRUE },
	{ L, "<console>*", "a console is the serial port", TRUE },
	{ L, "<input>*", SCREEN, TRUE },
	{ L, "<video>*", SCREEN, TRUE },
	{ L, "<rng>*", "the guest has a source of entropy by itself", TRUE },
	{ L, "<memballoon>*", "there is no balloon: a card wants all of the memory, always", TRUE },
	{ L, "<sound>*", "a profile has one sound card", FALSE },
	{ L, "<audio>*", HEARD, FALSE },
	{ L, "<tpm>*", "a profile has a TPM 2.0 of swtpm's", FALSE },
	{ L, "<iommu>*", VIOMMU, FALSE },
	{ L, "<redirdev>*", "a viewer's USB devices are not passed: [usb NAME] has the host's", FALSE },
	{ L, "<shmem>*", "a profile shares no memory with other programs; [qemu] args takes it", FALSE },
	{ L, "<hostdev> subsystem*", "a profile passes PCI functions, and USB devices by their ids", FALSE },
	{ L, "<hostdev>*", "a profile passes PCI functions, and USB devices by their ids", FALSE },
	{ L, "<watchdog>*", "a profile has no watchdog", FALSE },
	{ L, "<graphics>*", "a profile has one screen", FALSE },
	{ L, "<serial>*", "a profile has one serial port", FALSE },
	{ L, "<channel>*", "a channel is the agent's or none", FALSE },
	{ L, "<panic>*", "it comes with [guest] agent", TRUE },
	{ P, "hostpci*", "which card a mapping means only its host knows: [device] address", FALSE },
	{ Q, "-device pcie-root-port*", BUSES, TRUE },
	{ Q, "-device ioh3420*", BUSES, TRUE },
	{ Q, "-device pcie-*", BUSES, TRUE },
	{ Q, "-device virtio-scsi*", BUSES, TRUE },
	{ Q, "-device virtio-serial*", BUSES, TRUE },
	{ Q, "-device ahci*", BUSES, TRUE },
	{ Q, "-device ich9-ahci*", BUSES, TRUE },
	{ Q, "-device qemu-xhci*", SCREEN, TRUE },
	{ Q, "-device nec-usb-xhci*", SCREEN, TRUE },
	{ Q, "-device usb-ehci*", XHCI, TRUE },
	{ Q, "-device *-usb-?hci*", XHCI, TRUE },
	{ Q, "-device virtio-keyboard*", SCREEN, TRUE },
	{ Q, "-device virtio-mouse*", SCREEN, TRUE },
	{ Q, "-device virtio-tablet*", SCREEN, TRUE },
	{ Q, "-device usb-tablet*", SCREEN, TRUE },
	{ Q, "-device usb-kbd*", SCREEN, TRUE },
	{ Q, "-device usb-mouse*", SCREEN, TRUE },
	{ Q, "-device usb-host*", "by its number it is another device after each plugging in: [usb NAME] match or port", FALSE },
	{ Q, "-device virtio-vga*", SCREEN, TRUE },
	{ Q, "-device virtio-gpu*", SCREEN, TRUE },
	{ Q, "-device VGA*", SCREEN, TRUE },
	{ Q, "-device qxl*", SCREEN, TRUE },
	{ Q, "-device isa-serial*", "the first serial port is the machine's own", TRUE },
	{ Q, "-device virtio-rng*", "the guest has a source of entropy by itself", TRUE },
	{ Q, "-device virtio-balloon*", "there is no balloon: a card wants all of the memory, always", FALSE },
	{ Q, "-device pvpanic*", "it comes with [guest] agent", TRUE },
	{ Q, "-device *-iommu*", VIOMMU, FALSE },
	{ Q, "-device tpm*", "a profile has a TPM 2.0 of swtpm's", FALSE },
	{ Q, "-tpmdev *", "a profile has a TPM 2.0 of swtpm's", FALSE },
	{ Q, "-device hda-*", "a sound card comes with its codec", TRUE },
	{ Q, "-device *intel-hda*", "a profile has one sound card", FALSE },
	{ Q, "-device vhost-user-fs*", "the folder is in virtiofsd's words, not in these: [share] path", FALSE },
	{ Q, "-device *", "a profile has no such device; [qemu] args takes it", FALSE },
	{ Q, "-object iothread*", "each disk with iothread = yes has one", TRUE },
	{ Q, "-object rng*", "the guest has a source of entropy by itself", TRUE },
	{ Q, "-object memory-backend-memfd*", "memory is shared by itself where virtiofs wants it", TRUE },
	{ Q, "-object *", "what needs it is not in the profile", FALSE },
	{ Q, "-chardev *", "where it leads is the program's to say", FALSE },
	{ Q, "-drive *", "no -device has it", FALSE },
	{ Q, "-blockdev *", "no -device has it", FALSE },
	{ Q, "-netdev *", "no -device has it", FALSE },
	{ Q, "-fsdev *", "no -device has it", FALSE },
};
/* clang-format on */

/* (nullable) */
static const Reason *find(const Reason *reasons, gsize n, HvrImportFormat format, const char *name,
			  const char *value)
{
	g_autofree char *both = g_strconcat(name, "=", value, NULL);

	for (gsize i = 0; i < n; i++) {
		const char *text = strchr(reasons[i].pattern, '=') ? both : name;
		if ((reasons[i].formats & 1U << format) &&
		    g_pattern_match_simple(reasons[i].pattern, text))
			return &reasons[i];
	}
	return NULL;
}

HvrImportReason hvr_import_field_reason(const HvrImportPart *part, const HvrImportField *field)
{
	gboolean word = part->format == HVR_IMPORT_QEMU && !part->section;
	const Reason *reason =
		find(fields, G_N_ELEMENTS(fields), part->format, field->name, field->value);

	if (reason)
		return (HvrImportReason){ reason->why, reason->needless };
	return (HvrImportReason){ .why = word ? "a profile has no key for it; [qemu] args takes it"
					      : "a profile has no key for it" };
}

HvrImportReason hvr_import_part_reason(const HvrImportPart *part)
{
	const HvrImportField *first = part->fields->len ? g_ptr_array_index(part->fields, 0) : NULL;
	g_autofree char *text = g_strconcat(part->shown, " ", first ? first->value : "", NULL);
	const Reason *reason = find(parts, G_N_ELEMENTS(parts), part->format, text, "");

	if (reason)
		return (HvrImportReason){ reason->why, reason->needless };
	return (HvrImportReason){ .why = "a profile has no such thing" };
}

const char *hvr_import_part_refusal(const HvrImportPart *part)
{
	static const char *const names[] = { "media", "device" };

	if (g_strcmp0(part->section, "disk") != 0)
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *media = hvr_import_get(part, names[i]);
		if (g_str_equal(media, "floppy") || g_str_equal(media, "lun"))
			return "a profile has disks only";
	}
	return NULL;
}
