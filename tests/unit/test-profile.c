/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a right profile becomes: defaults, every value, --set, and the table that it is read by.
 * Wrong profiles are in test-profile-refusals.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/profile/load.h"
#include "launcher/profile/read.h"
#include "launcher/profile/table.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf02EccoHGxDb0hxVq"
#define VM  "[vm]\nmemory = 1G\n"

static HvrProfile *parse_with(const char *text, const char *const *sets)
{
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/lab/rig-1.ini", text, strlen(text), sets, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static HvrProfile *parse(const char *text)
{
	return parse_with(text, NULL);
}

/* One line is enough, and everything else has the default of the manual. */
static void test_defaults(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM);

	assert_string_equal(profile->file, "/lab/rig-1.ini");
	assert_string_equal(profile->name, "rig-1");
	assert_int_equal(profile->memory_bytes, 1 << 30);
	assert_int_equal(profile->cpus, 2);
	assert_int_equal(profile->accel, HVR_ACCEL_AUTO);
	assert_string_equal(profile->cpu, "auto");
	assert_string_equal(profile->machine, "q35");
	assert_int_equal(profile->devices->len + profile->disks->len + profile->nets->len, 0);
	assert_true(!profile->kernel && !profile->initrd && !profile->cmdline);
	assert_int_equal(profile->serial, HVR_SERIAL_STDIO);
	assert_null(profile->serial_file);
	assert_null(profile->user);
	assert_true(profile->sandbox);
	assert_string_equal(profile->qemu_binary, "qemu-system-x86_64");
	assert_int_equal(profile->qemu_args->len, 0);
}

/* A section that only has its header is the card, disk or net with all defaults. */
static void test_section_defaults(void **state)
{
	g_autoptr(HvrProfile) profile =
		parse(VM "[device npu]\n[disk root]\nfile = a\n[net lan]\n");
	HvrProfileDevice *device = profile->devices->pdata[0];
	HvrProfileDisk *disk = profile->disks->pdata[0];
	HvrProfileNet *net = profile->nets->pdata[0];

	assert_string_equal(device->id, "npu");
	assert_int_equal(device->by, HVR_SELECT_MATCH);
	assert_int_equal(device->vendor, 0x1e60);
	assert_int_equal(device->device, 0x2864);
	assert_int_equal(device->pick, HVR_PICK_ONLY);
	assert_string_equal(device->reset, "auto");
	assert_int_equal(device->group, HVR_GROUP_REFUSE);
	assert_int_equal(device->after, HVR_AFTER_RESTORE);
	assert_int_equal(device->deadline_ms, 10000);
	assert_string_equal(disk->file, "/lab/a");
	assert_int_equal(disk->format, HVR_DISK_QCOW2);
	assert_int_equal(disk->bus, HVR_DISK_VIRTIO);
	assert_true(!disk->snapshot && !disk->readonly);
	assert_int_equal(net->mode, HVR_NET_USER);
	assert_int_equal(net->forwards->len, 0);
}

/* The ways to lay out a file that mean the same. */
static void test_layout(void **state)
{
	static const char *const same[] = {
		"[vm]\nmemory=1G\n",
		"[vm]\r\nmemory = 1G\r\n",
		"[vm]\nmemory = 1G",
		"\n\n  [ vm ]\t\n\t memory\t=\t1G \n\n",
		"# [vm]\n; a comment\n[vm]\n  # memory = 3G\nmemory = 1024M\n",
		"[boot]\n[vm]\nmemory = 1073741824\n",
		"[vm]\nmemory = 1g\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autoptr(HvrProfile) profile = parse(same[i]);

		assert_int_equal(profile->memory_bytes, 1 << 30);
	}
}

