// XXH64: four lanes of 64-bit multiplications, some 10 bytes a nanosecond without any SIMD.
#include "CKernels.h"

#define PRIME1 0x9E3779B185EBCA87u
#define PRIME2 0xC2B2AE3D27D4EB4Fu
#define PRIME3 0x165667B19E3779F9u
#define PRIME4 0x85EBCA77C2B2AE63u
#define PRIME5 0x27D4EB2F165667C5u

// Little-endian on every machine.
static inline uint64_t word64(const uint8_t *at) {
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static inline uint64_t word32(const uint8_t *at) {
    uint32_t value;
    __builtin_memcpy(&value, at, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static inline uint64_t rotated(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

static inline uint64_t round64(uint64_t lane, uint64_t input) { return rotated(lane + input * PRIME2, 31) * PRIME1; }

static inline uint64_t merged(uint64_t hash, uint64_t lane) { return (hash ^ round64(0, lane)) * PRIME1 + PRIME4; }

uint64_t ck_xxh64(uint64_t seed, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    size_t rest = length;
    uint64_t hash = seed + PRIME5;
    if (rest >= 32) {
        uint64_t a = seed + PRIME1 + PRIME2, b = seed + PRIME2, c = seed, d = seed - PRIME1;
        for (; rest >= 32; rest -= 32, at += 32) {
            a = round64(a, word64(at));
            b = round64(b, word64(at + 8));
            c = round64(c, word64(at + 16));
            d = round64(d, word64(at + 24));
        }
        hash = rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
        hash = merged(merged(merged(merged(hash, a), b), c), d);
    }
    hash += length;
    for (; rest >= 8; rest -= 8, at += 8) { hash = rotated(hash ^ round64(0, word64(at)), 27) * PRIME1 + PRIME4; }
    if (rest >= 4) {
        hash = rotated(hash ^ word32(at) * PRIME1, 23) * PRIME2 + PRIME3;
        rest -= 4;
        at += 4;
    }
    for (; rest > 0; rest--, at++) { hash = rotated(hash ^ *at * PRIME5, 11) * PRIME1; }
    hash = (hash ^ hash >> 33) * PRIME2;
    hash = (hash ^ hash >> 29) * PRIME3;
    return hash ^ hash >> 32;
}
