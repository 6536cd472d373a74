package browser_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/saml"
)

// providers is a list of identity providers that never changes.
type providers []saml.Description

func (providers) Version() uint64                            { return 1 }
func (p providers) Descriptions() iter.Seq[saml.Description] { return slices.Values(p) }

// testAuditDiscovery is about the page on which users choose an identity provider, by keyboard and without script.
func testAuditDiscovery(t *testing.T, chromium context.Context) {
	const spID = "http://sp.localhost/saml"
	image := "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
	var list providers
	for i := range 300 {
		d := saml.Description{EntityID: fmt.Sprintf("https://idp%d.example/shibboleth", i)}
		name := fmt.Sprintf("Institute %03d of %s", i, strings.Repeat("Science ", i%9))
		d.Names = []saml.LocalizedText{{Lang: "en", Text: name}}
		if i%2 == 0 {
			d.Logos = []saml.Logo{{URL: image, Width: 160, Height: 80}}
		}
		list = append(list, d)
	}
	list[123].Names[0].Text = "Institute 123"
	list[7].Names[0].Text = "جامعة القاهرة"
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at := strings.Replace(server.URL, "127.0.0.1", "sp.localhost", 1)
	page, err := discovery.New(discovery.Config{
		Providers: list, Returns: map[string][]string{spID: {at + "/back"}}, Service: "the wiki",
	})
	require.NoError(t, err)
	mux.Handle("/choose", page)
	mux.HandleFunc("/back", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>back</title>chosen %q", r.URL.Query().Get("entityID"))
	})
	choose := at + "/choose?entityID=" + url.QueryEscape(spID)

	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(choose)
	b.reads("Choose your organization", "the wiki", "(300)", "Page 1 of 15")
	b.audit("discovery")
	b.open(choose + "&q=nothing+like+it")
	b.reads("No organization matches")
	b.audit("discovery-nothing")
	b.open(at + "/choose")
	b.reads("can't be opened this way")
	b.audit("discovery-refused")

	b.withoutScript()
	b.open(choose)
	b.press("\t" + "institute 123" + kb.Enter)
	b.reads("Results for “institute 123”", "(1)")
	b.follow("Institute 123 idp123.example")
	b.reads(`chosen "https://idp123.example/shibboleth"`)
	b.open(choose)
	b.reads("Last used")
}
