package portal_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// The page before a sign-in, and the script that opens links with a fragment, navigate on their own, so a browser names
// the portal as what caused it. Another site's page that leads there still displaces no request of the user.
func TestAnotherSiteDisplacesNoRequestByThePageBeforeASignInInChromium(t *testing.T) {
	s := newSite(t, nil, nil)
	virginia := s.portals["us-east-1"]
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<script>onload = () => setTimeout(() => { location.href = %q }, 0)</script>`,
			virginia+r.URL.Query().Get("to"))
	}))
	t.Cleanup(evil.Close)
	_, port, err := net.SplitHostPort(evil.Listener.Addr().String())
	require.NoError(t, err)

	victim := newTab(t)
	victim.open(virginia + "/applications")
	victim.until(`document.activeElement.id === "username"`) // the request is pending
	moving := victim.another()
	for i := range 10 {
		to := []string{"/", "/%23/login", "/%23/applications/../login", "/%23/console"}[i%4]
		moving.open("http://foreign.localhost:" + port + "/?to=" + to)
		moving.until(`location.hostname === "idp.localhost"`)
	}
	victim.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	victim.at(virginia + "/applications")
	victim.reads("Alice Adams")
}
