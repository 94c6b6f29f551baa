#!/bin/sh
# Every hyperparameter of every recipe is in pz-recipes(7), with its default.
set -u
[ -x "$PZ_BUILD/pz-train" ] || { echo "pz-train is not built"; exit 77; }

"$PZ_BUILD/pz-train" --list-recipes | grep -v "^aws-ecomm-\|^aws-vod-\|-v2[[:space:]]\|^aws-hrnn" | cut -f 1 | while read -r recipe; do
    "$PZ_BUILD/pz-train" --list-recipes -r "$recipe" | awk -v recipe="$recipe" '
        NR == FNR { # the page: the text of each item, once for each name in its tag
            if (/^\.It Cm /) {
                gsub(/^\.It Cm | ,/, "")
                n_tags = split($0, tag, " ")
                block++
                for (i = 1; i <= n_tags; i++)
                    blocks[tag[i]] = blocks[tag[i]] " " block
            } else if (/^\.(El|Sh|Ss)/) {
                n_tags = 0
            } else if (n_tags) {
                gsub(/^\.(Cm|Fl) /, "")
                text[block] = text[block] " " $0
            }
            next
        }
        {
            found = 0
            n = split(blocks[$1], list, " ")
            for (i = 1; i <= n; i++)
                if (match(text[list[i]], /[Dd]efault[^;]*/)) {
                    said = " " substr(text[list[i]], RSTART, RLENGTH) " "
                    gsub(/[:,]|\. /, " ", said)
                    found = found || index(said, " " $3 " ")
                }
            if (!n)
                printf "pz-recipes.7: %s of %s is missing\n", $1, recipe
            else if (!found)
                printf "pz-recipes.7: default %s of %s (%s) is not there\n", $3, $1, recipe
        }' man/pz-recipes.7 -
done
