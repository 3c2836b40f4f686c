/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile as QEMU's command line: the machine here, its devices in cmdline-devices.c,
 * cmdline-disks.c and cmdline-serial.c.
 *
 * Nothing in these files opens, reads or asks anything, so what "print" and "--dry-run" show is
 * what "run" executes. QEMU is told everything: -nodefaults and -no-user-config keep devices and
 * options away that a distribution or a user's files would add.
 *
 * The ids of QEMU's user are in no option: QEMU cannot change them inside its own sandbox, so it
 * is started with them. For the same reason a bridge's tap comes as a descriptor.
 */
#include "launcher/qemu/cmdline.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "launcher/host/windows.h"
#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline-json.h"
#include "launcher/report/text.h"

/*
 * Of what docs/system/i386/hyperv.rst of QEMU has, that which helps a Windows and KVM has had since
 * Linux 4.14, each with those that it needs. QEMU refuses some of it without KVM.
 */
#define HYPERV                                                                                     \
	",hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-vpindex,hv-runtime,hv-time,hv-synic,"         \
	"hv-stimer,hv-frequencies"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

#define OVMF_WINDOW (G_GUINT64_CONSTANT(32) << 30)

/* What a POSIX shell leaves alone in any place of a word. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_-+=:,./"

/* Which node, and whether the profile insists on it. */
static gboolean find_node(const HvrProfile *profile, const HvrCmdlineChannels *channels,
			  guint *out_node)
{
	if (profile->memory.node >= 0)
		*out_node = (guint)profile->memory.node;
	else
		*out_node = channels->node;
	return profile->memory.node >= 0 ||
	       (profile->memory.node == HVR_NODE_AUTO && channels->has_node);
}

static gboolean has_backend(const HvrProfile *profile, const HvrCmdlineChannels *channels)
{
	guint node;

	return profile->memory.hugepages != HVR_PAGES_NORMAL ||
	       find_node(profile, channels, &node) || hvr_cmdline_shares_memory(profile, channels);
}

/*
 * RAM as an object of its own. A memfd takes huge pages without a mount or a path that the VM's
 * user would need access to. They are all taken at once: a VM that finds one missing later dies.
 * A memfd is also what a virtiofsd can be given to map. VFIO pins it like any other memory.
 */
static void add_memory(GPtrArray *argv, const HvrProfile *profile,
		       const HvrCmdlineChannels *channels)
{
	guint64 page = hvr_profile_page_size(&profile->memory);
	gboolean shared = hvr_cmdline_shares_memory(profile, channels);
	const char *type = "memory-backend-ram", *policy = "preferred";
	JsonObject *memory;
	guint node;

	if (!has_backend(profile, channels))
		return;
	if (page || shared)
		type = "memory-backend-memfd";
	if (profile->memory.node >= 0)
		policy = "bind";
	memory = json_object_new();
	json_object_set_string_member(memory, "qom-type", type);
	json_object_set_string_member(memory, "id", "hvr-memory");
	json_object_set_int_member(memory, "size", (gint64)profile->memory_bytes);
	if (shared)
		json_object_set_boolean_member(memory, "share", TRUE);
	if (page) {
		json_object_set_boolean_member(memory, "hugetlb", TRUE);
		json_object_set_int_member(memory, "hugetlbsize", (gint64)page);
		json_object_set_boolean_member(memory, "prealloc", TRUE);
	}
	if (find_node(profile, channels, &node)) {
		JsonArray *nodes = json_array_new();
		json_array_add_int_element(nodes, node);
		json_object_set_array_member(memory, "host-nodes", nodes);
		json_object_set_string_member(memory, "policy", policy);
	}
	hvr_cmdline_add_json(argv, "-object", memory);
}

static void add_cpus(GPtrArray *argv, const HvrProfile *profile)
{
	const HvrProfileProcessor *cpu = &profile->processor;

	if (cpu->sockets || cpu->cores || cpu->threads)
		hvr_cmdline_add(argv, "-smp", "%u,sockets=%u,cores=%u,threads=%u", profile->cpus,
				MAX(cpu->sockets, 1), MAX(cpu->cores, 1), MAX(cpu->threads, 1));
	else
		hvr_cmdline_add(argv, "-smp", "%u", profile->cpus);
}

/* Its threads have names for who looks with top or ps: "CPU 0/KVM". */
static void add_name(GPtrArray *argv, const HvrProfile *profile, const HvrDialect *dialect)
{
	const char *threads = ",debug-threads=on";

	if (dialect->names_threads)
		threads = "";
	hvr_cmdline_add(argv, "-name", "guest=%s%s", profile->name, threads);
}

