"""Signs requests with the libraries that the providers themselves give to their customers.

Reads a list of requests as JSON, writes the headers of each. What a library can verify as well, it verifies here,
so that the test does not rest on how this file calls it.
"""

import base64
import hashlib
import json
import sys

import jwt  # the library vonage_jwt verifies with
from nacl.signing import SigningKey
from plivo.utils import signature_v3
from telnyx.lib.webhook_verification import verify_webhook_signature
from twilio.request_validator import RequestValidator
from vonage_jwt import verify_signature


class Fields(dict):
    """Fields that may come more than once, as web frameworks give them to Twilio's library."""

    def getall(self, name):
        return self[name]


def twilio(ask):
    validator = RequestValidator(ask["token"])
    params = Fields()
    for name, value in ask["params"]:
        params.setdefault(name, []).append(value)
    url = ask["url"]
    if "json" in ask:
        url += ("&" if "?" in url else "?") + "bodySHA256=" + hashlib.sha256(ask["json"].encode()).hexdigest()
        signature = validator.compute_signature(url, {})
        assert validator.validate(url, ask["json"], signature)
        return {"x-twilio-signature": signature}
    if "key" in ask:
        signature = validator.compute_signature(url, params, "HMAC_SHA256")
        settings = "key=" + ask["key"] + ",algorithm=HMAC_SHA256"
        return {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": settings}
    signature = validator.compute_signature(url, params)
    assert validator.validate(url, params, signature)
    return {"x-twilio-signature": signature}


def plivo(ask):
    params = {}
    for name, value in ask["params"]:
        params.setdefault(name, []).append(value)
    params = {name: values if len(values) > 1 else values[0] for name, values in params.items()}
    build = signature_v3.construct_get_url if ask["method"] == "GET" else signature_v3.construct_post_url
    url = build(ask["url"], params)
    signature = signature_v3.get_signature_v3(ask["token"].encode(), url.decode(), ask["nonce"]).decode()
    assert signature_v3.validate_v3_signature(
        ask["method"], ask["url"], ask["nonce"], ask["token"], signature, {} if ask["method"] == "GET" else params
    )
    return {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": ask["nonce"]}


def vonage(ask):
    claims = {
        "iat": ask["at"],
        "jti": ask["jti"],
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(ask["body"].encode()).hexdigest(),
        "api_key": "a1b2c3d4",
        "application_id": "78d335fa-323d-0114-9c3d-d6f0d48968cf",
    }
    token = jwt.encode(claims, ask["secret"], algorithm="HS256")
    assert verify_signature(token, ask["secret"])
    return {"authorization": "Bearer " + token}


def telnyx(ask):
    key = SigningKey(base64.b64decode(ask["seed"]))
    at = str(ask["at"])
    signature = base64.b64encode(key.sign(at.encode() + b"|" + ask["body"].encode()).signature).decode()
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}
    public = base64.b64encode(bytes(key.verify_key)).decode()
    if not ask.get("stale"):
        verify_webhook_signature(ask["body"], headers, public)
    return {**headers, "public": public}


SIGNERS = {"twilio": twilio, "plivo": plivo, "vonage": vonage, "telnyx": telnyx}
print(json.dumps([SIGNERS[ask["provider"]](ask) for ask in json.load(sys.stdin)]))
