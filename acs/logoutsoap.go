package acs

import (
	"context"
	"net/http"

	"github.com/meridian-saml/meridian/saml"
)

// logoutBySOAP sends a LogoutRequest to the identity provider, and verifies its answer, which belongs to this call
// alone: no record of the request is stored, so the same answer counts nowhere else. The client may leave meanwhile.
func (c *Consumer) logoutBySOAP(r *http.Request, req *saml.LogoutRequest) (*LoggedOut, error) {
	record, client := req.Record(), c.cfg.ClientAddr(r)
	call, err := c.soap.begin(record.IdP, client)
	if err != nil {
		return nil, err
	}
	defer call.release()
	envelope, err := req.Envelope()
	if err != nil {
		return nil, err
	}
	held := c.bodies.hold(client)
	defer held.release()
	answer, err := call.post(context.WithoutCancel(r.Context()), req.URL(), envelope, held)
	if err != nil {
		return nil, err
	}
	res, err := c.cfg.SP.VerifyLogoutResponse(saml.LogoutMessage{Binding: saml.SOAP, Message: answer})
	if err != nil {
		return nil, err
	}
	if err := res.CheckRequest(record); err != nil {
		return nil, err
	}
	return c.logoutResult(r, res), nil
}
