// Leaf functions on raw pointers: no allocation, no globals after the one-time dispatch.
#ifndef CKERNELS_H
#define CKERNELS_H
#include "CKernelsChecksum.h"
#include "CKernelsDistance.h"
#include "CKernelsEncoder.h"
#include "CKernelsHash.h"
#endif
