package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// replay posts the last response that a Region accepted to the same ACS again, from a client without cookies, as an
// attacker who intercepted it would. It returns the verdict.
func (w *world) replay(ctx context.Context) (signIn, error) {
	m, err := w.lastAccepted()
	if err != nil {
		return signIn{}, err
	}
	at, err := w.site(m.ACS)
	if err != nil {
		return signIn{}, err
	}
	if !at.Running() {
		return signIn{}, fmt.Errorf("%s is stopped, so nothing can be sent there", at.Name)
	}
	b := testkit.NewBrowser(ctx)
	mark := w.signIns.mark()
	values := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(m.XML)}}
	if m.RelayState != "" {
		values.Set("RelayState", m.RelayState)
	}
	p, err := b.Post("http://"+corp.IdPHost, m.ACS, values)
	if err != nil {
		return signIn{}, err
	}
	// Another user may sign in at the same time. The reference on the page tells which verdict is ours. There is none
	// if the response was accepted.
	ours := referenceOn(p)
	for _, v := range w.signIns.since(mark) {
		if v.ACS == m.ACS && (v.Reference == ours || ours == "" && v.Accepted()) {
			return v, nil
		}
	}
	return signIn{}, fmt.Errorf("%s answered %d and returned no verdict", at.Name, p.Status)
}

// lastAccepted returns the message of the newest accepted verdict.
func (w *world) lastAccepted() (mockidp.Message, error) {
	sent := w.idp.Messages()
	for _, v := range w.signIns.newest() {
		if !v.Verdict.Accepted {
			continue
		}
		for _, m := range sent {
			if m.Direction == mockidp.Sent && m.ACS == v.ACS && bytes.Contains(m.XML, []byte(`ID="`+v.AssertionID+`"`)) {
				return m, nil
			}
		}
	}
	return mockidp.Message{}, errors.New("no Region has accepted a response yet: sign in first")
}

var reference = regexp.MustCompile(`\bMRD-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)

// referenceOn returns the reference that a page shows, or "".
func referenceOn(p *testkit.Page) string { return reference.FindString(strings.ToUpper(p.Text())) }
