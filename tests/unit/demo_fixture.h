/*
 * For the unit tests of the demo. One job: a demo that runs, and a client that blocks, reads
 * answers and fails the test where there is none.
 */
#ifndef SIGHTGLASS_TESTS_DEMO_FIXTURE_H
#define SIGHTGLASS_TESTS_DEMO_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct demo_answer_read {
	unsigned status;
	struct buffer head; /* both with a NUL that len does not count */
	struct buffer body;
	bool whole; /* as long as its head says */
};

int demo_fixture_setup(void **state);
int demo_fixture_teardown(void **state);
/* Ends the demo before the test does. */
void demo_fixture_stop(void);

/* A connection, which the test closes. */
int dial(void);
/* One whose receive buffer is as small as the system allows. */
int dial_narrow(void);
void say(int fd, const char *text);
void say_bytes(int fd, const void *bytes, size_t len);
/* `fields` are whole lines; `body` NULL: none. */
void say_request(
	int fd, const char *method, const char *target, const char *fields, const char *body);

/* True where nothing more comes. */
bool ends(int fd);
/* Appends what comes, up to and with `mark`; false where it ends before. */
bool read_until(int fd, const char *mark, struct buffer *out);
/* The head alone, and the whole answer, which has a Content-Length. drop() frees either. */
struct demo_answer_read read_head(int fd);
struct demo_answer_read read_answer(int fd);
void drop(struct demo_answer_read *answer);
uint64_t length_of(const struct demo_answer_read *answer);

struct demo_answer_read ask(int fd, const char *method, const char *target, const char *body);
unsigned status_of(int fd, const char *method, const char *target, const char *body);
/* What /api/_counters says of that name. */
uint64_t counted(int fd, const char *name);
void expect_in(const char *text, const char *part);

#endif
