package browser_test

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// testAuditAttributes is about the pages of package acs: of a user without a required attribute, who opens the
// identity provider's page about it, and of a refused sign-in.
func testAuditAttributes(t *testing.T, chromium context.Context) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at := strings.Replace(server.URL, "127.0.0.1", "sp.localhost", 1)
	help := strings.Replace(server.URL, "127.0.0.1", "help.localhost", 1)
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)

	d, err := saml.NewDecoder[struct {
		Mail   string        `saml:"mail,required"`
		Name   string        `saml:"displayName,required"`
		Staff  []saml.Scoped `saml:"eduPersonScopedAffiliation,required"`
		Tenant string        `saml:"http://schemas.microsoft.com/identity/claims/tenantid,required"`
	}](saml.DecoderConfig{Names: []saml.Names{saml.LDAPNames(), saml.EduPersonNames()}})
	require.NoError(t, err)
	known, err := saml.ParseIdPMetadata(withSupport(string(idp.Metadata("")), help))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{
		EntityID: at + "/saml", ACS: []saml.Endpoint{{URL: at + "/acs"}}, IdP: known,
		About: saml.About{Contacts: []saml.Contact{{Type: saml.ContactSupport, Emails: []string{"desk@sp.example"}}}},
	})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			_, err := d.Decode(l.Assertion)
			l.MissingAttributes(w, r, err)
		},
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /refused", region.Refused)
	mux.HandleFunc("GET /help/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>help</title><link rel="icon" href="data:,"><p>%s`,
			html.EscapeString(fmt.Sprintf("code %s of %s without %s. Referrer %s.", r.URL.Path[len("/help/"):],
				r.URL.Query().Get("rp"), r.URL.Query().Get("ctx"), cmp.Or(r.Referer(), "none"))))
	})

	b := newTab(t, chromium)
	b.expectRefusals()
	require.NoError(t, idp.QueueUser(mockidp.DefaultLogin))
	b.open(at + "/login")
	b.reads("Information about you is missing", "University of One", "mail", "tenantid", "Help Desk",
		"support of this service", "Sign in again")
	b.audit("attributes-missing")
	b.follow("Its page about failed sign-ins")
	b.reads("code IDENTIFICATION_FAILURE of "+at+"/saml without mail displayName eduPersonScopedAffiliation tenantid.",
		"Referrer none.")
	b.open(at + "/refused?reference=MRD-7F3K-29QX")
	b.reads("Sign-in did not work", "MRD-7F3K-29QX")
	b.audit("sign-in-refused")
}

// withSupport adds to metadata whom users ask for help.
func withSupport(metadata, help string) []byte {
	const contact = `<md:Organization><md:OrganizationDisplayName xml:lang="en">University of One` +
		`</md:OrganizationDisplayName></md:Organization><md:ContactPerson contactType="support">` +
		`<md:GivenName>Help Desk</md:GivenName><md:EmailAddress>mailto:help@one.example</md:EmailAddress>` +
		`<md:TelephoneNumber>+1 555 0100</md:TelephoneNumber></md:ContactPerson>`
	return []byte(strings.NewReplacer(
		"<md:IDPSSODescriptor ",
		`<md:IDPSSODescriptor errorURL="`+help+`/help/ERRORURL_CODE?rp=ERRORURL_RP&amp;ctx=ERRORURL_CTX" `,
		"</md:EntityDescriptor>", contact+"</md:EntityDescriptor>").Replace(metadata))
}
