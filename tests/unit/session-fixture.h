/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/hotplug.h"
#include "launcher/session/session.h"
#include "tests/fake/qmp-peer.h"
#include "tests/unit/scenarios.h"

/*
 * A VM that runs, without a QEMU: the cards of a scenario are taken on the fake machine, a scripted
 * peer is the monitor, and a process that waits to be killed is QEMU's.
 */
typedef struct {
	Machine *machine;
	FakeSysfs *fs;
	HvrContext context;
	HvrSession *session;
	HvrHotplug *hotplug;
	QmpPeer *peer;
	pid_t qemu;
	GString *told; /* what requests came to, in order: "done\n" or "STATUS MESSAGE\n" */
} VmFixture;

VmFixture *vm_fixture_new(const char *scenario);
void vm_fixture_free(VmFixture *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmFixture, vm_fixture_free)

/* HvrSessionDone that notes it in .told. */
void vm_fixture_done(const GError *error, gpointer fixture);

/* All that can happen now has happened. */
void vm_fixture_turn(VmFixture *f);
/* And what workers do now is done. */
void vm_fixture_settle(VmFixture *f);
/* Until something has been told; what it is, which is forgotten then. [transfer full] */
char *vm_fixture_wait_told(VmFixture *f);
/* QEMU's end, seen by the session. */
void vm_fixture_kill_qemu(VmFixture *f);

/* "hailo", "vfio-pci", or "none" */
void vm_fixture_assert_driver(VmFixture *f, const char *address, const char *driver);
/* The machine is as it was, but for what belongs to a VM that runs on. */
void vm_fixture_assert_given_back(VmFixture *f);
/* The group's lock is held, or free. */
gboolean vm_fixture_is_locked(VmFixture *f, int group);
