/*
 * Layer: http (sees base). One job: decide how a message ends. Every rule that keeps two parsers
 * from disagreeing about it stands here and nowhere else.
 */
#include "http/framing.h"

#include "http/target.h"

static const uint64_t LENGTH_MAX = INT64_MAX;

enum {
	CONNECTION_MAX = 1024, /* bytes of all its lines; real ones hold a name or two */
};

/*
 * True where a tab stands beside the value. RFC 9110 section 5.6.3 allows it, but some parsers do
 * not take it for white space, and then see another length or coding, or none.
 */
static bool has_tab_around(const struct head *head, const struct field *field)
{
	const char *before = head->bytes + field->name_at + field->name_len;
	const char *value = head->bytes + field->value_at;
	const char *behind = value + field->value_len;

	while (*behind == ' ') { /* a line ends in CR, so this ends within the head */
		behind++;
	}
	return *behind == '\t' || memchr(before, '\t', (size_t)(value - before)) != NULL;
}

/* Content-Length: one line, digits, 63 bits. 0 or ERR_SYNTAX. */
static enum err_code read_length(const struct head *head, struct framing *framing, struct err *err)
{
	const struct field *field = head_find(head, FIELD_CONTENT_LENGTH);

	if (field == NULL) {
		return ERR_NONE;
	}
	if (head_find_next(head, field) != NULL) {
		return err_set(err, ERR_SYNTAX, "more than one Content-Length");
	}
	if (has_tab_around(head, field) ||
		!slice_to_u64(head_value(head, field), LENGTH_MAX, &framing->length)) {
		return err_set(err, ERR_SYNTAX, "Content-Length is not a number of bytes");
	}
	framing->has_length = true;
	return ERR_NONE;
}

/* The name of a transfer coding without its parameters; empty where it is not even that. */
static struct slice coding_name(struct slice element)
{
	const char *semicolon = memchr(element.ptr, ';', element.len);
	struct slice name =
		semicolon == NULL
			? element
			: slice_trim(slice_of(element.ptr, (size_t)(semicolon - element.ptr)));

	return token_valid(name) ? name : slice_of(NULL, 0);
}

/*
 * A Transfer-Encoding that is not just `chunked`: a coding that we do not know, or no sense at all.
 */
static enum err_code refuse_coding(struct slice value, struct err *err)
{
	struct slice rest = value;
	struct slice element;
	unsigned count = 0;
	bool chunked = false;

	while (slice_next_token(&rest, &element)) {
		struct slice name = coding_name(element);

		/* With `chunked` anywhere but last, or with parameters, the end cannot be told. */
		if (name.len == 0 || chunked) {
			count = 0;
			break;
		}
		chunked = slice_equal_nocase(name, SLICE("chunked"));
		if (chunked && name.len != element.len) {
			count = 0;
			break;
		}
		count++;
	}
	if (count == 0 || (chunked && count == 1)) {
		return err_set(err, ERR_SYNTAX, "Transfer-Encoding makes no sense");
	}
	return err_set(err, ERR_CODING, "Transfer-Encoding is not chunked alone");
}

/*
 * Each name in Connection is looked for among all fields: the product of the two is bounded here. 0
 * or ERR_HEADER_LIMIT.
 */
static enum err_code check_connection(const struct head *head, struct err *err)
{
	size_t len = 0;

	for (const struct field *line = head_find(head, FIELD_CONNECTION); line != NULL;
		line = head_find_next(head, line)) {
		len += head_value(head, line).len;
	}
	return len <= CONNECTION_MAX
		       ? ERR_NONE
		       : err_set(err, ERR_HEADER_LIMIT, "Connection is longer than %d bytes",
				 CONNECTION_MAX);
}

/* Transfer-Encoding and Content-Length together. 0, ERR_SYNTAX or ERR_CODING. */
static enum err_code read_framing(const struct head *head, struct framing *framing, struct err *err)
{
	const struct field *coding = head_find(head, FIELD_TRANSFER_ENCODING);
	enum err_code code = read_length(head, framing, err);

