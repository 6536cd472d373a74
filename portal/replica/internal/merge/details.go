package merge

import (
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// Versions before center.KindDetails pass on the details of an element, and know nothing
// of them. When a primary with such a version removes the element, its details stay in
// the log. They count for nothing, and are dropped: by the next whole state, and where
// another element with the same name is written.

// details returns the name of an element's details.
func details(k Name) Name { return Name{center.KindDetails, string(k.Kind) + " " + k.Key} }

// orphaned says whether the element doesn't exist that these details are of.
func (d *Directory) orphaned(k Name) bool {
	kind, key, _ := strings.Cut(k.Key, " ")
	return d.of(d.primary).cell(Name{center.Kind(kind), key}).value == nil
}

// detailed returns the names of the details that the primary's log has of these names.
func (d *Directory) detailed(touched []Name) (out []Name) {
	for _, k := range touched {
		if of := details(k); d.of(d.primary).cell(of).value != nil {
			out = append(out, of)
		}
	}
	return out
}

// leftBehind returns a record that removes the details which another element with this
// name has left, if there are any.
func (d *Directory) leftBehind(k Name) (out []Record) {
	if of := details(k); d.of(d.primary).cell(of).value != nil && d.orphaned(of) {
		out = append(out, Record{Kind: of.Kind, Key: of.Key, Optional: true})
	}
	return out
}
