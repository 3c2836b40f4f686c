/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's own words for too few huge pages are "Cannot allocate memory", and for a control group's
 * limit it is killed. So the kernel's accounts (Documentation/admin-guide/mm/hugetlbpage.rst) are
 * read before:
 *
 *   a mapping takes free pages that no other has reserved, and has more made, as "surplus", up to
 *   nr_overcommit_hugepages (hugetlb_acct_memory() in mm/hugetlb.c; never those of 1 GiB);
 *   bound to a node, the pages have to be on that node besides;
 *   each control group on the way up has a limit for pages in use, and one for reserved ones
 *   (mm/hugetlb_cgroup.c): hugetlb.SIZE.max and hugetlb.SIZE.rsvd.max, in version 1
 * ..limit_in_bytes
 *
 * A memfd needs no mount of hugetlbfs, so there is no limit of a mount either.
 */
#include "launcher/parts/hugepages.h"

#include <string.h>

#include "launcher/report/error.h"
#include "vfio/tree.h"

#define KIB  G_GUINT64_CONSTANT(1024)
#define POOL "kernel/mm/hugepages/"

/* One size, and how many the VM wants. */
typedef struct {
	const HvrHost *host;
	int node; /* that the profile names; -1: none */
	gboolean gigantic;
	const char *name;   /* "2 MiB" */
	const char *cgroup; /* "2MB", as control groups spell it */
	guint64 kib;	    /* of a page */
	guint64 wanted;	    /* pages */
} Pages;

static Pages pages_of(const HvrHost *host, const HvrProfile *profile)
{
	guint64 page = hvr_profile_page_size(&profile->memory);
	Pages pages = { .host = host,
			.node = MAX(profile->memory.node, -1),
			.gigantic = profile->memory.hugepages == HVR_PAGES_1G,
			.name = "2 MiB",
			.cgroup = "2MB",
			.kib = page / KIB,
			.wanted = page ? profile->memory_bytes / page : 0 };

	if (pages.gigantic) {
		pages.name = "1 GiB";
		pages.cgroup = "1GB";
	}
	return pages;
}

/* The folder with the counts: of the host, or of the profile's node. [transfer full] */
static char *pool_path(const Pages *pages, gboolean of_node)
{
	g_autofree char *size =
		g_strdup_printf("hugepages/hugepages-%" G_GUINT64_FORMAT "kB", pages->kib);

	if (of_node)
		return g_strdup_printf("devices/system/node/node%d/%s", pages->node, size);
	return g_strconcat("kernel/mm/", size, NULL);
}

/* 0 where there is no such count: a node has fewer of them. */
static guint64 count(const Pages *pages, gboolean of_node, const char *what)
{
	g_autofree char *pool = pool_path(pages, of_node);
	g_autofree char *path = g_strdup_printf("%s/%s_hugepages", pool, what);
	guint64 n = 0;

	if (!hvr_tree_read_number(pages->host->sys, path, 10, &n))
		return 0;
	return n;
}

static guint64 minus(guint64 a, guint64 b)
{
	return a > b ? a - b : 0;
}

/* Those that the kernel would still make of ordinary memory. */
static guint64 count_surplus(const Pages *pages)
{
	if (pages->gigantic)
		return 0;
	return minus(count(pages, FALSE, "nr_overcommit"), count(pages, FALSE, "surplus"));
}

/* "2 MiB, 1 GiB", or "none" [transfer full] */
static char *list_sizes(const HvrHost *host)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(host->sys, POOL);
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		guint64 kib = 0;
		if (g_str_has_prefix(name, "hugepages-"))
			kib = g_ascii_strtoull(name + strlen("hugepages-"), NULL, 10);
		if (kib)
			g_string_append_printf(list, "%s%" G_GUINT64_FORMAT " MiB",
					       list->len ? ", " : "", kib / KIB);
	}
	if (list->len == 0)
		return g_strdup("none");
	return g_string_free(g_steal_pointer(&list), FALSE);
}

static gboolean check_size(const Pages *pages, GError **error)
{
	g_autofree char *pool = pool_path(pages, FALSE);

	if (hvr_tree_exists(pages->host->sys, pool))
		return TRUE;
	g_autofree char *sizes = list_sizes(pages->host);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[memory] hugepages: the kernel of this host has no pages of %s", pages->name);
	hvr_error_hint(error, "it has: %s; set hugepages to one of these, or to no", sizes);
	return FALSE;
}

