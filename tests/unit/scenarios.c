/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines and what is done to them.
 *
 * The jobs are hvr_run() and "release --all", whole: the same code as behind the command
 * line, so a step that they gain is broken and cut by the tests without being told. QEMU is
 * /bin/true: it is started as nobody, with its descriptors, and ends.
 */
#include "tests/unit/scenarios.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/dispatch.h"
#include "launcher/profile/read.h"
#include "launcher/runtime/journal.h"
#include "launcher/session/run.h"
#include "vfio/fd.h"
#include "vfio/inventory.h"
#include "vfio/tree.h"

#define PORT  "0000:00:1c.4"
#define CARD  "0000:02:00.0"
#define NIC   "0000:02:00.1"
#define STILL "0000:02:00.2"

#define PROFILE_HEAD                                                                               \
	"[vm]\nname = lab\nmemory = 64M\naccel = tcg\n"                                            \
	"[qemu]\nbinary = /bin/true\n[security]\nuser = nobody\n"

static void build_card(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, PORT, CARD, 14, 0);
}

static void build_two_cards(FakeSysfs *fs)
{
	build_card(fs);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:03:00.0", 15, 1);
}

/* Others had the first nodes when these came. */
static void build_late_nodes(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, PORT, CARD, 14, 2);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:03:00.0", 15, 10);
}

/* A card and a network card behind a bridge that isolates nothing, and a function that nobody
 * has. */
static void build_century(FakeSysfs *fs)
{
	const FakeFunction nic = { .parent = PORT,
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 14,
				   .driver = "igb",
				   .reset_method = "flr pm",
				   .power_control = "on" };
	const FakeFunction still = { .parent = PORT,
				     .vendor = 0x8086,
				     .device = 0x1534,
				     .class_code = 0x020000,
				     .group = 14 };

	build_card(fs);
	fake_sysfs_add_function(fs, NIC, &nic);
	fake_sysfs_add_interface(fs, NIC, "eth0");
	fake_sysfs_add_function(fs, STILL, &still);
}

/* The host keeps the card on vfio-pci, for a program of its own that runs as another user. */
static void build_on_vfio(FakeSysfs *fs)
{
	const FakeFunction bridge = { .group = 114 };
	const FakeFunction card = { .parent = PORT,
				    .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .driver = "vfio-pci",
				    .native = "hailo",
				    .driver_override = "vfio-pci",
				    .reset_method = "flr bus",
				    .d3cold_allowed = "0" };
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);

	fake_sysfs_add_driver(fs, "hailo");
	fake_sysfs_add_bridge(fs, PORT, &bridge);
	fake_sysfs_add_function(fs, CARD, &card);
	if (chown(node, 1234, 2345) < 0)
		g_error("cannot own '%s'", node);
}

/* Awake for good, with an override of the host's own. */
static void build_with_override(FakeSysfs *fs)
{
	const FakeFunction bridge = { .group = 114 };
	const FakeFunction card = { .parent = PORT,
				    .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .driver = "hailo",
				    .driver_override = "hailo",
				    .reset_method = "bus",
				    .power_control = "on" };

	fake_sysfs_add_bridge(fs, PORT, &bridge);
	fake_sysfs_add_function(fs, CARD, &card);
}

/* On no driver at all: there is none to go back to. */
static void build_unbound(FakeSysfs *fs)
{
	const FakeFunction card = { .vendor = 0x1e60,
				    .device = 0x2864,
				    .class_code = 0x0b4000,
				    .group = 14,
				    .native = "hailo" };

	fake_sysfs_add_function(fs, CARD, &card);
}

const Scenario scenarios[] = {
	{ "card", build_card, "[device npu]\n", "run" },
	{ "two cards", build_two_cards,
	  "[device a]\naddress = 0000:02:00.0\n[device b]\naddress = 0000:03:00.0\n", "run" },
	{ "two cards, late nodes", build_late_nodes,
	  "[device a]\naddress = 0000:02:00.0\n[device b]\naddress = 0000:03:00.0\n", "run" },
	{ "century, bind", build_century, "[device npu]\ngroup = bind\n", "run" },
	{ "century, pass", build_century, "[device npu]\ngroup = pass\n", "run" },
	{ "one slot, two groups", build_two_cards,
	  "[device a]\naddress = 0000:02:00.0\n[device b]\naddress = 0000:03:00.0\nwith = a\n",
	  "run" },
	{ "one slot, one group", build_century,
	  "[device npu]\naddress = 0000:02:00.0\ngroup = pass\n"
	  "[device nic]\naddress = 0000:02:00.1\nwith = npu\ngroup = pass\n",
	  "run" },
	{ "on vfio-pci", build_on_vfio, "[device npu]\n", "run" },
	{ "with an override", build_with_override, "[device npu]\nreset = bus\n", "run" },
	{ "unbound", build_unbound, "[device npu]\n", "run" },
	{ "prepared", build_card, "[device npu]\n", "prepare release" },
	{ "prepared, then run", build_card, "[device npu]\n", "prepare run" },
	{ "kept", build_century, "[device npu]\ngroup = bind\nafter = keep\n", "run release" },
	{ NULL },
};

