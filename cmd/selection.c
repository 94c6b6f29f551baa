#include "cmd/selection.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

/* TYPE or TYPE=WEIGHT; a type that holds a '=' itself needs a weight. */
static void
parse_event_type(struct pz_event_rule *rule, const char *text)
{
    const char *equals = strrchr(text, '=');
    struct pz_err err = PZ_ERR_INIT;
    char *type;
    *rule = (struct pz_event_rule){.type = text};
    if (!equals)
        return;
    enum pz_num bad = pz_parse_f64(equals + 1, strlen(equals + 1), &rule->weight);
    if (bad || rule->weight < 0)
        pz_die(PZ_USAGE, "--event-type '%s': the weight %s", text,
               bad ? pz_num_text(bad) : "is below 0");
    if (pz_strndup(&type, text, (size_t)(equals - text), &err))
        pz_die_err(&err);
    rule->type = type; // lives as long as the process
    rule->has_weight = true;
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
