package discovery_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/saml"
)

var _ discovery.Providers = (*federation.Federation)(nil)

const (
	spID   = "https://sp.example"
	back   = "https://sp.example/login/idp"
	oneIdP = "https://idp.one.example/saml"
	twoIdP = "https://idp.two.example/saml"
)

// list is a list of identity providers that tests change.
type list struct {
	version atomic.Uint64
	all     []saml.Description
	reads   atomic.Int64
}

func (l *list) Version() uint64 { return l.version.Load() }

func (l *list) Descriptions() iter.Seq[saml.Description] {
	l.reads.Add(1)
	return slices.Values(l.all)
}

func described(id string, names ...string) saml.Description {
	d := saml.Description{EntityID: id}
	for i, name := range names {
		d.Names = append(d.Names, saml.LocalizedText{Lang: []string{"en", "de", "fr"}[i], Text: name})
	}
	return d
}

func two() *list {
	return &list{all: []saml.Description{described(twoIdP, "Second College"), described(oneIdP, "First University")}}
}

func newPage(t testing.TB, l *list, change ...func(*discovery.Config)) *discovery.Page {
	t.Helper()
	cfg := discovery.Config{Providers: l, Returns: map[string][]string{spID: {back, back + "2"}},
		Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&cfg)
	}
	page, err := discovery.New(cfg)
	require.NoError(t, err)
	return page
}

// get requests the page as a browser does after a link of another site. Pairs are
// parameters.
func get(h http.Handler, pairs ...string) *httptest.ResponseRecorder {
	return follow(h, "cross-site", "", pairs...)
}

