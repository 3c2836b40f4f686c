/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtiofs is made for folders of a host, and 9p for networks, so `auto` means virtiofs wherever it
 * works. Whether it does is found out before anything is changed.
 */
#include "launcher/parts/share.h"

#include <fcntl.h>

#include "launcher/parts/server.h"
#include "launcher/process/install.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

static void way_free(gpointer data)
{
	HvrShareWay *way = data;

	g_free(way->program);
	g_clear_error(&way->problem);
	g_free(way);
}

/* From the most that one can wish for to the least. The reason why the least is refused is the one
 * that is told. */
static const struct {
	gboolean namespaces, squash;
} wishes[] = { { TRUE, TRUE }, { FALSE, TRUE }, { TRUE, FALSE }, { FALSE, FALSE } };

static gboolean try_program(const char *program, const HvrProfileShare *share,
			    const HvrParts *parts, HvrShareWay *way, GError **error)
{
	HvrVirtiofsd server = { .program = program,
				.folder = share->path,
				.readonly = share->readonly,
				.identity = hvr_user_identity(parts->user) };
	gboolean works = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(wishes) && !works && !hvr_interrupt_pending(); i++) {
		way->namespaces = server.namespaces = wishes[i].namespaces;
		way->squash = server.squash = wishes[i].squash;
		g_clear_error(error);
		works = hvr_virtiofsd_try(&server, error);
	}
	if (works)
		way->program = g_strdup(program);
	return works;
}

static HvrShareWay *find_way(const GPtrArray *programs, const HvrProfileShare *share,
			     const HvrParts *parts)
{
	HvrShareWay *way = g_new0(HvrShareWay, 1);

	if (share->via == HVR_SHARE_9P)
		return way;
	for (guint i = 0; i < programs->len && !way->program && !hvr_interrupt_pending(); i++) {
		g_clear_error(&way->problem);
		if (!try_program(programs->pdata[i], share, parts, way, &way->problem))
			g_prefix_error(&way->problem, "no virtiofsd of this host can serve it: ");
	}
	if (!way->program && !way->problem)
		way->problem = g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
						   "this host has no virtiofsd");
	return way;
}

GPtrArray *hvr_share_ways(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error)
{
	g_autoptr(GPtrArray) ways = g_ptr_array_new_with_free_func(way_free);
	/* Of a captured tree nothing is started, and in vain nothing is tried. */
	gboolean look = !context->captured && !parts->unreadable && profile->shares->len > 0;

	if (!look)
		return g_steal_pointer(&ways);
	g_autoptr(GPtrArray) programs = hvr_virtiofsd_find(context->vhost_user_folders);
	for (guint i = 0; i < profile->shares->len; i++)
		g_ptr_array_add(ways, find_way(programs, profile->shares->pdata[i], parts));
	if (!hvr_interrupt_pending())
		return g_steal_pointer(&ways);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted by signal %d",
		    hvr_interrupt_pending());
	return NULL;
}

const HvrShareWay *hvr_share_way(const HvrParts *parts, guint index)
{
	if (!parts->share_ways || index >= parts->share_ways->len)
		return NULL;
	return g_ptr_array_index(parts->share_ways, index);
}

gboolean hvr_share_server(const HvrProfile *profile, const HvrParts *parts, guint index,
			  HvrVirtiofsd *out_server)
{
	const HvrProfileShare *share = g_ptr_array_index(profile->shares, index);
	const HvrShareWay *way = hvr_share_way(parts, index);

	if (!way || !way->program)
		return FALSE;
	*out_server = (HvrVirtiofsd){ .program = way->program,
				      .folder = share->path,
				      .readonly = share->readonly,
				      .identity = hvr_user_identity(parts->user),
				      .namespaces = way->namespaces,
				      .squash = way->squash };
	return TRUE;
}

gboolean hvr_shares_check(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error)
{
	for (guint i = 0; i < profile->shares->len; i++) {
		const HvrProfileShare *share = g_ptr_array_index(profile->shares, i);
		const HvrShareWay *way = hvr_share_way(parts, i);

		if (share->via != HVR_SHARE_VIRTIOFS || !way || way->program)
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[share %s] via: %s", share->id, way->problem->message);
		hvr_install_hint(error,
				 "set via = 9p, or install a virtiofsd that works without root, "
				 "not that of QEMU before 8",
				 &context->host, HVR_PACKAGE_VIRTIOFSD);
		return FALSE;
	}
	return TRUE;
}

void hvr_shares_describe(const HvrProfile *profile, const HvrParts *parts, GPtrArray *notes)
{
	for (guint i = 0; i < profile->shares->len; i++) {
		const HvrProfileShare *share = g_ptr_array_index(profile->shares, i);
		const HvrShareWay *way = hvr_share_way(parts, i);

		if (way && way->problem && !way->program)
			g_ptr_array_add(notes, g_strdup_printf("share %s: by 9p, as no virtiofsd "
							       "of this host serves it for user %s",
							       share->id, parts->user->name));
	}
}

static gboolean serve(const HvrVirtiofsd *virtiofsd, const char *id, int listening,
		      const HvrSharesServing *serving, GPtrArray *servers, GError **error)
{
	g_autofree char *what = g_strdup_printf("share %s: virtiofsd", id);
	g_autoptr(GPtrArray) argv = hvr_virtiofsd_argv(virtiofsd, listening, NULL);
	const HvrServerSpawn server = { .what = what,
					.lost = "the guest cannot use it any more",
					.path = virtiofsd->program,
					.argv = argv,
					.identity = virtiofsd->identity,
					.fds = &listening,
					.n_fds = 1,
					.stderr_fd = serving->stderr_fd,
					.with_parent = serving->with_parent };

	return hvr_servers_add(servers, &server, error);
}

gboolean hvr_shares_serve(const HvrProfile *profile, const HvrParts *parts,
			  const HvrSharesServing *serving, GPtrArray *servers, GError **error)
{
	for (guint i = 0; i < profile->shares->len; i++) {
		const HvrProfileShare *share = g_ptr_array_index(profile->shares, i);
		int listening = g_array_index(serving->listening, int, i);
		HvrVirtiofsd virtiofsd;

		if (hvr_share_server(profile, parts, i, &virtiofsd) &&
		    !serve(&virtiofsd, share->id, listening, serving, servers, error))
			return FALSE;
	}
	return TRUE;
}
