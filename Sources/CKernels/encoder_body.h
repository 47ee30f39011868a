// The encoder's kernels over vectors of ENCODER_WIDTH floats, written once and compiled per instruction set:
// each encoder_<set>.c defines ENCODER_WIDTH (4, 8 or 16), ENCODER_FMA (0 or 1) and ENCODER_TABLE, sets the
// target and includes this file. Clang's vector extensions become the set's own instructions.
#include "encoder_lanes.h"

#include "encoder_attention.h"
#include "encoder_product.h"

/// Layer norm of `row` in place, given the sum of its values.
INLINE void normalize_row(float *row, float sum, const float *gamma, const float *beta, size_t width, float epsilon) {
    size_t whole = width / W * W, rest = width - whole;
    float mean = sum / (float)width;
    vf squares = (vf)(0.0f);
    for (size_t i = 0; i < whole; i += W) {
        vf difference = load(row + i) - (vf)(mean);
        squares = fma_(difference, difference, squares);
    }
    float variance = sum_lanes(squares);
    for (size_t i = whole; i < width; i++) variance += (row[i] - mean) * (row[i] - mean);
    float scale = 1.0f / sqrtf(variance / (float)width + epsilon);
    for (size_t i = 0; i < whole; i += W) {
        store(row + i, fma_((load(row + i) - (vf)(mean)) * (vf)(scale), load(gamma + i), load(beta + i)));
    }
    if (rest) {
        vf centred = (load_part(row + whole, rest) - (vf)(mean)) * (vf)(scale);
        store_part(row + whole, fma_(centred, load_part(gamma + whole, rest), load_part(beta + whole, rest)), rest);
    }
}

static void embed_rows(float *out, const float *word, const float *positions, const int32_t *ids, const float *gamma,
                       const float *beta, size_t rows, size_t width, float epsilon) {
    size_t whole = width / W * W;
    for (size_t r = 0; r < rows; r++) {
        const float *source = word + (size_t)ids[r] * width;
        const float *position = positions + r * width;
        float *row = out + r * width;
        vf sums = (vf)(0.0f);
        for (size_t i = 0; i < whole; i += W) {
            vf value = load(source + i) + load(position + i);
            sums += value;
            store(row + i, value);
        }
        float sum = sum_lanes(sums);
        for (size_t i = whole; i < width; i++) {
            row[i] = source[i] + position[i];
            sum += row[i];
        }
        normalize_row(row, sum, gamma, beta, width, epsilon);
    }
}

static void add_layer_norm(float *out, const float *x, const float *bias, const float *residual, const float *gamma,
                           const float *beta, size_t rows, size_t width, float epsilon) {
    size_t whole = width / W * W;
    for (size_t r = 0; r < rows; r++) {
        const float *left = x + r * width, *right = residual + r * width;
        float *row = out + r * width;
        vf sums = (vf)(0.0f);
        for (size_t i = 0; i < whole; i += W) {
            vf value = load(left + i) + load(bias + i) + load(right + i);
            sums += value;
            store(row + i, value);
        }
        float sum = sum_lanes(sums);
        for (size_t i = whole; i < width; i++) {
            row[i] = left[i] + bias[i] + right[i];
            sum += row[i];
        }
        normalize_row(row, sum, gamma, beta, width, epsilon);
    }
}

static void bias_gelu(float *x, const float *bias, size_t rows, size_t width) {
    size_t whole = width / W * W, rest = width - whole;
    for (size_t r = 0; r < rows; r++) {
        float *row = x + r * width;
        for (size_t i = 0; i < whole; i += W) store(row + i, gelu(load(row + i) + load(bias + i)));
        if (rest) store_part(row + whole, gelu(load_part(row + whole, rest) + load_part(bias + whole, rest)), rest);
    }
}

static void mean_rows(float *out, const float *x, size_t rows, size_t width) {
    size_t whole = width / W * W;
    float inverse = 1.0f / (float)rows;
    for (size_t i = 0; i < whole; i += W) {
        vf sum = (vf)(0.0f);
        for (size_t r = 0; r < rows; r++) sum += load(x + r * width + i);
        store(out + i, sum * (vf)(inverse));
    }
    for (size_t i = whole; i < width; i++) {
        float sum = 0;
        for (size_t r = 0; r < rows; r++) sum += x[r * width + i];
        out[i] = sum * inverse;
    }
}

const encoder_kernels ENCODER_TABLE = {
    .name = ENCODER_NAME,
    .product_rows_max = ENCODER_PRODUCT_ROWS,
    .embed_rows = embed_rows,
    .add_layer_norm = add_layer_norm,
    .bias_gelu = bias_gelu,
    .attention = attention,
    .mean_rows = mean_rows,
    .product = product,
};
