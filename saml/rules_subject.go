package saml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// checkRecipient looks for the bearer confirmation that is for this very URL,
// compared byte for byte. Others, for URLs that aren't ours, don't hurt (any
// one confirmation is enough, Core 2.4.1); but an assertion that could be used
// at two of our URLs would have to be remembered at both, so it is refused.
func (v *verification) checkRecipient() error {
	var here *confirmation
	bearers := 0
	ours, other := "", ""
	several := false
	for i := range v.asrt.confirmations {
		c := &v.asrt.confirmations[i]
		if c.method != bearerMethod {
			continue
		}
		if _, listed := v.acs.find(c.recipient); listed {
			several = several || ours != "" && ours != c.recipient
			ours = c.recipient
		}
		if c.recipient == v.here.URL {
			here = c
			bearers++
		} else {
			other = c.recipient
		}
	}
	switch {
	case several:
		return &Error{Reason: ReasonRecipient, Detail: "bearer confirmations for more than one of our URLs", Want: v.here.URL, Got: other}
	case bearers > 1:
		return &Error{Reason: ReasonSubjectConfirmation, Detail: fmt.Sprintf("%d bearer confirmations for this URL: which one bounds its use?", bearers), Want: "1"}
	case here == nil && other != "":
		return &Error{Reason: ReasonRecipient, Detail: v.regionOf(other), Want: v.here.URL, Got: other}
	case here == nil:
		return &Error{Reason: ReasonSubjectConfirmation, Detail: fmt.Sprintf("no bearer confirmation with a Recipient among %d confirmations", len(v.asrt.confirmations)), Want: bearerMethod + " with Recipient " + v.here.URL}
	}
	v.bearer = here
	return nil
}

// regionOf says in words whose a URL is, for the operator.
func (v *verification) regionOf(url string) string {
	if e, ok := v.acs.find(url); ok && e.Region != "" && e.Region != v.here.Region {
		return fmt.Sprintf("it was made for Region %s, this is Region %s", e.Region, v.here.Region)
	}
	return ""
}

// checkDestination compares byte for byte. It may only be absent where the
// Response is not signed (Bindings 3.5.5.2); an empty one is not absent.
func (v *verification) checkDestination() error {
	switch {
	case !v.resp.destination.given && v.resp.signed:
		return &Error{Reason: ReasonDestination, Detail: "a signed Response has no Destination", Want: v.here.URL}
	case v.resp.destination.given && v.resp.destination.value != v.here.URL:
		return &Error{Reason: ReasonDestination, Detail: v.regionOf(v.resp.destination.value), Want: v.here.URL, Got: v.resp.destination.value}
	}
	return nil
}

// checkInResponseTo goes by SubjectConfirmationData's value, which is always
// signed; the Response's may not be, but must agree. A message that has either
// claims to be an answer, and is never taken for an unsolicited one.
func (v *verification) checkInResponseTo() error {
	outer := v.resp.inResponseTo
	if !v.bearer.inResponseTo.given {
		for _, c := range v.asrt.confirmations {
			outer = cmp.Or(outer, c.inResponseTo)
		}
		if outer.given {
			return &Error{Reason: ReasonInResponseTo, Detail: "it answers a request somewhere, but not in SubjectConfirmationData for this URL", Got: outer.value}
		}
		if !v.want.Unsolicited {
			return &Error{Reason: ReasonUnsolicited, Detail: "it answers no request"}
		}
		return nil
	}
	id := v.bearer.inResponseTo.value
	if outer.given && outer.value != id {
		return &Error{Reason: ReasonInResponseTo, Detail: "the Response and SubjectConfirmationData name two requests", Want: id, Got: outer.value}
	}
	if slices.Contains(v.want.RequestIDs, id) {
		return nil
	}
	if maker, ok := v.acs.tagOf(id); ok && maker.URL != v.here.URL {
		return &Error{
			Reason: ReasonWrongRegion,
			Detail: fmt.Sprintf("the request was made for %s: is that URL listed in the identity provider's app?", nameOf(maker)),
			Want:   "a request made for " + nameOf(v.here), Got: id,
		}
	}
	return &Error{Reason: ReasonInResponseTo, Detail: "no such request is waiting for this browser here", Got: id}
}

func nameOf(e Endpoint) string {
	if e.Region == "" {
		return e.URL
	}
	return e.URL + " (Region " + e.Region + ")"
}

// checkSubject wants to know who it is. Qualifiers, where they are given, must
// be the ones that Core 8.3.7 and 8.3.8 have.
func (v *verification) checkSubject() error {
	n := v.asrt.nameID
	if strings.TrimSpace(n.Value) == "" {
		if v.cfg.AllowMissingNameID && !v.asrt.hasNameID {
			return nil
		}
		return &Error{Reason: ReasonNameID, Detail: "no NameID with a value"}
	}
	if n.SPNameQualifier != "" && n.SPNameQualifier != v.cfg.EntityID {
		return &Error{Reason: ReasonNameID, Detail: "SPNameQualifier", Want: v.cfg.EntityID, Got: n.SPNameQualifier}
	}
	pairwise := n.Format == formatPersist || n.Format == formatTransient
	if pairwise && n.NameQualifier != "" && n.NameQualifier != v.idp.entityID {
		return &Error{Reason: ReasonNameID, Detail: "NameQualifier", Want: v.idp.entityID, Got: n.NameQualifier}
	}
	return nil
}
