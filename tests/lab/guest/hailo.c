/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the card what its driver asks first: does it still answer with the vendor's number? */
#include "guest.h"
#include "io.h"

#define LIVENESS 0x98

void hailo_test(void)
{
	const struct pci_function *card = pci_find(0x1e60, 0x2864);

	if (!card)
		return;
	pci_enable(card->address);
	print("guest: hailo %s\n",
	      read16(card->bar[0] + LIVENESS) == 0x1e60 ? "answers" : "FAILED");
}
