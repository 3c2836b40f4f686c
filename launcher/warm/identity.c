/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/warm/identity.h"

char *hvr_warm_identity(const HvrImageFile *file)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
			       " %" G_GINT64_FORMAT,
			       file->inode, file->size, file->modified_ns, file->changed_ns);
}
