/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles against QEMU's command line, word by word: tests/data/cmdline/NAME.ini becomes
 * NAME.argv. HVR_REGEN_GOLDEN=1 writes the .argv files anew, to be read in the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-glib/json-glib.h>

#include "launcher/parts/slots.h"
#include "launcher/profile/machine.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline-json.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "vfio/access.h"

#define FOLDER SOURCE_ROOT "/tests/data/cmdline/"
/* from there */
#define SAMPLES "../../../configs/"

static const HvrCmdlineChannels run_channels = {
	.qmp_private = 3, .qmp_listen = 4, .serial_port = 5, .serial = -1, .agent = 8
};
static const HvrCmdlineChannels file_channels = {
	.qmp_private = 3, .qmp_listen = 4, .serial_port = 5, .serial = 10, .agent = 8
};
/* Nobody stays. */
static const HvrCmdlineChannels exec_channels = {
	.qmp_private = -1, .qmp_listen = 4, .serial_port = -1, .serial = 10, .agent = 8
};
static const HvrCmdlineChannels print_channels = { .qmp_private = -1,
						   .qmp_listen = -1,
						   .qmp_path = "/run/a,b/qmp.sock",
						   .serial_port = -1,
						   .serial = -1,
						   .serial_path = "/run/a,b/serial.sock",
						   .agent = -1,
						   .agent_path = "/run/a,b/agent.sock",
						   .graphics_path = "/run/a,b/screen.sock",
						   .seed = -1,
						   .seed_path = "/run/a,b/cloud-init.img" };
static const HvrFirmware plain = { .code = (char *)"/fw/code.fd",
				   .code_format = (char *)"raw",
				   .vars_format = (char *)"raw" };
static const HvrFirmware secure = { .code = (char *)"/fw/code.qcow2",
				    .code_format = (char *)"qcow2",
				    .vars_format = (char *)"qcow2",
				    .needs_smm = TRUE };
static const HvrCmdlineChannels uefi_channels = { .qmp_private = 3,
						  .qmp_listen = -1,
						  .serial_port = -1,
						  .serial = -1,
						  .agent = -1,
						  .seed = -1,
						  .firmware = &plain };
static const HvrCmdlineChannels secure_channels = { .qmp_private = 3,
						    .qmp_listen = -1,
						    .serial_port = -1,
						    .serial = -1,
						    .agent = -1,
						    .seed = -1,
						    .firmware = &secure };
static const int sample_taps[] = { 10 };
static const HvrCmdlineChannels sample_channels = { .qmp_private = 3,
						    .qmp_listen = 4,
						    .serial_port = 5,
						    .serial = -1,
						    .agent = 8,
						    .seed = 9,
						    .taps = sample_taps,
						    .firmware = &plain };
static const HvrCmdlineChannels bios_sample_channels = { .qmp_private = 3,
							 .qmp_listen = 4,
							 .serial_port = 5,
							 .serial = -1,
							 .agent = 8,
							 .seed = 9,
							 .taps = sample_taps };
static const HvrCmdlineChannels node_channels = { .qmp_private = 3,
						  .qmp_listen = -1,
						  .serial_port = -1,
						  .serial = -1,
						  .agent = -1,
						  .seed = -1,
						  .has_node = TRUE,
						  .node = 1 };
/* The first one is served by a virtiofsd, the second one by QEMU. */
static const HvrCmdlineShare served[] = { { .fd = 11 }, { .fd = -1 } };
static const HvrCmdlineShare served_at[] = { { .fd = -1, .path = "/run/a,b/work.sock" },
					     { .fd = -1, .path = "/run/a,b/data.sock" } };
static const HvrCmdlineChannels served_channels = { .qmp_private = 3,
						    .qmp_listen = -1,
						    .serial_port = -1,
						    .serial = -1,
						    .agent = -1,
						    .seed = -1,
						    .shares = served };
static const HvrCmdlineChannels served_print_channels = { .qmp_private = -1,
							  .qmp_listen = -1,
							  .serial_port = -1,
							  .serial = -1,
							  .agent = -1,
							  .seed = -1,
							  .has_node = TRUE,
							  .node = 1,
							  .shares = served_at };
