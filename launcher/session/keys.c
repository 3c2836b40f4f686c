/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/keys.h"

#include "launcher/report/message.h"
#include "launcher/session/ask.h"
#include "launcher/session/shutdown.h"
#include "qmp/error.h"
#include "vfio/fd.h"

struct HvrKeys {
	char *vm;
	HvrKeysOf of;
	int folder;		  /* vms/NAME */
	HvrQmpClient *supervisor; /* NULL: not connected */
	gboolean gone;		  /* nobody is there to be told of failures */
};

HvrKeys *hvr_keys_new(const HvrContext *context, const char *vm, HvrKeysOf of)
{
	HvrKeys *keys = g_new(HvrKeys, 1);

	*keys = (HvrKeys){ .vm = g_strdup(vm),
			   .of = of,
			   .folder = hvr_vm_open_folder(context->runtime, vm) };
	return keys;
}

void hvr_keys_free(HvrKeys *keys)
{
	if (!keys)
		return;
	keys->gone = TRUE;
	hvr_qmp_client_unref(keys->supervisor);
	hvr_fd_close(keys->folder);
	g_free(keys->vm);
	g_free(keys);
}

void hvr_keys_announce(const HvrKeys *keys)
{
	if (keys->of == HVR_KEYS_RUN)
		hvr_message("VM '%s': Ctrl-] then ? for help, d leaves it running, q ends it",
			    keys->vm);
	else
		hvr_message("the serial port of VM '%s'; Ctrl-] then d leaves, ? for help",
			    keys->vm);
}

/* The first half of it is whose it is. */
static void help(const HvrKeys *keys)
{
	if (keys->of == HVR_KEYS_RUN)
		hvr_message("Ctrl-] then d: leave it running; q: end it now; s: power it down;");
	else
		hvr_message("Ctrl-] then d or q: leave the console; s: power the VM down;");
	hvr_message("r: reboot it; ?: this; Ctrl-] again: send one to the guest");
}

/* A connection that ends without an answer is the VM's end, which is told by itself. */
static void on_done(const GError *error, gpointer user_data)
{
	const HvrKeys *keys = user_data;

	if (!error || keys->gone || g_error_matches(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED))
		return;
	if (hvr_ask_found_nobody(error))
		hvr_message("VM '%s' has no supervisor that could be asked", keys->vm);
	else
		hvr_message_error(error);
}

static void ask(HvrKeys *keys, const HvrRequest *request, HvrSessionDone done, gpointer user_data)
{
	g_autoptr(GError) error = NULL;

	if (keys->supervisor && hvr_qmp_client_is_closed(keys->supervisor))
		g_clear_pointer(&keys->supervisor, hvr_qmp_client_unref);
	if (!keys->supervisor)
		keys->supervisor =
			hvr_qmp_client_connect(keys->folder, HVR_VM_CONTROL, NULL, &error);
	if (keys->supervisor)
		hvr_ask_begin(keys->supervisor, request, done, user_data);
	else
		done(error, user_data);
}

void hvr_keys_press(HvrKeys *keys, HvrEscapeAction action)
{
	HvrRequest request = { .name = HVR_REQUEST_STOP,
			       .powerdown_ms = HVR_SHUTDOWN_POWERDOWN_MS };

	if (action == HVR_ESCAPE_HELP) {
		help(keys);
		return;
	}
	if (action == HVR_ESCAPE_NONE || action == HVR_ESCAPE_LEAVE)
		return;
	request.force = action == HVR_ESCAPE_QUIT;
	if (action == HVR_ESCAPE_REBOOT)
		request = (HvrRequest){ .name = HVR_REQUEST_REBOOT };
	if (action == HVR_ESCAPE_REBOOT)
		hvr_message("asking VM '%s' to reboot", keys->vm);
	else if (request.force)
		hvr_message("ending VM '%s'; Ctrl-] q once more kills its QEMU", keys->vm);
	else
		hvr_message("asking VM '%s' to power down; it has %d s", keys->vm,
			    HVR_SHUTDOWN_POWERDOWN_MS / 1000);
	ask(keys, &request, on_done, keys);
}

void hvr_keys_leave(HvrKeys *keys, HvrSessionDone done, gpointer user_data)
{
	const HvrRequest request = { .name = HVR_REQUEST_STAY };

	ask(keys, &request, done, user_data);
}
