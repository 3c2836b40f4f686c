/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libvirt's domain says in several places, or in other words than a profile: one field each.
 */
#include <string.h>

#include "launcher/import/disk-ways.h"
#include "launcher/import/formats.h"
#include "launcher/import/words.h"

typedef struct {
	HvrImport *import;
	HvrImportPart *machine;
} Domain;

static void set_field(Domain *domain, HvrImportPart *part, const char *from, const char *name,
		      const char *value)
{
	const HvrImportField *field = hvr_import_find(part, from);
	guint line = field ? field->line : part->line;

	hvr_import_add(domain->import, part, line, name, value);
}

/* "8" of "GiB" as "8192M", rounded up; as libvirt reads it (virScaleInteger). NULL: it is no size
 */
static char *scale(const char *number, const char *unit)
{
	static const struct {
		const char *units;
		guint64 bytes;
	} units[] = {
		{ " b bytes ", 1 },
		{ " KB ", 1000 },
		{ " k K KiB ", G_GUINT64_CONSTANT(1) << 10 },
		{ " MB ", 1000000 },
		{ " m M MiB ", G_GUINT64_CONSTANT(1) << 20 },
		{ " GB ", 1000000000 },
		{ " g G GiB ", G_GUINT64_CONSTANT(1) << 30 },
		{ " TB ", G_GUINT64_CONSTANT(1000000000000) },
		{ " t T TiB ", G_GUINT64_CONSTANT(1) << 40 },
	};
	const guint64 mib = G_GUINT64_CONSTANT(1) << 20;
	g_autofree char *word = g_strdup_printf(" %s ", *unit ? unit : "KiB");
	guint64 value;

	for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
		if (!strstr(units[i].units, word))
			continue;
		if (!g_ascii_string_to_unsigned(number, 10, 0, (G_MAXINT64 - mib) / units[i].bytes,
						&value, NULL))
			return NULL;
		return g_strdup_printf("%" G_GUINT64_FORMAT "M",
				       (value * units[i].bytes + mib - 1) / mib);
	}
	return NULL;
}

static void settle_size(Domain *domain, const char *number, const char *unit, const char *name)
{
	HvrImportPart *machine = domain->machine;
	g_autofree char *size =
		scale(hvr_import_get(machine, number), hvr_import_get(machine, unit));

	if (!size)
		return;
	set_field(domain, machine, number, name, size);
	hvr_import_take(machine, number);
	hvr_import_take(machine, unit);
}

/* What libvirt says to QEMU of the processor, and has elsewhere (qemuBuildCpuCommandLine() of its
 * qemu/qemu_command.c) */
static void settle_hidden(HvrImportPart *machine, GString *cpu)
{
	const char *vendor = hvr_import_get(machine, "features.hyperv.vendor_id.value");

	if (g_str_equal(hvr_import_take(machine, "features.kvm.hidden.state"), "on"))
		g_string_append(cpu, ",kvm=off");
	if (!*vendor ||
	    !g_str_equal(hvr_import_get(machine, "features.hyperv.vendor_id.state"), "on"))
		return;
	g_string_append_printf(cpu, ",hv-vendor-id=%s", vendor);
	hvr_import_take(machine, "features.hyperv.vendor_id.state");
	hvr_import_take(machine, "features.hyperv.vendor_id.value");
}

/* Those that [cpu] hyperv = yes has, too. */
static void settle_hyperv(Domain *domain)
{
	static const char *const parts[] = { "relaxed", "vapic", "spinlocks", "vpindex",
					     "runtime", "synic", "stimer",    "frequencies" };
	HvrImportPart *machine = domain->machine;
	const HvrImportField *first = hvr_import_find(machine, "features.hyperv.relaxed.state");

	if (!first || !g_str_equal(first->value, "on"))
		return;
	hvr_import_add(domain->import, machine, first->line, "hyperv", "yes");
	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *name = g_strconcat("features.hyperv.", parts[i], ".state", NULL);
		if (g_str_equal(hvr_import_get(machine, name), "on"))
			hvr_import_take(machine, name);
	}
	if (g_str_equal(hvr_import_get(machine, "features.hyperv.spinlocks.retries"), "8191"))
		hvr_import_take(machine, "features.hyperv.spinlocks.retries");
}

