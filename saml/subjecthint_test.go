package saml_test

import (
	"crypto"
	"fmt"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

func nameIDOf(n saml.NameID) string {
	w := `<saml:NameID`
	for _, a := range []struct{ name, value string }{
		{"Format", n.Format}, {"NameQualifier", n.NameQualifier}, {"SPNameQualifier", n.SPNameQualifier},
		{"SPProvidedID", n.SPProvidedID},
	} {
		if a.value != "" {
			w += fmt.Sprintf(` %s=%q`, a.name, a.value)
		}
	}
	return w + `>` + n.Value + `</saml:NameID>`
}

// withNameID replaces the NameID before the assertion is signed.
func withNameID(n saml.NameID) func(*etree.Element) {
	return func(r *etree.Element) {
		id := r.FindElement(".//NameID")
		id.Parent().InsertChildAt(id.Index(), parseXML(nameIDOf(n)))
		id.Parent().RemoveChild(id)
	}
}

// K20: an answer about another subject than the requested one is refused, whether its
// NameID is encrypted or not (Core 3.4.1.4, 3.3.4).
func TestRequestedSubject(t *testing.T) {
	sp := newSP(t, member, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
	const unspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	alice := saml.NameID{Value: "alice@example.com", Format: email}
	opaque := saml.NameID{Value: "x1", Format: persistent}
	with := func(n saml.NameID, change func(*saml.NameID)) saml.NameID { change(&n); return n }
	for name, c := range map[string]struct {
		asked, answered saml.NameID
		reason          saml.Reason
	}{
		"the same":         {alice, alice, ""},
		"another user":     {alice, with(alice, func(n *saml.NameID) { n.Value = "bob@example.com" }), saml.ReasonSubject},
		"another case":     {alice, with(alice, func(n *saml.NameID) { n.Value = "Alice@example.com" }), saml.ReasonSubject},
		"a space":          {alice, with(alice, func(n *saml.NameID) { n.Value += " " }), saml.ReasonSubject},
		"another Format":   {alice, with(alice, func(n *saml.NameID) { n.Format = unspecified }), saml.ReasonSubject},
		"no Format":        {alice, with(alice, func(n *saml.NameID) { n.Format = "" }), saml.ReasonSubject},
		"a Format unasked": {with(alice, func(n *saml.NameID) { n.Format = "" }), alice, saml.ReasonSubject},
		"unspecified": {
			with(alice, func(n *saml.NameID) { n.Format = "" }),
			with(alice, func(n *saml.NameID) { n.Format = unspecified }), "",
		},
		"the default NameQualifier": {opaque, with(opaque, func(n *saml.NameID) { n.NameQualifier = idpEntity }), ""},
		"the default qualifiers, asked for": {
			with(opaque, func(n *saml.NameID) { n.NameQualifier, n.SPNameQualifier = idpEntity, spEntity }), opaque, "",
		},
		"another NameQualifier": {
			alice, with(alice, func(n *saml.NameID) { n.NameQualifier = "https://other.example" }), saml.ReasonSubject,
		},
		"the default SPNameQualifier": {opaque, with(opaque, func(n *saml.NameID) { n.SPNameQualifier = spEntity }), ""},
		"an affiliation's": {
			opaque, with(opaque, func(n *saml.NameID) { n.SPNameQualifier = affiliation }), saml.ReasonSubject,
		},
		"an affiliation's, asked for": {
			with(opaque, func(n *saml.NameID) { n.SPNameQualifier = affiliation }),
			with(opaque, func(n *saml.NameID) { n.SPNameQualifier = affiliation }), "",
		},
		"an affiliation's, not answered": {
			with(opaque, func(n *saml.NameID) { n.SPNameQualifier = affiliation }), opaque, saml.ReasonSubject,
		},
		"another SPProvidedID": {
			opaque, with(opaque, func(n *saml.NameID) { n.SPProvidedID = "p" }), saml.ReasonSubject,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := sp.NewAuthnRequest(saml.RequestOptions{Subject: &c.asked})
			require.NoError(t, err)
			for _, before := range []func(*etree.Element){
				withNameID(c.answered), encryptedID(sealing{}, nameIDOf(c.answered)),
			} {
				raw := doc{RequestID: r.ID(), Recipient: usACS, Before: before}.base64(t)
				a, err := sp.Verify(raw, saml.VerifyOptions{ACS: usACS, RequestIDs: []string{r.ID()}})
				require.NoError(t, err)
				require.Equal(t, c.answered, a.NameID())
				if err = a.CheckRequest(r.Record()); c.reason == "" {
					require.NoError(t, err)
				} else {
					requireReason(t, c.reason, err)
					assert.ErrorContains(t, err, "Core 3.4.1.4")
				}
			}
		})
	}
}

// An absent NameID meets no request for one.
func TestRequestedSubjectWithoutNameID(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { c.AllowMissingNameID = true })
	for reason, o := range map[saml.Reason]saml.RequestOptions{
		saml.ReasonSubject: {Subject: &saml.NameID{Value: "alice@example.com"}},
		saml.ReasonNameID:  {NameIDPolicy: &saml.NameIDPolicy{SPNameQualifier: spEntity}},
	} {
		r, err := sp.NewAuthnRequest(o)
		require.NoError(t, err)
		raw := doc{RequestID: r.ID(), Before: remove(".//NameID")}.base64(t)
		a, err := sp.Verify(raw, saml.VerifyOptions{ACS: usACS, RequestIDs: []string{r.ID()}})
		require.NoError(t, err)
		requireReason(t, reason, a.CheckRequest(r.Record()))
	}
}

// An answer with another SPNameQualifier than the requested one is refused (Core
// 3.4.1.1), and any that is neither ours nor an affiliation's of ours, asked for or not.
func TestRequestedSPNameQualifier(t *testing.T) {
	sp := newSP(t, member)
	for name, c := range map[string]struct {
		asked, answered  string
		verify, compared saml.Reason
	}{
		"none, none":                 {"", "", "", ""},
		"none, ours":                 {"", spEntity, "", ""},
		"none, an affiliation's":     {"", affiliation, "", ""},
		"none, another":              {"", "https://other.example", saml.ReasonNameID, ""},
		"ours, none":                 {spEntity, "", "", ""},
		"ours, ours":                 {spEntity, spEntity, "", ""},
		"ours, an affiliation's":     {spEntity, affiliation, "", saml.ReasonNameID},
		"an affiliation's, the same": {affiliation, affiliation, "", ""},
		"an affiliation's, none":     {affiliation, "", "", saml.ReasonNameID},
		"an affiliation's, ours":     {affiliation, spEntity, "", saml.ReasonNameID},
		"an affiliation's, another":  {affiliation, "https://other.example", saml.ReasonNameID, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := sp.NewAuthnRequest(saml.RequestOptions{NameIDPolicy: &saml.NameIDPolicy{SPNameQualifier: c.asked}})
			require.NoError(t, err)
			raw := doc{
				RequestID: r.ID(),
				Before:    withNameID(saml.NameID{Value: "x1", Format: persistent, SPNameQualifier: c.answered}),
			}.base64(t)
			a, err := sp.Verify(raw, saml.VerifyOptions{ACS: usACS, RequestIDs: []string{r.ID()}})
			if c.verify != "" {
				requireReason(t, c.verify, err)
				return
			}
			require.NoError(t, err)
			if err = a.CheckRequest(r.Record()); c.compared == "" {
				require.NoError(t, err)
			} else {
				requireReason(t, c.compared, err)
			}
		})
	}
}
