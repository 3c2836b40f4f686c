/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes from files of a home may be anything, and what is put into a profile there is a login:
 * so one line counts, and that only where it is a key.
 */
#include "launcher/new/look.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "launcher/host/card-word.h"
#include "launcher/parts/image-file.h"
#include "launcher/parts/image-format.h"
#include "launcher/parts/image-header.h"
#include "launcher/process/open.h"
#include "launcher/profile/sshkey.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

#define LARGEST_KEY (64 * 1024)
#define NO_CARD	    "none"

/* What ssh-keygen makes by itself, now and before. */
static const char *const names[] = { "id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub" };

void hvr_new_key_clear(HvrNewKey *key)
{
	g_clear_pointer(&key->line, g_free);
	g_clear_pointer(&key->file, g_free);
}

/* @out_problem: why there is none, static or of strerror(3). Returns: (transfer full) or NULL */
static char *read_key(int fd, const HvrUser *owner, const char **out_problem)
{
	g_autofree char *text = g_malloc0(LARGEST_KEY + 1);
	struct stat st;

	if (fstat(fd, &st) < 0 || hvr_fd_read_all(fd, text, LARGEST_KEY) < 0) {
		*out_problem = g_strerror(errno);
		return NULL;
	}
	/* A key is a login: one that somebody else has put there would be theirs. */
	if (owner && st.st_uid != owner->uid) {
		*out_problem = "it is somebody else's file";
		return NULL;
	}
	*out_problem = "no public key is in it";
	return st.st_size > LARGEST_KEY ? NULL : hvr_ssh_key_find(text);
}

static gboolean look_given(const HvrUser *caller, const char *path, HvrNewKey *out_key,
			   GError **error)
{
	HvrOpen file = { .path = path, .how = HVR_OPEN_READ, .fd = -1 };
	const char *problem = NULL;

	if (!hvr_open(caller, &file, 1)) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--key", caller, &file);
		return FALSE;
	}
	g_auto(HvrFd) fd = file.fd;
	out_key->line = read_key(fd, NULL, &problem);
	if (out_key->line) {
		out_key->file = g_strdup(path);
		return TRUE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "--key: '%s': %s", path,
		    problem);
	hvr_error_hint(error, "the public one's name ends in .pub; ssh-keygen -t ed25519 makes a "
			      "pair");
	return FALSE;
}

/* As root by sudo not root's, and nothing that root's environment says. */
static const char *home_of(const HvrUser *caller)
{
	const struct passwd *entry = getpwuid(caller->uid);

	if (!caller->privileged && caller->uid != 0)
		return g_get_home_dir();
	return entry ? entry->pw_dir : NULL;
}

static void note(GPtrArray *notes, const char *path, const char *problem)
{
	g_ptr_array_add(notes, g_strdup_printf("'%s' is passed over: %s", path, problem));
}

static gboolean look_at(const HvrUser *caller, const char *path, HvrNewKey *out_key,
			GPtrArray *notes)
{
	HvrOpen file = { .path = path, .how = HVR_OPEN_READ, .fd = -1 };
	const char *problem = NULL;

	if (!hvr_open(caller, &file, 1)) {
		if (file.problem != ENOENT && file.problem != ENOTDIR)
			note(notes, path, hvr_open_problem(&file));
		return FALSE;
	}
	g_auto(HvrFd) fd = file.fd;
	out_key->line = read_key(fd, caller, &problem);
	if (!out_key->line) {
		note(notes, path, problem);
		return FALSE;
	}
	out_key->file = g_strdup(path);
	return TRUE;
}

gboolean hvr_new_key_look(const HvrUser *caller, const char *file, HvrNewKey *out_key,
			  GPtrArray *notes, GError **error)
{
	const char *home = home_of(caller);

	*out_key = (HvrNewKey){ .line = NULL };
	if (file)
		return look_given(caller, file, out_key, error);
	for (guint i = 0; home && i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(home, ".ssh", names[i], NULL);
		if (look_at(caller, path, out_key, notes))
			break;
	}
	return TRUE;
}

