// The scalar reference and the choice among variants, made once when the program is loaded.
#include "distance_variants.h"

static bool always(void) { return true; }

// Plain loops. Four partial sums, so that the reference is not itself the least exact of all.
CK_INLINE float scalar_negated_dot(const float *a, const float *b, size_t n) {
    float sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t j = 0; j < 4; j++) { sums[j] += a[i + j] * b[i + j]; }
    }
    for (; i < n; i++) { sums[0] += a[i] * b[i]; }
    return -((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

CK_INLINE float scalar_squared_l2(const float *a, const float *b, size_t n) {
    float sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t j = 0; j < 4; j++) {
            float difference = a[i + j] - b[i + j];
            sums[j] += difference * difference;
        }
    }
    for (; i < n; i++) {
        float difference = a[i] - b[i];
        sums[0] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static float pair_negated_dot(const float *a, const float *b, size_t n) { return scalar_negated_dot(a, b, n); }
static float pair_squared_l2(const float *a, const float *b, size_t n) { return scalar_squared_l2(a, b, n); }
CK_DEFINE_ROWS(rows_negated_dot, scalar_negated_dot, )
CK_DEFINE_ROWS(rows_squared_l2, scalar_squared_l2, )

static const ck_distance_variant ck_distance_scalar = {
    "scalar", always, pair_negated_dot, pair_squared_l2, rows_negated_dot, rows_squared_l2,
};

static const ck_distance_variant *const variants[] = {
#if defined(__x86_64__)
    &ck_distance_avx512,
    &ck_distance_avx2,
#elif defined(__aarch64__)
    &ck_distance_neon,
#endif
    &ck_distance_scalar,
};

static const ck_distance_variant *best = &ck_distance_scalar;

__attribute__((constructor)) static void choose(void) {
    for (size_t i = 0; i < ck_distance_variant_count(); i++) {
        if (variants[i]->supported()) {
            best = variants[i];
            return;
        }
    }
}

size_t ck_distance_variant_count(void) { return sizeof(variants) / sizeof(variants[0]); }
const ck_distance_variant *ck_distance_variant_at(size_t position) { return variants[position]; }
const ck_distance_variant *ck_distance_best(void) { return best; }

bool ck_all_finite_f32(const float *values, size_t n) {
    // An exponent of all ones is NaN or infinity; integer compares vectorise without any target.
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        __builtin_memcpy(&bits, values + i, sizeof(bits));
        bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return bad == 0;
}

bool ck_equal_bytes(const void *a, const void *b, size_t length) { return __builtin_memcmp(a, b, length) == 0; }
