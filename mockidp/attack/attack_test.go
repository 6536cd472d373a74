package attack_test

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// harness lists the rows that need more than one document: several messages,
// browsers, Regions or bindings. testdata/README.md names their tests.
var harness = []string{
	"D01", "D02", "D03", "D04", "D05", "D06", "D07", "D11", "D12", "D18", "D19",
	"D44", "D45", "D46", "D47", "D48", "D49", "D52", "D53", "D54", "D55", "D56", "J04", "J16", "J17", "J21",
	"F10", "F14", "F15", "F16", "F17", "F19", "F24", "F25", "F28", "F29", "F30", "F31", "F32",
	"G15", "G23", "G24", "G25", "G28", "G29", "G31", "G33", "G34", "J09", "J13", "J14", "J15", "K04", "K05", "K06",
	"H04", "H05", "H06", "H07", "H12", "H14", "H16", "H17", "H18", "H22", "J19", "K01", "K02", "K03",
	"I06", "I08", "I09", "I10", "I11", "K08", "K09", "K14",
	"K15", "K16", "K17", "K19", "L01", "L02", "L03", "L04", "L05", "L06", "L07",
}

func TestEveryRowIsShown(t *testing.T) {
	shown := make(map[string]bool)
	for _, c := range attack.Cases() {
		shown[c.Row()] = true
	}
	for _, c := range attack.MetadataCases() {
		shown[c.Row()] = true
	}
	for _, c := range attack.LogoutCases() {
		shown[c.Row()] = true
	}
	for _, c := range attack.ArtifactCases() {
		shown[c.Row()] = true
	}
	for _, c := range attack.AttributeCases() {
		shown[c.Row()] = true
	}
	rows := attack.Rows()
	require.Len(t, rows, 313)
	for i, r := range rows {
		require.Equal(t, slices.Contains(harness, r.ID), !shown[r.ID], r.ID)
		require.NotEmpty(t, r.Name, r.ID)
		if i > 0 {
			require.Less(t, rows[i-1].ID, r.ID)
		}
	}
}

// A misspelled name of a value in catalogue.txt would become part of a document.
func TestCatalogueHasNoMistakes(t *testing.T) { require.Empty(t, attack.Mistakes()) }

func TestCasesAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	id := regexp.MustCompile(`^[A-L]\d\d(/[a-z0-9.-]+)?$`)
	for _, c := range attack.Cases() {
		require.Regexp(t, id, c.ID)
		require.False(t, seen[c.ID], "duplicate ID %s", c.ID)
		seen[c.ID] = true
		require.NotEmpty(t, c.Name, c.ID)
		require.NotEmpty(t, c.Needs.Modes(), c.ID)
		require.NotEmpty(t, c.Needs.Key.String())
		for _, reason := range c.Outcome.Reasons {
			require.Regexp(t, `^[A-Z][A-Za-z0-9]+$`, reason, c.ID)
		}
	}
}

// sameDocument lists the cases whose document equals the twin's.
var sameDocument = []string{"B33/1024-allowed", "B41/metadata", "B41/certificate"}

func TestTwinDiffersAndBothAreRepeatable(t *testing.T) {
	for _, c := range attack.Cases() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			hostile := makeIt(t, c)
			twin, err := c.Twin(params(c, c.TwinNeeds()))
			require.NoError(t, err)
			require.Equal(t, slices.Contains(sameDocument, c.ID), bytes.Equal(hostile.SAMLResponse, twin.SAMLResponse))
			require.Equal(t, hostile, makeIt(t, c), "the same parameters give the same document")

			xml, err := base64.StdEncoding.DecodeString(string(twin.SAMLResponse))
			require.NoError(t, err)
			require.Equal(t, string(twin.XML), string(xml))
		})
	}
}

// Every case can be made with every Sign and key that it allows.
func TestEveryModeAndKey(t *testing.T) {
	for _, c := range attack.Cases() {
		for _, mode := range c.Needs.Modes() {
			for _, kind := range []attack.KeyKind{c.Needs.Key, attack.ECDSA} {
				if kind == attack.ECDSA && c.Needs.Key != attack.AnyKey {
					continue
				}
				n := c.Needs
				n.Key = kind
				p := params(c, n)
				p.Sign, p.NoCertificate = mode, false
				if c.MayEncrypt() {
					p.EncryptTo = &spKey().PublicKey
				}
				m, err := c.Make(p)
				require.NoError(t, err, "%s, %s, %s", c.ID, mode, kind)
				require.Equal(t, c.ID == "C28/empty", len(m.SAMLResponse) == 0, c.ID)
			}
		}
	}
}

// Names may have one letter: the mock makes these documents for any service provider
// that registers with it.
func TestShortNames(t *testing.T) {
	for _, c := range attack.Cases() {
		p := params(c, c.Needs)
		p.Issuer, p.Audience, p.Subject, p.RequestID = "i", "a", "s", "r"
		if _, err := c.Make(p); err != nil {
			require.ErrorContains(t, err, "the attack does not change", c.ID)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	find := func(id string) attack.Case {
		all := attack.Cases()
		return all[slices.IndexFunc(all, func(c attack.Case) bool { return c.ID == id })]
	}
	for name, r := range map[string]struct {
		id     string
		change func(*attack.Params)
		text   string
	}{
		"no issuer":         {"B01", func(p *attack.Params) { p.Issuer = "" }, "missing Issuer"},
		"no time":           {"B01", func(p *attack.Params) { p.Now = time.Time{} }, "missing Now"},
		"no key":            {"B01", func(p *attack.Params) { p.Key = nil }, "missing Key"},
		"no attacker":       {"B36", func(p *attack.Params) { p.AttackerKey = nil }, "AttackerKey is required"},
		"no encryption key": {"E07", func(p *attack.Params) { p.EncryptTo = nil }, "missing EncryptTo"},
		"no other ACS":      {"D17", func(p *attack.Params) { p.OtherACS = "" }, "OtherACS is required"},
		"unfit mode":        {"A21", func(p *attack.Params) { p.Sign = attack.SignBoth }, "does not apply"},
		"nothing to change": {"C27/issuer-case", func(p *attack.Params) { p.Issuer = "URN:1" }, "does not change"},
		"randomness ends":   {"B36", func(p *attack.Params) { p.Rand = strings.NewReader("short") }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			c := find(r.id)
			p := params(c, c.Needs)
			r.change(&p)
			_, err := c.Make(p)
			var e *attack.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, r.id, e.Rule)
			require.True(t, strings.HasPrefix(err.Error(), "attack: "+r.id))
			require.ErrorContains(t, err, r.text)
		})
	}
}
