/*
 * For unit tests. One job: a name server on this machine that the test plays, question by question.
 */
#ifndef SIGHTGLASS_TESTS_FAKE_NAME_SERVER_H
#define SIGHTGLASS_TESTS_FAKE_NAME_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

enum {
	DNS_NAME_SIZE = 256,
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_AAAA = 28,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
};

struct fake_name_server {
	int descriptor;
	uint16_t port;
};

/* A question, and the answer to it as it grows. */
struct dns_message {
	char name[DNS_NAME_SIZE]; /* "api.test" */
	uint16_t type;
	uint8_t bytes[512];
	size_t len;
	struct sockaddr_in from;
};

void fake_name_server_open(struct fake_name_server *server);
void fake_name_server_close(struct fake_name_server *server);

/* Takes a question; false where none has come. */
bool fake_name_server_take(struct fake_name_server *server, struct dns_message *message);
/* A record of the name that is asked for, or, after an alias, of that alias; the value in numbers,
 * or a name. */
void dns_add(struct dns_message *message, uint16_t type, uint32_t ttl_s, const char *value);
void fake_name_server_answer(
	struct fake_name_server *server, struct dns_message *message, uint8_t code);

#endif
