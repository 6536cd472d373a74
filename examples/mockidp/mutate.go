package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// mutate puts attacks of the catalogue in the place of answers: always the
// one that -attack names, and with -attacks what was ordered for the next.
func (o *controlOptions) mutate(c *mockidp.Config) error {
	if o.attack == "" && !o.attacks {
		return nil
	}
	cases := map[string]attack.Case{}
	for _, x := range attack.Cases() {
		cases[x.ID] = x
		c.Mutations = append(c.Mutations, x.ID)
	}
	if _, ok := cases[o.attack]; o.attack != "" && !ok {
		return fmt.Errorf("-attack: no attack is called %q; mockidp attack -list prints them", o.attack)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	always := o.attack
	c.Mutate = func(m mockidp.Mutation) ([]byte, error) {
		id := m.ID
		if id == "" {
			id = always
		}
		if id == "" || m.User.Login == "" { // nothing ordered, or an error status
			return m.Response, nil
		}
		return forge(cases[id], m, stranger)
	}
	return nil
}

func forge(x attack.Case, m mockidp.Mutation, stranger crypto.Signer) ([]byte, error) {
	p := attack.Params{
		Issuer: m.App.Issuer, Audience: m.App.Audience, Recipient: m.ACS, RequestID: m.InResponseTo, Subject: m.User.Login,
		NameIDFormat: m.App.NameIDFormat, Now: m.Now, Key: m.Key, AttackerKey: stranger, Certificate: m.Certificate.Raw, NoCertificate: m.App.OmitKeyInfo,
		Sign: map[mockidp.Signing]attack.Sign{mockidp.SignBoth: attack.SignBoth, mockidp.SignResponse: attack.SignResponse, mockidp.SignAssertion: attack.SignAssertion}[m.App.Sign],
	}
	for _, other := range m.App.ACS {
		if other.URL != m.ACS {
			p.OtherACS = other.URL
		}
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
	made, err := x.Make(p)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(string(made.SAMLResponse))
	if err != nil || made.XML != nil && !bytes.Equal(raw, made.XML) {
		return nil, fmt.Errorf("the attack %s lies in the form and not in the document; mockidp attack can make it", x.ID)
	}
	return raw, nil
}
