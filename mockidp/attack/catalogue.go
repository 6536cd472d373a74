package attack

import (
	"cmp"
	"slices"
)

// Cases lists the hostile documents in the order of the catalogue.
func Cases() []Case {
	all := slices.Concat(wrapping(), signatureCases(), parserCases(), protocolCases(), encryptionCases(), peerCases())
	for i := range all {
		c := &all[i]
		row, _ := RowOf(c.ID)
		c.Name, c.Description, c.Reference = row.Name, row.What, row.Reference
		if c.Outcome.Accepted() && c.Outcome.NameID == "" {
			c.Outcome.NameID = c.base.subject
		}
	}
	slices.SortStableFunc(all, func(a, b Case) int { return cmp.Compare(a.Row(), b.Row()) })
	return all
}
