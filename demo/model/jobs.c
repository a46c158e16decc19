/*
 * Layer: demo. One job: see jobs.h.
 */
#include "demo/model/jobs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "demo/model/dice.h"

enum {
	FIRST_NUMBER = 1001,
	FAILS_EVERY = 6, /* of the jobs, by number */
};

static const char *const programs[] = {"blastp", "blastn", "blastx", "tblastn", "tblastx"};
static const char *const databases[] = {"nr", "nt", "refseq_protein", "swissprot", "pdb"};
static const char *const state_names[] = {
	[DEMO_JOB_QUEUED] = "queued",
	[DEMO_JOB_RUNNING] = "running",
	[DEMO_JOB_SUCCEEDED] = "succeeded",
	[DEMO_JOB_FAILED] = "failed",
};

static const char *known(const char *const *names, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(slice_str(names[i]), name)) {
			return names[i];
		}
	}
	return NULL;
}

const char *demo_job_program(struct slice name)
{
	return known(programs, sizeof(programs) / sizeof(programs[0]), name);
}

const char *demo_job_database(struct slice name)
{
	return known(databases, sizeof(databases) / sizeof(databases[0]), name);
}

size_t demo_job_id(const struct demo_job *job, char out[static DEMO_JOB_ID_SIZE])
{
	return (size_t)snprintf(out, DEMO_JOB_ID_SIZE, "job-%" PRIu32, job->number);
}

static bool has_ended(const struct demo_job *job)
{
	return job->state == DEMO_JOB_SUCCEEDED || job->state == DEMO_JOB_FAILED;
}

/* --- the list */

static void remove_at(struct demo_jobs *self, size_t at)
{
	assert(at < self->count);
	memmove(&self->items[at], &self->items[at + 1],
		(self->count - at - 1) * sizeof(self->items[0]));
	self->count--;
}

/* False where the list is full of jobs that are still to be done. */
static bool make_room(struct demo_jobs *self)
{
	if (self->count < DEMO_JOBS_MAX) {
		return true;
	}
	for (size_t i = self->count; i-- > 0;) {
		if (has_ended(&self->items[i])) {
			remove_at(self, i);
			return true;
		}
	}
	return false;
}

const struct demo_job *demo_jobs_submit(
	struct demo_jobs *self, const struct demo_job_order *order, uint64_t now_wall_us)
{
	struct demo_job *job = &self->items[0];

	assert(order->name.len > 0 && order->name.len <= DEMO_JOB_NAME_MAX);
	if (!make_room(self)) {
		return NULL;
	}
	memmove(&self->items[1], &self->items[0], self->count * sizeof(self->items[0]));
	self->count++;
	*job = (struct demo_job){
		.number = ++self->last_number,
		.state = DEMO_JOB_QUEUED,
		.pace = 3 + demo_dice_throw(&self->dice, 6),
		.program = order->program,
		.database = order->database,
		.submitted_wall_us = now_wall_us,
		.name_len = order->name.len,
	};
	if (job->number % FAILS_EVERY == 0) {
		job->fails_at = 30 + demo_dice_throw(&self->dice, 60);
	}
	memcpy(job->name, order->name.ptr, order->name.len);
	return job;
}

const struct demo_job *demo_jobs_find(const struct demo_jobs *self, struct slice id)
{
	for (size_t i = 0; i < self->count; i++) {
		char own[DEMO_JOB_ID_SIZE];

		if (slice_equal(slice_of(own, demo_job_id(&self->items[i], own)), id)) {
			return &self->items[i];
		}
	}
	return NULL;
}

void demo_jobs_remove(struct demo_jobs *self, const struct demo_job *job)
{
	remove_at(self, (size_t)(job - self->items));
}

unsigned demo_jobs_count(const struct demo_jobs *self, enum demo_job_state state)
{
	unsigned count = 0;

	for (size_t i = 0; i < self->count; i++) {
		count += self->items[i].state == state;
	}
	return count;
}

/* --- as time goes by */

static void advance(struct demo_job *job)
{
	job->progress += job->pace;
	if (job->fails_at != 0 && job->progress >= job->fails_at) {
		job->progress = job->fails_at;
		job->state = DEMO_JOB_FAILED;
	} else if (job->progress >= 100) {
		job->progress = 100;
		job->state = DEMO_JOB_SUCCEEDED;
	}
}

