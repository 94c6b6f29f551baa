/*
 * libcsv_count: the floor for reading CSV with libcsv: the file in blocks of 1 MiB
 * through csv_parse(), with callbacks that only count. Prints key=value lines.
 */
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

struct counts {
    unsigned long long fields, rows;
};

static void
on_field(void *text, size_t n, void *ctx)
{
    (void)text;
    (void)n;
    ((struct counts *)ctx)->fields++;
}

static void
on_row(int end, void *ctx)
{
    (void)end;
    ((struct counts *)ctx)->rows++;
}

int
main(int argc, char **argv)
{
    enum { BLOCK = 1 << 20 };
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f) {
        fprintf(stderr, "usage: libcsv_count FILE\n");
        return 2;
    }
    char *block = malloc(BLOCK);
    struct csv_parser parser;
    struct counts counts = {0, 0};
    if (!block || csv_init(&parser, 0)) {
        fprintf(stderr, "libcsv_count: out of memory\n");
        return 5;
    }
    setvbuf(f, NULL, _IONBF, 0);
    double wall = pz_seconds_wall(), cpu = pz_seconds_cpu();
    unsigned long long bytes = 0;
    for (size_t n; (n = fread(block, 1, BLOCK, f)) > 0; bytes += n)
        if (csv_parse(&parser, block, n, on_field, on_row, &counts) != n) {
            fprintf(stderr, "libcsv_count: %s\n", csv_strerror(csv_error(&parser)));
            return 3;
        }
    csv_fini(&parser, on_field, on_row, &counts);
    wall = pz_seconds_wall() - wall;
    cpu = pz_seconds_cpu() - cpu;
    csv_free(&parser);
    free(block);
    if (ferror(f)) {
        fprintf(stderr, "libcsv_count: cannot read '%s'\n", argv[1]);
        return 5;
    }
    fclose(f);
    printf("bytes=%llu\nrows=%llu\nfields=%llu\ncpu_s=%.3f\nwall_s=%.3f\nrows_per_cpu_s=%"
           ".0f\n",
           bytes, counts.rows, counts.fields, cpu, wall, (double)counts.rows / cpu);
    return 0;
}
