package run_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// discovered completes a Target that has a sign-in page only.
func discovered(t *testing.T, login string) (run.Target, []run.Discovery) {
	t.Helper()
	out, found, err := run.Discover(t.Context(), run.Target{Login: login, IdP: sharedIdP()})
	require.NoError(t, err)
	return out, found
}

// Of Meridian's service provider the sign-in page is enough.
func TestDiscoverOurs(t *testing.T) {
	want := ours(t, acs.Refuse)
	got, found := discovered(t, want.Login)
	assert.Equal(t, want.EntityID, got.EntityID)
	assert.Equal(t, want.ACS, got.ACS)
	assert.Equal(t, want.OtherACS, got.OtherACS)
	assert.Equal(t, want.EncryptTo, got.EncryptTo)
	assert.Equal(t, want.ArtifactACS, got.ArtifactACS)
	assert.Equal(t, want.Probe, got.Probe)
	assert.Equal(t, `\A<html><body>Signed in as <b>([^<]{1,256})<`, got.Identity.String())
	site := strings.TrimSuffix(want.Login, "/login")
	var from []string
	for _, d := range found {
		from = append(from, d.Field+" from "+strings.TrimPrefix(d.From, site))
	}
	assert.Equal(t, []string{
		"EntityID from the AuthnRequest", "ACS from the AuthnRequest", "Metadata from the usual paths",
		"OtherACS from /metadata", "ArtifactACS from /metadata", "EncryptTo from /metadata",
		`Probe from a sign-in as "alice@example.com"`, `Identity from a sign-in as "alice@example.com"`,
	}, from)

	got.Only = []string{"A03", "B01", "E07", "D02"}
	report := attacked(t, got)
	assert.Equal(t, 0, report.Exit(), report.Summary())
	assert.Zero(t, report.Count(run.NotRun))

	fixed := want // what is set stays
	fixed.Identity = nil
	same, found, err := run.Discover(t.Context(), fixed)
	require.NoError(t, err)
	assert.Equal(t, want.Probe, same.Probe)
	assert.Len(t, found, 1)
}

// A page with a link to the sign-in is enough, and so is a page at a host with a usual path.
func TestDiscoverLogin(t *testing.T) {
	at := site{show: func(w http.ResponseWriter, user string) {
		fmt.Fprintf(w, `<b>%s</b> <a href="/logout">Sign out</a> <a href='http://192.0.2.1/sso'>Sign in there</a>
			<a class=x href=login>Sign in</a>`, user)
	}}.start(t)
	for _, page := range []string{"/", "/nowhere"} {
		got, found := discovered(t, at+page)
		assert.Equal(t, at+"/login", got.Login)
		assert.Equal(t, run.Discovery{Field: "Login", Value: at + "/login", From: at + page}, found[0])
	}
}

// site is a service provider that trusts every message and shows users in its own way.
type site struct {
	path  string                                // of the page with the user; "" for /
	user  func(response []byte) string          // "": NameID
	show  func(w http.ResponseWriter, u string) // u is "" if no user is signed in
	known []string                              // users; nil: all
	after string                                // where a sign-in leads; "": nowhere
}

func (s site) start(t *testing.T) string {
	t.Helper()
	users, mux := new(sessions), http.NewServeMux()
	at := serve(t, "site", mux)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirectTo(t, at), http.StatusFound)
	})
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		user := s.user
		if user == nil {
			user = func(response []byte) string { return firstNameID(read(response)) }
		}
		name := user([]byte(r.FormValue("SAMLResponse")))
		if s.known != nil && !strings.Contains(strings.Join(s.known, " "), name) {
			http.Error(w, "no such user", http.StatusForbidden)
			return
		}
		users.signIn(w, name)
		if s.after != "" {
			http.Redirect(w, r, s.after, http.StatusSeeOther)
		}
	})
	path := "GET /{$}"
	if s.path != "" {
		path = "GET " + s.path
	}
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.show(w, users.user(r)) })
	return at
}

