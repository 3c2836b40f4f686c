/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab-card: Hailo-8 cards for a QEMU, each played by a process of its own
 *
 * QEMU's x-pci-proxy-dev hands a whole PCI function to another process over a socket: each access
 * to its configuration space and to its BARs becomes a message, and so does each reset of the
 * machine, bus or slot. The process at the other end decides every byte, so the kernel in that QEMU
 * sees a Hailo-8, and whatever would have hit real silicon can be counted.
 *
 *	lab-card STATE... -- QEMU ARGUMENT...
 *
 * makes one socketpair and forks one card for each STATE, then becomes QEMU. The first card is
 * QEMU's descriptor 100, the second 101, and so on: -device x-pci-proxy-dev,bus=PORT,fd=100.
 * A card ends when QEMU closes its end of the socket. The caller must leave these numbers free.
 *
 * STATE is one line of fixed width, mapped, so a script can read and write it while the card runs:
 *
 *	flr=000003 reset=000001 dead=0
 *
 * flr counts the resets of the function alone (bit 15 written to DevCtl, and of a card that loses
 *its state in D3hot each way back from there), reset the machine, bus and slot resets. The numbers
 *live in the file alone: writing zeros there starts the count anew. dead=1 makes the card fall off
 *the bus: all reads answer ones, all writes are lost.
 *
 * What a card is besides a Hailo-8 says the name of its file: pm.1 loses its state in D3hot, and so
 * does pm.2, which has no function level reset.
 *
 * The card does no DMA and raises no interrupt. DMA of a proxied card would go around the IOMMU.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define STATE_FORMAT  "flr=%06u reset=%06u dead=%c\n"
#define STATE_SIZE    (sizeof("flr=000000 reset=000000 dead=0\n") - 1)
#define FIRST_QEMU_FD 100
#define MAX_CARDS     16

/* Commands of QEMU's hw/remote protocol (include/hw/remote/mpqemu-link.h) */
enum {
	CMD_SYNC_SYSMEM = 0,
	CMD_RET = 1,
	CMD_PCI_CFGWRITE = 2,
	CMD_PCI_CFGREAD = 3,
	CMD_BAR_WRITE = 4,
	CMD_BAR_READ = 5,
	CMD_SET_IRQFD = 6,
	CMD_DEVICE_RESET = 7,
};

struct header {
	int32_t command;
	uint32_t padding;
	uint64_t size;
};

struct config_access {
	uint32_t address;
	uint32_t value;
	int32_t length;
};

struct bar_access {
	uint64_t address;
	uint64_t value;
	uint32_t size;
	bool memory;
};

struct message {
	struct header header;
	union {
		struct config_access config;
		struct bar_access bar;
		uint8_t raw[4096];
	};
};

#define CAP_PM	0x40
#define CAP_MSI 0x50
#define CAP_EXP 0x70

static const struct bar {
	unsigned int index;
	uint32_t size;
} bars[] = {
	{ 0, 16384 },
	{ 2, 4096 },
	{ 4, 16384 },
};

#define N_BARS (sizeof(bars) / sizeof(bars[0]))

/* Where the driver asks whether the card still answers, and what it expects to read there */
#define LIVENESS       0x98
#define LIVENESS_VALUE 0x1e60

struct card {
	int socket;
	char *state;
	bool is_bridge; /* an ISA bridge instead */
	bool forgets;	/* NoSoftRst-: it is reset on its way from D3hot to D0 */
	bool without_flr;
	uint8_t config[256];
	uint8_t writable[256];
	uint8_t memory[N_BARS][16384];
};

/* Little endian, as PCI is; the lab runs on x86 only, where that is the native order too */
static void put(uint8_t *where, unsigned int offset, uint32_t value, unsigned int length)
{
	memcpy(where + offset, &value, length);
}

static uint32_t get(const uint8_t *where, unsigned int offset, unsigned int length)
{
	uint32_t value = 0;

	memcpy(&value, where + offset, length);
	return value;
}

