/*
 * make-shop: an invented shop as five CSV files, the same bytes on every machine.
 *
 *   make-shop DIR [--users N] [--items N] [--days N] [--seed N]
 *
 * What is in the data, so that a recommender has something to find:
 *   - each user likes two to four kinds of things, one style and one price level, and
 * some change their mind on the way;
 *   - a session has an intent: some views of one kind, then perhaps a cart and a
 * purchase;
 *   - a purchase leads to what goes with it in the next session;
 *   - kinds have seasons, weekdays and evenings are busier, a third of the items is new
 *     and draws attention at first, few users and few items make most of the events.
 *   - users are asked to do things for the shop (actions); who is eager, and who takes
 * which, depends on membership and age, and on what they did when asked before.
 * Only + - * / and sqrt touch floating point, which round alike everywhere.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY          86400
#define END_TIME     INT64_C(1733011200) // 2024-12-01T00:00:00Z, exclusive
#define N_L1         10
#define KINDS_PER_L1 5
#define N_KINDS      (N_L1 * KINDS_PER_L1)
#define N_STYLES     4
#define N_LEVELS     3
#define MAX_LIKED    4

/* ---- the world ------------------------------------------------------------------- */

struct kind {
    const char *name, *noun[3];
    double price; // of the middle level
};

static const struct {
    const char *name;
    double peak, swing; // season: where in the 90 days, and how much is added there
    struct kind kind[KINDS_PER_L1];
} l1[N_L1] = {
    {"garden",
     0.0,
     3.0,
     {{"seeds", {"Tomato seeds", "Meadow mix", "Tulip bulbs"}, 4},
      {"garden tools", {"Spade", "Pruning shears", "Rake"}, 24},
      {"pots", {"Clay pot", "Planter box", "Hanging pot"}, 18},
      {"watering", {"Watering can", "Hose, 20 m", "Sprinkler"}, 22},
      {"garden furniture", {"Bench", "Folding chair", "Side table"}, 85}}},
    {"kitchen",
     0.7,
     1.0,
     {{"pans", {"Frying pan, 26 cm", "Sauce pan", "Wok"}, 45},
      {"knives", {"Chef's knife", "Bread knife", "Paring knife"}, 38},
      {"bakeware", {"Cake tin", "Baking tray", "Cookie cutters"}, 16},
      {"coffee", {"Moka pot", "Hand grinder", "Pour-over set"}, 34},
      {"tableware", {"Plate set", "Soup bowl", "Mug"}, 20}}},
    {"books",
     0.8,
     0.7,
     {{"crime novels", {"The Ferry Case", "A Quiet Alibi", "Cold Harbour"}, 12},
      {"cookbooks", {"One Pot Evenings", "Bread at Home", "Soup Book"}, 22},
      {"travel guides", {"Islands by Bike", "Night Trains", "Hut to Hut"}, 18},
      {"picture books", {"The Lost Mitten", "Owl and Mole", "Big Red Bus"}, 14},
      {"history", {"Roads of Salt", "Letters of a Clockmaker", "The Dyke"}, 26}}},
    {"outdoor",
     0.1,
     2.0,
     {{"tents", {"Tent for two", "Tarp", "Family tent"}, 160},
      {"sleeping bags", {"Sleeping bag", "Sleeping mat", "Camp pillow"}, 80},
      {"camp kitchen", {"Camp stove", "Pot set", "Water filter"}, 42},
      {"boots", {"Hiking boots", "Gaiters", "Wool socks"}, 95},
      {"lamps outdoors", {"Head torch", "Camp lantern", "Solar lamp"}, 30}}},
    {"home",
     0.9,
     1.8,
     {{"candles", {"Pillar candle", "Tea lights", "Beeswax candle"}, 9},
      {"lamps", {"Desk lamp", "Floor lamp", "Paper lamp"}, 48},
      {"blankets", {"Wool throw", "Quilt", "Fleece blanket"}, 44},
      {"frames", {"Picture frame", "Photo ledge", "Poster rail"}, 17},
      {"storage", {"Basket", "Shelf box", "Coat hooks"}, 21}}},
    {"toys",
     1.0,
     2.5,
     {{"building blocks", {"Block set", "Marble run", "Brick box"}, 29},
      {"puzzles", {"Puzzle, 500 pieces", "Wooden puzzle", "Cube"}, 15},
      {"board games", {"Board game", "Card game", "Dice game"}, 27},
      {"dolls", {"Rag doll", "Doll's house", "Puppet"}, 33},
      {"model trains", {"Locomotive", "Track set", "Station"}, 58}}},
    {"music",
     0.6,
     0.5,
     {{"vinyl", {"Jazz sampler", "Folk album", "Piano suites"}, 23},
      {"headphones", {"Headphones", "Earbuds", "Headphone stand"}, 70},
      {"guitars", {"Ukulele", "Guitar strings", "Capo"}, 52},
      {"speakers", {"Shelf speaker", "Portable speaker", "Speaker cable"}, 90},
      {"sheet music", {"Song book", "Etudes", "Chord chart"}, 13}}},
    {"office",
     0.05,
     1.5,
     {{"notebooks", {"Notebook", "Sketch book", "Week planner"}, 11},
      {"pens", {"Fountain pen", "Pencil set", "Ink, 50 ml"}, 19},
      {"desk things", {"Desk mat", "Letter tray", "Monitor stand"}, 31},
      {"bags", {"Laptop bag", "Backpack", "Pencil case"}, 64},
      {"paper", {"Writing paper", "Envelopes", "Index cards"}, 7}}},
    {"sports",
     0.3,
     0.8,
     {{"running", {"Running shirt", "Running belt", "Reflective vest"}, 32},
      {"yoga", {"Yoga mat", "Block", "Strap"}, 28},
      {"cycling", {"Bike light", "Bike lock", "Panniers"}, 46},
      {"swimming", {"Goggles", "Swim cap", "Dry bag"}, 17},
      {"climbing", {"Chalk bag", "Climbing shoes", "Sling"}, 55}}},
    {"pets",
     0.5,
     0.3,
     {{"dog", {"Dog lead", "Dog bed", "Chew toy"}, 25},
      {"cat", {"Scratching post", "Cat bed", "Feather wand"}, 27},
      {"birds", {"Bird feeder", "Nest box", "Seed mix"}, 14},
      {"aquarium", {"Aquarium", "Filter", "Water plants"}, 60},
      {"small animals", {"Hay rack", "Hutch", "Tunnel"}, 30}}},
};

