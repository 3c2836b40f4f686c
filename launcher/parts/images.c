/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk is a chain: an image, the one behind it, and so on; QEMU opens all of it or does not
 * start. So all of it is walked before the card moves, in the way in which QEMU does: only what is
 * first is written to, a name is found as image-name.c says, a format that is not said is guessed.
 */
#include "launcher/parts/images.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/parts/disk-image.h"
#include "launcher/parts/image-file.h"
#include "launcher/parts/image-format.h"
#include "launcher/parts/image-header.h"
#include "launcher/parts/image-name.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

/* Longer chains are not followed to their end. */
#define MOST_LINKS 200

/* A file that was seen: two disks share none that one of them writes to. */
typedef struct {
	guint64 device, inode;
	guint64 number, whole; /* of a block device, and of the disk that it is of; else 0 */
	gboolean writes;
	const char *disk;
} Seen;

/* Nodes of one block device may be many, and a disk has all its partitions in it. */
static gboolean is_shared(const Seen *a, const Seen *b)
{
	if (a->number && b->number)
		return a->number == b->number || a->number == b->whole || a->whole == b->number;
	return a->device == b->device && a->inode == b->inode;
}

typedef struct {
	const HvrHost *host;
	const HvrUser *user;
	HvrImages *images;
	GArray *seen; /* of Seen */
} Walk;

static void note_free(gpointer data)
{
	HvrImageNote *note = data;

	g_free(note->text);
	g_free(note);
}

static void take_note(const Walk *walk, const char *fix, gboolean unknown, char *text)
{
	HvrImageNote *note = g_new(HvrImageNote, 1);

	*note = (HvrImageNote){ .text = hvr_text_safe(text), .fix = fix, .unknown = unknown };
	g_ptr_array_add(walk->images->notes, note);
	g_free(text);
}

static void add_note(const Walk *walk, const char *fix, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void add_note(const Walk *walk, const char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	take_note(walk, fix, FALSE, g_strdup_vprintf(format, args));
	va_end(args);
}

static void add_unknown(const Walk *walk, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_unknown(const Walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	take_note(walk, "see that the VM's user can reach it; qemu-img info --backing-chain tries",
		  TRUE, g_strdup_vprintf(format, args));
	va_end(args);
}

static void link_clear(HvrImageLink *link)
{
	g_clear_pointer(&link->what, g_free);
	g_clear_pointer(&link->path, g_free);
	g_clear_pointer(&link->shown, g_free);
	g_clear_pointer(&link->said, g_free);
	g_clear_pointer(&link->above, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImageLink, link_clear)

/* @role: the key that names it, or what it is to @above, who does (nullable)
 * @path: (transfer full) */
static void link_init(HvrImageLink *link, const char *role, char *path, const HvrImageLink *above)
{
	link->path = path;
	link->shown = hvr_text_safe(path);
	if (!above) {
		link->what = g_strdup_printf("[disk %s] %s", link->disk, role);
		return;
	}
	link->above = g_strdup(above->path);
	link->what = g_strdup_printf("[disk %s] file: %s of '%s'", link->disk, role, above->shown);
}

/* @link's file is in no circle, and no other disk's. */
static gboolean check_seen(const Walk *walk, const HvrImageLink *link, const HvrImageFile *file,
			   GError **error)
{
	const Seen this = { .device = file->device,
			    .inode = file->inode,
			    .number = file->number,
			    .whole = file->number ? hvr_block_whole(walk->host, file->number) : 0,
			    .writes = link->writes,
			    .disk = link->disk };

	for (guint i = 0; i < walk->seen->len; i++) {
		const Seen *seen = &g_array_index(walk->seen, Seen, i);
		if (!is_shared(seen, &this))
			continue;
		if (seen->disk == this.disk) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
				    "%s: '%s' is in its own chain a second time", link->what,
				    link->shown);
			hvr_error_hint(error, "name another: qemu-img rebase -u");
			return FALSE;
		}
		if (!seen->writes && !this.writes)
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "%s: '%s' is used by [disk %s], too, and one of them writes to it",
			    link->what, link->shown, seen->disk);
		hvr_error_hint(error, "give each disk an image of its own, or set snapshot = yes "
				      "for both");
		return FALSE;
	}
	g_array_append_val(walk->seen, this);
	return TRUE;
}

/* Returns: TRUE */
static gboolean note_file(const Walk *walk, const HvrImageLink *link, const HvrImageFile *file)
{
	const HvrImageUsed used = { .device = file->device,
				    .inode = file->inode,
				    .number = file->number,
				    .disk = link->index,
				    .writes = link->writes };

	g_ptr_array_add(walk->images->files, g_strdup(link->path));
	g_array_append_val(walk->images->used, used);
	return TRUE;
}

