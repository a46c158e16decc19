/*
 * Layer: base. One job: read YAML into a tree in which everything knows its line. It holds one
 * document of mappings, lists and scalars; anchors, aliases, tags and keys that are no plain text
 * are refused, so nothing in a file can stand for more than is written there. Text, nesting and
 * mappings are bounded. The tree is overwritten when it ends: files of settings hold secrets.
 */
#ifndef SIGHTGLASS_BASE_YAML_H
#define SIGHTGLASS_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

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
	bool plain;        /* of a scalar: it stands without quotes */
	struct slice text; /* of a scalar, and of a null as it was written; NUL-terminated */
	struct yaml_node
		*first; /* of a list its items, of a mapping its keys: scalars, each with a value */
	struct yaml_node *value; /* of a key */
	struct yaml_node *next;
};

struct yaml {
	struct arena_pool pool;
	struct arena arena;
	struct yaml_node *root; /* a mapping, or null where the text says nothing; NULL: it could
				   not be read as a whole */
};

/* What may be in the text, and who hears of it where it is something else. */
struct yaml_rules {
	size_t bytes_max; /* of the text; the caller holds to it, the tree is bounded after it */
	unsigned depth_max;
	unsigned keys_max;   /* of one mapping */
	const char *example; /* of the mapping that the whole has to be */
	bool discreet;       /* what begins with &, * or ! may be a secret: no sentence quotes it */
	/* One sentence: what is wrong; what would be right. `line` is 0 for the text as a whole,
	 * `key` NULL where no key is meant; both texts die when the call ends. */
	void (*complain)(void *context, unsigned line, const char *key, const char *sentence);
	void *context;
};

/* What is wrong is told to rules->complain. Ended by yaml_fini() in every case. */
void yaml_read(struct yaml *yaml, struct slice text, const struct yaml_rules *rules);
/* Harmless on a struct that is all zero. */
void yaml_fini(struct yaml *yaml);

/* The value of the mapping's key; NULL where `map` is NULL, no mapping, or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* "a list", "a mapping", … */
const char *yaml_kind_name(const struct yaml_node *node);

#endif
