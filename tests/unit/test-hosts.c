/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts of machines as people have them, tests/data/hosts/NAME.host: what check says of each is
 * NAME.check, what `list --json` says is NAME.json. HVR_REGEN_GOLDEN=1 writes these anew, to be
 * read in the diff. A new .host is one line here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compat/compat.h"
#include "launcher/check/check.h"
#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "tests/fake/recorded.h"

#define FOLDER SOURCE_ROOT "/tests/data/hosts/"

typedef struct {
	const char *name;
	const char *path, *group; /* of its card, as list shows them */
	int exit;		  /* of check: no captured tree tells that all is well */
	gboolean by_hand;	  /* it has what is not recorded, as it would tell of its owner */
} Host;

static Host hosts[] = {
	{ "ryzen-x570", "00:01.2/00.0/01.0/00.0", "16", 2 },
	{ "ryzen-b450", "00:01.3/00.2/01.0/00.0",
	  "8 + 0000:02:00.0 0000:02:00.1 0000:02:00.2 0000:03:00.0 0000:03:01.0 0000:03:04.0 "
	  "0000:04:00.0",
	  1 },
	{ "coffee-lake", "00:01.0/00.0", "1 + 0000:00:01.0", 2 },
	{ "tiger-lake-laptop", "00:1c.0/00.0/03.0/00.0",
	  "11 + 0000:2c:00.0 0000:2d:03.0 0000:2d:07.0 0000:2f:00.0", 1 },
	{ "altra", "000d:00:01.0/00.0", "9", 1 },
	{ "raspberry-pi-5", "0001:00:00.0/00.0", "none", 1 },
	{ "rmrr", "00:01.0/00.0", "10", 1 },
	{ "intremap-off", "00:1d.0/00.0", "2", 1 },
	{ "acs-override", "00:1d.0/00.0", "2", 2 },
	{ "no-iommu", "00:01.0/00.0", "none", 1 },
	{ "vmd", "10000:e0:1d.0/00.0", "5 + 0000:00:0e.0 10000:e0:06.0 10000:e0:1d.0 10000:e1:00.0",
	  1, .by_hand = TRUE },
	{ "d3cold", "00:01.0/00.0", "1", 1 },
	{ "coral", "00:1c.0/00.0/07.0/00.0",
	  "24 + 0000:00:1c.0 0000:04:00.0 0000:05:03.0 0000:05:07.0 0000:06:00.0", 1 },
	{ "ich10-isa", "00:1c.0/00.0", "8 + 0000:00:1c.0 0000:00:1f.0 0000:00:1f.3", 1 },
	{ "pericom-alone", "00:1d.0/00.0/01.0/00.0", "9 + 0000:03:00.0 0000:04:01.0 0000:04:02.0",
	  2 },
	{ "ivmd-old", "00:01.1/00.0", "5", 2 },
	{ "ivmd-new", "00:01.1/00.0", "5", 1 },
	{ "fedora", "00:1c.0/00.0", "none", 1 },
	{ "arch", "00:01.2/00.0", "6", 2 },
	{ "sriov-neighbour", "16:03.0/00.0",
	  "33 + 0000:16:02.0 0000:16:03.0 0000:17:00.0 0000:17:02.0 0000:17:02.1", 1 },
};

static char *host_file(const Host *host, const char *suffix)
{
	return g_strconcat(FOLDER, host->name, suffix, NULL);
}

static FakeSysfs *load(const Host *host, HvrContext *out_context)
{
	g_autofree char *path = host_file(host, ".host");
	FakeSysfs *fs = fake_recorded_host(path);

	*out_context = (HvrContext){ .host = fs->host,
				     .runtime = -1,
				     .runtime_parent = -1,
				     .captured = TRUE,
				     .privileged = TRUE,
				     .memlock_max = G_MAXUINT64,
				     .runtime_path = "",
				     .system_config = "/nowhere" };
	return fs;
}

