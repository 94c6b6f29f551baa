/*
 * show: a description that is built once and printed either as JSON or as text for
 * people.
 *
 * Nodes belong to their parent; the root is freed. Running out of memory ends the
 * program with status 5.
 */
#ifndef PZ_CMD_SHOW_H
#define PZ_CMD_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct pz_show; // a node: object, array or value

/* parent NULL: a root. key is NULL in arrays; it is borrowed and must outlive the tree.
 */
struct pz_show *pz_show_object(struct pz_show *parent, const char *key);
struct pz_show *pz_show_array(struct pz_show *parent, const char *key);
void pz_show_text(struct pz_show *parent, const char *key, const char *text);
void pz_show_bool(struct pz_show *parent, const char *key, bool value);
void pz_show_i64(struct pz_show *parent, const char *key, int64_t value);
void pz_show_u64(struct pz_show *parent, const char *key, uint64_t value);
void pz_show_real(struct pz_show *parent, const char *key, double value);
/* Unix seconds, as ISO 8601. */
void pz_show_time(struct pz_show *parent, const char *key, int64_t value);
/* JSON text: taken over as it is by JSON output, as values by text. What is no JSON, as
 * text. */
void pz_show_parsed(struct pz_show *parent, const char *key, const char *json);
/* The node before is left out of text. */
void pz_show_json_only(struct pz_show *parent);
void pz_show_free(struct pz_show *root);

/* One line of JSON. */
void pz_show_json(const struct pz_show *root, struct pz_buf *out);
/*
 * Lines "key  value"; arrays of flat objects as tables, others as indented blocks.
 * Control characters become '?', so that no file can play with the terminal.
 */
void pz_show_plain(const struct pz_show *root, struct pz_buf *out);
/* On stdout, as --json asks for it, and frees it. */
void pz_show_print(struct pz_show *root);

#endif
