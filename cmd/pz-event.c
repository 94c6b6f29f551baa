/* pz-event: events and records, one by one, into the group's event store. See
 * man/pz-event.1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/columns.h"
#include "cmd/event_jobs.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/putevents.h"
#include "data/recode.h"
#include "data/source.h"
#include "store/estore.h"

enum {
    READ = 1 << 18,      // bytes asked for at a time
    BATCH_MAX = 1000000, // events a transaction, at most
    QUOTE_MAX = 8 << 20, // bytes a CSV quote may stay open
    GRACE_MS = 3,        // a pause in the input that ends a transaction
};
#define LATE 0.05 // seconds after which one ends without a pause

static struct {
    const char *type, *tracking_id, *create, *encoding, *unit;
    int64_t batch;
    const char *older_than, *window;
    struct pz_opt_list metric, log, column;
    bool ack, strict, list, compact, attribution;
} opt = {.type = "events", .batch = 20000, .window = "15m"};

static const struct pz_opt options[] = {
    {"type", 't', PZ_OPT_TEXT, &opt.type, "TYPE",
     "what flat lines and CSV hold: events, items, users, actions, action-interactions "
     "(default %v)",
     0, 0},
    {"column", 'c', PZ_OPT_LIST, &opt.column, "NAME=HEADER",
     "what flat lines or CSV call HEADER is NAME", 0, 0},
    {"encoding", 0, PZ_OPT_TEXT, &opt.encoding, "NAME",
     "of the text, as in iconv -l (default: UTF-8, or UTF-16 where it is)", 0, 0},
    {"timestamp-unit", 0, PZ_OPT_TEXT, &opt.unit, "UNIT",
     "how times stand in flat lines and CSV, as pz-import has it (default: seconds or "
     "ISO 8601)",
     0, 0},
    {"tracking-id", 'T', PZ_OPT_TEXT, &opt.tracking_id, "ID",
     "refuse to run unless the group has an event tracker with this id", 0, 0},
    {"ack", 0, PZ_OPT_FLAG, &opt.ack, NULL, "print each id as soon as it is on disk", 0,
     0},
    {"batch", 0, PZ_OPT_INT, &opt.batch, "N",
     "events a transaction at most; a pause in the input ends one (default %v)", 1,
     BATCH_MAX},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL,
     "refuse what passes Amazon Personalize's limits, instead of warning", 0, 0},
    {"create-tracker", 0, PZ_OPT_TEXT, &opt.create, "NAME",
     "make an event tracker and print its tracking id", 0, 0},
    {"list-trackers", 0, PZ_OPT_FLAG, &opt.list, NULL, "print name, tracking id, time", 0,
     0},
    {"compact", 0, PZ_OPT_FLAG, &opt.compact, NULL,
     "move what is stored into the datasets, as an incremental import would", 0, 0},
    {"older-than", 0, PZ_OPT_TEXT, &opt.older_than, "TIME",
     "with --compact: leave what is younger, such as 30m, 12h or 7d", 0, 0},
    {"attribution", 0, PZ_OPT_FLAG, &opt.attribution, NULL,
     "write numbers and sums of events by type, source and time as CSV", 0, 0},
    {"window", 0, PZ_OPT_TEXT, &opt.window, "TIME",
     "with --attribution: length of the windows of time (default %v)", 0, 0},
    {"metric", 0, PZ_OPT_LIST, &opt.metric, "NAME:TYPE:EXPRESSION",
     "with --attribution: SAMPLECOUNT(), SUM(Items.COLUMN) or SUM(Interactions.COLUMN) "
     "of "
     "events of a type; may be repeated",
     0, 0},
    {"log", 0, PZ_OPT_LIST, &opt.log, "FILE",
     "with --attribution: what pz-recommend --log wrote, to tell the solution of an "
     "answer; "
     "may be repeated",
     0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-event",
    "-g DIR [-t TYPE] [-T ID] [--ack] [--strict] [options] [FILE...]\n"
    "-g DIR --create-tracker NAME | --list-trackers\n"
    "-g DIR --compact [--older-than TIME]\n"
    "-g DIR --attribution [--window TIME] [--metric METRIC]... [--log FILE]...",
    "Record events, items and users as they come, so that the next answer knows them.",
    "  echo '{\"userId\":\"u1\",\"itemId\":\"i2\",\"eventType\":\"view\"}' |\n"
    "      pz-event -g shop\n"
    "  tail -f clicks.jsonl | pz-event -g shop --ack\n"
    "  pz-event -g shop -t items new-items.jsonl\n",
    options,
};

static const struct pz_form forms[] = {
    {"create-tracker", "strict json"},
    {"list-trackers", "json"},
    {"compact", "older-than json"},
    {"attribution", "window metric log strict"},
    {NULL, "type column encoding timestamp-unit tracking-id ack batch strict json"},
};

static struct {
    struct pz_estore *store;
    struct pz_put *put;
    const char *name; // of the input that is read
    struct pz_source source;
    struct pz_recode *recode; // NULL: UTF-8
    char *data;               // bytes of it that were not yet taken: [at, n)
    size_t at, n, cap;
    uint64_t line; // number of the line at `at`
    double oldest; // when the first row that waits came; 0: none waits
    struct pz_buf acks;
    uint64_t lines, bad, stored, repeated, records, commits;
} run;

/* ---- storing ---- */

