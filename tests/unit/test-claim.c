/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets which card. Alone: what is chosen and what is refused. In a crowd: real processes that
 * start at the same moment; a file with a lock of its own for each card proves that it is never
 * two's.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/claim.h"
#include "launcher/host/decide.h"
#include "launcher/host/execute.h"
#include "launcher/host/giveback.h"
#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "tests/fake/between.h"
#include "tests/fake/fake-sysfs.h"
#include "tests/unit/pipe.h"
#include "vfio/fd.h"

#define HEAD                                                                                       \
	"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n[qemu]\nbinary = /bin/true\n"                \
	"[security]\nuser = nobody\n"

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	f->context = (HvrContext){ .host = f->fs->host,
				   .runtime = -1,
				   .runtime_parent = f->fs->host.run,
				   .privileged = TRUE,
				   .memlock_max = G_MAXUINT64,
				   .answer_ms = 10 };
	/* Processes are real here, and so is what tells of them. */
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return !hvr_context_open_runtime(&f->context, TRUE, NULL);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	hvr_fd_close(f->context.host.proc);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static void add_cards(FakeSysfs *fs, guint n)
{
	for (guint i = 0; i < n; i++) {
		g_autofree char *port = g_strdup_printf("0000:00:1c.%u", i);
		g_autofree char *card = g_strdup_printf("0000:%02x:00.0", i + 2);
		fake_sysfs_add_hailo8(fs, port, card, (int)i + 14, i);
	}
}

static HvrProfile *load(const char *devices)
{
	g_autofree char *text = g_strconcat(HEAD, devices, NULL);
	HvrProfile *profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);

	assert_non_null(profile);
	return profile;
}

static HvrClaim *take(Fixture *f, const HvrProfile *profile, const HvrInventory *inventory,
		      int wait_s, GError **error)
{
	const HvrClaimFor whom = { .devices = profile->devices, .vm = "lab", .wait_s = wait_s };

	return hvr_claim_take(&f->context, &whom, inventory, error);
}

static const char *card_of(const HvrClaim *claim, guint i)
{
	return ((const HvrClaimedCard *)g_ptr_array_index(claim->cards, i))->function->name;
}

/* Two sections take the first two free cards; a third is told that there is none, and takes none.
 */
static void test_pick_free(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 2);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) two = load("[device a]\npick = free\n[device b]\npick = free\n");
	g_autoptr(HvrProfile) one = load("[device a]\npick = free\n");
	HvrClaim *claim = take(f, two, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(claim);
	assert_string_equal(card_of(claim, 0), "0000:02:00.0");
	assert_string_equal(card_of(claim, 1), "0000:03:00.0");
	assert_int_equal(claim->locks->len, 2);

	assert_null(take(f, one, inventory, HVR_CLAIM_NO_WAIT, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "0000:02:00.0: in use by VM 'lab'"));
	assert_non_null(strstr(error->message, "0000:03:00.0: in use by VM 'lab'"));
	hvr_claim_free(claim);
	g_autoptr(HvrClaim) again = take(f, one, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(again);
}

/* A section that takes any card leaves the one that another section wants; the order of the profile
 * stays. More sections than cards is no matter of waiting. */
static void test_choosiest_first(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 2);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) two =
		load("[device a]\npick = free\n[device b]\naddress = 02:00.0\n");
	g_autoptr(HvrProfile) three = load("[device a]\npick = free\n[device b]\npick = free\n"
					   "[device c]\npick = free\n");
	g_autoptr(HvrClaim) claim = take(f, two, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(claim);
	assert_string_equal(card_of(claim, 0), "0000:03:00.0");
	assert_string_equal(card_of(claim, 1), "0000:02:00.0");
	g_clear_pointer(&claim, hvr_claim_free);

	assert_null(take(f, three, inventory, HVR_CLAIM_FOREVER, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "device 'c': other devices of this profile take"));
}

static void count_refusal(const HvrProfileDevice *device, GError *error, gpointer data)
{
	g_string_append_printf(data, "%s %d;", device->id, hvr_exit_status(error));
	g_error_free(error);
}

/* Who only judges is shown the cards that a run would try: also busy ones, and beside sections that
 * get none. */
static void test_choose(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) refused = g_string_new(NULL);

	add_cards(f->fs, 2);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) all =
		load("[device a]\npick = free\n[device b]\naddress = 02:00.0\n"
		     "[device c]\npick = free\n[device d]\naddress = 09:00.0\n");
	g_autoptr(HvrProfile) first = load("[device a]\naddress = 02:00.0\n");
	g_autoptr(HvrClaim) holder = take(f, first, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(holder);
	g_autofree char *before = fake_sysfs_snapshot_run(f->fs);
	const HvrClaimHow how = { .refused = count_refusal, .data = refused };
	g_autoptr(HvrClaim) claim = hvr_claim_choose(&f->context, all->devices, inventory, &how);
	g_autofree char *after = fake_sysfs_snapshot_run(f->fs);
	assert_string_equal(before, after);
	assert_int_equal(claim->cards->len, 2);
	assert_string_equal(card_of(claim, 0), "0000:03:00.0");
	assert_string_equal(card_of(claim, 1), "0000:02:00.0");
	assert_string_equal(refused->str, "d 69;c 69;");
}

