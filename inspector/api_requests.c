/*
 * Layer: inspector (sees base, http, proxy). One job: the list of what was captured; see
 * api_requests.h.
 *
 * The list is made in slices, and a slice refers to records for as long as it runs, but for the one
 * that it stopped in: so neither a long list nor a slow reader holds the loop up, or keeps memory
 * of the ring that new records need.
 */
#include "inspector/api_requests.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"
#include "inspector/counts_json.h"
#include "inspector/har.h"
#include "inspector/har_entry.h"
#include "inspector/parameters.h"
#include "inspector/query.h"
#include "inspector/record_json.h"
#include "inspector/search.h"
#include "inspector/selection.h"

enum {
	BATCH = 32,              /* references and rows that are taken at once */
	SLICE_ITEMS = 32,        /* looked at in one slice */
	SLICE_BYTES = 24 * 1024, /* read, searched and written in one slice: some 0.1 ms, for which
				    the traffic of this worker waits */
	HASHED_FOR_ONE = 8,      /* so many bytes are hashed while one is written */
};

enum list_form {
	LIST_SUMMARIES,
	LIST_WHOLE, /* records with their bodies */
	LIST_HAR,
};

enum list_phase {
	LIST_BEGIN,
	LIST_NEXT,   /* look at the next exchange */
	LIST_SEARCH, /* in the one that is held */
	LIST_LOOK,   /* at its bodies: what does its summary have to say of them? */
	LIST_WRITE,  /* it */
	LIST_DONE,
};

/* One list on its way. */
struct list_source {
	struct source source;
	const struct api *api;
	struct query query; /* its slices are the exchange's: not to be used once it is gone */
	enum list_form form;

	enum list_phase phase;
	struct json json;
	struct buffer scratch;
	uint64_t before; /* what is newer was looked at */
	uint64_t last;   /* the seq of the last item */
	uint32_t items;
	bool has_more; /* a further item would have come */

	struct record *record; /* the one that a slice stopped in */
	struct record_view view;
	struct search search;
	struct shown_look look;
	struct record_json writer;
	struct har_entry har;
};

/* What a slice has in its hands: the newest exchanges that were not looked at. */
struct batch {
	struct record *records[BATCH];
	struct poll_row rows[BATCH];
	size_t record_count;
	size_t record_at;
	size_t row_count;
	size_t row_at;
	bool no_more_records;
	bool no_more_rows;
};

static struct list_source *of_source(struct source *source)
{
	return container_of(source, struct list_source, source);
}

static void fill_batch(struct list_source *self, struct batch *batch)
{
	struct capture_store *store = self->api->store;
	const struct query *query = &self->query;

	if (batch->record_at == batch->record_count && !batch->no_more_records) {
		batch->record_at = 0;
		batch->record_count = capture_store_take(
			store, self->before, query->after, batch->records, BATCH);
		batch->no_more_records = batch->record_count == 0;
	}
	if (batch->row_at == batch->row_count && !batch->no_more_rows) {
		batch->row_at = 0;
		batch->row_count = !query->polls
					   ? 0
					   : poll_log_copy(capture_store_polls(store), self->before,
						     query->after, batch->rows, BATCH);
		batch->no_more_rows = batch->row_count == 0;
	}
}

static void release_batch(struct list_source *self, struct batch *batch)
{
	while (batch->record_at < batch->record_count) {
		capture_store_release(self->api->store, batch->records[batch->record_at++]);
	}
}

/*
 * The next exchange, by its number: a record, whose reference is then the caller's, or a row. False
 * at the end.
 */
static bool next_exchange(struct list_source *self, struct batch *batch, struct record **record,
	const struct poll_row **row)
{
	uint64_t record_number = 0;
	uint64_t row_number = 0;

	fill_batch(self, batch);
	*record = NULL;
	*row = NULL;
	if (batch->record_at < batch->record_count) {
		record_number = record_seq(batch->records[batch->record_at]);
	}
	if (batch->row_at < batch->row_count) {
		row_number = batch->rows[batch->row_at].seq;
	}
	if (record_number == 0 && row_number == 0) {
		return false;
	}
	if (record_number > row_number) {
		*record = batch->records[batch->record_at++];
		self->before = record_number;
	} else {
		*row = &batch->rows[batch->row_at++];
		self->before = row_number;
	}
	return true;
}

