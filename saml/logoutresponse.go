package saml

import (
	"cmp"
	"time"
)

const (
	statusRequester = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	statusResponder = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	statusVersion   = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
	statusPartial   = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
)

// LogoutStatus is the result of a logout that an identity provider asked for (Core 3.7.3.2).
type LogoutStatus int

// The results of a logout.
const (
	LogoutSuccess LogoutStatus = iota // all named sessions ended, or there were none
	LogoutPartial                     // sessions may live on, such as those in a Region that can't be reached
	LogoutFailed                      // nothing ended, and that is our fault
	LogoutRefused                     // nothing ended, because of the request, such as one that was used before
)

func (s LogoutStatus) codes() (code, nested string) {
	switch s {
	case LogoutPartial:
		return statusSuccess, statusPartial
	case LogoutFailed:
		return statusResponder, ""
	case LogoutRefused:
		return statusRequester, ""
	default:
		return statusSuccess, ""
	}
}

// LogoutResponse is a signed answer to an identity provider's LogoutRequest. It never changes.
type LogoutResponse struct{ outbound }

// NewLogoutResponse returns the answer to a LogoutRequest. Its binding is that of the request, or the other one through
// the browser if the identity provider offers only that. The answer to a request by SOAP is the body of the HTTP
// response. The error is as that of [ServiceProvider.NewLogoutRequest].
func (sp *ServiceProvider) NewLogoutResponse(to *VerifiedLogoutRequest, status LogoutStatus) (*LogoutResponse, error) {
	code, nested := status.codes()
	return sp.newLogoutResponse(to, code, nested)
}

func (sp *ServiceProvider) newLogoutResponse(to *VerifiedLogoutRequest, code, nested string) (*LogoutResponse, error) {
	service := LogoutService{Binding: SOAP}
	if to.binding != SOAP {
		other := map[string]string{HTTPRedirect: HTTPPost, HTTPPost: HTTPRedirect}[to.binding]
		var err error
		if _, service, err = sp.logoutPartner(to.idp, to.binding); err != nil {
			if _, service, err = sp.logoutPartner(to.idp, other); err != nil {
				return nil, err
			}
		}
	}
	id, err := sp.newID("_")
	if err != nil {
		return nil, err
	}
	r := &LogoutResponse{outbound{
		sp: sp, param: "SAMLResponse", id: id, binding: service.Binding, to: cmp.Or(service.ResponseURL, service.URL),
	}}
	var head, tail canonicalWriter
	head.start("samlp:LogoutResponse",
		attribute{"xmlns:samlp", nsProtocol},
		attribute{"Destination", r.to},
		attribute{"ID", id},
		attribute{"InResponseTo", to.id},
		attribute{"IssueInstant", sp.cfg.Now().UTC().Truncate(time.Millisecond).Format(instantForm)},
		attribute{"Version", "2.0"})
	head.element("saml:Issuer", sp.cfg.EntityID, attribute{"xmlns:saml", nsAssertion})
	tail.start("samlp:Status")
	tail.start("samlp:StatusCode", attribute{"Value", code})
	if nested != "" {
		tail.element("samlp:StatusCode", "", attribute{"Value", nested})
	}
	tail.end("samlp:StatusCode")
	tail.end("samlp:Status")
	tail.end("samlp:LogoutResponse")
	r.head, r.tail = head.String(), tail.String()
	return r, nil
}
