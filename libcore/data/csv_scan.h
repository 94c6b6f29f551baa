/*
 * csv_scan: where the separators of CSV text are, found 64 bytes at a time.
 *
 * The kernels of csv.c and input.c: SWAR in plain C as the definition, AVX2 and AVX-512
 * beside it, chosen by pz_cpu(). They know nothing of quoting; they only say where a
 * quote is.
 */
#ifndef PZ_DATA_CSV_SCAN_H
#define PZ_DATA_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* Bytes indexed at once: small enough that text and index stay in the first-level cache.
 */
enum { PZ_CSV_BATCH = 32 << 10 };

/*
 * The index of one batch, as if no byte were quoted. Field k is the bytes begin[k] to
 * begin[k+1] - 2, because one separator stands before begin[k+1]. Row r ends with field
 * row[r]. Kernels store whole vectors, hence the room behind the arrays.
 */
struct pz_csv_index {
    unsigned n_fields, n_rows, n_special;
    bool high;                               // some byte is not ASCII
    uint16_t begin[PZ_CSV_BATCH + 2 + 64];   // n_fields + 1
    uint16_t row[PZ_CSV_BATCH + 1 + 64];     // n_rows
    uint16_t special[PZ_CSV_BATCH + 1 + 64]; // of '"', '\\' and NUL; UINT16_MAX
};

/* Fills ix from data[0..n), n <= PZ_CSV_BATCH; `delimiter` separates fields. */
void pz_csv_index(struct pz_csv_index *ix, const char *data, size_t n, char delimiter,
                  enum pz_cpu cpu);
/* Number of line feeds in data[0..n). */
size_t pz_count_lines(const char *data, size_t n, enum pz_cpu cpu);

#endif
