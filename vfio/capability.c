/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capabilities of a function, as far as a reset depends on them. A list that is not one, as a
 * dead or strange card may have it, ends the search: then nothing is said against any method.
 */
#include "vfio/capability.h"

#include <fcntl.h>
#include <linux/pci_regs.h>

#include "vfio/fd.h"

#define CONFIG_SIZE 256
/* Each takes four bytes at least. */
#define MOST ((CONFIG_SIZE - PCI_STD_HEADER_SIZEOF) / 4)

static guint32 get(const guint8 *config, guint offset)
{
	return config[offset] | (guint32)config[offset + 1] << 8 |
	       (guint32)config[offset + 2] << 16 | (guint32)config[offset + 3] << 24;
}

/* Where capability @id is; 0: there is none. FALSE: the list makes no sense. */
static gboolean find(const guint8 *config, guint8 id, guint *out_offset)
{
	guint offset = config[PCI_CAPABILITY_LIST] & ~3u;

	*out_offset = 0;
	for (guint i = 0; i < MOST && offset; i++) {
		if (offset < PCI_STD_HEADER_SIZEOF || config[offset] == 0xff)
			return FALSE;
		if (config[offset] == id) {
			*out_offset = offset;
			/* Of the longest of them eight bytes are looked at. */
			return offset + 8 <= CONFIG_SIZE;
		}
		offset = config[offset + PCI_CAP_LIST_NEXT] & ~3u;
	}
	return offset == 0;
}

static gboolean has_flr(const guint8 *config, guint offset)
{
	return (get(config, offset + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR) != 0;
}

static gboolean has_af_flr(const guint8 *config, guint offset)
{
	guint8 both = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;

	return (config[offset + PCI_AF_CAP] & both) == both;
}

static gboolean forgets(const guint8 *config, guint offset)
{
	return (get(config, offset + PCI_PM_CTRL) & PCI_PM_CTRL_NO_SOFT_RESET) == 0;
}

static const struct {
	const char *method;
	guint8 id;
	gboolean (*can)(const guint8 *config, guint offset);
} methods[] = {
	{ "flr", PCI_CAP_ID_EXP, has_flr },
	{ "af_flr", PCI_CAP_ID_AF, has_af_flr },
	{ "pm", PCI_CAP_ID_PM, forgets },
};

char *hvr_reset_incapable(const HvrHost *host, const HvrPciFunction *function)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/config", function->name);
	g_auto(HvrFd) fd = hvr_open_beneath(host->sys, path, O_RDONLY);
	g_autoptr(GString) text = g_string_new(NULL);
	guint8 config[CONFIG_SIZE];

	if (fd < 0 || hvr_fd_read_all(fd, config, sizeof(config)) != sizeof(config) ||
	    get(config, 0) == G_MAXUINT32 || !(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return g_strdup("");
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
		guint offset = 0;
		if (!find(config, methods[i].id, &offset))
			return g_strdup("");
		if (!offset || !methods[i].can(config, offset))
			g_string_append_printf(text, "%s%s", text->len ? " " : "",
					       methods[i].method);
	}
	return g_strdup(text->str);
}
