/*
 * Marks and the periods that they end, and how two periods are written side by side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "inspector/comparison.h"
#include "inspector/marks.h"
#include "passing.h"

enum {
	STARTED_US = 1000,
};

struct fixture {
	struct passing passing;
	struct marks *marks;
	struct mark_facts facts;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	passing_init(&f->passing);
	f->marks = marks_create(f->passing.statistics, STARTED_US);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	marks_destroy(f->marks);
	passing_fini(&f->passing);
	mem_free(f);
	return 0;
}

static enum err_code set(struct fixture *f, const char *name)
{
	return marks_set(f->marks, slice_str(name), &f->facts, &f->err);
}

static void pass_some(struct fixture *f, unsigned count, unsigned attempts, uint64_t duration_us)
{
	for (unsigned i = 0; i < count; i++) {
		pass(&f->passing, (struct pass){.worker = i % 2,
					  .path = "/api/jobs/7",
					  .attempts = attempts,
					  .duration_us = duration_us});
	}
}

static struct path_counts sum_of(const struct mark_period *period)
{
	struct path_counts sum = {.count = 0};

	for (unsigned i = 0; i < PATHS; i++) {
		sum.count += period->counts[i].count;
		sum.upstream_calls += period->counts[i].upstream_calls;
		sum.duration_us += period->counts[i].duration_us;
	}
	return sum;
}

static uint64_t count_until(struct fixture *f, const char *name)
{
	struct mark_period period;

	assert_int_equal(marks_period(f->marks, slice_str(name), &period, &f->err), ERR_NONE);
	assert_string_equal(period.name, name);
	assert_true(period.begin_wall_us <= period.end_wall_us);
	return sum_of(&period).count;
}

static void a_mark_ends_the_period_that_the_one_before_it_began(void **state)
{
	struct fixture *f = *state;
	struct mark_period period;

	assert_int_equal(count_until(f, "now"), 0);
	pass_some(f, 3, 2, 100);
	assert_int_equal(set(f, "a"), ERR_NONE);
	assert_int_equal(f->facts.count, 3);
	pass_some(f, 5, 1, 10);
	assert_int_equal(set(f, "b"), ERR_NONE);
	assert_int_equal(f->facts.count, 8);
	pass_some(f, 7, 3, 20);
	assert_int_equal(count_until(f, "a"), 3);
	assert_int_equal(count_until(f, "b"), 5);
	assert_int_equal(marks_period(f->marks, SLICE("now"), &period, &f->err), ERR_NONE);
	assert_int_equal(sum_of(&period).count, 7);
	assert_int_equal(sum_of(&period).upstream_calls, 21);
	assert_int_equal(sum_of(&period).duration_us, 140);
	assert_int_equal(marks_period(f->marks, SLICE("a"), &period, &f->err), ERR_NONE);
	assert_int_equal(period.begin_wall_us, STARTED_US);
}

static void a_mark_of_the_same_name_is_moved(void **state)
{
	struct fixture *f = *state;
	struct mark_facts facts[MARKS_MAX];

	pass_some(f, 1, 1, 1);
	assert_int_equal(set(f, "a"), ERR_NONE);
	pass_some(f, 2, 1, 1);
	assert_int_equal(set(f, "b"), ERR_NONE);
	pass_some(f, 4, 1, 1);
	assert_int_equal(set(f, "a"), ERR_NONE);
	assert_int_equal(marks_list(f->marks, facts), 2);
	assert_string_equal(facts[0].name, "b");
	assert_string_equal(facts[1].name, "a");
	assert_int_equal(count_until(f, "b"), 3);
	assert_int_equal(count_until(f, "a"), 4);
}

static void names_are_bounded_and_printable(void **state)
{
	struct fixture *f = *state;
	char name[MARK_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[MARK_NAME_MAX + 1] = '\0';
	assert_int_equal(set(f, name), ERR_SYNTAX);
	name[MARK_NAME_MAX] = '\0';
	assert_int_equal(set(f, name), ERR_NONE);
	assert_string_equal(f->facts.name, name);
	assert_int_equal(set(f, ""), ERR_SYNTAX);
	assert_int_equal(set(f, "a\nb"), ERR_SYNTAX);
	assert_int_equal(set(f, "\xff"), ERR_SYNTAX);
	assert_int_equal(set(f, "now"), ERR_SYNTAX);
	assert_int_equal(set(f, "vor der \xc3\x84nderung"), ERR_NONE);
}

static void there_are_sixteen_until_they_are_cleared(void **state)
{
	struct fixture *f = *state;
	struct mark_facts facts[MARKS_MAX];
	struct mark_period period;
	char name[8];

	for (unsigned i = 0; i < MARKS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(set(f, name), ERR_NONE);
	}
	assert_int_equal(set(f, "one more"), ERR_LIMIT);
	assert_int_equal(set(f, "3"), ERR_NONE); /* that is none more */
	assert_int_equal(marks_list(f->marks, facts), MARKS_MAX);
	assert_string_equal(facts[MARKS_MAX - 1].name, "3");
	marks_clear(f->marks);
	assert_int_equal(marks_list(f->marks, facts), 0);
	assert_int_equal(marks_period(f->marks, SLICE("3"), &period, &f->err), ERR_NOT_FOUND);
	assert_int_equal(set(f, "one more"), ERR_NONE);
}

