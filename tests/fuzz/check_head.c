/*
 * The first byte of the input chooses what kind of head the rest is, and how narrow the limits are.
 */
#include "http/head_writer.h"
#include "http/target.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/reading.h"

static const size_t steps[] = {1, 3, 16, 100};

enum {
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static void expect_same_fields(const struct head *a, const struct head *b)
{
	EXPECT(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		EXPECT(slice_equal(head_name(a, &a->fields[i]), head_name(b, &b->fields[i])));
		EXPECT(slice_equal(head_value(a, &a->fields[i]), head_value(b, &b->fields[i])));
		EXPECT(a->fields[i].id == b->fields[i].id);
	}
	EXPECT(memcmp(a->first, b->first, sizeof(a->first)) == 0);
}

static void expect_same(const struct reading *a, const struct reading *b)
{
	EXPECT(a->progress == b->progress);
	EXPECT(a->err.code == b->err.code);
	if (a->progress != HEAD_DONE) {
		return;
	}
	EXPECT(a->taken == b->taken);
	EXPECT(slice_equal(
		slice_of(a->head.bytes, a->head.size), slice_of(b->head.bytes, b->head.size)));
	EXPECT(a->head.version_minor == b->head.version_minor);
	EXPECT(a->head.method == b->head.method);
	EXPECT(a->head.status == b->head.status);
	EXPECT(slice_equal(a->head.method_name, b->head.method_name));
	EXPECT(slice_equal(a->head.target, b->head.target));
	EXPECT(slice_equal(a->head.reason, b->head.reason));
	expect_same_fields(&a->head, &b->head);
}

/* What is sent on is what was read. */
static void expect_same_when_written(
	const struct reading *read, struct reading *again, enum head_kind kind)
{
	struct head_writer writer;
	size_t size = head_writer_bound(&read->head);
	char *room = malloc(size);

	EXPECT(room != NULL);
	head_writer_init(&writer, room, size);
	if (kind == HEAD_REQUEST) {
		head_writer_request_line(
			&writer, read->head.method_name, SLICE(""), read->head.target);
	} else if (kind == HEAD_RESPONSE) {
		head_writer_status_line(&writer, read->head.status, read->head.reason);
	}
	head_writer_fields(&writer, &read->head);
	head_writer_end(&writer);
	again->limits.bytes = HEAD_BYTES_MAX;
	reading_head(again, kind, head_writer_slice(&writer), 0);
	EXPECT(again->progress == HEAD_DONE);
	EXPECT(slice_equal(read->head.method_name, again->head.method_name));
	EXPECT(slice_equal(read->head.target, again->head.target));
	EXPECT(slice_equal(read->head.reason, again->head.reason));
	EXPECT(read->head.status == again->head.status);
	expect_same_fields(&read->head, &again->head);
	free(room);
}

static void check_request(struct reading *read)
{
	struct target target;

	framing_of_request(&read->head, &read->framing, &read->err);
	EXPECT(read->framing.kind != FRAMING_CLOSE && read->framing.kind != FRAMING_TUNNEL);
	if (target_of_request(&read->head, &read->arena, &target, &read->err) == ERR_NONE) {
		EXPECT(target.normal.len > 0 && target.normal.ptr[0] == '/');
		EXPECT(target.asterisk || target.origin_form.ptr[0] == '/');
		EXPECT(target.origin_form.len ==
			target.path.len + (target.has_query ? 1 + target.query.len : 0));
	}
}

void check_head(struct slice input)
{
	static const enum head_kind kinds[] = {HEAD_REQUEST, HEAD_RESPONSE, HEAD_TRAILERS};
	struct reading whole;
	struct reading cut;
	enum head_kind kind;
	unsigned choice;

	if (input.len == 0 || input.len > 60000) {
		return;
	}
	choice = (unsigned char)input.ptr[0];
	kind = kinds[choice % 3];
	input = slice_of(input.ptr + 1, input.len - 1);
	reading_init(&whole);
	reading_init(&cut);
	if (choice / 3 % 2 == 1) {
		whole.limits = (struct head_limits){.bytes = 100, .fields = 3, .target = 20};
	}
	cut.limits = whole.limits;
	reading_head(&whole, kind, input, 0);
	for (size_t i = 0; i < STEPS; i++) {
		reading_head(&cut, kind, input, steps[i]);
		expect_same(&whole, &cut);
	}
	if (whole.progress == HEAD_DONE) {
		if (kind == HEAD_REQUEST) {
			check_request(&whole);
		} else if (kind == HEAD_RESPONSE) {
			framing_of_response(
				&whole.head, METHOD_GET, true, &whole.framing, &whole.err);
		}
		expect_same_when_written(&whole, &cut, kind);
	}
	reading_fini(&whole);
	reading_fini(&cut);
}