/* The bounds themselves are within. */
static void test_bounds(void **state)
{
	g_autoptr(HvrProfile) low = parse("[vm]\nmemory = 16M\ncpus = 1\n");
	g_autoptr(HvrProfile) high = parse("[vm]\nmemory = 16T\ncpus = 512\n");
	g_autoptr(HvrProfile) odd = parse("[vm]\nmemory = 17408K\ncpus = 007\n");

	assert_int_equal(low->memory_bytes, 16 << 20);
	assert_true(high->memory_bytes == G_GUINT64_CONSTANT(16) << 40);
	assert_int_equal(odd->memory_bytes, 17 << 20);
	assert_int_equal(odd->cpus, 7);
}

/* Each selector, in the spelling that the rest of the program compares. */
static void test_selectors(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM "[device a]\nmatch = 1E60:45c4\n"
						 "[device b]\naddress = 02:00.1\n"
						 "[device c]\npath = 00:1C.4/00.0\n");
	HvrProfileDevice *a = profile->devices->pdata[0];
	HvrProfileDevice *b = profile->devices->pdata[1];
	HvrProfileDevice *c = profile->devices->pdata[2];

	assert_int_equal(a->by, HVR_SELECT_MATCH);
	assert_int_equal(a->vendor, 0x1e60);
	assert_int_equal(a->device, 0x45c4);
	assert_int_equal(b->by, HVR_SELECT_ADDRESS);
	assert_int_equal(b->address.bus, 2);
	assert_int_equal(b->address.function, 1);
	assert_int_equal(c->by, HVR_SELECT_PATH);
	assert_string_equal(c->path, "00:1c.4/00.0");
}