static void submit_nightly(struct demo_jobs *self, uint64_t now_wall_us)
{
	const struct demo_job_order order = {
		.name = SLICE("scheduled: new sequences of the day"),
		.program = programs[demo_dice_throw(&self->dice, 5)],
		.database = databases[demo_dice_throw(&self->dice, 5)],
	};
	const struct demo_job *job = demo_jobs_submit(self, &order, now_wall_us);

	assert(job != NULL); /* nothing runs or waits, so there is room */
	(void)job;
}

void demo_jobs_tick(
	struct demo_jobs *self, uint64_t now_wall_us, demo_job_changed_fn changed, void *context)
{
	unsigned running = 0;
	size_t at;

	for (at = 0; at < self->count; at++) {
		struct demo_job *job = &self->items[at];

		if (job->state == DEMO_JOB_RUNNING) {
			advance(job);
			running += job->state == DEMO_JOB_RUNNING;
			if (job->state != DEMO_JOB_RUNNING) {
				changed(context, job);
			}
		}
	}
	for (at = self->count; at-- > 0 && running < DEMO_JOBS_RUNNING_MAX;) { /* oldest first */
		if (self->items[at].state == DEMO_JOB_QUEUED) {
			self->items[at].state = DEMO_JOB_RUNNING;
			running++;
			changed(context, &self->items[at]);
		}
	}
	self->idle_ticks = running == 0 ? self->idle_ticks + 1 : 0;
	if (self->idle_ticks == DEMO_JOBS_IDLE_TICKS) {
		submit_nightly(self, now_wall_us);
		changed(context, &self->items[0]);
	}
}

void demo_jobs_init(struct demo_jobs *self, uint64_t now_wall_us)
{
	static const struct demo_job_order orders[] = {
		{SLICE_INIT("kinase domain survey"), "blastp", "swissprot"},
		{SLICE_INIT("contig 0417 against everything"), "blastn", "nt"},
		{SLICE_INIT("membrane proteins, batch 12"), "blastp", "nr"},
		{SLICE_INIT("spike variants of the week"), "tblastn", "nt"},
	};

	*self = (struct demo_jobs){.last_number = FIRST_NUMBER - 1, .dice = DEMO_DICE_SEED};
	for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint64_t ago_us = (sizeof(orders) / sizeof(orders[0]) - i) * 97 * 1000000ULL;

		(void)demo_jobs_submit(self, &orders[i], now_wall_us - ago_us);
	}
	self->items[3].state = DEMO_JOB_SUCCEEDED;
	self->items[3].progress = 100;
	self->items[2].state = DEMO_JOB_RUNNING;
	self->items[2].progress = 58;
	self->items[1].state = DEMO_JOB_RUNNING;
	self->items[1].progress = 21;
}

/* --- as JSON */

void demo_job_write(const struct demo_job *job, struct json *json)
{
	char id[DEMO_JOB_ID_SIZE];
	char time[CLOCK_RFC3339_SIZE];

	json_begin_object(json);
	json_key(json, "id");
	json_text(json, slice_of(id, demo_job_id(job, id)));
	json_key(json, "name");
	json_text(json, slice_of(job->name, job->name_len));
	json_key(json, "program");
	json_cstring(json, job->program);
	json_key(json, "database");
	json_cstring(json, job->database);
	json_key(json, "state");
	json_cstring(json, state_names[job->state]);
	json_key(json, "progress");
	json_u64(json, job->progress);
	json_key(json, "submitted_at");
	json_text(json, slice_of(time, clock_format_rfc3339(job->submitted_wall_us, time)));
	json_end_object(json);
}

void demo_jobs_write(const struct demo_jobs *self, struct json *json)
{
	json_begin_object(json);
	json_key(json, "running");
	json_u64(json, demo_jobs_count(self, DEMO_JOB_RUNNING));
	json_key(json, "queued");
	json_u64(json, demo_jobs_count(self, DEMO_JOB_QUEUED));
	json_key(json, "jobs");
	json_begin_array(json);
	for (size_t i = 0; i < self->count; i++) {
		demo_job_write(&self->items[i], json);
	}
	json_end_array(json);
	json_end_object(json);
}
