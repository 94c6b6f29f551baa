/*
 * lines: a descriptor's bytes as blocks of whole lines. A block holds what is there to be
 * read, up to its limit: only for its first line does it wait.
 *
 * A UTF-8 byte-order mark in front of all and empty lines behind it are dropped. When the
 * first byte is then '{' all lines are JSON. Otherwise they are ids: an empty line is
 * passed over and a carriage return in front of the line end is dropped. Every other byte
 * belongs to the id.
 */
#ifndef PZ_INFER_LINES_H
#define PZ_INFER_LINES_H

#include "infer/request.h"

struct pz_lines {
    int fd;
    int wake;  // a descriptor that ends waiting when it becomes readable, or -1
    char *buf; // bytes read and not yet handed out: [at, len)
    size_t at, len, cap;
    size_t seen;   // no line end in [at, seen)
    uint64_t n;    // lines seen
    bool skipping; // inside of a line that is too long
    bool begun, json, eof;
};

struct pz_block_line {
    struct pz_text text;
    enum pz_line_kind kind;
    uint64_t number; // counted from 1
};

struct pz_block {
    char *bytes;
    size_t n_bytes, cap_bytes;
    struct pz_block_line *line;
    size_t n, cap;
};

void pz_lines_init(struct pz_lines *l, int fd);
void pz_lines_release(struct pz_lines *l);
/* The next block of 1..max lines; of 0 at the end or when woken. */
int pz_lines_read(struct pz_lines *l, struct pz_block *b, size_t max, struct pz_err *err);
void pz_block_release(struct pz_block *b);

#endif
