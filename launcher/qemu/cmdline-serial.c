/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports of a VM over which a guest talks: the first serial one, and the guest agent's. */
#include "launcher/qemu/cmdline-serial.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline-json.h"

/* The id of the character device behind the serial port. */
#define CONSOLE "hvr-console"

/* [transfer full] */
static char *add_open_file(GPtrArray *argv, int fd)
{
	hvr_cmdline_add(argv, "-add-fd", "fd=%d,set=%d", fd, HVR_FDSET_SERIAL);
	return g_strdup(HVR_FDSET G_STRINGIFY(HVR_FDSET_SERIAL));
}

/* append=on keeps it from truncating the file. */
static void add_console_file(GPtrArray *argv, const HvrProfile *profile, int fd)
{
	g_autofree char *path = NULL;

	if (fd >= 0)
		path = add_open_file(argv, fd);
	else
		path = hvr_cmdline_escape(profile->serial_file);
	hvr_cmdline_add(argv, "-chardev", "file,id=" CONSOLE ",path=%s,append=on", path);
}

/*
 * wait=on: the supervisor is connected already, and is let in before the guest says a word.
 * A file that the user wants is QEMU's to write: it is on a file system of theirs, which may never
 * answer, and it goes on without a supervisor.
 */
static void add_console_port(GPtrArray *argv, const HvrCmdlineChannels *channels)
{
	g_autofree char *path = NULL;

	if (channels->serial >= 0)
		path = add_open_file(argv, channels->serial);
	if (path)
		hvr_cmdline_add(argv, "-chardev",
				"socket,id=" CONSOLE ",fd=%d,server=on,wait=on,logfile=%s,"
				"logappend=on",
				channels->serial_port, path);
	else
		hvr_cmdline_add(argv, "-chardev", "socket,id=" CONSOLE ",fd=%d,server=on,wait=on",
				channels->serial_port);
}

/* Where nobody stays, as the profile says. */
static void add_console_alone(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels)
{
	switch (profile->serial) {
	case HVR_SERIAL_NONE:
		break;
	case HVR_SERIAL_STDIO:
		/* signal=off: Ctrl-C is the guest's. */
		hvr_cmdline_add(argv, "-chardev", "stdio,id=" CONSOLE ",mux=off,signal=off");
		break;
	case HVR_SERIAL_FILE:
		add_console_file(argv, profile, channels->serial);
		break;
	case HVR_SERIAL_SOCKET:
		if (!hvr_cmdline_add_listener(argv, CONSOLE, channels->serial,
					      channels->serial_path))
			hvr_cmdline_add(argv, "-chardev", "null,id=" CONSOLE);
		break;
	}
}

void hvr_cmdline_add_serial(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels)
{
	JsonObject *device;

	if (profile->serial == HVR_SERIAL_NONE)
		return;
	if (channels->serial_port >= 0)
		add_console_port(argv, channels);
	else
		add_console_alone(argv, profile, channels);
	device = json_object_new();
	json_object_set_string_member(device, "driver", hvr_machine_find(profile->machine)->serial);
	json_object_set_string_member(device, "id", "hvr-serial");
	json_object_set_string_member(device, "chardev", CONSOLE);
	hvr_cmdline_add_json(argv, "-device", device);
}

static gboolean are_about(const GPtrArray *words, const char *driver)
{
	for (guint i = 0; i < words->len; i++)
		if (strstr(g_ptr_array_index(words, i), driver))
			return TRUE;
	return FALSE;
}

/* So that a guest which no longer answers tells of it, if its kernel has the driver. It goes on: it
 * may have to dump its memory, or to restart itself. */
static void add_panic(GPtrArray *argv, const HvrProfile *profile)
{
	const char *driver = hvr_machine_find(profile->machine)->panic;

	/* There is one port for it: whoever has their own has it as they want it. */
	if (are_about(profile->qemu_first_args, driver) || are_about(profile->qemu_args, driver))
		return;
	JsonObject *device = json_object_new();
	json_object_set_string_member(device, "driver", driver);
	json_object_set_string_member(device, "id", "hvr-panic");
	hvr_cmdline_add_json(argv, "-device", device);
	hvr_cmdline_add(argv, "-action", "panic=none");
}

void hvr_cmdline_add_agent(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels)
{
	JsonObject *bus, *port;

	if (!profile->guest.agent ||
	    !hvr_cmdline_add_listener(argv, "hvr-agent", channels->agent, channels->agent_path))
		return;
	bus = json_object_new();
	json_object_set_string_member(bus, "driver", "virtio-serial-pci");
	json_object_set_string_member(bus, "id", "hvr-ports");
	hvr_cmdline_add_json(argv, "-device", bus);

	port = json_object_new();
	json_object_set_string_member(port, "driver", "virtserialport");
	json_object_set_string_member(port, "id", "hvr-agent-port");
	json_object_set_string_member(port, "bus", "hvr-ports.0");
	json_object_set_string_member(port, "chardev", "hvr-agent");
	/* The name is the one that qemu-guest-agent looks for in the guest. */
	json_object_set_string_member(port, "name", "org.qemu.guest_agent.0");
	hvr_cmdline_add_json(argv, "-device", port);
	add_panic(argv, profile);
}
