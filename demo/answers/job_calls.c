/*
 * Layer: demo. One job: submit and remove jobs: POST /api/blast/jobs, DELETE /api/blast/jobs/{id}.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "demo/answers/kinds.h"
#include "demo/json_object.h"
#include "demo/reply.h"
#include "demo/service.h"

enum {
	BODY_MAX = 16 * 1024,
};

static const struct slice no_fields = {.ptr = NULL, .len = 0};

/* --- submit */

struct submit {
	struct demo_answer base;
	struct buffer body; /* at most BODY_MAX */
};

/* What the document says. */
struct wanted {
	struct buffer name;
	bool name_there;
	const char *program; /* NULL: one that we do not know */
	const char *database;
};

static struct submit *submit_of(struct demo_answer *answer)
{
	return container_of(answer, struct submit, base);
}

static void data_submit(struct demo_answer *answer, struct slice bytes)
{
	struct submit *self = submit_of(answer);

	if (bytes.len > BODY_MAX - self->body.len) {
		demo_reply_problem(answer->client, answer->request, 413,
			"a job takes no more than 16 KiB to describe", no_fields);
		return;
	}
	buffer_append_slice(&self->body, bytes);
}

static void take_member(void *context, struct slice key, const struct slice *text)
{
	struct wanted *wanted = context;

	if (slice_equal(key, SLICE("name"))) {
		wanted->name_there = text != NULL;
		buffer_clear(&wanted->name);
		buffer_append_slice(&wanted->name, text == NULL ? no_fields : *text);
	} else if (slice_equal(key, SLICE("program"))) {
		wanted->program = text == NULL ? NULL : demo_job_program(*text);
	} else if (slice_equal(key, SLICE("database"))) {
		wanted->database = text == NULL ? NULL : demo_job_database(*text);
	}
}

/* Checks a document that was well formed. NULL where all is in order, else what is not. */
static const char *find_fault(const struct wanted *wanted)
{
	if (!wanted->name_there || wanted->name.len == 0) {
		return "name: a job needs a name, a text that is not empty";
	}
	if (wanted->name.len > DEMO_JOB_NAME_MAX) {
		return "name: at most 80 bytes";
	}
	if (wanted->program == NULL) {
		return "program: blastp, blastn, blastx, tblastn or tblastx";
	}
	if (wanted->database == NULL) {
		return "database: nr, nt, refseq_protein, swissprot or pdb";
	}
	return NULL;
}

static void reply_created(struct demo_answer *answer, const struct demo_job *job)
{
	struct buffer body = BUFFER_INIT;
	struct buffer location = BUFFER_INIT;
	char id[DEMO_JOB_ID_SIZE];
	struct json json;

	buffer_append_str(&location, "Location: /api/blast/jobs/");
	buffer_append(&location, id, demo_job_id(job, id));
	buffer_append_str(&location, "\r\n");
	json_init(&json, &body);
	demo_job_write(job, &json);
	demo_reply_json(answer->client, 201, &body, buffer_slice(&location));
	buffer_fini(&location);
}

static void submit(struct demo_answer *answer, const struct wanted *wanted)
{
	const struct demo_job_order order = {
		.name = buffer_slice(&wanted->name),
		.program = wanted->program,
		.database = wanted->database,
	};
	const struct demo_job *job =
		demo_jobs_submit(&answer->service->jobs, &order, clock_wall_us());

	if (job == NULL) {
		demo_reply_problem(answer->client, answer->request, 429,
			"as many jobs wait as there may be", SLICE("Retry-After: 10\r\n"));
		return;
	}
	reply_created(answer, job);
	demo_service_tell_job(answer->service, job, "was submitted");
}

static void end_submit(struct demo_answer *answer)
{
	struct submit *self = submit_of(answer);
	struct wanted wanted = {.program = "blastp", .database = "nr"};
	struct err err = ERR_INIT;
	const char *fault;

	if (demo_json_read_object(buffer_slice(&self->body), take_member, &wanted, &err) !=
		ERR_NONE) {
		fault = err.text;
	} else {
		fault = find_fault(&wanted);
	}
	if (fault != NULL) {
		demo_reply_problem(answer->client, answer->request, 400, fault, no_fields);
	} else {
		submit(answer, &wanted);
	}
	buffer_fini(&wanted.name);
}

static void fini_submit(struct demo_answer *answer)
{
	buffer_fini(&submit_of(answer)->body);
}

const struct demo_answer_kind demo_job_submit = {
	.size = sizeof(struct submit),
	.data = data_submit,
	.end = end_submit,
	.fini = fini_submit,
};

/* --- delete */

static void end_delete(struct demo_answer *answer)
{
	struct demo_jobs *jobs = &answer->service->jobs;
	const struct demo_job *job = demo_jobs_find(jobs, answer->request->rest);

	if (job == NULL) {
		demo_reply_problem(
			answer->client, answer->request, 404, "no job has that ID", no_fields);
		return;
	}
	demo_service_tell_job(answer->service, job, "was removed");
	demo_jobs_remove(jobs, job);
	demo_reply_nothing(answer->client);
}

const struct demo_answer_kind demo_job_delete = {
	.size = sizeof(struct demo_answer),
	.end = end_delete,
};
