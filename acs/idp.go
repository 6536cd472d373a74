package acs

import (
	"errors"
	"net/http"
	"strings"

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
	var e *saml.Error
	if err == nil || errors.As(err, &e) && strings.HasPrefix(string(e.Reason), string(saml.ReasonMetadata)) {
		return id, err
	}
	// Other Reasons, such as Limit, are about the service's document too, but their pages are for responses.
	return "", &Error{Reason: ReasonFindIdP, Rule: "Config.FindIdP", Got: id, Err: err}
}
