/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/state.h"

/*
 * Whole jobs on a fake machine, by the program's own commands: what test-faults.c breaks and
 * test-kill.c cuts. Only the kernel is fake, and QEMU, which is a program that ends at once.
 */

typedef struct {
	const char *name;
	void (*build)(FakeSysfs *fs);
	const char *profile; /* the [device] sections */
	const char *jobs;    /* commands in order: "prepare", "run" and "release" (--all) */
} Scenario;

/* All of them; ends with a NULL name. Each leaves the machine as it was. */
extern const Scenario scenarios[];

typedef struct {
	const Scenario *scenario;
	FakeSysfs *fs;
	HvrProfile *profile;
	char *original;	      /* the snapshot */
	GPtrArray *functions; /* of HvrPciFunction: all endpoints, */
	GPtrArray *states;    /* of HvrPciState: and what they were like */
} Machine;

Machine *machine_new(const Scenario *scenario);
void machine_free(Machine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/* The program's context for one command. The caller closes .runtime. */
HvrContext machine_context(const Machine *machine);

/* The fake /proc has @pid, with a start time of 4711; or no longer. The process that makes a
 * machine is there from the start. */
void machine_show_process(const Machine *machine, pid_t pid);
void machine_hide_process(const Machine *machine, pid_t pid);

/* Runs the scenario's jobs, up to the first that fails. What they tell the user goes to a file. */
gboolean machine_go(Machine *machine, GError **error);
/* One command. */
gboolean machine_do(Machine *machine, const char *job, GError **error);
/* What all commands have told the user since the machine was made. [transfer full] */
char *machine_messages(const Machine *machine);

/*
 * Takes vfio-pci away again, as if it had not been loaded: modules stay, so this is the one thing
 * that a job leaves behind. Does nothing while a function is on it.
 */
void machine_unload(Machine *machine);

/* NULL when the machine is byte for byte what it was and its runtime folder holds no file; else
 * the first line that differs. [transfer full] */
char *machine_difference(Machine *machine);

/* NULL when each function that is not as it was has an entry that says what it was; else what is
 * not so. [transfer full] */
char *machine_unaccounted(Machine *machine);
