package run

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// leniency is one attack or several, with the reason why accepting it is
// harmless.
type leniency struct {
	ids  []string // IDs, rows and families
	sign string   // what is signed, or "any"
	why  string   // "" if it is not harmless
}

//go:embed leniencies.txt
var leniencyList string

func leniencies() []leniency {
	var out []leniency
	for line := range strings.Lines(leniencyList) {
		if f := strings.Split(line, "|"); len(f) == 3 && line[0] != '#' {
			out = append(out, leniency{strings.Fields(f[0]), strings.TrimSpace(f[1]), strings.TrimSpace(f[2])})
		}
	}
	return out
}

// harmless returns the reason why a service provider may accept a case, if it
// signs in the user that the identity provider named. It returns "" if it must
// refuse the case.
func harmless(c attack.Case, sign attack.Sign) string { return harmlessID(c.ID, sign) }

func harmlessID(id string, sign attack.Sign) string {
	all := leniencies()
	if i := slices.IndexFunc(all, func(l leniency) bool { return l.covers(id, sign) }); i >= 0 {
		return all[i].why
	}
	return ""
}

func (l leniency) covers(id string, sign attack.Sign) bool {
	return (l.sign == "any" || l.sign == sign.String()) &&
		slices.ContainsFunc(l.ids, func(word string) bool { return chooses(word, id) })
}

// nameSigned returns a reason if the identity provider's signature covers every
// name in the message, and otherwise "", as in most cases.
func nameSigned(c attack.Case, sign attack.Sign) string {
	switch c.ID {
	case "C07/name-id":
		return "the identity provider's signature is over both parts of the name"
	case "A18/signed-advice", "A19/both-signed", "C25/base-id", "D43/twice", "E12/both-ids", "E12/attribute-as-id",
		"J03/alone", "J03/before", "J03/after", "J03/encrypted":
		return "the identity provider's signature is over both names"
	}
	if sign == attack.SignBoth && c.OnSignature() {
		return "the Response's own signature is over all of it"
	}
	return ""
}
