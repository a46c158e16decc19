/*
 * Layer: inspector. One job: a body as it may be shown; see shown_body.h.
 */
#include "inspector/shown_body.h"

#include "base/memory.h"
#include "http/field.h"
#include "inspector/body_kind.h"
#include "inspector/decode.h"
#include "inspector/redact_body.h"

enum {
	PIECE = 8 * 1024, /* of a body, or of what it decodes to, in one step */
	CALL_COSTS = 64,  /* of `spent`: for what is paid whatever comes */
};

struct shown_body {
	const struct redactor *redactor;
	const struct record_view *view;
	const struct record_body *body;
	const struct record_head *head;
	struct record_parts parts;
	struct slice part; /* what is left of the last one */
	bool last_part;
	bool ended;

	struct redact_body *redact;
	struct decoder *decoder; /* NULL: not coded, or not known how */
	struct buffer decoded;   /* one step */
	uint64_t decoded_len;    /* all of them */
	enum decode_state state;
	bool coded;
	bool checking; /* first: it is decoded to see whether it can be */
	bool unknown;
	bool garbled;
	size_t codings_len;
	char codings[SHOWN_CODING_MAX];
};

struct slice shown_body_codings(const struct record_head *head, char out[static SHOWN_CODING_MAX])
{
	struct record_fields walk = record_fields(head);
	struct slice wanted = field_name(FIELD_CONTENT_ENCODING);
	struct slice name;
	struct slice value;
	size_t len = 0;

	while (record_fields_next(&walk, &name, &value)) {
		if (!slice_equal_nocase(name, wanted)) {
			continue;
		}
		if (len + 2 + value.len > SHOWN_CODING_MAX) {
			return SLICE("?"); /* as good as one that is not known */
		}
		if (len > 0) {
			memcpy(out + len, ", ", 2);
			len += 2;
		}
		if (value.len > 0) {
			memcpy(out + len, value.ptr, value.len);
		}
		len += value.len;
	}
	return slice_of(out, len);
}

static struct slice codings_of(const struct shown_body *shown)
{
	return slice_of(shown->codings, shown->codings_len);
}

/* Begins to go through the body. */
static void begin(struct shown_body *shown)
{
	decoder_destroy(shown->decoder);
	shown->decoder = shown->coded ? decoder_create(codings_of(shown)) : NULL;
	shown->decoded_len = 0;
	shown->state = DECODE_GOES_ON;
	shown->parts = record_parts(shown->body);
	shown->part = slice_of(NULL, 0);
}

struct shown_body *shown_body_create(
	const struct redactor *redactor, const struct record_view *view, enum record_side side)
{
	struct shown_body *shown = mem_zalloc(sizeof(*shown));
	struct slice codings;

	shown->redactor = redactor;
	shown->view = view;
	shown->body = side == RECORD_REQUEST ? &view->request_body : &view->response_body;
	shown->head = side == RECORD_REQUEST ? &view->request : &view->response;
	codings = shown_body_codings(shown->head, shown->codings);
	shown->codings_len = codings.len;
	if (codings.ptr != shown->codings && codings.len > 0) {
		memcpy(shown->codings, codings.ptr, codings.len);
	}
	shown->coded = shown->body->kept > 0 && decode_is_coded(codings);
	shown->redact =
		redact_body_create(redactor, record_head_get(shown->head, FIELD_CONTENT_TYPE));
	begin(shown);
	shown->unknown = shown->coded && shown->decoder == NULL;
	shown->garbled = shown->body->look == RECORD_GARBLED;
	shown->checking = shown->coded && shown->body->look == RECORD_UNSEEN;
	return shown;
}

void shown_body_destroy(struct shown_body *shown)
{
	if (shown != NULL) {
		redact_body_destroy(shown->redact);
		decoder_destroy(shown->decoder);
		buffer_fini(&shown->decoded);
		mem_free(shown);
	}
}

/* --- the captured bytes */

/* At most PIECE of them; they are taken by take(). Empty at the end. */
static struct slice peek(struct shown_body *shown)
{
	if (shown->part.len == 0 && !record_parts_next(&shown->parts, &shown->part)) {
		shown->part = slice_of(NULL, 0);
	}
	return slice_of(shown->part.ptr, shown->part.len < PIECE ? shown->part.len : PIECE);
}

static void take(struct shown_body *shown, size_t len)
{
	if (len > 0) {
		shown->part = slice_of(shown->part.ptr + len, shown->part.len - len);
	}
}

static bool at_end(const struct shown_body *shown)
{
	return shown->part.len == 0 && shown->parts.left == 0;
}

/* Whether bytes followed, or may yet follow, what is kept. */
static bool goes_on(const struct shown_body *shown)
{
	return shown->body->truncated || !shown->body->ended ||
	       shown->view->state != EXCHANGE_COMPLETE;
}

/* --- steps */

static bool is_withheld(const struct shown_body *shown)
{
	return shown->unknown || shown->garbled;
}

static enum record_look look_of(const struct shown_body *shown)
{
	if (shown->garbled) {
		return RECORD_GARBLED;
	}
	if (shown->unknown || redact_body_hid(shown->redact)) {
		return RECORD_HIDES;
	}
	return shown->coded && shown->state != DECODE_WHOLE ? RECORD_OPAQUE : RECORD_CLEAN;
}

static void end(struct shown_body *shown, struct buffer *out)
{
	bool cut = goes_on(shown) || (shown->coded && shown->state != DECODE_WHOLE);

	redact_body_end(shown->redact, cut, out);
	shown->ended = true;
	if (shown->view->clock.end_us != 0) {
		record_body_looked(shown->body, look_of(shown));
	}
}

