#!/bin/sh
# A shop that lives in an SQLite file: the same as postgresql.sh, without a server.
#
#   sqlite.sh shop.db /srv/group
#
# The tables are
#
#   customer (id TEXT)
#   product  (id TEXT, title TEXT, category TEXT, price REAL, added INTEGER)
#   event    (customer TEXT, product TEXT, at INTEGER, kind TEXT)
#
# with times in Unix seconds (unixepoch(at) makes them from text), and recommendation is made
# here.
set -eu
: "${2:?usage: sqlite.sh FILE GROUP}"
db=$1 group=$2
solution=${SOLUTION:-sqlite}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sql() { sqlite3 -batch -bail "$@"; }

# Out, as CSV with a header.
sql -readonly -csv -header "$db" 'SELECT customer AS USER_ID, product AS ITEM_ID,
    at AS TIMESTAMP, kind AS EVENT_TYPE FROM event' >"$dir/interactions.csv"
sql -readonly -csv -header "$db" 'SELECT id AS ITEM_ID, category AS CATEGORY, price AS PRICE,
    added AS CREATION_TIMESTAMP FROM product' >"$dir/items.csv"
pz-import -g "$group" -t interactions "$dir/interactions.csv"
pz-import -g "$group" -t items "$dir/items.csv"
pz-train -q -g "$group" -r "${RECIPE:-aws-user-personalization}" -S "$solution" >"$dir/model"

# In, as JSON lines, which hold any id; SQLite takes them apart. The separator of columns is a
# byte that JSON never has as it is, so that a line is one column.
sql -readonly -noheader -list "$db" 'SELECT id FROM customer ORDER BY id' >"$dir/customers"
pz-recommend --json -g "$group" -S "$solution" -n "${N:-10}" <"$dir/customers" >"$dir/answers"
sql "$db" <<SQL
CREATE TEMP TABLE answer (line TEXT);
.mode ascii
.separator "\037" "\n"
.import "$dir/answers" answer
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS recommendation (
    n INTEGER PRIMARY KEY, customer TEXT, product TEXT, score REAL);
DELETE FROM recommendation;
INSERT INTO recommendation (customer, product, score)
    SELECT json_extract(a.line, '$.input.userId'), item.value,
           json_extract(a.line, '$.output.scores[' || item.key || ']')
    FROM answer a, json_each(a.line, '$.output.recommendedItems') item
    ORDER BY a.rowid, item.key;
COMMIT;
SQL

sql -readonly -list -header -separator '	' "$db" 'SELECT r.customer, p.title, r.score
    FROM recommendation r JOIN product p ON p.id = r.product ORDER BY r.n LIMIT 5'
