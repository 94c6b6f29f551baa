#!/bin/sh
# Functions that pz does without, and why. 'anywhere' counts for cmd/ too.
set -u
while read -r where name why; do
    [ -n "$name" ] || continue
    dirs=libcore
    [ "$where" = anywhere ] && dirs='libcore cmd'
    # shellcheck disable=SC2086
    grep -rlwE --include='*.[ch]' "$name" $dirs | sort | while read -r file; do
        case " $why " in *" not ${file#libcore/} "*) continue ;; esac
        awk -f tests/lint/strip.awk "$file" | grep -nE "(^|[^A-Za-z0-9_.>])($name)[[:space:]]*\(" |
            sed "s#^\([0-9]*\):.*#$file:\1: $name: $why#"
    done
done <<'EOF'
libcore printf|vprintf|puts|putchar|perror      libcore does not print
libcore exit|_exit|abort|quick_exit             libcore returns a status ( not serve/control_jobs.c )
libcore signal|sigaction|setenv|putenv          the process belongs to the tool ( not serve/control_jobs.c )
anywhere atoi|atol|atoll|atof|sscanf            numbers go through base/num.h
anywhere strtol|strtoll|strtoul|strtoull|strtod|strtof  numbers go through base/num.h ( not base/num.c )
anywhere strcpy|strcat|sprintf|vsprintf|gets|stpcpy  no bound
anywhere strncpy                                may leave no end
anywhere strtok|rand|srand|random|drand48       hidden state
anywhere setlocale                              data does not depend on the locale
anywhere system|popen|tmpnam|mktemp|tempnam     no shell, no guessable names
anywhere gmtime|localtime|ctime|asctime         static buffers
anywhere alloca                                 no bound
EOF
# Streams of the process are the tools'.
find libcore -name '*.[ch]' | sort | while read -r file; do
    awk -f tests/lint/strip.awk "$file" | grep -nwE 'stdout|stderr' |
        sed "s|^|$file:|; s|\$| <- libcore does not print|"
done
# Allocation passes base/mem.h, where sizes are checked and tests make it fail.
find libcore -name '*.c' ! -path 'libcore/base/*' | sort | while read -r file; do
    awk -f tests/lint/strip.awk "$file" |
        grep -nE '(^|[^A-Za-z0-9_])(malloc|calloc|realloc|reallocarray|strdup|strndup)[[:space:]]*\(' |
        sed "s|^|$file:|; s|\$| <- use base/mem.h|"
done
exit 0
