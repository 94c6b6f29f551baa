#!/bin/bash
# samples/postgresql.sh against a server of its own: out of a database and back into it, whatever
# bytes ids and titles have.
bin=
for d in "$(command -v initdb)" /usr/lib/postgresql/*/bin/initdb; do
    [ ! -x "$d" ] || bin=$(dirname "$(readlink -f "$d")")
done
if [ -z "$bin" ] || ! command -v psql >/dev/null; then
    echo "no PostgreSQL (make deps-test)"
    exit 77
fi
. "$PZ_SRC/tests/cli/samples-db.inc"

# The server refuses to run as root, and another user cannot come into this directory.
pg=$(mktemp -d /tmp/pz-pg.XXXXXX) || exit
as=()
if [ "$(id -u)" -eq 0 ]; then
    chown nobody "$pg"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
fi
trap '"${as[@]}" "$bin/pg_ctl" -s -D "$pg/data" -m immediate stop 2>/dev/null; rm -rf "$pg"' EXIT
(cd "$pg" && HOME=$pg "${as[@]}" "$bin/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync &&
    HOME=$pg "${as[@]}" "$bin/pg_ctl" -s -w -D data -l log -o "-c listen_addresses= -c fsync=off -k $pg" start) \
    >initdb.log 2>&1 || { cat initdb.log "$pg/log"; exit 1; }
export PGHOST=$pg PGUSER=postgres PGDATABASE=postgres PGTZ=Asia/Tokyo

shop
psql -X -q -v ON_ERROR_STOP=1 <<'SQL' || exit
CREATE TABLE customer (id text);
CREATE TABLE product (id text, title text, category text, price numeric, added timestamptz);
CREATE TABLE event (customer text, product text, at timestamptz, kind text);
CREATE TEMP TABLE p (LIKE product);
CREATE TEMP TABLE e (LIKE event);
ALTER TABLE p ALTER added TYPE bigint USING 0;
ALTER TABLE e ALTER at TYPE bigint USING 0;
\copy customer FROM customer.csv CSV HEADER
\copy p FROM product.csv CSV HEADER
\copy e FROM event.csv CSV HEADER
INSERT INTO product SELECT id, title, category, price, to_timestamp(added) FROM p;
INSERT INTO event SELECT customer, product, to_timestamp(at), kind FROM e;
SQL
run() { N=4 "$PZ_SRC/samples/postgresql.sh" group; }
ask() { psql -X -A -t -c "$1"; }
tables() { psql -X -q -c '\copy (SELECT customer, product, round(score::numeric, 6) FROM recommendation ORDER BY n) TO STDOUT CSV'; }
check