static const struct {
    const char *name, *word[3], *sentence;
} style[N_STYLES] = {
    {"plain", {"Plain", "Simple", "White"}, "Clean lines, nothing that is not needed."},
    {"rustic",
     {"Rustic", "\"Old Barn\"", "Oak"},
     "Made by hand, with the marks of the tool left on."},
    {"bold", {"Bold", "Red", "Striped"}, "Strong colours, made to be seen."},
    {"clever",
     {"Folding", "Compact", "2-in-1"},
     "Folds away, weighs little and does two jobs."},
};

static const char *const level_words[N_LEVELS] = {
    "Good value for every day.",
    "Solid quality that lasts.",
    "From a small workshop, in the best material there is.",
};

/* ---- random numbers -------------------------------------------------------------- */

struct rng {
    uint64_t state;
};

static uint64_t
next(struct rng *r) // splitmix64
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A stream of its own for each user and item, so that --users does not change the items.
 */
static struct rng
stream(uint64_t seed, uint64_t what, uint64_t index)
{
    struct rng r = {seed * UINT64_C(0xd1342543de82ef95) + (what << 40) + index};
    next(&r);
    return r;
}

static double
uniform(struct rng *r)
{
    return (double)(next(r) >> 11) * 0x1p-53;
}

static int
below(struct rng *r, int n)
{
    return (int)(uniform(r) * n);
}

static bool
chance(struct rng *r, double p)
{
    return uniform(r) < p;
}

/* An index with probability weight[i] / sum, -1 when all weights are 0. */
static int
draw(struct rng *r, const double *weight, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += weight[i];
    double x = uniform(r) * sum;
    for (int i = 0; i < n; i++) {
        x -= weight[i];
        if (x < 0)
            return i;
    }
    for (int i = n - 1; i >= 0; i--)
        if (weight[i] > 0)
            return i;
    return -1;
}

