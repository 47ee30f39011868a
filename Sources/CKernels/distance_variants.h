// The variants compiled beside the scalar reference in distance.c.
#ifndef CK_DISTANCE_VARIANTS_H
#define CK_DISTANCE_VARIANTS_H

#include "distance_rows.h"

#if defined(__x86_64__)
extern const ck_distance_variant ck_distance_avx512;
extern const ck_distance_variant ck_distance_avx2;
#elif defined(__aarch64__)
extern const ck_distance_variant ck_distance_neon;
#endif

#endif
