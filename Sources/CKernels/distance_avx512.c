// AVX-512F: 16 floats a register, four accumulators, the tail by mask (never reads past the end).
#if defined(__x86_64__)

#include "distance_variants.h"
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))

AVX512 CK_INLINE float dot(const float *a, const float *b, size_t n) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
    }
    for (; i + 16 <= n; i += 16) { s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0); }
    if (i < n) {
        __mmask16 tail = (__mmask16)((1u << (n - i)) - 1u);
        s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(tail, a + i), _mm512_maskz_loadu_ps(tail, b + i), s1);
    }
    return -_mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

AVX512 CK_INLINE __m512 add_square(__m512 sum, __m512 a, __m512 b) {
    __m512 difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
}

AVX512 CK_INLINE float l2(const float *a, const float *b, size_t n) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = add_square(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        s1 = add_square(s1, _mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        s2 = add_square(s2, _mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32));
        s3 = add_square(s3, _mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48));
    }
    for (; i + 16 <= n; i += 16) { s0 = add_square(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)); }
    if (i < n) {
        __mmask16 tail = (__mmask16)((1u << (n - i)) - 1u);
        s1 = add_square(s1, _mm512_maskz_loadu_ps(tail, a + i), _mm512_maskz_loadu_ps(tail, b + i));
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

AVX512 static float pair_negated_dot(const float *a, const float *b, size_t n) { return dot(a, b, n); }
AVX512 static float pair_squared_l2(const float *a, const float *b, size_t n) { return l2(a, b, n); }
CK_DEFINE_ROWS(rows_negated_dot, dot, AVX512)
CK_DEFINE_ROWS(rows_squared_l2, l2, AVX512)

static bool supported(void) { return __builtin_cpu_supports("avx512f"); }

const ck_distance_variant ck_distance_avx512 = {
    "avx512", supported, pair_negated_dot, pair_squared_l2, rows_negated_dot, rows_squared_l2,
};

#endif
