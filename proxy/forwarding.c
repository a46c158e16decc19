/*
 * Layer: proxy. One job: what a message's fields become on their way through; see forwarding.h.
 */
#include "proxy/forwarding.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "http/head_writer.h"
#include "proxy/network.h"
#include "proxy/request_id.h"
#include "proxy/worker.h"

enum {
	ADDED_MAX = 512, /* what all added fields take beside the values that are accounted for one
			    by one */
};

/*
 * Marks what Connection names. Every field with a number is either hop-by-hop by itself or
 * end-to-end for certain: a Connection: Host or Connection: Authorization is an attack, not a wish,
 * and changes nothing.
 */
static void drop_connection_named(struct head *head, struct slice kept_name)
{
	for (const struct field *line = head_find(head, FIELD_CONNECTION); line != NULL;
		line = head_find_next(head, line)) {
		struct slice rest = head_value(head, line);
		struct slice token;

		while (slice_next_token(&rest, &token)) {
			for (unsigned i = 0; i < head->count; i++) {
				struct field *field = &head->fields[i];
				struct slice name = head_name(head, field);

				if (field->id == FIELD_OTHER && slice_equal_nocase(name, token) &&
					!slice_equal_nocase(name, kept_name)) {
					field->dropped = 1;
				}
			}
		}
	}
}

/* X_Forwarded_For and its like: a server behind us that reads '_' as '-' would take it for the real
 * one. */
static bool is_spoof(struct slice name, struct slice request_id_name)
{
	switch (field_identify_underscored(name)) {
	case FIELD_CONNECTION:
	case FIELD_CONTENT_LENGTH:
	case FIELD_HOST:
	case FIELD_TRACEPARENT:
	case FIELD_TRANSFER_ENCODING:
	case FIELD_VIA:
	case FIELD_X_FORWARDED_FOR:
	case FIELD_X_FORWARDED_HOST:
	case FIELD_X_FORWARDED_PROTO:
	case FIELD_X_REQUEST_ID:
		return true;
	default:
		break;
	}
	if (name.len != request_id_name.len) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i] == '_' ? '-' : name.ptr[i];

		if (ascii_lower(c) != ascii_lower(request_id_name.ptr[i])) {
			return false;
		}
	}
	return !slice_equal_nocase(name, request_id_name);
}

static void drop_hop_by_hop(struct head *head, struct slice request_id_name)
{
	for (unsigned i = 0; i < head->count; i++) {
		struct field *field = &head->fields[i];

		field->dropped = field_is_hop_by_hop(field->id) ||
				 (field->id == FIELD_OTHER &&
					 is_spoof(head_name(head, field), request_id_name));
	}
	if (head->first[FIELD_CONNECTION] != 0) {
		drop_connection_named(head, request_id_name);
	}
}

static void drop_all(struct head *head, enum field_id id)
{
	for (struct field *field = head_find(head, id); field != NULL;
		field = head_find_next(head, field)) {
		field->dropped = 1;
	}
}

static void drop_named(struct head *head, struct slice name)
{
	for (unsigned i = 0; i < head->count; i++) {
		if (slice_equal_nocase(head_name(head, &head->fields[i]), name)) {
			head->fields[i].dropped = 1;
		}
	}
}

/* The request ID that came with the request, where it is the only one and well formed. */
static struct slice inbound_request_id(const struct exchange *exchange)
{
	const struct head *head = &exchange->request;
	struct slice name = exchange->worker->settings->request_id_name;
	struct slice found = {.ptr = NULL, .len = 0};

	for (unsigned i = 0; i < head->count; i++) {
		if (slice_equal_nocase(head_name(head, &head->fields[i]), name)) {
			if (found.ptr != NULL) {
				return slice_of(NULL, 0);
			}
			found = head_value(head, &head->fields[i]);
		}
	}
	return request_id_valid(found) ? found : slice_of(NULL, 0);
}

static void set_request_id(struct exchange *exchange)
{
	if (exchange->worker->settings->request_id_keep) {
		exchange->request_id = inbound_request_id(exchange);
	}
	if (exchange->request_id.len == 0) {
		uuid_v7_write(exchange->clock.wall_us, exchange->own_request_id);
		exchange->request_id = slice_of(exchange->own_request_id, UUID_LEN);
		exchange->request_id_is_ours = true;
	}
}

