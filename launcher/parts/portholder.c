/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of /proc/net/tcp and its like is (tcp4_seq_show() and udp4_seq_show() in the kernel):
 *
 *   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
 *   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 ...
 *
 * The address is the number as it lies in memory.
 */
#include "launcher/parts/portholder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "launcher/runtime/vm.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* The kernel's states: TCP_LISTEN, and TCP_CLOSE, which is a UDP socket's without a peer. */
#define LISTENING 0x0a
#define UNBOUND	  0x07

/* Words of a line up to the inode. */
#define INODE 9

static gboolean is_at(const char *place, const HvrPort *port, gboolean any_address)
{
	const char *colon = strchr(place, ':');
	in_addr_t address;

	if (!colon || g_ascii_strtoull(colon + 1, NULL, 16) != port->number)
		return FALSE;
	in_addr_t wanted = inet_addr(port->address);
	address = (in_addr_t)g_ascii_strtoull(place, NULL, 16);
	return any_address || address == wanted || address == INADDR_ANY || wanted == INADDR_ANY;
}

/* The number of the socket, where @line is that of one that keeps others from the port; else 0. */
static guint64 read_inode(char *line, const HvrPort *port, gboolean any_address)
{
	char *save = NULL, *words[INODE + 1] = { NULL };
	guint64 state = port->udp ? UNBOUND : LISTENING;

	for (guint i = 0; i <= INODE; i++) {
		words[i] = strtok_r(i == 0 ? line : NULL, " \n", &save);
		if (!words[i])
			return 0;
	}
	if (g_ascii_strtoull(words[3], NULL, 16) != state || !is_at(words[1], port, any_address))
		return 0;
	return g_ascii_strtoull(words[INODE], NULL, 10);
}

static guint64 find_in(const HvrHost *host, const char *path, const HvrPort *port,
		       gboolean any_address)
{
	g_auto(HvrFd) fd = hvr_open_beneath(host->proc, path, O_RDONLY);
	FILE *file = fd >= 0 ? fdopen(fd, "re") : NULL;
	guint64 inode = 0;
	size_t size = 0;
	char *line = NULL;

	if (!file)
		return 0;
	g_steal_fd(&fd); /* fclose() closes it */
	while (inode == 0 && getline(&line, &size, file) >= 0)
		inode = read_inode(line, port, any_address);
	free(line);
	fclose(file);
	return inode;
}

/* One of IPv6 has the port of IPv4 as well, mostly; its address says nothing of that. */
static guint64 find_socket(const HvrHost *host, const HvrPort *port)
{
	guint64 inode = find_in(host, port->udp ? "net/udp" : "net/tcp", port, FALSE);

	if (inode)
		return inode;
	return find_in(host, port->udp ? "net/udp6" : "net/tcp6", port, TRUE);
}

static gboolean has_open(const HvrHost *host, const char *pid, const char *target)
{
	g_autofree char *folder = g_strconcat(pid, "/fd", NULL);
	g_autoptr(GPtrArray) fds = hvr_tree_list(host->proc, folder);
	gboolean found = FALSE;

	for (guint i = 0; i < fds->len && !found; i++) {
		g_autofree char *path = g_strconcat(folder, "/", fds->pdata[i], NULL);
		g_autofree char *link = hvr_tree_link_name(host->proc, path);
		found = g_strcmp0(link, target) == 0;
	}
	return found;
}

/* Returns: 0: nobody whose descriptors we may see */
static pid_t find_process(const HvrHost *host, guint64 inode)
{
	g_autofree char *target = g_strdup_printf("socket:[%" G_GUINT64_FORMAT "]", inode);
	g_autoptr(GPtrArray) names = hvr_tree_list(host->proc, ".");
	guint64 pid = 0;

	for (guint i = 0; i < names->len; i++)
		if (g_ascii_string_to_unsigned(names->pdata[i], 10, 1, G_MAXINT, &pid, NULL) &&
		    has_open(host, names->pdata[i], target))
			return (pid_t)pid;
	return 0;
}

static const char *find_vm(const GPtrArray *vms, pid_t pid)
{
	for (guint i = 0; i < vms->len; i++) {
		const HvrVm *vm = g_ptr_array_index(vms, i);
		if (vm->qemu.pid == pid || vm->supervisor.pid == pid)
			return vm->name;
	}
	return NULL;
}

char *hvr_port_holder(const HvrContext *context, const HvrPort *port)
{
	guint64 inode = find_socket(&context->host, port);
	pid_t pid = 0;

	if (inode)
		pid = find_process(&context->host, inode);
	if (pid == 0)
		return NULL;
	g_autoptr(GPtrArray) vms = hvr_vm_list(context);
	const char *vm = find_vm(vms, pid);
	if (vm)
		return g_strdup_printf("VM '%s'", vm);
	g_autofree char *path = g_strdup_printf("%d/comm", (int)pid);
	g_autofree char *command = hvr_tree_read_line(context->host.proc, path);
	return g_strdup_printf("%s (pid %d)", command ? command : "a process", (int)pid);
}