static const HvrCmdlineShare tpm = { .fd = 12 };
static const HvrCmdlineShare tpm_at = { .fd = -1, .path = "/run/a,b/tpm.sock" };
static const HvrCmdlineChannels tpm_channels = { .qmp_private = 3,
						 .qmp_listen = 4,
						 .serial_port = 5,
						 .serial = -1,
						 .agent = 8,
						 .seed = 9,
						 .tpm = &tpm };
static const HvrCmdlineChannels tpm_print_channels = { .qmp_private = -1,
						       .qmp_listen = -1,
						       .qmp_path = "/run/a,b/qmp.sock",
						       .serial_port = -1,
						       .serial = -1,
						       .agent = -1,
						       .seed = -1,
						       .tpm = &tpm_at };
static const HvrCmdlineChannels windows_channels = { .qmp_private = 3,
						     .qmp_listen = 4,
						     .serial_port = 5,
						     .serial = -1,
						     .agent = 8,
						     .seed = 9,
						     .firmware = &secure,
						     .tpm = &tpm };
static const int usb_nodes[] = { 13, 14 };
static const int input_nodes[] = { 15, 16 };
static const HvrCmdlineChannels input_channels = { .qmp_private = 3,
						   .qmp_listen = 4,
						   .serial_port = 5,
						   .serial = -1,
						   .agent = 8,
						   .seed = 9,
						   .usbs = usb_nodes,
						   .inputs = input_nodes };
static const HvrCmdlineChannels usb_channels = { .qmp_private = 3,
						 .qmp_listen = 4,
						 .serial_port = 5,
						 .serial = -1,
						 .agent = 8,
						 .seed = 9,
						 .usbs = usb_nodes };
static const int taps[] = { -1, -1, 6, 7, -1 };
static const HvrCmdlineChannels tap_channels = { .qmp_private = 3,
						 .qmp_listen = -1,
						 .serial_port = -1,
						 .serial = -1,
						 .agent = -1,
						 .seed = -1,
						 .taps = taps };

/* The common one is that of 7.2, 8.2, 9.2 and 10.0; the others as launcher/host/dialect.h has them.
 */
static const HvrDialect common;
static const HvrDialect qemu_6_2 = { .plain_cards = TRUE };
static const HvrDialect qemu_11_0 = { .names_threads = TRUE };
static const HvrDialect qemu_11_1 = { .names_threads = TRUE, .monitor_objects = TRUE };

/* Of an accelerator with much memory, of what is with it, of a Hailo-8, and one that is just too
 * large for what firmware leaves a port by itself. */
#define MIB (G_GUINT64_CONSTANT(1) << 20)
static const HvrBars large_bars[] = {
	{ .prefetchable = (32 << 10) * MIB + 32 * MIB, .memory = 16 * MIB, .rom = MIB / 2 },
	{ .memory = MIB / 64 },
	{ .prefetchable = MIB / 32 },
	{ .memory = 2 * MIB, .rom = 4096 },
};

typedef struct {
	const char *name;    /* of the .argv file */
	const char *profile; /* NULL: of the same name */
	gboolean kvm;
	guint n_cards;
	const HvrCmdlineChannels *channels;
	const HvrDialect *dialect; /* NULL: the common one */
	const HvrBars *bars;	   /* of each card; NULL: none are known */
} Golden;

