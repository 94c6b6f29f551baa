#!/bin/sh
# Requests must be signed when there are credentials.
. "$PZ_SRC/tests/cli/serve.inc"
need_boto3
"$PZ_SRC/tests/sample" . || exit 1
cat >keys <<EOF
[default]
aws_access_key_id = CLIENT1
aws_secret_access_key = secret/1+

[other]
aws_access_key_id = CLIENT2
aws_secret_access_key = secret2
EOF
for mode in 644 640 620 602; do
    chmod $mode keys
    pz-serve -g shop -l 127.0.0.1:0 --credentials keys 2>&1
    echo "mode $mode: $?"
done
chmod 600 keys
pz-serve -g shop -l 0.0.0.0:0 2>&1 | head -n 1
unset PZ_NOW # clients have the clock of the machine
start -g shop --credentials keys
PYTHONDONTWRITEBYTECODE=1 $python "$PZ_SRC/tests/cli/serve-signed.py" "$url" || exit 1
pz-recommend -g shop -S personal --rank kite --metadata PRICE u1
stop
# A wider address, with credentials.
start -g shop --credentials keys -l 0.0.0.0:0
port=${url##*:}
curl -s -o body -w '%{http_code}\n' "http://127.0.0.1:$port/recommendations" -d '{}'
stop
