package acs_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// errorURLs has every placeholder, in path and query.
const errorURLs = "https://help.idp.example/ERRORURL_CODE" +
	"?ts=ERRORURL_TS&rp=ERRORURL_RP&tid=ERRORURL_TID&ctx=ERRORURL_CTX"

// withMetadata is a world whose identity provider has this errorURL, UIInfo and contacts.
func withMetadata(t *testing.T, errorURL, ui, contacts string, ours ...saml.Contact) *world {
	t.Helper()
	var source *saml.SwappableIdP
	w := newWorld(t, func(c *saml.Config) {
		c.About.Contacts = ours
		source = saml.NewSwappableIdP(c.IdP.IdP())
		c.IdP = source
	})
	idp, err := saml.ParseIdPMetadata(fmt.Appendf(nil, `<md:EntityDescriptor entityID=%q
xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" errorURL="%s">
<md:Extensions><UIInfo xmlns="urn:oasis:names:tc:SAML:metadata:ui">%s</UIInfo></md:Extensions>
<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
</md:KeyDescriptor><md:SingleSignOnService Binding="%s" Location="https://idp.example/sso"/>
</md:IDPSSODescriptor>%s</md:EntityDescriptor>`, idpID, html.EscapeString(errorURL), ui,
		base64.StdEncoding.EncodeToString(w.idp.cert.Raw), saml.HTTPRedirect, contacts))
	require.NoError(t, err)
	source.Replace(idp)
	return w
}

func displayName(lang, name string) string {
	return fmt.Sprintf(`<DisplayName xml:lang=%q>%s</DisplayName>`, lang, html.EscapeString(name))
}

func contactPerson(kind, name, email, telephone string) string {
	return fmt.Sprintf(`<md:ContactPerson contactType=%q><md:GivenName>%s</md:GivenName>
<md:EmailAddress>%s</md:EmailAddress><md:TelephoneNumber>%s</md:TelephoneNumber></md:ContactPerson>`,
		kind, html.EscapeString(name), html.EscapeString(email), telephone)
}

// refusing refuses each sign-in with this error.
func refusing(err error) func(*acs.Config) {
	return func(c *acs.Config) {
		c.OnLogin = func(w http.ResponseWriter, r *http.Request, l *acs.Login) { l.MissingAttributes(w, r, err) }
	}
}

// decoding refuses a sign-in without all attributes of T.
func decoding[T any](t *testing.T) func(*acs.Config) {
	d, err := saml.NewDecoder[T](saml.DecoderConfig{Names: []saml.Names{saml.LDAPNames(), saml.EduPersonNames()}})
	require.NoError(t, err)
	return func(c *acs.Config) {
		c.OnLogin = func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			_, err := d.Decode(l.Assertion)
			require.Error(t, err)
			l.MissingAttributes(w, r, err)
		}
	}
}

