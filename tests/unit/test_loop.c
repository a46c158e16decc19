/*
 * The event loop's turn: what runs when, what lives how long, and what comes from elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/memory.h"

enum {
	TEST_SECONDS = 60, /* whoever waits longer waits in vain */
	NOTES_MAX = 64,
	THREADS = 3,
	MESSAGES = 1000,
};

struct fixture;

/* A task that notes its name when it runs, and may queue others. */
struct step {
	struct task task;
	struct fixture *fixture;
	char name;
	void (*also)(struct fixture *f);
};

struct fixture {
	struct loop loop;
	uv_prepare_t keeper; /* a loop without handles does not turn */
	unsigned iterations;
	char notes[NOTES_MAX];
	unsigned count;
	struct step a, b, c, d;
};

static void note(struct fixture *f, char name)
{
	assert_true(f->count + 1 < NOTES_MAX);
	f->notes[f->count++] = name;
	f->notes[f->count] = '\0';
}

static void run_step(struct task *task)
{
	struct step *step = container_of(task, struct step, task);

	note(step->fixture, step->name);
	if (step->also != NULL) {
		step->also(step->fixture);
	}
}

static void step_init(struct step *step, struct fixture *f, char name)
{
	*step = (struct step){.fixture = f, .name = name};
	task_init(&step->task, run_step);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct fixture *f = prepare->data;

	f->iterations++;
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	alarm(TEST_SECONDS);
	assert_int_equal(loop_init(&f->loop), 0);
	assert_int_equal(uv_prepare_init(&f->loop.uv, &f->keeper), 0);
	f->keeper.data = f;
	assert_int_equal(uv_prepare_start(&f->keeper, on_prepare), 0);
	step_init(&f->a, f, 'a');
	step_init(&f->b, f, 'b');
	step_init(&f->c, f, 'c');
	step_init(&f->d, f, 'd');
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	mem_free(f);
	alarm(0);
	return 0;
}

/* One iteration, which does not wait where something is due at once. */
static void iterate(struct fixture *f)
{
	(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

/* --- the queues of a turn */

static void nothing_that_is_ready_runs_before_the_turn_ends(void **state)
{
	struct fixture *f = *state;

	loop_ready(&f->loop, &f->a.task);
	loop_ready(&f->loop, &f->b.task);
	assert_string_equal(f->notes, "");
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "ab");
}

static void a_task_that_is_queued_already_stays_where_it_is(void **state)
{
	struct fixture *f = *state;

	loop_ready(&f->loop, &f->a.task);
	loop_ready(&f->loop, &f->b.task);
	loop_ready(&f->loop, &f->a.task);
	loop_settled(&f->loop, &f->a.task);
	loop_later(&f->loop, &f->a.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "ab");
	iterate(f);
	assert_string_equal(f->notes, "ab");
}

static void a_task_may_be_queued_again_once_it_runs(void **state)
{
	struct fixture *f = *state;

	loop_ready(&f->loop, &f->a.task);
	loop_settle(&f->loop);
	loop_ready(&f->loop, &f->a.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "aa");
}

static void ready_then_flush_then_settled_whatever_the_order_of_asking(void **state)
{
	struct fixture *f = *state;

	loop_settled(&f->loop, &f->c.task);
	loop_flush(&f->loop, &f->b.task);
	loop_ready(&f->loop, &f->a.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "abc");
}

static void make_b_ready(struct fixture *f)
{
	loop_ready(&f->loop, &f->b.task);
}

static void flush_c(struct fixture *f)
{
	loop_flush(&f->loop, &f->c.task);
}

static void settle_d(struct fixture *f)
{
	loop_settled(&f->loop, &f->d.task);
}

static void what_a_ready_task_makes_ready_runs_before_anything_is_flushed(void **state)
{
	struct fixture *f = *state;

	f->a.also = make_b_ready;
	f->b.also = flush_c;
	f->c.also = settle_d;
	loop_ready(&f->loop, &f->a.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "abcd");
}

static void a_turn_ends_only_when_no_queue_holds_anything(void **state)
{
	struct fixture *f = *state;

	f->a.also = make_b_ready;
	f->b.also = flush_c;
	f->c.also = settle_d;
	loop_settled(&f->loop, &f->a.task); /* and so once more from the beginning */
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "abcd");
}