static void
ack(const char *id, bool stored)
{
    struct pz_buf *b = &run.acks;
    if (pz_common.json) {
        pz_buf_addz(b, "{\"eventId\":");
        pz_json_add_string(b, id, strlen(id));
        pz_buf_addz(b, stored ? ",\"stored\":true}" : ",\"stored\":false}");
    } else {
        pz_buf_addz(b, id);
    }
    pz_buf_addc(b, '\n');
}

static int
store_row(const struct pz_put_row *row, uint64_t *stored, uint64_t *records,
          struct pz_err *err)
{
    static const enum pz_record_kind kind[PZ_N_SETS] = {[PZ_ITEMS] = PZ_RECORD_ITEM,
                                                        [PZ_USERS] = PZ_RECORD_USER,
                                                        [PZ_ACTIONS] = PZ_RECORD_ACTION};
    char id[PZ_EVENT_ID_TEXT] = "";
    bool is_new = true;
    if (row->set == PZ_INTERACTIONS || row->set == PZ_ACTION_INTERACTIONS) {
        if (pz_estore_add(run.store, &row->event, &is_new, id, err))
            return err->status;
        *stored += is_new;
        if (opt.ack)
            ack(row->event.id ? row->event.id : id, is_new);
        return PZ_OK;
    }
    ++*records;
    if (opt.ack)
        ack(row->event.item, true);
    return pz_estore_put(run.store, kind[row->set], row->event.item,
                         row->event.properties, pz_now(), err);
}

/* What waits goes to disk, then the acknowledgements go out. */
static void
flush(void)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t n;
    const struct pz_put_row *row = pz_put_rows(run.put, &n);
    uint64_t stored = 0, records = 0;
    run.oldest = 0;
    if (n == 0)
        return;
    pz_buf_clear(&run.acks);
    int r = pz_estore_begin(run.store, &err);
    for (size_t i = 0; i < n && !r; i++)
        r = store_row(&row[i], &stored, &records, &err);
    if (!r)
        r = pz_buf_status(&run.acks, "acknowledgements", &err);
    if (!r)
        r = pz_estore_commit(run.store, &err);
    if (r)
        pz_die(err.status, "%s: nothing is stored from line %" PRIu64 " on: %s", run.name,
               row[0].line, err.msg);
    run.commits++;
    run.stored += stored;
    run.records += records;
    run.repeated += n - stored - records;
    if (run.acks.len) {
        fwrite(run.acks.data, 1, run.acks.len, stdout);
        if (fflush(stdout)) // nobody can know what is stored: stop before there is more
            exit(pz_cli_end(PZ_SYSTEM));
    }
    pz_put_clear(run.put);
}

/* ---- lines ---- */

/* A message may begin with its column, "7: ": then no blank comes before it. */
static const char *
gap(const struct pz_err *err)
{
    return err->msg[0] >= '0' && err->msg[0] <= '9' ? "" : " ";
}

static _Noreturn void
die_at(uint64_t line, const struct pz_err *err)
{
    pz_die(err->status, "%s:%" PRIu64 ":%s%s", run.name, line, gap(err), err->msg);
}

