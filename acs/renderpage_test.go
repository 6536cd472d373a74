package acs_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// A program's RenderPage gets the same page as the default one: kind, status, texts, reference and link.
func TestRenderPage(t *testing.T) {
	w := newWorld(t)
	var pages []acs.Page
	handlers := map[bool]http.Handler{false: w.region("us-east-1"), true: w.region("us-east-1", func(c *acs.Config) {
		c.RenderPage = func(rw http.ResponseWriter, _ *http.Request, p acs.Page) {
			pages = append(pages, p)
			rw.WriteHeader(p.Status)
		}
	})}
	for own, h := range handlers {
		b := w.browser()
		req := b.login(h, usACS, "?return_to=/a")
		require.Equal(t, http.StatusForbidden, b.answer(h, w.good(usACS, req.id), "another RelayState").Code, own)
	}
	require.Len(t, pages, 1)
	p := pages[0]
	require.Equal(t, acs.PageError, p.Kind)
	require.Equal(t, "Sign-in did not work", p.Title)
	require.Regexp(t, referencePattern, p.Reference)
	require.Contains(t, w.logs.String(), p.Reference)
	require.Equal(t, "/login", p.Link)
}

// WritePage escapes its texts, and its policy lets a form go only where it says.
func TestWritePage(t *testing.T) {
	write := func(p acs.Page) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		acs.WritePage(w, httptest.NewRequest("GET", "/", nil), p)
		return w
	}
	p := acs.Page{Kind: acs.PageQuestion, Status: 200, Title: "<b>", Text: "?", Form: &acs.PageForm{
		Action: "/continue", Fields: []acs.PageField{{Name: "s", Value: `"x`}}, Targets: []string{"https://wiki.example"},
		Buttons: []acs.PageButton{{Name: "answer", Value: "stay", Text: "Stay"}, {Text: "Go"}},
	}}
	w := write(p)
	body := w.Body.String()
	require.Contains(t, body, "<h1>&lt;b&gt;</h1>")
	require.Contains(t, body, `<input type="hidden" name="s" value="&#34;x">`)
	require.Contains(t, body, `<button name="answer" value="stay">Stay</button>`)
	require.Contains(t, body, "<button>Go</button>")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "form-action 'self' https://wiki.example")

	p.Form = nil
	require.Contains(t, write(p).Header().Get("Content-Security-Policy"), "form-action 'none'")
}
