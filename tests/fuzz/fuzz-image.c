/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first bytes of a disk image, which a guest or a stranger has written: whatever they are, no
 * more of them is wanted than can be, and the names in them lead to a path or to nothing.
 */
#include <stddef.h>
#include <stdint.h>

#include "launcher/parts/image-header.h"
#include "launcher/parts/image-name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_auto(HvrImageHeader) header = { 0 };
	g_auto(HvrImageName) name = { 0 };
	gsize wanted = hvr_image_header_size(data, size);

	g_assert(wanted >= HVR_IMAGE_HEADER_MIN && wanted <= HVR_IMAGE_HEADER_MAX);
	hvr_image_header_parse(&header, data, MIN(size, wanted));
	g_assert(header.format);
	if (header.backing)
		hvr_image_name_parse(&name, header.backing, "/a/b");
	return 0;
}
