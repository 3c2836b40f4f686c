/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/warm/nets.h"

const HvrProfileNet *hvr_warm_nets_find(const HvrProfile *profile, const GPtrArray *macs)
{
	for (guint i = 0; i < profile->nets->len && i < macs->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);
		if (net->mode != HVR_NET_USER && net->mode != HVR_NET_NONE &&
		    !g_str_equal(net->mac, macs->pdata[i]))
			return net;
	}
	return NULL;
}
