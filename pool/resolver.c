/*
 * Layer: pool. One job: see resolver.h. Where a lookup fails, what was known before is kept: an
 * address that may be old is better than none.
 */
#include "pool/resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

_Static_assert((int)RESOLVER_ADDRESSES_MAX == (int)NAMES_ADDRESSES_MAX,
	"what a lookup brings is what is kept");

static void answer_queries(struct resolver *resolver)
{
	struct list answered = LIST_INIT(answered);
	struct list *node;

	/* Those that ask again from within their answer wait for the next one. */
	while ((node = list_pop_front(&resolver->queries)) != NULL) {
		list_push_back(&answered, node);
	}
	while ((node = list_pop_front(&answered)) != NULL) {
		struct resolver_query *query = container_of(node, struct resolver_query, node);

		query->answered(query, resolver->status);
	}
}

static void on_answer_task(struct task *task)
{
	answer_queries(container_of(task, struct resolver, answer));
}

static void set_port(union names_address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6) {
		address->v6.sin6_port = htons(port);
	} else {
		address->v4.sin_port = htons(port);
	}
}

static bool same_address(const union names_address *a, const union names_address *b)
{
	if (a->any.sa_family != b->any.sa_family) {
		return false;
	}
	if (a->any.sa_family == AF_INET) {
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	}
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0 &&
	       a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

/* The index of this address among those that are known; their count where it is not. */
static uint8_t find_address(const struct resolver *resolver, const union names_address *address)
{
	uint8_t index = 0;

	while (index < resolver->count && !same_address(address, &resolver->addresses[index])) {
		index++;
	}
	return index;
}

/* Name servers hand out the same addresses in changing order: that is no news. */
static bool all_known(
	const struct resolver *resolver, const union names_address *addresses, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++) {
		if (find_address(resolver, &addresses[i]) == resolver->count) {
			return false;
		}
	}
	return true;
}

/* Takes new addresses, families in turn. What is held against one that stays is kept. */
static void take_addresses(
	struct resolver *resolver, const union names_address *addresses, uint8_t count)
{
	struct address_mark marks[RESOLVER_ADDRESSES_MAX] = {{0}};
	sa_family_t families[RESOLVER_ADDRESSES_MAX] = {0};
	uint8_t order[RESOLVER_ADDRESSES_MAX];

	for (uint8_t i = 0; i < count; i++) {
		families[i] = addresses[i].any.sa_family;
	}
	address_order_interleave(families, count, order);
	for (uint8_t i = 0; i < count; i++) {
		uint8_t known = find_address(resolver, &addresses[order[i]]);

		if (known < resolver->count) {
			marks[i] = resolver->marks[known];
		}
	}
	for (uint8_t i = 0; i < count; i++) {
		resolver->addresses[i] = addresses[order[i]];
	}
	memcpy(resolver->marks, marks, sizeof(marks));
	resolver->count = count;
	resolver->generation++;
}

/* Whether there is an address that was not known, or one less. */
static bool take_answer(struct resolver *resolver, const struct names_answer *answer)
{
	union names_address addresses[RESOLVER_ADDRESSES_MAX];

	for (uint8_t i = 0; i < answer->count; i++) {
		addresses[i] = answer->addresses[i];
		set_port(&addresses[i], resolver->port);
	}
	if (answer->count == resolver->count && all_known(resolver, addresses, answer->count)) {
		return false;
	}
	take_addresses(resolver, addresses, answer->count);
	return true;
}

static uint64_t time_to_live_ms(const struct names_answer *answer)
{
	uint64_t ttl_ms = answer->local ? RESOLVER_TTL_LOCAL_MS : (uint64_t)answer->ttl_s * 1000;

	if (ttl_ms < RESOLVER_TTL_MIN_MS) {
		return RESOLVER_TTL_MIN_MS;
	}
	return ttl_ms < RESOLVER_TTL_MAX_MS ? ttl_ms : RESOLVER_TTL_MAX_MS;
}

