// The C client library of PostgreSQL (Debian: libpq-dev), as found by pkg-config.
#include <libpq-fe.h>
