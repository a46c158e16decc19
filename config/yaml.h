/*
 * Layer: config. One job: read a YAML file into a tree in which everything knows its line. It holds
 * one document of mappings, lists and scalars; anchors, aliases, tags and keys that are no plain
 * text are refused, so nothing in a file can stand for more than is written there. File, nesting
 * and mappings are bounded.
 */
#ifndef SIGHTGLASS_CONFIG_YAML_H
#define SIGHTGLASS_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"
#include "config/problems.h"

enum {
	YAML_FILE_MAX = 4 * 1024 * 1024,
	YAML_DEPTH_MAX = 16,
	YAML_KEYS_MAX = 200, /* of one mapping: more than there are settings */
};

enum yaml_kind {
	YAML_NULL, /* nothing, ~ or null without quotes */
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP,
	YAML_REFUSED, /* complained of already */
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned line;
	struct slice text; /* of a scalar, and of a null as it was written; NUL-terminated */
	struct yaml_node
		*first; /* of a list its items, of a mapping its keys: scalars, each with a value */
	struct yaml_node *value; /* of a key */
	struct yaml_node *next;
};

struct yaml {
	struct arena_pool pool;
	struct arena arena;
	struct yaml_node *root; /* a mapping, or null where the file says nothing; NULL: it could
				   not be read as a whole */
};

/* Reads problems->file. What is wrong becomes problems. Ended by yaml_fini() in every case. */
void yaml_load(struct yaml *yaml, struct problems *problems);
/* The same of bytes in memory. */
void yaml_parse(struct yaml *yaml, struct slice text, struct problems *problems);
void yaml_fini(struct yaml *yaml);

/* "a list", "a mapping", … */
const char *yaml_kind_name(const struct yaml_node *node);

#endif