/* <feature enabled='yes' name='secure-boot'/> of <os firmware='efi'>, in pairs */
static void settle_firmware(Domain *domain)
{
	HvrImportPart *machine = domain->machine;
	HvrImportField *name = NULL, *enabled = NULL;

	for (guint i = 0; i < machine->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(machine->fields, i);
		if (g_str_equal(field->name, "os.firmware.feature.enabled"))
			enabled = field;
		else if (g_str_equal(field->name, "os.firmware.feature.name"))
			name = field;
		if (!name || !enabled)
			continue;
		if (g_str_equal(name->value, "secure-boot")) {
			if (!hvr_import_find(machine, "os.loader.secure"))
				hvr_import_add(domain->import, machine, name->line,
					       "os.loader.secure", enabled->value);
			name->told = TRUE;
			enabled->told = TRUE;
		}
		name = NULL;
		enabled = NULL;
	}
}

/* <boot dev='cdrom'/> and its like, in their order, as letters of a BIOS */
static void settle_boot(Domain *domain)
{
	g_autoptr(GString) letters = g_string_new(NULL);
	HvrImportPart *machine = domain->machine;

	for (guint i = 0; i < machine->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(machine->fields, i);
		if (!g_str_equal(field->name, "os.boot.dev"))
			continue;
		if (g_str_equal(field->value, "hd"))
			g_string_append_c(letters, 'c');
		else if (g_str_equal(field->value, "cdrom"))
			g_string_append_c(letters, 'd');
		else
			g_string_append_c(letters, 'n');
	}
	if (!hvr_import_boot_order(domain->import, letters->str))
		return;
	while (hvr_import_find(machine, "os.boot.dev"))
		hvr_import_take(machine, "os.boot.dev");
}

/* A model, and what is added to it or taken away: "host,+vmx,-hypervisor" */
static void settle_cpu(Domain *domain)
{
	HvrImportPart *machine = domain->machine;
	gboolean host = g_str_equal(hvr_import_get(machine, "cpu.mode"), "host-passthrough");
	const char *model = host ? "host" : hvr_import_get(machine, "cpu.model");
	g_autoptr(GString) cpu = g_string_new(model);
	HvrImportField *name;

	if (!*model)
		return;
	while ((name = hvr_import_find(machine, "cpu.feature.name"))) {
		const char *policy = hvr_import_take(machine, "cpu.feature.policy");
		gboolean less = g_str_equal(policy, "disable") || g_str_equal(policy, "forbid");
		g_string_append_printf(cpu, ",%c%s", less ? '-' : '+', name->value);
		name->told = TRUE;
	}
	settle_hidden(machine, cpu);
	set_field(domain, machine, host ? "cpu.mode" : "cpu.model", "cpu", cpu->str);
	hvr_import_take(machine, "cpu.mode");
	if (!host)
		hvr_import_take(machine, "cpu.model");
}

/* "0:2, 1:3-4" */
static void settle_pins(Domain *domain)
{
	g_autoptr(GString) pins = g_string_new(NULL);
	const HvrImportField *first = hvr_import_find(domain->machine, "cputune.vcpupin.cpuset");
	HvrImportField *set;

	if (!first)
		return;
	while ((set = hvr_import_find(domain->machine, "cputune.vcpupin.cpuset"))) {
		const char *vcpu = hvr_import_take(domain->machine, "cputune.vcpupin.vcpu");

		set->told = TRUE;
		g_string_append_printf(pins, "%s%s:%s", pins->len ? ", " : "", vcpu, set->value);
	}
	hvr_import_add(domain->import, domain->machine, first->line, "pin", pins->str);
}

static const char *without_0x(const char *number)
{
	return number + (g_str_has_prefix(number, "0x") ? 2 : 0);
}

