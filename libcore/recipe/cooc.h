/*
 * cooc: how many users two items have in common.
 *
 * Items are numbered by popularity, rank 0 the most. A user with n items adds to n * n
 * pairs, and nearly all of those are pairs of popular items: the first n_head ranks, the
 * head. They are counted by bits. Between two items of the head it is the common bits of
 * their sets of users (math/andcount.h), for all pairs at once. Between the head and
 * another item it is, for each place of the head, the set bits among the item's users,
 * added up for 512 places at a time. Only what is between two items outside the head is
 * counted user by user. n_head is where all of that together is cheapest; it never
 * changes a count.
 *
 * Of a user with more than PZ_COOC_MOST different items, such as a program that calls
 * every page, only the newest count, back to where there would be one more: n * n of one
 * user is then 1e8 at most, whatever the data. The longest history of a
 * person in ml-1m has 2,314.
 */
#ifndef PZ_RECIPE_COOC_H
#define PZ_RECIPE_COOC_H

#include "recipe/recipe.h"

enum { PZ_COOC_MOST = 10000 }; // different items of a user

struct pz_cooc {
    uint32_t n_users, n_items; // of the dataset
    uint32_t n_ranks;          // items that have a user who counts for them
    uint32_t n_head;           // a multiple of 64, which may be above n_ranks
    uint64_t n_pairs;          // distinct (user, item) that count
    uint64_t *from;            // n_users: the first of the user's events that counts
    double work_naive;         // sum over users of n * n
    double work_sparse;        // additions that are left
    double work_bits;          // 512-bit steps between items of the head
    uint32_t *rank_of;         // n_items; PZ_NO_ID: no user
    uint32_t *item_of;         // n_ranks
    uint64_t *item_offsets;    // n_ranks+1, into item_user
    uint32_t *item_user;       // users of each rank, ascending
    uint64_t *user_offsets;    // n_users+1, into user_rank
    uint32_t *user_rank;       // ranks of each user, ascending
    uint64_t *tail_offsets;    // n_users+1, into tail_rank
    uint32_t *tail_rank;       // those of user_rank from n_head on
    uint32_t *head;            // n_head x n_head counts
    uint64_t *user_bits; // n_users x words: the user's head; NULL: would be too large
    size_t words;        // of 64 bits, a multiple of 8, >= n_head / 64
};

/* Counts the head. n_head UINT32_MAX: choose; else that many, rounded down to 64 (tests).
 */
int pz_cooc_build(struct pz_cooc *c, const struct pz_events *e, uint32_t n_head,
                  int threads, struct pz_err *err);
void pz_cooc_release(struct pz_cooc *c);

/* Users of rank r, of those that count. */
uint32_t pz_cooc_users(const struct pz_cooc *c, uint32_t r);
/* Common users of rank r < n_head with the n_head first ranks. */
const uint32_t *pz_cooc_head(const struct pz_cooc *c, uint32_t r);

/* A row of counts; each thread has its own. */
struct pz_cooc_row {
    uint32_t *count;   // common users with each rank; with the row's own: all its users
    uint32_t *touched; // the n_touched ranks that are over 0, in no order, if `listed`
    uint32_t n_touched;
    bool listed;     // false: any rank may be over 0
    uint64_t *plane; // scratch
};

int pz_cooc_row_new(struct pz_cooc_row *row, const struct pz_cooc *c, struct pz_err *err);
void pz_cooc_row_release(struct pz_cooc_row *row);
/* Counts rank r >= n_head against all; the row must be clear. */
void pz_cooc_row_count(struct pz_cooc_row *row, const struct pz_cooc *c, uint32_t r);
void pz_cooc_row_clear(struct pz_cooc_row *row, const struct pz_cooc *c);

#endif
