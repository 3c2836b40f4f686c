/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/image-format.h"

#include <sys/stat.h>

#include "launcher/report/error.h"
#include "launcher/report/text.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

#define RAW   "raw"
#define QCOW2 "qcow2"
#define LUKS  "luks"

/* Of these an image that is none is not opened; others are recognised by their end, or in parts. */
static const char *const strict[] = { QCOW2, "qcow", "qed", "vdi", "vhdx", NULL };

const char *hvr_image_format(const HvrImageLink *link, const HvrImageHeader *header)
{
	if (link->data)
		return RAW;
	return link->said ? link->said : header->format;
}

static gboolean refuse(GError **error, const HvrImageLink *link, const char *fault)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "%s: '%s' %s", link->what,
		    link->shown, fault);
	return FALSE;
}

gboolean hvr_image_check_kind(const HvrImageLink *link, const HvrImageFile *file, GError **error)
{
	const char *fault = NULL;

	if (S_ISDIR(file->mode))
		fault = "is a folder";
	else if (S_ISFIFO(file->mode) || S_ISSOCK(file->mode))
		fault = "is a pipe";
	else if (S_ISCHR(file->mode) && !link->above)
		fault = "is a character device";
	if (!fault)
		return TRUE;
	refuse(error, link, fault);
	hvr_error_hint(error, "name an image: a file, or a block device with format = raw");
	return FALSE;
}

/* As QEMU would be refused its own locks (raw_check_lock_bytes()). */
gboolean hvr_image_check_locks(const HvrImageLink *link, const HvrImageFile *file, GError **error)
{
	const char *who = NULL;

	if (file->locks & HVR_IMAGE_LOCK_WRITES)
		who = "another process has it open and writes to it";
	else if (link->writes && (file->locks & HVR_IMAGE_LOCK_LETS_NOBODY_WRITE))
		who = "another process has it open and lets nobody write to it";
	else if (file->locks & HVR_IMAGE_LOCK_LETS_NOBODY_READ)
		who = "another process has it open for itself alone";
	if (!who)
		return TRUE;
	g_autofree char *quoted = g_shell_quote(link->path);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "%s: '%s' is in use: %s",
		    link->what, link->shown, who);
	hvr_error_hint(error, "stop that VM or wait for its end; who it is says: fuser -v %s",
		       quoted);
	return FALSE;
}

gboolean hvr_image_check_host(const HvrImageLink *link, const HvrImageFile *file,
			      const HvrBlockUse *use, GError **error)
{
	gboolean claimed = (file->locks & HVR_IMAGE_LOCK_HOST) != 0;
	g_autofree char *quoted = g_shell_quote(link->path);
	const char *who = use->who;

	/* of one who is not seen nobody knows that they only read */
	if (link->writes ? !claimed && !who : !(claimed && !who) && !use->writes)
		return TRUE;
	if (!who)
		who = "the host has mounted it, or uses it for another device";
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "%s: '%s' is in use: %s",
		    link->what, link->shown, who);
	hvr_error_hint(error,
		       "end that first (lsblk %s shows all of it), or name another device; with "
		       "readonly or snapshot = yes one that is mounted read-only will do",
		       quoted);
	return FALSE;
}

gboolean hvr_image_fail_direct(const char *disk, const char *shown, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "[disk %s] cache: '%s' is on a file system that has no way around the host's "
		    "cache (O_DIRECT)",
		    disk, shown);
	hvr_error_hint(error, "set cache = writeback, writethrough or unsafe, or put the image on "
			      "another file system, such as ext4 or xfs");
	return FALSE;
}

gboolean hvr_image_check_direct(const HvrImageLink *link, const HvrImageFile *file, GError **error)
{
	return !file->no_direct || hvr_image_fail_direct(link->disk, link->shown, error);
}

/* The way out, by whose word is wrong. [transfer full] */
static char *fix_format(const HvrImageLink *link, const HvrImageFile *file, const char *is)
{
	g_autofree char *quoted = g_shell_quote(link->path);
	gboolean ours = g_str_equal(is, RAW) || g_str_equal(is, QCOW2);

	if (link->above) {
		g_autofree char *above = g_shell_quote(link->above);
		return g_strdup_printf(
			"correct what that image says: qemu-img rebase -u -F %s -b %s %s", is,
			quoted, above);
	}
	if (file->size == 0)
		return g_strdup("remove it and give the disk a size, to have it made");
	if (ours && !link->base_of)
		return g_strdup_printf("set format = %s", is);
	return g_strdup_printf("convert it: qemu-img convert -f %s -O qcow2 %s NEW", is, quoted);
}

