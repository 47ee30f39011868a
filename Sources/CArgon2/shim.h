// The reference implementation of Argon2 (Debian: libargon2-dev), as found by pkg-config.
#include <argon2.h>