/* --- filters */

static struct record_format format_of(struct list_source *self)
{
	return (struct record_format){
		.redactor = self->api->redactor,
		.scratch = &self->scratch,
		.now_us = clock_now_us(),
		.body_limit = self->query.body_limit,
	};
}

/* --- phases */

static void let_go(struct list_source *self)
{
	capture_store_release(self->api->store, self->record);
	self->record = NULL;
}

/* One that passed every filter. False where the list is full: it only tells of a next page. */
static bool take_item(struct list_source *self, uint64_t seq)
{
	if (self->items == self->query.limit) {
		self->has_more = true;
		self->phase = LIST_DONE;
		return false;
	}
	self->items++;
	self->last = seq;
	return true;
}

static void begin_record(struct list_source *self)
{
	if (!take_item(self, self->view.seq)) {
		let_go(self);
		return;
	}
	if (self->form == LIST_HAR) {
		har_entry_begin(&self->har, &self->view);
	} else {
		record_json_begin(&self->writer, &self->view);
	}
	self->look = (struct shown_look){.shown = NULL};
	self->phase = self->form == LIST_SUMMARIES ? LIST_LOOK : LIST_WRITE;
}

static void write_row(struct list_source *self, const struct poll_row *row)
{
	const struct record_format format = format_of(self);

	if (self->form == LIST_HAR) {
		har_row(&self->json, row, &format);
	} else {
		record_json_row(&self->json, row, &format);
	}
}

static void look_at_next(struct list_source *self, struct batch *batch)
{
	const struct record_format format = format_of(self);
	const struct poll_row *row;

	if (!next_exchange(self, batch, &self->record, &row)) {
		self->phase = LIST_DONE;
		return;
	}
	if (row != NULL) {
		if (selection_has_row(&self->query, row, &format) && take_item(self, row->seq)) {
			write_row(self, row);
		}
		return;
	}
	record_read(self->record, &self->view);
	if (!selection_has_record(&self->query, &self->view, &format)) {
		let_go(self);
	} else if (self->query.text.len == 0) {
		begin_record(self);
	} else {
		search_begin(&self->search, self->query.text, &self->view);
		self->phase = LIST_SEARCH;
	}
}

static void go_on_searching(struct list_source *self, size_t *spent)
{
	switch (search_step(&self->search, self->api->redactor, &self->scratch, spent)) {
	case SEARCH_MORE:
		break;
	case SEARCH_FOUND:
		search_fini(&self->search);
		begin_record(self);
		break;
	case SEARCH_NOTHING:
		search_fini(&self->search);
		let_go(self);
		self->phase = LIST_NEXT;
		break;
	}
}

static void go_on_looking(struct list_source *self, size_t *spent)
{
	if (!shown_look_next(
		    &self->look, self->api->redactor, &self->view, &self->scratch, spent)) {
		self->phase = LIST_WRITE;
	}
}

/* Goes on with the record that is held. False once it is written. */
static bool write_more(struct list_source *self, size_t *spent)
{
	const struct record_format format = format_of(self);

	if (self->form == LIST_HAR) {
		return har_entry_step(&self->har, &self->json, &format, spent);
	}
	*spent += (record_body_hash_work(&self->view.request_body) +
			  record_body_hash_work(&self->view.response_body)) /
		  HASHED_FOR_ONE;
	if (self->form == LIST_WHOLE) {
		return record_json_step(&self->writer, &self->json, &format, spent);
	}
	record_json_summary(&self->json, &self->view, &format);
	return false;
}

static void go_on_writing(struct list_source *self, size_t *spent)
{
	if (!write_more(self, spent)) {
		record_json_fini(&self->writer);
		har_entry_fini(&self->har);
		let_go(self);
		self->phase = LIST_NEXT;
	}
}

static void write_begin(struct list_source *self)
{
	if (self->form == LIST_HAR) {
		har_begin(&self->json);
	} else {
		json_begin_object(&self->json);
		json_key(&self->json, "items");
		json_begin_array(&self->json);
	}
	self->phase = LIST_NEXT;
}

