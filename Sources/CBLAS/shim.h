// The C interface of OpenBLAS (Debian: libopenblas-dev), as found by pkg-config.
#include <cblas.h>
