/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor and the kernel's arguments, as /proc has them. cpuinfo repeats itself for every
 * processor and is far longer than an attribute may be: its beginning is enough.
 */
#include "launcher/host/cpu.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vfio/fd.h"
#include "vfio/sysfs.h"

#define BEGINNING 4095

static char *read_beginning(int dirfd, const char *path)
{
	char buffer[BEGINNING + 1];
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_RDONLY);
	gssize length = fd < 0 ? -1 : read(fd, buffer, BEGINNING);

	if (length < 0)
		return NULL;
	buffer[length] = '\0';
	return g_strdup(buffer);
}

static HvrCpuMaker find_maker(const char *text)
{
	if (strstr(text, "GenuineIntel"))
		return HVR_CPU_INTEL;
	if (strstr(text, "AuthenticAMD") || strstr(text, "HygonGenuine"))
		return HVR_CPU_AMD;
	return strstr(text, "CPU implementer") ? HVR_CPU_ARM : HVR_CPU_OTHER;
}

static gboolean has_flag(char **flags, const char *flag)
{
	return flags && g_strv_contains((const char *const *)flags, flag);
}

HvrCpu hvr_cpu_look(const HvrHost *host)
{
	g_autofree char *text = read_beginning(host->proc, "cpuinfo");
	const char *line = text ? strstr(text, "\nflags\t") : NULL;
	g_auto(GStrv) lines = line ? g_strsplit(line + 1, "\n", 2) : NULL;
	g_auto(GStrv) flags = lines ? g_strsplit(lines[0], " ", -1) : NULL;
	HvrCpu cpu = { .maker = text ? find_maker(text) : HVR_CPU_OTHER };

	cpu.virtualises = has_flag(flags, "vmx") || has_flag(flags, "svm");
	cpu.is_guest = has_flag(flags, "hypervisor");
	return cpu;
}

gboolean hvr_kernel_has_argument(const HvrHost *host, const char *word)
{
	g_autofree char *text = hvr_sysfs_read_line(host->proc, "cmdline");
	g_auto(GStrv) words = g_strsplit(text ? text : "", " ", -1);

	return g_strv_contains((const char *const *)words, word);
}
