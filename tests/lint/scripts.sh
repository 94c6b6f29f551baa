#!/bin/sh
# Shell scripts parse, and shellcheck (where it is installed) has nothing to say.
set -u
scripts=$(find .ci tests samples -type f -perm -u+x | while read -r f; do
    head -n 1 "$f" | grep -q '^#!.*sh' && echo "$f"
done | sort)
for f in $scripts; do
    case $(head -n 1 "$f") in
    *bash*) bash -n "$f" ;;
    *) sh -n "$f" ;;
    esac
done
# shellcheck disable=SC2086
if command -v shellcheck >/dev/null; then
    shellcheck -x $scripts
fi
