/*
 * Layer: base. One job: what one event loop's objects share: the libuv loop, the read buffer, the
 * timer wheel, the clock, the arenas' spare blocks, and the end of a turn.
 *
 * A turn is one callback from libuv. What it makes ready waits in a queue and runs when the
 * callback has returned into loop_settle(): so no event is ever delivered from inside a call down,
 * and nobody is freed under its caller's feet. What it writes to streams is gathered and leaves at
 * the turn's end by one system call a stream. Bytes that were read live until then.
 *
 * Everything here belongs to the loop's thread, but for loop_post().
 */
#ifndef SIGHTGLASS_BASE_LOOP_H
#define SIGHTGLASS_BASE_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/timer.h"

enum {
	/*
	 * What is read at once leaves at once, with a head that has grown a little or a chunk's
	 * framing around it. Together they have to stay below a segment of the loopback interface
	 * (an MTU of 64 KiB less the headers: 65464 bytes over IPv6), or below two: 64 KiB leave as
	 * one segment and a runt of some bytes, which was measured to double what 1 MiB costs.
	 *
	 * Two, so that a body of 64 KiB comes and goes at once with its head: two system calls
	 * less. Where a read has filled the buffer more is coming; then one, which is cheaper for a
	 * long body (a second segment right behind the first waits for its turn where the system
	 * paces), and half as much to keep where the other side is slow.
	 */
	LOOP_READ_BUFFER_SIZE = 126 * 1024,
	LOOP_READ_ON_SIZE = 63 * 1024,
	LOOP_HEADROOM_SIZE = 1024, /* before the read buffer: see join_before() in stream.c */
};

struct loop_garbage;
struct names;
struct task;
typedef void (*task_fn)(struct task *task);

/* Something to do soon. Embedded in its owner; in one queue at most. */
struct task {
	struct list node;
	task_fn run;
};

/* A task for another thread's loop. Embedded in its owner, who leaves it alone until it has run. */
struct message {
	struct list node;
	void (*run)(struct message *message);
};

struct loop {
	uv_loop_t uv;
	char *read_memory;
	char *read_buffer; /* LOOP_READ_BUFFER_SIZE; whatever any stream read this turn. Within
			      read_memory, behind LOOP_HEADROOM_SIZE bytes */
	struct arena_pool arenas;
	char *text; /* what a TLS stream's records held, of the last read; NULL before the
		       first */
	struct buffer records;        /* what a TLS stream is about to send */
	struct loop_garbage *garbage; /* heap memory to free at the end of this turn */
	struct arena scratch;         /* emptied at the end of each turn */
	struct list ready;            /* tasks for the end of this turn */
	struct list settled; /* tasks for when this turn's writes have left or were copied */
	struct list later;   /* tasks for the next iteration, after I/O was polled for */
	struct list flushes; /* tasks that write out what was gathered this turn */
	struct timer_wheel timers;
	uv_timer_t wheel_timer; /* armed for the wheel's next deadline */
	uint64_t armed_for_ms;  /* UINT64_MAX while it is not armed */
	uv_idle_t idle;         /* runs while `later` holds something */
	uv_async_t wakeup;      /* tells of posted messages */
	pthread_mutex_t posted_lock;
	struct list posted;
	struct names *names; /* see names.h; NULL while nothing is looked up */
	uint64_t turn_us;    /* clock_now_us(), read once per turn at first use; 0 = not yet */
	bool settling;
};

/* 0, or a negative libuv error. */
int loop_init(struct loop *loop);
/* Runs until every handle but the loop's own is closed, or loop_stop() is called. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Closes the loop's own handles; every other must be closed by then. */
void loop_fini(struct loop *loop);

/* To be called last in every callback from libuv: runs ready tasks and flushes streams, until
 * neither is left. */
void loop_settle(struct loop *loop);

void task_init(struct task *task, task_fn run);
/* Runs the task at the end of this turn; a task that is queued already stays where it is. */
void loop_ready(struct loop *loop, struct task *task);
/* Runs the task when no ready one is left: for whoever gathers what is written in a turn. */
void loop_flush(struct loop *loop, struct task *task);
/* Runs the task once what was written this turn has left, or was copied: the moment from which
 * borrowed bytes may be freed. */
void loop_settled(struct loop *loop, struct task *task);
/* Frees memory of mem_alloc's at that same moment. NULL is harmless. */
void loop_free_settled(struct loop *loop, void *memory);
/* Runs the task in the loop's next iteration: long work goes on in slices this way, and I/O comes
 * between them. */
void loop_later(struct loop *loop, struct task *task);
/* Harmless on a task that is not queued. */
void task_cancel(struct task *task);

/* Any thread: runs the message on the loop's thread. It must outlive its run; the loop must not be
 * finished. */
void loop_post(struct loop *loop, struct message *message);

/* Monotonic microseconds, read at most once per turn. For what an exchange itself reports, this is
 * exact enough: a turn is one callback. */
uint64_t loop_now_us(struct loop *loop);
static inline uint64_t loop_now_ms(struct loop *loop)
{
	return loop_now_us(loop) / 1000;
}

void loop_timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop *loop, struct timer *timer);

/* Memory until the end of this turn: for bytes that are written to a stream. Never NULL; the caller
 * bounds `size`. */
void *loop_scratch(struct loop *loop, size_t size);

#endif
