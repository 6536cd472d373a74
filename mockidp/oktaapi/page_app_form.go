package oktaapi

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// appKinds are the forms of a new app, by the query's kind.
var appKinds = []struct {
	Kind, Text string
	zero       func() mockidp.App
}{
	{"saml", "SAML 2.0, like Okta", func() mockidp.App { return mockidp.App{} }},
	{"entra", "SAML 2.0, like Entra ID", func() mockidp.App { return mockidp.App{Profile: mockidp.Entra} }},
	{"identity-center", "AWS IAM Identity Center, from Okta's catalogue", func() mockidp.App {
		return mockidp.App{IdentityCenter: &mockidp.IdentityCenter{}}
	}},
	{"bookmark", "Bookmark", func() mockidp.App { return mockidp.App{Kind: mockidp.Bookmark} }},
}

// appForm is the form of an app like a, or of a new one.
func (v *visit) appForm(a mockidp.App, isNew bool) form[mockidp.App] {
	f := form[mockidp.App]{appGeneral(a)}
	if a.Kind == mockidp.SAML {
		f = append(f, serviceProviderSection(a), nameIDSection(), statementSection(), groupStatementSection(),
			v.signingSection(a, isNew), encryptionSection(), requestSection(a), behaviourSection(a))
	}
	if isNew {
		f = append(f, identifierSection(a))
	}
	return f
}

func appGeneral(a mockidp.App) section[mockidp.App] {
	s := section[mockidp.App]{title: "General", inputs: []input[mockidp.App]{
		required(textInput("label", "Label", "The text of the app's tile.",
			func(a *mockidp.App) *string { return &a.Label }, "App.Label"))}}
	switch {
	case a.Kind == mockidp.Bookmark:
		s.inputs = append(s.inputs, required(textInput("url", "URL", "Where the tile leads.",
			func(a *mockidp.App) *string { return &a.URL }, ": URL")))
	case a.IdentityCenter == nil:
		s.inputs = append(s.inputs, selectInput("profile", "Behaves like", "", []word[mockidp.Profile]{
			{mockidp.Okta, "Okta"}, {mockidp.Entra, "Microsoft Entra ID"}},
			func(a *mockidp.App) *mockidp.Profile { return &a.Profile }, "Profile"))
	}
	return s
}

// identifierSection has what a new app may choose and an old one keeps.
func identifierSection(mockidp.App) section[mockidp.App] {
	const about = "ID, ExternalKey and Name"
	return section[mockidp.App]{title: "Identifiers", folded: true, intro: "Empty: derived from the label.",
		inputs: []input[mockidp.App]{
			textInput("id", "ID", "", func(a *mockidp.App) *string { return &a.ID }, about, "same ID or ExternalKey"),
			textInput("externalKey", "External key", "The app's part of the SAML paths.",
				func(a *mockidp.App) *string { return &a.ExternalKey }),
			textInput("name", "Name", "The readable part of the sign-on path.",
				func(a *mockidp.App) *string { return &a.Name }),
		}}
}

func serviceProviderSection(a mockidp.App) section[mockidp.App] {
	s := section[mockidp.App]{title: "Service provider"}
	if a.IdentityCenter != nil {
		s.inputs = identityCenterInputs()
	} else {
		s.inputs = []input[mockidp.App]{
			textInput("audience", "Audience", "The service provider's entity ID.",
				func(a *mockidp.App) *string { return &a.Audience }, "same Audience"),
			{name: "acs", label: "Assertion consumer services", hint: acsHint(a), words: []string{"ACS", "index",
				"assertion consumer services"}, rows: acsRows(a)},
		}
	}
	s.inputs = append(s.inputs,
		selectInput("unlisted", "A request that names an unlisted URL", "", []word[mockidp.UnlistedACS]{
			{mockidp.Reject, "is refused"}, {mockidp.UseDefault, "is answered at the default URL"}},
			func(a *mockidp.App) *mockidp.UnlistedACS { return &a.Unlisted }),
		textInput("relayState", "Default RelayState", "Sent in IdP-initiated sign-in only.",
			func(a *mockidp.App) *string { return &a.DefaultRelayState }, "DefaultRelayState"),
		textInput("recipient", "Recipient", "Sent instead of the default URL. Empty: the URL itself.",
			func(a *mockidp.App) *string { return &a.Recipient }, ": Recipient"),
		textInput("destination", "Destination", "Likewise.",
			func(a *mockidp.App) *string { return &a.Destination }, ": Destination"))
	return s
}

