#!/bin/sh
# Schemas that must be refused with status 3, by the name of the field or the place.
. "$PZ_SRC/tests/cli/bad.inc"

# schema FIELDS: an interactions schema whose fields are these
schema()
{
    printf '{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","fields":[%s],"version":"1.0"}\n' "$1"
}
user='{"name":"USER_ID","type":"string"}'
item='{"name":"ITEM_ID","type":"string"}'
time='{"name":"TIMESTAMP","type":"long"}'

# bad WHAT PATTERN: the schema is in s.json; in a new group and in the one that is there
bad()
{
    refuses "$1" 3 "$2" pz-import -g shop -t interactions -s s.json good.csv
    refuses "$1, new group" 3 "$2" pz-import -g fresh -t interactions -s s.json good.csv
    [ ! -e fresh/interactions.safetensors ] || echo "$1: a dataset appeared"
    rm -rf fresh
}

echo 'fields: USER_ID' >s.json
bad 'not JSON' 's\.json.*(1:1|line 1)'
printf '{"type":"record"' >s.json
bad 'JSON that ends early' 's\.json'
schema "$user,$item,$time" | tr -d '\n' >s.json
printf ' x' >>s.json
bad 'something behind the JSON' 's\.json'
: >s.json
bad 'empty' 's\.json'
echo '[]' >s.json
bad 'an array' 's\.json.*(object|record)'
echo '{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0"}' >s.json
bad 'no fields' "fields"
schema "$user,$item,$time,{\"name\":\"PRICE\",\"type\":\"decimal\"}" >s.json
bad 'unknown type' "PRICE.*decimal|decimal.*PRICE"
schema "$user,$item,$time,{\"name\":\"PRICE\",\"type\":{\"type\":\"array\",\"items\":\"int\"}}" >s.json
bad 'nested type' "PRICE"
schema "$user,$item,$time,{\"name\":\"GENRES_FIELD_1\",\"type\":\"string\"},{\"name\":\"GENRESFIELD1\",\"type\":\"string\"}" >s.json
bad 'names that clash' "GENRES_?FIELD_?1.*GENRES_?FIELD_?1"
schema "$user,$item,$time,$user" >s.json
bad 'a name twice' "USER_ID"
schema "$user,$item" >s.json
bad 'required field missing' "TIMESTAMP"
schema "$user,$item,{\"name\":\"TIMESTAMP\",\"type\":\"string\"}" >s.json
bad 'reserved name, wrong type' "TIMESTAMP.*long"
schema "{\"name\":\"USER_ID\",\"type\":[\"null\",\"string\"]},$item,$time" >s.json
bad 'required field nullable' "USER_ID.*null"
schema "$user,$item,$time,{\"name\":\"A B\",\"type\":\"string\"}" >s.json
bad 'name with a blank' "A B"
schema "$user,$item,$time,{\"name\":\"N\",\"type\":\"int\",\"categorical\":true}" >s.json
bad 'categorical number' "N'?.*categorical|categorical.*N"
schema "$user,$item,$time" | sed 's/Interactions/Interaction/' >s.json
bad 'unknown record name' "Interaction"
schema "$user,$item,$time" | sed 's/Interactions/Users/' >s.json
bad 'schema of another dataset' "Users|users"

refuses 'no such schema file' 5 'none\.json.*No such file' pz-import -g shop -t interactions -s none.json good.csv
refuses 'unknown dataset type' 2 "'?clicks'?.*interactions" pz-import -g shop -t clicks good.csv
refuses 'incremental without a dataset' 2 'items.*full' pz-import -g shop -t items -m incremental good.csv
yes 'u1,i1,1' | head -n 200000 >rows.csv
refuses 'rows in the place of the schema' 3 'rows\.csv: is no schema: line 1 .* operand' pz-import -g shop -t interactions -s rows.csv good.csv
refuses 'few rows' 3 'good\.csv: is no schema: line 1 .* operand' pz-import -g shop -t interactions -s good.csv rows.csv