/* By its number it is another one after each plugging in: that is left out. */
static gboolean settle_usb(Domain *domain, HvrImportPart *part)
{
	const char *vendor = without_0x(hvr_import_get(part, "source.vendor.id"));
	const char *product = without_0x(hvr_import_get(part, "source.product.id"));
	g_autofree char *ids = g_strconcat(vendor, ":", product, NULL);

	if (!g_str_equal(hvr_import_get(part, "type"), "usb") || !*vendor || !*product)
		return FALSE;
	set_field(domain, part, "source.vendor.id", "match", ids);
	hvr_import_take(part, "type");
	hvr_import_take(part, "source.vendor.id");
	hvr_import_take(part, "source.product.id");
	part->section = "usb";
	return TRUE;
}

/* "0000:0b:10.0": numbers as C has them, so that '11' is 0x0b
 * (virPCIDeviceAddressParseXML() of libvirt's conf/device_conf.c). What is no number stays, to be
 * refused. [transfer full] */
static char *card_address(const HvrImportPart *part)
{
	static const char *const names[] = { "domain", "bus", "slot", "function" };
	guint64 numbers[G_N_ELEMENTS(names)];

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_strconcat("source.address.", names[i], NULL);
		const char *value = hvr_import_get(part, name);
		char *end = NULL;

		numbers[i] = g_ascii_strtoull(value, &end, 0);
		if (*end)
			return g_strdup(value);
	}
	return g_strdup_printf("%04x:%02x:%02x.%x", (guint)numbers[0], (guint)numbers[1],
			       (guint)numbers[2], (guint)numbers[3]);
}

static void settle_card(Domain *domain, HvrImportPart *part)
{
	if (settle_usb(domain, part))
		return;
	if (!g_str_equal(hvr_import_get(part, "type"), "pci") ||
	    !hvr_import_find(part, "source.address.bus")) {
		part->section = "<>";
		return;
	}
	g_autofree char *address = card_address(part);
	set_field(domain, part, "source.address.bus", "address", address);
	for (const char *const *name =
		     (const char *const[]){ "type", "source.address.domain", "source.address.bus",
					    "source.address.slot", "source.address.function",
					    NULL };
	     *name; name++)
		hvr_import_take(part, *name);
}

/* A network card of the host's, mostly a virtual function, which QEMU gets as any other card. */
static void settle_interface(Domain *domain, HvrImportPart *part)
{
	HvrImportField *type = hvr_import_find(part, "type");
	const char *of = hvr_import_get(part, "source.address.type");

	if (!type || !g_str_equal(type->value, "hostdev") || !g_str_equal(of, "pci"))
		return;
	hvr_import_take(part, "source.address.type");
	g_free(type->value);
	type->value = g_strdup("pci");
	part->section = "device";
	settle_card(domain, part);
}

static gboolean has_source(const HvrImportPart *part)
{
	for (guint i = 0; i < part->fields->len; i++) {
		const HvrImportField *field = g_ptr_array_index(part->fields, i);
		if (g_str_has_prefix(field->name, "source."))
			return TRUE;
	}
	return FALSE;
}

/* raw is what libvirt takes where nothing is said. */
static void settle_disk(Domain *domain, HvrImportPart *part)
{
	guint64 order;
	gboolean removable = g_strv_contains((const char *const[]){ "cdrom", "floppy", NULL },
					     hvr_import_get(part, "device"));

	if (removable && !has_source(part)) {
		hvr_import_note_part(domain->import, part, "nothing is in that drive", TRUE);
		part->gone = TRUE;
		return;
	}
	if (!hvr_import_find(part, "driver.type"))
		hvr_import_add(domain->import, part, part->line, "driver.type", "raw");
	part->id = g_strdup(hvr_import_take(part, "target.dev"));
	if (g_ascii_string_to_unsigned(hvr_import_get(part, "boot.order"), 10, 0, G_MAXINT, &order,
				       NULL)) {
		hvr_import_take(part, "boot.order");
		part->rank = (int)order;
	}
}

/* What is a device there, and said of the machine in a profile. */
static void move(Domain *domain, HvrImportPart *part, const char *prefix)
{
	for (guint i = 0; i < part->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(part->fields, i);
		g_autofree char *name =
			g_strconcat(prefix, *field->name ? "." : "", field->name, NULL);
		hvr_import_add(domain->import, domain->machine, field->line, name, field->value);
		field->told = TRUE;
	}
	part->gone = TRUE;
}

