/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to get a profile wrong: each is a test with the mistake's name, and what the user is
 * told is compared, the place and the hint included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/profile/read.h"
#include "launcher/report/error.h"

#define KEY  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf02EccoHGxDb0hxVq"
#define VM   "[vm]\nmemory = 1G\n"
#define NPU  VM "[device npu]\n"
#define ROOT VM "[disk root]\nfile = a\n"
#define LAN  VM "[net lan]\n"

/* 40 characters */
#define LONG "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"

typedef struct {
	const char *name;
	const char *text;
	const char *message;
	const char *set;
	gsize length; /* of a text with a NUL in it */
} Refusal;

/* clang-format off */
static const Refusal refusals[] = {
	/* the text */
	{ "empty-file", "", "lab.ini: [vm] memory: is missing\nwrite for example memory = 4G" },
	{ "only-comments", "# nothing\n; here\n", "lab.ini: [vm] memory: is missing" },
	{ "nul", "[vm]\nmemory = 1\0G\n", "lab.ini:2: holds a NUL byte", NULL, 18 },
	{ "invalid-utf8", "[vm]\nmemory = 1G\nname = \xff\n", "lab.ini:3: is not UTF-8\nconvert" },
	{ "invalid-utf8-comment", "# \xc3\n" VM, "lab.ini:1: is not UTF-8" },
	{ "byte-order-mark", "\xef\xbb\xbf" VM, "lab.ini:1: starts with a byte order mark" },
	{ "escape-sequence", VM "name = \033[31m\n", "lab.ini:3: holds the control character U+001B" },
	{ "c1-control", VM "name = \xc2\x9b" "31m\n", "lab.ini:3: holds the control character U+009B" },
	{ "control-in-comment", "# \007\n" VM, "lab.ini:1: holds the control character U+0007" },
	{ "lone-carriage-return", "[vm]\nname = a\rmemory = 1G\n", "lab.ini:2: holds the control" },
	{ "tab-in-value", VM "name = a\tb\n", "lab.ini:3: [vm] name: holds a tab" },
	{ "tab-in-key", VM "na\tme = a\n", "lab.ini:3: [vm] na me: there is no such key" },
	/* lines */
	{ "no-equals", VM "cpus\n", "lab.ini:3: \"cpus\" is nothing that a profile has\nexpected" },
	{ "no-key", VM "= 4\n", "lab.ini:3: \"= 4\" is nothing that a profile has" },
	{ "no-bracket", "[vm\nmemory = 1G\n", "lab.ini:1: \"[vm\" is a section without its ]" },
	{ "before-any-section", "memory = 1G\n[vm]\n",
	  "lab.ini:1: \"memory\" stands before the first [section]" },
	{ "text-behind-section", "[vm] x\n", "lab.ini:1: [vm]: \" x\" stands behind the section" },
	{ "comment-behind-section", "[vm] # x\n",
	  "lab.ini:1: [vm]: \"# x\" stands behind the section\na comment needs a line of its own" },
	{ "comment-behind-value", "[vm]\nmemory = 4G # x\n",
	  "lab.ini:2: [vm] memory: \"# x\" stands behind the value\n"
	  "a comment needs a line of its own" },
	{ "semicolon-behind-value", "[vm]\nmemory = 4G ; x\n", "lab.ini:2: [vm] memory: \"; x\"" },
	{ "comment-as-value", "[vm]\nmemory = # x\n", "lab.ini:2: [vm] memory: \"# x\"" },
	{ "comment-behind-forward", LAN "forward = tcp::2222-22 # ssh\n",
	  "lab.ini:4: [net lan] forward: \"# ssh\" stands behind the value" },
	{ "duplicate-section", VM "[boot]\n[vm]\ncpus = 1\n",
	  "lab.ini:4: [vm]: comes twice, first in line 1" },
	{ "duplicate-section-blanks", NPU "[device   npu ]\n", "lab.ini:4: [device npu]: comes twice" },
	{ "duplicate-key", VM "memory = 2G\n", "lab.ini:3: [vm] memory: comes twice, first in line 2" },
	/* sections and keys */
	{ "unknown-section", VM "[boots]\n",
	  "lab.ini:3: [boots]: there is no such section\ndid you mean 'boot'?" },
	{ "unknown-section-far", VM "[colours]\n", "expected one of: vm, device, boot, firmware" },
	{ "section-case", "[VM]\nmemory = 1G\n", "lab.ini:1: [VM]: there is no such section" },
	{ "empty-section", "[]\n", "lab.ini:1: []: there is no such section" },
	{ "unknown-key", "[vm]\nmemry = 1G\n",
	  "lab.ini:2: [vm] memry: there is no such key\ndid you mean 'memory'?" },
	{ "unknown-key-far", VM "colour = red\n", "expected one of: name, memory, cpus, accel" },
	{ "key-of-other-section", NPU "memory = 1G\n", "lab.ini:4: [device npu] memory: there is no" },
	{ "localised-key", VM "name[de] = a\n", "lab.ini:3: [vm] name[de]: there is no such key" },
	{ "device-without-name", VM "[device]\n",
	  "lab.ini:3: [device]: needs a name\nwrite for example [device device]" },
	{ "vm-with-name", "[vm lab]\nmemory = 1G\n", "lab.ini:1: [vm lab]: there is one [vm]" },
	{ "id-slash", VM "[device a/b]\n", "lab.ini:3: [device a/b]: \"a/b\" is not a name\nexpected" },
	{ "id-comma", VM "[disk a,b]\n", "\"a,b\" is not a name" },
	{ "id-blank", VM "[net a b]\n", "\"a b\" is not a name" },
	{ "id-upper-case", VM "[net Lan]\n", "\"Lan\" is not a name" },
	{ "id-digit-first", VM "[net 1a]\n", "\"1a\" is not a name" },
	{ "id-quoted", VM "[device \"npu\"]\n", "is not a name" },
	{ "id-too-long", VM "[device " LONG "]\n", "is not a name" },
	{ "id-reserved", VM "[device hvr-port0]\n", "names in hvr- belong to the program" },
	{ "id-twice", NPU "[net npu]\n",
	  "lab.ini:4: [net npu]: \"npu\" is already the name of a device" },
	/* [vm] */
	{ "memory-missing", "# a\n[vm]\ncpus = 1\n", "lab.ini:2: [vm] memory: is missing" },
	{ "memory-empty", "[vm]\nmemory =\n", "lab.ini:2: [vm] memory: has no value\nwrite for" },
	{ "memory-negative", "[vm]\nmemory = -5G\n", "lab.ini:2: [vm] memory: \"-5G\" is not a size" },
	{ "memory-plus", "[vm]\nmemory = +5G\n", "\"+5G\" is not a size" },
	{ "memory-zero", "[vm]\nmemory = 0\n", "\"0\" is too small" },
	{ "memory-bytes", "[vm]\nmemory = 4096\n", "\"4096\" is too small\nexpected a number with K" },
	{ "memory-suffix", "[vm]\nmemory = 4GB\n", "\"4GB\" is not a size" },
	{ "memory-suffix-iec", "[vm]\nmemory = 4GiB\n", "\"4GiB\" is not a size" },
	{ "memory-suffix-unknown", "[vm]\nmemory = 4X\n", "\"4X\" is not a size" },
	{ "memory-suffix-apart", "[vm]\nmemory = 4 G\n", "\"4 G\" is not a size" },
	{ "memory-suffix-alone", "[vm]\nmemory = G\n", "\"G\" is not a size" },
	{ "memory-fraction", "[vm]\nmemory = 1.5G\n", "\"1.5G\" is not a size" },
	{ "memory-hexadecimal", "[vm]\nmemory = 0x10M\n", "\"0x10M\" is not a size" },
	{ "memory-odd", "[vm]\nmemory = 16385K\n", "\"16385K\" is not a multiple of 1M" },
	{ "memory-too-small", "[vm]\nmemory = 15M\n", "\"15M\" is too small" },
	{ "memory-too-large", "[vm]\nmemory = 17T\n", "\"17T\" is too large" },
	{ "memory-overflow", "[vm]\nmemory = 18446744073709551616\n", "is too large" },
	{ "memory-overflow-suffix", "[vm]\nmemory = 18014398509481984G\n", "is too large" },
	{ "memory-wrap", "[vm]\nmemory = 16777216T\n", "is too large" },
	{ "include-in-memory", VM "include = base.ini\n",
	  "lab.ini:3: [vm] include: only a profile in a file can have one" },
	{ "include-folder", VM "include = base/\n", "lab.ini:3: [vm] include: \"base/\" names a folder" },
	{ "include-set", VM, "--set vm.include: an include stands in a file", "vm.include=a" },
	{ "cpus-zero", VM "cpus = 0\n", "[vm] cpus: \"0\" is out of range\nexpected 1 to 512" },
	{ "cpus-too-many", VM "cpus = 513\n", "\"513\" is out of range" },
	{ "cpus-negative", VM "cpus = -1\n", "\"-1\" is not a whole number" },
	{ "cpus-overflow", VM "cpus = 4294967298\n", "is out of range" },
	{ "cpus-overflow-64", VM "cpus = 18446744073709551617\n", "is out of range" },
	{ "cpus-trailing", VM "cpus = 4x\n", "\"4x\" is not a whole number" },
	{ "cpus-empty", VM "cpus =\n", "lab.ini:3: [vm] cpus: has no value" },
	{ "accel-unknown", VM "accel = kvn\n", "\"kvn\" is not one of its values\ndid you mean 'kvm'?" },
	{ "rtc-zone", VM "rtc = Europe/Berlin\n", "is not one of its values" },
	{ "accel-case", VM "accel = KVM\n", "is not one of its values" },
	{ "name-slash", VM "name = a/b\n", "lab.ini:3: [vm] name: \"a/b\" is not a VM name\nexpected" },
	{ "name-comma", VM "name = a,b\n", "\"a,b\" is not a VM name" },
	{ "name-dots", VM "name = ..\n", "\"..\" is not a VM name" },
	{ "name-dash-first", VM "name = -a\n", "\"-a\" is not a VM name" },
	{ "name-upper-case", VM "name = Lab\n", "is not a VM name" },
	{ "name-too-long", VM "name = " LONG LONG "\n", "is not a VM name" },
	{ "cpu-blank", VM "cpu = host x\n", "\"host x\" holds ' '" },
	{ "cpu-quote", VM "cpu = \"host\"\n", "holds '\"'" },
	{ "cpu-dash-first", VM "cpu = -host\n", "begins with '-'" },
	{ "machine-option", VM "machine = q35,accel=tcg\n", "holds ','" },
	{ "machine-without-pcie", VM "machine = pc\n", "\"pc\" has no PCI Express slots\nexpected q35" },
	{ "machine-version-without-pcie", VM "machine = pc-i440fx-7.2\n", "has no PCI Express slots" },
	{ "machine-of-another-qemu", VM "machine = virt\n", "\"virt\" is a machine with another processor: hosts and guests of this program are amd64 (x86_64) ones\nexpected q35 or a version of it, such as pc-q35-" },
	{ "machine-half-a-name", VM "machine = q3\n", "\"q3\" is not a machine of" },
	{ "machine-longer-name", VM "machine = q35x\n", "\"q35x\" is not a machine of" },
	{ "machine-unicode", VM "machine = q35\xc3\xa9\n", "holds '\xc3\xa9'" },
	/* [device NAME] */
	{ "match-short", NPU "match = 1e60:286\n", "\"1e60:286\" is not VENDOR:DEVICE" },
	{ "match-one", NPU "match = 1e60\n", "is not VENDOR:DEVICE" },
	{ "match-prefix", NPU "match = 0x1e:2864\n", "is not VENDOR:DEVICE" },
	{ "match-three", NPU "match = 1e60:2864:00\n", "is not VENDOR:DEVICE" },
	{ "match-letters", NPU "match = 1e60:28g4\n", "is not VENDOR:DEVICE" },
	{ "match-star", NPU "match = 1e60:*\n", "is not VENDOR:DEVICE" },
	{ "match-empty", NPU "match =\n", "lab.ini:4: [device npu] match: has no value" },
	{ "address-slot", NPU "address = 02:20.0\n", "\"02:20.0\" is not a PCI address\nexpected" },
	{ "address-function", NPU "address = 02:00.8\n", "is not a PCI address" },
	{ "address-trailing", NPU "address = 02:00.0x\n", "is not a PCI address" },
	{ "address-dots", NPU "address = ../../02:00.0\n", "is not a PCI address" },
	{ "path-bad", NPU "path = 00:1c.4/\n", "is not a path of PCI slots" },
	{ "path-file", NPU "path = /sys/bus/pci\n", "is not a path of PCI slots" },
	{ "two-selectors", NPU "match = 1e60:2864\naddress = 02:00.0\n",
	  "lab.ini:5: [device npu] address: only one of match, address and path can be given, "
	  "and match is" },
	{ "reset-unknown", NPU "reset = flrr\n", "\"flrr\" is not a reset method\ndid you mean 'flr'?" },
	{ "reset-mixed", NPU "reset = none bus\n", "\"none\" is not a reset method" },
	{ "reset-comma", NPU "reset = pm,bus\n", "\"pm,bus\" is not a reset method" },
	{ "reset-twice", NPU "reset = bus pm bus\n", "\"bus\" comes twice" },
	{ "deadline-zero", NPU "deadline = 0\n", "\"0\" is out of range\nexpected 1 to 600" },
	{ "deadline-unit", NPU "deadline = 10s\n", "\"10s\" is not a whole number" },
	{ "pick-unknown", NPU "pick = any\n", "is not one of its values\nit takes only, free" },
	/* [firmware] */
	{ "secure-bios", VM "[firmware]\nsecure = yes\n",
	  "lab.ini:4: [firmware] secure: needs mode = uefi" },
	{ "vars-bios", VM "[firmware]\nvars = a\n", "lab.ini:4: [firmware] vars: is for mode = uefi" },
	{ "firmware-unknown", VM "[firmware]\nmode = efi\n",
	  "\"efi\" is not one of its values\ndid you mean 'uefi'? It takes bios, uefi" },
	/* [tpm] */
	{ "tpm-unknown", VM "[tpm]\nmodel = crp\n",
	  "\"crp\" is not one of its values\ndid you mean 'crb'? It takes none, crb, tis" },
	{ "tpm-state-alone", VM "[tpm]\nstate = a.tpm\n",
	  "lab.ini:4: [tpm] state: is for model = crb or tis only" },
	{ "tpm-state-none", VM "[tpm]\nmodel = none\nstate = a.tpm\n",
	  "lab.ini:5: [tpm] state: is for model = crb or tis only" },
	{ "tpm-state-comma", VM "[tpm]\nmodel = tis\nstate = a,mode=0644\n",
	  "/a,mode=0644\" holds a comma\nswtpm splits its words there" },
	/* one file, and two that write to it */
	{ "serial-disk", ROOT "[serial]\nmode = file\nfile = a\n",
	  "lab.ini:7: [serial] file: is also [disk root] file\n"
	  "one writes over what the other has: name two files" },
	{ "disk-serial", VM "[serial]\nmode = file\nfile = a\n[disk x]\nfile = a\nreadonly = yes\n",
	  "lab.ini:7: [disk x] file: is also [serial] file\n" },
	{ "serial-tpm", VM "[tpm]\nmodel = crb\n[serial]\nmode = file\nfile = lab.tpm\n",
	  "lab.ini:7: [serial] file: is also [tpm] state\n" },
	{ "tpm-vars", VM "[firmware]\nmode = uefi\nvars = a\n[tpm]\nmodel = crb\nstate = ./a\n",
	  "lab.ini:8: [tpm] state: is also [firmware] vars\n" },
	/* [audio] */
	{ "audio-unknown", VM "[audio]\nmodel = ac97\n", "\"ac97\" is not one of its values" },
	{ "audio-backend-alone", VM "[audio]\nbackend = none\n",
	  "lab.ini:4: [audio] backend: is for model = hda or virtio only" },
	{ "audio-without-spice", VM "[graphics]\nmode = vnc\n[audio]\nmodel = hda\nbackend = spice\n",
	  "lab.ini:7: [audio] backend: needs [graphics] mode = spice" },
	{ "audio-backend-host", VM "[audio]\nmodel = hda\nbackend = pa\n",
	  "\"pa\" is not one of its values" },
	/* [usb NAME] */
	{ "usb-of-nothing", VM "[usb a]\n",
	  "[usb a] match: is missing, and so is port\nwrite for example match = 046d:c52b" },
	{ "usb-both", VM "[usb a]\nmatch = 046d:c52b\nport = 1-2\n",
	  "lab.ini:5: [usb a] port: only one of match and port can be given, and match is" },
	{ "usb-match-short", VM "[usb a]\nmatch = 46d:c52b\n", "is not VENDOR:DEVICE, four" },
	{ "usb-port-path", VM "[usb a]\nport = 1-2/../3\n", "is not a USB port" },
	{ "usb-port-bus", VM "[usb a]\nport = usb1\n", "is not a USB port" },
	{ "usb-port-number", VM "[usb a]\nport = 001/005\n", "is not a USB port" },
	{ "usb-port-deep", VM "[usb a]\nport = 1-2.1.1.1.1.1.1\n", "is not a USB port" },
	{ "usb-twice", VM "[usb a]\nport = 1-2\n[usb b]\nport = 1-2\n",
	  "lab.ini:6: [usb b] port: is also that of [usb a]" },
	{ "usb-twice-match", VM "[usb a]\nmatch = 046d:c52b\n[usb b]\nmatch = 046D:C52B\n",
	  "lab.ini:6: [usb b] match: is also that of [usb a]" },
	{ "usb-named-as-disk", VM "[disk a]\nfile = a\n[usb a]\nport = 1-2\n",
	  "\"a\" is already the name of a disk" },
	/* [share NAME], [cloud-init], [graphics] */
	{ "share-without-path", VM "[share a]\n",
	  "lab.ini:3: [share a] path: is missing\nwrite for example path = work" },
	{ "share-home", VM "[share a]\npath = ~/work\n", "\"~/work\" begins with '~'" },
	{ "share-tag-comma", VM "[share a]\npath = b\ntag = b,readonly=off\n", "holds ','" },
	{ "share-tag-long", VM "[share a]\npath = b\ntag = " LONG "\n", "longer than 31 bytes" },
	{ "share-tag-twice", VM "[share a]\npath = b\n[share b]\npath = c\ntag = a\n",
	  "lab.ini:7: [share b] tag: is also the tag of [share a]" },
	{ "share-via-unknown", VM "[share a]\npath = b\nvia = virtio\n",
	  "lab.ini:5: [share a] via: \"virtio\" is not one of its values" },
	{ "share-id-twice", NPU "[share npu]\npath = a\n", "\"npu\" is already the name of a device" },
	{ "base-no-size", VM "[disk a]\nfile = a\nbase = b\n",
	  "lab.ini:5: [disk a] base: is for an image that is made: it needs a size" },
	{ "base-raw", VM "[disk a]\nfile = a\nbase = b\nsize = 1G\nformat = raw\n",
	  "lab.ini:5: [disk a] base: is for format = qcow2 only" },
	{ "seed-key-twice", VM "[cloud-init]\nmeta-data = a\nssh-key = b\n",
	  "lab.ini:5: [cloud-init] ssh-key: goes into meta-data, which is given" },
	{ "seed-host-twice", VM "[cloud-init]\nhostname = a\nmeta-data = b\n",
	  "lab.ini:4: [cloud-init] hostname: goes into meta-data" },
	{ "seed-inline-key-twice", VM "[cloud-init]\nmeta-data = a\nssh-key = " KEY "\n",
	  "lab.ini:5: [cloud-init] ssh-key: goes into meta-data, which is given" },
	{ "seed-half-key", VM "[cloud-init]\nssh-key = ssh-rsa AAAA\n",
	  "lab.ini:4: [cloud-init] ssh-key: begins as a public key, but is none\ncopy the whole line" },
	{ "seed-user", VM "[cloud-init]\nuser = a b\n", "[cloud-init] user: \"a b\" holds ' '" },
	{ "seed-user-option", VM "[cloud-init]\nuser = -oProxyCommand=a\n", "[cloud-init] user: " },
	{ "seed-autologin", VM "[cloud-init]\nautologin = yes\n",
	  "lab.ini:4: [cloud-init] autologin: logs in user, who is not given" },
	{ "seed-agent", VM "[cloud-init]\nagent = yes\n",
	  "lab.ini:4: [cloud-init] agent: needs its port: [guest] agent = yes" },
	{ "seed-hostname", VM "[cloud-init]\nhostname = a b\n", "[cloud-init] hostname: \"a b\" holds ' '" },
	{ "graphics-unknown", VM "[graphics]\nmode = gtk\n", "it takes none, vnc, spice" },
	{ "graphics-port-unused", VM "[graphics]\nport = 5901\n",
	  "lab.ini:4: [graphics] port: is for mode = vnc or spice only" },
	{ "graphics-port-low", VM "[graphics]\nmode = vnc\nport = 80\n", "expected 5900 to 65535" },
	/* [memory], [cpu] */
	{ "hugepages-odd", "[vm]\nmemory = 17M\n[memory]\nhugepages = 2M\n",
	  "lab.ini:4: [memory] hugepages: [vm] memory is not a whole number of them" },
	{ "hugepages-unknown", VM "[memory]\nhugepages = yes\n", "it takes no, 2M, 1G" },
	{ "node-negative", VM "[memory]\nnode = -1\n",
	  "lab.ini:4: [memory] node: \"-1\" is not a node\nexpected auto, any, or a number" },
	{ "node-too-large", VM "[memory]\nnode = 1024\n", "is not a node" },
	{ "cpu-layout", VM "cpus = 4\n[cpu]\ncores = 3\n",
	  "lab.ini:5: [cpu] cores: sockets, cores and threads make 3 CPUs, and [vm] cpus is 4" },
	{ "cpu-layout-overflow", VM "[cpu]\nsockets = 512\ncores = 512\nthreads = 512\n",
	  "make 134217728 CPUs" },
	{ "pin-empty-part", VM "[cpu]\npin = 0,,1\n",
	  "lab.ini:4: [cpu] pin: \"0,,1\" is not a list of CPUs\nexpected numbers up to 1023" },
	{ "pin-backwards", VM "[cpu]\npin = 3-0\n", "is not a list of CPUs" },
	{ "pin-too-large", VM "[cpu]\npin = 1024\n", "is not a list of CPUs" },
	{ "pin-repeated", VM "[cpu]\npin = 0-1023,0-1023,0-1023\n", "is not a list of CPUs" },
	{ "pin-vcpu-beyond", VM "[cpu]\npin = 0:1, 2:3\n",
	  "lab.ini:4: [cpu] pin: there is no virtual CPU 2\n[vm] cpus is 2, and they count from 0" },
	{ "pin-vcpu-twice", VM "[cpu]\npin = 0:1, 0:2\n",
	  "lab.ini:4: [cpu] pin: \"0:1, 0:2\" is not a list of VCPU:CPUS\nexpected each virtual CPU once" },
	{ "pin-vcpu-first", VM "[cpu]\npin = 3, 0:1\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-no-cpus", VM "[cpu]\npin = 0:\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-no-vcpu", VM "[cpu]\npin = :1\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-two-colons", VM "[cpu]\npin = 0:1:2\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-range", VM "[cpu]\npin = 0-1:2\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-backwards", VM "[cpu]\npin = 0:3-2\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-too-large", VM "[cpu]\npin = 0:1024\n", "with the host's CPUs up to 1023" },
	{ "pin-vcpu-commas", VM "[cpu]\npin = 0:1,,1:2\n", "is not a list of VCPU:CPUS" },
	{ "pin-vcpu-repeated", VM "[cpu]\npin = 0:0-1023,0-1023,0-1023\n", "is not a list of" },
	{ "emulator-pin-alone", VM "[cpu]\nemulator-pin = 0\n",
	  "lab.ini:4: [cpu] emulator-pin: is for what is left beside pin: give that, too" },
	{ "emulator-pin-vcpu", VM "[cpu]\npin = 0\nemulator-pin = 0:1\n", "is not a list of CPUs" },
	{ "pin-text", VM "[cpu]\npin = all\n", "is not a list of CPUs" },
	/* [boot] */
	{ "cmdline-without-kernel", VM "[boot]\ncmdline = quiet\n",
	  "lab.ini:4: [boot] cmdline: means nothing without a kernel" },
	{ "initrd-without-kernel", VM "[boot]\nkernel =\ninitrd = a\n", "[boot] initrd: means nothing" },
	{ "initrd-comma", VM "[boot]\nkernel = a\ninitrd = a,b\n", "/a,b\" holds a comma" },
	{ "kernel-folder", VM "[boot]\nkernel = a/\n", "\"a/\" names a folder" },
	{ "kernel-home", VM "[boot]\nkernel = ~/a\n", "\"~/a\" begins with '~'" },
	{ "slot-decimal", NPU "slot = 10\n",
	  "lab.ini:4: [device npu] slot: \"10\" is no slot for a card\nexpected 0x01 to 0x0f" },
	{ "slot-zero", NPU "slot = 0x00\n", "\"0x00\" is no slot for a card" },
	{ "slot-of-ports", NPU "slot = 0x10\n", "\"0x10\" is no slot for a card" },
	{ "slot-function", NPU "slot = 0x05.1\n", "\"0x05.1\" is no slot for a card" },
	{ "slot-twice", NPU "slot = 0x5\n[device b]\nslot = 0x05\n",
	  "lab.ini:6: [device b] slot: is also the slot of [device npu]" },
	{ "iommu-unknown", VM "iommu = intle\n",
	  "lab.ini:3: [vm] iommu: \"intle\" is not " },
	{ "with-nobody", NPU "[device b]\nwith = npa\n",
	  "lab.ini:5: [device b] with: there is no [device npa] before this section\n"
	  "did you mean 'npu'?" },
	{ "with-itself", NPU "with = npu\n",
	  "lab.ini:4: [device npu] with: there is no [device npu] before this section" },
	{ "with-later", NPU "with = b\n[device b]\n", "there is no [device b] before" },
	{ "with-disk", NPU "[disk d]\nfile = a\n[device b]\nwith = d\n",
	  "there is no [device d] before" },
	{ "with-chain", NPU "[device b]\nwith = npu\n[device c]\nwith = b\n",
	  "lab.ini:7: [device c] with: that section has no port of its own\n"
	  "with = npu is what it is with, too" },
	{ "with-slot", NPU "[device b]\nslot = 0x05\nwith = npu\n",
	  "lab.ini:5: [device b] slot: is that of the section that this one is with" },
	{ "with-bad", NPU "with = a b\n", "[device npu] with: " },
	{ "with-nine",
	  NPU "[device b]\nwith = npu\n[device c]\nwith = npu\n[device d]\nwith = npu\n"
	      "[device e]\nwith = npu\n[device f]\nwith = npu\n[device g]\nwith = npu\n"
	      "[device h]\nwith = npu\n[device i]\nwith = npu\n",
	  "lab.ini:19: [device i] with: a slot has 8 functions, and these are more" },
	{ "rom-of-nobody", NPU "rombar = no\nromfile = a\n",
	  "lab.ini:5: [device npu] romfile: is seen by nobody with rombar = no" },
	{ "guard-and-bus", NPU "reset = flr bus\nreset-guard = require\n",
	  "keeps away the bus resets that reset asks for" },
	{ "guard-unknown", NPU "reset-guard = yes\n", "it takes auto, require, off" },
	{ "rombar-auto", NPU "rombar = auto\n", "it takes no, yes, off, on" },
	{ "sub-id-short", NPU "sub-id = 1e60\n",
	  "lab.ini:4: [device npu] sub-id: \"1e60\" is not VENDOR:DEVICE" },
	{ "sub-id-three", NPU "sub-id = 1e60:2864:1\n", "is not VENDOR:DEVICE" },
	{ "property-without-value", NPU "properties = x-no-mmap\n",
	  "lab.ini:4: [device npu] properties: \"x-no-mmap\" is not NAME=VALUE" },
	{ "property-without-name", NPU "properties = =on\n", "\"=on\" is not NAME=VALUE" },
	{ "property-near", NPU "properties = x-no-map=on\n",
	  "\"x-no-map\" is no property that a card can have here\ndid you mean 'x-no-mmap'?" },
	{ "property-far", NPU "properties = colour=red\n", "it takes acpi-index, x-balloon-allowed" },
	{ "property-host", NPU "properties = host=0000:03:00.0\n",
	  "\"host\" is not said here\na card is named by match, address or path" },
	{ "property-romfile", NPU "properties = romfile=/a\n",
	  "\"romfile\" is not said here\nthere is a key of that name: romfile = FILE" },
	{ "property-sub-id", NPU "properties = x-pci-sub-vendor-id=1\n", "sub-id = VENDOR:DEVICE" },
	{ "property-with-more", NPU "properties = x-no-mmap=on,host=0000:03:00.0\n",
	  "x-no-mmap is on or off, not \"on,host=0000:03:00.0\"" },
	{ "property-switch", NPU "properties = x-req=1\n", "x-req is on or off, not \"1\"" },
	{ "property-range", NPU "properties = x-pci-vendor-id=0xffff\n",
	  "x-pci-vendor-id is a number from 0 to 65534, not \"0xffff\"" },
	{ "property-number", NPU "properties = acpi-index=-1\n", "not \"-1\"" },
	{ "property-no-hex", NPU "properties = acpi-index=0x\n", "not \"0x\"" },
	{ "property-index-twice",
	  NPU "properties = acpi-index=7\n[device b]\naddress = 03:00.0\n"
	      "properties = x-req=on acpi-index=0x7\n",
	  "lab.ini:7: [device b] properties: acpi-index=7 is also that of [device npu]" },
	{ "property-word", NPU "properties = x-msix-relocation=bar6\n",
	  "x-msix-relocation is one of off, bar0, bar1, bar2, bar3, bar4, bar5, not \"bar6\"" },
	{ "property-twice", NPU "properties = x-req=on x-req=off\n", "\"x-req\" comes twice" },
	{ "code-for-bios", VM "[firmware]\ncode = a.fd\n",
	  "lab.ini:4: [firmware] code: is for mode = uefi only" },
	{ "first-args-quote", VM "[qemu]\nfirst-args = -device 'a\n", "lab.ini:4: [qemu] first-args: " },
	{ "hyperv-list", VM "[cpu]\nhyperv = hv-time\n",
	  "lab.ini:4: [cpu] hyperv: \"hv-time\" is not one of its values" },
	/* [disk NAME] */
	{ "disk-without-file", VM "[disk root]\nformat = raw\n",
	  "lab.ini:3: [disk root] file: is missing\nwrite for example file = root.qcow2" },
	{ "disk-empty-file", VM "[disk root]\nfile =\n", "lab.ini:4: [disk root] file: has no value" },
	{ "disk-format-unknown", ROOT "format = vmdk\n", "it takes qcow2, raw" },
	{ "disk-snapshot-maybe", ROOT "snapshot = maybe\n", "it takes no, yes, off, on" },
	{ "disk-snapshot-readonly", ROOT "snapshot = yes\nreadonly = yes\n",
	  "lab.ini:5: [disk root] snapshot: has nothing to throw away" },
	{ "disk-size-readonly", ROOT "size = 1G\nreadonly = yes\n",
	  "lab.ini:5: [disk root] size: makes a disk that nobody can write" },
	{ "disk-bus-unknown", ROOT "bus = ide\n", "it takes virtio, nvme, sata, scsi" },
	{ "disk-media-unknown", ROOT "media = floppy\n", "it takes disk, cdrom" },
	{ "cdrom-virtio", ROOT "media = cdrom\nbus = virtio\n",
	  "lab.ini:6: [disk root] bus: has no drive for a CD (media = cdrom)\n"
	  "set bus = sata or scsi, or media = disk" },
	{ "cdrom-nvme", ROOT "bus = nvme\nmedia = cdrom\n", "lab.ini:5: [disk root] bus: has no drive" },
	{ "cdrom-size", ROOT "size = 1G\nmedia = cdrom\n",
	  "lab.ini:5: [disk root] size: makes a CD that nobody can write" },
	{ "cdrom-snapshot", ROOT "media = cdrom\nsnapshot = yes\n",
	  "lab.ini:6: [disk root] snapshot: has nothing to throw away with media = cdrom" },
	{ "cdrom-writable", ROOT "media = cdrom\nreadonly = no\n",
	  "lab.ini:6: [disk root] readonly: a CD cannot be written" },
	{ "sata-readonly", ROOT "bus = sata\nreadonly = yes\n",
	  "lab.ini:6: [disk root] readonly: there is no such disk with bus = sata\n"
	  "set snapshot = yes" },
	{ "disk-cache-unknown", ROOT "cache = ram\n",
	  "it takes writeback, none, writethrough, directsync, unsafe" },
	{ "disk-aio-unknown", ROOT "aio = uring\n", "it takes threads, native, io_uring" },
	{ "disk-aio-native", ROOT "aio = native\n",
	  "lab.ini:5: [disk root] aio: native goes around the host's cache, and this disk does not\n"
	  "set cache = none or directsync" },
	{ "disk-aio-native-unsafe", ROOT "cache = unsafe\naio = native\n",
	  "lab.ini:6: [disk root] aio: native goes around" },
	{ "disk-discard-unknown", ROOT "discard = on\n", "it takes ignore, unmap" },
	{ "disk-zeroes-unknown", ROOT "detect-zeroes = yes\n", "it takes off, on, unmap" },
	{ "disk-zeroes-ignored", ROOT "discard = ignore\ndetect-zeroes = unmap\n",
	  "lab.ini:6: [disk root] detect-zeroes: has nothing to do with discard = ignore\n"
	  "set discard = unmap, or on" },
	{ "disk-iothread-unknown", ROOT "iothread = 1\n", "it takes no, yes, off, on" },
	{ "disk-iothread-nvme", ROOT "bus = nvme\niothread = yes\n",
	  "lab.ini:6: [disk root] iothread: there is none for a disk on nvme or sata\n"
	  "set bus = virtio or scsi" },
	{ "disk-iothread-sata", ROOT "iothread = yes\nbus = sata\n",
	  "lab.ini:5: [disk root] iothread: there is none" },
	{ "cdrom-iothread", ROOT "media = cdrom\niothread = yes\n",
	  "lab.ini:6: [disk root] iothread: there is none" },
	{ "disk-size-zero", ROOT "size = 0\n", "[disk root] size: \"0\" is too small" },
	{ "disk-size-bytes", ROOT "size = 20000000001\n", "is not a multiple of 1M" },
	{ "disk-file-twice", ROOT "[disk data]\nfile = ./a\nsnapshot = yes\n",
	  "lab.ini:6: [disk data] file: is also the file of [disk root]" },
	/* [net NAME] */
	{ "bridge-missing", LAN "mode = bridge\n",
	  "lab.ini:3: [net lan] bridge: is missing for mode = bridge\nwrite for example bridge = br0" },
	{ "bridge-without-mode", LAN "bridge = br0\n", "lab.ini:4: [net lan] bridge: is for mode = bridge" },
	{ "bridge-comma", LAN "mode = bridge\nbridge = br0,helper=/x\n", "holds ','" },
	{ "bridge-slash", LAN "mode = bridge\nbridge = ../x\n", "holds '/'" },
	{ "bridge-dots", LAN "mode = bridge\nbridge = ..\n", "\"..\" is not an interface" },
	{ "bridge-too-long", LAN "mode = bridge\nbridge = abcdefghijklmnop\n", "longer than 15 bytes" },
	{ "tap-missing", LAN "mode = tap\n", "[net lan] tap: is missing for mode = tap" },
	{ "tap-without-mode", LAN "tap = tap0\n", "[net lan] tap: is for mode = tap only" },
	{ "forward-without-user", LAN "mode = none\nforward = tcp::2222-22\n",
	  "lab.ini:5: [net lan] forward: is for mode = user only" },
	{ "forward-protocol", LAN "forward = sctp::2222-22\n", "\"sctp\" is neither tcp nor udp" },
	{ "forward-short", LAN "forward = 2222-22\n", "\"2222-22\" is not a forward\nexpected PROTOCOL" },
	{ "forward-port-word", LAN "forward = tcp::any-22\n",
	  "\"any\" is not a port, 1 to 65535, or auto" },
	{ "forward-guest-port-zero", LAN "forward = tcp::auto-0\n", "\"0\" is not a port" },
	{ "forward-guest-port-auto", LAN "forward = tcp::22-auto\n", "\"auto\" is not a port" },
	{ "forward-port-large", LAN "forward = tcp::65536-22\n", "\"65536\" is not a port" },
	{ "forward-port-guest", LAN "forward = tcp::22-\n", "\"\" is not a port" },
	{ "forward-port-negative", LAN "forward = tcp::-1-22\n", "\"\" is not a port" },
	{ "forward-no-guest", LAN "forward = tcp::2222\n", "has no guest port" },
	{ "forward-name", LAN "forward = tcp:localhost:2222-22\n", "\"localhost\" is not an IPv4 address" },
	{ "forward-octal", LAN "forward = tcp:127.0.0.01:2222-22\n", "is not an IPv4 address" },
	{ "forward-octet", LAN "forward = tcp:127.0.0.256:2222-22\n", "is not an IPv4 address" },
	{ "forward-injection", LAN "forward = tcp::2222-22,hostfwd=tcp::1-1\n", "is not a port" },
	{ "forward-twice", LAN "forward = tcp::2222-22 tcp::2222-23\n",
	  "lab.ini:4: [net lan] forward: tcp port 2222 is forwarded twice" },
	{ "forward-twice-any", LAN "forward = tcp::2222-22;tcp:0.0.0.0:2222-22\n", "forwarded twice" },
	{ "forward-twice-nets", LAN "forward = udp::53-53\n[net wan]\nforward = udp::53-53\n",
	  "lab.ini:6: [net wan] forward: udp port 53 is forwarded twice" },
	{ "forward-screen", LAN "forward = tcp::5901-22\n[graphics]\nmode = vnc\nport = 5901\n",
	  "lab.ini:7: [graphics] port: tcp port 5901 is forwarded by [net lan]" },
	{ "screen-forward",
	  VM "[graphics]\nmode = vnc\nport = 5901\n[net lan]\nforward = tcp:0.0.0.0:5901-22\n",
	  "lab.ini:7: [net lan] forward: tcp port 5901 is that of [graphics]" },
	{ "mac-short", LAN "mac = 52:54:00:12:34\n", "is not a MAC address" },
	{ "mac-dashes", LAN "mac = 52-54-00-12-34-56\n", "is not a MAC address" },
	{ "mac-group", LAN "mac = 01:00:5e:00:00:01\n", "is a group address" },
	{ "mac-zero", LAN "mac = 00:00:00:00:00:00\n", "is nobody's address" },
	{ "mac-twice", LAN "mac = 52:54:00:12:34:5A\n[net wan]\nmac = 52:54:00:12:34:5a\n",
	  "lab.ini:6: [net wan] mac: is also the address of [net lan]" },
	/* [guest] */
	{ "ready-unknown", VM "[guest]\nready = yes\n",
	  "lab.ini:4: [guest] ready: \"yes\" is not one of its values\nit takes none, agent" },
	{ "ready-without-agent", VM "[guest]\nready = agent\n",
	  "lab.ini:4: [guest] ready: needs agent = yes" },
	{ "ready-no-pattern", VM "[guest]\nready = serial:\n", "\"serial:\" has no pattern" },
	{ "ready-open-group", VM "[guest]\nready = serial:(a\n",
	  "\"(a\" is not a pattern: a ( or a ) stands alone" },
	{ "ready-closed-group", VM "[guest]\nready = serial:a)\n", ": a ( or a ) stands alone" },
	{ "ready-open-class", VM "[guest]\nready = serial:[a\n", ": a [ has no ]" },
	{ "ready-nothing-to-repeat", VM "[guest]\nready = serial:*\n",
	  ": there is nothing to repeat in front of a *, + or ?" },
	{ "ready-backslash", VM "[guest]\nready = serial:a\\\n", ": a backslash ends it" },
	{ "ready-range", VM "[guest]\nready = serial:[z-a]\n", ": a range runs backwards" },
	{ "ready-no-perl", VM "[guest]\nready = serial:(?<a\n",
	  ": it is none of Perl's regular expressions" },
	{ "ready-without-serial", VM "[serial]\nmode = none\n[guest]\nready = serial:a\n",
	  "lab.ini:6: [guest] ready: needs a [serial] port" },
	{ "ready-no-port", VM "[guest]\nready = tcp:ssh\n", "\"ssh\" is not a port, 1 to 65535" },
	{ "ready-port-and-guest-port", LAN "forward = tcp::22-22\n[guest]\nready = tcp:22-22\n",
	  "\"22-22\" is not a port, 1 to 65535" },
	{ "ready-auto-nothing-chosen", LAN "forward = tcp::22-22 udp::auto-22\n[guest]\nready = tcp:auto\n",
	  "lab.ini:6: [guest] ready: no [net] forwards such a tcp port" },
	{ "ready-auto-two-chosen", LAN "forward = auto tcp::auto-80\n[guest]\nready = tcp:auto\n",
	  "lab.ini:6: [guest] ready: 2 ports are chosen: it says not which\n"
	  "say where it leads, such as tcp:auto-22" },
	{ "ready-port-not-forwarded", LAN "forward = udp::22-22 tcp::2222-22\n[guest]\nready = tcp:22\n",
	  "lab.ini:6: [guest] ready: no [net] forwards tcp port 22\nit is the host's port" },
	{ "hailort-one-number", VM "[guest]\nhailort-min = 4\n",
	  "lab.ini:4: [guest] hailort-min: \"4\" is not a version\nexpected MAJOR.MINOR" },
	{ "hailort-too-many", VM "[guest]\nhailort-min = 4.20.0.1\n", "is not a version" },
	{ "hailort-letters", VM "[guest]\nhailort-min = 4.20rc1\n", "is not a version" },
	{ "hailort-empty-part", VM "[guest]\nhailort-min = 4..1\n", "is not a version" },
	/* the rest */
	{ "serial-file-missing", VM "[serial]\nmode = file\n",
	  "lab.ini:3: [serial] file: is missing for mode = file" },
	{ "serial-file-unused", VM "[serial]\nfile = a\n", "lab.ini:4: [serial] file: is for mode = file" },
	{ "serial-mode-unknown", VM "[serial]\nmode = pty\n", "it takes none, stdio, file, socket" },
	{ "user-slash", VM "[security]\nuser = a/b\n", "holds '/'" },
	{ "user-colon", VM "[security]\nuser = a:b\n", "holds ':'" },
	{ "user-too-long", VM "[security]\nuser = " LONG "\n", "longer than 32 bytes" },
	{ "binary-blank", VM "[qemu]\nbinary = qemu -x\n", "holds ' '" },
	{ "binary-shell", VM "[qemu]\nbinary = qemu;reboot\n", "holds ';'" },
	{ "binary-dash-first", VM "[qemu]\nbinary = -x\n", "begins with '-'" },
	{ "binary-folder", VM "[qemu]\nbinary = /usr/bin/\n", "names a folder" },
	{ "args-quote", VM "[qemu]\nargs = -rtc 'base\n",
	  "lab.ini:4: [qemu] args: cannot be split into words: a quote, or what stands behind a "
	  "backslash, is missing\nquote it as for a shell: " },
	{ "args-backslash", VM "[qemu]\nargs = -rtc base\\\n",
	  "a quote, or what stands behind a backslash, is missing" },
	{ "args-comment", VM, "--set qemu.args: cannot be split into words: there are none",
	  "qemu.args=# -rtc" },
	/* --set */
	{ "set-no-equals", VM, "--set: \"vm.memory\" is not SECTION.KEY=VALUE", "vm.memory" },
	{ "set-no-section", VM, "--set: \"memroy=1G\" is not SECTION.KEY=VALUE\nwrite for", "memroy=1G" },
	{ "set-no-key", VM, "is not SECTION.KEY=VALUE", "vm.=1G" },
	{ "set-empty", VM, "is not SECTION.KEY=VALUE", "" },
	{ "set-unknown-key", VM, "--set vm.memry: there is no such key\ndid you", "vm.memry=1G" },
	{ "set-unknown-section", VM, "--set vn.memory: there is no such section\ndid", "vn.memory=1G" },
	{ "set-without-section", VM, "--set: \"memory=1G\" is not SECTION.KEY=VALUE\ndid you mean "
				     "'vm.memory=1G'?", "memory=1G" },
	{ "set-of-name", VM "[disk root]\nfile = a\n",
	  "--set root.file: there is no such section\ndid you mean 'disk.root'?", "root.file=b" },
	{ "set-without-name", VM "[disk root]\nfile = a\n",
	  "--set disk.file: needs a name\ndid you mean 'disk.root'?", "disk.file=b" },
	{ "set-without-name-of-two", VM "[disk a]\nfile = a\n[disk b]\nfile = b\n",
	  "--set disk.file: needs a name\nwrite for example [disk disk]", "disk.file=c" },
	{ "set-near-name", VM "[disk root]\nfile = a\n",
	  "--set disk.roto.file: is missing\ndid you mean 'disk.root'?", "disk.roto.snapshot=yes" },
	{ "set-bad-value", VM, "--set device.npu.pick: \"x\" is not one", "device.npu.pick=x" },
	{ "set-bad-id", VM, "--set device.a/b.pick: \"a/b\" is not a name", "device.a/b.pick=free" },
	{ "set-newline", VM, "--set: \"vm.name=a\\nb\" holds a control character", "vm.name=a\nb" },
	{ "set-invalid-utf8", VM, "or is not UTF-8", "vm.name=\xff" },
	{ "set-memory-empty", VM, "[vm] memory: is missing", "vm.memory=" },
	{ "set-new-disk", VM, "--set disk.a.file: is missing\nwrite for", "disk.a.format=raw" },
};
/* clang-format on */