func follow(h http.Handler, site, cookie string, pairs ...string) *httptest.ResponseRecorder {
	query := url.Values{"entityID": {spID}, "return": {back + "?state=s1"}}
	for i := 0; i < len(pairs); i += 2 {
		if query.Set(pairs[i], pairs[i+1]); pairs[i+1] == "-" {
			query.Del(pairs[i])
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://sp.example/choose?"+query.Encode(), nil)
	r.Header.Set("Sec-Fetch-Site", site)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// names lists the identity providers on a page.
func names(rec *httptest.ResponseRecorder) (out []string) {
	for _, part := range strings.Split(rec.Body.String(), `<span class="name"><bdi>`)[1:] {
		name, _, _ := strings.Cut(part, "<")
		out = append(out, name)
	}
	return out
}

// The user chooses on the page, and the choice is sent to the service provider. The
// browser remembers it.
func TestChoice(t *testing.T) {
	page := newPage(t, two())
	rec := get(page)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, []string{"First University", "Second College"}, names(rec), "sorted")
	_, link, _ := strings.Cut(rec.Body.String(), `<li><a class="choice" href="`)
	link, _, _ = strings.Cut(link, `"`)
	chosen, err := url.ParseQuery(strings.ReplaceAll(link, "&amp;", "&")[1:])
	require.NoError(t, err)
	require.Equal(t, oneIdP, chosen.Get("idp"))

	rec = follow(page, "same-origin", "", "idp", oneIdP)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, back+"?state=s1&entityID="+url.QueryEscape(oneIdP), rec.Header().Get("Location"))
	cookie := rec.Result().Cookies()[0]
	require.True(t, cookie.Secure && cookie.HttpOnly && cookie.SameSite == http.SameSiteLaxMode)
	remembered := cookie.Name + "=" + cookie.Value

	rec = follow(page, "cross-site", remembered)
	require.Equal(t, []string{"First University", "First University", "Second College"}, names(rec))
	require.Contains(t, rec.Body.String(), "Last used")
	rec = follow(page, "same-origin", remembered, "forget", "1")
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Negative(t, rec.Result().Cookies()[0].MaxAge)

	// Without the page: the remembered one, or none.
	rec = follow(page, "cross-site", remembered, "isPassive", "true", "returnIDParam", "idp.id", "return", "-")
	require.Equal(t, back+"?idp.id="+url.QueryEscape(oneIdP), rec.Header().Get("Location"))
	rec = get(page, "isPassive", "true")
	require.Equal(t, back+"?state=s1", rec.Header().Get("Location"))
}

// K09: another site, or a prefetch, can't choose for the user.
func TestOthersDoNotChoose(t *testing.T) {
	page := newPage(t, two())
	for _, site := range []string{"cross-site", "same-site", "none"} {
		rec := follow(page, site, "", "idp", oneIdP)
		require.Equal(t, http.StatusOK, rec.Code, site)
		require.Empty(t, rec.Result().Cookies())
		rec = follow(page, site, "", "forget", "1")
		require.Empty(t, rec.Result().Cookies())
	}
	r := httptest.NewRequest(http.MethodGet, "https://sp.example/choose?entityID="+spID+"&idp="+oneIdP, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Purpose", "prefetch")
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, r)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Empty(t, rec.Result().Cookies())

	// Nor does a logo with the address of such a link, which is a request of the page itself.
	for header, value := range map[string]string{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"} {
		for _, query := range []string{"&idp=" + oneIdP, "&forget=1"} {
			r := httptest.NewRequest(http.MethodGet, "https://sp.example/choose?entityID="+spID+query, nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set(header, value)
			rec := httptest.NewRecorder()
			page.ServeHTTP(rec, r)
			require.Equal(t, http.StatusOK, rec.Code, header)
			require.Empty(t, rec.Result().Cookies(), header)
		}
	}

	// Nor does a cookie that names something else.
	encoded := base64.RawURLEncoding.EncodeToString
	for _, value := range []string{"", "x", "%%", encoded([]byte("https://evil.example")), encoded([]byte(oneIdP)) + "AA",
		strings.Repeat("A", 8000)} {
		rec := follow(page, "cross-site", "__Host-meridian-idp="+value, "isPassive", "true")
		require.Equal(t, back+"?state=s1", rec.Header().Get("Location"), value)
	}
	rec = follow(page, "same-origin", "", "idp", "https://evil.example")
	require.Equal(t, http.StatusOK, rec.Code, "an unknown one is not chosen")
}

// I08: the user is sent to the addresses of the service provider only.
func TestRequests(t *testing.T) {
	page := newPage(t, two())
	for _, to := range []string{
		"https://evil.example/", "https://sp.example/login/idp/../x", back + "3", back + "#a", back + "?a=%zz",
		"https://sp.example@evil.example/login/idp", "//sp.example/login/idp", "/login/idp", "javascript:alert(1)",
		back + "?entityID=x", back + "\\@evil.example", " " + back, back + "?" + strings.Repeat("a", 2048),
		"HTTPS://sp.example/login/idp", back + "\n", back + "?a=é",
	} {
		rec := get(page, "return", to, "isPassive", "true")
		require.Equal(t, http.StatusBadRequest, rec.Code, to)
		require.Empty(t, rec.Header().Get("Location"))
		require.NotContains(t, rec.Body.String(), "evil")
	}
	for name, value := range map[string]string{
		"entityID": "https://other.example", "policy": "urn:other", "returnIDParam": "a&b",
	} {
		require.Equal(t, http.StatusBadRequest, get(page, name, value).Code, name)
	}
	require.Equal(t, http.StatusBadRequest, get(page, "entityID", "-").Code)
	require.Equal(t, http.StatusBadRequest, get(page, "returnIDParam", strings.Repeat("a", 65)).Code)
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/choose?entityID="+spID+"&return="+back+"&return="+back, nil))
	require.Equal(t, http.StatusBadRequest, rec.Code)
	for name, value := range map[string]string{
		"return": back + "2", "policy": "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol:single",
		"isPassive": "false",
	} {
		require.Equal(t, http.StatusOK, get(page, name, value).Code, name)
	}
	rec = httptest.NewRecorder()
	page.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/choose", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
}

func TestSearch(t *testing.T) {
	with := func(d saml.Description, keywords string) saml.Description {
		d.Keywords = []saml.LocalizedText{{Lang: "en", Text: keywords}}
		return d
	}
	l := &list{all: []saml.Description{
		described("https://idp.ulb.example", "Université libre", "Freie Universität"),
		with(described("https://idp.zz.example", "Aalto"), "helsinki+tech polytechnic"),
		described("https://sso.polytech.example/x", "Institute of Łódź"),
		described("urn:no:name"),
	}}
	page := newPage(t, l)
	for text, want := range map[string][]string{
		"universite": {"Université libre"}, "UNIVERSITÉ": {"Université libre"}, "universitat": {"Université libre"},
		"lodz": {"Institute of Łódź"}, "poly": {"Aalto", "Institute of Łódź"}, "helsinki tech": {"Aalto"},
		"of insti": {"Institute of Łódź"}, "libre aalto": nil, "zz.example": {"Aalto"}, "ulb": {"Université libre"},
		"urn": {"urn:no:name"}, "nothing": nil, "  ": {"Aalto", "Institute of Łódź", "Université libre", "urn:no:name"},
		"“universite”,": {"Université libre"}, "\xff\xfe": {"Aalto", "Institute of Łódź", "Université libre", "urn:no:name"},
	} {
		require.Equal(t, want, names(get(page, "q", text)), text)
	}
	require.Equal(t, http.StatusOK, get(page, "q", strings.Repeat("aé ", 5000)).Code)

	r := httptest.NewRequest(http.MethodGet, "/choose?q=freie&entityID="+spID, nil)
	r.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.8")
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, r)
	require.Equal(t, []string{"Freie Universität"}, names(rec))
}

// A list of 10,000 is searched quickly, in pages, and read again only when it changes.
func TestManyProviders(t *testing.T) {
	l := &list{}
	for i := range 10_000 {
		l.all = append(l.all, described(fmt.Sprintf("https://idp%d.example/shibboleth", i), fmt.Sprintf("Institute %05d", i)))
	}
	page := newPage(t, l)
	rec := get(page)
	require.Len(t, names(rec), 20)
	require.Contains(t, rec.Body.String(), "(10,000)")
	require.Contains(t, rec.Body.String(), "Page 1 of 500")
	require.Equal(t, "Institute 09999", names(get(page, "page", "500"))[19])
	for _, odd := range []string{"501", "99999999999999999999", "-1", "0", "x", ""} {
		require.Len(t, names(get(page, "page", odd)), 20, odd)
	}
	require.Equal(t, []string{"Institute 04711"}, names(get(page, "q", "institute 04711")))
	require.Less(t, testing.AllocsPerRun(10, func() { get(page, "q", "institute 04711") }), 2000.0)
	require.EqualValues(t, 1, l.reads.Load())

	l.all = l.all[:1]
	l.version.Add(1)
	require.Len(t, names(get(page)), 1)
	require.EqualValues(t, 2, l.reads.Load())
}

// While one request reads a changed list, the others get the previous one.
func TestTheListChangesWhileItIsUsed(t *testing.T) {
	l := two()
	page := newPage(t, l)
	stop := make(chan struct{})
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					assert.Len(t, names(get(page)), 2)
					page.Feed().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/feed.json", nil))
				}
			}
		})
	}
	for range 200 {
		before := l.reads.Load()
		l.version.Add(1)
		require.Eventually(t, func() bool { return l.reads.Load() > before }, time.Minute, 10*time.Microsecond)
	}
	close(stop)
	running.Wait()
}

