package attack_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

const ssoURL = "https://idp.example/sso"

// metadataKeys says which of our keys are which in a metadata document.
var metadataKeys = map[attack.KeyRole]string{
	attack.SigningKey: "idp-rsa.pem", attack.NextKey: "idp-ecdsa.pem", attack.IssuerKey: "attacker-rsa.pem", attack.RootKey: "attacker-ecdsa.pem",
}

func metadataParams() attack.MetadataParams {
	p := attack.MetadataParams{EntityID: issuer, SSOURL: ssoURL, Keys: make(map[attack.KeyRole]crypto.Signer), Now: now}
	for role, file := range metadataKeys {
		p.Keys[role] = keys()[file]
	}
	return p
}

func metadataFile(c attack.MetadataCase) string { return strings.ReplaceAll(c.ID, "/", "-") + ".txt" }

// metadataVector writes a case down, as vector does.
func metadataVector(t *testing.T, c attack.MetadataCase) []byte {
	t.Helper()
	doc, err := c.Make(metadataParams())
	require.NoError(t, err)
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\n")
		}
	}
	line("kind", "metadata")
	line("id", c.ID)
	line("name", c.Name)
	line("what", c.Description)
	line("reference", c.Reference)
	line("expect", c.Outcome.String())
	if c.ByName {
		line("asked-idp", issuer)
	}
	if c.Outcome.Accepted() {
		line("idp", issuer)
		for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
			line("sso", "urn:oasis:names:tc:SAML:2.0:bindings:"+binding+" "+ssoURL)
		}
		for _, role := range c.Outcome.SigningKeys() {
			line("key", metadataKeys[role])
		}
		if c.Outcome.ValidUntil != 0 {
			line("valid-until", now.Add(c.Outcome.ValidUntil).Format(time.RFC3339))
		}
		if c.Outcome.PassedOver {
			line("passed-over", "some")
		}
	}
	line("now", now.Format(time.RFC3339))
	if plain(doc) {
		line("body", "xml")
		fmt.Fprintf(&b, "\n%s\n", doc)
	} else {
		line("body", "base64")
		fmt.Fprintf(&b, "\n%s\n", base64.StdEncoding.EncodeToString(doc))
	}
	return b.Bytes()
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
