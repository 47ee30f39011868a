// Dispatch of the encoder's kernels, and the few functions that need no variants.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "encoder_internal.h"

size_t encoder_kernels_available(const encoder_kernels **list, size_t capacity) {
    size_t count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && count < capacity) {
        list[count++] = &encoder_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && count < capacity) {
        list[count++] = &encoder_kernels_avx2;
    }
#endif
    if (count < capacity) list[count++] = &encoder_kernels_vector4;
    if (count < capacity) list[count++] = &encoder_kernels_plain;
    return count;
}

const encoder_kernels *encoder_kernels_best(void) {
    static _Atomic(const encoder_kernels *) chosen;
    const encoder_kernels *best = atomic_load_explicit(&chosen, memory_order_acquire);
    if (best) return best;
    const encoder_kernels *list[1];
    encoder_kernels_available(list, 1);
    atomic_store_explicit(&chosen, list[0], memory_order_release);
    return list[0];
}

const encoder_kernels *encoder_kernels_scalar(void) { return &encoder_kernels_plain; }

size_t encoder_attention_scratch(size_t length, size_t head_size) {
    size_t keys = encoder_padded(length);
    // Keys transposed, values, one block of queries, its scores.
    return head_size * keys + length * encoder_padded(head_size) + ENCODER_QUERY_ROWS * head_size
        + ENCODER_QUERY_ROWS * keys;
}

float encoder_normalize(float *x, size_t width) {
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += (double)x[i] * (double)x[i];
    double length = sqrt(sum);
    if (!(length > 0) || isinf(length)) return (float)length;
    float inverse = (float)(1.0 / length);
    for (size_t i = 0; i < width; i++) x[i] *= inverse;
    return (float)length;
}

// The fingerprint: eight independent lanes of multiply-and-fold over 64-byte blocks, folded together at the end.
// Each lane takes its word times an odd constant of its own (from the digits of pi), so that swapped words differ.
static const uint64_t fingerprint_keys[8] = {
    0x243f6a8885a308d3, 0x13198a2e03707345, 0xa4093822299f31d1, 0x082efa98ec4e6c89,
    0x452821e638d01377, 0xbe5466cf34e90c6d, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917,
};

static inline uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void encoder_fingerprint_begin(encoder_fingerprint *state) {
    for (int lane = 0; lane < 8; lane++) state->lanes[lane] = fingerprint_keys[lane];
    state->total = 0;
}

static inline void fingerprint_block(uint64_t lanes[8], const unsigned char *bytes) {
    for (int lane = 0; lane < 8; lane++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * lane, 8);
        // The rotation carries the order of blocks; without the addition a zero lane would stay zero.
        uint64_t mixed = fold(word ^ lanes[lane], fingerprint_keys[lane]);
        lanes[lane] = (lanes[lane] << 29 | lanes[lane] >> 35) + mixed + word;
    }
}

void encoder_fingerprint_add(encoder_fingerprint *state, const void *bytes, size_t count) {
    const unsigned char *cursor = bytes;
    uint64_t lanes[8];
    memcpy(lanes, state->lanes, sizeof lanes);
    state->total += count;
    for (; count >= 64; count -= 64, cursor += 64) fingerprint_block(lanes, cursor);
    if (count > 0) {
        unsigned char block[64] = {0};
        memcpy(block, cursor, count);
        fingerprint_block(lanes, block);
    }
    memcpy(state->lanes, lanes, sizeof lanes);
}

void encoder_fingerprint_end(const encoder_fingerprint *state, uint64_t *out) {
    uint64_t low = state->total, high = ~state->total;
    for (int lane = 0; lane < 8; lane++) {
        low = fold(low ^ state->lanes[lane], fingerprint_keys[lane]) + state->lanes[lane];
        high = fold(high + state->lanes[7 - lane], fingerprint_keys[lane]) ^ state->lanes[lane];
    }
    out[0] = fold(low ^ fingerprint_keys[0], fingerprint_keys[3]);
    out[1] = fold(high ^ fingerprint_keys[1], fingerprint_keys[2]);
}
