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
	"github.com/meridian-saml/meridian/saml"
)

// unlistedURL: an attacker sends a request in the service provider's name, for an answer to the attacker's own URL.
// Alice is signed in at the identity provider, so it could answer at once.
func unlistedURL(k *walker) string {
	var hits atomic.Int32
	l := check.Get(loopback.Listen(0))
	trap := loopback.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer trap.Stop()
	unlisted := loopback.Origin("elsewhere.localhost", loopback.Port(l)) + corp.ACSPath
	idp := check.Get(saml.ParseIdPMetadata(k.idp.Metadata("")))
	forger := check.Get(saml.New(saml.Config{EntityID: k.sp.EntityID(), ACS: []saml.Endpoint{{URL: unlisted}}, IdP: idp}))
	req := check.Get(forger.NewAuthnRequest(saml.RequestOptions{}))
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

// wrongRecipient: a response is valid in one Region only. All Regions share the entity ID, so only the Recipient
// differs. The Region still accepts a response that another has refused.
func wrongRecipient(k *walker) string {
	here, there := k.sites[0], k.newRegion()
	for _, way := range []struct {
		flow  string
		begin beginning
	}{
		{acs.FlowSP, k.begin(here)},
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
	return "a response for " + here.Name + " posted to " + there.Name + " was refused (Recipient), " +
		"and was still valid in " + here.Name
}

// sameResponseTwice: a tile's response is refused because of the replay record, and an answer because its request is
// used, even for a client with the browser's cookies.
func sameResponseTwice(k *walker) string {
	r := k.sites[0]
	for _, way := range []struct {
		flow   string
		begin  beginning
		reason acs.Reason
	}{
		{acs.FlowIdP, k.tile, acs.ReasonReplay},
		{acs.FlowSP, k.begin(r), acs.ReasonRequest},
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
	return "the same response was refused the second time: from a tile as replayed (Replay), " +
		"to a request as the request was used (Request)"
}

// otherBrowser: a response to this browser's request is refused in another, and is then still valid in this one.
func otherBrowser(k *walker) string {
	r := k.sites[0]
	mine, theirs := k.browser(), k.browser()
	p, f := check.Get2(k.begin(r)(mine))
	// The other browser has a pending request too, so the cause is not a missing cookie.
	check.Get2(k.begin(r)(theirs))
	mark := k.signIns.mark()
	q := check.Get(theirs.Submit(p, f, nil))
	check.Get(k.refused(mark, r, q, string(saml.ReasonInResponseTo)))
	mark = k.signIns.mark()
	p = check.Get(mine.Submit(p, f, nil))
	check.Must(k.accepted(mark, r, acs.FlowSP), atPortal(p, r))
	return "another browser could not use a response to this browser's request (InResponseTo); this browser then could"
}

// wrongRegion: the app does not list the Region's URL, and the identity provider answers to the default URL instead of
// refusing. The default Region refuses the answer, and logs which URL is missing.
func wrongRegion(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	app, ok := k.idp.App("")
	check.Must(check.Same("whether there is a SAML app", true, ok))
	before, policy := app.ACS, app.Unlisted
	set := func(list []mockidp.ACS, u mockidp.UnlistedACS) error {
		return k.idp.UpdateApp("", func(a *mockidp.App) error { a.ACS, a.Unlisted = list, u; return nil })
	}
	check.Must(set(before[:1], mockidp.UseDefault))
	defer func() { check.Must(set(before, policy)) }()
	b, mark := k.browser(), k.signIns.mark()
	p := check.Get(k.signedIn(b, other))
	v := check.Get(k.refused(mark, first, p, string(saml.ReasonWrongRegion)))
	names := strings.Contains(v.Detail, other.acs) && strings.Contains(v.Detail, other.Name)
	check.Must(check.That("the log", names, "the URL and the name of "+other.Name, v.Detail))
	check.Must(person.Says(p, "Sign in again"))
	return fmt.Sprintf("with %s's URL unlisted its answer went to %s and was refused (WrongRegion), "+
		"and the log named the URL to list", other.Name, first.Name)
}
