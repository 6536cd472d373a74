package mockidp

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/beevik/etree"
)

// takeLogoutFaults returns the faults of a logout message. param tells a LogoutRequest from a LogoutResponse.
func (s *Server) takeLogoutFaults(app *App, param string) []Fault {
	kinds := []FaultKind{LogoutUnsigned, LogoutTampered, LogoutOtherKey, LogoutDestination}
	if param == "SAMLRequest" {
		kinds = append(kinds, LogoutExpired, LogoutNoEnd, LogoutEncryptedForOther, LogoutCiphertext)
	} else {
		kinds = append(kinds, LogoutInResponseTo, LogoutPartial, LogoutSilent)
	}
	return s.takeMessageFaults(app.ID, kinds...)
}

// spoilLogout changes a message before it is signed.
func (s *Server) spoilLogout(root *etree.Element, faults []Fault) {
	for _, f := range faults {
		switch f.Kind {
		case LogoutDestination:
			root.CreateAttr("Destination", elsewhere)
		case LogoutExpired:
			root.CreateAttr("NotOnOrAfter", instant(s.now().Add(-time.Hour)))
		case LogoutNoEnd:
			root.RemoveAttr("NotOnOrAfter")
		case LogoutInResponseTo:
			root.CreateAttr("InResponseTo", unknownID)
		case LogoutPartial:
			status := childNamed(root, xml.Name{Space: nsProtocol, Local: "Status"})
			if top := status.SelectElement("StatusCode"); len(top.ChildElements()) == 0 {
				top.CreateElement(root.Space+":StatusCode").CreateAttr("Value", StatusPartialLogout)
			}
		}
	}
}

// keepsSilent answers the browser in place of a LogoutResponse, if a fault wants that.
func keepsSilent(w http.ResponseWriter, faults []Fault) bool {
	if !has(faults, LogoutSilent) {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("mockidp: an injected fault: the app that asked for the logout gets no answer\n"))
	return true
}

// seal signs an element, or does what a fault makes of that.
func (s *Server) seal(st *state, app *App, root *etree.Element, how sealing) *Error {
	k, err := s.sealer(st, app, how)
	if err != nil || how == unsealed {
		return err
	}
	if err := k.sign(root); err != nil {
		return internal("signing the message", err)
	}
	if how == tampered {
		tamper(root)
	}
	return nil
}

// tamper changes a signed message, which stays valid by the schema.
func tamper(root *etree.Element) {
	root.CreateAttr("Consent", "urn:oasis:names:tc:SAML:2.0:consent:unspecified")
}
