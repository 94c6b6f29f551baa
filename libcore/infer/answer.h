/*
 * answer: answers -> text, in the two forms that pz-recommend(1) describes.
 *
 * TSV: REQUEST ITEM SCORE, a line an item; behind these PROMOTION where there is one
 * (empty for other items), REASON where answers explore (the same), and the columns of
 * the item. With reasons also BECAUSE CONTRIBUTION, a line a reason, or one with both
 * empty where there is none. In ids a tab is \t, a line feed \n, a carriage return \r and
 * a backslash \\.
 *
 * JSON: AWS's batch inference output, a line a request. A request that came as text is
 * shown as the JSON line that would ask the same.
 */
#ifndef PZ_INFER_ANSWER_H
#define PZ_INFER_ANSWER_H

#include "infer/request.h"

/* Gets the reasons for item `index` of the answer at hand; ctx is the caller's. */
typedef int (*pz_explain_fn)(void *ctx, uint32_t index, struct pz_explanation *out,
                             struct pz_err *err);

/* Appends the text of an item's column; false: it has no value. */
typedef bool (*pz_column_fn)(void *ctx, const struct pz_text *item, size_t column,
                             struct pz_buf *out);

struct pz_answer_form {
    const struct pz_model *model;
    pz_explain_fn explain; // NULL: no reasons
    void *ctx;
    const struct pz_field *const *column; // n_columns: shown with each item
    size_t n_columns;
    pz_column_fn get_column;
    const char *promotion; // its name; NULL: there is none
    const bool *promoted;  // one an item; NULL: none is
    bool explores;         // tell which items were explored
    const char *id;        // recommendationId, in JSON; NULL: none
    const char *origin;    // of the log: JSON members that tell what answered; NULL: none
};

/* The line of a log: form->id, the time, what answered (form->origin), whose answer it
 * was, items and scores. */
int pz_answer_log(struct pz_buf *out, const struct pz_answer_form *form,
                  const struct pz_ask *ask, const struct pz_answer *answer,
                  struct pz_err *err);

int pz_answer_tsv(struct pz_buf *out, const struct pz_answer_form *form,
                  const struct pz_ask *ask, const struct pz_answer *answer,
                  struct pz_err *err);
int pz_answer_json(struct pz_buf *out, const struct pz_answer_form *form,
                   const struct pz_ask *ask, const struct pz_answer *answer,
                   struct pz_err *err);
/* The line for a bad request: ask->error beside the input, null for the output. */
void pz_answer_json_error(struct pz_buf *out, const struct pz_ask *ask);

/* NUM_RATINGS as AWS writes a column in answers: numRatings. */
void pz_json_add_camel(struct pz_buf *out, const char *name);

/* Appends JSON text without the blanks between its tokens. It must be valid. */
void pz_json_compact(struct pz_buf *out, const char *s, size_t n);

#endif
