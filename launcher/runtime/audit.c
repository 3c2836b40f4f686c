/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/runtime/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "launcher/process/user.h"
#include "launcher/report/json.h"
#include "launcher/report/text.h"
#include "launcher/runtime/lasting.h"
#include "vfio/fd.h"

#define JOURNAL_SOCKET "systemd/journal/socket"
#define FILE_NAME      "audit.log"
#define FILE_BEFORE    "audit.log.1"
#define FILE_MAX       (1024 * 1024)
/* Others' text may be long; a datagram shall not be. */
#define VALUE_MAX 1000
/* syslog(3): 6 is informational, 4 a warning. */
#define PRIORITY      "6"
#define PRIORITY_HIGH "4"

/* A field, without the HAILO_VM_ that it has in the journal. */
typedef struct {
	const char *name;
	char *value;
} Field;

enum { EVENT, CARD, PATH, ID, NAME, UID, SUDO_UID, JOB, RESULT, N_FIELDS };

const char *hvr_audit_name(HvrAuditEvent event)
{
	static const char *const names[] = { [HVR_AUDIT_TAKEN] = "taken",
					     [HVR_AUDIT_GIVEN_BACK] = "given-back",
					     [HVR_AUDIT_FAILED] = "failed",
					     [HVR_AUDIT_HELD] = "held",
					     [HVR_AUDIT_UNHELD] = "unheld" };

	return names[event];
}

/* One harmless line of at most VALUE_MAX bytes. [transfer full] (nullable) */
static char *make_value(const char *text)
{
	const char *end = NULL;

	if (!text || !*text)
		return NULL;
	g_autofree char *safe = hvr_text_safe(text);
	g_strdelimit(safe, "\t", ' ');
	g_utf8_validate(safe, MIN((gssize)strlen(safe), VALUE_MAX), &end);
	return g_strndup(safe, (gsize)(end - safe));
}

static const char *find_job(void)
{
	static const char *const variables[] = { "HAILO_VM_JOB", "SLURM_JOB_ID", "CI_JOB_ID" };
	const char *job = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(variables) && !job; i++)
		job = g_getenv(variables[i]);
	return job;
}

static void make_fields(const HvrAuditRecord *record, Field fields[N_FIELDS])
{
	static const char *const names[N_FIELDS] = {
		[EVENT] = "EVENT", [CARD] = "CARD",	    [PATH] = "PATH",
		[ID] = "ID",	   [NAME] = "NAME",	    [UID] = "UID",
		[JOB] = "JOB",	   [SUDO_UID] = "SUDO_UID", [RESULT] = "RESULT",
	};
	g_autoptr(HvrUser) caller = hvr_user_caller();

	for (guint i = 0; i < N_FIELDS; i++)
		fields[i] = (Field){ .name = names[i] };
	fields[EVENT].value = g_strdup(hvr_audit_name(record->event));
	fields[CARD].value = make_value(record->address);
	fields[PATH].value = make_value(record->path);
	fields[ID].value = make_value(record->id);
	fields[NAME].value = make_value(record->vm);
	fields[UID].value = g_strdup_printf("%u", geteuid());
	if (caller->privileged)
		fields[SUDO_UID].value = g_strdup_printf("%u", caller->uid);
	fields[JOB].value = make_value(find_job());
	fields[RESULT].value = make_value(record->result ? record->result : "ok");
}

/* "0000:02:00.0 taken, VM lab, uid 0 for 1000, job 12: ok" */
static char *make_message(const Field fields[N_FIELDS])
{
	g_autoptr(GString) text = g_string_new(fields[CARD].value ? fields[CARD].value : "a card");

	g_string_append_printf(text, " %s", fields[EVENT].value);
	if (fields[NAME].value)
		g_string_append_printf(text, ", VM %s", fields[NAME].value);
	g_string_append_printf(text, ", uid %s", fields[UID].value);
	if (fields[SUDO_UID].value)
		g_string_append_printf(text, " for %s", fields[SUDO_UID].value);
	if (fields[JOB].value)
		g_string_append_printf(text, ", job %s", fields[JOB].value);
	g_string_append_printf(text, ": %s", fields[RESULT].value);
	return g_strdup(text->str);
}

static GString *make_datagram(const HvrAuditRecord *record, const Field fields[N_FIELDS])
{
	GString *text = g_string_new(NULL);
	g_autofree char *message = make_message(fields);
	const char *priority = PRIORITY;

	if (record->event == HVR_AUDIT_FAILED || record->event == HVR_AUDIT_HELD)
		priority = PRIORITY_HIGH;
	g_string_append_printf(text, "MESSAGE=%s\nPRIORITY=%s\nSYSLOG_IDENTIFIER=hailo-vm-run\n",
			       message, priority);
	for (guint i = 0; i < N_FIELDS; i++)
		if (fields[i].value)
			g_string_append_printf(text, "HAILO_VM_%s=%s\n", fields[i].name,
					       fields[i].value);
	return text;
}

static gboolean send_to_journal(const HvrContext *context, const GString *datagram)
{
	g_auto(HvrFd) fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *path = hvr_fd_path(context->host.run, JOURNAL_SOCKET);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	return fd >= 0 &&
	       sendto(fd, datagram->str, datagram->len, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (struct sockaddr *)&address, sizeof(address)) == (gssize)datagram->len;
}

static GString *make_line(const Field fields[N_FIELDS])
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	g_autoptr(JsonNode) root = json_node_alloc();
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "time", time);
	for (guint i = 0; i < N_FIELDS; i++) {
		g_autofree char *name = g_ascii_strdown(fields[i].name, -1);
		hvr_json_set_string(object, name, fields[i].value);
	}
	json_node_init_object(root, object);
	json_object_unref(object);
	g_autofree char *text = hvr_json_text(root);
	GString *line = g_string_new(g_strchomp(text));
	g_string_append_c(line, '\n');
	return line;
}

/* Under the lock, so that what is moved away is the full one, once. */
static gboolean append_line(const HvrContext *context, const GString *line, GError **error)
{
	g_auto(HvrFd) folder = hvr_lasting_open(context, NULL, TRUE, error);
	g_auto(HvrFd) lock = folder < 0 ? -1 : hvr_lasting_lock(folder, error);
	struct stat st;

	if (lock < 0)
		return FALSE;
	if (fstatat(folder, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size + (goffset)line->len > FILE_MAX)
		(void)renameat(folder, FILE_NAME, folder, FILE_BEFORE);
	g_auto(HvrFd) fd = openat(folder, FILE_NAME,
				  O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && hvr_fd_write_all(fd, line->str, (gssize)line->len))
		return TRUE;
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s",
		    g_strerror(errno));
	return FALSE;
}

void hvr_audit(const HvrContext *context, const HvrAuditRecord *record)
{
	Field fields[N_FIELDS];
	g_autoptr(GError) error = NULL;

	if (context->captured)
		return;
	make_fields(record, fields);
	g_autoptr(GString) datagram = make_datagram(record, fields);
	if (!send_to_journal(context, datagram) && context->privileged) {
		g_autoptr(GString) line = make_line(fields);
		if (!append_line(context, line, &error))
			g_debug("audit: %s", error->message);
	}
	for (guint i = 0; i < N_FIELDS; i++)
		g_free(fields[i].value);
}
