/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state is found by all that it depends on, so one that no longer fits is not found: there is no
 * second list to be forgotten. QEMU's command line is that of `print`, where paths stand in place
 * of descriptors; a device, a CPU flag or a machine is a word of it.
 */
#include "launcher/warm/key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "launcher/parts/image-file.h"
#include "launcher/parts/nvram.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "launcher/warm/identity.h"
#include "launcher/warm/roms.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define CHUNK (1 << 20)

/* As long as an address. */
#define MADE_MAC "made of the name "

/* What of /proc/cpuinfo a guest may see of its host; the frequency changes all the time. */
static const char *const cpu_lines[] = { "vendor_id",  "cpu family", "model",
					 "model name", "stepping",   "microcode",
					 "flags",      "bugs",	     "vmx flags" };

/* It may start this QEMU today and another one tomorrow. */
static gboolean check_script(const char *path, const guchar *bytes, gssize n, GError **error)
{
	if (n < 2 || memcmp(bytes, "#!", 2) != 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "QEMU's program '%s' is a script, and which QEMU it starts is not known", path);
	hvr_error_hint(error, "name the program itself: [qemu] binary");
	return FALSE;
}

/* The bytes of QEMU itself: a package may replace it without another version, or the other way
 * round. */
static char *digest_of(const char *path, GError **error)
{
	gboolean begun = FALSE;

	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *bytes = g_malloc(CHUNK);
	g_auto(HvrFd) fd = open(path, O_RDONLY | O_CLOEXEC);
	gssize n = fd < 0 ? -1 : 0;

	while (fd >= 0 && (n = hvr_fd_read_all(fd, bytes, CHUNK)) > 0) {
		if (!begun && !check_script(path, bytes, n, error))
			return NULL;
		begun = TRUE;
		g_checksum_update(checksum, bytes, n);
	}
	if (n == 0)
		return g_strdup(g_checksum_get_string(checksum));
	int saved = errno;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot read '%s': %s",
		    path, g_strerror(saved));
	return NULL;
}

static gboolean is_wanted(const char *line)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cpu_lines); i++) {
		gsize length = strlen(cpu_lines[i]);
		if (strncmp(line, cpu_lines[i], length) == 0 &&
		    (line[length] == '\t' || line[length] == ' ' || line[length] == ':'))
			return TRUE;
	}
	return FALSE;
}

/* Of the first one. [transfer full] */
static char *host_cpu(const HvrHost *host)
{
	g_auto(HvrFd) fd = hvr_open_beneath(host->proc, "cpuinfo", O_RDONLY);
	g_autofree char *text = g_malloc0(CHUNK);
	g_autoptr(GString) wanted = g_string_new(NULL);

	if (fd < 0 || hvr_fd_read_all(fd, text, CHUNK - 1) < 0)
		return g_strdup("unknown");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line && **line; line++)
		if (is_wanted(*line))
			g_string_append_printf(wanted, "%s\n", *line);
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, wanted->str, (gssize)wanted->len);
}

/* @value: of whoever wrote the profile: it stays on its line */
static void add(GString *about, const char *what, const char *value)
{
	g_autofree char *safe = g_strescape(value, NULL);

	g_string_append_printf(about, "%s: %s\n", what, safe);
}

static void add_host(GString *about, const HvrWarmGuest *guest)
{
	struct utsname names;

	add(about, "accelerator", guest->plan->kvm ? "kvm" : "tcg");
	if (!guest->plan->kvm)
		return;
	g_autofree char *cpu = host_cpu(&guest->context->host);
	add(about, "the host's CPU", cpu);
	if (uname(&names) == 0)
		add(about, "the host's kernel", names.release);
}

/* A file without a path is none. */
static gboolean add_file(GString *about, const HvrWarmGuest *guest, const char *path,
			 GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	const HvrImageWanted wanted = { .what = "warm", .path = path, .flags = O_RDONLY };

	if (!path)
		return TRUE;
	if (!hvr_image_file_look(&file, guest->facts->user, &wanted, error))
		return FALSE;
	if (!S_ISREG(file.mode)) {
		g_autofree char *shown = hvr_text_safe(path);
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "'%s' is no file, and does not tell when it has changed", shown);
		return FALSE;
	}
	g_autofree char *identity = hvr_warm_identity(&file);
	g_autofree char *what = g_strescape(path, NULL);
	g_string_append_printf(about, "file %s: %s\n", what, identity);
	return TRUE;
}

