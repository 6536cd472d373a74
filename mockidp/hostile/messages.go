package hostile

import (
	"cmp"
	"crypto/rsa"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The messages beside responses: logout messages, artifacts, and answers by SOAP.

// addMessages adds the attacks of these messages to Mutations and MutationInfo.
func (f forger) addMessages(c *mockidp.Config) {
	add := func(id string, changes mockidp.MessageKind) {
		i := info(id)
		i.Changes = changes
		c.Mutations, c.MutationInfo[id] = append(c.Mutations, id), i
	}
	for _, x := range attack.LogoutCases() {
		f.logouts[x.ID] = x
		if x.Answer {
			add(x.ID, mockidp.ChangesLogoutResponse)
		} else {
			add(x.ID, mockidp.ChangesLogoutRequest)
		}
	}
	for _, x := range attack.ArtifactCases() {
		f.artifacts[x.ID] = x
		if x.Brought {
			add(x.ID, mockidp.ChangesArtifact)
		} else {
			add(x.ID, mockidp.ChangesArtifactAnswer)
		}
	}
	for _, x := range attack.AttributeCases() {
		f.attributes[x.ID] = x
		add(x.ID, mockidp.ChangesAttributes)
	}
	c.MutateMessage = f.mutateMessage
}

func (f forger) mutateMessage(m mockidp.MessageMutation) (mockidp.MutatedMessage, error) {
	base, err := f.messageParams(m)
	if err != nil {
		return mockidp.MutatedMessage{}, err
	}
	switch m.Kind {
	case mockidp.ChangesLogoutRequest, mockidp.ChangesLogoutResponse:
		return f.logout(f.logouts[m.ID], base, m)
	case mockidp.ChangesAttributes:
		base.Subject = cmp.Or(m.NameID, base.Subject)
		base.NameIDFormat = cmp.Or(m.NameIDFormat, base.NameIDFormat)
		envelope, err := f.attributes[m.ID].Make(attack.AttributeParams{Params: base, QueryID: m.InResponseTo})
		return mockidp.MutatedMessage{Text: string(envelope)}, err
	}
	x := f.artifacts[m.ID]
	if err := f.check(x.ID, x.Needs, &base, m); err != nil {
		return mockidp.MutatedMessage{}, err
	}
	base.RequestID = m.AuthnRequest
	made, err := x.Make(attack.ArtifactParams{
		Params: base, Index: mockidp.ArtifactIndex, ResolveID: m.InResponseTo,
	})
	if x.Brought {
		return mockidp.MutatedMessage{Text: made.Artifact}, err
	}
	return mockidp.MutatedMessage{Text: string(made.Envelope)}, err
}

// logout makes a logout message. Each attack is by one binding.
func (f forger) logout(
	x attack.LogoutCase, base attack.Params, m mockidp.MessageMutation,
) (mockidp.MutatedMessage, error) {
	if x.Binding.String() != m.Binding {
		return mockidp.MutatedMessage{}, &attack.Error{
			Rule: x.ID, Detail: fmt.Sprintf("the message goes by %s, and the attack is by %s", m.Binding, x.Binding),
		}
	}
	n := attack.Needs{Key: x.Key, Encrypted: x.Encrypted, SP: attack.Settings{OtherIdP: x.OtherIdP}}
	if err := f.check(x.ID, n, &base, m); err != nil {
		return mockidp.MutatedMessage{}, err
	}
	base.Subject, base.RequestID = cmp.Or(m.NameID, base.Subject), m.AuthnRequest
	base.NameIDFormat = cmp.Or(m.NameIDFormat, base.NameIDFormat)
	made, err := x.Make(attack.LogoutParams{
		Params: base, SessionIndex: cmp.Or(m.SessionIndex, "none"), InResponseTo: cmp.Or(m.InResponseTo, "_none"),
		RelayState: m.RelayState,
	})
	return mockidp.MutatedMessage{Text: made.Text, Param: made.Param, Document: made.XML}, err
}

// check fills in what a case needs, and returns an error if the mock lacks it.
func (f forger) check(id string, n attack.Needs, p *attack.Params, m mockidp.MessageMutation) error {
	if n.SP.OtherIdP && m.OtherKey == m.Key {
		return &attack.Error{Rule: id, Detail: "the other identity provider has the same key: set Config.TenantKeys"}
	}
	if cert := m.App.EncryptionCertificate; n.Encrypted && cert != nil {
		p.EncryptTo, _ = cert.PublicKey.(*rsa.PublicKey)
	}
	return nil
}

// messageParams returns the parameters that all these messages have.
func (f forger) messageParams(m mockidp.MessageMutation) (attack.Params, error) {
	attacker, err := f.attacker()
	other := ""
	for _, x := range m.App.ACS {
		if x.URL != m.Destination {
			other = x.URL
		}
	}
	return attack.Params{
		Issuer: m.App.Issuer, Audience: m.App.Audience, Recipient: cmp.Or(m.Destination, m.App.DefaultACS().URL),
		OtherACS: other, Subject: m.User.Login, NameIDFormat: m.App.NameIDFormat, Now: m.Now, Key: m.Key,
		AttackerKey: attacker, Certificate: m.Certificate.Raw, NoCertificate: m.App.OmitKeyInfo,
		OtherIdP: m.OtherIssuer, OtherKey: m.OtherKey,
	}, err
}
