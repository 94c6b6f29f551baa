#!/bin/sh
# samples/sqlite.sh: out of a database and back into it, whatever bytes ids and titles have.
command -v sqlite3 >/dev/null || { echo "no sqlite3"; exit 77; }
. "$PZ_SRC/tests/cli/samples-db.inc"
shop
sqlite3 -bail shop.db <<'SQL' || exit
CREATE TABLE customer (id TEXT);
CREATE TABLE product (id TEXT, title TEXT, category TEXT, price REAL, added INTEGER);
CREATE TABLE event (customer TEXT, product TEXT, at INTEGER, kind TEXT);
.mode csv
.import --skip 1 customer.csv customer
.import --skip 1 product.csv product
.import --skip 1 event.csv event
UPDATE product SET category = NULL WHERE category = '';
SQL
run() { N=4 "$PZ_SRC/samples/sqlite.sh" shop.db group; }
ask() { sqlite3 -batch shop.db "$1"; }
tables() { sqlite3 -batch -csv shop.db 'SELECT customer, product, round(score, 6) FROM recommendation ORDER BY n'; }
check
