/*
 * Layer: inspector. One job: the observer that makes records; see capture.h. Whatever it cannot
 * keep it leaves out and counts; the exchange goes on as if nobody watched.
 */
#include "inspector/capture.h"

#include "base/memory.h"
#include "inspector/body_recorder.h"
#include "inspector/record_layout.h"
#include "inspector/stream_watch.h"
#include "proxy/exchange.h"

enum {
	INLINE_BODY_MAX = 4096, /* a body of a known length up to this lies with its head */
	RUNS_SPARE_MAX = 256,
};

struct run {              /* what the worker needs while one captured exchange runs */
	struct run *next; /* among the spare ones */
	struct record *record;
	struct body_recorder request;
	struct body_recorder response;
	struct stream_watch *watch; /* of a WebSocket or a stream of events; else NULL */
	bool bodies;                /* they are watched */
	bool tunnel;                /* from here on bytes are counted, not kept */
	bool truncated;             /* memory for something other than a body's bytes was missing */
};

struct capture {
	struct observer observer;
	struct capture_store *store;
	struct event_log *events; /* the store's */
	uint64_t body_max;
	struct run *spare;
	unsigned spare_count;
	struct body_hash_spares hashes;
	struct capture_reserve reserve;
	size_t answer_size; /* of the last one: the next is likely to be as long */
};

static struct capture *of_observer(struct observer *observer)
{
	return container_of(observer, struct capture, observer);
}

static struct run *take_run(struct capture *capture)
{
	struct run *run = capture->spare;

	if (run == NULL) {
		return mem_alloc(sizeof(*run));
	}
	capture->spare = run->next;
	capture->spare_count--;
	return run;
}

static void give_run(struct capture *capture, struct run *run)
{
	if (capture->spare_count == RUNS_SPARE_MAX) {
		mem_free(run);
		return;
	}
	run->next = capture->spare;
	capture->spare = run;
	capture->spare_count++;
}

/* --- the beginning */

/* The texts of a record. Most are parts of the request's head, and are kept as such. */
struct texts {
	struct slice request_id;
	struct slice trace_id;
	struct slice client_ip;
	struct slice route;
	struct slice host;
	struct slice method_name;
	struct slice path;
	struct slice query;
};

enum {
	TEXTS = sizeof(struct texts) / sizeof(struct slice),
};

struct writer { /* puts texts behind the record's struct */
	struct record *record;
	struct slice head; /* where it was read to: the first of what is put */
	size_t used;
};

static bool lies_within(struct slice part, struct slice whole)
{
	uintptr_t at = (uintptr_t)part.ptr;
	uintptr_t from = (uintptr_t)whole.ptr;

	return whole.len > 0 && at >= from && at - from <= whole.len &&
	       part.len <= whole.len - (at - from);
}

/* Of a request whose line could be read and whose target could not: what came, so that the record
 * says what was refused. */
static void take_refused_target(const struct head *head, struct texts *texts)
{
	const char *mark =
		head->target.len == 0 ? NULL : memchr(head->target.ptr, '?', head->target.len);

	texts->path = head->target;
	if (mark != NULL) {
		texts->path.len = (size_t)(mark - head->target.ptr);
		texts->query = slice_of(mark + 1, head->target.len - texts->path.len - 1);
	}
}

/* Shown, not used: one that is longer than any path may be is cut. */
static struct slice route_text(const struct route *route)
{
	struct slice text = slice_str(route == NULL ? NULL : route->text);

	if (text.len > UINT16_MAX) {
		text.len = UINT16_MAX;
	}
	return text;
}

static void gather(const struct exchange *exchange, struct texts *texts)
{
	*texts = (struct texts){
		.request_id = exchange->request_id,
		.trace_id = slice_str(exchange->trace_id),
		.client_ip = slice_str(exchange->client_ip),
		.route = route_text(exchange->route),
		.host = exchange->host,
		.method_name = exchange->request.method_name,
		.path = exchange->target.path,
		.query = exchange->target.query,
	};
	if (texts->path.len == 0) {
		take_refused_target(&exchange->request, texts);
	}
}