/* All or none: the card that was free is free again when the other one was not. */
static void test_all_or_none(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 2);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) second = load("[device a]\naddress = 03:00.0\n");
	g_autoptr(HvrProfile) first = load("[device a]\naddress = 02:00.0\n");
	g_autoptr(HvrProfile) both =
		load("[device a]\naddress = 02:00.0\n[device b]\naddress = 03:00.0\n");
	g_autoptr(HvrClaim) holder = take(f, second, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_null(take(f, both, inventory, HVR_CLAIM_NO_WAIT, &error));
	assert_non_null(strstr(error->message, "0000:03:00.0: in use by VM 'lab'"));
	g_autoptr(HvrClaim) free_one = take(f, first, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(free_one);
}

/* Looking takes no lock, changes nothing, and is told of those who did. */
static void test_look(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 1);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	g_autofree char *before = fake_sysfs_snapshot_run(f->fs);
	const HvrClaimFor whom = { .devices = profile->devices };
	g_autoptr(HvrClaim) look = hvr_claim_look(&f->context, &whom, inventory, NULL);
	g_autofree char *after = fake_sysfs_snapshot_run(f->fs);
	assert_string_equal(before, after);
	assert_int_equal(look->locks->len, 0);
	g_autoptr(HvrClaim) claim = take(f, profile, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(claim);
	assert_null(hvr_claim_look(&f->context, &whom, inventory, &error));
	assert_int_equal(hvr_exit_status(error), 75);
}

/* A card that a process of the host uses is busy, and its group is not kept locked. */
static void test_in_use(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 1);
	fake_sysfs_add_process(f->fs, 812, "hailortcli", "/dev/hailo0");
	HvrContext context = f->context;
	context.host.proc = f->fs->host.proc;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	const HvrClaimFor whom = { .devices = profile->devices, .vm = "lab" };
	assert_null(hvr_claim_take(&context, &whom, inventory, &error));
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "hailortcli (pid 812"));
	assert_false(fake_sysfs_exists(f->fs, "run/hailo-vm-run/locks/group-14"));
}

/* A wait that ends without the card is the same refusal as none. */
static void test_wait_ends(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	add_cards(f->fs, 1);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	g_autoptr(HvrClaim) claim = take(f, profile, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_null(take(f, profile, inventory, 1, &error));
	assert_int_equal(hvr_exit_status(error), 75);
}

/* Who waits says for which card, and who has it: once, not at each look. */
static void test_wait_is_told(void **state)
{
	Fixture *f = *state;
	int ends[2];
	char line[1024] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	g_autoptr(HvrEvents) events = hvr_events_new(ends[1], "lab");
	g_auto(HvrFd) reader = ends[0];
	add_cards(f->fs, 1);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	HvrLock *lock =
		hvr_lock_try(&f->context.host, f->context.runtime, "group-14", "other", NULL);
	f->context.events = events;
	assert_null(take(f, profile, inventory, 1, NULL));
	f->context.events = NULL;
	hvr_lock_release(lock);
	assert_true(read(reader, line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "\"event\":\"waiting\""));
	assert_non_null(strstr(line, "\"address\":\"0000:02:00.0\",\"holder\":\"other\""));
	assert_null(strstr(strchr(line, '\n'), "waiting"));
	assert_string_equal(hvr_events_last(events), "waiting");
}

/* Lock files that come and go, in one second of waiting. */
static guint events_of_waiting(Fixture *f, const HvrContext *context, const HvrProfile *profile)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autofree char *locks = g_strconcat(f->fs->root, "/run/hailo-vm-run/locks", NULL);
	g_auto(HvrFd) watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char buffer[65536];
	guint n = 0;

	assert_true(inotify_add_watch(watch, locks, IN_DELETE) >= 0);
	const HvrClaimFor whom = { .devices = profile->devices, .vm = "lab", .wait_s = 1 };
	assert_null(hvr_claim_take(context, &whom, inventory, NULL));
	ssize_t length = read(watch, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < length; n++)
		at += (ssize_t)(sizeof(struct inotify_event) +
				((const struct inotify_event *)(const void *)(buffer + at))->len);
	return n;
}

