/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to QEMU itself. Answers that are good are remembered, since a program does not change
 * its mind: a start then costs one stat(2).
 */
#include "launcher/host/qemu-answers.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/host/qemu-aio.h"
#include "launcher/host/qemu-query.h"
#include "launcher/process/install.h"
#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define VERSION_MAJOR 6
#define VERSION_MINOR 2

#define SEE_VERSION "see that this user can run it: QEMU -version"
#define NO_SECCOMP  "use a QEMU that was built with seccomp, or set [security] sandbox = no"
#define SEE_IT                                                                                     \
	"see what keeps it: run it by hand with -version, or set [qemu] binary to another one"

/* What a QEMU that has come so far is told. */
#define END_IT "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n"

typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrUser *user;
	const char *path;
	HvrQemu *qemu;
} Asking;

void hvr_qemu_free(HvrQemu *qemu)
{
	if (!qemu)
		return;
	for (gsize i = 0; i < HVR_QEMU_QUESTIONS; i++) {
		g_free(qemu->answers[i].seen);
		g_free(qemu->answers[i].fix);
	}
	g_free(qemu);
}

/* What was noted before is no more. @seen: (transfer full). @fix: (nullable) */
static void note(const Asking *asking, HvrQemuQuestion question, HvrAnswerKind kind, char *seen,
		 const char *fix)
{
	HvrQemuAnswer *answer = &asking->qemu->answers[question];

	g_free(answer->seen);
	g_free(answer->fix);
	*answer = (HvrQemuAnswer){ .kind = kind, .seen = seen, .fix = g_strdup(fix) };
}

/* What it printed with these options. @input, errors: of hvr_qemu_query() */
static char *ask(const Asking *asking, const char *const *options, const char *input,
		 GError **error)
{
	const HvrQemuQuery query = { .context = asking->context,
				     .user = asking->user,
				     .path = asking->path,
				     .options = options,
				     .input = input };

	return hvr_qemu_query(&query, error);
}

/* TRUE: it did not answer in time, which is noted then. */
static gboolean is_late(const Asking *asking, HvrQemuQuestion question, const GError *error)
{
	if (!g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY))
		return FALSE;
	note(asking, question, HVR_ANSWER_UNKNOWN, g_strdup(error->message), SEE_IT);
	return TRUE;
}

/* "QEMU emulator version 7.2.22 (Debian ...)" */
static gboolean parse_version(const char *text, gulong *out_major, gulong *out_minor)
{
	const char *number = strstr(text, "version ");
	char *end = NULL;

	if (!number)
		return FALSE;
	*out_major = strtoul(number + strlen("version "), &end, 10);
	*out_minor = 0;
	if (*end == '.')
		*out_minor = strtoul(end + 1, NULL, 10);
	return *out_major > 0;
}

/* Of these questions: FALSE: there is no use in asking it anything else. */
static gboolean ask_version(const Asking *asking)
{
	static const char *const options[] = { "-version", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = ask(asking, options, NULL, &error);
	gulong major, minor;

	if (is_late(asking, HVR_QEMU_VERSION, error))
		return FALSE;
	if (!text || !parse_version(text, &major, &minor)) {
		g_autofree char *why = error ? g_strconcat(": ", error->message, NULL) : NULL;
		note(asking, HVR_QEMU_VERSION, HVR_ANSWER_UNKNOWN,
		     g_strdup_printf("%s does not tell its version%s", asking->path,
				     why ? why : ""),
		     SEE_VERSION);
		return FALSE;
	}
	if (major > VERSION_MAJOR || (major == VERSION_MAJOR && minor >= VERSION_MINOR))
		note(asking, HVR_QEMU_VERSION, HVR_ANSWER_GOOD,
		     g_strdup_printf("%s, version %lu.%lu", asking->path, major, minor), NULL);
	else
		note(asking, HVR_QEMU_VERSION, HVR_ANSWER_BAD,
		     g_strdup_printf("%s is version %lu.%lu, too old for JSON in -device",
				     asking->path, major, minor),
		     "install QEMU 6.2 or newer, or set [qemu] binary to one");
	return TRUE;
}

/* Those that the profile asks for, and that a QEMU may be built without. [transfer container]: of
 * char * */
static GPtrArray *wanted_devices(const HvrProfile *profile)
{
	static const char *const iommus[] = {
		[HVR_IOMMU_INTEL] = "intel-iommu", [HVR_IOMMU_VIRTIO] = "virtio-iommu-pci"
	};
	GPtrArray *names = g_ptr_array_new();

	if (profile->tpm.model != HVR_TPM_NONE)
		g_ptr_array_add(names, (gpointer)hvr_profile_tpm_driver(profile->tpm.model));
	if (profile->iommu != HVR_IOMMU_NONE)
		g_ptr_array_add(names, (gpointer)iommus[profile->iommu]);
	if (profile->sound != HVR_SOUND_NONE)
		g_ptr_array_add(names, (gpointer)hvr_profile_sound_driver(profile->sound));
	if (profile->usbs->len > 0)
		g_ptr_array_add(names, (gpointer) "usb-host");
	return names;
}

/* @text: what -device help printed. Returns: FALSE, noted, where it lacks one */
static gboolean judge_wanted(const Asking *asking, const char *text, const char *install)
{
	g_autoptr(GPtrArray) names = wanted_devices(asking->profile);

	for (guint i = 0; i < names->len; i++) {
		const char *device = g_ptr_array_index(names, i);
		g_autofree char *name = g_strdup_printf("name \"%s\"", device);

		if (strstr(text, name))
			continue;
		note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_BAD,
		     g_strdup_printf("it has no device %s", device), install);
		return FALSE;
	}
	return TRUE;
}

