package saml

import (
	"net/url"
	"strconv"
	"strings"
)

// ErrorReport is what a service provider tells an identity provider about a failed
// sign-in in the address of its error page (SAML V2.0 Metadata Deployment Profile for
// errorURL 1.0, REFEDS). It has nothing about the user.
type ErrorReport struct {
	// Code is the kind of failure. Empty: ErrorOther.
	Code ErrorCode
	// Transaction is the reference of the failure in our log. Empty: none.
	Transaction string
	// Context says more, such as the names of missing attributes, separated by spaces. It
	// must not have values of the user's attributes. Empty: nothing.
	Context string
}

// ErrorCode is the kind of failure in an [ErrorReport].
type ErrorCode string

// The codes of the profile.
const (
	// ErrorIdentification: the user is not identified, because attributes are missing or
	// unusable.
	ErrorIdentification ErrorCode = "IDENTIFICATION_FAILURE"
	// ErrorAuthentication: the user was authenticated in another way than required.
	ErrorAuthentication ErrorCode = "AUTHENTICATION_FAILURE"
	// ErrorAuthorization: the attributes don't allow the user to use the service.
	ErrorAuthorization ErrorCode = "AUTHORIZATION_FAILURE"
	// ErrorOther: another failure that the identity provider can remedy.
	ErrorOther ErrorCode = "OTHER_ERROR"
)

// maxErrorContext bounds ErrorReport.Context and Transaction in the address, in bytes.
const maxErrorContext = 500

// ErrorURL returns the address of an identity provider's error page for a link, or "" if
// its metadata has none. The placeholders ERRORURL_CODE, ERRORURL_TS, ERRORURL_RP,
// ERRORURL_TID and ERRORURL_CTX after the host are replaced by the report, the present
// time and our entity ID. An address of the same origin as an ACS or logout URL is left out: the
// identity provider must not choose one of our own pages.
//
// Don't redirect to it. The user decides whether to leave.
func (sp *ServiceProvider) ErrorURL(idp *IdP, r ErrorReport) string {
	raw := idp.description.ErrorURL
	if raw == "" || !sp.foreign(raw) {
		return ""
	}
	_, after, _ := strings.Cut(raw, "://")
	host := len(raw) - len(after)
	if end := strings.IndexAny(after, "/?#"); end >= 0 {
		host += end
	} else {
		return raw
	}
	if r.Code == "" {
		r.Code = ErrorOther
	}
	fill := strings.NewReplacer(
		"ERRORURL_CODE", escaped(string(r.Code)), "ERRORURL_TS", strconv.FormatInt(sp.cfg.Now().Unix(), 10),
		"ERRORURL_RP", escaped(sp.cfg.EntityID), "ERRORURL_TID", escaped(r.Transaction), "ERRORURL_CTX", escaped(r.Context),
	)
	return raw[:host] + fill.Replace(raw[host:])
}

// escaped returns a text for any part of a URL after the host.
func escaped(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxErrorContext)], "")
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
