package run

import (
	"maps"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// IsLoopback reports whether the tool connects to a host that AllowHosts does not
// name.
var IsLoopback = isLoopback

// Shadowed lists the words in leniencies.txt that apply to no case: no case has
// such an ID, or earlier lines cover all of them.
func Shadowed() []string {
	all := leniencies()
	decides := make(map[string]bool)
	decide := func(id string, o attack.Outcome, n attack.Needs) {
		if o.Accepted() {
			return
		}
		for _, sign := range n.Modes() {
			i := slices.IndexFunc(all, func(l leniency) bool { return l.covers(id, sign) })
			if i < 0 {
				continue
			}
			for _, word := range all[i].ids {
				if chooses(word, id) {
					decides[all[i].key(word)] = true
				}
			}
		}
	}
	for _, c := range attack.Cases() {
		decide(c.ID, c.Outcome, c.Needs)
	}
	for _, c := range attack.ArtifactCases() {
		decide(c.ID, c.Outcome, c.Needs)
	}
	var out []string
	for _, l := range all {
		for _, word := range l.ids {
			if !decides[l.key(word)] {
				out = append(out, l.key(word))
			}
		}
	}
	return out
}

func (l leniency) key(word string) string { return word + " in: " + strings.Join(l.ids, " ") }

// Harmless says why a case may be accepted, or "".
func Harmless(c attack.Case, sign attack.Sign) string { return harmless(c, sign) }

// SeverityMistakes lists the attacks that no line of severities.txt covers, and the words there that decide nothing.
func SeverityMistakes() []string {
	all, decides := problems(), make(map[string]bool)
	var out []string
	for _, e := range List() {
		covered := false
		for _, p := range all {
			at := slices.IndexFunc(p.ids, func(word string) bool { return chooses(word, e.ID) })
			if at >= 0 {
				covered, decides[p.ids[at]] = true, true
				break
			}
		}
		if !covered {
			out = append(out, e.ID+": no severity")
		}
	}
	for _, p := range all {
		for _, word := range p.ids {
			if word != "forged" && !decides[word] {
				out = append(out, word+" decides nothing")
			}
		}
		if p.severity.rank() < 0 || p.title == "" || p.means == "" {
			out = append(out, "incomplete: "+p.title)
		}
	}
	return out
}

// IdentityPattern finds out how two pages show users, if a third one shows none.
var IdentityPattern = identityPattern

// FlowMistakes lists the flows without a script or a known requirement, and the
// scripts without a flow.
func FlowMistakes() []string {
	var out []string
	all := scripts()
	for _, f := range flows() {
		delete(all, f.id)
		known := slices.Contains([]string{
			"", "request", "other-acs", "encryption-key", "other-idp", "other-login", "discovery", "logout",
			"artifact", "artifact-other-idp",
		}, f.needs)
		if !known || (f.run == nil) != (f.never != "") {
			out = append(out, f.id)
		}
	}
	return slices.AppendSeq(out, maps.Keys(all))
}
