package xmltree

// idSet holds the IDs of a document, and what carries each.
type idSet struct {
	count int
	list  []id
	index map[id]struct{} // only once there are many
	room  [8]id
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
	s.count++
	switch {
	case s.index != nil:
		s.index[id{value, what}] = struct{}{}
		return
	case s.list == nil:
		s.list = s.room[:0]
	}
	s.list = append(s.list, id{value, what})
	if len(s.list) > few {
		s.index = make(map[id]struct{}, 2*len(s.list))
		for _, have := range s.list {
			s.index[have] = struct{}{}
		}
	}
}
