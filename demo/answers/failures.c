/*
 * Layer: demo. One job: what goes wrong on purpose: an error of the API's own, no answer at all, an
 * answer that breaks off, and what is not there.
 */
#include "base/loop.h"
#include "demo/answers/kinds.h"
#include "demo/reply.h"
#include "demo/service.h"

enum {
	ARCHIVE_SIZE = 256 * 1024, /* what is announced */
	ARCHIVE_SENT = 4 * 1024,   /* what comes of it */
};

static void end_billing(struct demo_answer *answer)
{
	demo_reply_problem(answer->client, answer->request, 500,
		"the billing database did not answer", slice_of(NULL, 0));
}

static void end_export(struct demo_answer *answer)
{
	demo_client_break_off(answer->client);
}

static void end_archive(struct demo_answer *answer)
{
	const struct demo_head head = {
		.status = 200,
		.content_type = "application/octet-stream",
		.length = ARCHIVE_SIZE,
	};
	char *bytes = loop_scratch(answer->service->loop, ARCHIVE_SENT);

	if (!demo_client_head(answer->client, &head)) { /* HEAD: nothing to break off */
		demo_client_end(answer->client);
		return;
	}
	memset(bytes, 'a', ARCHIVE_SENT);
	demo_client_write(answer->client, slice_of(bytes, ARCHIVE_SENT));
	demo_client_break_off(answer->client);
}

static void end_nothing(struct demo_answer *answer)
{
	struct buffer fields = BUFFER_INIT;
	size_t before;

	buffer_append_str(&fields, "Allow: ");
	before = fields.len;
	demo_route_allowed(answer->request->target.normal, &fields);
	if (fields.len == before) {
		demo_reply_problem(
			answer->client, answer->request, 404, "nothing is here", slice_of(NULL, 0));
	} else {
		buffer_append_str(&fields, "\r\n");
		demo_reply_problem(answer->client, answer->request, 405,
			"not by this method: see Allow", buffer_slice(&fields));
	}
	buffer_fini(&fields);
}

const struct demo_answer_kind demo_billing = {
	.size = sizeof(struct demo_answer),
	.end = end_billing,
};
const struct demo_answer_kind demo_export = {
	.size = sizeof(struct demo_answer),
	.end = end_export,
};
const struct demo_answer_kind demo_archive = {
	.size = sizeof(struct demo_answer),
	.end = end_archive,
};
const struct demo_answer_kind demo_nothing = {
	.size = sizeof(struct demo_answer),
	.end = end_nothing,
};
