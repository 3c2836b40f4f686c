/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever has taken QEMU over: what it can do with what QEMU has, as the VM's user. It prints what
 * came of it.
 *
 *	intruder look | fill | forge | drop	with each lock that it has inherited
 *	intruder steal PID			takes those of another process, and keeps them
 *	intruder keys				pushes keys into its terminals, and reads there
 *	intruder flood BYTES			into standard error, without a newline
 *	intruder qemu good|evil WORD...		answers for QEMU and the agent, by QEMU's words
 *
 * `qemu` says what QMP and the agent say by their specifications; only texts of errors are evil.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_DESCRIPTORS 1024
#define FILL_BYTES    (64 << 20)
#define KEYS	      "evil\n"
#define MAX_PEERS     32
#define MAX_LINE      65536

/* In JSON: sets a title, clears the screen by a C1 control, and adds a line of its own. */
#define EVIL "\\u001b]0;evil\\u0007\\u009b2J\\r\\nhint: evil"

/* --- Locks
 * ------------------------------------------------------------------------------------- */

static void look(int fd)
{
}

static void fill(int fd)
{
	static char bytes[1 << 20];

	for (size_t done = 0; done < FILL_BYTES; done += sizeof(bytes))
		if (write(fd, bytes, sizeof(bytes)) < 0)
			break;
	if (ftruncate(fd, FILL_BYTES) < 0)
		return;
}

static void forge(int fd)
{
	static const char text[] = "[holder]\nvm=evil\npid=1\nstart_time=1\n[qemu]\npid=1\n";

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, sizeof(text) - 1, 0) < 0)
		return;
}

static void drop(int fd)
{
	flock(fd, LOCK_UN);
}

static bool is_lock(const char *pid, int fd)
{
	char link[64], target[256];

	snprintf(link, sizeof(link), "/proc/%s/fd/%d", pid, fd);
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "/locks/") != NULL;
}

/* One to write with, where there is one that reads. */
static int open_anew(int fd)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open(link, O_RDWR | O_CLOEXEC);
}

static void with_locks(void (*attack)(int fd))
{
	bool locks[N_DESCRIPTORS];
	struct stat st;
	long size = 0;
	int n = 0, written = 0;

	for (int fd = 3; fd < N_DESCRIPTORS; fd++)
		locks[fd] = is_lock("self", fd);
	for (int fd = 3; fd < N_DESCRIPTORS; fd++) {
		if (!locks[fd])
			continue;
		int anew = open_anew(fd);
		n++;
		written += anew >= 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
		attack(fd);
		if (anew >= 0)
			attack(anew);
		size += fstat(fd, &st) == 0 ? st.st_size : 0;
	}
	printf("locks %d writable %d bytes %ld\n", n, written, size);
}

static void steal(const char *pid)
{
	int process = (int)syscall(SYS_pidfd_open, atoi(pid), 0), n = 0;

	for (int fd = 3; fd < N_DESCRIPTORS; fd++) {
		int stolen = is_lock(pid, fd) ? (int)syscall(SYS_pidfd_getfd, process, fd, 0) : -1;
		if (stolen < 0)
			continue;
		n++;
		flock(stolen, LOCK_EX | LOCK_NB);
	}
	close(process);
	printf("stolen %d\n", n);
	fflush(stdout);
	for (;;)
		pause();
}

/* --- Terminals
 * ------------------------------------------------------------------------------------- */

static void read_keys(int fd)
{
	char keys[64];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	ssize_t n = isatty(fd) ? read(fd, keys, sizeof(keys)) : 0;
	fcntl(fd, F_SETFL, flags);
	printf("terminal %d read %zd\n", fd, n < 0 ? 0 : n);
}

static void push_keys(int fd)
{
	int pushed = 0;

	ioctl(fd, TIOCSCTTY, 0);
	for (const char *key = KEYS; *key; key++)
		pushed += ioctl(fd, TIOCSTI, key) == 0;
	printf("terminal %d pushed %d\n", fd, pushed);
}