/* --- written */

struct written {
	struct comparison_periods periods;
	struct buffer scratch;
	struct buffer out;
	struct redactor *redactor;
};

static void compare(struct fixture *f, struct written *w, const char *from)
{
	static const struct inspector_settings settings = {.enabled = true};

	w->redactor = redactor_create(&settings);
	assert_int_equal(
		marks_period(f->marks, slice_str(from), &w->periods.before, &f->err), ERR_NONE);
	assert_int_equal(
		marks_period(f->marks, SLICE("now"), &w->periods.after, &f->err), ERR_NONE);
	w->periods.before.begin_wall_us = 0; /* half a minute, and one: so the rates are known */
	w->periods.before.end_wall_us = UINT64_C(30000000);
	w->periods.after.begin_wall_us = UINT64_C(30000000);
	w->periods.after.end_wall_us = UINT64_C(90000000);
	comparison_rank(&w->periods);
}

static void end(struct written *w)
{
	buffer_fini(&w->scratch);
	buffer_fini(&w->out);
	redactor_destroy(w->redactor);
	mem_free(w);
}

static void two_periods_become_a_markdown_table(void **state)
{
	struct fixture *f = *state;
	struct written *w = mem_zalloc(sizeof(*w));
	struct comparison_writer writer = {.periods = &w->periods,
		.statistics = f->passing.statistics,
		.scratch = &w->scratch};

	pass_some(f, 10, 2, 12000);
	pass(&f->passing, (struct pass){.path = "/a|b`<c"});
	assert_int_equal(set(f, "be|fore"), ERR_NONE);
	pass_some(f, 5, 1, 3000);
	compare(f, w, "be|fore");
	writer.redactor = w->redactor;
	comparison_markdown_begin(&writer, &w->out);
	for (size_t i = 0; i < w->periods.count; i++) {
		comparison_markdown_item(&writer, &w->out, w->periods.paths[i]);
	}
	comparison_markdown_end(&writer, &w->out);
	*buffer_reserve(&w->out, 1) = '\0';
	assert_string_equal(w->out.ptr,
		"Before: until `be%7Cfore` (1970-01-01T00:00:30.000000Z), 30.0 s.\n"
		"After: until `now` (1970-01-01T00:01:30.000000Z), 60.0 s.\n"
		"\n"
		"| Call | Requests | Requests/min | Upstream calls/min | Upstream calls per "
		"request "
		"| Mean, ms |\n"
		"|:--|--:|--:|--:|--:|--:|\n"
		"| `GET /api/jobs/{id}` | 10 → 5 | 20.0 → 5.0 (−75 %) | 40.0 → 5.0 (−88 %) | "
		"2.00 → 1.00 (−50 %) | 12.00 → 3.00 (−75 %) |\n"
		"| `GET /a%7Cb%60%3Cc` | 1 → 0 | 2.0 → 0.0 | 2.0 → 0.0 | 1.00 → – | 0.00 → – |\n"
		"| **All** | 11 → 5 | 22.0 → 5.0 (−77 %) | 42.0 → 5.0 (−88 %) | "
		"1.91 → 1.00 (−48 %) | 10.91 → 3.00 (−72 %) |\n");
	end(w);
}

static void two_periods_become_json(void **state)
{
	struct fixture *f = *state;
	struct written *w = mem_zalloc(sizeof(*w));
	struct comparison_writer writer = {.periods = &w->periods,
		.statistics = f->passing.statistics,
		.scratch = &w->scratch};
	struct json json;

	pass_some(f, 10, 2, 12000);
	assert_int_equal(set(f, "before"), ERR_NONE);
	compare(f, w, "before");
	writer.redactor = w->redactor;
	json_init(&json, &w->out);
	assert_int_equal(w->periods.count, 1);
	comparison_json_item(&writer, &json, w->periods.paths[0]);
	*buffer_reserve(&w->out, 1) = '\0';
	assert_string_equal(w->out.ptr,
		"{\"route\":\"/api\",\"method\":\"GET\",\"path\":\"/api/jobs/{id}\",\"before\":{"
		"\"count\":10,\"per_minute\":20.000,\"upstream_calls\":20,"
		"\"upstream_calls_per_minute\":40.000,\"upstream_calls_per_request\":2.000,"
		"\"mean_ms\":12.000},\"after\":{\"count\":0,\"per_minute\":0.000,"
		"\"upstream_calls\":0,\"upstream_calls_per_minute\":0.000,"
		"\"upstream_calls_per_request\":null,\"mean_ms\":null}}");
	end(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mark_ends_the_period_that_the_one_before_it_began),
		TEST(a_mark_of_the_same_name_is_moved),
		TEST(names_are_bounded_and_printable),
		TEST(there_are_sixteen_until_they_are_cleared),
		TEST(two_periods_become_a_markdown_table),
		TEST(two_periods_become_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