/* Reset policies as the executor gets them: none is an empty list. */
static void test_resets(void **state)
{
	static const char *const policies[][2] = {
		{ "auto", "auto" },	  { "keep", "keep" },
		{ "none", "" },		  { "bus", "bus" },
		{ "pm   bus", "pm bus" }, { "device_specific af_flr", "device_specific af_flr" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
		g_autofree char *text =
			g_strconcat(VM "[device npu]\nreset = ", policies[i][0], "\n", NULL);
		g_autoptr(HvrProfile) profile = parse(text);
		HvrProfileDevice *device = profile->devices->pdata[0];

		assert_string_equal(device->reset, policies[i][1]);
	}
}

/* Every word of a policy is the enum's value of that name. */
static void test_words(void **state)
{
	g_autoptr(HvrProfile) profile =
		parse(VM "accel = tcg\ncpu = EPYC-v4,+avx2,-svm\nmachine = pc-q35-7.2\n"
			 "[device npu]\npick = free\ngroup = pass\nafter = keep\ndeadline = 600\n"
			 "[disk root]\nfile = a\nformat = raw\nbus = nvme\nreadonly = on\n"
			 "[net lan]\nmode = none\n[serial]\nmode = socket\n"
			 "[security]\nuser = hailo-vm\nsandbox = no\n");
	HvrProfileDevice *device = profile->devices->pdata[0];
	HvrProfileDisk *disk = profile->disks->pdata[0];
	HvrProfileNet *net = profile->nets->pdata[0];

	assert_int_equal(profile->accel, HVR_ACCEL_TCG);
	assert_string_equal(profile->cpu, "EPYC-v4,+avx2,-svm");
	assert_string_equal(profile->machine, "pc-q35-7.2");
	assert_int_equal(device->pick, HVR_PICK_FREE);
	assert_int_equal(device->group, HVR_GROUP_PASS);
	assert_int_equal(device->after, HVR_AFTER_KEEP);
	assert_int_equal(device->deadline_ms, 600000);
	assert_int_equal(disk->format, HVR_DISK_RAW);
	assert_int_equal(disk->bus, HVR_DISK_NVME);
	assert_true(disk->readonly);
	assert_int_equal(net->mode, HVR_NET_NONE);
	assert_int_equal(profile->serial, HVR_SERIAL_SOCKET);
	assert_string_equal(profile->user, "hailo-vm");
	assert_false(profile->sandbox);
}

static void assert_forward(const HvrForward *forward, gboolean udp, const char *address,
			   guint host_port, guint guest_port)
{
	assert_int_equal(forward->udp, udp);
	assert_string_equal(forward->host_address, address);
	assert_int_equal(forward->host_port, host_port);
	assert_int_equal(forward->guest_port, guest_port);
}

/* Forwards in every spelling and with every separator; the same port of tcp and udp is two. */
static void test_forwards(void **state)
{
	g_autoptr(HvrProfile) profile =
		parse(VM "[net lan]\n"
			 "forward = tcp:127.0.0.1:2222-22 ; udp::2222-53;tcp:0.0.0.0:65535-:1 "
			 "tcp:10.0.0.1:1-65535\n");
	HvrProfileNet *net = profile->nets->pdata[0];

	assert_int_equal(net->forwards->len, 4);
	assert_forward(net->forwards->pdata[0], FALSE, "127.0.0.1", 2222, 22);
	assert_forward(net->forwards->pdata[1], TRUE, "127.0.0.1", 2222, 53);
	assert_forward(net->forwards->pdata[2], FALSE, "0.0.0.0", 65535, 1);
	assert_forward(net->forwards->pdata[3], FALSE, "10.0.0.1", 1, 65535);
}

/* A port that is to be chosen, and "auto" alone for ssh; two such are no port twice. */
static void test_chosen_ports(void **state)
{
	g_autoptr(HvrProfile) profile =
		parse(VM "[net lan]\nforward = auto tcp:0.0.0.0:0-80 udp::auto-53 tcp::0-443\n"
			 "[graphics]\nmode = vnc\nport = auto\n[guest]\nready = tcp:auto-443\n");
	HvrProfileNet *net = profile->nets->pdata[0];

	assert_int_equal(net->forwards->len, 4);
	assert_forward(net->forwards->pdata[0], FALSE, "127.0.0.1", 0, 22);
	assert_forward(net->forwards->pdata[1], FALSE, "0.0.0.0", 0, 80);
	assert_forward(net->forwards->pdata[2], TRUE, "127.0.0.1", 0, 53);
	assert_int_equal(profile->graphics_port, HVR_GRAPHICS_PORT_AUTO);
	for (guint i = 0; i < 4; i++)
		assert_int_equal(hvr_profile_is_ready_forward(&profile->guest,
							      hvr_profile_forward(profile, i)),
				 i == 3);
	assert_null(hvr_profile_forward(profile, 4));
}

/* Addresses are stable, differ between nets and between VMs, and are local and unicast. */
static void test_mac(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM "[net lan]\n[net wan]\n");
	g_autoptr(HvrProfile) other = parse(VM "name = rig-2\n[net lan]\n");
	g_autoptr(HvrProfile) given = parse(VM "[net lan]\nmac = 52:54:00:AB:cd:EF\n");
	HvrProfileNet *lan = profile->nets->pdata[0];
	HvrProfileNet *wan = profile->nets->pdata[1];

	assert_string_equal(lan->mac, "3a:a7:c4:9d:2b:1e");
	assert_string_not_equal(lan->mac, wan->mac);
	assert_string_not_equal(lan->mac, ((HvrProfileNet *)other->nets->pdata[0])->mac);
	assert_string_equal(((HvrProfileNet *)given->nets->pdata[0])->mac, "52:54:00:ab:cd:ef");
	assert_int_equal(g_ascii_xdigit_value(wan->mac[1]) & 3, 2);
}

/* Paths start in the profile's folder; text that a shell or QEMU would read stays as it is. */
static void test_texts(void **state)
{
	g_autoptr(HvrProfile) profile =
		parse(VM "[boot]\nkernel = ../boot/./vmlinuz\ninitrd = /srv/initrd\n"
			 "cmdline = root=/dev/vda1 dyndbg=\"file a.c +p\" x=\\n\\s,$HOME\n"
			 "[disk root]\nfile = a b,c;d#e%f=\xc3\xbc.qcow2\n"
			 "[serial]\nmode = file\nfile = serial.log\n"
			 "[qemu]\nbinary = ./qemu\nargs = -a 'b c' \"d\\\"\" e\\ f --\n");
	HvrProfileDisk *disk = profile->disks->pdata[0];

	assert_string_equal(profile->kernel, "/boot/vmlinuz");
	assert_string_equal(profile->initrd, "/srv/initrd");
	assert_string_equal(profile->cmdline,
			    "root=/dev/vda1 dyndbg=\"file a.c +p\" x=\\n\\s,$HOME");
	assert_string_equal(disk->file, "/lab/a b,c;d#e%f=\xc3\xbc.qcow2");
	assert_string_equal(profile->serial_file, "/lab/serial.log");
	assert_string_equal(profile->qemu_binary, "/lab/qemu");
	assert_int_equal(profile->qemu_args->len, 5);
	assert_string_equal(profile->qemu_args->pdata[1], "b c");
	assert_string_equal(profile->qemu_args->pdata[2], "d\"");
	assert_string_equal(profile->qemu_args->pdata[3], "e f");
}

