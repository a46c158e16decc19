/*
 * Layer: inspector. One job: the stream of events; see api_events.h.
 *
 * A reader is a position in the store's log of events (event_log.h). It looks there by itself, on
 * its own worker, some times a second while it is open; nobody wakes it, and no timer runs while
 * there is none. What it finds it shows as it is then, not as it was: of an exchange that began and
 * ended between two looks there is one event. It holds a record while it writes it, and through a
 * search in its bodies, which is made between two parts of the answer: so a client that takes
 * nothing holds none. A client that is too slow for the log's ring is told that it missed something
 * (`gap`), and goes on with what is new.
 *
 * An event's `id` is the position behind it: whoever brings it back goes on there.
 */
#include "inspector/api_events.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "inspector/counts_json.h"
#include "inspector/query.h"
#include "inspector/record_json.h"
#include "inspector/search.h"
#include "inspector/selection.h"
#include "proxy/worker.h"

enum {
	LOOK_MS = 50,         /* between two looks */
	LOOK_PAUSED_MS = 500, /* while the client is slow: whether the worker wants to end */
	LOOK_EVENTS = 1024,   /* shown a look, by all readers together: so many of them take no more
				 of the processor than one, and each its part */
	PASSED_FOR_ONE = 8,   /* events that are passed over cost so much less */
	SLICE_EVENTS = 32,    /* looked at in one slice */
	SLICE_BYTES = 16 * 1024, /* read, searched and written in one slice; also what a slow client
				    has waiting for it */
	HASHED_FOR_ONE = 8,      /* so many bytes are hashed while one is written */
	LOOKED_AT_MAX = 32 * 1024, /* of both bodies, and of what they become: some 0.1 ms */
	EVICTED_MAX = 64,          /* numbers in one event */
	STATS_MS = 1000,
	HEARTBEAT_MS = 15 * 1000, /* where no stats are wanted: below what proxies wait for */
	RETRY_MS = 1000,          /* after which a browser connects again */
};

struct reader {
	struct source source;
	const struct api *api;
	const struct worker *worker;
	struct loop *loop;
	struct event_log *log;
	struct timer timer; /* the next look */
	struct query query; /* its slices are the exchange's: not to be used once it is gone */
	struct json json;
	struct buffer scratch;

	uint64_t at;        /* what is before it was shown, or passed over */
	bool begun;         /* the opening was written */
	uint32_t left;      /* of this look, in PASSED_FOR_ONE parts of an event */
	const char *reason; /* NULL, or why a gap is to be told */
	uint64_t missed;    /* of it; UINT64_MAX: not known */

	uint64_t evicted[EVICTED_MAX]; /* numbers that are to be told */
	unsigned evicted_count;

	uint64_t beat_us;             /* when stats or a heartbeat were written */
	struct capture_counts counts; /* as they were then */

	struct record *record; /* one that is searched */
	struct record_view view;
	struct search search;
};

static struct reader *of_source(struct source *source)
{
	return container_of(source, struct reader, source);
}

/* --- writing */

static void write_id(struct reader *self, uint64_t position)
{
	buffer_printf(self->json.out, "id: %08" PRIx64 ".%" PRIu64 "\n", event_log_tag(self->log),
		position);
}

/* The lines before an event's data, which is JSON: one line. */
static void begin_event(struct reader *self, const char *name, uint64_t position)
{
	write_id(self, position);
	buffer_printf(self->json.out, "event: %s\ndata: ", name);
	json_init(&self->json, self->json.out);
}

static void end_event(struct reader *self)
{
	buffer_append_str(self->json.out, "\n\n");
}

static void write_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

/* What has to be read anew is every record below `before`. */
static void write_gap(struct reader *self)
{
	struct json *json = &self->json;

	begin_event(self, "gap", self->at);
	json_begin_object(json);
	json_key(json, "reason");
	json_cstring(json, self->reason);
	json_key(json, "missed");
	if (self->missed == UINT64_MAX) {
		json_none(json);
	} else {
		json_u64(json, self->missed);
	}
	write_number(json, "before", capture_store_next_seq(self->api->store));
	json_end_object(json);
	end_event(self);
	self->reason = NULL;
}