static gboolean check_host(const Walk *walk, const HvrImageLink *link, const HvrImageFile *file,
			   GError **error)
{
	g_auto(HvrBlockUse) use = { 0 };

	if (file->number)
		hvr_block_use_find(&use, walk->host, file->number);
	return hvr_image_check_host(link, file, &use, error);
}

/* udev makes a block device's node anew, so what is given by hand is gone at the next boot. */
static void hint_rule(const Walk *walk, const HvrImageLink *link, GError **error)
{
	guint64 number = hvr_image_file_number(walk->user, link->path);
	g_autofree char *rule = NULL;

	if (number && walk->user->privileged)
		rule = hvr_block_rule(walk->host, number, walk->user->name);
	if (!rule)
		return;
	g_autofree char *text = g_strconcat("to last, in /etc/udev/rules.d/: ", rule, NULL);
	hvr_error_hint_also(error, text);
}

static gboolean look_at(const Walk *walk, const HvrImageLink *link, HvrImageFile *file,
			GError **error)
{
	HvrImageWanted wanted = { .what = link->what,
				  .path = link->path,
				  .flags = link->writes ? O_RDWR : O_RDONLY,
				  .direct = link->direct,
				  .missing_hint = "correct the path, or give the disk a size to "
						  "have the image made" };

	if (link->above)
		wanted.missing_hint = "put it back, or name where it is now: qemu-img rebase -u";
	else if (link->base_of)
		wanted.missing_hint = "fetch it, or correct the path";

	if (!hvr_image_file_look(file, walk->user, &wanted, error)) {
		hint_rule(walk, link, error);
		return FALSE;
	}
	return hvr_image_check_kind(link, file, error) &&
	       hvr_image_check_locks(link, file, error) && check_host(walk, link, file, error) &&
	       hvr_image_check_direct(link, file, error) && check_seen(walk, link, file, error) &&
	       note_file(walk, link, file);
}

static void add_notes(const Walk *walk, const HvrImageLink *link, const HvrImageFile *file,
		      const HvrImageHeader *header)
{
	const char *format = hvr_image_format(link, header);
	gboolean raw = g_str_equal(format, "raw");

	if (header->dirty && link->writes)
		add_note(walk, "nothing, or first: qemu-img check -r all",
			 "disk %s: '%s' was not closed; QEMU repairs it at its start", link->disk,
			 link->path);
	if (link->above && !link->said && !link->data)
		add_note(walk, "say it there: qemu-img rebase -u -F FORMAT -b NAME",
			 "disk %s: '%s' does not say the format of its backing file '%s'; QEMU "
			 "takes it for %s",
			 link->disk, link->above, link->path, format);
	if (raw && header->packed && !link->data)
		add_note(
			walk, "unpack it, if that is how it was downloaded",
			"disk %s: '%s' looks like what %s has compressed: no guest boots from that",
			link->disk, link->path, header->packed);
	if (raw && file->size % 512)
		add_note(walk, "compare it with where it came from",
			 "disk %s: the size of '%s' is no multiple of 512: cut short?", link->disk,
			 link->path);
	if (!raw && !g_str_equal(format, "qcow2"))
		add_unknown(
			walk,
			"disk %s: '%s' is %s: whether it is whole, and what it names itself, is "
			"not looked at",
			link->disk, link->path, format);
}

/* @next: its backing file, if that is a file */
static gboolean step_to(const Walk *walk, HvrImageLink *link, const HvrImageHeader *header,
			HvrImageLink *next, GError **error)
{
	g_auto(HvrImageName) name = { 0 };

	if (!header->backing)
		return TRUE;
	hvr_image_name_parse(&name, header->backing, link->path);
	if (!hvr_image_check_name(link, header->backing, name.colon, error))
		return FALSE;
	if (!name.path) {
		add_unknown(walk,
			    "disk %s: the backing file of '%s' is '%s', which is no file of this "
			    "host: it is not looked at",
			    link->disk, link->path, header->backing);
		return TRUE;
	}
	*next = (HvrImageLink){ .disk = link->disk, .index = link->index, .direct = link->direct };
	link_init(next, "backing file", g_steal_pointer(&name.path), link);
	if (header->backing_format)
		next->said = g_strdup(header->backing_format);
	else
		next->said = g_steal_pointer(&name.format);
	return TRUE;
}

/* qcow2 names it by a path alone, from QEMU's own folder. */
static gboolean check_data_file(const Walk *walk, const HvrImageLink *link, const char *path,
				GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	g_auto(HvrImageLink) data = { .disk = link->disk,
				      .index = link->index,
				      .writes = link->writes,
				      .data = TRUE,
				      .direct = link->direct };

	link_init(&data, "data file", g_strdup(path), link);
	return look_at(walk, &data, &file, error);
}

