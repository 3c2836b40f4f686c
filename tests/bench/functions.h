/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/fake/fake-sysfs.h"

/* Far more functions than any host has. */
#define MANY_BUSES     128
#define FUNCTIONS_EACH 32 /* on a bus */
#define MANY_FUNCTIONS (MANY_BUSES * FUNCTIONS_EACH)

/**
 * functions_new - a host with so many buses full of functions, each in a group of its own; every
 * eighth bus begins with a Hailo-8. The tree is a fake one: sysfs itself answers an attribute in a
 * microsecond or two, as a file system in memory does.
 */
FakeSysfs *functions_new(guint buses);