/* Each of the two returns what it cost, where redacting a byte costs one. */
static size_t pass_plain(struct shown_body *shown, struct buffer *out)
{
	struct slice piece = peek(shown);

	redact_body_add(shown->redact, piece, out);
	take(shown, piece.len);
	if (at_end(shown)) {
		end(shown, out);
	}
	return piece.len;
}

/*
 * What says that it is coded but never was: some servers say so of what they send as it is. Coded
 * data do not begin like a text.
 */
static bool is_plain_after_all(const struct shown_body *shown)
{
	char beginning[BODY_KIND_LOOK];
	size_t len;

	if (shown->state != DECODE_BROKEN || shown->decoded_len > 0) {
		return false;
	}
	len = record_body_copy(shown->body, 0, beginning, sizeof(beginning));
	return body_looks_like_text(slice_of(beginning, len));
}

/* The next step of decoding; returns what it cost. */
static size_t decode(struct shown_body *shown)
{
	struct slice piece = peek(shown);
	size_t had = piece.len;

	buffer_clear(&shown->decoded);
	shown->state = decoder_next(shown->decoder, &piece,
		shown->parts.left == 0 && piece.len == shown->part.len, &shown->decoded, PIECE);
	take(shown, had - piece.len);
	shown->decoded_len += shown->decoded.len;
	return (shown->decoded.len + had - piece.len) / 2;
}

static size_t check_coded(struct shown_body *shown, struct buffer *out)
{
	size_t cost = decode(shown);

	if (shown->state == DECODE_GOES_ON) {
		return cost;
	}
	shown->checking = false;
	if (is_plain_after_all(shown)) {
		shown->coded = false;
	} else if (shown->state == DECODE_BROKEN) {
		shown->garbled = true;
		end(shown, out);
		return cost;
	}
	begin(shown);
	return cost;
}

static size_t pass_coded(struct shown_body *shown, struct buffer *out)
{
	size_t cost = decode(shown);

	redact_body_add(shown->redact, buffer_slice(&shown->decoded), out);
	if (shown->state == DECODE_BROKEN && is_plain_after_all(shown)) {
		shown->coded = false; /* as was found out when it was checked */
		begin(shown);
	} else if (shown->state != DECODE_GOES_ON) {
		end(shown, out);
	}
	return cost + shown->decoded.len;
}

bool shown_body_next(struct shown_body *shown, struct buffer *out, size_t *spent)
{
	if (shown->ended) {
		return false;
	}
	if (is_withheld(shown)) {
		end(shown, out);
	} else if (shown->checking) {
		*spent += check_coded(shown, out);
	} else if (shown->coded) {
		*spent += pass_coded(shown, out);
	} else {
		*spent += pass_plain(shown, out);
	}
	*spent += CALL_COSTS;
	return !shown->ended;
}

/* --- what is known */

static const char *note_of(const struct shown_body *shown)
{
	if (shown->unknown) {
		return "its coding is none of gzip, deflate, br and zstd (three of them at most): "
		       "what it holds cannot be seen, so it is not shown";
	}
	if (!shown->coded) {
		return shown->codings_len > 0 && decode_is_coded(codings_of(shown)) &&
				       shown->body->kept > 0
			       ? "it is not coded, as its Content-Encoding says"
			       : NULL;
	}
	if (shown->garbled) {
		return "its coding is broken: what it decodes to may be garbled, so that secrets "
		       "could not be told, and is not shown";
	}
	switch (shown->state) {
	case DECODE_CUT:
		return goes_on(shown) ? NULL : "its coding ends too early";
	case DECODE_FOLLOWED:
		return "something follows the end of its coding";
	case DECODE_TOO_LONG:
		return "decoded it is longer than 16 MiB";
	case DECODE_TOO_WIDE:
		return "its coding needs a window of more than 8 MiB";
	case DECODE_GOES_ON:
	case DECODE_WHOLE:
	case DECODE_BROKEN:
		break;
	}
	return NULL;
}

void shown_body_facts(const struct shown_body *shown, struct shown_facts *facts)
{
	*facts = (struct shown_facts){
		.look = look_of(shown),
		.cut = shown->body->truncated || is_withheld(shown) ||
		       (shown->coded && shown->ended && shown->state != DECODE_WHOLE),
		.withheld = is_withheld(shown),
		.note = note_of(shown),
		.coding =
			shown->coded && !is_withheld(shown) ? codings_of(shown) : slice_of(NULL, 0),
	};
}

/* --- looking without showing */

/* The next body that nobody has looked at; false where there is none. */
static bool find_unseen(struct shown_look *look, const struct record_view *view)
{
	if (view->level != CAPTURE_FULL) {
		return false;
	}
	if (look->side == RECORD_REQUEST && view->request_body.look != RECORD_UNSEEN) {
		look->side = RECORD_RESPONSE;
	}
	return look->side == RECORD_REQUEST || view->response_body.look == RECORD_UNSEEN;
}

bool shown_look_next(struct shown_look *look, const struct redactor *redactor,
	struct record_view *view, struct buffer *scratch, size_t *spent)
{
	struct shown_facts facts;

	if (look->shown == NULL) {
		if (!find_unseen(look, view)) {
			return false;
		}
		look->shown = shown_body_create(redactor, view, look->side);
	}
	buffer_clear(scratch);
	if (shown_body_next(look->shown, scratch, spent)) {
		return true;
	}
	shown_body_facts(look->shown, &facts);
	record_body_of(view, look->side)->look = facts.look;
	shown_look_fini(look);
	return find_unseen(look, view);
}

void shown_look_fini(struct shown_look *look)
{
	shown_body_destroy(look->shown);
	look->shown = NULL;
}
