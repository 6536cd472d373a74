package mockidp_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// The control page in a real browser: by keyboard, without script, at two widths.
func TestAdminPageInABrowser(t *testing.T) {
	chromium := chrome(t)
	conf := twoRegions()
	conf.Mutations = []string{"A03/assertion", "B01"}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
	idp := start(t, conf)
	h := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(h)
	defer srv.Close()
	_, err := idp.Answer(redirect(idp, request(attr("ForceAuthn", "true")), "state"), alice)
	require.NoError(t, err)
	require.NoError(t, idp.RecordAnswer(2, mockidp.ACSAnswer{Status: 403, Body: []byte("Refused: WrongAudience")}))
	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied}))

	w := openWindow(t, chromium, false)
	w.open(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
	w.looks("control-login")
	w.submit("wrong", kb.Enter)
	w.reads("The token is wrong")
	w.looks("control-login-wrong")
	w.submit(h.Token(), kb.Enter)
	w.reads("ACS answered 403 Forbidden")
	w.looks("control")
	w.tabTo(`form[action="/actions/advance"] button`)
	w.submit(kb.Enter)
	w.reads("(1m0s offset)")
	w.tabTo(`button[formaction="/actions/attack-on"]`)
	w.submit(kb.Enter)
	w.reads("A03/assertion for all users")
	w.looks("control-attack")
	w.tabTo(`form[action="/actions/attack-off"] button`)
	w.submit(kb.Enter)
	w.reads("None is switched on")
	w.tabTo(`form[action="/actions/queue-user"] button`)
	w.submit(kb.Enter)
	w.reads("user " + alice)
	w.tabTo(`a[href="/messages/2"]`)
	w.submit(kb.Enter)
	w.reads("Check that it is exactly the URL that received it")
	w.looks("control-response")
	w.tabTo(`a[href="/"]`)
	w.open(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/messages/1")
	w.looks("control-request")
	w.open(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/messages/7")
	w.looks("control-error")
}
