// Link lists: the steps of a graph walk that touch memory a writer may be changing.
#include "distance_rows.h"

static uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static void store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

size_t ck_take_unvisited(const uint32_t *links, size_t capacity, uint32_t limit, uint8_t *tags, uint8_t tag,
                         const void *const *chunks, uint32_t shift, size_t stride, uint32_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < capacity; i++) {
        uint32_t slot = load(links + i);
        if (slot == CK_NO_SLOT) { break; }
        if (slot >= limit || tags[slot] == tag) { continue; }
        tags[slot] = tag;
        out[count++] = slot;
        ck_prefetch_row(ck_row(chunks, shift, stride, slot), 128);
    }
    return count;
}

size_t ck_read_links(const uint32_t *links, size_t capacity, uint32_t *out) {
    size_t count = 0;
    for (; count < capacity; count++) {
        uint32_t slot = load(links + count);
        if (slot == CK_NO_SLOT) { break; }
        out[count] = slot;
    }
    return count;
}

void ck_write_links(uint32_t *links, size_t capacity, const uint32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) { store(links + i, ids[i]); }
    for (size_t i = count; i < capacity; i++) { store(links + i, CK_NO_SLOT); }
}

bool ck_links_any_marked(const uint32_t *links, size_t capacity, const uint64_t *bitmap) {
    for (size_t i = 0; i < capacity; i++) {
        uint32_t slot = load(links + i);
        if (slot == CK_NO_SLOT) { return false; }
        if (bitmap[slot >> 6] >> (slot & 63) & 1) { return true; }
    }
    return false;
}

bool ck_links_valid(const uint32_t *links, size_t capacity, uint32_t limit, uint32_t self) {
    size_t i = 0;
    for (; i < capacity && links[i] != CK_NO_SLOT; i++) {
        if (links[i] >= limit || links[i] == self) { return false; }
    }
    for (; i < capacity; i++) {
        if (links[i] != CK_NO_SLOT) { return false; }
    }
    return true;
}