/* UEFI's variables are beside the profile, whoever includes it, unless it says where. */
static void test_firmware(void **state)
{
	g_autoptr(HvrProfile) bios = parse(VM);
	g_autoptr(HvrProfile) uefi = parse(VM "[firmware]\nmode = uefi\nsecure = yes\n");
	g_autoptr(HvrProfile) vars = parse(VM "[firmware]\nmode = uefi\nvars = a.fd\n");

	assert_true(!bios->firmware.uefi && !bios->firmware.secure && !bios->firmware.vars);
	assert_true(uefi->firmware.uefi && uefi->firmware.secure);
	assert_string_equal(uefi->firmware.vars, "/lab/rig-1.vars.fd");
	assert_string_equal(vars->firmware.vars, "/lab/a.fd");
}

/* What it keeps is beside the profile, like UEFI's variables. */
static void test_tpm(void **state)
{
	g_autoptr(HvrProfile) none = parse(VM);
	g_autoptr(HvrProfile) crb = parse(VM "[tpm]\nmodel = crb\n");
	g_autoptr(HvrProfile) tis = parse(VM "[tpm]\nmodel = tis\nstate = ../a.tpm\n");

	assert_int_equal(none->tpm.model, HVR_TPM_NONE);
	assert_null(none->tpm.state);
	assert_int_equal(crb->tpm.model, HVR_TPM_CRB);
	assert_string_equal(crb->tpm.state, "/lab/rig-1.tpm");
	assert_int_equal(tis->tpm.model, HVR_TPM_TIS);
	assert_string_equal(tis->tpm.state, "/a.tpm");
}

/* Folders of the host, a screen, and what cloud-init is told. */
static void test_extras(void **state)
{
	g_autoptr(HvrProfile) none = parse(VM);
	g_autoptr(HvrProfile) all = parse(VM "[share work]\npath = ../work/\n"
					     "[share data]\npath = /\ntag = d.1\nreadonly = yes\n"
					     "via = virtiofs\n"
					     "[graphics]\nmode = spice\nport = 5930\n"
					     "[cloud-init]\nuser-data = u\nssh-key = k.pub\n"
					     "hostname = a.b\n");
	HvrProfileShare *work = all->shares->pdata[0];
	HvrProfileShare *data = all->shares->pdata[1];

	assert_int_equal(none->shares->len, 0);
	assert_int_equal(none->graphics, HVR_GRAPHICS_NONE);
	assert_true(!none->seed.user_data && !none->seed.hostname);
	assert_string_equal(work->path, "/work");
	assert_true(!work->tag && !work->readonly);
	assert_int_equal(work->via, HVR_SHARE_AUTO);
	assert_int_equal(data->via, HVR_SHARE_VIRTIOFS);
	assert_string_equal(data->path, "/");
	assert_string_equal(data->tag, "d.1");
	assert_true(data->readonly);
	assert_int_equal(all->graphics, HVR_GRAPHICS_SPICE);
	assert_int_equal(all->graphics_port, 5930);
	assert_string_equal(all->seed.user_data, "/lab/u");
	assert_string_equal(all->seed.ssh_key, "/lab/k.pub");
	assert_string_equal(all->seed.hostname, "a.b");
	assert_true(!all->seed.user && !all->seed.autologin && !all->seed.agent);
}

