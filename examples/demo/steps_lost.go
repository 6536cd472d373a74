package main

import (
	"errors"
	"net"
)

// regionLost: the primary's server is shut down. What began elsewhere goes on;
// what the identity provider starts by itself still leads to the first URL of
// its list, which is why an additional Region has a bookmark.
func regionLost(k *walker) (string, error) {
	lost, alive := k.regions[0], k.regions[len(k.regions)-1]
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
	if err := same("where the SAML tile leads", lost.acs, f.action); err != nil {
		return "", err
	}
	if _, err := b.submit(p, f, nil); !refusedConnection(err) {
		return "", differ("the SAML tile, which leads to "+lost.Name, "no connection", show(err))
	}
	return "with " + lost.Name + " shut down " + alive.Name + " signed Alice in from its portal and from the bookmark; the SAML tile still led to " + lost.Name, nil
}

// nobodyAnswers requires that nothing listens at the Region's address.
func (k *walker) nobodyAnswers(r *region) error {
	_, err := k.browser().open(r.url + "/")
	return holds("a connection to "+r.Name, refusedConnection(err), "refused", show(err))
}

func refusedConnection(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}

// regionBack: it comes back at the same address and signs people in, both ways.
func regionBack(k *walker) (string, error) {
	r := k.regions[0]
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
