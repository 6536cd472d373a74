"""lasso as a service provider. lasso judges signatures, the issuer and what
answers which request; of the conditions it only offers to judge them, so this
does ask it, as its own users do (mod_auth_mellon for one). Where the
answer may go and until when is written down in a SubjectConfirmation, and lasso
has nothing to look at that with: that part is here, in confirmed."""
import calendar
import os
import sys
import time
from urllib.request import Request, urlopen

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import host  # noqa: E402

import lasso  # noqa: E402

SKEW = 60
METADATA = """<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%(id)s">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>
%(cert)s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%(base)s/logout"/>
    <AssertionConsumerService index="0" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%(acs)s"/>
    <AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%(acs2)s"/>
    <AssertionConsumerService index="2" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="%(base)s/artifact"/>
  </SPSSODescriptor>
</EntityDescriptor>
"""


def confirmed(assertion, acs):
    """Whether a browser may bring this here now (SAML Profiles 4.1.4.3)."""
    confirmation = assertion.subject and assertion.subject.subjectConfirmation
    data = confirmation and confirmation.subjectConfirmationData
    if not data or confirmation.method != lasso.SAML2_CONFIRMATION_METHOD_BEARER:
        return False
    try:
        end = calendar.timegm(time.strptime(data.notOnOrAfter.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S"))
    except (AttributeError, ValueError):
        return False
    return data.recipient == acs and not data.notBefore and time.time() < end + SKEW


class SP:
    def __init__(self):
        cert = "".join(line for line in host.read(host.CERT).splitlines(True) if not line.startswith("-----"))
        self.text = METADATA % {
            "base": host.BASE, "id": host.METADATA, "cert": cert, "acs": host.ACS, "acs2": host.ACS2,
        }
        self.server = lasso.Server.newFromBuffers(self.text, host.read(host.KEY), None, host.read(host.CERT))
        self.server.addProvider(lasso.PROVIDER_ROLE_IDP, host.IDP_METADATA)
        self.idp = list(self.server.providers)[0]

    def login(self, session, second):
        login = lasso.Login(self.server)
        login.initAuthnRequest(self.idp, lasso.HTTP_METHOD_REDIRECT)
        login.request.nameIdPolicy = None
        if second:
            login.request.assertionConsumerServiceIndex = 1
        login.buildAuthnRequestMsg()
        session["login"] = login.dump()
        return login.msgUrl

    def consume(self, session, form, acs):
        login = self.begun(session)
        login.processAuthnResponseMsg(form["SAMLResponse"])
        return self.accept(session, login, acs)

    def resolve(self, session, query):
        login = self.begun(session)
        login.initRequest(query, lasso.HTTP_METHOD_ARTIFACT_GET)
        login.buildRequestMsg()
        call = Request(login.msgUrl, login.msgBody.encode(), {"Content-Type": "text/xml"})
        with urlopen(call, timeout=10) as answer:
            login.processResponseMsg(answer.read(host.MAX_BODY).decode())
        return self.accept(session, login, host.BASE + "/artifact")

    def begun(self, session):
        dump = session.get("login")
        return lasso.Login.newFromDump(self.server, dump) if dump else lasso.Login(self.server)

    def accept(self, session, login, acs):
        login.acceptSso()
        verdict = login.assertion.validateConditions(host.METADATA)
        if verdict != lasso.SAML2_ASSERTION_VALID:
            raise ValueError("conditions: %s" % verdict)
        if not confirmed(login.assertion, acs):
            raise ValueError("not confirmed")
        session.pop("login", None)
        session["kept"] = login.session.dump()
        return login.nameIdentifier.content

    def logout(self, session, query):
        logout = lasso.Logout(self.server)
        if session.get("kept"):
            logout.setSessionFromDump(session["kept"])
        if "SAMLRequest=" not in query:  # it has sent no request
            raise ValueError("no LogoutRequest")
        logout.processRequestMsg(query)
        logout.validateRequest()
        logout.buildResponseMsg()
        return logout.msgUrl, True

    def metadata(self):
        return self.text


host.serve(SP())