static void on_looked_up(struct names_lookup *lookup, const struct names_answer *answer)
{
	struct resolver *resolver = container_of(lookup, struct resolver, lookup);
	uint64_t now_ms = loop_now_ms(resolver->loop);
	bool found = answer->status == NAMES_FOUND;
	bool news = found && take_answer(resolver, answer);

	resolver->status = answer->status;
	resolver->fresh_until_ms = now_ms + (found ? time_to_live_ms(answer) : 0);
	resolver->hold_until_ms = now_ms;
	if (!found || (resolver->needed && !news)) {
		resolver->hold_until_ms += RESOLVER_HOLD_MS;
	}
	answer_queries(resolver);
}

static void look_up(struct resolver *resolver, bool needed)
{
	if (names_runs(&resolver->lookup)) {
		resolver->needed = resolver->needed || needed;
	} else if (resolver->numeric || loop_now_ms(resolver->loop) < resolver->hold_until_ms) {
		loop_ready(resolver->loop, &resolver->answer); /* what is known */
	} else {
		resolver->needed = needed;
		names_look_up(resolver->loop, &resolver->lookup, resolver->host);
	}
}

void resolver_init(struct resolver *resolver, struct loop *loop, const char *host, uint16_t port)
{
	union names_address *first = &resolver->addresses[0];

	*resolver = (struct resolver){.loop = loop, .host = host, .port = port};
	resolver->lookup.answered = on_looked_up;
	list_init(&resolver->queries);
	task_init(&resolver->answer, on_answer_task);
	if (uv_ip4_addr(host, port, &first->v4) == 0 || uv_ip6_addr(host, port, &first->v6) == 0) {
		resolver->numeric = true;
		resolver->count = 1;
	}
}

void resolver_ask(struct resolver *resolver, struct resolver_query *query)
{
	list_push_back(&resolver->queries, &query->node);
	look_up(resolver, true);
}

void resolver_forget(struct resolver_query *query)
{
	list_remove(&query->node);
}

void resolver_refresh(struct resolver *resolver)
{
	look_up(resolver, true);
}

uint8_t resolver_order(struct resolver *resolver, uint8_t order[static RESOLVER_ADDRESSES_MAX])
{
	uint64_t now_ms = loop_now_ms(resolver->loop);

	address_order_by_marks(resolver->marks, resolver->count, now_ms, order);
	if (resolver->count > 0 && !resolver->numeric && now_ms >= resolver->fresh_until_ms) {
		look_up(resolver, false);
	}
	return resolver->count;
}

/* NULL where the address is gone. */
static struct address_mark *mark_of(struct resolver *resolver, uint32_t generation, uint8_t index)
{
	return generation == resolver->generation && index < resolver->count
		       ? &resolver->marks[index]
		       : NULL;
}

void resolver_blame(struct resolver *resolver, uint32_t generation, uint8_t index)
{
	struct address_mark *mark = mark_of(resolver, generation, index);

	if (mark != NULL) {
		address_mark_failed(mark, loop_now_ms(resolver->loop));
	}
}

void resolver_worked(struct resolver *resolver, uint32_t generation, uint8_t index)
{
	struct address_mark *mark = mark_of(resolver, generation, index);

	if (mark != NULL) {
		address_mark_worked(mark);
	}
}

void resolver_stop(struct resolver *resolver)
{
	assert(list_empty(&resolver->queries));
	task_cancel(&resolver->answer);
	names_forget(&resolver->lookup);
}

void resolver_address_text(
	const union names_address *address, char text[static RESOLVER_ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "";
	bool is_ipv6 = address->any.sa_family == AF_INET6;

	if (is_ipv6) {
		(void)uv_ip6_name(&address->v6, host, sizeof(host));
	} else {
		(void)uv_ip4_name(&address->v4, host, sizeof(host));
	}
	(void)snprintf(text, RESOLVER_ADDRESS_TEXT_SIZE, is_ipv6 ? "[%s]:%u" : "%s:%u", host,
		ntohs(is_ipv6 ? address->v6.sin6_port : address->v4.sin_port));
}
