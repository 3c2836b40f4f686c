/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel judges a path by who opens it, and by nothing else: each folder on the way, each link,
 * ACLs, what a server thinks. So root asks nobody whether somebody may; it becomes somebody and
 * tries. setfsuid(2) would do for permissions, but leaves capabilities and /proc/self as they are.
 */
#include "launcher/process/asuser.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/privileges.h"
#include "vfio/fd.h"

#define PATIENCE_US (30 * G_TIME_SPAN_SECOND)

/* The kernel aligns what comes with a message. */
typedef union {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
} Control;

static gboolean send_result(int socket, HvrAsUserResult result)
{
	Control control = { .bytes = { 0 } };
	struct iovec data = { .iov_base = &result.problem, .iov_len = sizeof(result.problem) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (result.fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &result.fd, sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(result.problem);
}

/* Returns: FALSE: nothing came, and nothing more will. */
static gboolean receive_result(int socket, HvrAsUserResult *out_result)
{
	Control control = { .bytes = { 0 } };
	int problem = 0, fd = -1;
	struct iovec data = { .iov_base = &problem, .iov_len = sizeof(problem) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	if (!hvr_fd_readable_before(socket, g_get_monotonic_time() + PATIENCE_US)) {
		out_result->problem = ETIMEDOUT;
		return FALSE;
	}
	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof(problem))
		return FALSE;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	*out_result = (HvrAsUserResult){ .fd = fd, .problem = problem };
	return TRUE;
}

static void close_range_between(int first, int last)
{
	if (first <= last)
		syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0);
}

/* /proc/self/fd/N is a path as any other: it must lead to nothing that root has open. */
static void close_others(int one, int other)
{
	int low = MAX(MIN(one, other), STDERR_FILENO);
	int high = MAX(MAX(one, other), STDERR_FILENO);

	close_range_between(STDERR_FILENO + 1, low - 1);
	close_range_between(low + 1, high - 1);
	syscall(SYS_close_range, (unsigned)high + 1, ~0U, 0);
}

static G_NORETURN void be_user(const HvrAsUser *how, int socket, guint n)
{
	HvrIdentity identity = hvr_user_identity(how->user);
	const char *failed = hvr_privileges_drop(&identity);

	close_others(socket, how->keep);
	for (guint i = 0; i < n; i++) {
		HvrAsUserResult result = { .fd = -1, .problem = EPERM };
		if (!failed)
			result.problem = how->step(how->data, i, &result.fd);
		if (!send_result(socket, result))
			_exit(1);
	}
	_exit(0);
}

static void do_in_child(const HvrAsUser *how, HvrAsUserResult *results, guint n)
{
	int pair[2], problem = 0;
	guint i = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		problem = errno;
	pid_t pid = -1;
	if (!problem && (pid = fork()) < 0) {
		problem = errno;
		close(pair[0]);
		close(pair[1]);
	}
	for (guint k = 0; k < n; k++)
		results[k] = (HvrAsUserResult){ .fd = -1, .problem = problem ? problem : EIO };
	if (problem)
		return;
	if (pid == 0)
		be_user(how, pair[1], n);
	close(pair[1]);
	while (i < n && receive_result(pair[0], &results[i]))
		i++;
	close(pair[0]);
	if (i < n)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void hvr_as_user(const HvrAsUser *how, HvrAsUserResult *results, guint n)
{
	if (geteuid() == 0 && how->user->privileged && how->user->uid != 0) {
		do_in_child(how, results, n);
		return;
	}
	for (guint i = 0; i < n; i++) {
		results[i] = (HvrAsUserResult){ .fd = -1 };
		results[i].problem = how->step(how->data, i, &results[i].fd);
	}
}
