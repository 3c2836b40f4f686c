/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swtpm: a process that is the TPM of one guest.
 *
 * QEMU talks to it over two sockets: a control channel, which both inherit, and over that it hands
 * swtpm one end of a second for the guest's commands. When that one hangs up, swtpm writes what it
 * has to and ends (--terminate), with status 0, however QEMU has ended. The first may hang up and
 * it waits for ever: until QEMU has spoken to it, it is a leash that ends it (HvrSpawn), with
 * SIGTERM, at which it does the same.
 *
 * Its state is one file (swtpm 0.7 and newer: backend-uri=file://), which is named, opened and made
 * like any other of a VM; a folder of files that swtpm names and replaces itself would be none.
 *
 * Its seccomp filter kills it for what it has no need of, and it is the VM's user without any
 * privilege. It has no namespaces of its own, as virtiofsd does.
 */
#include "launcher/parts/swtpm.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* It begins within a tenth of a second. */
#define TIMEOUT_MS 15000

/* CMD_SHUTDOWN of swtpm's tpm_ioctl.h as the control channel has it, a 32 bit number, big endian;
 * the answer is as long, and 0. */
#define CMD_SHUTDOWN                                                                               \
	{                                                                                          \
		0, 0, 0, 3                                                                         \
	}

/* SWTPM_NVSTORE_LINEAR_MAGIC of its swtpm_nvstore_linear.h, little endian, and behind it the rest
 * of struct nvram_linear_hdr. */
#define MAGIC	    "nilmptws"
#define HEADER_SIZE 192

char *hvr_swtpm_find(gboolean privileged)
{
	return hvr_program_find("swtpm", privileged);
}

GPtrArray *hvr_swtpm_argv(const HvrSwtpm *swtpm, int fd, const char *path)
{
	GPtrArray *argv = g_ptr_array_new_full(16, g_free);

	hvr_program_add_word(argv, "%s", swtpm->program);
	hvr_program_add_word(argv, "socket");
	hvr_program_add_word(argv, "--tpm2");
	hvr_program_add_word(argv, "--tpmstate");
	hvr_program_add_word(argv, "backend-uri=file://%s,mode=0600", swtpm->state);
	hvr_program_add_word(argv, "--ctrl");
	if (fd >= 0)
		hvr_program_add_word(argv, "type=unixio,clientfd=%d", fd);
	else
		hvr_program_add_word(argv, "type=unixio,path=%s,mode=0600", path);
	hvr_program_add_word(argv, "--seccomp");
	hvr_program_add_word(argv, "action=kill");
	hvr_program_add_word(argv, "--terminate");
	g_ptr_array_add(argv, NULL);
	return argv;
}

gboolean hvr_swtpm_connect(int *out_swtpm, int *out_qemu, GError **error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		int saved = errno;

		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "cannot make a socket for swtpm: %s", g_strerror(saved));
		return FALSE;
	}
	*out_swtpm = pair[0];
	*out_qemu = pair[1];
	return TRUE;
}

/* It has ended: what it was told to is there to be read. */
static gboolean has_obeyed(int fd)
{
	static const guint8 done[4];
	guint8 answer[sizeof(done)];

	return recv(fd, answer, sizeof(answer), MSG_DONTWAIT) == sizeof(answer) &&
	       memcmp(answer, done, sizeof(done)) == 0;
}

gboolean hvr_swtpm_try(const HvrSwtpm *swtpm, GError **error)
{
	static const guint8 shutdown[] = CMD_SHUTDOWN;
	g_auto(HvrFd) theirs = -1;
	g_auto(HvrFd) ours = -1;

	if (!hvr_swtpm_connect(&theirs, &ours, error))
		return FALSE;
	g_autoptr(GPtrArray) argv = hvr_swtpm_argv(swtpm, theirs, NULL);
	const HvrProgram program = { .path = swtpm->program,
				     .argv = (const char *const *)argv->pdata,
				     .identity = swtpm->identity,
				     .fds = &theirs,
				     .n_fds = 1,
				     .timeout_ms = TIMEOUT_MS };

	if (!hvr_fd_write_all(ours, shutdown, sizeof(shutdown)))
		g_debug("cannot write to a new socket: %s", g_strerror(errno));
	if (!hvr_program_run(&program, error))
		return FALSE;
	if (has_obeyed(ours))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s does not answer as swtpm does", swtpm->program);
	return FALSE;
}

gboolean hvr_swtpm_is_state(int fd)
{
	char header[HEADER_SIZE];
	gssize n = pread(fd, header, sizeof(header), 0);

	return n == 0 || (n == sizeof(header) && memcmp(header, MAGIC, strlen(MAGIC)) == 0);
}
