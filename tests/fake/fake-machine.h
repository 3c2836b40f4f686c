/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/fake/fake-sysfs.h"

/* What fake-sysfs.c, which builds, and fake-kernel.c, which changes, share. */

extern const HvrKernel fake_kernel;

/* "sys/devices/pci0000:00/0000:00:1c.4/0000:02:00.0", NULL when there is no such function. */
char *fake_function_path(FakeSysfs *fs, const char *address);
/* The same with "/NAME". NULL when there is no such function. */
char *fake_attribute_path(FakeSysfs *fs, const char *address, const char *name);
/* Where things are kept that Linux knows and does not show: ".fake/functions/ADDRESS/NAME". */
char *fake_hidden_path(const char *address, const char *name);
/* FAKE_NO_GROUP for none. */
int fake_function_group(FakeSysfs *fs, const char *address);

gboolean fake_driver_is_vfio(const char *driver);
gboolean fake_driver_is_registered(FakeSysfs *fs, const char *driver);

/* The links of a binding and all that comes and goes with it. No checks: those are the kernel's. */
void fake_bind(FakeSysfs *fs, const char *address, const char *driver);
void fake_unbind(FakeSysfs *fs, const char *address);

/* Moves what the native driver has made to a hidden folder (@away), or back from there. */
void fake_move_children(FakeSysfs *fs, const char *address, gboolean away);
