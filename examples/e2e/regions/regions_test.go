package regions_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// The smallest world with two Regions: saml, acs and mockidp, without portal and
// Chromium.

const (
	usURL = "https://us-east-1.example.com/saml/acs"
	euURL = "https://eu-central-1.example.com/saml/acs"
)

type regions struct {
	idp   *mockidp.Server
	sp    *saml.ServiceProvider
	hosts testkit.Handlers

	mu       sync.Mutex
	verdicts []acs.Verdict
}

func newRegions(t *testing.T) *regions {
	t.Helper()
	w := &regions{idp: mockidp.NewUnstarted(mockidp.Config{}), hosts: make(testkit.Handlers)}
	w.idp.StartTLS()
	t.Cleanup(w.idp.Close)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	w.sp, err = saml.New(saml.Config{
		EntityID: "https://us-east-1.example.com/saml",
		ACS:      []saml.Endpoint{{URL: usURL, Region: "us-east-1"}, {URL: euURL, Region: "eu-central-1"}},
		IdP:      idp,
	})
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	for _, e := range w.sp.ACS() {
		region, err := acs.NewRegion(acs.Config{
			SP: w.sp, Region: e.Region, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Unsolicited: acs.Accept,
			OnLogin: func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
				fmt.Fprintf(rw, "%s signed in to %s", l.Assertion.NameID().Value, l.Region)
			},
			OnVerdict: func(_ context.Context, v acs.Verdict) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.verdicts = append(w.verdicts, v)
			},
		})
		require.NoError(t, err)
		mux := http.NewServeMux()
		region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
		u, err := url.Parse(e.URL)
		require.NoError(t, err)
		w.hosts[u.Host] = mux
	}
	// The stores refuse unsolicited assertions that are older than themselves, and
	// instants in messages are rounded down.
	w.idp.Advance(time.Second)
	return w
}

func (w *regions) last(t *testing.T) acs.Verdict {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(t, w.verdicts)
	return w.verdicts[len(w.verdicts)-1]
}

// user is a user with a browser.
func (w *regions) user(t *testing.T) *testkit.Browser {
	t.Helper()
	b := testkit.NewBrowser(t.Context())
	b.Transport = w.hosts
	return b
}

func get(t *testing.T, user *testkit.Browser, to string) string {
	t.Helper()
	p, err := user.Open(to)
	require.NoError(t, err)
	return p.Body
}

func post(t *testing.T, user *testkit.Browser, to string, form url.Values) string {
	t.Helper()
	p, err := user.Post("https://idp.example", to, form)
	require.NoError(t, err)
	return p.Body
}

// begin starts a sign-in at a Region and returns the address at the identity
// provider that the browser is sent to.
func begin(t *testing.T, user *testkit.Browser, region string) string {
	t.Helper()
	p, err := user.Look("https://" + region + ".example.com/login")
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, p.Status)
	return p.Location()
}

// Rule 35: the metadata, from which the app gets its ACS URLs, has all of them in both Regions.
func TestMetadataListsBothRegions(t *testing.T) {
	t.Parallel()
	w := newRegions(t)
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromString(get(t, w.user(t), "https://"+region+".example.com/metadata")))
		list := doc.FindElements("//AssertionConsumerService")
		require.Len(t, list, 2)
		require.Equal(t, usURL, list[0].SelectAttrValue("Location", ""))
		require.Equal(t, "true", list[0].SelectAttrValue("isDefault", ""))
		require.Equal(t, euURL, list[1].SelectAttrValue("Location", ""))
		require.Nil(t, list[1].SelectAttr("isDefault"))
	}
}

// Rules 33, 34.
func TestSignInReturnsToTheRegionThatAsked(t *testing.T) {
	t.Parallel()
	w := newRegions(t)
	for region, at := range map[string]string{"us-east-1": usURL, "eu-central-1": euURL} {
		user := w.user(t)
		form, err := w.idp.Answer(begin(t, user, region), mockidp.DefaultLogin)
		require.NoError(t, err)
		require.Equal(t, at, form.URL)
		require.Equal(t, mockidp.DefaultLogin+" signed in to "+region, post(t, user, form.URL, form.Values()))
		require.Equal(t, acs.FlowSP, w.last(t).Flow)
	}
}

// Rule 33, the half that begins at the identity provider.
func TestIdPInitiatedArrivesAtTheFirstURL(t *testing.T) {
	t.Parallel()
	w := newRegions(t)
	user := w.user(t)
	form, err := w.idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	require.Equal(t, usURL, form.URL)
	require.Equal(t, mockidp.DefaultLogin+" signed in to us-east-1", post(t, user, form.URL, form.Values()))
	require.Equal(t, acs.FlowIdP, w.last(t).Flow)
}

// Over both Regions and both flows, a response is accepted only where it was
// made for.
func TestResponseForAnotherRegionIsRefused(t *testing.T) {
	t.Parallel()
	w := newRegions(t)
	for region, elsewhere := range map[string]string{"us-east-1": euURL, "eu-central-1": usURL} {
		user := w.user(t)
		form, err := w.idp.Answer(begin(t, user, region), mockidp.DefaultLogin)
		require.NoError(t, err)
		post(t, user, elsewhere, form.Values())
		require.False(t, w.last(t).Accepted)
		require.Equal(t, string(saml.ReasonRecipient), w.last(t).Reason)
		require.Contains(t, post(t, user, form.URL, form.Values()), "signed in to "+region, "nothing was used up")
	}
}

func TestSameResponseTwiceIsRefused(t *testing.T) {
	t.Parallel()
	w := newRegions(t)
	user := w.user(t)
	solicited, err := w.idp.Answer(begin(t, user, "eu-central-1"), mockidp.DefaultLogin)
	require.NoError(t, err)
	unsolicited, err := w.idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	post(t, user, unsolicited.URL, unsolicited.Values())
	require.True(t, w.last(t).Accepted)
	post(t, user, unsolicited.URL, unsolicited.Values())
	require.Equal(t, string(acs.ReasonReplay), w.last(t).Reason)

	post(t, user, solicited.URL, solicited.Values())
	require.True(t, w.last(t).Accepted)
	page := post(t, user, solicited.URL, solicited.Values())
	require.False(t, w.last(t).Accepted, "its request was answered")
	require.Contains(t, page, w.last(t).Reference, "the page tells the reference")
	require.NotContains(t, page, w.last(t).Rule, "and not the rule")
}
