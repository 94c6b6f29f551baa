#!/bin/sh
# A server whose disk is full: a group that cannot be made leaves nothing behind, the end of a
# training is stored as soon as there is room, and campaigns, filters and trackers are made,
# changed and deleted whole or not at all, whatever is the write that fails.
. "$PZ_SRC/tests/fault/lib.inc"
need pz-serve pz-train pz-import
command -v curl >/dev/null || skip "curl is not installed"
sandbox=auto
case ${V:-release} in asan | tsan) sandbox=off ;; esac
mkdir small
mount -t tmpfs -o size=3m tmpfs small 2>err || skip "nothing can be mounted here"
trap 'kill $pid 2>err; wait; umount "$PWD/small"' EXIT
pid=
shop 2000 | pz-import -q -g small/shop -t interactions >out 2>&1 || broken "import: $(cat out)"
pz-serve --sandbox "$sandbox" --root small -l 127.0.0.1:0 --max-wait 0 >url 2>server.err &
pid=$!
while ! [ -s url ] && kill -0 $pid; do
    sleep 0.01
done
url=$(cat url)
arn=arn:aws:personalize:us-east-1:000000000000

# control OPERATION BODY: the status; the answer goes into the file answer.
control()
{
    curl -s -o answer -w '%{http_code}' -H "X-Amz-Target: AmazonPersonalize.$1" "$url/" -d "$2"
}
full() { dd if=/dev/zero of=small/fill bs=4k 2>err; }
# state: that of the version
state()
{
    control DescribeSolutionVersion '{"solutionVersionArn":"'"$version"'"}' >code
    sed 's/.*"status":"\([^"]*\)".*/\1/' answer
}

full
got=$(control CreateDatasetGroup '{"name":"second"}')
[ "$got" = 500 ] || broken "a group on a full disk: $got $(cat answer)"
[ ! -e small/second ] || broken "a group that was not made is there"
rm small/fill
got=$(control CreateDatasetGroup '{"name":"second"}')
[ "$got" = 200 ] || broken "a group when there is room again: $got $(cat answer)"
touch small/plain
got=$(control CreateDatasetGroup '{"name":"plain"}')
[ "$got$(find small/plain -type f)" = 400small/plain ] || broken "a group in place of a file: $got $(cat answer)"

control CreateSolution '{"name":"top","datasetGroupArn":"'$arn':dataset-group/shop",
    "recipeArn":"arn:aws:personalize:::recipe/aws-popularity-count"}' >code
control CreateSolutionVersion '{"solutionArn":"'$arn':solution/top"}' >code
version=$(sed 's/.*"solutionVersionArn":"\([^"]*\)".*/\1/' answer)
full
for _ in $(seq 1200); do # that it has begun, and that it has ended, could not be stored
    [ "$(grep -c 'is full' server.err)" -gt 1 ] && break
    sleep 0.05
done
rm small/fill
for _ in $(seq 600); do
    case $(state) in *PENDING | *PROGRESS) sleep 0.05 ;; *) break ;; esac
done
case $(state) in
*ACTIVE | *FAILED) ;;
*) broken "the end of a training is not stored: $(state)" ;;
esac

# Room for ever more blocks: the first, the second or no write fails.
command -v sqlite3 >out || skip "sqlite3 is not installed"
model=$(pz-train -q --no-eval -g small/shop -r aws-popularity-count -S best)
version=$arn:solution/best/$(basename "$model" .safetensors)
row() { sqlite3 small/shop/group.db "SELECT count(*) FROM $1"; }
doc() { sqlite3 small/shop/group.db "SELECT count(*) FROM resource WHERE kind = '$1'"; }
# whole OPERATION BODY TABLE KIND THERE: after a call row and document are both there, or neither;
# as many as THERE after a good one.
whole()
{
    got=$(control "$1" "$2")
    a=$(row "$3") b=$(doc "$4")
    [ "$a" = "$b" ] || broken "$1 with $room blocks: $got, but $a rows and $b documents: $(cat answer)"
    case $got in
    200) [ "$a" = "$5" ] || broken "$1 with $room blocks: $got and $a rows" ;;
    *) [ "$a" = $((1 - $5)) ] || broken "$1 with $room blocks: $got and $a rows" ;;
    esac
    case $got in 200) well=$((well + 1)) ;; *) ill=$((ill + 1)) ;; esac
}
try()
{
    room=$1
    rm -f small/fill
    sqlite3 small/shop/group.db 'PRAGMA wal_checkpoint(TRUNCATE)' >out
    full
    truncate -s "-$((room * 4096))" small/fill
}
well=0 ill=0
for room in 0 1 2 3 4 5 6 7 8 9 10 12 16 20 30 40; do
    for verb in Create Delete; do
        there=1
        [ $verb = Create ] || there=0
        for what in campaign filter tracker; do
            try "$room"
            case $verb$what in
            Createcampaign) set -- Campaign '{"name":"c","solutionVersionArn":"'"$version"'"}' ;;
            Createfilter) set -- Filter '{"name":"f","datasetGroupArn":"'$arn':dataset-group/shop",
                "filterExpression":"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")"}' ;;
            Createtracker) set -- EventTracker '{"name":"t","datasetGroupArn":"'$arn':dataset-group/shop"}' ;;
            *campaign) set -- Campaign '{"campaignArn":"'$arn':campaign/c"}' ;;
            *filter) set -- Filter '{"filterArn":"'$arn':filter/f"}' ;;
            *tracker) set -- EventTracker '{"eventTrackerArn":"'$arn':event-tracker/t"}' ;;
            esac
            kind=$what
            [ $what != tracker ] || kind=eventTracker
            whole "$verb$1" "$2" $what $kind $there
            # when there is room again, what failed is done
            rm -f small/fill
            [ "$got" = 200 ] || whole "$verb$1" "$2" $what $kind $there
            [ "$got" = 200 ] || broken "$verb$1 after $room blocks: $got $(cat answer)"
        done
    done