func BenchmarkSearch(b *testing.B) {
	l := &list{}
	for i := range 10_000 {
		l.all = append(l.all, described(fmt.Sprintf("https://idp%d.example/shibboleth", i), fmt.Sprintf("Institute %05d", i)))
	}
	page := newPage(b, l)
	for b.Loop() {
		get(page, "q", "institute 04711")
	}
}

// The page is in the theme and in the browser's language.
func TestPageHasTheTheme(t *testing.T) {
	l := &list{all: []saml.Description{described(oneIdP, "One & only")}}
	page := newPage(t, l, func(cfg *discovery.Config) {
		cfg.Theme = theme.Config{Name: "Example & Sons", Colors: theme.Colors{Accent: "#7a1f5c"}, Support: "https://help.example/"}
	})
	show := func(target string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Accept-Language", "de-CH, en;q=0.5")
		rec := httptest.NewRecorder()
		page.ServeHTTP(rec, r)
		return rec
	}
	rec := show("/choose?entityID=" + url.QueryEscape(spID) + "&q=<only>")
	for _, part := range []string{`<html lang="de" dir="ltr">`, "Wählen Sie Ihre Organisation", "Example &amp; Sons",
		"--accent:#7a1f5c", "passt zu „<bdi>&lt;only&gt;</bdi>“", `<a href="https://help.example/">Hilfe</a>`} {
		assert.Contains(t, rec.Body.String(), part)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(rec.Body.String())
	sum := sha256.Sum256([]byte(style[1]))
	hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	assert.Contains(t, rec.Header().Get("Content-Security-Policy"), hash, "the policy allows this style")
	assert.Contains(t, show("/choose").Body.String(), "Diese Seite kann so nicht geöffnet werden")
	_, err := discovery.New(discovery.Config{
		Providers: l, Returns: map[string][]string{spID: {"https://sp.example/"}}, Theme: theme.Config{Support: "x"},
	})
	require.Error(t, err)
}

// What identity providers write about themselves is text, and loads nothing but logos.
func TestTextsAreText(t *testing.T) {
	d := described("https://idp.evil.example/\"><script>", `"><script>alert(1)</script>`)
	d.Logos = []saml.Logo{{URL: `https://evil.example/"onerror="alert(1)`, Width: 160, Height: 80}}
	hidden := described(twoIdP, "Hidden")
	hidden.Hidden = true
	l := &list{all: []saml.Description{d, hidden, described(oneIdP, "Filtered")}}
	page := newPage(t, l, func(cfg *discovery.Config) {
		cfg.Filter = func(d saml.Description) bool { return d.EntityID != oneIdP }
	})
	rec := get(page, "q", "")
	require.Len(t, names(rec), 1)
	require.NotContains(t, rec.Body.String(), "<script")
	require.NotContains(t, rec.Body.String(), `"onerror`)
	require.Contains(t, rec.Body.String(), `width="80" height="40"`, "in the size in which it is shown")
	require.NotContains(t, get(page, "q", `"><script>`).Body.String(), "<script")
	policy := rec.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "img-src https: data:;")
	require.NotContains(t, policy, "script-src")
	require.Equal(t, "DENY", rec.Header().Get("X-Frame-Options"))

	l.all[0].Logos[0] = saml.Logo{URL: "data:image/png;base64," + strings.Repeat("A", 20<<10), Width: 10, Height: 10}
	l.version.Add(1)
	assert.NotContains(t, get(page).Body.String(), "<img", "large data is not in the page")
	l.all[0].Logos = []saml.Logo{{URL: "data:image/png;base64,AAAA", Width: 400, Height: 10}}
	l.version.Add(1)
	assert.Contains(t, get(page).Body.String(), `<img src="data:image/png;base64,AAAA" width="80" height="2"`)
	without := newPage(t, l, func(cfg *discovery.Config) { cfg.NoLogos = true })
	assert.NotContains(t, get(without).Body.String(), "<img")
}

