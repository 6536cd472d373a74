package middleware_test

import (
	"fmt"
	"html"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// The code blocks of MIDDLEWARE.md that are run are the functions below, or their bodies. The test compares the texts.

func pageMux(sp *saml.ServiceProvider) (http.Handler, error) {
	// page: mux
	guard, err := middleware.New(middleware.Config{
		Config:   acs.Config{SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{})},
		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	guard.Mount(mux)                       // the ACS and logout URLs, and the pages below /saml/
	own := http.NewCrossOriginProtection() // refuses forms of other sites
	mux.Handle("/", own.Handler(guard.Require(http.HandlerFunc(home))))
	mux.Handle("/admin/", own.Handler(guard.RequireWith(middleware.Requirement{
		MaxAuthnAge: 5 * time.Minute,                                 // else the user authenticates again
		Attributes:  map[string][]string{"lastName": {"Adams", "B"}}, // else the answer is 403
	})(http.HandlerFunc(home))))
	return mux, nil
	// page: end
}

// page: home
func home(w http.ResponseWriter, r *http.Request) {
	user := middleware.From(r.Context())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!DOCTYPE html><title>Home</title><p>Hello %s, this is %s.</p>
		<form method="post" action="/saml/logout"><button>Sign out</button></form>`,
		html.EscapeString(user.UserName), html.EscapeString(r.URL.Path))
}

// page: end

func pageChi(guard *middleware.Guard) http.Handler {
	// page: chi
	router := chi.NewRouter()
	router.Handle("/saml/*", guard) // the ACS and logout URLs are below /saml/, too
	router.Group(func(in chi.Router) {
		in.Use(http.NewCrossOriginProtection().Handler, guard.Require)
		in.Get("/*", home)
	})
	return router
	// page: end
}

func TestPageHasTheCodeThatRuns(t *testing.T) {
	source, err := os.ReadFile("page_md_test.go")
	require.NoError(t, err)
	page, err := os.ReadFile("../MIDDLEWARE.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s)\n(\t*)// page: \w+\n(.*?)\n+\t*// page: end`).FindAllStringSubmatch(string(source), -1)
	require.Len(t, blocks, 3)
	for _, m := range blocks {
		code := strings.TrimPrefix(strings.ReplaceAll("\n"+m[2], "\n"+m[1], "\n"), "\n")
		require.Contains(t, string(page), "```go\n"+code+"\n```")
	}
}

func TestPageMux(t *testing.T) {
	w := newWorld(t)
	w.clock.Set(time.Now()) // the stores of the page have no other clock
	var err error
	w.handler, err = pageMux(w.sp)
	require.NoError(t, err)
	b := w.browser()
	require.Contains(t, w.signIn(b, base+"/a", alice).Body, "Hello "+alice+", this is /a.")
	for _, path := range []string{"/admin", "/admin/", "/admin/users"} {
		require.Equal(t, http.StatusForbidden, w.open(b, base+path).Status, path) // alice is an Example
	}
}

func TestPageChi(t *testing.T) {
	w := newWorld(t)
	w.handler = pageChi(w.guard)
	b := w.browser()
	p := w.signIn(b, base+"/deep/link?a=1", alice)
	require.Contains(t, p.Body, "Hello "+alice+", this is /deep/link.")
	form, ok := p.FormFor("/saml/logout")
	require.True(t, ok)
	out, err := b.Submit(p, form, nil)
	require.Contains(t, w.forms(out, err).Text(), "Your sessions here and at your identity provider have ended.")
	require.Equal(t, http.StatusSeeOther, look(t, b, base+"/deep/link").Status)
}
