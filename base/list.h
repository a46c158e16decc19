/*
 * Layer: base. One job: intrusive doubly linked lists with a sentinel: constant-time insertion and
 * removal, no allocation. A node that is in no list points at itself, so removing twice is
 * harmless.
 */
#ifndef SIGHTGLASS_BASE_LIST_H
#define SIGHTGLASS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list { /* the sentinel of a list, or a node within one */
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		.next = &(name), .prev = &(name)                                                   \
	}

/* The struct of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_before(struct list *place, struct list *node)
{
	node->prev = place->prev;
	node->next = place;
	place->prev->next = node;
	place->prev = node;
}

static inline void list_push_back(struct list *list, struct list *node)
{
	list_insert_before(list, node);
}

static inline void list_push_front(struct list *list, struct list *node)
{
	list_insert_before(list->next, node);
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first node, taken off the list; NULL where the list is empty. */
static inline struct list *list_pop_front(struct list *list)
{
	struct list *node = list->next;

	if (node == list) {
		return NULL;
	}
	list_remove(node);
	return node;
}

/* The node may be removed, or freed, by the loop's body. */
#define list_each(node, after, sentinel)                                                           \
	for (struct list *node = (sentinel)->next, *after = node->next; node != (sentinel);        \
		node = after, after = node->next)

#endif
