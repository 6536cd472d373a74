package saml

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AuthnRequest is a request to be sent through a browser. It never changes.
type AuthnRequest struct {
	record  RequestRecord
	binding string
	sso     string // the identity provider's URL
	sign    bool
	extra   string // RequestOptions.Query, encoded
	sp      *ServiceProvider

	head, tail string // in canonical form; a signature goes in between
}

// NewAuthnRequest returns a request to an identity provider. The error has
// ReasonConfig if the options are invalid, ReasonMetadataEntity if the identity
// provider is unknown, ReasonMetadata or ReasonAlgorithm if it does not accept such a request,
// and ReasonMetadataExpired if its metadata expired.
func (sp *ServiceProvider) NewAuthnRequest(o RequestOptions) (*AuthnRequest, error) {
	idp, err := sp.idpFor(o.IdP)
	if err != nil {
		return nil, err
	}
	list := sp.acs.Load()
	acs := list.all[0]
	if o.ACS != "" {
		var ok bool
		if acs, ok = list.find(o.ACS); !ok {
			return nil, configError("RequestOptions.ACS", "%s is not on the list", quote(withoutUser(o.ACS)))
		}
	}
	extensions, err := o.check(&sp.cfg)
	if err != nil {
		return nil, err
	}
	if o.ResponseBinding == HTTPArtifact && acs.ArtifactIndex == nil {
		return nil, configError("RequestOptions.ResponseBinding", "%s takes no artifacts (ArtifactIndex)", quote(acs.URL))
	}
	if err := sp.cfg.checkMetadataInForce(idp, sp.cfg.Now()); err != nil {
		return nil, err
	}
	sso, err := idp.ssoService(o.Binding)
	if err != nil {
		return nil, err
	}
	if err := checkQueryAt(o.Query, sso.URL); err != nil {
		return nil, err
	}
	if sp.cfg.IdPs != nil && !sp.foreign(sso.URL) {
		return nil, metadataError("SingleSignOnService (Metadata 2.4.3)",
			"%s of %s can be an address of this service provider", quote(sso.URL), quote(idp.entityID))
	}
	if err := sp.checkSigning(idp, sso.Binding); err != nil {
		return nil, err
	}
	id, err := sp.newRequestID(acs.URL, idp.entityID)
	if err != nil {
		return nil, err
	}
	r := &AuthnRequest{
		binding: sso.Binding, sso: sso.URL, sign: sp.cfg.SignRequests || idp.wantRequestsSigned, sp: sp,
		extra: o.Query.Encode(),
		record: RequestRecord{
			ID: id, IdP: idp.entityID, ACS: acs.URL, At: sp.cfg.Now().UTC().Truncate(time.Millisecond),
			ForceAuthn: o.ForceAuthn, AuthnContext: o.AuthnContext.clone(), Subject: o.Subject.clone(),
		},
	}
	if p := o.NameIDPolicy; p != nil {
		r.record.NameIDFormat, r.record.SPNameQualifier = p.Format, p.SPNameQualifier
	}
	r.write(acs, o, extensions)
	if n := len(r.head) + len(r.tail); n > maxRequest {
		return nil, configError("RequestOptions", "the request has %d bytes, and may have %d", n, maxRequest)
	}
	return r, nil
}

// idpFor returns the identity provider that a request is made to.
func (sp *ServiceProvider) idpFor(entityID string) (*IdP, error) {
	if entityID != "" {
		return sp.cfg.find(entityID)
	}
	only := sp.cfg.only()
	if only == nil {
		return nil, configError("RequestOptions.IdP", "is required with Config.IdPs")
	}
	return only, nil
}

// CheckRequests returns an error with ReasonMetadata if the only identity provider
// wants signed requests and Config.Key is nil, and with ReasonAlgorithm if its metadata
// says that it does not accept the signatures of Config.Key. With Config.IdPs, NewAuthnRequest
// returns it. Package acs calls CheckRequests for each new consumer; New doesn't,
// because a service provider that sends no requests needs no key.
func (sp *ServiceProvider) CheckRequests() error {
	if only := sp.cfg.only(); only != nil {
		return sp.checkSigning(only, "")
	}
	return nil
}

func (sp *ServiceProvider) checkSigning(idp *IdP, binding string) error {
	switch {
	case !idp.wantRequestsSigned && !sp.cfg.SignRequests:
		return nil
	case sp.cfg.Key == nil:
		return metadataError("WantAuthnRequestsSigned (Metadata 2.4.3)",
			"%s wants signed requests, and Config.Key is nil", quote(idp.entityID))
	}
	return sp.checkOffered(idp, binding)
}

// newRequestID returns the tags of the ACS and of the identity provider, and 160
// random bits (Core 1.3.4 requires at least 128).
func (sp *ServiceProvider) newRequestID(acsURL, idp string) (string, error) {
	return sp.newID(requestTag(acsURL) + idpTag(idp))
}

