/*
 * The parser beside llhttp, as Node.js runs it: whatever we accept, llhttp accepts and reads in the
 * same way: method, target, status, fields, body and the message's end. The other way round is not
 * asked for: we are the stricter one.
 *
 * Where the two differ by intention, `is_exempt` says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#ifdef HAVE_LLHTTP

#include <llhttp.h>

#include "http/target.h"
#include "tests/unit/reading.h"

enum {
	MUTANTS = 500000,
	LONGEST = 2048,
};

struct reading_of_llhttp {
	llhttp_t parser;
	llhttp_settings_t settings;
	struct buffer url;
	struct buffer fields; /* name NUL value NUL … */
	struct buffer value;
	struct buffer body;
	bool headers_complete;
	bool message_complete;
	bool keep_alive;
	llhttp_errno_t error;
	size_t end; /* of the message */
};

static struct reading_of_llhttp *self_of(llhttp_t *parser)
{
	return parser->data;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
	buffer_append(&self_of(parser)->url, at, len);
	return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t len)
{
	buffer_append(&self_of(parser)->fields, at, len);
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
	buffer_append(&self_of(parser)->value, at, len);
	return 0;
}

static int on_value_complete(llhttp_t *parser)
{
	struct reading_of_llhttp *self = self_of(parser);

	buffer_append_char(&self->fields, '\0');
	buffer_append_slice(&self->fields, slice_trim(buffer_slice(&self->value)));
	buffer_append_char(&self->fields, '\0');
	buffer_clear(&self->value);
	return 0;
}

/* That a 304 has no body is for llhttp's caller to say, as of an answer to HEAD: by 1. */
static int on_headers_complete(llhttp_t *parser)
{
	self_of(parser)->headers_complete = true;
	return parser->type == HTTP_RESPONSE && parser->status_code == 304 ? 1 : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	buffer_append(&self_of(parser)->body, at, len);
	return 0;
}

static int on_message_complete(llhttp_t *parser)
{
	struct reading_of_llhttp *self = self_of(parser);

	self->message_complete = true;
	self->keep_alive = llhttp_should_keep_alive(parser) != 0;
	return HPE_PAUSED;
}

static void ask_llhttp(struct reading_of_llhttp *self, enum head_kind kind, struct slice bytes)
{
	buffer_clear(&self->url);
	buffer_clear(&self->fields);
	buffer_clear(&self->value);
	buffer_clear(&self->body);
	self->headers_complete = false;
	self->message_complete = false;
	self->keep_alive = false;
	llhttp_settings_init(&self->settings);
	self->settings.on_url = on_url;
	self->settings.on_header_field = on_name;
	self->settings.on_header_value = on_value;
	self->settings.on_header_value_complete = on_value_complete;
	self->settings.on_headers_complete = on_headers_complete;
	self->settings.on_body = on_body;
	self->settings.on_message_complete = on_message_complete;
	llhttp_init(&self->parser, kind == HEAD_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
		&self->settings);
	self->parser.data = self;
	self->error = llhttp_execute(&self->parser, bytes.ptr, bytes.len);
	self->end = self->error == HPE_OK
			    ? bytes.len
			    : (size_t)(llhttp_get_error_pos(&self->parser) - bytes.ptr);
}

struct fixture {
	struct reading ours;
	struct reading_of_llhttp theirs;
	struct buffer our_fields;
	struct target target;
	unsigned accepted;
	unsigned whole;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.accepted = 0};
	reading_init(&fixture.ours);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reading_fini(&f->ours);
	buffer_fini(&f->our_fields);
	buffer_fini(&f->theirs.url);
	buffer_fini(&f->theirs.fields);
	buffer_fini(&f->theirs.value);
	buffer_fini(&f->theirs.body);
	return 0;
}

static void disagree(const struct fixture *f, struct slice bytes, const char *about)
{
	struct buffer shown = BUFFER_INIT;

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];

		if (c == '\n') {
			buffer_append_str(&shown, "\\n\n");
		} else if (c == '\r') {
			buffer_append_str(&shown, "\\r");
		} else if (c < ' ' || c >= 0x7F) {
			buffer_printf(&shown, "\\x%02x", c);
		} else {
			buffer_append_char(&shown, (char)c);
		}
	}
	fail_msg("%s (llhttp: %s, %s)\n%.*s", about, llhttp_errno_name(f->theirs.error),
		llhttp_get_error_reason(&f->theirs.parser), SLICE_ARGS(buffer_slice(&shown)));
}

