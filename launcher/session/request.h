/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "launcher/session/hotplug.h"

/**
 * HvrRequest - what other processes may ask of a VM's session. Each exists once, as a row of
 * hvr_request_kinds: its arguments, what the session does, and whether a stand-in may do it. Who
 * asks and who answers read the same row.
 *
 * On the wire it is a QMP command, {"execute": NAME, "arguments": {...}}.
 */
typedef enum {
	HVR_REQUEST_UNPLUG,
	HVR_REQUEST_PLUG,
	HVR_REQUEST_STOP,
	HVR_REQUEST_REBOOT,
	HVR_REQUEST_STAY,
	HVR_REQUESTS, /* how many there are */
} HvrRequestName;

/* What all requests together take; which of it is a request's own, its row says. Texts are
 * borrowed: from whoever fills it in, or from the message that it was decoded from. */
typedef struct {
	HvrRequestName name;
	const char *device;
	guint timeout_ms;
	guint powerdown_ms;
	gboolean keep;
	gboolean force;
} HvrRequest;

/* A request under way: the head of what its starter keeps for it, until .done is told. */
typedef struct {
	HvrHotplug *hotplug; /* of the session that carries it out */
	HvrSessionDone done; /* gets this very struct; once, perhaps from within the start */
} HvrRequestJob;

/* The longest that a request may have the session wait: a day. */
#define HVR_REQUEST_TIME_MAX_MS (24 * 3600 * 1000)

/* An argument's type follows from its member's. */
typedef enum {
	HVR_REQUEST_TEXT, /* const char *: must be given */
	HVR_REQUEST_FLAG, /* gboolean: FALSE where it is not given */
	HVR_REQUEST_TIME, /* guint: 1 to HVR_REQUEST_TIME_MAX_MS that the session waits at most */
	HVR_REQUEST_TYPES,
} HvrRequestType;

typedef struct {
	const char *name; /* NULL: there are no more */
	HvrRequestType type;
	gsize offset;	    /* of its member in HvrRequest */
	guint otherwise_ms; /* a time that is not given */
} HvrRequestArgument;

#define HVR_REQUEST_ARGUMENTS_MAX 4

typedef struct {
	const char *name;
	HvrRequestArgument arguments[HVR_REQUEST_ARGUMENTS_MAX + 1];
	/* What the session does, be it the supervisor's or a stand-in's. @request is gone when this
	 * returns, @job is there until it is told. */
	void (*start)(HvrRequestJob *job, const HvrRequest *request);
	guint more_ms;		     /* that the session waits besides its times */
	const char *supervisor_only; /* what a stand-in cannot do; NULL: it can do it all */
} HvrRequestKind;

extern const HvrRequestKind hvr_request_kinds[HVR_REQUESTS];

/* The arguments as they go out. [transfer full] */
JsonObject *hvr_request_encode(const HvrRequest *request) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_request_decode - what a peer asks for.
 * @message: as it came in; its texts are lent to @out_request
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: there is no such request; _USAGE: an argument is missing,
 * unknown, of another type or out of its range. Neither touches @out_request.
 */
gboolean hvr_request_decode(JsonObject *message, HvrRequest *out_request,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How long the session may wait before it answers; what it works comes on top. */
guint hvr_request_wait_ms(const HvrRequest *request);

/* Has @job's session carry it out. */
void hvr_request_start(HvrRequestJob *job, const HvrRequest *request);
