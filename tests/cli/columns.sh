#!/bin/sh
# --include and --exclude: a model does not depend on what a column says that it was not
# to learn from.
set -u
make-shop . --users 120 --items 80 --days 40 2>/dev/null || exit
sed -i 's/"[^"]*"//g' items.csv # no commas inside of cells, and no descriptions
cell() { sed -n 1p "$1" | tr , '\n' | grep -n "^$2\$" | cut -d: -f1; }
# The values of these columns in the opposite order of the rows.
scramble() {
    file=$1
    shift
    cp "$file" next.csv
    for name in "$@"; do
        awk -F, -v OFS=, -v at="$(cell "$file" "$name")" 'NR == FNR { value[FNR] = $at; n = FNR; next }
            FNR > 1 { $at = value[n + 2 - FNR] } { print }' next.csv next.csv >other.csv
        mv other.csv next.csv
    done
    cat next.csv
}
group() { # GROUP ITEMS USERS
    pz-import -q -g "$1" -t interactions interactions.csv >/dev/null
    pz-import -q -g "$1" -t items "$2" >/dev/null
    pz-import -q -g "$1" -t users "$3" >/dev/null
}
scramble items.csv PRICE >price.csv
scramble items.csv PRICE NAME CATEGORY_L2 >most.csv
user=MEMBERSHIP
scramble users.csv "$user" >user.csv
group shop items.csv users.csv
group price price.csv users.csv
group most most.csv users.csv
group user items.csv user.csv
# same RECIPE GROUP OPTION...: does it learn the same in the shop and in GROUP?
same() {
    recipe=$1 other=$2
    shift 2
    pz-train -q -g shop -r "$recipe" "$@" -o a.model >/dev/null || return
    pz-train -q -g "$other" -r "$recipe" "$@" -o b.model >/dev/null || return
    if cmp -s a.model b.model; then what=same; else what=different; fi
    echo "$recipe $other $*: $what"
}
for recipe in aws-similar-items aws-item-attribute-affinity; do
    same "$recipe" price
    same "$recipe" price --exclude items.PRICE
    same "$recipe" most --include Items.CATEGORY_L1 --exclude creation_timestamp
    same "$recipe" most --include CATEGORY_L1 --include NAME --exclude NAME
    same "$recipe" most --exclude PRICE --exclude NAME
done
same aws-item-affinity user
same aws-item-affinity user --exclude "users.$user"
echo '== what was left out is there for filters and segments'
pz-train -q -g shop -r aws-similar-items -S plain --exclude PRICE >/dev/null
pz-info --json shop/models/plain/* | jq -r .metadata.columns
pz-recommend -q -g shop -S plain -n 80 -F 'INCLUDE ItemID WHERE Items.PRICE < 20' --metadata PRICE i1 |
    awk -F '\t' '$4 >= 20 { print } END { print (NR > 0 ? "some" : "none") }'
pz-eval -q -g shop -r aws-similar-items --exclude PRICE --baseline first --by PRICE | wc -l
echo '== mistakes'
no() { "$@" 2>&1 || echo "status $?"; }
for wrong in COLOUR users.PRICE shoes.PRICE items.ITEM_ID TIMESTAMP interactions.event_type; do
    no pz-train -g shop -r aws-similar-items --no-eval --exclude $wrong | head -n 1
done
no pz-train -g shop -r aws-sims --exclude EVENT_VALUE --event-value-threshold 3 | head -n 1
exit 0
