/*
 * Layer: demo. One job: the answers that many endpoints give: a JSON document, a problem (RFC
 * 9457), nothing but a status.
 */
#ifndef SIGHTGLASS_DEMO_REPLY_H
#define SIGHTGLASS_DEMO_REPLY_H

#include "base/buffer.h"
#include "base/slice.h"

struct demo_client;
struct demo_request;

/* Begins and ends the answer; `body`, which is emptied, holds the document. `fields`: further field
 * lines, each with its CRLF. */
void demo_reply_json(
	struct demo_client *client, unsigned status, struct buffer *body, struct slice fields);
/* `request` may be one whose head was not understood; its request ID, if any, is in the answer. */
void demo_reply_problem(struct demo_client *client, const struct demo_request *request,
	unsigned status, const char *detail, struct slice fields);
/* 204 */
void demo_reply_nothing(struct demo_client *client);

#endif
