// Distances between fp32 vectors, and the few leaf steps of a graph walk that read memory which a
// writer may be changing at the same time.
//
// All functions work on raw pointers and counts: no allocation, no state after the one-time choice of
// a variant. Smaller is nearer in every distance: the inner product comes back negated, so cosine (of
// unit vectors) and dot share one kernel and a caller turns any distance into a score by negating it.
// Any dimension and any alignment is allowed; 64-byte aligned rows are fastest. NaN in, NaN out.
#ifndef CKERNELS_DISTANCE_H
#define CKERNELS_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// One distance: `n` floats at `a` and `b`.
typedef float (*ck_pair_f32)(const float *a, const float *b, size_t n);

// Distances of one query to `count` rows named by slot number, into `out[0 ..< count]`.
//
// Row `s` starts at `chunks[s >> shift] + (s & ((1 << shift) - 1)) * stride` (stride in floats). Rows
// lie anywhere in memory, so the kernel fetches ahead: one call for all neighbours of a node overlaps
// their cache misses, where a call per neighbour would wait for each.
typedef void (*ck_rows_f32)(const float *query, size_t n, const void *_Nullable const *_Nonnull chunks,
                            uint32_t shift, size_t stride, const uint32_t *slots, size_t count, float *out);

typedef struct ck_distance_variant {
    const char *name; // "avx512", "avx2", "neon", "scalar"
    bool (*supported)(void);
    ck_pair_f32 negated_dot;
    ck_pair_f32 squared_l2;
    ck_rows_f32 negated_dot_rows;
    ck_rows_f32 squared_l2_rows;
} ck_distance_variant;

// Every variant compiled for this architecture, fastest first; scalar, the reference, is last.
size_t ck_distance_variant_count(void);
const ck_distance_variant *ck_distance_variant_at(size_t position);
// The fastest one this CPU runs, chosen once when the program is loaded.
const ck_distance_variant *ck_distance_best(void);

// False when any of `n` floats is NaN or infinite.
bool ck_all_finite_f32(const float *values, size_t n);

// True when both hold the same bytes.
bool ck_equal_bytes(const void *a, const void *b, size_t length);

// --- Link lists -----------------------------------------------------------------------------------
// A list is `capacity` 32-bit slot numbers; the first CK_NO_SLOT ends it. A list may be read while a
// writer replaces it: each number is one atomic word, so a reader sees a mixture of old and new
// numbers, all of them valid slots, and what was written to a slot before it was linked.
#define CK_NO_SLOT UINT32_MAX

// Copies the numbers of a list that are below `limit` and not yet marked with `tag`, marks them, and
// starts fetching their rows. Returns how many. `out` has room for `capacity`.
size_t ck_take_unvisited(const uint32_t *links, size_t capacity, uint32_t limit, uint8_t *tags, uint8_t tag,
                         const void *_Nullable const *_Nonnull chunks, uint32_t shift, size_t stride,
                         uint32_t *out);
// Copies a list; returns its length.
size_t ck_read_links(const uint32_t *links, size_t capacity, uint32_t *out);
// Replaces a list by `count` numbers, first to last, and ends it.
void ck_write_links(uint32_t *links, size_t capacity, const uint32_t *ids, size_t count);
// True when the list names a slot whose bit is set in `bitmap` (bit s & 63 of word s >> 6).
bool ck_links_any_marked(const uint32_t *links, size_t capacity, const uint64_t *bitmap);
// True when the list is well formed in a file's image: numbers below `limit` and not `self`, no number
// after the end mark.
bool ck_links_valid(const uint32_t *links, size_t capacity, uint32_t limit, uint32_t self);

// --- Single atomic words --------------------------------------------------------------------------
static inline uint8_t ck_load_u8(const uint8_t *byte) { return __atomic_load_n(byte, __ATOMIC_ACQUIRE); }
static inline void ck_store_u8(uint8_t *byte, uint8_t value) { __atomic_store_n(byte, value, __ATOMIC_RELEASE); }
static inline uint8_t ck_fetch_or_u8(uint8_t *byte, uint8_t bits) {
    return __atomic_fetch_or(byte, bits, __ATOMIC_ACQ_REL);
}
static inline uint32_t ck_load_u32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void ck_store_u32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline uint64_t ck_load_u64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void ck_store_u64(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
// Asks for the cache line at `address`, to be read soon.
static inline void ck_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

#pragma clang assume_nonnull end

#endif
