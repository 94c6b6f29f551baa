#!/bin/sh
# pz-recommend in all its forms; each line printed is a broken promise. What the recipes rank
# is tested with them: here the forms are held against each other.
for need in pz-import pz-train pz-recommend; do
    command -v $need >/dev/null || { echo "$need is not built"; exit 77; }
done
"$PZ_SRC/tests/sample" . || exit 1
r() { pz-recommend -g shop "$@"; }
# same WHAT: the files one and two agree, and there is something in them.
same()
{
    cmp -s one two || { echo "$1:"; diff one two | head -n 4; }
    [ -s one ] || echo "$1: nothing came out"
}

# Operands, lines with either line end, a pipe, any number of threads.
xargs pz-recommend -g shop -S personal -n 5 <users.txt >one
r -S personal -n 5 <users.txt >two
same 'operands and lines'
sed 's/$/\r/' users.txt | r -S personal -n 5 - >two
same 'lines that end with CR LF'
printf '%s' "$(cat users.txt)" | r -S personal -n 5 >two
same 'a last line without end'
awk 'BEGIN {for (i = 0; i < 3000; i++) print "u" i % 230}' >many.txt
r -S personal --threads 1 <many.txt >one
r -S personal --threads 4 <many.txt >two
same 'threads'
cut -f 1 one | uniq | cmp -s - many.txt || echo 'the order is not that of the input'
awk -F '\t' '{if ($1 == u && $3 != "" && $3 + 0 > s) exit 1; u = $1; s = $3 + 0}' one ||
    echo 'scores rise'

# JSON lines: the same answers, the input as it was.
r -S personal -n 3 --json u1 u2 u3 >one
sed 's/ //g' batch.jsonl | r -S personal -n 3 >two
same 'JSON lines and --json'
r -S personal <batch.jsonl | grep -c '^{"input":{"userId":"u[123]"},"output":{.*},"error":null}$' >two
echo 3 >one
same 'batch lines'
if command -v jq >/dev/null; then
    r -S personal -n 3 --json u1 u2 | jq -r '.input.userId as $u | .output |
        [.recommendedItems, .scores] | transpose | .[] | [$u, .[0], .[1]] | @tsv' |
        awk -F '\t' '{printf "%s\t%s\t%.5e\n", $1, $2, $3}' >one
    r -S personal -n 3 u1 u2 | awk -F '\t' '{printf "%s\t%s\t%.5e\n", $1, $2, $3}' >two
    same 'JSON and TSV'
fi
printf '{"userId":"u1"}\nnonsense\n{"userId":"u2"}\n' >bad.jsonl
r -q -S personal <bad.jsonl >one || echo "a bad line: status $?"
sed -n '2s/"error":".*//p' one >two
printf '{"input":"nonsense","output":null,\n' >one
same 'a bad line'

# Nobody is refused: strangers get what people begin with, which many have.
r -S personal -n 4 stranger >two
awk -F '\t' 'NF != 3 || $1 != "stranger" || $3 != "" {print "a stranger: " $0} END {if (NR != 4) print NR}' two
r -S popular -n 40 stranger | cut -f 2 >one
cut -f 2 two | grep -vxFf one
r -S popular -n 4 stranger >one
r -S similar -n 4 no-such-item | sed 's/no-such-item/stranger/' >two
same 'an unknown item'
r -S popular </dev/null >two
[ -s two ] && echo 'no line is no request, and it was answered'

# A history: the stored one given again, seen items left out, one that exists nowhere.
seen=$(awk -F, '$1 == "u1" {print $2}' interactions.csv | sort -u | paste -sd, -)
r -S personal -n 1000 --exclude-seen u1 | cut -f 2 | sort >one
r -S personal -n 1000 u1 | cut -f 2 | sort | grep -vxF "$(echo "$seen" | tr , '\n')" >two
same 'seen items'
r -S personal --history "$seen" -n 5 | cut -f 1 | sort -u >one
echo >two
same 'a history without an id'
r -S personal --history "$seen" -n 5 whoever | cut -f 2- >one
r -S personal --history "$seen" -n 5 | cut -f 2- >two
same 'a history with an id'

