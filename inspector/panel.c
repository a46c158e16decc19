/*
 * Layer: inspector (sees base, http, proxy). One job: serve the panel; see panel.h.
 */
#include "inspector/panel.h"

#include <stdio.h>

#include "inspector/accept.h"
#include "inspector/panel_assets.h"

static const char page_name[] = "index.html";

static const struct asset *find_asset(struct slice name)
{
	for (size_t i = 0; i < panel_assets_count; i++) {
		if (slice_equal(name, slice_str(panel_assets[i].name))) {
			return &panel_assets[i];
		}
	}
	return NULL;
}

static struct slice bytes_of(const struct asset *asset)
{
	return slice_of((const char *)asset->bytes, asset->size);
}

bool panel_is_wanted(const struct exchange *exchange)
{
	enum method method = (enum method)exchange->request.method;

	return (method == METHOD_GET || method == METHOD_HEAD) &&
	       accept_prefers_html(&exchange->request);
}

void panel_page(const struct api_call *call)
{
	const struct asset *page = find_asset(slice_str(page_name));

	if (page == NULL) {
		answer_problem(call->answer, 404, "this build has no panel");
		return;
	}
	answer_begin(call->answer, 200, ANSWER_PAGE, 0);
	answer_field(call->answer, SLICE("Vary"), SLICE("Accept"));
	answer_send_lent(call->answer, slice_str(page->content_type), bytes_of(page));
}

/*
 * RFC 9110 section 13.1.2: any of the listed tags, compared weakly, or '*'. Tags of ours hold no
 * comma.
 */
static bool client_has_it(const struct exchange *exchange, struct slice tag)
{
	return head_has_token(&exchange->request, FIELD_IF_NONE_MATCH, tag) ||
	       head_has_token(&exchange->request, FIELD_IF_NONE_MATCH, SLICE("*"));
}

void panel_asset(const struct api_call *call)
{
	const struct asset *asset = find_asset(call->argument);
	char tag[80];
	int len;

	/* The page looks for its files beside its own address: it has but the one. */
	if (asset == NULL || slice_equal(call->argument, slice_str(page_name))) {
		answer_problem(call->answer, 404, "the panel has no file \"%.*s\"",
			SLICE_ARGS(call->argument));
		return;
	}
	len = snprintf(tag, sizeof(tag), "\"%s\"", asset->etag);
	if (client_has_it(call->exchange, slice_of(tag, (size_t)len))) {
		answer_begin(call->answer, 304, ANSWER_ASSET, 0);
		answer_field(call->answer, SLICE("ETag"), slice_of(tag, (size_t)len));
		answer_send_empty(call->answer);
		return;
	}
	answer_begin(call->answer, 200, ANSWER_ASSET, 0);
	answer_field(call->answer, SLICE("ETag"), slice_of(tag, (size_t)len));
	answer_send_lent(call->answer, slice_str(asset->content_type), bytes_of(asset));
}
