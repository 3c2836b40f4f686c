/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import: what comes of another program's configuration is a profile and nothing else, whatever is
 * in it; and whatever is in it is there, or named. What the files of tests/data/import/ become is
 * tests/imports' to say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/import/import.h"
#include "launcher/import/table.h"
#include "launcher/print/print.h"
#include "launcher/profile/read.h"
#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/layouts.h"

#define SOURCE "/srv/conf/lab.conf"

static gboolean make(const char *format, const char *text, HvrImported *out, GError **error)
{
	const HvrImportWish wish = {
		.file = SOURCE, .format = format, .text = text, .length = strlen(text)
	};

	return hvr_import_make(&wish, out, error);
}

/* Its text is returned as a profile. @out: (nullable) */
static HvrProfile *profile_of(const char *format, const char *text, HvrImported *out)
{
	g_auto(HvrImported) own = { .text = NULL };
	HvrImported *imported = out ? out : &own;
	g_autoptr(GError) error = NULL;

	if (!make(format, text, imported, &error))
		fail_msg("%s: %s", format, error->message);
	HvrProfile *profile =
		hvr_profile_parse("/x/y.ini", imported->text, strlen(imported->text), NULL, &error);
	if (!profile)
		fail_msg("%s\n%s", error->message, imported->text);
	return profile;
}

/* Is it among what is left out, in the profile's comment as well? */
static void assert_told(const HvrImported *imported, const GPtrArray *notes, const char *wanted)
{
	g_autofree char *comment = g_strconcat("\n#   ", wanted, NULL);

	for (guint i = 0; i < notes->len; i++)
		if (g_str_has_prefix(g_ptr_array_index(notes, i), wanted) &&
		    strstr(imported->text, comment))
			return;
	fail_msg("'%s' is not told of in\n%s", wanted, imported->text);
}

/* Each row names a key of a profile. */
static void test_table(void **state)
{
	for (const HvrImportRow *row = hvr_import_rows; row->section; row++) {
		const HvrProfileSection *section = hvr_profile_section(row->section);
		if (!section || hvr_profile_key_index(section, row->key) < 0)
			fail_msg("[%s] %s", row->section, row->key);
	}
}

#define MAC "52:54:00:00:00:07"

/* One machine, said in four ways, is one machine. */
static void test_same_machine(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "libvirt",
		  "<domain type='kvm'><name>lab</name><memory unit='GiB'>2</memory><vcpu>2</vcpu>"
		  "<devices><disk type='file'><driver type='raw'/><source file='/a b.img'/>"
		  "<target dev='vda' bus='virtio'/></disk><interface type='bridge'>"
		  "<mac address='" MAC "'/><source bridge='br0'/></interface>"
		  "<hostdev type='pci'><source><address bus='0x02' slot='0x00' function='0x1'/>"
		  "</source></hostdev></devices></domain>" },
		{ "proxmox", "name: lab\nmemory: 2048\ncores: 2\nvirtio0: /a b.img\n"
			     "net0: virtio=" MAC ",bridge=br0\nhostpci0: 02:00.1\n" },
		{ "qemu", "kvm -name lab -m 2G -smp 2 -drive 'file=/a b.img,if=virtio,format=raw' "
			  "-netdev bridge,id=n,br=br0 -device virtio-net,netdev=n,mac=" MAC
			  " -device vfio-pci,host=02:00.1" },
		{ "qemu",
		  "A=(-name guest=lab\n -m size=2048 -smp cpus=2)\n"
		  "A+=( -blockdev driver=raw,node-name=d,file.driver=file,file.filename='/a "
		  "b.img' -device virtio-blk-pci,drive=d -nic "
		  "bridge,br=br0,mac=" MAC ",model=virtio\n-device "
		  "'{\"driver\":\"vfio-pci\",\"host\":\"0000:02:00.1\"}')\n"
		  "exec qemu-system-x86_64 \"${A[@]}\"" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, NULL);
		assert_string_equal(profile->name, "lab");
		assert_true(profile->memory_bytes == (guint64)2 << 30);
		assert_int_equal(profile->cpus, 2);
		assert_int_equal(profile->disks->len, 1);
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);
		assert_string_equal(disk->file, "/a b.img");
		assert_int_equal(disk->format, HVR_DISK_RAW);
		assert_int_equal(profile->nets->len, 1);
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, 0);
		assert_string_equal(net->mac, MAC);
		assert_int_equal(net->mode, HVR_NET_BRIDGE);
		assert_string_equal(net->bridge, "br0");
		assert_int_equal(profile->devices->len, 1);
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, 0);
		assert_int_equal(device->address.bus, 2);
		assert_int_equal(device->address.function, 1);
	}
}

/* How a disk is gone about is the same in each of their words. */
static void test_disk_ways(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "libvirt", "<domain><devices><disk><driver type='raw' cache='none' io='native' "
			     "discard='ignore' detect_zeroes='on' iothread='1'/><source file='/a'/>"
			     "<target dev='vda' bus='virtio'/></disk><disk><driver type='raw' "
			     "cache='unsafe'/><source file='/b'/><target dev='sda' bus='scsi'/>"
			     "</disk><controller type='scsi' model='virtio-scsi'><driver "
			     "iothread='2'/></controller></devices></domain>" },
		{ "proxmox", "memory: 1024\nscsi0: /b,cache=unsafe,iothread=1,discard=on\n"
			     "boot: order=virtio0;scsi0\nvirtio0: /a,aio=native,discard=ignore,"
			     "detect_zeroes=1,iothread=1\n" },
		{ "qemu",
		  "kvm -m 1G -object iothread,id=t -object iothread,id=u -drive "
		  "if=none,id=a,file=/a,format=raw,cache=none,aio=native,discard=off,"
		  "detect-zeroes=on -device virtio-blk-pci,drive=a,iothread=t -device "
		  "virtio-scsi-pci,id=s,iothread=u -drive "
		  "if=none,id=b,file=/b,format=raw,cache=unsafe -device scsi-hd,drive=b,bus=s.0" },
		{ "qemu", "kvm -m 1G -object iothread,id=t -blockdev '{\"driver\":\"raw\","
			  "\"node-name\":\"a\",\"file\":{\"driver\":\"file\",\"filename\":\"/a\","
			  "\"aio\":\"native\",\"cache\":{\"direct\":true,\"no-flush\":false}},"
			  "\"cache\":{\"direct\":true},\"discard\":\"ignore\","
			  "\"detect-zeroes\":\"on\"}' -device virtio-blk-pci,drive=a,iothread=t,"
			  "write-cache=on -blockdev file,node-name=f,filename=/b,cache.no-flush=on "
			  "-blockdev raw,node-name=b,file=f,cache.no-flush=on -device "
			  "virtio-scsi-pci,id=s,iothread=t -device scsi-hd,drive=b,bus=s.0" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);

		assert_int_equal(profile->disks->len, 2);
		const HvrProfileDisk *a = g_ptr_array_index(profile->disks, 0);
		const HvrProfileDisk *b = g_ptr_array_index(profile->disks, 1);
		assert_string_equal(a->file, "/a");
		assert_int_equal(a->cache, HVR_CACHE_NONE);
		assert_int_equal(a->aio, HVR_AIO_NATIVE);
		assert_false(a->discard);
		assert_int_equal(a->zeroes, HVR_ZEROES_ON);
		assert_true(a->iothread);
		assert_int_equal(b->cache, HVR_CACHE_UNSAFE);
		assert_true(b->discard && b->iothread);
		for (guint k = 0; k < imported.left->len; k++) {
			const char *left = g_ptr_array_index(imported.left, k);
			if (strstr(left, "cache") || strstr(left, "iothread") ||
			    strstr(left, "discard"))
				fail_msg("%s", left);
		}
	}
}

/* Each virtual CPU keeps its own CPUs, and the rest of QEMU theirs. */
static void test_pins(void **state)
{
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of(
		"libvirt",
		"<domain><vcpu>2</vcpu>\n<cputune><vcpupin vcpu='0' cpuset='2'/>"
		"<vcpupin vcpu='1' cpuset='3-4,7'/><emulatorpin cpuset='0-1'/>\n"
		"<iothreadpin iothread='1' cpuset='6'/><shares>2048</shares></cputune></domain>",
		&imported);
	const HvrProfileProcessor *processor = &profile->processor;

	assert_null(processor->pin);
	assert_int_equal(processor->pins->len, 2);
	const HvrVcpuPin *second = g_ptr_array_index(processor->pins, 1);
	assert_int_equal(second->vcpu, 1);
	assert_int_equal(second->cpus->len, 3);
	assert_int_equal(g_array_index(second->cpus, guint, 2), 7);
	assert_int_equal(processor->emulator->len, 2);
	assert_told(&imported, imported.left,
		    "line 3: cputune.iothreadpin.cpuset = 6: a disk's thread is where [cpu]");
	assert_told(&imported, imported.left, "line 3: cputune.shares = 2048: systemd");
}

/* What a profile cannot have of it is named. */
static void test_disk_ways_left(void **state)
{
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of(
		"libvirt",
		"<domain><devices>\n<disk><driver type='raw' cache='default' io='io_uring' "
		"discard='unmap' iothread='1'/><source file='/a'/><target dev='sda' bus='sata'/>"
		"</disk></devices></domain>",
		&imported);
	const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);

	assert_int_equal(disk->aio, HVR_AIO_IO_URING);
	assert_false(disk->iothread);
	assert_told(&imported, imported.left, "line 2: <disk> driver.iothread = 1: there is none");
}

