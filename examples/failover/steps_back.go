package main

import (
	"fmt"
	"net/http"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/portal/center"
)

// primaryBack: the primary's process is started again. All Regions then know
// the same, and nothing is missing that anybody was told is done: every session
// that a browser was given, by whatever process, still opens its portal.
func primaryBack(k *walker) (string, error) {
	back := k.sites[0]
	if back.process.ended() {
		if err := k.start(k.ctx, back); err != nil {
			return "", err
		}
	}
	report, err := k.agree()
	if err != nil {
		return "", err
	}
	all := k.kept.all()
	own := 0
	for _, s := range all {
		in, err := s.signedIn()
		if err != nil {
			return "", err
		}
		if err := check.Same("whether a session that "+s.at.Name+" gave opens its portal", true, in); err != nil {
			return "", err
		}
		if s.at == back {
			own++
		}
	}
	if err := check.That("the sessions that "+back.Name+" had given", own > 0, "some", fmt.Sprint(own)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is back: %s; all %d sessions that people were given still hold, %d of them its own", back.Name, report, len(all), own), nil
}

// agree waits until all Regions know the same.
func (k *walker) agree() (string, error) {
	said := ""
	err := k.until(func() error {
		report, err := k.differences(k.ctx)
		if err != nil {
			return err
		}
		said = report.String()
		return check.That("what the Regions know", len(report.Differences) == 0, "0 differences", said)
	})
	return said, err
}

// allBack: the redirector leads to the primary again, it signs people in, and
// it takes the change that nobody else would.
func allBack(k *walker) (string, error) {
	s := k.sites[0]
	if err := k.redirectorLeadsTo(s); err != nil {
		return "", err
	}
	if err := k.signsIn(k.browser(), s, k.redirectorURL+"/"); err != nil {
		return "", err
	}
	r, err := ask[refusal](k.ctx, k.world, s, http.MethodPost, pathAssign)
	if err != nil {
		return "", err
	}
	if err := check.Same("why "+s.Name+" refused a change to permissions", center.Reason(""), r.Reason); err != nil {
		return "", err
	}
	if _, err := k.agree(); err != nil {
		return "", err
	}
	return "the redirector led back to " + s.Name + ", which signed Alice in and changed permissions; the others followed", nil
}
