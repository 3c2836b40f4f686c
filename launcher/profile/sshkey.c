/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys as OpenSSH writes them. A private one in their place would be told to a guest, so
 * nothing is taken for a key that only looks like a line of text.
 */
#include "launcher/profile/sshkey.h"

#include <string.h>

/* The longest that sshd reads as a line (SSH_MAX_PUBKEY_BYTES in OpenSSH's authfile.h) */
#define LONGEST 16384

#define BASE64	     G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+/"
#define COMMENT_CSET G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "@._-"

/* DSA is left out: no OpenSSH since 7.0 takes it unasked. */
static const char *const types[] = {
	"ssh-ed25519",
	"ssh-rsa",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
};

static const char *find_type(const char *line)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_prefix(line, types[i]) && line[strlen(types[i])] == ' ')
			return types[i];
	return NULL;
}

gboolean hvr_ssh_key_is_meant(const char *text)
{
	return find_type(text) != NULL;
}

/* Where what is encoded begins. */
static const char *find_blob(const char *line)
{
	const char *space = line + strcspn(line, " ");

	return space + strspn(space, " ");
}

/* How long it is; 0: it is no base64 */
static gsize measure_blob(const char *blob)
{
	gsize length = strspn(blob, BASE64);

	length += strspn(blob + length, "=");
	if ((blob[length] != '\0' && blob[length] != ' ') || length % 4 != 0 || length > LONGEST)
		return 0;
	return length;
}

/* A length in four bytes, the first counts most, and the type. */
static gboolean names_type(const guchar *bytes, gsize n, const char *type)
{
	gsize length = strlen(type);

	return n > 4 + length && bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 &&
	       bytes[3] == length && memcmp(bytes + 4, type, length) == 0;
}

gboolean hvr_ssh_key_is_public(const char *line)
{
	const char *type = find_type(line);

	if (!type || !g_utf8_validate(line, -1, NULL))
		return FALSE;
	const char *blob = find_blob(line);
	gsize length = measure_blob(blob), n = 0;
	if (length == 0)
		return FALSE;
	g_autofree char *text = g_strndup(blob, length);
	g_autofree guchar *bytes = g_base64_decode(text, &n);
	return names_type(bytes, n, type);
}

static char *without_comment(const char *line)
{
	g_autofree char *type = g_strndup(line, strcspn(line, " "));
	const char *blob = find_blob(line);
	const char *rest = blob + measure_blob(blob);
	g_autofree char *key = g_strndup(blob, (gsize)(rest - blob));

	rest += strspn(rest, " ");
	gsize length = strspn(rest, COMMENT_CSET);
	if (length == 0 || (rest[length] != '\0' && rest[length] != ' '))
		return g_strconcat(type, " ", key, NULL);
	g_autofree char *comment = g_strndup(rest, length);
	return g_strconcat(type, " ", key, " ", comment, NULL);
}

char *hvr_ssh_key_find(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (hvr_ssh_key_is_public(g_strstrip(*line)))
			return without_comment(*line);
	return NULL;
}
