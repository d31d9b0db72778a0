#!/bin/sh
# Proves that a phone number is its user's: DOORCODE_URL=https://login.example.com DOORCODE_KEY=dk_… sh verify.sh NUMBER
set -eu

call() {
  answer=$(curl -sS --fail-with-body -H "authorization: Bearer $DOORCODE_KEY" -H 'content-type: application/json' \
    -d "$2" "$DOORCODE_URL/verifications$1") || { echo "$answer" >&2; exit 1; }
}

member() {
  echo "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

call '' "{\"to\":\"$1\"}"
id=$(member id)
printf 'The code that was sent to %s: ' "$1" >&2
read -r code
call /check "{\"id\":\"$id\",\"code\":\"$code\",\"to\":\"$1\"}"
member status
