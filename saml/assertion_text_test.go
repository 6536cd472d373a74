package saml_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// A printed, logged or marshalled assertion, alone or inside another value, shows
// its ID and issuer, and nothing about the user.
func TestPrintedAssertionHasNoPersonalData(t *testing.T) {
	a, err := newSP(
		t,
	).Verify(doc{
		Attributes: `<saml:Attribute Name="groups"><saml:AttributeValue>Payroll</saml:AttributeValue></saml:Attribute>`,
	}.base64(t), unsolicited)
	require.NoError(t, err)
	require.Equal(t, "alice@example.com", a.NameID().Value)
	require.NotEmpty(t, a.Attributes())

	login := struct {
		Assertion *saml.Assertion
		Copy      saml.Assertion
	}{a, *a}
	printed := map[string]string{"String": a.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%p"} {
		printed[verb] = fmt.Sprintf(verb, a)
		printed[verb+" of a copy"] = fmt.Sprintf(verb, *a)
		printed[verb+" of a struct"] = fmt.Sprintf(verb, login)
	}
	for name, v := range map[string]any{"pointer": a, "copy": *a, "struct": login} {
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		printed["JSON of a "+name] = string(raw)
		var text, jsonText bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("signed in", "assertion", v)
		slog.New(slog.NewJSONHandler(&jsonText, nil)).Info("signed in", "assertion", v)
		printed["slog of a "+name], printed["slog's JSON of a "+name] = text.String(), jsonText.String()
	}
	for how, got := range printed {
		if !strings.HasPrefix(how, "%p") { // which asks no method
			require.Contains(t, got, a.ID(), how)
		}
		for _, secret := range []string{"alice", "Alice", a.SessionIndex()} {
			require.NotContains(t, got, secret, how)
		}
		for _, attribute := range a.Attributes() {
			require.NotContains(t, got, attribute.Name, how)
			for _, v := range attribute.Values {
				require.NotContains(t, got, v.Text, how)
			}
		}
	}
	require.Equal(t, "no assertion", fmt.Sprint(saml.Assertion{}))
	require.Equal(t, "<nil>", fmt.Sprint((*saml.Assertion)(nil)))
	require.Equal(
		t,
		`assertion _asrt1 of https://idp.example/exk1 for `+usACS+`, issued 2026-11-22T12:00:00Z, until 2026-11-22T12:05:00Z`,
		a.String(),
	)
}
