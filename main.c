/*
 * The composition root: settings → demo → server → inspector → signals. Everything else is in a
 * floor of its own; see ARCHITECTURE.md.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "config/settings.h"
#include "demo/demo.h"
#include "inspector/inspector.h"
#include "proxy/server.h"

extern char **environ;

enum {
	EXIT_RUN_TIME = 1,
	EXIT_SETTINGS = 2,
	LOG_END_MS = 1000, /* how long a reader of the log may take for what is left at the end */
};

static void exit_at_once(int signal_number)
{
	(void)signal_number;
	_exit(EXIT_RUN_TIME);
}

/* Before any thread is started: all of them leave these signals to wait_for_end(). */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* a write that fails says so by itself */
}

/* Returns once the process was asked to end; a second signal then ends it at once. */
static void wait_for_end(const sigset_t *signals)
{
	const struct sigaction at_once = {.sa_handler = exit_at_once};
	int number = 0;

	do {
		if (number == SIGHUP) {
			log_warn("SIGHUP: this version does not read its settings again; restart "
				 "it");
		}
		(void)sigwait(signals, &number);
	} while (number == SIGHUP);
	(void)sigaction(SIGTERM, &at_once, NULL);
	(void)sigaction(SIGINT, &at_once, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	(void)pthread_sigmask(SIG_UNBLOCK, signals, NULL);
	log_info("%s: draining", number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* Which addresses answer: the lines that everybody looks for. */
static void announce(const struct server *server, const struct proxy_settings *settings)
{
	uint32_t count = settings->listen_count;

	for (uint32_t i = 0; i < count; i++) {
		log_info("listening on %s", server_address(server, i));
	}
	for (uint32_t i = 0; i < settings->inspector_listen_count; i++) {
		log_info("inspector listening on %s", server_address(server, count + i));
	}
}

/* A link to click; ":8080" is every interface, this machine's among them. */
static void announce_demo(const struct server *server, const struct proxy_settings *settings)
{
	const char *address = server_address(server, 0);

	if (!settings->listens[0].is_unix) {
		log_info("sample dashboard: http://%s%s/", address[0] == ':' ? "localhost" : "",
			address);
	}
}

static int serve(const struct settings *settings, const sigset_t *signals)
{
	struct inspector *inspector = NULL;
	struct err err = ERR_INIT;
	struct server *server;
	int status = EXIT_RUN_TIME;

	server = server_create(&settings->proxy, &err);
	if (server == NULL) {
		log_error("%s", err.text);
		return EXIT_RUN_TIME;
	}
	if (settings->inspector.enabled) {
		inspector = inspector_create(&settings->inspector, &settings->proxy, server);
	}
	if (server_start(server, &err) == ERR_NONE) {
		announce(server, &settings->proxy);
		if (settings->demo) {
			announce_demo(server, &settings->proxy);
		}
		inspector_announce(inspector);
		wait_for_end(signals);
		status = EXIT_SUCCESS;
	} else {
		log_error("%s", err.text);
	}
	server_drain(server);
	server_join(server);
	server_destroy(server);
	inspector_destroy(inspector);
	return status;
}

static int run(struct settings *settings)
{
	struct demo *demo = NULL;
	struct err err = ERR_INIT;
	sigset_t signals;
	int status;

	block_signals(&signals); /* before the first thread, which the log starts */
	log_start(settings->log.level, settings->log.format);
	if (settings->demo) {
		demo = demo_start(&err);
		if (demo == NULL) {
			log_error("demo: %s", err.text);
			log_stop(LOG_END_MS);
			return EXIT_RUN_TIME;
		}
		settings_use_demo(settings, demo_port(demo));
	}
	status = serve(settings, &signals);
	demo_stop(demo);
	log_stop(LOG_END_MS);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings;
	int status;

	switch (settings_load(argc, argv, environ, &settings, stdout, stderr)) {
	case SETTINGS_DONE:
		return EXIT_SUCCESS;
	case SETTINGS_BAD:
		return EXIT_SETTINGS;
	case SETTINGS_RUN:
		break;
	}
	status = run(&settings);
	settings_fini(&settings);
	return status;
}