static const Golden golden[] = {
	{ "minimal", NULL, FALSE, 0, &run_channels },
	{ "minimal-kvm", "minimal", TRUE, 0, &run_channels },
	{ "card", NULL, TRUE, 1, &run_channels },
	{ "many-cards", "card", TRUE, 9, &run_channels },
	{ "disks", NULL, FALSE, 0, &run_channels },
	{ "drives", NULL, FALSE, 0, &run_channels },
	{ "drives-6.2", "drives", TRUE, 1, &run_channels, &qemu_6_2 },
	{ "drives-11.1", "drives", TRUE, 1, &run_channels, &qemu_11_1 },
	{ "caches", NULL, FALSE, 0, &run_channels },
	{ "caches-6.2", "caches", TRUE, 1, &run_channels, &qemu_6_2 },
	{ "caches-11.1", "caches", TRUE, 1, &run_channels, &qemu_11_1 },
	{ "sixteen", NULL, FALSE, 0, &run_channels },
	{ "forwards", NULL, FALSE, 0, &run_channels },
	{ "nets", NULL, FALSE, 0, &run_channels },
	{ "nets-by-descriptor", "nets", FALSE, 0, &tap_channels },
	{ "kernel", NULL, FALSE, 0, &run_channels },
	{ "minimal-exec", "minimal", FALSE, 0, &exec_channels },
	{ "serial-file", NULL, FALSE, 0, &file_channels },
	{ "serial-file-exec", "serial-file", FALSE, 0, &exec_channels },
	{ "serial-file-print", "serial-file", FALSE, 0, &print_channels },
	{ "serial-socket", NULL, FALSE, 0, &run_channels },
	{ "serial-socket-exec", "serial-socket", FALSE, 0, &exec_channels },
	{ "serial-socket-print", "serial-socket", FALSE, 0, &print_channels },
	{ "cloud-init", NULL, FALSE, 0, &run_channels },
	{ "cloud-init-print", "cloud-init", FALSE, 0, &print_channels },
	{ "shares", NULL, FALSE, 0, &run_channels },
	{ "virtiofs", "shares", FALSE, 0, &served_channels },
	{ "virtiofs-print", "shares", FALSE, 0, &served_print_channels },
	{ "virtiofs-hugepages", NULL, TRUE, 1, &served_channels },
	{ "vnc", NULL, FALSE, 0, &run_channels },
	{ "spice", NULL, FALSE, 0, &run_channels },
	{ "vnc-socket", NULL, FALSE, 0, &run_channels },
	{ "vnc-socket-print", "vnc-socket", FALSE, 0, &print_channels },
	{ "spice-socket", NULL, FALSE, 0, &run_channels },
	{ "spice-socket-print", "spice-socket", FALSE, 0, &print_channels },
	{ "uefi", NULL, FALSE, 0, &uefi_channels },
	{ "uefi-secure", "uefi", FALSE, 0, &secure_channels },
	{ "hugepages", NULL, FALSE, 0, &run_channels },
	{ "locked", NULL, FALSE, 0, &run_channels },
	{ "localtime", NULL, FALSE, 0, &run_channels },
	{ "hyperv", NULL, TRUE, 0, &run_channels },
	{ "hyperv-tcg", "hyperv", FALSE, 0, &run_channels },
	{ "node-of-card", "minimal", FALSE, 0, &node_channels },
	{ "node-any", NULL, FALSE, 0, &node_channels },
	{ "agent", NULL, FALSE, 0, &run_channels },
	{ "agent-print", "agent", FALSE, 0, &print_channels },
	/* every sample: how it starts with KVM and as many cards as it names */
	{ "sample-debian-installer", SAMPLES "debian-installer", TRUE, 0, &sample_channels },
	{ "sample-demo", SAMPLES "demo", TRUE, 1, &bios_sample_channels },
	{ "sample-group", SAMPLES "group", TRUE, 1, &bios_sample_channels },
	{ "sample-hailo8", SAMPLES "hailo8", TRUE, 1, &bios_sample_channels },
	{ "sample-kernel", SAMPLES "kernel", TRUE, 1, &bios_sample_channels },
	{ "sample-rig", SAMPLES "rig", TRUE, 1, &bios_sample_channels },
	{ "sample-two-cards", SAMPLES "two-cards", TRUE, 2, &bios_sample_channels },
	{ "sample-ubuntu", SAMPLES "ubuntu", TRUE, 1, &bios_sample_channels },
	{ "sample-windows", SAMPLES "windows", TRUE, 0, &windows_channels },
	{ "fixed-slot", NULL, TRUE, 3, &run_channels },
	{ "fixed-slot-6.2", "fixed-slot", TRUE, 3, &run_channels, &qemu_6_2 },
	{ "fixed-slot-11.1", "fixed-slot", TRUE, 3, &run_channels, &qemu_11_1 },
	{ "functions", NULL, TRUE, 5, &run_channels },
	{ "functions-6.2", "functions", TRUE, 5, &run_channels, &qemu_6_2 },
	{ "functions-11.1", "functions", TRUE, 5, &run_channels, &qemu_11_1 },
	{ "large-bars", NULL, TRUE, 4, &run_channels, .bars = large_bars },
	{ "large-bars-6.2", "large-bars", TRUE, 4, &run_channels, &qemu_6_2, large_bars },
	{ "large-bars-11.1", "large-bars", TRUE, 4, &run_channels, &qemu_11_1, large_bars },
	{ "large-bars-uefi", "large-bars-uefi", TRUE, 4, &uefi_channels, .bars = large_bars },
	{ "iommu-intel", NULL, TRUE, 2, &run_channels },
	{ "iommu-intel-tcg", "iommu-intel", FALSE, 2, &run_channels },
	{ "iommu-intel-6.2", "iommu-intel", TRUE, 2, &run_channels, &qemu_6_2 },
	{ "iommu-intel-11.1", "iommu-intel", TRUE, 2, &run_channels, &qemu_11_1 },
	{ "iommu-virtio", NULL, TRUE, 2, &run_channels },
	{ "iommu-virtio-11.1", "iommu-virtio", TRUE, 2, &run_channels, &qemu_11_1 },
	{ "card-properties", NULL, TRUE, 3, &run_channels },
	{ "card-properties-6.2", "card-properties", TRUE, 3, &run_channels, &qemu_6_2 },
	{ "card-properties-11.1", "card-properties", TRUE, 3, &run_channels, &qemu_11_1 },
	{ "first-args", NULL, TRUE, 1, &run_channels },
	{ "first-args-6.2", "first-args", TRUE, 1, &run_channels, &qemu_6_2 },
	{ "first-args-11.1", "first-args", TRUE, 1, &run_channels, &qemu_11_1 },
	{ "card-6.2", "card", TRUE, 2, &run_channels, &qemu_6_2 },
	{ "card-11.0", "card", TRUE, 2, &run_channels, &qemu_11_0 },
	{ "card-11.1", "card", TRUE, 2, &run_channels, &qemu_11_1 },
	{ "print-6.2", "serial-socket", FALSE, 0, &print_channels, &qemu_6_2 },
	{ "print-11.1", "serial-socket", FALSE, 0, &print_channels, &qemu_11_1 },
	{ "tpm", NULL, FALSE, 0, &tpm_channels },
	{ "tpm-6.2", "tpm", TRUE, 1, &tpm_channels, &qemu_6_2 },
	{ "tpm-11.1", "tpm", TRUE, 1, &tpm_channels, &qemu_11_1 },
	{ "tpm-print", "tpm", FALSE, 0, &tpm_print_channels },
	{ "tpm-tis", NULL, FALSE, 0, &tpm_channels },
	{ "usb", NULL, FALSE, 0, &usb_channels },
	{ "usb-6.2", "usb", TRUE, 1, &usb_channels, &qemu_6_2 },
	{ "usb-11.1", "usb", TRUE, 1, &usb_channels, &qemu_11_1 },
	{ "usb-print", "usb", FALSE, 0, &print_channels },
	{ "usb-alone", NULL, FALSE, 0, &usb_channels },
	{ "inputs", NULL, FALSE, 0, &input_channels },
	{ "inputs-6.2", "inputs", TRUE, 1, &input_channels, &qemu_6_2 },
	{ "inputs-11.1", "inputs", TRUE, 1, &input_channels, &qemu_11_1 },
	{ "inputs-print", "inputs", FALSE, 0, &print_channels },
	{ "audio", NULL, FALSE, 0, &run_channels },
	{ "audio-6.2", "audio", TRUE, 1, &run_channels, &qemu_6_2 },
	{ "audio-11.1", "audio", TRUE, 1, &run_channels, &qemu_11_1 },
	{ "audio-virtio", NULL, FALSE, 0, &run_channels },
	{ "audio-unheard", NULL, FALSE, 0, &run_channels },
	{ "full", NULL, FALSE, 4, &run_channels },
	{ "unconfined", NULL, FALSE, 0, &run_channels },
};