static void append_fields(struct buffer *out, const struct head *head)
{
	for (size_t i = 0; i < head->count; i++) {
		buffer_append_slice(out, head_name(head, &head->fields[i]));
		buffer_append_char(out, '\0');
		buffer_append_slice(out, head_value(head, &head->fields[i]));
		buffer_append_char(out, '\0');
	}
}

/* True where llhttp stopped behind a ';' in a chunk's line. */
static bool stopped_in_extension(const struct fixture *f, struct slice bytes)
{
	size_t at = f->theirs.end;

	if (!f->theirs.headers_complete || f->ours.framing.kind != FRAMING_CHUNKED) {
		return false;
	}
	while (at > 0 && bytes.ptr[at - 1] != '\n') {
		if (bytes.ptr[--at] == ';') {
			return true;
		}
	}
	return false;
}

static bool is_exempt(const struct fixture *f, struct slice bytes)
{
	/* llhttp knows a list of methods; for us any token is one. */
	if (f->theirs.error == HPE_INVALID_METHOD && f->ours.head.method == METHOD_OTHER) {
		return true;
	}
	/*
	 * llhttp takes framing fields among the trailers for those of the head; the proxy drops
	 * them.
	 */
	if (f->theirs.headers_complete && f->ours.framing.kind == FRAMING_CHUNKED &&
		(head_find(&f->ours.trailers, FIELD_CONTENT_LENGTH) != NULL ||
			head_find(&f->ours.trailers, FIELD_TRANSFER_ENCODING) != NULL)) {
		return true;
	}
	/*
	 * We drop extensions, so only their bytes are checked, not their grammar; and llhttp 8
	 * knows but one in a line.
	 */
	return (f->theirs.error == HPE_STRICT || f->theirs.error == HPE_INVALID_CHUNK_SIZE) &&
	       stopped_in_extension(f, bytes);
}

/* True where we accept the head, and what it says, as the proxy would. */
static bool accept(struct fixture *f, enum head_kind kind, struct slice bytes)
{
	struct reading *r = &f->ours;

	reading_message(r, kind, bytes, 0);
	if (r->progress != HEAD_DONE || r->err.code != ERR_NONE) {
		return false;
	}
	return kind == HEAD_RESPONSE ||
	       target_of_request(&r->head, &r->arena, &f->target, NULL) == ERR_NONE;
}

static bool has_trailers(const struct reading *r)
{
	return r->framing.kind == FRAMING_CHUNKED && r->body_progress == BODY_END &&
	       r->trailers.count > 0;
}

static void compare(struct fixture *f, enum head_kind kind, struct slice bytes)
{
	struct reading *r = &f->ours;
	struct reading_of_llhttp *theirs = &f->theirs;

	if (!accept(f, kind, bytes)) {
		return;
	}
	f->accepted++;
	ask_llhttp(theirs, kind, bytes);
	if (is_exempt(f, bytes)) {
		return;
	}
	if (!theirs->headers_complete) {
		disagree(f, bytes, "llhttp does not accept the head");
	}
	if (kind == HEAD_REQUEST) {
		struct slice method =
			slice_str(llhttp_method_name((llhttp_method_t)theirs->parser.method));

		if (!slice_equal(r->head.method_name, method)) {
			disagree(f, bytes, "the method differs");
		}
		if (!slice_equal(r->head.target, buffer_slice(&theirs->url))) {
			disagree(f, bytes, "the target differs");
		}
	} else if (r->head.status != theirs->parser.status_code) {
		disagree(f, bytes, "the status differs");
	}
	if (theirs->parser.http_major != 1 || theirs->parser.http_minor != r->head.version_minor) {
		disagree(f, bytes, "the version differs");
	}
	buffer_clear(&f->our_fields);
	append_fields(&f->our_fields, &r->head);
	if (has_trailers(r)) {
		append_fields(&f->our_fields, &r->trailers);
	}
	if (r->body_progress != BODY_FAILED &&
		(theirs->fields.len < f->our_fields.len ||
			memcmp(theirs->fields.ptr, f->our_fields.ptr, f->our_fields.len) != 0)) {
		disagree(f, bytes, "the fields differ");
	}
	if (r->body_progress == BODY_END) {
		f->whole++;
		if (!theirs->message_complete || theirs->end != r->taken) {
			disagree(f, bytes, "the message's end differs");
		}
		if (theirs->fields.len != f->our_fields.len) {
			disagree(f, bytes, "llhttp sees more fields");
		}
		/*
		 * Only in 1.1, since llhttp does not find keep-alive beside a tab. And it takes a
		 * Connection among the trailers for one of the head; the proxy drops that.
		 */
		if (r->head.version_minor == 1 && r->framing.keep_alive && !theirs->keep_alive &&
			!has_trailers(r)) {
			disagree(f, bytes, "llhttp ends the connection");
		}
	} else if (r->body_progress == BODY_MORE && theirs->message_complete) {
		disagree(f, bytes, "the message is whole for llhttp alone");
	}
	if (r->body_progress != BODY_FAILED &&
		!slice_equal(buffer_slice(&r->body), buffer_slice(&theirs->body))) {
		disagree(f, bytes, "the body differs");
	}
}

