/*
 * put_export: the event store as text that pz-event reads back.
 *
 * CSV: a header, then a line an event; null is the empty cell. JSON lines: an object an
 * event, nulls left out. Columns are EVENT_ID, SESSION_ID, those of interactions (as the
 * schema spells them), and the schema's others. The user is the event's own: events of
 * a session that was linked later are exported as they came.
 *
 * Items, users and actions: the newest record of each id, by id; the id, then the columns
 * of the schema.
 */
#ifndef PZ_DATA_PUT_EXPORT_H
#define PZ_DATA_PUT_EXPORT_H

#include "data/export.h"
#include "data/schema.h"
#include "store/estore.h"

/* Events in the order of their seq. schema (or NULL) is that of the dataset of the kind.
 */
int pz_put_export(struct pz_estore *s, enum pz_event_kind kind,
                  const struct pz_schema *schema, enum pz_format format,
                  pz_export_write write, void *ctx, struct pz_err *err);

int pz_put_export_records(struct pz_estore *s, enum pz_record_kind kind,
                          const struct pz_schema *schema, enum pz_format format,
                          pz_export_write write, void *ctx, struct pz_err *err);

#endif
