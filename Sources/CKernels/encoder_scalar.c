// The reference kernels: plain loops with libm, sums in double. Slow on purpose; tests compare the others with these.
#include <math.h>

#include "encoder_internal.h"

static void layer_norm_row(float *row, const float *gamma, const float *beta, size_t width, float epsilon) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < width; i++) mean += row[i];
    mean /= (double)width;
    for (size_t i = 0; i < width; i++) variance += (row[i] - mean) * (row[i] - mean);
    double scale = 1.0 / sqrt(variance / (double)width + (double)epsilon);
    for (size_t i = 0; i < width; i++) row[i] = (float)((row[i] - mean) * scale) * gamma[i] + beta[i];
}

static void embed_rows(float *out, const float *word, const float *positions, const int32_t *ids, const float *gamma,
                       const float *beta, size_t rows, size_t width, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        const float *source = word + (size_t)ids[r] * width;
        for (size_t i = 0; i < width; i++) out[r * width + i] = source[i] + positions[r * width + i];
        layer_norm_row(out + r * width, gamma, beta, width, epsilon);
    }
}

static void add_layer_norm(float *out, const float *x, const float *bias, const float *residual, const float *gamma,
                           const float *beta, size_t rows, size_t width, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i++) out[r * width + i] = x[r * width + i] + bias[i] + residual[r * width + i];
        layer_norm_row(out + r * width, gamma, beta, width, epsilon);
    }
}

static void bias_gelu(float *x, const float *bias, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i++) {
            float value = x[r * width + i] + bias[i];
            x[r * width + i] = (float)(0.5 * value * (1.0 + erf((double)value * M_SQRT1_2)));
        }
    }
}

static void attention(float *out, const float *qkv, const float *query_bias, size_t length, size_t heads,
                      size_t head_size, float *scratch) {
    size_t width = heads * head_size, stride = 3 * width;
    double scale = 1.0 / sqrt((double)head_size);
    for (size_t head = 0; head < heads; head++) {
        for (size_t row = 0; row < length; row++) {
            const float *query = qkv + row * stride + head * head_size;
            float largest = -INFINITY;
            for (size_t key = 0; key < length; key++) {
                const float *other = qkv + key * stride + width + head * head_size;
                double dot = 0;
                for (size_t i = 0; i < head_size; i++) {
                    dot += (double)(query[i] + query_bias[head * head_size + i]) * other[i];
                }
                scratch[key] = (float)(dot * scale);
                if (scratch[key] > largest) largest = scratch[key];
            }
            double sum = 0;
            for (size_t key = 0; key < length; key++) {
                scratch[key] = expf(scratch[key] - largest);
                sum += scratch[key];
            }
            for (size_t i = 0; i < head_size; i++) {
                double value = 0;
                for (size_t key = 0; key < length; key++) {
                    value += (double)scratch[key] * qkv[key * stride + 2 * width + head * head_size + i];
                }
                out[row * width + head * head_size + i] = (float)(value / sum);
            }
        }
    }
}

static void mean_rows(float *out, const float *x, size_t rows, size_t width) {
    for (size_t i = 0; i < width; i++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) sum += x[r * width + i];
        out[i] = (float)(sum / (double)rows);
    }
}

static void product(float *out, const float *x, const float *w, size_t rows, size_t columns, size_t depth) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            double sum = 0;
            for (size_t i = 0; i < depth; i++) sum += (double)x[r * depth + i] * w[c * depth + i];
            out[r * columns + c] = (float)sum;
        }
    }
}

const encoder_kernels encoder_kernels_plain = {
    .name = "scalar",
    .product_rows_max = 0,
    .embed_rows = embed_rows,
    .add_layer_norm = add_layer_norm,
    .bias_gelu = bias_gelu,
    .attention = attention,
    .mean_rows = mean_rows,
    .product = product,
};
