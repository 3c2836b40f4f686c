/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's words say what failed; an errno in them may have several causes, and which it was stands
 * in the kernel's log. Both are only looked at when QEMU has ended badly.
 */
#include "launcher/session/verdict.h"

#include <string.h>
#include <sys/wait.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"

/* Lines about the VM's cards, of VFIO where it names none ("vfio_pin_pages_remote: ..."), and about
 * QEMU's process (OOM killer, seccomp). */
static GPtrArray *names_of(const HvrSession *session)
{
	const GPtrArray *devices = session->vm->devices;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(devices, i);
		g_ptr_array_add(names, g_strdup(device->address));
	}
	g_ptr_array_add(names, g_strdup("vfio_"));
	g_ptr_array_add(names, g_strdup_printf("%d", (int)session->vm->qemu.pid));
	g_ptr_array_add(names, NULL);
	return names;
}

/* The newest line of the kernel's that has a meaning. @out_meaning: untouched without one.
 * [transfer full] */
static char *find_kernel_line(const HvrSession *session, HvrKmsg *kmsg,
			      const HvrDiagnosis **out_meaning)
{
	g_autoptr(GPtrArray) names = names_of(session);
	g_autoptr(GPtrArray) lines = hvr_kmsg_read(kmsg, (const char *const *)names->pdata);

	for (guint i = lines->len; i > 0; i--) {
		const char *line = g_ptr_array_index(lines, i - 1);
		const HvrDiagnosis *meaning = hvr_diagnose_kernel(line);
		if (!meaning)
			continue;
		*out_meaning = meaning;
		return g_strdup(line);
	}
	return NULL;
}

void hvr_verdict_explain(const HvrSession *session, const HvrDiagnosis *said, HvrKmsg *kmsg,
			 GError **error)
{
	const HvrDiagnosis *kernel = NULL;
	g_autofree char *line = NULL;

	if (!said || said->kernel_knows)
		line = find_kernel_line(session, kmsg, &kernel);
	if (said && kernel)
		hvr_error_hint(error, "%s (the kernel: '%s')", kernel->meaning, line);
	else if (kernel)
		hvr_error_hint(error, "the kernel said meanwhile '%s', which may be why: %s", line,
			       kernel->meaning);
	else if (said)
		hvr_error_hint(error, "%s", said->meaning);
}

/* @status: as of wait(2) */
static void set_ended(int status, GError **error)
{
	if (WIFSIGNALED(status))
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "QEMU was ended by signal %d (%s)", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "QEMU ended with status %d", WEXITSTATUS(status));
}

/* Some of its words have it tell something and end well. */
static void set_never_began(const HvrSession *session, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "QEMU ended with status 0 before there was a VM");
	hvr_error_hint(error,
		       "is one of [qemu] args' words such as -version or help, or [qemu] "
		       "binary no QEMU? 'hailo-vm-run log %s' has what it said",
		       session->profile->name);
}

void hvr_verdict(const HvrSession *session, gboolean answered, const HvrDiagnosis *said,
		 HvrKmsg *kmsg, GError **error)
{
	int status = session->wait_status;

	if (session->failure && !hvr_interrupt_pending()) {
		g_propagate_error(error, g_error_copy(session->failure));
		return;
	}
	if (hvr_interrupt_pending() || session->stops->len || (answered && status == 0))
		return;
	if (status == 0) {
		set_never_began(session, error);
		return;
	}
	set_ended(status, error);
	if (!said && WIFSIGNALED(status))
		said = hvr_diagnose_signal(WTERMSIG(status), session->profile->sandbox);
	hvr_verdict_explain(session, said, kmsg, error);
}
