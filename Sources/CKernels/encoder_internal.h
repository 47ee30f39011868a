// What the encoder's kernel sets share; not part of the module's interface.
#ifndef ENCODER_INTERNAL_H
#define ENCODER_INTERNAL_H

#include "CKernelsEncoder.h"

/// Query rows that attention computes together.
#define ENCODER_QUERY_ROWS 6
/// Keys and head dimensions are padded to multiples of this: two AVX-512 registers.
#define ENCODER_PAD 32

/// As many rows as there may be. Not SIZE_MAX: Swift takes size_t for Int, where that is -1.
#define ENCODER_ALWAYS ((size_t)PTRDIFF_MAX)

static inline size_t encoder_padded(size_t count) {
    return (count + ENCODER_PAD - 1) / ENCODER_PAD * ENCODER_PAD;
}

#if defined(__x86_64__)
extern const encoder_kernels encoder_kernels_avx512;
extern const encoder_kernels encoder_kernels_avx2;
#endif
extern const encoder_kernels encoder_kernels_vector4;
extern const encoder_kernels encoder_kernels_plain;

#endif
