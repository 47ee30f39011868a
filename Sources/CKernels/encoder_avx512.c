// The encoder's kernels for AVX-512: 16 floats a register.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "encoder_internal.h"

#define ENCODER_WIDTH 16
#define ENCODER_FMA 1
#define ENCODER_PRODUCT_ROWS ENCODER_ALWAYS
#define ENCODER_TABLE encoder_kernels_avx512
#define ENCODER_NAME "avx512"

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma"))), apply_to = function)
#include "encoder_body.h"
#pragma clang attribute pop
#endif
