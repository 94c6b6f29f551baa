#!/bin/sh
# samples/nginx.conf: TLS and signatures through a proxy; samples/systemd/pz-serve.service.
. "$PZ_SRC/tests/cli/serve.inc"
if command -v systemd-analyze >/dev/null; then
    mkdir units
    # The program need not be installed here.
    sed "s|/usr/local/bin/pz-serve|$PZ_BUILD/pz-serve|" "$PZ_SRC/samples/systemd/pz-serve.service" \
        >units/pz-serve.service
    systemd-analyze verify --man=no "$PWD/units/pz-serve.service" 2>&1 | grep 'pz-serve' | grep -v 'user'
    # Exposure: 0 is none, 100 all.
    systemd-analyze security --offline=true --threshold=25 units/pz-serve.service >exposure 2>&1 ||
        tail -n 1 exposure
fi
need_boto3
command -v nginx >/dev/null || { echo "nginx is not installed (make deps-test)"; exit 77; }
command -v openssl >/dev/null || { echo "openssl is not installed"; exit 77; }
"$PZ_SRC/tests/sample" . || exit 1
printf '[default]\naws_access_key_id=CLIENT1\naws_secret_access_key=secret\n' >keys
chmod 600 keys
openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null || exit 1
unset PZ_NOW
start -g shop --credentials keys
port=$($python -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed "s/127.0.0.1:8750/${url#http://}/; s/listen 8443/listen 127.0.0.1:$port/" \
    "$PZ_SRC/samples/nginx.conf" >nginx.conf
nginx -p "$PWD" -c "$PWD/nginx.conf" -g 'daemon off;' 2>nginx.err &
servers="$servers $!"
for _ in $(seq 1000); do
    curl -s --cacert server.pem "https://localhost:$port/healthz" && break
    sleep 0.05
done
PYTHONDONTWRITEBYTECODE=1 $python - "$port" <<'P' || cat nginx.err
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def ask(secret):
    runtime = boto3.client(
        "personalize-runtime",
        endpoint_url=f"https://localhost:{sys.argv[1]}",
        verify="server.pem",
        region_name="us-east-1",
        aws_access_key_id="CLIENT1",
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/personal"
    return runtime.get_recommendations(campaignArn=arn, userId="u1", numResults=3)

print(len(ask("secret")["itemList"]), "items through TLS")
try:
    ask("wrong")
except ClientError as e:
    print(e.response["Error"]["Code"])
P
stop
