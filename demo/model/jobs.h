/*
 * Layer: demo. One job: the sample API's jobs: submitted, queued, run two at a time, ended. Without
 * clock and I/O: whoever owns them says when a second has passed.
 */
#ifndef SIGHTGLASS_DEMO_MODEL_JOBS_H
#define SIGHTGLASS_DEMO_MODEL_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/slice.h"

enum {
	DEMO_JOBS_MAX = 20, /* beyond these the oldest that has ended goes */
	DEMO_JOBS_RUNNING_MAX = 2,
	DEMO_JOBS_IDLE_TICKS = 20, /* so long after the last one ended, one comes by itself */
	DEMO_JOB_NAME_MAX = 80,    /* bytes, UTF-8 */
	DEMO_JOB_ID_SIZE = 16,     /* "job-" and the number */
};

enum demo_job_state {
	DEMO_JOB_QUEUED,
	DEMO_JOB_RUNNING,
	DEMO_JOB_SUCCEEDED,
	DEMO_JOB_FAILED,
};

struct demo_job {
	uint32_t number;
	enum demo_job_state state;
	unsigned progress; /* percent */
	unsigned pace;     /* percent a second, where it runs */
	unsigned fails_at; /* percent; 0 = never */
	const char *program;
	const char *database;
	uint64_t submitted_wall_us;
	size_t name_len;
	char name[DEMO_JOB_NAME_MAX];
};

struct demo_jobs {
	struct demo_job items[DEMO_JOBS_MAX]; /* the newest first */
	size_t count;
	uint32_t last_number;
	unsigned idle_ticks;
	uint32_t dice;
};

/* What is asked for; the API's own names only, checked by demo_job_program() and …_database(). */
struct demo_job_order {
	struct slice name; /* 1 to DEMO_JOB_NAME_MAX bytes */
	const char *program;
	const char *database;
};

typedef void (*demo_job_changed_fn)(void *context, const struct demo_job *job);

/* Some jobs are there from the start: `now_wall_us` is then. */
void demo_jobs_init(struct demo_jobs *jobs, uint64_t now_wall_us);
/* A second has passed; `changed` is told each job that is in another state now. */
void demo_jobs_tick(
	struct demo_jobs *jobs, uint64_t now_wall_us, demo_job_changed_fn changed, void *context);
/* The new job, until the next call; NULL where all DEMO_JOBS_MAX are still to be done. */
const struct demo_job *demo_jobs_submit(
	struct demo_jobs *jobs, const struct demo_job_order *order, uint64_t now_wall_us);
/* By its ID, as demo_job_id() gives it; NULL where there is none. */
const struct demo_job *demo_jobs_find(const struct demo_jobs *jobs, struct slice id);
/* Takes a job of the list away, whatever its state. */
void demo_jobs_remove(struct demo_jobs *jobs, const struct demo_job *job);
unsigned demo_jobs_count(const struct demo_jobs *jobs, enum demo_job_state state);

/* The name as the API knows it, or NULL. */
const char *demo_job_program(struct slice name);
const char *demo_job_database(struct slice name);
/* "job-1007"; returns its length. */
size_t demo_job_id(const struct demo_job *job, char out[static DEMO_JOB_ID_SIZE]);

/* {"running", "queued", "jobs": […]}, the newest first. */
void demo_jobs_write(const struct demo_jobs *jobs, struct json *json);
void demo_job_write(const struct demo_job *job, struct json *json);

#endif