static void set_trace(struct exchange *exchange)
{
	struct slice inbound = head_get(&exchange->request, FIELD_TRACEPARENT);
	const struct field *first = head_find(&exchange->request, FIELD_TRACEPARENT);
	struct slice trace_id = traceparent_trace_id(inbound);

	if (first != NULL && head_find_next(&exchange->request, first) != NULL) {
		trace_id.len = 0; /* two of them: neither is to be believed */
	}
	if (trace_id.len > 0) {
		exchange->traceparent = inbound;
	} else {
		traceparent_write(exchange->own_traceparent);
		exchange->traceparent = slice_of(exchange->own_traceparent, TRACEPARENT_LEN);
		exchange->traceparent_is_ours = true;
		trace_id = slice_of(exchange->own_traceparent + 3, TRACE_ID_LEN);
	}
	memcpy(exchange->trace_id, trace_id.ptr, TRACE_ID_LEN);
	exchange->trace_id[TRACE_ID_LEN] = '\0';
}

enum vouched {
	VOUCHED_CLIENT, /* an address that is none of ours: the client's */
	VOUCHED_OURS,   /* trusted proxies all along: look further left */
	VOUCHED_JUNK,   /* no address: what stands left of it is not to be believed */
};

/* Reads one line of X-Forwarded-For from its end, where our own side wrote. */
static enum vouched read_vouched(
	const struct exchange *exchange, struct slice list, char out[CLIENT_IP_MAX])
{
	const struct proxy_settings *settings = exchange->worker->settings;
	size_t end = list.len;

	if (end == 0) {
		return VOUCHED_JUNK;
	}
	while (end > 0) {
		size_t begin = end;
		struct slice element;
		struct in6_addr address;

		while (begin > 0 && list.ptr[begin - 1] != ',') {
			begin--;
		}
		element = slice_trim(slice_of(list.ptr + begin, end - begin));
		if (element.len == 0 || element.len >= CLIENT_IP_MAX) {
			return VOUCHED_JUNK;
		}
		memcpy(out, element.ptr, element.len);
		out[element.len] = '\0';
		if (inet_pton(AF_INET, out, &address) != 1 &&
			inet_pton(AF_INET6, out, &address) != 1) {
			return VOUCHED_JUNK;
		}
		if (!network_list_has_text(
			    settings->trusted_proxies, settings->trusted_proxy_count, out)) {
			return VOUCHED_CLIENT;
		}
		end = begin > 0 ? begin - 1 : 0;
	}
	return VOUCHED_OURS;
}

static void set_client_ip(struct exchange *exchange)
{
	const struct head *head = &exchange->request;
	enum vouched vouched = VOUCHED_OURS;
	char address[CLIENT_IP_MAX];

	memcpy(exchange->client_ip, exchange->peer_ip, strlen(exchange->peer_ip) + 1);
	if (!exchange->peer_trusted || head->first[FIELD_X_FORWARDED_FOR] == 0) {
		return;
	}
	for (unsigned i = head->count; i > 0 && vouched == VOUCHED_OURS; i--) {
		const struct field *line = &head->fields[i - 1];

		if (line->id == FIELD_X_FORWARDED_FOR) {
			vouched = read_vouched(exchange, head_value(head, line), address);
			if (vouched != VOUCHED_JUNK) {
				memcpy(exchange->client_ip, address, sizeof(address));
			}
		}
	}
}

void forwarding_identify(struct exchange *exchange)
{
	exchange->host = head_get(&exchange->request, FIELD_HOST);
	set_request_id(exchange);
	set_trace(exchange);
	set_client_ip(exchange);
}

