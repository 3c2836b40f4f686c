/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file that a profile names in two places, by ways that its path does not show.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/parts/file-id.h"
#include "launcher/parts/images.h"
#include "launcher/parts/written.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define NOBODY 65534

typedef struct {
	char *folder;
	HvrUser user;
	HvrContext context;
} Fixture;

static void give(const Fixture *f, const char *name, const char *other)
{
	g_autofree char *path = g_build_filename(f->folder, name, NULL);
	g_autofree char *link_path = g_build_filename(f->folder, other, NULL);

	fake_files_write(f->folder, name, name, 0600);
	assert_int_equal(chown(path, f->user.uid, f->user.gid), 0);
	assert_int_equal(link(path, link_path), 0);
}

/* Each file has a second name, and the folder another way to it. */
static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-written-XXXXXX", NULL);
	f->user.name = (char *)"lab";
	f->user.privileged = geteuid() == 0;
	f->user.uid = f->user.privileged ? NOBODY : geteuid();
	f->user.gid = f->user.privileged ? NOBODY : getegid();
	assert_int_equal(g_chmod(f->folder, 0755), 0);
	give(f, "kernel", "kernel-2");
	give(f, "lab.ini", "lab-2.ini");
	give(f, "root.raw", "root-2.raw");
	give(f, "user-data", "user-data-2");
	g_autofree char *way = g_build_filename(f->folder, "way", NULL);
	assert_int_equal(symlink(".", way), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

/* What is said of a profile with @sections. [transfer full] */
static char *ask(const Fixture *f, const char *sections)
{
	g_autofree char *file = g_build_filename(f->folder, "lab.ini", NULL);
	g_autofree char *text = g_strconcat("[vm]\nmemory = 1G\n", sections, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = hvr_profile_parse(file, text, strlen(text), NULL, &error);
	HvrParts parts = { .user = &f->user };

	if (!profile ||
	    !hvr_images_check(&parts.images, &f->context.host, profile, &f->user, &error))
		fail_msg("%s", error->message);
	gboolean good = hvr_written_check(&f->context, profile, &parts, &error);
	hvr_images_clear(&parts.images);
	assert_true(good == !error);
	if (error)
		assert_int_equal(hvr_exit_status(error), 78);
	return error ? g_strdup(error->message) : NULL;
}

/* "%s" in @said is the folder. */
static void assert_said(const Fixture *f, const char *sections, const char *said)
{
	g_autofree char *is = ask(f, sections);
	g_auto(GStrv) parts = g_strsplit(said ? said : "", "%s", -1);
	g_autofree char *wanted = g_strjoinv(f->folder, parts);

	if (!is != !said || (said && !g_str_has_prefix(is, wanted)))
		fail_msg("%s: %s", sections, is ? is : "nothing");
}

#define SERIAL(path)  "[serial]\nmode = file\nfile = " path "\n"
#define ROOT	      "[disk root]\nfile = root.raw\nformat = raw\n"
#define NEW(id, path) "[disk " id "]\nfile = " path "\nformat = raw\nsize = 1M\n"

static void one_by_two_names(void **state)
{
	static const struct {
		const char *sections, *said; /* NULL: all is well */
	} cases[] = {
		{ SERIAL("kernel-2") "[boot]\nkernel = kernel\n",
		  "[serial] file: '%s/kernel-2' is the same file as [boot] kernel: '%s/kernel'" },
		{ SERIAL("kernel-2") "[boot]\nkernel = user-data\ninitrd = kernel\n",
		  "[serial] file: '%s/kernel-2' is the same file as [boot] initrd: '%s/kernel'" },
		{ SERIAL("way/lab.ini"), "[serial] file: '%s/way/lab.ini' is the same file as the "
					 "profile: '%s/lab.ini'" },
		{ SERIAL("root-2.raw") ROOT,
		  "[serial] file: '%s/root-2.raw' is the same file as an image of [disk root]: "
		  "'%s/root.raw'" },
		{ SERIAL("root-2.raw") ROOT "readonly = yes\n",
		  "[serial] file: '%s/root-2.raw' is the same file as an image of [disk root]" },
		{ "[cloud-init]\nuser-data = user-data-2\n" SERIAL("user-data"),
		  "[serial] file: '%s/user-data' is the same file as [cloud-init] user-data" },
		{ "[cloud-init]\nuser-data = root-2.raw\n" ROOT,
		  "an image of [disk root]: '%s/root.raw' is the same file as [cloud-init] "
		  "user-data: '%s/root-2.raw'" },
		{ "[device npu]\nromfile = kernel-2\n[tpm]\nmodel = crb\nstate = kernel\n",
		  "[tpm] state: '%s/kernel' is the same file as [device npu] romfile" },
		/* not there yet */
		{ SERIAL("way/new") "[tpm]\nmodel = crb\nstate = new\n",
		  "[serial] file: '%s/way/new' is the same file as [tpm] state: '%s/new'" },
		{ NEW("a", "new.raw") NEW("b", "way/new.raw"),
		  "[disk a] file: '%s/new.raw' is the same file as [disk b] file: "
		  "'%s/way/new.raw'" },
		{ SERIAL("way/lab.vars.fd") "[firmware]\nmode = uefi\nvars = lab.vars.fd\n",
		  "[serial] file: '%s/way/lab.vars.fd' is the same file as [firmware] vars" },
		{ SERIAL("new") NEW("a", "new.raw") ROOT "[boot]\nkernel = kernel\n", NULL },
		/* two readers, and what images are to each other is asked elsewhere */
		{ "[boot]\nkernel = kernel\ninitrd = kernel-2\n", NULL },
		{ ROOT
		  "snapshot = yes\n[disk b]\nfile = root-2.raw\nformat = raw\nsnapshot = yes\n",
		  NULL },
		{ SERIAL("nowhere/new") "[tpm]\nmodel = crb\nstate = nowhere/new2\n", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_said(*state, cases[i].sections, cases[i].said);
}

/* By another folder that it is mounted at as well. */
static void one_by_a_bind_mount(void **state)
{
	Fixture *f = *state;
	g_autofree char *target = g_build_filename(f->folder, "mounted", NULL);

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0)
		skip();
	assert_int_equal(g_mkdir(target, 0755), 0);
	assert_int_equal(mount(f->folder, target, "none", MS_BIND, ""), 0);
	assert_said(f, SERIAL("mounted/kernel") "[boot]\nkernel = kernel\n",
		    "[serial] file: '%s/mounted/kernel' is the same file as [boot] kernel");
	assert_said(f, SERIAL("mounted/new") "[tpm]\nmodel = crb\nstate = new\n",
		    "[serial] file: '%s/mounted/new' is the same file as [tpm] state");
	assert_int_equal(umount(target), 0);
}

/* What cannot be found is no file, and not the same as another that cannot. */
static void what_is_not_known_is_no_file(void **state)
{
	const Fixture *f = *state;
	static const char *const paths[] = { "/nowhere/a", "/nowhere/a",   "/dev/null",
					     "/dev/null",  "/dev/missing", "/dev/missing" };
	g_autoptr(GArray) files = hvr_files_new();

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		hvr_files_add(files, NULL, paths[i], FALSE);
	hvr_files_find(files, &f->user);
	const HvrNamedFile *all = (const HvrNamedFile *)files->data;
	assert_false(hvr_file_id_equal(&all[0].id, &all[1].id));
	assert_true(hvr_file_id_equal(&all[2].id, &all[3].id));
	assert_true(hvr_file_id_equal(&all[4].id, &all[5].id));
	assert_false(hvr_file_id_equal(&all[2].id, &all[4].id));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(one_by_two_names), TEST(one_by_a_bind_mount),
					    TEST(what_is_not_known_is_no_file) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