/* @text: (nullable): what -device help printed */
static void judge_devices(const Asking *asking, const char *text)
{
	static const char *const needed[] = { "pcie-root-port", "vfio-pci" };
	g_autofree char *command =
		hvr_install_command(hvr_installer_look(&asking->context->host), HVR_PACKAGE_QEMU);
	g_autofree char *install =
		g_strdup_printf("install the full QEMU for this machine (%s)", command);

	for (gsize i = 0; text && i < G_N_ELEMENTS(needed); i++) {
		g_autofree char *name = g_strdup_printf("name \"%s\"", needed[i]);
		if (strstr(text, name))
			continue;
		note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_BAD,
		     g_strdup_printf("it has no device %s", needed[i]), install);
		asking->qemu->no_vfio = i + 1 == G_N_ELEMENTS(needed);
		return;
	}
	if (text && !judge_wanted(asking, text, install))
		return;
	if (text)
		note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_GOOD,
		     g_strdup("it has vfio-pci and pcie-root-port"), NULL);
	else
		note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_UNKNOWN,
		     g_strdup("it does not tell which devices it has"),
		     "see what QEMU says to -device help");
}

/* All properties of all cards, each once for each. [transfer container]: of char * */
static GPtrArray *wanted_properties(const HvrProfile *profile)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);
		const GArray *properties = device->properties;
		for (guint k = 0; properties && k < properties->len; k++)
			g_ptr_array_add(
				names,
				(gpointer)g_array_index(properties, HvrCardProperty, k).name);
	}
	return names;
}

/* @text: (nullable): what -device vfio-pci,help printed, a line "  NAME=<TYPE>" for each */
static void judge_properties(const Asking *asking, const GPtrArray *names, const char *text)
{
	for (guint i = 0; text && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *line = g_strdup_printf("  %s=<", name);

		if (strstr(text, line))
			continue;
		note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_BAD,
		     g_strdup_printf("its vfio-pci has no property %s", name),
		     "leave it out of [device NAME] properties, or use another QEMU");
		return;
	}
}

/* FALSE: it was late. */
static gboolean ask_properties(const Asking *asking)
{
	static const char *const options[] = { "-machine", "none", "-device", "vfio-pci,help",
					       NULL };
	g_autoptr(GPtrArray) names = wanted_properties(asking->profile);
	g_autoptr(GError) error = NULL;

	if (names->len == 0 || asking->qemu->answers[HVR_QEMU_DEVICES].kind != HVR_ANSWER_GOOD)
		return TRUE;
	g_autofree char *text = ask(asking, options, NULL, &error);
	if (is_late(asking, HVR_QEMU_DEVICES, error))
		return FALSE;
	judge_properties(asking, names, text);
	return TRUE;
}

/* No help tells it. So it is given a file, in the sandbox that it will be in: itself, which its
 * user can read. FALSE: it was late. */
static gboolean ask_aio(const Asking *asking, HvrDiskAio aio)
{
	const char *word = hvr_profile_aio_word(aio);
	g_autofree char *image = hvr_qemu_aio_node(asking->path, word);
	const char *sandbox = asking->profile->sandbox ? "-sandbox" : NULL;
	const char *const options[] = { "-machine",  "none", "-nodefaults", "-no-user-config",
					"-display",  "none", "-qmp",	    "stdio",
					"-blockdev", image,  sandbox,	    "on",
					NULL };
	g_autoptr(GError) error = NULL;

	if (!hvr_qemu_aio_wanted(asking->profile, aio))
		return TRUE;
	g_autofree char *text = ask(asking, options, END_IT, &error);
	if (is_late(asking, HVR_QEMU_DEVICES, error))
		return FALSE;
	if (text || !hvr_qemu_aio_is_lacking(error->message))
		return TRUE;
	/* behind the words that it repeats */
	const char *why = g_strrstr(error->message, "}: ");
	note(asking, HVR_QEMU_DEVICES, HVR_ANSWER_BAD,
	     g_strdup_printf("it cannot do aio = %s: %s", word, why ? why + 3 : error->message),
	     "set aio = threads in [disk NAME], or use another QEMU");
	asking->qemu->no_vfio = FALSE;
	return TRUE;
}

