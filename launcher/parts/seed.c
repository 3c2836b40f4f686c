/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that tells cloud-init who the guest is: a FAT file system labelled CIDATA with its files.
 *
 * It may hold passwords and keys, so neither it nor what goes into it is ever in a file system:
 * all of it is memory, which mtools, as the VM's user, reaches through descriptors. (ISO makers
 * insist on files with names.) meta-data is JSON, which is YAML with less to get wrong.
 *
 * cloud-init applies user-data once for each instance-id, which is therefore made of all that it is
 * told: a changed profile is applied at the next start, an unchanged one is not.
 */
#include "launcher/parts/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/parts/vendor.h"
#include "launcher/process/install.h"
#include "launcher/process/open.h"
#include "launcher/process/program.h"
#include "launcher/process/read.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define IMAGE	   (4 * HVR_READ_MOST)
#define SECTORS	   "8192"
#define TIMEOUT_MS 60000

gboolean hvr_seed_is_wanted(const HvrProfile *profile)
{
	const HvrProfileSeed *seed = &profile->seed;

	return seed->user_data || seed->meta_data || seed->ssh_key || seed->ssh_public ||
	       seed->hostname || seed->user || seed->agent;
}

/* The profile's files, opened as the VM's user. */
enum { USER_DATA, META_DATA, SSH_KEY, N_FILES };

static const char *const keys[] = { "user-data", "meta-data", "ssh-key" };

typedef struct {
	const HvrUser *user;
	HvrOpen files[N_FILES];
} Files;

static void files_clear(Files *files)
{
	for (guint i = 0; i < N_FILES; i++)
		hvr_fd_close(files->files[i].fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

static Files open_files(const HvrProfileSeed *seed, const HvrUser *user)
{
	Files files = { .user = user,
			.files = { { .path = seed->user_data, .fd = -1 },
				   { .path = seed->meta_data, .fd = -1 },
				   { .path = seed->ssh_key, .fd = -1 } } };

	if (seed->user_data || seed->meta_data || seed->ssh_key)
		(void)hvr_open(user, files.files, N_FILES);
	return files;
}

/* Returns: (transfer full) */
static char *read_text(const Files *files, guint which, GError **error)
{
	const HvrOpen *file = &files->files[which];
	g_autofree char *what = g_strdup_printf("[cloud-init] %s", keys[which]);
	const char *why = NULL;

	if (file->fd < 0) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, what, files->user, file);
		return NULL;
	}
	char *text = hvr_read_whole(file->fd, NULL, &why);
	if (!text)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "%s: '%s': %s", what,
			    file->path, why);
	return text;
}

/* @key: (nullable): the one there is; else the lines of a file of them, without comments. */
static gboolean add_keys(JsonObject *meta, const char *key, const Files *files, GError **error)
{
	g_autofree char *text = key ? g_strdup(key) : read_text(files, SSH_KEY, error);
	g_autoptr(JsonArray) public = json_array_new();

	if (!text)
		return FALSE;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (gsize i = 0; lines[i]; i++) {
		g_strstrip(lines[i]);
		if (lines[i][0] == '\0' || lines[i][0] == '#')
			continue;
		if (!g_utf8_validate(lines[i], -1, NULL) || strstr(lines[i], "PRIVATE KEY")) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
				    "[cloud-init] ssh-key: '%s' holds no public keys",
				    files->files[SSH_KEY].path);
			hvr_error_hint(error, "the public one's name ends in .pub");
			return FALSE;
		}
		json_array_add_string_element(public, lines[i]);
	}
	json_object_set_array_member(meta, "public-keys", g_steal_pointer(&public));
	return TRUE;
}

/* What goes into its files. */
typedef struct {
	char *user, *meta;
	char *vendor; /* NULL: there is none */
} Texts;

static void texts_clear(Texts *texts)
{
	g_free(texts->user);
	g_free(texts->meta);
	g_free(texts->vendor);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_clear)

static char *object_text(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_set_object(node, object);
	text = json_to_string(node, FALSE);
	return g_strconcat(text, "\n", NULL);
}

