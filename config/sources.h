/*
 * Layer: config. One job: the three places where settings are said. Each puts what it says into the
 * draft, over what the one before it said; what is wrong becomes a problem of the draft.
 */
#ifndef SIGHTGLASS_CONFIG_SOURCES_H
#define SIGHTGLASS_CONFIG_SOURCES_H

#include <stdbool.h>

#include "config/draft.h"

/* The YAML file that first_read() found; without one, nothing. */
void file_read(struct draft *draft);

/*
 * Variables that begin with SIGHTGLASS_. An empty one is one that is not set. An unknown one is
 * warned of and not refused, and those that Kubernetes sets in every container beside a Service
 * named sightglass (SIGHTGLASS_SERVICE_HOST, SIGHTGLASS_PORT_8080_TCP_ADDR, …) are passed over.
 */
void environment_read(struct draft *draft, char *const environment[]);

/* `--flag value` and `--flag=value`. */
void flags_read(struct draft *draft, int argc, char *const argv[]);

/* Of the two above, only what must be known before the file is read: its name (into
 * draft->problems.file, borrowed), --help and --version. Makes no problem. */
void first_read(struct draft *draft, int argc, char *const argv[], char *const environment[]);

#endif
