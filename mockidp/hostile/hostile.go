// Package hostile makes a mock identity provider send the attacks of package attack instead of good answers, to test
// that a service provider refuses them. NOT FOR PRODUCTION.
//
//	c := mockidp.Config{StandingMutations: []mockidp.StandingMutation{{ID: "A03/assertion"}}}
//	hostile.Arm(&c)
//	idp := mockidp.New(c) // alice signs in, and the answer says admin
//
// The Example signs in with a good answer and with a table of hostile ones.
//
// In the attacks of family I the other identity provider is a tenant: see mockidp.Mutation. It needs a key of its own
// (mockidp.Config.TenantKeys).
//
// Attacks on single logout change the logout messages of the mock, so they take an app with single logout; attacks by
// artifacts take an app whose ResponseBinding is an artifact, and those by answers to attribute queries one with
// AttributeQueries. Start one as any other, and then sign in and out. The second Example does that.
//
//	err := idp.SetMutation("G02/post", "", "") // the mock's LogoutRequests have no signature
//
// It has the attacks that one message of an identity provider shows. These are most of the catalogue. Package
// mockidp/attack/run has those that need several messages, or requests that no browser sends. [Missing] lists them.
package hostile

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Arm sets Mutate, MutateMessage, Mutations and MutationInfo of c. That makes attacks possible, but starts none.
// Config.StandingMutations and Server.SetMutation start one for every answer, and Server.QueueMutation one for the
// next answer. A user who signs in on a page can select one for that sign-in, if it changes the response. The IDs are
// those of run.List in package attack/run. The Server refuses those of [Missing].
func Arm(c *mockidp.Config) {
	f := forger{
		cases: map[string]attack.Case{}, forms: formAttacks(), logouts: map[string]attack.LogoutCase{},
		artifacts: map[string]attack.ArtifactCase{}, attributes: map[string]attack.AttributeCase{},
	}
	f.attacker = sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	c.Mutate, c.Mutations = f.mutate, nil
	for _, x := range attack.Cases() {
		f.cases[x.ID] = x
		if !unsendable[x.ID] {
			c.Mutations = append(c.Mutations, x.ID)
		}
	}
	c.Mutations = append(c.Mutations, slices.Sorted(maps.Keys(f.forms))...)
	c.MutationInfo = map[string]mockidp.MutationInfo{}
	for _, id := range c.Mutations {
		c.MutationInfo[id] = info(id)
	}
	f.addMessages(c)
	slices.SortStableFunc(c.Mutations, func(a, b string) int { return cmp.Compare(a[:3], b[:3]) }) // by row
}

// families names the groups of rows, by the first letter of their IDs.
var families = map[byte]string{
	'A': "Signature wrapping", 'B': "Signatures, keys and algorithms", 'C': "XML and its parsers",
	'D': "Rules of the protocol", 'E': "Encryption", 'G': "Single logout", 'H': "Artifacts",
	'I': "Several identity providers",
	'J': "Found by comparing implementations",
	'K': "Encodings, metadata and certificates",
}

// info describes a case by its row and the name of the variant: "XSW1 (response)".
func info(id string) mockidp.MutationInfo {
	row, _ := attack.RowOf(id)
	title := row.Name
	if _, variant, ok := strings.Cut(id, "/"); ok {
		title += " (" + strings.ReplaceAll(variant, "-", " ") + ")"
	}
	return mockidp.MutationInfo{Title: title, Family: families[id[0]], Reference: row.Reference}
}

// forger makes attacks of the catalogue from good answers.
type forger struct {
	cases      map[string]attack.Case
	forms      map[string]formAttack
	logouts    map[string]attack.LogoutCase
	artifacts  map[string]attack.ArtifactCase
	attributes map[string]attack.AttributeCase
	attacker   func() (crypto.Signer, error) // a key that no service provider trusts
}

// unsendable lists the cases whose form value no page can hold: octets that aren't UTF-8, and NUL (HTML, 13.2.3.5).
var unsendable = map[string]bool{"C24/junk-high": true, "C24/nul": true}

func (f forger) mutate(m mockidp.Mutation) (mockidp.Mutated, error) {
	if m.ID == "" || m.User.Login == "" { // no attack, or an error status
		return mockidp.Mutated{}, nil
	}
	if send, ok := f.forms[m.ID]; ok {
		return send(f, m)
	}
	x := f.cases[m.ID]
	p, err := f.params(x, m)
	if err != nil {
		return mockidp.Mutated{}, err
	}
	made, err := x.Make(p)
	if err != nil {
		return mockidp.Mutated{}, err
	}
	out := mockidp.Mutated{Response: made.XML}
	if value := string(made.SAMLResponse); value != base64.StdEncoding.EncodeToString(made.XML) {
		out.Fields = form(m.RelayState, value)
	}
	return out, nil
}

// params fills in a case's document for an answer.
func (f forger) params(x attack.Case, m mockidp.Mutation) (attack.Params, error) {
	attacker, err := f.attacker()
	p := attack.Params{
		Issuer: m.App.Issuer, Audience: m.App.Audience, Recipient: m.ACS, OtherACS: otherACS(m),
		RequestID: m.InResponseTo, Subject: m.User.Login, NameIDFormat: m.App.NameIDFormat, Now: m.Now,
		Key: m.Key, AttackerKey: attacker, Certificate: m.Certificate.Raw, NoCertificate: m.App.OmitKeyInfo,
		OtherIdP: m.OtherIssuer, OtherKey: m.OtherKey,
	}
	if x.Needs.SP.OtherIdP && m.OtherKey == m.Key {
		return p, &attack.Error{Rule: x.ID, Detail: "the other identity provider has the same key: set Config.TenantKeys"}
	}
	if cert := m.App.EncryptionCertificate; cert != nil {
		p.EncryptTo, _ = cert.PublicKey.(*rsa.PublicKey)
	}
	p.Sign = map[mockidp.Signing]attack.Sign{
		mockidp.SignBoth: attack.SignBoth, mockidp.SignResponse: attack.SignResponse,
		mockidp.SignAssertion: attack.SignAssertion,
	}[m.App.Sign]
	if modes := x.Needs.Modes(); !slices.Contains(modes, p.Sign) {
		p.Sign = modes[0] // the attack can't be made as the app signs
	}
	return p, err
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
