/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is expected of the guest. A pattern is compiled here once, so that a profile that starts a
 * VM has one that can match; whoever waits compiles it again.
 */
#include "launcher/profile/values.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/profile.h"
#include "launcher/profile/sshkey.h"
#include "launcher/report/error.h"

#define SERIAL "serial:"
#define TCP    "tcp:"

/* GLib's own text quotes the pattern again, in curly quotes. */
static const char *describe_mistake(const GError *mistake)
{
	switch (mistake->code) {
	case G_REGEX_ERROR_UNMATCHED_PARENTHESIS:
		return "a ( or a ) stands alone";
	case G_REGEX_ERROR_UNTERMINATED_CHARACTER_CLASS:
		return "a [ has no ]";
	case G_REGEX_ERROR_NOTHING_TO_REPEAT:
		return "there is nothing to repeat in front of a *, + or ?";
	case G_REGEX_ERROR_STRAY_BACKSLASH:
		return "a backslash ends it";
	case G_REGEX_ERROR_RANGE_OUT_OF_ORDER:
	case G_REGEX_ERROR_QUANTIFIERS_OUT_OF_ORDER:
		return "a range runs backwards";
	default:
		return "it is none of Perl's regular expressions";
	}
}

static gboolean read_pattern(const char *pattern, HvrProfileGuest *guest, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GRegex) regex = NULL;

	if (pattern[0] == '\0')
		return hvr_profile_fail(error, NULL, NULL, "\"" SERIAL "\" has no pattern");
	regex = g_regex_new(pattern, G_REGEX_RAW, 0, &why);
	if (!regex)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a pattern: %s", pattern,
					describe_mistake(why));
	guest->ready = HVR_READY_SERIAL;
	g_free(guest->ready_pattern);
	guest->ready_pattern = g_strdup(pattern);
	return TRUE;
}

/* "2222", or "auto" and perhaps "-22": the guest's port */
static gboolean read_ready_port(const char *text, HvrProfileGuest *guest, GError **error)
{
	g_auto(GStrv) ports = g_strsplit(text, "-", 2);
	guint n_ports = g_strv_length(ports);
	guint64 port = 0, guest_port = 0;
	gboolean chosen = n_ports > 0 &&
			  (strcmp(ports[0], HVR_VALUE_AUTO) == 0 || strcmp(ports[0], "0") == 0);

	if (n_ports == 0 || (n_ports == 2 && !chosen) ||
	    (!chosen && !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL)) ||
	    (n_ports == 2 &&
	     !g_ascii_string_to_unsigned(ports[1], 10, 1, G_MAXUINT16, &guest_port, NULL)))
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a port, 1 to 65535",
					text);
	guest->ready = HVR_READY_TCP;
	guest->ready_port = (guint16)port;
	guest->ready_guest_port = (guint16)guest_port;
	return TRUE;
}

/* [graphics] port */
gboolean hvr_value_screen_port(const HvrProfileKey *key, const char *value, const char *folder,
			       gpointer target, GError **error)
{
	if (strcmp(value, HVR_VALUE_AUTO) != 0)
		return hvr_value_number(key, value, folder, target, error);
	*(guint *)target = HVR_GRAPHICS_PORT_AUTO;
	return TRUE;
}

gboolean hvr_value_ready(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error)
{
	HvrProfileGuest *guest = target;

	if (g_str_has_prefix(value, SERIAL))
		return read_pattern(value + strlen(SERIAL), guest, error);
	if (g_str_has_prefix(value, TCP))
		return read_ready_port(value + strlen(TCP), guest, error);
	if (strcmp(value, "none") == 0 || strcmp(value, "agent") == 0) {
		guest->ready = HVR_READY_NONE;
		if (value[0] == 'a')
			guest->ready = HVR_READY_AGENT;
		return TRUE;
	}
	hvr_profile_fail(error, NULL, NULL, "\"%s\" is not one of its values", value);
	hvr_error_hint(error, "it takes none, agent, " SERIAL "PATTERN, " TCP "PORT, " TCP "auto");
	return FALSE;
}

gboolean hvr_value_version(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value, ".", 4);
	guint n_parts = g_strv_length(parts);
	gboolean good = n_parts >= 2 && n_parts <= 3;
	char **field = target;
	guint64 number;

	for (guint i = 0; i < n_parts; i++)
		good = good && strlen(parts[i]) <= 4 &&
		       g_ascii_string_to_unsigned(parts[i], 10, 0, 9999, &number, NULL);
	if (!good) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a version", value);
		hvr_error_hint(error, "expected MAJOR.MINOR or MAJOR.MINOR.PATCH, such as %s",
			       key->sample);
		return FALSE;
	}
	g_free(*field);
	*field = g_strdup(value);
	return TRUE;
}

gboolean hvr_value_ssh_key(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	HvrProfileSeed *seed = target;

	if (!hvr_ssh_key_is_meant(value))
		return hvr_value_path(key, value, folder, &seed->ssh_key, error);
	if (!hvr_ssh_key_is_public(value)) {
		hvr_profile_fail(error, NULL, NULL, "begins as a public key, but is none");
		hvr_error_hint(error, "copy the whole line of a file that ends in .pub");
		return FALSE;
	}
	g_free(seed->ssh_public);
	seed->ssh_public = g_strdup(value);
	return TRUE;
}