/* What makes the count enough; the rest of the pool belongs to others. */
static void hint_more(const Pages *pages, gboolean of_node, guint64 missing, GError **error)
{
	g_autofree char *pool = pool_path(pages, of_node);
	guint64 all = count(pages, of_node, "nr") + missing;

	if (pages->gigantic)
		hvr_error_hint(error,
			       "boot the host with hugepagesz=1G hugepages=%" G_GUINT64_FORMAT
			       ", or while its memory is not in pieces yet: echo %" G_GUINT64_FORMAT
			       " > /sys/%s/nr_hugepages",
			       all, all, pool);
	else
		hvr_error_hint(error, "echo %" G_GUINT64_FORMAT " > /sys/%s/nr_hugepages", all,
			       pool);
}

static gboolean check_free(const Pages *pages, GError **error)
{
	guint64 unused = minus(count(pages, FALSE, "free"), count(pages, FALSE, "resv"));
	guint64 surplus = count_surplus(pages);
	g_autofree char *where = g_strdup("");
	gboolean of_node = FALSE;

	if (unused + surplus >= pages->wanted && pages->node >= 0) {
		of_node = TRUE;
		unused = count(pages, TRUE, "free");
		g_free(where);
		where = g_strdup_printf(" on node %d", pages->node);
	}
	if (unused + surplus >= pages->wanted)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[memory] hugepages: the VM needs %" G_GUINT64_FORMAT
		    " pages of %s, and %" G_GUINT64_FORMAT " are free%s",
		    pages->wanted, pages->name, unused + surplus, where);
	hint_more(pages, of_node, pages->wanted - unused - surplus, error);
	return FALSE;
}

/* One group's limits. @group: its folder below /sys, without a slash at its end */
static gboolean check_group(const Pages *pages, const char *group, GError **error)
{
	static const struct {
		const char *limit, *used;
	} accounts[] = { { "max", "current" },
			 { "rsvd.max", "rsvd.current" },
			 { "limit_in_bytes", "usage_in_bytes" },
			 { "rsvd.limit_in_bytes", "rsvd.usage_in_bytes" } };
	guint64 bytes = pages->wanted * pages->kib * KIB;

	for (gsize i = 0; i < G_N_ELEMENTS(accounts); i++) {
		g_autofree char *limit_path = g_strdup_printf("%s/hugetlb.%s.%s", group,
							      pages->cgroup, accounts[i].limit);
		g_autofree char *used_path =
			g_strdup_printf("%s/hugetlb.%s.%s", group, pages->cgroup, accounts[i].used);
		guint64 limit, used = 0;

		/* "max" is no number */
		if (!hvr_tree_read_number(pages->host->sys, limit_path, 10, &limit))
			continue;
		if (!hvr_tree_read_number(pages->host->sys, used_path, 10, &used))
			used = 0;
		if (minus(limit, used) >= bytes)
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[memory] hugepages: the VM needs %" G_GUINT64_FORMAT
			    " pages of %s, and its control group may have %" G_GUINT64_FORMAT,
			    pages->wanted, pages->name, minus(limit, used) / pages->kib / KIB);
		hvr_error_hint(error, "raise the limit in /sys/%s", limit_path);
		return FALSE;
	}
	return TRUE;
}

/* From our own group, which QEMU will be in, up to the root of what is mounted. */
static gboolean check_groups(const Pages *pages, const char *mount, const char *path,
			     GError **error)
{
	g_autofree char *group = g_strconcat(mount, path, NULL);

	while (strlen(group) >= strlen(mount)) {
		char *slash = strrchr(group, '/');
		if (slash[1] == '\0') /* of the root's "/" */
			*slash = '\0';
		if (!check_group(pages, group, error))
			return FALSE;
		*strrchr(group, '/') = '\0';
	}
	return TRUE;
}

/* A line of /proc/self/cgroup is "0::/PATH" in version 2, "N:hugetlb:/PATH" in version 1. */
static gboolean check_limits(const Pages *pages, GError **error)
{
	g_autofree char *text = hvr_tree_read(pages->host->proc, "self/cgroup", NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (gsize i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], ":", 3);
		const char *mount = "fs/cgroup";

		if (g_strv_length(words) != 3 || words[2][0] != '/')
			continue;
		if (g_str_equal(words[1], "hugetlb"))
			mount = "fs/cgroup/hugetlb";
		else if (words[1][0] != '\0')
			continue;
		if (!check_groups(pages, mount, words[2], error))
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_hugepages_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error)
{
	Pages pages = pages_of(&context->host, profile);

	if (pages.wanted == 0)
		return TRUE;
	return check_size(&pages, error) && check_free(&pages, error) &&
	       check_limits(&pages, error);
}
