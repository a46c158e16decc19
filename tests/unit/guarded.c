#include "tests/unit/guarded.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

static char *end_of_memory(void)
{
	static char *end;

	if (end == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *start = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		assert(start != MAP_FAILED);
		assert(mprotect(start + GUARDED_MAX, page, PROT_NONE) == 0);
		end = start + GUARDED_MAX;
	}
	return end;
}

struct slice guarded_copy(struct slice bytes)
{
	char *copy = end_of_memory() - bytes.len;

	assert(bytes.len <= GUARDED_MAX);
	if (bytes.len > 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	return slice_of(copy, bytes.len);
}