static size_t size_beside_head(const struct texts *texts, struct slice head)
{
	const struct slice *each = (const struct slice *)texts;
	size_t size = 0;

	for (size_t i = 0; i < TEXTS; i++) {
		size += lies_within(each[i], head) ? 0 : each[i].len;
	}
	return size;
}

/* Where it lies, from the record on. */
static uint32_t copy_text(struct writer *writer, struct slice text)
{
	size_t at = sizeof(struct record) + writer->used;

	if (text.len > 0) {
		memcpy((char *)writer->record + at, text.ptr, text.len);
	}
	writer->used += text.len;
	return (uint32_t)at;
}

static struct record_text put(struct writer *writer, struct slice text)
{
	size_t at;

	if (lies_within(text, writer->head)) {
		at = sizeof(struct record) + (size_t)(text.ptr - writer->head.ptr);
	} else {
		at = copy_text(writer, text);
	}
	return (struct record_text){.at = (uint32_t)at, .len = (uint32_t)text.len};
}

static void put_texts(struct record *record, const struct texts *texts, struct slice head)
{
	struct writer writer = {.record = record, .head = head};

	(void)copy_text(&writer, head);
	record->request_size = (uint32_t)head.len;
	record->beside_at = copy_text(&writer, texts->trace_id);
	record->has_trace_id = texts->trace_id.len > 0;
	(void)copy_text(&writer, texts->client_ip);
	record->client_ip_len = (uint8_t)texts->client_ip.len; /* below CLIENT_IP_MAX */
	(void)copy_text(&writer, texts->route);
	record->route_len = (uint16_t)texts->route.len;
	record->request_id = put(&writer, texts->request_id);
	record->host = put(&writer, texts->host);
	record->method_name = put(&writer, texts->method_name);
	record->path = put(&writer, texts->path);
	record->query = put(&writer, texts->query);
}

static void put_facts(struct record *record, const struct exchange *exchange, bool has_query)
{
	const struct head *head = &exchange->request;

	record->level = exchange->capture & 3U;
	record->method = head->method;
	record->request_version_minor = head->version_minor > 0;
	record->has_query = has_query;
	record->is_https = strcmp(exchange->scheme, "https") == 0;
	record->replay = exchange->subrequest;
	record->wall_us = exchange->clock.wall_us;
	record->begin_us = exchange->clock.begin_us;
	record->request_head_moment =
		record_moment(exchange->clock.begin_us, exchange->clock.request_head_us);
	record->request_count = head->bytes == NULL ? 0 : head->count;
	record->request_fields_at = record->request_count == 0 ? 0 : head->fields[0].name_at;
	atomic_init(&record->ended, false);
	atomic_init(&record->answer, NULL);
	atomic_init(&record->request_trailers, NULL);
	atomic_init(&record->response_trailers, NULL);
}

/* Room for a body that lies with its head; 0 where it does not. */
static size_t inline_room(const struct capture *capture, uint64_t expected)
{
	if (expected == UINT64_MAX || expected > INLINE_BODY_MAX || expected > capture->body_max) {
		return 0;
	}
	return (size_t)expected;
}

static size_t piece_size(size_t room)
{
	return room == 0 ? 0 : record_aligned(sizeof(struct record_piece) + room);
}

static struct run *begin(struct capture *capture, const struct exchange *exchange)
{
	bool bodies = exchange->capture == CAPTURE_FULL;
	struct slice head = slice_of(exchange->request.bytes,
		exchange->request.bytes == NULL ? 0 : exchange->request.size);
	uint64_t expected = exchange->request_framing.kind == FRAMING_LENGTH
				    ? exchange->request_framing.length
				    : UINT64_MAX;
	size_t room = bodies ? inline_room(capture, expected) : 0;
	struct texts texts;
	struct record *record;
	struct run *run;
	size_t size;

