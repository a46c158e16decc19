/*
 * Layer: inspector. One job: see api_compare.h. Both periods are read when the answer begins; rows
 * are written in slices.
 */
#include "inspector/api_compare.h"

#include "base/memory.h"
#include "inspector/accept.h"
#include "inspector/api_parameters.h"
#include "inspector/comparison.h"

enum {
	SLICE_ROWS = 64, /* some microseconds each */
};

enum parameter { /* in the order of `names` */
	PARAMETER_FROM,
	PARAMETER_TO,
	PARAMETERS,
};

static const char *const names[PARAMETERS] = {
	[PARAMETER_FROM] = "from",
	[PARAMETER_TO] = "to",
};

struct compare_source {
	struct source source;
	struct comparison_writer writer;
	struct comparison_periods periods;
	bool markdown;
	bool begun;
	size_t next;
	struct json json;
	struct buffer scratch;
};

static struct compare_source *of_source(struct source *source)
{
	return container_of(source, struct compare_source, source);
}

static void write_begin(struct compare_source *self, struct buffer *out)
{
	self->begun = true;
	if (self->markdown) {
		comparison_markdown_begin(&self->writer, out);
		return;
	}
	json_begin_object(&self->json);
	comparison_json_periods(&self->writer, &self->json);
	json_key(&self->json, "items");
	json_begin_array(&self->json);
}

static void write_end(struct compare_source *self, struct buffer *out)
{
	if (self->markdown) {
		comparison_markdown_end(&self->writer, out);
		return;
	}
	json_end_array(&self->json);
	json_end_object(&self->json);
}

static bool next_slice(struct source *source, struct buffer *out, struct slice *part)
{
	struct compare_source *self = of_source(source);
	const struct comparison_periods *periods = &self->periods;

	(void)part;
	self->json.out = out;
	if (!self->begun) {
		write_begin(self, out);
	}
	for (size_t i = 0; i < SLICE_ROWS && self->next < periods->count; i++) {
		unsigned path = periods->paths[self->next++];

		if (self->markdown) {
			comparison_markdown_item(&self->writer, out, path);
		} else {
			comparison_json_item(&self->writer, &self->json, path);
		}
	}
	if (self->next < periods->count) {
		return true;
	}
	write_end(self, out);
	return false;
}

static void destroy(struct source *source)
{
	struct compare_source *self = of_source(source);

	buffer_fini(&self->scratch);
	mem_free(self);
}

static const struct source_ops compare_ops = {
	.next = next_slice,
	.destroy = destroy,
};

/* False where the call was answered. */
static bool read_period(const struct api_call *call, enum parameter parameter, struct slice name,
	struct mark_period *period)
{
	struct err err = ERR_INIT;

	if (marks_period(call->api->marks, name, period, &err) != ERR_NONE) {
		answer_problem(
			call->answer, 404, "the parameter \"%s\": %s", names[parameter], err.text);
		return false;
	}
	return true;
}

static void send_table(const struct api_call *call, struct compare_source *self)
{
	const struct head *head = &call->exchange->request;

	self->markdown = accept_weight(head, SLICE("text"), SLICE("markdown")) >
			 accept_weight(head, SLICE("application"), SLICE("json"));
	comparison_rank(&self->periods);
	answer_begin(call->answer, 200, ANSWER_DATA, 0);
	answer_field(call->answer, SLICE("Vary"), SLICE("Accept"));
	answer_send_source(call->answer,
		self->markdown ? SLICE("text/markdown; charset=utf-8") : SLICE("application/json"),
		&self->source, UINT64_MAX);
}

void api_compare(const struct api_call *call)
{
	struct compare_source *self;
	struct slice values[PARAMETERS];
	struct slice to;

	if (!api_parameters_parse(call, names, PARAMETERS, values)) {
		return;
	}
	if (values[PARAMETER_FROM].ptr == NULL) {
		answer_problem(
			call->answer, 400, "the parameter \"from\" is missing: a mark's name");
		return;
	}
	to = values[PARAMETER_TO].ptr == NULL ? SLICE(MARK_NOW) : values[PARAMETER_TO];
	self = mem_zalloc(sizeof(*self));
	self->source.ops = &compare_ops;
	self->writer = (struct comparison_writer){
		.periods = &self->periods,
		.statistics = statistics_paths(call->api->statistics),
		.redactor = call->api->redactor,
		.scratch = &self->scratch,
	};
	json_init(&self->json, NULL); /* each slice brings its buffer */
	if (!read_period(call, PARAMETER_FROM, values[PARAMETER_FROM], &self->periods.before) ||
		!read_period(call, PARAMETER_TO, to, &self->periods.after)) {
		destroy(&self->source);
		return;
	}
	send_table(call, self);
}