done
# A solution and its versions go together.
cut=0
for room in 0 1 2 3 4 6 8 12 16 24 32; do
    rm -f small/fill
    control CreateSolution '{"name":"many","datasetGroupArn":"'$arn':dataset-group/shop",
        "recipeArn":"arn:aws:personalize:::recipe/aws-popularity-count"}' >code
    sqlite3 small/shop/group.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
        INSERT INTO resource SELECT 'solutionVersion', 'many/' || i,
        '{\"solutionArn\":\"$arn:solution/many\"}', 'ACTIVE', NULL, 1, 1 FROM n"
    try "$room"
    got=$(control DeleteSolution '{"solutionArn":"'$arn':solution/many"}')
    seen=$got:$(row "resource WHERE name = 'many'"):$(row "resource WHERE name LIKE 'many/%'")
    rm -f small/fill
    case $seen in
    200:0:0) ;;
    500:1:30)
        cut=$((cut + 1))
        got=$(control DeleteSolution '{"solutionArn":"'$arn':solution/many"}')
        [ "$got" = 200 ] || broken "DeleteSolution after $room blocks: $got $(cat answer)"
        ;;
    *) broken "DeleteSolution with $room blocks: $seen" ;;
    esac
done
[ $cut -gt 0 ] || broken "no DeleteSolution met a full disk"

# A training that waits for another is stopped, which cannot be stored at once.
rm -f small/fill
control CreateSolution '{"name":"slow","datasetGroupArn":"'$arn':dataset-group/shop",
    "recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization","solutionConfig":{"algorithmHyperParameters":
    {"model":"softmax","softmax_members":"8","softmax_rounds":"1000"}}}' >code
control CreateSolutionVersion '{"solutionArn":"'$arn':solution/slow"}' >code
slow=$(sed 's/.*"solutionVersionArn":"\([^"]*\)".*/\1/' answer)
control CreateSolutionVersion '{"solutionArn":"'$arn':solution/top"}' >code
version=$(sed 's/.*"solutionVersionArn":"\([^"]*\)".*/\1/' answer)
# It has read the group, and gives no room of SQLite's files back after the disk is full.
for _ in $(seq 1200); do
    [ -e small/shop/.train.slow.lock ] && break
    sleep 0.05
done
[ -e small/shop/.train.slow.lock ] || broken "nothing trains: $(ls -A small/shop)"
try 0
got=$(control StopSolutionVersionCreation '{"solutionVersionArn":"'"$version"'"}')
[ "$got" = 500 ] || broken "stopping on a full disk: $got $(cat answer)"
[ "$(state)" = 'CREATE PENDING' ] || broken "stopping was stored on a full disk: $(state)"
rm small/fill
for _ in $(seq 200); do
    case $(state) in *PENDING) sleep 0.05 ;; *) break ;; esac
done
[ "$(state)" = 'CREATE STOPPED' ] || broken "the end of a training that was to stop is not stored: $(state)"
control StopSolutionVersionCreation '{"solutionVersionArn":"'"$slow"'"}' >code
[ $ill -gt 5 ] || broken "only $ill calls met a full disk"
[ $well -gt 90 ] || broken "only $well calls were done"
finish
