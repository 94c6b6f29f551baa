#!/bin/sh
# aws-similar-items and aws-semantic-similarity on files; each line printed is a broken
# promise. Their scores are held against the formulas in tests/unit/test_related.c.
for need in pz-import pz-train pz-recommend pz-event; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
for item in '"lamp","name":"Blue lamp","categoryL1":"home","categoryL2":"lamps","price":30' \
    '"lamp-2","name":"Red lamp","categoryL1":"home","categoryL2":"lamps","price":31'; do
    echo "{\"itemId\":$item,\"description\":\"A lamp.\",\"creationTimestamp\":1735689600}"
done | pz-event -g shop -t items || exit
pz-train -q -g shop -r aws-similar-items -S like --no-eval >out || exit
pz-train -q -g shop -r aws-semantic-similarity -S words --no-eval >out || exit

# Items that nobody had are answered from their columns and stand in answers.
for s in like words; do
    pz-recommend -g shop -S $s -n 5 lamp | sed -n '1s/^lamp	lamp-2	$/ok/p' | grep -q ok ||
        { echo "$s: lamp is not like lamp-2:"; pz-recommend -g shop -S $s -n 5 lamp; }
    pz-recommend -g shop -S $s -n 3 --explain lamp | sed -n 1p | cut -f 4 |
        grep -qxE 'lamps?|CATEGORY_L1=home' || echo "$s: no word about lamps"
    pz-recommend -g shop -S $s no-such | cut -f 2 >one
    pz-recommend -g shop -S popular no-such | cut -f 2 >two
    cmp -s one two || echo "$s: an unknown item has not the popular items"
    # What is asked about is no answer; filters leave as many.
    pz-recommend -g shop -S $s -n 500 i1 i2 i3 >all
    awk -F '\t' '$1 == $2 || seen[$1, $2]++' all
    pz-recommend -g shop -S $s -n 4 -F 'INCLUDE ItemID WHERE Items.PRICE < 20' \
        --metadata PRICE i1 i2 i3 >few
    awk -F '\t' '{n[$1]++} $4 >= 20' few
    [ "$(wc -l <few)" = 12 ] || echo "$s: $(wc -l <few) cheap items"
done

# A new item is new, and a model alone answers the same.
pz-train -q -g shop -r aws-semantic-similarity -p FRESHNESS=1 -o new.model --no-eval >out
pz-recommend -m new.model -n 1 --explain lamp | cut -f 2,4- >one
printf 'lamp-2\tFRESHNESS\t1\n' >two
head -n 1 one | cmp -s - two || { echo 'freshness:'; cat one; }

# Without text there is nothing to compare; without items users remain.
pz-import -q -g plain -t interactions interactions.csv >out || exit
pz-train -q -g plain -r aws-semantic-similarity --no-eval 2>err
[ $? = 3 ] || echo 'no items, and semantic similarity was trained'
grep -q 'have no text to compare' err || cat err
pz-train -q -g plain -r aws-similar-items -o plain.model --no-eval >out || echo 'no items, no model'
[ "$(pz-recommend -m plain.model -n 3 i1 | wc -l)" = 3 ] || echo 'no items, no answer'

# A group of items alone: no user, no metrics of users, and answers all the same.
pz-import -q -g things -t items -s schemas/shop-items.json items.csv >out || exit
pz-train -g things -r aws-semantic-similarity >out 2>err || cat err
grep -q item_similarity err || { echo 'items alone:'; cat err; }
grep precision err
pz-recommend -g things -n 4 --metadata NAME i1 >one
awk -F '\t' '$2 == "i1" || $4 == ""' one
[ "$(wc -l <one)" = 4 ] || { echo 'items alone:'; cat one; }
[ -z "$(pz-recommend -g things no-such)" ] || echo 'items alone: nothing is popular'
pz-info --verify things >out || cat out
pz-train -g things -r aws-semantic-similarity --event-type View 2>err
[ $? = 2 ] || echo 'a type of no events'
pz-train -g things -r aws-sims 2>err
[ $? = 3 ] || echo 'sims without interactions'
# How many items have any: a and b, whom three users had together; c and d are alone.
{
    echo USER_ID,ITEM_ID,TIMESTAMP
    for u in 1 2 3; do printf 'u%s,a,1\nu%s,b,2\n' $u $u; done
    printf 'u4,c,1\nu5,d,1\nu5,d,2\n'
} >scarce.csv
pz-import -q -g scarce -t interactions scarce.csv >out
pz-train -g scarce -r aws-sims --no-eval 2>err >/dev/null
grep -qx '2 of 4 items have related items' err || cat err
pz-train -q -g scarce -r aws-sims --no-eval --json 2>err | sed 1d |
    jq -e '.itemsWithRelated == 2 and .itemsOfModel == 4' >/dev/null || echo 'JSON lacks them'
cat err
exit 0
