// CRC32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as in RFC 3720: hardware instruction where
// there is one, else slicing by 8.
#ifndef CKERNELS_CHECKSUM_H
#define CKERNELS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Continues `crc` (0 to start) over `length` bytes; ck_crc32c(0, "123456789", 9) is 0xE3069283.
uint32_t ck_crc32c(uint32_t crc, const void *bytes, size_t length);
// The portable reference, for tests.
uint32_t ck_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

#pragma clang assume_nonnull end

#endif
