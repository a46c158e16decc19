/*
 * Heads written from their parsed form, and the questions asked of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "http/head_writer.h"
#include "tests/unit/reading.h"

static int setup(void **state)
{
	static struct reading reading;

	reading_init(&reading);
	*state = &reading;
	return 0;
}

static int teardown(void **state)
{
	reading_fini(*state);
	return 0;
}

static void expect_written(const struct head_writer *writer, const char *want)
{
	struct slice have = head_writer_slice(writer);

	if (have.len != strlen(want) || memcmp(have.ptr, want, have.len) != 0) {
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(have), want);
	}
}

static void read_or_fail(struct reading *r, enum head_kind kind, const char *text)
{
	reading_head(r, kind, slice_str(text), 0);
	assert_int_equal(r->progress, HEAD_DONE);
}

static void a_request_goes_on_with_its_fields_in_order(void **state)
{
	struct reading *r = *state;
	struct head_writer writer;
	char room[512];

	read_or_fail(r, HEAD_REQUEST,
		"GET /a?b HTTP/1.0\r\nHost: h\r\nA:none\r\nB:  two \r\nC: c\r\nD:\r\nE: \r\nF: "
		"f\r\n"
		"\r\n");
	head_writer_init(&writer, room, sizeof(room));
	head_writer_request_line(&writer, r->head.method_name, SLICE("/base"), r->head.target);
	head_writer_fields(&writer, &r->head);
	head_writer_field(&writer, SLICE("Via"), SLICE("1.1 sightglass"));
	head_writer_field_u64(&writer, SLICE("Content-Length"), UINT64_MAX);
	head_writer_end(&writer);
	expect_written(&writer,
		"GET /base/a?b HTTP/1.1\r\nHost: h\r\nA: none\r\nB: two\r\nC: c\r\nD: \r\nE: \r\n"
		"F: f\r\nVia: 1.1 sightglass\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

static void a_status_line_always_has_its_second_space(void **state)
{
	struct head_writer writer;
	char room[64];

	(void)state;
	head_writer_init(&writer, room, sizeof(room));
	head_writer_status_line(&writer, 200, SLICE("OK"));
	head_writer_status_line(&writer, 999, slice_of(NULL, 0));
	expect_written(&writer, "HTTP/1.1 200 OK\r\nHTTP/1.1 999 \r\n");
}

/* What writing field by field would give. */
static void write_plainly(struct head_writer *writer, const struct head *head)
{
	for (size_t i = 0; i < head->count; i++) {
		if (!head->fields[i].dropped) {
			head_writer_field(writer, head_name(head, &head->fields[i]),
				head_value(head, &head->fields[i]));
		}
	}
}

static void runs_give_what_single_fields_give_whichever_are_dropped(void **state)
{
	static const char *const lines[] = {"A: a\r\n", "Bb:b\r\n", "C:\t c\r\n", "D: d \r\n",
		"E:\r\n", "F: \r\n", "G:\tg\r\n"};
	struct reading *r = *state;
	struct buffer text = BUFFER_INIT;

	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		struct head_writer fast;
		struct head_writer plain;
		char fast_room[256];
		char plain_room[256];
		unsigned count = (unsigned)rand() % 8;

		buffer_clear(&text);
		if (round % 2 == 0) {
			buffer_append_str(&text, "HTTP/1.1 200\r\n");
		}
		for (unsigned i = 0; i < count; i++) {
			buffer_append_str(&text, lines[rand() % 7]);
		}
		buffer_append_str(&text, "\r\n");
		reading_head(
			r, round % 2 == 0 ? HEAD_RESPONSE : HEAD_TRAILERS, buffer_slice(&text), 0);
		assert_int_equal(r->progress, HEAD_DONE);
		for (unsigned i = 0; i < count; i++) {
			r->head.fields[i].dropped = rand() % 3 == 0;
		}
		/* the room is exactly what the bound says */
		assert_true(head_writer_bound(&r->head) <= sizeof(fast_room));
		head_writer_init(&fast, fast_room, head_writer_bound(&r->head));
		head_writer_init(&plain, plain_room, sizeof(plain_room));
		if (round % 2 == 0) {
			head_writer_status_line(&fast, r->head.status, r->head.reason);
			head_writer_status_line(&plain, r->head.status, r->head.reason);
		}
		head_writer_fields(&fast, &r->head);
		head_writer_end(&fast);
		write_plainly(&plain, &r->head);
		head_writer_end(&plain);
		assert_int_equal(fast.at - fast.start, plain.at - plain.start);
		assert_memory_equal(fast.start, plain.start, (size_t)(fast.at - fast.start));
	}
	buffer_fini(&text);
}