	gather(exchange, &texts);
	size = record_aligned(head.len + size_beside_head(&texts, head));
	record = capture_store_begin(capture->store, &capture->reserve, size + piece_size(room),
		capture->answer_size, retention_class((enum method)exchange->request.method),
		texts.request_id);
	if (record == NULL) {
		return NULL;
	}
	put_texts(record, &texts, head);
	put_facts(record, exchange, exchange->target.has_query || texts.query.len > 0);
	run = take_run(capture);
	run->record = record;
	run->watch = NULL;
	run->bodies = bodies;
	run->tunnel = false;
	run->truncated = false;
	body_recorder_init(&run->request, &record->request_body, capture->body_max, expected);
	body_recorder_init(&run->response, &record->response_body, capture->body_max, UINT64_MAX);
	if (room > 0) {
		body_recorder_start_in(&run->request, (char *)(record + 1) + size, room);
	}
	capture_store_publish(record);
	event_log_tell(capture->events, EVENT_BEGUN, record->seq);
	return run;
}

static unsigned on_begin(struct observer *self, struct exchange *exchange, unsigned slot)
{
	struct run *run;

	if (exchange->internal || exchange->capture == CAPTURE_NONE ||
		capture_store_is_paused(of_observer(self)->store)) {
		return OBSERVE_NOTHING;
	}
	if (exchange->capture == CAPTURE_ROW) {
		exchange->observed[slot] = NULL;
		return OBSERVE_END;
	}
	run = begin(of_observer(self), exchange);
	exchange->observed[slot] = run;
	if (run == NULL) {
		return OBSERVE_NOTHING;
	}
	return OBSERVE_HEADS | OBSERVE_TUNNEL | OBSERVE_END | (run->bodies ? OBSERVE_BODIES : 0);
}

/* --- while it runs */

static void add_data(struct capture *capture, struct run *run, struct body_recorder *recorder,
	uint64_t passed, struct slice bytes)
{
	if (run->tunnel) {
		body_recorder_count(recorder, passed);
	} else {
		body_recorder_add(recorder, capture->store, run->record, &capture->hashes, bytes);
	}
}

static void on_request_data(
	struct observer *self, struct exchange *exchange, unsigned slot, struct slice bytes)
{
	struct run *run = exchange->observed[slot];

	add_data(of_observer(self), run, &run->request, exchange->request_bytes, bytes);
	stream_watch_request(run->watch, bytes);
}

static void on_response_data(
	struct observer *self, struct exchange *exchange, unsigned slot, struct slice bytes)
{
	struct run *run = exchange->observed[slot];

	add_data(of_observer(self), run, &run->response, exchange->response_bytes, bytes);
	stream_watch_response(run->watch, bytes);
}

static struct record_section *add_trailers(
	struct capture *capture, struct run *run, const struct head *trailers)
{
	struct record_section *section =
		capture_store_add(capture->store, run->record, sizeof(*section) + trailers->size);

	if (section == NULL) {
		run->truncated = true;
		return NULL;
	}
	section->size = trailers->size;
	section->count = trailers->count;
	memcpy(section + 1, trailers->bytes, trailers->size);
	return section;
}

static void on_request_end(struct observer *self, struct exchange *exchange, unsigned slot,
	const struct head *trailers)
{
	struct run *run = exchange->observed[slot];

	if (trailers != NULL && trailers->size > 0) {
		atomic_store_explicit(&run->record->request_trailers,
			add_trailers(of_observer(self), run, trailers), memory_order_release);
	}
	body_recorder_end(&run->request, &of_observer(self)->hashes);
}

static void on_response_end(struct observer *self, struct exchange *exchange, unsigned slot,
	const struct head *trailers)
{
	struct run *run = exchange->observed[slot];

	if (trailers != NULL && trailers->size > 0) {
		atomic_store_explicit(&run->record->response_trailers,
			add_trailers(of_observer(self), run, trailers), memory_order_release);
	}
	body_recorder_end(&run->response, &of_observer(self)->hashes);
}

/* What the answer's head says about its body's length; UINT64_MAX where it says nothing, 0 where
 * there is no body. */
static uint64_t expected_length(const struct exchange *exchange, const struct head *head)
{
	uint64_t length = UINT64_MAX;

	if (exchange->request.method == METHOD_HEAD || head->status < 200 || head->status == 204 ||
		head->status == 304) {
		return 0;
	}
	slice_to_u64(head_get(head, FIELD_CONTENT_LENGTH), INT64_MAX, &length);
	return length;
}

/* Returns what is behind it. */
static char *put_at(char *at, struct slice text)
{
	if (text.len > 0) {
		memcpy(at, text.ptr, text.len);
	}
	return at + text.len;
}

