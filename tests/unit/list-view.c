/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/list-view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

ListView list_view(FakeSysfs *fs, const HvrContext *as, const HvrListWhat *what)
{
	ListView view = { .fs = fs, .context = *as };

	view.context.host = fs->host;
	view.context.runtime = view.context.runtime_parent = -1;
	view.inventory = hvr_inventory_read(&view.context.host, NULL);
	assert_non_null(view.inventory);
	view.items = hvr_list_read(&view.context, view.inventory, what);
	return view;
}

void list_view_clear(ListView *view)
{
	g_clear_pointer(&view->items, g_ptr_array_unref);
	g_clear_pointer(&view->inventory, hvr_inventory_free);
	g_clear_pointer(&view->fs, fake_sysfs_free);
}
