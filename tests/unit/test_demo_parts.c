/*
 * What the sample API is made of, without its connections: jobs, clusters, the event log, WebSocket
 * frames, the reading of JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "demo/json_object.h"
#include "demo/model/clusters.h"
#include "demo/model/events.h"
#include "demo/model/jobs.h"
#include "demo/websocket.h"

/* --- jobs */

struct changes {
	unsigned total;
	unsigned by_state[4];
};

static void count_change(void *context, const struct demo_job *job)
{
	struct changes *changes = context;

	changes->total++;
	changes->by_state[job->state]++;
}

static const struct demo_job *submit(struct demo_jobs *jobs)
{
	const struct demo_job_order order = {SLICE("x"), "blastp", "nr"};

	return demo_jobs_submit(jobs, &order, 0);
}

static void two_jobs_run_at_a_time_and_all_end(void **state)
{
	struct changes changes = {0};
	struct demo_jobs jobs;
	unsigned ticks = 0;

	(void)state;
	demo_jobs_init(&jobs, 1000000000);
	while (demo_jobs_count(&jobs, DEMO_JOB_QUEUED) + demo_jobs_count(&jobs, DEMO_JOB_RUNNING) >
		0) {
		demo_jobs_tick(&jobs, 1000000000, count_change, &changes);
		assert_true(demo_jobs_count(&jobs, DEMO_JOB_RUNNING) <= DEMO_JOBS_RUNNING_MAX);
		assert_true(++ticks < 200);
	}
	assert_int_equal(changes.by_state[DEMO_JOB_RUNNING], 1); /* two ran from the start */
	assert_int_equal(
		changes.by_state[DEMO_JOB_SUCCEEDED] + changes.by_state[DEMO_JOB_FAILED], 3);
}

static void a_job_comes_by_itself_once_all_are_done(void **state)
{
	struct changes changes = {0};
	struct demo_jobs jobs;

	(void)state;
	demo_jobs_init(&jobs, 1000000000);
	for (unsigned i = 0; i < 300; i++) {
		demo_jobs_tick(&jobs, 1000000000, count_change, &changes);
	}
	assert_true(changes.by_state[DEMO_JOB_QUEUED] > 2);
	assert_true(changes.by_state[DEMO_JOB_FAILED] > 0); /* some do, for the picture's sake */
}

static void the_oldest_job_that_has_ended_makes_room(void **state)
{
	struct demo_jobs jobs;

	(void)state;
	demo_jobs_init(&jobs, 1000000000);
	assert_int_equal(demo_jobs_count(&jobs, DEMO_JOB_SUCCEEDED), 1);
	while (jobs.count < DEMO_JOBS_MAX) {
		assert_non_null(submit(&jobs));
	}
	assert_non_null(demo_jobs_find(&jobs, SLICE("job-1001")));
	assert_non_null(submit(&jobs)); /* in the place of the one that succeeded */
	assert_null(demo_jobs_find(&jobs, SLICE("job-1001")));
	assert_non_null(demo_jobs_find(&jobs, SLICE("job-1002")));
	assert_int_equal(jobs.count, DEMO_JOBS_MAX);
	assert_null(submit(&jobs)); /* all others are still to be done */
}

static void a_removed_job_leaves_the_others(void **state)
{
	struct demo_jobs jobs;

	(void)state;
	demo_jobs_init(&jobs, 1000000000);
	demo_jobs_remove(&jobs, demo_jobs_find(&jobs, SLICE("job-1002")));
	assert_null(demo_jobs_find(&jobs, SLICE("job-1002")));
	assert_non_null(demo_jobs_find(&jobs, SLICE("job-1001")));
	assert_non_null(demo_jobs_find(&jobs, SLICE("job-1003")));
	assert_int_equal(jobs.count, 3);
}

/* --- clusters */

static void clusters_change_now_and_then_and_are_the_same_between(void **state)
{
	struct buffer before = BUFFER_INIT;
	struct demo_clusters clusters;
	unsigned changed = 0;

	(void)state;
	demo_clusters_init(&clusters);
	for (unsigned i = 0; i < 70; i++) {
		const struct demo_cluster *cluster = demo_clusters_tick(&clusters);
		struct buffer now = BUFFER_INIT;
		struct json json;

		json_init(&json, &now);
		demo_clusters_write(&clusters, &json);
		if (i > 0) {
			assert_int_equal(cluster == NULL,
				slice_equal(buffer_slice(&now), buffer_slice(&before)));
		}
		if (cluster != NULL) {
			changed++;
			assert_true(cluster->nodes_ready <= cluster->nodes);
			assert_in_range(cluster->cpu_percent, 4, 97);
		}
		buffer_fini(&before);
		before = now;
	}
	assert_int_equal(changed, 70 / DEMO_CLUSTERS_CHANGE_TICKS);
	buffer_fini(&before);
}

