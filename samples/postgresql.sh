#!/bin/sh
# A shop that lives in PostgreSQL: its rows go out by psql, pz learns from them, and what pz
# recommends comes back as a table that joins with the shop's own.
#
#   PGDATABASE=shop postgresql.sh /srv/group
#
# psql finds the server as it always does (PGHOST, PGUSER, ~/.pgpass ...). The tables are
#
#   customer (id text)
#   product  (id text, title text, category text, price numeric, added timestamptz)
#   event    (customer text, product text, at timestamptz, kind text)
#
# and recommendation is made here. Change the SELECTs to fit what you have: only the names of
# the columns behind AS matter, and that a time is in seconds.
set -eu
: "${1:?usage: postgresql.sh GROUP}"
group=$1
solution=${SOLUTION:-postgresql}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }

# Out, as CSV with a header. (COPY TO STDOUT is \copy that may have more than one line.) Into a
# file first: a pipe would hide it when psql fails half-way.
sql -c 'COPY (SELECT customer AS "USER_ID", product AS "ITEM_ID",
        extract(epoch FROM at)::bigint AS "TIMESTAMP", kind AS "EVENT_TYPE"
    FROM event) TO STDOUT WITH (FORMAT csv, HEADER)' >"$dir/interactions.csv"
sql -c 'COPY (SELECT id AS "ITEM_ID", category AS "CATEGORY", price AS "PRICE",
        extract(epoch FROM added)::bigint AS "CREATION_TIMESTAMP"
    FROM product) TO STDOUT WITH (FORMAT csv, HEADER)' >"$dir/items.csv"
pz-import -g "$group" -t interactions "$dir/interactions.csv"
pz-import -g "$group" -t items "$dir/items.csv"
pz-train -q -g "$group" -r "${RECIPE:-aws-user-personalization}" -S "$solution" >"$dir/model"

# In. Unaligned tuples are the ids as they are; \copy's text format would escape backslashes.
# What pz-recommend writes is that format: tabs, line ends and backslashes in ids are escaped.
sql -At -c 'SELECT id FROM customer ORDER BY id' >"$dir/customers"
pz-recommend -g "$group" -S "$solution" -n "${N:-10}" <"$dir/customers" >"$dir/ranked.tsv"

# Readers see the old table until the new one is whole. n keeps the order, best first.
sql -c 'SET client_min_messages = warning' -c 'CREATE TABLE IF NOT EXISTS recommendation (
        n bigint GENERATED ALWAYS AS IDENTITY, customer text, product text, score real)'
sql -1 -c 'DELETE FROM recommendation' \
    -c "\copy recommendation (customer, product, score) FROM '$dir/ranked.tsv' WITH (NULL '')"

sql -A -F '	' -P footer=off -c 'SELECT r.customer, p.title, r.score
    FROM recommendation r JOIN product p ON p.id = r.product ORDER BY r.n LIMIT 5'
