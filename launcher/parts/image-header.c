/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first bytes of a disk image, which anybody may have written: a guest, or who made it.
 *
 * They are read here and not by qemu-img, which opens what an image names (extents, data files) and
 * which a host with QEMU may not have. Nothing is followed; the numbers are QEMU's own limits, as
 * of 7.2 and unchanged up to 11.
 */
#include "launcher/parts/image-header.h"

#include <string.h>

#define MAGIC_QCOW "QFI\xfb"

/* Places in qcow2's header. All numbers are big-endian. */
enum {
	AT_VERSION = 4,
	AT_BACKING_OFFSET = 8,
	AT_BACKING_LENGTH = 16,
	AT_CLUSTER_BITS = 20,
	AT_SIZE = 24,
	AT_CRYPT = 32,
	END_OF_V2 = 72,
	AT_INCOMPATIBLE = 72,
	AT_REFCOUNT_ORDER = 96,
	AT_HEADER_LENGTH = 100,
	END_OF_V3 = 104,
};

/* Incompatible features: who does not know one must not open the image. Compression types and
 * extended L2 entries, bits 3 and 4, are known to every QEMU since 5.2. */
enum { BIT_DIRTY = 1, BIT_CORRUPT = 2, BIT_DATA_FILE = 4, BITS_KNOWN = 31 };

enum { EXTENSION_BACKING_FORMAT = 0xe2792aca, EXTENSION_DATA_FILE = 0x44415441 };

/* Longer QEMU takes none. */
enum { BACKING_MAX = 1023, FORMAT_MAX = 15 };

/* As QEMU's drivers recognise their own (block/FORMAT.c, *_probe). */
static const struct {
	const char *format;
	guint at;
	guint length;
	const char *bytes;
} magics[] = {
	{ "vmdk", 0, 4, "KDMV" },
	{ "vmdk", 0, 4, "COWD" },
	{ "vmdk", 0, 21, "# Disk DescriptorFile" },
	{ "vdi", 64, 4, "\x7f\x10\xda\xbe" },
	{ "vhdx", 0, 8, "vhdxfile" },
	{ "vpc", 0, 8, "conectix" },
	{ "qed", 0, 4, "QED" },
	{ "parallels", 0, 16, "WithoutFreeSpace" },
	{ "parallels", 0, 16, "WithouFreSpacExt" },
	{ "bochs", 0, 22, "Bochs Virtual HD Image" },
	{ "luks", 0, 6, "LUKS\xba\xbe" },
};

/* As images are downloaded. What a guest's own bytes may be as well, so nothing is refused for it.
 */
static const struct {
	const char *program;
	guint length;
	const char *bytes;
} packers[] = {
	{ "xz", 6,
	  "\xfd"
	  "7zXZ" },
	{ "zstd", 4, "\x28\xb5\x2f\xfd" },
	{ "gzip", 3, "\x1f\x8b\x08" },
	{ "bzip2", 3, "BZh" },
	{ "zip", 4, "PK\3\4" },
};

static guint32 number_at(const guint8 *bytes, gsize at)
{
	guint32 value;

	memcpy(&value, bytes + at, sizeof(value));
	return GUINT32_FROM_BE(value);
}

static guint64 long_at(const guint8 *bytes, gsize at)
{
	return (guint64)number_at(bytes, at) << 32 | number_at(bytes, at + 4);
}

static const char *recognise(const guint8 *bytes, gsize n)
{
	if (n >= AT_VERSION + 4 && memcmp(bytes, MAGIC_QCOW, 4) == 0)
		return number_at(bytes, AT_VERSION) == 1 ? "qcow" : "qcow2";
	for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
		if (n >= magics[i].at + magics[i].length &&
		    memcmp(bytes + magics[i].at, magics[i].bytes, magics[i].length) == 0)
			return magics[i].format;
	return "raw";
}

static const char *recognise_packer(const guint8 *bytes, gsize n)
{
	for (gsize i = 0; i < G_N_ELEMENTS(packers); i++)
		if (n >= packers[i].length &&
		    memcmp(bytes, packers[i].bytes, packers[i].length) == 0)
			return packers[i].program;
	return NULL;
}

gsize hvr_image_header_size(const guint8 *bytes, gsize n)
{
	if (n < END_OF_V2 || !g_str_equal(recognise(bytes, n), "qcow2"))
		return HVR_IMAGE_HEADER_MIN;
	guint32 bits = number_at(bytes, AT_CLUSTER_BITS);
	if (bits < 9 || bits > 21)
		return HVR_IMAGE_HEADER_MIN;
	return (gsize)1 << bits;
}

