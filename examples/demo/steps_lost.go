package main

import (
	"fmt"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// regionLost: the primary's server is shut down. What began elsewhere goes on;
// what the identity provider starts by itself still leads to the first URL of
// its list, which is why an additional Region has a bookmark.
func regionLost(k *walker) string {
	lost, alive := k.sites[0], k.newRegion()
	check.Must(k.press("/regions/" + lost.Name + "/stop"))
	check.Must(k.nothingAnswers(lost))
	check.Must(k.signsIn(alive))
	check.Must(k.bookmarkLeadsTo(alive))
	b := k.browser()
	p, f := check.Get2(k.tile(b))
	check.Must(check.Same("where the SAML tile leads", lost.acs, f.Action))
	if _, err := b.Submit(p, f, nil); !testkit.ConnectionRefused(err) {
		check.Must(check.Differ("the SAML tile, which leads to "+lost.Name, "no connection", fmt.Sprint(err)))
	}
	return "with " + lost.Name + " shut down " + alive.Name + " signed Alice in from its portal and from the bookmark; the SAML tile still led to " + lost.Name
}

// nothingAnswers requires that nothing listens at the Region's address.
func (k *walker) nothingAnswers(r *site) error {
	_, err := k.browser().Open(r.url + "/")
	return check.That("a connection to "+r.Name, testkit.ConnectionRefused(err), "refused", fmt.Sprint(err))
}

// regionBack: it comes back at the same address and signs people in, both ways.
func regionBack(k *walker) string {
	r := k.sites[0]
	check.Must(k.nothingAnswers(r))
	check.Must(k.press("/regions/" + r.Name + "/start"))
	check.Must(k.signsIn(r))
	check.Must(k.tileLeadsTo(r))
	return r.Name + " came back and signed Alice in, from its portal and from the SAML tile"
}