/* FALSE: it was late. */
static gboolean ask_devices(const Asking *asking)
{
	static const char *const options[] = { "-machine", "none", "-device", "help", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = ask(asking, options, NULL, &error);

	if (is_late(asking, HVR_QEMU_DEVICES, error))
		return FALSE;
	judge_devices(asking, text);
	return TRUE;
}

/* As libvirt asks: a QEMU without a machine, by whichever accelerator it has. What it has to say to
 * that is for nobody. FALSE: it was late. */
static gboolean ask_dialect(const Asking *asking)
{
	static const char *const options[] = {
		"-machine",	   "none",     "-nodefaults", "-accel", "tcg",	 "-accel", "kvm",
		"-no-user-config", "-display", "none",	      "-qmp",	"stdio", NULL
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *text = ask(asking, options, hvr_dialect_question, &error);

	if (is_late(asking, HVR_QEMU_DIALECT, error))
		return FALSE;
	if (text && hvr_dialect_read(text, &asking->qemu->dialect))
		note(asking, HVR_QEMU_DIALECT, HVR_ANSWER_GOOD, g_strdup("it tells its features"),
		     NULL);
	else
		note(asking, HVR_QEMU_DIALECT, HVR_ANSWER_UNKNOWN,
		     g_strdup("it does not tell its features"), SEE_IT);
	return TRUE;
}

static void ask_sandbox(const Asking *asking)
{
	static const char *const options[] = { "-sandbox", "on", "-version", NULL };
	g_autoptr(GError) error = NULL;

	if (!asking->profile->sandbox)
		return;
	g_autofree char *text = ask(asking, options, NULL, &error);
	if (is_late(asking, HVR_QEMU_SANDBOX, error))
		return;
	if (text) {
		note(asking, HVR_QEMU_SANDBOX, HVR_ANSWER_GOOD, g_strdup("it takes -sandbox on"),
		     NULL);
		return;
	}
	g_autofree char *why = error ? g_strconcat(": ", error->message, NULL) : NULL;
	note(asking, HVR_QEMU_SANDBOX, HVR_ANSWER_BAD,
	     g_strconcat("it refuses -sandbox on", why, NULL), NO_SECCOMP);
}

HvrQemu *hvr_qemu_ask(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
		      const char *path)
{
	HvrQemu *qemu = g_new0(HvrQemu, 1);
	const Asking asking = {
		.context = context, .profile = profile, .user = user, .path = path, .qemu = qemu
	};

	if (ask_version(&asking) && ask_devices(&asking) && ask_properties(&asking) &&
	    ask_aio(&asking, HVR_AIO_NATIVE) && ask_aio(&asking, HVR_AIO_IO_URING) &&
	    ask_dialect(&asking))
		ask_sandbox(&asking);
	return qemu;
}

/* (nullable): its name in the folder. Two programs that differ have two. */
static char *name_of(const HvrProfile *profile, const HvrUser *user, const char *path)
{
	g_autofree char *program = hvr_qemu_identity(user, path);

	if (!program)
		return NULL;
	g_autofree char *identity =
		g_strdup_printf("%s sandbox %d%s%s", program, profile->sandbox,
				hvr_qemu_aio_wanted(profile, HVR_AIO_NATIVE) ? " native" : "",
				hvr_qemu_aio_wanted(profile, HVR_AIO_IO_URING) ? " io_uring" : "");
	g_autoptr(GPtrArray) asked = wanted_properties(profile);
	g_autoptr(GPtrArray) devices = wanted_devices(profile);
	g_ptr_array_extend(asked, devices, NULL, NULL);
	for (guint i = 0; i < asked->len; i++) {
		char *longer = g_strdup_printf("%s %s", identity, (char *)asked->pdata[i]);
		g_free(identity);
		identity = longer;
	}
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
}

gboolean hvr_qemu_recall(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
			 const char *path, HvrDialect *out_dialect)
{
	if (context->runtime < 0)
		return FALSE;
	g_autofree char *name = name_of(profile, user, path);
	if (!name)
		return FALSE;
	g_autofree char *file = g_build_filename(HVR_QEMU_FOLDER, name, NULL);
	g_autofree char *text = hvr_tree_read(context->runtime, file, NULL);
	return text && hvr_dialect_from_text(text, out_dialect);
}

static gboolean all_good(const HvrQemu *qemu, gboolean sandbox)
{
	for (gsize i = 0; i < HVR_QEMU_QUESTIONS; i++) {
		if (i == HVR_QEMU_SANDBOX && !sandbox)
			continue;
		if (qemu->answers[i].kind != HVR_ANSWER_GOOD)
			return FALSE;
	}
	return TRUE;
}

void hvr_qemu_remember(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
		       const char *path, const HvrQemu *qemu)
{
	if (context->runtime < 0 || !all_good(qemu, profile->sandbox))
		return;
	g_autofree char *name = name_of(profile, user, path);
	g_auto(HvrFd) folder = hvr_runtime_open_folder(context->runtime, HVR_QEMU_FOLDER, NULL);
	if (!name || folder < 0)
		return;
	g_autofree char *text = hvr_dialect_to_text(&qemu->dialect);
	if (!hvr_runtime_replace(folder, name, text, NULL))
		g_debug("what %s told is not remembered", path);
}
