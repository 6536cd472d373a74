package center

import (
	"cmp"
	"slices"
	"sync"
)

// AccountSets is an account and the names of the permission sets that a user has in it, sorted.
type AccountSets struct {
	Account Account
	Sets    []string
}

// AccountSets returns what Accounts does, in the same order, but for the permission sets only their names. With many of
// them it costs a small part of that, and almost nothing for a user for whom this Snapshot was asked before. The caller
// must not change the result.
func (s *Snapshot) AccountSets(userID string) []AccountSets {
	if list, ok := s.listed.get(userID); ok {
		return list
	}
	list := s.accountSets(userID)
	s.listed.put(userID, list)
	return list
}

func (s *Snapshot) accountSets(userID string) []AccountSets {
	var out []AccountSets
	at := map[string]int{}
	names := map[string]string{} // one string for each name, so that equal ones compare fast
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
			name, ok := names[a.PermissionSet]
			if !ok {
				name = a.PermissionSet
				names[name] = name
			}
			out[i].Sets = append(out[i].Sets, name)
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

// maxListed bounds how many names the lists of a Snapshot have: about 4 MiB.
const maxListed = 200_000

// lists are the results of AccountSets for the users who were asked for last. They end with their Snapshot.
type lists struct {
	mu     sync.Mutex
	byUser map[string][]AccountSets
	names  int
}

func (l *lists) get(userID string) ([]AccountSets, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, ok := l.byUser[userID]
	return list, ok
}

// put keeps a list. If there are too many, it drops the others, which are made again when they are asked for.
func (l *lists) put(userID string, list []AccountSets) {
	n := 1
	for _, a := range list {
		n += 4 + len(a.Sets)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byUser == nil || l.names+n > maxListed {
		l.byUser, l.names = map[string][]AccountSets{}, 0
	}
	if n <= maxListed && l.byUser[userID] == nil {
		l.byUser[userID] = list
		l.names += n
	}
}
