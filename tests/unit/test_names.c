/*
 * Tests of looking names up: c-ares and the loop as they are, and a name server that the test
 * plays. c-ares is told of that server in the place of the system's: its function is replaced by
 * one that adds to the options and goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ares.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/names.h"
#include "tests/unit/fake_name_server.h"

/* One that asks, and what it was told. */
struct asker {
	struct names_lookup lookup;
	unsigned told;
	struct names_answer answer;
	struct names_lookup *forgets; /* within its answer */
	const char *asks_again;       /* within its answer */
};

static struct fixture {
	struct loop loop;
	struct fake_name_server server;
	struct dns_message question;
	int refusal; /* what ares_init_options() returns */
	int timeout_ms;
	unsigned channels;
} fixture;

int ares_init_options(ares_channel *channel, struct ares_options *options, int mask)
{
	static char search[] = "search.test";
	struct in_addr server = {.s_addr = htonl(INADDR_LOOPBACK)};
	char *domains[] = {search};
	char lookups[] = "fb";
	int (*real)(ares_channel *, struct ares_options *, int);
	void *symbol = dlsym(RTLD_NEXT, "ares_init_options");

	memcpy(&real, &symbol, sizeof(real));
	fixture.channels++;
	if (fixture.refusal != 0) {
		return fixture.refusal;
	}
	assert_int_equal(
		mask & (ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES), ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	options->timeout = fixture.timeout_ms;
	options->tries = 2;
	options->ndots = 1;
	options->servers = &server;
	options->nservers = 1;
	options->udp_port = fixture.server.port;
	options->tcp_port = fixture.server.port;
	options->domains = domains;
	options->ndomains = 1;
	options->lookups = lookups;
	return real(channel, options,
		mask | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT |
			ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS);
}

static int setup(void **state)
{
	struct fixture *f = &fixture;

	alarm(60); /* a wait in vain ends the program */
	*f = (struct fixture){.timeout_ms = 60 * 1000};
	fake_name_server_open(&f->server);
	assert_int_equal(loop_init(&f->loop), 0);
	*state = f;
	return 0;
}

/* Nothing is left of what was looked up: the loop ends by itself. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_null(f->loop.names);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	fake_name_server_close(&f->server);
	return 0;
}

static void on_answered(struct names_lookup *lookup, const struct names_answer *answer)
{
	struct asker *asker = container_of(lookup, struct asker, lookup);
	const char *again = asker->asks_again;

	asker->told++;
	asker->answer = *answer;
	if (asker->forgets != NULL) {
		names_forget(asker->forgets);
	}
	if (again != NULL) {
		asker->asks_again = NULL;
		names_look_up(&fixture.loop, lookup, again);
	}
}

static void ask(struct fixture *f, struct asker *asker, const char *host)
{
	*asker = (struct asker){.lookup.answered = on_answered};
	names_look_up(&f->loop, &asker->lookup, host);
	assert_int_equal(asker->told, 0); /* never from inside */
	assert_true(names_runs(&asker->lookup));
}

static void run_until_told(struct fixture *f, struct asker *asker)
{
	unsigned before = asker->told;

	loop_settle(&f->loop);
	while (asker->told == before) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
}

/* Waits for the next question. */
static struct dns_message *take(struct fixture *f)
{
	while (!fake_name_server_take(&f->server, &f->question)) {
		(void)uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	return &f->question;
}

static struct dns_message *take_question(struct fixture *f, const char *name, uint16_t type)
{
	struct dns_message *question = take(f);

