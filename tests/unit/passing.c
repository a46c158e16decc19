#include "passing.h"

void passing_init(struct passing *passing)
{
	static char api[] = "/api";

	*passing = (struct passing){.routes = {{.text = api}}};
	passing->settings = (struct proxy_settings){.workers = PASSING_WORKERS,
		.routes = passing->routes,
		.route_count = 1,
		.upstream_count = 1};
	passing->statistics = path_statistics_create(&passing->settings, PASSING_WORKERS);
	passing->now_us = UINT64_C(100000000000);
}

void passing_fini(struct passing *passing)
{
	path_statistics_destroy(passing->statistics);
}

void pass(struct passing *passing, struct pass what)
{
	static const struct route routes[] = {{.text = "/api"}, {.text = "/", .index = 1}};
	struct slice path = slice_str(what.path);
	struct exchange exchange = {
		.route = &routes[slice_starts_with(path, SLICE("/api/")) ? 0 : 1]};
	struct path_watch *watch;

	exchange.request.method = (uint8_t)(what.method == METHOD_OTHER ? METHOD_GET : what.method);
	exchange.capture = CAPTURE_NONE;
	exchange.target.normal = path;
	exchange.clock.begin_us = passing->now_us - what.duration_us;
	watch = path_statistics_begin(passing->statistics, what.worker, &exchange);
	exchange.status = what.status == 0 ? 200 : what.status;
	exchange.state = EXCHANGE_COMPLETE;
	exchange.attempts = what.attempts == 0 ? 1 : what.attempts;
	exchange.clock.end_us = passing->now_us;
	path_statistics_end(passing->statistics, what.worker, watch, &exchange);
}