static void flush_c_and_settle_d(struct fixture *f)
{
	loop_flush(&f->loop, &f->c.task);
	loop_settled(&f->loop, &f->d.task);
}

static void what_a_settled_task_writes_leaves_before_what_it_settles_itself(void **state)
{
	struct fixture *f = *state;

	f->a.also = flush_c_and_settle_d;
	loop_settled(&f->loop, &f->a.task);
	loop_settled(&f->loop, &f->b.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "abcd");
}

static void a_cancelled_task_runs_from_no_queue(void **state)
{
	struct fixture *f = *state;

	loop_ready(&f->loop, &f->a.task);
	loop_flush(&f->loop, &f->b.task);
	loop_settled(&f->loop, &f->c.task);
	loop_later(&f->loop, &f->d.task);
	task_cancel(&f->a.task);
	task_cancel(&f->b.task);
	task_cancel(&f->c.task);
	task_cancel(&f->d.task);
	task_cancel(&f->d.task); /* harmless */
	loop_settle(&f->loop);
	iterate(f);
	iterate(f);
	assert_string_equal(f->notes, "");
}

static void cancel_b(struct fixture *f)
{
	task_cancel(&f->b.task);
}

static void a_task_may_cancel_the_next_one(void **state)
{
	struct fixture *f = *state;

	f->a.also = cancel_b;
	loop_ready(&f->loop, &f->a.task);
	loop_ready(&f->loop, &f->b.task);
	loop_ready(&f->loop, &f->c.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "ac");
	loop_later(&f->loop, &f->a.task);
	loop_later(&f->loop, &f->b.task);
	loop_later(&f->loop, &f->c.task);
	iterate(f);
	assert_string_equal(f->notes, "acac");
}

/* --- later */

static void later_is_not_in_this_turn(void **state)
{
	struct fixture *f = *state;

	loop_later(&f->loop, &f->a.task);
	loop_later(&f->loop, &f->b.task);
	loop_settle(&f->loop);
	assert_string_equal(f->notes, "");
	iterate(f);
	assert_string_equal(f->notes, "ab");
}

static void a_again_later(struct fixture *f)
{
	if (f->count < 3) {
		loop_later(&f->loop, &f->a.task);
		loop_ready(&f->loop, &f->b.task); /* ends with the turn, as ever */
	}
}

static void what_asks_again_waits_for_a_further_iteration(void **state)
{
	struct fixture *f = *state;

	f->a.also = a_again_later;
	loop_later(&f->loop, &f->a.task);
	iterate(f);
	assert_string_equal(f->notes, "ab");
	iterate(f);
	assert_string_equal(f->notes, "aba");
	assert_int_equal(f->iterations, 2);
	iterate(f);
	assert_string_equal(f->notes, "aba");
}

static void a_loop_with_something_for_later_does_not_sleep_over_it(void **state)
{
	struct fixture *f = *state;

	loop_later(&f->loop, &f->a.task);
	(void)uv_run(&f->loop.uv, UV_RUN_ONCE); /* would wait for ever: there is nothing else */
	assert_string_equal(f->notes, "a");
}

/* --- what lives until the end of the turn */

struct keeping {
	struct task task;
	char *memory;
	bool whole;
};

static void look_at_it(struct task *task)
{
	struct keeping *keeping = container_of(task, struct keeping, task);

	keeping->whole = memcmp(keeping->memory, "borrowed", 8) == 0;
}

static void scratch_memory_lives_until_the_settled_tasks_have_run(void **state)
{
	struct fixture *f = *state;
	struct keeping keeping = {.whole = false};

	task_init(&keeping.task, look_at_it);
	keeping.memory = loop_scratch(&f->loop, 8);
	memcpy(keeping.memory, "borrowed", 8);
	loop_settled(&f->loop, &keeping.task);
	assert_true(f->loop.scratch.used > 0);
	loop_settle(&f->loop);
	assert_true(keeping.whole);
	assert_int_equal(f->loop.scratch.used, 0);
}

