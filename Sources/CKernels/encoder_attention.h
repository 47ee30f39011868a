// Attention, one head of one sequence: keys transposed to [head_size][keys], values packed to [length][dims], both
// padded; then blocks of six queries, whose scores (6 x keys) stay in L1 between the two products.

#define R ENCODER_QUERY_ROWS

/// scores[r][key] = queries[r] . keys[key] for six rows and all padded keys.
INLINE void attention_scores(float *scores, const float *queries, const float *keys, size_t padded, size_t head_size) {
    for (size_t key = 0; key < padded; key += 2 * W) {
        vf first[R], second[R];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) first[r] = second[r] = (vf)(0.0f);
        for (size_t i = 0; i < head_size; i++) {
            vf left = load(keys + i * padded + key), right = load(keys + i * padded + key + W);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) {
                vf query = (vf)(queries[r * head_size + i]);
                first[r] = fma_(query, left, first[r]);
                second[r] = fma_(query, right, second[r]);
            }
        }
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            store(scores + r * padded + key, first[r]);
            store(scores + r * padded + key + W, second[r]);
        }
    }
}

/// Turns one row of scores into weights that are not yet divided by their sum, which it returns.
INLINE float attention_weights(float *scores, size_t length, size_t padded) {
    // max ignores NaN, but the exponential of (NaN - max) does not: the row becomes NaN through its sum.
    vf largest = (vf)(-INFINITY);
    for (size_t key = length; key < padded; key++) scores[key] = -INFINITY;
    for (size_t key = 0; key < padded; key += W) largest = __builtin_elementwise_max(largest, load(scores + key));
    float top = largest[0];
    for (int lane = 1; lane < W; lane++) top = largest[lane] > top ? largest[lane] : top;
    vf sums = (vf)(0.0f);
    for (size_t key = 0; key < padded; key += W) {
        vf weight = exp_negative(load(scores + key) - (vf)(top));
        sums += weight;
        store(scores + key, weight);
    }
    return sum_lanes(sums);
}

/// out[r] = weights[r] * values / sums[r], for `rows` of the six rows.
INLINE void attention_values(float *out, size_t stride, const float *weights, const float *sums, const float *values,
                             size_t rows, size_t length, size_t padded, size_t head_size) {
    size_t dims = encoder_padded(head_size);
    for (size_t dim = 0; dim < head_size; dim += 2 * W) {
        vf first[R], second[R];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) first[r] = second[r] = (vf)(0.0f);
        for (size_t key = 0; key < length; key++) {
            vf left = load(values + key * dims + dim), right = load(values + key * dims + dim + W);
#pragma clang loop unroll(full)
            for (int r = 0; r < R; r++) {
                vf weight = (vf)(weights[r * padded + key]);
                first[r] = fma_(weight, left, first[r]);
                second[r] = fma_(weight, right, second[r]);
            }
        }
        float block[R][2 * W];
#pragma clang loop unroll(full)
        for (int r = 0; r < R; r++) {
            vf inverse = (vf)(1.0f / sums[r]);
            store(block[r], first[r] * inverse);
            store(block[r] + W, second[r] * inverse);
        }
        size_t count = head_size - dim < 2 * W ? head_size - dim : 2 * W;
        for (size_t r = 0; r < rows; r++) memcpy(out + r * stride + dim, block[r], count * sizeof(float));
    }
}

static void attention(float *out, const float *qkv, const float *query_bias, size_t length, size_t heads,
                      size_t head_size, float *scratch) {
    size_t width = heads * head_size, stride = 3 * width;
    size_t padded = encoder_padded(length), dims = encoder_padded(head_size);
    float *keys = scratch;
    float *values = keys + head_size * padded;
    float *queries = values + length * dims;
    float *scores = queries + R * head_size;
    float scale = 1.0f / sqrtf((float)head_size);

    memset(keys, 0, head_size * padded * sizeof(float));
    memset(values, 0, length * dims * sizeof(float));
    for (size_t head = 0; head < heads; head++) {
        const float *base = qkv + head * head_size, *bias = query_bias + head * head_size;
        for (size_t key = 0; key < length; key++) {
            const float *source = base + key * stride + width;
            // Not as scatter instructions, which take longer than single stores.
#pragma clang loop vectorize(disable)
            for (size_t i = 0; i < head_size; i++) keys[i * padded + key] = source[i];
            memcpy(values + key * dims, source + width, head_size * sizeof(float));
        }
        for (size_t row = 0; row < length; row += R) {
            size_t rows = length - row < R ? length - row : R;
            float sums[R];
            if (rows < R) memset(queries, 0, R * head_size * sizeof(float));
            for (size_t r = 0; r < rows; r++) {
                const float *source = base + (row + r) * stride;
                for (size_t i = 0; i < head_size; i++) queries[r * head_size + i] = (source[i] + bias[i]) * scale;
            }
            attention_scores(scores, queries, keys, padded, head_size);
            for (size_t r = 0; r < R; r++) {
                sums[r] = r < rows ? attention_weights(scores + r * padded, length, padded) : 1.0f;
            }
            attention_values(out + row * width + head * head_size, width, scores, sums, values, rows, length, padded,
                             head_size);
        }
    }
}
