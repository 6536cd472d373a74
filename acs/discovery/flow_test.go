package discovery_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// A federation, the page and a Region in one program: the sign-in goes to the identity
// provider that the user chose, and only that one can answer.
// Obligations: IIP-MD06.
func TestWithARegion(t *testing.T) {
	dir := t.TempDir()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	mock, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	for name, id := range map[string]string{"one": oneIdP, "two": twoIdP} {
		metadata := strings.Replace(string(idp.Metadata("")), mock.EntityID(), id, 1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".xml"), []byte(metadata), 0o600))
	}
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{Dir: dir}}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer f.Close()
	sp, err := saml.New(saml.Config{EntityID: spID, ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdPs: f})
	require.NoError(t, err)
	page, err := discovery.New(discovery.Config{Providers: f, Returns: map[string][]string{spID: {back}}})
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		OnLogin:      func(http.ResponseWriter, *http.Request, *acs.Login) {},
		DiscoveryURL: "/choose", DiscoveredPath: "/login/idp", FindIdP: f.Find,
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/choose", page)
	region.Mount(mux, acs.Paths{Login: "/login"})

	jar := map[string]string{}
	open := func(to string) *httptest.ResponseRecorder {
		u, err := url.Parse("https://sp.example/login")
		require.NoError(t, err)
		u, err = u.Parse(to)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, u.String(), nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for name, value := range jar {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		for _, c := range rec.Result().Cookies() {
			if jar[c.Name] = c.Value; c.MaxAge < 0 {
				delete(jar, c.Name)
			}
		}
		return rec
	}
	choose := open("/login?return_to=/x").Header().Get("Location")
	rec := open(choose)
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	require.Len(t, names(rec), 2)
	rec = open(open(choose + "&idp=" + url.QueryEscape(twoIdP)).Header().Get("Location"))
	require.Equal(t, http.StatusSeeOther, rec.Code, rec.Body)
	require.True(t, strings.HasPrefix(rec.Header().Get("Location"), mock.SSOServices()[0].URL), rec.Header())
	require.Len(t, jar, 2, "the request and the remembered choice")
}