// links are the targets of the links on a page.
func links(body string) (out []string) {
	for _, m := range regexp.MustCompile(`<a href="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// refusal signs in, and returns the page, and the record in the log.
func (w *world) refusal(change func(*acs.Config)) (*httptest.ResponseRecorder, map[string]any) {
	w.t.Helper()
	us, b := w.region("us-east-1", change), w.browser()
	req := b.login(us, usACS, "")
	rec := b.answer(us, w.good(usACS, req.id), req.relayState)
	require.True(w.t, w.lastVerdict().Accepted)
	require.Equal(w.t, http.StatusForbidden, rec.Code)
	reference := w.lastVerdict().Reference
	require.Equal(w.t, []string{reference}, referencePattern.FindAllString(
		strings.ReplaceAll(regexp.MustCompile(`<a [^>]*>`).ReplaceAllString(rec.Body.String(), ""), "%20", " "), -1))
	lines := strings.Split(strings.TrimSpace(w.logs.String()), "\n")
	var last map[string]any
	require.NoError(w.t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.Equal(w.t, reference, last["reference"])
	require.Equal(w.t, "saml attributes refused", last["msg"])
	require.Equal(w.t, "refused", last["verdict"])
	return rec, last
}

// saml2int SDP-SP12: the page names what is missing, and whom to ask.
func TestMissingAttributes(t *testing.T) {
	w := withMetadata(t, errorURLs, displayName("de", "Universität Eins")+displayName("en-GB", "University of One"),
		contactPerson("technical", "Engineers", "it@idp.example", "+1 555 0101")+
			contactPerson("support", "Help Desk", "mailto:help@idp.example", "+1 555 0100"))
	rec, logged := w.refusal(decoding[struct {
		Mail string   `saml:"mail,required"`
		Role []string `saml:"eduPersonScopedAffiliation,required"`
		Own  string   `saml:"https://one.example/own,required"`
	}](t))
	body := rec.Body.String()
	require.Contains(t, body, "<h1>Information about you is missing</h1>")
	require.Contains(t, body, "<bdi>University of One</bdi>")
	require.Contains(t, body, "<li><bdi>mail</bdi> <span><bdi>urn:oid:0.9.2342.19200300.100.1.3</bdi></span></li>")
	require.Contains(t, body, "<li><bdi>https://one.example/own</bdi></li>")
	require.Contains(t, body, "<bdi>Help Desk</bdi>: ")
	require.Contains(t, body, "<bdi>&#43;1 555 0100</bdi>")
	require.Contains(t, body, "at <bdi>help.idp.example</bdi>")
	require.NotContains(t, body, "Engineers")
	require.NotContains(t, body, "alice")
	require.Equal(t, "AttributeMissing", logged["reason"])
	require.Contains(t, logged["detail"], "https://one.example/own is missing, too")
	require.Equal(t, "alice@example.com", logged["name_id"])

	to := links(body)
	require.Len(t, to, 3)
	require.Equal(t, "/login", to[2])
	help, err := url.Parse(to[0])
	require.NoError(t, err)
	require.Equal(t, "/IDENTIFICATION_FAILURE", help.Path)
	require.Equal(t, url.Values{
		"ts": {strconv.FormatInt(w.clock.Now().Unix(), 10)}, "rp": {entityID}, "tid": {w.lastVerdict().Reference},
		"ctx": {"mail eduPersonScopedAffiliation https://one.example/own"},
	}, help.Query())
	mail, err := url.Parse(to[1])
	require.NoError(t, err)
	require.Equal(t, "help@idp.example", mail.Opaque)
	require.Equal(t, url.Values{"subject": {"Sign-in: Information about you is missing"}, "body": {strings.Join([]string{
		"Service: " + entityID, "Reference: " + w.lastVerdict().Reference,
		"Attribute: mail, urn:oid:0.9.2342.19200300.100.1.3",
		"Attribute: eduPersonScopedAffiliation, urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
		"Attribute: https://one.example/own", "",
	}, "\r\n")}}, mail.Query())

	for name, want := range map[string]string{
		"Cache-Control": "no-cache, no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Content-Type": "text/html; charset=utf-8",
	} {
		require.Equal(t, want, rec.Header().Get(name))
	}
	require.Regexp(t, `^default-src 'none'; base-uri 'none'; frame-ancestors 'none'; `+
		`style-src 'sha256-[^;]+'; form-action 'none'$`,
		rec.Header().Get("Content-Security-Policy"))
	require.Len(t, w.verdicts, 1, "OnVerdict is not called again")
}

// The codes of the errorURL profile, by what can't be used.
func TestMissingAttributesCodes(t *testing.T) {
	named := func(reason saml.Reason, names ...string) error {
		e := &saml.Error{Reason: reason, Got: "secret-value"}
		for _, n := range names {
			e.Attributes = append(e.Attributes, saml.AttributeName{Name: "urn:" + n, FriendlyName: n})
		}
		return fmt.Errorf("wrapped: %w", e)
	}
	for want, err := range map[string]error{
		"IDENTIFICATION_FAILURE?subject-id":        named(saml.ReasonScope, "subject-id"),
		"IDENTIFICATION_FAILURE?mail isMemberOf":   named(saml.ReasonAttributeMissing, "mail", "isMemberOf"),
		"AUTHORIZATION_FAILURE?eduPersonAssurance": named(saml.ReasonAttributeType, "eduPersonAssurance"),
		"AUTHORIZATION_FAILURE?groups role":        named(saml.ReasonAttributeMissing, "groups", "role"),
		"OTHER_ERROR?":                             errors.New("the program's own"),
	} {
		w := withMetadata(t, "https://idp.example/ERRORURL_CODE?ERRORURL_CTX", "", "")
		rec, _ := w.refusal(refusing(err))
		help, parseErr := url.Parse(links(rec.Body.String())[0])
		require.NoError(t, parseErr)
		context, parseErr := url.PathUnescape(help.RawQuery)
		require.NoError(t, parseErr)
		require.Equal(t, want, strings.Trim(help.Path, "/")+"?"+context)
		require.NotContains(t, rec.Body.String(), "secret-value")
		missing := strings.Contains(rec.Body.String(), "Information about you is missing")
		require.Equal(t, strings.Contains(fmt.Sprint(err), "AttributeMissing"), missing)
	}
}

// Without contacts in the metadata, and without metadata, the page still says whom to ask.
func TestMissingAttributesWithoutSupport(t *testing.T) {
	w := newWorld(t)
	rec, logged := w.refusal(refusing(errors.New("the program's\nown")))
	require.Equal(t, []string{"/login"}, links(rec.Body.String()))
	require.Contains(t, rec.Body.String(),
		"Ask your administrator for help. Only your identity provider, <bdi>idp.example</bdi>, can")
	require.Equal(t, `the program's\nown`, logged["detail"])

	w, known := severalWorld(t)
	us, b := w.region("us-east-1", chosen, func(c *acs.Config) {
		c.OnLogin = func(rw http.ResponseWriter, r *http.Request, l *acs.Login) {
			delete(known, idpID) // it leaves just then
			l.MissingAttributes(rw, r, nil)
		}
	}), w.browser()
	req := b.login(us, usACS, "?idp="+idpID)
	rec = b.answer(us, w.good(usACS, req.id), req.relayState)
	require.Equal(t, http.StatusForbidden, rec.Code)
	require.Contains(t, rec.Body.String(),
		"Ask your administrator for help. Only your identity provider, <bdi>idp.example</bdi>, can")

	rec = httptest.NewRecorder()
	new(acs.Login).MissingAttributes(rec, httptest.NewRequest(http.MethodPost, "/", nil), nil)
	require.Equal(t, http.StatusForbidden, rec.Code, "a Login of a test")
}

// Security and billing contacts aren't for users.
func TestMissingAttributesContact(t *testing.T) {
	other := contactPerson("billing", "B", "b@idp.example", "1") + contactPerson("other", "O", "o@idp.example", "2")
	administrative := contactPerson("administrative", "A", "a@idp.example", "")
	technical := contactPerson("technical", "", "t@idp.example", "")
	for contacts, want := range map[string]string{
		other: "", other + administrative: "a@idp.example", other + administrative + technical: "t@idp.example",
	} {
		w := withMetadata(t, "", "", contacts)
		rec, _ := w.refusal(refusing(nil))
		mails := regexp.MustCompile(`mailto:([^?]*)`).FindStringSubmatch(rec.Body.String())
		require.Equal(t, want, strings.Join(mails[min(len(mails), 1):], ""))
	}
}

// Our own contact for support is on the page, also where the identity provider has none.
//
// Obligations: SDP-SP12.
func TestMissingAttributesOwnSupport(t *testing.T) {
	ours := []saml.Contact{
		{Type: saml.ContactTechnical, Emails: []string{"it@signin.example"}},
		{Type: saml.ContactSupport, Company: "Our <Desk>", Emails: []string{"desk@signin.example"}},
	}
	for contacts, want := range map[string][]string{
		"": {"desk@signin.example"},
		contactPerson("support", "Help", "help@idp.example", ""): {"help@idp.example", "desk@signin.example"},
	} {
		w := withMetadata(t, "", "", contacts, ours...)
		rec, _ := w.refusal(refusing(nil))
		var to []string
		for _, m := range regexp.MustCompile(`mailto:([^?]*)`).FindAllStringSubmatch(rec.Body.String(), -1) {
			to = append(to, m[1])
		}
		require.Equal(t, want, to)
		require.Contains(t, rec.Body.String(), "<bdi>Our &lt;Desk&gt;</bdi>: ")
		require.Contains(t, rec.Body.String(), "support of this service")
		require.NotContains(t, rec.Body.String(), "it@signin.example")
	}
}

// Nothing in metadata becomes markup, a script or a parameter of its own.
func TestMissingAttributesHostileMetadata(t *testing.T) {
	const evil = `"><script>alert(1)</script><a href='javascript:alert(2)'>&amp;`
	w := withMetadata(t, `https://idp.example/"><script>alert(3)</script>?ERRORURL_CODE#'onclick=x`,
		displayName("en", evil),
		contactPerson("support", evil, "javascript:alert(4)", "&lt;b&gt;5")+
			contactPerson("support", evil, `help@idp.example?bcc=evil@evil.example`, ""))
	missing := &saml.Error{Reason: saml.ReasonAttributeMissing, Attributes: []saml.AttributeName{{Name: evil}}}
	rec, _ := w.refusal(refusing(missing))
	body := rec.Body.String()
	require.NotContains(t, body, "<script")
	require.NotContains(t, body, "<b>")
	require.NotContains(t, body, `'onclick`)
	for _, to := range links(body) {
		require.Regexp(t, `^(https://idp\.example/|/login$)`, to)
	}
	require.Len(t, links(body), 2)

	for _, bad := range []string{"javascript:alert(1)", "data:text/html,x", "http://idp.example/", usACS} {
		w := withMetadata(t, bad, "", "")
		rec, _ := w.refusal(refusing(nil))
		require.Equal(t, []string{"/login"}, links(rec.Body.String()), bad)
	}
}

// Neither does a log of the Login name the user.
func TestLoginInALog(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	req := b.login(us, usACS, "")
	l := w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		require.NotContains(t, fmt.Sprintf(verb, *l), "alice", verb)
	}
}
