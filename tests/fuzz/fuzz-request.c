/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any JSON object as a request to a supervisor.
 *
 * What must hold: a refusal is one of two kinds, and touches nothing. What is taken is within its
 * bounds, and is read the same again from what it is sent as.
 */
#include <stdint.h>
#include <string.h>

#include "launcher/report/error.h"
#include "launcher/session/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const HvrRequest *request, const GError *error)
{
	g_assert(request->name == HVR_REQUESTS);
	g_assert(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE) ||
		 g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
	g_assert(*error->message);
}

static void check_argument(const HvrRequestArgument *one, const HvrRequest *request,
			   const HvrRequest *back)
{
	if (one->type == HVR_REQUEST_TEXT) {
		const char *text = G_STRUCT_MEMBER(const char *, request, one->offset);
		g_assert(text);
		g_assert_cmpstr(text, ==, G_STRUCT_MEMBER(const char *, back, one->offset));
		return;
	}
	guint number = G_STRUCT_MEMBER(guint, request, one->offset);
	g_assert(number == G_STRUCT_MEMBER(guint, back, one->offset));
	if (one->type == HVR_REQUEST_TIME)
		g_assert(number >= 1 && number <= HVR_REQUEST_TIME_MAX_MS);
	else
		g_assert(number <= 1);
}

static void check_round_trip(const HvrRequest *request)
{
	const HvrRequestKind *kind = &hvr_request_kinds[request->name];
	g_autoptr(JsonObject) message = json_object_new();
	HvrRequest back = { .name = HVR_REQUESTS };

	json_object_set_string_member(message, "execute", kind->name);
	json_object_set_object_member(message, "arguments", hvr_request_encode(request));
	g_assert(hvr_request_decode(message, &back, NULL));
	g_assert(back.name == request->name);
	for (const HvrRequestArgument *one = kind->arguments; one->name; one++)
		check_argument(one, request, &back);
	g_assert(hvr_request_wait_ms(request) == hvr_request_wait_ms(&back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	HvrRequest request = { .name = HVR_REQUESTS };
	g_autoptr(GError) error = NULL;

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return 0;
	gboolean taken = hvr_request_decode(json_node_get_object(node), &request, &error);
	g_assert(taken == !error);
	if (taken)
		check_round_trip(&request);
	else
		check_refusal(&request, error);
	return 0;
}