/* X-Forwarded-For of a trusted peer: its lines, in order, and the peer itself behind them. */
static void write_forwarded_for(struct head_writer *writer, const struct exchange *exchange)
{
	const struct head *head = &exchange->request;
	char *value = writer->at;
	struct slice name = field_name(FIELD_X_FORWARDED_FOR);

	head_writer_raw(writer, name);
	head_writer_raw(writer, SLICE(": "));
	if (exchange->peer_trusted) {
		for (const struct field *line = head_find(head, FIELD_X_FORWARDED_FOR);
			line != NULL; line = head_find_next(head, line)) {
			head_writer_raw(writer, head_value(head, line));
			head_writer_raw(writer, SLICE(", "));
		}
	}
	head_writer_raw(writer, slice_str(exchange->peer_ip));
	head_writer_raw(writer, SLICE("\r\n"));
	assert(writer->at > value);
}

static void write_forwarding_fields(struct head_writer *writer, const struct exchange *exchange)
{
	const struct head *head = &exchange->request;
	bool keep = exchange->peer_trusted;

	write_forwarded_for(writer, exchange);
	if (!keep || head->first[FIELD_X_FORWARDED_PROTO] == 0) {
		head_writer_field(
			writer, field_name(FIELD_X_FORWARDED_PROTO), slice_str(exchange->scheme));
	}
	if (exchange->host.len > 0 && (!keep || head->first[FIELD_X_FORWARDED_HOST] == 0)) {
		head_writer_field(writer, field_name(FIELD_X_FORWARDED_HOST), exchange->host);
	}
	head_writer_field(writer, field_name(FIELD_VIA), SLICE("1.1 sightglass"));
}

static void drop_from_request(struct exchange *exchange)
{
	struct head *head = &exchange->request;
	struct slice request_id_name = exchange->worker->settings->request_id_name;

	drop_hop_by_hop(head, request_id_name);
	drop_all(head,
		FIELD_X_FORWARDED_FOR); /* written anew, with what a trusted peer said in it */
	if (!exchange->peer_trusted) {
		drop_all(head, FIELD_X_FORWARDED_PROTO);
		drop_all(head, FIELD_X_FORWARDED_HOST);
	}
	if (exchange->request_id_is_ours) {
		drop_named(head, request_id_name);
	}
	if (exchange->traceparent_is_ours) {
		drop_all(head, FIELD_TRACEPARENT);
		drop_all(
			head, FIELD_TRACESTATE); /* it belongs to the trace that is not continued */
	}
	if (exchange->max_forwards_lowered) {
		drop_all(head, FIELD_MAX_FORWARDS);
	}
}

