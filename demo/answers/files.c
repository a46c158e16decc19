/*
 * Layer: demo. One job: the page and what it is made of, from inside the program; a browser that
 * has a file already is told so (RFC 9110 section 13.1.2).
 */
#include "demo/answers/kinds.h"
#include "demo/demo_assets.h"
#include "demo/reply.h"

static const char policy[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: same-origin\r\n";

/* NULL where there is no such file. */
static const struct asset *find(struct slice name)
{
	if (name.len == 0) {
		name = SLICE("index.html");
	}
	for (size_t i = 0; i < demo_assets_count; i++) {
		if (slice_equal(slice_str(demo_assets[i].name), name)) {
			return &demo_assets[i];
		}
	}
	return NULL;
}

/* If-None-Match compares weakly; entity tags of ours hold no comma. */
static bool has_already(const struct head *head, struct slice tag)
{
	for (const struct field *field = head_find(head, FIELD_IF_NONE_MATCH); field != NULL;
		field = head_find_next(head, field)) {
		struct slice rest = head_value(head, field);
		struct slice one;

		while (slice_next_token(&rest, &one)) {
			if (slice_starts_with(one, SLICE("W/"))) {
				one = slice_of(one.ptr + 2, one.len - 2);
			}
			if (slice_equal(one, tag) || slice_equal(one, SLICE("*"))) {
				return true;
			}
		}
	}
	return false;
}

static void send(struct demo_answer *answer, const struct asset *file)
{
	struct buffer tag = BUFFER_INIT;
	struct buffer fields = BUFFER_INIT;
	struct demo_head head = {
		.status = 200,
		.content_type = file->content_type,
		.length = file->size,
	};

	buffer_printf(&tag, "\"%s\"", file->etag);
	if (has_already(&answer->request->head, buffer_slice(&tag))) {
		head.status = 304;
		head.content_type = NULL;
	}
	buffer_printf(&fields, "ETag: %.*s\r\nCache-Control: no-cache\r\n%s",
		SLICE_ARGS(buffer_slice(&tag)), policy);
	head.fields = buffer_slice(&fields);
	(void)demo_client_head(answer->client, &head);
	demo_client_write(
		answer->client, slice_of((const char *)(const void *)file->bytes, file->size));
	demo_client_end(answer->client);
	buffer_fini(&tag);
	buffer_fini(&fields);
}

static void end(struct demo_answer *answer)
{
	const struct asset *file = find(answer->request->rest);

	if (file == NULL) {
		demo_reply_problem(
			answer->client, answer->request, 404, "nothing is here", slice_of(NULL, 0));
	} else {
		send(answer, file);
	}
}

const struct demo_answer_kind demo_file = {
	.size = sizeof(struct demo_answer),
	.end = end,
};