/* A key may stand in the profile itself; it is no path then. */
static void test_login(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM "[cloud-init]\nssh-key = " KEY " me\nuser = me\n"
						 "autologin = yes\nagent = yes\n"
						 "[guest]\nagent = yes\n");

	assert_string_equal(profile->seed.ssh_public, KEY " me");
	assert_null(profile->seed.ssh_key);
	assert_string_equal(profile->seed.user, "me");
	assert_true(profile->seed.autologin && profile->seed.agent);
}

/* Where memory and CPUs are on the host, and what the guest sees of it. */
static void test_placement(void **state)
{
	g_autoptr(HvrProfile) none = parse(VM);
	g_autoptr(HvrProfile) all = parse("[vm]\nmemory = 2G\ncpus = 8\n"
					  "[memory]\nhugepages = 1G\nlocked = yes\nnode = 3\n"
					  "[cpu]\nsockets = 2\ncores = 4\npin = 0-1, 8,3-3\n");
	g_autoptr(HvrProfile) any = parse(VM "[memory]\nnode = any\n[cpu]\nthreads = 2\n");
	const GArray *pin = all->processor.pin;

	assert_int_equal(none->memory.hugepages, HVR_PAGES_NORMAL);
	assert_int_equal(none->memory.node, HVR_NODE_AUTO);
	assert_true(!none->memory.locked && !none->processor.pin && !none->processor.cores);
	assert_true(hvr_profile_page_size(&none->memory) == 0);
	assert_true(hvr_profile_page_size(&all->memory) == 1 << 30);
	assert_true(all->memory.locked);
	assert_int_equal(all->memory.node, 3);
	assert_int_equal(all->processor.sockets, 2);
	assert_int_equal(all->processor.threads, 0);
	assert_int_equal(pin->len, 4);
	assert_int_equal(g_array_index(pin, guint, 2), 8);
	assert_int_equal(g_array_index(pin, guint, 3), 3);
	assert_int_equal(any->memory.node, HVR_NODE_ANY);
	assert_int_equal(any->processor.threads, 2);
}

/* When a guest counts as ready, and what of HailoRT it needs. */
static void test_guest(void **state)
{
	g_autoptr(HvrProfile) none = parse(VM);
	g_autoptr(HvrProfile) agent = parse(VM "[guest]\nagent = yes\nready = agent\n"
					       "hailort-min = 4.21.0\n");
	g_autoptr(HvrProfile) serial = parse(VM "[guest]\nready = serial:^\\S+ login: $\n");
	g_autoptr(HvrProfile) tcp = parse(VM "[net lan]\nforward = tcp::2222-22\n"
					     "[guest]\nready = tcp:2222\n");

	assert_true(!none->guest.agent && none->guest.ready == HVR_READY_NONE);
	assert_string_equal(none->guest.hailort_min, "4.20");
	assert_true(agent->guest.agent && agent->guest.ready == HVR_READY_AGENT);
	assert_string_equal(agent->guest.hailort_min, "4.21.0");
	assert_int_equal(serial->guest.ready, HVR_READY_SERIAL);
	assert_string_equal(serial->guest.ready_pattern, "^\\S+ login: $");
	assert_int_equal(tcp->guest.ready, HVR_READY_TCP);
	assert_int_equal(tcp->guest.ready_port, 2222);
}

/* An empty value of a key without default is no value: a template's blanks do no harm. */
static void test_blanks(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM "name =\n[device npu]\naddress =\n"
						 "[boot]\nkernel =\ninitrd =\ncmdline =\n"
						 "[net lan]\nbridge =\nforward =\n[qemu]\nargs =\n"
						 "[serial]\nfile =\n[security]\nuser =\n");

	assert_null(profile->kernel);
	assert_string_equal(profile->name, "rig-1");
	assert_int_equal(((HvrProfileDevice *)profile->devices->pdata[0])->by, HVR_SELECT_MATCH);
}