static void set_identity(uint8_t *config)
{
	put(config, PCI_VENDOR_ID, 0x1e60, 2);
	put(config, PCI_DEVICE_ID, 0x2864, 2);
	put(config, PCI_STATUS, PCI_STATUS_CAP_LIST, 2);
	put(config, PCI_CLASS_REVISION, 0x01, 1);
	put(config, PCI_CLASS_DEVICE, 0x0b40, 2);
	put(config, PCI_SUBSYSTEM_VENDOR_ID, 0x1e60, 2);
	put(config, PCI_SUBSYSTEM_ID, 0x2864, 2);
	put(config, PCI_CAPABILITY_LIST, CAP_PM, 1);
	put(config, PCI_INTERRUPT_PIN, 1, 1);
}

/* An ISA bridge of Intel's, which is no card: it is there for its class, and for a driver on it. */
static void be_isa_bridge(uint8_t *config)
{
	put(config, PCI_VENDOR_ID, 0x8086, 2);
	put(config, PCI_DEVICE_ID, 0x3a16, 2);
	put(config, PCI_CLASS_DEVICE, 0x0601, 2);
	put(config, PCI_SUBSYSTEM_VENDOR_ID, 0x8086, 2);
	put(config, PCI_SUBSYSTEM_ID, 0x3a16, 2);
}

/*
 * The kernel offers 'flr bus' for this set: FLReset+ gives flr, NoSoftRst+ takes pm away, and no AF
 * capability and no ACPI _RST leave nothing else.
 */
static void set_capabilities(const struct card *card, uint8_t *config)
{
	uint32_t flr = card->without_flr ? 0 : PCI_EXP_DEVCAP_FLR;

	put(config, CAP_PM, PCI_CAP_ID_PM | CAP_MSI << 8, 2);
	put(config, CAP_PM + PCI_PM_PMC, 0x0003, 2);
	put(config, CAP_PM + PCI_PM_CTRL, card->forgets ? 0 : PCI_PM_CTRL_NO_SOFT_RESET, 2);

	put(config, CAP_MSI, PCI_CAP_ID_MSI | CAP_EXP << 8, 2);
	put(config, CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT, 2);

	put(config, CAP_EXP, PCI_CAP_ID_EXP, 2);
	put(config, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4, 2);
	put(config, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | flr, 4);
	put(config, CAP_EXP + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_8_0GB | 4 << 4, 4);
	put(config, CAP_EXP + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_8_0GB | 4 << 4, 2);
}

static void set_writable(uint8_t *writable)
{
	put(writable, PCI_COMMAND,
	    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		    PCI_COMMAND_INTX_DISABLE,
	    2);
	put(writable, PCI_CACHE_LINE_SIZE, 0xff, 1);
	put(writable, PCI_INTERRUPT_LINE, 0xff, 1);
	for (size_t i = 0; i < N_BARS; i++)
		put(writable, PCI_BASE_ADDRESS_0 + 4 * bars[i].index, ~(bars[i].size - 1), 4);

	put(writable, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK, 2);

	put(writable, CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 2);
	put(writable, CAP_MSI + PCI_MSI_ADDRESS_LO, 0xfffffffc, 4);
	put(writable, CAP_MSI + PCI_MSI_ADDRESS_HI, 0xffffffff, 4);
	put(writable, CAP_MSI + PCI_MSI_DATA_64, 0xffff, 2);

	put(writable, CAP_EXP + PCI_EXP_DEVCTL, (uint16_t)~PCI_EXP_DEVCTL_BCR_FLR, 2);
	put(writable, CAP_EXP + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC, 2);
}

static void power_on(struct card *card)
{
	memset(card->config, 0, sizeof(card->config));
	set_identity(card->config);
	if (card->is_bridge)
		be_isa_bridge(card->config);
	set_capabilities(card, card->config);
	memset(card->memory, 0, sizeof(card->memory));
	put(card->memory[0], LIVENESS, LIVENESS_VALUE, 2);
}

static bool is_dead(const struct card *card)
{
	const char *dead = memmem(card->state, STATE_SIZE, " dead=", 6);

	return dead && dead[6] == '1';
}