/* ---- items and users ------------------------------------------------------------- */

struct item {
    int kind, also; // also: a second kind, or -1
    int style, level, noun, word, number;
    double price, appeal;
    int64_t created;
};

struct user {
    int liked[MAX_LIKED];
    double taste[MAX_LIKED];
    int n_liked, style, level, device;
    int age, gender, membership; // age 0, gender 0: not told
    int64_t from, to;            // active
    int sessions;
};

enum what { VIEW, CART, PURCHASE };

struct event {
    int64_t time;
    uint64_t order; // breaks ties
    int user, item, device;
    enum what what;
    double value;
};

struct shop {
    int n_users, n_items, days;
    uint64_t seed;
    int64_t start;
    struct item *item;
    int *by_kind[N_KINDS], n_by_kind[N_KINDS]; // items of a kind
    struct event *event;
    size_t n_events, cap_events;
};

static void
die(const char *what)
{
    fprintf(stderr, "make-shop: %s: %s\n", what, strerror(errno));
    exit(5);
}

static void *
allocate(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        die("out of memory");
    return p;
}

static const struct kind *
kind_of(int k)
{
    return &l1[k / KINDS_PER_L1].kind[k % KINDS_PER_L1];
}

static void
make_items(struct shop *s)
{
    static const double level_price[N_LEVELS] = {0.6, 1.0, 2.2};
    s->item = allocate((size_t)s->n_items, sizeof *s->item);
    for (int k = 0; k < N_KINDS; k++)
        s->by_kind[k] = allocate((size_t)s->n_items, sizeof(int));
    for (int i = 0; i < s->n_items; i++) {
        struct rng r = stream(s->seed, 1, (uint64_t)i);
        struct item *it = &s->item[i];
        it->kind = below(&r, N_KINDS);
        it->also = -1;
        if (chance(&r, 0.12)) // sold under a neighbour too
            it->also = it->kind - it->kind % KINDS_PER_L1 + (it->kind + 1) % KINDS_PER_L1;
        it->style = below(&r, N_STYLES);
        it->level = below(&r, N_LEVELS);
        it->noun = below(&r, 3);
        it->word = below(&r, 3);
        it->number = 100 + below(&r, 900);
        double cents = kind_of(it->kind)->price * level_price[it->level] *
                       (0.8 + 0.4 * uniform(&r)) * 100;
        it->price = (double)(int)(cents / 10) / 10 + 0.05;
        it->appeal = 1 / (0.15 + uniform(&r)); // between 0.9 and 6.7
        if (chance(&r, 0.3))
            it->created = s->start + (int64_t)(uniform(&r) * (s->days - 3) * DAY);
        else
            it->created = s->start - DAY - (int64_t)(uniform(&r) * 700 * DAY);
        s->by_kind[it->kind][s->n_by_kind[it->kind]++] = i;
        if (it->also >= 0)
            s->by_kind[it->also][s->n_by_kind[it->also]++] = i;
    }
}

static struct user
make_user(const struct shop *s, struct rng *r)
{
    struct user u = {0};
    u.age = chance(r, 0.1) ? 0 : 18 + below(r, 30) + below(r, 33);
    u.gender = chance(r, 0.15) ? 0 : 1 + below(r, 2);
    double heavy = 0.5 / sqrt(uniform(r) + 0.004);
    u.sessions = 2 + (int)(heavy * 13);
    u.membership = u.sessions > 30 ? 2 : u.sessions > 12 && chance(r, 0.7) ? 1 : 0;
    u.n_liked = 2 + below(r, MAX_LIKED - 1);
    double weight[N_KINDS];
    for (int k = 0; k < N_KINDS; k++) {
        const char *group = l1[k / KINDS_PER_L1].name;
        bool young = u.age && u.age<35, old = u.age> 55;
        weight[k] = 1;
        if (old && (!strcmp(group, "garden") || !strcmp(group, "books")))
            weight[k] = 3;
        if (young && (!strcmp(group, "sports") || !strcmp(group, "music")))
            weight[k] = 3;
    }
    for (int j = 0; j < u.n_liked; j++) {
        u.liked[j] = draw(r, weight, N_KINDS);
        weight[u.liked[j]] = 0;
        u.taste[j] = 1.0 / (1 + j);
        /* Who likes tents often likes boots. */
        int group = u.liked[j] / KINDS_PER_L1 * KINDS_PER_L1;
        for (int k = group; k < group + KINDS_PER_L1; k++)
            weight[k] *= 4;
    }
    u.style = below(r, N_STYLES);
    u.level = u.membership == 2 ? 1 + below(r, 2) : below(r, N_LEVELS);
    u.device = below(r, 3);
    double come = chance(r, 0.7) ? 0 : uniform(r) * 0.8;
    double go = chance(r, 0.8) ? 1 : come + (1 - come) * uniform(r);
    u.from = s->start + (int64_t)(come * s->days * DAY);
    u.to = s->start + (int64_t)(go * s->days * DAY);
    if (u.to < u.from + 2 * DAY)
        u.to = u.from + 2 * DAY;
    if (u.to > END_TIME)
        u.to = END_TIME;
    return u;
}

/* ---- behaviour ------------------------------------------------------------------- */

static void
add_event(struct shop *s, int user, int item, int64_t time, int device, enum what what,
          double value)
{
    if (time >= END_TIME)
        return;
    if (s->n_events == s->cap_events) {
        s->cap_events = s->cap_events ? s->cap_events * 2 : 1 << 16;
        s->event = realloc(s->event, s->cap_events * sizeof *s->event);
        if (!s->event)
            die("out of memory");
    }
    s->event[s->n_events] =
        (struct event){time, s->n_events, user, item, device, what, value};
    s->n_events++;
}

static double
season(const struct shop *s, int kind, int64_t time)
{
    double at = (double)(time - s->start) / ((double)s->days * DAY);
    double away = fabs(at - l1[kind / KINDS_PER_L1].peak) * 2;
    return 1 + (away < 1 ? (1 - away) * l1[kind / KINDS_PER_L1].swing : 0);
}

/* How much a user wants an item that is on sale at that time; 0: it is not. */
static double
wants(const struct shop *s, const struct user *u, const struct item *it, int64_t time)
{
    if (it->created > time)
        return 0;
    double w = it->appeal;
    w *= it->style == u->style ? 5 : 1;
    int away = it->level - u->level;
    w *= 1.0 / (1 + 1.5 * away * away);
    double age_days = (double)(time - it->created) / DAY;
    if (it->created >= s->start && age_days < 14)
        w *= 1 + 2 * (1 - age_days / 14);
    return w;
}

static int
pick_item(const struct shop *s, const struct user *u, int kind, int64_t time,
          const uint8_t *bought, struct rng *r)
{
    double weight[512];
    int n = s->n_by_kind[kind] < 512 ? s->n_by_kind[kind] : 512;
    for (int i = 0; i < n; i++) {
        int it = s->by_kind[kind][i];
        weight[i] = wants(s, u, &s->item[it], time) * (bought[it] ? 0.1 : 1);
    }
    int i = draw(r, weight, n);
    return i < 0 ? -1 : s->by_kind[kind][i];
}

static int
pick_kind(const struct shop *s, const struct user *u, int64_t time, struct rng *r)
{
    double weight[MAX_LIKED];
    for (int j = 0; j < u->n_liked; j++)
        weight[j] = u->taste[j] * season(s, u->liked[j], time);
    return u->liked[draw(r, weight, u->n_liked)];
}

/* Something that the season puts in the window of the shop. */
static int
pick_window_kind(const struct shop *s, int64_t time, struct rng *r)
{
    double weight[N_KINDS];
    for (int k = 0; k < N_KINDS; k++)
        weight[k] = season(s, k, time) - 0.9;
    return draw(r, weight, N_KINDS);
}

static int64_t
session_time(const struct user *u, struct rng *r)
{
    static const double hour[24] = {2, 1, 1, 1, 1, 1, 2, 4,  5,  5,  5, 6,
                                    8, 6, 5, 5, 6, 7, 9, 12, 14, 13, 8, 4};
    static const double weekday[7] = {1, 1, 1, 1, 1.2, 1.5, 1.6}; // from Monday
    for (int tries = 0;; tries++) {
        int64_t t = u->from + (int64_t)(uniform(r) * (double)(u->to - u->from));
        int64_t day = t / DAY;
        if (tries < 20 && !chance(r, weekday[(day + 3) % 7] / 1.6))
            continue;
        return day * DAY + draw(r, hour, 24) * 3600 + below(r, 3600);
    }
}

/* One visit; *next_kind is the intent that the last purchase left, or -1. */
static void
session(struct shop *s, int user, const struct user *u, int64_t time, int *next_kind,
        uint8_t *bought, struct rng *r)
{
    int intent =
        *next_kind >= 0 && chance(r, 0.6) ? *next_kind : pick_kind(s, u, time, r);
    *next_kind = -1;
    int device = chance(r, 0.8) ? u->device : below(r, 3);
    int n_views = 1 + below(r, 4) + below(r, 5), best = -1;
    double best_wants = 0;
    for (int v = 0; v < n_views; v++) {
        double x = uniform(r);
        int kind = x < 0.80   ? intent
                   : x < 0.93 ? pick_kind(s, u, time, r)
                              : pick_window_kind(s, time, r);
        int it = pick_item(s, u, kind, time, bought, r);
        if (it < 0)
            continue;
        add_event(s, user, it, time, device, VIEW, 0);
        time += 15 + below(r, 240);
        double w = wants(s, u, &s->item[it], time);
        if (!bought[it] && w > best_wants) {
            best_wants = w;
            best = it;
        }
    }
    double eager = best_wants / (best_wants + 12);
    if (best < 0 || !chance(r, 0.15 + 0.5 * eager))
        return;
    add_event(s, user, best, time, device, CART, 0);
    if (!chance(r, 0.55))
        return;
    time += chance(r, 0.85) ? 60 + below(r, 900) : 3600 + below(r, 2 * DAY);
    add_event(s, user, best, time, device, PURCHASE, s->item[best].price);
    bought[best] = 1;
    int group = s->item[best].kind / KINDS_PER_L1 * KINDS_PER_L1;
    *next_kind = group + (s->item[best].kind + 1) % KINDS_PER_L1;
}

static int
by_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
live(struct shop *s, int user, struct user *u, struct rng *r)
{
    int64_t *when = allocate((size_t)u->sessions, sizeof *when);
    uint8_t *bought = allocate((size_t)s->n_items, 1);
    for (int i = 0; i < u->sessions; i++)
        when[i] = session_time(u, r);
    qsort(when, (size_t)u->sessions, sizeof *when, by_int64);
    int turn = chance(r, 0.3) ? u->sessions / 2 : -1, next_kind = -1;
    for (int i = 0; i < u->sessions; i++) {
        if (i == turn)
            u->liked[0] = pick_window_kind(s, when[i], r);
        session(s, user, u, when[i], &next_kind, bought, r);
    }
    free(when);
    free(bought);
}

/* ---- writing --------------------------------------------------------------------- */

static FILE *
create(const char *dir, const char *name, const char *header)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f)
        die(path);
    fprintf(f, "%s\n", header);
    return f;
}

static void
finish(FILE *f, const char *name)
{
    bool failed = ferror(f);
    if (fclose(f) || failed)
        die(name);
}

/* A field, quoted when it has to be. */
static void
put_text(FILE *f, const char *s)
{
    if (!strpbrk(s, ",\"")) {
        fputs(s, f);
        return;
    }
    putc('"', f);
    for (; *s; s++) {
        if (*s == '"')
            putc('"', f);
        putc(*s, f);
    }
    putc('"', f);
}

static void
write_items(const struct shop *s, const char *dir)
{
    FILE *f = create(
        dir, "items.csv",
        "ITEM_ID,NAME,CATEGORY_L1,CATEGORY_L2,PRICE,CREATION_TIMESTAMP,DESCRIPTION");
    for (int i = 0; i < s->n_items; i++) {
        const struct item *it = &s->item[i];
        const struct kind *kind = kind_of(it->kind);
        char name[128], text[512];
        snprintf(name, sizeof name, "%s %s no. %d", style[it->style].word[it->word],
                 kind->noun[it->noun], it->number);
        snprintf(text, sizeof text,
                 "%s, from our shelves of %s and other things for %s. %s %s",
                 kind->noun[it->noun], kind->name, l1[it->kind / KINDS_PER_L1].name,
                 style[it->style].sentence, level_words[it->level]);
        fprintf(f, "i%d,", i + 1);
        put_text(f, name);
        fprintf(f, ",%s,%s", l1[it->kind / KINDS_PER_L1].name, kind->name);
        if (it->also >= 0)
            fprintf(f, "|%s", kind_of(it->also)->name);
        fprintf(f, ",%.2f,%lld,", it->price, (long long)it->created);
        put_text(f, text);
        putc('\n', f);
    }
    finish(f, "items.csv");
}

static void
write_user(FILE *f, int id, const struct user *u)
{
    static const char *const gender[] = {"", "F", "M"};
    static const char *const membership[] = {"guest", "member", "gold"};
    fprintf(f, "u%d,", id + 1);
    if (u->age)
        fprintf(f, "%d", u->age);
    fprintf(f, ",%s,%s\n", gender[u->gender], membership[u->membership]);
}

static int
by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void
write_events(struct shop *s, const char *dir)
{
    static const char *const type[] = {"View", "AddToCart", "Purchase"};
    static const char *const device[] = {"mobile", "desktop", "tablet"};
    qsort(s->event, s->n_events, sizeof *s->event, by_time);
    FILE *f = create(dir, "interactions.csv",
                     "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,DEVICE");
    for (size_t i = 0; i < s->n_events; i++) {
        const struct event *e = &s->event[i];
        fprintf(f, "u%d,i%d,%lld,%s,", e->user + 1, e->item + 1, (long long)e->time,
                type[e->what]);
        if (e->what == PURCHASE)
            fprintf(f, "%.2f", e->value);
        fprintf(f, ",%s\n", device[e->device]);
    }
    finish(f, "interactions.csv");
}

/* ---- actions ---------------------------------------------------------------------- */

static const struct {
    const char *id, *type;
    int value, repeat, days_left; // days_left: behind the end of the data; 0: for ever
    double base, by_membership[3], young; // chance, and what multiplies it
} action[] = {
    {"join-newsletter", "contact", 3, 14, 0, 0.30, {1.2, 0.8, 0.4}, 0.7},
    {"install-app", "contact", 5, 7, 0, 0.20, {0.8, 1.0, 1.2}, 2.0},
    {"become-member", "membership", 8, 14, 0, 0.25, {1.4, 0.1, 0.0}, 1.0},
    {"upgrade-to-gold", "membership", 10, 21, 0, 0.15, {0.2, 1.6, 0.0}, 0.6},
    {"invite-friend", "social", 6, 7, 0, 0.08, {0.5, 1.2, 1.8}, 1.6},
    {"write-review", "social", 4, 3, 0, 0.18, {0.6, 1.1, 1.5}, 1.0},
    {"save-card", "payment", 7, 30, 0, 0.12, {0.6, 1.2, 1.4}, 1.2},
    {"christmas-voucher", "offer", 9, 7, 24, 0.35, {1.0, 1.0, 1.0}, 0.9},
    {"gift-wrapping", "offer", 2, 3, 45, 0.10, {1.0, 1.0, 1.0}, 0.8},
    {"take-survey", "contact", 1, 30, 0, 0.05, {1.0, 1.2, 1.0}, 0.5},
};
enum { N_ACTIONS = sizeof action / sizeof *action };

static void
write_actions(const struct shop *s, const char *dir)
{
    FILE *f = create(dir, "actions.csv",
                     "ACTION_ID,TYPE,VALUE,CREATION_TIMESTAMP,EXPIRATION_TIMESTAMP,"
                     "REPEAT_FREQUENCY");
    for (int a = 0; a < N_ACTIONS; a++) {
        fprintf(f, "%s,%s,%d,%lld,", action[a].id, action[a].type, action[a].value,
                (long long)(s->start - DAY));
        if (action[a].days_left)
            fprintf(f, "%lld", (long long)(END_TIME + action[a].days_left * DAY));
        fprintf(f, ",%d\n", action[a].repeat);
    }
    finish(f, "actions.csv");
}

