package mockidp_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// signedInAt reports whether a browser has a session at an identity provider.
func signedInAt(b *browser, idp *mockidp.Server) bool {
	b.t.Helper()
	p := b.get(idp.DashboardURL())
	_, asked := p.FormWith("password")
	require.Equal(b.t, http.StatusOK, p.Status)
	return !asked
}

// One browser, one login, two tenants: a session at one is none at the other, nor at the Server.
func TestSessionsOfTenantsAreApart(t *testing.T) {
	conf := twoRegions()
	for name, serve := range map[string]func(*mockidp.Server){
		"http": (*mockidp.Server).Start, "https": (*mockidp.Server).StartTLS,
	} {
		for _, odd := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, odd paths %v", name, odd), func(t *testing.T) {
				conf := conf
				conf.OddPaths = odd
				root := mockidp.NewUnstarted(conf)
				t.Cleanup(root.Close)
				early := must(root.Tenant("early"))
				serve(root)
				assert.Equal(t, root.URL+"/t/early", early.URL)
				late := must(root.Tenant("late"))
				assert.Equal(t, root.URL+"/t/late", late.URL)

				b := newBrowser(t, root) // it stays within the Server, which includes its tenants
				home := b.post(early.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
				assert.True(t, strings.HasPrefix(home.URL.String(), early.URL+"/"), home.URL)
				home.contains(t, "N. Virginia")
				assert.True(t, signedInAt(b, early))
				assert.False(t, signedInAt(b, late))
				assert.False(t, signedInAt(b, root))

				b.post(root.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
				assert.True(t, signedInAt(b, root))
				assert.False(t, signedInAt(b, late), "the Server's session is none at a tenant")

				b.post(late.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
				assert.True(t, signedInAt(b, late))
				b.post(late.URL+"/login/signout", url.Values{})
				assert.False(t, signedInAt(b, late))
				assert.True(t, signedInAt(b, early))
				assert.True(t, signedInAt(b, root))
			})
		}
	}
}

// A tenant's session cookie has no effect under the name of another tenant's, and isn't sent there.
func TestCookieOfAnotherTenant(t *testing.T) {
	root := start(t, twoRegions())
	a, b := must(root.Tenant("a")), must(root.Tenant("b"))
	cookie := func(idp *mockidp.Server) *http.Cookie {
		client := idp.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := client.PostForm(idp.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
		require.NoError(t, err)
		resp.Body.Close()
		require.Len(t, resp.Cookies(), 1)
		return resp.Cookies()[0]
	}
	of, other, roots := cookie(a), cookie(b), cookie(root)
	assert.Equal(t, []string{"/t/a/", "/t/b/", "/"}, []string{of.Path, other.Path, roots.Path})
	assert.NotEqual(t, of.Name, other.Name)
	assert.NotEqual(t, of.Name, roots.Name)
	status := func(idp *mockidp.Server, name, value string) int {
		r := must(http.NewRequest("GET", idp.DashboardURL(), nil))
		r.AddCookie(&http.Cookie{Name: name, Value: value})
		resp, err := idp.Client().Transport.RoundTrip(r)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	assert.Equal(t, 200, status(a, of.Name, of.Value))
	for _, c := range []*http.Cookie{of, roots} {
		assert.Equal(t, 303, status(b, other.Name, c.Value), c.Name)
		assert.Equal(t, 303, status(b, c.Name, c.Value), c.Name)
	}
	assert.Equal(t, 303, status(root, roots.Name, of.Value))
}

// A service provider of one tenant refuses an assertion of another, although one key signs both.
func TestAssertionOfAnotherTenant(t *testing.T) {
	for name, app := range map[string]mockidp.App{
		"derived": {}, "issuer given": {Issuer: "https://idp.example/"}, "key given": {ExternalKey: "k1"},
		"Entra": {Profile: mockidp.Entra}, "Entra, issuer given": {Profile: mockidp.Entra,
			Issuer: "https://sts.windows.net/8D1F0A1E-0000-4000-8000-000000000001/"},
	} {
		t.Run(name, func(t *testing.T) {
			app.ID, app.Label, app.Audience, app.Groups = "idc", "App", entityID, []string{mockidp.Everyone}
			app.ACS = []mockidp.ACS{{URL: virginia}}
			root := start(t, mockidp.Config{Key: rsaKey(), Apps: []mockidp.App{app}})
			all := []*mockidp.Server{root, must(root.Tenant("a")), must(root.Tenant("b")), must(root.Tenant("A"))}
			issuers := map[string]bool{}
			for i, at := range all {
				metadata, err := at.Client().Get(at.MetadataURL("idc"))
				require.NoError(t, err)
				metadata.Body.Close()
				require.Equal(t, 200, metadata.StatusCode)
				idp, err := saml.ParseIdPMetadata(at.Metadata("idc"))
				require.NoError(t, err)
				issuers[idp.EntityID()] = true
				sp, err := saml.New(saml.Config{EntityID: entityID, ACS: []saml.Endpoint{{URL: virginia}}, IdP: idp})
				require.NoError(t, err)
				for j, from := range all {
					form, err := from.IdPInitiated("idc", mockidp.DefaultLogin, "")
					require.NoError(t, err)
					_, err = sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: virginia, Unsolicited: true})
					if i == j {
						assert.NoError(t, err)
						continue
					}
					var refused *saml.Error
					require.ErrorAs(t, err, &refused)
					assert.Equal(t, saml.ReasonIssuer, refused.Reason)
				}
			}
			assert.Len(t, issuers, len(all))
		})
	}
}