static void write_answer(struct record_answer *answer, const struct exchange *exchange,
	const struct head *head, struct slice upstream, struct slice error, bool has_messages)
{
	char *at = (char *)(answer + 1);

	*answer = (struct record_answer){
		.head_size = head->size,
		.fields_at = head->count == 0 ? 0 : head->fields[0].name_at,
		.upstream_len = (uint32_t)upstream.len,
		.error_len = (uint32_t)error.len,
		.first_byte_moment =
			record_moment(exchange->clock.begin_us, exchange->clock.first_byte_us),
		.count = head->count,
		.status = (uint16_t)exchange->status,
		.version_minor = head->version_minor,
		.error_code = (uint8_t)exchange->error.code,
		.tunnel = exchange->state == EXCHANGE_TUNNEL,
		.has_messages = has_messages,
	};
	at = put_at(at, slice_of(head->bytes, head->size));
	at = put_at(at, upstream);
	(void)put_at(at, error);
}

static void follow(struct capture *capture, struct run *run, struct exchange *exchange,
	const struct head *head, struct record_answer *answer)
{
	struct messages *messages = record_answer_messages(answer);

	if (messages != NULL) {
		messages_init(messages, capture_store_message_lock(capture->store, run->record));
		run->watch =
			stream_watch_begin(exchange, head, capture->store, run->record, messages);
	}
}

static struct slice error_text(const struct exchange *exchange)
{
	return exchange->error.code == ERR_NONE ? slice_of(NULL, 0)
						: slice_str(exchange->error.text);
}

static void on_response_head(
	struct observer *self, struct exchange *exchange, unsigned slot, const struct head *head)
{
	struct capture *capture = of_observer(self);
	struct run *run = exchange->observed[slot];
	struct slice upstream = slice_str(exchange->upstream);
	struct slice error = error_text(exchange);
	uint64_t expected = expected_length(exchange, head);
	size_t room = run->bodies ? inline_room(capture, expected) : 0;
	bool has_messages = run->bodies && stream_watch_is_due(exchange, head);
	size_t size = record_aligned(sizeof(struct record_answer) + head->size + upstream.len +
				     error.len) +
		      (has_messages ? sizeof(struct messages) : 0);
	struct record_answer *answer =
		capture_store_add(capture->store, run->record, size + piece_size(room));

	capture->answer_size = size + piece_size(room);
	if (exchange->state == EXCHANGE_TUNNEL) {
		run->tunnel = true;
		atomic_store_explicit(&run->request.body->ended, false, memory_order_relaxed);
	}
	if (answer == NULL) {
		run->truncated = true;
		atomic_store_explicit(&run->response.body->truncated, true, memory_order_relaxed);
		return;
	}
	write_answer(answer, exchange, head, upstream, error, has_messages);
	follow(capture, run, exchange, head, answer);
	run->response.expected = expected;
	if (room > 0) {
		body_recorder_start_in(&run->response, (char *)answer + size, room);
	}
	atomic_store_explicit(&run->record->answer, answer, memory_order_release);
	event_log_tell(capture->events, EVENT_ANSWERED, run->record->seq);
}

/* --- the end */

static bool answer_says(
	const struct record_answer *answer, struct slice upstream, struct slice error)
{
	const char *at;

	if (answer == NULL) {
		return upstream.len == 0 && error.len == 0;
	}
	at = (const char *)(answer + 1) + answer->head_size;
	return slice_equal(upstream, slice_of(at, answer->upstream_len)) &&
	       slice_equal(error, slice_of(at + answer->upstream_len, answer->error_len));
}

/* Who was asked and what went wrong; NULL where the answer says it all, or there is no memory. */
static const struct record_outcome *keep_outcome(
	struct capture *capture, struct run *run, const struct exchange *exchange)
{
	const struct record_answer *answer =
		atomic_load_explicit(&run->record->answer, memory_order_relaxed);
	struct slice upstream = slice_str(exchange->upstream);
	struct slice error = error_text(exchange);
	struct record_outcome *outcome;