static void what_is_to_be_freed_lives_until_the_settled_tasks_have_run(void **state)
{
	struct fixture *f = *state;
	struct keeping keeping = {.whole = false};

	task_init(&keeping.task, look_at_it);
	keeping.memory = mem_alloc(8);
	memcpy(keeping.memory, "borrowed", 8);
	loop_free_settled(&f->loop, keeping.memory); /* a sanitizer tells where it was not */
	loop_free_settled(&f->loop, NULL);
	loop_settled(&f->loop, &keeping.task);
	loop_settle(&f->loop);
	assert_true(keeping.whole);
	assert_null(f->loop.garbage);
}

static void a_turn_has_one_time(void **state)
{
	struct fixture *f = *state;
	uint64_t begun = loop_now_us(&f->loop);

	while (clock_now_us() < begun + 2000) {
	}
	assert_int_equal(loop_now_us(&f->loop), begun);
	assert_int_equal(loop_now_ms(&f->loop), begun / 1000);
	loop_settle(&f->loop);
	assert_true(loop_now_us(&f->loop) >= begun + 2000);
}

/* --- messages of other threads */

struct post {
	struct message message;
	struct fixture *fixture;
	unsigned thread;
	unsigned number;
};

static pthread_t loop_thread;
static unsigned next_of[THREADS];
static unsigned arrived;
static bool in_order;

static void on_post(struct message *message)
{
	struct post *post = container_of(message, struct post, message);

	in_order = in_order && next_of[post->thread] == post->number &&
		   pthread_equal(pthread_self(), loop_thread) != 0;
	next_of[post->thread]++;
	arrived++;
	if (arrived == THREADS * MESSAGES) {
		loop_stop(&post->fixture->loop);
	}
	loop_ready(&post->fixture->loop, &post->fixture->a.task);
}

struct poster {
	pthread_t thread;
	struct fixture *fixture;
	struct post posts[MESSAGES];
};

static void *post_all(void *context)
{
	struct poster *poster = context;

	for (unsigned i = 0; i < MESSAGES; i++) {
		loop_post(&poster->fixture->loop, &poster->posts[i].message);
	}
	return NULL;
}

static void count_only(struct task *task)
{
	(void)task;
}

static void messages_of_other_threads_run_on_the_loops_thread_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct poster *posters = mem_alloc_array(THREADS, sizeof(*posters));

	memset(next_of, 0, sizeof(next_of));
	arrived = 0;
	in_order = true;
	loop_thread = pthread_self();
	task_init(&f->a.task, count_only);
	for (unsigned i = 0; i < THREADS; i++) {
		posters[i].fixture = f;
		for (unsigned j = 0; j < MESSAGES; j++) {
			posters[i].posts[j] = (struct post){
				.message.run = on_post, .fixture = f, .thread = i, .number = j};
		}
		assert_int_equal(
			pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
	}
	loop_run(&f->loop); /* it sleeps until it is told */
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(posters[i].thread, NULL);
	}
	assert_int_equal(arrived, THREADS * MESSAGES);
	assert_true(in_order);
	mem_free(posters);
}

static struct post answer;

static void post_an_answer(struct message *message)
{
	struct post *post = container_of(message, struct post, message);

	note(post->fixture, 'p');
	if (post != &answer) {
		loop_post(&post->fixture->loop, &answer.message);
	}
}

static void a_message_may_post_another_one(void **state)
{
	struct fixture *f = *state;
	struct post first = {.message.run = post_an_answer, .fixture = f};

	answer = first;
	loop_post(&f->loop, &first.message);
	assert_string_equal(f->notes, "");
	while (f->count < 2) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	assert_string_equal(f->notes, "pp");
}

/* --- timers */

struct alarm_clock {
	struct timer timer;
	struct fixture *fixture;
	char name;
	unsigned again;
	uint64_t fired_ms;
};

static void on_alarm(struct timer *timer)
{
	struct alarm_clock *clock = container_of(timer, struct alarm_clock, timer);

	note(clock->fixture, clock->name);
	clock->fired_ms = loop_now_ms(&clock->fixture->loop);
	if (clock->again > 0) {
		clock->again--;
		loop_timer_start(&clock->fixture->loop, timer, 1);
	}
}