/* A line that gives nothing. */
static void
refuse(uint64_t line, const struct pz_err *err)
{
    char text[sizeof err->msg + 256];
    if (err->status != PZ_DATA)
        die_at(line, err);
    snprintf(text, sizeof text, "%s:%" PRIu64 ":%s%s", run.name, line, gap(err),
             err->msg);
    pz_cli_line("", text);
    run.bad++;
}

/* A line was taken: is it time for the disk? */
static void
taken(void)
{
    size_t n;
    run.lines++;
    pz_put_rows(run.put, &n);
    if (n >= (size_t)opt.batch) {
        flush();
    } else if (n && run.oldest == 0) {
        run.oldest = pz_seconds_wall();
    } else if (run.lines % 64 == 0 && n && pz_seconds_wall() - run.oldest > LATE) {
        flush();
    }
}

static bool
is_blank(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
            return false;
    return true;
}

/* The whole lines of run.data; at the end also one without a line end. */
static void
take_json(bool end)
{
    struct pz_err err = PZ_ERR_INIT;
    while (run.at < run.n) {
        const char *text = run.data + run.at;
        const char *feed = memchr(text, '\n', run.n - run.at);
        if (!feed && !end)
            break;
        size_t n = feed ? (size_t)(feed - text) : run.n - run.at;
        run.at += n + (feed != NULL);
        uint64_t line = run.line++;
        if (is_blank(text, n))
            continue;
        if (pz_put_line(run.put, text, n, run.name, line, &err))
            refuse(line, &err);
        taken();
    }
}

/* ---- CSV ---- */

struct table {
    struct pz_csv *csv;
    int *slot;
    size_t n_cols;
    char delimiter; // 0: not known yet
    bool header;    // was read
};

static void
read_header(struct table *t, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_row_at at;
    enum { COLUMNS = 4096 };
    struct pz_cell *name;
    size_t found = 0;
    if (pz_csv_new(&t->csv, &err) ||
        pz_new(&name, COLUMNS, sizeof *name, "a header", &err) ||
        pz_new(&t->slot, COLUMNS, sizeof *t->slot, "a header", &err))
        pz_die_err(&err);
    pz_csv_set_delimiter(t->csv, t->delimiter);
    pz_csv_start(t->csv, run.data + run.at, n, run.line, NULL, COLUMNS);
    enum pz_row r = pz_csv_next(t->csv, name, COLUMNS, &found, &at);
    if (r == PZ_ROW_BAD)
        pz_die(PZ_DATA, "%s:%" PRIu64 ": the header %s", run.name, at.line, at.reason);
    if (r == PZ_ROW) {
        if (pz_put_header(run.put, name, found, t->slot, run.name, &err))
            die_at(at.line, &err);
        const char *to = at.raw + at.n_raw;
        for (const char *s = run.data + run.at; s < to; s++)
            run.line += *s == '\n';
        run.at = (size_t)(to - run.data);
        t->n_cols = found;
        t->header = true;
    }
    free(name);
}

/* The whole records of run.data. */
static void
take_csv(struct table *t, bool end)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_row_at at;
    enum pz_row r;
    size_t n_cells;
    if (!t->delimiter && (end || memchr(run.data + run.at, '\n', run.n - run.at)))
        t->delimiter = pz_csv_likely_delimiter(run.data + run.at, run.n - run.at);
    if (!t->delimiter)
        return;
    size_t n = end ? run.n - run.at
                   : pz_csv_whole(run.data + run.at, run.n - run.at, t->delimiter);
    if (!n && run.n - run.at > QUOTE_MAX) { // a stray quote: take the lines as they are
        const char *feed = memrchr(run.data + run.at, '\n', run.n - run.at);
        n = feed ? (size_t)(feed - run.data) + 1 - run.at : 0;
    }
    size_t stop = run.at + n;
    if (!t->header && n)
        read_header(t, n);
    if (!t->header || run.at >= stop)
        return;
    struct pz_cell *cell = pz_put_cells(run.put, &n_cells);
    pz_csv_start(t->csv, run.data + run.at, stop - run.at, run.line, t->slot, t->n_cols);
    while ((r = pz_csv_next(t->csv, cell, n_cells, NULL, &at)) != PZ_ROW_END) {
        if (r == PZ_ROW_BAD)
            pz_err_set(&err, PZ_DATA, "the row %s", at.reason);
        if (r == PZ_ROW_BAD || pz_put_record(run.put, run.name, at.line, &err))
            refuse(at.line, &err);
        taken();
    }
    for (const char *s = run.data + run.at; s < run.data + stop; s++)
        run.line += *s == '\n';
    run.at = stop;
}

