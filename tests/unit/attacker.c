/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of an image, from whoever made that image: it is run by root, and wants to be root of
 * the host. What it gets at is written into /escapes, a line each.
 *
 *	attacker attack SECRET PID SOCKET PORT
 *	attacker daemon | forever
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static int escapes;

static void tell(int escaped, const char *how)
{
	if (escaped)
		dprintf(escapes, "%s\n", how);
}

static int can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

static void use_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		tell(fd != escapes && fcntl(fd, F_GETFD) >= 0, "it inherits a descriptor");
	tell(isatty(0) || isatty(1) || isatty(2), "it has a terminal");
}

static void use_proc(const char *secret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/1/root%s", secret);
	tell(can_open(path, O_RDONLY), "a file of the host by /proc/1/root");
	snprintf(path, sizeof(path), "/proc/1/cwd%s", secret);
	tell(can_open(path, O_RDONLY), "a file of the host by /proc/1/cwd");
	tell(can_open("/proc/1/exe", O_RDONLY), "who confines it, as a file");
	tell(can_open("/proc/1/mem", O_RDWR), "the memory of who confines it");
	tell(can_open("/proc/sys/kernel/core_pattern", O_WRONLY), "what dumps cores of the host");
	tell(can_open("/proc/sysrq-trigger", O_WRONLY), "the kernel's keys");
	tell(can_open("/sys/kernel/uevent_helper", O_WRONLY), "what the kernel starts");
}

static void use_devices(void)
{
	struct stat st;

	stat("/", &st);
	mknod("/disk", S_IFBLK | 0600, st.st_dev);
	tell(can_open("/disk", O_RDONLY), "the host's disk by mknod");
	mknod("/memory", S_IFCHR | 0600, makedev(1, 1));
	tell(can_open("/memory", O_RDONLY), "the host's memory by mknod");
	mknod("/made", S_IFCHR | 0600, makedev(1, 5));
	tell(can_open("/made", O_RDONLY), "a device by mknod");
	tell(can_open("/planted", O_RDONLY), "a device node that came with the image");
	tell(can_open("/dev/kmsg", O_RDONLY), "the kernel's messages");
	tell(!can_open("/dev/null", O_RDWR) || !can_open("/dev/urandom", O_RDONLY),
	     "no escape, but it lacks /dev/null or /dev/urandom");
}

static void use_handles(void)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} it = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), mount_id;

	tell(name_to_handle_at(AT_FDCWD, "/", &it.handle, &mount_id, 0) == 0 &&
		     open_by_handle_at(root, &it.handle, O_RDONLY) >= 0,
	     "files of the host by open_by_handle_at");
	close(root);
}

static void use_mounts(void)
{
	mkdir("/there", 0700);
	tell(mount("tmpfs", "/there", "tmpfs", 0, NULL) == 0, "a mount");
	tell(mount("proc", "/there", "proc", 0, NULL) == 0, "another /proc");
	tell(umount2("/proc", MNT_DETACH) == 0, "what is below a mount");
	tell(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0, "device nodes by remounting");
}

static void use_processes(pid_t host)
{
	char name[HOST_NAME_MAX + 1] = "";

	tell(kill(host, 0) == 0, "a signal to the host");
	tell(ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0, "who confines it, by ptrace");
	gethostname(name, sizeof(name));
	tell(sethostname(name, strlen(name)) == 0, "the host's name");
	tell(getenv("HVR_SECRET") != NULL, "a variable of the host's");
}

static void use_network(const char *name, const char *port)
{
	struct sockaddr_un abstract = { .sun_family = AF_UNIX };
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_port = htons((unsigned short)atoi(port)),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int local = socket(AF_UNIX, SOCK_STREAM, 0), inet = socket(AF_INET, SOCK_STREAM, 0);

	strncpy(abstract.sun_path + 1, name, sizeof(abstract.sun_path) - 2);
	tell(connect(local, (struct sockaddr *)&abstract,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) == 0,
	     "an abstract socket of the host's");
	tell(connect(inet, (struct sockaddr *)&loopback, sizeof(loopback)) == 0,
	     "a port of the host's");
}

/* The classic: a root folder that one is not in. Comes last, as it leaves this process elsewhere.
 */
static void leave_chroot(const char *secret)
{
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mkdir("/deeper", 0700);
	if (chroot("/deeper") < 0 || fchdir(root) < 0)
		return;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return;
	tell(can_open(secret + 1, O_RDONLY), "a file of the host by a second chroot");
}

static void attack(char **words)
{
	use_descriptors();
	use_proc(words[0]);
	use_devices();
	use_handles();
	use_mounts();
	use_processes(atoi(words[1]));
	use_network(words[2], words[3]);
	leave_chroot(words[0]);
	dprintf(escapes, "ran\n");
}

/* Holds /held, and ends with this lock or by itself. */
static void leave_behind(void)
{
	int ready[2], held;
	char byte;

	if (pipe(ready) < 0 || fork() != 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			exit(1);
		return;
	}
	setsid();
	alarm(30);
	held = open("/held", O_RDWR | O_CREAT, 0600);
	if (flock(held, LOCK_EX) < 0 || write(ready[1], "", 1) != 1)
		exit(1);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	escapes = open("/escapes", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (argc == 6 && strcmp(argv[1], "attack") == 0)
		attack(argv + 2);
	if (argc == 2)
		leave_behind();
	if (argc == 2 && strcmp(argv[1], "forever") == 0)
		pause();
	return 0;
}
