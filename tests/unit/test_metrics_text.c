/*
 * Prometheus' text format: what the format's description asks for, character by character.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspector/metrics_text.h"

static const struct metric_labels none = {.items = NULL, .count = 0};

/* What was written, which is then forgotten. */
static void expect(struct buffer *out, const char *text)
{
	buffer_append_char(out, '\0');
	assert_string_equal(out->ptr, text);
	buffer_fini(out);
	*out = BUFFER_INIT;
}

static void a_family_begins_with_its_help_and_its_type(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	metrics_family(&out, "a_total", "counter", "One \\ two\n\"three\".");
	expect(&out, "# HELP a_total One \\\\ two\\n\"three\".\n# TYPE a_total counter\n");
}

static void a_label_may_hold_any_text(void **state)
{
	static const struct metric_label labels[] = {
		{"route", "/a\"b\\c\nd"}, {"empty", ""}, {"text", "ü{}=,"}};
	struct buffer out = BUFFER_INIT;

	(void)state;
	metrics_sample(&out, "a", (struct metric_labels){labels, 3}, 7);
	expect(&out, "a{route=\"/a\\\"b\\\\c\\nd\",empty=\"\",text=\"ü{}=,\"} 7\n");
}

static void a_number_has_all_its_digits(void **state)
{
	static const uint64_t us[] = {0, 1, 500, 2500, 1000000, 1250000, 61000001};
	struct buffer out = BUFFER_INIT;

	(void)state;
	metrics_sample(&out, "a", none, UINT64_MAX);
	expect(&out, "a 18446744073709551615\n");
	for (size_t i = 0; i < sizeof(us) / sizeof(us[0]); i++) {
		metrics_sample_us(&out, "s", none, us[i]);
	}
	expect(&out, "s 0\ns 0.000001\ns 0.0005\ns 0.0025\ns 1\ns 1.25\ns 61.000001\n");
}

static void a_bucket_holds_all_that_is_below_its_bound(void **state)
{
	static const uint64_t bounds_us[] = {1000, 2500000};
	static const uint64_t counts[] = {3, 0, 2};
	const struct metric_label label = {"upstream", "api"};
	struct buffer out = BUFFER_INIT;

	(void)state;
	metrics_histogram(
		&out, "h", (struct metric_labels){&label, 1}, bounds_us, counts, 3, 7000500);
	expect(&out, "h_bucket{upstream=\"api\",le=\"0.001\"} 3\n"
		     "h_bucket{upstream=\"api\",le=\"2.5\"} 3\n"
		     "h_bucket{upstream=\"api\",le=\"+Inf\"} 5\n"
		     "h_sum{upstream=\"api\"} 7.0005\n"
		     "h_count{upstream=\"api\"} 5\n");
	metrics_histogram(&out, "h", none, bounds_us, counts, 3, 0);
	expect(&out, "h_bucket{le=\"0.001\"} 3\nh_bucket{le=\"2.5\"} 3\nh_bucket{le=\"+Inf\"} 5\n"
		     "h_sum 0\nh_count 5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_family_begins_with_its_help_and_its_type),
		cmocka_unit_test(a_label_may_hold_any_text),
		cmocka_unit_test(a_number_has_all_its_digits),
		cmocka_unit_test(a_bucket_holds_all_that_is_below_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