/* Who waits for one of two cards does not take and leave the other one all the time. */
static void test_wait_is_quiet(void **state)
{
	Fixture *f = *state;

	add_cards(f->fs, 2);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) second = load("[device a]\naddress = 03:00.0\n");
	g_autoptr(HvrProfile) both =
		load("[device a]\naddress = 02:00.0\n[device b]\naddress = 03:00.0\n");
	g_autoptr(HvrClaim) holder = take(f, second, inventory, HVR_CLAIM_NO_WAIT, NULL);
	assert_non_null(holder);
	assert_between(events_of_waiting(f, &f->context, both), 1, 3);
}

/* Nor does who waits for a process of the host, which ends without a word. */
static void test_wait_for_process(void **state)
{
	Fixture *f = *state;
	HvrContext context = f->context;

	add_cards(f->fs, 1);
	fake_sysfs_add_process(f->fs, 812, "hailortcli", "/dev/hailo0");
	context.host.proc = f->fs->host.proc;
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	assert_between(events_of_waiting(f, &context, profile), 1, 3);
}

/* With the lock held the card is looked at again: what it is now counts, and that it is the one. */
static void test_look_again(void **state)
{
	Fixture *f = *state;
	const FakeFunction other = { .vendor = 0x8086, .device = 0x1533, .group = 14 };
	g_autoptr(GError) replaced = NULL, gone = NULL;

	add_cards(f->fs, 1);
	g_autoptr(HvrInventory) before = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	g_autoptr(HvrClaim) claim = take(f, profile, before, HVR_CLAIM_NO_WAIT, NULL);
	const HvrClaimedCard *card = g_ptr_array_index(claim->cards, 0);
	f->fs->host.kernel->write(&f->fs->host, "bus/pci/drivers/hailo/unbind", "0000:02:00.0",
				  1000, NULL);
	g_autoptr(HvrInventory) now = hvr_inventory_read(&f->fs->host, NULL);
	assert_string_equal(card->function->driver, "hailo");
	assert_true(hvr_claim_look_again(claim, now, NULL));
	assert_null(card->function->driver);

	fake_sysfs_remove_function(f->fs, "0000:02:00.0");
	g_autoptr(HvrInventory) without = hvr_inventory_read(&f->fs->host, NULL);
	assert_false(hvr_claim_look_again(claim, without, &gone));
	assert_int_equal(hvr_exit_status(gone), 75);
	fake_sysfs_add_function(f->fs, "0000:02:00.0", &other);
	g_autoptr(HvrInventory) with_other = hvr_inventory_read(&f->fs->host, NULL);
	assert_false(hvr_claim_look_again(claim, with_other, &replaced));
	assert_int_equal(hvr_exit_status(replaced), 75);
}

/* What a process of the crowd does; returns its exit status. @out: one line of its story. */
typedef int (*Member)(Fixture *f, guint number, int out);

typedef struct {
	pid_t pid;
	int out;
	int status;
	char *said;
} Crowd;

static void start_member(Fixture *f, Crowd *member, guint number, const int go[2], Member act)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	member->pid = fork();
	if (member->pid == 0) {
		char byte;
		close(go[1]);
		if (read(go[0], &byte, 1) != 0) /* all start when the pipe closes */
			_exit(99);
		_exit(act(f, number, pipes[1]));
	}
	close(pipes[1]);
	member->out = pipes[0];
}

/* Starts @n processes at one moment. */
static void start_crowd(Fixture *f, Crowd *crowd, guint n, Member act)
{
	int go[2];

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	for (guint i = 0; i < n; i++)
		start_member(f, &crowd[i], i, go, act);
	close(go[0]);
	close(go[1]);
}

/* Until each has said all that it has to say, which is not yet its end. */
static void hear_crowd(Crowd *crowd, guint n)
{
	for (guint i = 0; i < n; i++) {
		crowd[i].said = pipe_read(crowd[i].out);
		close(crowd[i].out);
	}
}

static void end_crowd(Crowd *crowd, guint n)
{
	for (guint i = 0; i < n; i++) {
		int status = 0;
		assert_int_equal(waitpid(crowd[i].pid, &status, 0), crowd[i].pid);
		assert_true(WIFEXITED(status));
		crowd[i].status = WEXITSTATUS(status);
	}
}

static void forget_crowd(Crowd *crowd, guint n)
{
	for (guint i = 0; i < n; i++)
		g_free(crowd[i].said);
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(98);
}

/* The winner keeps the card until the others have all had their answer. */
static int hold[2];

static int one_of_sixteen(Fixture *f, guint number, int out)
{
	g_autofree char *vm = g_strdup_printf("vm-%u", number);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->fs->host, NULL);
	g_autoptr(HvrProfile) profile = load("[device a]\n");
	g_autoptr(GError) error = NULL;
	const HvrClaimFor whom = { .devices = profile->devices, .vm = vm };
	g_autoptr(HvrClaim) claim = hvr_claim_take(&f->context, &whom, inventory, &error);
	char byte;

	close(hold[1]);
	if (!claim) {
		say(out, error->message);
		return hvr_exit_status(error);
	}
	say(out, vm);
	close(out);
	return read(hold[0], &byte, 1) == 0 ? 0 : 97;
}