/* --- the event log */

static unsigned woken;

static void count_wake(struct demo_events_reader *reader)
{
	(void)reader;
	woken++;
}

static void expect_text(const struct buffer *have, const char *want)
{
	assert_int_equal(have->len, strlen(want));
	assert_memory_equal(have->ptr, want, have->len);
}

static void a_reader_gets_each_event_once(void **state)
{
	struct demo_events events;
	struct demo_events_reader reader;
	struct buffer out = BUFFER_INIT;

	(void)state;
	woken = 0;
	demo_events_init(&events);
	demo_events_reader_init(&reader, count_wake);
	demo_events_publish(&events, "log", SLICE("{\"a\":1}"));
	demo_events_join(&events, &reader, 0);
	demo_events_publish(&events, "job", SLICE("{\"a\":2}"));
	assert_int_equal(woken, 1);
	demo_events_take(&events, &reader, &out);
	expect_text(&out, "id: 1\nevent: log\ndata: {\"a\":1}\n\n"
			  "id: 2\nevent: job\ndata: {\"a\":2}\n\n");
	buffer_clear(&out);
	demo_events_take(&events, &reader, &out);
	assert_int_equal(out.len, 0);
	demo_events_leave(&reader);
	demo_events_publish(&events, "log", SLICE("{}"));
	assert_int_equal(woken, 1);
	buffer_fini(&out);
	demo_events_fini(&events);
}

static void a_slow_reader_is_told_how_much_it_missed(void **state)
{
	struct demo_events events;
	struct demo_events_reader reader;
	struct buffer out = BUFFER_INIT;

	(void)state;
	demo_events_init(&events);
	demo_events_reader_init(&reader, count_wake);
	demo_events_join(&events, &reader, 0);
	for (unsigned i = 0; i < DEMO_EVENTS_KEPT + 5; i++) {
		demo_events_publish(&events, "log", SLICE("{}"));
	}
	demo_events_take(&events, &reader, &out);
	assert_true(slice_starts_with(
		buffer_slice(&out), SLICE("event: gap\ndata: {\"missed\":5}\n\nid: 6\n")));
	demo_events_leave(&reader);
	buffer_fini(&out);
	demo_events_fini(&events);
}

static void a_reader_begins_behind_what_it_saw(void **state)
{
	struct demo_events events;
	struct demo_events_reader reader;

	(void)state;
	demo_events_init(&events);
	demo_events_reader_init(&reader, count_wake);
	for (unsigned i = 0; i < 20; i++) {
		demo_events_publish(&events, "log", SLICE("{}"));
	}
	demo_events_join(&events, &reader, 15);
	assert_int_equal(reader.next_id, 16);
	demo_events_leave(&reader);
	demo_events_join(&events, &reader, 0); /* a new one: the last few */
	assert_int_equal(reader.next_id, 20 - DEMO_EVENTS_AT_FIRST + 1);
	demo_events_leave(&reader);
	demo_events_join(&events, &reader, 4000); /* of another run */
	assert_int_equal(reader.next_id, 20 - DEMO_EVENTS_AT_FIRST + 1);
	demo_events_leave(&reader);
	demo_events_fini(&events);
}

/* --- WebSocket frames */

struct heard {
	char text[512]; /* "1:payload " for each message */
	unsigned failure;
};

/* Feeds in parts of `step` bytes. */
static struct heard hear(struct slice bytes, size_t step)
{
	struct demo_websocket_reader reader;
	struct demo_websocket_message message;
	struct heard heard = {.failure = 0};
	size_t len = 0;

