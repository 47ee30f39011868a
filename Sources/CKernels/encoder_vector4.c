// The encoder's kernels for what every processor of the architecture has: NEON, or SSE2.
#include "encoder_internal.h"

#define ENCODER_WIDTH 4
#define ENCODER_PRODUCT_ROWS 8
#define ENCODER_TABLE encoder_kernels_vector4
#if defined(__aarch64__)
#define ENCODER_FMA 1
#define ENCODER_NAME "neon"
#else
#define ENCODER_FMA 0
#define ENCODER_NAME "sse2"
#endif

#include "encoder_body.h"
