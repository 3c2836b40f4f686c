/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile's cards in libvirt's words and in Docker's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/print/print.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/layouts.h"

typedef struct {
	HvrProfile *profile;
	HvrInventory *inventory;
	HvrClaim *claim;
} Cards;

static void cards_clear(Cards *cards)
{
	g_clear_pointer(&cards->claim, hvr_claim_free);
	g_clear_pointer(&cards->inventory, hvr_inventory_free);
	g_clear_pointer(&cards->profile, hvr_profile_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cards, cards_clear)

static Cards cards_of(FakeSysfs *fs, const char *devices, GError **error)
{
	const HvrContext context = {
		.host = fs->host, .runtime = -1, .runtime_parent = -1, .privileged = TRUE
	};
	g_autofree char *text = g_strconcat("[vm]\nmemory = 1G\n", devices, NULL);
	Cards cards = { 0 };

	cards.profile = hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	assert_non_null(cards.profile);
	cards.inventory = hvr_inventory_read(&fs->host, NULL);
	cards.claim = hvr_print_cards(&context, cards.profile, cards.inventory, error);
	return cards;
}

#define HOSTDEV(domain, bus, slot)                                                                 \
	"<hostdev mode='subsystem' type='pci' managed='yes'>\n"                                    \
	"  <source>\n"                                                                             \
	"    <address domain='0x" domain "' bus='0x" bus "' slot='0x" slot "' function='0x0'/>\n"  \
	"  </source>\n"                                                                            \
	"</hostdev>\n"

/* The guide's <hostdev>, with the address of the card that the profile means. */
static void test_libvirt(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_amd();
	g_auto(Cards) cards = cards_of(fs, "[device npu]\n", NULL);
	g_autofree char *text = hvr_print_libvirt(cards.inventory, cards.claim);

	assert_string_equal(text, "<!-- npu: 0000:0b:00.0 Hailo-8 AI accelerator -->\n" HOSTDEV(
					  "0000", "0b", "00"));
}

/* Whatever shares the group comes along, once, but for bridges; five digits stay five. */
static void test_libvirt_group(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_century();
	g_auto(Cards) cards =
		cards_of(fs, "[device a]\npick = free\n[device b]\npick = free\n", NULL);
	g_autofree char *text = hvr_print_libvirt(cards.inventory, cards.claim);

	assert_non_null(strstr(text, "<!-- a: 0000:03:01.0 "));
	assert_non_null(strstr(text, "<!-- b: 0000:03:02.0 "));
	assert_non_null(strstr(text, "<!-- in the same IOMMU group: 0000:03:03.0 "));
	assert_null(strstr(text, "0000:02:00.0"));
	g_auto(GStrv) parts = g_strsplit(text, "</hostdev>", -1);
	assert_int_equal(g_strv_length(parts), 4);

	g_autoptr(FakeSysfs) vmd = fake_layout_vmd();
	g_auto(Cards) far = cards_of(vmd, "[device npu]\n", NULL);
	g_autofree char *far_text = hvr_print_libvirt(far.inventory, far.claim);
	assert_non_null(strstr(far_text, HOSTDEV("10000", "e1", "00")));
}

#define GUIDE                                                                                      \
	"-v /dev:/dev\n-v /lib/firmware:/lib/firmware\n"                                           \
	"-v /lib/udev/rules.d:/lib/udev/rules.d\n-v /lib/modules:/lib/modules\n"

/* The guide's options, with the node that belongs to this card. */
static void test_docker(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_switches();
	g_auto(Cards) second = cards_of(fs, "[device npu]\naddress = 06:00.0\n", NULL);
	g_autofree char *one = hvr_print_docker(&fs->host, second.claim, NULL);
	assert_string_equal(one, GUIDE "--device=/dev/hailo1:/dev/hailo1\n");

	g_auto(Cards) both =
		cards_of(fs, "[device a]\npick = free\n[device b]\npick = free\n", NULL);
	g_autofree char *two = hvr_print_docker(&fs->host, both.claim, NULL);
	assert_string_equal(two, GUIDE "--device=/dev/hailo0:/dev/hailo0\n"
				       "--device=/dev/hailo1:/dev/hailo1\n");
}

/* A card that is not on its host driver has nothing for a container. */
static void test_docker_without_node(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_century();
	const FakeFunction driverless = {
		.parent = "0000:02:00.0", .vendor = 0x8086, .device = 0x100e, .group = 9
	};

	fake_sysfs_add_function(fs, "0000:03:04.0", &driverless);
	g_auto(Cards) cards = cards_of(fs, "[device nic]\naddress = 03:03.0\n", NULL);
	g_auto(Cards) bare = cards_of(fs, "[device nic]\naddress = 03:04.0\n", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) no_driver = NULL;

	assert_null(hvr_print_docker(&fs->host, cards.claim, &error));
	assert_int_equal(hvr_exit_status(error), 69);
	assert_non_null(strstr(error->message, "0000:03:03.0: driver e1000 has made no node"));
	assert_non_null(strstr(error->message, "\na container needs the card on its host driver"));
	assert_null(hvr_print_docker(&fs->host, bare.claim, &no_driver));
	assert_true(g_str_has_prefix(no_driver->message,
				     "0000:03:04.0: it has no driver, so no node for programs\n"));
}

/* A profile that means no card of this host says so. */
static void test_no_card(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	g_autoptr(GError) error = NULL;
	g_auto(Cards) cards = cards_of(fs, "[device npu]\n", &error);

	assert_null(cards.claim);
	assert_int_equal(hvr_exit_status(error), 69);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libvirt), cmocka_unit_test(test_libvirt_group),
		cmocka_unit_test(test_docker),	cmocka_unit_test(test_docker_without_node),
		cmocka_unit_test(test_no_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