/* A TPM of each of the four; what is none of swtpm's, or no 2.0, is told of. */
static void test_tpm(void **state)
{
	static const struct {
		const char *format, *text;
		HvrTpmModel model;
		const char *told;
	} cases[] = {
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm model='tpm-crb'><backend type='emulator' "
		  "version='2.0'/></tpm></devices></domain>",
		  HVR_TPM_CRB, "line 1: tpm.model = tpm-crb: what it keeps is made anew" },
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm><backend type='emulator'/></tpm></devices>"
		  "</domain>",
		  HVR_TPM_TIS, "line 1: tpm.model = tpm-tis: what it keeps" },
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm model='tpm-crb'><backend type='emulator' "
		  "version='2.0'><encryption secret='u'/></backend></tpm></devices></domain>",
		  HVR_TPM_CRB, "line 1: tpm.backend.encryption.secret = ...: " },
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm model='tpm-crb'><backend type='emulator' "
		  "version='2.0'><active_pcr_banks><sha384/></active_pcr_banks></backend></tpm>"
		  "</devices></domain>",
		  HVR_TPM_CRB, "line 1: tpm.backend.active_pcr_banks" },
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm model='tpm-tis'><backend type='emulator' "
		  "version='1.2'/></tpm></devices></domain>",
		  HVR_TPM_NONE, "line 1: <tpm>" },
		{ "libvirt",
		  "<domain><name>a</name><devices><tpm model='tpm-tis'><backend type="
		  "'passthrough'><device path='/dev/tpm0'/></backend></tpm></devices></domain>",
		  HVR_TPM_NONE, "line 1: <tpm>" },
		{ "quickemu", "disk_img=a.qcow2\ntpm=\"on\"\n", HVR_TPM_TIS, "line 2: tpm = on" },
		{ "quickemu", "disk_img=a.qcow2\ntpm=\"off\"\n", HVR_TPM_NONE, NULL },
		{ "proxmox", "memory: 512\ntpmstate0: local:vm-1-disk-2,size=4M,version=v2.0\n",
		  HVR_TPM_TIS, "line 2: tpmstate0.version = v2.0: what it keeps" },
		{ "proxmox", "memory: 512\ntpmstate0: local:vm-1-disk-2,size=4M\n", HVR_TPM_NONE,
		  "line 2: tpmstate0.version = v1.2: a profile has a TPM 2.0" },
		{ "qemu",
		  "kvm -m 512 -chardev socket,id=c,path=/s -tpmdev emulator,id=t,chardev=c -device "
		  "tpm-crb,tpmdev=t",
		  HVR_TPM_CRB, "line 1: tpm.driver = tpm-crb: what it keeps" },
		{ "qemu",
		  "kvm -m 512 -tpmdev passthrough,id=t,path=/dev/tpm0 -device tpm-tis,tpmdev=t",
		  HVR_TPM_NONE, "line 1: -device" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);

		assert_int_equal(profile->tpm.model, cases[i].model);
		if (cases[i].told)
			assert_told(&imported, imported.left, cases[i].told);
		for (guint k = 0; !cases[i].told && k < imported.left->len; k++)
			assert_null(strstr(imported.left->pdata[k], "tpm"));
	}
}

/* Two functions of one slot stay together, whichever comes first, and what is alone stays so. */
static void test_functions(void **state)
{
#define HOSTDEV(function, place)                                                                   \
	"<hostdev type='pci'><source><address bus='0x02' slot='0x00' function='" function "'/>"    \
	"</source>" place "</hostdev>"
	static const struct {
		const char *format, *text;
		gboolean together;
	} cases[] = {
		{ "libvirt",
		  "<domain><devices>" HOSTDEV("0x0", "<address type='pci' bus='0x07' slot='0x00' "
						     "function='0x0' multifunction='on'/>")
			  HOSTDEV("0x1", "<address type='pci' bus='0x07' slot='0x00' "
					 "function='0x1'/>") "</devices></domain>",
		  TRUE },
		{ "libvirt",
		  "<domain><devices>" HOSTDEV(
			  "0x1", "<address type='pci' domain='0x0000' bus='7' slot='0' "
				 "function='1'/>")
			  HOSTDEV("0x0",
				  "<address type='pci' bus='0x07' slot='0x00' "
				  "function='0x0' multifunction='on'/>") "</devices></domain>",
		  TRUE },
		{ "libvirt",
		  "<domain><devices>" HOSTDEV("0x0", "<address type='pci' bus='0x07' slot='0x00' "
						     "function='0x0'/>")
			  HOSTDEV("0x1", "<address type='pci' bus='0x08' slot='0x00' "
					 "function='0x1'/>") "</devices></domain>",
		  FALSE },
		{ "libvirt",
		  "<domain><devices>" HOSTDEV("0x0", "") HOSTDEV("0x1", "") "</devices></domain>",
		  FALSE },
		{ "qemu",
		  "kvm -m 1G -device vfio-pci,host=02:00.0,bus=rp1,addr=0x0,multifunction=on "
		  "-device vfio-pci,host=02:00.1,bus=rp1,addr=00.1",
		  TRUE },
		{ "qemu",
		  "kvm -m 1G -device vfio-pci,host=02:00.1,bus=rp1,addr=0.1 -device "
		  "'{\"driver\":\"vfio-pci\",\"host\":\"02:00.0\",\"bus\":\"rp1\"}'",
		  TRUE },
		{ "qemu",
		  "kvm -m 1G -device vfio-pci,host=02:00.0,bus=rp1,multifunction=on "
		  "-device vfio-pci,host=02:00.1,bus=rp2,addr=0.1",
		  FALSE },
		{ "qemu",
		  "kvm -m 1G -device vfio-pci,host=02:00.0,multifunction=on "
		  "-device vfio-pci,host=02:00.1",
		  FALSE },
		{ "proxmox", "memory: 1024\nhostpci0: 02:00.0;02:00.1,pcie=1\n", TRUE },
		{ "proxmox", "memory: 1024\nhostpci0: 02:00.0\nhostpci1: 02:00.1\n", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) out = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, &out);
		assert_int_equal(profile->devices->len, 2);
		const HvrProfileDevice *first = g_ptr_array_index(profile->devices, 0);
		const HvrProfileDevice *second = g_ptr_array_index(profile->devices, 1);
		if ((second->with != NULL) != cases[i].together)
			fail_msg("%u: %s", i, out.text);
		if (!second->with)
			continue;
		assert_string_equal(second->with, first->id);
		assert_int_equal(first->address.function, 0);
		assert_int_equal(second->address.function, 1);
		for (guint k = 0; k < out.left->len; k++)
			assert_null(strstr(out.left->pdata[k], "function"));
	}
}

/* An IOMMU of the guest's, with what belongs to it. */
static void test_iommu(void **state)
{
	static const struct {
		const char *format, *text;
		HvrGuestIommu iommu;
		const char *left; /* NULL: nothing */
	} cases[] = {
		{ "libvirt",
		  "<domain><memory unit='GiB'>1</memory><features><ioapic "
		  "driver='qemu'/></features>"
		  "<devices><iommu model='intel'><driver intremap='on' caching_mode='on'/></iommu>"
		  "</devices></domain>",
		  HVR_IOMMU_INTEL, NULL },
		{ "libvirt",
		  "<domain><memory unit='GiB'>1</memory><devices><iommu model='smmuv3'/></devices>"
		  "</domain>",
		  HVR_IOMMU_NONE, "line 1: iommu.model = smmuv3: a profile has intel and virtio" },
		{ "proxmox", "memory: 1024\nmachine: q35,viommu=virtio\n", HVR_IOMMU_VIRTIO, NULL },
		{ "qemu",
		  "kvm -nodefaults -m 1G -smp 1 -cpu max -machine q35,kernel_irqchip=split -device "
		  "intel-iommu,intremap=on,"
		  "caching-mode=on",
		  HVR_IOMMU_INTEL, NULL },
		{ "qemu", "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -device virtio-iommu-pci",
		  HVR_IOMMU_VIRTIO, NULL },
		{ "qemu",
		  "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -device "
		  "intel-iommu,intremap=on,aw-bits=48",
		  HVR_IOMMU_INTEL, "line 1: iommu.aw-bits = 48: " },
		{ "qemu",
		  "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -device "
		  "intel-iommu,caching-mode=off",
		  HVR_IOMMU_INTEL, "line 1: iommu.caching-mode = off: " },
		{ "libvirt",
		  "<domain><memory unit='GiB'>1</memory><devices><iommu model='intel'><driver "
		  "intremap='on' iotlb='on'/></iommu></devices></domain>",
		  HVR_IOMMU_INTEL, "line 1: iommu.driver.iotlb = on: " },
		{ "qemu", "kvm -nodefaults -m 1G -smp 1 -cpu max -machine q35,kernel_irqchip=split",
		  HVR_IOMMU_NONE, "line 1: machine.kernel_irqchip = split: " },
		{ "qemu", "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -device amd-iommu",
		  HVR_IOMMU_NONE, "line 1: -device" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) out = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, &out);
		assert_int_equal(profile->iommu, cases[i].iommu);
		if (cases[i].left)
			assert_told(&out, out.left, cases[i].left);
		else if (out.left->len)
			fail_msg("%u: %s", i, (char *)out.left->pdata[0]);
	}
}

