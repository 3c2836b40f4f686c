/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each key of a profile is called by libvirt, quickemu, Proxmox and QEMU.
 */
#include "launcher/import/table.h"

#include <string.h>

#include "launcher/import/formats.h"

static HvrImportValue kept(char *value)
{
	return (HvrImportValue){ .value = value };
}

static HvrImportValue left(const char *why)
{
	return (HvrImportValue){ .why = why };
}

static HvrImportValue needless(const char *why)
{
	return (HvrImportValue){ .why = why, .needless = TRUE };
}

/* One row of a list that turns words into others. */
typedef struct {
	const char *from, *to;
} Word;

/* NULL: @value is none of them. The last has no from. */
static const char *find_word(const Word *words, const char *value)
{
	for (; words->from; words++)
		if (g_ascii_strcasecmp(words->from, value) == 0)
			return words->to;
	return NULL;
}

char *hvr_import_plain_name(const char *text)
{
	g_autoptr(GString) name = g_string_new(NULL);

	for (const char *c = text; *c && name->len < 63; c++) {
		if (g_ascii_isalnum(*c))
			g_string_append_c(name, g_ascii_tolower(*c));
		else if (name->len && name->str[name->len - 1] != '-')
			g_string_append_c(name, '-');
	}
	while (name->len && name->str[name->len - 1] == '-')
		g_string_truncate(name, name->len - 1);
	return g_strdup(name->str);
}

static HvrImportValue to_name(const char *value)
{
	g_autofree char *name = hvr_import_plain_name(value);

	if (!*name || g_str_equal(name, "auto"))
		return left("it is no name that a VM can have");
	return kept(g_steal_pointer(&name));
}

/* A number alone counts MiB, as it does for QEMU and Proxmox. "8GB" is "8G" to quickemu. */
static HvrImportValue to_size(const char *value)
{
	g_autofree char *size = g_ascii_strup(value, -1);
	gsize n = strlen(size);

	if (n > 2 && size[n - 1] == 'B')
		size[--n] = '\0';
	if (n && strspn(size, "0123456789") == n)
		return kept(g_strconcat(size, "M", NULL));
	return kept(g_steal_pointer(&size));
}

static HvrImportValue to_switch(const char *value)
{
	static const Word words[] = { { "", "yes" },	      { "on", "yes" },	 { "yes", "yes" },
				      { "true", "yes" },      { "1", "yes" },	 { "off", "no" },
				      { "no", "no" },	      { "false", "no" }, { "0", "no" },
				      { "enabled=1", "yes" }, { NULL, NULL } };
	const char *word = find_word(words, value);

	return word ? kept(g_strdup(word)) : left("it is neither yes nor no");
}

static HvrImportValue to_accel(const char *value)
{
	static const Word words[] = { { "kvm", "kvm" },	     { "tcg", "tcg" }, { "qemu", "tcg" },
				      { "kvm:tcg", "auto" }, { "1", "kvm" },   { "0", "tcg" },
				      { "on", "kvm" },	     { NULL, NULL } };
	const char *word = find_word(words, value);

	return word ? kept(g_strdup(word)) : left("a profile has kvm and tcg");
}

static HvrImportValue to_cpu(const char *value)
{
	if (g_str_has_prefix(value, "x86-64-v") || g_str_has_prefix(value, "custom-"))
		return left(
			"it is a name of Proxmox' own; auto is the host's, and any model of QEMU "
			"can be said");
	return kept(g_strdup(value));
}

/* "pc-q35-8.1+pve0" is QEMU's own without what Proxmox adds. */
static HvrImportValue to_machine(const char *value)
{
	return kept(g_strndup(value, strcspn(value, "+")));
}

