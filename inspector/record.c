/*
 * Layer: inspector. One job: reading a record; see record.h, and record_layout.h for what may be
 * read when.
 */
#include "inspector/record.h"

#include <assert.h>

#include "inspector/record_layout.h"

enum {
	CONNECTION_NAMES_MAX = 64, /* it is looked through once a field */
};

static struct slice text_of(const struct record *record, struct record_text text)
{
	return slice_of((const char *)record + text.at, text.len);
}

static struct record_head trailers_of(const struct record_section *section)
{
	if (section == NULL) {
		return (struct record_head){.count = 0};
	}
	return (struct record_head){
		.bytes = slice_of((const char *)(section + 1), section->size),
		.count = section->count,
	};
}

static void read_body(struct record_body_data *data, struct record_body *body)
{
	body->ended = atomic_load_explicit(&data->ended, memory_order_acquire);
	body->kept = atomic_load_explicit(&data->kept, memory_order_acquire);
	body->truncated = atomic_load_explicit(&data->truncated, memory_order_relaxed);
	/* Later than `kept`, so never the smaller of the two. */
	body->size = atomic_load_explicit(&data->size, memory_order_relaxed);
	body->pieces = atomic_load_explicit(&data->first, memory_order_relaxed);
	body->has_hash =
		body->ended && (atomic_load_explicit(&data->hashed, memory_order_acquire) ||
				       (body->kept > 0 && body->kept == body->size));
	body->look = body->kept == 0 ? RECORD_CLEAN
				     : (enum record_look)atomic_load_explicit(
					       &data->look, memory_order_relaxed);
	body->data = data;
}

void record_body_looked(const struct record_body *body, enum record_look look)
{
	/* Several may look at once: they see the same. */
	atomic_store_explicit(&body->data->look, (unsigned char)look, memory_order_relaxed);
}

/* Two texts that lie one behind the other. */
static void read_outcome(
	const char *at, uint32_t upstream_len, uint32_t error_len, struct record_view *view)
{
	view->upstream = slice_of(at, upstream_len);
	view->error = slice_of(at + upstream_len, error_len);
}

static void read_answer(struct record_answer *answer, struct record_view *view)
{
	const char *head = (const char *)(answer + 1);

	view->status = answer->status;
	view->response = (struct record_head){
		.bytes = slice_of(head, answer->head_size),
		.fields_at = answer->fields_at,
		.count = answer->count,
	};
	view->response_version_minor = answer->version_minor;
	view->clock.first_byte_us =
		record_moment_us(view->clock.begin_us, answer->first_byte_moment);
	read_outcome(head + answer->head_size, answer->upstream_len, answer->error_len, view);
	view->error_code = (enum err_code)answer->error_code;
	view->messages = record_answer_messages(answer);
	if (answer->tunnel) {
		view->state = EXCHANGE_TUNNEL;
	}
}

static void read_end(const struct record *record, struct record_view *view)
{
	uint64_t begin_us = record->begin_us;

	view->state = (enum exchange_state)record->state;
	view->status = record->status;
	view->error_code = (enum err_code)record->error_code;
	view->attempts = record->attempts;
	view->reused = record->reused;
	view->idle_ms = record->idle_ms;
	view->clock.queued_us = record_moment_us(begin_us, record->queued_moment);
	view->clock.connecting_us = record_moment_us(begin_us, record->connecting_moment);
	view->clock.securing_us = record_moment_us(begin_us, record->securing_moment);
	view->clock.connected_us = record_moment_us(begin_us, record->connected_moment);
	view->clock.sent_us = record_moment_us(begin_us, record->sent_moment);
	view->clock.end_us = record->end_us;
	if (record->outcome != NULL) {
		read_outcome((const char *)(record->outcome + 1), record->outcome->upstream_len,
			record->outcome->error_len, view);
	}
}

static void read_begin(const struct record *record, struct record_view *view)
{
	const char *beside = (const char *)record + record->beside_at;
	size_t trace_id_len = record->has_trace_id ? TRACE_ID_LEN : 0;

	*view = (struct record_view){
		.seq = record->seq,
		.state = EXCHANGE_ACTIVE,
		.level = (enum capture_level)record->level,
		.clock = {.wall_us = record->wall_us,
			.begin_us = record->begin_us,
			.request_head_us =
				record_moment_us(record->begin_us, record->request_head_moment)},
		.request_id = text_of(record, record->request_id),
		.trace_id = slice_of(beside, trace_id_len),
		.client_ip = slice_of(beside + trace_id_len, record->client_ip_len),
		.route = slice_of(beside + trace_id_len + record->client_ip_len, record->route_len),
		.scheme = record->is_https ? "https" : "http",
		.host = text_of(record, record->host),
		.method = (enum method)record->method,
		.method_name = text_of(record, record->method_name),
		.path = text_of(record, record->path),
		.query = text_of(record, record->query),
		.has_query = record->has_query,
		.replay = record->replay,
		.request_version_minor = record->request_version_minor,
		.request = {.bytes = slice_of((const char *)(record + 1), record->request_size),
			.fields_at = record->request_fields_at,
			.count = record->request_count},
	};
}