/* A USB device by its ids or its port; by a number, or a viewer's, it is told of. */
static void test_usb(void **state)
{
	static const struct {
		const char *format, *text;
		const char *port; /* NULL: by 046d:c52b; "": none is there */
	} cases[] = {
		{ "libvirt",
		  "<domain><name>a</name><devices><hostdev mode='subsystem' type='usb'><source>"
		  "<vendor id='0x046d'/><product id='0xc52b'/></source></hostdev></devices>"
		  "</domain>",
		  NULL },
		{ "libvirt",
		  "<domain><name>a</name><devices><hostdev mode='subsystem' type='usb'><source>"
		  "<address bus='1' device='5'/></source></hostdev></devices></domain>",
		  "" },
		{ "quickemu", "disk_img=a.qcow2\nusb_devices=(\"046d:c52b\")\n", NULL },
		{ "proxmox", "memory: 512\nusb0: host=046d:c52b,usb3=1\n", NULL },
		{ "proxmox", "memory: 512\nusb0: host=1-2.3\n", "1-2.3" },
		{ "proxmox", "memory: 512\nusb0: spice\n", "" },
		{ "qemu", "kvm -m 512 -device usb-host,vendorid=0x046d,productid=0xc52b", NULL },
		{ "qemu", "kvm -m 512 -device usb-host,vendorid=1133,productid=50475", NULL },
		{ "qemu", "kvm -m 512 -device usb-host,vendorid=0x10000,productid=1", "" },
		{ "qemu", "kvm -m 512 -device usb-host,vendorid=5", "" },
		{ "qemu", "kvm -m 512 -device usb-host,hostbus=1,hostport=2.3", "1-2.3" },
		{ "qemu", "kvm -m 512 -device usb-host,hostbus=1,hostaddr=5", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);

		if (cases[i].port && !*cases[i].port) {
			assert_int_equal(profile->usbs->len, 0);
			assert_true(imported.left->len > 0);
			continue;
		}
		assert_int_equal(profile->usbs->len, 1);
		const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, 0);
		if (cases[i].port) {
			assert_string_equal(usb->port, cases[i].port);
			continue;
		}
		assert_int_equal(usb->vendor, 0x046d);
		assert_int_equal(usb->product, 0xc52b);
	}
}

/* A sound card of those that a profile has; who hears it is another question. */
static void test_sound(void **state)
{
	static const struct {
		const char *format, *text;
		HvrSound sound;
		const char *told;
	} cases[] = {
		{ "libvirt",
		  "<domain><name>a</name><devices><sound model='ich9'/><audio id='1' "
		  "type='pipewire'/>"
		  "</devices></domain>",
		  HVR_SOUND_HDA, "line 1: <audio> id=1 type=pipewire: the viewer of a SPICE" },
		{ "libvirt",
		  "<domain><name>a</name><devices><sound model='ac97'/></devices></domain>",
		  HVR_SOUND_NONE, "line 1: sound.model = ac97: a profile has hda and virtio" },
		{ "quickemu", "disk_img=a.qcow2\nsound_card=\"intel-hda\"\n", HVR_SOUND_HDA, NULL },
		{ "proxmox", "memory: 512\naudio0: device=ich9-intel-hda,driver=spice\n",
		  HVR_SOUND_HDA, NULL },
		{ "proxmox", "memory: 512\naudio0: device=AC97,driver=spice\n", HVR_SOUND_NONE,
		  "line 2: audio0.device = AC97: a profile has hda" },
		{ "qemu",
		  "kvm -m 512 -audiodev pa,id=s -device ich9-intel-hda -device "
		  "hda-micro,audiodev=s",
		  HVR_SOUND_HDA, "line 1: audiodev = pa,id=s: the viewer of a SPICE" },
		{ "qemu", "kvm -m 512 -device virtio-sound-pci,audiodev=s", HVR_SOUND_VIRTIO,
		  NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);

		assert_int_equal(profile->sound, cases[i].sound);
		if (cases[i].told)
			assert_told(&imported, imported.left, cases[i].told);
	}
}

/* Keyboards and pointers of the host's. */
static void test_inputs(void **state)
{
	static const char *const cases[][2] = {
		{ "libvirt", "<domain><memory unit='GiB'>1</memory><devices><input "
			     "type='evdev'><source dev='/dev/input/by-id/a' "
			     "grab='all' repeat='on'/></input><input type='mouse' bus='ps2'/>"
			     "</devices></domain>" },
		{ "qemu", "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -object "
			  "input-linux,id=kbd,evdev=/dev/input/by-id/a,grab_all=on,"
			  "repeat=on" },
		{ "qemu", "kvm -nodefaults -M q35 -m 1G -smp 1 -cpu max -object "
			  "'{\"qom-type\":\"input-linux\",\"id\":\"kbd\","
			  "\"evdev\":\"/dev/input/by-id/a\",\"grab_all\":true,\"repeat\":true}'" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) out = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of(cases[i][0], cases[i][1], &out);
		assert_int_equal(profile->inputs->len, 1);
		const HvrProfileInput *input = g_ptr_array_index(profile->inputs, 0);
		assert_string_equal(input->evdev, "/dev/input/by-id/a");
		assert_true(input->leads && input->repeat);
		if (out.left->len)
			fail_msg("%u: %s", i, (char *)out.left->pdata[0]);
	}
}

/* No value ends its line, and none becomes a section or a key. */
static void test_injection(void **state)
{
	static const struct {
		const char *format, *text, *told;
	} cases[] = {
		{ "libvirt",
		  "<domain><name>a</name><os><kernel>/k&#10;[qemu]&#10;args = -x</kernel></os>"
		  "</domain>",
		  "line 1: os.kernel = /k\\x0a[qemu]\\x0aargs = -x: it is empty, or holds what no "
		  "line" },
		{ "libvirt",
		  "<domain><name>a</name><os><cmdline>a&#x1b;]0;x&#x202e;</cmdline></os>"
		  "</domain>",
		  "line 1: os.cmdline = a\\x1b]0;x\\u202e: it is empty, or holds" },
		{ "qemu", "kvm -append 'a\n[qemu]\nargs = -x' -kernel /k",
		  "line 1: append = a\\x0a[qemu]" },
		{ "qemu", "kvm -append 'quiet # [x]' -kernel /k",
		  "line 1: append = quiet # [x]: \"# [x]\" stands behind the value" },
		{ "quickemu", "disk_img='a\n[qemu]\nargs=-x'\n",
		  "line 1: disk_img file=a\\x0a[qemu]" },
		{ "proxmox",
		  "memory: 512\nsshkeys: ssh-ed25519%20AAAA%1b%0a[qemu]%0aargs%20=%20x\n",
		  "line 2: sshkeys = ...: it is empty, or holds what no line" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);
		assert_told(&imported, imported.left, cases[i].told);
		assert_int_equal(profile->qemu_args->len, 0);
		assert_null(strstr(imported.text, "\n[qemu]"));
		assert_null(strchr(imported.text, '\x1b'));
	}
}

/* What is no text, no XML of a domain, or too much is refused as a whole, by one harmless message.
 */
static void test_refused(void **state)
{
	g_autofree char *many = g_strnfill(HVR_IMPORT_MOST + 1, 'x');
	g_autoptr(GString) long_list = g_string_new("kvm -m 1G");
	g_autoptr(GString) deep = g_string_new("<domain>");

	for (const char *c = many; *c; c++)
		g_string_append(long_list, " -usb");
	for (guint i = 0; i < 100000; i++)
		g_string_append(deep, "<a>");
	const struct {
		const char *format, *text, *message;
	} cases[] = {
		{ "libvirt",
		  "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><domain>"
		  "<name>&b;</name></domain>",
		  "it is no XML" },
		{ "libvirt",
		  "<!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><domain><name>&a;"
		  "</name></domain>",
		  "it is no XML" },
		{ "libvirt", "<domain><name>a</domain>", "line 1: it is no XML" },
		{ "libvirt", "<network><name>a</name></network>", "no libvirt domain" },
		{ "libvirt", deep->str, "no domain has elements that deep" },
		{ "libvirt", "memory: 1", "it is no libvirt domain" },
		{ "qemu", "echo hello", "no command of it starts a qemu-system-x86_64" },
		{ "qemu", long_list->str, "it says more than 4096 things" },
		{ "proxmox", "a: \xff\xfe", "it is not UTF-8" },
		{ "libvrt", "x", "there is no format 'libvrt'" },
		{ NULL, "hello", "what '/srv/conf/lab.conf' is cannot be told" },
	};
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(GError) error = NULL;
		assert_false(make(cases[i].format, cases[i].text, &imported, &error));
		if (!strstr(error->message, cases[i].message))
			fail_msg("%u: %s", i, error->message);
		assert_null(imported.text);
	}
	const HvrImportWish nul = { .file = "a", .text = "memory: 1\0x", .length = 11 };
	g_auto(HvrImported) none = { .text = NULL };
	g_autoptr(GError) error = NULL;
	assert_false(hvr_import_make(&nul, &none, &error));
	assert_int_equal(hvr_exit_status(error), 78);
}

/* A thing that nobody knows is named with its line, wherever it stands. */
static void test_unknown(void **state)
{
	static const struct {
		const char *format, *text, *told;
	} cases[] = {
		{ "libvirt", "<domain>\n<name>a</name>\n<xyz abc='1'/></domain>",
		  "line 3: xyz.abc = 1: " },
		{ "libvirt", "<domain>\n<xyz>deep<b/></xyz></domain>", "line 2: xyz.b: " },
		{ "libvirt", "<domain><devices>\n<xyz abc='1'/></devices></domain>",
		  "line 2: <xyz> abc=1: " },
		{ "libvirt",
		  "<domain><devices><disk><source file='/a'/>\n<xyz abc='1'/></disk></devices>"
		  "</domain>",
		  "line 2: <disk> xyz.abc = 1: " },
		{ "qemu", "kvm -m 1G \\\n -xyz abc", "line 2: xyz = abc: " },
		{ "qemu", "kvm -m 1G \\\n -device xyz,a=b", "line 2: -device driver=xyz a=b: " },
		{ "qemu", "kvm -m 1G,xyz=2", "line 1: m.xyz = 2: " },
		{ "qemu", "kvm -m 1G\\\n -drive file=a.raw,if=virtio,xyz=2",
		  "line 2: -drive xyz = 2: " },
		{ "qemu", "# a\nxyz abc\nkvm -m 1G", "line 2: xyz abc: a command of the script" },
		{ "qemu", "kvm -m 1G | tee log", "line 1: tee log: a command of the script" },
		{ "qemu", "kvm -m 1G >log", "line 1: > ...: where a shell sends the output" },
		{ "qemu", "kvm -m 1G \\\n# a comment\n-smp 4",
		  "line 3: -smp 4: the shell takes this line for a command of its own" },
		{ "qemu", "kvm -m 1G\nkvm -m 2G", "line 2: kvm -m 2G: a profile is one VM" },
		{ "quickemu", "\nxyz=\"abc\"", "line 2: xyz = abc: " },
		{ "quickemu", "\nxyz abc", "line 2: xyz: it is no KEY" },
		{ "proxmox", "memory: 1\nxyz: abc", "line 2: xyz = abc: " },
		{ "proxmox", "memory: 1\nscsi0: /a,xyz=1", "line 2: scsi0 xyz = 1: " },
		{ "proxmox", "memory: 1\nxyz abc", "line 2: xyz abc: it is no key: value" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);
		assert_told(&imported, imported.left, cases[i].told);
	}
}

