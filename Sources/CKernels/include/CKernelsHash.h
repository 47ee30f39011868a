// XXH64 (Y. Collet, "xxHash fast digest algorithm", specification 0.1.1): a 64-bit hash that is not
// cryptographic, the same on every machine and in every release, so that it may be stored.
#ifndef CKERNELS_HASH_H
#define CKERNELS_HASH_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Of `length` bytes; ck_xxh64(0, "abc", 3) is 0x44BC2CF5AD770999. The length is part of what is
// hashed, so that chaining by `seed` keeps the borders of several texts.
uint64_t ck_xxh64(uint64_t seed, const void *_Nullable bytes, size_t length);

#pragma clang assume_nonnull end

#endif
