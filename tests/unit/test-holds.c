/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds: what is written is read, of the card that is meant and no other, and nothing loses one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/command/dispatch.h"
#include "launcher/host/health.h"
#include "launcher/list/json.h"
#include "launcher/list/list.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/runtime/holds.h"
#include "launcher/runtime/lasting.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"

#define CARD   "0000:02:00.0"
#define FOLDER "var/lib/hailo-vm-run/holds"
#define NAME   FOLDER "/00:1c.4+00.0@1e60:2864"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	HvrInventory *inventory;
} Fixture;

static void look(Fixture *f)
{
	g_clear_pointer(&f->inventory, hvr_inventory_free);
	f->inventory = hvr_inventory_read(&f->fs->host, NULL);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.4", CARD, 14, 0);
	fake_files_make_folder(f->fs->root, "var/lib");
	f->context = (HvrContext){ .host = f->fs->host, .runtime = -1, .privileged = TRUE };
	look(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_inventory_free(f->inventory);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static const HvrPciFunction *function_at(const Fixture *f, const char *name)
{
	HvrPciAddress address;

	assert_true(hvr_pci_address_parse(name, &address));
	return hvr_inventory_find(f->inventory, &address);
}

static void hold(const Fixture *f, const char *reason)
{
	g_autoptr(HvrHold) made = hvr_hold_new(function_at(f, CARD), reason);

	assert_true(hvr_hold_write(&f->context, made, NULL));
}

static void assert_held(const Fixture *f, const char *name, const char *reason)
{
	g_autoptr(GPtrArray) holds = hvr_holds_read(&f->context, NULL);
	const HvrHold *held = hvr_holds_find(holds, function_at(f, name));

	if (!reason) {
		assert_null(held);
		return;
	}
	assert_non_null(held);
	assert_string_equal(held->reason, reason);
}

static mode_t mode_of(const Fixture *f, const char *path)
{
	g_autofree char *full = g_build_filename(f->fs->root, path, NULL);
	struct stat st = { .st_mode = 0 };

	assert_int_equal(lstat(full, &st), 0);
	return st.st_mode & ALLPERMS;
}

/* All that is said of it comes back; everybody may read it and nobody else write; it ends. */
static void test_round(void **state)
{
	Fixture *f = *state;
	mode_t before = umask(077);

	assert_held(f, CARD, NULL);
	hold(f, "fan; \xc3\xa4 = # \\n and \"quotes\"");
	umask(before);
	assert_held(f, CARD, "fan; \xc3\xa4 = # \\n and \"quotes\"");
	assert_int_equal(mode_of(f, "var/lib/hailo-vm-run"), 0755);
	assert_int_equal(mode_of(f, FOLDER), 0755);
	assert_int_equal(mode_of(f, NAME), 0644);
	g_autoptr(GPtrArray) holds = hvr_holds_read(&f->context, NULL);
	const HvrHold *held = g_ptr_array_index(holds, 0);
	assert_string_equal(held->path, "00:1c.4/00.0");
	assert_string_equal(held->id, "1e60:2864");
	assert_string_equal(held->address, CARD);
	assert_true(held->since > 1600000000);
	assert_false(held->itself);
	hold(f, "another reason");
	assert_held(f, CARD, "another reason");
	assert_true(hvr_hold_remove(&f->context, held, NULL));
	assert_true(hvr_hold_remove(&f->context, held, NULL));
	assert_held(f, CARD, NULL);
}

/* A boot that numbers the buses anew does not move it to another card, and another model in its
 * slot is not held. */
static void test_renumbered(void **state)
{
	Fixture *f = *state;
	const FakeFunction other = { .parent = "0000:00:1c.4",
				     .vendor = 0x1e60,
				     .device = 0x45c4,
				     .class_code = 0x0b4000,
				     .group = 14,
				     .driver = "hailo1x" };

	hold(f, "sparks");
	fake_sysfs_remove_function(f->fs, CARD);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.4", "0000:03:00.0", 14, 0);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.5", CARD, 15, 1);
	look(f);
	assert_held(f, "0000:03:00.0", "sparks");
	assert_held(f, CARD, NULL);

	fake_sysfs_remove_function(f->fs, "0000:03:00.0");
	fake_sysfs_add_function(f->fs, "0000:03:00.0", &other);
	look(f);
	assert_held(f, "0000:03:00.0", NULL);
	/* It is shown all the same. */
	g_autoptr(GPtrArray) missing = hvr_list_missing(&f->context, f->inventory);
	g_autofree char *text = hvr_list_missing_text(missing);
	assert_true(g_str_has_prefix(text, "not there: " CARD
					   " (1e60:2864), path 00:1c.4/00.0: held since "));
	assert_non_null(strstr(text, ": sparks\n"));
}

/* A file that is cut, empty, or full of somebody's words still holds; what is no hold does not. */
static void test_damaged(void **state)
{
	static const char *const texts[] = { "", "[hold", "[hold]\nreason=\n", "\x01\x02",
					     "[hold]\nreason=a\\nb\n" };
	static const char *const others[] = { "README", ".x@1e60:2864", "@1e60:2864",
					      "00:1c.4+00.0@1e60", "00:1c.4+00.0@1e60:2864.new" };
	Fixture *f = *state;

	hold(f, "sparks");
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		fake_sysfs_put_file(f->fs, NAME, texts[i]);
		assert_held(f, CARD, "why cannot be read in /var/lib/hailo-vm-run/holds");
	}
	fake_sysfs_remove_file(f->fs, NAME);
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *path = g_strconcat(FOLDER "/", others[i], NULL);
		fake_sysfs_put_file(f->fs, path, "[hold]\nreason=x\n");
	}
	assert_held(f, CARD, NULL);
}