static void card_free(gpointer data)
{
	HvrPlanCard *card = data;

	g_free(card->id);
	g_free(card);
}

static GPtrArray *make_cards(guint n_cards)
{
	GPtrArray *cards = g_ptr_array_new_with_free_func(card_free);

	for (guint i = 0; i < n_cards; i++) {
		HvrPlanCard *card = g_new0(HvrPlanCard, 1);

		card->id = g_strdup_printf("npu%u", i);
		card->address = (HvrPciAddress){ .domain = i == 1 ? 0xabcd : 0, .bus = 2 + i };
		card->access = hvr_access_of_group(14 + (int)i);
		g_ptr_array_add(cards, card);
	}
	return cards;
}

static HvrProfile *load(const char *name)
{
	g_autofree char *path = g_strconcat(FOLDER, name, ".ini", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = NULL;

	/* paths in it must not depend on where the sources are */
	if (g_file_get_contents(path, &text, NULL, &error))
		profile = hvr_profile_parse("/lab/golden.ini", text, strlen(text), NULL, &error);
	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static char *build(const Golden *g)
{
	g_autoptr(HvrProfile) profile = load(g->profile ? g->profile : g->name);
	g_autoptr(GPtrArray) cards = make_cards(g->n_cards);
	for (guint i = 0; i < MIN(profile->devices->len, g->n_cards); i++)
		((HvrPlanCard *)cards->pdata[i])->device = profile->devices->pdata[i];
	for (guint i = 0; g->bars && i < g->n_cards; i++)
		((HvrPlanCard *)cards->pdata[i])->bars = g->bars[i];
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, g->kvm, cards, g->channels,
						      g->dialect ? g->dialect : &common);

	assert_null(argv->pdata[argv->len - 1]);
	g_autofree char *lines = g_strjoinv("\n", (char **)argv->pdata);
	return g_strconcat(lines, "\n", NULL);
}

static void test_golden(void **state)
{
	const Golden *g = *state;
	g_autofree char *path = g_strconcat(FOLDER, g->name, ".argv", NULL);
	g_autofree char *built = build(g);
	g_autofree char *found = NULL;

	if (getenv("HVR_REGEN_GOLDEN"))
		assert_true(g_file_set_contents(path, built, -1, NULL));
	assert_true(g_file_get_contents(path, &found, NULL, NULL));
	assert_string_equal(built, found);
}

/* Words of [qemu] args come last, so that they can override what stands before. */
static void test_args_last(void **state)
{
	g_autofree char *built = build(&golden[G_N_ELEMENTS(golden) - 1]);

	assert_true(g_str_has_suffix(built, "\n-rtc\nclock=vm\n-fw_cfg\nname=opt/a b,string=c\n"));
}

/* The same properties serve -device and device_add, with the domain written out. */
static void test_card_properties(void **state)
{
	g_autoptr(GPtrArray) cards = make_cards(2);
	JsonObject *object = hvr_cmdline_card_properties(cards->pdata[1], "hvr-spare3");
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_take_object(node, object);
	text = json_to_string(node, FALSE);
	assert_string_equal(text, "{\"driver\":\"vfio-pci\",\"id\":\"npu1\","
				  "\"host\":\"abcd:03:00.0\",\"bus\":\"hvr-spare3\"}");
}

/* Those that QEMU deals a slot out to: they name no bus, and are on that of PCI. */
static guint count_dealt(const GPtrArray *argv)
{
	guint dealt = 0;

	for (guint i = 0; i + 1 < argv->len && argv->pdata[i + 1]; i++) {
		const char *device = argv->pdata[i + 1];
		if (g_str_equal(argv->pdata[i], "-device") && !strstr(device, "\"bus\"") &&
		    !strstr(device, ",bus=") && !strstr(device, "isa-serial") &&
		    !strstr(device, "pvpanic") && !strstr(device, "-iommu"))
			dealt++;
	}
	return dealt;
}

/* No value can add an option where one has to be said as key=value. */
static void test_keys_are_escaped(void **state)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	JsonObject *device = json_object_new();

	json_object_set_string_member(device, "driver", "edu");
	json_object_set_string_member(device, "id", "a,bus=b,,c");
	json_object_set_string_member(device, "empty", "");
	json_object_set_boolean_member(device, "yes", TRUE);
	json_object_set_boolean_member(device, "no", FALSE);
	json_object_set_int_member(device, "number", -3);
	hvr_cmdline_add_keys(argv, "-device", device);
	assert_int_equal(argv->len, 2);
	assert_string_equal(argv->pdata[1],
			    "driver=edu,id=a,,bus=b,,,,c,empty=,yes=on,no=off,number=-3");
}

