#!/bin/sh
# The console in a browser: clicked through by mouse and by keyboard, wide and narrow, light
# and dark. Skipped without Chromium and Python.
. "$PZ_SRC/tests/cli/serve.inc"
command -v python3 >/dev/null || { echo "python3 is not installed (make deps-test)"; exit 77; }
"$PZ_SRC/tests/sample" . || exit 1
# A title that would be markup where it were not text.
sed -i 's/^i82,[^,]*,/i82,<img src=x onerror=alert(1)>,/' items.csv
pz-import -q -g shop -t items -s schemas/shop-items.json items.csv >/dev/null || exit 1
pz-import -q -g copy -t interactions --domain ecommerce -s schemas/ecommerce-interactions.json \
    interactions.csv >/dev/null || exit 1
cut -d, -f1-3 interactions.csv | pz-import -q -g least -t interactions >/dev/null || exit 1
start -g shop
mkdir -p none files/data
cp items.csv interactions.csv files/data
one=$url first=$server
start --root none --s3-root files
python3 "$PZ_SRC/tests/cli/serve-page.py" "$one" "$url" "$first"