/* The script's own variables are what it sets them to. None is looked up, though the environment
 * has it, and nothing is run: what only a shell would know is named. */
static void test_variables(void **state)
{
	static const char script[] =
		"RAM=1G\nDISK=\"/srv/$NAME.img\"\n"
		"kvm -m $RAM -hda \"$DISK\" $EXTRA -name `id` -kernel $(touch x) -smp $(nproc)\n";
	g_auto(HvrImported) imported = { .text = NULL };

	g_setenv("RAM", "3G", TRUE);
	g_setenv("NAME", "lab", TRUE);
	g_autoptr(HvrProfile) profile = profile_of("qemu", script, &imported);
	g_unsetenv("RAM");
	g_unsetenv("NAME");
	assert_true(profile->memory_bytes == (guint64)1 << 30);
	assert_int_equal(profile->disks->len, 0);
	assert_null(profile->kernel);
	assert_told(&imported, imported.left, "line 3: -hda file = $DISK: what stands for that");
	assert_told(&imported, imported.left, "line 3: $EXTRA: what stands for that");
	assert_told(&imported, imported.left, "line 3: name.guest = $(id...: what stands for that");
	assert_told(&imported, imported.left, "line 3: kernel = $(touch...: what stands for that");
	assert_told(&imported, imported.left, "line 3: smp.cpus = $(nproc): what stands");
	g_auto(HvrImported) conf = { .text = NULL };
	g_autoptr(HvrProfile) other = profile_of(
		"quickemu", "D=/srv\ndisk_img=\"$HOME/a\"\nram=2G\niso=\"$D/b.iso\"", &conf);
	assert_int_equal(other->disks->len, 1);
	assert_told(&conf, conf.left, "line 2: disk_img file = $HOME/a: what stands for that");
}

/* One machine, however a script spells it: by variables, quotes, arrays, functions, comments. */
static void test_scripts(void **state)
{
	static const char *const scripts[] = {
		"A='-m 2G'\nA=\"$A -smp 3\"\nA+=\" -cpu max\"\nkvm $A -hda '/a b.raw'",
		"M=2\nargs=(\n -m \"${M}G\"   # memory\n\n # -m 9G\n -smp 3 -cpu 'max'\n)\n"
		"args+=(-hda '/a b.raw')\nexec sudo -u me nice -n -5 kvm \"${args[@]}\" >/dev/null "
		"2>&1 &",
		"#!/bin/sh\n: \"${MEM:=\"2G\"}\"\nstart() {\n  local f=/a\\ b.raw\n"
		"  Q=/usr/bin/qemu-system-x86_64\n  $Q -m $MEM -smp 3 `# why` -cpu max \\\n"
		"   -hda \"$f\"\n}\nstart",
		"modprobe kvm\nsudo modprobe kvm\ncommand -v qemu-system-x86_64 || exit 1\n"
		"kvm --version\ncat <<END > /x\nkvm -m 7G -hda don't\nEND\n"
		"QEMU_AUDIO_DRV=pa taskset -c 0-2 kvm -m 2G -smp 3 -cpu max -hda '/a b.raw'",
		"CMD=(kvm -m 2G)\nCMD+=(-smp 3)\nF='/a b.raw'\n"
		"exec \"${CMD[@]}\" ${F:+-hda \"$F\"} ${F:+-cpu max}",
		"C=\"kvm -m 2G -smp 3 -cpu max -hda '/a b.raw'\"\neval \"$C\"",
		"sudo bash -c \"kvm -m 2G -smp 3 -cpu max -hda '/a b.raw'\"",
		"kvm -m 2G -smp 3 \\\r\n -cpu max -hda '/a b.raw'\r\n",
		"kvm -m 2G -smp 3 -cpu max -blockdev '{\"driver\":\"throttle\","
		"\"throttle-group\":\"t\",\"node-name\":\"d\",\"discard\":\"unmap\",\"file\":{"
		"\"driver\":\"raw\",\"node-name\":\"f\",\"file\":{\"driver\":\"host_device\","
		"\"filename\":\"/a b.raw\",\"node-name\":\"e\"}}}' -device scsi-hd,drive=d",
		"set -- -m 2G\nset -- \"$@\" -smp 3 -cpu max\nkvm \"$@\" -hda \"/a b.raw\"",
		"# words alone\n-m 2G\n-smp 3\n\n-cpu max\n-hda '/a b.raw'",
		"#!/bin/bash\nsource base.conf\nsetup() {\n P+=(\"-m\" \"2G\")\n"
		" P+=(\"-smp\" 3 -cpu max)\n P+=(-hda \"/a b.raw\")\n}",
		"kvm -m 9G -cpu host -smp 3 -hda '/a b.raw' -m 2G -cpu max",
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], NULL);
		const HvrProfileDisk *disk = NULL;
		if (profile->memory_bytes != (guint64)2 << 30 || profile->cpus != 3 ||
		    g_strcmp0(profile->cpu, "max") != 0 || profile->disks->len != 1)
			fail_msg("%s", scripts[i]);
		disk = g_ptr_array_index(profile->disks, 0);
		assert_string_equal(disk->file, "/a b.raw");
	}
}

/* What depends on what nobody asks is taken and named, where it is QEMU's words; a value is not. */
static void test_conditions(void **state)
{
	static const char script[] =
		"M=2G\nS=3\nif [ -e /dev/kvm ]; then\n  A=(-enable-kvm)\n  S=8\n"
		"fi\n[ -n \"$1\" ] && M=9G\nfor d in 1 2; do\n"
		"  A+=(-device \"vfio-pci,host=0$d:00.0\")\ndone\nread -r N\n"
		"kvm -m $M -smp $S -name $N -cpu ${C:-max} \"${A[@]}\"";
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of("qemu", script, &imported);

	assert_int_equal(profile->accel, HVR_ACCEL_KVM);
	assert_string_equal(profile->cpu, "max");
	assert_int_equal(profile->devices->len, 0);
	assert_told(&imported, imported.left, "line 4: -enable-kvm: line 3 says when it is so");
	assert_told(&imported, imported.left, "line 12: -cpu max: line 12 says when it is so");
	assert_told(&imported, imported.left, "line 12: m.size = $M: what stands for that");
	assert_told(&imported, imported.left, "line 12: smp.cpus = $S: what stands for that");
	assert_told(&imported, imported.left, "line 12: name.guest = $N: what stands for that");
	assert_told(&imported, imported.left, "line 9: -device host = 0$d:00.0: what stands");
}

/* A value that grows by itself ends, and so do brackets that do not. */
static void test_shell_bounds(void **state)
{
	g_autoptr(GString) text = g_string_new("A=-x12345678\nB=(-m 1G)\n");
	g_auto(HvrImported) imported = { .text = NULL };

	for (guint i = 0; i < 64; i++)
		g_string_append(text, "A=\"$A$A\"\nB=(\"${B[@]}\" \"${B[@]}\")\n");
	g_string_append(text, "kvm -m 1G $A\n");
	g_autoptr(HvrProfile) profile = profile_of("qemu", text->str, &imported);
	assert_true(profile->memory_bytes == (guint64)1 << 30);

	g_auto(HvrImported) open = { .text = NULL };
	g_autoptr(HvrProfile) cut = profile_of("qemu", "kvm -m 1G\nA=b\nC=\"x${A", &open);
	assert_true(cut->memory_bytes == (guint64)1 << 30);
	assert_told(&open, open.left, "line 3: \"x${A: what begins there does not end");

	g_autofree char *commands = g_strnfill(2 * 5000, 'a');
	for (gsize i = 1; i < 2 * 5000; i += 2)
		commands[i] = '\n';
	g_autofree char *much = g_strconcat(commands, "kvm -m 1G", NULL);
	g_auto(HvrImported) none = { .text = NULL };
	g_autoptr(GError) error = NULL;
	assert_false(make("qemu", much, &none, &error));
	assert_non_null(strstr(error->message, "it says more than 4096 things"));

	g_autofree char *deep = g_strnfill(200000, '(');
	for (gsize i = 0; i + 1 < 200000; i += 2)
		deep[i] = '$';
	g_autofree char *script = g_strconcat("kvm -m 1G\nX=", deep, "\n", NULL);
	g_auto(HvrImported) other = { .text = NULL };
	g_autoptr(HvrProfile) same = profile_of("qemu", script, &other);
	assert_told(&other, other.left, "line 2: $($($(");
}

