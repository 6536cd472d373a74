package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// standing collects the values of -attack: an ID, and whose answers it is for,
// such as "A03/assertion,app=payroll,user=alice@example.com".
type standing []mockidp.StandingMutation

func (s *standing) String() string { return "" }

func (s *standing) Set(text string) error {
	parts := strings.Split(text, ",")
	m := mockidp.StandingMutation{ID: parts[0]}
	for _, p := range parts[1:] {
		switch name, value, _ := strings.Cut(p, "="); name {
		case "app":
			m.App = value
		case "user":
			m.User = value
		default:
			return fmt.Errorf("want app or user, got %q", name)
		}
	}
	if m.ID == "" {
		return errors.New("want the ID of an attack first")
	}
	*s = append(*s, m)
	return nil
}

// forger makes attacks of the catalogue from good answers.
type forger struct {
	cases    map[string]attack.Case
	forms    map[string]formAttack
	stranger crypto.Signer // whom nobody trusts
}

// mutate puts attacks of the catalogue in the place of answers: those that
// -attack and the configuration switch on, and what is ordered with -attacks.
func (o *controlOptions) mutate(c *mockidp.Config) error {
	c.StandingMutations = append(c.StandingMutations, o.attack...)
	if len(c.StandingMutations) == 0 && !o.attacks {
		return nil
	}
	f := forger{cases: map[string]attack.Case{}, forms: formAttacks()}
	for _, x := range attack.Cases() {
		f.cases[x.ID] = x
	}
	catalogue := map[string]bool{}
	for _, e := range attack.List() {
		catalogue[e.ID] = true
		if f.knows(e.ID) {
			c.Mutations = append(c.Mutations, e.ID)
		}
	}
	for _, m := range c.StandingMutations {
		switch {
		case f.knows(m.ID):
		case catalogue[m.ID]:
			return fmt.Errorf("attack: %q is nothing that one page in a browser can do; mockidp attack makes it", m.ID)
		default:
			return fmt.Errorf("attack: no attack is called %q; mockidp attack -list prints them", m.ID)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	f.stranger, c.Mutate = key, f.mutate
	return nil
}

// unsendable are those cases whose form value no page can hold: octets that
// aren't UTF-8, and NUL (HTML, 13.2.3.5).
var unsendable = map[string]bool{"C24/junk-high": true, "C24/nul": true}

func (f forger) knows(id string) bool {
	_, document := f.cases[id]
	_, form := f.forms[id]
	return form || document && !unsendable[id]
}

func (f forger) mutate(m mockidp.Mutation) (mockidp.Mutated, error) {
	if m.ID == "" || m.User.Login == "" { // nothing ordered, or an error status
		return mockidp.Mutated{}, nil
	}
	if form, ok := f.forms[m.ID]; ok {
		return form(f, m)
	}
	made, err := f.forge(m.ID, m, nil)
	if err != nil {
		return mockidp.Mutated{}, err
	}
	out := mockidp.Mutated{Response: made.XML}
	if value := string(made.SAMLResponse); value != base64.StdEncoding.EncodeToString(made.XML) {
		out.Fields = withRelayState(m, value)
	}
	return out, nil
}

// forge makes a hostile document in the place of a good one.
func (f forger) forge(id string, m mockidp.Mutation, change func(*attack.Params)) (attack.Message, error) {
	x := f.cases[id]
	p := f.params(x, m)
	if change != nil {
		change(&p)
	}
	return x.Make(p)
}

// params are an answer's, for a case.
func (f forger) params(x attack.Case, m mockidp.Mutation) attack.Params {
	p := attack.Params{
		Issuer: m.App.Issuer, Audience: m.App.Audience, Recipient: m.ACS, OtherACS: otherACS(m), RequestID: m.InResponseTo, Subject: m.User.Login,
		NameIDFormat: m.App.NameIDFormat, Now: m.Now, Key: m.Key, AttackerKey: f.stranger, Certificate: m.Certificate.Raw, NoCertificate: m.App.OmitKeyInfo,
		Sign: map[mockidp.Signing]attack.Sign{mockidp.SignBoth: attack.SignBoth, mockidp.SignResponse: attack.SignResponse, mockidp.SignAssertion: attack.SignAssertion}[m.App.Sign],
	}
	if cert := m.App.EncryptionCertificate; cert != nil {
		p.EncryptTo, _ = cert.PublicKey.(*rsa.PublicKey)
	}
	modes := x.Needs.Modes()
	for _, mode := range modes {
		if mode == p.Sign {
			modes = []attack.Sign{mode}
		}
	}
	p.Sign = modes[0] // the app's own, where the attack can be made in it
	return p
}

// otherACS is another URL of the app's list, or "".
func otherACS(m mockidp.Mutation) string {
	other := ""
	for _, x := range m.App.ACS {
		if x.URL != m.ACS {
			other = x.URL
		}
	}
	return other
}