/* Two disks may read one image. */
static void test_shared_image(void **state)
{
	g_autoptr(HvrProfile) profile = parse(VM "[disk a]\nfile = x\nsnapshot = yes\n"
						 "[disk b]\nfile = x\nreadonly = yes\n");

	assert_int_equal(profile->disks->len, 2);
}

/* --set replaces, adds keys and sections, later ones win, and nothing of a value is special. */
static void test_set(void **state)
{
	static const char *const sets[] = { "vm.memory=2G",
					    "vm.memory=3G",
					    "vm.cpus=8",
					    "device.npu.pick=free",
					    "device npu.group=bind",
					    "disk.data.file=/a #b",
					    "boot.kernel=/k=l.m",
					    NULL };
	g_autoptr(HvrProfile) profile = parse_with(VM "[device npu]\npick = only\n", sets);
	HvrProfileDevice *device = profile->devices->pdata[0];

	assert_true(profile->memory_bytes == G_GUINT64_CONSTANT(3) << 30);
	assert_int_equal(profile->cpus, 8);
	assert_int_equal(profile->devices->len, 1);
	assert_int_equal(device->pick, HVR_PICK_FREE);
	assert_int_equal(device->group, HVR_GROUP_BIND);
	assert_string_equal(((HvrProfileDisk *)profile->disks->pdata[0])->file, "/a #b");
	assert_string_equal(profile->kernel, "/k=l.m");
}

/* One selector takes the place of another; an empty value takes a key back. */
static void test_set_instead(void **state)
{
	static const char *const sets[] = { "device.npu.path=00:1c.0/00.0",
					    "device.npu.address=03:00.0",
					    "boot.cmdline=", "boot.kernel=", NULL };
	g_autoptr(HvrProfile) profile = parse_with(
		VM "[device npu]\nmatch = 1e60:2864\n[boot]\nkernel = a\ncmdline = b\n", sets);
	HvrProfileDevice *device = profile->devices->pdata[0];

	assert_int_equal(device->by, HVR_SELECT_ADDRESS);
	assert_int_equal(device->address.bus, 3);
	assert_null(profile->kernel);
	assert_null(profile->cmdline);
}

/* What a VM may be called: it becomes a folder's name and a part of QEMU's options. */
static void test_names(void **state)
{
	g_autofree char *longest = g_strnfill(63, 'a');
	g_autofree char *longer = g_strnfill(64, 'a');

	assert_true(hvr_profile_name_valid("a"));
	assert_true(hvr_profile_name_valid("0-"));
	assert_true(hvr_profile_name_valid(longest));
	assert_false(hvr_profile_name_valid(longer));
	assert_false(hvr_profile_name_valid(""));
	assert_false(hvr_profile_name_valid("-a"));
	assert_false(hvr_profile_name_valid("a/b"));
	assert_false(hvr_profile_name_valid("a.b"));
	assert_false(hvr_profile_name_valid("a\n"));
}

/* The table is whole: help and manual can print every entry, and samples and defaults are right. */
static void test_table(void **state)
{
	gsize length;
	const HvrProfileSection *section = hvr_profile_table(&length);

	assert_int_equal(length, 19);
	for (; section->name; section++) {
		assert_non_null(section->help);
		assert_true(section->n_keys <= HVR_PROFILE_KEYS_MAX);
		for (gsize i = 0; i < section->n_keys; i++) {
			const HvrProfileKey *key = &section->keys[i];

			assert_true(key->parse && key->help && key->sample);
			assert_false(key->required && key->fallback);
			assert_int_equal(hvr_profile_key_index(section, key->name), i);
		}
	}
}

