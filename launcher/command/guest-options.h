/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/command/command.h"
#include "launcher/guest/options.h"

/* The options of `exec` and `test` that say how their command is run; @member: HvrGuestOptions. */
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name takes none */
#define HVR_OPTIONS_GUEST(Struct, member) \
	{ "script", 'S', HVR_TEXT(Struct, member.script), "FILE", \
	  "Run this file in the guest; the words behind -- are its arguments" }, \
	{ "put", 'p', HVR_TEXTS(Struct, member.put), "HOSTFILE:GUESTFILE", \
	  "Copy a file into the guest before the command; may be repeated" }, \
	{ "env", 'e', HVR_TEXTS(Struct, member.env), "NAME=VALUE", \
	  "Set a variable for the command; may be repeated" }, \
	{ "cwd", 'C', HVR_TEXT(Struct, member.cwd), "GUESTDIR", \
	  "Run the command in this folder of the guest" }, \
	{ "user", 'u', HVR_TEXT(Struct, member.user), "NAME", \
	  "Run the command as this user of the guest" }
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */
