#!/bin/sh
# What the source tree holds: the folders and files at its top that the README names, and
# nothing that a build, a test or a model left.
set -u
git rev-parse --git-dir >/dev/null 2>&1 || { echo "no git checkout"; exit 77; }
git ls-files | cut -d/ -f1 | sort -u |
    grep -vxE '\.(ci|clang-format|gitignore)|LICENSE|Makefile|README\.md|cmd|libcore|man|samples|schemas|tests' |
    sed 's/$/: not part of the tree/'
git ls-files | grep -E '\.(o|a|so|db|lock|log|orig|rej|safetensors|png)$' |
    sed 's/$/: made, not written/'
git ls-files -z | xargs -0 du -k | awk '$1 > 300 { print $2 ": " $1 " KB" }'
exit 0
