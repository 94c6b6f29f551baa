#!/bin/sh
# A server whose disk is full: a group that cannot be made leaves nothing behind, and the end
# of a training is stored as soon as there is room.
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
finish