// Each tenant begins with the Server's configuration, and changes alone.
func TestStateOfTenantsIsApart(t *testing.T) {
	conf := twoRegions()
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{Query: []mockidp.Field{{Name: "attack", Value: m.ID}}}, nil
	}
	conf.StandingMutations = []mockidp.StandingMutation{{ID: "loud", App: "idc"}}
	root := start(t, conf)
	require.NoError(t, root.RemoveUser(bob))
	a, b := must(root.Tenant("a")), must(root.Tenant("b"))
	require.NoError(t, a.AddUser(mockidp.User{Login: "carol@example.com"}))
	made, err := a.AddApp(mockidp.App{Label: "New"})
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(made.Issuer, "/t/a"), made.Issuer)
	a.Advance(time.Hour)
	require.NoError(t, a.QueueUser(alice))
	a.ClearMutations()
	must(a.IdPInitiated("idc", alice, ""))

	assert.Len(t, root.Users(), 1)
	assert.Len(t, a.Users(), 3, "the Server's initial users, not its present ones")
	assert.Len(t, b.Users(), 2)
	assert.Len(t, b.Apps(), 2)
	assert.Len(t, a.Messages(), 1)
	assert.Empty(t, b.Messages())
	assert.Empty(t, b.Queued().Users)
	assert.Zero(t, b.ClockOffset())
	assert.Len(t, b.StandingMutations(), 1)
	assert.Contains(t, must(b.IdPInitiated("idc", alice, "")).URL, "attack=loud")
	assert.Equal(t, []string{"", "a", "b"}, []string{root.TenantName(), a.TenantName(), b.TenantName()})

	a.Reset()
	assert.Len(t, a.Users(), 2)
	assert.Len(t, b.Messages(), 1)
	require.NoError(t, a.RemoveUser(bob))
	root.Reset()
	assert.Len(t, a.Users(), 2, "Reset of the Server resets its tenants")
	assert.Empty(t, b.Messages())
}

// A configuration that replaces those of several tenants leaves each its own entity ID, unless it has one.
func TestReplaceInTenants(t *testing.T) {
	root := start(t, twoRegions())
	issuers := map[string]bool{}
	for _, idp := range []*mockidp.Server{root, must(root.Tenant("a")), must(root.Tenant("b"))} {
		require.NoError(t, idp.Replace(mockidp.Config{Apps: []mockidp.App{{ID: "okta", Label: "New"},
			{ID: "entra", Label: "Other", Profile: mockidp.Entra}, {ID: "given", Label: "Third", Issuer: "urn:given"}}}))
		for _, app := range idp.Apps() {
			if app.ID == "given" {
				assert.Equal(t, "urn:given", app.Issuer)
				continue
			}
			assert.False(t, issuers[app.Issuer], app.Issuer)
			issuers[app.Issuer] = true
		}
	}
}

// SP-initiated sign-in at tenants runs below their prefix, with an app of Entra as with one of Okta.
func TestSignInAtTenants(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Profile = mockidp.Entra
	conf.Apps[0].ACS[0].Index = nil
	root := start(t, conf)
	for _, idp := range []*mockidp.Server{must(root.Tenant("a")), must(root.Tenant("b"))} {
		b := newBrowser(t, idp)
		f := b.signIn(b.get(redirect(idp, request(), "x")), alice, mockidp.DefaultPassword).answer(t)
		assert.Equal(t, virginia, f.URL)
		app, _ := idp.Snapshot().App("idc")
		assert.Equal(t, app.Issuer, text(t, decode(t, f), "./Issuer"))
		must(idp.Answer(redirect(idp, request(), "x"), alice))
	}
	// A request for one tenant's address isn't another's.
	_, err := root.Answer(redirect(must(root.Tenant("a")), request(), "x"), alice)
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, err))
}