static HvrProfile *make_profile(const Scenario *scenario)
{
	g_autofree char *text = g_strconcat(PROFILE_HEAD, scenario->profile, NULL);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		g_error("%s: %s", scenario->name, error->message);
	return profile;
}

static void function_free(HvrPciFunction *function)
{
	g_free(function->driver);
	g_free(function);
}

/* The endpoints and their states, kept apart from the inventory that they were found in. */
static void remember_functions(Machine *machine)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&machine->fs->host, NULL);
	const GPtrArray *all = hvr_inventory_functions(inventory);

	machine->functions = g_ptr_array_new_with_free_func((GDestroyNotify)function_free);
	machine->states = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_pci_state_free);
	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (hvr_pci_function_is_bridge(function))
			continue;
		HvrPciFunction *copy = g_new(HvrPciFunction, 1);
		*copy = *function;
		copy->path = NULL;
		copy->driver = g_strdup(function->driver);
		g_ptr_array_add(machine->functions, copy);
		g_ptr_array_add(machine->states,
				hvr_pci_state_read(&machine->fs->host, copy, NULL));
	}
}

Machine *machine_new(const Scenario *scenario)
{
	Machine *machine = g_new0(Machine, 1);

	machine->scenario = scenario;
	machine->fs = fake_sysfs_new();
	scenario->build(machine->fs);
	machine->profile = make_profile(scenario);
	machine->original = fake_sysfs_snapshot(machine->fs);
	remember_functions(machine);
	machine_show_process(machine, getpid());
	return machine;
}

void machine_free(Machine *machine)
{
	if (!machine)
		return;
	hvr_profile_free(machine->profile);
	g_ptr_array_unref(machine->functions);
	g_ptr_array_unref(machine->states);
	fake_sysfs_free(machine->fs);
	g_free(machine->original);
	g_free(machine);
}

HvrContext machine_context(const Machine *machine)
{
	return (HvrContext){ .host = machine->fs->host,
			     .runtime = -1,
			     .runtime_parent = machine->fs->host.run,
			     .privileged = TRUE,
			     .memlock_max = G_MAXUINT64,
			     .answer_ms = 10, /* /bin/true has no more to say after that */
			     .runtime_path = "/run/hailo-vm-run",
			     .system_config = "/nowhere" };
}

void machine_show_process(const Machine *machine, pid_t pid)
{
	g_autofree char *path = g_strdup_printf("proc/%d/stat", (int)pid);

	fake_sysfs_put_file(machine->fs, path,
			    "1 (hailo) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0\n");
}

void machine_hide_process(const Machine *machine, pid_t pid)
{
	g_autofree char *path = g_strdup_printf("proc/%d", (int)pid);

	fake_sysfs_remove_file(machine->fs, path);
}

/* What is looked at here is the card's way to a QEMU and back, and that has been gone. */
#define AS_TRUE_ENDS "QEMU ended with status 0 before there was a VM"

static gboolean do_in(HvrContext *context, const HvrProfile *profile, const char *job,
		      GError **error)
{
	HvrRunOptions how = { .mode = HVR_RUN_SUPERVISE, .ready_fd = -1 };
	char *words[] = { (char *)"release", (char *)"--all", NULL };

	if (g_str_equal(job, "release"))
		return hvr_dispatch(context, words, error) == 0;
	if (g_str_equal(job, "prepare"))
		how.mode = HVR_RUN_PREPARE;
	g_autoptr(GError) end = NULL;
	if (hvr_run(context, profile, &how, &end) || strstr(end->message, AS_TRUE_ENDS))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&end));
	return FALSE;
}

gboolean machine_do(Machine *machine, const char *job, GError **error)
{
	g_autofree char *path = g_strconcat(machine->fs->root, "/messages", NULL);
	HvrContext context = machine_context(machine);
	int own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(file, STDERR_FILENO);
	gboolean well = do_in(&context, machine->profile, job, error);
	dup2(own_stderr, STDERR_FILENO);
	hvr_fd_close(file);
	hvr_fd_close(own_stderr);
	hvr_fd_close(context.runtime);
	return well;
}

gboolean machine_go(Machine *machine, GError **error)
{
	g_auto(GStrv) jobs = g_strsplit(machine->scenario->jobs, " ", -1);

	for (guint i = 0; jobs[i]; i++)
		if (!machine_do(machine, jobs[i], error))
			return FALSE;
	return TRUE;
}

