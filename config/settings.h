/*
 * Layer: config (sees inspector, proxy, pool, http, base; seen by main.c). One job: all settings of
 * the program, read from the command line, the environment and the file, checked as a whole. One
 * setting has one meaning and three ways to say it: flag > environment > file > default.
 */
#ifndef SIGHTGLASS_CONFIG_SETTINGS_H
#define SIGHTGLASS_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/log.h"
#include "inspector/settings.h"
#include "proxy/settings.h"

enum log_format_choice {
	LOG_FORMAT_CHOICE_AUTO, /* text on a terminal, else JSON */
	LOG_FORMAT_CHOICE_TEXT,
	LOG_FORMAT_CHOICE_JSON,
};

struct settings {
	struct proxy_settings proxy;
	struct inspector_settings inspector;
	struct {
		enum log_level level;
		enum log_format_choice choice;
		enum log_format format; /* what the choice came to for stderr; proxy.access_log_json
					   for stdout */
	} log;
	bool demo;
	bool check;
	/* as they were written, where the floors below have what it came to */
	uint32_t workers; /* 0 = auto */
	struct string_list trusted_proxies;
	char *request_id_header;
	char *file; /* NULL: none */
};

enum settings_outcome {
	SETTINGS_RUN,  /* `settings` is filled in: settings_fini() it */
	SETTINGS_DONE, /* --help, --version or --check has been answered on `out`: exit 0 */
	SETTINGS_BAD,  /* every error is on `errors`, one a line: exit 2 */
};

/*
 * Reads and checks all settings. What may block: names to listen on are resolved, the file and the
 * token's file are read. Warnings (an unknown variable of ours in the environment) go to `errors`
 * too and stop nothing. Where the outcome is not SETTINGS_RUN, nothing is left in `settings`.
 */
enum settings_outcome settings_load(int argc, char *const argv[], char *const environment[],
	struct settings *settings, FILE *out, FILE *errors);
void settings_fini(struct settings *settings);

/* Appends what --check prints: the settings in effect as YAML, without secrets, and the most memory
 * that they can take. */
void settings_write(const struct settings *settings, struct buffer *out);

/*
 * Where `demo` is set, the only upstream has no address until the sample API has a port. Gives it
 * one, and adds the routes of the sample's polls (GET and HEAD, a row each) unless the settings say
 * something of the same prefix. Before any thread is started.
 */
void settings_use_demo(struct settings *settings, uint16_t port);

#endif
