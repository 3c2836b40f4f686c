/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* A time that is never over. */
#define HVR_SERIAL_FOR_EVER G_MAXUINT

/**
 * HvrSerialClient - somebody who has joined a VM's serial port, by a connected stream socket. What
 * it does not take is held, a little of it; it is not waited for, or only for a time.
 */
typedef struct HvrSerialClient HvrSerialClient;

typedef struct {
	int fd; /* taken */
	/* It loses nothing while it has taken something within this time: whoever has bytes for it
	 * asks for room first. 0: it is never waited for; HVR_SERIAL_FOR_EVER */
	guint patience_ms;
	/* It has typed. */
	void (*typed)(const void *bytes, gsize length, gpointer user_data);
	/* It has room again, or is waited for no longer, or is gone, or has typed: told last of
	 * all, and may free it. */
	void (*changed)(gpointer user_data);
	gpointer user_data;
} HvrSerialClientStart;

/* Attached to the default main context. */
HvrSerialClient *hvr_serial_client_new(const HvrSerialClientStart *start) G_GNUC_WARN_UNUSED_RESULT;

/* With a last try to pass on what is held. */
void hvr_serial_client_free(HvrSerialClient *client);

/**
 * hvr_serial_client_put - for the client, now or as soon as it takes it.
 * Where it holds too much already, and is not waited for, the bytes are lost; when it has taken all
 * that was held, a line tells it how many they were, and it is waited for again. Calls nobody.
 */
void hvr_serial_client_put(HvrSerialClient *client, const void *bytes, gsize length);

/* Does it take what comes without losing any, or is it not waited for? */
gboolean hvr_serial_client_has_room(const HvrSerialClient *client);

/* Is it gone, so that it is to be freed? */
gboolean hvr_serial_client_is_gone(const HvrSerialClient *client);

/* What it types is read, or waits. */
void hvr_serial_client_listen_to(HvrSerialClient *client, gboolean listen);

/* As much of what is held as it takes now. Calls nobody. Returns: is anything left? */
gboolean hvr_serial_client_flush(HvrSerialClient *client);

/* Nothing more comes for it: the other side sees the end. What it types still counts. */
void hvr_serial_client_end(HvrSerialClient *client);