/* What others could have written is not believed, in either direction: it is an error. */
static void test_not_ours(void **state)
{
	Fixture *f = *state;
	g_autofree char *folder = g_build_filename(f->fs->root, FOLDER, NULL);
	g_autoptr(GError) writable = NULL, link = NULL;

	hold(f, "sparks");
	assert_int_equal(chmod(folder, 0777), 0);
	assert_null(hvr_holds_read(&f->context, &writable));
	assert_int_equal(hvr_exit_status(writable), 77);
	fake_sysfs_remove_file(f->fs, FOLDER);
	fake_sysfs_put_link(f->fs, FOLDER, "/tmp");
	assert_null(hvr_holds_read(&f->context, &link));
	/* A captured tree is not changed. */
	f->context.captured = TRUE;
	g_autoptr(HvrHold) made = hvr_hold_new(function_at(f, CARD), "x");
	assert_false(hvr_hold_write(&f->context, made, NULL));
}

static void test_reasons(void **state)
{
	g_autofree char *most = g_strnfill(HVR_HOLD_REASON_MAX, 'x');
	g_autofree char *more = g_strnfill(HVR_HOLD_REASON_MAX + 1, 'x');

	assert_true(hvr_hold_is_reason("fan"));
	assert_true(hvr_hold_is_reason(most));
	assert_false(hvr_hold_is_reason(more));
	assert_false(hvr_hold_is_reason(NULL));
	assert_false(hvr_hold_is_reason(""));
	assert_false(hvr_hold_is_reason(" \t"));
	assert_false(hvr_hold_is_reason("a\nb"));
	assert_false(hvr_hold_is_reason("\x1b[2J"));
	assert_false(hvr_hold_is_reason("\xff"));
}

static JsonObject *first_device(Fixture *f, JsonObject **out_root)
{
	const HvrListWhat what = { .all = FALSE };

	look(f);
	g_autoptr(GPtrArray) items = hvr_list_read(&f->context, f->inventory, &what);
	*out_root = hvr_list_to_json(items, NULL);
	return json_array_get_object_element(json_object_get_array_member(*out_root, "devices"), 0);
}

