/*
 * Layer: demo (sees base and http; seen by main.c). One job: run the sample dashboard and its API
 * behind `--demo`, in a thread and a loop of their own, so that the proxy has an upstream to show.
 */
#ifndef SIGHTGLASS_DEMO_DEMO_H
#define SIGHTGLASS_DEMO_DEMO_H

#include <stdint.h>

#include "base/err.h"

struct demo;

/*
 * Listens on a free port of 127.0.0.1, and answers from when this returns. NULL, with the reason in
 * `err` (ERR_SYSTEM), where that failed. The caller ends it with demo_stop().
 */
struct demo *demo_start(struct err *err);
/* In host byte order; stays the same as long as the demo runs. Any thread. */
uint16_t demo_port(const struct demo *demo);
/* Ends every connection and the thread, waits for that, and frees all. NULL is harmless. */
void demo_stop(struct demo *demo);

#endif
