#!/bin/sh
# A group that is not there, or is a file: every tool says the same, and how to make one.
echo x >file
: >absent.txt
tell()
{
    for g in absent file file/below ''; do
        message=$("$@" -g "$g" </dev/null 2>&1 >out)
        status=$?
        message=$(echo "$message" | head -n 1)
        [ ! -s out ] || echo "$* -g '$g' wrote: $(cat out)"
        case $g in
        file) want="$1: 'file' is no group: it is not a directory" ;;
        '') want="$1: there is no group ''; pz-import -g DIR -t interactions makes it" ;;
        *) want="$1: there is no group '$g'; pz-import -g $g -t interactions makes it" ;;
        esac
        [ "$status: $message" = "2: $want" ] || echo "$* -g '$g': status $status: $message"
    done
}
tell pz-import --forget u1
tell pz-train -r aws-sims
tell pz-recommend u1
tell pz-recommend -S mine u1
tell pz-filter 'EXCLUDE ItemID WHERE Items.PRICE > 5'
tell pz-filter --list
tell pz-filter --check 'EXCLUDE ItemID WHERE Items.PRICE > 5'
tell pz-event
tell pz-event --list-trackers
tell pz-event --create-tracker web
tell pz-event --compact
tell pz-event --attribution
tell pz-info
tell pz-info --json
tell pz-info --verify
tell pz-info --export items
tell pz-info --export events
tell pz-info --export interactions --source all
tell pz-info --schema items
tell pz-info --audit u1
[ ! -x "$PZ_BUILD/pz-eval" ] || tell pz-eval -r aws-sims
[ ! -x "$PZ_BUILD/pz-serve" ] || tell pz-serve
[ ! -e absent ] || echo "somebody made it"
