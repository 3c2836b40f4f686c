/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's and the kernel's real sentences (tests/data/qemu-words.txt) and what they mean: each gets
 * its row, and no row or word is there that no sentence has.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/qemu/noise.h"

#define WORDS	SOURCE_ROOT "/tests/data/qemu-words.txt"
#define PROGRAM "/usr/bin/qemu-system-x86_64"

typedef struct {
	char *source, *sentence, *id;
} Word;

static void word_free(gpointer data)
{
	Word *word = data;

	g_free(word->source);
	g_free(word->sentence);
	g_free(word->id);
	g_free(word);
}

static GPtrArray *read_words(void)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(word_free);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(WORDS, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		if (*lines[i] == '#' || *lines[i] == '\0')
			continue;
		g_auto(GStrv) fields = g_strsplit(lines[i], "\t", -1);
		if (g_strv_length(fields) != 3)
			fail_msg("line %u is not of three fields", i + 1);
		Word *word = g_new0(Word, 1);
		*word = (Word){ g_strdup(fields[0]), g_strdup(fields[1]), g_strdup(fields[2]) };
		g_ptr_array_add(words, word);
	}
	assert_true(words->len > 100);
	return words;
}

static const HvrDiagnosis *meaning_of(const Word *word)
{
	/* Some distributions call it otherwise. */
	const char *program = g_str_has_prefix(word->sentence, "kvm: ") ? "/usr/bin/kvm" : PROGRAM;

	if (g_str_equal(word->source, "linux"))
		return hvr_diagnose_kernel(word->sentence);
	return hvr_diagnose(program, word->sentence);
}

static void each_sentence_has_its_meaning(void **state)
{
	g_autoptr(GPtrArray) words = read_words();

	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);
		const HvrDiagnosis *meaning = meaning_of(word);
		const char *id = meaning ? meaning->id : "-";
		if (!g_str_equal(id, word->id))
			fail_msg("'%s' is '%s', not '%s'", word->sentence, id, word->id);
	}
}

/* @needle: and @row's own is what the sentence is found by */
static gboolean is_said(const GPtrArray *words, const HvrDiagnosis *row, const char *needle)
{
	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);
		if (meaning_of(word) == row && strcasestr(word->sentence, needle))
			return TRUE;
	}
	return FALSE;
}

static void no_row_is_dead(void **state)
{
	const HvrWordsTable *tables[] = { &hvr_words_qemu, &hvr_words_kernel };
	g_autoptr(GPtrArray) words = read_words();

	for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
		for (guint i = 0; i < tables[t]->n; i++) {
			const HvrDiagnosis *row = &tables[t]->rows[i];
			assert_non_null(row->any[0]);
			for (guint j = 0; j < G_N_ELEMENTS(row->any) && row->any[j]; j++)
				if (!is_said(words, row, row->any[j]))
					fail_msg("%s: nobody says '%s'", row->id, row->any[j]);
		}
}

/* Who says that there are several causes names them, and one that the kernel knows has more. */
static void several_causes_are_told_as_such(void **state)
{
	static const char *const ids[] = { "memlock", "iommu-refused", "group-refused", "power" };

	for (guint i = 0; i < hvr_words_qemu.n; i++) {
		const HvrDiagnosis *row = &hvr_words_qemu.rows[i];
		if (strstr(row->meaning, "either") && !strstr(row->meaning, " or "))
			fail_msg("%s: either what?", row->id);
		for (guint j = 0; j < G_N_ELEMENTS(ids); j++)
			if (g_str_equal(row->id, ids[j]))
				assert_true(row->kernel_knows && strstr(row->meaning, "either"));
	}
}

/* Only QEMU's own words count: none of a guest, a library, a helper, or in the midst of a line. */
static void words_of_others_have_no_meaning(void **state)
{
	static const char said[] = "vfio 0000:02:00.0: group 14 is not viable";
	static const char *const others[] = { "",
					      "guest: ",
					      "guest: qemu-system-x86_64: ",
					      " qemu-system-x86_64: ",
					      "qemu-system-x86_64:",
					      "qemu-system-x86_64 ",
					      "[    1.234567] ",
					      "virtiofsd: ",
					      "qemu-system-x86_64: warning: ",
					      "qemu-system-x86_64: info: " };
	static const char *const own[] = { "qemu-system-x86_64: ", "qemu-kvm: ", "qemu: ",
					   "vmm: " };

	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *line = g_strconcat(others[i], said, NULL);
		if (hvr_diagnose(PROGRAM, line))
			fail_msg("'%s' has a meaning", line);
	}
	for (guint i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *line = g_strconcat(own[i], said, NULL);
		if (!hvr_diagnose("./vmm", line))
			fail_msg("'%s' has none", line);
	}
}

