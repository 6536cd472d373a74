package portal_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// Rule 65: the keys of the identity provider are written in the primary, and the running service provider of each
// Region follows: a sign-in is refused where its key was replaced, also one that began before, and works again when the
// key is back. An additional Region can't write them.
func TestRule65ServiceProvidersFollowTheFederation(t *testing.T) {
	w := worldWithIdP(t)
	d := data()
	d.Federations = []center.Federation{{EntityID: entityOf(t, w.idp), Metadata: w.idp.Metadata("")}}
	inst, err := center.New(d)
	require.NoError(t, err)
	us, err := inst.In("us-east-1")
	require.NoError(t, err)
	eu, err := inst.In("eu-central-1")
	require.NoError(t, err)
	source, err := portal.NewFederations(eu).Only(d.Federations[0].EntityID)
	require.NoError(t, err)
	w.open(d, saml.Config{IdP: source}, nil, w.idp)
	signsIn := func(want bool) {
		t.Helper()
		for _, host := range []string{virginia, frankfurt} {
			a := w.signIn(w.browser(), "https://"+host+"/", "alice@example.com")
			assert.Equal(t, want, a.StatusCode == 200, "%s: %d", host, a.StatusCode)
		}
	}
	signsIn(true)

	good := d.Federations[0]
	other := good
	was := base64.StdEncoding.EncodeToString(source.IdP().Certificates()[0].Raw)
	other.Metadata = withCertificate(t, good.Metadata, was)
	_, err = portal.PutFederation(eu, center.Actor{}, other)
	var refused *center.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, center.ReasonNotPrimary, refused.Reason)
	assert.Equal(t, "us-east-1", refused.Primary)
	signsIn(true)

	b := w.browser()
	begun := b.get("https://" + frankfurt + "/")
	_, err = portal.PutFederation(us, center.Actor{}, other)
	require.NoError(t, err)
	a := w.atIdP(b, begun, "alice@example.com")
	assert.NotEqual(t, 200, a.StatusCode, "a sign-in that began before")
	signsIn(false)
	_, err = portal.PutFederation(us, center.Actor{}, good)
	require.NoError(t, err)
	signsIn(true)
	require.NoError(t, us.Update(func(tx *center.Tx) error { return tx.RemoveFederation(good.EntityID) }))
	assert.NotNil(t, source.IdP())
	assert.True(t, source.IdP().ValidUntil().Before(w.clock.Now()), "without metadata it is expired")
}

// withCertificate replaces a certificate in metadata by that of another key.
func withCertificate(t *testing.T, metadata []byte, was string) []byte {
	t.Helper()
	next := base64.StdEncoding.EncodeToString(testkit.Certificate(testkit.RSAKey("second"), time.Now()).Raw)
	text := string(metadata)
	for _, part := range strings.SplitAfter(text, "X509Certificate>") {
		value, _, _ := strings.Cut(part, "<")
		if strings.Join(strings.Fields(value), "") == was {
			text = strings.ReplaceAll(text, value, next)
		}
	}
	require.NotEqual(t, string(metadata), text)
	return []byte(text)
}

// What can't be used is not written: metadata that isn't XML, that of another identity provider, a policy with an
// unknown algorithm. A record that can't be read makes its identity provider unknown, and an unknown name is not kept.
func TestFederationsAreReadBeforeTheyAreWritten(t *testing.T) {
	w := worldWithIdP(t)
	good := center.Federation{EntityID: entityOf(t, w.idp), Metadata: w.idp.Metadata("")}
	inst, err := center.New(data())
	require.NoError(t, err)
	us, err := inst.In("us-east-1")
	require.NoError(t, err)
	f := portal.NewFederations(inst)
	for name, tt := range map[string]struct {
		change func(*center.Federation)
		want   saml.Reason
	}{
		"no XML":    {func(f *center.Federation) { f.Metadata = []byte("{}") }, saml.ReasonMetadata},
		"another":   {func(f *center.Federation) { f.EntityID = "https://idp.example" }, saml.ReasonMetadataEntity},
		"no name":   {func(f *center.Federation) { f.EntityID = "" }, saml.ReasonConfig},
		"a policy":  {func(f *center.Federation) { f.Policy.RefusedAlgorithms = []string{"urn:x"} }, saml.ReasonConfig},
		"cut short": {func(f *center.Federation) { f.Metadata = f.Metadata[:200] }, saml.ReasonMetadata},
	} {
		bad := good
		bad.Metadata = bytes.Clone(good.Metadata)
		tt.change(&bad)
		before := inst.Snapshot()
		_, err := portal.PutFederation(us, center.Actor{}, bad)
		var e *saml.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, tt.want, e.Reason, name)
		assert.Same(t, before, inst.Snapshot(), name)
	}
	_, err = f.IdP(good.EntityID)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, saml.ReasonMetadataEntity, e.Reason)
	_, err = f.Only(good.EntityID)
	require.ErrorAs(t, err, &e)

	narrow := good
	narrow.Policy.RefuseUnsolicited = true
	_, err = portal.PutFederation(us, center.Actor{}, narrow)
	require.NoError(t, err)
	idp, err := f.IdP(good.EntityID)
	require.NoError(t, err)
	again, err := f.IdP(good.EntityID)
	require.NoError(t, err)
	assert.Same(t, idp, again, "it is read once")
	bySource, err := f.SourceIdP(saml.SourceIDOf(good.EntityID))
	require.NoError(t, err)
	assert.Same(t, idp, bySource)
	_, err = f.SourceIdP(saml.SourceIDOf("https://idp.example"))
	require.ErrorAs(t, err, &e)
	assert.Equal(t, saml.ReasonArtifactSource, e.Reason)

	broken := good
	broken.Metadata = []byte("<")
	require.NoError(t, us.Update(func(tx *center.Tx) error { return tx.PutFederation(broken) })) // without reading it
	for range 2 {
		idp, err = f.IdP(good.EntityID)
		require.ErrorAs(t, err, &e)
		assert.Nil(t, idp)
	}
}