/* ---- files ---- */

/* Looks at the first bytes; false when there are too few. */
static bool
find_format(bool end, enum pz_format *format)
{
    size_t i = run.at;
    if (run.n - i < 3 && !end)
        return false;
    if (run.n - i >= 3 && memcmp(run.data + i, "\xef\xbb\xbf", 3) == 0)
        run.at = i += 3;
    while (i < run.n && strchr(" \t\r\n", run.data[i]) && run.data[i])
        i++;
    if (i == run.n)
        return false;
    if (run.data[i] == '[')
        pz_die(PZ_DATA, "%s: is a JSON array; JSON lines, an object a line, are wanted",
               run.name);
    if (memchr(run.data + run.at, '\0', run.n - run.at))
        pz_die(PZ_DATA, "%s: is no text (UTF-8): it holds NUL bytes", run.name);
    *format = run.data[i] == '{' ? PZ_JSONL : PZ_CSV;
    return true;
}

static int
read_some(char *out, size_t n, size_t *got, struct pz_err *err)
{
    return run.recode ? pz_recode_some(run.recode, &run.source, out, n, got, err)
                      : pz_source_some(&run.source, out, n, got, err);
}

static void
read_more(bool *end)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t got;
    if (run.at) {
        memmove(run.data, run.data + run.at, run.n - run.at);
        run.n -= run.at;
        run.at = 0;
    }
    if (run.n > PZ_ROW_MAX) {
        flush();
        pz_die(PZ_DATA, "%s:%" PRIu64 ": the record is longer than 16 MiB", run.name,
               run.line);
    }
    if (pz_grow(&run.data, &run.cap, run.n + READ, 1, "input", &err) ||
        read_some(run.data + run.n, READ, &got, &err)) {
        flush();
        pz_die_err(&err);
    }
    run.n += got;
    *end = got == 0;
}

/* The first bytes tell the encoding: those that were read are text of it. */
static void
open_recode(bool *end)
{
    struct pz_err err = PZ_ERR_INIT;
    while (!*end && run.n < 4)
        read_more(end);
    const char *from = opt.encoding ? opt.encoding : pz_recode_guess(run.data, run.n);
    if (!from || strcasecmp(from, "UTF-8") == 0)
        return;
    if (pz_recode_new(&run.recode, from, run.data, run.n, &err))
        pz_die_err(&err);
    run.n = 0;
    *end = false;
}

static void
read_file(const char *path)
{
    struct pz_err err = PZ_ERR_INIT;
    struct table table = {.csv = NULL};
    enum pz_format format = PZ_JSONL;
    bool known = false, end = false;
    run.name = strcmp(path, "-") == 0 ? "(stdin)" : path;
    run.at = run.n = 0;
    run.line = 1;
    if (pz_source_open(&run.source, path, run.name, &err))
        pz_die_err(&err);
    open_recode(&end);
    for (bool have = run.n > 0; have || !end; have = false) {
        if (run.oldest > 0 && !have && !pz_source_ready(&run.source, GRACE_MS))
            flush();
        if (!have)
            read_more(&end);
        if (!known)
            known = find_format(end, &format);
        if (known && format == PZ_JSONL)
            take_json(end);
        else if (known)
            take_csv(&table, end);
    }
    flush(); // messages about what waits name this file
    pz_source_close(&run.source);
    pz_recode_free(run.recode);
    run.recode = NULL;
    pz_csv_free(table.csv);
    free(table.slot);
}

/* ---- trackers ---- */

static struct {
    char **id;
    size_t n, cap;
    int status; // of the walk
} trackers;

static int
keep_tracker(void *ctx, const struct pz_tracker *t)
{
    struct pz_err *err = ctx;
    if (pz_grow(&trackers.id, &trackers.cap, trackers.n + 1, sizeof *trackers.id,
                "event trackers", err) ||
        pz_strndup(&trackers.id[trackers.n], t->tracking_id, strlen(t->tracking_id), err))
        return err->status;
    trackers.n++;
    return 0;
}

