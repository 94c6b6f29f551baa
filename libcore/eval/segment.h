/*
 * segment: the same values for some of the users, or for some of the true items.
 *
 *   history     by events given: at most 5 are new users; the rest is halved at the
 * median into light and heavy ones popularity  by events in training: head are the most
 * popular items that have a third of them together, mid the next third, tail all others
 *   COLUMN      of the users or the items dataset: a segment for each of the 20 most
 *               frequent values ("a|b" is in both), numbers in three ranges of as many
 *               users or items
 *
 * For segments of items the truth is what the user has of the segment, at the ranks of
 * the whole list; users without such a truth are left out.
 */
#ifndef PZ_EVAL_SEGMENT_H
#define PZ_EVAL_SEGMENT_H

#include "eval/compare.h"

struct pz_segment {
    char *by, *name; // "GENRE", "drama"
    uint64_t n_users;
    double *mean; // entries x n_values; NaN for measures of lists in segments of items
};

struct pz_segments {
    struct pz_segment *segment;
    size_t n, cap;
};

/* Adds the segments of one kind, those with users. PZ_USAGE: no such column (lists those
 * that are there). */
int pz_segments_add(struct pz_segments *s, const struct pz_compared *o,
                    const struct pz_at *at, const struct pz_world *w, const char *by,
                    struct pz_err *err);
void pz_segments_release(struct pz_segments *s); // accepts {0}

#endif
