package xmltree

// idSet holds the IDs of a document, and what carries each.
type idSet struct {
	list  []id
	index map[id]struct{} // only once there are many
}

type id struct {
	value string
	what  idOf
}

type idOf bool

const (
	ofElement   idOf = false
	ofSignature idOf = true // the Id of a ds:Signature, which nothing may refer to
)

func (s *idSet) has(value string, what idOf) bool {
	if s.index != nil {
		_, ok := s.index[id{value, what}]
		return ok
	}
	for _, have := range s.list {
		if have.what == what && have.value == value {
			return true
		}
	}
	return false
}

// collides reports whether value may not stand once more. Only two of
// signatures may be equal.
func (s *idSet) collides(value string, what idOf) bool {
	return s.has(value, ofElement) || what == ofElement && s.has(value, ofSignature)
}

func (s *idSet) add(value string, what idOf) {
	switch {
	case s.index != nil:
		s.index[id{value, what}] = struct{}{}
		return
	case s.list == nil:
		s.list = make([]id, 0, 8)
	}
	s.list = append(s.list, id{value, what})
	if len(s.list) > few {
		s.index = make(map[id]struct{}, 2*len(s.list))
		for _, have := range s.list {
			s.index[have] = struct{}{}
		}
	}
}

// checkID refuses a duplicate ID, whatever spelling of the attribute carries it:
// a signature's Reference must not be able to mean two elements. So an attacker
// who changes the document around a ciphertext can learn whether a guessed ID is
// inside it. IDs are no secret, and are made to be hard to guess.
// Only the Id of a ds:Signature, which a SAML signature never refers to, may
// be that of another ds:Signature (some identity providers do that).
func (r *reader) checkID(n *node, a *attr) error {
	switch local := r.str(a.local); {
	case a.ns == None && (local == "ID" || local == "Id" || local == "id"):
	case a.ns == XML && local == "id":
	default:
		return nil
	}
	value := r.str(a.value)
	what := ofElement
	if n.ns == Signature && r.str(n.str) == "Signature" {
		what = ofSignature
	}
	for d := r.d; d != nil; d = d.outer {
		if d.ids.collides(value, what) {
			return named(Duplicate, r.d.nameOffset(a.prefix, a.local), "duplicate ID %s", value)
		}
	}
	r.d.ids.add(value, what)
	return nil
}