/* What is raw is a guest's to write, its first bytes too: a header can name any file of the host
 * that its reader may read, which whoever believes it would show the guest. So the advice is for
 * images that were made as what they look like, and there is another for those that were not. */
static void hint_format(GError **error, const HvrImageLink *link, const HvrImageFile *file,
			const char *is)
{
	g_autofree char *fix = fix_format(link, file, is);
	g_autofree char *quoted = g_shell_quote(link->path);

	if (g_str_equal(link->said, RAW))
		hvr_error_hint(error,
			       "if it was made as one, %s; if a guest can have written that, do "
			       "not: it may name any file of this host. Then qemu-img convert -f "
			       "raw -O qcow2 %s NEW keeps it as it is",
			       fix, quoted);
	else
		hvr_error_hint(error, "%s", fix);
}

gboolean hvr_image_check_format(const HvrImageLink *link, const HvrImageFile *file,
				const HvrImageHeader *header, GError **error)
{
	const char *is = header->format;

	if (!link->said || g_str_equal(link->said, is) || link->data)
		return TRUE;
	gboolean fits = !g_strv_contains(strict, link->said);
	if (g_str_equal(link->said, RAW))
		fits = g_str_equal(is, LUKS);
	if (fits)
		return TRUE;
	g_autofree char *said = hvr_text_safe(link->said);
	g_autofree char *fault = NULL;
	if (g_str_equal(is, RAW))
		fault = g_strdup_printf("is no %s image, but that is %s", said,
					link->above ? "the format it is said to have"
						    : "its format, which is the default");
	else
		fault = g_strdup_printf("is a %s image, but its format is said to be %s", is, said);
	if (file->size == 0) {
		g_free(fault);
		fault = g_strdup_printf("is empty, which is no %s image", said);
	}
	refuse(error, link, fault);
	hint_format(error, link, file, is);
	return FALSE;
}

gboolean hvr_image_check_header(const HvrImageLink *link, const HvrImageHeader *header,
				GError **error)
{
	const char *format = hvr_image_format(link, header);
	g_autofree char *quoted = g_shell_quote(link->path);
	gboolean qcow2 = g_str_equal(format, QCOW2);

	if (g_str_equal(format, LUKS) || (qcow2 && header->encrypted)) {
		refuse(error, link, "is encrypted, and QEMU is given no key");
		hvr_error_hint(error, "have the guest encrypt its disk instead; qemu-img convert "
				      "makes an image without");
		return FALSE;
	}
	if (!qcow2)
		return TRUE;
	if (header->broken) {
		g_autofree char *fault = g_strdup_printf("cannot be opened: %s", header->broken);
		refuse(error, link, fault);
		hvr_error_hint(error,
			       "take another copy of it; what QEMU says of it: qemu-img "
			       "info %s",
			       quoted);
		return FALSE;
	}
	if (header->corrupt && link->writes) {
		refuse(error, link, "is marked as corrupt, and QEMU does not write to it");
		hvr_error_hint(error, "repair it: qemu-img check -r all %s", quoted);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_image_check_base(const HvrImageLink *link, const HvrImageHeader *header,
			      GError **error)
{
	if (!link->base_of || header->size_bytes <= link->base_of)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "%s: '%s' is a disk of %" G_GUINT64_FORMAT " MiB, and the one on top of it "
		    "shall have %" G_GUINT64_FORMAT,
		    link->what, link->shown, (header->size_bytes + MIB - 1) / MIB,
		    link->base_of / MIB);
	hvr_error_hint(error, "give it a size that is no smaller");
	return FALSE;
}

gboolean hvr_image_check_name(const HvrImageLink *link, const char *name, gboolean colon,
			      GError **error)
{
	g_autofree char *shown = hvr_text_safe(name);
	g_autofree char *quoted = g_shell_quote(link->path);
	g_autofree char *fault = g_strdup_printf("has a backing file '%s', of which QEMU takes "
						 "what is in front of the colon for a protocol",
						 shown);

	if (!colon)
		return TRUE;
	refuse(error, link, fault);
	hvr_error_hint(error, "name it with a ./ in front: qemu-img rebase -u -b './%s' %s", shown,
		       quoted);
	return FALSE;
}