static void use_terminals(void)
{
	int own = open("/dev/tty", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		read_keys(fd);
	for (int fd = 0; fd < 3; fd++)
		push_keys(fd);
	if (own >= 0)
		push_keys(own);
	puts("over");
}

/* --- Floods
 * ------------------------------------------------------------------------------------- */

static void flood(size_t bytes)
{
	static char chunk[1 << 16];

	memset(chunk, 'x', sizeof(chunk));
	for (size_t done = 0; done < bytes; done += sizeof(chunk))
		if (write(STDERR_FILENO, chunk, sizeof(chunk)) < 0)
			break;
}

/* --- QEMU and the agent
 * ------------------------------------------------------------------------------------- */

typedef struct {
	int fd;
	bool listens, agent;
	size_t n;
	char line[MAX_LINE];
} Peer;

static Peer peers[MAX_PEERS];
static int n_peers;
static bool evil;

static void say(const Peer *peer, const char *text)
{
	if (write(peer->fd, text, strlen(text)) < 0)
		return;
}

static void add_peer(int fd, bool listens, bool agent)
{
	if (n_peers == MAX_PEERS)
		exit(1);
	peers[n_peers] = (Peer){ .fd = fd, .listens = listens, .agent = agent };
	if (!listens && !agent)
		say(&peers[n_peers], "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": "
				     "2, \"major\": 7}, \"package\": \"\"}, \"capabilities\": "
				     "[]}}\r\n");
	n_peers++;
}

/* The value of "id", which is a number or a plain text, or "0". */
static const char *id_of(char *line)
{
	char *at = strstr(line, "\"id\":");

	if (!at)
		return "0";
	at += strlen("\"id\":");
	at[strcspn(at, ",}")] = '\0';
	return at;
}

/* What is answered to a line that has this in it. */
typedef struct {
	const char *word, *members;
} Answer;

#define NOTHING "\"return\": {}"
#define ERROR	"\"error\": {\"class\": \"GenericError\", \"desc\": \"" EVIL "\"}"
#define STATUS	"\"return\": {\"status\": \"running\", \"running\": true}"

static const Answer agent_good[] = {
	{ "\"guest-exec-status\"", "\"return\": {\"exited\": true, \"exitcode\": 0}" },
	{ "\"guest-exec\"", "\"return\": {\"pid\": 7}" },
	{ "\"guest-file-open\"", "\"return\": 7" },
	/* "evil\n" */
	{ "\"guest-file-read\"",
	  "\"return\": {\"count\": 5, \"buf-b64\": \"ZXZpbAo=\", \"eof\": true}" },
	{ "", NOTHING },
};

/* `true` cannot be run, and what anything else says is evil. */
static const Answer agent_evil[] = {
	{ "\"guest-exec-status\"", "\"return\": {\"exited\": true, \"exitcode\": 0, "
				   "\"out-data\": \"G10wO2V2aWwHwpsySpsgZXZpbAo=\"}" },
	{ "\"true\"", ERROR },
	{ "\"guest-exec\"", "\"return\": {\"pid\": 7}" },
	{ "", ERROR },
};

static const Answer qmp_good[] = {
	{ "\"query-status\"", STATUS },
	{ "", NOTHING },
};

static const Answer qmp_evil[] = {
	{ "\"query-status\"", STATUS },
	{ "\"query-name\"", "\"return\": {\"name\": \"" EVIL "\"}" },
	{ "\"qmp_capabilities\"", NOTHING },
	{ "\"system_powerdown\"", NOTHING },
	{ "\"quit\"", NOTHING },
	{ "", ERROR },
};

static const char *find(const Answer *answers, const char *line)
{
	while (!strstr(line, answers->word))
		answers++;
	return answers->members;
}

static void answer_agent(const Peer *peer, char *line)
{
	if (strstr(line, "\"guest-sync-delimited\""))
		dprintf(peer->fd, "\xff{\"return\": %s}\n", id_of(line));
	else
		dprintf(peer->fd, "{%s}\n", find(evil ? agent_evil : agent_good, line));
}

static void answer_qmp(const Peer *peer, char *line)
{
	bool ends = strstr(line, "\"quit\"") || strstr(line, "\"system_powerdown\"");
	const char *members = find(evil ? qmp_evil : qmp_good, line);

	dprintf(peer->fd, "{%s, \"id\": %s}\r\n", members, id_of(line));
	/* The guest's agent has opened its port. */
	if (strcmp(members, STATUS) == 0)
		say(peer, "{\"timestamp\": {\"seconds\": 0, \"microseconds\": 0}, \"event\": "
			  "\"VSERPORT_CHANGE\", \"data\": {\"open\": true, \"id\": "
			  "\"hvr-agent-port\"}}\r\n");
	if (ends)
		exit(0);
}

/* FALSE: nobody is at the other end. */
static bool hear(Peer *peer)
{
	char *end;
	ssize_t n = read(peer->fd, peer->line + peer->n, sizeof(peer->line) - 1 - peer->n);

	if (n <= 0)
		return false;
	peer->n += (size_t)n;
	peer->line[peer->n] = '\0';
	while ((end = strchr(peer->line, '\n'))) {
		size_t left = peer->n - (size_t)(end + 1 - peer->line);
		*end = '\0';
		if (peer->agent)
			answer_agent(peer, peer->line);
		else
			answer_qmp(peer, peer->line);
		memmove(peer->line, end + 1, left + 1);
		peer->n = left;
	}
	return true;
}

static void serve(void)
{
	for (;;) {
		struct pollfd fds[MAX_PEERS];
		int n = n_peers;

		for (int i = 0; i < n; i++)
			fds[i] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
		poll(fds, (nfds_t)n, -1);
		for (int i = 0; i < n; i++) {
			if (!fds[i].revents)
				continue;
			if (peers[i].listens) {
				add_peer(accept(peers[i].fd, NULL, NULL), false, peers[i].agent);
			} else if (!hear(&peers[i])) {
				/* the supervisor's own */
				if (i == 0)
					exit(0);
				close(peers[i].fd);
				peers[i].fd = -1;
			}
		}
	}
}

/* "socket,id=hvr-qmp0,fd=5", "socket,id=hvr-agent,fd=7,server=on,wait=off" */
static void be_qemu(bool is_evil, char **words)
{
	evil = is_evil;
	for (; *words; words++) {
		const char *fd = strstr(*words, ",fd=");
		bool agent = strstr(*words, "id=hvr-agent,") != NULL;
		if (strncmp(*words, "socket,id=hvr-", 14) != 0 || !fd)
			continue;
		if (agent || strstr(*words, "id=hvr-qmp"))
			add_peer(atoi(fd + 4), strstr(*words, ",server=on") != NULL, agent);
	}
	if (evil)
		fprintf(stderr, "qemu: \033]0;evil\a\302\2332J\233 evil\n");
	serve();
}

static const struct {
	const char *name;
	void (*attack)(int fd);
} on_locks[] = {
	{ "look", look },
	{ "fill", fill },
	{ "forge", forge },
	{ "drop", drop },
};

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *word = argc > 2 ? argv[2] : "0";

	for (size_t i = 0; i < sizeof(on_locks) / sizeof(*on_locks); i++) {
		if (strcmp(what, on_locks[i].name) != 0)
			continue;
		with_locks(on_locks[i].attack);
		return 0;
	}
	if (strcmp(what, "steal") == 0)
		steal(word);
	else if (strcmp(what, "keys") == 0)
		use_terminals();
	else if (strcmp(what, "flood") == 0)
		flood((size_t)atol(word));
	else if (strcmp(what, "qemu") != 0 || argc < 3)
		return 64;
	else
		be_qemu(strcmp(word, "evil") == 0, argv + 3);
	return 0;
}
