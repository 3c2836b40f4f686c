/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import: a profile of what somebody has for another program.
 */
#include <stdio.h>

#include "launcher/command/command.h"
#include "launcher/import/import.h"
#include "launcher/new/write.h"
#include "launcher/process/open.h"
#include "launcher/process/read.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

typedef struct {
	char *format, *output;
} Options;

/* A regular file of bounded size, opened once, as the caller: its bytes. */
static char *read_source(const HvrUser *caller, const char *path, gsize *out_length, GError **error)
{
	HvrOpen file = { .path = path, .how = HVR_OPEN_READ, .fd = -1 };
	const char *why = NULL;

	(void)hvr_open(caller, &file, 1);
	g_auto(HvrFd) fd = file.fd;
	if (fd < 0) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, "import", caller, &file);
		return NULL;
	}
	char *text = hvr_read_whole(fd, out_length, &why);
	if (!text)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "'%s': %s", path,
			    why);
	return text;
}

static void tell(const char *title, const GPtrArray *lines)
{
	for (guint i = 0; i < lines->len; i++)
		hvr_message("%s: %s", title, (const char *)g_ptr_array_index(lines, i));
}

static int import(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *output = g_strcmp0(options->output, "-") == 0 ? NULL : options->output;
	g_autoptr(HvrUser) caller = hvr_user_caller();
	g_auto(HvrImported) imported = { .text = NULL };
	gsize length = 0;
	g_autofree char *text = read_source(caller, invocation->words[0], &length, error);

	if (!text)
		return -1;
	const HvrImportWish wish = { .file = invocation->words[0],
				     .format = options->format,
				     .output = output,
				     .text = text,
				     .length = length };
	if (!hvr_import_make(&wish, &imported, error))
		return -1;
	if (!output)
		fputs(imported.text, stdout);
	else if (!hvr_new_write(caller, "import", output, imported.text, error))
		return -1;
	else
		hvr_message("%s is written", output);
	tell("left out", imported.left);
	tell("not needed", imported.needless);
	return 0;
}

static const HvrOption table[] = {
	{ "format", 'f', HVR_TEXT(Options, format), "libvirt|quickemu|proxmox|qemu",
	  "What FILE is (default: by what is in it)" },
	{ "output", 'o', HVR_TEXT(Options, output), "FILE",
	  "Write the profile there, where nothing is yet (default: standard output)" },
	{ .name = NULL },
};

const HvrCommand hvr_command_import = {
	.name = "import",
	.words = "FILE",
	.summary = "make a profile of what another program has: libvirt, quickemu, Proxmox, QEMU",
	.least = 1,
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.run = import,
};
