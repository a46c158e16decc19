/*
 * Layer: base. One job: tell that files have changed: written to, replaced, or swapped behind a
 * symbolic link, as Kubernetes does with secrets (it renames the `..data` link beside them).
 *
 * What is watched are the folders, that of the path and that of the file it leads to, by the
 * system's events; where the system has none to give, the files are looked at every few seconds.
 * Several changes in a moment are told once. Belongs to one loop, which it does not keep running.
 */
#ifndef SIGHTGLASS_BASE_FILE_WATCH_H
#define SIGHTGLASS_BASE_FILE_WATCH_H

#include "base/loop.h"

struct file_watch;

/* Nothing is watched yet. Never NULL; ended by file_watch_close(). */
struct file_watch *file_watch_create(struct loop *loop);
/*
 * `changed` runs within a turn once one of these files is another than when it was last looked at;
 * one that is missing may come. `paths` holds `count` paths (NULL and "" are passed over); they are
 * copied. Before the loop runs, or on its thread.
 */
void file_watch_add(struct file_watch *watch, const char *const *paths, size_t count,
	void (*changed)(void *context), void *context);
/* Nothing is told from here on; the memory goes once libuv has let go of it. NULL is harmless. */
void file_watch_close(struct file_watch *watch);

#endif
