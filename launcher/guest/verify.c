/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what a guest says to a verdict a line.
 *
 * The questions go from the bottom up: driver, node, library, versions, card. What a lower one has
 * answered with no makes the upper ones fail too; they are asked all the same, since what they say
 * is how users know the failure. All of it is the guest's text, so nothing of it is shown before
 * what a terminal would obey is taken out.
 */
#include "launcher/guest/verify.h"

#include <string.h>

#include "launcher/check/checking.h"
#include "launcher/guest/verify-known.h"
#include "launcher/guest/verify-log.h"

#define GUEST	   "guest"
#define TEXT_BYTES 160

HvrVerifyNode *hvr_verify_node_new(const char *name, const char *problem)
{
	HvrVerifyNode *node = g_new(HvrVerifyNode, 1);

	*node = (HvrVerifyNode){ .name = g_strdup(name), .problem = g_strdup(problem) };
	return node;
}

static void node_free(gpointer data)
{
	HvrVerifyNode *node = data;

	g_free(node->name);
	g_free(node->problem);
	g_free(node);
}

void hvr_verify_facts_clear(HvrVerifyFacts *facts)
{
	g_free(facts->driver);
	g_free(facts->driver5);
	g_free(facts->log);
	g_free(facts->pci);
	g_free(facts->version.text);
	g_free(facts->identify.text);
	g_free(facts->scan.text);
	if (facts->nodes) {
		g_ptr_array_set_free_func(facts->nodes, node_free);
		g_ptr_array_unref(facts->nodes);
	}
}

/* @bytes: (nullable); of length 0 it may have no data at all */
static void append_bytes(GString *text, const GByteArray *bytes)
{
	for (guint i = 0; bytes && i < bytes->len; i++)
		g_string_append_c(text, bytes->data[i] ? (char)bytes->data[i] : ' ');
}

char *hvr_verify_text(const GByteArray *out, const GByteArray *err)
{
	GString *text = g_string_new(NULL);

	append_bytes(text, out);
	if (text->len && text->str[text->len - 1] != '\n')
		g_string_append_c(text, '\n');
	append_bytes(text, err);
	return g_string_free(text, FALSE);
}

gboolean hvr_verify_is_blank(const char *text)
{
	return !text || text[strspn(text, " \t\r\n\v\f")] == '\0';
}

char *hvr_verify_find_version(const char *text)
{
	static const char digits[] = "0123456789";

	for (const char *at = text; at && *at; at++) {
		gsize major = strspn(at, digits), minor = 0;
		if (major == 0)
			continue;
		if (at[major] == '.')
			minor = strspn(at + major + 1, digits);
		gsize length = major + 1 + minor;
		if (minor && at[length] == '.' && g_ascii_isdigit(at[length + 1]))
			length += 1 + strspn(at + length + 1, digits);
		if (minor && length < 32)
			return g_strndup(at, length);
		at += major - 1;
	}
	return NULL;
}

/* Of a version; what it does not have is 0. */
static guint64 number_at(char **parts, guint i)
{
	if (i >= g_strv_length(parts))
		return 0;
	return g_ascii_strtoull(parts[i], NULL, 10);
}

/* By their first @n numbers. */
static int compare(const char *a, const char *b, guint n)
{
	g_auto(GStrv) left = g_strsplit(a, ".", 4);
	g_auto(GStrv) right = g_strsplit(b, ".", 4);

	for (guint i = 0; i < n; i++) {
		guint64 x = number_at(left, i), y = number_at(right, i);
		if (x < y)
			return -1;
		if (x > y)
			return 1;
	}
	return 0;
}

int hvr_verify_compare(const char *a, const char *b)
{
	return compare(a, b, 3);
}

/* One line of it, of bounded length, that a terminal can show. @text: (nullable) */
static char *plain(const char *text)
{
	const char *begin = text ? text + strspn(text, " \t\r\n\v\f") : "";
	g_autofree char *cut = g_strndup(begin, TEXT_BYTES);
	char *valid = g_utf8_make_valid(g_strstrip(cut), -1);

	for (char *at = valid; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	return valid;
}

static void judge_driver(HvrCheck *check, const HvrVerifyFacts *facts)
{
	g_autofree char *version = plain(facts->driver);

	if (facts->driver)
		hvr_check_pass(check, "guest-driver", "hailo_pci %s is loaded", version);
	else if (facts->driver5)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-driver",
			      "install the driver of HailoRT 4.x (module hailo_pci) in the guest",
			      "only hailo1x_pci is loaded, the driver of HailoRT 5.0.1 and later "
			      "5.x, which knows no Hailo-8");
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-driver",
			      "install HailoRT's PCIe driver in the guest and load it: modprobe "
			      "hailo_pci",
			      "hailo_pci is not loaded");
}

