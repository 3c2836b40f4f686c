/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <inttypes.h>
#include <stdint.h>

/*
 * cmocka 1 has assert_in_range(), which cmocka 2 deprecates for two others that cmocka 1 has not.
 * To be included behind cmocka.h.
 */
#define assert_between(value, least, most)                                                         \
	do {                                                                                       \
		const uintmax_t seen_ = (value);                                                   \
		if (seen_ < (uintmax_t)(least) || seen_ > (uintmax_t)(most))                       \
			fail_msg("%" PRIuMAX " is not from " #least " to " #most, seen_);          \
	} while (0)
