/*
 * For unit tests. One job: see fake_names.h. The programs that use it are named in CMakeLists.txt.
 */
#include "tests/unit/fake_names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/loop.h"

struct fake_names fake_names;

/* Nothing but a mark: something is looked up. */
static struct names_question {
	char nothing;
} question;

void fake_names_forget(void)
{
	fake_names = (struct fake_names){.ttl_s = 60};
}

void names_look_up(struct loop *loop, struct names_lookup *lookup, const char *host)
{
	assert(fake_names.pending == NULL && !names_runs(lookup));
	fake_names.asked++;
	fake_names.pending = lookup;
	fake_names.loop = loop;
	lookup->question = &question;
	(void)snprintf(fake_names.host, sizeof(fake_names.host), "%s", host);
}

void names_forget(struct names_lookup *lookup)
{
	if (names_runs(lookup)) {
		fake_names.pending = NULL;
		lookup->question = NULL;
	}
}

static void answer_with(const struct names_answer *answer)
{
	struct names_lookup *lookup = fake_names.pending;

	assert(lookup != NULL);
	names_forget(lookup);
	lookup->answered(lookup, answer);
	loop_settle(fake_names.loop);
}

void fake_names_answer(const char *const *addresses)
{
	struct names_answer answer = {.ttl_s = fake_names.ttl_s, .local = fake_names.local};

	for (; addresses[answer.count] != NULL; answer.count++) {
		union names_address *address = &answer.addresses[answer.count];

		assert(answer.count < NAMES_ADDRESSES_MAX);
		if (uv_ip4_addr(addresses[answer.count], 0, &address->v4) != 0) {
			int rc = uv_ip6_addr(addresses[answer.count], 0, &address->v6);

			assert(rc == 0);
			(void)rc;
		}
	}
	answer_with(&answer);
}

void fake_names_fail(enum names_status status)
{
	answer_with(&(struct names_answer){.status = status});
}
