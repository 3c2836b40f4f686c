/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a TPM keeps is the guest's own, like what UEFI keeps in its variables: a file of the VM's,
 * made once and then left alone. Without it what the guest has sealed (a disk's key) is lost, and
 * whoever can read it has the TPM's keys.
 *
 * A VM whose writes are thrown away has a copy of it in vms/NAME, a folder that only root can get
 * into, and whose user can make nothing in it: swtpm reaches it by a descriptor. It goes with the
 * VM's folder, also after a crash.
 */
#include "launcher/parts/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/parts/newfile.h"
#include "launcher/parts/swtpm.h"
#include "launcher/process/install.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "launcher/runtime/vm.h"
#include "vfio/fd.h"

#define WHAT "[tpm] state"
#define COPY "state"

/* A TPM has a few KiB; what is larger was never swtpm's. */
#define LARGEST (8 * 1024 * 1024)

static HvrSwtpm swtpm_of(const HvrProfile *profile, const HvrParts *parts, const char *program)
{
	return (HvrSwtpm){ .program = program,
			   .state = profile->tpm.state,
			   .identity = hvr_user_identity(parts->user) };
}

static gboolean check_program(const HvrContext *context, const HvrProfile *profile,
			      const HvrParts *parts, GError **error)
{
	g_autofree char *program = hvr_swtpm_find(context->privileged);

	if (!program) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[tpm] model: this host has no swtpm, which is the TPM");
		hvr_install_hint(error, "install it", &context->host, HVR_PACKAGE_SWTPM);
		return FALSE;
	}
	HvrSwtpm swtpm = swtpm_of(profile, parts, program);
	if (hvr_swtpm_try(&swtpm, error))
		return TRUE;
	g_prefix_error(error, "[tpm] model: no TPM by the swtpm of this host: ");
	if (g_error_matches(*error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE))
		hvr_error_hint(error, "it takes swtpm 0.7 or newer, and where AppArmor or SELinux "
				      "confine it, that they let it");
	return FALSE;
}

/* @fd: the state, open as the VM's user */
static gboolean check_state(const HvrProfile *profile, const HvrUser *user, int fd, GError **error)
{
	const char *path = profile->tpm.state;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size > LARGEST || !hvr_swtpm_is_state(fd)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    WHAT ": '%s' is no TPM's state, and swtpm would make a new one over it",
			    path);
		hvr_error_hint(error, "name a file that is not there: it is made");
		return FALSE;
	}
	if (profile->tpm.throw_away || (st.st_uid == user->uid && !(st.st_mode & 077)))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    WHAT ": '%s' is not user %s's alone, and the TPM's keys are in it", path,
		    user->name);
	hvr_error_hint(error, "chown %s '%s'; chmod 600 '%s'", user->name, path, path);
	return FALSE;
}

gboolean hvr_tpm_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GError **error)
{
	const char *path = profile->tpm.state;
	HvrOpen opens[] = {
		{ .path = profile->tpm.throw_away ? NULL : path, .how = HVR_OPEN_WRITE, .fd = -1 },
		{ .path = path, .how = HVR_OPEN_READ, .fd = -1 },
	};
	gboolean good = FALSE;

	if (profile->tpm.model == HVR_TPM_NONE)
		return TRUE;
	if (!check_program(context, profile, parts, error))
		return FALSE;
	gboolean opened = hvr_open(parts->user, opens, G_N_ELEMENTS(opens));
	/* the first says of a link that it is one */
	const HvrOpen *failed = opens[0].problem ? &opens[0] : &opens[1];
	if (opened)
		good = check_state(profile, parts->user, opens[1].fd, error);
	else if (failed->problem == ENOENT)
		good = profile->tpm.throw_away ||
		       hvr_new_file_check(WHAT, path, parts->user, error);
	else
		hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, WHAT, parts->user, failed);
	hvr_fd_close(opens[0].fd);
	hvr_fd_close(opens[1].fd);
	return good;
}

