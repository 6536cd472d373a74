package hostile

import (
	_ "embed"
	"maps"
	"strings"
	"sync"
)

// missingList lists the attacks that Arm doesn't offer. Its first line explains the format.
//
//go:embed missing.txt
var missingList string

var missing = sync.OnceValue(func() map[string]string {
	out := make(map[string]string)
	for line := range strings.Lines(missingList) {
		ids, reason, ok := strings.Cut(line, "|")
		if !ok || line[0] == '#' {
			continue
		}
		for _, id := range strings.Fields(ids) {
			out[id] = strings.TrimSpace(reason)
		}
	}
	return out
})

// Missing has the attacks of run.List in package attack/run that Arm doesn't offer, with the reason why: by the ID of
// the attack, or by that of its row if none of the row is offered.
func Missing() map[string]string { return maps.Clone(missing()) }
