/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to vfio-pci and back, as lists of steps: each row is a state and what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vfio/lifecycle.h"

#define C "0000:02:00.0: "

/* The state of a card, in the order of HvrPciState; uid stands for all three of the node. */
typedef struct {
	const char *driver, *override, *reset, *power, *d3cold;
	int uid; /* -1: no node; of uid 0 it is 0:0 0600, else uid:uid 0660 */
} Brief;

#define HOST                                                                                       \
	{                                                                                          \
		"hailo", NULL, "flr bus", "auto", "1", -1                                          \
	}
#define PREPARED                                                                                   \
	{                                                                                          \
		"vfio-pci", "vfio-pci", "", "on", "0", 99                                          \
	}

static HvrPciState *make_state(const Brief *brief)
{
	HvrPciState *state = hvr_pci_state_new();

	state->driver = g_strdup(brief->driver);
	state->driver_override = g_strdup(brief->override);
	state->reset_method = g_strdup(brief->reset);
	state->power_control = g_strdup(brief->power);
	state->d3cold_allowed = g_strdup(brief->d3cold);
	state->has_node = brief->uid >= 0;
	if (state->has_node) {
		state->node_uid = (uid_t)brief->uid;
		state->node_gid = (gid_t)brief->uid;
		state->node_mode = brief->uid == 0 || brief->uid == 99 ? 0600 : 0660;
	}
	return state;
}

static HvrPciFunction card(void)
{
	return (HvrPciFunction){ .address = { .bus = 2 }, .group = 14 };
}

static void assert_steps(const GPtrArray *steps, const char *wanted)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < steps->len; i++) {
		g_autofree char *line = hvr_step_describe(g_ptr_array_index(steps, i));
		g_string_append_printf(text, "%s\n", line);
	}
	assert_string_equal(text->str, wanted);
}

