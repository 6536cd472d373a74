package saml

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RequestOptions says what an AuthnRequest asks for (Core 3.4.1). The zero
// value asks for as little as possible, which every identity provider accepts.
type RequestOptions struct {
	// ACS is the URL that the response shall come to; it must be on the list.
	// Empty: the default, which is the first.
	ACS string
	// Binding is HTTPRedirect or HTTPPost. Empty: HTTP-Redirect where the
	// identity provider offers it, else HTTP-POST.
	Binding string
	// ForceAuthn asks for a fresh authentication, and is enforced: an older
	// one is refused.
	ForceAuthn bool
	// IsPassive asks the identity provider not to take over the screen. It
	// answers with a status (NoPassive) when it would have to.
	IsPassive bool
	// AuthnContext asks for a kind of authentication, and is enforced. Nil: none.
	// Entra ID and AD FS fail on kinds that they don't know.
	AuthnContext *RequestedAuthnContext
	// NameIDPolicy asks for a kind of NameID. Nil: none.
	NameIDPolicy *NameIDPolicy
}

// NameIDPolicy is Core 3.4.1.1.
type NameIDPolicy struct {
	Format      string
	AllowCreate bool
}

// RequestRecord is what an AuthnRequest asked for, to be kept until its answer
// comes and compared with it by [Assertion.CheckRequest]. It can be stored as
// JSON.
type RequestRecord struct {
	ID           string                 `json:"id"`
	IdP          string                 `json:"idp"` // entity ID
	ACS          string                 `json:"acs"` // URL
	At           time.Time              `json:"at"`
	ForceAuthn   bool                   `json:"force_authn,omitempty"`
	AuthnContext *RequestedAuthnContext `json:"authn_context,omitempty"`
	NameIDFormat string                 `json:"name_id_format,omitempty"`
}

// AuthnRequest is a request to be sent through a browser. It never changes.
type AuthnRequest struct {
	record  RequestRecord
	binding string
	sso     string // where it goes
	sign    bool
	sp      *ServiceProvider

	head, tail string // in canonical form; a signature goes in between
}

// NewAuthnRequest makes a request to the identity provider as it is known now.
// Its error has ReasonConfig where the options make no sense, and
// ReasonMetadata where the identity provider can't be asked that way.
func (sp *ServiceProvider) NewAuthnRequest(o RequestOptions) (*AuthnRequest, error) {
	list, idp := sp.acs.Load(), sp.cfg.IdP.IdP()
	acs := list.all[0]
	if o.ACS != "" {
		var ok bool
		if acs, ok = list.find(o.ACS); !ok {
			return nil, configError("RequestOptions.ACS", quote(withoutUser(o.ACS))+" is not on the list", nil)
		}
	}
	if err := o.AuthnContext.check(); err != nil {
		return nil, err
	}
	if o.NameIDPolicy != nil && !writable(o.NameIDPolicy.Format) {
		return nil, configError("RequestOptions.NameIDPolicy.Format", quote(o.NameIDPolicy.Format)+" can't be written in XML", nil)
	}
	if o.Binding != "" && o.Binding != HTTPRedirect && o.Binding != HTTPPost {
		return nil, configError("RequestOptions.Binding", quote(o.Binding)+" is neither HTTP-Redirect nor HTTP-POST", nil)
	}
	if err := sp.cfg.checkMetadataInForce(idp, sp.cfg.Now()); err != nil {
		return nil, err
	}
	sso, err := idp.ssoService(o.Binding)
	if err != nil {
		return nil, err
	}
	if err := sp.checkSigning(idp); err != nil {
		return nil, err
	}
	id, err := sp.newRequestID(acs.URL)
	if err != nil {
		return nil, err
	}
	r := &AuthnRequest{binding: sso.Binding, sso: sso.URL, sign: sp.cfg.SignRequests || idp.wantRequestsSigned, sp: sp, record: RequestRecord{
		ID: id, IdP: idp.entityID, ACS: acs.URL, At: sp.cfg.Now().UTC().Truncate(time.Millisecond),
		ForceAuthn: o.ForceAuthn, AuthnContext: o.AuthnContext.clone(),
	}}
	if o.NameIDPolicy != nil {
		r.record.NameIDFormat = o.NameIDPolicy.Format
	}
	r.write(acs, o)
	return r, nil
}

// CheckRequests reports whether the identity provider, as it is known now, can be
// asked at all: with ReasonMetadata it wants signed requests, and Config.Key is
// nil. Package acs calls it when a consumer is made; New doesn't, because a
// service provider that sends no requests needs no key.
func (sp *ServiceProvider) CheckRequests() error { return sp.checkSigning(sp.cfg.IdP.IdP()) }

func (sp *ServiceProvider) checkSigning(idp *IdP) error {
	if !idp.wantRequestsSigned || sp.cfg.Key != nil {
		return nil
	}
	return &Error{Reason: ReasonMetadata, Rule: "WantAuthnRequestsSigned (Metadata 2.4.3)", Detail: quote(idp.entityID) + " wants signed requests, and Config.Key is nil"}
}

// newRequestID is the tag of the ACS and 160 random bits (Core 1.3.4 asks for
// at least 128).
func (sp *ServiceProvider) newRequestID(acsURL string) (string, error) {
	var random [20]byte
	if _, err := io.ReadFull(sp.cfg.Rand, random[:]); err != nil {
		return "", configError("Config.Rand", "gave no random bytes", err)
	}
	return requestTag(acsURL) + hex.EncodeToString(random[:]), nil
}