static void add_machine(GPtrArray *argv, const HvrProfile *profile, gboolean kvm,
			const HvrCmdlineChannels *channels)
{
	g_autoptr(GString) machine = g_string_new(profile->machine);
	const char *accel = "tcg,thread=multi", *hyperv = "";
	const char *cpu = profile->cpu;

	if (kvm)
		accel = "kvm";
	if (g_str_equal(cpu, "auto") && kvm)
		cpu = "host";
	else if (g_str_equal(cpu, "auto"))
		cpu = "max";
	/* KVM's own I/O APIC knows nothing of remapped interrupts (vtd_decide_config() there) */
	if (kvm && profile->iommu == HVR_IOMMU_INTEL)
		g_string_append(machine, ",kernel-irqchip=split");
	if (has_backend(profile, channels))
		g_string_append(machine, ",memory-backend=hvr-memory");
	if (channels->firmware)
		g_string_append(machine, "," HVR_CMDLINE_FLASH);
	if (channels->firmware && channels->firmware->needs_smm)
		g_string_append(machine, ",smm=on");
	hvr_cmdline_add(argv, "-machine", "%s", machine->str);
	hvr_cmdline_add(argv, "-accel", "%s", accel);
	if (kvm && profile->processor.hyperv)
		hyperv = HYPERV;
	hvr_cmdline_add(argv, "-cpu", "%s%s", cpu, hyperv);
	add_cpus(argv, profile);
	if (profile->rtc == HVR_RTC_LOCALTIME)
		hvr_cmdline_add(argv, "-rtc", "base=localtime");
	hvr_cmdline_add(argv, "-m", "%" G_GUINT64_FORMAT "M", profile->memory_bytes / MIB);
	add_memory(argv, profile, channels);
	if (profile->memory.locked)
		hvr_cmdline_add(argv, "-overcommit", "mem-lock=on");
	hvr_cmdline_add(argv, "-display", "none");
}

static void add_sandbox(GPtrArray *argv, const HvrProfile *profile,
			const HvrCmdlineChannels *channels)
{
	const char *denied = "elevateprivileges=deny,spawn=deny,";

	if (!profile->sandbox)
		return;
	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = profile->nets->pdata[i];

		/* Without a tap of ours QEMU runs a setuid helper for a bridge. */
		if (net->mode == HVR_NET_BRIDGE && hvr_cmdline_tap(channels, i) < 0)
			denied = "";
	}
	hvr_cmdline_add(argv, "-sandbox", "on,obsolete=deny,%sresourcecontrol=deny", denied);
}

/* @chardev: the id of the character device behind it */
static void add_monitor(GPtrArray *argv, const char *chardev, const char *id,
			const HvrDialect *dialect)
{
	if (!dialect->monitor_objects) {
		hvr_cmdline_add(argv, "-mon", "chardev=%s,mode=control", chardev);
		return;
	}
	JsonObject *monitor = json_object_new();
	json_object_set_string_member(monitor, "qom-type", "monitor-qmp");
	json_object_set_string_member(monitor, "id", id);
	json_object_set_string_member(monitor, "chardev", chardev);
	hvr_cmdline_add_json(argv, "-object", monitor);
}

/* One client to a monitor: the supervisor has its own, all others share the second. */
static void add_monitors(GPtrArray *argv, const HvrCmdlineChannels *channels,
			 const HvrDialect *dialect)
{
	if (channels->qmp_private >= 0) {
		hvr_cmdline_add(argv, "-chardev", "socket,id=hvr-qmp0,fd=%d",
				channels->qmp_private);
		add_monitor(argv, "hvr-qmp0", "hvr-monitor0", dialect);
	}
	if (hvr_cmdline_add_listener(argv, "hvr-qmp1", channels->qmp_listen, channels->qmp_path))
		add_monitor(argv, "hvr-qmp1", "hvr-monitor1", dialect);
}

/* Devices that QEMU makes before it are not behind it, so it is key=value, which QEMU makes before
 * all that is JSON. With caching mode the guest tells of each mapping, which VFIO has to know
 * (vtd_iommu_notify_flag_changed() in QEMU's hw/i386/intel_iommu.c). */
static void add_iommu(GPtrArray *argv, const HvrProfile *profile)
{
	switch (profile->iommu) {
	case HVR_IOMMU_NONE:
		break;
	case HVR_IOMMU_INTEL:
		hvr_cmdline_add(argv, "-device", "intel-iommu,intremap=on,caching-mode=on");
		break;
	case HVR_IOMMU_VIRTIO:
		hvr_cmdline_add(argv, "-device", "virtio-iommu-pci,id=hvr-iommu,addr=0x%x",
				hvr_machine_find(profile->machine)->iommu_slot);
		break;
	}
}

/* OVMF's window above 4 GiB has 32 GiB unless it is told or knows how far the CPU's addresses reach
 * (PlatformDynamicMmioWindow() in its OvmfPkg/Library/PlatformInitLib/MemDetect.c); a card that
 * does not fit is left without BARs. SeaBIOS takes what it needs. */
static void add_large_bars(GPtrArray *argv, const HvrProfile *profile, const GPtrArray *cards)
{
	guint64 total = hvr_windows_total(profile, cards);

	if (profile->firmware.uefi && total > OVMF_WINDOW / 2)
		hvr_cmdline_add(argv, "-fw_cfg",
				"name=opt/ovmf/X-PciMmio64Mb,string=%" G_GUINT64_FORMAT,
				hvr_bars_window(total * 2) / MIB);
}

