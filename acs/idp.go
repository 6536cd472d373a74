package acs

import (
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/saml"
)

// chooseIdP returns the entity ID of the identity provider for a sign-in, or the empty string for the only one of
// the service provider. It is called for navigations within the limits of their client only, because FindIdP may
// fetch.
func (c *Consumer) chooseIdP(r *http.Request, o LoginOptions) (string, error) {
	id := o.IdP
	if id == "" && c.cfg.ChooseIdP != nil {
		id = c.cfg.ChooseIdP(r)
	}
	if id == "" || c.cfg.FindIdP == nil {
		return id, nil
	}
	_, err := c.cfg.FindIdP(r.Context(), id, c.cfg.ClientAddr(r))
	if err == nil || errors.As(err, new(*saml.Error)) {
		return id, err
	}
	return "", &Error{Reason: ReasonFindIdP, Rule: "Config.FindIdP", Got: id, Err: err}
}