struct slice forwarding_request(struct exchange *exchange, const struct upstream_address *address,
	const struct credential *credential)
{
	const struct head *head = &exchange->request;
	struct slice request_id_name = exchange->worker->settings->request_id_name;
	struct slice prefix = slice_str(address->path);
	struct slice authority = exchange->target.authority.len > 0 ? exchange->target.authority
								    : slice_str(address->authority);
	size_t room = head_writer_bound(head) + ADDED_MAX + prefix.len + authority.len +
		      exchange->host.len + exchange->request_id.len + request_id_name.len +
		      strlen(exchange->peer_ip) + credential_field_name(credential).len +
		      credential_field_value(credential).len +
		      2 * (size_t)head->count; /* ", " a line of X-Forwarded-For */
	struct head_writer writer;
	struct slice target = exchange->target.origin_form;

	if (exchange->target.asterisk) {
		prefix.len = 0;
	}
	drop_from_request(exchange);
	if (credential != NULL) {
		drop_named(&exchange->request, credential_field_name(credential));
	}
	head_writer_init(&writer, loop_scratch(exchange->loop, room), room);
	head_writer_request_line(&writer, head->method_name, prefix, target);
	if (exchange->host.ptr ==
		NULL) { /* HTTP/1.0 without a Host; RFC 9110 section 7.2 asks for one */
		head_writer_field(&writer, field_name(FIELD_HOST), authority);
	}
	head_writer_fields(&writer, head);
	if (exchange->request_framing.kind == FRAMING_CHUNKED) {
		head_writer_field(&writer, field_name(FIELD_TRANSFER_ENCODING), SLICE("chunked"));
	}
	if (exchange->request_framing.upgrade) {
		head_writer_raw(&writer, SLICE("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
	} else if (head_has_token(head, FIELD_TE, SLICE("trailers"))) {
		/* The one value of TE that says something about the client itself and not about the
		 * hop. */
		head_writer_raw(&writer, SLICE("Connection: TE\r\nTE: trailers\r\n"));
	}
	if (exchange->max_forwards_lowered) {
		head_writer_field_u64(
			&writer, field_name(FIELD_MAX_FORWARDS), exchange->max_forwards);
	}
	if (exchange->request_id_is_ours) {
		head_writer_field(&writer, request_id_name, exchange->request_id);
	}
	if (exchange->traceparent_is_ours) {
		head_writer_field(&writer, field_name(FIELD_TRACEPARENT), exchange->traceparent);
	}
	if (credential_field_name(credential).len > 0) {
		head_writer_field(&writer, credential_field_name(credential),
			credential_field_value(credential));
	}
	write_forwarding_fields(&writer, exchange);
	head_writer_end(&writer);
	return head_writer_slice(&writer);
}

struct slice forwarding_response(
	struct exchange *exchange, struct head *head, const struct delivery *delivery)
{
	struct slice request_id_name = exchange->worker->settings->request_id_name;
	size_t room = head_writer_bound(head) + ADDED_MAX + request_id_name.len +
		      exchange->request_id.len;
	bool interim = head->status < 200 && !delivery->tunnel;
	struct head_writer writer;

	drop_hop_by_hop(head, request_id_name);
	drop_named(head, request_id_name); /* an upstream's own value never overrides ours */
	if (head->status < 200 || head->status == 204) {
		drop_all(head,
			FIELD_CONTENT_LENGTH); /* RFC 9110 section 8.6: these must not bear one */
	}
	head_writer_init(&writer, loop_scratch(exchange->loop, room), room);
	head_writer_status_line(&writer, head->status, head->reason);
	head_writer_fields(&writer, head);
	if (!interim) {
		if (delivery->chunked) {
			head_writer_field(
				&writer, field_name(FIELD_TRANSFER_ENCODING), SLICE("chunked"));
		}
		if (delivery->tunnel) {
			head_writer_raw(
				&writer, SLICE("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
		} else if (delivery->close) {
			head_writer_field(&writer, field_name(FIELD_CONNECTION), SLICE("close"));
		} else if (delivery->version_minor == 0) {
			head_writer_field(
				&writer, field_name(FIELD_CONNECTION), SLICE("keep-alive"));
		}
		if (head->first[FIELD_DATE] ==
			0) { /* RFC 9110 section 6.6.1: whoever passes it on adds one */
			head_writer_field(
				&writer, field_name(FIELD_DATE), worker_date(exchange->worker));
		}
		head_writer_field(&writer, request_id_name, exchange->request_id);
		head_writer_field(&writer, field_name(FIELD_VIA), SLICE("1.1 sightglass"));
	}
	head_writer_end(&writer);
	return head_writer_slice(&writer);
}

bool forwarding_trailers(struct head *trailers)
{
	bool any = false;

	for (unsigned i = 0; i < trailers->count; i++) {
		struct field *field = &trailers->fields[i];

		switch ((enum field_id)field->id) {
		case FIELD_AUTHORIZATION:
		case FIELD_CACHE_CONTROL:
		case FIELD_CONTENT_ENCODING:
		case FIELD_CONTENT_LENGTH:
		case FIELD_CONTENT_TYPE:
		case FIELD_COOKIE:
		case FIELD_EXPECT:
		case FIELD_FORWARDED:
		case FIELD_HOST:
		case FIELD_MAX_FORWARDS:
		case FIELD_SET_COOKIE:
		case FIELD_TRACEPARENT:
		case FIELD_TRACESTATE:
		case FIELD_TRAILER:
		case FIELD_VIA:
		case FIELD_X_FORWARDED_FOR:
		case FIELD_X_FORWARDED_HOST:
		case FIELD_X_FORWARDED_PROTO:
		case FIELD_X_REAL_IP:
		case FIELD_X_REQUEST_ID:
			field->dropped = 1;
			break;
		default:
			field->dropped = field_is_hop_by_hop(field->id) ||
					 is_spoof(head_name(trailers, field),
						 field_name(FIELD_X_REQUEST_ID));
		}
		any = any || !field->dropped;
	}
	return any;
}
