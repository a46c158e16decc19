/*
 * Layer: config. One job: the nearest name, by the edits that lead from one word to the other: a
 * letter put in, left out, changed, or swapped with its neighbour.
 */
#include "config/nearest.h"

#include <stdint.h>
#include <string.h>

enum {
	WORD_MAX = 64, /* what is longer is compared by its first bytes */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct slice cut(struct slice word)
{
	word.len = least(word.len, WORD_MAX);
	return word;
}

/* Three rows of the table of distances between beginnings are enough: one above for edits, two
 * above for swaps. */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][WORD_MAX + 1];

	a = cut(a);
	b = cut(b);
	for (size_t j = 0; j <= b.len; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.ptr[i - 1]), y = ascii_lower(b.ptr[j - 1]);

			row[j] = least(
				least(above[j], row[j - 1]) + 1, above[j - 1] + (x == y ? 0 : 1));
			if (i > 1 && j > 1 && x == ascii_lower(b.ptr[j - 2]) &&
				ascii_lower(a.ptr[i - 2]) == y) {
				row[j] = least(row[j], two_above[j - 2] + 1);
			}
		}
	}
	return rows[a.len % 3][b.len];
}

static struct slice last_part(struct slice name)
{
	for (size_t i = name.len; i > 0; i--) {
		if (name.ptr[i - 1] == '.') {
			return slice_of(name.ptr + i, name.len - i);
		}
	}
	return name;
}

void nearest_init(struct nearest *nearest, struct slice word)
{
	*nearest = (struct nearest){.word = word, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *nearest, struct slice name)
{
	size_t whole = distance(nearest->word, name);
	size_t parts = distance(last_part(nearest->word), last_part(name)) +
		       1; /* of two that are as near, the whole one */
	size_t found = least(whole, parts);

	if (found < nearest->distance) {
		nearest->distance = found;
		nearest->best = name;
	}
}
