#!/bin/sh
# The story of pz on a sample shop, from CSV to ranked items: 'make demo'. Works in demo/.
set -eu
: "${PZ_BUILD:?run me through make demo}"
PATH=$PZ_BUILD:$PZ_BUILD/samples:$PATH
export LC_ALL=C TZ=UTC
unset PZ_GROUP
demo=${1:-demo}
rm -rf "$demo"
mkdir -p "$demo"
cd "$demo"

step=0
title()
{
    step=$((step + 1))
    printf '\n--- %d. %s\n\n' $step "$1"
}
say() { printf '%s\n' "$*" | fold -s -w 78; }
# Shows a command as one would type it, and runs it.
show()
{
    printf '  $ %s\n' "$*"
    eval "$*"
}
# A metric from what pz-train printed: the path of the model, then a JSON line.
metric() { tail -n 1 "$1" | jq -r --arg key "$2" '.metrics[$key] * 10000 | round / 10000'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", (b > 0 ? a / b : 0) }'; }

# items.csv as "id TAB kind TAB name", for showing what an id is.
catalogue()
{
    awk '
    function field(    c, s, quoted) { # cuts the first CSV field off rest
        s = ""
        while (rest != "") {
            c = substr(rest, 1, 1)
            rest = substr(rest, 2)
            if (c == "\"" && quoted && substr(rest, 1, 1) == "\"") { s = s c; rest = substr(rest, 2) }
            else if (c == "\"") quoted = !quoted
            else if (c == "," && !quoted) break
            else s = s c
        }
        return s
    }
    NR > 1 { rest = $0; id = field(); name = field(); l1 = field(); kind = field(); sub(/\|.*/, "", kind); print id "\t" l1 ": " kind "\t" name }
    ' items.csv
}
# Ranked lines (id TAB item TAB score) with the items in words.
in_words()
{
    awk -F '\t' -v n="${1:-5}" '
    NR == FNR { kind[$1] = $2; name[$1] = $3; next }
    seen[$1]++ < n { printf "    %-6s %-26s %s\n", $2, kind[$2], name[$2] }' catalogue.tsv -
}

title 'A shop'
make-shop . 2>/dev/null
cp -R "$PZ_SRC/samples/schemas" schemas
catalogue >catalogue.tsv
rows=$(($(wc -l <interactions.csv) - 1))
say "An invented shop: $(($(wc -l <users.csv) - 1)) users, $(wc -l <catalogue.tsv) items and $rows events" \
    "(views, carts, purchases) of 90 days, as three CSV files. Its users have tastes, its goods have" \
    "seasons, and a third of the goods is new. The first events:"
head -n 4 interactions.csv | sed 's/^/    /'

title 'Import'
say 'Each file becomes a dataset of the group "shop", a directory. Every row is checked against a' \
    'schema as Amazon Personalize has them; one bad row and nothing is imported.'
for set in interactions items users; do
    show pz-import -g shop -t $set -s schemas/shop-$set.json $set.csv
done

title 'Train, and measure'
say 'First what any shop can do without knowing anybody: show to all what is popular. Then what pz' \
    'learns about each user. Both are measured in the way of Amazon Personalize: a tenth of the users is' \
    'held back, and their latest events have to be guessed from their earlier ones.'
show 'pz-train -q -g shop -r aws-popularity-count -S popular --json >popular.json'
start=$(date +%s%N)
show 'pz-train -q -g shop -r aws-user-personalization -S personal --json >personal.json'
ms=$((($(date +%s%N) - start) / 1000000))
show 'pz-train -q -g shop -r aws-sims -S similar --json >similar.json'
key=normalized_discounted_cumulative_gain_at_25
a=$(metric popular.json $key) b=$(metric personal.json $key)
p=$(metric popular.json precision_at_5) q=$(metric personal.json precision_at_5)
echo
say "NDCG at 25: $a when everybody is shown the popular items, $b with a list for each user:" \
    "$(ratio "$b" "$a") times as good. Of five items shown, $(awk -v x="$p" 'BEGIN {printf "%.2f", 5 * x}') were what the user went" \
    "on to look at against $(awk -v x="$q" 'BEGIN {printf "%.2f", 5 * x}') with pz. Training and measuring took $((ms / 1000)).$(printf %03d $((ms % 1000))) s."

title 'Recommend'
# Somebody with a taste to see: the first user with a few purchases and not too many events.
user=$(awk -F, '$4 == "Purchase" {bought[$1]++} {n[$1]++} END {for (u in n)
    if (bought[u] > 3 && n[u] < 90) print substr(u, 2)}' interactions.csv | sort -n | sed -n 1s/^/u/p)
say "What user $user has looked at most:"
awk -F, -v u="$user" '$1 == u {print u "\t" $2}' interactions.csv | sort | uniq -c | sort -k1,1rn -k3,3 |
    awk '{print $2 "\t" $3}' | in_words 5
say "What pz would show $user next, without what was seen already:"
show "pz-recommend -g shop -S personal -n 5 --exclude-seen $user" | tee ranked.tsv | sed -n 1p
sed 1d ranked.tsv | in_words
say 'Why the first of them? What of the history speaks for it, strongest first:'
show "pz-recommend -g shop -S personal -n 1 --exclude-seen --explain $user" | tee ranked.tsv | sed -n 1p
sed 1d ranked.tsv | cut -f 1,4 | in_words 3
say 'What it would show to somebody it knows nothing about is what is popular:'
show 'pz-recommend -g shop -S personal -n 5 a-stranger' | tee ranked.tsv | sed -n 1p
sed 1d ranked.tsv | in_words
item=$(awk -F, -v u="$user" '$1 == u && $4 == "Purchase" {i = $2} END {print i}' interactions.csv)
say "What goes with the last thing that $user bought, $(awk -F '\t' -v i="$item" '$1 == i {print $3 " (" $2 ")"}' catalogue.tsv):"
show "pz-recommend -g shop -S similar -n 5 $item" | tee ranked.tsv | sed -n 1p
sed 1d ranked.tsv | in_words

title 'Everybody at once'
sed '1d; s/,.*//' users.csv >users.txt
start=$(date +%s%N)
show 'pz-recommend -g shop -S personal -n 25 <users.txt >ranked.tsv'
ms=$((($(date +%s%N) - start) / 1000000))
say "Twenty-five items for each of $(wc -l <users.txt) users: $(wc -l <ranked.tsv) lines in $ms ms, exec to exit."

title 'What is there now'
show pz-info -g shop --verify
echo
say '"pz-info -g shop" without --verify describes each of them: columns, parameters, metrics.'
say "All of it is in $demo/: the CSV files, and the group shop. To go on with your own files:"
cat <<'EOF'

    pz-import -g mine -t interactions your.csv     # USER_ID, ITEM_ID, TIMESTAMP
    pz-train -g mine -r aws-user-personalization -S first
    pz-recommend -g mine -S first -n 10 SOME-USER

'man man/pz.7' is the overview; every tool has --help.
EOF
