/*
 * csv_read: reading alone, as pz-import does it: chunks of the file, tables of rows or
 * else rows, cells, whose first bytes are looked at. Beside it stands libcsv_count on the
 * same file. PZ_CPU forces an instruction set. Prints key=value lines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "data/csv.h"

enum { MAX_CELLS = 1024 };

struct counts {
    unsigned long long fields, rows, bad, bytes, sum;
};

static void
read_tables(struct pz_csv *csv, struct counts *n)
{
    struct pz_csv_table t;
    for (pz_csv_peek(csv, &t); t.n_rows; pz_csv_peek(csv, &t)) {
        size_t n_fields = t.n_rows * t.n_cols;
        for (size_t k = 0; k < n_fields; k++) {
            const char *text = t.text + t.begin[k];
            n->sum += t.begin[k + 1] - 1u > t.begin[k] ? (unsigned char)*text : 0;
        }
        n->rows += t.n_rows;
        n->fields += n_fields;
        pz_csv_skip(csv, t.n_rows);
    }
}

/* The header tells the width, and then each column has its cell. */
static void
read_chunk(struct pz_csv *csv, const struct pz_chunk *chunk, size_t *width,
           struct counts *n)
{
    static struct pz_cell cell[MAX_CELLS];
    static int slot[MAX_CELLS];
    struct pz_row_at at;
    enum pz_row r;
    n->bytes += chunk->n;
    if (!*width) {
        pz_csv_start(csv, chunk->data, chunk->n, chunk->line, NULL, 0);
        if (pz_csv_next(csv, cell, MAX_CELLS, width, &at) != PZ_ROW)
            return;
        for (int i = 0; i < MAX_CELLS; i++)
            slot[i] = i;
    }
    pz_csv_start(csv, chunk->data, chunk->n, chunk->line, slot, *width);
    for (;;) {
        read_tables(csv, n);
        r = pz_csv_next(csv, cell, MAX_CELLS, NULL, &at);
        if (r == PZ_ROW_END)
            break;
        if (r == PZ_ROW_BAD) {
            n->bad++;
            continue;
        }
        n->rows++;
        n->fields += *width;
        for (size_t i = 0; i < *width; i++)
            n->sum += cell[i].n ? (unsigned char)cell[i].s[0] : 0;
    }
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_input *in;
    struct pz_csv *csv;
    struct pz_chunk chunk = {0};
    struct counts counts = {0};
    enum pz_format format;
    size_t width = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: csv_read FILE\n");
        return 2;
    }
    double wall = pz_seconds_wall(), cpu = pz_seconds_cpu();
    if (pz_input_open(&in, (const char *const *)argv + 1, 1, &format, &err) ||
        pz_csv_new(&csv, &err))
        goto fail;
    while (pz_input_next(in, &chunk, &err) == PZ_OK && chunk.n)
        read_chunk(csv, &chunk, &width, &counts);
    if (err.status)
        goto fail;
    pz_csv_free(csv);
    pz_chunk_release(&chunk);
    pz_input_close(in);
    wall = pz_seconds_wall() - wall;
    cpu = pz_seconds_cpu() - cpu;
    printf("isa=%s\nrows=%llu\nfields=%llu\nbad=%llu\nbytes=%llu\nsum=%llu\n",
           pz_cpu_name(pz_cpu()), counts.rows, counts.fields, counts.bad, counts.bytes,
           counts.sum);
    printf("cpu_s=%.3f\nwall_s=%.3f\n", cpu, wall);
    printf("rows_per_cpu_s=%.0f\nbytes_per_cpu_s=%.0f\n", (double)counts.rows / cpu,
           (double)counts.bytes / cpu);
    return 0;
fail:
    fprintf(stderr, "csv_read: %s\n", err.msg);
    return err.status;
}
