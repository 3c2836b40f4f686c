/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cloud-init's vendor-data, as JSON: which is YAML with less to get wrong.
 *
 * A user is given as another name for the image's own one ("user", merged over the default_user of
 * the distribution: normalize_users_groups() in cloudinit/distros/ug_util.py), who has sudo, a
 * shell, and the keys of meta-data.
 *
 * Debian's and Ubuntu's packages do not start the agent (deb-systemd-invoke: "a disabled or a
 * static unit"): udev does so when the port appears, which is at the next boot.
 */
#include "launcher/parts/vendor.h"

#include <json-glib/json-glib.h>

#define AGENT "qemu-guest-agent"
#define GETTY "serial-getty@ttyS0.service"

/* Takes the words as one command, which no shell reads. */
static void add_command(JsonArray *commands, const char *const *words)
{
	JsonArray *command = json_array_new();

	for (; *words; words++)
		json_array_add_string_element(command, *words);
	json_array_add_array_element(commands, command);
}

static void add_user(JsonObject *config, const char *name)
{
	JsonObject *user = json_object_new();

	json_object_set_string_member(user, "name", name);
	json_object_set_object_member(config, "user", user);
}

/* As systemd's own unit has it, but for the login.
 *
 * By bootcmd, in cloud-init's network stage, which ends before systemd-user-sessions.service, and
 * so before the first getty (cloud-init-network.service, serial-getty@.service). What runcmd asks
 * for is done behind the packages: until then, for minutes, there would be a login prompt for a
 * user who has no password, and then a new getty under whoever is at work. */
static void add_autologin(JsonObject *config, const char *name)
{
	static const char folder[] = "/etc/systemd/system/" GETTY ".d";
	static const char script[] =
		"mkdir -p \"$1\" && printf %s \"$2\" > \"$1/autologin.conf\" && "
		"systemctl daemon-reload";
	JsonArray *commands = json_array_new();
	g_autofree char *content =
		g_strdup_printf("[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin %s "
				"--keep-baud 115200,57600,38400,9600 %%I $TERM\n",
				name);
	const char *const words[] = { "cloud-init-per", "instance", "autologin", "sh",	  "-c",
				      script,		"sh",	    folder,	 content, NULL };

	add_command(commands, words);
	json_object_set_array_member(config, "bootcmd", commands);
}

static void add_agent(JsonObject *config, JsonArray *commands)
{
	static const char *const start[] = { "systemctl", "start", AGENT, NULL };
	JsonArray *packages = json_array_new();

	json_array_add_string_element(packages, AGENT);
	json_object_set_boolean_member(config, "package_update", TRUE);
	json_object_set_array_member(config, "packages", packages);
	add_command(commands, start);
}

char *hvr_vendor_data(const HvrProfileSeed *seed)
{
	g_autoptr(JsonObject) config = json_object_new();
	g_autoptr(JsonArray) commands = json_array_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	if (!seed->user && !seed->agent)
		return NULL;
	if (seed->user)
		add_user(config, seed->user);
	if (seed->autologin)
		add_autologin(config, seed->user);
	if (seed->agent)
		add_agent(config, commands);
	if (json_array_get_length(commands))
		json_object_set_array_member(config, "runcmd", json_array_ref(commands));
	json_node_set_object(node, config);
	text = json_to_string(node, FALSE);
	return g_strconcat("#cloud-config\n", text, "\n", NULL);
}