# Candidates: all of them, once, the unknown last and without a score.
r -S personal --rank i3,none,i1,i3,i2,nowhere,none u1 >out
cut -f 2 out | sort | paste -sd' ' - >one
echo i1 i2 i3 none nowhere >two
same 'candidates'
sed -n '4,5p' out >one
printf 'u1\tnone\t\nu1\tnowhere\t\n' >two
same 'unknown candidates'
awk -F '\t' '{s += $3} END {exit !(s > 0.9999 && s < 1.0001)}' out ||
    echo 'the scores of the candidates do not add up to 1'
echo '{"userId":"u1","itemList":["i3","none","i1","i3","i2","nowhere","none"]}' |
    r -S personal >out
grep -q '"recommendedItems":\["i[123]","i[123]","i[123]","none","nowhere"\]' out &&
    grep -q '"scores":\[[0-9.e-]*,[0-9.e-]*,[0-9.e-]*,null,null\]' out ||
    echo 'itemList'

# Numbers of results.
for n in 0 1 7; do
    [ "$(r -S personal -n $n u1 | wc -l)" -eq $n ] || echo "-n $n"
    [ "$(echo "{\"userId\":\"u1\",\"numResults\":$n}" | r -S personal |
        tr ',' '\n' | grep -c '"i[0-9]*"')" -eq $n ] || echo "numResults $n"
done
[ "$(r -S personal u1 | wc -l)" -eq 25 ] || echo 'the default is not 25'

# Reasons: five columns, falling, and every score has some.
r -S personal -n 3 --explain u1 >out
awk -F '\t' 'NF != 5 || $4 == "" {exit 1}
    $2 == i && $5 > c {exit 1} {i = $2; c = $5}' out || echo 'reasons'
r -S personal -n 2 --explain stranger | awk -F '\t' 'NF != 5 || $3 $4 $5 != "" {exit 1}' ||
    echo 'reasons for a stranger'
# Scores are a softmax of the sums at some temperature: their logarithms lie on a line.
awk -F '\t' '{if (!($2 in raw)) item[n++] = $2; raw[$2] += $5; s[$2] = $3} END {
    t = (raw[item[0]] - raw[item[2]]) / log(s[item[0]] / s[item[2]])
    d = raw[item[0]] - raw[item[1]] - t * log(s[item[0]] / s[item[1]])
    exit !(n == 3 && t > 0 && d < 1e-4 && d > -1e-4)}' out ||
    echo 'contributions do not add up to the score'

# Statuses.
wants() { want=$1; shift; "$@" >out 2>err; got=$?; [ $got -eq "$want" ] || echo "$got, wanted $want: $*"; }
wants 0 r -S personal stranger
wants 1 r -S personal --strict stranger
wants 0 r -S personal --strict u1
wants 1 r -S personal --strict --rank i1,none u1
wants 2 r u1
grep -q 'personal, popular, similar' err || echo "the solutions are not named: $(cat err)"
wants 2 r -S none u1
wants 2 r -S personal/none u1
wants 2 r -S personal -m x u1
wants 2 r -S popular --explain u1
wants 2 r -S personal -n -1 u1
wants 2 r -S personal -n 501 --strict u1
for b in '{"userId":""}' '{}' '{"numResults":1e3,"userId":"u1"}'; do
    echo "$b" >b.jsonl
    wants 0 r -q -S personal - <b.jsonl
    pz-recommend -q -g shop -S personal --strict <b.jsonl >/dev/null
    [ $? -eq 3 ] || echo "--strict: $b"
done
pz-recommend -g shop -S personal u1 >/dev/full 2>err
[ $? -eq 5 ] || echo "a full disk: $(cat err)"
pz-recommend -g shop -S personal <many.txt >/dev/full 2>err
[ $? -eq 5 ] || echo "a full disk, many lines: $(cat err)"
# A model alone, elsewhere.
mkdir elsewhere
cp shop/models/personal/*.safetensors elsewhere
mv elsewhere/*.safetensors elsewhere/model
mv shop away
pz-recommend -m elsewhere/model -n 5 <users.txt >one
mv away shop
r -S personal -n 5 <users.txt >two
same 'a model file alone'
exit 0
