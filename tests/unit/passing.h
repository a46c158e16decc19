/*
 * For tests of what is counted by path: exchanges that nobody forwards, to an API of two routes.
 */
#ifndef SIGHTGLASS_TESTS_PASSING_H
#define SIGHTGLASS_TESTS_PASSING_H

#include "inspector/path_statistics.h"

enum {
	PASSING_WORKERS = 2,
};

struct passing {
	struct route_settings routes[1];
	struct proxy_settings settings;
	struct path_statistics *statistics;
	uint64_t now_us; /* when the next one ends; the test moves it */
};

void passing_init(struct passing *passing);
void passing_fini(struct passing *passing);

/* One exchange: GET to 200 with one upstream call, unless it says otherwise. */
struct pass {
	unsigned worker;
	const char *path; /* below /api: of the route /api, else of "/" */
	enum method method;
	unsigned status;
	unsigned attempts;
	uint64_t duration_us;
};

void pass(struct passing *passing, struct pass what);

#endif
