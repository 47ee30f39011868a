// Vectors of ENCODER_WIDTH floats and what the encoder's kernels do with them lane by lane. No include guard: each
// encoder_<set>.c reads it once, by way of encoder_body.h, with a width and a target of its own.
#include <math.h>
#include <string.h>

typedef float vf __attribute__((ext_vector_type(ENCODER_WIDTH)));
typedef int32_t vi __attribute__((ext_vector_type(ENCODER_WIDTH)));
typedef float v8 __attribute__((ext_vector_type(8)));
typedef float v4 __attribute__((ext_vector_type(4)));

#define W ENCODER_WIDTH
#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) {
    vf value;
    memcpy(&value, p, sizeof value);
    return value;
}

INLINE void store(float *p, vf value) { memcpy(p, &value, sizeof value); }

/// The first `count` (fewer than W) floats; the others are zero.
INLINE vf load_part(const float *p, size_t count) {
    vf value = (vf)(0.0f);
    memcpy(&value, p, count * sizeof(float));
    return value;
}

INLINE void store_part(float *p, vf value, size_t count) { memcpy(p, &value, count * sizeof(float)); }

INLINE vf fma_(vf a, vf b, vf c) {
#if ENCODER_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

INLINE vi bits_of(vf value) {
    vi bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

INLINE vf from_bits(vi bits) {
    vf value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE vf select_(vi mask, vf yes, vf no) {
    return from_bits((mask & bits_of(yes)) | (~mask & bits_of(no)));
}

/// Four partial sums of the lanes.
INLINE v4 fold_lanes(vf value) {
#if ENCODER_WIDTH == 16
    v8 eight = value.lo + value.hi;
    return eight.lo + eight.hi;
#elif ENCODER_WIDTH == 8
    return value.lo + value.hi;
#else
    return value;
#endif
}

INLINE float sum_lanes(vf value) {
    v4 four = fold_lanes(value);
    return (four.x + four.z) + (four.y + four.w);
}

/// The lane sums of four vectors.
INLINE v4 sum_lanes_of_four(vf a, vf b, vf c, vf d) {
    v4 p = fold_lanes(a), q = fold_lanes(b), r = fold_lanes(c), s = fold_lanes(d);
    v4 left = __builtin_shufflevector(p, q, 0, 4, 1, 5) + __builtin_shufflevector(p, q, 2, 6, 3, 7);
    v4 right = __builtin_shufflevector(r, s, 0, 4, 1, 5) + __builtin_shufflevector(r, s, 2, 6, 3, 7);
    return __builtin_shufflevector(left, right, 0, 1, 4, 5) + __builtin_shufflevector(left, right, 2, 3, 6, 7);
}

/// e^x for x <= 0, within 1 ulp or so; 0 below -87; NaN stays NaN.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r + r^2 p(r), p a minimax polynomial of our own fit (3e-9).
/// n comes out of the low bits of x log2(e) + 1.5 * 2^23, so no float is ever converted to an integer.
INLINE vf exp_negative(vf x) {
    vi tiny = x < (vf)(-87.0f);
    x = select_(tiny, (vf)(-87.0f), x);
    vf shifted = fma_(x, (vf)(1.44269504f), (vf)(12582912.0f));
    vf n = shifted - (vf)(12582912.0f);
    vf r = fma_(n, (vf)(-0.693359375f), x);
    r = fma_(n, (vf)(2.12194440e-4f), r);
    vf p = (vf)(1.381455921e-03f);
    p = fma_(p, r, (vf)(8.368735202e-03f));
    p = fma_(p, r, (vf)(4.166838899e-02f));
    p = fma_(p, r, (vf)(1.666652113e-01f));
    p = fma_(p, r, (vf)(4.999999404e-01f));
    vf y = fma_(p, r * r, r) + (vf)(1.0f);
    vi exponent = (bits_of(shifted) - (vi)(0x4b400000) + (vi)(127)) << 23;
    y *= from_bits(exponent);
    return select_(tiny, (vf)(0.0f), y);
}

/// x * Phi(x). Phi(x) = 1/2 + x p(x^2) for |x| <= 5.4 (our own minimax fit, 3e-8), 0 and 1 beyond.
///
/// p is written in t = 2 x^2 / 5.4^2 - 1, which keeps its coefficients small and its sum free of cancellation.
INLINE vf gelu(vf x) {
    static const float coefficients[15] = {
        3.928589576e-04f, -1.028369181e-03f, 8.749332628e-04f,  -1.186409383e-03f, 3.658922622e-03f,
        -6.715339143e-03f, 9.651196189e-03f, -1.396331936e-02f, 1.964514330e-02f,  -2.574645728e-02f,
        3.211659566e-02f, -3.920681402e-02f, 4.849959165e-02f,  -6.532805413e-02f, 1.309281141e-01f,
    };
    vf t = fma_(x * x, (vf)(6.858710200e-02f), (vf)(-1.0f));
    vf p = (vf)(coefficients[0]);
#pragma clang loop unroll(full)
    for (int i = 1; i < 15; i++) p = fma_(p, t, (vf)(coefficients[i]));
    vf y = x * fma_(x, p, (vf)(0.5f));
    y = select_(x > (vf)(5.4f), x, y);
    return select_(x < (vf)(-5.4f), (vf)(0.0f), y);
}
