"""pysaml2 as an identity provider on a loopback port, for the length of one test.

Every client is signed in as the same user: there is no sign-in page.

    GET  /metadata
    GET  /sso          an AuthnRequest by HTTP-Redirect
    POST /sso          one by HTTP-POST
    GET  /unsolicited  ?sp=ENTITY-ID and perhaps &RelayState=...

Says "listening on http://127.0.0.1:PORT" once it does, and ends when its
standard input does.
"""
import argparse
import html
import os
import sys
import threading
import traceback
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server
from saml2.sigver import verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

PERSON = {
    "mail": ["alice@example.com"],
    "eduPersonAffiliation": ["staff", "R&D <Lab>", "Zürich"],
}
AUTHN = {
    "class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    "authn_auth": "",
}

# What to encrypt with, and what xmlsec1 calls its key.
CIPHERS = {
    "aes128-cbc": ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "aes-128"),
    "aes256-gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
}


class Refused(Exception):
    pass


class IdP:
    def __init__(self, base, args):
        config = IdPConfig().load({
            "entityid": base + "/metadata",
            "key_file": args.key,
            "cert_file": args.cert,
            "xmlsec_binary": args.xmlsec,
            "service": {"idp": {
                "ui_info": {"display_name": {"text": "pysaml2", "lang": "en"}},
                "endpoints": {"single_sign_on_service": [
                    (base + "/sso", BINDING_HTTP_REDIRECT),
                    (base + "/sso", BINDING_HTTP_POST),
                ]},
                "policy": {"default": {"lifetime": {"minutes": 15}, "attribute_restrictions": None}},
                # Its own defaults are SHA-1, which no service provider should accept.
                "signing_algorithm": SIG_RSA_SHA256,
                "digest_algorithm": DIGEST_SHA256,
            }},
            "metadata": {"local": args.sp_metadata},
        })
        self.server = Server(config=config)
        self.metadata = str(entity_descriptor(config)).encode()
        self.sign = args.sign
        self.encrypt = args.encrypt
        self.self_contained = not args.inherit_namespaces
        if args.encrypt in CIPHERS:
            self.choose_cipher(*CIPHERS[args.encrypt])
        self.lock = threading.Lock()  # pysaml2 makes no promise about threads

    def choose_cipher(self, algorithm, session_key):
        # No setting of pysaml2 reaches these two arguments of its own method.
        encrypt_assertion = self.server.sec.encrypt_assertion

        def encrypt(response, cert, template, **kwargs):
            template.encryption_method.algorithm = algorithm
            return encrypt_assertion(response, cert, template, **{**kwargs, "key_type": session_key})

        self.server.sec.encrypt_assertion = encrypt

    def answer(self, fields, binding):
        request = self.server.parse_authn_request(fields["SAMLRequest"], binding).message
        sp = request.issuer.text.strip()
        if self.signs(sp):
            self.check_signature(fields, request, sp, binding)
        to = self.server.response_args(request)
        if not to["destination"]:
            raise Refused("no such assertion consumer service")
        return self.respond(sp, to["destination"], to["in_response_to"], fields.get("RelayState"))

    def signs(self, sp):
        roles = self.server.metadata[sp]["spsso_descriptor"]
        return any(role.get("authn_requests_signed") == "true" for role in roles)

    def check_signature(self, fields, request, sp, binding):
        # parse_authn_request has checked a signature in the XML, if there is one.
        # Only this method checks one in the query.
        if binding == BINDING_HTTP_POST:
            if request.signature is None:
                raise Refused("the request is not signed")
            return
        if "Signature" not in fields:
            raise Refused("the request is not signed")
        backend = self.server.sec.sec_backend
        for cert in self.server.metadata.certs(sp, "spsso", "signing"):
            if isinstance(cert, tuple):  # from 7.1 on
                cert = cert[1]
            if verify_redirect_signature(fields, backend, cert):
                return
        raise Refused("the request's signature does not hold")

    def unsolicited(self, fields):
        listed = self.server.metadata.assertion_consumer_service(fields["sp"], BINDING_HTTP_POST)
        acs = next((acs for acs in listed if acs.get("is_default") == "true"), listed[0])
        return self.respond(fields["sp"], acs["location"], None, fields.get("RelayState"))

    def respond(self, sp, acs, in_response_to, relay_state):
        response = str(self.server.create_authn_response(
            PERSON,
            in_response_to=in_response_to,
            destination=acs,
            sp_entity_id=sp,
            name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=PERSON["mail"][0]),
            authn=AUTHN,
            sign_response=self.sign != "assertion",
            sign_assertion=self.sign != "response",
            encrypt_assertion=self.encrypt is not None,
            encrypt_assertion_self_contained=self.self_contained,
        ))
        fields = {"SAMLResponse": b64encode(response.encode()).decode()}
        if relay_state is not None:
            fields["RelayState"] = relay_state
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items())
        return (f'<!DOCTYPE html><title>Sign-in</title><form method="post" action="{html.escape(acs)}">{inputs}'
                "<button>Continue</button></form><script>document.forms[0].submit()</script>").encode()


def handler(idp):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            fields = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/metadata":
                self.say(200, "application/samlmetadata+xml", idp.metadata)
            elif url.path == "/sso":
                self.run(lambda: idp.answer(fields, BINDING_HTTP_REDIRECT))
            elif url.path == "/unsolicited":
                self.run(lambda: idp.unsolicited(fields))
            else:
                self.say(404, "text/plain", b"nothing here\n")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            self.run(lambda: idp.answer(fields, BINDING_HTTP_POST))

        def run(self, answer):
            try:
                with idp.lock:
                    page = answer()
            except Exception as problem:  # whatever a request can bring about is a refusal
                traceback.print_exc()
                self.say(400, "text/plain", f"refused: {problem!r}\n".encode())
                return
            self.say(200, "text/html; charset=utf-8", page)

        def say(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--key", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--xmlsec", required=True)
    parser.add_argument("--sign", required=True, choices=["response", "assertion", "both"])
    parser.add_argument("--encrypt", choices=["default", *CIPHERS])
    parser.add_argument("--inherit-namespaces", action="store_true",
                        help="encrypt an assertion whose namespaces are declared around it")
    parser.add_argument("--sp-metadata", required=True, action="append")
    args = parser.parse_args()

    server = ThreadingHTTPServer(("127.0.0.1", 0), None)
    base = f"http://127.0.0.1:{server.server_port}"
    server.RequestHandlerClass = handler(IdP(base, args))
    threading.Thread(target=end_with_parent, daemon=True).start()
    print("listening on " + base, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
