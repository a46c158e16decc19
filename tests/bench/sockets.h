/*
 * Layer: the benchmark's programs; none of the product is seen from here. One job: loopback
 * sockets, without which origin, relay and dashboard cannot do. What fails ends the program: it is
 * a measurement's tool, and a figure from a half-working one would be worse than none.
 */
#ifndef SIGHTGLASS_TESTS_BENCH_SOCKETS_H
#define SIGHTGLASS_TESTS_BENCH_SOCKETS_H

#include <stdint.h>

/* Prints "PROGRAM: what: errno's text" and ends the process. */
_Noreturn void give_up(const char *what);

/* A decimal number of the command line, at most `max`; ends the process where it is not one. */
uint64_t parse_number(const char *text, uint64_t max);

/* Non-blocking, on 127.0.0.1. */
int listen_on(uint16_t port);

/* The next connection that waits: non-blocking, without Nagle. -1 where none waits, or it is gone
 * again. */
int accept_next(int listener);

/* Connected to 127.0.0.1, then made non-blocking, without Nagle. */
int connect_to(uint16_t port);

/* epoll_create1 and epoll_ctl, whose events carry `owner`. `change` is EPOLL_CTL_ADD or _MOD. */
int create_poll(void);
void watch(int poll, int change, int fd, uint32_t events, void *owner);

/* Did a call on a non-blocking socket only find nothing to do? (errno) */
int would_block(void);

#endif
