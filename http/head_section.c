/*
 * Layer: http (private to head_reader). One job: the strict reading of a section. The start line is
 * checked byte by byte as it comes, each of its parts taking up where it was left; a field line is
 * read whole, once its end is there.
 *
 * The same bytes give the same result however they are cut into reads. For that, an error within a
 * field line counts only where the line is whole within the limit, and every other check looks at
 * one byte after the other.
 */
#include "http/head_section.h"

#include <assert.h>

#include "http/scan.h"

enum {
	FIELDS_MIN = 24, /* a browser sends about fifteen */
	NAME_SHOWN = 64, /* of a field's name, in errors */
};

enum step head_section_fail_limit(const struct head_reader *reader, struct err *err)
{
	err_set(err, ERR_HEADER_LIMIT, "the header section is larger than %u bytes",
		reader->limits.bytes);
	return STEP_FAILED;
}

enum step head_section_fail_byte(struct err *err, const char *where, char c)
{
	err_set(err, ERR_SYNTAX, "byte 0x%02x in %s", (unsigned char)c, where);
	return STEP_FAILED;
}

enum step head_section_begin(struct head_reader *reader, enum phase phase, uint32_t at)
{
	reader->phase = (uint8_t)phase;
	reader->part_at = at;
	reader->scanned = at;
	return STEP_ON;
}

static enum step read_method(struct head_reader *reader, struct view view, struct err *err)
{
	uint32_t at = (uint32_t)scan_token(view.bytes, reader->scanned, view.len);

	reader->scanned = at;
	if (at == view.len) {
		return STEP_MORE;
	}
	if (at == 0 || view.bytes[at] != ' ') {
		return head_section_fail_byte(err, "the method", view.bytes[at]);
	}
	reader->method_len = at;
	return head_section_begin(reader, PHASE_TARGET, at + 1);
}

static enum step read_target(struct head_reader *reader, struct view view, struct err *err)
{
	uint32_t at = (uint32_t)scan_target(view.bytes, reader->scanned, view.len);

	reader->scanned = at;
	if (at - reader->part_at > reader->limits.target) {
		err_set(err, ERR_TARGET_TOO_LONG, "the target is longer than %u bytes",
			reader->limits.target);
		return STEP_FAILED;
	}
	if (at == view.len) {
		return STEP_MORE;
	}
	if (view.bytes[at] != ' ' || at == reader->part_at) {
		return head_section_fail_byte(err, "the target", view.bytes[at]);
	}
	reader->target_at = reader->part_at;
	reader->target_len = at - reader->part_at;
	return head_section_begin(reader, PHASE_REQUEST_VERSION, at + 1);
}

/* Compares what is there with `pattern`, in which '0' stands for any digit. */
static enum step match(
	struct head_reader *reader, struct view view, struct slice pattern, struct err *err)
{
	for (; reader->scanned < view.len; reader->scanned++) {
		uint32_t done = reader->scanned - reader->part_at;
		char c = view.bytes[reader->scanned];

		if (done == pattern.len) {
			break;
		}
		if (pattern.ptr[done] == '0' ? c < '0' || c > '9' : c != pattern.ptr[done]) {
			return head_section_fail_byte(err, "the version", c);
		}
	}
	return reader->scanned - reader->part_at == pattern.len ? STEP_ON : STEP_MORE;
}

static enum step read_version(
	struct head_reader *reader, struct view view, struct slice pattern, struct err *err)
{
	enum step step = match(reader, view, pattern, err);
	char major;
	char minor;

	if (step != STEP_ON) {
		return step;
	}
	major = view.bytes[reader->part_at + 5];
	minor = view.bytes[reader->part_at + 7];
	if (major != '1' || minor > '1') {
		err_set(err, ERR_VERSION, "HTTP/%c.%c is not spoken here", major, minor);
		return STEP_FAILED;
	}
	reader->head->version_minor = (uint8_t)(minor - '0');
	return STEP_ON;
}

static enum step read_request_version(struct head_reader *reader, struct view view, struct err *err)
{
	enum step step = read_version(reader, view, SLICE("HTTP/0.0\r\n"), err);

	return step == STEP_ON ? head_section_begin(reader, PHASE_FIELDS, reader->scanned) : step;
}

