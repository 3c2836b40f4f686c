/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of a running VM. Who is alive is asked of the kernel, never read from the record.
 */
#include "launcher/runtime/vm.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/nearest.h"
#include "launcher/report/text.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define GROUP_VM      "vm"
#define DEVICE_PREFIX "device "
#define KEY_FORWARDS  "forwards"

/* What is kept as the text that it is. */
static const struct {
	const char *key;
	gsize offset; /* in HvrVm */
} texts[] = {
	{ "profile", G_STRUCT_OFFSET(HvrVm, profile) },
	{ "user", G_STRUCT_OFFSET(HvrVm, user) },
	{ "by", G_STRUCT_OFFSET(HvrVm, by) },
	{ "job", G_STRUCT_OFFSET(HvrVm, job) },
	{ "serial", G_STRUCT_OFFSET(HvrVm, serial) },
	{ "serial_file", G_STRUCT_OFFSET(HvrVm, serial_file) },
	{ "screen", G_STRUCT_OFFSET(HvrVm, screen) },
	{ "ssh_address", G_STRUCT_OFFSET(HvrVm, ssh_address) },
	{ "ssh_user", G_STRUCT_OFFSET(HvrVm, ssh_user) },
	{ "hailort_min", G_STRUCT_OFFSET(HvrVm, hailort_min) },
};

HvrVmDevice *hvr_vm_device_new(const char *id, const char *section, const char *address,
			       const char *port, int group)
{
	HvrVmDevice *device = g_new0(HvrVmDevice, 1);

	device->id = g_strdup(id);
	device->section = g_strdup(section);
	device->address = g_strdup(address);
	device->port = g_strdup(port);
	device->group = group;
	device->in_vm = TRUE;
	return device;
}

static void device_free(gpointer data)
{
	HvrVmDevice *device = data;

	g_free(device->id);
	g_free(device->section);
	g_free(device->address);
	g_free(device->port);
	g_free(device);
}

HvrVmForward *hvr_vm_forward_new(gboolean udp, const char *address, guint port, guint guest_port)
{
	HvrVmForward *forward = g_new(HvrVmForward, 1);

	*forward = (HvrVmForward){
		.udp = udp, .address = g_strdup(address), .port = port, .guest_port = guest_port
	};
	return forward;
}

static void forward_free(gpointer data)
{
	HvrVmForward *forward = data;

	g_free(forward->address);
	g_free(forward);
}

char *hvr_vm_forward_text(const HvrVmForward *forward)
{
	return g_strdup_printf("%s:%s:%u-%u", forward->udp ? "udp" : "tcp", forward->address,
			       forward->port, forward->guest_port);
}

HvrVm *hvr_vm_new(const char *name)
{
	HvrVm *vm = g_new0(HvrVm, 1);

	vm->name = g_strdup(name);
	vm->devices = g_ptr_array_new_with_free_func(device_free);
	vm->forwards = g_ptr_array_new_with_free_func(forward_free);
	return vm;
}

void hvr_vm_free(HvrVm *vm)
{
	if (!vm)
		return;
	g_free(vm->name);
	g_free(vm->profile);
	g_free(vm->user);
	g_free(vm->by);
	g_free(vm->job);
	g_free(vm->serial);
	g_free(vm->serial_file);
	g_free(vm->screen);
	g_free(vm->ssh_address);
	g_free(vm->ssh_user);
	g_free(vm->hailort_min);
	g_ptr_array_unref(vm->devices);
	g_ptr_array_unref(vm->forwards);
	g_free(vm);
}

int hvr_vm_open_folder(int runtime, const char *name)
{
	g_autofree char *path = g_strconcat("vms/", name, NULL);
	return hvr_open_beneath(runtime, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

int hvr_vm_open_log(int folder)
{
	return openat(folder, HVR_VM_LOG, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      0600);
}

gboolean hvr_vm_keeps_group(const HvrVm *vm, int group)
{
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		if (device->keep && device->group == group)
			return TRUE;
	}
	return FALSE;
}

GPtrArray *hvr_vm_folders(int runtime)
{
	return hvr_tree_list(runtime, "vms");
}

static void remove_inner(int folder, const char *name)
{
	g_auto(HvrFd) inner = hvr_open_beneath(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	g_autoptr(GPtrArray) names = NULL;

	if (inner < 0)
		return;
	names = hvr_tree_list(inner, ".");
	for (guint i = 0; i < names->len; i++)
		unlinkat(inner, g_ptr_array_index(names, i), 0);
	unlinkat(folder, name, AT_REMOVEDIR);
}

void hvr_vm_empty_folder(int folder, const char *const *but)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");

	for (guint i = 0; i < names->len; i++)
		if (!but || !g_strv_contains(but, g_ptr_array_index(names, i)))
			unlinkat(folder, g_ptr_array_index(names, i), 0);
	if (!but || !g_strv_contains(but, HVR_VM_TPM))
		remove_inner(folder, HVR_VM_TPM);
}

int hvr_vm_make_folder(int runtime, const char *name, GError **error)
{
	g_auto(HvrFd) vms = hvr_runtime_open_folder(runtime, "vms", error);
	if (vms < 0)
		return -1;
	g_auto(HvrFd) folder = hvr_runtime_open_folder(vms, name, error);
	if (folder < 0)
		return -1;
	hvr_vm_empty_folder(folder, NULL);
	return g_steal_fd(&folder);
}

void hvr_vm_remove_folder(int runtime, const char *name)
{
	g_autofree char *path = g_strconcat("vms/", name, NULL);
	g_auto(HvrFd) folder = hvr_vm_open_folder(runtime, name);

	if (folder < 0)
		return;
	hvr_vm_empty_folder(folder, NULL);
	unlinkat(runtime, path, AT_REMOVEDIR);
}

static void set_process(GKeyFile *file, const char *key, const HvrProcess *process)
{
	g_autofree char *text =
		g_strdup_printf("%d %" G_GUINT64_FORMAT, (int)process->pid, process->start_time);
	g_key_file_set_string(file, GROUP_VM, key, text);
}

static void get_process(GKeyFile *file, const char *key, HvrProcess *process)
{
	g_autofree char *text = g_key_file_get_string(file, GROUP_VM, key, NULL);
	guint64 pid = 0, start_time = 0;

	if (!text)
		return;
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	if (g_strv_length(words) == 2 &&
	    g_ascii_string_to_unsigned(words[0], 10, 0, G_MAXINT32, &pid, NULL) &&
	    g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &start_time, NULL))
		*process = (HvrProcess){ .pid = (pid_t)pid, .start_time = start_time };
}

