package portal_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// withSessionIndexes returns the identity provider's response with an AuthnStatement for each SessionIndex, and a new
// signature.
func (w *world) withSessionIndexes(response string, indexes ...string) string {
	w.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(response)
	require.NoError(w.t, err)
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromBytes(raw))
	statement := doc.FindElement("//AuthnStatement")
	require.NotNil(w.t, statement)
	for _, index := range indexes {
		next := statement.Copy()
		next.CreateAttr("SessionIndex", index)
		statement.Parent().InsertChildAt(statement.Index(), next)
	}
	statement.Parent().RemoveChild(statement)
	for _, old := range doc.FindElements("//Signature") {
		old.Parent().RemoveChild(old)
	}
	w.sign(doc.FindElement("//Assertion"))
	out, err := doc.WriteToBytes()
	require.NoError(w.t, err)
	return base64.StdEncoding.EncodeToString(out)
}

// sign signs an element as the identity provider.
func (w *world) sign(el *etree.Element) {
	w.t.Helper()
	ctx, err := dsig.NewSigningContext(w.key, [][]byte{w.idp.Certificate().Raw})
	require.NoError(w.t, err)
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(el.Copy(), true) // a copy, because it is rewritten
	require.NoError(w.t, err)
	el.InsertChildAt(el.SelectElement("Issuer").Index()+1, signature)
}

func TestLongSessionIndexIsDropped(t *testing.T) {
	for n, kept := range map[int]int{40: 40, 1024: 1024, 1025: 0, 20_000: 0} {
		w := newWorld(t, nil)
		form, err := w.idp.IdPInitiated("", "alice@example.com", "")
		require.NoError(t, err)
		values := form.Values()
		values.Set("SAMLResponse", w.withSessionIndexes(values.Get("SAMLResponse"), strings.Repeat("i", n)))
		a := w.browser().post(form.URL, values)
		require.Equal(t, 200, a.StatusCode, "%d: %s", n, w.logged())
		list, err := w.sessions["us-east-1"].List(t.Context(), "alice@example.com")
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.Len(t, strings.Join(list[0].Proof.SessionIndexes, ""), kept)
	}
}

// A logout at the identity provider ends the sign-in's session and the one that was handed off from
// it.
func TestLogoutEndsHandedOffSessions(t *testing.T) {
	w, s := newShared(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Adams")
	list, err := s.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, list, 2)
	md, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	proof := list[0].Proof
	assert.Equal(t, proof, list[1].Proof)
	assert.Equal(t, sessions.Subject{
		Provider: md.EntityID(), ServiceProvider: entityID,
		NameID: sessions.NameID{Value: "alice@example.com", Format: proof.Subject.NameID.Format},
	}, proof.Subject)
	assert.Len(t, proof.SessionIndexes, 1)
	assert.WithinDuration(t, w.clock.Now(), proof.Issued, time.Minute)

	ended, err := s.sessions.EndSubject(t.Context(), sessions.Logout{
		Subject: proof.Subject, SessionIndexes: proof.SessionIndexes, Issued: proof.Issued,
		Until: w.clock.Now().Add(24 * time.Hour),
	})
	require.NoError(t, err)
	assert.Len(t, ended, 2)
	for _, host := range []string{virginia, frankfurt} {
		requireAtIdP(t, w, b.get("https://"+host+"/"))
	}
}
