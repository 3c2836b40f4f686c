/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into a guest by ssh: which keys are keys, what cloud-init is told, and what ssh is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/parts/vendor.h"
#include "launcher/profile/sshkey.h"
#include "launcher/session/ssh.h"

/* Of ssh-keygen's */
#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf02EccoHGxDb0hxVq"
#define ECDSA                                                                                      \
	"ecdsa-sha2-nistp256 "                                                                     \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFK3xt6E"                             \
	"EjH1LXGfHCwRaFnWcY2HJx9nZ0gQ0MLWZoLt85gvxAAWoN2MS333TnxV2TZYMZMI9uy6KXvv7ZpbQO8="

/* What is none of a key's, though it may begin as one. */
static void test_no_keys(void **state)
{
	static const char *const lines[] = {
		"",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"ssh-ed25519",
		"ssh-ed25519 ",
		"ssh-ed25519 AAAA",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==x",
		"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIARj1dkZglG3fRld74SzIGY7T0nf02EccoHGxDb0hxVq",
		"command=\"rm\" " ED25519,
		" " ED25519,
		ED25519 "\"",
		ED25519 " \xff",
		"ssh-dss AAAAB3NzaC1kc3MAAACBAA==",
	};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
		if (hvr_ssh_key_is_public(lines[i]))
			fail_msg("'%s' is a key", lines[i]);
}

static void test_keys(void **state)
{
	g_autofree char *huge = g_strnfill(20000, 'A');
	g_autofree char *too_long = g_strconcat("ssh-rsa AAAAB3NzaC1yc2EA", huge, NULL);

	assert_true(hvr_ssh_key_is_public(ED25519));
	assert_true(hvr_ssh_key_is_public(ED25519 " me at home # 2"));
	assert_true(hvr_ssh_key_is_public(ECDSA));
	assert_true(hvr_ssh_key_is_meant("ssh-rsa AAAA"));
	assert_false(hvr_ssh_key_is_meant("ssh-rsa.pub"));
	assert_false(hvr_ssh_key_is_public(too_long));
}

/* The first one, whatever is around it; a comment only where it is harmless in a profile. */
static void test_find(void **state)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{ "", NULL },
		{ "[vm]\nmemory = 1G\n", NULL },
		{ ED25519 " me@host\n", ED25519 " me@host" },
		{ "# mine\n\n" ED25519 "\r\n" ECDSA "\n", ED25519 },
		{ "x\n" ECDSA " a \"b\" #c\n", ECDSA " a" },
		{ ED25519 " \"; rm\n", ED25519 },
		{ ED25519 " #c\n", ED25519 },
		{ "[evil]\nssh-ed25519 AAAA\n\t" ED25519 "  x@y z", ED25519 " x@y" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *key = hvr_ssh_key_find(cases[i].text);
		if (g_strcmp0(key, cases[i].key) != 0)
			fail_msg("%u: '%s'", i, key);
	}
}

/* As cloud-init reads it; nothing where nothing is asked. */
static void test_vendor(void **state)
{
	HvrProfileSeed seed = { .hostname = (char *)"lab" };

	assert_null(hvr_vendor_data(&seed));
	seed.user = (char *)"me";
	g_autofree char *user = hvr_vendor_data(&seed);
	assert_string_equal(user, "#cloud-config\n{\"user\":{\"name\":\"me\"}}\n");
	seed.autologin = TRUE;
	seed.agent = TRUE;
	g_autofree char *all = hvr_vendor_data(&seed);
	assert_string_equal(
		all,
		"#cloud-config\n{\"user\":{\"name\":\"me\"},\"bootcmd\":[[\"cloud-init-per\","
		"\"instance\",\"autologin\",\"sh\",\"-c\",\"mkdir -p \\\"$1\\\" && "
		"printf %s \\\"$2\\\" > \\\"$1/autologin.conf\\\" && systemctl daemon-reload\","
		"\"sh\",\"/etc/systemd/system/serial-getty@ttyS0.service.d\","
		"\"[Service]\\nExecStart=\\nExecStart=-/sbin/agetty --autologin me --keep-baud "
		"115200,57600,38400,9600 %I $TERM\\n\"]],\"package_update\":true,\"packages\":"
		"[\"qemu-guest-agent\"],"
		"\"runcmd\":[[\"systemctl\",\"start\",\"qemu-guest-agent\"]]}\n");
}

static void assert_ssh(const HvrVm *vm, const HvrSshWish *wish, const char *wanted)
{
	g_autoptr(GPtrArray) argv = hvr_ssh_argv(vm, wish);
	g_autofree char *line = g_strjoinv(" ", (char **)argv->pdata);

	if (!g_str_equal(line, wanted))
		fail_msg("'%s', not '%s'", line, wanted);
}

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })
#define OURS                                                                                       \
	"-oHostKeyAlias=hailo-vm-run-lab -oUserKnownHostsFile=/dev/null "                          \
	"-oGlobalKnownHostsFile=/dev/null -oStrictHostKeyChecking=no -oLogLevel=ERROR "

/* The port and the host are the VM's; of all else ssh takes the caller's word, which is first. */
static void test_ssh(void **state)
{
	const struct {
		char **arguments;
		const char *wanted;
	} cases[] = {
		{ WORDS(NULL), "ssh -p2222 " OURS "-lme 127.0.0.1" },
		{ WORDS("uname", "-l", "x"), "ssh -p2222 " OURS "-lme 127.0.0.1 uname -l x" },
		{ WORDS("-l", "root", "id"), "ssh -p2222 -l root " OURS "-lme 127.0.0.1 id" },
		{ WORDS("-lroot", "id"), "ssh -p2222 -lroot " OURS "-lme 127.0.0.1 id" },
		{ WORDS("-Ap", "1", "-v", "--", "-x"),
		  "ssh -p2222 -Ap 1 -v " OURS "-lme 127.0.0.1 -- -x" },
		{ WORDS("-oA=b", "-N"), "ssh -p2222 -oA=b -N " OURS "-lme 127.0.0.1" },
		{ WORDS("-o"), "ssh -p2222 -o " OURS "-lme 127.0.0.1" },
		{ WORDS("-"), "ssh -p2222 " OURS "-lme 127.0.0.1 -" },
	};
	g_autoptr(HvrVm) vm = hvr_vm_new("lab");

	vm->ssh_address = g_strdup("0.0.0.0");
	vm->ssh_port = 2222;
	vm->ssh_user = g_strdup("me");
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_ssh(vm, &(HvrSshWish){ .arguments = cases[i].arguments }, cases[i].wanted);
	assert_ssh(vm, &(HvrSshWish){ WORDS("--", "sh"), TRUE, "root" },
		   "ssh -p2222 -t " OURS "-lroot 127.0.0.1 -- sh");
	g_clear_pointer(&vm->ssh_user, g_free);
	assert_ssh(vm, &(HvrSshWish){ .arguments = WORDS(NULL) }, "ssh -p2222 " OURS "127.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_keys), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_find),	cmocka_unit_test(test_vendor),
		cmocka_unit_test(test_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