static void set_device(GKeyFile *file, const HvrVmDevice *device)
{
	g_autofree char *group = g_strconcat(DEVICE_PREFIX, device->id, NULL);

	g_key_file_set_string(file, group, "section", device->section);
	g_key_file_set_string(file, group, "address", device->address);
	g_key_file_set_string(file, group, "port", device->port);
	g_key_file_set_integer(file, group, "function", (int)device->function);
	g_key_file_set_uint64(file, group, "prefetchable", device->prefetchable);
	g_key_file_set_uint64(file, group, "memory", device->memory);
	g_key_file_set_integer(file, group, "group", device->group);
	g_key_file_set_boolean(file, group, "keep", device->keep);
	g_key_file_set_boolean(file, group, "in_vm", device->in_vm);
}

static void get_device(GKeyFile *file, const char *group, HvrVm *vm)
{
	g_autofree char *section = g_key_file_get_string(file, group, "section", NULL);
	g_autofree char *address = g_key_file_get_string(file, group, "address", NULL);
	g_autofree char *port = g_key_file_get_string(file, group, "port", NULL);

	if (!section || !address || !port)
		return;
	HvrVmDevice *device =
		hvr_vm_device_new(group + strlen(DEVICE_PREFIX), section, address, port,
				  g_key_file_get_integer(file, group, "group", NULL));
	device->prefetchable = g_key_file_get_uint64(file, group, "prefetchable", NULL);
	device->memory = g_key_file_get_uint64(file, group, "memory", NULL);
	device->function = (guint)g_key_file_get_integer(file, group, "function", NULL);
	device->keep = g_key_file_get_boolean(file, group, "keep", NULL);
	device->in_vm = g_key_file_get_boolean(file, group, "in_vm", NULL);
	g_ptr_array_add(vm->devices, device);
}

static void set_forwards(GKeyFile *file, const GPtrArray *forwards)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < forwards->len; i++)
		g_ptr_array_add(all, hvr_vm_forward_text(g_ptr_array_index(forwards, i)));
	if (all->len)
		g_key_file_set_string_list(file, GROUP_VM, KEY_FORWARDS,
					   (const char *const *)all->pdata, all->len);
}

/* What is not as hvr_vm_forward_text() makes it is not taken. */
static void get_forwards(GKeyFile *file, GPtrArray *forwards)
{
	g_auto(GStrv) all = g_key_file_get_string_list(file, GROUP_VM, KEY_FORWARDS, NULL, NULL);

	for (guint i = 0; all && all[i]; i++) {
		g_auto(GStrv) parts = g_strsplit_set(all[i], ":-", 4);
		guint64 port = 0, guest_port = 0;
		if (g_strv_length(parts) == 4 &&
		    g_ascii_string_to_unsigned(parts[2], 10, 1, G_MAXUINT16, &port, NULL) &&
		    g_ascii_string_to_unsigned(parts[3], 10, 1, G_MAXUINT16, &guest_port, NULL))
			g_ptr_array_add(forwards,
					hvr_vm_forward_new(g_str_equal(parts[0], "udp"), parts[1],
							   (guint)port, (guint)guest_port));
	}
}

