// NEON (always there on 64-bit ARM): 4 floats a register, four accumulators.
#if defined(__aarch64__)

#include "distance_variants.h"
#include <arm_neon.h>

CK_INLINE float dot(const float *a, const float *b, size_t n) {
    float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
        s1 = vfmaq_f32(s1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        s2 = vfmaq_f32(s2, vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
        s3 = vfmaq_f32(s3, vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
    }
    for (; i + 4 <= n; i += 4) { s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i)); }
    float tail = 0;
    for (; i < n; i++) { tail += a[i] * b[i]; }
    return -(vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3))) + tail);
}

CK_INLINE float32x4_t add_square(float32x4_t sum, float32x4_t a, float32x4_t b) {
    float32x4_t difference = vsubq_f32(a, b);
    return vfmaq_f32(sum, difference, difference);
}

CK_INLINE float l2(const float *a, const float *b, size_t n) {
    float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        s0 = add_square(s0, vld1q_f32(a + i), vld1q_f32(b + i));
        s1 = add_square(s1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        s2 = add_square(s2, vld1q_f32(a + i + 8), vld1q_f32(b + i + 8));
        s3 = add_square(s3, vld1q_f32(a + i + 12), vld1q_f32(b + i + 12));
    }
    for (; i + 4 <= n; i += 4) { s0 = add_square(s0, vld1q_f32(a + i), vld1q_f32(b + i)); }
    float tail = 0;
    for (; i < n; i++) {
        float difference = a[i] - b[i];
        tail += difference * difference;
    }
    return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3))) + tail;
}

static float pair_negated_dot(const float *a, const float *b, size_t n) { return dot(a, b, n); }
static float pair_squared_l2(const float *a, const float *b, size_t n) { return l2(a, b, n); }
CK_DEFINE_ROWS(rows_negated_dot, dot, )
CK_DEFINE_ROWS(rows_squared_l2, l2, )

static bool supported(void) { return true; }

const ck_distance_variant ck_distance_neon = {
    "neon", supported, pair_negated_dot, pair_squared_l2, rows_negated_dot, rows_squared_l2,
};

#endif
