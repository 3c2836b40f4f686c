/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What comes out of a pipe until its end, or until nothing is there yet. [transfer full] */
char *pipe_read(int fd);
