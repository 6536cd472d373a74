package saml

import (
	"errors"
	"strings"
)

// refusedLogout is what an answer to a refused LogoutRequest needs. The signature of the request verified.
type refusedLogout struct{ id, idp, binding, relayState string }

// NewLogoutRefusal returns the answer to a LogoutRequest that [ServiceProvider.VerifyLogoutRequest] refused with an
// error. Its status says whose fault it is (Core 3.2.2.2), and nothing else. It is nil, without an error, if the
// request can't be attributed: no signature of a known identity provider verified, or the ID is not one. Answer that
// by SOAP with a Fault (Bindings 3.2.3.3).
func (sp *ServiceProvider) NewLogoutRefusal(refusal error) (*LogoutResponse, error) {
	var e *Error
	if !errors.As(refusal, &e) || e.refused == nil {
		return nil, nil
	}
	code := statusRequester
	switch e.Reason {
	case ReasonVersion:
		code = statusVersion
	case ReasonConfig:
		code = statusResponder
	}
	to := e.refused
	return sp.newLogoutResponse(&VerifiedLogoutRequest{
		id: to.id, idp: to.idp, binding: to.binding, relayState: to.relayState,
	}, code, "")
}

// refused returns err with what an answer needs. A nil message is one whose signature did not verify.
func (m *logoutMessage) refused(binding string, err error) error {
	var e *Error
	if m == nil || !goodID(m.id) || !errors.As(err, &e) {
		return err
	}
	changed := *e
	changed.refused = &refusedLogout{strings.Clone(m.id), m.idp.entityID, binding, m.echo()}
	return &changed
}