static void chunk_lines_are_hexadecimal(void **state)
{
	static const struct {
		uint64_t size;
		const char *line;
	} cases[] = {
		{0, "0\r\n"},
		{9, "9\r\n"},
		{15, "f\r\n"},
		{16, "10\r\n"},
		{0x1a2b, "1a2b\r\n"},
		{65536, "10000\r\n"},
		{UINT64_MAX, "ffffffffffffffff\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[CHUNK_LINE_MAX];
		size_t len = chunk_line_write(line, cases[i].size);

		assert_int_equal(len, strlen(cases[i].line));
		assert_memory_equal(line, cases[i].line, len);
	}
}

static void fields_are_found_by_number_by_name_and_by_token(void **state)
{
	struct reading *r = *state;

	read_or_fail(r, HEAD_REQUEST,
		"GET / HTTP/1.1\r\nConnection: x, Close\r\nX-My-ID: 1\r\nCONNECTION:  ,upgrade\r\n"
		"x-my-id: 2\r\n\r\n");
	assert_true(head_has_token(&r->head, FIELD_CONNECTION, SLICE("close")));
	assert_true(head_has_token(&r->head, FIELD_CONNECTION, SLICE("UPGRADE")));
	assert_false(head_has_token(&r->head, FIELD_CONNECTION, SLICE("clos")));
	assert_false(head_has_token(&r->head, FIELD_TE, SLICE("trailers")));
	assert_ptr_equal(head_find_name(&r->head, SLICE("x-MY-id")), &r->head.fields[1]);
	assert_ptr_equal(head_find_name(&r->head, SLICE("connection")), &r->head.fields[0]);
	assert_null(head_find_name(&r->head, SLICE("host")));
	assert_null(head_find_name(&r->head, SLICE("x-your-id")));
}

static void methods_are_known_by_their_exact_names(void **state)
{
	(void)state;
	assert_int_equal(method_identify(SLICE("GET")), METHOD_GET);
	assert_int_equal(method_identify(SLICE("CONNECT")), METHOD_CONNECT);
	assert_int_equal(method_identify(SLICE("PATCH")), METHOD_PATCH);
	assert_int_equal(method_identify(SLICE("get")), METHOD_OTHER);
	assert_int_equal(method_identify(SLICE("GETX")), METHOD_OTHER);
	assert_int_equal(method_identify(SLICE("")), METHOD_OTHER);
	assert_int_equal(method_identify(SLICE("PROPFIND")), METHOD_OTHER);
	for (int method = METHOD_OTHER; method <= METHOD_CONNECT; method++) {
		bool safe = method == METHOD_GET || method == METHOD_HEAD ||
			    method == METHOD_OPTIONS || method == METHOD_TRACE;
		bool idempotent = safe || method == METHOD_PUT || method == METHOD_DELETE;

		assert_int_equal(method_is_safe((enum method)method), safe);
		assert_int_equal(method_is_idempotent((enum method)method), idempotent);
	}
}

static void statuses_have_their_reasons(void **state)
{
	(void)state;
	assert_string_equal(status_reason(200), "OK");
	assert_string_equal(status_reason(431), "Request Header Fields Too Large");
	assert_string_equal(status_reason(505), "HTTP Version Not Supported");
	assert_string_equal(status_reason(299), "Unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_on_with_its_fields_in_order),
		TEST(a_status_line_always_has_its_second_space),
		TEST(runs_give_what_single_fields_give_whichever_are_dropped),
		TEST(chunk_lines_are_hexadecimal),
		TEST(fields_are_found_by_number_by_name_and_by_token),
		TEST(methods_are_known_by_their_exact_names),
		TEST(statuses_have_their_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