func TestFirstUseMakesOneTenant(t *testing.T) {
	root := start(t, twoRegions())
	client := root.Client()
	var all sync.WaitGroup
	var mu sync.Mutex
	found := map[*mockidp.Server]bool{}
	for range 20 {
		all.Go(func() {
			idp, err := root.Tenant("new")
			if assert.NoError(t, err) {
				mu.Lock()
				found[idp] = true
				mu.Unlock()
			}
		})
		all.Go(func() {
			resp, err := client.Get(root.URL + "/t/new/login/login.htm")
			if assert.NoError(t, err) {
				resp.Body.Close()
				assert.Equal(t, 200, resp.StatusCode)
			}
		})
		all.Go(root.Reset)
	}
	all.Wait()
	assert.Len(t, found, 1)
	assert.Len(t, root.Tenants(), 1)
}

func TestNamesOfTenants(t *testing.T) {
	root := start(t, twoRegions())
	long := strings.Repeat("x", 64)
	for _, name := range []string{"a", "A-1", "7", long} {
		idp, err := root.Tenant(name)
		require.NoError(t, err)
		assert.Same(t, idp, must(root.Tenant(name)))
	}
	for _, name := range []string{"", "-a", "a b", "a/b", "..", "a.b", "ä", "a%2fb", long + "x", "a\n"} {
		_, err := root.Tenant(name)
		assert.Equal(t, mockidp.ReasonNoSuchTenant, reason(t, err), name)
	}
	_, err := must(root.Tenant("a")).Tenant("b")
	assert.Equal(t, mockidp.ReasonNoSuchTenant, reason(t, err), "a tenant of a tenant")
	b := newBrowser(t, root)
	for _, path := range []string{"/t/", "/t//", "/t/-a/", "/t/a.b/", "/t/%2e%2e/", "/t/" + long + "x/"} {
		b.get(root.URL+path).refused(t, 404, mockidp.ReasonNoSuchTenant)
	}
	b.get(root.URL+"/t/a/t/b/").refused(t, 404, mockidp.ReasonNoSuchApp)
	b.get(root.URL+"/t").refused(t, 404, mockidp.ReasonNoSuchApp)
	assert.Equal(t, root.URL+"/t/a/login/login.htm", b.get(root.URL+"/t/a").URL.String())
	assert.Len(t, root.Tenants(), 4)

	conf := twoRegions()
	conf.MaxTenants = -1
	none := start(t, conf)
	_, err = none.Tenant("a")
	assert.Equal(t, mockidp.ReasonNoSuchTenant, reason(t, err))
	newBrowser(t, none).get(none.URL+"/t/a/").refused(t, 404, mockidp.ReasonNoSuchTenant)
}

func names(root *mockidp.Server) string {
	var out []string
	for _, idp := range root.Tenants() {
		out = append(out, idp.TenantName())
	}
	return strings.Join(out, " ")
}

// Requests can't make more tenants than the bound, nor drop one that is in use.
func TestTenantsAreBounded(t *testing.T) {
	conf := twoRegions()
	conf.MaxTenants = 3
	root := start(t, conf)
	b := newBrowser(t, root)
	visit := func(name string) page { return b.get(root.URL + "/t/" + name + "/login/login.htm") }
	asked := must(root.Tenant("asked"))
	visit("one")
	visit("two")
	visit("one")
	visit("three")
	assert.Equal(t, "asked one three", names(root), "the oldest unused one was dropped")
	for i := range 20 {
		visit(fmt.Sprint("x", i))
	}
	assert.Equal(t, "asked x18 x19", names(root))

	for _, idp := range root.Tenants()[1:] {
		b := newBrowser(t, idp)
		b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	}
	visit("more").refused(t, 503, mockidp.ReasonTooManyTenants)
	_, err := root.Tenant("more")
	assert.Equal(t, mockidp.ReasonTooManyTenants, reason(t, err))
	assert.Equal(t, "asked x18 x19", names(root))
	root.Reset() // ends the sessions
	visit("more")
	assert.Equal(t, "asked more x19", names(root))

	asked.Close()
	asked.Close()
	assert.Equal(t, "more x19", names(root))
	again := must(root.Tenant("asked"))
	assert.NotSame(t, asked, again)
	asked.Close()
	assert.Equal(t, "asked more x19", names(root), "Close of a tenant that was removed isn't for its successor")
}