	demo_websocket_reader_init(&reader);
	while (bytes.len > 0 && heard.failure == 0) {
		struct slice part = slice_of(bytes.ptr, bytes.len < step ? bytes.len : step);
		enum demo_websocket_progress progress;

		bytes = slice_of(bytes.ptr + part.len, bytes.len - part.len);
		while ((progress = demo_websocket_next(&reader, &part, &message)) ==
			DEMO_WEBSOCKET_MESSAGE) {
			len += (size_t)snprintf(heard.text + len, sizeof(heard.text) - len,
				"%u:%.*s ", (unsigned)message.opcode, SLICE_ARGS(message.payload));
		}
		if (progress == DEMO_WEBSOCKET_FAILED) {
			heard.failure = message.close_code;
		}
	}
	demo_websocket_reader_fini(&reader);
	return heard;
}

static void messages_are_read_whole_and_byte_by_byte(void **state)
{
	/* a fragmented text with a ping in between, an empty binary, a longer text */
	static const char frames[] = "\x01\x83\x01\x01\x01\x01```"
				     "\x89\x82\0\0\0\0hi"
				     "\x80\x82\0\0\0\0bc"
				     "\x82\x80\0\0\0\0"
				     "\x81\xfe\x00\x03\0\0\0\0xyz";

	(void)state;
	for (size_t step = 1; step <= sizeof(frames); step++) {
		struct heard heard = hear(slice_of(frames, sizeof(frames) - 1), step);

		assert_int_equal(heard.failure, 0);
		assert_string_equal(heard.text, "9:hi 1:aaabc 2: 1:xyz ");
	}
}

