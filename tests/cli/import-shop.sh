#!/bin/sh
# Orders as shops and spreadsheets export them: names of columns that fields cannot have,
# columns without a name, semicolons, dates.
set -e
show() { pz-info -g "$1" --export interactions; rm -r "$1"; }
echo '-- Shopify: blanks in names, a zone behind a blank, line ends in a note'
cat >shopify.csv <<'EOF'
Name,Email,Paid at,Lineitem sku,Lineitem price,Discount %,Notes
#1001,ann@x.org,2024-03-01 12:30:00 +0100,S-1,10.00,,"ring,
twice"
#1002,o'hara@x.ie,2024-03-02 08:00:00 +0100,S-2,1.50,5,
EOF
set -- -t interactions -c USER_ID=Email -c 'ITEM_ID=lineitem sku' -c 'TIMESTAMP=Paid at' --timestamp-unit iso
pz-import -g a "$@" shopify.csv 2>&1
pz-import -g a "$@" -m incremental shopify.csv 2>&1
show a
echo '-- names: what remains; twice; nothing remains; a reserved one with a blank; none'
printf ',User ID,item id,timestamp,Größe,Price (EUR),価格,Price_EUR,7 days,\n0,u,i,5,1,2,3,4,5,\n' >names.csv
pz-import -g a -t interactions names.csv 2>&1
pz-import -g a -t interactions -m incremental names.csv 2>&1
show a
echo '-- the same in JSON lines'
printf '{"User ID":"u","item-id":"i","timestamp":5,"unit price":1.5}\n' >names.jsonl
pz-import -g a -t interactions names.jsonl 2>&1
pz-import -g a -t interactions -m incremental names.jsonl 2>&1
show a
echo '-- a schema given'
cat >schema.json <<'EOF'
{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"TIMESTAMP","type":"long"}]}
EOF
pz-import -g a -t interactions -s schema.json names.csv 2>&1
show a
echo '-- a spreadsheet: semicolons, the day first, a row of totals'
printf '\357\273\277Kunde;Artikel;Datum;Preis\r\nk1;"a;1";01.03.2024 12:30;5\r\nk2;a2;2.3.24;6\r\nSumme;;;11\r\n' >de.csv
set -- -g a -t interactions -c USER_ID=Kunde -c ITEM_ID=Artikel -c TIMESTAMP=Datum
pz-import "$@" de.csv 2>&1 || echo "status $?"
pz-import "$@" --timestamp-unit dmy --max-rejects 1 de.csv 2>&1
show a
echo '-- tabs, the month first'
printf 'USER_ID\tITEM_ID\tTIMESTAMP\nu\ti\t3/1/2024 12:30 PM\n' |
    pz-import -g a -t interactions --timestamp-unit mdy
show a
echo '-- the log of a web server'
printf 'USER_ID|ITEM_ID|TIMESTAMP\n::1|/a,b|01/Mar/2024:12:30:00 +0100\n' >log.txt
pz-import -g a -t interactions --timestamp-unit '%d/%b/%Y:%H:%M:%S %z' log.txt
TZ=America/New_York pz-import -g a -t interactions --timestamp-unit '%d/%b/%Y:%H:%M:%S %z' log.txt
show a
echo '-- mistakes'
printf ',,\n1,2,3\n' | pz-import -g a -t interactions 2>&1 || echo "status $?"
printf 'Unit price,Item\n1,2\n' | pz-import -g a -t items 2>&1 || echo "status $?"
pz-import -g a -t interactions --timestamp-unit minutes log.txt 2>&1 || echo "status $?"
