/*
 * Layer: demo. One job: name the kinds of answers that the routes choose from. Each is in the file
 * that its comment names.
 */
#ifndef SIGHTGLASS_DEMO_ANSWERS_KINDS_H
#define SIGHTGLASS_DEMO_ANSWERS_KINDS_H

#include "demo/answer.h"

/* documents.c: JSON that is there at once */
extern const struct demo_answer_kind demo_cluster_state; /* polled; mostly the same */
extern const struct demo_answer_kind demo_cluster_get;
extern const struct demo_answer_kind demo_me;       /* polled; always the same */
extern const struct demo_answer_kind demo_job_list; /* polled; changes with the jobs */
extern const struct demo_answer_kind demo_job_get;
extern const struct demo_answer_kind demo_counters_get;
/* job_calls.c */
extern const struct demo_answer_kind demo_job_submit;
extern const struct demo_answer_kind demo_job_delete;
/* reports.c: a list that takes its time */
extern const struct demo_answer_kind demo_reports;
/* failures.c */
extern const struct demo_answer_kind demo_billing; /* 500 */
extern const struct demo_answer_kind demo_export;  /* closes without an answer */
extern const struct demo_answer_kind demo_archive; /* breaks off within its body */
extern const struct demo_answer_kind demo_nothing; /* 404, or 405 with Allow */
/* event_stream.c: Server-Sent Events */
extern const struct demo_answer_kind demo_event_stream;
/* console.c: a WebSocket */
extern const struct demo_answer_kind demo_console;
/* transfers.c: large bodies, each way */
extern const struct demo_answer_kind demo_download;
extern const struct demo_answer_kind demo_upload;
/* files.c: the page */
extern const struct demo_answer_kind demo_file;

#endif