static void add_boot(GPtrArray *argv, const HvrProfile *profile)
{
	if (profile->kernel)
		hvr_cmdline_add(argv, "-kernel", "%s", profile->kernel);
	if (profile->initrd)
		hvr_cmdline_add(argv, "-initrd", "%s", profile->initrd);
	if (profile->cmdline)
		hvr_cmdline_add(argv, "-append", "%s", profile->cmdline);
}

/* A guest without entropy waits for it at its first boot; QEMU's own generator costs nothing. */
static void add_entropy(GPtrArray *argv)
{
	JsonObject *source = json_object_new();
	JsonObject *device = json_object_new();

	json_object_set_string_member(source, "qom-type", "rng-builtin");
	json_object_set_string_member(source, "id", "hvr-entropy");
	hvr_cmdline_add_json(argv, "-object", source);

	json_object_set_string_member(device, "driver", "virtio-rng-pci");
	json_object_set_string_member(device, "id", "hvr-rng");
	json_object_set_string_member(device, "rng", "hvr-entropy");
	hvr_cmdline_add_json(argv, "-device", device);
}

static void add_words(GPtrArray *argv, const GPtrArray *words)
{
	for (guint i = 0; i < words->len; i++)
		g_ptr_array_add(argv, g_strdup(words->pdata[i]));
}

/* A guest that wakes up a second time learns of it, and Linux (5.18 and later) stirs its random
 * numbers anew (drivers/virt/vmgenid.c). QEMU makes another number at each start. */
static void add_generation(GPtrArray *argv, const HvrProfile *profile)
{
	if (!profile->cards_later)
		return;
	JsonObject *device = json_object_new();
	json_object_set_string_member(device, "driver", "vmgenid");
	json_object_set_string_member(device, "id", "hvr-generation");
	json_object_set_string_member(device, "guid", "auto");
	hvr_cmdline_add_json(argv, "-device", device);
}

GPtrArray *hvr_cmdline_build(const HvrProfile *profile, gboolean kvm, const GPtrArray *cards,
			     const HvrCmdlineChannels *channels, const HvrDialect *dialect)
{
	GPtrArray *argv = g_ptr_array_new_full(64, g_free);

	g_ptr_array_add(argv, g_strdup(profile->qemu_binary));
	g_ptr_array_add(argv, g_strdup("-nodefaults"));
	g_ptr_array_add(argv, g_strdup("-no-user-config"));
	add_name(argv, profile, dialect);
	add_machine(argv, profile, kvm, channels);
	add_sandbox(argv, profile, channels);
	add_monitors(argv, channels, dialect);
	hvr_cmdline_add_firmware(argv, profile, channels);
	add_large_bars(argv, profile, cards);
	add_boot(argv, profile);
	add_iommu(argv, profile);
	add_words(argv, profile->qemu_first_args);
	hvr_cmdline_add_ports(argv, profile, cards, dialect);
	hvr_cmdline_add_nets(argv, profile, channels);
	hvr_cmdline_add_disks(argv, profile, channels);
	hvr_cmdline_add_seed(argv, profile, channels);
	hvr_cmdline_add_shares(argv, profile, channels);
	add_entropy(argv);
	add_generation(argv, profile);
	hvr_cmdline_add_serial(argv, profile, channels);
	hvr_cmdline_add_tpm(argv, profile, channels);
	hvr_cmdline_add_graphics(argv, profile, channels);
	hvr_cmdline_add_usb(argv, profile, channels);
	hvr_cmdline_add_inputs(argv, profile, channels);
	hvr_cmdline_add_sound(argv, profile);
	hvr_cmdline_add_agent(argv, profile, channels);
	if (!profile->cards_later)
		hvr_cmdline_add_cards(argv, cards, dialect);
	if (channels->incoming)
		hvr_cmdline_add(argv, "-incoming", "defer");
	add_words(argv, profile->qemu_args);
	g_ptr_array_add(argv, NULL);
	return argv;
}

/* A terminal shows the line before a shell reads it. So a word with what a terminal should not have
 * is written as bash, zsh and POSIX.1-2024 read it. */
static char *quote_word(const char *word)
{
	g_autofree char *safe = hvr_text_safe(word);

	if (word[0] != '\0' && strspn(word, PLAIN) == strlen(word))
		return g_strdup(word);
	if (g_str_equal(safe, word))
		return g_shell_quote(word);
	GString *quoted = g_string_new("$'");
	for (const guchar *c = (const guchar *)word; *c; c++) {
		if (*c < ' ' || *c > '~' || *c == '\\' || *c == '\'')
			g_string_append_printf(quoted, "\\%03o", *c);
		else
			g_string_append_c(quoted, (char)*c);
	}
	g_string_append_c(quoted, '\'');
	return g_string_free(quoted, FALSE);
}

char *hvr_cmdline_quote(const GPtrArray *argv)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (guint i = 0; i < argv->len && argv->pdata[i]; i++) {
		g_autofree char *quoted = quote_word(argv->pdata[i]);

		if (i > 0)
			g_string_append_c(line, ' ');
		g_string_append(line, quoted);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}
