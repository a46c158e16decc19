/*
 * Layer: base. One job: tell one state of a file from another without reading it.
 */
#ifndef SIGHTGLASS_BASE_FILE_SIGNATURE_H
#define SIGHTGLASS_BASE_FILE_SIGNATURE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct file_signature {
	dev_t device;
	ino_t inode;
	off_t size; /* -1: there is no such file */
	struct timespec written;
};

/* Of the file at the end of all links. */
struct file_signature file_signature_of(const char *path);
bool file_signature_same(const struct file_signature *a, const struct file_signature *b);

#endif