	assert_string_equal(question->name, name);
	assert_int_equal(question->type, type);
	return question;
}

static void answer(struct fixture *f, uint8_t code)
{
	fake_name_server_answer(&f->server, &f->question, code);
}

static void fail_both(struct fixture *f, const char *name, uint8_t code)
{
	take_question(f, name, DNS_A);
	answer(f, code);
	take_question(f, name, DNS_AAAA);
	answer(f, code);
}

static void is_told(struct fixture *f, struct asker *asker, enum names_status status)
{
	run_until_told(f, asker);
	assert_int_equal(asker->told, 1);
	assert_int_equal(asker->answer.status, status);
	assert_int_equal(asker->answer.count > 0, status == NAMES_FOUND);
	assert_false(names_runs(&asker->lookup));
}

static void has_address(const struct asker *asker, const char *expected)
{
	for (uint8_t i = 0; i < asker->answer.count; i++) {
		const union names_address *address = &asker->answer.addresses[i];
		char text[INET6_ADDRSTRLEN];

		if (address->any.sa_family == AF_INET6) {
			(void)uv_ip6_name(&address->v6, text, sizeof(text));
		} else {
			(void)uv_ip4_name(&address->v4, text, sizeof(text));
		}
		if (strcmp(text, expected) == 0) {
			return;
		}
	}
	fail_msg("%s is not among %u addresses", expected, asker->answer.count);
}

/* --- answers */

static void a_name_has_the_addresses_of_both_families(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api.test");
	dns_add(take_question(f, "api.test", DNS_A), DNS_A, 60, "127.0.0.1");
	answer(f, 0);
	take_question(f, "api.test", DNS_AAAA);
	dns_add(&f->question, DNS_AAAA, 50, "::1");
	dns_add(&f->question, DNS_AAAA, 70, "::2");
	answer(f, 0);
	is_told(f, &asker, NAMES_FOUND);
	assert_int_equal(asker.answer.count, 3);
	has_address(&asker, "127.0.0.1");
	has_address(&asker, "::1");
	has_address(&asker, "::2");
	assert_int_equal(asker.answer.ttl_s, 50);
	assert_false(asker.answer.local);
}

static void the_smallest_time_to_live_on_the_way_counts(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api.test");
	take_question(f, "api.test", DNS_A);
	dns_add(&f->question, DNS_CNAME, 300, "one.test");
	dns_add(&f->question, DNS_CNAME, 20, "two.test");
	dns_add(&f->question, DNS_A, 60, "127.0.0.1");
	answer(f, 0);
	take_question(f, "api.test", DNS_AAAA);
	answer(f, 0);
	is_told(f, &asker, NAMES_FOUND);
	assert_int_equal(asker.answer.count, 1);
	assert_int_equal(asker.answer.ttl_s, 20);
}

static void a_time_to_live_that_makes_no_sense_is_none(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api.test");
	dns_add(take_question(f, "api.test", DNS_A), DNS_A, 0xfffffff0, "127.0.0.1");
	answer(f, 0);
	take_question(f, "api.test", DNS_AAAA);
	answer(f, 0);
	is_told(f, &asker, NAMES_FOUND);
	assert_int_equal(asker.answer.ttl_s, 0);
}

static void more_addresses_than_are_kept_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api.test");
	take_question(f, "api.test", DNS_A);
	for (int i = 0; i < NAMES_ADDRESSES_MAX + 3; i++) {
		dns_add(&f->question, DNS_A, 60, "127.0.0.1");
	}
	answer(f, 0);
	take_question(f, "api.test", DNS_AAAA);
	answer(f, 0);
	is_told(f, &asker, NAMES_FOUND);
	assert_int_equal(asker.answer.count, NAMES_ADDRESSES_MAX);
}

static void localhost_is_this_machine_and_asks_nobody(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "localhost");
	is_told(f, &asker, NAMES_FOUND);
	assert_true(asker.answer.local);
	has_address(&asker, "127.0.0.1");
	assert_false(fake_name_server_take(&f->server, &f->question));
}

static void what_ends_with_localhost_is_this_machine_too(void **state)
{
	const char *const names[] = {"api.localhost", "API.LocalHost.", "localhost."};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct asker asker;

		ask(f, &asker, names[i]);
		is_told(f, &asker, NAMES_FOUND);
		assert_true(asker.answer.local);
		assert_int_equal(asker.answer.count, 2);
		has_address(&asker, "127.0.0.1");
		has_address(&asker, "::1");
	}
	assert_false(fake_name_server_take(&f->server, &f->question));
}

static void a_name_that_only_looks_like_localhost_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "notlocalhost.");
	fail_both(f, "notlocalhost", DNS_NXDOMAIN);
	is_told(f, &asker, NAMES_UNKNOWN);
}

static void search_domains_are_tried_first_where_there_is_no_dot(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api");
	fail_both(f, "api.search.test", DNS_NXDOMAIN);
	dns_add(take_question(f, "api", DNS_A), DNS_A, 60, "127.0.0.1");
	answer(f, 0);
	take_question(f, "api", DNS_AAAA);
	answer(f, 0);
	is_told(f, &asker, NAMES_FOUND);
}

/* --- no answer */

static void a_name_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "no.test");
	fail_both(f, "no.test", DNS_NXDOMAIN);
	fail_both(f, "no.test.search.test", DNS_NXDOMAIN);
	is_told(f, &asker, NAMES_UNKNOWN);
}

static void a_name_without_an_address(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "mail.test.");
	fail_both(f, "mail.test", 0);
	is_told(f, &asker, NAMES_NO_ADDRESS);
}

static void a_server_that_fails_each_time(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "api.test.");
	for (int i = 0; i < 4; i++) { /* two names of record, two attempts */
		take(f);
		answer(f, DNS_SERVFAIL);
	}
	is_told(f, &asker, NAMES_NO_SERVER);
}

static void a_server_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	fake_name_server_close(&f->server);
	f->timeout_ms = 10;
	ask(f, &asker, "api.test");
	run_until_told(f, &asker);
	/* The system's refusal of one of two questions is all that c-ares 1.18 may hear of. */
	assert_true(asker.answer.status == NAMES_NO_SERVER || asker.answer.status == NAMES_SILENT);
	fake_name_server_open(&f->server);
}

static void a_server_that_is_silent_is_asked_again_and_then_given_up(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	f->timeout_ms = 10;
	ask(f, &asker, "api.test");
	is_told(f, &asker, NAMES_SILENT);
	for (int i = 0; i < 4; i++) {
		assert_true(fake_name_server_take(&f->server, &f->question));
	}
	assert_false(fake_name_server_take(&f->server, &f->question));
}

