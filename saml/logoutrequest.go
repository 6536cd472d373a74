package saml

import (
	"cmp"
	"encoding/hex"
	"io"
	"slices"
	"time"
)

const (
	// LogoutReasonUser says that the user asked for the logout (Core 3.7.3).
	LogoutReasonUser = "urn:oasis:names:tc:SAML:2.0:logout:user"
	// LogoutReasonAdmin says that an administrator asked for it.
	LogoutReasonAdmin = "urn:oasis:names:tc:SAML:2.0:logout:admin"
)

// LogoutOptions describes a LogoutRequest (Core 3.7.1).
type LogoutOptions struct {
	// IdP is the entity ID of the identity provider of the session. Required with Config.IdPs. Otherwise empty, or that
	// of the only one.
	IdP string
	// NameID is the user's, with all its attributes, as it was in the assertion. Required.
	NameID NameID
	// SessionIndexes are those of the assertion, at least one if it had any (Profiles 4.4.4.1). Empty: all sessions of
	// the user.
	SessionIndexes []string
	// URL is the single logout URL that the request is made for: the answer belongs there. Empty: the first.
	URL string
	// Binding is HTTPRedirect, HTTPPost or SOAP. Empty: the first of them that the identity provider offers.
	Binding string
	// Reason is a URI, such as [LogoutReasonUser]. Empty: none.
	Reason string
	// Validity is how long after now the identity provider may apply the request (NotOnOrAfter). Zero: 5 min.
	Validity time.Duration
}

// LogoutRecord records a LogoutRequest. Keep it until the response arrives, and call
// [VerifiedLogoutResponse.CheckRequest] with it. It can be stored as JSON.
type LogoutRecord struct {
	ID  string    `json:"id"`
	IdP string    `json:"idp"` // entity ID
	URL string    `json:"url"` // ours, that the request was made for
	At  time.Time `json:"at"`
}

// LogoutRequest is a signed request to an identity provider to end a session there. It never changes.
type LogoutRequest struct {
	outbound
	record LogoutRecord
}

// NewLogoutRequest returns a LogoutRequest. The NameID is not encrypted (SDP-SP30). The error has ReasonConfig if the
// options are invalid, ReasonMetadataEntity if the identity provider is unknown, ReasonMetadata if it has no single
// logout, ReasonAlgorithm if it does not accept our signatures, and ReasonMetadataExpired if its metadata expired.
func (sp *ServiceProvider) NewLogoutRequest(o LogoutOptions) (*LogoutRequest, error) {
	ours, err := sp.logout.Load().find(o.URL)
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	idp, service, err := sp.logoutPartner(o.IdP, o.Binding)
	if err != nil {
		return nil, err
	}
	id, err := sp.newID(logoutTag(ours.URL) + idpTag(idp.entityID))
	if err != nil {
		return nil, err
	}
	r := &LogoutRequest{
		outbound: outbound{sp: sp, param: "SAMLRequest", id: id, binding: service.Binding, to: service.URL},
		record: LogoutRecord{
			ID: id, IdP: idp.entityID, URL: ours.URL, At: sp.cfg.Now().UTC().Truncate(time.Millisecond),
		},
	}
	r.write(o)
	return r, nil
}

// logoutPartner returns an identity provider in force and its address.
func (sp *ServiceProvider) logoutPartner(entityID, binding string) (*IdP, LogoutService, error) {
	idp, err := sp.idpFor(entityID)
	if err != nil {
		return nil, LogoutService{}, err
	}
	if err := sp.cfg.checkMetadataInForce(idp, sp.cfg.Now()); err != nil {
		return nil, LogoutService{}, err
	}
	service, err := idp.logoutService(binding)
	if err != nil {
		return nil, LogoutService{}, err
	}
	// As for requests: one of several identity providers must not send the browser to a page of ours.
	if sp.cfg.IdPs != nil && !(sp.foreign(service.URL) && sp.foreign(cmp.Or(service.ResponseURL, service.URL))) {
		return nil, LogoutService{}, metadataError("SingleLogoutService (Metadata 2.4.2)",
			"%s of %s can be an address of this service provider", quote(service.URL), quote(idp.entityID))
	}
	return idp, service, sp.checkOffered(idp, service.Binding)
}

func (o *LogoutOptions) check() error {
	n := o.NameID
	switch {
	case isBlank(n.Value):
		return configError("LogoutOptions.NameID", "a value is required")
	case o.Validity < 0 || o.Validity > maxLogoutValidity:
		return configError("LogoutOptions.Validity", "from 0 to %v, got %v", maxLogoutValidity, o.Validity)
	case o.Binding != "" && !slices.Contains([]string{HTTPRedirect, HTTPPost, SOAP}, o.Binding):
		return configError("LogoutOptions.Binding", "%s is none of HTTP-Redirect, HTTP-POST and SOAP", quote(o.Binding))
	}
	written := append([]string{
		n.Value, n.Format, n.NameQualifier, n.SPNameQualifier, n.SPProvidedID, o.Reason,
	}, o.SessionIndexes...)
	for _, value := range written {
		if !writable(value) {
			return configError("LogoutOptions", "%s can't be written in XML", quote(value))
		}
	}
	if slices.Contains(o.SessionIndexes, "") {
		return configError("LogoutOptions.SessionIndexes", "one of them is empty")
	}
	return nil
}

// newID returns a prefix and 160 random bits (Core 1.3.4 requires at least 128).
func (sp *ServiceProvider) newID(prefix string) (string, error) {
	var random [20]byte
	if _, err := io.ReadFull(sp.cfg.Rand, random[:]); err != nil {
		return "", &Error{Reason: ReasonConfig, Rule: "Config.Rand", Detail: "no random bytes", Err: err}
	}
	return prefix + hex.EncodeToString(random[:]), nil
}

const instantForm = "2006-01-02T15:04:05.999Z07:00"

func (r *LogoutRequest) write(o LogoutOptions) {
	validity := o.Validity
	if validity == 0 {
		validity = 5 * time.Minute
	}
	declaration := attribute{"xmlns:saml", nsAssertion}
	var head, tail canonicalWriter
	head.start("samlp:LogoutRequest",
		attribute{"xmlns:samlp", nsProtocol},
		attribute{"Destination", r.to},
		attribute{"ID", r.record.ID},
		attribute{"IssueInstant", r.record.At.Format(instantForm)},
		attribute{"NotOnOrAfter", r.record.At.Add(validity).Format(instantForm)},
		attribute{"Reason", o.Reason},
		attribute{"Version", "2.0"})
	head.element("saml:Issuer", r.sp.cfg.EntityID, declaration)
	tail.nameID(o.NameID, declaration)
	for _, index := range o.SessionIndexes {
		tail.element("samlp:SessionIndex", index)
	}
	tail.end("samlp:LogoutRequest")
	r.head, r.tail = head.String(), tail.String()
}

// Record returns the record to keep until the response arrives.
func (r *LogoutRequest) Record() LogoutRecord { return r.record }