/* What is counted before a start is what the command line has. */
static void test_slots_are_counted(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(golden); i++) {
		const char *name = golden[i].profile ? golden[i].profile : golden[i].name;
		g_autoptr(HvrProfile) profile = load(name);
		g_autoptr(GPtrArray) argv =
			hvr_cmdline_build(profile, FALSE, NULL, &print_channels, &common);

		if (hvr_slots_needed(profile) != count_dealt(argv))
			fail_msg("%s: counted %u, has %u", name, hvr_slots_needed(profile),
				 count_dealt(argv));
	}
}

/* One who has a device for panics has it as they want it: QEMU takes no second one. */
static void test_own_panic(void **state)
{
	static const char *const keys[] = { "args", "first-args" };

	for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
		g_autofree char *text = g_strdup_printf("[vm]\nmemory = 64M\n[guest]\nagent = yes\n"
							"[qemu]\n%s = -device pvpanic,events=1\n",
							keys[k]);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("/x/lab.ini", text, strlen(text), NULL, NULL);
		g_autoptr(GPtrArray) argv =
			hvr_cmdline_build(profile, FALSE, NULL, &print_channels, &common);
		guint n = 0;

		for (guint i = 0; i < argv->len && argv->pdata[i]; i++)
			n += strstr(argv->pdata[i], "pvpanic") != NULL;
		assert_int_equal(n, 1);
	}
}