gboolean hvr_vm_write(int folder, const HvrVm *vm, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	g_key_file_set_string(file, GROUP_VM, "name", vm->name);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *text = G_STRUCT_MEMBER(char *, vm, texts[i].offset);
		if (text)
			g_key_file_set_string(file, GROUP_VM, texts[i].key, text);
	}
	set_forwards(file, vm->forwards);
	g_key_file_set_integer(file, GROUP_VM, "ssh_port", (int)vm->ssh_port);
	g_key_file_set_boolean(file, GROUP_VM, "ready_set", vm->ready_set);
	g_key_file_set_boolean(file, GROUP_VM, "ready", vm->ready);
	g_key_file_set_boolean(file, GROUP_VM, "panicked", vm->panicked);
	g_key_file_set_boolean(file, GROUP_VM, "paused", vm->paused);
	set_process(file, "supervisor", &vm->supervisor);
	set_process(file, "qemu", &vm->qemu);
	g_key_file_set_int64(file, GROUP_VM, "since", vm->since);
	for (guint i = 0; i < vm->devices->len; i++)
		set_device(file, g_ptr_array_index(vm->devices, i));
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	return hvr_runtime_replace(folder, HVR_VM_RECORD, text, error);
}

gboolean hvr_vm_name_valid(const char *name)
{
	gsize length = strlen(name);

	return length > 0 && length <= 63 && name[0] != '-' &&
	       strspn(name, G_CSET_a_2_z G_CSET_DIGITS "-") == length;
}

HvrVm *hvr_vm_parse(const char *name, const char *text)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return NULL;
	HvrVm *vm = hvr_vm_new(name);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		G_STRUCT_MEMBER(char *, vm, texts[i].offset) =
			g_key_file_get_string(file, GROUP_VM, texts[i].key, NULL);
	get_forwards(file, vm->forwards);
	vm->ssh_port = (guint)g_key_file_get_integer(file, GROUP_VM, "ssh_port", NULL);
	vm->ready_set = g_key_file_get_boolean(file, GROUP_VM, "ready_set", NULL);
	vm->ready = g_key_file_get_boolean(file, GROUP_VM, "ready", NULL);
	vm->panicked = g_key_file_get_boolean(file, GROUP_VM, "panicked", NULL);
	vm->paused = g_key_file_get_boolean(file, GROUP_VM, "paused", NULL);
	vm->since = g_key_file_get_int64(file, GROUP_VM, "since", NULL);
	get_process(file, "supervisor", &vm->supervisor);
	get_process(file, "qemu", &vm->qemu);
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (guint i = 0; groups[i]; i++)
		if (g_str_has_prefix(groups[i], DEVICE_PREFIX))
			get_device(file, groups[i], vm);
	return vm;
}

/* With all its cards and ports it is longer than what hvr_tree_read() takes. */
HvrVm *hvr_vm_look(const HvrContext *context, const char *name)
{
	g_autofree char *path = g_strdup_printf("vms/%s/" HVR_VM_RECORD, name);
	g_auto(HvrFd) fd = hvr_open_beneath(context->runtime, path, O_RDONLY | O_NONBLOCK);
	g_autofree char *text = g_malloc(HVR_VM_RECORD_MAX + 1);
	gssize length = fd >= 0 ? hvr_fd_read_all(fd, text, HVR_VM_RECORD_MAX) : -1;

	if (length < 0)
		return NULL;
	text[length] = '\0';
	return hvr_vm_parse(name, text);
}

gboolean hvr_vm_is_alive(const HvrContext *context, const HvrVm *vm)
{
	return hvr_process_alive(&context->host, &vm->qemu) ||
	       hvr_process_alive(&context->host, &vm->supervisor);
}

GPtrArray *hvr_vm_list(const HvrContext *context)
{
	GPtrArray *vms = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_vm_free);

	if (context->runtime < 0)
		return vms;
	g_autoptr(GPtrArray) names = hvr_vm_folders(context->runtime);
	for (guint i = 0; i < names->len; i++) {
		HvrVm *vm = hvr_vm_look(context, g_ptr_array_index(names, i));
		if (vm && hvr_vm_is_alive(context, vm))
			g_ptr_array_add(vms, vm);
		else
			hvr_vm_free(vm);
	}
	return vms;
}

static void hint_running(const HvrContext *context, const char *word, GError **error)
{
	g_autoptr(GPtrArray) vms = hvr_vm_list(context);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *name = g_path_get_basename(word);

	for (guint i = 0; i < vms->len; i++)
		g_ptr_array_add(names, ((const HvrVm *)vms->pdata[i])->name);
	g_ptr_array_add(names, NULL);
	/* who has written the profile's file means its VM */
	if (g_str_has_suffix(name, ".ini"))
		name[strlen(name) - strlen(".ini")] = '\0';
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	hvr_nearest_hint(error, name, (const char *const *)names->pdata);
	if (vms->len > 0)
		hvr_error_hint(error, "running: %s", all);
	else
		hvr_error_hint(error, "no VM is running");
}

HvrVm *hvr_vm_read(const HvrContext *context, const char *name, GError **error)
{
	g_autoptr(HvrVm) vm = NULL;

	if (!hvr_vm_name_valid(name)) {
		g_autofree char *shown = hvr_text_safe(name);
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "'%s' is no VM name",
			    shown);
		hint_running(context, name, error);
		return NULL;
	}
	if (context->runtime >= 0)
		vm = hvr_vm_look(context, name);
	if (vm && hvr_vm_is_alive(context, vm))
		return g_steal_pointer(&vm);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "no VM named '%s' is running", name);
	hint_running(context, name, error);
	return NULL;
}