// Users are found on pages of many forms.
func TestDiscoverIdentity(t *testing.T) {
	format := func(in, out string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, user string) {
			if user == "" {
				fmt.Fprint(w, out)
				return
			}
			fmt.Fprintf(w, in, user)
		}
	}
	for name, c := range map[string]struct {
		site
		probe, identity string
	}{
		"text":            {site{show: format("Hello %s.", "Hello.")}, "/", `\AHello ((?s:.){1,256}?)\.\z`},
		"a line":          {site{show: format("a\nuser=%s\nb\n", "a\nuser=\nb\n")}, "/", `user=([^\n]{1,256})\n`},
		"nothing else":    {site{show: format("%s", "")}, "/", `\A((?s:.){1,256}?)\z`},
		"empty element":   {site{show: format("<p><b>%s</b></p>", "<p><b></b></p>")}, "/", `\A<p><b>([^<]{1,256})<`},
		"another element": {site{show: format("<b>x</b><i>%s</i>", "<b>x</b>")}, "/", `\A<b>x</b><i>([^<]{1,256})<`},
		"only a link": {site{show: format("<a href='/u?%[1]s'>x</a> <b>%[1]s</b>", "")}, "/",
			`\A<a href='/u\?([^']{1,256})'`},
		"a session ID": {site{show: func(w http.ResponseWriter, user string) {
			if user != "" {
				fmt.Fprintf(w, "<p id='%s'>You are %s</p>", rand.Text(), user)
			}
		}}, "/", `'>You are ([^<]{1,256})<`},
		"JSON": {site{path: "/api/me", show: func(w http.ResponseWriter, user string) {
			_ = json.NewEncoder(w).Encode(map[string]string{"user": user})
		}}, "/api/me", `\A\{"user":"([^"]{1,256})"`},
		"after the sign-in": {site{path: "/deep/page", after: "/deep/page", show: format("I am <i>%s</i>", "user@site")},
			"/deep/page", `\AI am <i>([^<]{1,256})<`},
		"known users only": {site{known: []string{"alice@example.com"}, show: format("<u>%s</u>", "")}, "/",
			`\A<u>([^<]{1,256})<`},
	} {
		t.Run(name, func(t *testing.T) {
			at := c.start(t)
			got, _ := discovered(t, at+"/login")
			assert.Equal(t, at+c.probe, got.Probe)
			require.NotNil(t, got.Identity)
			if name == "a session ID" { // the end of the ID may be the same twice
				assert.Regexp(t, regexpEnd(c.identity), got.Identity.String())
				return
			}
			assert.Equal(t, c.identity, got.Identity.String())
		})
	}
}

func regexpEnd(s string) string { return `\Q` + s + `\E$` }

// A pattern finds the name in both pages, and none in the page without a user, whatever is around the names.
func FuzzIdentityPattern(f *testing.F) {
	f.Add("Hello ", "!", "Hello ", "!", "Hello guest")
	f.Add("<b>", "</b>", "\xff<b>", "</b>\xff", "")
	f.Add("a\n\x00", "\r\n[", "b\n\x00", "\r\n(", "\n\x00alice@example.com\r\n")
	f.Fuzz(func(t *testing.T, before, after, otherBefore, otherAfter, without string) {
		const one, other = "alice@example.com", "admin@example.com"
		re := run.IdentityPattern(before+one+after, one, otherBefore+other+otherAfter, other, without)
		if re == nil {
			return
		}
		assert.Equal(t, one, re.FindStringSubmatch(before + one + after)[1])
		assert.Equal(t, other, re.FindStringSubmatch(otherBefore + other + otherAfter)[1])
		assert.False(t, re.MatchString(without))
		again, err := regexp.Compile(re.String()) // it is printed as a flag
		assert.NoError(t, err)
		assert.NotContains(t, again.String(), "\n")
	})
}

// An attribute may name the user.
func TestDiscoverIdentityAttribute(t *testing.T) {
	at := site{
		user: func(response []byte) string {
			return read(response).FindElement("//Attribute[@Name='email']/AttributeValue").Text()
		},
		show: func(w http.ResponseWriter, user string) { fmt.Fprintf(w, "<b>%s</b>", user) },
	}.start(t)
	got, found := discovered(t, at+"/login")
	assert.Equal(t, "email", got.IdentityAttribute)
	assert.Contains(t, found, run.Discovery{Field: "IdentityAttribute", Value: "email", From: `a sign-in as "alice@example.com"`})
	got.Only, got.Sign = []string{"B36"}, []attack.Sign{attack.SignAssertion}
	assert.Equal(t, run.LetIn, result(t, attacked(t, got), "B36").Verdict)
}

// An identity provider that is trusted already has the address that the request is for.
func TestDiscoverSSOURL(t *testing.T) {
	at := site{show: func(w http.ResponseWriter, user string) { fmt.Fprintf(w, "<b>%s</b>", user) }}.start(t)
	idp := *sharedIdP()
	idp.SSOURL = ""
	got, found, err := run.Discover(t.Context(), run.Target{Login: at + "/login", IdP: &idp})
	require.NoError(t, err)
	assert.Equal(t, run.DefaultSSOURL, got.IdP.SSOURL)
	assert.Equal(t, "IdP.SSOURL", found[0].Field)

	idp.SSOURL = "http://idp.localhost/other"
	_, _, err = run.Discover(t.Context(), run.Target{Login: at + "/login", IdP: &idp})
	assert.ErrorContains(t, err, `want this identity provider's "http://idp.localhost/other"`)
}

