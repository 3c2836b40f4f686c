/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * new: a profile for this host, to begin with.
 */
#include <stdio.h>
#include <string.h>

#include "launcher/command/parse.h"
#include "launcher/command/table.h"
#include "launcher/host/facts.h"
#include "launcher/new/kind.h"
#include "launcher/new/look.h"
#include "launcher/new/make.h"
#include "launcher/new/write.h"
#include "launcher/process/install.h"
#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"

#define MIB   (G_GUINT64_CONSTANT(1) << 20)
#define LEAST (G_GUINT64_CONSTANT(512) * MIB)

/* What a sample wants; of a smaller host no more than half. */
#define MEMORY (G_GUINT64_CONSTANT(4096) * MIB)
#define CPUS   4

typedef struct {
	char *image, *name, *user, *key, *card, *memory;
	gboolean out, run;
} Options;

/* All that goes into it; what is to be freed is here. */
typedef struct {
	HvrContext *context;
	const Options *options;
	const HvrNewKind *kind;
	const char *file; /* NULL: standard output */
	HvrUser *caller;
	HvrInventory *inventory; /* NULL: no PCI bus */
	HvrNewKey key;
	HvrNewCard card;
	HvrNewKernel kernel;
	char *memory;
	char *image; /* as the profile names it, or NULL */
	HvrNewImage image_is;
	GPtrArray *notes;
} New;