static guint count_words(const GPtrArray *argv, const char *part)
{
	guint n = 0;

	for (guint i = 0; i < argv->len && argv->pdata[i]; i++)
		n += strstr(argv->pdata[i], part) != NULL;
	return n;
}

/* A guest that is saved has the ports of all its cards, and nothing in them; and so has one that
 * goes on. */
static void test_cards_later(void **state)
{
	static const char text[] = "[vm]\nmemory = 64M\n[device a]\naddress = 0000:01:00.0\n"
				   "[device b]\naddress = 0000:02:00.0\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("/x/lab.ini", text, strlen(text), NULL, NULL);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	HvrCmdlineChannels channels = print_channels;

	profile->cards_later = TRUE;
	g_autoptr(GPtrArray) saved = hvr_cmdline_build(profile, FALSE, none, &channels, &common);
	channels.incoming = TRUE;
	g_autoptr(GPtrArray) later = hvr_cmdline_build(profile, FALSE, none, &channels, &common);

	assert_int_equal(count_words(saved, "pcie-root-port"), 2 + HVR_MACHINE_SPARE_PORTS);
	assert_int_equal(count_words(saved, "\"hvr-port1\""), 1);
	assert_int_equal(count_words(saved, "vfio-pci"), 0);
	assert_int_equal(count_words(saved, "vmgenid"), 1);
	assert_int_equal(count_words(saved, "-incoming"), 0);
	assert_int_equal(count_words(later, "-incoming"), 1);
	assert_int_equal(later->len, saved->len + 2);
}

/* The room that full.ini takes is all there is: for a device more, or for ports of another slot,
 * there is none. */
static void test_slots_run_out(void **state)
{
	g_autoptr(HvrProfile) profile = load("full");
	g_autoptr(GError) device = NULL;
	g_autoptr(GError) cards = NULL;
	g_autoptr(GError) far_too_many = NULL;

	assert_int_equal(profile->disks->len, 16);
	assert_true(hvr_slots_check_cards(profile, 4, NULL));
	assert_false(hvr_slots_check_cards(profile, 5, &cards));
	assert_string_equal(
		cards->message,
		"[vm] machine: q35 has 28 slots beside those of cards, and the VM needs 29\n"
		"each disk, net and share takes one, [graphics] two, [guest] agent, "
		"[cloud-init], [usb], [audio] and the source of entropy one each: leave out 1, or "
		"put disks "
		"on bus = scsi, "
		"where all of them take one");
	assert_int_equal(hvr_exit_status(cards), 78);
	profile->seed.hostname = g_strdup("lab");
	assert_false(hvr_slots_check_cards(profile, 0, &device));
	assert_non_null(strstr(device->message, "has 29 slots"));
	assert_false(hvr_slots_check_cards(profile, 117, &far_too_many));
	assert_non_null(
		strstr(far_too_many->message, "q35 has no room for 117 cards\nit takes 116"));
}