static gboolean add_files(GString *about, const HvrWarmGuest *guest, GError **error)
{
	const HvrProfile *profile = guest->profile;
	const GPtrArray *images = guest->parts->images.files;
	const char *const others[] = { profile->kernel,		profile->initrd,
				       profile->seed.user_data, profile->seed.meta_data,
				       profile->seed.ssh_key,	profile->guest.warm_script };

	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (!add_file(about, guest, others[i], error))
			return FALSE;
	if (guest->parts->firmware &&
	    (!add_file(about, guest, guest->parts->firmware->code, error) ||
	     !add_file(about, guest, hvr_nvram_path(profile, guest->parts), error)))
		return FALSE;
	for (guint i = 0; images && i < images->len; i++)
		if (!add_file(about, guest, g_ptr_array_index(images, i), error))
			return FALSE;
	return TRUE;
}

/* What is in cloud-init's disk without a file, and is not the VM's name: a guest that has another
 * one is told so when it goes on. */
static void add_seed(GString *about, const HvrProfile *profile)
{
	const HvrProfileSeed *seed = &profile->seed;
	const char *const words[] = { seed->ssh_public, seed->hostname, seed->user };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		add(about, "[cloud-init]", words[i] ? words[i] : "");
	add(about, "[cloud-init] autologin", seed->autologin ? "yes" : "no");
	add(about, "[cloud-init] agent", seed->agent ? "yes" : "no");
}

/* A MAC address that is made from the VM's name is another in each VM of one state. [transfer full]
 */
static char *without_made(const HvrProfile *profile, const char *word)
{
	g_autoptr(GString) text = g_string_new(word);

	for (guint i = 0; i < profile->nets->len; i++) {
		const HvrProfileNet *net = g_ptr_array_index(profile->nets, i);
		char *at = net->mac_made ? strstr(text->str, net->mac) : NULL;
		if (at)
			g_string_overwrite(text, (gsize)(at - text->str), MADE_MAC);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What differs from start to start has one name here. */
static void add_words(GString *about, const HvrWarmGuest *guest)
{
	const HvrCmdlineChannels channels = {
		.qmp_private = -1,
		.qmp_listen = -1,
		.serial_port = -1,
		.serial = -1,
		.serial_path = "serial",
		.agent = -1,
		.agent_path = "agent",
		.seed = -1,
		.seed_path = "seed",
		.firmware = guest->parts->firmware,
		.block_devices = guest->parts->images.block_devices,
	};
	g_autoptr(GPtrArray) argv = hvr_cmdline_build(guest->profile, guest->plan->kvm, NULL,
						      &channels, &guest->plan->dialect);
	const char *before = "";

	/* the first is QEMU's own name, which is not what it is */
	for (guint i = 1; argv->pdata[i]; i++) {
		g_autofree char *word = without_made(guest->profile, argv->pdata[i]);
		if (word[0] == '-')
			add(about, word, "");
		else if (!g_str_equal(before, "-name"))
			add(about, before, word);
		before = argv->pdata[i];
	}
}

char *hvr_warm_describe(const HvrWarmGuest *guest, GError **error)
{
	g_autoptr(GString) about = g_string_new(NULL);

	if (!hvr_warm_check(guest, error))
		return NULL;
	g_autofree char *qemu = digest_of(guest->facts->qemu_path, error);
	if (!qemu)
		return NULL;
	g_autofree char *uid = g_strdup_printf("%u", (guint)guest->facts->user->uid);
	add(about, "hailo-vm-run", HVR_VERSION);
	add(about, "QEMU's program", qemu);
	add(about, "the VM's user", uid);
	add_host(about, guest);
	add_seed(about, guest->profile);
	add_words(about, guest);
	hvr_warm_roms_add(about, guest->facts->user, guest->roms);
	if (!add_files(about, guest, error))
		return NULL;
	return g_string_free(g_steal_pointer(&about), FALSE);
}

char *hvr_warm_key(const char *about)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, about, -1);
}

char *hvr_warm_difference(const char *before, const char *now)
{
	g_auto(GStrv) old = g_strsplit(before, "\n", -1), new = g_strsplit(now, "\n", -1);
	guint i = 0;

	while (old[i] && new[i] && g_str_equal(old[i], new[i]))
		i++;
	/* of the two the one that has a name is shown */
	const char *line = new[i] && *new[i] ? new[i] : old[i];
	if (!line || !*line)
		return g_strdup("nothing that is known");
	/* a file's own path may have a colon; the numbers behind it have none */
	const char *colon =
		g_str_has_prefix(line, "file ") ? strrchr(line, ':') : strchr(line, ':');
	g_autofree char *what = g_strndup(line, colon ? (gsize)(colon - line) : strlen(line));
	return hvr_text_safe(what);
}