static void assert_golden(const Host *host, const char *suffix, const char *seen)
{
	g_autofree char *path = host_file(host, suffix);
	g_autofree char *wanted = NULL;

	if (getenv("HVR_REGEN_GOLDEN"))
		assert_true(g_file_set_contents(path, seen, -1, NULL));
	assert_true(g_file_get_contents(path, &wanted, NULL, NULL));
	assert_string_equal(seen, wanted);
}

static void test_check(void **state)
{
	const Host *host = *state;
	HvrContext context;
	g_autoptr(FakeSysfs) fs = load(host, &context);
	g_autoptr(GPtrArray) results = hvr_check_run(&context, NULL, NULL);
	g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });

	assert_golden(host, ".check", text);
	assert_int_equal(hvr_check_exit_status(results), host->exit);
}

static char *json_text(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	g_autofree char *text = json_to_string(node, TRUE);
	return g_strconcat(text, "\n", NULL);
}

static void test_list(void **state)
{
	const Host *host = *state;
	const HvrListWhat accelerators = { .judge = TRUE };
	HvrContext context;
	g_autoptr(FakeSysfs) fs = load(host, &context);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&context.host, NULL);
	g_autoptr(GPtrArray) items = hvr_list_read(&context, inventory, &accelerators);
	g_autofree char *text = json_text(hvr_list_to_json(items, NULL));

	assert_golden(host, ".json", text);
	assert_int_equal(items->len, 1);
	const HvrListItem *card = g_ptr_array_index(items, 0);
	g_autofree char *group = hvr_list_group_text(card);
	assert_string_equal(card->function->path, host->path);
	assert_string_equal(group, host->group);
}

/* Without the comments. */
static char *data_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *data = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++)
		if (*lines[i] && *lines[i] != '#')
			g_string_append_printf(data, "%s\n", lines[i]);
	return g_string_free(data, FALSE);
}

/* The same comments in front. */
static void rewrite(const char *path, const char *text, const char *data)
{
	const char *end = text;

	while (*end == '#')
		end = strchr(end, '\n') + 1;
	g_autofree char *comments = g_strndup(text, (gsize)(end - text));
	g_autofree char *all = g_strconcat(comments, data, NULL);
	assert_true(g_file_set_contents(path, all, -1, NULL));
}

/* The script that records machines says of this one what it was made from. */
static void test_record(void **state)
{
	const Host *host = *state;
	HvrContext context;
	g_autoptr(FakeSysfs) fs = load(host, &context);
	g_autofree char *path = host_file(host, ".host");
	g_autofree char *text = NULL, *seen = NULL;
	char *argv[] = { (char *)"bash", (char *)FOLDER "record", fs->root, NULL };
	int status = 0;

	assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &seen, NULL,
				 &status, NULL));
	assert_true(g_spawn_check_wait_status(status, NULL));
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_autofree char *wanted = data_of(text);
	if (getenv("HVR_REGEN_GOLDEN"))
		rewrite(path, text, seen);
	else
		assert_string_equal(seen, wanted);
}

/* @tests: room for all. Returns: how many there are */
static gsize list_tests(struct CMUnitTest *tests)
{
	static const struct {
		const char *name;
		CMUnitTestFunction function;
	} kinds[] = { { "check", test_check }, { "list", test_list }, { "record", test_record } };
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(hosts) * G_N_ELEMENTS(kinds); i++) {
		Host *host = &hosts[i / G_N_ELEMENTS(kinds)];
		gsize kind = i % G_N_ELEMENTS(kinds);
		g_autofree char *name = g_strdup_printf("%s: %s", host->name, kinds[kind].name);
		if (host->by_hand && kinds[kind].function == test_record)
			continue;
		tests[n].name = g_intern_string(name);
		tests[n].test_func = kinds[kind].function;
		tests[n++].initial_state = host;
	}
	return n;
}

int main(void)
{
	static struct CMUnitTest tests[G_N_ELEMENTS(hosts) * 3];

	list_tests(tests);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