static const struct slice requests[] = {
	SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	SLICE_INIT("GET /a%20b?c=d&e HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\n\r\n"),
	SLICE_INIT("HEAD / HTTP/1.0\r\n\r\n"),
	SLICE_INIT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
	SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, te\r\nTE: trailers\r\n\r\n"),
	SLICE_INIT(
		"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n"),
	SLICE_INIT("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n"),
	SLICE_INIT("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET /"),
	SLICE_INIT(
		"PATCH /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: D\r\n\r\n"
		"5;a=b\r\nhello\r\n0;c\r\nD: e\r\nF:g\r\n\r\nGET /"),
	SLICE_INIT("DELETE /x HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX-Space: \t "
		   "\r\nX-Tab:\ta\tb\t\r\n\r\n"),
	SLICE_INIT("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"),
	SLICE_INIT("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n"),
	SLICE_INIT("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	SLICE_INIT("GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Key: x\r\n\r\n\x81\x05hello"),
	SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, "
		   "HTTP2-Settings\r\n"
		   "HTTP2-Settings: x\r\n\r\n"),
	SLICE_INIT("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
		   "3\r\n\r\nabc"),
	SLICE_INIT("PROPFIND /x HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nX-Latin: caf\xE9\r\n\r\n"),
	SLICE_INIT("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=\"d\"\r\nA!#$%&'*+-.^_`|~9: "
		   "z\r\n\r\n"),
};