// An identity provider chooses its entity ID, which doesn't look like another's.
func TestEntityIDsLookDifferent(t *testing.T) {
	for id, shown := range map[string]string{
		"https://\u202eelpmaxe.eno.pdi/":        "https://%E2%80%AEelpmaxe.eno.pdi/",
		"https://%E2%80%AEelpmaxe.eno.pdi/":     "https://%E2%80%AEelpmaxe.eno.pdi/",
		"urn:\u202eelpmaxe.eno.pdi":             "urn:%E2%80%AEelpmaxe.eno.pdi",
		"https://\u0456dp.one.example":          "https://%D1%96dp.one.example",
		"https://idp.one.example\u2044.evil/":   "https://idp.one.example%E2%81%84.evil/",
		"https://\u212aite.example":             "https://%E2%84%AAite.example",
		"https://idp.one.example(sign-in).evil": "https://idp.one.example(sign-in).evil",
		"https://idp.one.example@evil.example/": "evil.example",
		"https://IDP.one.example:8443/":         "idp.one.example",
		"urn:idp:one":                           "urn:idp:one",
	} {
		rec := get(newPage(t, &list{all: []saml.Description{described(id, "One University")}}))
		require.Contains(t, rec.Body.String(), `<bdi class="detail">`+shown+`</bdi>`, id)
		require.Equal(t, []string{shown}, names(get(newPage(t, &list{all: []saml.Description{described(id)}}))), id)
	}
}

func TestConfig(t *testing.T) {
	good := discovery.Config{Providers: two(), Returns: map[string][]string{spID: {back}}}
	for name, change := range map[string]func(*discovery.Config){
		"no providers": func(c *discovery.Config) { c.Providers = nil },
		"no returns":   func(c *discovery.Config) { c.Returns = nil },
		"no URL":       func(c *discovery.Config) { c.Returns = map[string][]string{spID: nil} },
		"no name":      func(c *discovery.Config) { c.Returns = map[string][]string{"": {back}} },
		"plain http":   func(c *discovery.Config) { c.Returns = map[string][]string{spID: {"http://sp.example/"}} },
		"a query":      func(c *discovery.Config) { c.Returns = map[string][]string{spID: {back + "?a"}} },
		"a path":       func(c *discovery.Config) { c.Returns = map[string][]string{spID: {"/login"}} },
		"user":         func(c *discovery.Config) { c.Returns = map[string][]string{spID: {"https://u:p@sp.example/"}} },
	} {
		cfg := good
		change(&cfg)
		_, err := discovery.New(cfg)
		var e *discovery.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, discovery.ReasonConfig, e.Reason)
		require.NotContains(t, err.Error(), "u:p")
	}
	good.Returns = map[string][]string{spID: {"http://sp.localhost:8080/idp"}}
	_, err := discovery.New(good)
	require.NoError(t, err)
}
