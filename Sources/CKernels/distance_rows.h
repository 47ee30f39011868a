// The loop over rows that every variant shares; each instantiates it with its own pair function, which
// is inlined, under its own target attribute.
#ifndef CK_DISTANCE_ROWS_H
#define CK_DISTANCE_ROWS_H

#include "CKernels.h"

#define CK_INLINE static inline __attribute__((always_inline))

// Bytes of the next row fetched while the present one is computed: a whole row up to 1,024 floats; the
// hardware's own stream prefetcher has caught on by then.
#define CK_AHEAD_BYTES 4096

CK_INLINE const float *ck_row(const void *const *chunks, uint32_t shift, size_t stride, uint32_t slot) {
    const float *chunk = (const float *)chunks[slot >> shift];
    return chunk + (size_t)(slot & ((1u << shift) - 1u)) * stride;
}

CK_INLINE void ck_prefetch_row(const float *row, size_t bytes) {
    const char *at = (const char *)row;
    for (size_t offset = 0; offset < bytes; offset += 64) { __builtin_prefetch(at + offset, 0, 3); }
}

#define CK_DEFINE_ROWS(NAME, PAIR, TARGET)                                                                    \
    TARGET static void NAME(const float *query, size_t n, const void *const *chunks, uint32_t shift,          \
                            size_t stride, const uint32_t *slots, size_t count, float *out) {                 \
        if (count == 0) { return; }                                                                           \
        size_t ahead = n * sizeof(float) < CK_AHEAD_BYTES ? n * sizeof(float) : CK_AHEAD_BYTES;               \
        const float *row = ck_row(chunks, shift, stride, slots[0]);                                           \
        for (size_t i = 0; i < count; i++) {                                                                  \
            const float *next = row;                                                                          \
            if (i + 1 < count) {                                                                              \
                next = ck_row(chunks, shift, stride, slots[i + 1]);                                           \
                ck_prefetch_row(next, ahead);                                                                 \
            }                                                                                                 \
            out[i] = PAIR(query, row, n);                                                                     \
            row = next;                                                                                       \
        }                                                                                                     \
    }

#endif
