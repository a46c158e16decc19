/*
 * Layer: inspector (sees base, http, proxy). One job: what the inspector answers below its prefix
 * (INTERFACE section 4): finds the resource by path and method, asks who may look, and calls the
 * resource's handler.
 */
#ifndef SIGHTGLASS_INSPECTOR_API_H
#define SIGHTGLASS_INSPECTOR_API_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "inspector/access.h"
#include "inspector/answer.h"
#include "inspector/marks.h"
#include "inspector/redact.h"
#include "inspector/statistics.h"
#include "inspector/store.h"

/* What the resources stand on. Immutable while workers run. */
struct api {
	struct slice prefix; /* "/_inspector" */
	struct access_rules access;
	struct capture_store *store; /* NULL where there is no inspector: admin listeners alone */
	const struct redactor *redactor;
	const char *frame_ancestors;  /* as a Content-Security-Policy has them */
	const char *const *addresses; /* what is listened on, as the list's "server" shows it */
	size_t address_count;
	uint64_t capture_body; /* capture.body */
	struct statistics *statistics;
	struct marks *marks;        /* NULL where there is no inspector */
	struct slice configuration; /* the settings in effect, as YAML, secrets hidden */
	uint64_t started_wall_us;   /* when the process began */
};

/* One request for a resource. */
struct api_call {
	const struct api *api;
	struct answer *answer;
	struct exchange *exchange;
	struct slice query;    /* of the URL, as it was written */
	struct slice argument; /* the part of the path that '*' stands for, as it was written */
};

/* Answers an exchange below the prefix. */
void api_answer(const struct api *api, struct answer *answer);
/* Answers an exchange of an admin listener: /metrics, /healthz and /readyz, to everybody. */
void api_answer_admin(const struct api *api, struct answer *answer);

#endif