/* A port that is fixed takes a slot for itself, and none of those for ports. */
static void test_fixed_slots(void **state)
{
	g_autoptr(HvrProfile) profile = load("full");
	HvrProfileDevice fixed = { .id = (char *)"npu", .slot = 0x0f };

	g_ptr_array_set_free_func(profile->devices, NULL);
	g_ptr_array_add(profile->devices, &fixed);
	assert_false(hvr_slots_check_cards(profile, 1, NULL));
	g_ptr_array_remove_index(profile->disks, 0);
	assert_true(hvr_slots_check_cards(profile, 1, NULL));
	assert_true(hvr_slots_check_cards(profile, 5, NULL));
	assert_false(hvr_slots_check_cards(profile, 6, NULL));

	/* what is with another has no port at all */
	HvrProfileDevice second = { .id = (char *)"other", .with = (char *)"npu", .function = 1 };
	g_ptr_array_add(profile->devices, &second);
	assert_true(hvr_slots_check_cards(profile, 6, NULL));
	assert_false(hvr_slots_check_cards(profile, 7, NULL));
	/* a virtio-iommu has a slot behind the ports */
	profile->iommu = HVR_IOMMU_INTEL;
	assert_true(hvr_slots_check_cards(profile, 6, NULL));
	profile->iommu = HVR_IOMMU_VIRTIO;
	assert_false(hvr_slots_check_cards(profile, 6, NULL));
}

static void assert_quoted(const char *word, const char *quoted)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *line = NULL;

	g_ptr_array_add(argv, (char *)word);
	line = hvr_cmdline_quote(argv);
	assert_string_equal(line, quoted);
}

/* Only what a shell would change is quoted. */
static void test_quote(void **state)
{
	assert_quoted("user,id=a,hostfwd=tcp:127.0.0.1:2222-:22", "user,id=a,hostfwd=tcp:127.0.0.1:"
								  "2222-:22");
	assert_quoted("/lab/a_b@c%+", "/lab/a_b@c%+");
	assert_quoted("", "''");
	assert_quoted("a b", "'a b'");
	assert_quoted("{\"a\":1}", "'{\"a\":1}'");
	assert_quoted("it's", "'it'\\''s'");
	assert_quoted("~", "'~'");
	assert_quoted("*", "'*'");
	assert_quoted("\xc3\xbc", "'\xc3\xbc'");
}

/* A line is read back as the very same words. */
static void test_quote_round_trip(void **state)
{
	g_autoptr(HvrProfile) profile = load("disks");
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, FALSE, NULL, &run_channels, &common);
	g_autofree char *line = hvr_cmdline_quote(argv);
	g_auto(GStrv) words = NULL;

	assert_true(g_shell_parse_argv(line, NULL, &words, NULL));
	assert_int_equal(g_strv_length(words) + 1, argv->len);
	for (guint i = 0; words[i]; i++)
		assert_string_equal(words[i], argv->pdata[i]);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_args_last),
		cmocka_unit_test(test_card_properties),
		cmocka_unit_test(test_keys_are_escaped),
		cmocka_unit_test(test_slots_are_counted),
		cmocka_unit_test(test_cards_later),
		cmocka_unit_test(test_own_panic),
		cmocka_unit_test(test_slots_run_out),
		cmocka_unit_test(test_fixed_slots),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quote_round_trip),
	};
	struct CMUnitTest tests[G_N_ELEMENTS(golden) + G_N_ELEMENTS(others)] = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(golden); i++) {
		tests[i].name = golden[i].name;
		tests[i].test_func = test_golden;
		tests[i].initial_state = (void *)&golden[i];
	}
	memcpy(&tests[G_N_ELEMENTS(golden)], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
