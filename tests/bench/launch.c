/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What does hailo-vm-run cost beside QEMU?
 *
 * A round starts `hailo-vm-run run PROFILE`, and then QEMU alone with the very same argv: the
 * words are read from /proc of the QEMU that the first run started, and the descriptors that they
 * name are made under the same numbers. Both are timed from fork until query-status is answered.
 * Rounds are interleaved and compared pair by pair, since a machine's speed drifts.
 *
 *	bench-launch PROGRAM PROFILE ROUNDS [DEVICE ADDRESS]
 *
 * With a device, and a profile that says when the guest is ready, it measures instead the time
 * from DEVICE_DELETED, as another monitor of that QEMU hears it, to the kernel's "bind" event of
 * the host driver. Needs root for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_S 10

/* A running VM of either kind. */
typedef struct {
	pid_t pid;	/* the supervisor, or QEMU alone */
	pid_t qemu_pid; /* of a supervised VM */
	int monitor;	/* bare: our end of the private monitor */
	int messages;	/* supervised: its standard error */
	double start_ms;
} Vm;

/* What a bare QEMU is started with: read from a supervised one. */
typedef struct {
	char *path;
	char **argv;
	int private_fd; /* "-chardev socket,id=hvr-qmp0,fd=N" */
	GArray *fds;	/* all that it inherited beyond 2 */
} Recipe;

static const char *program, *profile;

static G_NORETURN void die(const char *what)
{
	fprintf(stderr, "bench-launch: %s: %s\n", what, g_strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000.0;
}

/* Reads from @fd until @needle has come; returns all of it. */
static char *read_until(int fd, const char *needle)
{
	GString *text = g_string_new(NULL);
	char bytes[4096];

	while (!strstr(text->str, needle)) {
		ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n <= 0) {
			fprintf(stderr, "bench-launch: no '%s' in: %s\n", needle, text->str);
			exit(1);
		}
		g_string_append_len(text, bytes, n);
	}
	return g_string_free(text, FALSE);
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		die("write");
}

/* Greeting, negotiation and one command, as the supervisor does it. */
static void converse(int fd)
{
	g_free(read_until(fd, "\"QMP\""));
	say(fd, "{\"execute\":\"qmp_capabilities\"}\n");
	g_free(read_until(fd, "\"return\""));
	say(fd, "{\"execute\":\"query-status\"}\n");
	g_free(read_until(fd, "\"status\""));
}

static Vm start_supervised(void)
{
	Vm vm = { .monitor = -1 };
	int messages[2];

	if (pipe2(messages, O_CLOEXEC) < 0)
		die("pipe");
	double start = now_ms();
	vm.pid = fork();
	if (vm.pid == 0) {
		dup2(messages[1], STDERR_FILENO);
		execl(program, program, "run", profile, (char *)NULL);
		_exit(127);
	}
	close(messages[1]);
	g_autofree char *text = read_until(messages[0], "QEMU pid ");
	vm.start_ms = now_ms() - start;
	vm.qemu_pid = (pid_t)strtol(strstr(text, "QEMU pid ") + 9, NULL, 10);
	vm.messages = messages[0];
	return vm;
}

static void end_vm(Vm *vm)
{
	int status = 0;

	if (vm->monitor >= 0)
		say(vm->monitor, "{\"execute\":\"quit\"}\n");
	else if (kill(vm->pid, SIGTERM) == 0)
		kill(vm->pid, SIGINT); /* hurry: another signal, as two alike would be one */
	while (waitpid(vm->pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	close(vm->monitor >= 0 ? vm->monitor : vm->messages);
}

static char **read_words(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
	char *bytes = NULL;
	gsize length = 0;
	GStrvBuilder *words = g_strv_builder_new();

	if (!g_file_get_contents(path, &bytes, &length, NULL))
		die(path);
	for (gsize i = 0; i < length; i += strlen(bytes + i) + 1)
		g_strv_builder_add(words, bytes + i);
	g_free(bytes);
	char **argv = g_strv_builder_end(words);
	g_strv_builder_unref(words);
	return argv;
}

static GArray *named_fds(char **argv)
{
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));

	for (guint i = 0; argv[i]; i++) {
		const char *at = strstr(argv[i], ",fd=");
		int fd = at ? (int)strtol(at + 4, NULL, 10) : -1;
		if (fd > 2)
			g_array_append_val(fds, fd);
	}
	return fds;
}

static Recipe learn(void)
{
	Vm vm = start_supervised();
	g_autofree char *link = g_strdup_printf("/proc/%d/exe", (int)vm.qemu_pid);
	Recipe recipe = { .path = g_file_read_link(link, NULL), .private_fd = -1 };

	recipe.argv = read_words(vm.qemu_pid);
	recipe.fds = named_fds(recipe.argv);
	for (guint i = 0; recipe.argv[i]; i++) {
		const char *at = strstr(recipe.argv[i], "id=hvr-qmp0,fd=");
		if (at)
			recipe.private_fd = (int)strtol(at + 15, NULL, 10);
	}
	end_vm(&vm);
	return recipe;
}

/* An abstract name, so that nothing is left of it. */
static int listen_somewhere(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    listen(fd, 1) < 0)
		die("listen");
	return fd;
}