void record_read(struct record *record, struct record_view *view)
{
	bool ended = atomic_load_explicit(&record->ended, memory_order_acquire);
	struct record_answer *answer = atomic_load_explicit(&record->answer, memory_order_acquire);

	read_begin(record, view);
	if (answer != NULL) {
		read_answer(answer, view);
	}
	view->request_trailers =
		trailers_of(atomic_load_explicit(&record->request_trailers, memory_order_acquire));
	view->response_trailers =
		trailers_of(atomic_load_explicit(&record->response_trailers, memory_order_acquire));
	read_body(&record->request_body, &view->request_body);
	read_body(&record->response_body, &view->response_body);
	if (ended) {
		read_end(record, view);
	}
}

uint64_t record_seq(const struct record *record)
{
	return record->seq;
}

struct record_fields record_fields(const struct record_head *head)
{
	assert(head->fields_at <= head->bytes.len);
	return (struct record_fields){
		.rest = slice_of(head->bytes.len == 0 ? NULL : head->bytes.ptr + head->fields_at,
			head->bytes.len - head->fields_at),
		.left = head->count,
	};
}

/*
 * The lines are as http/head_reader.h let them pass: name ":" OWS value OWS CRLF, with neither CR
 * nor LF within. Only as many are read as it counted, so what it refused is not taken for a field
 * here.
 */
bool record_fields_next(struct record_fields *walk, struct slice *name, struct slice *value)
{
	const char *start = walk->rest.ptr;
	const char *end;
	const char *colon;

	if (walk->left == 0 || walk->rest.len == 0) {
		return false;
	}
	end = memchr(start, '\n', walk->rest.len);
	if (end == NULL) {
		walk->left = 0;
		return false;
	}
	walk->left--;
	walk->rest = slice_of(end + 1, walk->rest.len - (size_t)(end + 1 - start));
	colon = memchr(start, ':', (size_t)(end - start));
	if (colon == NULL) {
		walk->left = 0;
		return false;
	}
	if (end > colon + 1 && end[-1] == '\r') {
		end--;
	}
	*name = slice_of(start, (size_t)(colon - start));
	*value = slice_trim(slice_of(colon + 1, (size_t)(end - colon - 1)));
	return true;
}

struct slice record_head_get(const struct record_head *head, enum field_id id)
{
	struct record_fields walk = record_fields(head);
	struct slice wanted = field_name(id);
	struct slice name;
	struct slice value;

	while (record_fields_next(&walk, &name, &value)) {
		if (slice_equal_nocase(name, wanted)) {
			return value;
		}
	}
	return slice_of(NULL, 0);
}

/* Connection: Host or Connection: Authorization means nothing: see proxy/forwarding.c. */
static bool is_named_by_connection(const struct record_head *head, struct slice name)
{
	struct record_fields walk = record_fields(head);
	struct slice line;
	struct slice value;
	unsigned looked_at = 0;

	while (record_fields_next(&walk, &line, &value)) {
		struct slice token;

		if (field_identify(line) != FIELD_CONNECTION) {
			continue;
		}
		while (looked_at < CONNECTION_NAMES_MAX && slice_next_token(&value, &token)) {
			looked_at++;
			if (slice_equal_nocase(token, name)) {
				return true;
			}
		}
	}
	return false;
}

bool record_is_hop_by_hop(const struct record_head *head, struct slice name)
{
	enum field_id id = field_identify(name);

	return field_is_hop_by_hop(id) || (id == FIELD_OTHER && is_named_by_connection(head, name));
}

struct record_parts record_parts(const struct record_body *body)
{
	return (struct record_parts){.next = body->pieces, .left = body->kept};
}

bool record_parts_next(struct record_parts *walk, struct slice *bytes)
{
	const struct record_piece *piece = walk->next;

	if (walk->left == 0) {
		return false;
	}
	assert(piece != NULL);
	bytes->ptr = record_piece_bytes(piece);
	bytes->len = walk->left < piece->capacity ? (size_t)walk->left : piece->capacity;
	walk->left -= bytes->len;
	walk->next = atomic_load_explicit(&piece->next, memory_order_relaxed);
	return true;
}

size_t record_body_copy(const struct record_body *body, uint64_t from, char *out, size_t room)
{
	struct record_parts walk = record_parts(body);
	struct slice bytes;
	size_t copied = 0;

	while (copied < room && record_parts_next(&walk, &bytes)) {
		size_t skip = from < bytes.len ? (size_t)from : bytes.len;
		size_t taken = bytes.len - skip < room - copied ? bytes.len - skip : room - copied;

		from -= skip;
		memcpy(out + copied, bytes.ptr + skip, taken);
		copied += taken;
	}
	return copied;
}

void record_hash_format(
	const uint8_t hash[static RECORD_HASH_SIZE], char out[static RECORD_HASH_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < RECORD_HASH_SIZE; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[RECORD_HASH_TEXT_SIZE - 1] = '\0';
}
