/*
 * Layer: base. One job: tell that files have changed: written to, replaced, or swapped behind a
 * symbolic link, as Kubernetes does with secrets (it renames the `..data` link beside them).
 *
 * What is watched are folders, by the system's events: that of each symbolic link on a file's way
 * and that of the file itself; where the system has no events to give, the files are looked at
 * every few seconds. Several changes in a moment are told once. Belongs to one loop, which it does
 * not keep running.
 */
#ifndef SIGHTGLASS_BASE_FILE_WATCH_H
#define SIGHTGLASS_BASE_FILE_WATCH_H

#include "base/loop.h"

struct file_watch;

/* Nothing is watched yet. Never NULL; ended by file_watch_close(). */
struct file_watch *file_watch_create(struct loop *loop);
/*
 * `changed` runs within a turn once one of these files is another than when it was last looked at;
 * one that is missing may come. What is read of them from here on is not older than what is told
 * of. `paths` holds `count` paths (NULL and "" are passed over); they are copied. Before the loop
 * runs, or on its thread, but not from within `changed`.
 */
void file_watch_add(struct file_watch *watch, const char *const *paths, size_t count,
	void (*changed)(void *context), void *context);
/* Nothing is told from here on; the memory goes once libuv has let go of it. NULL is harmless. */
void file_watch_close(struct file_watch *watch);

#endif
