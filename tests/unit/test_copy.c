#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/copy.h"

enum {
	ROOM = 8192,
	MARK = 0x5a,
};

static void it_copies_every_byte_and_no_other_wherever_they_lie(void **state)
{
	static const size_t lengths[] = {
		0, 1, 63, 64, 1000, 1023, 1024, 1025, 1087, 1088, 4096, 6001};
	static unsigned char from[ROOM];
	static unsigned char to[ROOM];

	(void)state;
	for (size_t i = 0; i < ROOM; i++) {
		from[i] = (unsigned char)(i * 31 + i / 251);
	}
	for (size_t at = 0; at < 130; at += 1 + at % 7) {
		for (size_t source = 0; source < 20; source += 3) {
			for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
				memset(to, MARK, sizeof(to));
				copy_aside(to + at, from + source, lengths[i]);
				assert_memory_equal(to + at, from + source, lengths[i]);
				for (size_t j = 0; j < at; j++) {
					assert_int_equal(to[j], MARK);
				}
				for (size_t j = at + lengths[i]; j < ROOM; j++) {
					assert_int_equal(to[j], MARK);
				}
			}
		}
	}
}

static void nothing_may_be_copied_from_nowhere(void **state)
{
	(void)state;
	copy_aside(NULL, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_copies_every_byte_and_no_other_wherever_they_lie),
		cmocka_unit_test(nothing_may_be_copied_from_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