static G_NORETURN void become_qemu(const Recipe *recipe, int monitor)
{
	for (guint i = 0; i < recipe->fds->len; i++) {
		int wanted = g_array_index(recipe->fds, int, i);
		dup2(wanted == recipe->private_fd ? monitor : listen_somewhere(), wanted);
	}
	execv(recipe->path, recipe->argv);
	_exit(127);
}

static Vm start_bare(const Recipe *recipe)
{
	Vm vm = { .monitor = -1 };
	int pair[2];

	double start = now_ms();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	/* Out of the way of the numbers that are to be taken. */
	int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 100);
	vm.pid = fork();
	if (vm.pid == 0)
		become_qemu(recipe, theirs);
	close(pair[1]);
	close(theirs);
	vm.monitor = pair[0];
	converse(vm.monitor);
	vm.start_ms = now_ms() - start;
	return vm;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(GArray *values)
{
	g_array_sort(values, compare_doubles);
	return g_array_index(values, double, values->len / 2);
}

static guint64 status_number(pid_t pid, const char *key)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		die(path);
	const char *at = strstr(text, key);
	return at ? g_ascii_strtoull(at + strlen(key) + 1, NULL, 10) : 0;
}

/* Memory, and how often the supervisor wakes up when nothing happens. */
static void measure_idle(void)
{
	Vm vm = start_supervised();

	poll(NULL, 0, 1000);
	guint64 before = status_number(vm.pid, "\nvoluntary_ctxt_switches");
	poll(NULL, 0, IDLE_S * 1000);
	guint64 after = status_number(vm.pid, "\nvoluntary_ctxt_switches");
	printf("supervisor: %" G_GUINT64_FORMAT " KiB resident (%" G_GUINT64_FORMAT
	       " KiB of it its own), %" G_GUINT64_FORMAT " wake-ups in %d s\n",
	       status_number(vm.pid, "\nVmRSS"), status_number(vm.pid, "\nRssAnon"), after - before,
	       IDLE_S);
	end_vm(&vm);
}

static int open_uevents(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("kernel events");
	return fd;
}

static void wait_for_bind(int uevents, const char *address)
{
	char bytes[8192];

	for (;;) {
		ssize_t n = recv(uevents, bytes, sizeof(bytes) - 1, 0);
		if (n < 0)
			die("kernel events");
		bytes[n] = '\0';
		if (g_str_has_prefix(bytes, "bind@") && g_str_has_suffix(bytes, address))
			return;
	}
}

static int connect_monitor(const char *vm)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_snprintf(address.sun_path, sizeof(address.sun_path), "/run/hailo-vm-run/vms/%s/qmp.sock",
		   vm);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(address.sun_path);
	converse(fd);
	return fd;
}

static char *vm_name(void)
{
	g_autofree char *base = g_path_get_basename(profile);
	return g_strndup(base, strlen(base) - strlen(".ini"));
}

static double measure_return(const char *device, const char *address)
{
	g_autofree char *name = vm_name();
	Vm vm = start_supervised();
	/* A guest that is not up does not answer the request to let go. */
	g_free(read_until(vm.messages, " is ready"));
	int monitor = connect_monitor(name), uevents = open_uevents();
	pid_t pid = fork();

	if (pid == 0) {
		execl(program, program, "unplug", name, device, (char *)NULL);
		_exit(127);
	}
	g_autofree char *needle = g_strdup_printf("\"device\": \"%s\"", device);
	g_free(read_until(monitor, needle));
	double deleted = now_ms();
	wait_for_bind(uevents, address);
	double bound = now_ms();
	waitpid(pid, NULL, 0);
	close(monitor);
	close(uevents);
	end_vm(&vm);
	return bound - deleted;
}

static void compare_starts(int rounds)
{
	g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) bare = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) ratios = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) extra = g_array_new(FALSE, FALSE, sizeof(double));
	Recipe recipe = learn();

	for (int i = 0; i < rounds; i++) {
		Vm a = start_supervised();
		end_vm(&a);
		Vm b = start_bare(&recipe);
		end_vm(&b);
		double ratio = a.start_ms / b.start_ms, more = a.start_ms - b.start_ms;
		g_array_append_val(ours, a.start_ms);
		g_array_append_val(bare, b.start_ms);
		g_array_append_val(ratios, ratio);
		g_array_append_val(extra, more);
	}
	printf("start to query-status, median of %d pairs: hailo-vm-run %.1f ms, QEMU alone %.1f "
	       "ms; ratio %.3f, %+.1f ms\n",
	       rounds, median(ours), median(bare), median(ratios), median(extra));
	g_strfreev(recipe.argv);
	g_free(recipe.path);
	g_array_unref(recipe.fds);
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 6) {
		fprintf(stderr, "usage: bench-launch PROGRAM PROFILE ROUNDS [DEVICE ADDRESS]\n");
		return 64;
	}
	program = argv[1];
	profile = argv[2];
	int rounds = (int)strtol(argv[3], NULL, 10);

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4) {
		compare_starts(rounds);
		measure_idle();
	} else {
		g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
		for (int i = 0; i < rounds; i++) {
			double ms = measure_return(argv[4], argv[5]);
			g_array_append_val(times, ms);
		}
		printf("DEVICE_DELETED to the card on its host driver, median of %u: %.1f ms\n",
		       times->len, median(times));
	}
	return 0;
}
