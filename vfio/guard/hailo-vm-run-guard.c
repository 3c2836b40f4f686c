// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps bus and slot resets away from cards, as the kernel's own quirks do for others that cannot
 * bear one: by PCI_DEV_FLAGS_NO_BUS_RESET, which no file below /sys sets. With it VFIO offers QEMU
 * no hot reset and does none itself at the last close; function resets are another matter, which
 * an empty reset_method settles.
 *
 * Only cards whose IDs are named are touched, and nothing of them but that flag. There is no
 * MODULE_DEVICE_TABLE: whoever wants the module loads it.
 *
 * The flag has no lock in the kernel: it is set while a card is added, before any driver, or by who
 * loads the module, once, and nobody else writes these flags of a card that is there.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#define IDS_MAX 16

struct card_id {
	u16 vendor;
	u16 device;
};

struct guarded {
	struct list_head link;
	struct pci_dev *pdev;
	bool ours; /* the flag was set by this module, and goes with it */
};

/* The cards of vfio/quirks.c whose resets are switched off. */
static char ids[IDS_MAX * 12] = "1e60:2864";
module_param_string(ids, ids, sizeof(ids), 0444);
MODULE_PARM_DESC(ids, "cards to guard: VENDOR:DEVICE[,VENDOR:DEVICE...], in hexadecimal");

static struct card_id named[IDS_MAX];
static unsigned int n_named;
static LIST_HEAD(guarded_cards);
static DEFINE_MUTEX(guard_lock);

/* What really has the flag, for programs: an address a line. */
static int show_cards(char *buffer, const struct kernel_param *param)
{
	struct guarded *card;
	int length = 0;

	mutex_lock(&guard_lock);
	list_for_each_entry(card, &guarded_cards, link)
		if (card->pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET)
			length += scnprintf(buffer + length, PAGE_SIZE - length, "%s\n",
					    pci_name(card->pdev));
	mutex_unlock(&guard_lock);
	return length;
}

static int refuse_cards(const char *value, const struct kernel_param *param)
{
	return -EINVAL;
}

static const struct kernel_param_ops cards_ops = {
	.set = refuse_cards,
	.get = show_cards,
};
module_param_cb(cards, &cards_ops, NULL, 0444);
MODULE_PARM_DESC(cards, "read only: the cards that no bus reset reaches now");

static bool is_named(const struct pci_dev *pdev)
{
	unsigned int i;

	for (i = 0; i < n_named; i++)
		if (named[i].vendor == pdev->vendor && named[i].device == pdev->device)
			return true;
	return false;
}

static struct guarded *find_guarded(const struct pci_dev *pdev)
{
	struct guarded *card;

	list_for_each_entry(card, &guarded_cards, link)
		if (card->pdev == pdev)
			return card;
	return NULL;
}

static void guard_locked(struct pci_dev *pdev)
{
	struct guarded *card;

	if (find_guarded(pdev))
		return;
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card) {
		pci_err(pdev, "bus resets still reach it: out of memory\n");
		return;
	}
	card->pdev = pci_dev_get(pdev);
	card->ours = !(pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET);
	pdev->dev_flags |= PCI_DEV_FLAGS_NO_BUS_RESET;
	list_add_tail(&card->link, &guarded_cards);
	pci_info(pdev, "no bus reset reaches it%s\n", card->ours ? "" : ", by the kernel itself");
}

static void guard_card(struct pci_dev *pdev)
{
	/* Of a bridge the flag would be about all that is below it. */
	if (!is_named(pdev) || pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return;
	mutex_lock(&guard_lock);
	guard_locked(pdev);
	mutex_unlock(&guard_lock);
}

static void unguard_locked(struct guarded *card)
{
	if (card->ours)
		card->pdev->dev_flags &= ~PCI_DEV_FLAGS_NO_BUS_RESET;
	list_del(&card->link);
	pci_dev_put(card->pdev);
	kfree(card);
}

static void forget(struct pci_dev *pdev)
{
	struct guarded *card;

	mutex_lock(&guard_lock);
	card = find_guarded(pdev);
	if (card)
		unguard_locked(card);
	mutex_unlock(&guard_lock);
}

/* Added: before any driver sees it. Removed: after its driver has let go. */
static int on_bus_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct pci_dev *pdev = to_pci_dev((struct device *)data);

	if (event == BUS_NOTIFY_ADD_DEVICE)
		guard_card(pdev);
	else if (event == BUS_NOTIFY_REMOVED_DEVICE)
		forget(pdev);
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = {
	.notifier_call = on_bus_event,
};

/* "1e60:2864" and nothing else: no wildcards. */
static int parse_id(char *word, struct card_id *id)
{
	char *device = strchr(word, ':');

	if (!device)
		return -EINVAL;
	*device++ = '\0';
	if (strlen(word) != 4 || strlen(device) != 4)
		return -EINVAL;
	if (kstrtou16(word, 16, &id->vendor) || kstrtou16(device, 16, &id->device))
		return -EINVAL;
	return 0;
}

static int parse_ids(void)
{
	char copy[sizeof(ids)];
	char *rest = copy, *word;

	strscpy(copy, ids, sizeof(copy));
	while ((word = strsep(&rest, ","))) {
		if (n_named == IDS_MAX) {
			pr_err("%s: ids names more than %d cards\n", KBUILD_MODNAME, IDS_MAX);
			return -EINVAL;
		}
		if (parse_id(word, &named[n_named])) {
			pr_err("%s: ids is not VENDOR:DEVICE[,VENDOR:DEVICE...]: %s\n",
			       KBUILD_MODNAME, ids);
			return -EINVAL;
		}
		n_named++;
	}
	return 0;
}

static int __init guard_init(void)
{
	struct pci_dev *pdev = NULL;
	int problem = parse_ids();

	if (problem)
		return problem;
	/* First, so that no card is missed: what comes meanwhile may be seen twice. */
	problem = bus_register_notifier(&pci_bus_type, &bus_notifier);
	if (problem)
		return problem;
	for_each_pci_dev(pdev)
		guard_card(pdev);
	return 0;
}

static void __exit guard_exit(void)
{
	struct guarded *card, *next;

	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	mutex_lock(&guard_lock);
	list_for_each_entry_safe(card, next, &guarded_cards, link) {
		if (card->ours)
			pci_info(card->pdev, "bus resets can reach it again\n");
		unguard_locked(card);
	}
	mutex_unlock(&guard_lock);
}

module_init(guard_init);
module_exit(guard_exit);

MODULE_DESCRIPTION("Keeps bus resets away from PCIe accelerators that are given to VMs");
MODULE_AUTHOR("hailo-vm-run maintainers");
MODULE_LICENSE("GPL");
