package mockidp

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// appDetails is the body of the page about an app.
type appDetails struct {
	tile
	SAML     bool
	Catalog  bool
	Metadata string // address
	Sections []section
	ACS      []acsRow
	NoAsking bool // signed requests: the list can't be asked for
}

type section struct {
	Name string
	Rows []row
}

type row struct {
	Name   string
	Values []string
	Link   bool // they are addresses to follow
	Plain  bool // they are words, not what stands in a message
}

type acsRow struct {
	Field, URL, Index string
	Default           bool
}

// handleApp is what the app is configured to. There are no administrators
// here: whoever has the tile may look.
func (s *Server) handleApp(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	if user == nil {
		s.redirect(w, r, pathSignIn)
		return nil
	}
	app, err := st.app(r.PathValue("id"))
	if err == nil && !app.openTo(user) {
		err = notAssigned(app, user)
	}
	if err != nil {
		return err
	}
	s.render(w, http.StatusOK, "app", page{Title: app.Label, User: user, Body: s.details(st, app)})
	return nil
}

func (s *Server) details(st *state, a *App) appDetails {
	d := appDetails{tile: s.tile(a), SAML: a.Kind == SAML, Catalog: a.IdentityCenter != nil, NoAsking: a.SignedRequests}
	assigned := section{"Assignments", []row{{Name: "People", Values: a.Users, Plain: true}, {Name: "Groups", Values: a.Groups, Plain: true}}}
	if a.Kind == Bookmark {
		d.Sections = []section{{"Bookmark", []row{{Name: "URL", Values: []string{a.URL}, Link: true}}}, assigned}
		return d
	}
	d.Metadata = s.metadataURL(a)
	for i, x := range a.ACS {
		d.ACS = append(d.ACS, a.acsRow(i, x))
	}
	d.Sections = []section{s.identityProvider(st, a), a.serviceProvider(), a.subjectSection(), a.protection(), assigned}
	return d
}

func (a *App) acsRow(i int, x ACS) acsRow {
	r := acsRow{URL: x.URL, Index: "none", Default: x == a.DefaultACS()}
	if x.Index != nil {
		r.Index = strconv.Itoa(int(*x.Index))
	}
	switch {
	case a.IdentityCenter != nil && i == 0:
		r.Field = "AWS SSO ACS URL"
	case a.IdentityCenter != nil:
		r.Field = "AWS SSO ACS URL" + r.Index
	case a.Profile == Entra:
		r.Field = "Reply URL"
	case i == 0:
		r.Field = "Single sign-on URL"
	default:
		r.Field = "Other requestable SSO URL"
	}
	return r
}

func (s *Server) identityProvider(st *state, a *App) section {
	signer, err := st.signer(a)
	method := string(signer.method)
	if err != nil {
		method = err.Detail
	}
	return section{"Identity provider", []row{
		one("Issuer", a.Issuer),
		one("Sign-on URL", s.ssoURL(a)),
		one("Metadata URL", s.metadataURL(a)),
		one("Signing key", signer.key.id),
		one("Signature algorithm", method),
	}}
}

func (a *App) serviceProvider() section {
	audience := "Audience (SP entity ID)"
	if a.IdentityCenter != nil {
		audience = "AWS SSO issuer URL"
	}
	return section{"Service provider", []row{
		orPlain(audience, a.Audience, "not registered yet"),
		orPlain("Recipient", a.Recipient, "same as the URL"),
		orPlain("Destination", a.Destination, "same as the URL"),
		orPlain("Default RelayState", a.DefaultRelayState, "none"),
		plain("URL that isn't listed", map[UnlistedACS]string{Reject: "refused", UseDefault: "the default is used"}[a.Unlisted]),
	}}
}

func (a *App) subjectSection() section {
	format := one("Name ID format", a.NameIDFormat)
	if a.IgnoreNameIDPolicy {
		format.Values[0] += ", whatever a request asks for"
	}
	rows := []row{format, one("Name ID", a.NameIDTemplate)}
	for _, at := range a.Attributes {
		rows = append(rows, row{Name: "Attribute " + at.Name, Values: at.Values})
	}
	filters := map[Filter]string{AllGroups: "all groups", StartsWith: "groups that start with ", Equals: "groups equal to ",
		Contains: "groups that contain ", Regex: "groups that match "}
	for _, g := range a.GroupStatements() {
		rows = append(rows, plain("Attribute "+cmp.Or(g.Name, "groups"), filters[g.Filter]+g.Value))
	}
	return section{"Assertion", rows}
}

func (a *App) protection() section {
	encrypted := "no"
	if a.Encrypt != nil {
		encrypted = strings.TrimPrefix(strings.TrimPrefix(string(a.Encrypt.Method), nsXEnc), nsXEnc11)
	}
	yes := map[bool]string{true: "yes", false: "no"}
	lifetime := "not stated"
	if a.SessionLifetime > 0 {
		lifetime = a.SessionLifetime.String()
	}
	return section{"Protection", []row{
		plain("Signed", map[Signing]string{SignBoth: "response and assertion", SignResponse: "response", SignAssertion: "assertion"}[a.Sign]),
		plain("Encrypted", encrypted),
		plain("Requests must be signed", yes[a.SignedRequests]),
		plain("Honors ForceAuthn", yes[!a.IgnoreForceAuthn]),
		plain("Session lifetime", lifetime),
	}}
}

func one(name, value string) row { return row{Name: name, Values: []string{value}} }

func plain(name, words string) row { return row{Name: name, Values: []string{words}, Plain: true} }

// orPlain is a value, or words where there is none.
func orPlain(name, value, words string) row {
	if value == "" {
		return plain(name, words)
	}
	return one(name, value)
}
