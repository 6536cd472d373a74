package browser_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// requestOf returns the parameter of a request by a service provider that no app has.
func requestOf(acs string) string {
	return url.Values{"SAMLRequest": {testkit.Deflated([]byte(`<AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`ID="id-1234" Version="2.0" IssueInstant="2026-11-29T10:00:00Z" AssertionConsumerServiceURL="` + acs + `">` +
		`<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">http://unknown.localhost/saml</Issuer></AuthnRequest>`))}}.Encode()
}

// testAuditAnySP is about the pages for service providers that aren't registered, with every notice above them.
func testAuditAnySP(t *testing.T, chromium context.Context) {
	const acs = "http://unknown.localhost/acs"
	idp := auditIdP(t, func(c *mockidp.Config) {
		c.Apps = append(c.Apps, mockidp.App{ID: "any", Label: "Any service provider"})
		c.AnyServiceProvider, c.Compose, c.SelfRegistration, c.InsecureTestKey = true, true, true, true
	})
	require.Len(t, idp.Notices(), 3)
	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(idp.SSOURL("any"))
	b.reads("Send a response to Any service provider", "Audience (SP entity ID)", "Published test key",
		"Accepts any service provider", "Composes responses")
	b.audit("any-compose")
	b.fill("#acs", "unknown.localhost/acs")
	b.fill("#audience", "urn:unknown")
	b.click(".send .primary")
	b.reads("Nothing was sent")
	b.audit("any-compose-failed")
	b.open(idp.SSOURL("any") + "?" + requestOf(acs))
	b.reads("It answers the request", "http://unknown.localhost/saml")
	b.audit("any-compose-request")
	b.open(idp.SSOURL("wiki") + "?" + requestOf(acs))
	b.reads("Register this service provider", acs, "in place of")
	b.audit("register")
	b.fill("#metadata", "<a/>")
	b.click(".quiet[type=submit]")
	b.reads("400 · Metadata", "Register by metadata")
	b.audit("register-failed")
	b.open(idp.SignInURL())
	b.reads("Published test key")
	b.audit("notices")
	b.openConsole(idp)
	b.reads("Composes responses")
	b.audit("console-notices")
}
