/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libFuzzer's main(): runs each file of the folders and each file given once, so
 * that a corpus is a normal test with any compiler. Fails when there is nothing to run: an empty
 * corpus that passes would prove nothing.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint run_file(const char *path)
{
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	gsize len;

	if (!g_file_get_contents(path, &bytes, &len, &error))
		g_error("%s", error->message);
	LLVMFuzzerTestOneInput((const uint8_t *)bytes, len);
	return 1;
}

static guint run_path(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;
	guint count = 0;

	if (!folder)
		return run_file(path);
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		count += run_file(file);
	}
	return count;
}

int main(int argc, char **argv)
{
	guint count = 0;

	for (int i = 1; i < argc; i++)
		count += run_path(argv[i]);
	printf("%u inputs\n", count);
	return count > 0 ? 0 : 1;
}
