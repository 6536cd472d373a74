package merge

// KeptShortcuts counts what is kept of the Regions' lists of a user.
func (s *Sessions) KeptShortcuts(user string) (n int) {
	for _, w := range s.shortcuts[user] {
		n += len(w.list.Items)
	}
	return n
}