// write writes the request in canonical form, in two parts: a signature goes
// in between, right after the Issuer. The order is that of the schema (Core 3.2.1,
// 3.4.1). The extensions are in canonical form.
func (r *AuthnRequest) write(acs Endpoint, o RequestOptions, extensions string) {
	// Core 3.4.1: the index excludes the URL and ProtocolBinding.
	index, url, binding := "", acs.URL, cmp.Or(o.ResponseBinding, HTTPPost)
	if r.sp.cfg.ACSByIndex {
		number := acs.Index
		if binding == HTTPArtifact {
			number = acs.ArtifactIndex
		}
		index, url, binding = strconv.Itoa(int(*number)), "", ""
	}
	var head, tail canonicalWriter
	head.start("samlp:AuthnRequest",
		attribute{"xmlns:samlp", nsProtocol},
		attribute{"AssertionConsumerServiceIndex", index},
		attribute{"AssertionConsumerServiceURL", url},
		attribute{"AttributeConsumingServiceIndex", numberOrEmpty(o.AttributeConsumingServiceIndex)},
		attribute{"Destination", r.sso},
		attribute{"ForceAuthn", trueOrEmpty(o.ForceAuthn)},
		attribute{"ID", r.record.ID},
		attribute{"IsPassive", trueOrEmpty(o.IsPassive)},
		attribute{"IssueInstant", r.record.At.Format("2006-01-02T15:04:05.999Z07:00")},
		attribute{"ProtocolBinding", binding},
		attribute{"ProviderName", o.ProviderName},
		attribute{"Version", "2.0"})
	head.element("saml:Issuer", r.sp.cfg.EntityID, attribute{"xmlns:saml", nsAssertion})
	if extensions != "" {
		tail.start("samlp:Extensions")
		tail.WriteString(extensions)
		tail.end("samlp:Extensions")
	}
	o.Subject.write(&tail)
	if p := o.NameIDPolicy; p != nil {
		tail.element("samlp:NameIDPolicy", "", attribute{"AllowCreate", trueOrEmpty(p.AllowCreate)},
			attribute{"Format", p.Format}, attribute{"SPNameQualifier", p.SPNameQualifier})
	}
	if c := o.AuthnContext; c != nil {
		tail.start("samlp:RequestedAuthnContext", attribute{"Comparison", string(c.comparison())})
		for _, ref := range c.ClassRefs {
			tail.element("saml:AuthnContextClassRef", ref, attribute{"xmlns:saml", nsAssertion})
		}
		tail.end("samlp:RequestedAuthnContext")
	}
	o.Scoping.write(&tail)
	tail.end("samlp:AuthnRequest")
	r.head, r.tail = head.String(), tail.String()
}

// trueOrEmpty returns "true", or the empty value that leaves the attribute out.
func trueOrEmpty(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// numberOrEmpty returns the empty value for zero.
func numberOrEmpty(n uint16) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// ID returns the request's ID. It begins with a tag of the ACS URL that it was made
// for, and one of the identity provider that it was made to.
func (r *AuthnRequest) ID() string { return r.record.ID }

// Record returns the record to keep until the response arrives.
func (r *AuthnRequest) Record() RequestRecord {
	record := r.record
	record.AuthnContext, record.Subject = record.AuthnContext.clone(), record.Subject.clone()
	return record
}

// Binding returns HTTPRedirect or HTTPPost: whether to call RedirectURL or PostForm.
func (r *AuthnRequest) Binding() string { return r.binding }

// Comparison is how an authentication context is compared with the requested ones
// (Core 3.3.2.2.1).
type Comparison string

// The four comparisons. Contexts have no standard order of strength, so all but
// Exact need RequestedAuthnContext.Order.
const (
	Exact   Comparison = "exact"
	Minimum Comparison = "minimum"
	Maximum Comparison = "maximum"
	Better  Comparison = "better"
)

// RequestedAuthnContext asks for certain authentication contexts (Core 3.3.2.2.1).
type RequestedAuthnContext struct {
	// ClassRefs are the requested AuthnContextClassRef URIs; at least one.
	ClassRefs []string `json:"class_refs"`
	// Comparison is how they are compared. Empty: Exact.
	Comparison Comparison `json:"comparison,omitempty"`
	// Order lists class references from weak to strong. Minimum, Maximum and
	// Better compare by it, and every ClassRef must be in it. It is not sent.
	Order []string `json:"order,omitempty"`
}

func (c *RequestedAuthnContext) comparison() Comparison { return cmp.Or(c.Comparison, Exact) }

func (c *RequestedAuthnContext) clone() *RequestedAuthnContext {
	if c == nil {
		return nil
	}
	return &RequestedAuthnContext{slices.Clone(c.ClassRefs), c.Comparison, slices.Clone(c.Order)}
}

// Check returns a [*Error] with ReasonConfig if a field is invalid. Nil is valid.
func (c *RequestedAuthnContext) Check() error {
	if c == nil {
		return nil
	}
	if len(c.ClassRefs) == 0 {
		return configError("RequestedAuthnContext.ClassRefs", "at least one is needed")
	}
	for _, ref := range c.ClassRefs {
		if ref == "" || !writable(ref) {
			return configError("RequestedAuthnContext.ClassRefs", "%s can't be written in XML", quote(ref))
		}
	}
	switch c.comparison() {
	case Exact:
		return nil
	case Minimum, Maximum, Better:
	default:
		return configError("RequestedAuthnContext.Comparison",
			"%s is none of exact, minimum, maximum, better", quote(string(c.Comparison)))
	}
	for _, ref := range c.ClassRefs {
		if !slices.Contains(c.Order, ref) {
			return configError("RequestedAuthnContext.Order", "%s needs %s in it", c.Comparison, quote(ref))
		}
	}
	return nil
}

// Allows reports whether an AuthnContextClassRef, such as that of an earlier sign-in,
// satisfies the request, which must be valid.
func (c *RequestedAuthnContext) Allows(got string) bool {
	if c.comparison() == Exact {
		return slices.Contains(c.ClassRefs, got)
	}
	rank := slices.Index(c.Order, got)
	if rank < 0 {
		return false
	}
	lowest, highest := len(c.Order), -1
	for _, ref := range c.ClassRefs {
		at := slices.Index(c.Order, ref)
		lowest, highest = min(lowest, at), max(highest, at)
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

// String describes the request for errors and logs.
func (c *RequestedAuthnContext) String() string {
	return string(c.comparison()) + " " + strings.Join(c.ClassRefs, " or ")
}
