package main

import (
	"cmp"
	"encoding/xml"
	"fmt"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// spMetadata is the part of the metadata that metadataListsBoth reads (SAML Metadata 2.4.4).
type spMetadata struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	ACS      []struct {
		Binding   string `xml:"Binding,attr"`
		Location  string `xml:"Location,attr"`
		IsDefault string `xml:"isDefault,attr"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor>AssertionConsumerService"`
}

// metadataListsBoth: every Region serves the same metadata, with one entity and every Region's URL, the first of which
// is the default.
func metadataListsBoth(k *walker) string {
	var first string
	for i, r := range k.sites {
		p := check.Get(k.browser().Open(r.url + "/metadata"))
		if i == 0 {
			first = p.Body
		}
		check.Must(check.Same("the status of the metadata", 200, p.Status),
			check.That("the metadata in "+r.Name, p.Body == first, "the same as in "+k.sites[0].Name, "another"))
	}
	var doc spMetadata
	err := xml.Unmarshal([]byte(first), &doc)
	check.Must(check.That("the metadata", err == nil, "SAML metadata", fmt.Sprint(err)))
	check.Must(check.Same("the entity ID", k.sp.EntityID(), doc.EntityID),
		check.Same("the number of ACS URLs", len(k.sites), len(doc.ACS)))
	for i, r := range k.sites {
		at, is := doc.ACS[i], doc.ACS[i].IsDefault
		check.Must(check.Same(fmt.Sprintf("ACS URL %d", i+1), r.acs, at.Location),
			check.Same("its binding", saml.HTTPPost, at.Binding),
			check.Same("whether "+r.Name+" is the default", i == 0, is == "true" || is == "1"))
	}
	return fmt.Sprintf("the metadata lists %d ACS URLs under one entity ID; the first, of %s, is the default",
		len(doc.ACS), k.sites[0].Name)
}

// signInAt: a sign-in that begins at a Region's portal ends there.
func signInAt(i int) step {
	return func(k *walker) string {
		r := k.sites[i]
		check.Must(k.signsIn(r))
		return "a sign-in begun in " + r.Name + " arrived at the ACS of " + r.Name + " and ended in its portal"
	}
}

// signsIn is an SP-initiated sign-in with a new browser.
func (k *walker) signsIn(r *site) error { return k.signsInBy(r.url+"/", r) }

// signsInBy is signsIn from an address that leads to the Region.
func (k *walker) signsInBy(addr string, r *site) error {
	b, mark := k.browser(), k.signIns.mark()
	p, err := k.person().Enter(b, addr)
	if err != nil {
		return err
	}
	if err := cmp.Or(k.accepted(mark, r, acs.FlowSP), k.posted(b, r), atPortal(p, r)); err != nil {
		return err
	}
	k.kept.add(r, b)
	return nil
}

// posted requires that the browser posted to the Region's ACS alone.
func (k *walker) posted(b *testkit.Browser, r *site) error {
	return check.Same("where the browser posted", fmt.Sprint([]string{r.acs}), fmt.Sprint(person.Posted(b, k.idpURL)))
}

// samlTile: the SAML tile leads to the first URL of the app's list.
func samlTile(k *walker) string {
	r := k.sites[0]
	check.Must(k.tileLeadsTo(r))
	return "the SAML tile led to the first URL of the app's list, that of " + r.Name
}

func (k *walker) tileLeadsTo(r *site) error {
	b, mark := k.browser(), k.signIns.mark()
	p, f, err := k.tile(b)
	if err != nil {
		return err
	}
	if p, err = b.Submit(p, f, nil); err != nil {
		return err
	}
	return cmp.Or(k.accepted(mark, r, acs.FlowIdP), k.posted(b, r), atPortal(p, r))
}

// bookmarkTile: the bookmark opens the portal of an additional Region, which starts an SP-initiated sign-in.
func bookmarkTile(k *walker) string {
	r := k.newRegion()
	check.Must(k.bookmarkLeadsTo(r))
	return "the bookmark " + check.Quote(corp.BookmarkLabel(r.Place)) +
		" opened that portal, which signed Alice in without asking again"
}

func (k *walker) bookmarkLeadsTo(r *site) error {
	b := k.browser()
	p, err := k.dashboard(b)
	if err != nil {
		return err
	}
	mark := k.signIns.mark()
	if p, err = b.Click(p, corp.BookmarkLabel(r.Place)); err != nil {
		return err
	}
	if _, asks := p.FormWith("password"); asks {
		return check.Differ("the identity provider, where Alice has a session", "an answer", "its sign-in page")
	}
	if err := person.Visited(b, r.url+"/"); err != nil {
		return err
	}
	if p, err = k.person().SignIn(b, p); err != nil {
		return err
	}
	return cmp.Or(k.accepted(mark, r, acs.FlowSP), atPortal(p, r))
}

// swapped: the tile leads to the first URL of the app, whatever the service provider's order.
func swapped(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.press("/swap", nil))
	moved := k.tileLeadsTo(other)
	check.Must(k.press("/swap", nil), moved) // swapped back also on failure: later steps need it
	check.Must(k.tileLeadsTo(first))
	return "with the two URLs swapped in the app its tile led to " + other.Name + ", and swapped back to " + first.Name
}
