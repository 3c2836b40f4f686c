/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [qemu] args is for what no key says. A disk in it looks like one of the profile's, and is none:
 * `test` does not throw its writes away, nobody has tried whether the VM's user can open its file,
 * and it is booted before or behind those that bootindex orders.
 */
#include "launcher/parts/outside.h"

#include <string.h>

#include "launcher/report/text.h"

/* Words that are told, and how much of each. */
#define MOST_TOLD 4
#define LONGEST	  60

/* Options of QEMU's (qemu-options.hx) that name one, each with a word behind it. */
static const char *const options[] = {
	"drive",     "blockdev",  "hda",	"hdb",	     "hdc",	 "hdd",
	"cdrom",     "fda",	  "fdb",	"sd",	     "mtdblock", "pflash",
	"device",    "usbdevice", "fsdev",	"virtfs",    "bios",	 "kernel",
	"initrd",    "dtb",	  "option-rom", "acpitable", "smbios",	 "readconfig",
	"loadvm",    "incoming",  "tpmdev",	"mem-path",  "chardev",	 "object",
	"qtest-log", "fw_cfg",	  "netdev",	"nic",	     "plugin",	 NULL
};

/* Of these only what holds such a word names a file. */
static const struct {
	const char *option, *holds;
} only_with[] = {
	{ "chardev", "path=" }, { "object", "mem-path" }, { "object", "filename" },
	{ "object", "file=" },	{ "object", "\"file\"" }, { "object", "path=" },
	{ "smbios", "file=" },	{ "acpitable", "file=" }, { "acpitable", "data=" },
	{ "tpmdev", "path=" },	{ "object", "dir=" },	  { "fw_cfg", "file=" },
	{ "netdev", "tftp=" },	{ "netdev", "smb=" },	  { "nic", "tftp=" },
	{ "nic", "smb=" },
};

/* (nullable): the option without its dashes, of which QEMU takes one or two */
static const char *option_of(const char *word)
{
	if (*word != '-')
		return NULL;
	return word + (word[1] == '-' ? 2 : 1);
}

static gboolean names_one(const char *option, const char *value)
{
	gboolean judged = FALSE;

	if (!option || !g_strv_contains(options, option))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(only_with); i++) {
		if (!g_str_equal(only_with[i].option, option))
			continue;
		judged = TRUE;
		if (strstr(value, only_with[i].holds))
			return TRUE;
	}
	return !judged;
}

static void add_word(GString *text, guint n, const char *option, const char *value)
{
	g_autofree char *safe = hvr_text_safe(value);
	gsize length = strlen(safe);

	if (n == MOST_TOLD)
		g_string_append(text, ", ...");
	if (n >= MOST_TOLD)
		return;
	g_string_append_printf(text, "%s-%s ", n ? ", " : "", option);
	if (length <= LONGEST) {
		g_string_append(text, safe);
		return;
	}
	const char *end = g_utf8_find_prev_char(safe, safe + LONGEST);
	g_string_append_len(text, safe, end ? end - safe : 0);
	g_string_append(text, "...");
}

static void describe(const char *key, const GPtrArray *words, GPtrArray *notes)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint n = 0;

	for (guint i = 0; i + 1 < words->len; i++) {
		const char *option = option_of(words->pdata[i]);

		if (names_one(option, words->pdata[i + 1]))
			add_word(text, n++, option, words->pdata[i + 1]);
	}
	if (n)
		g_ptr_array_add(notes,
				g_strdup_printf("[qemu] %s: outside of snapshot, of the checks of "
						"files and of the boot order: %s",
						key, text->str));
}

void hvr_outside_describe(const HvrProfile *profile, GPtrArray *notes)
{
	describe("first-args", profile->qemu_first_args, notes);
	describe("args", profile->qemu_args, notes);
}