static void frames_that_break_the_rules_are_refused(void **state)
{
	static const struct {
		struct slice bytes;
		unsigned code;
	} cases[] = {
		{SLICE_INIT("\x81\x01x"), 1002},                          /* not masked */
		{SLICE_INIT("\xc1\x81\0\0\0\0x"), 1002},                  /* an extension's bit */
		{SLICE_INIT("\x83\x81\0\0\0\0x"), 1002},                  /* no such opcode */
		{SLICE_INIT("\x80\x81\0\0\0\0x"), 1002},                  /* continues nothing */
		{SLICE_INIT("\x01\x81\0\0\0\0x\x81\x81\0\0\0\0x"), 1002}, /* begins anew within */
		{SLICE_INIT("\x09\x80\0\0\0\0"), 1002},                   /* a fragmented ping */
		{SLICE_INIT("\x89\xfe\x00\x7e\0\0\0\0"), 1002},           /* a ping too long */
		{SLICE_INIT("\x88\x81\0\0\0\0x"), 1002},                  /* half a close code */
		{SLICE_INIT("\x88\x82\0\0\0\0\x03\xed"), 1002},           /* 1005 is never sent */
		{SLICE_INIT("\x81\x81\0\0\0\0\xff"), 1007},               /* not UTF-8 */
		{SLICE_INIT("\x88\x83\0\0\0\0\x03\xe8\xff"), 1007},
		{SLICE_INIT("\x82\xff\0\0\0\0\0\x01\0\x01\0\0\0\0"), 1009}, /* 64 KiB and one */
		{SLICE_INIT("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), 1009},
		{SLICE_INIT("\x02\x81\0\0\0\0x\x80\xff\0\0\0\0\0\x01\0\0\0\0\0\0"), 1009},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hear(cases[i].bytes, 1).failure, cases[i].code);
		assert_int_equal(hear(cases[i].bytes, 100).failure, cases[i].code);
	}
}

static void the_head_of_a_frame_has_the_shortest_length(void **state)
{
	char head[DEMO_WEBSOCKET_HEAD_MAX];

	(void)state;
	assert_int_equal(demo_websocket_write_head(head, DEMO_WEBSOCKET_TEXT, 125), 2);
	assert_memory_equal(head, "\x81\x7d", 2);
	assert_int_equal(demo_websocket_write_head(head, DEMO_WEBSOCKET_BINARY, 126), 4);
	assert_memory_equal(head, "\x82\x7e\x00\x7e", 4);
	assert_int_equal(demo_websocket_write_head(head, DEMO_WEBSOCKET_PONG, 65536), 10);
	assert_memory_equal(head, "\x8a\x7f\0\0\0\0\0\x01\0\0", 10);
}

static void a_key_is_base64_of_sixteen_bytes(void **state)
{
	(void)state;
	assert_true(demo_websocket_key_valid(SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_false(demo_websocket_key_valid(SLICE("dGhlIHNhbXBsZSBub25jZQ=")));
	assert_false(demo_websocket_key_valid(SLICE("dGhlIHNhbXBsZSBub25jZQAA")));
	assert_false(demo_websocket_key_valid(SLICE("dGhlIHNhbXBsZSBub25j!Q==")));
	assert_false(demo_websocket_key_valid(SLICE("dGhlIHNhbXBsZSBub25j Q==")));
	assert_false(demo_websocket_key_valid(slice_of(NULL, 0)));
}

/* --- JSON */

static void note_member(void *context, struct slice key, const struct slice *text)
{
	buffer_printf(context, "%.*s=%.*s;", SLICE_ARGS(key), text == NULL ? 1 : (int)text->len,
		text == NULL    ? "-"
		: text->len > 0 ? text->ptr
				: "");
}

static void the_members_of_an_object_are_told(void **state)
{
	struct buffer members = BUFFER_INIT;

	(void)state;
	assert_int_equal(
		demo_json_read_object(
			SLICE(" { \"a\" : \"x\\n\\u00e9\\ud83d\\ude00\" , \"b\":[1,-0.5e+3,"
			      "{\"a\":\"no\"}],\"c\":null,\"\":\"\",\"d\":true } \r\n"),
			note_member, &members, NULL),
		ERR_NONE);
	expect_text(&members, "a=x\n\xc3\xa9\xf0\x9f\x98\x80;b=-;c=-;=;d=-;");
	buffer_fini(&members);
}

static void what_is_no_json_object_is_refused(void **state)
{
	static const struct slice documents[] = {
		SLICE_INIT(""),
		SLICE_INIT("  "),
		SLICE_INIT("null"),
		SLICE_INIT("[]"),
		SLICE_INIT("{"),
		SLICE_INIT("{}x"),
		SLICE_INIT("{}{}"),
		SLICE_INIT("{\"a\"}"),
		SLICE_INIT("{\"a\":}"),
		SLICE_INIT("{\"a\":1,}"),
		SLICE_INIT("{a:1}"),
		SLICE_INIT("{\"a\":01}"),
		SLICE_INIT("{\"a\":1.}"),
		SLICE_INIT("{\"a\":1e}"),
		SLICE_INIT("{\"a\":-}"),
		SLICE_INIT("{\"a\":nul}"),
		SLICE_INIT("{\"a\":[1,]}"),
		SLICE_INIT("{\"a\":[1}"),
		SLICE_INIT("{\"a\":\"x}"),
		SLICE_INIT("{\"a\":\"\\x\"}"),
		SLICE_INIT("{\"a\":\"\\u12g4\"}"),
		SLICE_INIT("{\"a\":\"\\u12"),
		SLICE_INIT("{\"a\":\"\\ud800\"}"),
		SLICE_INIT("{\"a\":\"\\udc00\"}"),
		SLICE_INIT("{\"a\":\"\\ud800\\u0041\"}"),
		SLICE_INIT("{\"a\":\"\n\"}"),
		SLICE_INIT("{\"a\":\"\xff\"}"),
		SLICE_INIT("{\"a\":\"\\"),
		SLICE_INIT("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]"
			   "]]]]]"
			   "]]]]]]]]]]]]}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct buffer members = BUFFER_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(demo_json_read_object(documents[i], note_member, &members, &err),
			ERR_SYNTAX);
		assert_true(strncmp(err.text, "not JSON: ", 10) == 0);
		buffer_fini(&members);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_jobs_run_at_a_time_and_all_end),
		cmocka_unit_test(a_job_comes_by_itself_once_all_are_done),
		cmocka_unit_test(the_oldest_job_that_has_ended_makes_room),
		cmocka_unit_test(a_removed_job_leaves_the_others),
		cmocka_unit_test(clusters_change_now_and_then_and_are_the_same_between),
		cmocka_unit_test(a_reader_gets_each_event_once),
		cmocka_unit_test(a_slow_reader_is_told_how_much_it_missed),
		cmocka_unit_test(a_reader_begins_behind_what_it_saw),
		cmocka_unit_test(messages_are_read_whole_and_byte_by_byte),
		cmocka_unit_test(frames_that_break_the_rules_are_refused),
		cmocka_unit_test(the_head_of_a_frame_has_the_shortest_length),
		cmocka_unit_test(a_key_is_base64_of_sixteen_bytes),
		cmocka_unit_test(the_members_of_an_object_are_told),
		cmocka_unit_test(what_is_no_json_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