func acsHint(a mockidp.App) string {
	if a.Profile == mockidp.Entra {
		return "Assertion consumer services. The default is the marked one, else the first. An index is optional."
	}
	return "Assertion consumer services. The first is the default. An empty index becomes the next free number."
}

const maxRowsACS = 100

func acsRows(a mockidp.App) *rows[mockidp.App] {
	columns := []column{{name: "url", label: "URL", kind: "text"}, {name: "index", label: "Index", kind: "number"}}
	entra := a.Profile == mockidp.Entra
	if entra {
		columns = append(columns, column{name: "default", label: "Default", kind: "select",
			options: []option{{"", "no"}, {"on", "yes"}}})
	}
	encode := func(x mockidp.ACS) []string {
		cells := []string{x.URL, ""}
		if x.Index != nil {
			cells[1] = strconv.Itoa(int(*x.Index))
		}
		if entra {
			cells = append(cells, map[bool]string{true: "on"}[x.Default])
		}
		return cells
	}
	decode := func(cells []string) (x mockidp.ACS, err error) {
		x.URL = strings.TrimSpace(cells[0])
		if x.URL == "" {
			return x, errors.New("the URL is missing")
		}
		if s := strings.TrimSpace(cells[1]); s != "" {
			n, err := strconv.ParseUint(s, 10, 16)
			if err != nil {
				return x, fmt.Errorf("want an index from 0 to 65535, got %s", quote(s))
			}
			x.Index = new(uint16(n))
		}
		x.Default = entra && cells[2] != ""
		return x, nil
	}
	put := func(a *mockidp.App, list []mockidp.ACS) {
		if a.ACS = list; !entra {
			number(list)
		}
	}
	return listRows(maxRowsACS, columns, func(a *mockidp.App) []mockidp.ACS { return a.ACS }, put, encode, decode)
}

// number gives an index to the services without one, if others have one.
func number(list []mockidp.ACS) {
	used := map[uint16]bool{}
	for _, x := range list {
		if x.Index != nil {
			used[*x.Index] = true
		}
	}
	for i := range list {
		if len(used) > 0 && list[i].Index == nil {
			free := uint16(0)
			for used[free] { // at most 100 are used
				free++
			}
			used[free], list[i].Index = true, &free
		}
	}
}

func identityCenterInputs() []input[mockidp.App] {
	url := func(name, label string, at func(*mockidp.IdentityCenter) *string, words ...string) input[mockidp.App] {
		return textInput(name, label, "", func(a *mockidp.App) *string { return at(a.IdentityCenter) }, words...)
	}
	out := []input[mockidp.App]{
		url("issuerURL", "AWS SSO issuer URL", func(c *mockidp.IdentityCenter) *string { return &c.IssuerURL }),
		url("acsURL", "AWS SSO ACS URL", func(c *mockidp.IdentityCenter) *string { return &c.ACSURL },
			"AWS SSO ACS URL is empty", "ACS"),
	}
	for i := range (mockidp.IdentityCenter{}).ACSURLs {
		n := strconv.Itoa(i + 1)
		out = append(out, url("acsURL"+n, "AWS SSO ACS URL"+n,
			func(c *mockidp.IdentityCenter) *string { return &c.ACSURLs[i] }))
	}
	return out
}

