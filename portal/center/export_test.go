package center

// MakeAccountSets is AccountSets for a user for whom s was not asked before.
func MakeAccountSets(s *Snapshot, userID string) []AccountSets { return s.accountSets(userID) }
