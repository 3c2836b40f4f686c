/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces, forwarded ports and MAC addresses. All of these become part of -netdev's option
 * string, which has no JSON form in the oldest QEMU we support, so nothing but digits, dots and
 * known words gets through.
 */
#include "launcher/profile/values.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/profile.h"
#include "launcher/report/error.h"

#define LOOPBACK "127.0.0.1"
/* "auto" by itself: the guest's ssh, at a port that is free */
#define AUTO_FORWARD "tcp::auto-22"

gboolean hvr_value_interface(const HvrProfileKey *key, const char *value, const char *folder,
			     gpointer target, GError **error)
{
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not an interface", value);
	return hvr_value_word(key, value, folder, target, error);
}

static void forward_free(gpointer data)
{
	HvrForward *forward = data;

	g_free(forward->host_address);
	g_free(forward);
}

/* Four decimal numbers; the resolver's short and octal forms are none. */
static gboolean is_ipv4(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 5);
	guint64 number;

	if (g_strv_length(parts) != 4)
		return FALSE;
	for (int i = 0; i < 4; i++)
		if ((parts[i][0] == '0' && parts[i][1]) ||
		    !g_ascii_string_to_unsigned(parts[i], 10, 0, 255, &number, NULL))
			return FALSE;
	return TRUE;
}

/* @out_port: 0: it is to be chosen */
static gboolean read_host_port(const char *text, guint16 *out_port, GError **error)
{
	guint64 port = 0;

	if (strcmp(text, HVR_VALUE_AUTO) != 0 &&
	    !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT16, &port, NULL))
		return hvr_profile_fail(error, NULL, NULL,
					"\"%s\" is not a port, 1 to 65535, or auto", text);
	*out_port = (guint16)port;
	return TRUE;
}

static gboolean read_port(const char *text, guint16 *out_port, GError **error)
{
	guint64 port;

	if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL))
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a port, 1 to 65535",
					text);
	*out_port = port;
	return TRUE;
}

/* @text is one forward; its parts are PROTOCOL, ADDRESS and "PORT-PORT". */
static gboolean read_parts(const char *text, char **parts, HvrForward *forward, GError **error)
{
	g_auto(GStrv) ports = g_strsplit(parts[2], "-", 2);
	const char *address = LOOPBACK;
	const char *guest;

	if (parts[1][0])
		address = parts[1];
	forward->udp = strcmp(parts[0], "udp") == 0;
	if (!forward->udp && strcmp(parts[0], "tcp") != 0)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is neither tcp nor udp",
					parts[0]);
	if (!is_ipv4(address))
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not an IPv4 address",
					address);
	if (g_strv_length(ports) != 2)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" has no guest port", text);
	guest = ports[1] + (ports[1][0] == ':');
	forward->host_address = g_strdup(address);
	return read_host_port(ports[0], &forward->host_port, error) &&
	       read_port(guest, &forward->guest_port, error);
}

static gboolean add_forward(GPtrArray *forwards, const char *text, GError **error)
{
	const char *whole = strcmp(text, HVR_VALUE_AUTO) == 0 ? AUTO_FORWARD : text;
	g_auto(GStrv) parts = g_strsplit(whole, ":", 3);
	HvrForward *forward;

	if (g_strv_length(parts) != 3)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a forward", text);
	forward = g_new0(HvrForward, 1);
	g_ptr_array_add(forwards, forward);
	return read_parts(whole, parts, forward, error);
}

gboolean hvr_value_forwards(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error)
{
	g_autoptr(GPtrArray) forwards = g_ptr_array_new_with_free_func(forward_free);
	g_auto(GStrv) words = g_strsplit_set(value, "; ", -1);
	GPtrArray **field = target;

	for (gsize i = 0; words[i]; i++) {
		if (words[i][0] == '\0' || add_forward(forwards, words[i], error))
			continue;
		hvr_error_hint(error,
			       "expected PROTOCOL:[ADDRESS]:PORT-GUESTPORT, such as %s; auto "
			       "as PORT is one that is free",
			       key->sample);
		return FALSE;
	}
	g_clear_pointer(field, g_ptr_array_unref);
	*field = g_steal_pointer(&forwards);
	return TRUE;
}

/* "52:54:00:12:34:56" */
static gboolean is_mac(const char *text)
{
	if (strlen(text) != 17)
		return FALSE;
	for (int i = 0; i < 17; i++) {
		if (i % 3 == 2 && text[i] != ':')
			return FALSE;
		if (i % 3 != 2 && !g_ascii_isxdigit(text[i]))
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_value_mac(const HvrProfileKey *key, const char *value, const char *folder,
		       gpointer target, GError **error)
{
	g_autofree char *lower = g_ascii_strdown(value, -1);
	char *mac = target;

	if (!is_mac(lower)) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a MAC address", value);
		hvr_error_hint(error, "expected something like %s", key->sample);
		return FALSE;
	}
	if (g_ascii_xdigit_value(lower[1]) & 1)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is a group address", value);
	if (strcmp(lower, "00:00:00:00:00:00") == 0)
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is nobody's address", value);
	memcpy(mac, lower, 18);
	return TRUE;
}
