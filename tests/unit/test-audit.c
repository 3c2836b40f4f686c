/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of each change of a card, to a journal and to a file, and what is counted of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-glib/json-glib.h>

#include "launcher/host/card-audit.h"
#include "launcher/report/json.h"
#include "launcher/runtime/audit.h"
#include "launcher/runtime/counters.h"
#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define LOG    "var/lib/hailo-vm-run/audit.log"
#define BEFORE "var/lib/hailo-vm-run/audit.log.1"
#define EVIL   "a\nHAILO_VM_EVENT=held\r\x1b]0;x\x07 \"q\" \\ \xff\xe2\x80\xae"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
	int journal;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->journal = -1;
	fake_files_make_folder(f->fs->root, "var/lib");
	f->context = (HvrContext){ .host = f->fs->host, .runtime = -1, .privileged = TRUE };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->journal);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

/* As systemd-journald's: a datagram socket of that name. */
static void listen_as_journal(Fixture *f)
{
	g_autofree char *path = g_build_filename(f->fs->root, "run/systemd/journal/socket", NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	fake_files_make_folder(f->fs->root, "run/systemd/journal");
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	f->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->journal, (struct sockaddr *)&address, sizeof(address)), 0);
}

static char *receive(const Fixture *f)
{
	char bytes[16384];
	ssize_t n = recv(f->journal, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	return g_strndup(bytes, (gsize)n);
}

static const HvrAuditRecord plain = { .event = HVR_AUDIT_TAKEN,
				      .address = "0000:02:00.0",
				      .path = "00:1c.4/00.0",
				      .id = "1e60:2864",
				      .vm = "lab" };
static const HvrAuditRecord evil = { .event = HVR_AUDIT_FAILED,
				     .address = "0000:02:00.0",
				     .path = EVIL,
				     .id = EVIL,
				     .vm = EVIL,
				     .result = EVIL };

/* The whole datagram, byte for byte; a job is named by the first that says so. */
static void test_journal(void **state)
{
	Fixture *f = *state;
	g_autofree char *wanted = g_strdup_printf(
		"MESSAGE=0000:02:00.0 taken, VM lab, uid %u, job 12 x: ok\nPRIORITY=6\n"
		"SYSLOG_IDENTIFIER=hailo-vm-run\nHAILO_VM_EVENT=taken\n"
		"HAILO_VM_CARD=0000:02:00.0\nHAILO_VM_PATH=00:1c.4/00.0\n"
		"HAILO_VM_ID=1e60:2864\nHAILO_VM_NAME=lab\nHAILO_VM_UID=%u\n"
		"HAILO_VM_JOB=12 x\nHAILO_VM_RESULT=ok\n",
		geteuid(), geteuid());

	listen_as_journal(f);
	g_unsetenv("SUDO_UID");
	g_setenv("SLURM_JOB_ID", "7", TRUE);
	g_setenv("HAILO_VM_JOB", "12\tx", TRUE);
	hvr_audit(&f->context, &plain);
	g_unsetenv("HAILO_VM_JOB");
	g_unsetenv("SLURM_JOB_ID");
	g_autofree char *seen = receive(f);
	assert_string_equal(seen, wanted);
	/* It is not in the file as well. */
	assert_false(fake_sysfs_exists(f->fs, LOG));
}

/* Who called sudo is named. */
static void test_sudo(void **state)
{
	Fixture *f = *state;

	if (geteuid() != 0)
		skip();
	listen_as_journal(f);
	g_setenv("SUDO_UID", "1", TRUE);
	hvr_audit(&f->context, &plain);
	g_unsetenv("SUDO_UID");
	g_autofree char *seen = receive(f);
	assert_non_null(strstr(seen, "uid 0 for 1: ok\n"));
	assert_non_null(strstr(seen, "\nHAILO_VM_UID=0\nHAILO_VM_SUDO_UID=1\n"));
}

/* Nobody's words become fields, or lines, or commands to a terminal. */
static void test_evil_journal(void **state)
{
	Fixture *f = *state;

	listen_as_journal(f);
	hvr_audit(&f->context, &evil);
	g_autofree char *seen = receive(f);
	g_auto(GStrv) lines = g_strsplit(seen, "\n", -1);
	guint events = 0;

	for (guint i = 0; lines[i]; i++) {
		const char *equals = strchr(lines[i], '=');
		if (!*lines[i])
			continue;
		assert_non_null(equals);
		for (const char *c = lines[i]; c < equals; c++)
			assert_true(g_ascii_isupper(*c) || *c == '_');
		events += g_str_has_prefix(lines[i], "HAILO_VM_EVENT=");
	}
	assert_int_equal(events, 1);
	assert_null(strpbrk(seen, "\r\x1b\x07\xff"));
	assert_null(strstr(seen, "\xe2\x80\xae"));
	assert_non_null(strstr(seen, "\nPRIORITY=4\n"));
}

/* The objects of the file's lines. */
static GPtrArray *read_log(const Fixture *f, const char *path)
{
	g_autofree char *full = g_build_filename(f->fs->root, path, NULL);
	g_autofree char *text = NULL;
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);

	assert_true(g_file_get_contents(full, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i] && *lines[i]; i++) {
		JsonNode *node = json_from_string(lines[i], NULL);
		assert_non_null(node);
		g_ptr_array_add(all, node);
	}
	return all;
}