/* What is not said of sockets, cores and threads is what QEMU makes of it. */
static void test_smp(void **state)
{
	static const struct {
		const char *smp;
		guint cpus, sockets, cores, threads;
	} cases[] = {
		{ "4,cores=2,sockets=1", 4, 1, 2, 2 },
		{ "sockets=1,cores=4,threads=2", 8, 1, 4, 2 },
		{ "cores=4", 4, 0, 4, 0 },
		{ "8,sockets=2", 8, 2, 4, 1 },
		{ "8,threads=2", 8, 1, 4, 2 },
		{ "6,cores=3,threads=1", 6, 2, 3, 1 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat("kvm -m 1G -smp ", cases[i].smp, NULL);
		g_autoptr(HvrProfile) profile = profile_of("qemu", text, NULL);
		assert_int_equal(profile->cpus, cases[i].cpus);
		assert_int_equal(profile->processor.sockets, cases[i].sockets);
		assert_int_equal(profile->processor.cores, cases[i].cores);
		assert_int_equal(profile->processor.threads, cases[i].threads);
	}
}

/* A card whose address is none is not another one. */
static void test_no_card(void **state)
{
	static const struct {
		const char *format, *text, *told;
	} cases[] = {
		{ "qemu", "kvm -m 1G -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/f50a-1",
		  "line 1: -device driver=vfio-pci sysfsdev=" },
		{ "qemu", "kvm -m 1G -device vfio-pci,host=$CARD", "line 1: -device driver=vfio" },
		{ "libvirt",
		  "<domain><devices><hostdev type='pci'><source><address bus='0xzz'/></source>"
		  "</hostdev></devices></domain>",
		  "line 1: <hostdev> type=pci" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);
		assert_int_equal(profile->devices->len, 0);
		assert_told(&imported, imported.left, cases[i].told);
	}
}

/* A number is what its program takes it for: '11' is 0x0b to libvirt. */
static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		guint bus, slot, function;
	} cases[] = {
		{ "<hostdev type='pci'><source><address domain='0' bus='11' slot='16' "
		  "function='1'/></source></hostdev>",
		  11, 16, 1 },
		{ "<hostdev type='pci'><source><address bus='0x11' slot='0x1f' function='0x7'/>"
		  "</source></hostdev>",
		  0x11, 0x1f, 7 },
		{ "<interface type='hostdev' managed='yes'><mac address='" MAC "'/><source>"
		  "<address type='pci' domain='0x0000' bus='0x04' slot='0x10' function='0x2'/>"
		  "</source></interface>",
		  4, 16, 2 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = profile_of("libvirt", cases[i].text, NULL);
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, 0);
		assert_int_equal(profile->nets->len, 0);
		assert_int_equal(device->address.bus, cases[i].bus);
		assert_int_equal(device->address.slot, cases[i].slot);
		assert_int_equal(device->address.function, cases[i].function);
	}
}

/* What a card is told beside its address. */
static void test_card_words(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "qemu", "kvm -m 1G -device vfio-pci,host=02:00.0,x-vga=on,x-no-mmap=true,"
			  "x-pci-sub-vendor-id=0x1e60,x-pci-sub-device-id=10340,x-abc=1" },
		{ "proxmox", "memory: 1024\nhostpci0: 02:00.0,x-vga=1,x-no-mmap=1,"
			     "sub-vendor-id=0x1e60,sub-device-id=0x2864,x-abc=1" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, 0);
		assert_true(device->has_subs);
		assert_int_equal(device->sub_vendor, 0x1e60);
		assert_int_equal(device->sub_device, 0x2864);
		assert_non_null(strstr(imported.text, "\nproperties = x-vga=on x-no-mmap=on\n"));
		assert_non_null(strstr(imported.text, " x-abc = 1: a profile has no key for it"));
	}
}

/* What a Windows is told, what hides a hypervisor, and who has the last word. */
static void test_processor(void **state)
{
	static const struct {
		const char *format, *text, *cpu;
		gboolean hyperv;
	} cases[] = {
		{ "libvirt",
		  "<domain><features><hyperv><relaxed state='on'/><vapic state='on'/><spinlocks "
		  "state='on' retries='8191'/><vendor_id state='on' value='abc'/></hyperv><kvm>"
		  "<hidden state='on'/></kvm></features><cpu mode='host-passthrough'/></domain>",
		  "host,kvm=off,hv-vendor-id=abc", TRUE },
		{ "libvirt",
		  "<domain><features><hyperv><relaxed state='on'/></hyperv></features><cpu "
		  "mode='host-passthrough'/><qemu:commandline><qemu:arg value='-cpu'/><qemu:arg "
		  "value='max'/></qemu:commandline></domain>",
		  "max", FALSE },
		{ "libvirt",
		  "<domain><features><hyperv><relaxed state='off'/></hyperv></features>"
		  "<cpu mode='host-passthrough'/></domain>",
		  "host", FALSE },
		{ "proxmox", "memory: 1024\nostype: win11\ncpu: host,hidden=1,flags=+aes;-pcid",
		  "host,kvm=off,+aes,-pcid", TRUE },
		{ "proxmox", "memory: 1024\nostype: win11\ncpu: host\nargs: -cpu max,kvm=off",
		  "max,kvm=off", FALSE },
		{ "proxmox", "memory: 1024\nostype: l26\ncpu: host", "host", FALSE },
		{ "quickemu", "guest_os=\"windows\"\ndisk_img=\"a\"\nextra_args=\"-cpu max\"",
		  "max", FALSE },
		{ "quickemu", "guest_os=\"windows\"\ndisk_img=\"a\"", "auto", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, NULL);
		assert_string_equal(profile->cpu, cases[i].cpu);
		assert_int_equal(profile->processor.hyperv, cases[i].hyperv);
	}
}

/* The CD-ROM first, by letters or their like. */
static void test_boot_letters(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "qemu", "kvm -m 1G -hda /disk.raw -cdrom /cd.iso -boot d" },
		{ "qemu", "kvm -m 1G -hda /disk.raw -cdrom /cd.iso -boot menu=on,order=dc" },
		{ "proxmox",
		  "memory: 1024\nsata0: /disk.raw\nsata1: /cd.iso,media=cdrom\nboot: dc" },
		{ "libvirt",
		  "<domain><os><boot dev='network'/><boot dev='cdrom'/><boot dev='hd'/></os>"
		  "<devices><disk device='disk'><source file='/disk.raw'/></disk>"
		  "<disk device='cdrom'><source file='/cd.iso'/></disk>"
		  "<disk device='cdrom'><target dev='hdc'/></disk></devices></domain>" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, NULL);
		const HvrProfileDisk *first = g_ptr_array_index(profile->disks, 0);
		assert_int_equal(profile->disks->len, 2);
		assert_string_equal(first->file, "/cd.iso");
	}
}

/* Where Proxmox has things, and what it passes that is no card. */
static void test_proxmox_places(void **state)
{
	static const char conf[] =
		"memory: current=2048\nhostpci0: 00:02.0,mdev=i915-GVTg_V5_2\n"
		"hostpci1: 02:00.0,romfile=card.rom\nide2: local:iso/a.iso,media=cdrom\n"
		"usb0: mapping=stick\nboot: order=usb0;ide2\n"
		"ide0: cdrom,media=cdrom\nsata0: nas:iso/b.iso,media=cdrom\n[PENDING]\nmemory: 1\n";
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of("proxmox", conf, &imported);
	const HvrProfileDevice *device = g_ptr_array_index(profile->devices, 0);

	assert_true(profile->memory_bytes == (guint64)2 << 30);
	assert_int_equal(profile->devices->len, 1);
	assert_int_equal(device->address.bus, 2);
	assert_string_equal(device->romfile, "/usr/share/kvm/card.rom");
	assert_int_equal(profile->disks->len, 2);
	assert_string_equal(((HvrProfileDisk *)profile->disks->pdata[0])->file,
			    "/var/lib/vz/template/iso/a.iso");
	assert_string_equal(((HvrProfileDisk *)profile->disks->pdata[1])->file, "/srv/conf/b.iso");
	assert_told(&imported, imported.left, "line 2: hostpci0 host=00:02.0 mdev=");
	assert_told(&imported, imported.left, "line 5: usb0 mapping=stick: which device");
	assert_told(&imported, imported.left, "line 6: usb0;ide2: the first disk is booted");
	assert_told(&imported, imported.left, "line 7: ide0 ");
	assert_told(&imported, imported.left, "line 8: sata0: where that storage is only");
	assert_told(&imported, imported.left, "line 9: [PENDING]: from here on it is what waits");
}

/* Words of older files, images, and QEMU's own in quickemu's. */
static void test_quickemu_words(void **state)
{
	static const char conf[] = "guest_os=\"macos\"\nimg=\"a/Recovery.img\"\n"
				   "disk_img=\"a/disk.qcow2\"\ndisk=64G\n"
				   "extra_args=\"-device vfio-pci,host=02:00.0 -smp 3\"\n";
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of("quickemu", conf, &imported);
	const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);
	const HvrProfileDisk *image = g_ptr_array_index(profile->disks, 1);

	assert_int_equal(profile->devices->len, 1);
	assert_int_equal(profile->cpus, 3);
	assert_true(disk->size_bytes == (guint64)64 << 30);
	assert_int_equal(image->format, HVR_DISK_RAW);
	assert_int_equal(image->size_bytes, 0);
	assert_told(&imported, imported.left, "line 1: guest_os = macos: quickemu starts it by");
}

