package attack

// Rows lists the whole catalogue in order.
func Rows() []Row { return rows() }

// Stage says when c's attack is made, in words that begin a sentence. It is empty
// where the difference from the twin does not say all of it.
func (c Case) Stage() (when string, byText bool) {
	a := c.attack
	if a.setup != nil || a.inside != nil || a.posted != nil || c.Needs.Encrypted || c.twin != nil {
		return "", false
	}
	switch [4]bool{a.before != nil, a.signed != nil, a.after != nil, a.text != nil} {
	case [4]bool{true, false, false, false}:
		return "Before signing", false
	case [4]bool{true, true, false, false}:
		return "Before signing and in the signature", false
	case [4]bool{false, true, false, false}:
		return "In the signature", false
	case [4]bool{false, false, true, false}:
		return "After signing", false
	case [4]bool{false, false, false, true}:
		return "After signing", true
	}
	return "", false
}