func TestKeysOfTenants(t *testing.T) {
	conf := twoRegions()
	root := start(t, conf)
	assert.Equal(t, root.Certificate().Raw, must(root.Tenant("a")).Certificate().Raw)

	conf.TenantKeys, conf.MaxTenants = true, 2
	conf.Apps[0].KeyID = root.Keys()[0].ID
	conf.Certificate = root.Certificate()
	root = start(t, conf)
	a, b := must(root.Tenant("a")), must(root.Tenant("b"))
	certs := map[string]bool{}
	for _, idp := range []*mockidp.Server{root, a, b} {
		certs[string(idp.Certificate().Raw)] = true
		f, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		assert.Equal(t, base64.StdEncoding.EncodeToString(idp.Certificate().Raw),
			text(t, decode(t, f), "./Signature/KeyInfo/X509Data/X509Certificate"))
	}
	assert.Len(t, certs, 3)
	was := a.Certificate().Raw
	other, err := a.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, a.SignWith(other.ID))
	require.NoError(t, a.RetireKey(a.Keys()[0].ID))
	a.SetInitial()
	a.Close()
	c := must(root.Tenant("c"))
	assert.Equal(t, was, c.Certificate().Raw, "no more keys than tenants at a time, and none that a tenant was given")
}

// Without a listener of its own, the Server serves its tenants by Handler.
func TestTenantsOfAHandler(t *testing.T) {
	conf := twoRegions()
	conf.BaseURL = "https://idp.corp.test"
	root := must(mockidp.Open(conf))
	a := must(root.Tenant("a"))
	assert.Equal(t, "https://idp.corp.test/t/a", a.URL)
	for _, h := range []http.Handler{root.Handler(), a.Handler()} {
		for host, want := range map[string]int{"idp.corp.test": 200, "rebound.evil.test": 421} {
			r := httptest.NewRequest("GET", a.SignInURL(), nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, want, w.Code)
		}
	}
	assert.Equal(t, 1, len(root.Tenants()))
	for name, f := range map[string]func(){"Start": a.Start, "StartTLS": a.StartTLS, "Client": func() { a.Client() }} {
		assert.Panics(t, f, name)
	}
	a.OutboundClient().CloseIdleConnections()
	assert.Nil(t, a.TLSCertificate())
	assert.Panics(t, func() { must(must(mockidp.Open(twoRegions())).Tenant("a")).SignInURL() }, "the address is unknown")
}

// What unauthenticated clients make a tenant keep is bounded in bytes.
func TestMemoryOfATenant(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Unlisted = mockidp.UseDefault
	idp := must(start(t, conf).Tenant("a"))
	b := newBrowser(t, idp)
	long := request(attr("AssertionConsumerServiceURL", "https://sp.example/"+strings.Repeat("x", 40<<10)))
	ask := func() page {
		p, err := b.Post("http://sp.example", idp.SSOURL("idc"), postForm(long))
		require.NoError(t, err)
		return page{p}
	}
	first := ask()
	require.Equal(t, 200, first.Status)
	for range 30 {
		ask()
	}
	kept := 0
	for _, m := range idp.Messages() {
		kept += len(m.XML)
	}
	assert.Less(t, kept, 1<<20)
	assert.Greater(t, kept, 1<<19)
	b.signIn(first, alice, mockidp.DefaultPassword).refused(t, 404, mockidp.ReasonRequestNotFound)
	b.signIn(ask(), alice, mockidp.DefaultPassword).answer(t)
}

// FuzzTenants sends requests to any address: they make no more tenants than the bound, all with valid names, and no
// page outside of a tenant's prefix redirects into it.
func FuzzTenants(f *testing.F) {
	for _, path := range []string{"/t/a/", "/t/a", "/t/-/", "/t//", "/t/a/t/b/", "/t/a/../b/", "/t/%61/login/login.htm",
		"/t/a%2f/", "/t/a/%2e%2e/%2e%2e/", "//t/a/", "/t/a/app/x/y/sso/saml?SAMLRequest=x", "/healthz", "/t/a//evil/"} {
		f.Add("GET", path)
	}
	conf := twoRegions()
	conf.BaseURL, conf.MaxTenants = "http://localhost", 3
	root := must(mockidp.Open(conf))
	f.Fuzz(func(t *testing.T, method, path string) {
		r, err := http.NewRequest(method, "http://localhost", strings.NewReader("username=x&password=y"))
		if err != nil {
			return
		}
		if r.URL, err = url.ParseRequestURI(path); err != nil || r.URL.Host != "" {
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		root.Handler().ServeHTTP(w, r)
		to := w.Header().Get("Location")
		if strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) {
			t.Fatalf("%s redirects to another host: %s", path, to)
		}
		all := root.Tenants()
		if len(all) > conf.MaxTenants {
			t.Fatalf("%d tenants", len(all))
		}
		for _, idp := range all {
			if !regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`).MatchString(idp.TenantName()) {
				t.Fatalf("a tenant named %q", idp.TenantName())
			}
		}
	})
}
