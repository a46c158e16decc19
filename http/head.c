/*
 * Layer: http (sees base). One job: look things up in a parsed head; what methods and statuses
 * mean.
 */
#include "http/head.h"

static const struct slice methods[] = {
	[METHOD_GET] = SLICE_INIT("GET"),
	[METHOD_HEAD] = SLICE_INIT("HEAD"),
	[METHOD_POST] = SLICE_INIT("POST"),
	[METHOD_PUT] = SLICE_INIT("PUT"),
	[METHOD_PATCH] = SLICE_INIT("PATCH"),
	[METHOD_DELETE] = SLICE_INIT("DELETE"),
	[METHOD_OPTIONS] = SLICE_INIT("OPTIONS"),
	[METHOD_TRACE] = SLICE_INIT("TRACE"),
	[METHOD_CONNECT] = SLICE_INIT("CONNECT"),
};

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{100, "Continue"},
	{101, "Switching Protocols"},
	{102, "Processing"},
	{103, "Early Hints"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{203, "Non-Authoritative Information"},
	{204, "No Content"},
	{205, "Reset Content"},
	{206, "Partial Content"},
	{207, "Multi-Status"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{425, "Too Early"},
	{426, "Upgrade Required"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

struct field *head_find_next(const struct head *head, const struct field *field)
{
	for (size_t i = (size_t)(field - head->fields) + 1; i < head->count; i++) {
		if (head->fields[i].id == field->id) {
			return &head->fields[i];
		}
	}
	return NULL;
}

struct slice head_get(const struct head *head, enum field_id id)
{
	const struct field *field = head_find(head, id);

	return field == NULL ? slice_of(NULL, 0) : head_value(head, field);
}

struct field *head_find_name(const struct head *head, struct slice name)
{
	enum field_id id = field_identify(name);

	if (id != FIELD_OTHER) {
		return head_find(head, id);
	}
	for (size_t i = 0; i < head->count; i++) {
		struct field *field = &head->fields[i];

		if (field->id == FIELD_OTHER && slice_equal_nocase(head_name(head, field), name)) {
			return field;
		}
	}
	return NULL;
}

bool head_has_token(const struct head *head, enum field_id id, struct slice token)
{
	const struct field *field = head_find(head, id);

	for (; field != NULL; field = head_find_next(head, field)) {
		struct slice rest = head_value(head, field);
		struct slice element;

		while (slice_next_token(&rest, &element)) {
			if (slice_equal_nocase(element, token)) {
				return true;
			}
		}
	}
	return false;
}

enum method method_identify(struct slice name)
{
	for (size_t i = METHOD_GET; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (slice_equal(name, methods[i])) {
			return (enum method)i;
		}
	}
	return METHOD_OTHER;
}

bool method_is_safe(enum method method)
{
	return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS ||
	       method == METHOD_TRACE;
}

bool method_is_idempotent(enum method method)
{
	return method_is_safe(method) || method == METHOD_PUT || method == METHOD_DELETE;
}

const char *status_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Unknown";
}