gboolean hvr_tpm_create(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;
	const char *path = profile->tpm.state;

	if (profile->tpm.model == HVR_TPM_NONE || profile->tpm.throw_away ||
	    !hvr_new_file_is_missing(path))
		return TRUE;
	if (hvr_new_file_begin(&file, path, parts->user, error) &&
	    hvr_new_file_finish(&file, parts->made, error))
		return TRUE;
	g_prefix_error(error, WHAT ": ");
	return FALSE;
}

static gboolean fail_copy(int saved, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    WHAT ": cannot make the copy that is thrown away: %s", g_strerror(saved));
	return FALSE;
}

/* @to: new and empty. What is missing is a new TPM's. */
static gboolean copy(const HvrProfile *profile, const HvrUser *user, int to, GError **error)
{
	HvrOpen state = { .path = profile->tpm.state, .how = HVR_OPEN_READ, .fd = -1 };
	char buffer[16 * 1024];
	gsize total = 0;
	gssize n;

	if (!hvr_open(user, &state, 1)) {
		if (state.problem == ENOENT)
			return TRUE;
		hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, WHAT, user, &state);
		return FALSE;
	}
	g_auto(HvrFd) from = state.fd;
	while ((n = hvr_fd_read_all(from, buffer, sizeof(buffer))) > 0 && total <= LARGEST) {
		total += (gsize)n;
		if (!hvr_fd_write_all(to, buffer, (gsize)n))
			return fail_copy(errno, error);
	}
	if (n < 0)
		return fail_copy(errno, error);
	return TRUE;
}

/* Returns: the folder that it is in, as COPY; -1 */
static int make_copy(const HvrProfile *profile, const HvrUser *user, int folder, GError **error)
{
	g_auto(HvrFd) inner = hvr_runtime_open_folder(folder, HVR_VM_TPM, error);
	g_auto(HvrFd) file = -1;

	if (inner < 0)
		return -1;
	file = openat(inner, COPY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0 || (user->privileged && fchown(file, user->uid, user->gid) < 0) ||
	    (user->privileged && fchmod(inner, 0711) < 0)) {
		fail_copy(errno, error);
		return -1;
	}
	if (!copy(profile, user, file, error))
		return -1;
	return g_steal_fd(&inner);
}

gboolean hvr_tpm_serve(const HvrProfile *profile, const HvrParts *parts,
		       const HvrTpmServing *serving, GPtrArray *servers, GError **error)
{
	g_autofree char *program = NULL, *state = NULL;
	g_auto(HvrFd) folder = -1;

	if (profile->tpm.model == HVR_TPM_NONE)
		return TRUE;
	program = hvr_swtpm_find(serving->privileged);
	HvrSwtpm swtpm = swtpm_of(profile, parts, program ? program : "swtpm");
	if (profile->tpm.throw_away) {
		folder = make_copy(profile, parts->user, serving->folder, error);
		if (folder < 0)
			return FALSE;
		state = g_strdup_printf("/proc/self/fd/%d/" COPY, folder);
		swtpm.state = state;
	}
	g_autoptr(GPtrArray) argv = hvr_swtpm_argv(&swtpm, serving->fd, NULL);
	const int fds[] = { serving->fd, serving->leash, folder };
	const HvrServerSpawn server = { .what = "[tpm] swtpm",
					.lost = "the guest's TPM does not answer any more",
					.path = swtpm.program,
					.argv = argv,
					.identity = swtpm.identity,
					.fds = fds,
					.n_fds = folder < 0 ? 2 : 3,
					.stderr_fd = serving->stderr_fd,
					.with_parent = serving->with_parent,
					.leash = serving->leash };
	return hvr_servers_add(servers, &server, error);
}

void hvr_tpm_print(const HvrContext *context, const HvrProfile *profile, const char *path,
		   GPtrArray *argvs)
{
	g_autofree char *program = NULL;

	if (profile->tpm.model == HVR_TPM_NONE)
		return;
	if (!context->captured)
		program = hvr_swtpm_find(context->privileged);
	const HvrSwtpm swtpm = { .program = program ? program : "swtpm",
				 .state = profile->tpm.state };
	g_ptr_array_add(argvs, hvr_swtpm_argv(&swtpm, -1, path));
}