/* The numbers of records that went, up to where the reader is. */
static void write_evicted(struct reader *self)
{
	struct json *json = &self->json;

	if (self->evicted_count == 0) {
		return;
	}
	begin_event(self, "evicted", self->at);
	json_begin_object(json);
	json_key(json, "seqs");
	json_begin_array(json);
	for (unsigned i = 0; i < self->evicted_count; i++) {
		json_u64(json, self->evicted[i]);
	}
	json_end_array(json);
	json_end_object(json);
	end_event(self);
	self->evicted_count = 0;
}

/* How many came in a second since the last time; null before it. */
static void write_rate(struct json *json, const char *key, uint64_t more, uint64_t span_us)
{
	json_key(json, key);
	if (span_us == 0) {
		json_none(json);
	} else {
		json_milliseconds(json, more * 1000000000 / span_us);
	}
}

static void write_stats(struct reader *self, uint64_t span_us)
{
	struct json *json = &self->json;
	struct capture_counts counts;

	capture_store_counts(self->api->store, &counts);
	begin_event(self, "stats", self->at);
	json_begin_object(json);
	json_key(json, "ts");
	json_seconds(json, clock_wall_us());
	counts_json(json, &counts);
	write_number(json, "active", counts.running);
	write_number(json, "dropped", counts.dropped);
	write_rate(json, "requests_per_second", counts.ended - self->counts.ended, span_us);
	write_rate(json, "polls_per_second", counts.rows_ended - self->counts.rows_ended, span_us);
	json_end_object(json);
	end_event(self);
	self->counts = counts;
}

/* What is told by the clock: stats, or a comment that keeps the connection. */
static void write_beat(struct reader *self)
{
	uint64_t now_us = loop_now_us(self->loop);
	uint64_t period_ms = self->query.without_stats ? HEARTBEAT_MS : STATS_MS;

	if (self->beat_us != 0 && now_us - self->beat_us < period_ms * 1000) {
		return;
	}
	write_evicted(self);
	if (self->query.without_stats) {
		write_id(self, self->at);
		buffer_append_str(self->json.out, ": still here\n\n");
	} else {
		write_stats(self, self->beat_us == 0 ? 0 : now_us - self->beat_us);
	}
	self->beat_us = now_us;
}

/* With a position, so that the client can come back also where nothing happened; but not before it
 * knows of a gap. */
static void write_opening(struct reader *self)
{
	self->begun = true;
	buffer_printf(self->json.out, ": events of sightglass %s\nretry: %d\n", SIGHTGLASS_VERSION,
		RETRY_MS);
	if (self->reason == NULL) {
		write_id(self, self->at);
	}
	buffer_append_str(self->json.out, "\n");
}

/* --- reading */

/* Goes on with what is new. */
static void skip_to_end(struct reader *self, const char *reason)
{
	if (!event_log_lost(self->log, self->at, &self->missed)) {
		self->missed = UINT64_MAX;
	}
	self->at = event_log_end(self->log);
	self->reason = reason;
	self->evicted_count = 0; /* the list that is read anew lacks them */
}

static struct record_format format_of(struct reader *self)
{
	return (struct record_format){
		.redactor = self->api->redactor,
		.scratch = &self->scratch,
		.now_us = clock_now_us(),
	};
}

/* What the record's latest event is, or is about to be. */
static enum event_kind latest_of(const struct record_view *view)
{
	if (view->clock.end_us != 0) {
		return EVENT_ENDED;
	}
	return view->response.bytes.len > 0 ? EVENT_ANSWERED : EVENT_BEGUN;
}

static void let_go(struct reader *self)
{
	search_fini(&self->search);
	capture_store_release(self->api->store, self->record);
	self->record = NULL;
}

/* Behind an event that is done with. */
static void step_over(struct reader *self, bool shown)
{
	self->at++;
	self->left -= shown ? PASSED_FOR_ONE : 1;
}

/* Of short bodies a summary says at once whether they hide something, and their hash; of longer
 * ones, also of coded ones that become long, the list does. */
static void look_at_bodies(struct reader *self, size_t *spent)
{
	uint64_t kept = self->view.request_body.kept + self->view.response_body.kept;
	struct shown_look look = {.shown = NULL};
	size_t looked_at = 0;

	if (self->view.clock.end_us == 0 || kept > LOOKED_AT_MAX) {
		return;
	}
	while (looked_at <= LOOKED_AT_MAX && shown_look_next(&look, self->api->redactor,
						     &self->view, &self->scratch, &looked_at)) {
	}
	shown_look_fini(&look);
	*spent += looked_at;
}

