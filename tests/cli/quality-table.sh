#!/bin/sh
# The table of `make quality`: pz-eval understands every row, and a bad row is found.
quality="$PZ_SRC/tests/bench/quality"
"$quality" --check
awk -F'\t' '!/^#/ { print NF, ($1 == "q" || $1 == "-") }' "$PZ_SRC/tests/bench/quality.tsv" | sort -u
printf 'q\tml-1m\t--protocol loo\taws-sims:nothing=1\thr@10\t-\t-\n' >bad.tsv
"$quality" --check --table bad.tsv | cut -c 1-80
printf 'q\tml-1m\t--protocol loo\taws-sims\n' >short.tsv
"$quality" --check --table short.tsv 2>&1
PZ_DATA=$PWD/nothing "$quality" --quick --only 'ml-1m --protocol loo' | sed "s|$PWD|.|"

# README's table: all that it says of others stands in the table too, of data of that name.
awk -F'\t' '!/^#/ { print $2 "\t" $6 }' "$PZ_SRC/tests/bench/quality.tsv" >published
awk -F' *[|] *' '
    BEGIN {
        split("1M=ml-1m,100K=ml-100k-3.6,Beauty=beauty,Sports=sports,Deskdrop=deskdrop,Gowalla=gowalla,POC=aws-poc", pair, ",")
        for (i in pair)
            name_of[substr(pair[i], 1, index(pair[i], "=") - 1)] = substr(pair[i], index(pair[i], "=") + 1)
    }
    FILENAME == "published" { split($0, c, "\t"); said[c[1]] = said[c[1]] " " c[2]; next }
    /^[|] data [|]/ { on = 1; next }
    on && !/^[|]/ { exit }
    on && /^[|]-/ { next }
    on {
        of = $2 == "the same" ? of : $2
        name = "?" of
        for (words in name_of)
            if (index(of, words))
                name = name_of[words]
        if (name == "ml-1m" && $3 ~ /among 100/)
            name = "ml-1m-ncf"
        n = split($5, word, /[ ,;]+/)
        for (i = 1; i <= n; i++)
            if (word[i] ~ /^[.][0-9]+$/) { figures++; if (!index(said[name] " ", word[i])) print name ": " word[i] " of README is not in quality.tsv" }
    }
    END { print (figures > 20 ? "README agrees" : "README has " figures + 0 " figures") }' published "$PZ_SRC/README.md"
