// libxcrypt (Debian: libcrypt-dev): bcrypt hashes of older programs.
#include <crypt.h>