static void alarm_init(struct alarm_clock *clock, struct fixture *f, char name)
{
	*clock = (struct alarm_clock){.fixture = f, .name = name};
	timer_init(&clock->timer, on_alarm);
}

static void run_until_noted(struct fixture *f, unsigned count)
{
	loop_settle(&f->loop);
	while (f->count < count) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
}

static void timers_fire_in_the_order_of_their_deadlines_and_none_early(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock late, soon;
	uint64_t begun_ms = loop_now_ms(&f->loop);

	alarm_init(&late, f, 'l');
	alarm_init(&soon, f, 's');
	loop_timer_start(&f->loop, &late.timer, 60);
	loop_timer_start(&f->loop, &soon.timer, 20); /* the loop is armed for the later one */
	run_until_noted(f, 2);
	assert_string_equal(f->notes, "sl");
	assert_true(soon.fired_ms >= begun_ms + 20);
	assert_true(late.fired_ms >= begun_ms + 60);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock stopped, fires;

	alarm_init(&stopped, f, 'x');
	alarm_init(&fires, f, 'f');
	loop_timer_start(&f->loop, &stopped.timer, 10);
	loop_timer_start(&f->loop, &fires.timer, 40);
	loop_timer_stop(&f->loop, &stopped.timer);
	run_until_noted(f, 1);
	assert_string_equal(f->notes, "f");
}

static void a_timer_that_is_moved_fires_once_at_its_new_time(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock moved, marks;
	uint64_t begun_ms = loop_now_ms(&f->loop);

	alarm_init(&moved, f, 'm');
	alarm_init(&marks, f, 'k');
	loop_timer_start(&f->loop, &moved.timer, 10);
	loop_timer_start(&f->loop, &marks.timer, 30);
	loop_timer_start(&f->loop, &moved.timer, 60);
	run_until_noted(f, 2);
	assert_string_equal(f->notes, "km");
	assert_true(moved.fired_ms >= begun_ms + 60);
}

static void a_timer_may_start_itself_again(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock clock;

	alarm_init(&clock, f, 't');
	clock.again = 2;
	loop_timer_start(&f->loop, &clock.timer, 1);
	run_until_noted(f, 3);
	assert_string_equal(f->notes, "ttt");
	assert_false(timer_active(&clock.timer));
}

static void a_timer_alone_does_not_keep_the_loop_running(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock clock;

	uv_unref((uv_handle_t *)&f->keeper);
	alarm_init(&clock, f, 't');
	loop_timer_start(&f->loop, &clock.timer, 3600 * 1000);
	loop_run(&f->loop);
	assert_string_equal(f->notes, "");
	loop_timer_stop(&f->loop, &clock.timer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_that_is_ready_runs_before_the_turn_ends),
		TEST(a_task_that_is_queued_already_stays_where_it_is),
		TEST(a_task_may_be_queued_again_once_it_runs),
		TEST(ready_then_flush_then_settled_whatever_the_order_of_asking),
		TEST(what_a_ready_task_makes_ready_runs_before_anything_is_flushed),
		TEST(a_turn_ends_only_when_no_queue_holds_anything),
		TEST(what_a_settled_task_writes_leaves_before_what_it_settles_itself),
		TEST(a_cancelled_task_runs_from_no_queue),
		TEST(a_task_may_cancel_the_next_one),
		TEST(later_is_not_in_this_turn),
		TEST(what_asks_again_waits_for_a_further_iteration),
		TEST(a_loop_with_something_for_later_does_not_sleep_over_it),
		TEST(scratch_memory_lives_until_the_settled_tasks_have_run),
		TEST(what_is_to_be_freed_lives_until_the_settled_tasks_have_run),
		TEST(a_turn_has_one_time),
		TEST(messages_of_other_threads_run_on_the_loops_thread_in_their_order),
		TEST(a_message_may_post_another_one),
		TEST(timers_fire_in_the_order_of_their_deadlines_and_none_early),
		TEST(a_stopped_timer_does_not_fire),
		TEST(a_timer_that_is_moved_fires_once_at_its_new_time),
		TEST(a_timer_may_start_itself_again),
		TEST(a_timer_alone_does_not_keep_the_loop_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
