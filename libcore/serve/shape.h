/*
 * shape: what the JSON body of a request must look like, as tables, and the check of a
 * body against them. What is wrong is told in AWS's words, all of it at once:
 *
 *   2 validation errors detected: Value null at 'name' failed to satisfy constraint:
 * Member must not be null; Value '101' at 'maxResults' failed to satisfy constraint:
 * Member must have value less than or equal to 100
 *
 * Members that no table names are passed over, as AWS does; a null member is an absent
 * one.
 */
#ifndef PZ_SERVE_SHAPE_H
#define PZ_SERVE_SHAPE_H

#include "base/json.h"

enum pz_shape_kind {
    PZ_SHAPE_STRING,  // min and max: characters; 0: no bound
    PZ_SHAPE_INTEGER, // min and max: values, where `bounded`
    PZ_SHAPE_NUMBER,
    PZ_SHAPE_BOOLEAN,
    PZ_SHAPE_TIME, // seconds since 1970, or ISO 8601
    PZ_SHAPE_LIST, // min and max: elements, 0: no bound
    PZ_SHAPE_MAP,
    PZ_SHAPE_STRUCT,
};

/* A pattern of AWS's models and a function that knows it. */
struct pz_pattern {
    const char *text;
    bool (*match)(const char *s, size_t n);
};

struct pz_shape {
    enum pz_shape_kind kind;
    double min, max;
    bool bounded;                      // INTEGER, NUMBER: min and max count
    const struct pz_pattern *pattern;  // STRING; NULL: any
    const char *const *values;         // STRING: the only ones, NULL behind the last
    const struct pz_shape *key, *item; // MAP: both; LIST: item
    const struct pz_member *member;    // STRUCT: {NULL} behind the last
};

struct pz_member {
    const char *name;
    const struct pz_shape *shape;
    bool required;
};

/* Shapes that all services have. */
extern const struct pz_shape pz_shape_arn, pz_shape_name, pz_shape_string, // 1 to 256
    pz_shape_text,                                                         // any string
    pz_shape_boolean, pz_shape_time, pz_shape_number;
extern const struct pz_pattern pz_pattern_name, pz_pattern_arn, pz_pattern_word,
    pz_pattern_attribution;

enum pz_shape_fault {
    PZ_SHAPE_FITS,
    PZ_SHAPE_INVALID,    // ValidationException
    PZ_SHAPE_UNREADABLE, // SerializationException: another type
};

/* Checks `body`, an object, against a STRUCT. What is wrong is added to *why. */
enum pz_shape_fault pz_shape_check(const struct pz_shape *shape, const pz_json *body,
                                   struct pz_buf *why);

#endif
