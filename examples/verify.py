# Proves that a phone number is its user's: DOORCODE_URL=https://login.example.com DOORCODE_KEY=dk_… python3 verify.py NUMBER
import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def call(path, **body):
    url = os.environ["DOORCODE_URL"] + "/verifications" + path
    headers = {"authorization": "Bearer " + os.environ["DOORCODE_KEY"], "content-type": "application/json"}
    try:
        with urlopen(Request(url, json.dumps(body).encode(), headers)) as response:
            return json.load(response)
    except HTTPError as error:
        problem = json.load(error)
        sys.exit(f"{problem['code']}: {problem['title']}")


to = sys.argv[1]
verification = call("", to=to)
print(f"The code that was sent to {to}: ", end="", file=sys.stderr, flush=True)
code = sys.stdin.readline().strip()
print(call("/check", id=verification["id"], code=code, to=to)["status"])