static void assert_health(Fixture *f, const char *kind, const char *reason)
{
	JsonObject *root = NULL;
	JsonObject *device = first_device(f, &root);
	const char *seen = hvr_json_get_string(device, "health_reason");

	assert_string_equal(hvr_json_get_string(device, "health"), kind);
	if (!reason)
		assert_null(seen);
	else if (!seen || !strstr(seen, reason))
		fail_msg("%s", seen);
	json_object_unref(root);
}

/* What list says: as it is, dead, held, both, and not asked, where that would wake it. */
static void test_health(void **state)
{
	Fixture *f = *state;

	assert_health(f, "ok", NULL);
	fake_sysfs_put_file(f->fs, "sys/bus/pci/devices/" CARD "/power_state", "D3cold\n");
	assert_health(f, "unknown", "D3cold");
	fake_sysfs_set_dead(f->fs, CARD);
	assert_health(f, "unknown", "D3cold");
	fake_sysfs_put_file(f->fs, "sys/bus/pci/devices/" CARD "/power_state", "D0\n");
	assert_health(f, "dead", "does not answer: its config space reads as all ones");
	hold(f, "sparks");
	assert_health(f, "held", ": sparks; now it does not answer");
}

/* It is held by itself when it fails, once; and what somebody has said of it before stays. */
static void test_by_itself(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) why = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
					    CARD ": cannot bind to vfio-pci: \x1b[31mno\nhint");

	f->context.privileged = FALSE;
	hvr_health_failed(&f->context, function_at(f, CARD), why);
	assert_held(f, CARD, NULL);
	f->context.privileged = TRUE;
	hvr_health_failed(&f->context, function_at(f, CARD), why);
	assert_held(f, CARD, "cannot bind to vfio-pci: \\x1b[31mno");
	hold(f, "sparks");
	hvr_health_failed(&f->context, function_at(f, CARD), why);
	assert_held(f, CARD, "sparks");
}

/* What a command prints on standard output, which is one JSON object. [transfer full] */
static JsonObject *printed(Fixture *f, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	char name[] = "/tmp/hvr-holds-XXXXXX", text[4096] = "";
	int fd = mkstemp(name), own = dup(STDOUT_FILENO);

	unlink(name);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	int status = hvr_dispatch(&f->context, words, NULL);
	fflush(stdout);
	dup2(own, STDOUT_FILENO);
	assert_int_equal(status, 0);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	close(fd);
	close(own);
	g_autoptr(JsonNode) root = json_from_string(text, NULL);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		fail_msg("'%s' printed '%s'", line, text);
	return json_node_dup_object(root);
}

static void assert_printed(Fixture *f, const char *line, gboolean held, const char *reason)
{
	JsonObject *object = printed(f, line);

	assert_string_equal(hvr_json_get_string(object, "address"), CARD);
	assert_string_equal(hvr_json_get_string(object, "path"), "00:1c.4/00.0");
	assert_string_equal(hvr_json_get_string(object, "id"), "1e60:2864");
	assert_int_equal(json_object_get_boolean_member(object, "held"), held);
	assert_true(json_object_has_member(object, "reason"));
	if (reason)
		assert_string_equal(hvr_json_get_string(object, "reason"), reason);
	else
		assert_null(hvr_json_get_string(object, "reason"));
	json_object_unref(object);
}

/* Whoever asked for JSON gets it, also of a card that was not held. */
static void test_json(void **state)
{
	Fixture *f = *state;

	assert_printed(f, "hold --json --reason=fan " CARD, TRUE, "fan");
	assert_printed(f, "unhold --json " CARD, FALSE, "fan");
	assert_printed(f, "unhold --json 02:00.0", FALSE, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renumbered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test_setup_teardown(test_health, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