/* What a user does when asked, about once in three sessions. */
static void
write_offers(FILE *f, int id, const struct user *u, struct rng *r)
{
    double eager = 0.3 + 1.7 * uniform(r) * uniform(r);
    int done[N_ACTIONS] = {0};
    int64_t asked[N_ACTIONS] = {0};
    int n = u->sessions / 3 + 1;
    for (int i = 0; i < n; i++) {
        int a = below(r, N_ACTIONS);
        double when = (i + uniform(r)) / n;
        int64_t time = u->from + (int64_t)(when * (double)(u->to - u->from));
        if (asked[a] && time - asked[a] < (int64_t)action[a].repeat * DAY)
            continue; // not again so soon
        asked[a] = time;
        double p = action[a].base * eager * action[a].by_membership[u->membership];
        if (u->age && u->age < 30)
            p *= action[a].young;
        if (done[a])
            p *= 0.3; // most are done once
        bool takes = chance(r, p < 0.9 ? p : 0.9);
        const char *what = takes ? "Taken" : chance(r, 0.5) ? "Not Taken" : "Viewed";
        if (takes && chance(r, 0.3)) // not at once
            fprintf(f, "u%d,%s,Viewed,%lld\n", id + 1, action[a].id,
                    (long long)(time - 3600 - below(r, 2 * DAY)));
        fprintf(f, "u%d,%s,%s,%lld\n", id + 1, action[a].id, what, (long long)time);
        done[a] += takes;
    }
}

/* ---- main ------------------------------------------------------------------------ */

static void
usage(void)
{
    fputs("usage: make-shop DIR [--users N] [--items N] [--days N] [--seed N]\n", stderr);
    exit(2);
}

static int
number(const char *text, long min, long max)
{
    char *end;
    errno = 0;
    long v = text ? strtol(text, &end, 10) : 0;
    if (!text || !*text || *end || errno || v < min || v > max) {
        fprintf(stderr, "make-shop: '%s' is not a number from %ld to %ld\n",
                text ? text : "", min, max);
        usage();
    }
    return (int)v;
}

int
main(int argc, char **argv)
{
    struct shop s = {.n_users = 2000, .n_items = 600, .days = 90, .seed = 1};
    const char *dir = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-') {
            dir = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "--users"))
            s.n_users = number(value, 1, 10000000);
        else if (!strcmp(argv[i], "--items"))
            s.n_items = number(value, 1, 25000);
        else if (!strcmp(argv[i], "--days"))
            s.days = number(value, 7, 700);
        else if (!strcmp(argv[i], "--seed"))
            s.seed = (uint64_t)number(value, 0, 1000000000);
        else
            usage();
        i++;
    }
    if (!dir)
        usage();
    if (mkdir(dir, 0777) && errno != EEXIST)
        die(dir);
    s.start = END_TIME - (int64_t)s.days * DAY;
    make_items(&s);
    write_items(&s, dir);
    write_actions(&s, dir);
    FILE *users = create(dir, "users.csv", "USER_ID,AGE,GENDER,MEMBERSHIP");
    FILE *offers =
        create(dir, "action-interactions.csv", "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP");
    for (int i = 0; i < s.n_users; i++) {
        struct rng r = stream(s.seed, 2, (uint64_t)i);
        struct user u = make_user(&s, &r);
        write_user(users, i, &u);
        struct rng asked = stream(s.seed, 3, (uint64_t)i);
        write_offers(offers, i, &u, &asked);
        live(&s, i, &u, &r);
    }
    finish(users, "users.csv");
    finish(offers, "action-interactions.csv");
    write_events(&s, dir);
    fprintf(stderr, "make-shop: %d users, %d items, %zu events in %s\n", s.n_users,
            s.n_items, s.n_events, dir);
    for (int k = 0; k < N_KINDS; k++)
        free(s.by_kind[k]);
    free(s.item);
    free(s.event);
    return 0;
}
