package merge

import (
	"bytes"
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/center"
)

// Keep returns the changes of an update with what they must not lose: the fields of
// optional records that a later version wrote, and that this one doesn't know. An
// element that is removed, or made anew, has none.
func (d *Directory) Keep(changes []center.Record) []center.Record {
	removed := map[Name]bool{}
	for _, c := range changes {
		removed[details(Name{c.Kind, c.Key})] = c.Value == nil
	}
	out := make([]center.Record, len(changes))
	for i, c := range changes {
		k := Name{c.Kind, c.Key}
		if old := d.value(k); c.Kind.Optional() && old != nil && !removed[k] {
			known := center.Understood(center.Record{Kind: c.Kind, Key: c.Key, Value: old})
			c.Value = keepUnknown(old, known, c.Value)
		}
		out[i] = c
	}
	return out
}

// keepUnknown returns the next JSON object of a record, or nil, with the fields of the old
// one that aren't in known, which is the old one as this version understands it. Objects
// in it are treated likewise. Other values are replaced as they are.
func keepUnknown(old, known, next json.RawMessage) json.RawMessage {
	var was, understood, out map[string]json.RawMessage
	if json.Unmarshal(old, &was) != nil || next != nil && json.Unmarshal(next, &out) != nil {
		return next
	}
	_ = json.Unmarshal(known, &understood) // nil: nothing is
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	kept := false
	for name, v := range was {
		now, given := out[name]
		of, ours := understood[name]
		if !ours && given {
			continue
		}
		if ours {
			v = keepUnknown(v, of, now)
		}
		if v != nil && !bytes.Equal(v, now) {
			out[name], kept = v, true
		}
	}
	if !kept {
		return next
	}
	b, err := json.Marshal(out)
	if err != nil {
		return next // impossible: it was decoded from JSON
	}
	return b
}
