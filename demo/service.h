/*
 * Layer: demo. One job: what all answers of the sample API share: its clusters, jobs and events,
 * which move on once a second, and what it counted. Belongs to the demo's loop.
 */
#ifndef SIGHTGLASS_DEMO_SERVICE_H
#define SIGHTGLASS_DEMO_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/timer.h"
#include "demo/model/clusters.h"
#include "demo/model/events.h"
#include "demo/model/jobs.h"
#include "demo/route.h"

enum {
	DEMO_CLIENTS_MAX = 1024, /* connections beyond these are closed at once */
};

/* As the API itself saw them: what a proxy in front of it says can be held against these. */
struct demo_counters {
	uint64_t calls[DEMO_ROUTES]; /* in the order of demo_routes */
	uint64_t unknown;            /* calls of what is not there, or by another method */
	uint64_t connections;        /* accepted so far */
	size_t most_queued;          /* bytes that ever waited for one client to take them */
};

struct demo_service {
	struct loop *loop;
	struct list clients; /* struct demo_client */
	size_t client_count;
	struct demo_clusters clusters;
	struct demo_jobs jobs;
	struct demo_events events;
	struct demo_counters counters;
	struct timer tick;
};

/* The loop outlives the service. */
void demo_service_init(struct demo_service *service, struct loop *loop);
/* Ends the clock and every connection; the loop has to run for libuv to let go of them. */
void demo_service_stop(struct demo_service *service);
/* After that. */
void demo_service_fini(struct demo_service *service);

/* Tells of the job in the event log: "job-1007 blastp against nr is running". */
void demo_service_tell_job(
	struct demo_service *service, const struct demo_job *job, const char *what);

#endif
