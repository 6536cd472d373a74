package main

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/person"
)

var (
	accountName  = regexp.MustCompile(`<strong id="a\d+">([^<]*)</strong>`)
	deepLinkText = regexp.MustCompile(`<textarea id="deep-link"[^>]*>([^<]*)</textarea>`)
)

// accountFound: Alice finds an account by three letters, opens a permission set of it by its deep link, gets access
// keys, and marks it as a favorite. The other Region lists the favorite.
func accountFound(k *walker) string {
	first, other := k.sites[0], k.newRegion()
	const letters, name = "pay", "Payments"
	b := k.browser()
	check.Get(k.signedIn(b, first))
	p := check.Get(b.Open(first.url + "/?q=" + letters))
	m := accountName.FindStringSubmatch(p.Body)
	check.Must(check.That("the accounts that "+check.Quote(letters)+" finds", m != nil, "at least one", "none"))
	check.Must(check.Same("the first account that "+check.Quote(letters)+" finds", name, m[1]))
	p = check.Get(b.Click(p, corp.ReadOnly+" in "+name))
	link := deepLinkText.FindStringSubmatch(p.Body)
	check.Must(check.That("the page of the permission set", link != nil, "its deep link", p.Text()))

	b = k.browser() // of a user who isn't signed in
	role := "/accounts/" + corp.Payments + "/" + corp.ReadOnly
	p = check.Get(k.person().Enter(b, strings.ReplaceAll(link[1], "&amp;", "&")))
	check.Must(check.Same("where the deep link leads after the sign-in", first.url+role, p.URL.String()))
	keys, ok := p.FormFor(role + "/keys")
	check.Must(check.That("the page of the permission set", ok, "a button for access keys", p.Text()))
	favorite, ok := p.FormFor("/favorites")
	check.Must(check.That("the page of the permission set", ok, "a button for favorites", p.Text()))
	check.Must(person.Says(check.Get(b.Submit(p, keys, nil)), "AWS_ACCESS_KEY_ID"))
	p = check.Get(b.Submit(p, favorite, url.Values{"favorite": {"yes"}}))
	check.Must(check.Same("the page after marking the favorite", first.url+role, p.URL.String()))

	check.Get(k.signedIn(b, other))
	check.Must(k.until(func() error {
		p, err := b.Open(other.url + "/")
		if err != nil {
			return err
		}
		return person.Says(p, "Favorites "+corp.ReadOnly+" "+name)
	}))
	return check.Quote(letters) + " found " + name + " among 24 accounts; a deep link led to " + corp.ReadOnly +
		" and its access keys; the favorite is in " + other.Name + ", too"
}
