/*
 * For unit tests. One job: see fake_names.h. Programs that do not use it are not linked with it:
 * the linker takes this file out of the helpers' library only where it is asked for.
 */
#include "tests/unit/fake_names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "base/memory.h"

enum {
	ANSWERS_MAX = 10, /* more than a resolver takes */
};

struct fake_names fake_names;

void fake_names_forget(void)
{
	memset(&fake_names, 0, sizeof(fake_names));
}

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb answered,
	const char *node, const char *name, const struct addrinfo *hints)
{
	(void)loop;
	assert(name == NULL);
	assert(hints->ai_socktype == SOCK_STREAM);
	assert(fake_names.pending == NULL);
	if (fake_names.refusal != 0) {
		return fake_names.refusal;
	}
	fake_names.asked++;
	fake_names.pending = request;
	fake_names.answered = answered;
	(void)snprintf(fake_names.node, sizeof(fake_names.node), "%s", node);
	return 0;
}

void uv_freeaddrinfo(struct addrinfo *answer)
{
	mem_free(answer); /* all in one piece */
}

int uv_cancel(uv_req_t *request)
{
	assert(request == (uv_req_t *)fake_names.pending);
	fake_names.cancelled = true;
	return 0;
}

void fake_names_answer(int status, const char *const *addresses)
{
	struct {
		struct addrinfo info[ANSWERS_MAX];
		struct sockaddr_in6 v6[ANSWERS_MAX];
		struct sockaddr_in v4[ANSWERS_MAX];
	} *all = mem_zalloc(sizeof(*all));
	uv_getaddrinfo_t *request = fake_names.pending;
	size_t count = 0;

	assert(request != NULL);
	for (; addresses != NULL && addresses[count] != NULL; count++) {
		struct addrinfo *info = &all->info[count];

		if (uv_ip4_addr(addresses[count], 0, &all->v4[count]) == 0) {
			info->ai_addr = (struct sockaddr *)&all->v4[count];
		} else {
			int rc = uv_ip6_addr(addresses[count], 0, &all->v6[count]);

			assert(rc == 0);
			(void)rc;
			info->ai_addr = (struct sockaddr *)&all->v6[count];
		}
		if (count > 0) {
			all->info[count - 1].ai_next = info;
		}
	}
	fake_names.pending = NULL;
	if (count == 0) {
		mem_free(all);
		fake_names.answered(request, status, NULL);
	} else {
		fake_names.answered(request, status, all->info);
	}
}