static void a_lookup_that_cannot_begin_is_told_later_too(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	f->refusal = ARES_ENOMEM;
	ask(f, &asker, "api.test");
	is_told(f, &asker, NAMES_UNAVAILABLE);
}

static void what_is_no_name(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "a..test");
	is_told(f, &asker, NAMES_BAD_NAME);
}

/* --- several, and the end */

static void a_silent_server_of_one_name_holds_no_other_back(void **state)
{
	struct fixture *f = *state;
	struct asker slow;
	struct asker quick;

	ask(f, &slow, "slow.test");
	take_question(f, "slow.test", DNS_A);
	take_question(f, "slow.test", DNS_AAAA);
	ask(f, &quick, "quick.test.");
	fail_both(f, "quick.test", DNS_NXDOMAIN);
	is_told(f, &quick, NAMES_UNKNOWN);
	assert_int_equal(slow.told, 0);
	assert_int_equal(f->channels, 1);
	names_forget(&slow.lookup);
}

static void one_that_is_forgotten_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct asker leaves;
	struct asker stays;

	ask(f, &leaves, "leaves.test.");
	ask(f, &stays, "stays.test.");
	names_forget(&leaves.lookup);
	names_forget(&leaves.lookup);
	fail_both(f, "leaves.test", DNS_NXDOMAIN);
	fail_both(f, "stays.test", DNS_NXDOMAIN);
	is_told(f, &stays, NAMES_UNKNOWN);
	assert_int_equal(leaves.told, 0);
}

static void with_the_last_one_that_waits_all_of_them_end(void **state)
{
	struct fixture *f = *state;
	struct asker first;
	struct asker second;

	ask(f, &first, "first.test");
	ask(f, &second, "second.test");
	names_forget(&first.lookup);
	names_forget(&second.lookup);
	assert_null(f->loop.names);
	loop_run(&f->loop); /* and no handle is left */
	assert_int_equal(first.told + second.told, 0);
}

static void one_may_be_forgotten_before_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "localhost");
	names_forget(&asker.lookup);
	loop_settle(&f->loop);
	assert_int_equal(asker.told, 0);
}

static void one_may_ask_again_and_forget_another_within_its_answer(void **state)
{
	struct fixture *f = *state;
	struct asker asker;
	struct asker other;

	ask(f, &other, "other.test");
	take_question(f, "other.test", DNS_A);
	take_question(f, "other.test", DNS_AAAA);
	ask(f, &asker, "localhost");
	asker.asks_again = "again.test.";
	asker.forgets = &other.lookup;
	run_until_told(f, &asker);
	assert_int_equal(asker.answer.status, NAMES_FOUND);
	fail_both(f, "again.test", DNS_NXDOMAIN);
	run_until_told(f, &asker);
	assert_int_equal(asker.answer.status, NAMES_UNKNOWN);
	assert_int_equal(other.told, 0);
}

static void one_may_forget_the_last_other_within_its_answer(void **state)
{
	struct fixture *f = *state;
	struct asker asker;
	struct asker other;

	ask(f, &other, "other.test");
	ask(f, &asker, "localhost");
	asker.forgets = &other.lookup;
	is_told(f, &asker, NAMES_FOUND);
}

static void the_next_lookup_reads_the_systems_settings_anew(void **state)
{
	struct fixture *f = *state;
	struct asker asker;

	ask(f, &asker, "localhost");
	is_told(f, &asker, NAMES_FOUND);
	assert_null(f->loop.names);
	ask(f, &asker, "localhost");
	is_told(f, &asker, NAMES_FOUND);
	assert_int_equal(f->channels, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_name_has_the_addresses_of_both_families),
		TEST(the_smallest_time_to_live_on_the_way_counts),
		TEST(a_time_to_live_that_makes_no_sense_is_none),
		TEST(more_addresses_than_are_kept_are_passed_over),
		TEST(localhost_is_this_machine_and_asks_nobody),
		TEST(what_ends_with_localhost_is_this_machine_too),
		TEST(a_name_that_only_looks_like_localhost_is_asked_for),
		TEST(search_domains_are_tried_first_where_there_is_no_dot),
		TEST(a_name_that_is_not_there),
		TEST(a_name_without_an_address),
		TEST(a_server_that_fails_each_time),
		TEST(a_server_that_is_not_there),
		TEST(a_server_that_is_silent_is_asked_again_and_then_given_up),
		TEST(a_lookup_that_cannot_begin_is_told_later_too),
		TEST(what_is_no_name),
		TEST(a_silent_server_of_one_name_holds_no_other_back),
		TEST(one_that_is_forgotten_is_not_told),
		TEST(with_the_last_one_that_waits_all_of_them_end),
		TEST(one_may_be_forgotten_before_it_is_told),
		TEST(one_may_ask_again_and_forget_another_within_its_answer),
		TEST(one_may_forget_the_last_other_within_its_answer),
		TEST(the_next_lookup_reads_the_systems_settings_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