static HvrImportValue to_rtc(const char *value)
{
	static const Word words[] = { { "utc", "utc" },
				      { "localtime", "localtime" },
				      { "1", "localtime" },
				      { "0", "utc" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	return word ? kept(g_strdup(word)) : left("a profile has utc and localtime");
}

static HvrImportValue to_iommu(const char *value)
{
	static const Word words[] = { { "intel", "intel" },
				      { "intel-iommu", "intel" },
				      { "virtio", "virtio" },
				      { "virtio-iommu-pci", "virtio" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	return word ? kept(g_strdup(word)) : left("a profile has intel and virtio");
}

static HvrImportValue to_pages(const char *value)
{
	static const Word words[] = { { "", "2M" },	      { "2M", "2M" },
				      { "2", "2M" },	      { "1024M", "1G" },
				      { "1G", "1G" },	      { "1024", "1G" },
				      { "any", "2M" },	      { "2097152", "2M" },
				      { "1073741824", "1G" }, { NULL, NULL } };
	const char *word = find_word(words, value);

	/* a folder, which people name after its pages, or as the kernel does, in KiB */
	if (!word && strstr(value, "hugepages"))
		word = strstr(value, "1G") || strstr(value, "1048576") ? "1G" : "2M";
	return word ? kept(g_strdup(word)) : left("a profile has pages of 2M and 1G");
}

static HvrImportValue to_firmware(const char *value)
{
	static const Word words[] = { { "efi", "uefi" },     { "uefi", "uefi" },
				      { "ovmf", "uefi" },    { "pflash", "uefi" },
				      { "seabios", "bios" }, { "legacy", "bios" },
				      { "bios", "bios" },    { NULL, NULL } };
	const char *word = find_word(words, value);
	g_autofree char *low = g_ascii_strdown(value, -1);

	if (word)
		return kept(g_strdup(word));
	if (!strstr(low, "ovmf") && !strstr(low, "edk2") && !strstr(low, "efi"))
		return left("a profile has QEMU's own BIOS, and UEFI");
	return (HvrImportValue){ .value = g_strdup("uefi"),
				 .why = "which file it is comes from QEMU's firmware descriptors" };
}

static HvrImportValue to_screen(const char *value)
{
	static const Word words[] = { { "vnc", "vnc" },		{ "spice", "spice" },
				      { "none", "none" },	{ "std", "vnc" },
				      { "qxl", "spice" },	{ "virtio", "vnc" },
				      { "cirrus", "vnc" },	{ "vmware", "vnc" },
				      { "serial0", "none" },	{ "serial1", "none" },
				      { "spice-app", "spice" }, { NULL, NULL } };
	const char *word = find_word(words, value);

	if (word)
		return kept(g_strdup(word));
	return (HvrImportValue){ .value = g_strdup("vnc"),
				 .why = "a window of its own QEMU cannot open as another user: a "
					"viewer of VNC shows the same" };
}

static HvrImportValue to_port(const char *value)
{
	return kept(g_strdup(g_str_equal(value, "-1") ? "auto" : value));
}

static HvrImportValue to_serial(const char *value)
{
	static const Word words[] = { { "stdio", "stdio" },   { "mon:stdio", "stdio" },
				      { "file", "file" },     { "none", "none" },
				      { "null", "none" },     { "pty", "socket" },
				      { "socket", "socket" }, { "unix", "socket" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	if (word)
		return kept(g_strdup(word));
	if (!g_str_has_prefix(value, "unix:") && !g_str_has_prefix(value, "tcp") &&
	    !g_str_has_prefix(value, "telnet"))
		return left("a profile's serial port goes to stdio, a file or a socket");
	return (HvrImportValue){ .value = g_strdup("socket"),
				 .why = "it is a socket in the VM's folder, which console joins" };
}

static HvrImportValue to_binary(const char *value)
{
	g_autofree char *name = g_path_get_basename(value);
	g_autofree char *folder = g_path_get_dirname(value);
	gboolean known = g_str_equal(name, "qemu-system-x86_64") || g_str_equal(name, "qemu-kvm") ||
			 g_str_equal(name, "kvm");

	if (!known)
		return left("it is another machine's: a profile has x86-64");
	if (g_strv_contains((const char *const[]){ ".", "/usr/bin", "/bin", "/usr/libexec", NULL },
			    folder))
		return needless("the host's own QEMU is found by itself");
	return kept(g_strdup(value));
}

/* All keys are one text in which each byte may be %XX; one of them goes into a profile. */
static HvrImportValue to_ssh_key(const char *value)
{
	g_autofree char *keys = g_uri_unescape_string(value, NULL);

	if (!keys)
		return left("it is no key");
	g_strchug(keys);
	return kept(g_strndup(keys, strcspn(keys, "\r\n")));
}

/* quickemu and Proxmox give a guest a TIS, and libvirt where nothing is said. What the TPM keeps is
 * in a folder or a volume of theirs. */
static HvrImportValue to_tpm(const char *value)
{
	static const Word words[] = { { "tpm-crb", "crb" }, { "tpm-tis", "tis" }, { "on", "tis" },
				      { "yes", "tis" },	    { "v2.0", "tis" },	  { NULL, NULL } };
	static const Word none[] = { { "off", "" }, { "no", "" }, { NULL, NULL } };
	const char *word = find_word(words, value);

	if (find_word(none, value))
		return needless("there is none");
	if (!word)
		return left("a profile has a TPM 2.0 of swtpm's, as crb or tis");
	return (HvrImportValue){ .value = g_strdup(word),
				 .why = "what it keeps is made anew: what the guest has sealed "
					"there, such as a disk's key, wants its recovery key" };
}

static HvrImportValue to_sound(const char *value)
{
	static const Word words[] = { { "hda", "hda" },
				      { "ich9", "hda" },
				      { "ich6", "hda" },
				      { "intel-hda", "hda" },
				      { "ich9-intel-hda", "hda" },
				      { "virtio", "virtio" },
				      { "virtio-sound-pci", "virtio" },
				      { "virtio-sound", "virtio" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	if (g_str_equal(value, "none"))
		return needless("there is none");
	return word ? kept(g_strdup(word)) : left("a profile has hda and virtio");
}

static HvrImportValue to_bus(const char *value)
{
	const char *bus = hvr_import_disk_bus(value);

	/* ide_drive_get() of pc_q35_init() in QEMU's hw/i386/pc_q35.c */
	if (g_strcmp0(bus, "ide") == 0)
		return (HvrImportValue){ .value = g_strdup("sata"),
					 .why = "what is IDE on an old PC is SATA on a q35" };
	return kept(g_strdup(bus ? bus : value));
}

static HvrImportValue to_media(const char *value)
{
	if (g_str_equal(value, "disk"))
		return needless("a disk is one");
	return kept(g_strdup(value));
}

static HvrImportValue to_cache(const char *value)
{
	if (g_str_equal(value, "default"))
		return needless("it is QEMU's own choice");
	return kept(g_strdup(value));
}

static HvrImportValue to_discard(const char *value)
{
	static const Word words[] = { { "unmap", "unmap" }, { "on", "unmap" },
				      { "1", "unmap" },	    { "ignore", "ignore" },
				      { "off", "ignore" },  { "0", "ignore" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	if (!word)
		return left("a profile has unmap and ignore");
	if (g_str_equal(word, "unmap"))
		return needless("discard = unmap is there by itself");
	return kept(g_strdup(word));
}

static HvrImportValue to_zeroes(const char *value)
{
	static const Word words[] = { { "1", "on" },  { "0", "off" },	    { "yes", "on" },
				      { "on", "on" }, { "unmap", "unmap" }, { "off", "off" },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	return word ? kept(g_strdup(word)) : left("a profile has off, on and unmap");
}

/* libvirt's "all" */
static HvrImportValue to_leads(const char *value)
{
	return g_str_equal(value, "all") ? kept(g_strdup("yes")) : to_switch(value);
}

/* libvirt has the thread's number, QEMU its name. */
static HvrImportValue to_iothread(const char *value)
{
	static const Word words[] = {
		{ "0", "no" }, { "no", "no" }, { "off", "no" }, { NULL, NULL }
	};
	const char *word = find_word(words, value);

	return kept(g_strdup(word ? word : "yes"));
}

static HvrImportValue to_net(const char *value)
{
	static const Word words[] = { { "user", "user" },    { "bridge", "bridge" },
				      { "tap", "tap" },	     { "none", "none" },
				      { "ethernet", "tap" }, { "restrict", NULL },
				      { NULL, NULL } };
	const char *word = find_word(words, value);

	if (word)
		return kept(g_strdup(word));
	if (g_str_equal(value, "network"))
		return (HvrImportValue){
			.value = g_strdup("user"),
			.why = "a network of libvirt's is there while libvirt runs: "
			       "NAT inside QEMU in its place; mode = bridge joins its "
			       "bridge"
		};
	return (HvrImportValue){
		.value = g_strdup("user"),
		.why = "a profile has user, bridge and tap: NAT inside QEMU in its "
		       "place"
	};
}

/* As path_has_protocol() in QEMU's block.c tells. */
static HvrImportValue to_file(const char *value)
{
	if (g_str_has_prefix(value, "file:/"))
		return kept(g_strdup(value + strlen("file:")));
	if (value[strcspn(value, ":/")] == ':')
		return left("it is no file: QEMU comes to it by a protocol");
	return kept(g_strdup(value));
}

/* "tcp::2222-:22" is open on all addresses for QEMU, and on 127.0.0.1 in a profile. */
static HvrImportValue to_forward(const char *value)
{
	g_auto(GStrv) all = g_strsplit(value, " ", 64);
	g_autoptr(GString) out = g_string_new(NULL);
	const char *why = NULL;

	for (guint i = 0; all[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(all[i], ":", 3);
		if (g_strv_length(parts) != 3)
			return left("it is no forward that a profile has");
		char *dash = strchr(parts[2], '-');
		const char *colon = dash ? strrchr(dash, ':') : NULL;
		g_autofree char *host = g_strndup(parts[2], strcspn(parts[2], "-"));
		const char *guest = colon ? colon + 1 : "";
		if (dash && !colon)
			guest = dash + 1;
		if (colon && colon > dash + 1 && !g_str_has_prefix(dash, "-10.0.2.15:"))
			why = "a forward leads to the address that the guest has by DHCP, and to "
			      "no other";
		g_string_append_printf(out, "%s%s:%s:%s-%s", i ? " " : "",
				       *parts[0] ? parts[0] : "tcp",
				       *parts[1] ? parts[1] : "0.0.0.0", host, guest);
	}
	return (HvrImportValue){ .value = g_strdup(out->str), .why = why };
}

static HvrImportValue to_via(const char *value)
{
	if (g_str_equal(value, "virtiofs"))
		return kept(g_strdup("virtiofs"));
	return kept(g_strdup("9p"));
}

/* clang-format off */
/* section, key, { libvirt, quickemu, Proxmox, QEMU }, what turns it into ours, is it a path */
const HvrImportRow hvr_import_rows[] = {
	{ "vm", "name", { "name", NULL, "name", "name.guest" }, to_name, FALSE },
	{ "vm", "memory", { "memory.size", "ram", "memory|memory.memory|memory.current", "m.size" }, to_size, FALSE },
	{ "vm", "cpus", { "vcpu", "cpu_cores", "cpus", "smp.cpus" }, NULL, FALSE },
	{ "vm", "accel", { "type", NULL, "kvm", "accel.accel|machine.accel|enable-kvm" }, to_accel, FALSE },
	{ "vm", "cpu", { "cpu", NULL, "cpu.cpu", "cpu" }, to_cpu, FALSE },
	{ "vm", "machine", { "os.type.machine", NULL, "machine.machine", "machine.type" }, to_machine, FALSE },
	{ "vm", "rtc", { "clock.offset", "rtc", "localtime", "rtc.base" }, to_rtc, FALSE },
	{ "vm", "iommu", { "iommu.model", NULL, "machine.viommu", "iommu" }, to_iommu, FALSE },
	{ "device", "address", { "address", NULL, "address", "host" }, NULL, FALSE },
	{ "device", "rombar", { "rom.bar", NULL, "rombar", "rombar" }, to_switch, FALSE },
	{ "device", "romfile", { "rom.file", NULL, "romfile", "romfile" }, NULL, TRUE },
	{ "device", "sub-id", { "sub-id", NULL, "sub-id", "sub-id" }, NULL, FALSE },
	{ "device", "properties", { "properties", NULL, "properties", "properties" }, NULL, FALSE },
	{ "boot", "kernel", { "os.kernel", NULL, NULL, "kernel" }, NULL, TRUE },
	{ "boot", "initrd", { "os.initrd", NULL, NULL, "initrd" }, NULL, TRUE },
	{ "boot", "cmdline", { "os.cmdline", NULL, NULL, "append" }, NULL, FALSE },
	{ "firmware", "mode", { "os.firmware|os.loader.type|os.loader", "boot", "bios", "firmware.code|bios" }, to_firmware, FALSE },
	{ "firmware", "secure", { "os.loader.secure", "secureboot", "secure", "firmware.secure" }, to_switch, FALSE },
	{ "firmware", "vars", { "os.nvram|os.nvram.source.file", NULL, NULL, "firmware.vars" }, NULL, TRUE },
	{ "tpm", "model", { "tpm.model", "tpm", "tpmstate0.version", "tpm.driver" }, to_tpm, FALSE },
	{ "disk", "file", { "source.file|source.dev", "file", "file", "file" }, to_file, TRUE },
	{ "disk", "format", { "driver.type", "disk_format", "format", "format" }, NULL, FALSE },
	{ "disk", "size", { NULL, "disk_size", NULL, NULL }, to_size, FALSE },
	{ "disk", "media", { "device", "media", "media", "media" }, to_media, FALSE },
	{ "disk", "bus", { "target.bus", NULL, "disk-bus", "disk-bus" }, to_bus, FALSE },
	{ "disk", "snapshot", { "transient", NULL, "snapshot", "snapshot" }, to_switch, FALSE },
	{ "disk", "readonly", { "readonly", NULL, "ro", "readonly" }, to_switch, FALSE },
	{ "disk", "cache", { "driver.cache", NULL, "cache", "cache" }, to_cache, FALSE },
	{ "disk", "aio", { "driver.io", NULL, "aio", "aio" }, NULL, FALSE },
	{ "disk", "discard", { "driver.discard", NULL, "discard", "discard" }, to_discard, FALSE },
	{ "disk", "detect-zeroes", { "driver.detect_zeroes", NULL, "detect_zeroes", "detect-zeroes" }, to_zeroes, FALSE },
	{ "disk", "iothread", { "driver.iothread", NULL, "iothread", "iothread" }, to_iothread, FALSE },
	{ "net", "mode", { "type", "network", "mode", "type" }, to_net, FALSE },
	{ "net", "forward", { NULL, "forward", NULL, "forward" }, to_forward, FALSE },
	{ "net", "bridge", { "source.bridge", "bridge", "bridge", "br" }, NULL, FALSE },
	{ "net", "tap", { "target.dev", NULL, NULL, "ifname" }, NULL, FALSE },
	{ "net", "mac", { "mac.address", "macaddr", "macaddr", "mac|macaddr" }, NULL, FALSE },
	{ "share", "path", { "source.dir", "path", NULL, "path" }, NULL, TRUE },
	{ "share", "tag", { "target.dir", NULL, NULL, "mount_tag" }, NULL, FALSE },
	{ "share", "readonly", { "readonly", NULL, NULL, "readonly" }, to_switch, FALSE },
	{ "share", "via", { "driver.type", NULL, NULL, NULL }, to_via, FALSE },
	{ "usb", "match", { "match", "match", "match", "match" }, NULL, FALSE },
	{ "usb", "port", { "port", "port", "port", "port" }, NULL, FALSE },
	{ "input", "evdev", { "source.dev", NULL, NULL, "evdev" }, NULL, TRUE },
	{ "input", "leads", { "source.grab", NULL, NULL, "grab_all" }, to_leads, FALSE },
	{ "input", "repeat", { "source.repeat", NULL, NULL, "repeat" }, to_switch, FALSE },
	{ "cloud-init", "user", { NULL, NULL, "ciuser", NULL }, NULL, FALSE },
	{ "cloud-init", "ssh-key", { NULL, NULL, "sshkeys", NULL }, to_ssh_key, FALSE },
	{ "graphics", "mode", { "graphics.type", "display", "vga.vga", "graphics.mode" }, to_screen, FALSE },
	{ "graphics", "port", { "graphics.port", "spice_port", NULL, "graphics.port" }, to_port, FALSE },
	{ "audio", "model", { "sound.model", "sound_card", "audio0.device", "sound|soundhw" }, to_sound, FALSE },
	{ "serial", "mode", { "serial.type", "serial", "serial0", "serial" }, to_serial, FALSE },
	{ "serial", "file", { "serial.source.path", NULL, NULL, "serial.file" }, NULL, TRUE },
	{ "memory", "hugepages", { "hugepages|memoryBacking.hugepages", NULL, "hugepages", "mem-path" }, to_pages, FALSE },
	{ "memory", "locked", { "memoryBacking.locked", NULL, NULL, "overcommit.mem-lock" }, to_switch, FALSE },
	{ "memory", "node", { "numatune.memory.nodeset", NULL, NULL, NULL }, NULL, FALSE },
	{ "cpu", "sockets", { "cpu.topology.sockets", NULL, "sockets", "smp.sockets" }, NULL, FALSE },
	{ "cpu", "cores", { "cpu.topology.cores", NULL, "cores", "smp.cores" }, NULL, FALSE },
	{ "cpu", "threads", { "cpu.topology.threads", NULL, NULL, "smp.threads" }, NULL, FALSE },
	{ "cpu", "pin", { "pin|vcpu.cpuset", NULL, "affinity", "pin" }, NULL, FALSE },
	{ "cpu", "emulator-pin", { "cputune.emulatorpin.cpuset", NULL, NULL, NULL }, NULL, FALSE },
	{ "cpu", "hyperv", { "hyperv", "hyperv", "hyperv", NULL }, to_switch, FALSE },
	{ "guest", "agent", { "agent", NULL, "agent.agent", "agent" }, to_switch, FALSE },
	{ "security", "user", { NULL, NULL, NULL, "runas|run-with.user" }, NULL, FALSE },
	{ "security", "sandbox", { NULL, NULL, NULL, "sandbox.enable" }, to_switch, FALSE },
	{ "qemu", "binary", { "emulator", NULL, NULL, "argv0" }, to_binary, FALSE },
	{ .section = NULL },
};
/* clang-format on */