/* Counts in the text itself, so that a script may set the numbers back at any time */
static void count(struct card *card, bool flr)
{
	char line[STATE_SIZE + 1], text[64];
	unsigned int flrs, resets;
	char dead;

	memcpy(line, card->state, STATE_SIZE);
	line[STATE_SIZE] = '\0';
	if (sscanf(line, "flr=%u reset=%u dead=%c", &flrs, &resets, &dead) != 3)
		errx(1, "the state file was overwritten with something else: %s", line);
	snprintf(text, sizeof(text), STATE_FORMAT, (flrs + flr) % 1000000,
		 (resets + !flr) % 1000000, dead);
	memcpy(card->state, text, STATE_SIZE);
}

static void reset(struct card *card, bool flr)
{
	count(card, flr);
	power_on(card);
}

static bool config_access_fits(const struct config_access *access)
{
	return (access->length == 1 || access->length == 2 || access->length == 4) &&
	       access->address <= sizeof(((struct card *)0)->config) - access->length;
}

static uint64_t config_read(struct card *card, const struct config_access *access)
{
	if (is_dead(card) || !config_access_fits(access))
		return UINT32_MAX;
	return get(card->config, access->address, access->length);
}

static bool starts_flr(const struct config_access *access)
{
	uint32_t high_byte = CAP_EXP + PCI_EXP_DEVCTL + 1;
	uint32_t position = high_byte - access->address;

	return access->address <= high_byte && position < (uint32_t)access->length &&
	       access->value >> (8 * position) & PCI_EXP_DEVCTL_BCR_FLR >> 8;
}

static unsigned int power_state(const struct card *card)
{
	return get(card->config, CAP_PM + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;
}

static void config_write(struct card *card, const struct config_access *access)
{
	uint32_t mask, old;
	unsigned int state = power_state(card);

	if (is_dead(card) || !config_access_fits(access))
		return;
	if (!card->without_flr && starts_flr(access)) {
		reset(card, true);
		return;
	}
	mask = get(card->writable, access->address, access->length);
	old = get(card->config, access->address, access->length);
	put(card->config, access->address, (old & ~mask) | (access->value & mask), access->length);
	if (card->forgets && state == 3 && power_state(card) == 0)
		reset(card, true);
}

/* QEMU sends the bus address, so the BAR is the one that has been put there */
static uint8_t *find_memory(struct card *card, const struct bar_access *access)
{
	for (size_t i = 0; i < N_BARS; i++) {
		uint64_t base = get(card->config, PCI_BASE_ADDRESS_0 + 4 * bars[i].index, 4);

		if (access->address >= base && access->size <= 8 &&
		    access->address - base <= bars[i].size - access->size)
			return card->memory[i] + (access->address - base);
	}
	return NULL;
}

static uint64_t bar_read(struct card *card, const struct bar_access *access)
{
	uint8_t *memory = find_memory(card, access);
	uint64_t value = 0;

	if (is_dead(card) || !memory)
		return UINT64_MAX;
	memcpy(&value, memory, access->size);
	return value;
}

static void bar_write(struct card *card, const struct bar_access *access)
{
	uint8_t *memory = find_memory(card, access);

	if (is_dead(card) || !memory)
		return;
	memcpy(memory, &access->value, access->size);
	put(card->memory[0], LIVENESS, LIVENESS_VALUE, 2); /* a read-only register */
}

static void send_reply(struct card *card, uint64_t value)
{
	struct {
		struct header header;
		uint64_t value;
	} reply = {
		.header = { .command = CMD_RET, .size = sizeof(value) },
		.value = value,
	};

	if (send(card->socket, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply) &&
	    errno != EPIPE && errno != ECONNRESET)
		err(1, "cannot answer QEMU");
}

static void expect_size(const struct message *message, size_t size)
{
	if (message->header.size != size)
		errx(1, "command %d with %llu bytes instead of %zu", message->header.command,
		     (unsigned long long)message->header.size, size);
}

static void serve(struct card *card, const struct message *message)
{
	uint64_t value = 0;

	switch (message->header.command) {
	case CMD_SYNC_SYSMEM:
	case CMD_SET_IRQFD:
		return;
	case CMD_PCI_CFGREAD:
		expect_size(message, sizeof(message->config));
		value = config_read(card, &message->config);
		break;
	case CMD_PCI_CFGWRITE:
		expect_size(message, sizeof(message->config));
		config_write(card, &message->config);
		break;
	case CMD_BAR_READ:
		expect_size(message, sizeof(message->bar));
		value = bar_read(card, &message->bar);
		break;
	case CMD_BAR_WRITE:
		expect_size(message, sizeof(message->bar));
		bar_write(card, &message->bar);
		break;
	case CMD_DEVICE_RESET:
		reset(card, false);
		break;
	default:
		errx(1, "QEMU sent the unknown command %d", message->header.command);
	}
	send_reply(card, value);
}

static void close_passed_descriptors(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
	}
}

