/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a configuration of the format that this is built for: FUZZ_NAME is "import-FORMAT".
 *
 * What must hold: a refusal is of a known kind. What is taken is a profile, which is read again
 * here, as nobody but root could have written it for one: each line a header, a key or a comment,
 * and all of it harmless for a terminal. What is told of it is one harmless line each, and is in
 * the profile, too. The same bytes make the same profile.
 */
#include <stdint.h>
#include <string.h>

#include "launcher/import/import.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_harmless(const char *text, gboolean lines)
{
	g_assert(g_utf8_validate(text, -1, NULL));
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		g_assert((lines && *c == '\n') || hvr_text_is_harmless(g_utf8_get_char(c)));
}

static void check_notes(const char *text, const GPtrArray *notes)
{
	for (guint i = 0; i < notes->len; i++) {
		const char *note = g_ptr_array_index(notes, i);
		g_autofree char *comment = g_strdup_printf("\n#   %s\n", note);

		check_harmless(note, FALSE);
		g_assert(strlen(note) < 2000);
		g_assert(strstr(text, comment));
	}
}

static void check_imported(const HvrImported *imported, const HvrImportWish *wish)
{
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("fuzz.ini", imported->text, strlen(imported->text), NULL, NULL);
	g_auto(HvrImported) again = { .text = NULL };

	g_assert(profile);
	g_assert(hvr_profile_name_valid(profile->name));
	/* Nobody's words go to QEMU as they are */
	g_assert(profile->qemu_args->len == 0);
	g_assert(!profile->include);
	check_harmless(imported->text, TRUE);
	check_notes(imported->text, imported->left);
	check_notes(imported->text, imported->needless);
	g_assert(hvr_import_make(wish, &again, NULL));
	g_assert_cmpstr(again.text, ==, imported->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const HvrImportWish wish = { .file = "/fuzz/fuzz.conf",
				     .format = FUZZ_NAME + strlen("import-"),
				     .output = size % 2 ? NULL : "/fuzz/fuzz.ini",
				     .text = size ? (const char *)data : "",
				     .length = size };
	g_auto(HvrImported) imported = { .text = NULL };
	g_autoptr(GError) error = NULL;

	if (hvr_import_make(&wish, &imported, &error)) {
		g_assert(!error);
		check_imported(&imported, &wish);
	} else {
		g_assert(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	}
	return 0;
}
