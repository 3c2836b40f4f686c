/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/list/list.h"
#include "tests/fake/fake-sysfs.h"

/* What `list` shows of a fake machine. */
typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	HvrInventory *inventory;
	GPtrArray *items;
} ListView;

/* @fs: (transfer full); @as: who looks, and at what kind of tree: its host and folders are filled
 * in */
ListView list_view(FakeSysfs *fs, const HvrContext *as, const HvrListWhat *what);
void list_view_clear(ListView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListView, list_view_clear)
