// Product with a transposed matrix: every output is a dot product along `depth`, in tiles of ROWS_MAX x 4 outputs
// whose sums stay in registers. Nothing is packed: both operands lie along `depth` already, and the next weights
// are fetched while these are used. 48 rows at once keep `x` in L2 while `w` streams by.

#define COLUMNS 4
#define ROWS_AT_ONCE 48
#if ENCODER_WIDTH == 16 || defined(__aarch64__)
#define ROWS_MAX 6
#else
#define ROWS_MAX 3
#endif

INLINE void product_tile(float *out, const float *x, const float *w, size_t out_stride, size_t depth, const int rows,
                         const int columns, const float *next) {
    vf sums[ROWS_MAX][COLUMNS];
    size_t whole = depth / W * W;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) sums[r][c] = (vf)(0.0f);
    }
    for (size_t i = 0; i < whole; i += W) {
#if ROWS_MAX == 3
        // Rows in registers, one weight at a time: with the twelve sums that is all sixteen registers.
        vf values[ROWS_MAX];
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) values[r] = load(x + (size_t)r * depth + i);
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) {
            vf weight = load(w + (size_t)c * depth + i);
            if (next) __builtin_prefetch(next + (size_t)c * depth + i, 0, 2);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) sums[r][c] = fma_(values[r], weight, sums[r][c]);
        }
#else
        vf weights[COLUMNS];
#pragma clang loop unroll(full)
        for (int c = 0; c < columns; c++) {
            weights[c] = load(w + (size_t)c * depth + i);
            if (next) __builtin_prefetch(next + (size_t)c * depth + i, 0, 2);
        }
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            vf value = load(x + (size_t)r * depth + i);
#pragma clang loop unroll(full)
            for (int c = 0; c < columns; c++) sums[r][c] = fma_(value, weights[c], sums[r][c]);
        }
#endif
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int c = columns; c < COLUMNS; c++) sums[r][c] = (vf)(0.0f);
        v4 totals = sum_lanes_of_four(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
        for (size_t i = whole; i < depth; i++) {
            for (int c = 0; c < columns; c++) totals[c] += x[(size_t)r * depth + i] * w[(size_t)c * depth + i];
        }
        memcpy(out + (size_t)r * out_stride, &totals, (size_t)columns * sizeof(float));
    }
}

/// `next` (or null) holds the weights of the next tiles, fetched while these are used.
INLINE void product_rows(float *out, const float *x, const float *w, size_t rows, size_t out_stride, size_t depth,
                         const int columns, const float *next) {
    size_t groups = (rows + ROWS_MAX - 1) / ROWS_MAX;
    for (size_t group = 0, row = 0; group < groups; group++, next = 0) {
        // Even groups: fifteen rows are 5 + 5 + 5, not 6 + 6 + 3.
        size_t count = (rows - row) / (groups - group);
        float *target = out + row * out_stride;
        const float *source = x + row * depth;
        switch (count) {
        case 1: product_tile(target, source, w, out_stride, depth, 1, columns, next); break;
        case 2: product_tile(target, source, w, out_stride, depth, 2, columns, next); break;
#if ROWS_MAX == 6
        case 3: product_tile(target, source, w, out_stride, depth, 3, columns, next); break;
        case 4: product_tile(target, source, w, out_stride, depth, 4, columns, next); break;
        case 5: product_tile(target, source, w, out_stride, depth, 5, columns, next); break;
#endif
        default: product_tile(target, source, w, out_stride, depth, ROWS_MAX, columns, next); break;
        }
        row += count;
    }
}

static void product(float *out, const float *x, const float *w, size_t rows, size_t columns, size_t depth) {
    for (size_t row = 0; row < rows; row += ROWS_AT_ONCE) {
        size_t count = rows - row < ROWS_AT_ONCE ? rows - row : ROWS_AT_ONCE;
        const float *source = x + row * depth;
        float *target = out + row * columns;
        size_t column = 0;
        for (; column + COLUMNS <= columns; column += COLUMNS) {
            const float *tile = w + column * depth;
            const float *next = column + 2 * COLUMNS <= columns ? tile + COLUMNS * depth : 0;
            product_rows(target + column, source, tile, count, columns, depth, COLUMNS, next);
        }
        for (; column < columns; column++) {
            product_rows(target + column, source, w + column * depth, count, columns, depth, 1, 0);
        }
    }
}