	if (answer_says(answer, upstream, error)) {
		return NULL;
	}
	outcome = capture_store_add(
		capture->store, run->record, sizeof(*outcome) + upstream.len + error.len);
	if (outcome == NULL) {
		run->truncated = true;
		return NULL;
	}
	outcome->upstream_len = (uint32_t)upstream.len;
	outcome->error_len = (uint32_t)error.len;
	(void)put_at(put_at((char *)(outcome + 1), upstream), error);
	return outcome;
}

static void put_end(struct capture *capture, struct run *run, const struct exchange *exchange)
{
	const struct exchange_clock *clock = &exchange->clock;
	uint64_t begin_us = clock->begin_us;
	struct record *record = run->record;

	record->outcome = keep_outcome(capture, run, exchange);
	record->error_code = (uint8_t)exchange->error.code;
	record->state = exchange->state & 7U;
	record->status = (uint16_t)exchange->status;
	record->attempts =
		(uint8_t)(exchange->attempts < UINT8_MAX ? exchange->attempts : UINT8_MAX);
	record->reused = exchange->reused;
	record->idle_ms =
		(uint32_t)(exchange->idle_ms < UINT32_MAX ? exchange->idle_ms : UINT32_MAX);
	record->queued_moment = record_moment(begin_us, clock->queued_us);
	record->connecting_moment = record_moment(begin_us, clock->connecting_us);
	record->securing_moment = record_moment(begin_us, clock->securing_us);
	record->connected_moment = record_moment(begin_us, clock->connected_us);
	record->sent_moment = record_moment(begin_us, clock->sent_us);
	record->end_us = clock->end_us;
}

static void end_body(
	struct capture *capture, struct run *run, struct body_recorder *recorder, uint64_t passed)
{
	if (!run->bodies || run->tunnel) {
		body_recorder_count(recorder, passed);
	}
	body_recorder_end(recorder, &capture->hashes);
}

static void end(struct capture *capture, struct run *run, const struct exchange *exchange)
{
	struct capture_ending ending = {
		.failed = exchange->status >= 500 || exchange->error.code != ERR_NONE,
		.last = {run->request.piece, run->response.piece},
		.filled = {run->request.filled, run->response.filled},
	};

	end_body(capture, run, &run->request, exchange->request_bytes);
	end_body(capture, run, &run->response, exchange->response_bytes);
	put_end(capture, run, exchange);
	ending.truncated = run->truncated || run->request.full || run->response.full;
	atomic_store_explicit(&run->record->ended, true, memory_order_release);
	event_log_tell(capture->events, EVENT_ENDED, run->record->seq);
	capture_store_end(capture->store, run->record, &ending);
	give_run(capture, run);
}

static void add_row(struct capture *capture, const struct exchange *exchange)
{
	uint64_t seq = poll_log_add(capture_store_polls(capture->store), exchange);

	if (seq != 0) {
		event_log_tell(capture->events, EVENT_ROW, seq);
	}
}

static void on_end(struct observer *self, struct exchange *exchange, unsigned slot)
{
	struct capture *capture = of_observer(self);
	struct run *run = exchange->observed[slot];

	if (run == NULL) {
		add_row(capture, exchange);
		return;
	}
	exchange->observed[slot] = NULL;
	end(capture, run, exchange);
}

/* --- */

static const struct observer_ops capture_ops = {
	.name = "capture",
	.begin = on_begin,
	.request_data = on_request_data,
	.request_end = on_request_end,
	.response_head = on_response_head,
	.response_data = on_response_data,
	.response_end = on_response_end,
	.end = on_end,
};

struct capture *capture_create(struct capture_store *store, uint64_t body_max)
{
	struct capture *capture = mem_zalloc(sizeof(*capture));

	capture->observer.ops = &capture_ops;
	capture->store = store;
	capture->events = capture_store_events(store);
	capture->body_max = body_max;
	return capture;
}

void capture_destroy(struct capture *capture)
{
	if (capture == NULL) {
		return;
	}
	while (capture->spare != NULL) {
		mem_free(take_run(capture));
	}
	capture_store_give_back(capture->store, &capture->reserve);
	body_hash_spares_fini(&capture->hashes);
	mem_free(capture);
}

struct observer *capture_observer(struct capture *capture)
{
	return &capture->observer;
}
