package attack_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

const ssoURL = "https://idp.example/sso"

// metadataKeys has the key files of a metadata document.
var metadataKeys = map[attack.KeyRole]string{
	attack.SigningKey: "idp-rsa.pem", attack.NextKey: "idp-ecdsa.pem",
	attack.IssuerKey: "attacker-rsa.pem", attack.RootKey: "attacker-ecdsa.pem",
	attack.PublisherKey: "publisher-rsa.pem", attack.WeakKey: "idp-rsa1024.pem",
}

func metadataParams() attack.MetadataParams {
	p := attack.MetadataParams{EntityID: issuer, SSOURL: ssoURL, Keys: make(map[attack.KeyRole]crypto.Signer), Now: now}
	for role, file := range metadataKeys {
		p.Keys[role] = keys()[file]
	}
	return p
}

// metadataVectors returns the vectors of all cases and of the good documents that are
// their twins, by ID.
func metadataVectors(t *testing.T, said *comments) map[string][]byte {
	t.Helper()
	out, twins := make(map[string][]byte), make(map[string]string)
	twinOf := func(c attack.MetadataCase) []byte {
		twin, err := c.Twin(metadataParams())
		require.NoError(t, err, c.ID)
		return twin
	}
	for _, c := range attack.MetadataCases() {
		if g := goodOf(c.ID); g >= 0 {
			twins[fmt.Sprint(c.ByName, c.Pinned, string(twinOf(c)))] = good[g].id
			a := about{id: good[g].id, name: goodName, comment: good[g].comment}
			out[a.id] = metadataVector(a, c, attack.MetadataOutcome{}, twinOf(c))
		}
	}
	for _, c := range attack.MetadataCases() {
		doc, err := c.Make(metadataParams())
		require.NoError(t, err, c.ID)
		twin := twins[fmt.Sprint(c.ByName, c.Pinned, string(twinOf(c)))]
		require.NotEmpty(t, twin, "no vector is the twin of %s; add a good one", c.ID)
		a := about{c.ID, c.Name, c.Description, c.Reference, said.onMetadata(t, c), twin}
		out[c.ID] = metadataVector(a, c, c.Outcome, doc)
	}
	return out
}

// metadataVector returns the vector of a metadata document: a case's, or its twin's.
func metadataVector(a about, c attack.MetadataCase, o attack.MetadataOutcome, doc []byte) []byte {
	var h headers
	h.line("kind", "metadata")
	h.about(a)
	h.line("expect", o.String())
	h.when(c.ByName, "asked-idp", issuer)
	for _, role := range c.Pinned {
		h.line("publisher-key", metadataKeys[role])
	}
	if o.Accepted() {
		h.line("idp", issuer)
		for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
			h.line("sso", "urn:oasis:names:tc:SAML:2.0:bindings:"+binding+" "+ssoURL)
		}
		for _, role := range o.SigningKeys() {
			h.line("key", metadataKeys[role])
		}
		h.when(o.ValidUntil != 0, "valid-until", now.Add(o.ValidUntil).Format(time.RFC3339))
		h.when(o.PassedOver, "passed-over", "some")
	}
	h.line("now", now.Format(time.RFC3339))
	if plain(doc) {
		h.line("body", "xml")
		fmt.Fprintf(&h, "\n%s\n", doc)
	} else {
		h.line("body", "base64")
		fmt.Fprintf(&h, "\n%s\n", base64.StdEncoding.EncodeToString(doc))
	}
	return h.Bytes()
}

func TestMetadataCasesAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range attack.Cases() {
		seen[c.ID] = true
	}
	id := regexp.MustCompile(`^[A-L]\d\d(/[a-z0-9.-]+)?$`)
	for _, c := range attack.MetadataCases() {
		require.Regexp(t, id, c.ID)
		require.False(t, seen[c.ID], "duplicate ID %s", c.ID)
		seen[c.ID] = true
		require.NotEmpty(t, c.Name, c.ID)
		one, err := c.Make(metadataParams())
		require.NoError(t, err, c.ID)
		again, err := c.Make(metadataParams())
		require.NoError(t, err, c.ID)
		require.True(t, bytes.Equal(one, again), "%s: the same parameters give the same document", c.ID)
		twin, err := c.Twin(metadataParams())
		require.NoError(t, err, c.ID)
		require.False(t, bytes.Equal(one, twin), c.ID)
	}
}

func TestMetadataNeedsItsParameters(t *testing.T) {
	c := attack.MetadataCases()[0]
	for name, change := range map[string]func(*attack.MetadataParams){
		"no entity ID": func(p *attack.MetadataParams) { p.EntityID = "" },
		"no address":   func(p *attack.MetadataParams) { p.SSOURL = "" },
		"no time":      func(p *attack.MetadataParams) { p.Now = time.Time{} },
		"no key":       func(p *attack.MetadataParams) { p.Keys = nil },
	} {
		p := metadataParams()
		change(&p)
		_, err := c.Make(p)
		var e *attack.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, c.ID, e.Rule)
	}
}