/* Only a line that is known whole is kept from the user. */
static void noise_is_known_whole(void **state)
{
	static const char *const noise[] = {
		"qemu-system-x86_64: group ID 5: KVM VFIO device isn't created yet",
		"qemu-kvm: group ID 141: KVM VFIO device isn't created yet",
		"qemu-system-x86_64: warning: Spice: ../server/reds.cpp:3390:"
		"spice_server_remove_interface: VD_INTERFACE_REMOVING unsupported",
		"qemu-system-x86_64: -chardev socket,id=hvr-console,fd=14,server=on,wait=on: info: "
		"QEMU waiting for connection on: disconnected:unix:/proc/self/fd/9/port.sock,"
		"server=on",
		"qemu-system-x86_64: -chardev socket,id=hvr-console,fd=14,server=on,wait=on,"
		"logfile=/dev/fdset/1,logappend=on: info: QEMU waiting for connection on: "
		"disconnected:unix:/proc/self/fd/9/port.sock,server=on",
	};
	static const char *const said[] = {
		"qemu: -chardev socket,id=hvr-console,fd=14,server=on,wait=on: info: QEMU waiting "
		"for connection on: disconnected:unix:/proc/self/fd/x/port.sock,server=on",
		"qemu: -chardev socket,id=mine,fd=14,server=on,wait=on: info: QEMU waiting for "
		"connection on: disconnected:unix:/proc/self/fd/9/port.sock,server=on",
		"qemu: -chardev socket,id=hvr-console,fd=14,server=on,wait=on: info: QEMU waiting "
		"for connection on: disconnected:unix:/proc/self/fd/9/port.sock,server=on and more",
		"",
		": ",
		"group ID 5: KVM VFIO device isn't created yet",
		"qemu: group ID : KVM VFIO device isn't created yet",
		"qemu: group ID 5: KVM VFIO device isn't created yet.",
		"qemu: group ID 5: x: KVM VFIO device isn't created yet",
		"qemu: group ID 5: Failed to add group to KVM VFIO device: Invalid argument",
		"in a guest: group ID 5: KVM VFIO device isn't created yet",
		"qemu: warning: group ID 5: KVM VFIO device isn't created yet",
		"qemu: warning: Spice: ../server/reds.cpp:3390:spice_server_init: unsupported",
	};

	assert_non_null(hvr_noise_of_server("swtpm: Data client disconnected"));
	assert_null(hvr_noise_of_server("swtpm: Data client disconnected."));
	assert_null(hvr_noise("swtpm: Data client disconnected"));
	for (guint i = 0; i < G_N_ELEMENTS(noise); i++)
		if (!hvr_noise(noise[i]))
			fail_msg("'%s' is shown", noise[i]);
	for (guint i = 0; i < G_N_ELEMENTS(said); i++)
		if (hvr_noise(said[i]))
			fail_msg("'%s' is not shown", said[i]);
}

/* Each was heard of a QEMU, and means nothing to hvr_diagnose() either. */
static void noise_was_heard(void **state)
{
	g_autoptr(GPtrArray) words = read_words();
	guint heard = 0;

	for (guint i = 0; i < words->len; i++) {
		const Word *word = g_ptr_array_index(words, i);

		if (!hvr_noise(word->sentence))
			continue;
		assert_string_equal(word->source, "none");
		assert_string_equal(word->id, "-");
		heard++;
	}
	assert_int_equal(heard, 2);
}

static void signals_have_a_meaning(void **state)
{
	assert_string_equal(hvr_diagnose_signal(SIGSYS, TRUE)->id, "sandbox");
	assert_string_equal(hvr_diagnose_signal(SIGSYS, FALSE)->id, "filter");
	assert_string_equal(hvr_diagnose_signal(SIGKILL, TRUE)->id, "killed");
	assert_string_equal(hvr_diagnose_signal(SIGBUS, TRUE)->id, "no-page");
	assert_null(hvr_diagnose_signal(SIGTERM, TRUE));
	assert_null(hvr_diagnose_signal(SIGSEGV, TRUE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sentence_has_its_meaning),
		cmocka_unit_test(no_row_is_dead),
		cmocka_unit_test(several_causes_are_told_as_such),
		cmocka_unit_test(words_of_others_have_no_meaning),
		cmocka_unit_test(noise_is_known_whole),
		cmocka_unit_test(noise_was_heard),
		cmocka_unit_test(signals_have_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