	if (code == ERR_NONE) {
		code = check_connection(head, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (coding == NULL) {
		framing->kind = framing->length > 0 ? FRAMING_LENGTH : FRAMING_NONE;
		return ERR_NONE;
	}
	if (framing->has_length) {
		return err_set(err, ERR_SYNTAX, "Content-Length beside Transfer-Encoding");
	}
	if (head->version_minor == 0) {
		return err_set(err, ERR_SYNTAX, "Transfer-Encoding in HTTP/1.0");
	}
	if (head_find_next(head, coding) != NULL) {
		return err_set(err, ERR_SYNTAX, "more than one Transfer-Encoding");
	}
	if (has_tab_around(head, coding)) {
		return err_set(err, ERR_SYNTAX, "Transfer-Encoding makes no sense");
	}
	if (!slice_equal_nocase(head_value(head, coding), SLICE("chunked"))) {
		return refuse_coding(head_value(head, coding), err);
	}
	framing->kind = FRAMING_CHUNKED;
	return ERR_NONE;
}

/* RFC 9112 section 9.3 */
static bool keeps_alive(const struct head *head)
{
	if (head_has_token(head, FIELD_CONNECTION, SLICE("close"))) {
		return false;
	}
	return head->version_minor == 1 ||
	       head_has_token(head, FIELD_CONNECTION, SLICE("keep-alive"));
}

static enum err_code check_host(const struct head *head, struct err *err)
{
	const struct field *host = head_find(head, FIELD_HOST);

	if (host == NULL) {
		return head->version_minor == 0 ? ERR_NONE : err_set(err, ERR_SYNTAX, "no Host");
	}
	if (head_find_next(head, host) != NULL) {
		return err_set(err, ERR_SYNTAX, "more than one Host");
	}
	if (!host_valid(head_value(head, host))) {
		return err_set(err, ERR_SYNTAX, "Host is not a host with a port or without one");
	}
	return ERR_NONE;
}

/* True where Connection names Upgrade, and Upgrade is one protocol and that is WebSocket. */
static bool names_websocket(const struct head *head)
{
	const struct field *upgrade = head_find(head, FIELD_UPGRADE);

	return upgrade != NULL && head_find_next(head, upgrade) == NULL &&
	       slice_equal_nocase(head_value(head, upgrade), SLICE("websocket")) &&
	       head_has_token(head, FIELD_CONNECTION, SLICE("upgrade"));
}

static bool expects_continue(const struct head *head)
{
	const struct field *expect = head_find(head, FIELD_EXPECT);

	return expect != NULL &&
	       slice_equal_nocase(head_value(head, expect), SLICE("100-continue"));
}

enum err_code framing_of_request(const struct head *head, struct framing *framing, struct err *err)
{
	enum err_code code;

	*framing = (struct framing){.kind = FRAMING_NONE};
	if (head->method == METHOD_CONNECT) {
		return err_set(err, ERR_METHOD, "CONNECT is not served");
	}
	code = check_host(head, err);
	if (code == ERR_NONE) {
		code = read_framing(head, framing, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	framing->keep_alive = keeps_alive(head);
	framing->upgrade = head->method == METHOD_GET && head->version_minor == 1 &&
			   framing->kind == FRAMING_NONE && names_websocket(head);
	framing->expect_continue = head->version_minor == 1 && expects_continue(head);
	return ERR_NONE;
}

/* 101: what comes next is no message any more. */
static enum err_code frame_tunnel(
	const struct head *head, bool upgrade_asked, struct framing *framing, struct err *err)
{
	if (!upgrade_asked) {
		return err_set(err, ERR_UPSTREAM_SYNTAX, "101 without having been asked to switch");
	}
	if (head->version_minor == 0 || !names_websocket(head)) {
		return err_set(err, ERR_UPSTREAM_SYNTAX, "101 that does not switch to websocket");
	}
	framing->kind = FRAMING_TUNNEL;
	framing->keep_alive = false;
	return ERR_NONE;
}

enum err_code framing_of_response(const struct head *head, enum method method, bool upgrade_asked,
	struct framing *framing, struct err *err)
{
	bool has_coding = head_find(head, FIELD_TRANSFER_ENCODING) != NULL;
	bool bodiless = head->status < 200 || head->status == 204;

	*framing = (struct framing){.kind = FRAMING_NONE};
	if (read_framing(head, framing, err) != ERR_NONE) {
		/* Whatever it is, the answer's sender is at fault. */
		if (err != NULL) {
			err->code = ERR_UPSTREAM_SYNTAX;
		}
		return ERR_UPSTREAM_SYNTAX;
	}
	/*
	 * RFC 9112 section 6.3 says that these have no body, RFC 9110 section 8.6 that they state
	 * none. `Content-Length: 0` is let pass: many servers send it with 204, and it ends the
	 * message where everybody else sees its end.
	 */
	if (bodiless && framing->kind != FRAMING_NONE) {
		return err_set(err, ERR_UPSTREAM_SYNTAX, "status %u with a body", head->status);
	}
	framing->keep_alive = keeps_alive(head);
	if (head->status == 101) {
		return frame_tunnel(head, upgrade_asked, framing, err);
	}
	if (bodiless || head->status == 304 || method == METHOD_HEAD) {
		framing->kind = FRAMING_NONE;
	} else if (!has_coding && !framing->has_length) {
		framing->kind = FRAMING_CLOSE;
		framing->keep_alive = false;
	}
	return ERR_NONE;
}