// If something can't be found, the error says what was tried.
func TestDiscoverFails(t *testing.T) {
	silent := site{show: func(w http.ResponseWriter, _ string) { fmt.Fprint(w, "Welcome") }}.start(t)
	mux := http.NewServeMux()
	empty := serve(t, "empty", mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hello") })
	strict := site{known: []string{}, show: func(w http.ResponseWriter, u string) { fmt.Fprint(w, u) }}.start(t)
	for name, c := range map[string]struct {
		change func(*run.Target)
		wants  []string
	}{
		"no server":  {func(to *run.Target) { to.Login = "http://127.0.0.1:1/login" }, []string{"the sign-in page can't be read"}},
		"no sign-in": {func(to *run.Target) { to.Login = empty + "/" }, []string{"no sign-in begins at " + empty, "Hello"}},
		"no page":    {func(to *run.Target) { to.Login = silent + "/login" }, []string{"no page shows", silent + "/"}},
		"no trust":   {func(to *run.Target) { to.Login = strict + "/login" }, []string{"no such user", "status 403"}},
		"no metadata": {func(to *run.Target) { to.IdPInitiated, to.ACS = true, silent+"/acs" },
			[]string{"EntityID is not known"}},
		"other machines": {func(to *run.Target) { to.Login = "http://192.0.2.1/login" }, []string{"is not on this machine"}},
	} {
		t.Run(name, func(t *testing.T) {
			to := run.Target{IdP: sharedIdP()}
			c.change(&to)
			_, _, err := run.Discover(t.Context(), to)
			var e *attack.Error
			require.ErrorAs(t, err, &e)
			for _, want := range c.wants {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

// Metadata fills in what is empty, and no more.
func TestUseMetadata(t *testing.T) {
	descriptor := func(inner string) []byte {
		return []byte(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="sp">` + inner +
			`</md:EntityDescriptor>`)
	}
	service := func(binding, location, more string) string {
		return fmt.Sprintf(`<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:%s" Location="%s" %s/>`,
			binding, location, more)
	}
	sp := func(inner string) string { return `<md:SPSSODescriptor>` + inner + `</md:SPSSODescriptor>` }
	key := fmt.Sprintf(`<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
		<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
		base64.StdEncoding.EncodeToString(testkit.Certificate(spKey(), time.Now()).Raw))
	all := descriptor(sp(key + service("HTTP-Artifact", "https://sp/artifact", "") + service("HTTP-POST", "https://sp/2", "") +
		service("HTTP-POST", "https://sp/1", `isDefault="true"`)))
	var to run.Target
	require.NoError(t, to.UseMetadata(all))
	assert.Equal(t, run.Target{
		EntityID: "sp", ACS: "https://sp/1", OtherACS: "https://sp/2", ArtifactACS: "https://sp/artifact",
		EncryptTo: &spKey().PublicKey,
	}, to)
	to = run.Target{EntityID: "mine", ACS: "https://sp/2"}
	require.NoError(t, to.UseMetadata(all))
	assert.Equal(t, []string{"mine", "https://sp/2", "https://sp/1"}, []string{to.EntityID, to.ACS, to.OtherACS})

	for want, doc := range map[string][]byte{
		"EOF": nil, "one SPSSODescriptor": descriptor(""), "HTTP-POST": descriptor(sp(service("PAOS", "https://sp/1", ""))),
	} {
		var to run.Target
		err := to.UseMetadata(doc)
		var e *attack.Error
		require.ErrorAs(t, err, &e)
		assert.ErrorContains(t, err, want)
		assert.Equal(t, run.Target{}, to)
	}
}

// Fetch reads pages of this machine only.
func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	at := serve(t, "sp", mux)
	mux.HandleFunc("GET /metadata", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<x/>") })
	mux.Handle("GET /away", http.RedirectHandler("http://192.0.2.1/metadata", http.StatusFound))
	to := run.Target{IdP: sharedIdP()}
	text, err := to.Fetch(t.Context(), at+"/metadata")
	require.NoError(t, err)
	assert.Equal(t, "<x/>", string(text))
	for path, want := range map[string]string{"/none": "status 404", "/away": "status 302"} {
		_, err = to.Fetch(t.Context(), at+path)
		assert.ErrorContains(t, err, want)
	}
	_, err = to.Fetch(t.Context(), (&url.URL{Scheme: "http", Host: "192.0.2.1"}).String())
	assert.ErrorContains(t, err, "is not on this machine")
}
