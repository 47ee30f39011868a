// Kernels of the text encoder: what stands between the matrix products of a BERT-type transformer.
//
// Leaf functions on raw pointers and counts: no allocation, no globals after the one-time dispatch,
// any alignment, row-major float32. A set exists per instruction set; all sets compute the same thing
// to within float rounding, and `encoder_kernels_scalar` is the plain reference that tests compare with.
// NaN comes out where NaN went in (its row; in attention its sequence and head), and nothing ever traps.
#ifndef CKERNELS_ENCODER_H
#define CKERNELS_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
    /// "avx512", "avx2", "neon", "sse2" or "scalar".
    const char *name;

    /// Up to this many rows `product` is faster than a BLAS; 0 is never, PTRDIFF_MAX always. Measured on Zen 4 with
    /// the shapes of MiniLM, GFLOP/s of AVX-512, AVX2 and OpenBLAS 0.3.21: 106, 103 and 98 at 256 rows,
    /// 97, - and 37 at 15 rows with weights that come from memory.
    size_t product_rows_max;

    /// out[r] = layerNorm(word[ids[r]] + positions[r]) * gamma + beta, for `rows` rows of `width`.
    /// `positions` holds one row a position, in order (position and token-type embedding added up).
    /// The caller has checked that every id is a row of `word`.
    void (*embed_rows)(float *out, const float *word, const float *positions, const int32_t *ids,
                       const float *gamma, const float *beta, size_t rows, size_t width, float epsilon);

    /// out[r] = layerNorm(x[r] + bias + residual[r]) * gamma + beta. `out` may be `x` or `residual`.
    void (*add_layer_norm)(float *out, const float *x, const float *bias, const float *residual,
                           const float *gamma, const float *beta, size_t rows, size_t width, float epsilon);

    /// x[r] = gelu(x[r] + bias) in place: the exact GELU, x * Phi(x), to 2e-7 * max(1, |x|).
    void (*bias_gelu)(float *x, const float *bias, size_t rows, size_t width);

    /// Attention of one sequence, all heads, no mask.
    ///
    /// `qkv` is [length, 3 * heads * head_size]: queries, keys and values side by side, before bias.
    /// `query_bias` is added to the queries. A bias of the keys cancels in the softmax, and one of the values
    /// is the same as a bias after the output product: neither is wanted here.
    /// `out` is [length, heads * head_size]. `scratch` holds encoder_attention_scratch(length, head_size) floats.
    void (*attention)(float *out, const float *qkv, const float *query_bias, size_t length, size_t heads,
                      size_t head_size, float *scratch);

    /// out = the mean of `rows` rows (at least one) of `width`.
    void (*mean_rows)(float *out, const float *x, size_t rows, size_t width);

    /// out = x * w^T: x is [rows, depth], w is [columns, depth], out is [rows, columns].
    void (*product)(float *out, const float *x, const float *w, size_t rows, size_t columns, size_t depth);
} encoder_kernels;

/// The best set for this processor; chosen at the first call, the same ever after. Thread-safe.
const encoder_kernels *encoder_kernels_best(void);

/// The reference set: plain loops, libm's exp and erf.
const encoder_kernels *encoder_kernels_scalar(void);

/// Every set that this processor can run, best first, scalar last. Returns how many `list` received.
size_t encoder_kernels_available(const encoder_kernels *_Nonnull *_Nonnull list, size_t capacity);

/// Floats of scratch that `attention` needs for one sequence.
size_t encoder_attention_scratch(size_t length, size_t head_size);

/// Divides `x` by its Euclidean length (summed in double) and returns that length.
/// A length that is zero, infinite or NaN leaves `x` as it is.
float encoder_normalize(float *x, size_t width);

/// A 128-bit fingerprint of bytes that arrive in pieces: non-cryptographic, about as fast as memory.
/// It tells two models apart and shows accidental damage; it resists no forger.
typedef struct {
    uint64_t lanes[8];
    uint64_t total;
} encoder_fingerprint;

void encoder_fingerprint_begin(encoder_fingerprint *state);
/// A piece that is no multiple of 64 bytes is filled up with zeros: cut the same bytes the same way.
void encoder_fingerprint_add(encoder_fingerprint *state, const void *bytes, size_t count);
void encoder_fingerprint_end(const encoder_fingerprint *state, uint64_t *_Nonnull out);

#pragma clang assume_nonnull end

#endif