static void judge_minimum(HvrCheck *check, const HvrVerifyFacts *facts, const char *minimum)
{
	g_autofree char *version = hvr_verify_find_version(facts->driver);

	if (!version)
		return;
	if (hvr_verify_compare(version, minimum) >= 0)
		hvr_check_pass(check, "guest-minimum", "%s is at least %s", version, minimum);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-minimum",
			      "install a newer HailoRT in the guest: drivers before 4.20 cannot "
			      "start a card whose firmware runs already",
			      "the driver is %s, older than %s ([guest] hailort-min)", version,
			      minimum);
}

/* Was the card taken out, and came back at another address? */
static gboolean has_moved(const HvrVerifyComplaint *complaint, const GPtrArray *pci)
{
	return complaint->device && complaint->old && pci->len > 0 &&
	       !hvr_verify_pci_has(pci, complaint->device);
}

static void judge_log(HvrCheck *check, const HvrVerifyFacts *facts)
{
	g_autoptr(GPtrArray) complaints = hvr_verify_log(facts->log);
	g_autoptr(GPtrArray) pci = hvr_verify_pci(facts->pci);
	guint complained = 0;

	for (guint i = 0; i < complaints->len; i++) {
		const HvrVerifyComplaint *complaint = g_ptr_array_index(complaints, i);
		g_autofree char *line = plain(complaint->line);
		if (has_moved(complaint, pci))
			continue;
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-log", complaint->known->fix,
			      "its kernel log says \"%s\": %s", line, complaint->known->meaning);
		complained++;
	}
	if (!facts->log)
		hvr_check_say(check, HVR_CHECK_WARN, "guest-log", "let the agent run dmesg",
			      "its kernel log cannot be read");
	else if (complained == 0)
		hvr_check_pass(check, "guest-log",
			       "its kernel log has no known complaint since the driver's last "
			       "probe");
}

static void judge_node(HvrCheck *check, const HvrVerifyNode *node)
{
	const HvrVerifyKnown *known = hvr_verify_known(HVR_VERIFY_NODE, node->problem, NULL);
	g_autofree char *problem = plain(node->problem);

	check->subject = node->name;
	if (!node->problem)
		hvr_check_pass(check, "guest-node", "it opens");
	else if (known)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-node", known->fix,
			      "it does not open: %s", known->meaning);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-node",
			      "the guest's kernel log may say more: hailo-vm-run exec VM -- dmesg",
			      "it does not open: %s", problem);
	check->subject = GUEST;
}

static void judge_no_node(HvrCheck *check, const HvrVerifyFacts *facts)
{
	g_autoptr(GPtrArray) pci = hvr_verify_pci(facts->pci);

	if (pci->len > 0)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-node",
			      "the guest's kernel log says why: hailo-vm-run exec VM -- dmesg",
			      "the driver has not taken the card: %s is on the guest's PCI bus, "
			      "but there is no hailo node",
			      (const char *)g_ptr_array_index(pci, 0));
	else if (facts->pci)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-node",
			      "is the card in the VM? See hailo-vm-run status, and give it one: "
			      "hailo-vm-run plug",
			      "the driver has no card: there is no hailo node, and no Hailo on the "
			      "guest's PCI bus");
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-node",
			      "is the card in the VM (hailo-vm-run status)? If so, the guest's "
			      "kernel log says why the driver did not take it",
			      "the driver has no card: there is no hailo node");
}

static void judge_nodes(HvrCheck *check, const HvrVerifyFacts *facts)
{
	for (guint i = 0; facts->nodes && i < facts->nodes->len; i++)
		judge_node(check, g_ptr_array_index(facts->nodes, i));
	if (!facts->nodes || facts->nodes->len == 0)
		judge_no_node(check, facts);
}

/* hailortcli --version, which asks no card. */
static void refuse_library(HvrCheck *check, const HvrVerifyOutput *output)
{
	const HvrVerifyKnown *known = hvr_verify_known(HVR_VERIFY_TOOL, output->text, NULL);
	g_autofree char *text = plain(output->text);

	if (output->status < 0)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-library",
			      "is the guest overloaded, or its disk stuck? See its kernel log, and "
			      "verify again",
			      "hailortcli --version did not end in time");
	else if (known)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-library", known->fix,
			      "hailortcli --version ended with status %d: %s", output->status,
			      known->meaning);
	else if (output->status == 127)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-library",
			      "install HailoRT (hailort and its tools) in the guest",
			      "there is no hailortcli in the agent's PATH");
	else
		hvr_check_say(
			check, HVR_CHECK_FAIL, "guest-library", "install HailoRT in the guest anew",
			"hailortcli --version ended with status %d: %s", output->status, text);
}

static void judge_library(HvrCheck *check, const HvrVerifyFacts *facts)
{
	const HvrVerifyOutput *output = &facts->version;
	g_autofree char *version = hvr_verify_find_version(output->text);
	g_autofree char *driver = hvr_verify_find_version(facts->driver);

	if (output->status != 0 || !version)
		refuse_library(check, output);
	else if (driver && hvr_verify_compare(driver, version) != 0)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-library",
			      "install both from one release, then load the driver anew or start "
			      "the guest again",
			      "the library is %s, the driver %s: they must be of one version",
			      version, driver);
	else
		hvr_check_pass(check, "guest-library", "hailortcli %s", version);
}