/* TIS is what libvirt takes where nothing is said; 1.2 there was once. */
static void settle_tpm(Domain *domain, HvrImportPart *part)
{
	gboolean old = g_str_equal(hvr_import_get(part, "backend.version"), "1.2");

	if (!g_str_equal(hvr_import_get(part, "backend.type"), "emulator") || old)
		return;
	if (!hvr_import_find(part, "model"))
		hvr_import_add(domain->import, part, part->line, "model", "tpm-tis");
	move(domain, part, "tpm");
}

static void settle_other(Domain *domain, HvrImportPart *part)
{
	gboolean agent = g_str_equal(hvr_import_get(part, "target.name"), "org.qemu.guest_agent.0");
	const HvrImportPart *machine = domain->machine;

	if (g_str_equal(part->shown, "<controller>"))
		hvr_import_share_thread(domain->import, part);
	if (g_str_equal(part->shown, "<input>") &&
	    g_str_equal(hvr_import_get(part, "type"), "evdev")) {
		hvr_import_take(part, "type");
		part->section = "input";
	} else if (g_str_equal(part->shown, "<channel>") && agent) {
		hvr_import_add(domain->import, domain->machine, part->line, "agent", "yes");
		part->gone = TRUE;
	} else if (g_str_equal(part->shown, "<sound>") &&
		   !hvr_import_find(machine, "sound.model")) {
		move(domain, part, "sound");
	} else if (g_str_equal(part->shown, "<tpm>")) {
		settle_tpm(domain, part);
	} else if (g_str_equal(part->shown, "<iommu>")) {
		move(domain, part, "iommu");
		hvr_import_take(domain->machine, "features.ioapic.driver");
	} else if (g_str_equal(part->shown, "<emulator>")) {
		move(domain, part, "emulator");
	} else if (g_str_equal(part->shown, "<graphics>") &&
		   !hvr_import_find(machine, "graphics.type")) {
		move(domain, part, "graphics");
	} else if (g_str_equal(part->shown, "<serial>") &&
		   !hvr_import_find(machine, "serial.type")) {
		move(domain, part, "serial");
	}
}

/* <qemu:commandline> is QEMU's own words. */
static void settle_words(Domain *domain)
{
	g_autoptr(GPtrArray) words = hvr_import_words_new();
	HvrImportField *word;

	while ((word = hvr_import_find(domain->machine, "qemu:commandline.qemu:arg.value"))) {
		hvr_import_words_add(words, word->line, word->value);
		word->told = TRUE;
	}
	if (words->len)
		hvr_import_qemu_words(domain->import, words);
}

/* All of the memory is there from the start: so says who has no balloon, too. */
static void settle_balloon(Domain *domain)
{
	HvrImportPart *machine = domain->machine;

	if (!g_str_equal(hvr_import_get(machine, "memory"),
			 hvr_import_get(machine, "currentMemory")) ||
	    !g_str_equal(hvr_import_get(machine, "memory.unit"),
			 hvr_import_get(machine, "currentMemory.unit")))
		return;
	hvr_import_take(machine, "currentMemory");
	hvr_import_take(machine, "currentMemory.unit");
}

void hvr_import_libvirt_settle(HvrImport *import, HvrImportPart *machine)
{
	Domain it = { .import = import, .machine = machine };
	Domain *domain = &it;
	guint n = import->parts->len;

	settle_balloon(domain);
	settle_size(domain, "memory", "memory.unit", "memory.size");
	settle_size(domain, "memoryBacking.hugepages.page.size",
		    "memoryBacking.hugepages.page.unit", "hugepages");
	settle_firmware(domain);
	settle_hyperv(domain);
	settle_cpu(domain);
	settle_pins(domain);
	for (guint i = 0; i < n; i++) {
		HvrImportPart *part = g_ptr_array_index(domain->import->parts, i);
		if (g_strcmp0(part->section, "device") == 0)
			settle_card(domain, part);
		else if (g_strcmp0(part->section, "net") == 0)
			settle_interface(domain, part);
		else if (g_strcmp0(part->section, "disk") == 0)
			settle_disk(domain, part);
		else if (g_strcmp0(part->section, "<>") == 0)
			settle_other(domain, part);
	}
	settle_boot(domain);
	settle_words(domain);
}