/* Secure Boot of <os firmware='efi'>, a bridge's helper, a USB device of old. */
static void test_small_words(void **state)
{
	g_autoptr(HvrProfile) secure = profile_of(
		"libvirt",
		"<domain><os firmware='efi'><firmware><feature enabled='no' name='enrolled-keys'/>"
		"<feature enabled='yes' name='secure-boot'/></firmware></os></domain>",
		NULL);
	g_autoptr(HvrProfile) helped =
		profile_of("qemu",
			   "kvm -m 1G -netdev tap,helper=/x,id=n -device e1000,netdev=n -usbdevice "
			   "host:046d:c52b",
			   NULL);
	const HvrProfileNet *net = g_ptr_array_index(helped->nets, 0);

	g_autoptr(HvrProfile) flash = profile_of(
		"qemu",
		"kvm -m 1G -global driver=cfi.pflash01,property=secure,value=on -soundhw hda "
		"-drive if=pflash,unit=0,file=/a -machine q35,igd-passthru=on",
		NULL);

	g_auto(HvrImported) kept = { .text = NULL };
	g_autoptr(HvrProfile) inner = profile_of(
		"libvirt",
		"<domainsnapshot><name>s</name>\n<domain><name>a</name><vcpu>3</"
		"vcpu><devices><disk>"
		"<source file='/a'/></disk></devices></domain><x><y/></x>\n<domain><name>b</name>"
		"<vcpu>5</vcpu></domain></domainsnapshot>",
		&kept);

	assert_string_equal(inner->name, "a");
	assert_int_equal(inner->cpus, 3);
	assert_int_equal(inner->disks->len, 1);
	assert_told(&kept, kept.left, "line 2: <domainsnapshot>: of it the first domain is taken");
	assert_told(&kept, kept.left, "line 3: <domain>: a profile is one VM");
	g_autoptr(HvrProfile) old = profile_of("qemu", "kvm -m 1G -hda /a.raw -cdrom /b", NULL);

	for (guint i = 0; i < old->disks->len; i++)
		assert_int_equal(((HvrProfileDisk *)old->disks->pdata[i])->bus, HVR_DISK_SATA);
	assert_true(flash->firmware.secure);
	assert_int_equal(flash->sound, HVR_SOUND_HDA);
	assert_true(secure->firmware.secure);
	assert_int_equal(net->mode, HVR_NET_BRIDGE);
	assert_string_equal(net->bridge, "br0");
	assert_int_equal(helped->usbs->len, 1);
}

/* What QEMU has without a word of it, or to all the world, is not lost without one. */
static void test_unsaid(void **state)
{
	static const struct {
		const char *text, *told; /* NULL: nothing is left out */
	} cases[] = {
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nographic", "-nic: QEMU adds a network card" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic user", "-display: QEMU adds a screen" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -nographic", NULL },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nodefaults", NULL },
		{ "kvm -M q35 -m 1G -cpu max -nodefaults", "-smp: QEMU's is one CPU" },
		{ "kvm -M q35 -m 1G -smp cores=2 -cpu max -nodefaults", NULL },
		{ "kvm -M q35 -m 1G -smp 1 -nodefaults", "-cpu: QEMU's is qemu64" },
		{ "kvm -m 1G -smp 1 -cpu max -nodefaults", "-machine: QEMU's is an i440fx" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic user,model=virtio -nic none -nographic",
		  NULL },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -vnc :1",
		  "line 1: vnc = :1: a screen is at 127.0.0.1" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -vnc 127.0.0.1:1,password=on",
		  "line 1: vnc = 127.0.0.1:1,password=on: of this the address is kept" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -vnc 127.0.0.1:1", NULL },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nodefaults -chardev socket,path=/q,id=q "
		  "-device "
		  "virtserialport,chardev=q,name=org.qemu.guest_agent.0",
		  NULL },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nodefaults -drive "
		  "if=pflash,unit=0,file=/a.fd,format=raw",
		  "line 1: firmware.code = /a.fd: which file it is" },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -vnc unix:/x.sock",
		  "line 1: vnc = unix:/x.sock: " },
		{ "kvm -M q35 -m 1G -smp 1 -cpu max -nic none -nographic -serial stdio -serial pty",
		  "line 1: serial = pty: a profile has one serial port" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) out = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of("qemu", cases[i].text, &out);
		assert_true(profile->nets->len <= 1);
		if (cases[i].told)
			assert_told(&out, out.left, cases[i].told);
		else if (out.left->len)
			fail_msg("%u: %s", i, (char *)out.left->pdata[0]);
	}
}

static gboolean is_part_of_one(const GPtrArray *notes, const char *part)
{
	for (guint i = 0; i < notes->len; i++)
		if (strstr(g_ptr_array_index(notes, i), part))
			return TRUE;
	return FALSE;
}

/* What people write in another way than the first that comes to mind. */
static void test_said_otherwise(void **state)
{
	static const struct {
		const char *format, *text;
		const char *has;  /* a part of the profile */
		const char *told; /* NULL: nothing of it */
	} cases[] = {
		{ "qemu",
		  "kvm -m 1G -drive if=pflash,format=raw,file=/a-code.fd "
		  "-drive if=pflash,format=raw,file=/vm/b.fd",
		  "mode = uefi\n# ", "firmware.code = /a-code.fd" },
		{ "qemu", "kvm -m 1G -pflash /a.bin -pflash /vm/b.bin", "\nvars = /vm/b.bin\n",
		  NULL },
		{ "qemu",
		  "kvm -m 1G -blockdev driver=file,filename=/c.raw,node-name=f "
		  "-blockdev driver=raw,node-name=r,file=f -blockdev "
		  "driver=throttle,node-name=t,throttle-group=g,file=r -device "
		  "virtio-blk-pci,drive=t,id=deep",
		  "\nfile = /c.raw\n", "throttle-group = g: a profile has no limits" },
		{ "qemu", "kvm -m 1G -drive file=rbd:pool/a:id=x,format=raw,if=virtio",
		  "memory = 1G", "rbd:pool/a:id=x: it is no file" },
		{ "qemu", "kvm -m 1G -drive file=/a.vmdk,if=virtio", "\nfile = /a.vmdk\n",
		  "format = vmdk" },
		{ "qemu", "kvm -m 1G -object memory-backend-file,mem-path=/dev/hugepages1G,id=m",
		  "\nhugepages = 1G\n", NULL },
		{ "qemu", "kvm -m 1G -object memory-backend-memfd,hugetlb=on,hugetlbsize=1G,id=m",
		  "\nhugepages = 1G\n", NULL },
		{ "qemu",
		  "kvm -m 1G -object '{\"qom-type\":\"memory-backend-memfd\",\"id\":\"m\","
		  "\"hugetlb\":true}'",
		  "\nhugepages = 2M\n", NULL },
		{ "qemu", "kvm -m 1G -nic user,hostfwd=udp::53-10.0.2.99:53", "udp:0.0.0.0:53-53",
		  "by DHCP, and to no other" },
		{ "proxmox", "agent: enabled=1\nmemory: 512\n", "\nagent = yes\n", NULL },
		{ "proxmox", "cpu: cputype=host,flags=+aes\nmachine: type=q35\nmemory: 512\n",
		  "\ncpu = host,+aes\n", NULL },
		{ "proxmox", "ide2: file=local:iso/a.iso,media=cdrom\nmemory: 512\n",
		  "\nfile = /var/lib/vz/template/iso/a.iso\n", NULL },
		{ "proxmox", "memory: 512\nscsihw: lsi\n", "memory = 512M",
		  "the guest sees a virtio-scsi" },
		{ "proxmox", "memory: 512\n", "memory = 512M", "machine: Proxmox' is an i440fx" },
		{ "libvirt",
		  "<domain><memory unit='GiB'>1</memory><os firmware='efi'><nvram type='file' "
		  "template='/x'><source file='/nv/x.fd'/></nvram></os></domain>",
		  "\nvars = /nv/x.fd\n", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) out = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, &out);
		if (!strstr(out.text, cases[i].has))
			fail_msg("%u: no '%s' in:\n%s", i, cases[i].has, out.text);
		if (cases[i].told && !is_part_of_one(out.left, cases[i].told))
			fail_msg("%u: '%s' is not told in:\n%s", i, cases[i].told, out.text);
	}
}

/* print_hostpci_devices() says them of function 0 alone. */
static void test_functions_of_proxmox(void **state)
{
	static const char text[] =
		"memory: 512\nhostpci0: 0000:01:00.0;0000:01:00.1,x-vga=1,romfile=gpu.rom\n";
	g_auto(HvrImported) out = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of("proxmox", text, &out);

	assert_int_equal(profile->devices->len, 2);
	const HvrProfileDevice *first = g_ptr_array_index(profile->devices, 0);
	const HvrProfileDevice *second = g_ptr_array_index(profile->devices, 1);
	assert_string_equal(first->romfile, "/usr/share/kvm/gpu.rom");
	assert_null(second->romfile);
	assert_true(!second->properties || second->properties->len == 0);
}

/* An array of one word has its bracket at the end of its first. */
static void test_short_array(void **state)
{
	g_autoptr(HvrProfile) profile =
		profile_of("qemu", "A=(-snapshot)\nkvm -hda /a.img \"${A[@]}\"", NULL);
	const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);

	assert_true(disk->snapshot);
}

/* Passwords are nowhere in what is printed. */
static void test_secrets(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "proxmox", "memory: 1\ncipassword: hunter2" },
		{ "libvirt",
		  "<domain><devices><graphics type='vnc' passwd='hunter2'/></devices></domain>" },
		{ "libvirt", "<domain><devices><graphics type='vnc'/><graphics type='spice' "
			     "passwd='hunter2'/></devices></domain>" },
		{ "qemu", "kvm -m 1G -spice port=5930,password=hunter2" },
		{ "qemu", "kvm -m 1G -object secret,id=s,data=hunter2" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile =
			profile_of(cases[i].format, cases[i].text, &imported);
		if (strstr(imported.text, "hunter2"))
			fail_msg("%s", imported.text);
	}
}