static char *make_meta(const HvrProfile *profile, const Files *files, const Texts *texts,
		       GError **error)
{
	const HvrProfileSeed *seed = &profile->seed;
	const char *hostname = profile->stem;
	g_autoptr(JsonObject) meta = json_object_new();
	g_autofree char *named = NULL;
	g_autofree char *told = NULL;
	g_autofree char *digest = NULL;
	g_autofree char *id = NULL;

	if (seed->meta_data)
		return read_text(files, META_DATA, error);
	if (seed->hostname)
		hostname = seed->hostname;
	json_object_set_string_member(meta, "local-hostname", hostname);
	if ((seed->ssh_key || seed->ssh_public) && !add_keys(meta, seed->ssh_public, files, error))
		return NULL;
	named = object_text(meta);
	told = g_strconcat(named, texts->user, texts->vendor, NULL);
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, told, -1);
	id = g_strdup_printf("%s-%.16s", profile->stem, digest);
	json_object_set_string_member(meta, "instance-id", id);
	return object_text(meta);
}

static gboolean make_texts(const HvrProfile *profile, const HvrUser *reader, Texts *out_texts,
			   GError **error)
{
	g_auto(Files) files = open_files(&profile->seed, reader);

	if (profile->seed.user_data)
		out_texts->user = read_text(&files, USER_DATA, error);
	else
		out_texts->user = g_strdup("#cloud-config\n{}\n");
	if (!out_texts->user)
		return FALSE;
	out_texts->vendor = hvr_vendor_data(&profile->seed);
	out_texts->meta = make_meta(profile, &files, out_texts, error);
	return out_texts->meta != NULL;
}

gboolean hvr_seed_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error)
{
	g_auto(Texts) texts = { 0 };

	if (!hvr_seed_is_wanted(profile))
		return TRUE;
	g_autofree char *mformat = hvr_program_find("mformat", parts->user->privileged);
	if (mformat)
		return make_texts(profile, parts->user, &texts, error);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[cloud-init] there is no mformat to make its disk with");
	hvr_install_hint(error, "install mtools", &context->host, HVR_PACKAGE_MTOOLS);
	return FALSE;
}

/* Memory of @size bytes that begins with @text. */
static int make_memory(const char *text, gsize size, GError **error)
{
	g_auto(HvrFd) fd = memfd_create("cloud-init", MFD_CLOEXEC);
	gsize length = strlen(text);
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		memory = mmap(NULL, MAX(size, 1), PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		int saved = errno;

		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[cloud-init] cannot make its disk: %s", g_strerror(saved));
		return -1;
	}
	if (length)
		memcpy(memory, text, length);
	munmap(memory, MAX(size, 1));
	return g_steal_fd(&fd);
}

/* Runs one of the mtools with @fds, of which there are @n_fds. */
static gboolean run_tool(const char *const *argv, const int *fds, guint n_fds,
			 const HvrParts *parts, GError **error)
{
	g_autofree char *path = hvr_program_find(argv[0], parts->user->privileged);
	const HvrProgram program = { .path = path ? path : argv[0],
				     .argv = argv,
				     .identity = hvr_user_identity(parts->user),
				     .fds = fds,
				     .n_fds = n_fds,
				     .timeout_ms = TIMEOUT_MS };

	if (hvr_program_run(&program, error))
		return TRUE;
	g_prefix_error(error, "[cloud-init] ");
	return FALSE;
}

static gboolean format(int image, const HvrParts *parts, GError **error)
{
	g_autofree char *path = hvr_fd_path(image, NULL);
	const char *const argv[] = { "mformat", "-i", path, "-v", "CIDATA", "-T", SECTORS,
				     "-h",	"16", "-s", "32", "::",	    NULL };

	return run_tool(argv, &image, 1, parts, error);
}

static gboolean add_file(int image, const char *name, const char *text, const HvrParts *parts,
			 GError **error)
{
	g_auto(HvrFd) file = make_memory(text, strlen(text), error);

	if (file < 0)
		return FALSE;
	g_autofree char *to = hvr_fd_path(image, NULL);
	g_autofree char *from = hvr_fd_path(file, NULL);
	const char *const argv[] = { "mcopy", "-i", to, from, name, NULL };
	const int fds[] = { image, file };
	return run_tool(argv, fds, G_N_ELEMENTS(fds), parts, error);
}

int hvr_seed_make(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	g_auto(HvrFd) image = make_memory("", IMAGE, error);
	g_auto(Texts) texts = { 0 };
	g_autofree char *path = NULL;

	if (image < 0 || !make_texts(profile, parts->user, &texts, error) ||
	    !format(image, parts, error) ||
	    !add_file(image, "::user-data", texts.user, parts, error) ||
	    !add_file(image, "::meta-data", texts.meta, parts, error) ||
	    (texts.vendor && !add_file(image, "::vendor-data", texts.vendor, parts, error)))
		return -1;
	/* QEMU takes a descriptor for reading only where it is open for reading only */
	path = hvr_fd_path(image, NULL);
	return open(path, O_RDONLY | O_CLOEXEC);
}
