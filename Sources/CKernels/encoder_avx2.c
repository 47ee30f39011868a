// The encoder's kernels for AVX2 with FMA: 8 floats a register.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "encoder_internal.h"

#define ENCODER_WIDTH 8
#define ENCODER_FMA 1
#define ENCODER_PRODUCT_ROWS ENCODER_ALWAYS
#define ENCODER_TABLE encoder_kernels_avx2
#define ENCODER_NAME "avx2"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "encoder_body.h"
#pragma clang attribute pop
#endif
