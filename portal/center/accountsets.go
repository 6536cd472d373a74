package center

import (
	"cmp"
	"slices"
)

// AccountSets is an account and the names of the permission sets that a user has in it, sorted.
type AccountSets struct {
	Account Account
	Sets    []string
}

// AccountSets returns what Accounts does, in the same order, but for the permission sets only their names. With many
// of them it costs a small part of that.
func (s *Snapshot) AccountSets(userID string) []AccountSets {
	var out []AccountSets
	at := map[string]int{}
	several := false
	for n, p := range s.principals(userID) {
		i := -1 // a principal's assignments come by account, and then by permission set
		s.relations.eachAssigned(p, func(a *Assignment) {
			if i < 0 || out[i].Account.ID != a.AccountID {
				var known bool
				if i, known = at[a.AccountID]; !known {
					room := 0
					if i = len(out); i > 0 { // most accounts have the same permission sets
						room = len(out[i-1].Sets)
					}
					at[a.AccountID] = i
					out = append(out, AccountSets{*s.accounts.get(a.AccountID), make([]string, 0, room)})
				}
				several = several || known && n > 0
			}
			out[i].Sets = append(out[i].Sets, a.PermissionSet)
		})
	}
	if several {
		for i := range out {
			slices.Sort(out[i].Sets)
			out[i].Sets = slices.Compact(out[i].Sets)
		}
	}
	slices.SortFunc(out, func(a, b AccountSets) int {
		return cmp.Or(cmp.Compare(a.Account.Name, b.Account.Name), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return out
}
