#!/bin/sh
# Input that pz-import must refuse with status 3 and a message that names what is wrong.
. "$PZ_SRC/tests/cli/bad.inc"
import="pz-import -g shop -t interactions"
head='USER_ID,ITEM_ID,TIMESTAMP\n'

# bad WHAT PATTERN TEXT: the text (for printf) as a file bad.csv
bad()
{
    # shellcheck disable=SC2059 # the text is a format
    printf "$3" >bad.csv
    # shellcheck disable=SC2086 # words
    refuses "$1" 3 "$2" $import bad.csv
}

bad 'empty file' 'bad\.csv.*(empty|no header)' ''
bad 'blank lines only' 'bad\.csv' '\n\n\n'
bad 'header only' 'bad\.csv.*no (rows|records|data)|no (rows|records).*bad\.csv' "$head"
bad 'NUL byte' 'bad\.csv:3:2.*NUL' "${head}u1,i1,1600000000\nu1,i\\0002,1600000000\n"
bad 'invalid UTF-8' 'bad\.csv:2:2.*UTF-8' "${head}u1,i\\377,1600000000\n"
bad 'overlong UTF-8' 'bad\.csv:2:1.*UTF-8' "${head}u\\300\\257,i1,1600000000\n"
bad 'UTF-16 cut off' 'bad\.csv: byte 9 is not valid UTF-16' '\377\376U\000S\000E\000R'
bad 'column twice' "(twice|duplicate).*'?USER_ID|USER_ID'?.*twice" 'USER_ID,ITEM_ID,TIMESTAMP,USER_ID\nu1,i1,1600000000,u1\n'
bad 'column twice, other case' 'user_id.*USER_ID' 'USER_ID,ITEM_ID,TIMESTAMP,user_id\nu1,i1,1600000000,u1\n'
import="$import -d ,"
bad 'semicolons' "bad\\.csv:1:1.*is ';' the delimiter" 'USER_ID;ITEM_ID;TIMESTAMP\nu1;i1;1600000000\n'
bad 'tabs' 'bad\.csv:1:1.*is a tab the delimiter' 'USER_ID\tITEM_ID\tTIMESTAMP\nu1\ti1\t1600000000\n'
import="pz-import -g shop -t interactions"
bad 'JSON array' 'bad\.csv.*JSON array.*jq -c' '[{"USER_ID":"u1","ITEM_ID":"i1","TIMESTAMP":1}]\n'
bad 'required column missing' 'TIMESTAMP' 'USER_ID,ITEM_ID\nu1,i1\n'
bad 'two required columns missing' 'ITEM_ID.*TIMESTAMP|TIMESTAMP.*ITEM_ID' 'USER_ID,PRICE\nu1,1\n'
bad 'row too short' 'bad\.csv:2.*(2 .*3|3 .*2)' "${head}u1,i1\n"
bad 'row too long' 'bad\.csv:3.*(4 .*3|3 .*4)' "${head}u1,i1,1600000000\nu1,i1,1600000000,x\n"
bad 'quote never closed' 'bad\.csv:2.*(quote|unterminated|closed)' "${head}\"u1,i1,1600000000\nu2,i2,1600000000\n"
bad 'text behind a quote' 'bad\.csv:2:1.*quote' "${head}\"u\"1,i1,1600000000\n"
bad 'empty id' 'bad\.csv:2:1.*(empty|null)' "${head},i1,1600000000\n"
bad 'empty time' 'bad\.csv:2:3.*(empty|null)' "${head}u1,i1,\n"
bad 'no number' "bad\\.csv:2:3.*'?12a'?.*number" "${head}u1,i1,12a\n"
bad 'number too large' 'bad\.csv:2:3' "${head}u1,i1,99999999999999999999\n"
bad 'milliseconds' 'bad\.csv:2:3.*millisecond.*--timestamp-unit ms' "${head}u1,i1,1600000000123\n"
bad 'microseconds' 'bad\.csv:2:3.*microsecond.*--timestamp-unit us' "${head}u1,i1,1600000000123456\n"
bad 'fraction of a second' 'bad\.csv:2:3.*(fraction|whole).*--timestamp-unit' "${head}u1,i1,1600000000.5\n"
bad 'ISO time' 'bad\.csv:2:3.*--timestamp-unit iso' "${head}u1,i1,2020-09-13T12:26:40Z\n"
bad 'JSON line that is none' 'bad\.csv:2' '{"USER_ID":"u1","ITEM_ID":"i1","TIMESTAMP":1600000000}\n{"USER_ID":\n'
bad 'JSON key twice' 'bad\.csv:1.*(twice|duplicate)' '{"USER_ID":"u1","USER_ID":"u2","ITEM_ID":"i1","TIMESTAMP":1}\n'
bad 'JSON without a key' 'bad\.csv:1.*TIMESTAMP' '{"USER_ID":"u1","ITEM_ID":"i1"}\n'
bad 'damaged gzip' 'bad\.csv' '\037\213\010\000\000\000\000\000\000\003damaged'
bad 'damaged zstd' 'bad\.csv' '\050\265\057\375damaged'

mkdir folder
printf 'USER_ID,ITEM_ID\nu1,i1\n' >other.csv
# shellcheck disable=SC2086
{
    refuses directory 3 "'?folder'?.*directory" $import folder
    refuses 'no such file' 5 "none\\.csv.*No such file" $import none.csv
    refuses 'second file without a column' 3 'other\.csv.*TIMESTAMP' $import good.csv other.csv
    refuses 'stdin that is empty' 3 'stdin.*(empty|no header)' $import -
}
awk 'BEGIN { printf "USER_ID,ITEM_ID,TIMESTAMP"; for (i = 0; i < 20000; i++) printf ",c%d", i; print "" }' >wide.csv
refuses 'too many columns' 3 'wide\.csv:1: the header has 20003 fields' pz-import -g shop -t interactions wide.csv
refuses 'interactions as items' 3 'good\.csv.*interactions, not items' pz-import -g shop -t items good.csv
{
    good 12000 | sed 's/$/,1/; 1s/1$/BASKET/'
    echo 'u1,i1,1600000000,4e+10x'
} >late.csv
refuses 'inferred type that a late row does not have' 3 '\(stdin\):12002:4: BASKET.*inferred.*-s' \
    pz-import -g fresh -t interactions <late.csv
