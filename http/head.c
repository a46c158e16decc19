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
	switch (status) {
	case 100:
		return "Continue";
	case 101:
		return "Switching Protocols";
	case 102:
		return "Processing";
	case 103:
		return "Early Hints";
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 203:
		return "Non-Authoritative Information";
	case 204:
		return "No Content";
	case 205:
		return "Reset Content";
	case 206:
		return "Partial Content";
	case 207:
		return "Multi-Status";
	case 300:
		return "Multiple Choices";
	case 301:
		return "Moved Permanently";
	case 302:
		return "Found";
	case 303:
		return "See Other";
	case 304:
		return "Not Modified";
	case 307:
		return "Temporary Redirect";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 402:
		return "Payment Required";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 407:
		return "Proxy Authentication Required";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 421:
		return "Misdirected Request";
	case 422:
		return "Unprocessable Content";
	case 425:
		return "Too Early";
	case 426:
		return "Upgrade Required";
	case 428:
		return "Precondition Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Unknown";
	}
}
