package xmltree

// id is an ID of a document.
type id struct {
	value     string
	signature bool // the Id of a ds:Signature, which nothing may refer to
}

// collides reports whether x must not occur in addition to d's IDs. Only two of
// signatures may be equal.
func (d *Doc) collides(x id) bool {
	_, element := d.ids.find(id{x.value, false})
	_, signature := d.ids.find(id{x.value, true})
	return element || signature && !x.signature
}

// checkID refuses a duplicate ID in any spelling of the attribute, so that a
// signature's Reference can't mean two elements. Two ds:Signatures may have the same
// Id, because no SAML signature refers to it (some identity providers do that).
//
// An attacker who changes the document around a ciphertext can learn from it whether
// a guessed ID is inside. IDs are hard to guess, and no secret.
func (r *reader) checkID(n *node, a *attr) error {
	switch local := r.str(a.local); {
	case a.ns == None && (local == "ID" || local == "Id" || local == "id"):
	case a.ns == XML && local == "id":
	default:
		return nil
	}
	x := id{r.str(a.value), n.ns == Signature && r.str(n.str) == "Signature"}
	for d := r.d; d != nil; d = d.outer {
		if d.collides(x) {
			return named(Duplicate, r.d.nameOffset(a.prefix, a.local), "duplicate ID %s", x.value)
		}
	}
	r.d.ids.number(x)
	return nil
}