static const struct slice answers[] = {
	SLICE_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"),
	SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "5\r\nhello\r\n1;x\r\n!\r\n0\r\n\r\nHTTP/1.1 200"),
	SLICE_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nETag: \"x\"\r\n\r\n"),
	SLICE_INIT("HTTP/1.1 200 OK\r\n\r\nup to the close"),
	SLICE_INIT(
		"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\nH"),
	SLICE_INIT("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
	SLICE_INIT("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\nHTTP"),
	SLICE_INIT(
		"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"),
	SLICE_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	SLICE_INIT("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
	SLICE_INIT("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"),
	SLICE_INIT("HTTP/1.1 500 Caf\xE9 \t x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
	SLICE_INIT("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\nSet-Cookie: "
		   "a\r\nSet-Cookie: b\r\n\r\n"),
	SLICE_INIT("HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
		   "Content-Length: 2\r\n\r\nok"),
};

enum {
	REQUESTS = sizeof(requests) / sizeof(requests[0]),
	ANSWERS = sizeof(answers) / sizeof(answers[0]),
};

static void well_formed_messages_are_read_alike(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < REQUESTS; i++) {
		compare(f, HEAD_REQUEST, requests[i]);
		assert_int_equal(f->accepted, i + 1);
	}
	for (size_t i = 0; i < ANSWERS; i++) {
		compare(f, HEAD_RESPONSE, answers[i]);
		assert_int_equal(f->accepted, REQUESTS + i + 1);
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void replace(struct buffer *text, size_t at, size_t len, struct slice with)
{
	char tail[LONGEST];
	size_t tail_len = text->len - at - len;

	memcpy(tail, text->ptr + at + len, tail_len);
	text->len = at;
	buffer_append_slice(text, with);
	buffer_append(text, tail, tail_len);
}

/* Changes, takes out, doubles or puts in a few bytes somewhere. */
static void mutate(struct buffer *text, uint64_t *seed)
{
	static const char bytes[] = "\0\t\n\v\r !\"#%*+,-./019:;=?@AGZ[\\]^_`az{|}~\x7F\x80\xFF";
	static const struct slice pieces[] = {
		SLICE_INIT("\r\n"),
		SLICE_INIT("\n"),
		SLICE_INIT("\r"),
		SLICE_INIT("\r\n\r\n"),
		SLICE_INIT(" "),
		SLICE_INIT("\t"),
		SLICE_INIT(": "),
		SLICE_INIT("\r\n "),
		SLICE_INIT(", "),
		SLICE_INIT("0\r\n\r\n"),
		SLICE_INIT("5\r\nhello\r\n"),
		SLICE_INIT(";x=\"y\""),
		SLICE_INIT("chunked"),
		SLICE_INIT("close"),
		SLICE_INIT("keep-alive"),
		SLICE_INIT("HTTP/1.1"),
		SLICE_INIT("HTTP/1.0"),
		SLICE_INIT("00"),
		SLICE_INIT("\r\nContent-Length: 3"),
		SLICE_INIT("\r\nContent-Length: 0"),
		SLICE_INIT("\r\nTransfer-Encoding: chunked"),
		SLICE_INIT("\r\nConnection: close"),
		SLICE_INIT("\r\nHost: a"),
		SLICE_INIT("\r\nUpgrade: websocket"),
		SLICE_INIT("upgrade"),
		SLICE_INIT("\r\nX: y"),
		SLICE_INIT("POST"),
		SLICE_INIT("204"),
		SLICE_INIT("304"),
		SLICE_INIT("100"),
	};
	size_t at = (size_t)(next_random(seed) % (text->len + 1));
	size_t len = (size_t)(next_random(seed) % 8);
	char byte = bytes[next_random(seed) % (sizeof(bytes) - 1)];
	char copy[8];

	if (len > text->len - at) {
		len = text->len - at;
	}
	switch (next_random(seed) % 5) {
	case 0:
		replace(text, at, len < 1 ? len : 1, slice_of(&byte, 1));
		break;
	case 1:
		replace(text, at, 0, slice_of(&byte, 1));
		break;
	case 2:
		replace(text, at, len, slice_of(NULL, 0));
		break;
	case 3:
		memcpy(copy, text->ptr + at, len);
		replace(text, at, 0, slice_of(copy, len));
		break;
	default:
		replace(text, at, len / 4,
			pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		break;
	}
}

static void whatever_we_accept_of_mutants_llhttp_reads_alike(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER_INIT;
	uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

	for (unsigned i = 0; i < MUTANTS; i++) {
		bool request = next_random(&seed) % 2 == 0;
		unsigned changes = 1 + (unsigned)(next_random(&seed) % 4);

		buffer_clear(&text);
		buffer_append_slice(&text, request ? requests[next_random(&seed) % REQUESTS]
						   : answers[next_random(&seed) % ANSWERS]);
		while (changes-- > 0) {
			mutate(&text, &seed);
		}
		compare(f, request ? HEAD_REQUEST : HEAD_RESPONSE, buffer_slice(&text));
	}
	buffer_fini(&text);
	/* else the comparison would have compared next to nothing */
	assert_true(f->accepted > MUTANTS / 10);
	assert_true(f->whole > MUTANTS / 20);
	print_message("%u of %u accepted, %u whole\n", f->accepted, MUTANTS, f->whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			well_formed_messages_are_read_alike, setup, teardown),
		cmocka_unit_test_setup_teardown(
			whatever_we_accept_of_mutants_llhttp_reads_alike, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void llhttp_is_not_installed_so_nothing_is_compared(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(llhttp_is_not_installed_so_nothing_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
