/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error domain of this folder. Codes are few on purpose: each one leads to another exit
 * status or another action in launcher/; what happened in detail is in the message.
 */
#include "qmp/error.h"

G_DEFINE_QUARK(hvr_qmp_error, hvr_qmp_error)