/* The tracking id of -T is one of the group's. */
static void
check_tracking_id(const char *group)
{
    for (size_t i = 0; i < trackers.n; i++)
        if (strcmp(trackers.id[i], opt.tracking_id) == 0)
            return;
    pz_die(PZ_USAGE, "group '%s' has no event tracker with id '%s' (--list-trackers)",
           group, opt.tracking_id);
}

/* ---- main ---- */

static enum pz_set
type_of(const char *name)
{
    struct pz_err err = PZ_ERR_INIT;
    enum pz_set set;
    if (strcmp(name, "events") == 0)
        return PZ_INTERACTIONS;
    if (pz_set_parse(&set, name, &err))
        pz_die(PZ_USAGE,
               "-t '%s' is none of events, items, users, actions, action-interactions",
               name);
    return set;
}

/* The schemas of the datasets that the group has. */
static void
open_schemas(const char *group, struct pz_dataset data[PZ_N_SETS],
             struct pz_put_options *o)
{
    struct pz_err err = PZ_ERR_INIT;
    for (int set = 0; set < PZ_N_SETS; set++) {
        char *path;
        if (pz_dataset_path(&path, group, (enum pz_set)set, &err))
            pz_die_err(&err);
        if (access(path, F_OK) == 0) {
            if (pz_dataset_open(&data[set], path, &err))
                pz_die_err(&err);
            o->schema[set] = &data[set].schema;
        }
        free(path);
    }
}

static void
print_totals(void)
{
    if (pz_common.json && !opt.ack)
        printf("{\"lines\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"repeated\":%" PRIu64
               ",\"records\":%" PRIu64 ",\"refused\":%" PRIu64 "}\n",
               run.lines, run.stored, run.repeated, run.records, run.bad);
    pz_log(PZ_LOG_NOTE,
           "%" PRIu64 " lines: %" PRIu64 " events stored, %" PRIu64
           " there already, %" PRIu64 " records put, %" PRIu64 " lines refused; %" PRIu64
           " transactions",
           run.lines, run.stored, run.repeated, run.records, run.bad, run.commits);
}

/* What is not recording: true when it was asked for, and done. */
static bool
other_job(const char *group, const struct pz_form *form, const char *file)
{
    if (!form->by)
        return false;
    if (file)
        pz_die(PZ_USAGE, "--%s reads nothing: '%s' is too many", form->by, file);
    if (opt.create)
        pz_event_create_tracker(group, opt.create, opt.strict);
    else if (opt.list)
        pz_event_list_trackers(group);
    else if (opt.compact)
        pz_event_compact(group, opt.older_than);
    else
        pz_event_attribution(group, &(struct pz_event_report){.window = opt.window,
                                                              .metric = &opt.metric,
                                                              .log = &opt.log,
                                                              .strict = opt.strict});
    return true;
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset data[PZ_N_SETS] = {0};
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    const struct pz_form *form = pz_opt_form(forms);
    const char *group = pz_need_group();
    if (other_job(group, form, argv[first]))
        return pz_cli_end(PZ_OK);

    struct pz_times times;
    if (opt.unit && pz_times_parse(&times, opt.unit, &err))
        pz_die_err(&err);
    struct pz_naming naming = pz_columns_naming(&opt.column);
    struct pz_put_options o = {.set = type_of(opt.type),
                               .strict = opt.strict,
                               .naming = &naming,
                               .times = opt.unit ? &times : NULL};
    if (pz_estore_open(&run.store, group, PZ_CATALOG_WRITE, &err) ||
        pz_estore_trackers(run.store, keep_tracker, &err, &err))
        pz_die_err(&err);
    if (opt.tracking_id)
        check_tracking_id(group);
    open_schemas(group, data, &o);
    o.tracking_id = (const char *const *)trackers.id;
    o.n_tracking_ids = trackers.n;
    if (pz_put_new(&run.put, &o, &err))
        pz_die_err(&err);
    if (first == argc)
        read_file("-");
    for (int i = first; i < argc; i++)
        read_file(argv[i]);
    print_totals();
    pz_put_free(run.put);
    pz_columns_release(&naming);
    pz_estore_close(run.store);
    for (int set = 0; set < PZ_N_SETS; set++)
        pz_dataset_close(&data[set]);
    return pz_cli_end(run.bad ? PZ_DATA : PZ_OK);
}