/* Returns false when QEMU has gone, also in the middle of a message */
static bool receive(int socket, void *where, size_t size)
{
	char *next = where;

	while (size) {
		char control[CMSG_SPACE(16 * sizeof(int))];
		struct iovec iov = { .iov_base = next, .iov_len = size };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ECONNRESET)
			err(1, "cannot read from QEMU");
		if (n <= 0)
			return false;
		close_passed_descriptors(&msg);
		next += n;
		size -= n;
	}
	return true;
}

static bool receive_message(int socket, struct message *message)
{
	if (!receive(socket, &message->header, sizeof(message->header)))
		return false;
	if (message->header.size > sizeof(message->raw))
		errx(1, "QEMU sent a message of %llu bytes",
		     (unsigned long long)message->header.size);
	return receive(socket, message->raw, message->header.size);
}

static char *map_state(const char *path)
{
	char text[64];
	char *state;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	snprintf(text, sizeof(text), STATE_FORMAT, 0u, 0u, '0');
	if (write(fd, text, STATE_SIZE) != (ssize_t)STATE_SIZE)
		err(1, "%s", path);
	state = mmap(NULL, STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		err(1, "%s: cannot map it", path);
	close(fd);
	return state;
}

/* Other cards' sockets must be closed here: QEMU's end lives as long as anyone holds a copy */
static void close_all_but(int fd)
{
	if (fd > 3)
		close_range(3, fd - 1, 0);
	close_range(fd + 1, ~0U, 0);
}

/* QEMU lets go of its big lock while it writes to us. As a batch process we do not take the
 * processor from it when it wakes us, which keeps that moment short: see keep_shares_alive() in
 * ./inside. */
static void be_no_bother(void)
{
	const struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none) < 0)
		warn("SCHED_BATCH");
}

static void run_card(const char *state_path, int socket)
{
	static struct card card;
	static struct message message;

	close_all_but(socket);
	be_no_bother();
	card.socket = socket;
	card.state = map_state(state_path);
	card.is_bridge = strstr(state_path, ".bridge") != NULL;
	card.forgets = strstr(state_path, "/pm.") != NULL;
	card.without_flr = strstr(state_path, "/pm.2") != NULL;
	set_writable(card.writable);
	power_on(&card);
	while (receive_message(socket, &message))
		serve(&card, &message);
	exit(0);
}

/* QEMU's end gets a number that the caller can write on QEMU's command line in advance */
static void start_card(const char *state_path, int qemu_fd)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		run_card(state_path, pair[0]);
	close(pair[0]);
	if (dup3(pair[1], qemu_fd, 0) < 0)
		err(1, "descriptor %d", qemu_fd);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	int n = 0;

	while (n + 1 < argc && strcmp(argv[n + 1], "--"))
		n++;
	if (n + 2 >= argc || n > MAX_CARDS)
		errx(64, "usage: lab-card STATE... -- QEMU ARGUMENT...  (at most %d cards)",
		     MAX_CARDS);
	for (int i = 0; i < n; i++)
		start_card(argv[1 + i], FIRST_QEMU_FD + i);
	execvp(argv[n + 2], argv + n + 2);
	err(1, "%s", argv[n + 2]);
}