/* A section more than there may be, names that are none or come twice, two disks of one image. */
static void test_bounds(void **state)
{
	g_autoptr(GString) text = g_string_new("<domain><devices>");
	g_auto(HvrImported) imported = { .text = NULL };

	for (guint i = 0; i < 20; i++)
		g_string_append_printf(text,
				       "<disk><source file='/d%u'/><target dev='%s'/></disk>\n", i,
				       i % 2 ? "hvr-x" : "vda");
	g_string_append(text, "</devices></domain>");
	g_autoptr(HvrProfile) profile = profile_of("libvirt", text->str, &imported);
	const HvrProfileSection *disk = hvr_profile_section("disk");
	assert_int_equal(profile->disks->len, disk->most);
	assert_told(&imported, imported.left, "line 20: <disk> source.file=/d19");

	g_auto(HvrImported) twice = { .text = NULL };
	g_autoptr(HvrProfile) other = profile_of(
		"qemu", "kvm -m 1G -hda /a.raw -hdb /a.raw -initrd /i -smp 4,cores=3", &twice);
	assert_int_equal(other->disks->len, 1);
	assert_null(other->initrd);
	assert_told(&twice, twice.left, "line 1: initrd = /i: means nothing without a kernel");
	assert_told(&twice, twice.left, "line 1: smp.cores = 3: ");
	assert_told(&twice, twice.left, "line 1: -hdb file = /a.raw: is also the file of");
}

/* Relative to the source; in one folder with the profile by its name alone. */
static void test_paths(void **state)
{
	static const char text[] = "kvm -m 1G -hda disk.raw -kernel ../boot/k";
	static const struct {
		const char *output, *disk;
	} cases[] = {
		{ NULL, "\nfile = /srv/conf/disk.raw\n" },
		{ "/srv/conf/a.ini", "\nfile = disk.raw\n" },
		{ "/srv/other/a.ini", "\nfile = /srv/conf/disk.raw\n" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrImportWish wish = { .file = SOURCE,
					     .output = cases[i].output,
					     .text = text,
					     .length = strlen(text) };
		g_auto(HvrImported) imported = { .text = NULL };
		assert_true(hvr_import_make(&wish, &imported, NULL));
		if (!strstr(imported.text, cases[i].disk) ||
		    !strstr(imported.text, "\nkernel = /srv/boot/k\n"))
			fail_msg("%s", imported.text);
	}
}

/* What is booted first there is first here. */
static void test_order(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "proxmox",
		  "memory: 1\nboot: order=ide2;scsi1;scsi0\nscsi0: /a\nscsi1: /first\n" },
		{ "qemu",
		  "kvm -m 1G -drive file=/a,if=none,id=a -drive file=/first,if=none,id=b "
		  "-device virtio-blk,drive=a,bootindex=2 -device nvme,drive=b,bootindex=1" },
		{ "libvirt", "<domain><devices><disk><source file='/a'/></disk><disk><source "
			     "file='/first'/><boot order='1'/></disk></devices></domain>" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = profile_of(cases[i].format, cases[i].text, NULL);
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);
		assert_int_equal(profile->disks->len, 2);
		assert_string_equal(disk->file, "/first");
	}
}

/* A port that was open to the network stays so, and one that was not does not become it. */
static void test_forwards(void **state)
{
	g_autoptr(HvrProfile) profile = profile_of(
		"qemu",
		"kvm -m 1G -nic user,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:53",
		NULL);
	const HvrForward *open = hvr_profile_forward(profile, 0);
	const HvrForward *own = hvr_profile_forward(profile, 1);

	assert_string_equal(open->host_address, "0.0.0.0");
	assert_int_equal(open->host_port, 2222);
	assert_int_equal(open->guest_port, 22);
	assert_string_equal(own->host_address, "127.0.0.1");
	assert_true(own->udp);
	assert_int_equal(own->guest_port, 53);
}

/* `print --format libvirt`, and back. */
static void test_libvirt_again(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_amd();
	static const char text[] = "[vm]\nmemory = 1G\n[device npu]\n";
	const HvrContext context = {
		.host = fs->host, .runtime = -1, .runtime_parent = -1, .privileged = TRUE
	};
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(HvrClaim) claim = hvr_print_cards(&context, profile, inventory, NULL);
	g_autofree char *xml = hvr_print_libvirt(inventory, claim);
	g_autoptr(HvrProfile) again = profile_of(NULL, xml, NULL);

	assert_int_equal(again->devices->len, 1);
	const HvrProfileDevice *device = g_ptr_array_index(again->devices, 0);
	const HvrClaimedCard *card = g_ptr_array_index(claim->cards, 0);
	assert_string_equal(device->id, "npu");
	assert_memory_equal(&device->address, &card->function->address, sizeof(HvrPciAddress));
	g_autoptr(HvrClaim) second = hvr_print_cards(&context, again, inventory, NULL);
	g_autofree char *second_xml = hvr_print_libvirt(inventory, second);
	assert_string_equal(second_xml, xml);
}

/* The same with cards that are functions of one slot. */
static void test_libvirt_slot_again(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_switches();
	static const char text[] = "[vm]\nmemory = 1G\n[device a]\naddress = 0000:05:00.0\n"
				   "[device b]\naddress = 0000:06:00.0\nwith = a\n";
	const HvrContext context = {
		.host = fs->host, .runtime = -1, .runtime_parent = -1, .privileged = TRUE
	};
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(HvrClaim) claim = hvr_print_cards(&context, profile, inventory, NULL);
	g_autofree char *xml = hvr_print_libvirt(inventory, claim);

	assert_non_null(strstr(xml, "  <address type='pci' domain='0x0000' bus='0x10' slot='0x00' "
				    "function='0x0' multifunction='on'/>\n</hostdev>"));
	assert_non_null(strstr(xml, "  <address type='pci' domain='0x0000' bus='0x10' slot='0x00' "
				    "function='0x1'/>\n</hostdev>"));
	g_autoptr(HvrProfile) again = profile_of(NULL, xml, NULL);
	assert_int_equal(again->devices->len, 2);
	const HvrProfileDevice *second = g_ptr_array_index(again->devices, 1);
	assert_string_equal(second->with, "a");
	g_autoptr(HvrClaim) again_claim = hvr_print_cards(&context, again, inventory, NULL);
	g_autofree char *again_xml = hvr_print_libvirt(inventory, again_claim);
	assert_string_equal(again_xml, xml);
}

static int run(char **words, GError **error)
{
	const HvrCommand *command = hvr_command_find("import");
	HvrContext context = { .runtime = -1, .runtime_parent = -1 };
	HvrInvocation *it = hvr_invocation_parse(command, words, error);
	int status = it ? command->run(&context, it, error) : -1;

	if (it)
		hvr_invocation_free(command, it);
	return status;
}

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static void assert_refused(char **words, int status, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_int_equal(run(words, &error), -1);
	if (!strstr(error->message, message))
		fail_msg("%s", error->message);
	assert_int_equal(hvr_exit_status(error), status);
}

/* The command: a regular file of bounded size in, a file that is not there yet out. */
static void test_command(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("hvr-import-XXXXXX", NULL);
	g_autofree char *huge = g_strnfill((1 << 20) + 1, '\n');

	assert_int_equal(chdir(folder), 0);
	fake_files_write(folder, "a.conf", "memory: 2048\nvirtio0: a.qcow2\n", 0644);
	fake_files_write(folder, "huge.conf", huge, 0644);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(run(WORDS("-o", "a.ini", "a.conf"), NULL), 0);
	g_autofree char *text = fake_files_read(folder, "a.ini");
	assert_non_null(strstr(text, "\nfile = a.qcow2\n"));
	assert_non_null(strstr(text, "\nmemory = 2048M\n"));
	assert_refused(WORDS("-o", "a.ini", "a.conf"), 64,
		       "import: 'a.ini' is there already, and stays as it is");
	assert_refused(WORDS("-o", "b.ini", "huge.conf"), 78, "it is larger than 1 MiB");
	assert_refused(WORDS("-o", "b.ini", "fifo"), 69, "it is not a regular file");
	assert_refused(WORDS("-o", "b.ini", "."), 69, "it is not a regular file");
	assert_refused(WORDS("-o", "b.ini", "none"), 69, "does not exist");
	assert_refused(WORDS("-o", "b.ini", "-f", "xml", "a.conf"), 64, "there is no format 'xml'");
	assert_false(fake_files_exist(folder, "b.ini"));
	assert_int_equal(chdir("/"), 0);
	fake_files_end(folder);
}

/* What each of them is, nobody has to say. */
static void test_guess(void **state)
{
	g_autoptr(GDir) folder = g_dir_open(SOURCE_ROOT "/tests/data/import", 0, NULL);
	const char *name;
	guint n = 0;

	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path =
			g_build_filename(SOURCE_ROOT "/tests/data/import", name, NULL);
		g_autofree char *text = NULL;
		const char *format = g_str_has_prefix(name, "script-") ? "qemu" : name;
		assert_true(g_file_get_contents(path, &text, NULL, NULL));
		if (g_str_has_prefix(name, "vmctl"))
			format = "qemu";
		g_autofree char *kind = g_strndup(format, strcspn(format, "-"));
		g_auto(HvrImported) said = { .text = NULL }, guessed = { .text = NULL };
		assert_true(make(kind, text, &said, NULL));
		assert_true(make(NULL, text, &guessed, NULL));
		assert_string_equal(said.text, guessed.text);
		n++;
	}
	assert_int_equal(n, 15);
	g_autoptr(HvrProfile) marked = profile_of(NULL, "\xef\xbb\xbf<domain/>", NULL);
	g_autoptr(HvrProfile) script =
		profile_of(NULL, "#!/bin/sh\ncat <<E\nname: a\nE\nkvm -m 3G", NULL);
	assert_true(script->memory_bytes == (guint64)3 << 30);
}