/* Sixteen for one card: one has it; fifteen end with 75 and are told who it is. */
static void test_sixteen(void **state)
{
	Fixture *f = *state;
	Crowd crowd[16] = { 0 };
	const Crowd *winner = NULL;

	add_cards(f->fs, 1);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	start_crowd(f, crowd, G_N_ELEMENTS(crowd), one_of_sixteen);
	hear_crowd(crowd, G_N_ELEMENTS(crowd));
	close(hold[0]);
	close(hold[1]);
	end_crowd(crowd, G_N_ELEMENTS(crowd));
	for (guint i = 0; i < G_N_ELEMENTS(crowd); i++) {
		assert_true(crowd[i].status == 75 || !winner);
		winner = crowd[i].status == 0 ? &crowd[i] : winner;
	}
	assert_non_null(winner);
	g_autofree char *wanted = g_strdup_printf(
		"0000:02:00.0: in use by VM '%s', pid %d, since 2", winner->said, winner->pid);
	for (guint i = 0; i < G_N_ELEMENTS(crowd); i++)
		if (&crowd[i] != winner && !strstr(crowd[i].said, wanted))
			fail_msg("'%s' without '%s'", crowd[i].said, wanted);
	forget_crowd(crowd, G_N_ELEMENTS(crowd));
}

/* Alone on the card, by a lock that is none of the product's. */
static int prove_alone(Fixture *f, const char *name)
{
	g_autofree char *path = g_strconcat(f->fs->root, "/alone-", name, NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? fd : -1;
}

static int prepare_and_give_back(Fixture *f, HvrDecision *decision, const char *vm, int out)
{
	const HvrPlanFunction *planned = g_ptr_array_index(decision->plan->functions, 0);
	HvrOwnership ownership = { vm, hvr_process_of(&f->context.host, getpid()) };
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) alone = prove_alone(f, planned->function->name);

	if (alone < 0)
		return say(out, "two on one card"), 1;
	if (planned->found)
		return say(out, "found the card as another has left it"), 2;
	if (!hvr_execute(&f->context, decision->plan, &ownership, NULL, &error))
		return say(out, error->message), 3;
	g_autoptr(GPtrArray) entries = hvr_journal_list(f->context.runtime, NULL);
	g_autoptr(GPtrArray) ours = hvr_giveback_of_vm(entries, vm);
	if (!hvr_giveback(&f->context, ours, HVR_GIVEBACK_RESTORE, &error))
		return say(out, error->message), 4;
	return 0;
}

static int one_of_eight(Fixture *f, guint number, int out)
{
	g_autofree char *vm = g_strdup_printf("vm-%u", number);
	g_autoptr(HvrProfile) profile = load("[device a]\npick = free\n");
	HvrDecideFor whom = { profile->devices, vm, FALSE, HVR_CLAIM_FOREVER };
	int status = 0;

	for (guint i = 0; i < 5 && status == 0; i++) {
		g_auto(HvrDecision) decision = { 0 };
		g_autoptr(GError) error = NULL;
		if (!hvr_decide(&f->context, profile, &whom, &decision, &error))
			return say(out, error->message), 5;
		status = prepare_and_give_back(f, &decision, vm, out);
	}
	return status;
}

/* Eight that wait for four cards, five times each: all get one, no two ever the same. */
static void test_eight_on_four(void **state)
{
	Fixture *f = *state;
	Crowd crowd[8] = { 0 };
	FakeSysfs *fs = f->fs;

	add_cards(fs, 4);
	fake_sysfs_add_driver(fs, "vfio-pci");
	g_autofree char *before = fake_sysfs_snapshot(fs);
	start_crowd(f, crowd, G_N_ELEMENTS(crowd), one_of_eight);
	hear_crowd(crowd, G_N_ELEMENTS(crowd));
	end_crowd(crowd, G_N_ELEMENTS(crowd));
	for (guint i = 0; i < G_N_ELEMENTS(crowd); i++)
		if (crowd[i].status != 0)
			fail_msg("%u: status %d: %s", i, crowd[i].status, crowd[i].said);
	forget_crowd(crowd, G_N_ELEMENTS(crowd));
	g_autofree char *after = fake_sysfs_snapshot(fs);
	assert_string_equal(before, after);
	g_autofree char *run = fake_sysfs_snapshot_run(fs);
	assert_null(strstr(run, "group-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pick_free, setup, teardown),
		cmocka_unit_test_setup_teardown(test_choosiest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_choose, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_or_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_is_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_for_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sixteen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eight_on_four, setup, teardown),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