// write writes the request in canonical form, in two parts: a signature goes
// in between, right after the Issuer (Core 3.2.1).
func (r *AuthnRequest) write(acs Endpoint, o RequestOptions) {
	attributes := []attribute{
		{"xmlns:samlp", nsProtocol},
		{"AssertionConsumerServiceIndex", ""},
		{"AssertionConsumerServiceURL", ""},
		{"Destination", r.sso},
		{"ForceAuthn", yes(o.ForceAuthn)},
		{"ID", r.record.ID},
		{"IsPassive", yes(o.IsPassive)},
		{"IssueInstant", r.record.At.Format("2006-01-02T15:04:05.999Z07:00")},
		{"ProtocolBinding", ""},
		{"Version", "2.0"},
	}
	// Core 3.4.1: the index excludes the URL and ProtocolBinding.
	if r.sp.cfg.ACSByIndex {
		attributes[1].value = strconv.Itoa(int(*acs.Index))
	} else {
		attributes[2].value, attributes[8].value = acs.URL, HTTPPost
	}
	var head, tail canonicalWriter
	head.start("samlp:AuthnRequest", attributes...)
	head.element("saml:Issuer", r.sp.cfg.EntityID, attribute{"xmlns:saml", nsAssertion})
	if p := o.NameIDPolicy; p != nil {
		tail.element("samlp:NameIDPolicy", "", attribute{"AllowCreate", yes(p.AllowCreate)}, attribute{"Format", p.Format})
	}
	if c := o.AuthnContext; c != nil {
		tail.start("samlp:RequestedAuthnContext", attribute{"Comparison", string(c.comparison())})
		for _, ref := range c.ClassRefs {
			tail.element("saml:AuthnContextClassRef", ref, attribute{"xmlns:saml", nsAssertion})
		}
		tail.end("samlp:RequestedAuthnContext")
	}
	tail.end("samlp:AuthnRequest")
	r.head, r.tail = head.String(), tail.String()
}

// yes is an attribute that is left out where it would say false.
func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// ID is the request's ID. It begins with a tag that any consumer of this
// service provider can recognise, so it tells which ACS URL made it.
func (r *AuthnRequest) ID() string { return r.record.ID }

// Record is what to keep until the answer comes.
func (r *AuthnRequest) Record() RequestRecord {
	record := r.record
	record.AuthnContext = record.AuthnContext.clone()
	return record
}

// Binding is HTTPRedirect or HTTPPost: it says which of RedirectURL and
// PostForm to use.
func (r *AuthnRequest) Binding() string { return r.binding }

// Comparison says how an authentication context is compared with those that
// were asked for (Core 3.3.2.2.1).
type Comparison string

// The four comparisons. Only Exact has a meaning without an order of
// strength, and contexts have none that everyone agrees on; the other three
// need RequestedAuthnContext.Order.
const (
	Exact   Comparison = "exact"
	Minimum Comparison = "minimum"
	Maximum Comparison = "maximum"
	Better  Comparison = "better"
)

// RequestedAuthnContext asks for a kind of authentication.
type RequestedAuthnContext struct {
	// ClassRefs are the AuthnContextClassRef URIs asked for; at least one.
	ClassRefs []string `json:"class_refs"`
	// Comparison; empty means Exact.
	Comparison Comparison `json:"comparison,omitempty"`
	// Order lists class references from weak to strong. Minimum, Maximum and
	// Better compare by it, and every ClassRef must be in it. It is not sent.
	Order []string `json:"order,omitempty"`
}

func (c *RequestedAuthnContext) comparison() Comparison {
	if c.Comparison == "" {
		return Exact
	}
	return c.Comparison
}

func (c *RequestedAuthnContext) clone() *RequestedAuthnContext {
	if c == nil {
		return nil
	}
	return &RequestedAuthnContext{ClassRefs: slices.Clone(c.ClassRefs), Comparison: c.Comparison, Order: slices.Clone(c.Order)}
}

func (c *RequestedAuthnContext) check() error {
	if c == nil {
		return nil
	}
	if len(c.ClassRefs) == 0 {
		return configError("RequestedAuthnContext.ClassRefs", "at least one is needed", nil)
	}
	for _, ref := range c.ClassRefs {
		if ref == "" || !writable(ref) {
			return configError("RequestedAuthnContext.ClassRefs", quote(ref)+" can't be written in XML", nil)
		}
	}
	switch c.comparison() {
	case Exact:
		return nil
	case Minimum, Maximum, Better:
	default:
		return configError("RequestedAuthnContext.Comparison", quote(string(c.Comparison))+" is none of exact, minimum, maximum, better", nil)
	}
	for _, ref := range c.ClassRefs {
		if !slices.Contains(c.Order, ref) {
			return configError("RequestedAuthnContext.Order", fmt.Sprintf("%s needs it, and %s is not in it", c.Comparison, quote(ref)), nil)
		}
	}
	return nil
}

// allows compares a context that came with those that were asked for.
func (c *RequestedAuthnContext) allows(got string) bool {
	if c.comparison() == Exact {
		return slices.Contains(c.ClassRefs, got)
	}
	rank := slices.Index(c.Order, got)
	if rank < 0 {
		return false
	}
	lowest, highest := len(c.Order), -1
	for _, ref := range c.ClassRefs {
		lowest, highest = min(lowest, slices.Index(c.Order, ref)), max(highest, slices.Index(c.Order, ref))
	}
	switch c.Comparison {
	case Minimum: // at least as strong as one of them
		return rank >= lowest
	case Maximum: // as strong as possible without exceeding one of them
		return rank <= highest
	default: // Better: stronger than any one of them
		return rank > highest
	}
}

// String says what is asked for, for errors and logs.
func (c *RequestedAuthnContext) String() string {
	return string(c.comparison()) + " " + strings.Join(c.ClassRefs, " or ")
}
