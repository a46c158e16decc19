/*
 * Layer: config. One job: the file of settings as a tree of YAML.
 */
#ifndef SIGHTGLASS_CONFIG_YAML_FILE_H
#define SIGHTGLASS_CONFIG_YAML_FILE_H

#include "base/yaml.h"
#include "config/problems.h"

enum {
	YAML_FILE_MAX = 4 * 1024 * 1024,
	YAML_FILE_DEPTH_MAX = 16,
	YAML_FILE_KEYS_MAX = 200, /* of one mapping: more than there are settings */
};

/* Reads problems->file. What is wrong becomes problems. Ended by yaml_fini() in every case. */
void yaml_file_load(struct yaml *yaml, struct problems *problems);
/* The same of bytes in memory. */
void yaml_file_parse(struct yaml *yaml, struct slice text, struct problems *problems);

#endif
