package mockidp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func index(n uint16) *uint16 { return &n }

func TestACSResolution(t *testing.T) {
	positional := []mockidp.ACS{{URL: virginia}, {URL: frank}}
	explicit := []mockidp.ACS{{URL: virginia, Index: index(7)}, {URL: frank, Index: index(0)},
		{URL: ireland, Index: index(65535)}}
	byURL := func(u string) string { return attr("AssertionConsumerServiceURL", u) }
	byIndex := func(n int) string { return attr("AssertionConsumerServiceIndex", fmt.Sprint(n)) }
	const (
		useDefault = mockidp.UseDefault
		badURL     = mockidp.ReasonUnlistedURL
		badIndex   = mockidp.ReasonUnlistedIndex
		both       = mockidp.ReasonURLAndIndex
		noACS      = mockidp.ReasonNoACS
		evil       = "http://evil.localhost/acs"
		upper      = "HTTP://eu-central-1.localhost:8712/platform/saml/acs/4455"
	)
	for name, c := range map[string]struct {
		list     []mockidp.ACS
		unlisted mockidp.UnlistedACS
		ask      []string
		want     string         // "" = refused
		why      mockidp.Reason // then
	}{
		"neither named":                    {list: positional, want: virginia},
		"first by URL":                     {list: positional, ask: []string{byURL(virginia)}, want: virginia},
		"second by URL":                    {list: positional, ask: []string{byURL(frank)}, want: frank},
		"URL with a query":                 {list: explicit, ask: []string{byURL(ireland)}, want: ireland},
		"second by position":               {list: positional, ask: []string{byIndex(1)}, want: frank},
		"index 0 is the second":            {list: explicit, ask: []string{byIndex(0)}, want: frank},
		"index 7":                          {list: explicit, ask: []string{byIndex(7)}, want: virginia},
		"greatest index":                   {list: explicit, ask: []string{byIndex(65535)}, want: ireland},
		"explicit, neither named":          {list: explicit, want: virginia},
		"position isn't an explicit index": {list: explicit, ask: []string{byIndex(1)}, why: badIndex},
		"index past the end":               {list: positional, ask: []string{byIndex(2)}, why: badIndex},
		"both":                             {list: positional, ask: []string{byURL(frank), byIndex(1)}, why: both},
		"both, whatever the policy": {
			list: positional, unlisted: useDefault, ask: []string{byURL(frank), byIndex(1)}, why: both},
		"unlisted":               {list: positional, ask: []string{byURL(evil)}, why: badURL},
		"listed but for a slash": {list: positional, ask: []string{byURL(frank + "/")}, why: badURL},
		"listed but for case":    {list: positional, ask: []string{byURL(upper)}, why: badURL},
		"listed but for a space": {list: positional, ask: []string{byURL(" " + frank)}, why: badURL},
		"empty URL is a URL":     {list: positional, ask: []string{byURL("")}, why: badURL},
		"unlisted URL, UseDefault": {
			list: positional, unlisted: useDefault, ask: []string{byURL(evil)}, want: virginia},
		"unlisted index, UseDefault": {
			list: positional, unlisted: useDefault, ask: []string{byIndex(9)}, want: virginia},
		"listed URL, UseDefault": {
			list: positional, unlisted: useDefault, ask: []string{byURL(frank)}, want: frank},
		"no list at all":                        {why: noACS},
		"no list at all, and one asked for":     {ask: []string{byURL(frank)}, why: noACS},
		"no list at all, one asked, UseDefault": {unlisted: useDefault, ask: []string{byURL(frank)}, why: noACS},
	} {
		t.Run(name, func(t *testing.T) {
			conf := twoRegions()
			conf.Apps[0].ACS, conf.Apps[0].Unlisted = c.list, c.unlisted
			idp := start(t, conf)
			form, err := idp.Answer(redirect(idp, request(c.ask...), ""), alice)
			posted, perr := idp.AnswerPost(idp.SSOURL("idc"), postForm(request(c.ask...)), alice)
			page := newBrowser(t, idp)
			web := page.get(redirect(idp, request(c.ask...), ""))
			if c.want == "" {
				assert.Equal(t, c.why, reason(t, err))
				assert.Equal(t, c.why, reason(t, perr))
				assert.Zero(t, form)
				web.refused(t, 400, c.why) // before a password is asked for
				return
			}
			require.NoError(t, err)
			require.NoError(t, perr)
			assert.Equal(t, c.want, posted.URL)
			assert.Equal(t, c.want, form.URL)
			assert.Equal(t, c.want, page.signIn(web, alice, mockidp.DefaultPassword).answer(t).URL)
			root := decode(t, form)
			assert.Equal(t, c.want, root.SelectAttrValue("Destination", ""))
			assert.Equal(t, c.want, attrOf(t, root, "//SubjectConfirmationData", "Recipient"))
		})
	}
}

// Rule 36: the first URL of the app's list is where a sign-in that begins here arrives, and another order changes that.
func TestFirstACSIsIdPInitiated(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	target := func() string {
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		tile := b.get(idp.SSOURL("idc")).answer(t)
		assert.Equal(t, form.URL, tile.URL)
		return tile.URL
	}
	assert.Equal(t, virginia, target())
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: frank}, {URL: virginia}}))
	assert.Equal(t, frank, target())
	// The order determines the default, not the index.
	require.NoError(t, idp.SetACS("", []mockidp.ACS{{URL: virginia, Index: index(3)}, {URL: frank, Index: index(0)}}))
	assert.Equal(t, virginia, target())
}

// A request is checked again when it is answered, so no answer goes to a URL that was removed from the list during
// sign-in.
func TestURLRemovedDuringSignIn(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	form := b.get(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), ""))
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: virginia}}))
	b.signIn(form, alice, mockidp.DefaultPassword).refused(t, 400, mockidp.ReasonUnlistedURL)
	for _, m := range idp.Messages() {
		assert.NotEqual(t, mockidp.Sent, m.Direction)
	}
}

func TestInvalidACSLists(t *testing.T) {
	idp := start(t, twoRegions())
	long := make([]mockidp.ACS, mockidp.MaxACS+1)
	for i := range long {
		long[i].URL = fmt.Sprintf("http://sp.localhost/%d", i)
	}
	for name, list := range map[string][]mockidp.ACS{
		"duplicate URL":      {{URL: frank}, {URL: frank}},
		"duplicate index":    {{URL: frank, Index: index(1)}, {URL: virginia, Index: index(1)}},
		"some indexes":       {{URL: frank, Index: index(1)}, {URL: virginia}},
		"some indexes later": {{URL: frank}, {URL: virginia, Index: index(1)}},
		"too many":           long,
		"relative":           {{URL: "/acs"}},
		"no host":            {{URL: "http:///acs"}},
		"script":             {{URL: "javascript:alert(1)"}},
		"data":               {{URL: "data:text/html,x"}},
		"fragment":           {{URL: frank + "#x"}},
		"user":               {{URL: "http://u:p@sp.localhost/acs"}},
		"quote":              {{URL: `http://sp.localhost/"><script>`}},
		"space":              {{URL: "http://sp.localhost/a b"}},
		"newline":            {{URL: "http://sp.localhost/\n"}},
		"not ASCII":          {{URL: "http://sp.localhost/é"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.SetACS("idc", list)))
		})
	}
	app, _ := idp.App("idc")
	assert.Equal(t, virginia, app.ACS[0].URL, "a refused change had an effect")
}
