package acs

import (
	"context"

	"github.com/meridian-saml/meridian/saml"
)

// QueryAttributes asks the attribute authority of the user's identity provider for attributes, by SOAP, and returns the
// verified answer (SAML Profiles 6). It is about the user with that NameID, and signs no user in. Config.SOAP.Timeout
// bounds it. About 20 queries to one identity provider can be made at the same time; another fails with ReasonBusy.
//
// The error is an [*Error], or a *saml.Error of NewAttributeQuery and VerifyAttributeAnswer.
//
//	OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
//		answer, err := region.QueryAttributes(r.Context(), saml.AttributeQueryOptions{
//			IdP: l.Assertion.Issuer(), NameID: l.Assertion.NameID(),
//		})
func (g *Region) QueryAttributes(
	ctx context.Context, o saml.AttributeQueryOptions,
) (*saml.AttributeAnswer, error) {
	c := g.consumers[0]
	query, err := g.sp.NewAttributeQuery(o)
	if err != nil {
		return nil, err
	}
	const client = "" // the program itself
	call, err := c.soap.begin(query.Record().IdP, client)
	if err != nil {
		return nil, err
	}
	defer call.release()
	envelope, err := query.Envelope()
	if err != nil {
		return nil, err
	}
	held := c.bodies.hold(client)
	defer held.release()
	answer, err := call.post(ctx, query.URL(), envelope, held)
	if err != nil {
		return nil, err
	}
	return g.sp.VerifyAttributeAnswer(answer, query.Record())
}
