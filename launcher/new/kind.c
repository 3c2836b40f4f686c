/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian's and Ubuntu's cloud images differ in where they are and what their user is called, so one
 * sample does for both. Of Debian's the one that is not "genericcloud", whose kernel has no drivers
 * for real cards.
 */
#include "launcher/new/kind.h"

#include "launcher/new/samples.h"
#include "launcher/report/nearest.h"
#include "launcher/report/error.h"

#define UBUNTU_FOLDER "https://cloud-images.ubuntu.com/noble/current/"
#define UBUNTU_IMAGE  "noble-server-cloudimg-amd64.img"
#define DEBIAN_FOLDER "https://cloud.debian.org/images/cloud/trixie/latest/"
#define DEBIAN_IMAGE  "debian-13-generic-amd64.qcow2"

static const char *const debian_words[] = {
	UBUNTU_FOLDER, DEBIAN_FOLDER, UBUNTU_IMAGE, DEBIAN_IMAGE, "An Ubuntu",
	"A Debian",    "ubuntu",      "debian",	    NULL,
};

const HvrNewKind hvr_new_kinds[] = {
	{ .name = "ubuntu",
	  .summary = "Ubuntu's cloud image, with a login, and this host's card",
	  .sample = hvr_new_sample_ubuntu,
	  .image = UBUNTU_IMAGE,
	  .image_url = UBUNTU_FOLDER UBUNTU_IMAGE,
	  .login = TRUE,
	  .card = TRUE },
	{ .name = "debian",
	  .summary = "the same with Debian's",
	  .sample = hvr_new_sample_ubuntu,
	  .words = debian_words,
	  .image = DEBIAN_IMAGE,
	  .image_url = DEBIAN_FOLDER DEBIAN_IMAGE,
	  .login = TRUE,
	  .card = TRUE },
	{ .name = "windows",
	  .summary = "Windows from its installer, with a screen and no card yet; not tried",
	  .sample = hvr_new_sample_windows,
	  .image = "windows.qcow2",
	  .first = "windows.iso and virtio-win.iso have to be there; the profile says from where" },
	{ .name = "kernel",
	  .summary = "a kernel of one's own, a disk that stays as it is, this folder in it",
	  .sample = hvr_new_sample_kernel,
	  .image = "root.qcow2",
	  .first = "root.qcow2 has to be a disk with the root file system in its first partition, "
		   "and the kernel's modules in that",
	  .card = TRUE,
	  .kernel = TRUE },
	{ .name = "rig",
	  .summary = "for `test`: always the same disk, whichever card is free",
	  .sample = hvr_new_sample_rig,
	  .image = "rig.qcow2",
	  .first = "rig.qcow2 has to be a disk with HailoRT, its driver and qemu-guest-agent "
		   "installed: such as one of `new ubuntu`",
	  .card = TRUE,
	  .for_test = TRUE },
	{ .name = NULL },
};

const HvrNewKind *hvr_new_kind_find(const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (const HvrNewKind *kind = hvr_new_kinds; kind->name; kind++) {
		if (g_str_equal(kind->name, name))
			return kind;
		g_ptr_array_add(names, (gpointer)kind->name);
	}
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "new: there is no kind '%s'",
		    name);
	hvr_nearest_hint(error, name, (const char *const *)names->pdata);
	hvr_error_hint(error, "there are: %s", all);
	return NULL;
}
