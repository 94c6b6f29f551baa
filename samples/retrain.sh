#!/bin/sh
# Train a group's solutions again on all that is known by now, for cron:
#
#   15 * * * *  retrain.sh /srv/shop personal=aws-user-personalization similar=aws-sims
#
# One run at a time: while another holds the lock, this one ends with status 5 at once. A solution
# whose training fails keeps its versions; the others are trained, and the status is the worst.
# Behind it events older than RETRAIN_COMPACT (default 7d) move into the dataset, and of each
# solution the RETRAIN_KEEP newest versions (default 3) stay.
set -u
if [ $# -lt 2 ]; then
    echo "usage: ${0##*/} GROUP SOLUTION=RECIPE..." >&2
    exit 2
fi
group=$1
shift
if [ "${RETRAIN_LOCKED:-}" != "$group" ]; then
    self=$0
    RETRAIN_LOCKED=$group exec flock -n -E 5 "$group/.retrain.lock" "$self" "$group" "$@"
fi

worst=0
met() { [ "$1" -le "$worst" ] || worst=$1; }
for job; do
    solution=${job%%=*}
    pz-train -q -g "$group" -S "$solution" -r "${job#*=}"
    status=$?
    met "$status"
    [ "$status" -eq 0 ] || continue
    # Versions sort by age.
    find "$group/models/$solution" -name '*.safetensors' ! -name '.*' | sort -r |
        tail -n +$((${RETRAIN_KEEP:-3} + 1)) | while read -r old; do rm -f -- "$old"; done
done
# Only what these models have learned leaves the store.
if [ "$worst" -eq 0 ]; then
    pz-event -q -g "$group" --compact --older-than "${RETRAIN_COMPACT:-7d}"
    met $?
fi
exit "$worst"