/* Without a journal: a line each, of which somebody else's words are values. */
static void test_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *full = g_build_filename(f->fs->root, LOG, NULL);
	struct stat st = { .st_mode = 0 };

	hvr_audit(&f->context, &plain);
	hvr_audit(&f->context, &evil);
	g_autoptr(GPtrArray) lines = read_log(f, LOG);
	assert_int_equal(lines->len, 2);
	JsonObject *first = json_node_get_object(g_ptr_array_index(lines, 0));
	JsonObject *second = json_node_get_object(g_ptr_array_index(lines, 1));
	assert_string_equal(hvr_json_get_string(first, "event"), "taken");
	assert_string_equal(hvr_json_get_string(first, "card"), "0000:02:00.0");
	assert_string_equal(hvr_json_get_string(first, "name"), "lab");
	assert_true(g_str_has_suffix(hvr_json_get_string(first, "time"), "Z"));
	assert_string_equal(hvr_json_get_string(second, "event"), "failed");
	assert_int_equal(stat(full, &st), 0);
	assert_int_equal(st.st_mode & ALLPERMS, 0600);
	/* A plain user has no say there. */
	f->context.privileged = FALSE;
	hvr_audit(&f->context, &plain);
	g_autoptr(GPtrArray) same = read_log(f, LOG);
	assert_int_equal(same->len, 2);
}

/* It stays small, and what is last stays. A link is not followed. */
static void test_bounded(void **state)
{
	Fixture *f = *state;
	g_autofree char *full = g_strnfill(1024 * 1024 - 10, '\n');
	g_autofree char *elsewhere = g_build_filename(f->fs->root, "elsewhere", NULL);

	hvr_audit(&f->context, &plain);
	fake_sysfs_put_file(f->fs, LOG, full);
	hvr_audit(&f->context, &evil);
	g_autoptr(GPtrArray) lines = read_log(f, LOG);
	assert_int_equal(lines->len, 1);
	assert_true(fake_sysfs_exists(f->fs, BEFORE));

	fake_sysfs_put_file(f->fs, "elsewhere", "");
	fake_sysfs_put_link(f->fs, LOG, elsewhere);
	hvr_audit(&f->context, &plain);
	g_autofree char *there = fake_sysfs_text(f->fs, "elsewhere");
	assert_string_equal(there, "");
}

static guint64 count_of(const Fixture *f, HvrCounter counter)
{
	g_autoptr(GPtrArray) all = hvr_counters_read(&f->context);

	for (guint i = 0; i < all->len; i++) {
		const HvrCounters *card = g_ptr_array_index(all, i);
		if (g_str_equal(card->path, "00:1c.4/00.0") && g_str_equal(card->id, "1e60:2864"))
			return card->values[counter];
	}
	return 0;
}

/* Several that count at once: none is lost. A file that cannot be read begins anew. */
static void test_counters(void **state)
{
	enum { PROCESSES = 4, EACH = 10 };
	Fixture *f = *state;

	for (guint i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		for (guint k = 0; k < EACH; k++)
			if (!hvr_counters_add(&f->context, "00:1c.4/00.0", "1e60:2864",
					      HVR_COUNTER_USES, NULL))
				_exit(1);
		_exit(0);
	}
	for (guint i = 0; i < PROCESSES; i++) {
		int status = 1;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_of(f, HVR_COUNTER_USES), PROCESSES * EACH);
	assert_int_equal(count_of(f, HVR_COUNTER_FAILURES), 0);
	fake_sysfs_put_file(f->fs, "var/lib/hailo-vm-run/counters", "\x01[");
	assert_true(hvr_counters_add(&f->context, "00:1c.4/00.0", "1e60:2864", HVR_COUNTER_FAILURES,
				     NULL));
	assert_int_equal(count_of(f, HVR_COUNTER_FAILURES), 1);
}

/* More cards than a host has do not make it grow. */
static void test_many(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < HVR_COUNTERS_CARDS_MAX; i++)
		g_string_append_printf(text, "[00:00.0/%02x.0@1e60:2864]\nuses=1\n", i);
	fake_files_make_folder(f->fs->root, "var/lib/hailo-vm-run");
	fake_sysfs_put_file(f->fs, "var/lib/hailo-vm-run/counters", text->str);
	assert_true(
		hvr_counters_add(&f->context, "00:1c.4/00.0", "1e60:2864", HVR_COUNTER_USES, NULL));
	assert_int_equal(count_of(f, HVR_COUNTER_USES), 0);
	assert_true(
		hvr_counters_add(&f->context, "00:00.0/05.0", "1e60:2864", HVR_COUNTER_USES, NULL));
	g_autoptr(GPtrArray) all = hvr_counters_read(&f->context);
	assert_int_equal(all->len, HVR_COUNTERS_CARDS_MAX);
}

/* What happens to a card is told and counted by one call. */
static void test_card(void **state)
{
	Fixture *f = *state;

	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.4", "0000:02:00.0", 14, 0);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	const HvrPciAddress address = { .bus = 2 };
	const HvrPciFunction *function = hvr_inventory_find(inventory, &address);
	hvr_card_audit(&f->context, HVR_AUDIT_TAKEN, function, "lab", NULL);
	hvr_card_audit(&f->context, HVR_AUDIT_GIVEN_BACK, function, "lab", NULL);
	hvr_card_audit(&f->context, HVR_AUDIT_FAILED, function, "lab", "no\nhint");
	assert_int_equal(count_of(f, HVR_COUNTER_USES), 1);
	assert_int_equal(count_of(f, HVR_COUNTER_FAILURES), 1);
	g_autoptr(GPtrArray) lines = read_log(f, LOG);
	assert_int_equal(lines->len, 3);
	JsonObject *last = json_node_get_object(g_ptr_array_index(lines, 2));
	assert_string_equal(hvr_json_get_string(last, "result"), "no");
	assert_string_equal(hvr_json_get_string(last, "path"), "00:1c.4/00.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sudo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_evil_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_card, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