static void show_record(struct reader *self, size_t *spent)
{
	const struct record_format format = format_of(self);

	*spent += (record_body_hash_work(&self->view.request_body) +
			  record_body_hash_work(&self->view.response_body)) /
		  HASHED_FOR_ONE;
	look_at_bodies(self, spent);
	write_evicted(self);
	begin_event(self, "request", self->at + 1);
	record_json_summary(&self->json, &self->view, &format);
	end_event(self);
	let_go(self);
	step_over(self, true);
}

static void go_on_searching(struct reader *self, size_t *spent)
{
	switch (search_step(&self->search, self->api->redactor, &self->scratch, spent)) {
	case SEARCH_MORE:
		break;
	case SEARCH_FOUND:
		show_record(self, spent);
		break;
	case SEARCH_NOTHING:
		let_go(self);
		step_over(self, true);
		break;
	}
}

/* One that has a later event is shown by that. */
static void look_at_record(struct reader *self, const struct event *event, size_t *spent)
{
	const struct record_format format = format_of(self);

	self->record = capture_store_find_seq(self->api->store, event->seq);
	if (self->record == NULL) {
		step_over(self, false);
		return;
	}
	record_read(self->record, &self->view);
	if (latest_of(&self->view) != event->kind ||
		!selection_has_record(&self->query, &self->view, &format)) {
		let_go(self);
		step_over(self, false);
	} else if (self->query.text.len == 0) {
		show_record(self, spent);
	} else {
		search_begin(&self->search, self->query.text, &self->view);
	}
}

static void look_at_row(struct reader *self, const struct event *event)
{
	const struct record_format format = format_of(self);
	struct poll_row row;

	if (!self->query.polls ||
		poll_log_copy(capture_store_polls(self->api->store), event->seq + 1, event->seq - 1,
			&row, 1) == 0 ||
		!selection_has_row(&self->query, &row, &format)) {
		step_over(self, false);
		return;
	}
	write_evicted(self);
	begin_event(self, "request", self->at + 1);
	record_json_row(&self->json, &row, &format);
	end_event(self);
	step_over(self, true);
}

static void look_at(struct reader *self, const struct event *event, size_t *spent)
{
	switch (event->kind) {
	case EVENT_BEGUN:
	case EVENT_ANSWERED:
	case EVENT_ENDED:
		look_at_record(self, event, spent);
		break;
	case EVENT_ROW:
		look_at_row(self, event);
		break;
	case EVENT_EVICTED:
		self->evicted[self->evicted_count++] = event->seq;
		step_over(self, false);
		if (self->evicted_count == EVICTED_MAX) {
			write_evicted(self);
		}
		break;
	case EVENT_CLEARED:
		step_over(self, false);
		self->missed = 0;
		self->reason = "cleared";
		break;
	}
}

/* False where there is nothing more for now. */
static bool go_on(struct reader *self, size_t *spent)
{
	struct event event;

	if (self->record != NULL) {
		go_on_searching(self, spent);
		return true;
	}
	if (self->reason != NULL) {
		write_gap(self);
		return true;
	}
	if (self->left < PASSED_FOR_ONE) {
		return false;
	}
	switch (event_log_read(self->log, self->at, &event)) {
	case EVENT_FOUND:
		look_at(self, &event, spent);
		return true;
	case EVENT_LOST:
		skip_to_end(self, "slow");
		return true;
	case EVENT_NONE:
		break;
	}
	return false;
}

/* --- the source */

/* All readers of a loop look in the same moment: one wake-up for all of them. */
static void wait_for_look(struct reader *self)
{
	uint64_t period_ms = answer_is_paused(self->source.answer) ? LOOK_PAUSED_MS : LOOK_MS;

	loop_timer_start(self->loop, &self->timer, period_ms - loop_now_ms(self->loop) % period_ms);
}

static void begin_look(struct reader *self)
{
	unsigned readers = event_log_readers(self->log);
	uint32_t share = LOOK_EVENTS / (readers > 0 ? readers : 1);

	self->left = PASSED_FOR_ONE * (share > 0 ? share : 1);
	wait_for_look(self);
}