func requestSection(mockidp.App) section[mockidp.App] {
	return section[mockidp.App]{title: "Requests and logout", folded: true, inputs: []input[mockidp.App]{
		checkInput("signedRequests", "Refuse requests that aren't signed with one of these keys", "",
			func(a *mockidp.App) *bool { return &a.SignedRequests }),
		certificatesInput("requestCertificates", "Certificates of the service provider", "PEM, RSA or ECDSA.", 20,
			func(a *mockidp.App) []*x509.Certificate { return a.RequestCertificates },
			func(a *mockidp.App, list []*x509.Certificate) { a.RequestCertificates = list }, "RequestCertificate"),
		textInput("logoutURL", "Single logout URL", "Where browsers take LogoutRequests. Empty: they take none.",
			func(a *mockidp.App) *string { return &a.LogoutURL }, "LogoutURL"),
		textInput("logoutResponseURL", "Single logout response URL", "Where LogoutResponses go. Empty: the same.",
			func(a *mockidp.App) *string { return &a.LogoutResponseURL }, "LogoutResponseURL"),
		selectInput("logoutBinding", "Logout messages are sent", "", []word[mockidp.LogoutBinding]{
			{mockidp.LogoutRedirect, "by HTTP-Redirect"}, {mockidp.LogoutPOST, "by HTTP-POST"}},
			func(a *mockidp.App) *mockidp.LogoutBinding { return &a.LogoutBinding }),
		textInput("logoutSOAPURL", "Single logout URL for SOAP", "Where the mock calls. Empty: it doesn't.",
			func(a *mockidp.App) *string { return &a.LogoutSOAPURL }, "LogoutSOAPURL"),
		selectInput("logoutChannel", "The app is told of a logout", "Without a URL for browsers, by SOAP.",
			[]word[mockidp.LogoutChannel]{{mockidp.FrontChannel, "by the browser"}, {mockidp.BackChannel, "by SOAP"},
				{mockidp.HiddenFrame, "in a hidden frame"}},
			func(a *mockidp.App) *mockidp.LogoutChannel { return &a.LogoutChannel }, "LogoutChannel"),
		checkInput("encryptedNameIDs", "Encrypt NameIDs in logout messages", "The metadata then has a key for that, too.",
			func(a *mockidp.App) *bool { return &a.EncryptedNameIDs }),
		checkInput("insecureUnsignedLogout", "Accept logout messages without a signature", "",
			func(a *mockidp.App) *bool { return &a.InsecureUnsignedLogout }),
		checkInput("requireIssuer", "Refuse requests without Issuer", "",
			func(a *mockidp.App) *bool { return &a.RequireIssuer }),
		inverted("honorForceAuthn", "Honor ForceAuthn", "A request with ForceAuthn makes the user sign in again.",
			func(a *mockidp.App) *bool { return &a.IgnoreForceAuthn }),
	}}
}

func behaviourSection(mockidp.App) section[mockidp.App] {
	return section[mockidp.App]{title: "Responses", folded: true, inputs: []input[mockidp.App]{
		textInput("issuer", "Issuer", "The identity provider's entity ID for the app.",
			func(a *mockidp.App) *string { return &a.Issuer }),
		selectInput("responseBinding", "Responses are sent", "", []word[mockidp.ResponseBinding]{
			{mockidp.ResponsePOST, "by HTTP-POST"}, {mockidp.ResponseArtifact, "by HTTP-Artifact, in the address"},
			{mockidp.ResponseArtifactPOST, "by HTTP-Artifact, in a form"}},
			func(a *mockidp.App) *mockidp.ResponseBinding { return &a.ResponseBinding }, "ResponseBinding", "HTTP-Artifact"),
		checkInput("attributeQueries", "Answer attribute queries", "By SOAP, about users of the app.",
			func(a *mockidp.App) *bool { return &a.AttributeQueries }),
		selectInput("refusals", "A user who is refused", "", []word[mockidp.Refusals]{
			{mockidp.RefuseByPage, "sees a page"}, {mockidp.RefuseByStatus, "is sent back with an error status"}},
			func(a *mockidp.App) *mockidp.Refusals { return &a.Refusals }),
		textInput("authnContext", "Authentication context class", "Sent where a request asks for none.",
			func(a *mockidp.App) *string { return &a.AuthnContext }),
		durationInput("sessionLifetime", "Session lifetime",
			"Such as 8h. It becomes SessionNotOnOrAfter. Empty: it isn't sent.",
			func(a *mockidp.App) *time.Duration { return &a.SessionLifetime }, "SessionLifetime"),
	}}
}

func inverted[T any](name, label, hint string, at func(*T) *bool) input[T] {
	in := checkInput(name, label, hint, at)
	get, set := in.get, in.set
	in.get = func(t *T) string { return map[bool]string{true: "on"}[get(t) == ""] }
	in.set = func(t *T, s string) error { return set(t, map[bool]string{true: "on"}[s == ""]) }
	return in
}

func appPath(a mockidp.App) string { return "/apps/" + url.PathEscape(a.ID) }