static void write_server(struct json *json, const struct api *api)
{
	json_key(json, "server");
	json_begin_object(json);
	json_key(json, "version");
	json_cstring(json, SIGHTGLASS_VERSION);
	json_key(json, "listen");
	json_begin_array(json);
	for (size_t i = 0; i < api->address_count; i++) {
		json_cstring(json, api->addresses[i]);
	}
	json_end_array(json);
	json_key(json, "capture_body");
	json_u64(json, api->capture_body);
	json_end_object(json);
}

static void write_end(struct list_source *self)
{
	struct json *json = &self->json;
	struct capture_counts counts;

	if (self->form == LIST_HAR) {
		har_end(json, self->has_more ? self->last : 0);
		return;
	}
	capture_store_counts(self->api->store, &counts);
	json_end_array(json);
	counts_json(json, &counts);
	json_key(json, "next");
	if (self->has_more) {
		json_u64(json, self->last);
	} else {
		json_none(json);
	}
	write_server(json, self->api);
	json_end_object(json);
}

/* --- the source */

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct list_source *self = of_source(source);
	struct batch batch = {.record_count = 0};
	size_t looked_at = 0;
	size_t spent = 0;

	(void)part;
	self->json.out = out;
	while (self->phase != LIST_DONE && looked_at < SLICE_ITEMS &&
		spent + out->len < SLICE_BYTES) {
		switch (self->phase) {
		case LIST_BEGIN:
			write_begin(self);
			break;
		case LIST_NEXT:
			looked_at++;
			look_at_next(self, &batch);
			break;
		case LIST_SEARCH:
			go_on_searching(self, &spent);
			break;
		case LIST_LOOK:
			go_on_looking(self, &spent);
			break;
		case LIST_WRITE:
			go_on_writing(self, &spent);
			break;
		case LIST_DONE:
			break;
		}
	}
	release_batch(self, &batch);
	if (self->phase == LIST_DONE) {
		write_end(self);
		return false;
	}
	return true;
}

static void destroy(struct source *source)
{
	struct list_source *self = of_source(source);

	search_fini(&self->search);
	shown_look_fini(&self->look);
	har_entry_fini(&self->har);
	record_json_fini(&self->writer);
	capture_store_release(self->api->store, self->record);
	buffer_fini(&self->scratch);
	mem_free(self);
}

static const struct source_ops list_ops = {
	.next = next_slice,
	.destroy = destroy,
};

static void begin_answer(struct answer *answer, enum list_form form)
{
	answer_begin(answer, 200, ANSWER_DATA, 0);
	if (form == LIST_WHOLE) {
		answer_field(answer, SLICE("Vary"), SLICE("Accept"));
	}
	if (form == LIST_HAR) {
		answer_field(answer, SLICE("Content-Disposition"),
			SLICE("attachment; filename=\"sightglass.har\""));
	}
}

static void answer_list(const struct api_call *call, enum list_form form)
{
	struct list_source *self;
	struct query query;
	struct err err = ERR_INIT;
	enum err_code rc =
		query_parse(call->query, form == LIST_WHOLE, &call->exchange->arena, &query, &err);

	if (rc != ERR_NONE) {
		answer_problem(call->answer, rc == ERR_SYNTAX ? 400 : 503, "%s", err.text);
		return;
	}
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &list_ops;
	self->api = call->api;
	self->query = query;
	self->form = form;
	if (form == LIST_HAR) {
		self->query.body_limit = UINT64_MAX;
	}
	self->before = query.before;
	json_init(&self->json, NULL); /* each slice brings its buffer */
	begin_answer(call->answer, form);
	answer_send_source(call->answer, SLICE("application/json"), &self->source, UINT64_MAX);
}

void api_requests_list(const struct api_call *call)
{
	answer_list(call, LIST_SUMMARIES);
}

void api_requests_list_whole(const struct api_call *call)
{
	answer_list(call, LIST_WHOLE);
}

void api_requests_har(const struct api_call *call)
{
	answer_list(call, LIST_HAR);
}

void api_requests_clear(const struct api_call *call)
{
	struct err err = ERR_INIT;

	if (parameters_parse(call->query, NULL, 0, &call->exchange->arena, NULL, &err) !=
		ERR_NONE) {
		answer_problem(call->answer, 400, "%s", err.text);
		return;
	}
	capture_store_clear(call->api->store);
	answer_begin(call->answer, 204, ANSWER_DATA, 0);
	answer_send_empty(call->answer);
}