static void on_look(struct timer *timer)
{
	struct reader *self = container_of(timer, struct reader, timer);

	begin_look(self);
	if (!answer_is_paused(self->source.answer)) {
		answer_wake(self->source.answer);
	} else if (self->worker->draining) {
		answer_break(self->source.answer, ERR_DRAINING,
			"the proxy stops, and the reader of its events takes none");
	}
}

/* A search is begun in a slice of its own, and nothing is sent before it has ended: so nothing
 * pauses the answer while a record is held. */
static bool search_is_due(const struct reader *self, const struct buffer *out)
{
	return self->query.text.len > 0 && out->len > 0;
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct reader *self = of_source(source);
	size_t spent = 0;
	bool more = true;

	(void)part;
	if (self->worker->draining) {
		return false;
	}
	self->json.out = out;
	if (!self->begun) {
		write_opening(self);
	}
	for (unsigned i = 0; more && i < SLICE_EVENTS && spent + out->len < SLICE_BYTES &&
			     !search_is_due(self, out);
		i++) {
		more = go_on(self, &spent);
	}
	if (self->record == NULL) {
		write_evicted(self);
		write_beat(self);
	}
	source->waits = !more;
	return true;
}

static void stop(struct source *source)
{
	struct reader *self = of_source(source);

	loop_timer_stop(self->loop, &self->timer);
	event_log_leave(self->log);
}

static void destroy(struct source *source)
{
	struct reader *self = of_source(source);

	let_go(self);
	buffer_fini(&self->scratch);
	mem_free(self);
}

static const struct source_ops reader_ops = {
	.next = next_slice,
	.stop = stop,
	.destroy = destroy,
};

/* --- where it begins */

/* The position that an `id` names; false where it is none of this process. */
static bool read_id(const struct event_log *log, struct slice id, uint64_t *position)
{
	char tag[16];
	int len = snprintf(tag, sizeof(tag), "%08" PRIx64 ".", event_log_tag(log));

	return slice_starts_with(id, slice_of(tag, (size_t)len)) &&
	       slice_to_u64(slice_of(id.ptr + len, id.len - (size_t)len), UINT64_MAX, position);
}

/* Where the client left off, else at what is new. A browser that connects again brings the header;
 * it knows better than the URL. */
static void find_beginning(struct reader *self, const struct exchange *exchange)
{
	const struct field *field = head_find_name(&exchange->request, SLICE("Last-Event-ID"));
	struct slice id =
		field == NULL ? self->query.last_event_id : head_value(&exchange->request, field);
	struct event event;

	self->at = event_log_end(self->log);
	if (id.len == 0) {
		return;
	}
	if (!read_id(self->log, id, &self->at)) {
		self->reason = "restarted";
		self->missed = UINT64_MAX;
	} else if (event_log_read(self->log, self->at, &event) == EVENT_LOST) {
		skip_to_end(self, "late");
	}
}

static void refuse_readers(struct answer *answer)
{
	answer_begin_problem(answer, 503);
	answer_field(answer, SLICE("Retry-After"), SLICE("5"));
	answer_send_problem(answer, 503,
		"%d readers follow the events already, which is the most; ask again later, or read "
		"api/requests",
		EVENT_READERS_MAX);
}

void api_events(const struct api_call *call)
{
	struct event_log *log = capture_store_events(call->api->store);
	struct exchange *exchange = call->exchange;
	struct reader *self;
	struct query query;
	struct err err = ERR_INIT;
	enum err_code rc = query_parse_events(call->query, &exchange->arena, &query, &err);

	if (rc != ERR_NONE) {
		answer_problem(call->answer, rc == ERR_SYNTAX ? 400 : 503, "%s", err.text);
		return;
	}
	if (!event_log_join(log, EVENT_READERS_MAX)) {
		refuse_readers(call->answer);
		return;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &reader_ops;
	self->api = call->api;
	self->worker = exchange->worker;
	self->loop = exchange->loop;
	self->log = log;
	self->query = query;
	timer_init(&self->timer, on_look);
	find_beginning(self, exchange);
	answer_begin(call->answer, 200, ANSWER_DATA, 64);
	answer_field(call->answer, SLICE("X-Accel-Buffering"), SLICE("no")); /* nginx before us */
	answer_send_source(call->answer, SLICE("text/event-stream"), &self->source, UINT64_MAX);
	begin_look(self);
}