static void test_refusal(void **state)
{
	const Refusal *refusal = *state;
	const char *const sets[] = { refusal->set, NULL };
	gsize length = refusal->length ? refusal->length : strlen(refusal->text);
	/* on the heap and without a NUL, so that reading beyond the end is noticed */
	g_autofree char *text = length ? g_memdup2(refusal->text, length) : g_strdup("");
	g_autoptr(GError) error = NULL;

	assert_null(hvr_profile_parse("lab.ini", text, length, sets, &error));
	assert_non_null(error);
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	assert_int_equal(hvr_exit_status(error), 78);
	/* what a library says comes in curly quotes */
	assert_null(strstr(error->message, "\xe2\x80"));
	if (!strstr(error->message, refusal->message))
		fail_msg("the message is \"%s\"", error->message);
}

/* No name of a VM in the file's name: only then [vm] name is required. */
static void test_file_name(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(hvr_profile_parse("My Lab.ini", VM, strlen(VM), NULL, &error));
	assert_string_equal(error->message,
			    "My Lab.ini: [vm] name: is missing, and the file's name is "
			    "not a VM name\nwrite for example name = lab");
}

/* More sections than QEMU has slots for. */
static void test_too_many(void **state)
{
	g_autoptr(GString) text = g_string_new(VM);
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 9; i++)
		g_string_append_printf(text, "[net n%d]\n", i);
	assert_null(hvr_profile_parse("lab.ini", text->str, text->len, NULL, &error));
	assert_string_equal(error->message, "lab.ini:11: [net n8]: there can be 8 of them");
}

/* A hostile value fills neither terminal nor log, and the reason is still in the message. */
static void test_long_value(void **state)
{
	g_autofree char *value = g_strnfill(500000, 'x');
	g_autofree char *text = g_strdup_printf("[vm]\nmemory = %s\n", value);
	g_autoptr(GError) error = NULL;

	assert_null(hvr_profile_parse("lab.ini", text, strlen(text), NULL, &error));
	assert_true(strlen(error->message) < 500);
	assert_non_null(strstr(error->message, "lab.ini:2: [vm] memory: \"xxx"));
	assert_non_null(strstr(error->message, "is not a size\nexpected"));
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_file_name),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_long_value),
	};
	struct CMUnitTest tests[G_N_ELEMENTS(refusals) + G_N_ELEMENTS(others)] = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		tests[i].name = refusals[i].name;
		tests[i].test_func = test_refusal;
		tests[i].initial_state = (void *)&refusals[i];
	}
	memcpy(&tests[G_N_ELEMENTS(refusals)], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
