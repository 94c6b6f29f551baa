#!/bin/sh
# Every operation of the three APIs through boto3, answered and refused, on groups that the
# tools made.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
mkdir -p groups s3/bucket two
unset PZ_NOW # the versions of a solution are told apart by their times
export PYTHONDONTWRITEBYTECODE=1
printf 'ACTION_ID,VALUE,KIND\na1,3,x\na2,,\n' >s3/bucket/actions.csv
printf 'ACTION_ID,VALUE,KIND\na1,much,x\n' >s3/bucket/broken.csv
printf '{"itemId": "i1"}\n{"itemId": "i2"}\n' >s3/bucket/batch.jsonl
printf '{"userId": "u3"}\n{"userId": "u4"}\n' >s3/bucket/users.jsonl
printf 'USER_ID\nu1\nu2\n' >s3/bucket/forget.csv
cp s3/bucket/actions.csv secret.csv
ln -s ../.. s3/bucket/link

# A folder of groups.
mv shop groups
start --root groups --s3-root s3
$python "$PZ_SRC/tests/cli/serve-control.py" "$url" shop root . groups/shop || exit 1
for set in actions action-interactions; do
    pz-import -q -g groups/shop -t $set $set.csv >/dev/null || exit 1
done
pz-train -q -g groups/shop -r aws-next-best-action -S ask >/dev/null 2>&1 || exit 1
tracker=$(pz-event -g groups/shop --create-tracker web)
$python "$PZ_SRC/tests/cli/serve-runtime.py" "$url" shop "$tracker" || exit 1
stop
pz-info -g groups/shop --audit u1 >/dev/null && echo "u1 is still there"

# Recommenders.
mkdir domain && (cd domain && "$PZ_SRC/tests/sample" . && mkdir groups && mv shop groups)
start --root domain/groups --s3-root s3
tracker=$(pz-event -g domain/groups/shop --create-tracker web)
pz-train -q -g domain/groups/shop -r aws-ecomm-frequently-bought-together -S together >out 2>&1
$python "$PZ_SRC/tests/cli/serve-domain.py" "$url" shop interactions.csv "$tracker" root domain/groups/shop || exit 1
sed '4q' interactions.csv >s3/bucket/more.csv
$python "$PZ_SRC/tests/cli/serve-metrics.py" "$url" shop items.csv "$tracker" delete || exit 1
$python "$PZ_SRC/tests/cli/serve-metrics.py" "$url" shop items.csv "$tracker" keep || exit 1
stop

# Reports that are due, or were not finished, are written by the next server.
for what in due unfinished; do
    (cd s3/bucket/metrics && printf '%s\n' *) >before
    $python "$PZ_SRC/tests/cli/serve-due.py" domain/groups/shop/group.db $what
    start --root domain/groups --s3-root s3
    for _ in $(seq 1000); do
        (cd s3/bucket/metrics && printf '%s\n' *) | comm -13 before - >new
        [ ! -s new ] || break
        sleep 0.05
    done
    stop
    sed 's/[0-9]\{9,\}/SECONDS/' new
    sed 's/,[0-9]*$//' "s3/bucket/metrics/$(cat new)" | grep 'Purchase.*\(late\|before\)'
done
pz-recommend -g domain/groups/shop -S mine -n 1 u1 | cut -f 1
pz-info -g domain/groups/shop --json | jq -c '.recommenders[] | [.name, .recipe, .status]'
pz-info -g domain/groups/shop | grep -A 2 '^recommenders' | awk '{ print $1, $2, $3 }'

# One group.
"$PZ_SRC/tests/sample" two && start -g two/shop --s3-root s3
$python "$PZ_SRC/tests/cli/serve-control.py" "$url" shop one two two/shop || exit 1
$python "$PZ_SRC/tests/cli/serve-called.py" "$url" "$PZ_SRC/man/pz-aws.7"
stop
