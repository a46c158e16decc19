/*
 * Layer: demo. One job: the clock of the sample API, and what it tells in the event log; see
 * service.h.
 */
#include "demo/service.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/json.h"
#include "demo/client.h"

enum {
	TICK_MS = 1000,
};

/* Opens the object that every event's data is. */
static void begin_event(struct json *json, struct buffer *data, const char *source)
{
	char time[CLOCK_RFC3339_SIZE];
	size_t len = clock_format_rfc3339(clock_wall_us(), time);

	json_init(json, data);
	json_begin_object(json);
	json_key(json, "time");
	json_text(json, slice_of(time, len));
	json_key(json, "source");
	json_cstring(json, source);
}

static void end_event(
	struct demo_service *self, struct json *json, struct buffer *data, const char *type)
{
	json_end_object(json);
	demo_events_publish(&self->events, type, buffer_slice(data));
	buffer_fini(data);
}

__attribute__((format(printf, 3, 4))) static void tell(
	struct demo_service *self, const char *source, const char *format, ...)
{
	struct buffer data = BUFFER_INIT;
	struct buffer text = BUFFER_INIT;
	struct json json;
	va_list args;

	va_start(args, format);
	buffer_vprintf(&text, format, args);
	va_end(args);
	begin_event(&json, &data, source);
	json_key(&json, "text");
	json_text(&json, buffer_slice(&text));
	end_event(self, &json, &data, "log");
	buffer_fini(&text);
}

void demo_service_tell_job(struct demo_service *self, const struct demo_job *job, const char *what)
{
	struct buffer data = BUFFER_INIT;
	struct buffer text = BUFFER_INIT;
	struct json json;

	buffer_printf(&text, "%s against %s %s", job->program, job->database, what);
	begin_event(&json, &data, "jobs");
	json_key(&json, "text");
	json_text(&json, buffer_slice(&text));
	json_key(&json, "job");
	demo_job_write(job, &json);
	end_event(self, &json, &data, "job");
	buffer_fini(&text);
}

static void on_job_changed(void *context, const struct demo_job *job)
{
	switch (job->state) {
	case DEMO_JOB_QUEUED:
		demo_service_tell_job(context, job, "waits for nodes");
		break;
	case DEMO_JOB_RUNNING:
		demo_service_tell_job(context, job, "began");
		break;
	case DEMO_JOB_SUCCEEDED:
		demo_service_tell_job(context, job, "succeeded");
		break;
	case DEMO_JOB_FAILED:
		demo_service_tell_job(context, job, "failed: a node was taken away");
		break;
	}
}

/* The line of a second in which perhaps nothing happened: what is the case. */
static void tell_of_second(struct demo_service *self)
{
	uint64_t ticks = self->clusters.ticks;
	const struct demo_cluster *cluster = &self->clusters.items[ticks / 2 % DEMO_CLUSTERS];

	if (ticks % 2 == 0) {
		tell(self, "scheduler", "%u running, %u queued",
			demo_jobs_count(&self->jobs, DEMO_JOB_RUNNING),
			demo_jobs_count(&self->jobs, DEMO_JOB_QUEUED));
	} else {
		tell(self, "monitor", "%s: %u pods, CPU %u %%, memory %u %%", cluster->name,
			cluster->pods, cluster->cpu_percent, cluster->memory_percent);
	}
}

static void on_tick(struct timer *timer)
{
	struct demo_service *self = container_of(timer, struct demo_service, tick);
	const struct demo_cluster *changed = demo_clusters_tick(&self->clusters);

	loop_timer_start(self->loop, &self->tick, TICK_MS);
	if (changed != NULL) {
		tell(self, "monitor", "%s changed: %u of %u nodes are ready", changed->name,
			changed->nodes_ready, changed->nodes);
	}
	demo_jobs_tick(&self->jobs, clock_wall_us(), on_job_changed, self);
	tell_of_second(self);
}

void demo_service_init(struct demo_service *self, struct loop *loop)
{
	*self = (struct demo_service){.loop = loop};
	list_init(&self->clients);
	demo_clusters_init(&self->clusters);
	demo_jobs_init(&self->jobs, clock_wall_us());
	demo_events_init(&self->events);
	timer_init(&self->tick, on_tick);
	loop_timer_start(loop, &self->tick, TICK_MS);
}

void demo_service_stop(struct demo_service *self)
{
	loop_timer_stop(self->loop, &self->tick);
	demo_client_abort_all(self);
}

void demo_service_fini(struct demo_service *self)
{
	assert(list_empty(&self->clients));
	demo_events_fini(&self->events);
}
