#include "cmd/selection.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

/* The last `mark` in `text` and a number behind it, which ends the text: takes both off.
 * False: there is no mark. */
static bool
take_number(char *text, const char *mark, const char *what, const char *whole,
            double *out)
{
    char *at = NULL;
    for (char *p = text; (p = strstr(p, mark)); p++)
        at = p;
    if (!at)
        return false;
    const char *number = at + strlen(mark);
    enum pz_num bad = pz_parse_f64(number, strlen(number), out);
    if (bad)
        pz_die(PZ_USAGE, "--event-type '%s': the %s %s", whole, what, pz_num_text(bad));
    *at = '\0';
    return true;
}

/* TYPE[=WEIGHT][>=X]; a type that holds a '=' itself needs a weight. */
static void
parse_event_type(struct pz_event_rule *rule, const char *text)
{
    struct pz_err err = PZ_ERR_INIT;
    char *type; // lives as long as the process
    if (pz_strndup(&type, text, strlen(text), &err))
        pz_die_err(&err);
    *rule = (struct pz_event_rule){.type = type};
    rule->has_threshold = take_number(type, ">=", "least value", text, &rule->threshold);
    rule->has_weight = take_number(type, "=", "weight", text, &rule->weight);
    if (rule->weight < 0)
        pz_die(PZ_USAGE, "--event-type '%s': the weight is below 0", text);
}

struct pz_selection
pz_selection_of(const struct pz_selection_opts *o, const struct pz_preset *preset,
                bool strict)
{
    static struct pz_event_rule *rule; // lives as long as the process
    struct pz_err err = PZ_ERR_INIT;
    if (pz_new(&rule, o->types.n, sizeof *rule, "event types", &err))
        pz_die_err(&err);
    for (size_t i = 0; i < o->types.n; i++)
        parse_event_type(&rule[i], o->types.item[i]);
    struct pz_selection s = {.rule = rule,
                             .n_rules = o->types.n,
                             .has_threshold = !isnan(o->threshold),
                             .threshold = isnan(o->threshold) ? 0 : o->threshold,
                             .strict = strict};
    if (preset && !s.n_rules) {
        s.rule = preset->event;
        s.n_rules = preset->n_events;
    }
    if (preset && preset->has_threshold && !s.has_threshold) {
        s.has_threshold = true;
        s.threshold = preset->threshold;
    }
    return s;
}

struct pz_column_choice
pz_columns_of(const struct pz_selection_opts *o)
{
    return (struct pz_column_choice){.include = o->include.item,
                                     .n_include = o->include.n,
                                     .exclude = o->exclude.item,
                                     .n_exclude = o->exclude.n};
}
