/*
 * Layer: demo. One job: a list that takes its time, GET /api/reports, and /api/forecast, which the
 * page asks for more often than it is answered: by a timer, so that everybody else is answered
 * meanwhile.
 */
#include "base/json.h"
#include "base/loop.h"
#include "demo/answers/kinds.h"
#include "demo/reply.h"
#include "demo/service.h"

enum {
	TAKES_MS = 1200,
	MONTHS = 12,
};

struct reports {
	struct demo_answer base;
	struct timer timer;
};

static void write_report(struct json *json, unsigned month)
{
	struct buffer name = BUFFER_INIT;

	buffer_printf(&name, "2025-%02u", month + 1);
	json_begin_object(json);
	json_key(json, "month");
	json_text(json, buffer_slice(&name));
	json_key(json, "jobs");
	json_u64(json, 310 + month * 37 % 91);
	json_key(json, "core_hours");
	json_u64(json, 5200 + month * 1117 % 2300);
	json_key(json, "failed_percent");
	json_u64(json, month * 7 % 5);
	json_end_object(json);
	buffer_fini(&name);
}

static void on_ready(struct timer *timer)
{
	struct reports *self = container_of(timer, struct reports, timer);
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	json_begin_object(&json);
	json_key(&json, "query");
	json_text(&json, self->base.request->target.query);
	json_key(&json, "reports");
	json_begin_array(&json);
	for (unsigned month = 0; month < MONTHS; month++) {
		write_report(&json, month);
	}
	json_end_array(&json);
	json_end_object(&json);
	demo_reply_json(self->base.client, 200, &body, slice_of(NULL, 0));
}

static void begin(struct demo_answer *answer)
{
	timer_init(&container_of(answer, struct reports, base)->timer, on_ready);
}

static void end(struct demo_answer *answer)
{
	loop_timer_start(answer->service->loop, &container_of(answer, struct reports, base)->timer,
		TAKES_MS);
}

static void fini(struct demo_answer *answer)
{
	loop_timer_stop(answer->service->loop, &container_of(answer, struct reports, base)->timer);
}

const struct demo_answer_kind demo_reports = {
	.size = sizeof(struct reports),
	.begin = begin,
	.end = end,
	.fini = fini,
};
