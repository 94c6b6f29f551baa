/*
 * export: a dataset as text that pz-import reads back to the same dataset, byte for byte.
 *
 * CSV: a header, then a line a row, the schema's fields in their order, null as the empty
 * cell; cells are quoted only where they must be. JSON lines: an object a row, null as
 * null.
 */
#ifndef PZ_DATA_EXPORT_H
#define PZ_DATA_EXPORT_H

#include "base/buf.h"
#include "data/dataset.h"
#include "data/input.h"

/* Takes the next n bytes; a status other than PZ_OK ends the export and is returned. */
typedef int (*pz_export_write)(void *ctx, const void *bytes, size_t n,
                               struct pz_err *err);

/* All rows, in the order of the file. PZ_FORMAT when a value lies outside its dictionary.
 */
int pz_export(const struct pz_dataset *d, enum pz_format format, pz_export_write write,
              void *ctx, struct pz_err *err);

/* Appends s[0..n) as a CSV cell. */
void pz_export_cell(struct pz_buf *b, const char *s, size_t n);

#endif