/* "Device Architecture: HAILO8" -> "HAILO8". NULL: it is not said. @text: (nullable).
 * [transfer full] */
static char *field(const char *text, const char *name)
{
	const char *at = text ? strstr(text, name) : NULL;

	if (!at || at[strlen(name)] != ':')
		return NULL;
	at += strlen(name) + 1;
	g_autofree char *value = g_strndup(at, strcspn(at, "\r\n"));
	return plain(value);
}

/* A success with nothing to show for it: what hailortcli scan says tells whether there is a card.
 */
static void refuse_silence(HvrCheck *check, const HvrVerifyFacts *facts)
{
	const HvrVerifyKnown *known = hvr_verify_known_status(0);
	g_autofree char *scan = plain(facts->scan.text);

	if (hvr_verify_is_blank(facts->scan.text))
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card", known->fix,
			      "hailortcli fw-control identify: status 0 and no output: %s",
			      known->meaning);
	else if (hvr_verify_known(HVR_VERIFY_TOOL, facts->scan.text, NULL) == NULL)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card",
			      "the guest's kernel log may say more: hailo-vm-run exec VM -- dmesg",
			      "hailortcli fw-control identify: status 0 and no output; hailortcli "
			      "scan: status %d: %s",
			      facts->scan.status, scan);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card", known->fix,
			      "hailortcli fw-control identify: status 0 and no output; hailortcli "
			      "scan: %s: %s",
			      scan, known->meaning);
}

static void refuse_identify(HvrCheck *check, const HvrVerifyOutput *output)
{
	g_autofree char *line = NULL;
	const HvrVerifyKnown *known = hvr_verify_known(HVR_VERIFY_TOOL, output->text, &line);
	g_autofree char *text = plain(line ? line : output->text);

	if (!known && output->status != 0)
		known = hvr_verify_known_status(output->status);
	if (output->status < 0)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card",
			      "see the guest's kernel log; a card that hangs may need unplug and "
			      "plug, or a power cycle of the host",
			      "hailortcli fw-control identify did not end in time");
	else if (known)
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card", known->fix,
			      "hailortcli fw-control identify: status %d: %s (\"%s\")",
			      output->status, known->meaning, text);
	else
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card",
			      "the guest's kernel log may say more: hailo-vm-run exec VM -- dmesg",
			      "hailortcli fw-control identify: status %d: %s", output->status,
			      text);
}

/* As the library itself does: major and minor. */
static gboolean is_other_release(const char *firmware, const char *library)
{
	g_autofree char *a = hvr_verify_find_version(firmware);
	g_autofree char *b = hvr_verify_find_version(library);

	return a && b && compare(a, b, 2) != 0;
}

/* What identify says of the card, where it says it. */
static void judge_fields(HvrCheck *check, const HvrVerifyFacts *facts, const char *architecture)
{
	const char *text = facts->identify.text;
	const HvrVerifyKnown *other =
		hvr_verify_known(HVR_VERIFY_TOOL, "Unsupported firmware operation", NULL);
	g_autofree char *firmware = field(text, "Firmware Version");
	g_autofree char *serial = field(text, "Serial Number");
	g_autofree char *library = hvr_verify_find_version(facts->version.text);
	g_autoptr(GString) card = g_string_new(NULL);

	g_string_append_printf(card, "%s, firmware %s", architecture,
			       firmware ? firmware : "unknown");
	if (serial)
		g_string_append_printf(card, ", serial %s", serial);
	if (is_other_release(firmware, library))
		hvr_check_say(check, HVR_CHECK_FAIL, "guest-card", other->fix,
			      "%s; the library is %s: %s", card->str, library, other->meaning);
	else
		hvr_check_pass(check, "guest-card", "%s", card->str);
}

static void judge_card(HvrCheck *check, const HvrVerifyFacts *facts)
{
	const HvrVerifyOutput *output = &facts->identify;
	g_autofree char *architecture = field(output->text, "Device Architecture");

	/* Without hailortcli there is nothing to say, and that is said already. */
	if (facts->version.status == 127)
		return;
	if (output->status == 0 && hvr_verify_is_blank(output->text))
		refuse_silence(check, facts);
	else if (output->status != 0 || !architecture ||
		 hvr_verify_known(HVR_VERIFY_TOOL, output->text, NULL))
		refuse_identify(check, output);
	else
		judge_fields(check, facts, architecture);
}

GPtrArray *hvr_verify_judge(const HvrVerifyFacts *facts, const char *minimum)
{
	HvrCheck check = { .subject = GUEST, .results = hvr_check_results_new() };

	judge_driver(&check, facts);
	judge_minimum(&check, facts, minimum);
	judge_log(&check, facts);
	judge_nodes(&check, facts);
	judge_library(&check, facts);
	judge_card(&check, facts);
	return check.results;
}
