/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/host/loader.h"
#include "vfio/host.h"

/**
 * hvr_loader_look - find out. Reads, changes nothing.
 * @host: its root says what is installed; its sys, proc and run, how it was booted: -1 for a system
 * that does not run
 */
HvrLoader hvr_loader_look(const HvrHost *host);
