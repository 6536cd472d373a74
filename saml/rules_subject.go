package saml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// findBearer looks for the bearer confirmation that is for this very URL,
// compared byte for byte. Others, for URLs that aren't ours, don't hurt (any
// one confirmation is enough, Core 2.4.1); but an assertion that could be used
// at two of our URLs would have to be remembered at both, so it is refused.
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
		return &Error{Reason: ReasonRecipient, Detail: "bearer confirmations for more than one of our URLs", Want: c.here.URL, Got: other}
	case bearers > 1:
		return &Error{Reason: ReasonSubjectConfirmation, Detail: fmt.Sprintf("%d bearer confirmations for this URL: which one bounds its use?", bearers), Want: "1"}
	case here == nil && other != "":
		return &Error{Reason: ReasonRecipient, Detail: c.regionOf(other), Want: c.here.URL, Got: other}
	case here == nil:
		return &Error{Reason: ReasonSubjectConfirmation, Detail: fmt.Sprintf("no bearer confirmation with a Recipient among %d confirmations", len(c.assertion.confirmations)), Want: bearerMethod + " with Recipient " + c.here.URL}
	}
	c.bearer = here
	return nil
}

// regionOf says in words whose a URL is, for the operator.
func (c *claims) regionOf(url string) string {
	if e, ok := c.acs.find(url); ok && e.Region != "" && e.Region != c.here.Region {
		return fmt.Sprintf("it was made for Region %s, this is Region %s", e.Region, c.here.Region)
	}
	return ""
}

// checkDestination compares byte for byte. It may only be absent where the
// Response is not signed (Bindings 3.5.5.2); an empty one is not absent.
func (c *claims) checkDestination() error {
	switch {
	case !c.response.destination.given && c.responseSigned:
		return &Error{Reason: ReasonDestination, Detail: "a signed Response has no Destination", Want: c.here.URL}
	case c.response.destination.given && c.response.destination.value != c.here.URL:
		return &Error{Reason: ReasonDestination, Detail: c.regionOf(c.response.destination.value), Want: c.here.URL, Got: c.response.destination.value}
	}
	return nil
}

// checkInResponseTo goes by SubjectConfirmationData's value, which is always
// signed; the Response's may not be, but must agree. A message that has either
// claims to be an answer, and is never taken for an unsolicited one.
func (c *claims) checkInResponseTo() error {
	outer := c.response.inResponseTo
	if !c.bearer.inResponseTo.given {
		for _, conf := range c.assertion.confirmations {
			outer = cmp.Or(outer, conf.inResponseTo)
		}
		switch {
		case outer.given && outer.value == "":
			return emptyInResponseTo()
		case outer.given:
			return &Error{Reason: ReasonInResponseTo, Detail: "it answers a request somewhere, but not in SubjectConfirmationData for this URL", Got: outer.value}
		case !c.want.Unsolicited:
			return &Error{Reason: ReasonUnsolicited, Rule: "Unsolicited responses (Profiles 4.1.5)", Detail: "it answers no request, and that is not allowed here"}
		}
		return nil
	}
	id := c.bearer.inResponseTo.value
	switch {
	case id == "", outer.given && outer.value == "":
		return emptyInResponseTo()
	case outer.given && outer.value != id:
		return &Error{Reason: ReasonInResponseTo, Detail: "the Response and SubjectConfirmationData name two requests", Want: id, Got: outer.value}
	}
	waiting := slices.Contains(c.want.RequestIDs, id)
	// Regions on one host share the browser's cookies, so a request of another
	// Region can be among those that are waiting.
	if maker, ok := c.acs.tagOf(id); ok && maker.URL != c.here.URL && (!waiting || maker.Region != c.here.Region) {
		return &Error{
			Reason: ReasonWrongRegion,
			Detail: fmt.Sprintf("the request was made for %s: is that URL listed in the identity provider's app?", nameOf(maker)),
			Want:   "a request made for " + nameOf(c.here), Got: id,
		}
	}
	if !waiting {
		return &Error{Reason: ReasonInResponseTo, Detail: "no such request is waiting for this browser here", Got: id}
	}
	return nil
}

// emptyInResponseTo is for an attribute that is there and names no request: an
// xs:NCName has one character at least.
func emptyInResponseTo() error {
	return &Error{Reason: ReasonInResponseTo, Detail: "InResponseTo is empty: leave it out, or name the request that is answered"}
}

func nameOf(e Endpoint) string {
	if e.Region == "" {
		return e.URL
	}
	return e.URL + " (Region " + e.Region + ")"
}

// checkSubject wants to know who it is. Qualifiers, where they are given, must
// be the ones that Core 8.3.7 and 8.3.8 have.
func (c *claims) checkSubject() error {
	n := c.assertion.nameID
	if strings.TrimSpace(n.Value) == "" {
		if c.cfg.AllowMissingNameID && !c.assertion.hasNameID {
			return nil
		}
		return &Error{Reason: ReasonNameID, Detail: "no NameID with a value"}
	}
	if n.SPNameQualifier != "" && n.SPNameQualifier != c.cfg.EntityID {
		return &Error{Reason: ReasonNameID, Detail: "SPNameQualifier", Want: c.cfg.EntityID, Got: n.SPNameQualifier}
	}
	pairwise := n.Format == formatPersist || n.Format == formatTransient
	if pairwise && n.NameQualifier != "" && n.NameQualifier != c.idp.entityID {
		return &Error{Reason: ReasonNameID, Detail: "NameQualifier", Want: c.idp.entityID, Got: n.NameQualifier}
	}
	return nil
}