static enum step read_answer_version(struct head_reader *reader, struct view view, struct err *err)
{
	enum step step = read_version(reader, view, SLICE("HTTP/0.0 "), err);

	return step == STEP_ON ? head_section_begin(reader, PHASE_STATUS, reader->scanned) : step;
}

static enum step read_status(struct head_reader *reader, struct view view, struct err *err)
{
	for (; reader->scanned < view.len; reader->scanned++) {
		uint32_t digits = reader->scanned - reader->part_at;
		char c = view.bytes[reader->scanned];

		if (digits == 3) {
			if (c == ' ') {
				return head_section_begin(
					reader, PHASE_REASON, reader->scanned + 1);
			}
			/*
			 * RFC 9112 section 4 wants the space even where no reason follows. Many
			 * servers leave it out, and no second reading exists.
			 */
			if (c == '\r') {
				return head_section_begin(reader, PHASE_REASON, reader->scanned);
			}
			return head_section_fail_byte(err, "the status", c);
		}
		if (c < (digits == 0 ? '1' : '0') || c > '9') {
			return head_section_fail_byte(err, "the status", c);
		}
		reader->head->status = (uint16_t)(reader->head->status * 10 + (c - '0'));
	}
	return STEP_MORE;
}

static enum step read_reason(struct head_reader *reader, struct view view, struct err *err)
{
	uint32_t at = (uint32_t)scan_value(view.bytes, reader->scanned, view.len);

	reader->scanned = at;
	if (at == view.len) {
		return STEP_MORE;
	}
	if (view.bytes[at] != '\r') {
		return head_section_fail_byte(err, "the reason phrase", view.bytes[at]);
	}
	if (at + 1 == view.len) {
		return STEP_MORE;
	}
	if (view.bytes[at + 1] != '\n') {
		return head_section_fail_byte(err, "the reason phrase", '\r');
	}
	reader->reason_at = reader->part_at;
	reader->reason_len = at - reader->part_at;
	return head_section_begin(reader, PHASE_FIELDS, at + 2);
}

static enum step add_field(
	struct head_reader *reader, struct view view, const struct field *field, struct err *err)
{
	struct head *head = reader->head;
	enum field_id id = field_identify(slice_of(view.bytes + field->name_at, field->name_len));

	if (head->count == reader->field_capacity) {
		uint32_t capacity = reader->field_capacity == 0 ? FIELDS_MIN : head->count * 2u;
		void *moved;

		if (capacity > reader->limits.fields) {
			capacity = reader->limits.fields;
		}
		moved = arena_grow(reader->arena, head->fields, head->count * sizeof(*field),
			capacity * sizeof(*field));
		if (moved == NULL) {
			return head_section_fail_limit(reader, err);
		}
		head->fields = moved;
		reader->field_capacity = (uint16_t)capacity;
	}
	head->fields[head->count] = *field;
	head->fields[head->count].id = (uint8_t)id;
	head->count++;
	if (head->first[id] == 0) {
		head->first[id] = head->count;
	}
	return STEP_ON;
}

/*
 * Reads the line at part_at. STEP_MORE where it is not whole; STEP_FAILED without a word in `err`
 * where it breaks the rules, or would if it were whole.
 */
static enum step read_line(
	struct head_reader *reader, struct view view, struct field *field, uint32_t *next)
{
	uint32_t at = (uint32_t)scan_token(view.bytes, reader->part_at, view.len);
	uint32_t end;

	if (at == view.len) {
		return STEP_MORE;
	}
	if (view.bytes[at] != ':' || at == reader->part_at || at - reader->part_at > UINT16_MAX) {
		return STEP_FAILED;
	}
	field->name_at = reader->part_at;
	field->name_len = (uint16_t)(at - reader->part_at);
	do {
		at++;
	} while (at < view.len && (view.bytes[at] == ' ' || view.bytes[at] == '\t'));
	field->value_at = at;
	end = (uint32_t)scan_value(view.bytes, at, view.len);
	if (end == view.len || (view.bytes[end] == '\r' && end + 1 == view.len)) {
		return STEP_MORE;
	}
	if (view.bytes[end] != '\r' || view.bytes[end + 1] != '\n') {
		return STEP_FAILED;
	}
	*next = end + 2;
	while (end > at && (view.bytes[end - 1] == ' ' || view.bytes[end - 1] == '\t')) {
		end--;
	}
	field->value_len = end - at;
	return STEP_ON;
}

