#!/bin/sh
# Mistakes that are easily made: what is said of them.
"$PZ_SRC/tests/sample" || exit
no() { "$@" >answer 2>said; echo "status $?"; sed 's/: the recipes are .*/: the recipes are .../; s/? the recipes are .*/? .../; /^Try /d' said; }
echo '-- names of recipes'
for r in sims aws-simz user-personalisation popularity v2 nonsense; do no pz-train -g shop -r $r; done
echo '-- ids that are none'
no pz-recommend -g shop -S personal users.txt
no pz-recommend -g shop -S personal --user u1 i1
cut -d, -f1,2 users.csv | sed 1d >rows.txt
pz-recommend -g shop -S personal -n 1 <rows.txt 2>&1 >answer
no pz-recommend -g shop -S similar u1 u2
echo '-- one that may be new, some that are known, none where all get the same'
no pz-recommend -g shop -S personal somebody
no pz-recommend -g shop -S similar i1 u2
no pz-recommend -g shop -S popular x y
no pz-recommend -g shop -S personal --history i1 a b
printf '{"userId":"%s","history":["i1","never"]}\n' a b | no pz-recommend -g shop -S personal
echo '-- addresses'
for a in 127.0.0.1 8750 :8750 127.0.0.1:99999 127.0.0.1:http; do no pz-serve -g shop -l $a; done
echo '-- other names of recipes'
pz-train --list-recipes | grep -e '-v2' -e '^aws-hrnn'
pz-train -q -g shop -r aws-personalized-ranking-v2 -S ranking | sed 's/[0-9TZ]*\.safe/.safe/'
pz-train -q -g shop -r aws-personalized-ranking -S ranked >/dev/null
pz-recommend -g shop -S ranking --rank i1,i2,i3 u1 u2 >v2
printf '{"userId":"u%s","itemList":["i1","never","nor"]}\n' 1 2 | no pz-recommend -g shop -S ranking
pz-recommend -g shop -S ranked --rank i1,i2,i3 u1 u2 | cmp - v2
