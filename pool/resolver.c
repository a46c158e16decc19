/*
 * Layer: pool. One job: see resolver.h. A lookup can fail at once, in libuv's thread pool, or with
 * an empty answer; what was known before is kept in all three cases: an address that may be old is
 * better than none.
 */
#include "pool/resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

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

/* Copies the socket address, with our port, where it is of a family we know and there is room. */
static void add_address(union resolver_address addresses[static RESOLVER_ADDRESSES_MAX],
	uint8_t *count, const struct sockaddr *found, uint16_t port)
{
	union resolver_address *address = &addresses[*count];

	if (*count == RESOLVER_ADDRESSES_MAX) {
		return;
	}
	memset(address, 0, sizeof(*address));
	if (found->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)found;

		address->v4.sin_family = AF_INET;
		address->v4.sin_addr = v4->sin_addr;
		address->v4.sin_port = htons(port);
	} else if (found->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)found;

		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_addr = v6->sin6_addr;
		address->v6.sin6_scope_id = v6->sin6_scope_id;
		address->v6.sin6_port = htons(port);
	} else {
		return;
	}
	(*count)++;
}

static bool same_address(const union resolver_address *a, const union resolver_address *b)
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
static uint8_t find_address(const struct resolver *resolver, const union resolver_address *address)
{
	uint8_t index = 0;

	while (index < resolver->count && !same_address(address, &resolver->addresses[index])) {
		index++;
	}
	return index;
}

/* Name servers hand out the same addresses in changing order: that is no news. */
static bool all_known(
	const struct resolver *resolver, const union resolver_address *addresses, uint8_t count)
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
	struct resolver *resolver, const union resolver_address *addresses, uint8_t count)
{
	struct address_mark marks[RESOLVER_ADDRESSES_MAX] = {{0}};
	sa_family_t families[RESOLVER_ADDRESSES_MAX];
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

static void take_answer(struct resolver *resolver, const struct addrinfo *answer)
{
	union resolver_address addresses[RESOLVER_ADDRESSES_MAX];
	uint8_t count = 0;

	for (const struct addrinfo *info = answer; info != NULL; info = info->ai_next) {
		add_address(addresses, &count, info->ai_addr, resolver->port);
	}
	if (count == 0) {
		resolver->status = UV_EAI_NODATA;
	} else if (count != resolver->count || !all_known(resolver, addresses, count)) {
		take_addresses(resolver, addresses, count);
	}
}

/* A lookup ended, or could not begin. */
static void note_end(struct resolver *resolver, int status)
{
	resolver->status = status;
	resolver->asked_ms = loop_now_ms(resolver->loop);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *answer)
{
	struct resolver *resolver = request->data;
	struct loop *loop = resolver->loop;

	resolver->asking = false;
	note_end(resolver, status);
	if (resolver->quiet != NULL) {
		resolver->quiet(resolver); /* may make its end ready */
	} else {
		if (status == 0) {
			take_answer(resolver, answer);
		}
		answer_queries(resolver);
	}
	uv_freeaddrinfo(answer);
	loop_settle(loop);
}

static void look_up(struct resolver *resolver)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	int rc;

	if (resolver->asking) {
		return;
	}
	if (resolver->numeric) {
		loop_ready(resolver->loop, &resolver->answer);
		return;
	}
	resolver->request.data = resolver;
	rc = uv_getaddrinfo(&resolver->loop->uv, &resolver->request, on_looked_up, resolver->host,
		NULL, &hints);
	if (rc == 0) {
		resolver->asking = true;
	} else {
		note_end(resolver, rc);
		loop_ready(resolver->loop, &resolver->answer);
	}
}

void resolver_init(struct resolver *resolver, struct loop *loop, const char *host, uint16_t port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*resolver = (struct resolver){.loop = loop, .host = host, .port = port};
	list_init(&resolver->queries);
	task_init(&resolver->answer, on_answer_task);
	if (uv_ip4_addr(host, port, &v4) == 0) {
		resolver->numeric = true;
		add_address(resolver->addresses, &resolver->count, (const void *)&v4, port);
	} else if (uv_ip6_addr(host, port, &v6) == 0) {
		resolver->numeric = true;
		add_address(resolver->addresses, &resolver->count, (const void *)&v6, port);
	}
}

void resolver_ask(struct resolver *resolver, struct resolver_query *query)
{
	list_push_back(&resolver->queries, &query->node);
	look_up(resolver);
}

void resolver_forget(struct resolver_query *query)
{
	list_remove(&query->node);
}

void resolver_refresh(struct resolver *resolver)
{
	look_up(resolver);
}

uint8_t resolver_order(struct resolver *resolver, uint8_t order[static RESOLVER_ADDRESSES_MAX])
{
	uint64_t now_ms = loop_now_ms(resolver->loop);

	address_order_by_marks(resolver->marks, resolver->count, now_ms, order);
	if (resolver->count > 0 && !resolver->numeric &&
		now_ms - resolver->asked_ms >= RESOLVER_REFRESH_MS) {
		look_up(resolver);
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

bool resolver_stop(struct resolver *resolver, void (*quiet)(struct resolver *resolver))
{
	assert(list_empty(&resolver->queries));
	task_cancel(&resolver->answer);
	if (!resolver->asking) {
		return true;
	}
	resolver->quiet = quiet;
	(void)uv_cancel((uv_req_t *)&resolver->request);
	return false;
}

void resolver_address_text(
	const union resolver_address *address, char text[static RESOLVER_ADDRESS_TEXT_SIZE])
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