gboolean hvr_new_card_look(const HvrInventory *inventory, const char *word, HvrNewCard *out_card,
			   GError **error)
{
	*out_card = (HvrNewCard){ .given = word != NULL };
	while (hvr_card_of_index(inventory, out_card->n))
		out_card->n++;
	if (g_strcmp0(word, NO_CARD) == 0)
		return TRUE;
	if (!word) {
		out_card->function = hvr_card_of_index(inventory, 0);
		return TRUE;
	}
	out_card->function = hvr_card_of_word(inventory, word, error);
	if (!out_card->function) {
		g_prefix_error(error, "--card: ");
		return FALSE;
	}
	if (!hvr_pci_function_is_bridge(out_card->function))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "--card: %s is a bridge, which no VM gets", out_card->function->name);
	return FALSE;
}

static gboolean fail_format(GError **error, const char *path, const char *format)
{
	g_autofree char *shown = hvr_text_safe(path);
	g_autofree char *quoted = g_shell_quote(shown);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "'%s' is a %s image, and a disk is qcow2 or raw", shown, format);
	hvr_error_hint(error, "convert it: qemu-img convert -f %s -O qcow2 %s NEW", format, quoted);
	return FALSE;
}

static gboolean check_image(const char *path, const HvrImageFile *file,
			    const HvrImageHeader *header, GError **error)
{
	g_autofree char *shown = hvr_text_safe(path);
	const HvrImageLink link = { .what = (char *)"--image",
				    .path = (char *)path,
				    .shown = shown,
				    .said = (char *)header->format };

	if (!hvr_image_check_kind(&link, file, error) ||
	    !hvr_image_check_header(&link, header, error))
		return FALSE;
	if (header->packed) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    "'%s' is packed by %s, and a disk is not", shown, header->packed);
		hvr_error_hint(error, "unpack it first");
		return FALSE;
	}
	if (g_str_equal(header->format, "qcow2") || g_str_equal(header->format, "raw"))
		return TRUE;
	return fail_format(error, path, header->format);
}

gboolean hvr_new_image_look(const HvrUser *caller, const char *path, HvrNewImage *out_image,
			    GError **error)
{
	const HvrImageWanted wanted = { .what = "--image", .path = path, .flags = O_RDONLY };
	g_auto(HvrImageHeader) header = { 0 };
	g_auto(HvrImageFile) file = { 0 };

	if (!hvr_image_file_look(&file, caller, &wanted, error))
		return FALSE;
	hvr_image_header_parse(&header, file.bytes, file.length);
	if (!check_image(path, &file, &header, error))
		return FALSE;
	*out_image = (HvrNewImage){ .format = header.format, .size_bytes = header.size_bytes };
	return TRUE;
}

static char *first_of(const char *const *forms, const char *release)
{
	for (; *forms; forms++) {
		g_autofree char *path = g_strconcat(*forms, release, NULL);
		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_steal_pointer(&path);
	}
	return NULL;
}

void hvr_new_kernel_look(HvrNewKernel *kernel)
{
	static const char *const images[] = { "/boot/vmlinuz-", "/boot/kernel-", NULL };
	static const char *const initrds[] = { "/boot/initrd.img-", "/boot/initrd-",
					       "/boot/initramfs-", NULL };
	struct utsname name;

	*kernel = (HvrNewKernel){ .image = NULL };
	if (uname(&name) < 0)
		return;
	kernel->image = first_of(images, name.release);
	g_autofree char *fedora = g_strconcat(name.release, ".img", NULL);
	kernel->initrd = first_of(initrds, name.release);
	if (!kernel->initrd)
		kernel->initrd = first_of(initrds, fedora);
}

void hvr_new_kernel_clear(HvrNewKernel *kernel)
{
	g_free(kernel->image);
	g_free(kernel->initrd);
}
