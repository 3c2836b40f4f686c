/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions that verify asks a guest: programs that every guest has, without a shell, and the
 * card's nodes by the agent's own open(2), whose error is the driver's.
 */
#include "launcher/guest/paths.h"
#include "launcher/guest/verify.h"

#include <string.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"

/* hailortcli on a card that hangs does not end by itself. */
#define COMMAND_MS 30000
#define NODES_MAX  16

/* A command that does not end is a fact, too. */
static gboolean run(HvrGuest *guest, const char *const *argv, HvrVerifyOutput *out_output,
		    GError **error)
{
	HvrGuestCommand command = { .argv = argv, .timeout_ms = COMMAND_MS };
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) cause = NULL;

	g_clear_pointer(&out_output->text, g_free);
	if (hvr_guest_run(guest, &command, &result, &cause)) {
		out_output->status = result.timed_out ? -1 : result.status;
		out_output->text = hvr_verify_text(result.out, result.err);
		return TRUE;
	}
	if (g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY) &&
	    !hvr_interrupt_pending()) {
		out_output->status = -1;
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

/* What a command prints, or NULL when it fails. */
static gboolean read_text(HvrGuest *guest, const char *const *argv, char **out_text, GError **error)
{
	HvrVerifyOutput output = { 0 };

	if (!run(guest, argv, &output, error))
		return FALSE;
	if (output.status == 0)
		*out_text = g_strstrip(g_steal_pointer(&output.text));
	g_free(output.text);
	return TRUE;
}

static gboolean is_node_name(const char *name)
{
	const char *number = name + strlen("hailo");

	return g_str_has_prefix(name, "hailo") && *number && strlen(number) <= 4 &&
	       strspn(number, "0123456789") == strlen(number);
}

/* @names: (nullable): a line each */
static gboolean try_nodes(HvrGuest *guest, const char *names, GPtrArray *nodes, GError **error)
{
	if (!names)
		return TRUE;
	g_auto(GStrv) lines = g_strsplit(names, "\n", -1);
	for (char **name = lines; *name && nodes->len < NODES_MAX; name++) {
		g_autoptr(GError) cause = NULL;
		if (!is_node_name(g_strstrip(*name)))
			continue;
		g_autofree char *path = g_strconcat(HVR_GUEST_DEV, *name, NULL);
		g_autofree char *problem = hvr_guest_try_open(guest, path, COMMAND_MS, &cause);
		if (cause) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		g_ptr_array_add(nodes, hvr_verify_node_new(*name, problem));
	}
	return TRUE;
}

/* The library: env(1) says 127 for what is not there; the agent only that it failed. */
static gboolean ask_library(HvrGuest *guest, HvrVerifyFacts *out_facts, GError **error)
{
	static const char *const version[] = { "env", "hailortcli", "--version", NULL };
	static const char *const identify[] = { "env", "hailortcli", "fw-control", "identify",
						NULL };
	static const char *const scan[] = { "env", "hailortcli", "scan", NULL };

	if (!run(guest, version, &out_facts->version, error) ||
	    !run(guest, identify, &out_facts->identify, error))
		return FALSE;
	if (out_facts->identify.status != 0 || !hvr_verify_is_blank(out_facts->identify.text))
		return TRUE;
	return run(guest, scan, &out_facts->scan, error);
}

gboolean hvr_verify_gather(HvrGuest *guest, HvrVerifyFacts *out_facts, GError **error)
{
	static const char *const driver[] = { "cat", HVR_GUEST_DRIVER_VERSION, NULL };
	static const char *const driver5[] = { "cat", HVR_GUEST_DRIVER5_VERSION, NULL };
	static const char *const pci[] = { "cat", HVR_GUEST_PCI, NULL };
	static const char *const cards[] = { "ls", HVR_GUEST_CARDS, NULL };
	static const char *const log[] = { "dmesg", NULL };
	g_autofree char *names = NULL;

	out_facts->nodes = g_ptr_array_new();
	return read_text(guest, driver, &out_facts->driver, error) &&
	       read_text(guest, driver5, &out_facts->driver5, error) &&
	       read_text(guest, pci, &out_facts->pci, error) &&
	       read_text(guest, cards, &names, error) &&
	       try_nodes(guest, names, out_facts->nodes, error) &&
	       ask_library(guest, out_facts, error) &&
	       /* Last, so that it has what the questions before made the driver say. */
	       read_text(guest, log, &out_facts->log, error);
}
