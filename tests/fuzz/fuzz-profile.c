/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a profile, and as words of --set: what stands behind a byte 0xff, which no UTF-8
 * has.
 *
 * What must hold: a refusal is of the one kind, printable, and has at most one line of hint. What
 * is taken is within its bounds, and its command line is the same each time, has no control
 * character in any word, and is read back by a shell word for word.
 */
#include <stdint.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "launcher/profile/read.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, const char *allowed)
{
	g_assert(g_utf8_validate(text, -1, NULL));
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		g_assert(!g_unichar_iscntrl(g_utf8_get_char(c)) || strchr(allowed, *c));
}

static void check_refusal(const GError *error)
{
	const char *newline = strchr(error->message, '\n');

	g_assert(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	g_assert(strlen(error->message) < 5000);
	check_printable(error->message, "\n");
	g_assert(!newline || (newline[1] && !strchr(newline + 1, '\n')));
}

static void check_ids(const GPtrArray *entries)
{
	for (guint i = 0; i < entries->len; i++) {
		const char *id = *(char **)entries->pdata[i];

		g_assert(hvr_profile_name_valid(id) && strlen(id) <= 31);
		g_assert(!g_str_has_prefix(id, "hvr-"));
	}
}

static void check_profile(const HvrProfile *profile)
{
	g_assert(hvr_profile_name_valid(profile->name));
	g_assert(profile->memory_bytes >= 16 << 20 && profile->memory_bytes % (1 << 20) == 0);
	g_assert(profile->cpus >= 1 && profile->cpus <= 512);
	g_assert(profile->kernel || (!profile->initrd && !profile->cmdline));
	check_ids(profile->devices);
	check_ids(profile->disks);
	check_ids(profile->nets);
	check_ids(profile->shares);
}

/* The word behind an option whose value is JSON is one object. */
static void check_json(const char *option, const char *value)
{
	g_autoptr(JsonNode) node = NULL;

	if (strcmp(option, "-device") != 0 && strcmp(option, "-blockdev") != 0)
		return;
	node = json_from_string(value, NULL);
	g_assert(node && JSON_NODE_HOLDS_OBJECT(node));
}

static void check_cmdline(const HvrProfile *profile)
{
	const HvrCmdlineChannels channels = { .qmp_private = 3,
					      .qmp_listen = -1,
					      .qmp_path = "/run/qmp.sock",
					      .serial = 4,
					      .agent = 5,
					      .seed = 6 };
	const HvrDialect dialect = { 0 };
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(profile, TRUE, NULL, &channels, &dialect);
	g_autoptr(GPtrArray) again = hvr_cmdline_build(profile, TRUE, NULL, &channels, &dialect);
	g_autofree char *line = hvr_cmdline_quote(argv);
	g_auto(GStrv) words = NULL;

	g_assert(argv->len == again->len);
	g_assert(g_shell_parse_argv(line, NULL, &words, NULL));
	g_assert(g_strv_length(words) + 1 == argv->len);
	for (guint i = 0; words[i]; i++) {
		g_assert_cmpstr(argv->pdata[i], ==, again->pdata[i]);
		g_assert_cmpstr(argv->pdata[i], ==, words[i]);
		check_printable(argv->pdata[i], "");
		if (i > 0 && i < argv->len - 1 - profile->qemu_args->len)
			check_json(argv->pdata[i - 1], argv->pdata[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
	g_auto(GStrv) sets = NULL;
	g_autofree char *rest = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;

	if (end) {
		rest = g_strndup((const char *)end + 1, size - (end + 1 - data));
		sets = g_strsplit(rest, "\xff", 8);
		size = end - data;
	}
	profile = hvr_profile_parse("fuzz.ini", size > 0 ? (const char *)data : "", size,
				    (const char *const *)sets, &error);
	g_assert(!profile == !!error);
	if (error) {
		check_refusal(error);
		return 0;
	}
	check_profile(profile);
	check_cmdline(profile);
	return 0;
}
