"""What the service providers in Python have in common: http, sessions, nothing of SAML.

    GET  /login       starts a sign-in; ?acs=second asks for the answer at /acs2
    POST /acs, /acs2
    GET  /artifact    where the library resolves artifacts
    GET  /logout      a logout message by HTTP-Redirect, where the library has single logout
    GET  /metadata
    GET  /whoami      "user=NAME", or "signed out"

The command line is PORT, the identity provider's metadata, and a folder with
sp.key and sp.crt. Says "listening on http://127.0.0.1:PORT" once it does.
"""
import os
import secrets
import sys
import threading
import traceback
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT, IDP_METADATA, DIR = int(sys.argv[1]), os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
BASE = "http://127.0.0.1:%d" % PORT
METADATA, ACS, ACS2 = BASE + "/metadata", BASE + "/acs", BASE + "/acs2"
KEY, CERT = os.path.join(DIR, "sp.key"), os.path.join(DIR, "sp.crt")

MAX_BODY = 1 << 20


def read(path):
    with open(path) as f:
        return f.read()


def serve(sp):
    """sp has login(session, second), which returns where to send the browser;
    consume(session, form, acs), which returns who signed in or raises; and
    metadata(). It may have resolve(session, query), which is like consume, and
    logout(session, query), which returns where to send the browser and whether
    the session ends, or raises. A session is a dict of one browser; it gets a
    new cookie, and of the old dict only "kept", when a user signs in."""
    sessions, lock = {}, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            if url.path == "/login":
                sid, session = self.session()
                second = parse_qs(url.query).get("acs") == ["second"]
                self.answer(302, "", Location=sp.login(session, second), **self.cookie(sid))
            elif url.path == "/logout" and hasattr(sp, "logout"):
                self.logout(url.query)
            elif url.path == "/artifact" and hasattr(sp, "resolve"):
                self.sign_in(lambda session: sp.resolve(session, url.query))
            elif url.path == "/metadata":
                self.answer(200, sp.metadata(), content_type="application/samlmetadata+xml")
            elif url.path == "/whoami":
                _, session = self.session()
                self.answer(200, "user=%s\n" % session["user"] if "user" in session else "signed out\n")
            else:
                self.answer(404, "no such page\n")

        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                self.close_connection = True
                self.answer(413, "too much\n")
                return
            body = self.rfile.read(length).decode("utf-8", "replace")
            if self.path not in ("/acs", "/acs2"):
                self.answer(404, "no such page\n")
                return
            form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            self.sign_in(lambda session: sp.consume(session, form, BASE + self.path))

        def sign_in(self, consume):
            sid, session = self.session()
            try:
                user = consume(session)
                if not user:
                    raise ValueError("no user is named")
            except Exception as e:
                traceback.print_exc()
                self.answer(403, "refused: %s: %.500s\n" % (type(e).__name__, e))
                return
            with lock:
                sessions.pop(sid, None)
                sid = secrets.token_urlsafe(24)
                sessions[sid] = {"user": user, "kept": session.get("kept")}
            self.answer(303, "", Location="/whoami", **self.cookie(sid))

        def logout(self, query):
            sid, session = self.session()
            try:
                to, ended = sp.logout(session, query)
            except Exception as e:
                traceback.print_exc()
                self.answer(403, "refused: %s: %.500s\n" % (type(e).__name__, e))
                return
            if ended:
                with lock:
                    sessions.pop(sid, None)
            self.answer(302, "", Location=to or "/whoami")

        def session(self):
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get("session")
            with lock:
                if morsel is None or morsel.value not in sessions:
                    sid = secrets.token_urlsafe(24)
                    # One without anything in it is forgotten, unless it is sent.
                    return sid, sessions.setdefault(sid, {}) if self.path.startswith("/login") else {}
                return morsel.value, sessions[morsel.value]

        def cookie(self, sid):
            return {"Set-Cookie": "session=%s; Path=/; HttpOnly" % sid}

        def answer(self, status, text, content_type="text/plain; charset=utf-8", **headers):
            body = text.encode() if isinstance(text, str) else text
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print("listening on " + BASE, flush=True)
    server.serve_forever()
