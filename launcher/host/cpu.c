/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor and the kernel's arguments, as /proc has them. cpuinfo repeats itself for every
 * processor and is far longer than an attribute may be: its beginning is enough.
 */
#include "launcher/host/cpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vfio/fd.h"
#include "vfio/tree.h"

#define BEGINNING 4095

static gboolean has_word(char **words, const char *word)
{
	return g_strv_contains((const char *const *)words, word);
}

HvrCpu hvr_cpu_look(const HvrHost *host)
{
	g_auto(HvrFd) fd = hvr_open_beneath(host->proc, "cpuinfo", O_RDONLY);
	HvrCpu cpu = { .maker = HVR_CPU_OTHER };
	char text[BEGINNING + 1];
	gssize length = -1;

	if (fd >= 0)
		length = read(fd, text, BEGINNING);
	if (length < 0)
		return cpu;
	text[length] = '\0';
	if (strstr(text, "GenuineIntel"))
		cpu.maker = HVR_CPU_INTEL;
	else if (strstr(text, "AuthenticAMD") || strstr(text, "HygonGenuine"))
		cpu.maker = HVR_CPU_AMD;
	else if (strstr(text, "CPU implementer"))
		cpu.maker = HVR_CPU_ARM;

	const char *line = strstr(text, "\nflags\t");
	if (!line)
		return cpu;
	g_auto(GStrv) lines = g_strsplit(line + 1, "\n", 2);
	g_auto(GStrv) flags = g_strsplit(lines[0], " ", -1);
	cpu.virtualises = has_word(flags, "vmx") || has_word(flags, "svm");
	cpu.is_guest = has_word(flags, "hypervisor");
	return cpu;
}

/* [transfer full] (nullable) */
static char **read_arguments(const HvrHost *host)
{
	g_autofree char *text = hvr_tree_read_line(host->proc, "cmdline");

	return text ? g_strsplit_set(text, " \t", -1) : NULL;
}

gboolean hvr_kernel_has_argument(const HvrHost *host, const char *word)
{
	g_auto(GStrv) words = read_arguments(host);

	return words && has_word(words, word);
}

char *hvr_kernel_find_argument(const HvrHost *host, const char *begin)
{
	g_auto(GStrv) words = read_arguments(host);

	for (guint i = 0; words && words[i]; i++)
		if (g_str_has_prefix(words[i], begin))
			return g_strdup(words[i]);
	return NULL;
}

gboolean hvr_kernel_is_at_least(const HvrHost *host, guint major, guint minor)
{
	g_autofree char *release = hvr_tree_read_line(host->proc, "sys/kernel/osrelease");
	guint is_major = 0, is_minor = 0;

	if (!release || sscanf(release, "%u.%u", &is_major, &is_minor) != 2)
		return FALSE;
	return is_major > major || (is_major == major && is_minor >= minor);
}
