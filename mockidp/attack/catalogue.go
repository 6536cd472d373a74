package attack

import "slices"

// Cases lists the hostile documents in the order of the catalogue.
func Cases() []Case {
	all := slices.Concat(wrapping(), signatureCases(), parserCases(), protocolCases(), encryptionCases(), peerCases())
	rows := make(map[string]Row)
	for _, r := range Rows() {
		rows[r.ID] = r
	}
	for i := range all {
		c := &all[i]
		row := rows[c.Row()]
		c.Name, c.Description, c.Reference = row.Name, row.What, row.Reference
		if c.Outcome.Accepted() && c.Outcome.NameID == "" {
			c.Outcome.NameID = c.base.subject
		}
	}
	slices.SortStableFunc(all, func(a, b Case) int {
		switch x, y := a.Row(), b.Row(); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return all
}

// Harness lists the rows that are neither among [Cases] nor among
// [MetadataCases]: no single document shows them. They need several messages,
// browsers, Regions or bindings.
func Harness() []Row {
	shown := make(map[string]bool)
	for _, c := range Cases() {
		shown[c.Row()] = true
	}
	for _, c := range MetadataCases() {
		shown[c.Row()] = true
	}
	return slices.DeleteFunc(Rows(), func(r Row) bool { return shown[r.ID] })
}
