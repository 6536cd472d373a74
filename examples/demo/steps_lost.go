package main

import (
	"fmt"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// regionLost: the primary's server is shut down. What began elsewhere goes on;
// what the identity provider starts by itself still leads to the first URL of
// its list, which is why an additional Region has a bookmark.
func regionLost(k *walker) (string, error) {
	lost, alive := k.sites[0], k.newRegion()
	if err := k.press("/regions/" + lost.Name + "/stop"); err != nil {
		return "", err
	}
	if err := k.nobodyAnswers(lost); err != nil {
		return "", err
	}
	if err := k.signsIn(alive); err != nil {
		return "", err
	}
	if err := k.bookmarkLeadsTo(alive); err != nil {
		return "", err
	}
	b := k.browser()
	p, f, err := k.tile(b)
	if err != nil {
		return "", err
	}
	if err := check.Same("where the SAML tile leads", lost.acs, f.Action); err != nil {
		return "", err
	}
	if _, err := b.Submit(p, f, nil); !testkit.ConnectionRefused(err) {
		return "", check.Differ("the SAML tile, which leads to "+lost.Name, "no connection", fmt.Sprint(err))
	}
	return "with " + lost.Name + " shut down " + alive.Name + " signed Alice in from its portal and from the bookmark; the SAML tile still led to " + lost.Name, nil
}

// nobodyAnswers requires that nothing listens at the Region's address.
func (k *walker) nobodyAnswers(r *site) error {
	_, err := k.browser().Open(r.url + "/")
	return check.That("a connection to "+r.Name, testkit.ConnectionRefused(err), "refused", fmt.Sprint(err))
}

// regionBack: it comes back at the same address and signs people in, both ways.
func regionBack(k *walker) (string, error) {
	r := k.sites[0]
	if err := k.nobodyAnswers(r); err != nil {
		return "", err
	}
	if err := k.press("/regions/" + r.Name + "/start"); err != nil {
		return "", err
	}
	if err := k.signsIn(r); err != nil {
		return "", err
	}
	if err := k.tileLeadsTo(r); err != nil {
		return "", err
	}
	return r.Name + " came back and signed Alice in, from its portal and from the SAML tile", nil
}