char *machine_messages(const Machine *machine)
{
	return fake_sysfs_text(machine->fs, "messages");
}

static gboolean vfio_pci_has_function(const Machine *machine)
{
	g_autoptr(GPtrArray) names =
		hvr_tree_list(machine->fs->host.sys, "bus/pci/drivers/vfio-pci");

	for (guint i = 0; i < names->len; i++)
		if (strchr(g_ptr_array_index(names, i), ':'))
			return TRUE;
	return FALSE;
}

void machine_unload(Machine *machine)
{
	if (strstr(machine->original, " sys/bus/pci/drivers/vfio-pci ") ||
	    vfio_pci_has_function(machine))
		return;
	fake_sysfs_remove_file(machine->fs, "sys/bus/pci/drivers/vfio-pci");
	fake_sysfs_remove_file(machine->fs, "sys/module/vfio");
	fake_sysfs_remove_file(machine->fs, "sys/module/vfio_pci");
	fake_sysfs_remove_file(machine->fs, "dev/vfio/vfio");
	/* The folder comes with the module. What else is in it would show as a difference. */
	g_autofree char *folder = g_strconcat(machine->fs->root, "/dev/vfio", NULL);
	(void)rmdir(folder);
}

/* A file, a link or a socket: "100600 0:0 run/...". Folders may stay. */
static char *first_file(const char *snapshot)
{
	g_auto(GStrv) lines = g_strsplit(snapshot, "\n", -1);

	for (guint i = 0; lines[i] && *lines[i]; i++)
		if (!g_str_has_prefix(lines[i], "04") &&
		    !strstr(lines[i], " run/hailo-vm-run/ended/"))
			return g_strdup_printf("left behind: %s", lines[i]);
	return NULL;
}

char *machine_difference(Machine *machine)
{
	g_autofree char *now = fake_sysfs_snapshot(machine->fs);
	g_autofree char *run = fake_sysfs_snapshot_run(machine->fs);

	if (strcmp(machine->original, now) == 0)
		return first_file(run);
	g_auto(GStrv) was = g_strsplit(machine->original, "\n", -1);
	g_auto(GStrv) is = g_strsplit(now, "\n", -1);
	guint i = 0;
	while (was[i] && is[i] && g_str_equal(was[i], is[i]))
		i++;
	return g_strdup_printf("was: %s\nis: %s", was[i], is[i]);
}

static gboolean states_equal(const HvrPciState *a, const HvrPciState *b)
{
	return g_strcmp0(a->driver, b->driver) == 0 &&
	       g_strcmp0(a->driver_override, b->driver_override) == 0 &&
	       g_strcmp0(a->reset_method, b->reset_method) == 0 &&
	       g_strcmp0(a->power_control, b->power_control) == 0 &&
	       g_strcmp0(a->d3cold_allowed, b->d3cold_allowed) == 0 &&
	       g_strcmp0(a->devnode, b->devnode) == 0 && a->has_node == b->has_node &&
	       a->node_uid == b->node_uid && a->node_gid == b->node_gid &&
	       a->node_mode == b->node_mode;
}

/* The node is the group's: that it is there says nothing of this function. */
static gboolean is_as_it_was(const HvrPciState *now, const HvrPciState *was)
{
	g_autoptr(HvrPciState) copy = hvr_pci_state_copy(now);

	if (!was->has_node) {
		copy->has_node = FALSE;
		copy->node_uid = was->node_uid;
		copy->node_gid = was->node_gid;
		copy->node_mode = was->node_mode;
	}
	return states_equal(copy, was);
}

char *machine_unaccounted(Machine *machine)
{
	HvrContext context = machine_context(machine);

	hvr_context_open_runtime(&context, TRUE, NULL);
	g_autoptr(GPtrArray) damaged = NULL;
	g_autoptr(GPtrArray) entries = hvr_journal_list(context.runtime, &damaged);
	hvr_fd_close(context.runtime);
	if (damaged->len)
		return g_strdup(g_ptr_array_index(damaged, 0));
	for (guint i = 0; i < machine->functions->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(machine->functions, i);
		const HvrPciState *was = g_ptr_array_index(machine->states, i);
		g_autoptr(HvrPciState) now = hvr_pci_state_read(&machine->fs->host, function, NULL);
		const HvrJournalEntry *entry = hvr_journal_find(entries, &function->address);
		if (!entry && !is_as_it_was(now, was))
			return g_strdup_printf("%s: changed, and no entry", function->name);
		if (entry && !states_equal(entry->saved, was))
			return g_strdup_printf("%s: its entry is wrong", function->name);
	}
	return NULL;
}
