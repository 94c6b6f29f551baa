#!/bin/sh
# Hyperparameters and recipes by validation: deterministic, resumed, and kept in the model.
set -u
"$PZ_SRC/tests/sample" >/dev/null
no() { "$@" 2>&1 || echo "status $?"; }
cat >hpo.json <<'J'
{"algorithmHyperParameterRanges":{
  "integerHyperParameterRanges":[{"name":"min_cointeraction_count","minValue":0,"maxValue":5}],
  "continuousHyperParameterRanges":[{"name":"shrinkage","minValue":0.1,"maxValue":100}],
  "categoricalHyperParameterRanges":[{"name":"popularity_discount_factor","values":["0","0.3","0.6"]}]},
 "hpoResourceConfig":{"maxNumberOfTrainingJobs":"8"}}
J
train() { pz-train -g shop -r aws-sims "$@"; }
echo '-- the best of the trials is what is trained'
train -o a.model --hpo-config hpo.json 2>trials >/dev/null
head -n 1 trials | tr '\t' '\n'
grep -c '^[0-9][0-9]*	' trials
best=$(grep '^[0-9][0-9]*	' trials | sort -t "$(printf '\t')" -k 3,3gr -k 1,1g | head -n 1)
wanted="{\"popularity_discount_factor\":\"$(echo "$best" | cut -f 6)\",\"min_cointeraction_count\":\"$(echo "$best" | cut -f 4)\""
pz-info --json a.model | tr -d ' \n' | grep -qF "$wanted" || { echo "not the best:"; cat trials; }
train -o b.model --hpo-config hpo.json --threads 1 -q >/dev/null
cmp a.model b.model && echo 'the same again'
train -o b.model --hpo-config hpo.json --threads 3 --hpo-parallel 3 -q >/dev/null
cmp a.model b.model && echo 'and three trainings at once'
train -o c.model --hpo 3 -p shrinkage=7 2>&1 | awk -F '\t' '
    $1 == "trial" { for (i = 1; i <= NF; i++) if ($i == "shrinkage") at = i }
    $1 == "0" { print "first: shrinkage " $at }'
echo '-- interrupted'
pz-train -q -g shop -r aws-sims -S tuned --hpo 400 >/dev/null 2>&1 &
n=0
while [ "$n" -lt 4 ] && kill -0 $! 2>/dev/null; do
    sleep 0.01
    n=$(grep -c share shop/.hpo.tuned.jsonl 2>/dev/null)
    n=${n:-0}
done
kill -9 $!
wait 2>/dev/null
ls shop/models/tuned 2>/dev/null
train -S tuned --hpo 400 2>trials >/dev/null
grep -q 'of an earlier run' trials && echo 'went on'
grep -c '^[0-9][0-9]*	[01][.]' trials
[ ! -e shop/.hpo.tuned.jsonl ] && echo 'and left nothing'
pz-info --json shop/models/tuned/* | grep -c hpo
echo '-- interrupted with three at once'
train -S whole --hpo 200 -q >/dev/null
pz-train -q -g shop -r aws-sims -S cut --hpo 200 --hpo-parallel 3 --threads 3 >/dev/null 2>&1 &
n=0
while [ "$n" -lt 7 ] && kill -0 $! 2>/dev/null; do
    sleep 0.01
    n=$(grep -c share shop/.hpo.cut.jsonl 2>/dev/null)
    n=${n:-0}
done
kill -9 $!
wait 2>/dev/null
train -S cut --hpo 200 --hpo-parallel 2 --threads 2 2>trials >/dev/null
grep -q 'of an earlier run' trials && echo 'went on'
cmp shop/models/whole/* shop/models/cut/* && echo 'the same as without'
echo '-- recipes'
no pz-train -g shop --auto -r aws-popularity-count,aws-user-personalization -q | sed 's|/[^/]*$||'
pz-info shop/models/auto/* | grep 'recipe' | tr -s ' '
echo '-- mistakes'
no pz-train -g shop -r aws-popularity-count -S none --hpo 3
no pz-train -g shop -r aws-sims -S none --hpo 0
no pz-train -g shop -r aws-sims -S none --hpo-metric loss --hpo 2 | head -n 1 | cut -c 1-60
no pz-train -g shop -r aws-sims -S none --hpo-metric precision_at_5
no pz-train -g shop -r aws-sims -S none --time-budget 3
no pz-train -g shop -r aws-sims -S none --hpo-parallel 2
no pz-train -g shop --auto -S none --time-budget 3
no pz-train -g shop --auto -S none -p shrinkage=3
echo '{"hpoObjective":{"metricName":"precision_at_5"}}' >bad.json
no pz-train -g shop -r aws-sims -S none --hpo-config bad.json
echo '{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"0"}}' >bad.json
no pz-train -g shop -r aws-sims -S none --hpo-config bad.json
[ -e shop/models/none ] || echo 'no solution'
