package main

import (
	"cmp"
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

// unlistedURL: somebody asks, in our name, for the answer to be sent to a place
// of their own. Alice is signed in at the identity provider, so it could
// answer at once.
func unlistedURL(k *walker) (string, error) {
	var hits atomic.Int32
	l, err := loopback.Listen(0)
	if err != nil {
		return "", err
	}
	trap := loopback.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer trap.Stop()
	unlisted := loopback.Origin("elsewhere.localhost", loopback.Port(l)) + corp.ACSPath
	idp, err := saml.ParseIdPMetadata(k.idp.Metadata(""))
	if err != nil {
		return "", err
	}
	liar, err := saml.New(saml.Config{EntityID: k.sp.EntityID(), ACS: []saml.Endpoint{{URL: unlisted}}, IdP: idp})
	if err != nil {
		return "", err
	}
	req, err := liar.NewAuthnRequest(saml.RequestOptions{})
	if err != nil {
		return "", err
	}
	link, err := req.RedirectURL("")
	if err != nil {
		return "", err
	}
	b := k.browser()
	if _, err := k.dashboard(b); err != nil {
		return "", err
	}
	before := k.sent()
	p, err := b.Open(link)
	if err != nil {
		return "", err
	}
	_, answered := p.FormWith("SAMLResponse")
	if err := cmp.Or(check.Same("the identity provider's status", 400, p.Status),
		check.Same("whether it answered", false, answered),
		check.Same("responses that it made", 0, k.sent()-before),
		check.Same("requests at the unlisted URL", 0, hits.Load())); err != nil {
		return "", err
	}
	if err := person.Says(p, string(mockidp.ReasonUnlistedURL)); err != nil {
		return "", err
	}
	return "the identity provider refused (400) a request that named an unlisted URL, and posted nothing", nil
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

// wrongRecipient: a response is good in one Region, whoever carries it to
// another. All Regions share the entity ID, so only the Recipient tells them
// apart. Refusing it uses up nothing: the right Region still takes it.
func wrongRecipient(k *walker) (string, error) {
	here, there := k.sites[0], k.newRegion()
	for _, way := range []struct {
		flow  string
		begin func(*testkit.Browser) (*testkit.Page, testkit.Form, error)
	}{
		{acs.FlowSP, func(b *testkit.Browser) (*testkit.Page, testkit.Form, error) { return k.begin(b, here) }},
		{acs.FlowIdP, k.tile},
	} {
		b := k.browser()
		p, f, err := way.begin(b)
		if err != nil {
			return "", err
		}
		astray, mark := f, k.signIns.mark()
		astray.Action = there.acs
		q, err := b.Submit(p, astray, nil)
		if err != nil {
			return "", err
		}
		if _, err := k.refused(mark, there, q, string(saml.ReasonRecipient)); err != nil {
			return "", err
		}
		mark = k.signIns.mark()
		if p, err = b.Submit(p, f, nil); err != nil {
			return "", err
		}
		if err := cmp.Or(k.accepted(mark, here, way.flow), atPortal(p, here)); err != nil {
			return "", err
		}
	}
	return "a response for " + here.Name + " posted to " + there.Name + " was refused (Recipient), and was still good in " + here.Name, nil
}

// sameResponseTwice: once for a tile's response, which only the replay record
// can stop, and once for an answer, whose request is spent even for somebody
// who kept this browser's cookies.
func sameResponseTwice(k *walker) (string, error) {
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
		p, f, err := way.begin(b)
		if err != nil {
			return "", err
		}
		before, mark := b.Copy(), k.signIns.mark()
		if _, err := b.Submit(p, f, nil); err != nil {
			return "", err
		}
		if err := k.accepted(mark, r, way.flow); err != nil {
			return "", err
		}
		mark = k.signIns.mark()
		q, err := before.Submit(p, f, nil)
		if err != nil {
			return "", err
		}
		if _, err := k.refused(mark, r, q, string(way.reason)); err != nil {
			return "", err
		}
	}
	return "the same response was refused the second time: a tile's as used (Replay), an answer's as its request is spent (Request)", nil
}

// otherBrowser: a response that answers this browser's request is of no use in
// another, and trying it there uses up nothing.
func otherBrowser(k *walker) (string, error) {
	r := k.sites[0]
	mine, theirs := k.browser(), k.browser()
	p, f, err := k.begin(mine, r)
	if err != nil {
		return "", err
	}
	// The other one has a request of its own waiting, so it isn't refused just
	// for having no cookie at all.
	if _, _, err := k.begin(theirs, r); err != nil {
		return "", err
	}
	mark := k.signIns.mark()
	q, err := theirs.Submit(p, f, nil)
	if err != nil {
		return "", err
	}
	if _, err := k.refused(mark, r, q, string(saml.ReasonInResponseTo)); err != nil {
		return "", err
	}
	mark = k.signIns.mark()
	if p, err = mine.Submit(p, f, nil); err != nil {
		return "", err
	}
	if err := cmp.Or(k.accepted(mark, r, acs.FlowSP), atPortal(p, r)); err != nil {
		return "", err
	}
	return "another browser could not use a response to this browser's request (InResponseTo); this browser then could", nil
}

// wrongRegion: the identity provider was not told of an additional Region's
// URL, and answers to the default instead of refusing. The default can't take
// the answer, but says to the operator what is missing.
func wrongRegion(k *walker) (held string, err error) {
	first, other := k.sites[0], k.newRegion()
	app, ok := k.idp.App("")
	if !ok {
		return "", check.Differ("the SAML app", "one", "none")
	}
	before, policy := app.ACS, app.Unlisted
	set := func(list []mockidp.ACS, u mockidp.UnlistedACS) error {
		return k.idp.UpdateApp("", func(a *mockidp.App) error { a.ACS, a.Unlisted = list, u; return nil })
	}
	if err := set(before[:1], mockidp.UseDefault); err != nil {
		return "", err
	}
	defer func() { err = cmp.Or(err, set(before, policy)) }()
	b, mark := k.browser(), k.signIns.mark()
	p, err := k.signedIn(b, other)
	if err != nil {
		return "", err
	}
	v, err := k.refused(mark, first, p, string(saml.ReasonWrongRegion))
	if err != nil {
		return "", err
	}
	if err := check.That("what the log says", strings.Contains(v.Detail, other.acs) && strings.Contains(v.Detail, other.Name),
		"the URL and the name of "+other.Name, v.Detail); err != nil {
		return "", err
	}
	if err := person.Says(p, "Sign in again"); err != nil {
		return "", err
	}
	return fmt.Sprintf("with %s's URL unlisted its answer came to %s, was refused (WrongRegion), and the log named the URL to list", other.Name, first.Name), nil
}
