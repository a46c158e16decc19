/*
 * Layer: demo. One job: answers that are a JSON document made of what the service knows.
 */
#include "base/json.h"
#include "demo/answers/kinds.h"
#include "demo/reply.h"
#include "demo/service.h"

static void reply(struct demo_answer *answer, struct buffer *body)
{
	demo_reply_json(answer->client, 200, body, slice_of(NULL, 0));
}

static void end_cluster_state(struct demo_answer *answer)
{
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	demo_clusters_write(&answer->service->clusters, &json);
	reply(answer, &body);
}

static void end_cluster(struct demo_answer *answer)
{
	const struct demo_cluster *cluster =
		demo_clusters_find(&answer->service->clusters, answer->request->rest);
	struct buffer body = BUFFER_INIT;
	struct json json;

	if (cluster == NULL) {
		demo_reply_problem(answer->client, answer->request, 404, "no cluster has that name",
			slice_of(NULL, 0));
		return;
	}
	json_init(&json, &body);
	demo_cluster_write(cluster, &json);
	reply(answer, &body);
}

static void end_me(struct demo_answer *answer)
{
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	json_begin_object(&json);
	json_key(&json, "name");
	json_cstring(&json, "Ines Duarte");
	json_key(&json, "email");
	json_cstring(&json, "ines@example.com");
	json_key(&json, "role");
	json_cstring(&json, "operator");
	json_end_object(&json);
	reply(answer, &body);
}

static void end_job_list(struct demo_answer *answer)
{
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	demo_jobs_write(&answer->service->jobs, &json);
	reply(answer, &body);
}

static void end_job(struct demo_answer *answer)
{
	const struct demo_job *job = demo_jobs_find(&answer->service->jobs, answer->request->rest);
	struct buffer body = BUFFER_INIT;
	struct json json;

	if (job == NULL) {
		demo_reply_problem(answer->client, answer->request, 404, "no job has that ID",
			slice_of(NULL, 0));
		return;
	}
	json_init(&json, &body);
	demo_job_write(job, &json);
	reply(answer, &body);
}

static void end_counters(struct demo_answer *answer)
{
	const struct demo_counters *counters = &answer->service->counters;
	struct buffer body = BUFFER_INIT;
	struct json json;

	json_init(&json, &body);
	json_begin_object(&json);
	json_key(&json, "connections");
	json_u64(&json, counters->connections);
	json_key(&json, "connections_open");
	json_u64(&json, answer->service->client_count);
	json_key(&json, "most_queued_bytes");
	json_u64(&json, counters->most_queued);
	json_key(&json, "calls");
	json_begin_object(&json);
	for (unsigned i = 0; i < DEMO_ROUTES; i++) {
		struct buffer name = BUFFER_INIT;

		demo_route_name(&demo_routes[i], &name);
		json_key_slice(&json, buffer_slice(&name));
		json_u64(&json, counters->calls[i]);
		buffer_fini(&name);
	}
	json_key(&json, "other");
	json_u64(&json, counters->unknown);
	json_end_object(&json);
	json_end_object(&json);
	reply(answer, &body);
}

const struct demo_answer_kind demo_cluster_state = {
	.size = sizeof(struct demo_answer),
	.end = end_cluster_state,
};
const struct demo_answer_kind demo_cluster_get = {
	.size = sizeof(struct demo_answer),
	.end = end_cluster,
};
const struct demo_answer_kind demo_me = {
	.size = sizeof(struct demo_answer),
	.end = end_me,
};
const struct demo_answer_kind demo_job_list = {
	.size = sizeof(struct demo_answer),
	.end = end_job_list,
};
const struct demo_answer_kind demo_job_get = {
	.size = sizeof(struct demo_answer),
	.end = end_job,
};
const struct demo_answer_kind demo_counters_get = {
	.size = sizeof(struct demo_answer),
	.end = end_counters,
};
