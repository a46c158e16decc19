/*
 * Layer: base. One job: see file_signature.h.
 */
#include "base/file_signature.h"

#include <sys/stat.h>

struct file_signature file_signature_of(const char *path)
{
	struct file_signature signature = {.size = -1};
	struct stat status;

	if (stat(path, &status) == 0) {
		signature.device = status.st_dev;
		signature.inode = status.st_ino;
		signature.size = status.st_size;
#ifdef __APPLE__
		signature.written = status.st_mtimespec;
#else
		signature.written = status.st_mtim;
#endif
	}
	return signature;
}

bool file_signature_same(const struct file_signature *a, const struct file_signature *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec;
}
