"""What a service of a few lines does: Flask, a dictionary, random codes. For comparison with the same flow.

gunicorn --workers 1 --threads 1 --bind 127.0.0.1:PORT flask-twin:app
"""
import hmac
import os
import secrets
import time

from flask import Flask, request

KEY = os.environ["API_KEY"]
CODE = os.environ.get("CODE", "")
app = Flask(__name__)
pending = {}


def known():
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given, "Bearer " + KEY)


@app.post("/verifications")
def ask():
    if not known():
        return {"code": "not_authenticated"}, 401
    body = request.get_json()
    verification = secrets.token_urlsafe(16)
    drawn = f"{secrets.randbelow(1_000_000):06d}"
    # Whoever measures has to know the code.
    pending[verification] = (CODE or drawn, time.time() + 60, body["to"])
    return {"id": verification, "status": "pending"}, 201


@app.post("/verifications/check")
def check():
    if not known():
        return {"code": "not_authenticated"}, 401
    body = request.get_json()
    code, until, to = pending.get(body["id"], ("", 0, ""))
    if time.time() >= until or not hmac.compare_digest(code, body["code"]):
        return {"code": "otp_invalid"}, 403
    del pending[body["id"]]
    return {"status": "approved", "to": to}
