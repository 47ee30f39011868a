// AVX2 with FMA: 8 floats a register, four accumulators, the last few floats one by one.
#if defined(__x86_64__)

#include "distance_variants.h"
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 CK_INLINE float sum(__m256 s0, __m256 s1, __m256 s2, __m256 s3) {
    __m256 all = _mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3));
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

AVX2 CK_INLINE float dot(const float *a, const float *b, size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
    }
    for (; i + 8 <= n; i += 8) { s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0); }
    float tail = 0;
    for (; i < n; i++) { tail += a[i] * b[i]; }
    return -(sum(s0, s1, s2, s3) + tail);
}

AVX2 CK_INLINE __m256 add_square(__m256 total, __m256 a, __m256 b) {
    __m256 difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, total);
}

AVX2 CK_INLINE float l2(const float *a, const float *b, size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = add_square(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        s1 = add_square(s1, _mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        s2 = add_square(s2, _mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16));
        s3 = add_square(s3, _mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24));
    }
    for (; i + 8 <= n; i += 8) { s0 = add_square(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)); }
    float tail = 0;
    for (; i < n; i++) {
        float difference = a[i] - b[i];
        tail += difference * difference;
    }
    return sum(s0, s1, s2, s3) + tail;
}

AVX2 static float pair_negated_dot(const float *a, const float *b, size_t n) { return dot(a, b, n); }
AVX2 static float pair_squared_l2(const float *a, const float *b, size_t n) { return l2(a, b, n); }
CK_DEFINE_ROWS(rows_negated_dot, dot, AVX2)
CK_DEFINE_ROWS(rows_squared_l2, l2, AVX2)

static bool supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

const ck_distance_variant ck_distance_avx2 = {
    "avx2", supported, pair_negated_dot, pair_squared_l2, rows_negated_dot, rows_squared_l2,
};

#endif
