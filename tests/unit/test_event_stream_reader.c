/*
 * Server-Sent Events as they pass, cut anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buffer.h"
#include "guarded.h"
#include "inspector/event_stream_reader.h"

struct fixture {
	struct event_stream_reader reader;
	struct buffer told; /* "name 5 hello; " */
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.told = BUFFER_INIT};
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buffer_fini(&f->told);
	return 0;
}

static void on_event(void *context, const struct event_stream_event *event)
{
	struct fixture *f = context;

	buffer_append_slice(&f->told, event->name);
	buffer_printf(&f->told, " %llu ", (unsigned long long)event->size);
	buffer_append_slice(&f->told, event->text);
	buffer_append_str(&f->told, "; ");
}

static const char *told(struct fixture *f)
{
	*buffer_reserve(&f->told, 1) = '\0';
	return f->told.ptr;
}

static void feed(struct fixture *f, struct slice rest, size_t step)
{
	buffer_clear(&f->told);
	event_stream_reader_init(&f->reader);
	while (rest.len > 0) {
		size_t len = step == 0 || step > rest.len ? rest.len : step;

		event_stream_reader_feed(
			&f->reader, guarded_copy(slice_of(rest.ptr, len)), on_event, f);
		rest = slice_of(rest.ptr + len, rest.len - len);
	}
}

/* However it is cut. */
static void expect(struct fixture *f, struct slice stream, const char *wanted)
{
	for (size_t step = 0; step <= stream.len; step++) {
		feed(f, stream, step);
		assert_string_equal(told(f), wanted);
	}
}

static void events_are_told_with_their_names(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("data: one\n\nevent: tick\ndata: two\nid: 7\nretry: 10\n\n"),
		" 3 one; tick 3 two; ");
}

static void lines_may_end_in_each_of_three_ways(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("data: a\r\ndata: b\r\n\r\ndata: c\rdata: d\r\rdata: e\n\n"),
		" 3 a\nb;  3 c\nd;  1 e; ");
}

static void one_space_behind_the_colon_is_no_part_of_the_value(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("data:x\n\ndata:  x\n\ndata:\n\ndata: \n\n"), " 1 x;  2  x;  0 ;  0 ; ");
}

static void a_field_without_a_colon_has_an_empty_value(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("data\n\ndata\ndata\n\nevent\ndata: x\n\n"), " 0 ;  1 \n;  1 x; ");
}

static void comments_other_fields_and_events_without_data_are_passed_over(void **state)
{
	struct fixture *f = *state;

	expect(f,
		SLICE(": comment\n\nevent: none\n\ndatadata: no\nDATA: no\ndat: no\n\n\n\ndata: "
		      "yes\n\n"),
		" 3 yes; ");
}

static void the_last_name_counts_and_for_one_event_only(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("event: first\nevent: second\ndata: 1\n\ndata: 2\n\n"),
		"second 1 1;  1 2; ");
}

static void a_byte_order_mark_is_passed_over_at_the_beginning_alone(void **state)
{
	struct fixture *f = *state;

	expect(f,
		SLICE("\xef\xbb\xbf"
		      "data: 1\n\n\xef\xbb\xbf"
		      "data: 2\n\n"),
		" 1 1; ");
	expect(f,
		SLICE("\xef\xbb"
		      "data: 1\n\ndata: 2\n\n"),
		" 1 2; ");
	expect(f, SLICE("\xef\n\ndata: 3\n\n"), " 1 3; ");
}

static void an_event_that_breaks_off_is_not_told(void **state)
{
	struct fixture *f = *state;

	expect(f, SLICE("data: whole\n\ndata: half\n"), " 5 whole; ");
}

static void of_a_long_event_the_first_bytes_are_kept_and_all_are_counted(void **state)
{
	static char stream[5000];
	struct fixture *f = *state;
	char wanted[EVENT_STREAM_TEXT_MAX + 256];
	char name[101];
	int len;

	memset(name, 'n', 100);
	name[100] = '\0';
	len = snprintf(stream, sizeof(stream), "event: %s\ndata: ", name);
	memset(stream + len, 'x', 4000);
	memcpy(stream + len + 4000, "\n\n", 2);
	(void)snprintf(wanted, sizeof(wanted), "%.*s 4000 %.*s; ", EVENT_STREAM_NAME_MAX, name,
		EVENT_STREAM_TEXT_MAX, stream + len);
	feed(f, slice_of(stream, (size_t)len + 4002), 0);
	assert_string_equal(told(f), wanted);
	feed(f, slice_of(stream, (size_t)len + 4002), 7);
	assert_string_equal(told(f), wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(events_are_told_with_their_names),
		TEST(lines_may_end_in_each_of_three_ways),
		TEST(one_space_behind_the_colon_is_no_part_of_the_value),
		TEST(a_field_without_a_colon_has_an_empty_value),
		TEST(comments_other_fields_and_events_without_data_are_passed_over),
		TEST(the_last_name_counts_and_for_one_event_only),
		TEST(a_byte_order_mark_is_passed_over_at_the_beginning_alone),
		TEST(an_event_that_breaks_off_is_not_told),
		TEST(of_a_long_event_the_first_bytes_are_kept_and_all_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
