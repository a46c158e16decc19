/*
 * What must hold of any input: each check ends the process where it does not. The fuzzers call them
 * with what they make up, `fuzz_replay` with the files of corpus/.
 */
#ifndef SIGHTGLASS_TESTS_FUZZ_CHECK_H
#define SIGHTGLASS_TESTS_FUZZ_CHECK_H

#include "base/slice.h"

/* A head gives the same result however it is cut, and reads the same when it is written again. */
void check_head(struct slice input);
/* So does a body. */
void check_body(struct slice input);
/*
 * A path has one normal form; targets, hosts and prefixes that are accepted are what they should
 * be.
 */
void check_target(struct slice input);
/* Whatever a peer sends in its handshake, TLS goes on or fails once and for all; however it is cut.
 */
void check_tls(struct slice input);
/* A WebSocket and a stream of events tell the same messages however they are cut, none longer than
 * what was fed. */
void check_websocket(struct slice input);
void check_event_stream(struct slice input);
/*
 * What is redacted is the same however the body is cut, and a secret behind anything at all stays
 * hidden.
 */
void check_redact_body(struct slice input);
/* What is decoded is the same however it is cut, and within its bound. */
void check_decode(struct slice input);

#endif
