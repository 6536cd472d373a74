package replica

import (
	"fmt"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// partHeader is what a copier may know of a part: its number, how many there
// are, how many elements it holds, the whole holds, and whether it is full.
func partHeader(p merge.Transaction, total int) string {
	full := 0
	if p.Full {
		full = 1
	}
	return fmt.Sprintf("%d/%d/%d/%d/%d", p.Part, p.Of, len(p.Records), total, full)
}

type partInfo struct{ part, of, elements, total, full int }

func readPartHeader(s string) (p partInfo, ok bool) {
	k, err := fmt.Sscanf(s, "%d/%d/%d/%d/%d", &p.part, &p.of, &p.elements, &p.total, &p.full)
	return p, err == nil && k == 5 && p.part >= 0 && p.part < p.of && p.elements >= 0 && p.total >= p.elements
}