static gboolean check_link(const Walk *walk, HvrImageLink *link, HvrImageLink *next, GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	g_auto(HvrImageHeader) header = { 0 };

	if (!look_at(walk, link, &file, error))
		return FALSE;
	hvr_image_header_parse(&header, file.bytes, file.length);
	if (!hvr_image_check_format(link, &file, &header, error) ||
	    !hvr_image_check_header(link, &header, error) ||
	    !hvr_image_check_base(link, &header, error))
		return FALSE;
	if (!link->above && !link->base_of && S_ISBLK(file.mode))
		walk->images->block_devices |= 1u << link->index;
	add_notes(walk, link, &file, &header);
	if (!g_str_equal(hvr_image_format(link, &header), "qcow2"))
		return TRUE;
	if (header.data_file && !check_data_file(walk, link, header.data_file, error))
		return FALSE;
	return step_to(walk, link, &header, next, error);
}

/* Of the image, or, where that is yet to be made, of what it is made on; if anything. */
static void first_link(const HvrProfileDisk *disk, HvrImageLink *link)
{
	link->said = g_strdup(disk->format == HVR_DISK_RAW ? "raw" : "qcow2");
	link->direct = hvr_profile_disk_is_direct(disk);
	if (!hvr_disk_image_is_due(disk)) {
		link_init(link, "file", g_strdup(disk->file), NULL);
		link->writes = !disk->snapshot && !disk->readonly;
	} else if (disk->base) {
		link_init(link, "base", g_strdup(disk->base), NULL);
		link->base_of = disk->size_bytes;
	}
}

static gboolean check_chain(const Walk *walk, const HvrProfileDisk *disk, guint index,
			    GError **error)
{
	g_auto(HvrImageLink) link = { .disk = disk->id, .index = index };

	first_link(disk, &link);
	for (guint n = 0; link.path; n++) {
		HvrImageLink next = { 0 };

		if (n == MOST_LINKS) {
			add_unknown(walk,
				    "disk %s: it has more than %d backing files: '%s' "
				    "and on are not looked at",
				    disk->id, MOST_LINKS, link.path);
			return TRUE;
		}
		if (!check_link(walk, &link, &next, error))
			return FALSE;
		link_clear(&link);
		link = next;
	}
	return TRUE;
}

gboolean hvr_images_check(HvrImages *images, const HvrHost *host, const HvrProfile *profile,
			  const HvrUser *user, GError **error)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(Seen));
	const Walk walk = { .host = host, .user = user, .images = images, .seen = seen };

	*images = (HvrImages){ .notes = g_ptr_array_new_with_free_func(note_free),
			       .used = g_array_new(FALSE, FALSE, sizeof(HvrImageUsed)),
			       .files = g_ptr_array_new_with_free_func(g_free) };
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		if (!check_chain(&walk, disk, i, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_size(const HvrImageAlone *image, const HvrImageFile *file, GError **error)
{
	gboolean fits = file->size > 0 && image->unit && file->size % image->unit == 0;

	if (image->unit == 0 || fits || g_strcmp0(image->format, "raw") != 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "%s: '%s' has %" G_GUINT64_FORMAT
		    " bytes, which is no multiple of %" G_GUINT64_FORMAT " that QEMU takes",
		    image->what, image->path, file->size, image->unit);
	hvr_error_hint(error, "remove it, to have it made anew");
	return FALSE;
}

gboolean hvr_images_check_one(const HvrImageAlone *image, const HvrUser *user, GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	g_auto(HvrImageHeader) header = { 0 };
	const HvrImageWanted wanted = { .what = image->what,
					.path = image->path,
					.flags = image->writes ? O_RDWR : O_RDONLY };
	g_auto(HvrImageLink) link = { .what = g_strdup(image->what),
				      .path = g_strdup(image->path),
				      .shown = hvr_text_safe(image->path),
				      .said = g_strdup(image->format),
				      .writes = image->writes };

	if (!hvr_image_file_look(&file, user, &wanted, error))
		return FALSE;
	hvr_image_header_parse(&header, file.bytes, file.length);
	return hvr_image_check_kind(&link, &file, error) &&
	       hvr_image_check_locks(&link, &file, error) &&
	       hvr_image_check_host(&link, &file, &(const HvrBlockUse){ 0 }, error) &&
	       hvr_image_check_format(&link, &file, &header, error) &&
	       hvr_image_check_header(&link, &header, error) && check_size(image, &file, error);
}

void hvr_images_clear(HvrImages *images)
{
	g_clear_pointer(&images->notes, g_ptr_array_unref);
	g_clear_pointer(&images->used, g_array_unref);
	g_clear_pointer(&images->files, g_ptr_array_unref);
}

void hvr_images_describe(const HvrImages *images, GPtrArray *notes)
{
	for (guint i = 0; images->notes && i < images->notes->len; i++) {
		const HvrImageNote *note = g_ptr_array_index(images->notes, i);
		g_ptr_array_add(notes, g_strdup(note->text));
	}
}
