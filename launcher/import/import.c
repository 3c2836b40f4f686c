/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/import.h"

#include <string.h>

#include "launcher/import/draft.h"
#include "launcher/import/formats.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

const char *const hvr_import_formats[] = { "libvirt", "quickemu", "proxmox", "qemu", NULL };
G_STATIC_ASSERT(G_N_ELEMENTS(hvr_import_formats) == HVR_IMPORT_N_FORMATS + 1);

void hvr_imported_clear(HvrImported *imported)
{
	g_clear_pointer(&imported->text, g_free);
	g_clear_pointer(&imported->left, g_ptr_array_unref);
	g_clear_pointer(&imported->needless, g_ptr_array_unref);
}

static gboolean check_text(const HvrImportWish *wish, GError **error)
{
	const char *why = NULL;

	if (memchr(wish->text, '\0', wish->length))
		why = "it holds a NUL byte: this is no text";
	else if (!g_utf8_validate(wish->text, (gssize)wish->length, NULL))
		why = "it is not UTF-8";
	if (!why)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "'%s': %s", wish->file, why);
	return FALSE;
}

/* "key: value" */
static gboolean is_pair(const char *line)
{
	gsize key = strspn(line, G_CSET_a_2_z G_CSET_DIGITS "_");

	return key && line[key] == ':' && line[key + 1] == ' ';
}

/* What a file is, by its first lines that tell. -1: nobody can say */
static int guess(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gboolean script = g_str_has_prefix(text, "#!"), pairs = FALSE;

	if (*(text + strspn(text, " \t\r\n")) == '<')
		return HVR_IMPORT_LIBVIRT;
	for (guint i = 0; lines[i]; i++) {
		const char *line = lines[i] + strspn(lines[i], " \t");
		if (*line == '#' && !(i == 0 && strstr(line, "quickemu")))
			continue;
		if (g_str_has_prefix(line, "guest_os=") || g_str_has_prefix(line, "disk_img=") ||
		    (i == 0 && strstr(line, "quickemu")))
			return HVR_IMPORT_QUICKEMU;
		if (!pairs && (strstr(line, "qemu-system-") || strstr(line, "qemu-kvm") ||
			       g_str_has_prefix(line, "-") || g_str_has_prefix(line, "kvm ")))
			return HVR_IMPORT_QEMU;
		pairs = !script && (pairs || is_pair(line));
	}
	if (script)
		return HVR_IMPORT_QEMU;
	return pairs ? HVR_IMPORT_PROXMOX : -1;
}

/* @text: the wish's, as a string */
static gboolean choose_format(const HvrImportWish *wish, const char *text,
			      HvrImportFormat *out_format, GError **error)
{
	int found = wish->format ? -1 : guess(text);

	for (int i = 0; wish->format && hvr_import_formats[i]; i++)
		if (g_str_equal(wish->format, hvr_import_formats[i]))
			found = i;
	if (found >= 0) {
		*out_format = (HvrImportFormat)found;
		return TRUE;
	}
	if (!wish->format) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "import: what '%s' is cannot be told", wish->file);
		hvr_error_hint(error, "say it: --format libvirt, quickemu, proxmox or qemu");
		return FALSE;
	}
	g_set_error(
		error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		"import: there is no format '%s'; there are libvirt, quickemu, proxmox and qemu",
		wish->format);
	hvr_nearest_hint(error, wish->format, hvr_import_formats);
	return FALSE;
}

static gboolean read_format(HvrImport *import, HvrImportFormat format, const char *text,
			    GError **error)
{
	switch (format) {
	case HVR_IMPORT_LIBVIRT:
		return hvr_import_libvirt(import, text, error);
	case HVR_IMPORT_QEMU:
		return hvr_import_script(import, text, error);
	case HVR_IMPORT_QUICKEMU:
		hvr_import_quickemu(import, text);
		return TRUE;
	default:
		hvr_import_proxmox(import, text);
		return TRUE;
	}
}

/* Without the CR that Windows has at the end of a line, which a backslash is not in front of. */
static void unix_lines(char *text)
{
	char *to = text;

	for (const char *c = text; *c; c++)
		if (*c != '\r' || c[1] != '\n')
			*to++ = (char)(*c == '\r' ? ' ' : *c);
	*to = '\0';
}

gboolean hvr_import_make(const HvrImportWish *wish, HvrImported *out_imported, GError **error)
{
	g_autoptr(HvrImport) import = hvr_import_new();
	g_autofree char *text = g_strndup(wish->text, wish->length);
	HvrDraftPlace place = { .source = wish->file, .output = wish->output };

	/* what Windows puts in front of a text (a byte order mark) */
	if (g_str_has_prefix(text, "\xef\xbb\xbf"))
		memset(text, ' ', 3);
	if (!check_text(wish, error) || !choose_format(wish, text, &place.format, error))
		return FALSE;
	unix_lines(text);
	if (!read_format(import, place.format, text, error)) {
		g_prefix_error(error, "'%s': ", wish->file);
		return FALSE;
	}
	if (hvr_import_is_full(import)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "'%s': it says more than %d things: no machine does", wish->file,
			    HVR_IMPORT_MOST);
		return FALSE;
	}
	hvr_import_cards(import);
	hvr_import_functions(import);
	out_imported->text = hvr_draft_text(import, &place, error);
	if (!out_imported->text)
		return FALSE;
	out_imported->left = hvr_draft_notes(import, FALSE);
	out_imported->needless = hvr_draft_notes(import, TRUE);
	return TRUE;
}