/* Up to the first NUL, as QEMU takes it. */
static char *text_at(const guint8 *bytes, gsize at, gsize length)
{
	return g_strndup((const char *)bytes + at, length);
}

/* Between the header and the backing file's name, or the end of the first cluster. */
static const char *read_extensions(HvrImageHeader *header, const guint8 *bytes, gsize at, gsize end)
{
	while (at + 8 <= end) {
		guint32 type = number_at(bytes, at), length = number_at(bytes, at + 4);

		at += 8;
		if (type == 0)
			return NULL;
		if (length > end - at)
			return "a part of its header is longer than the header";
		if (type == EXTENSION_BACKING_FORMAT) {
			if (length > FORMAT_MAX)
				return "the name of its backing file's format is too long";
			g_free(header->backing_format);
			header->backing_format = text_at(bytes, at, length);
		}
		if (type == EXTENSION_DATA_FILE) {
			g_free(header->data_file);
			header->data_file = text_at(bytes, at, length);
		}
		at += (length + (gsize)7) & ~(gsize)7;
	}
	return NULL;
}

static const char *read_features(HvrImageHeader *header, const guint8 *bytes,
				 gboolean *out_external)
{
	guint64 features = long_at(bytes, AT_INCOMPATIBLE);

	header->dirty = (features & BIT_DIRTY) != 0;
	header->corrupt = (features & BIT_CORRUPT) != 0;
	*out_external = (features & BIT_DATA_FILE) != 0;
	if (features & ~(guint64)BITS_KNOWN)
		return "it has a feature that QEMU does not know";
	if (number_at(bytes, AT_REFCOUNT_ORDER) > 6)
		return "its reference counts are too wide";
	return NULL;
}

static const char *read_backing(HvrImageHeader *header, const guint8 *bytes, gsize cluster)
{
	guint64 offset = long_at(bytes, AT_BACKING_OFFSET);
	guint32 length = number_at(bytes, AT_BACKING_LENGTH);

	if (offset == 0)
		return NULL;
	if (offset > cluster || length > MIN((gsize)BACKING_MAX, cluster - offset))
		return "the name of its backing file is not in its header";
	if (length > 0)
		header->backing = text_at(bytes, offset, length);
	return NULL;
}

/* @bytes: the whole first cluster; behind the end of a short file QEMU reads zeroes. */
static const char *read_cluster(HvrImageHeader *header, const guint8 *bytes, gsize cluster)
{
	guint32 version = number_at(bytes, AT_VERSION), length = END_OF_V2;
	gboolean external = FALSE;
	const char *broken = NULL;

	if (version > 3)
		return "its version of qcow2 is none that QEMU knows";
	if (version == 3) {
		length = number_at(bytes, AT_HEADER_LENGTH);
		broken = read_features(header, bytes, &external);
	}
	if (!broken && ((version == 3 && length < END_OF_V3) || length > cluster))
		broken = "its header has a length that cannot be";
	if (!broken && number_at(bytes, AT_CRYPT) > 2)
		broken = "its encryption is none that QEMU knows";
	header->encrypted = number_at(bytes, AT_CRYPT) != 0;
	header->size_bytes = long_at(bytes, AT_SIZE);
	if (broken)
		return broken;
	gsize end = cluster;
	if (long_at(bytes, AT_BACKING_OFFSET) != 0)
		end = MIN(end, long_at(bytes, AT_BACKING_OFFSET));
	broken = read_extensions(header, bytes, length, end);
	if (!broken)
		broken = read_backing(header, bytes, cluster);
	if (!external)
		g_clear_pointer(&header->data_file, g_free);
	else if (!broken && !header->data_file)
		broken = "its data is in another file, and it does not say in which";
	return broken;
}

void hvr_image_header_parse(HvrImageHeader *header, const guint8 *bytes, gsize n)
{
	*header = (HvrImageHeader){ .format = recognise(bytes, n),
				    .packed = recognise_packer(bytes, n) };
	if (!g_str_equal(header->format, "qcow2"))
		return;
	if (n < END_OF_V2) {
		header->broken = "it ends within its header";
		return;
	}
	guint32 bits = number_at(bytes, AT_CLUSTER_BITS);
	if (bits < 9 || bits > 21) {
		header->broken = "its clusters have a size that cannot be";
		return;
	}
	gsize cluster = (gsize)1 << bits;
	g_autofree guint8 *whole = g_malloc0(cluster);
	memcpy(whole, bytes, MIN(n, cluster));
	header->broken = read_cluster(header, whole, cluster);
}

void hvr_image_header_clear(HvrImageHeader *header)
{
	g_clear_pointer(&header->backing, g_free);
	g_clear_pointer(&header->backing_format, g_free);
	g_clear_pointer(&header->data_file, g_free);
}
