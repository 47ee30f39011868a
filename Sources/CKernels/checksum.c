// CRC32C: SSE4.2 or ARMv8 instruction, else slicing by 8.
#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

static uint32_t tables[8][256];

static uint64_t word(const uint8_t *at) {
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof(value));
    return value;
}

uint32_t ck_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; length >= 8; length -= 8, at += 8) {
        uint32_t next = 0;
        uint8_t block[8];
        __builtin_memcpy(block, at, 8);
        for (int i = 0; i < 4; i++) { next ^= tables[7 - i][block[i] ^ (crc >> (8 * i) & 0xFF)]; }
        for (int i = 4; i < 8; i++) { next ^= tables[7 - i][block[i]]; }
        crc = next;
    }
    for (; length > 0; length--, at++) { crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF]; }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint64_t wide = ~crc;
    for (; length >= 8; length -= 8, at += 8) { wide = _mm_crc32_u64(wide, word(at)); }
    uint32_t narrow = (uint32_t)wide;
    for (; length > 0; length--, at++) { narrow = _mm_crc32_u8(narrow, *at); }
    return ~narrow;
}
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t crc32c_arm(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; length >= 8; length -= 8, at += 8) { crc = __crc32cd(crc, word(at)); }
    for (; length > 0; length--, at++) { crc = __crc32cb(crc, *at); }
    return ~crc;
}
#endif

static uint32_t (*chosen)(uint32_t, const void *, size_t) = ck_crc32c_portable;

__attribute__((constructor)) static void choose(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) { crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0); }
        tables[0][i] = crc;
    }
    for (int t = 1; t < 8; t++) {
        for (int i = 0; i < 256; i++) { tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xFF]; }
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) { chosen = crc32c_sse42; }
#elif defined(__aarch64__) && defined(__linux__) && defined(HWCAP_CRC32)
    if (getauxval(AT_HWCAP) & HWCAP_CRC32) { chosen = crc32c_arm; }
#endif
}

uint32_t ck_crc32c(uint32_t crc, const void *bytes, size_t length) { return chosen(crc, bytes, length); }
