/*
 * Layer: pool. One job: see places.h. Every function holds the lock for a handful of instructions;
 * `wake` is called under it, so that a member cannot retire between being chosen and being woken.
 */
#include "pool/places.h"

#include <assert.h>

static void wake(struct places_member *member)
{
	if (!member->awake) {
		member->awake = true;
		member->wake(member);
	}
}

static void dequeue(struct places *places, struct place_ticket *ticket)
{
	list_remove(&ticket->node);
	ticket->state = TICKET_NONE;
	places->queued--;
}

/* A taken place is nobody's any more. */
static void pass_on(struct places *places)
{
	struct place_ticket *first;

	if (list_empty(&places->queue)) {
		places->taken--;
		return;
	}
	first = container_of(places->queue.next, struct place_ticket, node);
	dequeue(places, first);
	first->state = TICKET_GRANTED;
	list_push_back(&first->member->granted, &first->node);
	wake(first->member);
}

/* The oldest ticket for which no place is on its way yet; NULL where there is none. */
static const struct place_ticket *oldest_uncovered(const struct places *places)
{
	const struct list *node = places->queue.next;

	if (places->queued <= places->closing) {
		return NULL;
	}
	for (uint32_t i = 0; i < places->closing; i++) {
		node = node->next;
	}
	return (const struct place_ticket *)(const void *)((const char *)node -
							   offsetof(struct place_ticket, node));
}

void places_init(
	struct places *places, uint32_t max_connections, uint32_t queue_limit, uint32_t max_idle)
{
	*places = (struct places){
		.max_connections = max_connections,
		.queue_limit = queue_limit,
		.max_idle = max_idle,
	};
	pthread_mutex_init(&places->lock, NULL);
	list_init(&places->queue);
	list_init(&places->members);
	atomic_init(&places->free_seats, max_idle);
}

void places_fini(struct places *places)
{
	assert(list_empty(&places->members) && list_empty(&places->queue));
	assert(places->taken == 0 && places->closing == 0);
	assert(atomic_load_explicit(&places->free_seats, memory_order_relaxed) == places->max_idle);
	pthread_mutex_destroy(&places->lock);
}

void places_join(struct places *places, struct places_member *member)
{
	assert(member->wake != NULL);
	member->places = places;
	member->told = false;
	member->awake = false;
	list_init(&member->granted);
	pthread_mutex_lock(&places->lock);
	member->index = ++places->joined;
	list_push_back(&places->members, &member->node);
	pthread_mutex_unlock(&places->lock);
}

void places_retire(struct places_member *member)
{
	struct places *places = member->places;

	pthread_mutex_lock(&places->lock);
	assert(list_empty(&member->granted));
	list_remove(&member->node);
	pthread_mutex_unlock(&places->lock);
}

bool places_asleep(struct places_member *member)
{
	bool asleep;

	pthread_mutex_lock(&member->places->lock);
	asleep = !member->awake;
	pthread_mutex_unlock(&member->places->lock);
	return asleep;
}

static void tell_all(struct places *places)
{
	list_each (node, after, &places->members) {
		struct places_member *member = container_of(node, struct places_member, node);

		if (!member->told) {
			member->told = true;
			wake(member);
		}
	}
}

enum places_answer places_ask(
	struct places_member *member, struct place_ticket *ticket, uint64_t now_us)
{
	struct places *places = member->places;
	enum places_answer answer;

	pthread_mutex_lock(&places->lock);
	if (places->taken < places->max_connections) {
		assert(places->queued == 0); /* a place that comes free goes to who waits */
		places->taken++;
		answer = PLACES_TAKEN;
	} else if (places->queued >= places->queue_limit) {
		answer = PLACES_FULL;
	} else {
		ticket->member = member;
		ticket->since_us = now_us;
		ticket->state = TICKET_QUEUED;
		list_push_back(&places->queue, &ticket->node);
		places->queued++;
		tell_all(places);
		answer = PLACES_QUEUED;
	}
	pthread_mutex_unlock(&places->lock);
	return answer;
}

/* Takes the ticket out of wherever it stands. */
static void leave(struct places *places, struct place_ticket *ticket)
{
	if (ticket->state == TICKET_QUEUED) {
		dequeue(places, ticket);
	} else if (ticket->state == TICKET_GRANTED) {
		list_remove(&ticket->node);
		ticket->state = TICKET_NONE;
		pass_on(places);
	}
}

void places_leave(struct place_ticket *ticket)
{
	struct places *places;

	if (ticket->member == NULL) {
		return;
	}
	places = ticket->member->places;
	pthread_mutex_lock(&places->lock);
	leave(places, ticket);
	pthread_mutex_unlock(&places->lock);
}

bool places_collect(struct places_member *member)
{
	bool told;

	pthread_mutex_lock(&member->places->lock);
	member->awake = false;
	told = member->told;
	pthread_mutex_unlock(&member->places->lock);
	return told;
}

struct place_ticket *places_next_granted(struct places_member *member)
{
	struct place_ticket *ticket = NULL;
	struct list *node;

	pthread_mutex_lock(&member->places->lock);
	node = list_pop_front(&member->granted);
	if (node != NULL) {
		ticket = container_of(node, struct place_ticket, node);
		ticket->state = TICKET_NONE;
	}
	pthread_mutex_unlock(&member->places->lock);
	return ticket;
}

bool places_claim(struct place_ticket *ticket)
{
	struct places *places = ticket->member->places;
	const struct place_ticket *oldest;
	bool serve;

	pthread_mutex_lock(&places->lock);
	oldest = oldest_uncovered(places);
	serve = ticket->state == TICKET_GRANTED || oldest == NULL ||
		ticket->since_us <= oldest->since_us + PLACES_SLACK_US;
	if (serve) {
		leave(places, ticket);
	} else {
		places->closing++;
	}
	pthread_mutex_unlock(&places->lock);
	return serve;
}

bool places_keep(struct places_member *member)
{
	struct places *places = member->places;
	bool keep;

	pthread_mutex_lock(&places->lock);
	keep = places->queued <= places->closing;
	if (keep) {
		member->told = false;
	} else {
		places->closing++;
	}
	pthread_mutex_unlock(&places->lock);
	return keep;
}

void places_closing(struct places *places)
{
	pthread_mutex_lock(&places->lock);
	places->closing++;
	pthread_mutex_unlock(&places->lock);
}

void places_give_back(struct places *places)
{
	pthread_mutex_lock(&places->lock);
	assert(places->closing > 0 && places->taken >= places->closing);
	places->closing--;
	pass_on(places);
	pthread_mutex_unlock(&places->lock);
}

uint32_t places_take_seats(struct places *places, uint32_t wanted)
{
	uint32_t free = atomic_load_explicit(&places->free_seats, memory_order_relaxed);
	uint32_t taken;

	do {
		taken = wanted < free ? wanted : free;
	} while (!atomic_compare_exchange_weak_explicit(&places->free_seats, &free, free - taken,
		memory_order_relaxed, memory_order_relaxed));
	return taken;
}

void places_give_seats(struct places *places, uint32_t count)
{
	atomic_fetch_add_explicit(&places->free_seats, count, memory_order_relaxed);
}

void places_count(struct places *places, uint32_t *taken, uint32_t *queued)
{
	pthread_mutex_lock(&places->lock);
	*taken = places->taken;
	*queued = places->queued;
	pthread_mutex_unlock(&places->lock);
}
