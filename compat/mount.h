/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The mount API of Linux 5.12, for which glibc has functions since 2.36 only: as in compat.h, ours
 * are used everywhere. The flags are the kernel's (include/uapi/linux/mount.h), which has to come
 * behind glibc's header: both name those of mount(2). Each returns as its system call, with errno.
 */
#include <sys/mount.h>

#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int hvr_compat_open_tree(int fd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, fd, path, flags);
}
#undef open_tree
#define open_tree(fd, path, flags) hvr_compat_open_tree(fd, path, flags)

static inline int hvr_compat_move_mount(int from, const char *from_path, int to,
					const char *to_path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}
#undef move_mount
#define move_mount(from, from_path, to, to_path, flags)                                            \
	hvr_compat_move_mount(from, from_path, to, to_path, flags)

static inline int hvr_compat_mount_setattr(int fd, const char *path, unsigned flags,
					   struct mount_attr *attributes, size_t size)
{
	return (int)syscall(SYS_mount_setattr, fd, path, flags, attributes, size);
}
#undef mount_setattr
#define mount_setattr(fd, path, flags, attributes, size)                                           \
	hvr_compat_mount_setattr(fd, path, flags, attributes, size)