/* Every sample of the table is a value that the key takes. */
static void test_samples(void **state)
{
	for (const HvrProfileSection *section = hvr_profile_table(NULL); section->name; section++)
		for (gsize i = 0; i < section->n_keys; i++) {
			const HvrProfileKey *key = &section->keys[i];
			/* of a share the path is needed, with whatever else */
			const char *entry = g_str_equal(section->name, "share") ? ".y" : ".x";

			if (g_str_equal(section->name, "usb"))
				entry = ".w";
			if (g_str_equal(section->name, "input"))
				entry = ".v";
			g_autofree char *set = g_strdup_printf("%s%s.%s=%s", section->name,
							       section->named ? entry : "",
							       key->name, key->sample);
			const char *const sets[] = {
				"boot.kernel=k",
				"disk.x.file=f",
				"device.npu.pick=free",
				"share.y.path=p",
				"cloud-init.user=u",
				"usb.z.port=1-9",
				"input.v.evdev=/e",
				"audio.model=hda",
				"graphics.mode=spice",
				"guest.agent=yes",
				g_str_equal(key->name, "base") ? "disk.x.size=1G" : "vm.cpus=1",
				g_str_equal(section->name, "serial") ? "serial.mode=file"
								     : "vm.cpus=1",
				"serial.file=s",
				set,
				NULL
			};
			g_autoptr(GError) error = NULL;
			g_autoptr(HvrProfile) profile =
				hvr_profile_parse("a.ini", VM, strlen(VM), sets, &error);

			/* what is left is a rule between keys, which has its own test */
			if (!profile && !strstr(error->message, "mode = ") &&
			    !strstr(error->message, "sockets, cores and threads") &&
			    !strstr(error->message, "include stands in a file"))
				fail_msg("%s", error->message);
		}
}

/* The fuzzer knows every name of the table. */
static void test_dictionary(void **state)
{
	const char *path = SOURCE_ROOT "/tests/fuzz/profile.dict";
	g_autoptr(GString) text = g_string_new("# Made from the table of launcher/profile/table.c: "
					       "HVR_REGEN_GOLDEN=1 test-profile\n");
	g_autofree char *found = NULL;

	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++) {
		g_string_append_printf(text, "\"[%s%s]\\x0a\"\n", s->name, s->named ? " a" : "");
		for (gsize i = 0; i < s->n_keys; i++) {
			const HvrProfileKey *key = &s->keys[i];

			g_string_append_printf(text, "\"%s = %s\\x0a\"\n", key->name, key->sample);
			for (gsize j = 0; key->words && key->words[j]; j++)
				g_string_append_printf(text, "\"%s\"\n", key->words[j]);
		}
	}
	if (getenv("HVR_REGEN_GOLDEN"))
		assert_true(g_file_set_contents(path, text->str, -1, NULL));
	assert_true(g_file_get_contents(path, &found, NULL, NULL));
	assert_string_equal(found, text->str);
}

/* Every profile that we hand out is right as it is. */
static void test_configs(void **state)
{
	g_autoptr(GDir) folder = g_dir_open(SOURCE_ROOT "/configs", 0, NULL);
	const char *name;
	guint count = 0;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path = g_build_filename(SOURCE_ROOT "/configs", name, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(HvrProfile) profile = NULL;

		if (!g_str_has_suffix(name, ".ini"))
			continue;
		profile = hvr_profile_load(&(HvrProfileFile){ .path = path }, NULL, &error);
		if (!profile)
			fail_msg("%s", error->message);
		count++;
	}
	assert_true(count >= 8);
}

/* The first sample shows every section and every key, in use or behind a '#'. */
static void test_sample_is_whole(void **state)
{
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(SOURCE_ROOT "/configs/hailo8.ini", &text, NULL, NULL));
	for (const HvrProfileSection *section = hvr_profile_table(NULL); section->name; section++) {
		g_autofree char *header =
			g_strdup_printf("[%s%s", section->name, section->named ? " " : "]");
		const char *part = strstr(text, header);

		if (!part)
			fail_msg("%s", header);
		for (gsize i = 0; i < section->n_keys; i++) {
			g_autofree char *key = g_strdup_printf("%s =", section->keys[i].name);

			if (!strstr(part, key))
				fail_msg("%s %s", header, key);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_section_defaults),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_chosen_ports),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_shared_image),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_instead),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_dictionary),
		cmocka_unit_test(test_configs),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_placement),
		cmocka_unit_test(test_sample_is_whole),
		cmocka_unit_test(test_extras),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_tpm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
