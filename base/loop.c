/*
 * Layer: base. One job: the event loop's shared parts and the end of a turn; see loop.h.
 */
#include "base/loop.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	SPARE_ARENA_BLOCKS = 256, /* 1 MiB a loop: what a burst leaves behind at most */
};

/* A heap block that is borrowed until the end of the turn; in the scratch memory. */
struct loop_garbage {
	struct loop_garbage *next;
	void *memory;
};

static void run_tasks(struct list *tasks)
{
	struct list *node;

	while ((node = list_pop_front(tasks)) != NULL) {
		struct task *task = container_of(node, struct task, node);
		task->run(task);
	}
}

/* Runs those that are queued now; what they queue there again, or anew, waits for the next time. */
static void run_tasks_once(struct list *tasks)
{
	struct list now = LIST_INIT(now);

	list_each (node, after, tasks) {
		list_remove(node);
		list_push_back(&now, node);
	}
	run_tasks(&now);
}

static void arm(struct loop *loop, uint64_t now_ms, uint64_t delay_ms);

static void on_wheel_timer(uv_timer_t *timer)
{
	struct loop *loop = timer->data;
	uint64_t delay_ms;

	loop->armed_for_ms = UINT64_MAX;
	timer_wheel_advance(&loop->timers, loop_now_ms(loop));
	delay_ms = timer_wheel_next_ms(&loop->timers, loop_now_ms(loop));
	if (delay_ms != UINT64_MAX) {
		arm(loop, loop_now_ms(loop), delay_ms);
	}
	loop_settle(loop);
}

static void arm(struct loop *loop, uint64_t now_ms, uint64_t delay_ms)
{
	if (now_ms + delay_ms >= loop->armed_for_ms) {
		return;
	}
	loop->armed_for_ms = now_ms + delay_ms;
	(void)uv_timer_start(&loop->wheel_timer, on_wheel_timer, delay_ms, 0);
}

static void on_idle(uv_idle_t *idle)
{
	struct loop *loop = idle->data;

	run_tasks_once(&loop->later);
	if (list_empty(&loop->later)) {
		(void)uv_idle_stop(idle);
	}
	loop_settle(loop);
}

static void on_wakeup(uv_async_t *wakeup)
{
	struct loop *loop = wakeup->data;

	for (;;) {
		struct list *node;

		pthread_mutex_lock(&loop->posted_lock);
		node = list_pop_front(&loop->posted);
		pthread_mutex_unlock(&loop->posted_lock);
		if (node == NULL) {
			break;
		}
		struct message *message = container_of(node, struct message, node);
		message->run(message);
	}
	loop_settle(loop);
}

int loop_init(struct loop *loop)
{
	int rc;

	*loop = (struct loop){.armed_for_ms = UINT64_MAX};
	rc = uv_loop_init(&loop->uv);
	if (rc < 0) {
		return rc;
	}
	rc = uv_async_init(&loop->uv, &loop->wakeup, on_wakeup);
	if (rc < 0) {
		(void)uv_loop_close(&loop->uv);
		return rc;
	}
	(void)uv_timer_init(&loop->uv, &loop->wheel_timer); /* these two cannot fail */
	(void)uv_idle_init(&loop->uv, &loop->idle);
	loop->wakeup.data = loop;
	loop->wheel_timer.data = loop;
	loop->idle.data = loop;
	/* The loop's own handles do not keep it running. */
	uv_unref((uv_handle_t *)&loop->wakeup);
	uv_unref((uv_handle_t *)&loop->wheel_timer);
	uv_unref((uv_handle_t *)&loop->idle);

	list_init(&loop->ready);
	list_init(&loop->settled);
	list_init(&loop->later);
	list_init(&loop->flushes);
	list_init(&loop->posted);
	pthread_mutex_init(&loop->posted_lock, NULL);
	timer_wheel_init(&loop->timers, clock_now_us() / 1000);
	arena_pool_init(&loop->arenas, SPARE_ARENA_BLOCKS);
	arena_init(&loop->scratch, &loop->arenas, SIZE_MAX);
	loop->read_memory = mem_alloc(LOOP_HEADROOM_SIZE + LOOP_READ_BUFFER_SIZE);
	loop->read_buffer = loop->read_memory + LOOP_HEADROOM_SIZE;
	return 0;
}

