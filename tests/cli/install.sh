#!/bin/sh
# make install puts tools, pages and schemas under DESTDIR and prefix; uninstall leaves nothing.
unset MAKEFLAGS MAKELEVEL MFLAGS
run_make() { make -s --no-print-directory -C "$PZ_SRC" "$1" V="$V" B="$PZ_BUILD" DESTDIR="$PWD/root" prefix=/opt/pz; }
run_make install || exit
for t in "$PZ_BUILD"/pz-*; do
    cmp "$t" "root/opt/pz/bin/${t##*/}"
done
for page in "$PZ_SRC"/man/*.[1-9]; do
    cmp "$page" "root/opt/pz/share/man/man${page##*.}/${page##*/}"
done
for schema in "$PZ_SRC"/schemas/*; do
    [ -e "$schema" ] || continue
    cmp "$schema" "root/opt/pz/share/pz/schemas/${schema##*/}"
done
find root -type f -perm -o+w
run_make uninstall
find root -type f
