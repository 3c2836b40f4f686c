/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrProfileLine - one "[section]" or "key = value" of a profile, or one word of --set.
 */
typedef struct {
	gboolean from_set; /* a word of --set */
	char *file;	   /* a GRefString: where it is; NULL: in the profile itself */
	guint line;	   /* from 1; 0: in no line */
	char *section;	   /* "vm", or "device npu" with one blank; NULL: before the first */
	char *key;	   /* NULL: the line is the section's header */
	char *value;	   /* without blanks around it; may be empty */
} HvrProfileLine;

void hvr_profile_line_free(HvrProfileLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrProfileLine, hvr_profile_line_free)

/**
 * hvr_profile_lines_read - split a profile into its lines.
 * @file: only named in messages
 *
 * What is refused here does not depend on which keys exist: NUL, invalid UTF-8, a byte order mark,
 * control characters, lines of no known form, a header or a key that comes twice, and a comment
 * behind a header or a value.
 *
 * Returns: (transfer container): of HvrProfileLine in the file's order, or NULL with
 * HVR_LAUNCH_ERROR_PROFILE.
 */
GPtrArray *hvr_profile_lines_read(const char *file, const char *text, gsize length,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_profile_line_from_set - read one "SECTION.KEY=VALUE" of --set.
 * @word: a named section is "device.npu.pick=free" or "device npu.pick=free"; the value may be
 *        empty, and may hold what looks like a comment
 *
 * Returns: (transfer full): or NULL with HVR_LAUNCH_ERROR_PROFILE.
 */
HvrProfileLine *hvr_profile_line_from_set(const char *word,
					  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_profile_section_from_word - "device.npu" or "device npu" as HvrProfileLine has it.
 * @option: that the word is of, for messages
 *
 * Returns: (transfer full): perhaps empty; or NULL with HVR_LAUNCH_ERROR_PROFILE.
 */
char *hvr_profile_section_from_word(const char *option, const char *word,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_profile_fail - set HVR_LAUNCH_ERROR_PROFILE, with the place where one is known.
 * @file: (nullable): the profile; NULL when the caller's caller knows the place and adds it with
 *        hvr_profile_prefix()
 * @line: (nullable): where, with its file's name in place of @file; NULL for the profile as a whole
 *
 * "FILE:LINE: [section] key: what", "--set section.key: what" or "FILE: what". The middle of a
 * very long text is left out.
 *
 * Returns: FALSE
 */
gboolean hvr_profile_fail(GError **error, const char *file, const HvrProfileLine *line,
			  const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Put the place in front of an error that has none. Returns: FALSE */
gboolean hvr_profile_prefix(GError **error, const char *file, const HvrProfileLine *line);