/* Says what is wrong with the whole line that read_line refused. */
static enum step fail_line(const struct head_reader *reader, struct view view, struct err *err)
{
	const char *line = view.bytes + reader->part_at;
	uint32_t name_len = 0;
	uint32_t at;

	while (tchar_valid(line[name_len])) {
		name_len++;
	}
	at = name_len;
	while (line[at] == ' ' || line[at] == '\t') {
		at++;
	}
	if (name_len > UINT16_MAX) {
		err_set(err, ERR_HEADER_LIMIT, "a field name is longer than %u bytes", UINT16_MAX);
	} else if (name_len == 0 && at > 0) {
		err_set(err, ERR_SYNTAX, "a header line begins with white space");
	} else if (name_len == 0 && line[0] == ':') {
		err_set(err, ERR_SYNTAX, "a header field without a name");
	} else if (at > name_len && line[at] == ':') {
		err_set(err, ERR_SYNTAX, "white space before the colon of a header field");
	} else if (line[at] == '\r' || line[at] == '\n') {
		err_set(err, ERR_SYNTAX, "a header line without a colon");
	} else if (line[name_len] != ':') {
		head_section_fail_byte(err, "a header field's name", line[name_len]);
	} else {
		char bad = view.bytes[scan_value(view.bytes, reader->part_at, view.len)];

		err_set(err, ERR_SYNTAX, "%s in the value of header field %.*s",
			bad == '\r'   ? "a bare CR"
			: bad == '\n' ? "a bare LF"
			: bad == '\0' ? "a NUL"
				      : "a control byte",
			(int)(name_len < NAME_SHOWN ? name_len : NAME_SHOWN), line);
	}
	return STEP_FAILED;
}

static enum step read_field(struct head_reader *reader, struct view view, struct err *err)
{
	struct field field = {.dropped = 0};
	uint32_t next = 0;
	enum step step;

	if (reader->part_at == view.len) {
		return STEP_MORE;
	}
	if (view.bytes[reader->part_at] == '\r') {
		if (reader->part_at + 1 == view.len) {
			return STEP_MORE;
		}
		if (view.bytes[reader->part_at + 1] != '\n') {
			return head_section_fail_byte(err, "a header field's name", '\r');
		}
		head_section_begin(reader, PHASE_DONE, reader->part_at + 2);
		return STEP_DONE;
	}
	if (reader->head->count == reader->limits.fields) {
		err_set(err, ERR_HEADER_LIMIT, "more than %u header fields", reader->limits.fields);
		return STEP_FAILED;
	}
	if (reader->scanned > reader->part_at &&
		memchr(view.bytes + reader->scanned, '\n', view.len - reader->scanned) == NULL) {
		reader->scanned = view.len;
		return STEP_MORE;
	}
	step = read_line(reader, view, &field, &next);
	if (step == STEP_ON) {
		step = add_field(reader, view, &field, err);
		return step == STEP_ON ? head_section_begin(reader, PHASE_FIELDS, next) : step;
	}
	if (step == STEP_FAILED &&
		memchr(view.bytes + reader->part_at, '\n', view.len - reader->part_at) != NULL) {
		return fail_line(reader, view, err);
	}
	reader->scanned = view.len;
	return STEP_MORE;
}

enum step head_section_read(struct head_reader *reader, struct view view, struct err *err)
{
	enum step step = STEP_ON;

	while (step == STEP_ON) {
		switch ((enum phase)reader->phase) {
		case PHASE_METHOD:
			step = read_method(reader, view, err);
			break;
		case PHASE_TARGET:
			step = read_target(reader, view, err);
			break;
		case PHASE_REQUEST_VERSION:
			step = read_request_version(reader, view, err);
			break;
		case PHASE_ANSWER_VERSION:
			step = read_answer_version(reader, view, err);
			break;
		case PHASE_STATUS:
			step = read_status(reader, view, err);
			break;
		case PHASE_REASON:
			step = read_reason(reader, view, err);
			break;
		case PHASE_FIELDS:
			step = read_field(reader, view, err);
			break;
		case PHASE_BEFORE:
		case PHASE_DONE:
			assert(false); /* fed before its section, or behind it */
			return STEP_FAILED;
		}
	}
	return step;
}
