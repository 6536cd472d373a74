package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// unlistedURL: an attacker asks, in our name, for the answer to be sent to a
// place of the attacker's. Alice is signed in at the identity provider, so it could
// answer at once.
func unlistedURL(k *walker) string {
	var hits atomic.Int32
	l := check.Get(loopback.Listen(0))
	trap := loopback.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer trap.Stop()
	unlisted := loopback.Origin("elsewhere.localhost", loopback.Port(l)) + corp.ACSPath
	idp := check.Get(saml.ParseIdPMetadata(k.idp.Metadata("")))
	liar := check.Get(saml.New(saml.Config{EntityID: k.sp.EntityID(), ACS: []saml.Endpoint{{URL: unlisted}}, IdP: idp}))
	req := check.Get(liar.NewAuthnRequest(saml.RequestOptions{}))
	link := check.Get(req.RedirectURL(""))
	b := k.browser()
	check.Get(k.dashboard(b))
	before := k.sent()
	p := check.Get(b.Open(link))
	_, answered := p.FormWith("SAMLResponse")
	check.Must(check.Same("the identity provider's status", 400, p.Status),
		check.Same("whether it answered", false, answered),
		check.Same("responses that it made", 0, k.sent()-before),
		check.Same("requests at the unlisted URL", 0, hits.Load()))
	check.Must(person.Says(p, string(mockidp.ReasonUnlistedURL)))
	return "the identity provider refused (400) a request that named an unlisted URL, and posted nothing"
}

// sent counts the responses that the identity provider made.
func (k *walker) sent() int {
	n := 0
	for _, m := range k.idp.Messages() {
		if m.Direction == mockidp.Sent {
			n++
		}
	}
	return n
}

// wrongRecipient: a response is good in one Region, whichever browser carries it to
// another. All Regions share the entity ID, so only the Recipient tells them
// apart. Refusing it uses up nothing: the right Region still takes it.
func wrongRecipient(k *walker) string {
	here, there := k.sites[0], k.newRegion()
	for _, way := range []struct {
		flow  string
		begin func(*testkit.Browser) (*testkit.Page, testkit.Form, error)
	}{
		{acs.FlowSP, func(b *testkit.Browser) (*testkit.Page, testkit.Form, error) { return k.begin(b, here) }},
		{acs.FlowIdP, k.tile},
	} {
		b := k.browser()
		p, f := check.Get2(way.begin(b))
		astray, mark := f, k.signIns.mark()
		astray.Action = there.acs
		q := check.Get(b.Submit(p, astray, nil))
		check.Get(k.refused(mark, there, q, string(saml.ReasonRecipient)))
		mark = k.signIns.mark()
		p = check.Get(b.Submit(p, f, nil))
		check.Must(k.accepted(mark, here, way.flow), atPortal(p, here))
	}
	return "a response for " + here.Name + " posted to " + there.Name + " was refused (Recipient), and was still good in " + here.Name
}

// sameResponseTwice: once for a tile's response, which only the replay record
// can stop, and once for an answer, whose request is spent even for a client
// that kept this browser's cookies.
func sameResponseTwice(k *walker) string {
	r := k.sites[0]
	for _, way := range []struct {
		flow   string
		begin  func(*testkit.Browser) (*testkit.Page, testkit.Form, error)
		reason acs.Reason
	}{
		{acs.FlowIdP, k.tile, acs.ReasonReplay},
		{acs.FlowSP, func(b *testkit.Browser) (*testkit.Page, testkit.Form, error) { return k.begin(b, r) }, acs.ReasonRequest},
	} {
		b := k.browser()
		p, f := check.Get2(way.begin(b))
		before, mark := b.Copy(), k.signIns.mark()
		check.Get(b.Submit(p, f, nil))
		check.Must(k.accepted(mark, r, way.flow))
		mark = k.signIns.mark()
		q := check.Get(before.Submit(p, f, nil))
		check.Get(k.refused(mark, r, q, string(way.reason)))
	}
	return "the same response was refused the second time: a tile's as used (Replay), an answer's as its request is spent (Request)"
}

// otherBrowser: a response that answers this browser's request is of no use in
// another, and trying it there uses up nothing.
func otherBrowser(k *walker) string {
	r := k.sites[0]
	mine, theirs := k.browser(), k.browser()
	p, f := check.Get2(k.begin(mine, r))
	// The other one has a request of its own waiting, so it isn't refused just
	// for having no cookie at all.
	check.Get2(k.begin(theirs, r))
	mark := k.signIns.mark()
	q := check.Get(theirs.Submit(p, f, nil))
	check.Get(k.refused(mark, r, q, string(saml.ReasonInResponseTo)))
	mark = k.signIns.mark()
	p = check.Get(mine.Submit(p, f, nil))
	check.Must(k.accepted(mark, r, acs.FlowSP), atPortal(p, r))
	return "another browser could not use a response to this browser's request (InResponseTo); this browser then could"
}

// wrongRegion: the identity provider was not told of an additional Region's
// URL, and answers to the default instead of refusing. The default can't take
// the answer, but says to the operator what is missing.
func wrongRegion(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	app, ok := k.idp.App("")
	if !ok {
		check.Must(check.Differ("the SAML app", "one", "none"))
	}
	before, policy := app.ACS, app.Unlisted
	set := func(list []mockidp.ACS, u mockidp.UnlistedACS) error {
		return k.idp.UpdateApp("", func(a *mockidp.App) error { a.ACS, a.Unlisted = list, u; return nil })
	}
	check.Must(set(before[:1], mockidp.UseDefault))
	defer func() { check.Must(set(before, policy)) }()
	b, mark := k.browser(), k.signIns.mark()
	p := check.Get(k.signedIn(b, other))
	v := check.Get(k.refused(mark, first, p, string(saml.ReasonWrongRegion)))
	check.Must(check.That("what the log says", strings.Contains(v.Detail, other.acs) && strings.Contains(v.Detail, other.Name),
		"the URL and the name of "+other.Name, v.Detail))
	check.Must(person.Says(p, "Sign in again"))
	return fmt.Sprintf("with %s's URL unlisted its answer came to %s, was refused (WrongRegion), and the log named the URL to list", other.Name, first.Name)
}