/* Only what is not so yet is done; awake before anything else, the node last. */
static void test_prepare(void **state)
{
	static const struct {
		Brief now;
		const char *reset;
		gboolean own_node;
		const char *steps;
	} cases[] = {
		{ HOST, "", TRUE,
		  C "empty reset_method\n" C "set d3cold_allowed to '0'\n" C
		    "set power/control to 'on'\n" C "set driver_override to 'vfio-pci'\n" C
		    "unbind from hailo\n" C "bind to vfio-pci\n" C "set power/control to 'on'\n" C
		    "give /dev/vfio/14 to 99:99, mode 0600\n" },
		{ HOST, NULL, FALSE,
		  C "set d3cold_allowed to '0'\n" C "set power/control to 'on'\n" C
		    "set driver_override to 'vfio-pci'\n" C "unbind from hailo\n" C
		    "bind to vfio-pci\n" C "set power/control to 'on'\n" },
		{ HOST, "bus", FALSE,
		  C "set reset_method to 'bus'\n" C "set d3cold_allowed to '0'\n" C
		    "set power/control to 'on'\n" C "set driver_override to 'vfio-pci'\n" C
		    "unbind from hailo\n" C "bind to vfio-pci\n" C "set power/control to 'on'\n" },
		{ PREPARED, "", TRUE, "" },
		{ { "vfio-pci", "vfio-pci", "", "on", "0", 7 },
		  "",
		  TRUE,
		  C "give /dev/vfio/14 to 99:99, mode 0600\n" },
		{ { NULL, "vfio-pci", "", "on", "0", -1 },
		  "",
		  FALSE,
		  C "bind to vfio-pci\n" C "set power/control to 'on'\n" },
		{ { NULL, NULL, NULL, NULL, NULL, -1 },
		  "",
		  FALSE,
		  C "set driver_override to 'vfio-pci'\n" C "bind to vfio-pci\n" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = card();
		const HvrPrepare prepare = { cases[i].reset, cases[i].own_node, 99, 99 };
		g_autoptr(HvrPciState) now = make_state(&cases[i].now);
		g_autoptr(GPtrArray) steps = hvr_steps_new();
		hvr_lifecycle_prepare(&function, now, &prepare, steps);
		assert_steps(steps, cases[i].steps);
	}
}

/* From wherever the way was cut; the node first, the attributes last; from the end itself nothing.
 */
static void test_restore(void **state)
{
	static const struct {
		Brief saved, now;
		const char *steps;
	} cases[] = {
		{ HOST, HOST, "" },
		{ HOST, PREPARED,
		  C "empty driver_override\n" C "unbind from vfio-pci\n" C "bind to hailo\n" C
		    "set reset_method to 'flr bus'\n" C "set d3cold_allowed to '1'\n" C
		    "set power/control to 'auto'\n" },
		{ HOST,
		  { NULL, NULL, "", "on", "0", -1 },
		  C "bind to hailo\n" C "set reset_method to 'flr bus'\n" C
		    "set d3cold_allowed to '1'\n" C "set power/control to 'auto'\n" },
		{ HOST,
		  { "hailo", "vfio-pci", "", "auto", "1", -1 },
		  C "empty driver_override\n" C "set reset_method to 'flr bus'\n" },
		{ { NULL, NULL, NULL, "auto", "1", -1 },
		  PREPARED,
		  C "empty driver_override\n" C "unbind from vfio-pci\n" C
		    "set d3cold_allowed to '1'\n" C "set power/control to 'auto'\n" },
		/* Left awake: leaving vfio-pci is what makes it so, but it is written all the same.
		 */
		{ { "hailo", "hailo", "", "on", "0", -1 },
		  PREPARED,
		  C "set driver_override to 'hailo'\n" C "unbind from vfio-pci\n" C
		    "bind to hailo\n" C "set power/control to 'on'\n" },
		{ { "vfio-pci", "vfio-pci", "flr bus", "auto", "1", 7 },
		  PREPARED,
		  C "give /dev/vfio/14 to 7:7, mode 0660\n" C "set reset_method to 'flr bus'\n" C
		    "set d3cold_allowed to '1'\n" C "set power/control to 'auto'\n" },
		{ { "hailo", NULL, "flr bus", NULL, "1", -1 },
		  { "hailo", NULL, NULL, "on", NULL, -1 },
		  "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = card();
		g_autoptr(HvrPciState) saved = make_state(&cases[i].saved);
		g_autoptr(HvrPciState) now = make_state(&cases[i].now);
		g_autoptr(GPtrArray) steps = hvr_steps_new();
		const HvrRestore restore = { .saved = saved, .now = now };
		hvr_lifecycle_restore(&function, &restore, steps);
		assert_steps(steps, cases[i].steps);
	}
}

/* The host's driver is gone: off vfio-pci, and what the kernel has then; but a driver that somebody
 * has given it since keeps it. */
static void test_restore_driver_gone(void **state)
{
	static const struct {
		Brief now;
		const char *steps;
	} cases[] = {
		{ PREPARED, C "empty driver_override\n" C "unbind from vfio-pci\n" C
			      "ask the kernel for a driver\n" C "set reset_method to 'flr bus'\n" C
			      "set d3cold_allowed to '1'\n" C "set power/control to 'auto'\n" },
		{ { NULL, NULL, "flr bus", "on", "1", -1 },
		  C "ask the kernel for a driver\n" C "set power/control to 'auto'\n" },
		{ { "other", NULL, "flr bus", "auto", "1", -1 }, "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = card();
		const Brief host = HOST;
		g_autoptr(HvrPciState) saved = make_state(&host);
		g_autoptr(HvrPciState) now = make_state(&cases[i].now);
		g_autoptr(GPtrArray) steps = hvr_steps_new();
		const HvrRestore restore = { saved, now, TRUE };
		hvr_lifecycle_restore(&function, &restore, steps);
		assert_steps(steps, cases[i].steps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_driver_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