static void new_clear(New *new)
{
	hvr_user_free(new->caller);
	g_clear_pointer(&new->inventory, hvr_inventory_free);
	hvr_new_key_clear(&new->key);
	hvr_new_kernel_clear(&new->kernel);
	g_free(new->memory);
	g_free(new->image);
	g_ptr_array_unref(new->notes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(New, new_clear)

static void list_kinds(void)
{
	for (const HvrNewKind *kind = hvr_new_kinds; kind->name; kind++)
		printf("%-9s %s\n", kind->name, kind->summary);
}

static void describe(void)
{
	printf("Kinds:\n");
	for (const HvrNewKind *kind = hvr_new_kinds; kind->name; kind++)
		printf("  %-9s %s\n", kind->name, kind->summary);
}

/* The least that a guest can be of use with, and what the host can spare. NULL: as the sample has
 * it */
static char *choose_memory(const HvrHost *host)
{
	guint64 bytes = hvr_facts_memory(host) / 2;

	if (bytes >= MEMORY)
		return NULL;
	bytes = MAX(bytes / LEAST * LEAST, LEAST);
	return g_strdup_printf("%" G_GUINT64_FORMAT "M", bytes / MIB);
}

static gboolean look_at_host(New *new, GError **error)
{
	const Options *options = new->options;

	if (new->kind->login || options->key) {
		if (!hvr_new_key_look(new->caller, options->key, &new->key, new->notes, error))
			return FALSE;
	}
	new->inventory = hvr_inventory_read(&new->context->host, options->card ? error : NULL);
	if (!new->inventory && options->card)
		return FALSE;
	if (new->inventory && !hvr_new_card_look(new->inventory, options->card, &new->card, error))
		return FALSE;
	if (new->kind->kernel)
		hvr_new_kernel_look(&new->kernel);
	new->memory =
		options->memory ? g_strdup(options->memory) : choose_memory(&new->context->host);
	return TRUE;
}

/* The image that is named; else the kind's own, where it is there. */
static gboolean look_at_image(New *new, GError **error)
{
	const char *file = new->file ? new->file : "new.ini";
	g_autofree char *folder = g_path_get_dirname(file);
	g_autofree char *own = g_build_filename(folder, new->kind->image, NULL);
	const char *path = new->options->image;

	if (!path && g_file_test(own, G_FILE_TEST_EXISTS))
		path = own;
	if (!path)
		return TRUE;
	if (!hvr_new_image_look(new->caller, path, &new->image_is, error))
		return FALSE;
	new->image = hvr_new_image_word(file, path);
	return TRUE;
}

static void tell_login(const New *new)
{
	const char *user = new->options->user ? new->options->user : new->kind->name;

	for (guint i = 0; i < new->notes->len; i++)
		hvr_message("%s", (const char *)g_ptr_array_index(new->notes, i));
	if (!new->kind->login)
		return;
	if (new->key.line)
		hvr_message("login: %s, on the console, and by ssh with the key of %s", user,
			    new->key.file);
	else
		hvr_message("login: %s, on the console; for ssh make a key (ssh-keygen -t ed25519) "
			    "and put it into the profile",
			    user);
}

static void tell_card(const New *new)
{
	const HvrPciFunction *function = new->card.function;

	if (!new->kind->card)
		return;
	if (!function && new->card.given)
		hvr_message("card: none; [device npu] is there for one, behind #");
	else if (!function)
		hvr_message("card: none, as this host has none; [device npu] is there for one, "
			    "behind #");
	else if (new->card.n > 1 && !new->card.given)
		hvr_message("card: any of %u that is free", new->card.n);
	else
		hvr_message("card: %s (%s)", function->name,
			    function->path ? function->path : "by its address");
}

/* What has to be done before it can run. */
static void tell_image(const New *new)
{
	const HvrNewKind *kind = new->kind;
	gboolean base = kind->login && g_strcmp0(new->image_is.format, "qcow2") == 0;

	if (new->image)
		hvr_message("image: %s, which is %s%s", new->image, new->image_is.format,
			    base ? " and stays as it is: the disk is made on top of it" : "");
	else if (kind->image_url)
		hvr_message("image: fetch it first: wget %s", kind->image_url);
	else if (kind->first)
		hvr_message("first: %s", kind->first);
	if (!kind->kernel)
		return;
	if (new->kernel.image)
		hvr_message("kernel: %s, which this host runs", new->kernel.image);
	else
		hvr_message("kernel: that of this host is not to be seen; put vmlinuz and "
			    "initrd.img there");
}

static void tell_tools(const New *new)
{
	g_autofree char *mformat = hvr_program_find("mformat", new->context->privileged);
	g_autofree char *command =
		hvr_install_command(hvr_installer_look(&new->context->host), HVR_PACKAGE_MTOOLS);

	if (new->kind->login && !mformat)
		hvr_message("cloud-init's disk takes mtools: %s", command);
}

/* The profile as a word that means it wherever it is. [transfer full] */
static char *word_of(const New *new)
{
	gboolean bare = !strchr(new->file, '/') && !g_str_has_suffix(new->file, ".ini");

	return g_strconcat(bare ? "./" : "", new->file, NULL);
}

/* A card takes root, and so whoever is not root, or is it by sudo. */
static void tell_next(const New *new)
{
	gboolean card = new->kind->card &&new->card.function;
	gboolean sudo = card && (new->caller->privileged || new->caller->uid != 0);
	g_autofree char *path = word_of(new);
	g_autofree char *quoted = g_shell_quote(path);
	gboolean plain = path[strspn(path, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "./_-")] == 0;
	gboolean test = new->kind->for_test;

	hvr_message("next: %shailo-vm-run %s %s%s", sudo ? "sudo " : "", test ? "test" : "run",
		    plain ? path : quoted, test ? " -- hailortcli fw-control identify" : "");
}

static gboolean give(const New *new, const char *text, GError **error)
{
	if (!new->file) {
		fputs(text, stdout);
	} else if (!hvr_new_write(new->caller, "new", new->file, text, error)) {
		return FALSE;
	} else {
		hvr_message("%s is written", new->file);
	}
	tell_login(new);
	tell_card(new);
	tell_tools(new);
	tell_image(new);
	if (new->file && !new->options->run)
		tell_next(new);
	return TRUE;
}

/* What is certain to fail then is told before anything is written. */
static gboolean check_run(const New *new, GError **error)
{
	const HvrNewKind *kind = new->kind;

	if (!new->options->run)
		return TRUE;
	if (!new->file || new->context->captured) {
		hvr_command_usage(error, "new", "--run takes a profile in a file, on this host");
		return FALSE;
	}
	if (kind->for_test) {
		hvr_command_usage(error, "new", "--run: a %s is for 'test', with a command",
				  kind->name);
		return FALSE;
	}
	if (new->image || !kind->image_url)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "new: --run: there is no %s beside %s", kind->image, new->file);
	hvr_error_hint(error, "fetch it first: wget %s", kind->image_url);
	return FALSE;
}

/* As `run PROFILE`, word by word. */
static int start(const New *new, GError **error)
{
	const HvrCommand *command = hvr_command_find("run");
	g_autofree char *path = word_of(new);
	char *words[] = { (char *)"--", path, NULL };
	HvrInvocation *invocation = hvr_invocation_parse(command, words, error);

	if (!invocation)
		return -1;
	int status = command->run(new->context, invocation, error);
	hvr_invocation_free(command, invocation);
	if (status < 0)
		hvr_error_hint(error, "'%s' is written: run starts it", new->file);
	return status;
}

static gboolean make(New *new, GError **error)
{
	const Options *options = new->options;
	guint cpus = MIN(g_get_num_processors(), CPUS);

	if (!look_at_host(new, error) || !look_at_image(new, error) || !check_run(new, error))
		return FALSE;
	const HvrNewWish wish = { .kind = new->kind,
				  .file = new->file,
				  .name = options->name,
				  .user = options->user,
				  .memory = new->memory,
				  .cpus = cpus < CPUS ? cpus : 0,
				  .key = new->key.line,
				  .image = new->image,
				  .image_is = new->image_is,
				  .card = &new->card,
				  .kernel = &new->kernel };
	g_autofree char *text = hvr_new_make(&wish, error);
	return text && give(new, text, error);
}

static int new (HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	char **words = invocation->words;
	g_autofree char *own = NULL;

	if (!words[0]) {
		list_kinds();
		return 0;
	}
	g_auto(New) it = { .context = context,
			   .options = options,
			   .kind = hvr_new_kind_find(words[0], error),
			   .caller = hvr_user_caller(),
			   .notes = g_ptr_array_new_with_free_func(g_free) };
	if (!it.kind)
		return -1;
	own = g_strconcat(it.kind->name, ".ini", NULL);
	it.file = words[1] ? words[1] : own;
	if (options->out || g_str_equal(it.file, "-"))
		it.file = NULL;
	if (!make(&it, error))
		return -1;
	return options->run ? start(&it, error) : 0;
}

static const HvrOption table[] = {
	{ "image", 'i', HVR_TEXT(Options, image), "FILE", "The disk, which is there already" },
	{ "name", 0, HVR_TEXT(Options, name), "NAME", "The VM's name (default: the file's)" },
	{ "user", 'u', HVR_TEXT(Options, user), "NAME", "The guest's user (default: the image's)" },
	{ "key", 'k', HVR_TEXT(Options, key), "FILE",
	  "Your public key (default: the one in ~/.ssh)" },
	{ "card", 'c', HVR_TEXT(Options, card), "CARD|none",
	  "Which card, by address, path or number (default: this host's)" },
	{ "memory", 'm', HVR_TEXT(Options, memory), "SIZE", "RAM, such as 8G" },
	{ "run", 'r', HVR_FLAG(Options, run), NULL, "Start the VM with it" },
	{ "stdout", 0, HVR_FLAG(Options, out), NULL, "Print it, as with - for FILE" },
	{ .name = NULL },
};

const HvrCommand hvr_command_new = {
	.name = "new",
	.words = "[KIND] [FILE]",
	.summary = "write a profile for this host; without KIND list them",
	.most = 2,
	.options = table,
	.size = sizeof(Options),
	.describe = describe,
	.run = new,
};
