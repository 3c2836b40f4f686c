/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is dead is decided by pid and start time, from /proc/PID/stat: its second field, the
 * command in parentheses, may hold anything, so fields are counted behind the last ')'.
 */
#include "launcher/runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat/compat.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* Fields behind the command: the state is the first, the start time the 20th. */
#define FIELD_STATE	 0
#define FIELD_START_TIME 19

/* In so many is the line of the uids; in the one before, the name's, newlines are escaped. */
#define STATUS_BYTES 512

static gboolean read_stat(const HvrHost *host, pid_t pid, char *out_state, guint64 *out_start)
{
	g_autofree char *path = g_strdup_printf("%d/stat", (int)pid);
	g_autofree char *stat = hvr_tree_read(host->proc, path, NULL);

	if (!stat)
		return FALSE;
	const char *behind = strrchr(stat, ')');
	if (!behind || behind[1] != ' ')
		return FALSE;
	g_auto(GStrv) fields = g_strsplit(behind + 2, " ", -1);
	if (g_strv_length(fields) <= FIELD_START_TIME)
		return FALSE;
	*out_state = fields[FIELD_STATE][0];
	return g_ascii_string_to_unsigned(fields[FIELD_START_TIME], 10, 0, G_MAXUINT64, out_start,
					  NULL);
}

HvrProcess hvr_process_of(const HvrHost *host, pid_t pid)
{
	HvrProcess process = { .pid = pid };
	char state = 0;

	if (pid <= 0 || !read_stat(host, pid, &state, &process.start_time))
		return (HvrProcess){ 0 };
	return process;
}

gboolean hvr_process_uid(const HvrHost *host, pid_t pid, uid_t *out_uid)
{
	g_autofree char *path = g_strdup_printf("%d/status", (int)pid);
	g_auto(HvrFd) fd = pid > 0 ? hvr_open_beneath(host->proc, path, O_RDONLY) : -1;
	char status[STATUS_BYTES + 1] = "";

	/* Behind it are lists as long as a host has CPUs and a user groups. */
	if (fd < 0 || hvr_fd_read_all(fd, status, STATUS_BYTES) < 0)
		return FALSE;
	const char *line = strstr(status, "\nUid:\t");
	if (!line)
		return FALSE;
	*out_uid = (uid_t)g_ascii_strtoull(line + strlen("\nUid:\t"), NULL, 10);
	return TRUE;
}

/* The letter of that very process's state; 0: it is not there. */
static char state_of(const HvrHost *host, const HvrProcess *process)
{
	guint64 start_time = 0;
	char state = 0;

	if (process->pid <= 0 || !read_stat(host, process->pid, &state, &start_time) ||
	    start_time != process->start_time)
		return 0;
	return state;
}

gboolean hvr_process_alive(const HvrHost *host, const HvrProcess *process)
{
	char state = state_of(host, process);

	return state && state != 'Z' && state != 'X';
}

gboolean hvr_process_stopped(const HvrHost *host, const HvrProcess *process)
{
	char state = state_of(host, process);

	return state == 'T' || state == 't';
}

int hvr_process_open(const HvrHost *host, const HvrProcess *process)
{
	g_auto(HvrFd) pidfd = -1;

	if (process->pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	/* Asked behind it: what is open now is what has that start time. */
	if (pidfd >= 0 && hvr_process_alive(host, process))
		return g_steal_fd(&pidfd);
	if (pidfd >= 0 || process->pid <= 0)
		errno = ESRCH;
	return -1;
}

gboolean hvr_process_signal(int pidfd, int signal_number)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) == 0;
}
