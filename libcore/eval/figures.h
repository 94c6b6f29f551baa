/*
 * figures: how good recipes are that do not answer with items: segments of users, and
 * actions. Each type has its own protocol and metrics, by Amazon Personalize's names
 * where it has them.
 *
 * USER_SEGMENTATION: the oldest four fifths of each user's events are trained on, the
 * newest fifth (of two events or more one at least) is the truth. Every item that
 * somebody had then is asked about (of more than 2,000 as many drawn by seed), or every
 * attribute (500), for the likeliest hundredth of the users with events, rounded up:
 *
 *   hits_at_1_percent    how many of them had it: mean over the questions
 *   recall_at_1_percent  the same over all users who had it
 *   coverage             distinct users in the answers, over all
 *
 * As a user's later events are in proportion to the earlier ones then, whoever did most
 * will do most. So the same is measured once more as such answers are used: the newest
 * fifth of all events is the truth, whosever they are (_by_time).
 *
 * The baseline answers every question with the users who had most events.
 *
 * PERSONALIZED_ACTIONS: a tenth of the users with two events or more, drawn by seed, is
 * kept from training. Each offer to them (recipe/actions.h) is foretold from what the
 * user had done before it:
 *
 *   area_under_roc_curve  the chance that an offer taken has the greater probability
 *   log_loss              mean of -log of the probability of what came
 *   calibration_error     mean distance, over ten bins of offers as many in each, of the
 *                         mean probability from the share that was taken
 *
 * And the oldest nine tenths of their events give a list of 25, for the actions that they
 * took in the newest tenth (users who took none are left out): NDCG, coverage; and with
 * the first five of it, as means over actions,
 *
 *   precision  users to whom it was shown and who took it, over those it was shown to
 *   recall     the same over those who took it
 *
 * The baseline is the rate at which an action is taken, the same for everybody.
 */
#ifndef PZ_EVAL_FIGURES_H
#define PZ_EVAL_FIGURES_H

#include "eval/protocol.h"

enum { PZ_MAX_FIGURES = 16 };

struct pz_figure {
    const char *name;
    double value, baseline;
};

struct pz_figures {
    struct pz_figure figure[PZ_MAX_FIGURES];
    size_t n;
    uint64_t n_asked;     // 0: nothing could be tested
    const char *asked;    // what of: "test items"
    const char *baseline; // what it is: "most active users"
};

/* Is the recipe measured by figures and not by the protocols for items? */
bool pz_has_figures(const struct pz_recipe *r);
/* The same for any number of threads. */
int pz_figures_measure(const struct pz_eval *e, struct pz_figures *out,
                       struct pz_err *err);
/* {"coverage":0.27,...}, full precision; the figures or their baselines. */
void pz_figures_json(const struct pz_figures *f, bool baseline, struct pz_buf *out);

/* The protocols, each in the file that is named after it. */
int pz_eval_segments(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err);
int pz_eval_actions(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err);

#endif