void loop_run(struct loop *loop)
{
	loop_settle(loop); /* what was made ready before the first callback */
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void loop_fini(struct loop *loop)
{
	int rc;

	assert(loop->names == NULL);
	uv_close((uv_handle_t *)&loop->wakeup, NULL);
	uv_close((uv_handle_t *)&loop->wheel_timer, NULL);
	uv_close((uv_handle_t *)&loop->idle, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	rc = uv_loop_close(&loop->uv);
	assert(rc == 0); /* a handle was left open: our mistake */
	(void)rc;
	arena_reset(&loop->scratch);
	arena_pool_fini(&loop->arenas);
	pthread_mutex_destroy(&loop->posted_lock);
	mem_free(loop->read_memory);
	mem_free(loop->text);
	buffer_fini(&loop->records);
}

void loop_settle(struct loop *loop)
{
	assert(!loop->settling); /* libuv calls nothing from inside our calls */
	loop->settling = true;
	do {
		run_tasks(&loop->ready);
		run_tasks(&loop->flushes);
		/* What one of these writes has to leave before what it asks for here. */
		run_tasks_once(&loop->settled);
	} while (!list_empty(&loop->ready) || !list_empty(&loop->flushes) ||
		 !list_empty(&loop->settled));
	for (; loop->garbage != NULL; loop->garbage = loop->garbage->next) {
		mem_free(loop->garbage->memory);
	}
	arena_reset(&loop->scratch);
	loop->turn_us = 0;
	loop->settling = false;
}

void task_init(struct task *task, task_fn run)
{
	list_init(&task->node);
	task->run = run;
}

void loop_ready(struct loop *loop, struct task *task)
{
	if (list_empty(&task->node)) {
		list_push_back(&loop->ready, &task->node);
	}
}

void loop_flush(struct loop *loop, struct task *task)
{
	if (list_empty(&task->node)) {
		list_push_back(&loop->flushes, &task->node);
	}
}

void loop_settled(struct loop *loop, struct task *task)
{
	if (list_empty(&task->node)) {
		list_push_back(&loop->settled, &task->node);
	}
}

void loop_free_settled(struct loop *loop, void *memory)
{
	struct loop_garbage *garbage;

	if (memory != NULL) {
		garbage = loop_scratch(loop, sizeof(*garbage));
		garbage->memory = memory;
		garbage->next = loop->garbage;
		loop->garbage = garbage;
	}
}

void loop_later(struct loop *loop, struct task *task)
{
	if (!list_empty(&task->node)) {
		return;
	}
	list_push_back(&loop->later, &task->node);
	(void)uv_idle_start(&loop->idle, on_idle);
}

void task_cancel(struct task *task)
{
	list_remove(&task->node);
}

void loop_post(struct loop *loop, struct message *message)
{
	pthread_mutex_lock(&loop->posted_lock);
	list_push_back(&loop->posted, &message->node);
	pthread_mutex_unlock(&loop->posted_lock);
	(void)uv_async_send(&loop->wakeup);
}

uint64_t loop_now_us(struct loop *loop)
{
	if (loop->turn_us == 0) {
		loop->turn_us = clock_now_us();
	}
	return loop->turn_us;
}

void loop_timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
	uint64_t now_ms = loop_now_ms(loop);

	timer_start(&loop->timers, timer, now_ms, delay_ms);
	/* A deadline that comes no sooner than what is armed costs nothing; one that is stopped
	 * early leaves a spare wake-up. */
	arm(loop, now_ms, delay_ms + TIMER_TICK_MS);
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	timer_stop(&loop->timers, timer);
}

void *loop_scratch(struct loop *loop, size_t size)
{
	void *memory = arena_alloc(&loop->scratch, size);

	assert(memory != NULL); /* the scratch arena has no bound */
	return memory;
}
