package main

import (
	"cmp"
	"encoding/xml"
	"fmt"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/saml"
)

// spMetadata is what step 1 reads of the metadata (SAML Metadata 2.4.4).
type spMetadata struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	ACS      []struct {
		Binding   string `xml:"Binding,attr"`
		Location  string `xml:"Location,attr"`
		IsDefault string `xml:"isDefault,attr"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor>AssertionConsumerService"`
}

// metadataListsBoth: one entity, every Region's URL, the first is the default;
// and the same document in every Region.
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
	if err := xml.Unmarshal([]byte(first), &doc); err != nil {
		check.Must(check.Differ("the metadata", "SAML metadata", err.Error()))
	}
	check.Must(check.Same("the entity ID", k.sp.EntityID(), doc.EntityID),
		check.Same("the number of ACS URLs", len(k.sites), len(doc.ACS)))
	for i, r := range k.sites {
		at, is := doc.ACS[i], doc.ACS[i].IsDefault
		check.Must(check.Same(fmt.Sprintf("ACS URL %d", i+1), r.acs, at.Location),
			check.Same("its binding", saml.HTTPPost, at.Binding),
			check.Same("whether "+r.Name+" is the default", i == 0, is == "true" || is == "1"))
	}
	return fmt.Sprintf("the metadata lists %d ACS URLs under one entity ID; the first, of %s, is the default", len(doc.ACS), k.sites[0].Name)
}

// signInAt starts at a Region's portal, as a person does who typed its address.
func signInAt(i int) step {
	return func(k *walker) string {
		r := k.sites[i]
		check.Must(k.signsIn(r))
		return "a sign-in begun in " + r.Name + " arrived at the ACS of " + r.Name + " and ended in its portal"
	}
}

// signsIn is a whole SP-initiated sign-in with a browser that was never here.
func (k *walker) signsIn(r *site) error { return k.signsInBy(r.url+"/", r) }

// signsInBy begins it at an address that leads to the Region.
func (k *walker) signsInBy(addr string, r *site) error {
	b, mark := k.browser(), k.signIns.mark()
	p, err := k.person().Enter(b, addr)
	if err != nil {
		return err
	}
	if err := k.accepted(mark, r, acs.FlowSP); err != nil {
		return err
	}
	if err := cmp.Or(check.Same("where the browser posted", fmt.Sprint([]string{r.acs}), fmt.Sprint(person.Posted(b, k.idpURL))), atPortal(p, r)); err != nil {
		return err
	}
	k.kept.add(r, b)
	return nil
}

// samlTile: IdP-initiated sign-in goes to the first URL of the app's list.
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
	if err := k.accepted(mark, r, acs.FlowIdP); err != nil {
		return err
	}
	return cmp.Or(check.Same("where the browser posted", fmt.Sprint([]string{r.acs}), fmt.Sprint(person.Posted(b, k.idpURL))), atPortal(p, r))
}

// bookmarkTile: the way to an additional Region is a bookmark, which knows no
// SAML: it opens the portal, which starts a sign-in of its own.
func bookmarkTile(k *walker) string {
	r := k.newRegion()
	check.Must(k.bookmarkLeadsTo(r))
	return "the bookmark " + check.Quote(corp.BookmarkLabel(r.Place)) + " opened that portal, which signed Alice in without asking again"
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

// swapped: the order of the URLs in the identity provider's app decides where
// its tile leads, and nothing at the service provider has to follow.
func swapped(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	check.Must(k.press("/swap"))
	moved := k.tileLeadsTo(other)
	// Back in any case, or every later step would fail for this one's reason.
	check.Must(k.press("/swap"), moved)
	check.Must(k.tileLeadsTo(first))
	return "with the two URLs swapped in the app its tile led to " + other.Name + ", and swapped back to " + first.Name
}
