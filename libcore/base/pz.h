/* pz: version of the programs and of the formats they write. */
#ifndef PZ_BASE_PZ_H
#define PZ_BASE_PZ_H

#define PZ_VERSION        "0.1.0"
#define PZ_FORMAT_MAJOR   1
#define PZ_FORMAT_MINOR   0
#define PZ_FORMAT_VERSION "1.0"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "pz files are little-endian and mapped; port store/tensors.c before building here"
#endif

#endif
