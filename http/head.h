/*
 * Layer: http (sees base). One job: a message's head as it came: start line and fields, in order,
 * as offsets into one run of bytes. Parsed by http/head_reader.h; also holds a trailer section
 * (then there is no start line).
 */
#ifndef SIGHTGLASS_HTTP_HEAD_H
#define SIGHTGLASS_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/field.h"

enum method {
	METHOD_OTHER =
		0, /* any other token: forwarded as it is, held for unsafe and not idempotent */
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_CONNECT,
};

struct field { /* offsets count from head.bytes; 16 bytes */
	uint32_t name_at;
	uint32_t value_at;
	uint32_t value_len;
	uint16_t name_len; /* a longer name is refused */
	uint8_t id;        /* enum field_id */
	/* Set by whoever decides that the field does not go on; the bytes stay for the record. */
	uint8_t dropped;
};

struct head {
	const char *bytes; /* the whole section as it came, its last CRLF included */
	uint32_t size;
	uint16_t count;
	struct field *fields;
	/* Index + 1 of the first field with that number; 0 = absent. Not for FIELD_OTHER. */
	uint16_t first[FIELD_IDS];
	/* the start line */
	uint8_t version_minor; /* 0 or 1: HTTP/1.0 or HTTP/1.1 */
	uint8_t method;        /* enum method; requests */
	uint16_t status;       /* responses: 100 to 999 */
	struct slice method_name;
	struct slice target;
	struct slice reason; /* may be empty */
};

static inline struct slice head_name(const struct head *head, const struct field *field)
{
	return slice_of(head->bytes + field->name_at, field->name_len);
}

/* Without the white space around it. */
static inline struct slice head_value(const struct head *head, const struct field *field)
{
	return slice_of(head->bytes + field->value_at, field->value_len);
}

/* The first field with that number, or NULL. */
static inline struct field *head_find(const struct head *head, enum field_id id)
{
	return head->first[id] == 0 ? NULL : &head->fields[head->first[id] - 1];
}

/* The next one with the same number, or NULL. */
struct field *head_find_next(const struct head *head, const struct field *field);
/* The first value with that number; an empty slice with a NULL pointer where there is none. */
struct slice head_get(const struct head *head, enum field_id id);
/* By name, in any case: for names that come from settings and have no number. */
struct field *head_find_name(const struct head *head, struct slice name);
/* True where a comma-separated list field holds `token`, in any case, in any of its lines. */
bool head_has_token(const struct head *head, enum field_id id, struct slice token);

enum method method_identify(struct slice name); /* methods are case-sensitive */
/* RFC 9110 section 9.2.1: GET, HEAD, OPTIONS, TRACE. */
bool method_is_safe(enum method method);
/* RFC 9110 section 9.2.2: the safe ones, PUT and DELETE. */
bool method_is_idempotent(enum method method);
/* The standard reason phrase, or "Unknown". */
const char *status_reason(unsigned status);

#endif
