#!/bin/sh
# What an analyst asks of a group, with the tools that are on every machine: run it beside a
# group 'shop' (tests/sample makes one), or take a line.
set -eu
export LC_ALL=C
q() { printf '\n# %s\n' "$*"; }

q "events a type, most first"
pz-info -g shop --export interactions --json | jq -r '.EVENT_TYPE // "-"' | sort | uniq -c | sort -rn

q "the ten items with the most users"
pz-info -g shop --export interactions --json | jq -r '[.ITEM_ID, .USER_ID] | @tsv' | sort -u |
    cut -f1 | uniq -c | sort -k1,1nr -k2,2 | head

q "the median number of events of a user"
pz-info -g shop --export interactions --json | jq -r .USER_ID | sort | uniq -c | sort -n |
    awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'

q "events a day, the last seven days that have any"
pz-info -g shop --export interactions --json | jq -r '.TIMESTAMP | todate[:10]' | sort | uniq -c | tail -n 7

q "items that nobody ever touched"
pz-info -g shop --export interactions --json | jq -r .ITEM_ID | sort -u >touched.txt
pz-info -g shop --export items --json | jq -r .ITEM_ID | sort -u | comm -13 touched.txt - | wc -l

q "the recommendations of two users, with the names of the items"
pz-info -g shop --export items --json | jq -r '[.ITEM_ID, .NAME] | @tsv' | sort >names.tsv
pz-recommend -g shop -S personal -n 3 u1 u2 | awk '{ print $2 "\t" $1 "\t" NR }' | sort |
    join -t '	' - names.tsv | sort -t '	' -k3,3n | cut -f2,1,4

q "in how many of 20 users' lists each item stands (does everyone get the same?)"
pz-info -g shop --export users --json | jq -r .USER_ID | head -n 20 | pz-recommend -g shop -S personal -n 10 |
    cut -f2 | sort | uniq -c | sort -k1,1nr -k2,2 | head -n 5

q "the share of recommended items that the user knows already"
pz-info -g shop --export interactions --json | jq -r '[.USER_ID, .ITEM_ID] | join(" ")' | sort -u >known.txt
cut -d ' ' -f1 known.txt | uniq | pz-recommend -g shop -S personal -n 10 | awk '{ print $1, $2 }' |
    sort >shown.txt
awk -v k="$(comm -12 known.txt shown.txt | wc -l)" 'END { printf "%.2f\n", k / NR }' shown.txt

q "the metrics of all versions, side by side"
pz-info -g shop --json | jq -r '.models[] | select(.metrics.coverage) |
    [.solution, .metrics.coverage, .metrics.normalized_discounted_cumulative_gain_at_25] | @tsv'

q "what came in since the last import: events by hour, out of the store itself"
sqlite3 -readonly shop/group.db "SELECT strftime('%Y-%m-%d %H:00', time, 'unixepoch') AS hour,
    type, count(*) FROM event GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT 5"

q "users who viewed and never bought, in SQL over bulk rows and events together"
pz-info -g shop --export interactions --source all >all.csv
sqlite3 :memory: ".mode csv" ".import all.csv e" "SELECT count(*) FROM (SELECT USER_ID FROM e
    GROUP BY 1 HAVING sum(EVENT_TYPE = 'View') > 0 AND sum(EVENT_TYPE = 'Purchase') = 0)"

q "import jobs, from the catalogue"
sqlite3 -readonly -separator ' ' shop/group.db \
    "SELECT dataset, mode, rows_kept, duplicates FROM import ORDER BY started, id"
