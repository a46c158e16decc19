/*
 * For the tests of the settings: what settings_load() makes of a file, variables and arguments.
 */
#ifndef SIGHTGLASS_TESTS_LOAD_SETTINGS_H
#define SIGHTGLASS_TESTS_LOAD_SETTINGS_H

#include <stddef.h>

#include "config/settings.h"

struct loaded {
	enum settings_outcome outcome;
	struct settings settings;
	char *out;    /* what --check, --help and --version print */
	char *errors; /* the file's name in it reads FILE */
};

#define ARGUMENTS(...) ((const char *const[]){"sightglass", __VA_ARGS__, NULL})
#define NO_ARGUMENTS ((const char *const[]){"sightglass", NULL})
#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_VARIABLES ((const char *const[]){NULL})

/* A file that says every setting, and of nearly all something other than the default. */
extern const char settings_everything[];

/* `yaml` goes into a file that --config names; NULL: there is none. */
void load(struct loaded *loaded, const char *yaml, const char *const variables[],
	const char *const arguments[]);
void unload(struct loaded *loaded);
/* Fails the test, with what was said, unless the settings are good. */
void expect_good(const struct loaded *loaded);
/* Fails the test unless the settings are refused with this line among the errors. */
void expect_error(const struct loaded *loaded, const char *line);

#endif
