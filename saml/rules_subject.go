package saml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// findBearer finds the bearer confirmation for this URL, compared byte for byte.
// Confirmations for URLs outside our list are ignored, because any one confirmation
// is enough (Core 2.4.1). An assertion for two of our URLs is refused: each would
// need to know whether the other accepted it.
func (c *claims) findBearer() error {
	var here *confirmation
	bearers := 0
	ours, other := "", ""
	several := false
	for i := range c.assertion.confirmations {
		conf := &c.assertion.confirmations[i]
		if conf.method != bearerMethod {
			continue
		}
		if _, listed := c.acs.find(conf.recipient); listed {
			several = several || ours != "" && ours != conf.recipient
			ours = conf.recipient
		}
		if conf.recipient == c.here.URL {
			here = conf
			bearers++
		} else {
			other = conf.recipient
		}
	}
	switch {
	case several:
		const detail = "bearer confirmations for more than one of our URLs"
		return &Error{Reason: ReasonRecipient, Detail: detail, Want: c.here.URL, Got: other}
	case bearers > 1:
		const detail = "bearer confirmations for this URL"
		return &Error{Reason: ReasonSubjectConfirmation, Detail: detail, Want: "1", Got: fmt.Sprint(bearers)}
	case here == nil && other != "":
		return &Error{Reason: ReasonRecipient, Detail: c.regionOf(other), Want: c.here.URL, Got: other}
	case here == nil:
		return &Error{
			Reason: ReasonSubjectConfirmation,
			Detail: fmt.Sprintf("no bearer confirmation with a Recipient among %d", len(c.assertion.confirmations)),
			Want:   bearerMethod + " with Recipient " + c.here.URL,
		}
	}
	c.bearer = here
	return nil
}

// regionOf describes another Region's URL for the operator, "" for other URLs.
func (c *claims) regionOf(url string) string {
	if e, ok := c.acs.find(url); ok && e.Region != "" && e.Region != c.here.Region {
		return fmt.Sprintf("made for Region %s, received in Region %s", e.Region, c.here.Region)
	}
	return ""
}

// checkDestination compares byte for byte. Only an unsigned Response, and one that was
// got for an artifact, may have no Destination (Bindings 3.5.5.2, 3.6.5.2). An empty
// Destination is not absent.
func (c *claims) checkDestination() error {
	switch d := c.response.destination; {
	case !d.given && c.responseSigned && c.artifact == nil:
		return &Error{Reason: ReasonDestination, Detail: "a signed Response has no Destination", Want: c.here.URL}
	case d.given && d.value != c.here.URL:
		return &Error{Reason: ReasonDestination, Detail: c.regionOf(d.value), Want: c.here.URL, Got: d.value}
	}
	return nil
}

// checkInResponseTo uses the value of SubjectConfirmationData, which is always
// signed. The value of the Response, which may be unsigned, must be equal. A message
// with either of them is never accepted as unsolicited.
func (c *claims) checkInResponseTo() error {
	outer := c.response.inResponseTo
	if !c.bearer.inResponseTo.given {
		return c.checkUnsolicited(outer)
	}
	id := c.bearer.inResponseTo.value
	switch {
	case id == "", outer.given && outer.value == "":
		return emptyInResponseTo()
	case outer.given && outer.value != id:
		return &Error{
			Reason: ReasonInResponseTo, Detail: "the Response and SubjectConfirmationData name different requests",
			Want: id, Got: outer.value,
		}
	}
	waiting := slices.Contains(c.want.RequestIDs, id)
	// Regions on one host share the browser's cookies, so RequestIDs can include a
	// request of another Region.
	if maker, ok := c.acs.tagOf(id); ok && maker.URL != c.here.URL && (!waiting || maker.Region != c.here.Region) {
		return &Error{
			Reason: ReasonWrongRegion,
			Detail: "made for " + nameOf(maker) + ": is that URL listed in the identity provider's app?",
			Want:   "a request made for " + nameOf(c.here), Got: id,
		}
	}
	if !waiting {
		return &Error{Reason: ReasonInResponseTo, Detail: "no request with this ID is pending in this browser", Got: id}
	}
	return c.checkMadeTo(id)
}

// checkUnsolicited checks a message without a signed InResponseTo for this URL.
func (c *claims) checkUnsolicited(other optional[string]) error {
	for _, conf := range c.assertion.confirmations {
		other = cmp.Or(other, conf.inResponseTo)
	}
	switch {
	case other.given && other.value == "":
		return emptyInResponseTo()
	case other.given:
		return &Error{
			Reason: ReasonInResponseTo, Got: other.value,
			Detail: "InResponseTo is missing from SubjectConfirmationData for this URL, and present elsewhere",
		}
	case !c.want.Unsolicited || c.idp.policy.RefuseUnsolicited:
		return &Error{
			Reason: ReasonUnsolicited, Rule: "Unsolicited responses (Profiles 4.1.5)",
			Detail: "the response answers no request, and unsolicited responses are not accepted",
		}
	}
	return nil
}

// emptyInResponseTo returns the error for an empty attribute: an xs:NCName has at
// least one character.
func emptyInResponseTo() error {
	return &Error{Reason: ReasonInResponseTo, Detail: "InResponseTo is empty"}
}

func nameOf(e Endpoint) string {
	if e.Region == "" {
		return e.URL
	}
	return e.URL + " (Region " + e.Region + ")"
}

// checkSubject requires a NameID with a value. Its qualifiers, if present, must be
// those of Core 8.3.7 and 8.3.8, or of an affiliation in Config.SPNameQualifiers.
func (c *claims) checkSubject() error {
	n := c.assertion.nameID
	if strings.TrimSpace(n.Value) == "" {
		if c.cfg.AllowMissingNameID && !c.assertion.hasNameID {
			return nil
		}
		return &Error{Reason: ReasonNameID, Detail: "no NameID with a value"}
	}
	if !c.cfg.hasQualifier(n.SPNameQualifier) {
		return &Error{Reason: ReasonNameID, Detail: "SPNameQualifier", Want: c.cfg.EntityID, Got: n.SPNameQualifier}
	}
	pairwise := n.Format == formatPersist || n.Format == formatTransient
	if pairwise && n.NameQualifier != "" && n.NameQualifier != c.idp.entityID {
		return &Error{Reason: ReasonNameID, Detail: "NameQualifier", Want: c.idp.entityID, Got: n.NameQualifier}
	}
	return c.checkNameIDFormat()
}