/* "${A[@]}" of an array with nothing in it is no word, as bash has it: behind QEMU's name no
 * medium of that name, and what is behind it is QEMU's still. */
static void test_empty_array(void **state)
{
#define REST " -m 8G -smp 4 -device vfio-pci,host=0000:01:00.0\n"
	static const char *const scripts[] = {
		"ARGS=()\nARGS+=(-cpu host)\nsudo qemu-system-x86_64 \"${ARGS[@]}\"" REST,
		"ARGS=( )\ntaskset -c 2 qemu-system-x86_64 \"${ARGS[@]}\"" REST,
		"A=(\n)\nB=()\nX=\nnice -n 5 kvm \"$X${A[@]}${B[@]}\"" REST,
		"declare -a A=()\nkvm \"${A[@]}\"\"${A[@]}\" ${A[@]} $A" REST,
		"declare -a A=() B=(-cpu host)\nC=(-rtc base=utc) D=() E=1\nsudo kvm \"${A[@]}\" "
		"\"${B[@]}\" \"${C[@]}\" \"${D[@]}\"" REST,
		"local A=() B=1\nsudo -E kvm \"${A[@]}\"" REST,
		"set --\nexec kvm \"$@\"" REST,
		"A=()\nB=(\"${A[@]}\")\nB+=(\"${A[@]}\")\nsudo kvm \"${B[@]}\"" REST,
		"A=()\nX=x\nsudo kvm ${X:+\"${A[@]}\"}" REST,
		"A=()\nM=()\nkvm -name \"lab${A[@]}\" -m \"${M[@]}8G\"" REST,
		"sudo $QEMU" REST,
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], &imported);
		gboolean same = profile->memory_bytes == (guint64)8 << 30 && profile->cpus == 4 &&
				profile->devices->len == 1 && profile->disks->len == 0;
		if (!same || strstr(imported.text, "hda") ||
		    strstr(imported.text, "a command of the"))
			fail_msg("%s%s", scripts[i], imported.text);
	}
}

/* Quotes with nothing in them are a word, which QEMU takes for a medium: of that a note tells. What
 * is behind it is QEMU's. */
static void test_empty_word(void **state)
{
	static const char *const scripts[] = {
		"EXTRA=\"\"\nsudo qemu-system-x86_64 \"$EXTRA\"" REST,
		"A=()\nsudo kvm \"${A[*]}\" ''" REST,
		"A=()\nnice kvm \"\"\"${A[@]}\"" REST,
		"sudo $QEMU \"\"" REST,
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], &imported);
		gboolean same = profile->memory_bytes == (guint64)8 << 30 && profile->cpus == 4 &&
				profile->devices->len == 1;
		if (!same || !strstr(imported.text, "hda"))
			fail_msg("%s%s", scripts[i], imported.text);
	}
	g_auto(HvrImported) none = { .text = NULL };
	assert_false(make("qemu", "sudo which kvm ''\n", &none, NULL));
}

/* Emptied only where a condition holds: what it held is not lost without a word. */
static void test_emptied(void **state)
{
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of(
		"qemu", "A=(-smp 4)\nif x\nthen A=()\nfi\nkvm -m 8G \"${A[@]}\"\n", &imported);

	assert_true(profile->memory_bytes == (guint64)8 << 30);
	if (!strstr(imported.text, "${A[@]}"))
		fail_msg("%s", imported.text);
}
#undef REST

/* A function's body is read with what the variables are where it is called. */
static void test_called(void **state)
{
#define QEMU "kvm -m $MEM -smp $CPUS -device vfio-pci,host=$DEV\n"
#define SET  "MEM=8G; CPUS=4; DEV=01:00.0\n"
	static const char *const scripts[] = {
		"MEM=2G\nstart_vm() {\n" QEMU "}\n" SET "start_vm\n",
		"function start_vm {\n" QEMU "}\n" SET "start_vm\n",
		"MEM=2G\nfunction start_vm()\n{\n" QEMU "} >log\n" SET "start_vm >log\n",
		"MEM=2G; f() { if x; then { echo; }; fi; " QEMU "}; " SET "g() { f; }; g \"$1\"\n",
		"f() { " QEMU "}\nmain() { " SET "f; }\nmain \"$@\"\n",
		"set -- -smp 1\nA=()\nadd() { A+=(\"$@\"); }\nadd -m 8G\nadd -smp 4 -device "
		"vfio-pci,host=01:00.0\nkvm \"${A[@]}\"\n",
		"MEM=2G\nf() { " QEMU "}\n" SET "trap f EXIT\n",
		"f() { MEM=2G; }\nf() { MEM=8G; }\nCPUS=4; DEV=01:00.0\nf\n" QEMU,
		"f() { MEM=8G; " QEMU "}\nCPUS=4; DEV=01:00.0\ncase $1 in\nstart) f ;;\nesac\n",
		SET "f() { local MEM=1G CPUS; declare DEV=02:00.0; CPUS=1; }\nf\n" QEMU,
		SET "f() { local MEM=1G MEM=2G; }\nif x; then f; fi\n" QEMU,
		"A=(-m 8G -smp 4 -device vfio-pci,host=01:00.0)\nf() { local A+=(-m 1G); }\nf\n"
		"kvm \"${A[@]}\"\n",
		"MEM=2G; CPUS=4\nf() { " QEMU "}\nMEM=8G DEV=01:00.0 f x\n",
		SET "f() { g; }\ng() { echo; }\nMEM=1G CPUS=2 f\n" QEMU,
		"x && f() { echo; }\n" SET QEMU,
		"f() { declare -g MEM=8G; local X=1; CPUS=4; DEV=01:00.0; }\nf\n" QEMU,
		"MEM=2G\nf() {\nif y; then x=1\n}\n" SET "f\n" QEMU,
		"MEM=2G\nset_it() { " SET "}\nset_it\nf() (\n" QEMU ")\nf\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], &imported);
		gboolean same = profile->memory_bytes == (guint64)8 << 30 && profile->cpus == 4 &&
				profile->devices->len == 1;
		if (!same || strstr(imported.text, "known only"))
			fail_msg("%s%s", scripts[i], imported.text);
	}
}

/* What is set by what may be called, or from outside, is not known. */
static void test_maybe_called(void **state)
{
	static const char *const scripts[] = {
		"MEM=2G\nf() {\nkvm -m $MEM\n}\nwhile getopts m: o; do case $o in m) "
		"MEM=$OPTARG ;; esac; done\nf\n",
		"MEM=2G\nbig() { MEM=8G; }\nif x; then big; fi\nkvm -m $MEM\n",
		"MEM=2G\nbig() { MEM=8G; }\nwrap() { big; }\n[ $1 = b ] && wrap\nkvm -m $MEM\n",
		"MEM=2G\nbig() { if x; then MEM=8G; fi; }\nbig\nkvm -m $MEM\n",
		"MEM=2G\nset -- 2G\nf() { kvm -m \"$@\" -smp \"$MEM\"; }\nMEM=$1\nrun f\n",
		"MEM=2G\nf() { read MEM; }\nf\nkvm -m $MEM\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_auto(HvrImported) imported = { .text = NULL };
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], &imported);
		if (!strstr(imported.text, "$MEM") || strstr(imported.text, "\nmemory = 2G") ||
		    strstr(imported.text, "\nmemory = 8G"))
			fail_msg("%s%s", scripts[i], imported.text);
	}
}

/* Functions without end, of themselves, and more calls than anybody follows. */
static void test_call_bounds(void **state)
{
	static const char *const scripts[] = {
		"f() { f; g; }\ng() { f; g; }\nf\nkvm -m 1G\n",
		"f() {\n{ {\nkvm -m 1G\n",
		"} } }\nf() { }\nf\nfunction\nfunction {\nkvm -m 1G\n}\n",
		"A=(f() { x; }\nkvm -m 1G\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(scripts); i++) {
		g_autoptr(HvrProfile) profile = profile_of("qemu", scripts[i], NULL);
		assert_true(profile->memory_bytes == (guint64)1 << 30);
	}
	g_autoptr(GString) deep = g_string_new("f0() { X=1; }\n");
	for (guint i = 1; i < 40; i++)
		g_string_append_printf(deep, "f%u() { f%u; f%u; }\n", i, i - 1, i - 1);
	g_string_append(deep, "kvm -m 1G\nf39\n");
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(HvrProfile) profile = profile_of("qemu", deep->str, &imported);
	if (!strstr(imported.text, "functions are called too often"))
		fail_msg("%s", imported.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_same_machine),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_shell_bounds),
		cmocka_unit_test(test_smp),
		cmocka_unit_test(test_no_card),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_card_words),
		cmocka_unit_test(test_processor),
		cmocka_unit_test(test_boot_letters),
		cmocka_unit_test(test_proxmox_places),
		cmocka_unit_test(test_quickemu_words),
		cmocka_unit_test(test_small_words),
		cmocka_unit_test(test_unsaid),
		cmocka_unit_test(test_said_otherwise),
		cmocka_unit_test(test_functions_of_proxmox),
		cmocka_unit_test(test_short_array),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_libvirt_again),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_disk_ways),
		cmocka_unit_test(test_disk_ways_left),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_tpm),
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_usb),
		cmocka_unit_test(test_libvirt_slot_again),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_iommu),
		cmocka_unit_test(test_empty_array),
		cmocka_unit_test(test_empty_word),
		cmocka_unit_test(test_emptied),
		cmocka_unit_test(test_called),
		cmocka_unit_test(test_maybe_called),
		cmocka_unit_test(test_call_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
